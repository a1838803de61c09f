"""TIFF directories: what DNG, TIFF, most raws and the EXIF block of a JPEG are made of (TIFF 6.0, BigTIFF, EXIF 2.32).

Reading is lazy, bounded and forgiving: a damaged entry is left out, a loop of directories ends. Nothing here decodes
pixels.
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Fetch: TypeAlias = Callable[[int, int], bytes]  # (offset, size) -> bytes, fewer at the end of the file

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SRATIONAL, IFD, LONG8 = 1, 2, 3, 4, 5, 7, 10, 13, 16
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_MAGICS = {42, 43, 0x55, 0x4F52, 0x5352, 0x5253}  # TIFF, BigTIFF, and Panasonic's and Olympus's own

ORIENTATION, SUB_IFDS, EXIF_IFD, GPS_IFD, INTEROP_IFD = 274, 330, 0x8769, 0x8825, 0xA005
STRIP_OFFSETS, STRIP_COUNTS, TILE_OFFSETS, TILE_COUNTS = 273, 279, 324, 325
JPEG_OFFSET, JPEG_LENGTH = 513, 514
_UNSAID, _PANASONIC_DATA = 0xFFFFFFFF, 0x118  # newer Panasonics keep the place of their data in a tag of their own
MAX_ENTRIES, MAX_DIRECTORIES = 4096, 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One field: tag, type, number of values and where its bytes lie in the file."""

    tag: int
    type: int
    count: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """One image file directory. `path` names it: "0" and "1" in the chain, "0/0", "0/exif", "0/gps" below the first."""

    path: str
    entries: Mapping[int, Entry]
    order: str  # "<" or ">"
    fetch: Fetch
    end: int = 0  # the file must reach so far to hold the table and all values

    def raw(self, tag: int) -> bytes | None:
        """The bytes of a field's values; None if it is missing or cut off."""
        entry = self.entries.get(tag)
        if entry is None:
            return None
        size = entry.count * _SIZES[entry.type]
        data = self.fetch(entry.offset, size)
        return data if len(data) == size else None

    def numbers(self, tag: int) -> tuple[float, ...]:
        """A field as numbers (rationals divided, a division by zero left out); empty if missing or not numeric."""
        entry, data = self.entries.get(tag), self.raw(tag)
        if entry is None or data is None:
            return ()
        if entry.type in (RATIONAL, SRATIONAL):
            parts = struct.unpack(f"{self.order}{2 * entry.count}{'I' if entry.type == RATIONAL else 'i'}", data)
            return tuple(a / b for a, b in zip(parts[::2], parts[1::2], strict=True) if b)
        code = _CODES.get(entry.type)
        return () if code is None else struct.unpack(f"{self.order}{entry.count}{code}", data)

    def integers(self, tag: int) -> tuple[int, ...]:
        """A field as whole numbers."""
        return tuple(int(value) for value in self.numbers(tag))

    def number(self, tag: int) -> float | None:
        """The first number of a field."""
        return next(iter(self.numbers(tag)), None)

    def text(self, tag: int) -> str | None:
        """A field as text without padding; None if missing or empty."""
        data = self.raw(tag)
        if data is None:
            return None
        return data.split(b"\0", 1)[0].decode("utf-8", "replace").strip() or None

    def blocks(self) -> list[tuple[int, int]]:
        """(offset, size) of the strips or tiles of this directory's picture, in the order of the fields."""
        elsewhere = int(self.number(_PANASONIC_DATA) or 0)
        for offsets, counts in ((STRIP_OFFSETS, STRIP_COUNTS), (TILE_OFFSETS, TILE_COUNTS)):
            found = zip(self.integers(offsets), self.integers(counts), strict=False)
            blocks = [(elsewhere if at == _UNSAID else at, size) for at, size in found if size != _UNSAID]
            if blocks:
                return blocks
        return []


def directories(fetch: Fetch) -> list[Directory]:
    """All directories of a TIFF structure that starts at 0: the chain, and the SubIFDs, EXIF and GPS below."""
    return list(_walk(fetch))


def orientation(directories: Sequence[Directory]) -> int:
    """EXIF Orientation of the main picture, 1 where it is missing or makes no sense."""
    value = int(directories[0].number(ORIENTATION) or 1) if directories else 1
    return value if 1 <= value <= 8 else 1


