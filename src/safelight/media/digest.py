"""The two names of a file: the sha256 of its bytes, and that of its picture data alone.

The second stays when another program writes a rating, a keyword or a profile into the file, so that its record is
found again. It covers what decodes to pixels: a JPEG's tables and scans without APPn and COM, the strips or tiles of
the largest image of a TIFF, DNG or other raw, a PNG's header, palette and IDAT, the media data of a CR3, the coded
picture of a HEIC or AVIF, the codestream of a JPEG XL, the frames of a WebP, the composite of a Photoshop file.
"""

import hashlib
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from safelight.media import boxes, ifd, jxl, psd, segments, webp
from safelight.media.formats import HEAD, RAW_FORMATS, sniff, unreadable

CHUNK = 1 << 20
_WALKED = frozenset({"jpeg", "png", "tiff", "webp", "heic", "avif", "jxl", "psd"})
_PNG_PICTURE = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT"})


def digests(path: Path) -> tuple[str, str | None, int]:
    """(sha256 of the bytes, sha256 of the picture data or None where it cannot be told, size), in one read.

    A file that is no picture, or whose picture data are cut off, has no second digest. Raises Unreadable.
    """
    try:
        with path.open("rb") as file:
            data = file.read(HEAD)
            format_ = sniff(data, path.suffix)
            if format_ not in RAW_FORMATS | _WALKED:
                return _streamed(data, iter(lambda: file.read(CHUNK), b""))
            file.seek(0)
            data = file.read()  # anew: appending to the head would copy all of it once more
    except OSError as error:
        raise unreadable(path, error) from error
    view = memoryview(data)
    parts = list(_parts(data, str(format_)))
    whole = bool(parts) and all(start + size <= len(data) for start, size in parts)
    content = hashlib.sha256()
    for start, size in parts if whole else ():
        content.update(view[start : start + size])
    return hashlib.sha256(data).hexdigest(), content.hexdigest() if whole else None, len(data)


def quick(path: Path) -> str:
    """A digest of size, beginning, middle and end: soon there, however large the file is, and no identity. Files that
    differ only elsewhere share it. Raises Unreadable."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            found = hashlib.sha256(size.to_bytes(8, "big"))
            for start in sorted({0, max(size // 2 - CHUNK // 2, 0), max(size - CHUNK, 0)}):
                file.seek(start)
                found.update(file.read(CHUNK))
    except OSError as error:
        raise unreadable(path, error) from error
    return found.hexdigest()


def _streamed(head: bytes, chunks: Iterator[bytes]) -> tuple[str, None, int]:
    digest, size = hashlib.sha256(head), len(head)
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), None, size


def _parts(data: bytes, format_: str) -> Iterator[tuple[int, int]]:
    """(start, size) of the stretches that hold the picture."""
    if format_ in _READERS:
        yield from _READERS[format_](data)
        return
    blocks = [directory.blocks() for directory in ifd.directories(ifd.from_bytes(data))]
    yield from max(blocks, key=lambda places: sum(size for _, size in places), default=[])


def _raf(data: bytes) -> Iterator[tuple[int, int]]:
    if len(data) >= 108:
        yield struct.unpack_from(">II", data, 100)


def _heif(data: bytes) -> Iterator[tuple[int, int]]:
    still = boxes.still(ifd.from_bytes(data))
    yield from still.parts if still is not None else ()


def _psd(data: bytes) -> Iterator[tuple[int, int]]:
    layered = psd.facts(ifd.from_bytes(data))
    if layered is not None:
        yield 0, 26
        start = layered.data if layered.merged else layered.layers  # an empty composite says nothing
        yield start, len(data) - start


def _jpeg(data: bytes) -> Iterator[tuple[int, int]]:
    found = list(segments.walk(data))
    if found and found[-1].marker == segments.EOI:
        for segment in found:
            if not (segments.APP0 <= segment.marker <= segments.APP15 or segment.marker == segments.COM):
                yield segment.start, segment.end - segment.start


def _png(data: bytes) -> Iterator[tuple[int, int]]:
    at, name = 8, b""
    while at + 8 <= len(data) and name != b"IEND":
        length, name = struct.unpack_from(">I4s", data, at)
        if name in _PNG_PICTURE:
            yield at + 4, length + 4
        at += length + 12
    if name != b"IEND":
        yield at, 1  # beyond the end: the file is cut off


def _media_data(data: bytes) -> Iterator[tuple[int, int]]:
    at = 0
    while at + 16 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            size, head = struct.unpack_from(">Q", data, at + 8)[0], 16
        if size < head:
            return
        if name == b"mdat":
            yield at + head, size - head
        at += size


_READERS: dict[str, Callable[[bytes], Iterable[tuple[int, int]]]] = {
    "jpeg": _jpeg, "png": _png, "cr3": _media_data, "raf": _raf, "heic": _heif, "avif": _heif, "psd": _psd,
    "jxl": lambda data: jxl.parts(ifd.from_bytes(data)), "webp": lambda data: webp.facts(ifd.from_bytes(data)).parts,
}  # fmt: skip
