"""The chunks of a WebP file (RFC 9649): size, metadata, how many frames, and where it must end."""

import struct
from dataclasses import dataclass

from safelight.media import riff
from safelight.media.ifd import Fetch

_MOST = 16 << 20  # bytes of one metadata chunk that are read
_PICTURE = frozenset({b"VP8 ", b"VP8L", b"ALPH", b"ANMF", b"ANIM"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the chunks say; `parts` are (offset, size) of those that hold the picture, `need` the file's length."""

    width: int = 0
    height: int = 0
    exif: bytes | None = None
    xmp: bytes | None = None
    icc: bytes | None = None
    frames: int = 1
    need: int = 0
    parts: tuple[tuple[int, int], ...] = ()


def facts(fetch: Fetch) -> Facts:
    """Reads the headers of all chunks, and the contents of those with metadata."""
    head = fetch(0, 12)
    end = 8 + struct.unpack_from("<I", head, 4)[0] if len(head) == 12 else 0
    need, size = max(end, riff.FIRST), (0, 0)
    held: dict[bytes, bytes] = {}
    parts = []
    frames = 0
    for chunk in riff.chunks(fetch, end):
        name, at, length = chunk.name, chunk.start, chunk.end - chunk.start
        if name == b"VP8X":
            body = fetch(at, 10)
            size = (_three(body, 4) + 1, _three(body, 7) + 1) if len(body) == 10 else size
        elif name in (b"VP8 ", b"VP8L") and size == (0, 0):
            size = _coded(name, fetch(at, 10))
        elif name in (b"EXIF", b"XMP ", b"ICCP"):
            held.setdefault(name, fetch(at, min(length, _MOST)))
        frames += name == b"ANMF"
        if name in _PICTURE:
            parts.append((at - 8, 8 + length))
        need = max(need, chunk.end + length % 2)
    exif = held.get(b"EXIF")
    return Facts(
        width=size[0], height=size[1], exif=exif.removeprefix(b"Exif\0\0") if exif else None, xmp=held.get(b"XMP "),
        icc=held.get(b"ICCP"), frames=max(frames, 1), need=need, parts=tuple(parts),
    )  # fmt: skip


def _three(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 3], "little")


def _coded(name: bytes, data: bytes) -> tuple[int, int]:
    """Width and height as the bitstream says them."""
    if name == b"VP8 " and data[3:6] == b"\x9d\x01\x2a" and len(data) == 10:
        width, height = struct.unpack_from("<HH", data, 6)
        return width & 0x3FFF, height & 0x3FFF
    if name == b"VP8L" and data[:1] == b"\x2f":
        bits = int.from_bytes(data[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return 0, 0
