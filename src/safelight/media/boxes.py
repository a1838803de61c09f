"""The boxes of HEIC, AVIF, CR3 and JPEG XL files: where pictures, metadata and profiles lie (ISO/IEC 14496-12,
23008-12, 18181-2).

Reading is bounded and forgiving: a damaged box ends its list, nothing is followed twice.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from safelight.media.ifd import Fetch

MOST_META = 16 << 20  # bytes; a table of contents is no longer than that
MOST_ITEMS = 4096  # a picture of 100 megapixels has some 400 tiles
_PICTURES = frozenset({b"hvc1", b"av01", b"grid", b"iovl", b"iden", b"jpeg", b"j2k1", b"unci"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box: its name and where its contents lie, [start, end); the end may lie beyond the file's."""

    name: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """What a HEIF file's table of contents says of its primary picture; `width` and `height` are upright.

    `parts` are (offset, size) of the coded picture, `need` is the length that the file must have, `nclx` the code
    points (primaries, transfer, matrix) of ITU-T H.273. Metadata are None where they are missing.
    """

    width: int = 0
    height: int = 0
    exif: bytes | None = None
    xmp: bytes | None = None
    icc: bytes | None = None
    nclx: tuple[int, int, int] | None = None
    parts: tuple[tuple[int, int], ...] = ()
    need: int = 0
    codec: str = ""  # "hvc1", "av01", …
    frames: int = 1
    gain_map: bool = False