def _walk(fetch: Fetch) -> Iterator[Directory]:
    head = fetch(0, 16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8 or struct.unpack_from(order + "H", head, 2)[0] not in _MAGICS:
        return
    big = struct.unpack_from(order + "H", head, 2)[0] == 43
    if big and len(head) < 16:
        return
    first = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)[0]
    todo: list[tuple[str, int]] = [("0", first)]
    seen: set[int] = set()
    chain = 0
    while todo and len(seen) < MAX_DIRECTORIES:
        path, offset = todo.pop(0)
        if not offset or offset in seen:
            continue
        seen.add(offset)
        directory, following = _read(path, offset, order=order, big=big, fetch=fetch)
        if directory is None:
            continue
        yield directory
        todo += [(f"{path}/{i}", at) for i, at in enumerate(directory.integers(SUB_IFDS))]
        todo += [
            (f"{path}/{name}", at)
            for tag, name in ((EXIF_IFD, "exif"), (GPS_IFD, "gps"), (INTEROP_IFD, "interop"))
            for at in directory.integers(tag)[:1]
        ]
        if "/" not in path:
            chain += 1
            todo.append((str(chain), following))


def _read(path: str, offset: int, *, order: str, big: bool, fetch: Fetch) -> tuple[Directory | None, int]:
    counted, size, word = ("Q", 20, "Q") if big else ("H", 12, "I")
    width = struct.calcsize(order + counted)
    head = fetch(offset, width)
    if len(head) < width:
        return None, 0
    count = min(struct.unpack(order + counted, head)[0], MAX_ENTRIES)
    table = fetch(offset + width, count * size + struct.calcsize(order + word))
    entries = {}
    inline = 8 if big else 4
    for index in range(min(count, len(table) // size)):
        at = index * size
        tag, kind = struct.unpack_from(order + "HH", table, at)
        number = struct.unpack_from(order + word, table, at + 4)[0]
        if kind not in _SIZES:
            continue
        where = offset + width + at + size - inline
        if number * _SIZES[kind] > inline:
            where = struct.unpack_from(order + word, table, at + size - inline)[0]
        entries[tag] = Entry(tag=tag, type=kind, count=number, offset=where)
    if not entries:
        return None, 0
    after = table[count * size :]
    following = struct.unpack(order + word, after)[0] if len(after) == struct.calcsize(order + word) else 0
    ends = [entry.offset + entry.count * _SIZES[entry.type] for entry in entries.values()]
    end = max(*ends, offset + width + count * size + struct.calcsize(order + word))
    return Directory(path=path, entries=entries, order=order, fetch=fetch, end=end), following


def from_bytes(data: bytes | memoryview) -> Fetch:
    """A Fetch over bytes in memory."""
    return lambda offset, size: bytes(data[offset : offset + size])


# ---------------------------------------------------------------- writing


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field to be written: its values as bytes in the structure's byte order."""

    tag: int
    type: int
    count: int
    data: bytes


def field(tag: int, type_: int, *values: int | tuple[int, int], order: str = "<") -> Field:
    """A field of whole numbers, or of rationals as pairs."""
    if type_ in (RATIONAL, SRATIONAL):
        parts = [part for value in values if isinstance(value, tuple) for part in value]
        data = struct.pack(f"{order}{len(parts)}{'I' if type_ == RATIONAL else 'i'}", *parts)
    else:
        data = struct.pack(f"{order}{len(values)}{_CODES[type_]}", *values)
    return Field(tag=tag, type=type_, count=len(values), data=data)


def blob(tag: int, type_: int, data: bytes) -> Field:
    """A field of bytes or text."""
    return Field(tag=tag, type=type_, count=len(data), data=data)


def copied(directory: Directory, *, without: frozenset[int] = frozenset()) -> list[Field]:
    """A directory's fields as they are, but for pointers to other directories and the tags in `without`."""
    skip = without | {SUB_IFDS, EXIF_IFD, GPS_IFD, INTEROP_IFD}
    return [
        Field(tag=tag, type=entry.type, count=entry.count, data=data)
        for tag, entry in sorted(directory.entries.items())
        if tag not in skip and (data := directory.raw(tag)) is not None
    ]


def build(order: str, main: Sequence[Field], *, below: Mapping[int, Sequence[Field]]) -> bytes:
    """A TIFF structure of one directory and those that it points to by tag (EXIF_IFD, GPS_IFD)."""
    children = {tag: list(fields) for tag, fields in below.items() if fields}
    at = 8 + _table_size(len(main) + len(children))
    pointers = []
    for tag, fields in children.items():
        pointers.append(field(tag, LONG, at, order=order))
        at += _table_size(len(fields))
    tables, values = b"", b""
    for fields in ([*main, *pointers], *children.values()):
        table = struct.pack(order + "H", len(fields))
        for item in sorted(fields, key=lambda item: item.tag):
            inline = item.data.ljust(4, b"\0")
            if len(item.data) > 4:
                inline = struct.pack(order + "I", at + len(values))
                values += item.data + bytes(len(item.data) % 2)
            table += struct.pack(order + "HHI", item.tag, item.type, item.count) + inline
        tables += table + bytes(4)
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    return head + tables + values


def _table_size(count: int) -> int:
    return 2 + 12 * count + 4
