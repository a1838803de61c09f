"""A camera's rendering as a few numbers: a colour matrix in linear light, then one tone curve for all channels.

Both act on sRGB's primaries, for which cameras render their JPEGs. The matrix keeps grey grey (its rows sum to 1). The
curve maps sRGB-encoded values to sRGB-encoded values by KNOTS values at equal distances from 0 to TOP, joined by a
monotone cubic (Fritsch & Carlson 1980); beyond both ends it goes on with slope 1.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.colour import REC2020_FROM_SRGB, SRGB_FROM_REC2020, decode, encode, strips
from safelight.media.frame import Pixels

KNOTS, TOP = 16, 1.25  # 1.25 is 0.7 stops above display white
SAMPLES = 4096  # of the curve between its ends; straight lines between them are off by less than 1e-6
PLACES = np.linspace(0, TOP, KNOTS)
NO_MATRIX = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
NO_CURVE = tuple(round(float(x), 6) for x in PLACES)


def apply_look(pixels: Pixels, matrix: Sequence[float], curve: Sequence[float]) -> Pixels:
    """Linear Rec.2020 light under a look, H x W x 3; nothing is clipped."""
    from scipy.interpolate import PchipInterpolator  # late: it brings half of scipy, and most commands render nothing

    inward = np.reshape(matrix, (3, 3)) @ SRGB_FROM_REC2020
    values = PchipInterpolator(PLACES, curve)(np.linspace(0, TOP, SAMPLES)).astype(np.float32)
    rises = np.diff(values)
    out = np.empty(pixels.shape, np.float32)
    for rows in strips(len(pixels)):
        code = encode(cv2.transform(pixels[rows], inward))
        inside = np.clip(code, 0, np.float32(TOP))
        place = inside * np.float32((SAMPLES - 1) / TOP)
        below = np.minimum(place.astype(np.int32), SAMPLES - 2)
        shaped = values.take(below) + rises.take(below) * np.subtract(place, below, dtype=np.float32) + (code - inside)
        cv2.transform(decode(shaped), REC2020_FROM_SRGB, dst=out[rows])
    return out


# ---------------------------------------------------------------- fitting

_OFF_DIAGONAL = ((0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1))
_ROUNDS = 12
_SPREAD = 0.02  # of encoded values: residuals beyond count by their size, not its square (Huber)
_NEAR_BLACK, _NEAR_WHITE = 2 / 255, 251 / 255  # where the camera's picture may be clipped
_HOLD_MATRIX, _SMOOTH_CURVE, _HOLD_CURVE = 1e-4, 1e-3, 1e-6  # weights of identity, smoothness, identity, per sample


def fit_look(
    light: NDArray[np.float64], shown: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """(matrix, curve) that take linear sRGB `light` to encoded `shown`, both N x 3; `weight` has N values.

    Gauss-Newton on 6 matrix entries and KNOTS curve values with Huber weights; where the camera's picture is clipped
    only a result on the wrong side of the clip counts. Same input, same output.
    """
    matrix, curve = np.eye(3), PLACES.copy()
    bend = np.diff(np.eye(KNOTS), n=2, axis=0)
    total = float(weight.sum()) * 3
    prior = np.diag([_HOLD_MATRIX] * 6 + [_HOLD_CURVE] * KNOTS)
    prior[6:, 6:] += _SMOOTH_CURVE * bend.T @ bend
    prior *= total
    for turn in range(_ROUNDS):
        normal, right = prior.copy(), -prior @ np.concatenate(([matrix[i] for i in _OFF_DIAGONAL], curve))
        right[6:] += _HOLD_CURVE * total * PLACES
        for channel in range(3):
            jacobian, result = _linearised(light, matrix[channel], curve, channel)
            residual = shown[:, channel] - result
            w = weight * _heed(shown[:, channel], result, residual, robust=turn > 1)
            normal += jacobian.T @ (jacobian * w[:, None])
            right += jacobian.T @ (residual * w)
        step = np.linalg.solve(normal, right)
        for (row, column), change in zip(_OFF_DIAGONAL, step, strict=False):
            matrix[row, column] += change
            matrix[row, row] -= change
        curve = np.maximum.accumulate(curve + step[6:])
    return _plain(matrix), _plain(curve)


def _linearised(
    light: NDArray[np.float64], row: NDArray[np.float64], curve: NDArray[np.float64], channel: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The Jacobian over all parameters of one channel's results, and the results."""
    linear = light @ row
    code = encode(linear)
    place = np.clip(code / TOP * (KNOTS - 1), 0, KNOTS - 1 - 1e-9)
    knot = place.astype(int)
    share = place - knot
    result = curve[knot] * (1 - share) + curve[knot + 1] * share + np.minimum(code, 0)
    slope = np.where(code < 0, 1.0, (curve[knot + 1] - curve[knot]) * (KNOTS - 1) / TOP)
    size = np.abs(linear)
    slope = slope * np.where(size <= 0.0031308, 12.92, 1.055 / 2.4 * np.maximum(size, 1e-6) ** (1 / 2.4 - 1))
    jacobian = np.zeros((len(light), 6 + KNOTS))
    for index, (r, c) in enumerate(_OFF_DIAGONAL):
        if r == channel:
            jacobian[:, index] = slope * (light[:, c] - light[:, r])
    samples = np.arange(len(light))
    jacobian[samples, 6 + knot] = 1 - share
    jacobian[samples, 7 + knot] = share
    return jacobian, result


def _heed(
    shown: NDArray[np.float64], result: NDArray[np.float64], residual: NDArray[np.float64], *, robust: bool
) -> NDArray[np.float64]:
    beyond = ((shown >= _NEAR_WHITE) & (result >= shown)) | ((shown <= _NEAR_BLACK) & (result <= shown))
    heed = np.where(beyond, 0.0, 1.0)
    return heed / np.maximum(1, np.abs(residual) / _SPREAD) if robust else heed


def _plain(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(v), 6) for v in values.ravel())
