"""Colour correction by a root polynomial, whose colours do not change with exposure.

Six terms for each pixel: red, green, blue and the roots of their three products, on linear Rec.2020; three rows of six
coefficients make the new colour from them. Twice the light gives twice the result. Rows that sum to 1 keep grey grey.
G. D. Finlayson, M. Mackiewicz, A. Hurlbert: Color Correction Using Root-Polynomial Regression, IEEE TIP 24 (2015).
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.colour import SRGB_FROM_REC2020, lab_of_linear, strips
from safelight.media.frame import Pixels

Floats = NDArray[np.float64]

IDENTITY = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
_ROUNDS, _ROUNDS_AGAIN = 8, 3
_STEP = 1e-4
_HOLD = 0.5  # ΔE00 that moving a coefficient by 1 from the identity costs, so that 15 numbers do not chase noise
_FREE = np.array([i for i in range(18) if i % 6 != i // 6])  # the others follow, since rows sum to 1


def apply(pixels: Pixels, coefficients: Sequence[float]) -> Pixels:
    """Linear Rec.2020 under these 18 coefficients, H x W x 3; products of negative light count as 0."""
    rows = np.reshape(coefficients, (3, 6)).astype(np.float32)
    out = np.empty(pixels.shape, np.float32)
    for band in strips(len(pixels)):
        light = pixels[band]
        red, green, blue = np.moveaxis(np.maximum(light, 0), 2, 0)
        roots = np.sqrt(np.stack((red * green, green * blue, red * blue), 2))
        out[band] = cv2.transform(light, rows[:, :3]) + cv2.transform(roots, rows[:, 3:])
    return out


def fit(light: Floats, wanted: Floats, *, but: int | None = None, start: Sequence[float] = IDENTITY) -> Floats:
    """18 coefficients that take linear Rec.2020 `light` (N x 3) to CIE L*a*b* (D65) `wanted`, grey to grey.

    Gauss-Newton on differences weighted as CIEDE2000 does at the wanted colours, held to the identity. Without the row
    `but`, from a solution near by, to see how well a colour is met that was not fitted. Same input, same output.
    """
    kept = np.arange(len(light)) != (-1 if but is None else but)
    terms, target, metric = _terms(light[kept]), wanted[kept], _metric(wanted[kept])
    free = np.asarray(start, np.float64)[_FREE]
    origin = np.asarray(IDENTITY)[_FREE]

    def off(values: Floats) -> Floats:
        seen = lab_of_linear(terms @ _full(values).T @ SRGB_FROM_REC2020.T)
        return np.concatenate((np.einsum("nij,nj->ni", metric, seen - target).ravel(), _HOLD * (values - origin)))

    for _ in range(_ROUNDS if but is None else _ROUNDS_AGAIN):
        here = off(free)
        slopes = np.stack([(off(free + _STEP * unit) - here) / _STEP for unit in np.eye(len(free))], 1)
        free = free - np.linalg.lstsq(slopes, here, rcond=None)[0]
    return _full(free).ravel()


def corrected(light: Floats, coefficients: Sequence[float] | Floats) -> Floats:
    """The same as `apply` for a list of colours, N x 3."""
    return np.asarray(_terms(light) @ np.reshape(coefficients, (3, 6)).T, np.float64)


def _full(free: Floats) -> Floats:
    flat = np.zeros(18)
    flat[_FREE] = free
    rows = flat.reshape(3, 6)
    rows[np.arange(3), np.arange(3)] = 1 - rows.sum(1)
    return np.asarray(rows, np.float64)


def _terms(light: Floats) -> Floats:
    red, green, blue = np.maximum(light, 0).T
    return np.column_stack((light, np.sqrt(red * green), np.sqrt(green * blue), np.sqrt(red * blue)))


def _metric(lab: Floats) -> Floats:
    """N x 3 x 3: from small differences in L*a*b* to lightness, chroma and hue as CIEDE2000 weighs them there."""
    level, a, b = lab.T
    chroma = np.hypot(a, b)
    grow = 1.5 - 0.5 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    chroma, hue = np.hypot(a * grow, b), np.arctan2(b, a * grow)
    t = (
        1 - 0.17 * np.cos(hue - np.pi / 6) + 0.24 * np.cos(2 * hue)
        + 0.32 * np.cos(3 * hue + np.radians(6)) - 0.20 * np.cos(4 * hue - np.radians(63))
    )  # fmt: skip
    s_l = 1 + 0.015 * (level - 50) ** 2 / np.sqrt(20 + (level - 50) ** 2)
    s_c, s_h = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    out = np.zeros((len(lab), 3, 3))
    out[:, 0, 0] = 1 / s_l
    out[:, 1, 1], out[:, 1, 2] = np.cos(hue) * grow / s_c, np.sin(hue) / s_c
    out[:, 2, 1], out[:, 2, 2] = -np.sin(hue) * grow / s_h, np.cos(hue) / s_h
    return out
