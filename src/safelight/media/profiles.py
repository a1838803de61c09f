"""ICC profiles: what an embedded one means, and the ones that files are delivered with.

Conversions are littlecms's (through Pillow at 8 bits, through libvips at 16), relative colorimetric with black point
compensation.
"""

import io
import struct
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

from safelight.media.colour import D50_XYZ, D65_XYZ, REC709, adaptation, decode, to_xyz
from safelight.media.frame import Bytes, Matrix

ADOBE_PRIMARIES = ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060))  # Adobe RGB (1998)
ADOBE_GAMMA = 563 / 256
_SAME = 1  # levels of 255 by which a profile may differ from sRGB and still be called sRGB


@lru_cache(maxsize=16)
def is_srgb(icc: bytes) -> bool:
    """Whether a profile's colours are sRGB's within one level; true for one that cannot be read."""
    grid = np.stack(np.meshgrid(*[np.arange(0, 256, 15)] * 3, indexing="ij"), -1).astype(np.uint8).reshape(18, -1, 3)
    try:
        converted = to_srgb8(grid, icc)
    except ImageCms.PyCMSError:
        return True
    return int(np.abs(converted.astype(int) - grid).max()) <= _SAME


def to_srgb8(rgb: Bytes, icc: bytes) -> Bytes:
    """RGB bytes of a profile as sRGB bytes. Raises ImageCms.PyCMSError where the profile is none for RGB."""
    image = Image.fromarray(rgb)
    ImageCms.applyTransform(image, _transform(icc), inPlace=True)
    return np.asarray(image)


@lru_cache(maxsize=8)
def _transform(icc: bytes) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(icc)),
        ImageCms.createProfile("sRGB"),
        "RGB",
        "RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


@lru_cache(maxsize=1)
def srgb() -> bytes:
    """An sRGB profile, ICC 2.1 so that old printers' software reads it; the same bytes on every machine."""
    steps = np.rint(decode(np.linspace(0, 1, 1024)) * 65535).astype(">u2")
    curve = struct.pack(">4s4xI", b"curv", len(steps)) + steps.tobytes()
    return _profile("sRGB", to_xyz(REC709), curve)


@lru_cache(maxsize=1)
def adobe_rgb() -> bytes:
    """An Adobe RGB (1998) compatible profile, for camera files that say so only by their DCF name or EXIF."""
    curve = struct.pack(">4s4xIH2x", b"curv", 1, round(ADOBE_GAMMA * 256))
    return _profile("Compatible with Adobe RGB (1998)", to_xyz(ADOBE_PRIMARIES), curve)


def _profile(name: str, to_xyz_d65: Matrix, curve: bytes) -> bytes:
    """An ICC 2.1 display profile of matrix and curve (ICC.1:2001-04); whites are D65, adapted to D50 by Bradford."""
    columns = (adaptation(D65_XYZ, D50_XYZ) @ to_xyz_d65).T
    text = name.encode("ascii") + b"\0"
    description = struct.pack(">4s4xI", b"desc", len(text)) + text + bytes(4 + 4 + 2 + 1 + 67)
    tags = {
        b"desc": description,
        b"cprt": b"text\0\0\0\0No copyright, use freely\0",
        b"wtpt": _xyz(D50_XYZ),
        **{key: _xyz(tuple(column)) for key, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    at, table, body, placed = 128 + 4 + 12 * len(tags), b"", b"", dict[bytes, int]()
    for key, data in tags.items():
        if data not in placed:
            placed[data] = at + len(body)
            body += data + bytes(-len(data) % 4)
        table += struct.pack(">4sII", key, placed[data], len(data))
    head = struct.pack(
        ">I4xI4s4s4s6H4s4x4x4x8xI12x", at + len(body), 0x02100000, b"mntr", b"RGB ", b"XYZ ",
        2026, 1, 1, 0, 0, 0, b"acsp", 0,
    ) + bytes(0)  # fmt: skip
    head = head[:68] + _xyz(D50_XYZ)[8:] + bytes(128 - 80)
    return head + struct.pack(">I", len(tags)) + table + body


def _xyz(value: tuple[float, ...]) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *(round(v * 65536) for v in value))
