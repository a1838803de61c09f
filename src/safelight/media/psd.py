"""Photoshop files: the composite that lies beside the layers, for programs that do not render them (Adobe Photoshop
File Formats Specification, 2019); where it was left out, the layers.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from safelight import limits
from safelight.errors import Unsupported
from safelight.media import ifd, psd_layers
from safelight.media.decoded import Decoded, from_planes
from safelight.media.formats import damaged, truncated
from safelight.media.ifd import Fetch

RGB, GREY, CMYK, LAB, DUOTONE, INDEXED, BITMAP, MULTI = 3, 1, 4, 9, 8, 2, 0, 7
MODES = {BITMAP: "bitmap", GREY: "grey", INDEXED: "indexed", RGB: "RGB", CMYK: "CMYK", MULTI: "multichannel",
         DUOTONE: "duotone", LAB: "Lab"}  # fmt: skip
COLOURS = {GREY: 1, RGB: 3, CMYK: 4, LAB: 3, DUOTONE: 1}  # modes whose composite is read, and their channels
_ICC, _VERSION, _EXIF, _XMP = 1039, 1057, 1058, 1060
_MOST = 64 << 20  # bytes of resources that are read


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What header and resources say. `merged` is False where the file was saved without a composite."""

    width: int
    height: int
    channels: int
    depth: int
    mode: int
    large: bool
    merged: bool
    icc: bytes | None
    exif: bytes | None
    xmp: bytes | None
    layers: int  # where the layers start
    data: int  # where the composite starts


def facts(fetch: Fetch) -> Facts | None:
    """Header and resources of a PSD or PSB; None where they are cut off or no such thing."""
    head = fetch(0, 26)
    if len(head) < 26 or head[:4] != b"8BPS":
        return None
    version, channels, height, width, depth, mode = struct.unpack_from(">H6xHIIHH", head, 4)
    at = 26
    sections = []
    for wide in (4, 4, 8 if version == 2 else 4):
        size = fetch(at, wide)
        if len(size) < wide:
            return None
        sections.append((at + wide, int.from_bytes(size, "big")))
        at += wide + sections[-1][1]
    found = dict(_resources(fetch(sections[1][0], min(sections[1][1], _MOST))))
    said = found.get(_VERSION, b"")
    return Facts(
        width=width, height=height, channels=channels, depth=depth, mode=mode, large=version == 2,
        merged=len(said) < 5 or said[4] == 1, icc=found.get(_ICC), exif=found.get(_EXIF), xmp=found.get(_XMP),
        layers=sections[2][0], data=at,
    )  # fmt: skip


def decode(data: bytes, path: Path) -> Decoded:
    """The composite. Raises Truncated, TooLarge, Unsupported, and Unreadable for a packing that does not exist."""
    said = facts(ifd.from_bytes(data))
    if said is None:
        raise truncated(path, have=len(data))
    limits.check_size(path.name, said.width, said.height)
    if said.mode not in COLOURS or said.depth not in (8, 16, 32):
        raise Unsupported(
            f"{path.name} is in {MODES.get(said.mode, 'unknown')} mode with {said.depth} bits a channel.",
            remedy="Convert it to RGB with 8 or 16 bits, or export it as TIFF.",
        )
    if not said.merged:
        return _of_layers(data, path, said)
    try:
        planes = composite(data, said)
    except ValueError as error:
        raise damaged(path, str(error)) from error
    if planes is None or len(planes) < COLOURS[said.mode]:
        raise truncated(path, have=len(data))
    stored = np.moveaxis(planes[: COLOURS[said.mode] + 1], 0, -1)
    turn = _turn(said)
    if said.mode == LAB:
        return from_planes(_lab(stored), said.icc, model="lab", orientation=turn)
    if said.mode == CMYK:
        most = np.iinfo(stored.dtype).max
        stored = np.concatenate((most - stored[..., :4], stored[..., 4:]), axis=2)
        return from_planes(stored, said.icc, model="cmyk", orientation=turn)
    return from_planes(stored, said.icc, model="rgb" if said.mode == RGB else "grey", orientation=turn)


