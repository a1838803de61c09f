"""TIFF pictures: libvips decodes them; what it does not know is put into a form that it does."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray

from safelight import limits
from safelight.errors import Unsupported
from safelight.media import ifd
from safelight.media.decoded import Decoded, from_planes, with_vips
from safelight.media.formats import truncated

_BITS, _PACKING, _SAMPLES, _PLANAR, _PREDICTOR, _KIND, _ICC = 258, 259, 277, 284, 317, 339, 34675
_MODEL, _RGB, _CIELAB, _ICCLAB = 262, 2, 8, 9  # PhotometricInterpretation, and three of its values
_WHOLE, _FLOAT, _SEPARATE, _FLOAT_PREDICTOR = 1, 3, 2, 3
_OF_A_PLANE = (256, 257, _PACKING, _PREDICTOR, 322, 323)  # fields that a plane has from its picture


def decode(data: bytes, path: Path) -> Decoded:
    """The first picture of a TIFF. Raises Truncated, TooLarge, Unsupported and pyvips.Error."""
    directories = ifd.directories(ifd.from_bytes(data))
    main = directories[:1]
    need = max((offset + size for d in main for offset, size in d.blocks()), default=0)
    need = max(need, *(d.end for d in main)) if need else 0
    if not need or need > len(data):
        raise truncated(path, have=len(data), need=need or None)
    first = main[0]
    limits.check_size(path.name, *(int(first.number(tag) or 0) for tag in (256, 257)))
    turn = ifd.orientation(directories)
    bits, kind = int(first.number(_BITS) or 1), int(first.number(_KIND) or _WHOLE)
    if kind == _FLOAT and bits == 16 and first.number(_PREDICTOR) != _FLOAT_PREDICTOR:
        return _planes(_halves(data, first), first, turn)
    if kind == _FLOAT and bits != 32:
        raise Unsupported(
            f"{path.name} holds floating-point samples of {bits} bits, which are not read here.",
            remedy="Save it with 32 bits a channel in floating point, or with 16 in whole numbers.",
        )
    if first.number(_MODEL) in (_CIELAB, _ICCLAB):
        return from_planes(_lab(data, first), None, model="lab", orientation=turn)
    if first.number(_PLANAR) == _SEPARATE and ifd.TILE_OFFSETS in first.entries and bits in (8, 16):
        return _planes(_separate(data, first), first, turn)
    return with_vips(data, path, orientation=turn)


def _planes(samples: NDArray[Any], first: ifd.Directory, turn: int) -> Decoded:
    model = "grey" if samples.shape[2] < 3 else "rgb"
    return from_planes(samples, first.raw(_ICC), model=model, orientation=turn)


def _halves(data: bytes, first: ifd.Directory) -> NDArray[np.float32]:
    """Floating point of 16 bits: read as whole numbers, and their bits taken for what they are."""
    words = _with(data, first, _KIND, _WHOLE)
    return np.ascontiguousarray(words, np.uint16).view(np.float16).astype(np.float32)


def _lab(data: bytes, first: ifd.Directory) -> NDArray[np.float32]:
    """CIE L*a*b* (TIFF 6.0, section 23, and its ICC form): read as RGB, and the samples taken for what they are."""
    stored = _with(data, first, _MODEL, _RGB)
    if stored.dtype.itemsize > 2 or stored.shape[2] < 3:
        return stored[..., :3].astype(np.float32)
    stored = stored.view(np.uint8 if stored.dtype.itemsize == 1 else np.uint16)
    unit = 1 if stored.dtype == np.uint8 else 256
    if first.number(_MODEL) == _CIELAB:
        signed = stored[..., 1:3].view(np.int8 if unit == 1 else np.int16)
        colour = signed.astype(np.float32) / np.float32(unit)
    else:
        colour = stored[..., 1:3].astype(np.float32) / np.float32(unit) - 128
    lightness = stored[..., :1].astype(np.float32) * np.float32(100 / np.iinfo(stored.dtype).max)
    return np.concatenate((lightness, colour), axis=2)


def _with(data: bytes, first: ifd.Directory, tag: int, value: int) -> NDArray[Any]:
    """The samples, H x W x channels, of the file as it would be with another number in one of its fields."""
    entry = first.entries[tag]
    patched = bytearray(data)
    for index in range(entry.count):
        struct.pack_into(first.order + "H", patched, entry.offset + 2 * index, value)
    samples = pyvips.Image.new_from_buffer(bytes(patched), "", fail_on="error").numpy()
    return np.ascontiguousarray(samples[..., None] if samples.ndim == 2 else samples)


def _separate(data: bytes, first: ifd.Directory) -> NDArray[Any]:
    """Tiles of one channel each: every channel is read as a grey picture of its own."""
    count = int(first.number(_SAMPLES) or 1)
    offsets, sizes = first.integers(ifd.TILE_OFFSETS), first.integers(ifd.TILE_COUNTS)
    tiles = len(offsets) // count
    bits = int(first.number(_BITS) or 8)
    kept = [item for item in ifd.copied(first) if item.tag in _OF_A_PLANE]
    planes = []
    for channel in range(count):
        mine = slice(channel * tiles, (channel + 1) * tiles)

        def fields(shift: int, mine: slice = mine) -> list[ifd.Field]:
            return [
                *kept,
                ifd.field(_BITS, ifd.SHORT, bits, order=first.order),
                ifd.field(_MODEL, ifd.SHORT, 1, order=first.order),
                ifd.field(_SAMPLES, ifd.SHORT, 1, order=first.order),
                ifd.field(ifd.TILE_OFFSETS, ifd.LONG, *[at + shift for at in offsets[mine]], order=first.order),
                ifd.field(ifd.TILE_COUNTS, ifd.LONG, *sizes[mine], order=first.order),
            ]

        shift = len(ifd.build(first.order, fields(0), below={}))
        plane = ifd.build(first.order, fields(shift), below={}) + data
        planes.append(pyvips.Image.new_from_buffer(plane, "", fail_on="error").numpy())
    return np.stack([plane if plane.ndim == 2 else plane[..., 0] for plane in planes], axis=2)
