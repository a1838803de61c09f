"""The XMP packet of a film or a sound: in MP4 a `uuid` box, in QuickTime `moov/udta/XMP_`, in WAV a `_PMX` chunk (XMP
specification part 3); beside it where the container has no place for one.

Nothing that is played moves: a packet is put behind everything that has an offset.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from safelight.media import boxes, riff
from safelight.media.boxes import Box
from safelight.media.ifd import Fetch

PACKET = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
IN_MOV, IN_WAV = b"XMP_", b"_PMX"
MOST = 64 << 20  # bytes; a longer packet is damage
LARGEST = (1 << 32) - 1  # what RIFF and small boxes count to


def read(path: Path) -> bytes | None:
    """The packet inside a file; None where there is none. OSError passes through."""
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] == b"RIFF":
            found = next((c for c in riff.chunks(_fetch(file)) if c.name == IN_WAV), None)
            return None if found is None else _bytes(file, found.start, min(found.end - found.start, MOST))
        if head[4:8] not in (b"ftyp", b"moov", b"wide", b"mdat", b"free", b"skip"):
            return None
        for box in boxes.walk(_fetch(file)):
            if box.name == b"uuid" and _bytes(file, box.start, 16) == PACKET:
                return _bytes(file, box.start + 16, min(box.end - box.start - 16, MOST))
            if box.name == b"moov":
                for inner in _within(file, box, b"udta"):
                    for found in _within(file, inner, IN_MOV):
                        return _bytes(file, found.start, min(found.end - found.start, MOST))
    return None


def put(path: Path, packet: bytes) -> bool:
    """Puts a packet into a file that is being made and has none; False, and nothing is changed, where its container
    has no place for one. OSError passes through."""
    ending = path.suffix.lower()
    with path.open("r+b") as file:
        if ending in (".mp4", ".m4a"):
            done = _append_box(file, packet)
        elif ending == ".mov":
            done = _into_moov(file, packet)
        else:
            done = ending == ".wav" and _append_chunk(file, packet)
        if done:
            file.flush()
            os.fsync(file.fileno())
    return done


def _append_box(file: BinaryIO, packet: bytes) -> bool:
    top = list(boxes.walk(_fetch(file)))
    if not top or top[-1].end != _size(file):
        return False
    file.seek(0, os.SEEK_END)
    file.write(_box(b"uuid", PACKET + packet))
    return True


def _into_moov(file: BinaryIO, packet: bytes) -> bool:
    """QuickTime keeps it among its user data. Only where these come last can they grow without moving a frame."""
    top = list(boxes.walk(_fetch(file)))
    if not top or top[-1].name != b"moov" or top[-1].end != _size(file):
        return False
    moov = top[-1]
    if _length(file, moov) != moov.end - moov.start + 8:  # a long header; no such film is made here
        return False
    user = next(_within(file, moov, b"udta"), None)
    new = _box(IN_MOV, packet)
    if user is None:
        at, new = moov.end, _box(b"udta", new)
    else:
        inside = list(boxes.walk(_fetch(file), user.start, user.end))
        at = inside[-1].end if inside else user.start  # before the four zeros that may end them
    file.seek(at)
    rest = file.read()
    file.seek(at)
    file.write(new + rest)
    for grown in (moov, user):
        if grown is not None:
            length = _length(file, grown) + len(new)
            file.seek(grown.start - 8)
            file.write(struct.pack(">I", length))
    return True


def _append_chunk(file: BinaryIO, packet: bytes) -> bool:
    size = _size(file)
    head = _bytes(file, 0, 8)
    if head[:4] != b"RIFF" or struct.unpack("<I", head[4:])[0] + 8 != size or size % 2:
        return False
    chunk = struct.pack("<4sI", IN_WAV, len(packet)) + packet + b"\0" * (len(packet) % 2)
    if size + len(chunk) - 8 > LARGEST:
        return False
    file.seek(0, os.SEEK_END)
    file.write(chunk)
    file.seek(4)
    file.write(struct.pack("<I", size + len(chunk) - 8))
    return True


# ---------------------------------------------------------------- boxes


def _fetch(file: BinaryIO) -> Fetch:
    return lambda offset, count: _bytes(file, offset, count)


def _bytes(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(max(count, 0))


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def _length(file: BinaryIO, box: Box) -> int:
    return int(struct.unpack(">I", _bytes(file, box.start - 8, 4))[0])


def _within(file: BinaryIO, holder: Box, name: bytes) -> Iterator[Box]:
    return (box for box in boxes.walk(_fetch(file), holder.start, holder.end) if box.name == name)


def _box(name: bytes, contents: bytes) -> bytes:
    return struct.pack(">I4s", len(contents) + 8, name) + contents