def _of_layers(data: bytes, path: Path, said: Facts) -> Decoded:
    """What the layers show of a file without a composite."""
    if said.mode not in (RGB, GREY):
        raise _not_drawn(path, f"{MODES[said.mode]} layers")
    if said.data > len(data):
        raise truncated(path, have=len(data), need=said.data)
    try:
        lacking = psd_layers.strange(data) if said.data > said.layers + 4 else ["no layer"]
        planes = None if lacking else psd_layers.drawn(data)
    except (OSError, ValueError, KeyError, AssertionError, IndexError, struct.error) as error:
        raise damaged(path, f"{type(error).__name__} in the layers") from error
    if planes is None:
        raise _not_drawn(path, ", ".join(lacking[:3]))
    return from_planes(planes, said.icc, model="rgb" if said.mode == RGB else "grey", orientation=_turn(said))


def _not_drawn(path: Path, what: str) -> Unsupported:
    return Unsupported(
        f"{path.name} was saved without a picture of all its layers, and {what} cannot be drawn here.",
        remedy="Save it in Photoshop with Maximise compatibility, or export it as TIFF.",
    )


def _turn(said: Facts) -> int:
    return ifd.orientation(ifd.directories(ifd.from_bytes(said.exif)) if said.exif else [])


def _lab(stored: NDArray[Any]) -> NDArray[Any]:
    """CIE L*a*b* of stored words or bytes; what is more than three channels goes through as alpha."""
    most = 255 if stored.dtype == np.uint8 else 65535
    share = stored.astype(np.float32) / np.float32(most)
    share[..., :1] *= 100
    share[..., 1:3] = share[..., 1:3] * 255 - 128
    return share


def composite(data: bytes, said: Facts) -> NDArray[Any] | None:
    """The composite as stored, channels x H x W of uint8, uint16 or float32; None where it is cut off.

    CMYK is stored inverted. Raises ValueError for a packing that does not exist.
    """
    wide = said.depth // 8
    row, rows = said.width * wide, said.height * said.channels
    (packing,) = struct.unpack_from(">H", data, said.data) if said.data + 2 <= len(data) else (None,)
    at = said.data + 2
    if packing is None:
        return None
    if packing == 0:
        plain = data[at : at + row * rows]
    elif packing == 1:
        plain = _unpacked(data, at, row, rows, large=said.large)
    else:
        raise ValueError(f"packing {packing}")
    if len(plain) < row * rows:
        return None
    kind = {1: ">u1", 2: ">u2", 4: ">f4"}[wide]
    planes = np.frombuffer(plain, kind, said.width * rows).reshape(said.channels, said.height, said.width)
    return planes.astype(planes.dtype.newbyteorder("="))


def _unpacked(data: bytes, at: int, row: int, rows: int, *, large: bool) -> bytes:
    """PackBits rows, whose lengths stand before them all."""
    wide = 4 if large else 2
    lengths = np.frombuffer(data, f">u{wide}", min(rows, max(len(data) - at, 0) // wide), at)
    start = at + wide * rows
    if len(lengths) < rows or start + int(lengths.sum()) > len(data):
        return b""
    # Pillow unpacks one byte a pixel, row by row, which is all that is needed whatever the bytes mean.
    try:
        image = Image.frombytes("L", (row, rows), data[start : start + int(lengths.sum())], "packbits", "L")
    except ValueError:
        return b""
    return image.tobytes()


def _resources(data: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at + 12 <= len(data) and data[at : at + 4] == b"8BIM":
        (number,) = struct.unpack_from(">H", data, at + 4)
        named = data[at + 6] + 1
        at += 6 + named + named % 2
        if at + 4 > len(data):
            break
        (size,) = struct.unpack_from(">I", data, at)
        found.append((number, data[at + 4 : at + 4 + size]))
        at += 4 + size + size % 2
    return found
