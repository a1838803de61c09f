"""ICC profiles: what an embedded one means, and the ones that files are delivered with.

Conversions are littlecms's (through Pillow at 8 bits, through libvips at 16), relative colorimetric with black point
compensation.
"""

import io
import struct
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from safelight.media.colour import D50_XYZ, D65_XYZ, REC709, REC2020_FROM_XYZ50, adaptation, decode, encode, to_xyz
from safelight.media.frame import Bytes, Matrix

ADOBE_PRIMARIES = ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060))  # Adobe RGB (1998)
ADOBE_GAMMA = 563 / 256
_SAME = 1  # levels of 255 by which a profile may differ from sRGB and still be called sRGB


@lru_cache(maxsize=16)
def is_srgb(icc: bytes) -> bool:
    """Whether a profile's colours are sRGB's within one level; true for one that cannot be read."""
    if icc[16:20] == b"GRAY":
        return _is_srgb_grey(icc)
    grid = np.stack(np.meshgrid(*[np.arange(0, 256, 15)] * 3, indexing="ij"), -1).astype(np.uint8).reshape(18, -1, 3)
    try:
        converted = to_srgb8(grid, icc)
    except (ImageCms.PyCMSError, OSError):
        return True
    return int(np.abs(converted.astype(int) - grid).max()) <= _SAME


def _is_srgb_grey(icc: bytes) -> bool:
    """Whether a grey profile's curve is sRGB's within one level; true for one that cannot be read."""
    curve = _curves(icc, (b"kTRC",))
    if curve is None:
        return True
    steps = np.linspace(0, 1, 256, dtype=np.float32)
    return bool(np.abs(encode(np.asarray(curve[0](steps))) - steps).max() * 255 <= _SAME)


Curve = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@lru_cache(maxsize=16)
def matrix_and_curves(icc: bytes) -> tuple[Matrix, tuple[Curve, Curve, Curve]] | None:
    """An RGB profile as (matrix from its linear light to linear Rec.2020, its three curves to linear light); None for
    one that is made of tables, or cannot be read (ICC.1:2022, 8.3). Curves go on below 0 and above 1."""
    tags = _tags(icc)
    if icc[16:20] != b"RGB " or icc[20:24] != b"XYZ " or b"A2B0" in tags or b"A2B1" in tags:
        return None
    curves = _curves(icc, (b"rTRC", b"gTRC", b"bTRC"))
    columns = [tags.get(name, b"") for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    if curves is None or any(len(column) < 20 for column in columns):
        return None
    to_xyz50 = np.array([struct.unpack_from(">3i", column, 8) for column in columns]).T / 65536
    return REC2020_FROM_XYZ50 @ to_xyz50, (curves[0], curves[1], curves[2])


def _tags(icc: bytes) -> dict[bytes, bytes]:
    if len(icc) < 132:
        return {}
    count = min(struct.unpack_from(">I", icc, 128)[0], (len(icc) - 132) // 12, 200)
    entries = (struct.unpack_from(">4sII", icc, 132 + 12 * i) for i in range(count))
    return {name: icc[at : at + size] for name, at, size in entries}


def _curves(icc: bytes, names: tuple[bytes, ...]) -> list[Curve] | None:
    tags = _tags(icc)
    found = [_curve(tags.get(name, b"")) for name in names]
    return None if any(curve is None for curve in found) else [curve for curve in found if curve is not None]


def _curve(data: bytes) -> Curve | None:
    """A tone curve to linear light, odd-symmetric about 0 (ICC.1:2022, 10.6 and 10.18)."""
    try:
        if data[:4] == b"para":
            kind = struct.unpack_from(">H", data, 8)[0]
            numbers = struct.unpack_from(f">{_PARAMETERS[kind]}i", data, 12)
            return _parametric(kind, [n / 65536 for n in numbers])
        count = struct.unpack_from(">I", data, 8)[0] if data[:4] == b"curv" else -1
        if count == 0:
            return lambda x: x
        if count == 1:
            return _parametric(0, [struct.unpack_from(">H", data, 12)[0] / 256])
        if count < 0 or 12 + 2 * count > len(data):
            return None
        table = np.frombuffer(data, ">u2", count, 12).astype(np.float64) / 65535
    except (struct.error, KeyError):
        return None
    steps = np.linspace(0, 1, count)
    slope = (table[-1] - table[-2]) * (count - 1)

    def looked_up(x: NDArray[np.float32]) -> NDArray[np.float32]:
        size = np.abs(x)
        inside = np.interp(size, steps, table)
        light = np.where(size > 1, table[-1] + (size - 1) * slope, inside)
        return np.copysign(light, x).astype(np.float32)

    return looked_up


_PARAMETERS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}  # how many numbers each kind of parametric curve has


def _parametric(kind: int, numbers: list[float]) -> Curve:
    g, *rest = numbers
    a, b = (rest[0], rest[1]) if kind else (1.0, 0.0)
    c = rest[2] if kind >= 2 else 0.0
    edge = rest[3] if kind >= 3 else -b / a if kind and a else 0.0
    add, low = 0.0, 0.0
    if kind == 2:
        add, low, c = c, c, 0.0
    elif kind == 4:
        add, low = rest[4], rest[5]

    def bent(x: NDArray[np.float32]) -> NDArray[np.float32]:
        size = np.abs(x).astype(np.float64)
        light = np.where(size >= edge, np.maximum(a * size + b, 0) ** g + add, c * size + low)
        return np.copysign(light, x).astype(np.float32)

    return bent


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
    return of_primaries("sRGB", REC709)


@lru_cache(maxsize=16)
def of_primaries(name: str, primaries: tuple[tuple[float, float], ...]) -> bytes:
    """A profile of these primaries under D65 with sRGB's curve, for files that say their colours by number."""
    steps = np.rint(decode(np.linspace(0, 1, 1024)) * 65535).astype(">u2")
    return of_curve(name, primaries, struct.pack(">4s4xI", b"curv", len(steps)) + steps.tobytes())


def of_curve(name: str, primaries: tuple[tuple[float, float], ...], curve: bytes) -> bytes:
    """A profile of these primaries under D65 with a tone curve as ICC writes it."""
    return _profile(name, to_xyz(primaries), curve)


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
