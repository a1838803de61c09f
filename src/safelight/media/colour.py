"""Colour spaces of the working path: sRGB (IEC 61966-2-1) outside, linear Rec.2020 (ITU-R BT.2020, D65) inside.

Both share the white point D65, so grey stays grey through every matrix here.
"""

import math
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.frame import Bytes, Matrix, Pixels

Words = NDArray[np.uint16]

D65 = (0.3127, 0.3290)
REC709 = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))  # sRGB has these primaries
REC2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
D50_XYZ = (0.9642, 1.0, 0.8249)  # of ICC's connection space
LUMINANCE_2020 = np.array((0.2627, 0.6780, 0.0593))  # of linear Rec.2020, ITU-R BT.2020
LUMINANCE_709 = np.array((0.2126, 0.7152, 0.0722))  # of linear sRGB, ITU-R BT.709
MIDDLE_GREY = 0.18  # of white
_NOTHING = np.zeros(4)
ROWS = 64  # a strip of so many rows stays in the cache


def to_xyz(primaries: tuple[tuple[float, float], ...], white: tuple[float, float] = D65) -> Matrix:
    """The 3x3 matrix from linear RGB to CIE XYZ with Y = 1 for white (SMPTE RP 177)."""
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
    target = np.array([white[0] / white[1], 1.0, (1 - white[0] - white[1]) / white[1]])
    return np.asarray(columns * np.linalg.solve(columns, target))


def adaptation(source: tuple[float, ...], target: tuple[float, ...]) -> Matrix:
    """The Bradford matrix that takes XYZ under white `source` to XYZ under white `target`."""
    cone = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    gains = (cone @ np.asarray(target)) / (cone @ np.asarray(source))
    return np.asarray(np.linalg.inv(cone) @ np.diag(gains) @ cone)


D65_XYZ = (D65[0] / D65[1], 1.0, (1 - sum(D65)) / D65[1])
REC2020_FROM_SRGB = np.linalg.inv(to_xyz(REC2020)) @ to_xyz(REC709)
SRGB_FROM_REC2020 = np.linalg.inv(REC2020_FROM_SRGB)
REC2020_FROM_XYZ50 = np.linalg.inv(to_xyz(REC2020)) @ adaptation(D50_XYZ, D65_XYZ)


# ---------------------------------------------------------------- the sRGB curve


def decode(values: NDArray[Any]) -> NDArray[Any]:
    """Linear light of sRGB-encoded values; odd-symmetric below 0, the same formula above 1."""
    x = np.abs(values)
    light: NDArray[Any] = np.copysign(np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4), values)
    return light


def encode(values: NDArray[Any]) -> NDArray[Any]:
    """Encoded (sRGB) values of linear light; odd-symmetric below 0, the same formula above 1."""
    x = np.abs(values)
    code: NDArray[Any] = np.copysign(np.where(x <= 0.0031308, x * 12.92, 1.055 * x ** (1 / 2.4) - 0.055), values)
    return code


_LINEAR_OF_BYTE = decode(np.arange(256) / 255).astype(np.float32)
_LINEAR_OF_WORD = decode(np.arange(65536) / 65535).astype(np.float32)
_BYTE_OF_LINEAR = np.rint(encode(np.arange(65536) / 65535) * 255).astype(np.uint8)  # exact for every byte


def linear_of_srgb(rgb: Bytes | Words) -> Pixels:
    """Linear Rec.2020 of sRGB bytes or words (0..255 or 0..65535), H x W x 3."""
    table = _LINEAR_OF_BYTE if rgb.dtype == np.uint8 else _LINEAR_OF_WORD
    out = np.empty(rgb.shape, np.float32)
    for rows in strips(len(rgb)):
        cv2.transform(cv2.LUT(rgb[rows], table), REC2020_FROM_SRGB, dst=out[rows])
    return out


def srgb8(linear: Pixels) -> Bytes:
    """Bytes, sRGB-encoded, of linear Rec.2020, rounded; what lies outside sRGB is clipped to it."""
    out = np.empty(linear.shape, np.uint8)
    for rows in strips(len(linear)):
        out[rows] = _bytes_of(cv2.transform(linear[rows], SRGB_FROM_REC2020 * 65535))
    return out


def grey8(linear: Pixels) -> Bytes:
    """The luminance of linear Rec.2020 as bytes, sRGB-encoded, H x W."""
    return _bytes_of(cv2.transform(linear, LUMINANCE_2020[None] * 65535)).reshape(linear.shape[:2])


def encoded8(light: NDArray[Any]) -> Bytes:
    """Bytes, sRGB-encoded, of linear light of which 1 is white."""
    return _bytes_of(light * np.float32(65535))


def _bytes_of(light: NDArray[Any]) -> Bytes:
    """Bytes, sRGB-encoded, of linear light of which 65535 is white."""
    index = cv2.add(light, _NOTHING, dtype=cv2.CV_16U)  # rounds and clips
    return np.asarray(cv2.LUT(index, _BYTE_OF_LINEAR), np.uint8)