def walk(fetch: Fetch, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes from `start` on, to `end` or to the end of the file."""
    at = start
    while end is None or at + 8 <= end:
        head = fetch(at, 16)
        if len(head) < 8:
            return
        size, name = struct.unpack_from(">I4s", head)
        skip = 8
        if size == 1 and len(head) == 16:
            size, skip = struct.unpack_from(">Q", head, 8)[0], 16
        elif size == 0:  # to the end of what holds it
            size = (end or 1 << 62) - at
        if size < skip:
            return
        yield Box(name=name, start=at + skip, end=at + size)
        at += size


def still(fetch: Fetch) -> Still | None:
    """The primary picture of a HEIC or AVIF file; None where the file has no table of contents that can be read."""
    need, meta, frames = 0, None, 1
    for box in walk(fetch):
        if box.end < 1 << 61:
            need = max(need, box.end)
        if box.name == b"meta" and meta is None and box.end - box.start <= MOST_META:
            meta = fetch(box.start, box.end - box.start)
        elif box.name == b"moov":
            frames = 2
    if meta is None:
        return None
    try:
        return _Contents(meta, fetch).still(need, frames)
    except (struct.error, LookupError, ValueError, OverflowError):
        return None


class _Contents:
    """The table of contents: items, where they lie, what they are like, how they hang together."""

    def __init__(self, meta: bytes, fetch: Fetch) -> None:
        self.meta, self.file = meta, fetch
        self.boxes = {box.name: box for box in self._within(4, len(meta))}
        self.idat = self.boxes.get(b"idat")
        self.types = dict(self._items())
        self.places = dict(self._locations())

    def still(self, need: int, frames: int) -> Still:
        primary = self._primary()
        like = self._properties(primary)
        tiles = self._refers(primary, b"dimg")
        coded = [place for item in (primary, *tiles) for place in self.places.get(item, [])]
        # A table that names bytes beyond the file's end means that they are missing.
        pictures = [item for item, kind in self.types.items() if kind[0] in _PICTURES]
        ends = [at + size for item in pictures for at, size in self.places.get(item, [])]
        width, height = self._size(like)
        beside = self._properties(tiles[0]) if tiles else []  # telephones say the profile of their tiles alone
        colours = [data for name, data in like + beside if name == b"colr"]
        about = self._refers_to(primary, b"cdsc")
        exif = next((self._read(i) for i in about if self.types[i][0] == b"Exif"), None)
        xmp = next((self._read(i) for i in about if self.types[i] == (b"mime", b"application/rdf+xml")), None)
        return Still(
            width=width, height=height, exif=tiff_of(exif), xmp=xmp,
            icc=next((data[4:] for data in colours if data[:4] in (b"prof", b"rICC")), None),
            nclx=next((struct.unpack_from(">HHH", data, 4) for data in colours if data[:4] == b"nclx"), None),
            codec=self.types[tiles[0] if tiles else primary][0].decode("latin-1"),
            parts=tuple(coded), need=max([need,
            *ends]), frames=frames, gain_map=any(kind == (b"tmap", b"") for kind in self.types.values()),
        )  # fmt: skip

    def _within(self, start: int, end: int) -> Iterator[Box]:
        return walk(lambda at, size: self.meta[at : at + size], start, end)

    def _primary(self) -> int:
        box = self.boxes[b"pitm"]
        return int(struct.unpack_from(">H" if self.meta[box.start] == 0 else ">I", self.meta, box.start + 4)[0])

    def _items(self) -> Iterator[tuple[int, tuple[bytes, bytes]]]:
        """(item, (type, content type)) of every entry of `iinf`."""
        box = self.boxes[b"iinf"]
        skip = 6 if self.meta[box.start] == 0 else 8
        for number, entry in enumerate(self._within(box.start + skip, box.end)):
            if number >= MOST_ITEMS:
                return
            version = self.meta[entry.start]
            if entry.name != b"infe" or version < 2:
                continue
            wide = version > 2
            item = struct.unpack_from(">I" if wide else ">H", self.meta, entry.start + 4)[0]
            at = entry.start + (10 if wide else 8)
            texts = self.meta[at + 4 : entry.end].split(b"\0")
            yield item, (self.meta[at : at + 4], texts[1] if len(texts) > 2 else b"")

    def _locations(self) -> Iterator[tuple[int, list[tuple[int, int]]]]:
        """(item, [(offset, size)]) of items that lie in the file; those in `idat` have offsets below 0."""
        box = self.boxes[b"iloc"]
        version, at = self.meta[box.start], box.start + 4
        sizes = struct.unpack_from(">BB", self.meta, at)
        offset, length, base, index = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4, sizes[1] & 15
        at += 2
        count = self._number(at, 2 if version < 2 else 4)
        at += 2 if version < 2 else 4
        for _ in range(min(count, MOST_ITEMS)):
            item = self._number(at, 2 if version < 2 else 4)
            at += 2 if version < 2 else 4
            method = 0
            if version:
                method = self._number(at, 2) & 15
                at += 2
            at += 2
            start = self._number(at, base)
            at += base
            extents = self._number(at, 2)
            at += 2
            places = []
            for _ in range(min(extents, MOST_ITEMS)):
                at += index if version else 0
                place = start + self._number(at, offset)
                places.append((place, self._number(at + offset, length)))
                at += offset + length
            if method == 0:
                yield item, places

    def _number(self, at: int, size: int) -> int:
        if at + size > len(self.meta):
            raise ValueError("the table is cut off")
        return int.from_bytes(self.meta[at : at + size], "big")

    def _properties(self, item: int) -> list[tuple[bytes, bytes]]:
        """(name, contents) of what is said of an item, in order."""
        box = self.boxes[b"iprp"]
        inside = {b.name: b for b in self._within(box.start, box.end)}
        held = [(b.name, self.meta[b.start : b.end]) for b in self._within(inside[b"ipco"].start, inside[b"ipco"].end)]
        table = inside[b"ipma"]
        version, flags = self.meta[table.start], self.meta[table.start + 3]
        at = table.start + 8
        for _ in range(min(self._number(table.start + 4, 4), MOST_ITEMS)):
            wide = 2 if version < 1 else 4
            named = self._number(at, wide)
            count = self._number(at + wide, 1)
            at += wide + 1
            step = 2 if flags & 1 else 1
            if named == item:
                numbers = [self._number(at + i * step, step) & (0x7FFF if step == 2 else 0x7F) for i in range(count)]
                return [held[n - 1] for n in numbers if 0 < n <= len(held)]
            at += count * step
        return []

    def _size(self, like: list[tuple[bytes, bytes]]) -> tuple[int, int]:
        """Width and height of the upright picture: as coded, cut to the clean aperture, turned."""
        width = height = 0
        for name, data in like:
            if name == b"ispe":
                width, height = struct.unpack_from(">II", data, 4)
            elif name == b"clap":
                w, by_w, h, by_h = struct.unpack_from(">IIII", data)
                width, height = w // max(by_w, 1), h // max(by_h, 1)
            elif name == b"irot" and data[0] & 1:
                width, height = height, width
        return width, height

    def _references(self) -> Iterator[tuple[bytes, int, list[int]]]:
        box = self.boxes.get(b"iref")
        if box is None:
            return
        wide = 2 if self.meta[box.start] == 0 else 4
        for entry in self._within(box.start + 4, box.end):
            count = self._number(entry.start + wide, 2)
            first = entry.start + wide + 2
            to = [self._number(first + i * wide, wide) for i in range(min(count, MOST_ITEMS))]
            yield entry.name, self._number(entry.start, wide), to

    def _refers(self, item: int, kind: bytes) -> list[int]:
        return [to for name, origin, many in self._references() if name == kind and origin == item for to in many]

    def _refers_to(self, item: int, kind: bytes) -> list[int]:
        found = [origin for name, origin, many in self._references() if name == kind and item in many]
        return [i for i in found if i in self.types]

    def _read(self, item: int) -> bytes:
        places = self.places.get(item, [])
        if sum(size for _, size in places) > MOST_META:
            return b""
        return b"".join(self.file(at, size) for at, size in places)


def tiff_of(exif: bytes | None) -> bytes | None:
    """The TIFF structure of an Exif item, which says first how far in it starts (ISO/IEC 23008-12, A.2.1)."""
    if exif is None or len(exif) < 12:
        return None
    at = 4 + struct.unpack_from(">I", exif)[0]
    return exif[at:] if exif[at : at + 2] in (b"II", b"MM") else None