def srgb16(linear: Pixels) -> Words:
    """Words (0..65535), sRGB-encoded, of linear Rec.2020, rounded; what lies outside sRGB is clipped to it."""
    out = np.empty(linear.shape, np.uint16)
    for rows in strips(len(linear)):
        light = np.clip(cv2.transform(linear[rows], SRGB_FROM_REC2020), 0, 1)
        out[rows] = np.rint(encode(light) * np.float32(65535))
    return out


def linear_of_lab50(lab: NDArray[np.float32]) -> Pixels:
    """Linear Rec.2020 of CIE L*a*b* under D50, as ICC profiles connect."""
    out = np.empty(lab.shape, np.float32)
    matrix = REC2020_FROM_XYZ50 * D50_XYZ
    for rows in strips(len(lab)):
        fy = (lab[rows, :, 0] + 16) / 116
        f = np.stack((fy + lab[rows, :, 1] / 500, fy, fy - lab[rows, :, 2] / 200), -1)
        xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)).astype(np.float32)
        cv2.transform(xyz, matrix, dst=out[rows])
    return out


# ---------------------------------------------------------------- difference


def lab(rgb: Bytes) -> NDArray[np.float64]:
    """CIE L*a*b* (D65, 2°) of sRGB bytes."""
    return lab_of_linear(_LINEAR_OF_BYTE[rgb].astype(np.float64))


def lab_of_linear(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIE L*a*b* (D65, 2°) of linear sRGB, which may lie outside that gamut."""
    xyz = rgb @ (to_xyz(REC709).T / D65_XYZ)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack((116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])), -1)


def delta_e(one: Bytes, two: Bytes) -> NDArray[np.float64]:
    """CIEDE2000 between pictures in sRGB bytes, pixel by pixel (Sharma, Wu & Dalal 2005)."""
    return delta_e_lab(lab(one), lab(two))


def delta_e_lab(one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIEDE2000 between colours in CIE L*a*b* (Sharma, Wu & Dalal 2005)."""
    (l1, a1, b1), (l2, a2, b2) = np.moveaxis(one, -1, 0), np.moveaxis(two, -1, 0)
    mean = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 1.5 - 0.5 * np.sqrt(mean / (mean + 25.0**7))
    c1, c2 = np.hypot(a1 * g, b1), np.hypot(a2 * g, b2)
    h1, h2 = np.arctan2(b1, a1 * g) % (2 * np.pi), np.arctan2(b2, a2 * g) % (2 * np.pi)
    grey = c1 * c2 == 0
    turn = np.where(grey, 0, (h2 - h1 + np.pi) % (2 * np.pi) - np.pi)
    far = np.abs(h1 - h2) > np.pi
    hue = np.where(grey, h1 + h2, (h1 + h2) / 2 + np.where(far, np.where(h1 + h2 < 2 * np.pi, np.pi, -np.pi), 0))
    level, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    t = (
        1 - 0.17 * np.cos(hue - np.pi / 6) + 0.24 * np.cos(2 * hue)
        + 0.32 * np.cos(3 * hue + np.pi / 30) - 0.20 * np.cos(4 * hue - np.radians(63))
    )  # fmt: skip
    s_l = 1 + 0.015 * (level - 50) ** 2 / np.sqrt(20 + (level - 50) ** 2)
    d_l = (l2 - l1) / s_l
    d_c = (c2 - c1) / (1 + 0.045 * chroma)
    d_h = 2 * np.sqrt(c1 * c2) * np.sin(turn / 2) / (1 + 0.015 * chroma * t)
    bent = np.radians(60) * np.exp(-(((np.degrees(hue) - 275) / 25) ** 2))
    rotation = -np.sin(bent) * 2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    return np.asarray(np.sqrt(np.maximum(d_l**2 + d_c**2 + d_h**2 + rotation * d_c * d_h, 0)))


def luminance(linear: Pixels) -> Pixels:
    """Luminance of linear Rec.2020, H x W."""
    return np.asarray(cv2.transform(linear, LUMINANCE_2020[None]), np.float32).reshape(linear.shape[:2])


def brightest(pixels: NDArray[Any]) -> NDArray[Any]:
    """The largest of the three channels, H x W; several times faster than a maximum over the last axis."""
    return np.asarray(np.maximum(np.maximum(pixels[..., 0], pixels[..., 1]), pixels[..., 2]))


def dimmest(pixels: NDArray[Any]) -> NDArray[Any]:
    """The smallest of the three channels, H x W."""
    return np.asarray(np.minimum(np.minimum(pixels[..., 0], pixels[..., 1]), pixels[..., 2]))


def sparse(pixels: NDArray[Any], most: int = 100_000) -> NDArray[Any]:
    """Every pixel, or every second, third, … of every such row, so that no more than about `most` are left: enough for
    a quantile."""
    step = max(1, math.ceil(math.sqrt(pixels.shape[0] * pixels.shape[1] / most)))
    return np.ascontiguousarray(pixels[::step, ::step])


def strips(height: int, rows: int = ROWS) -> Iterator[slice]:
    """Slices of so many rows that cover a picture."""
    return (slice(start, min(start + rows, height)) for start in range(0, height, rows))
