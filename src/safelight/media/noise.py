"""What sensor noise is: how strong at which light and frequency, and a scale on which it is the same everywhere.

In linear light a channel's variance is a I + b: photons, and the reading of the sensor. On the *stable* scale
2 sqrt(I + k), k = b / a, its deviation is sqrt(a) in the dark as in the light (Anscombe 1948; Foi et al. 2008). Noise
of real pictures has been demosaiced, compressed and smoothed, so it is not white: its density is kept by octave.

On the stable scale channels are mixed to Y = (R + 2 G + B) / 4, Co = (R - B) / 2 and Cg = (2 G - R - B) / 4. Where red
has about twice the variance of green and blue 1.6 times, as daylight asks of sensors, hardly any mean of the three has
less noise than this Y.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.frame import Pixels

Vector = NDArray[np.float64]

OCTAVES = (1 / 128, 1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2)  # cycles per px of the picture that was measured
MIX = np.array(((0.25, 0.5, 0.25), (0.5, 0.0, -0.5), (-0.25, 0.5, -0.25)))  # Y, Co, Cg of R, G, B
UNMIX = np.linalg.inv(MIX)
STEP = 5e-4  # of the stable scale: a tenth of a level
LEAST_OFFSET = 1e-5  # of display white; keeps the scale's slope finite at black
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseModel:
    """Noise of one picture.

    `slope` is a of red, green and blue (linear sRGB, 1.0 = display white); `offset` is k = b / a, the same for all.
    `density` holds, for Y, Co and Cg, the variance on the stable scale by `OCTAVES`, as white noise of that density
    would have it at one pixel; red, green and blue are mixed as `MIX` says.
    """

    slope: tuple[float, float, float]
    offset: float
    density: tuple[tuple[float, ...], ...]

    def deviation(self, light: float) -> float:
        """Standard deviation of green at this linear light."""
        return float(np.sqrt(self.slope[1] * (light + self.offset)))

    def variances(self, channel: int, side: int, *, scale: float) -> Vector:
        """Variance of the DCT coefficients of side x side px in a channel of MIX, on the stable scale, side x side.

        `scale` is the length of a native pixel in pixels of the picture that is looked at, 1 or less: area averages
        keep the density and lose what lies beyond their own finest frequency.
        """
        return variances_of(self.density[channel], side, scale=scale)


def variances_of(density: Sequence[float] | Vector, side: int, *, scale: float = 1.0) -> Vector:
    """Variances of the DCT coefficients of noise with this density by octave, side x side; see NoiseModel."""
    down, across = np.mgrid[:side, :side]
    frequency = np.hypot(down, across) / (2 * side) * scale
    log, finest = np.log(np.maximum(density, 1e-12)), len(OCTAVES) - 1
    octave = np.log2(np.maximum(frequency, OCTAVES[0]) / OCTAVES[0])
    beyond = np.maximum(octave - finest, 0) * min(0.0, float(log[-1] - log[-2]))
    return np.asarray(np.exp(np.interp(octave, np.arange(finest + 1), log) + beyond) * scale**2)


# ---------------------------------------------------------------- the stable scale


def stable(light: Pixels, offset: float) -> Pixels:
    """Linear light on the stable scale; straight on below black, so that nothing is lost there."""
    k = np.float32(max(offset, LEAST_OFFSET))
    bent = np.maximum(light, 0)
    bent += k
    np.sqrt(bent, out=bent)
    bent *= 2
    if light.size and float(light.min()) < 0:
        bent += np.minimum(light, 0) / np.sqrt(k)
    return np.asarray(bent, np.float32)


def unstable(values: Pixels, offset: float) -> Pixels:
    """Linear light of values on the stable scale."""
    k = np.float32(max(offset, LEAST_OFFSET))
    black = np.float32(2) * np.sqrt(k)
    bent = np.square(np.maximum(values, black))
    bent *= np.float32(0.25)
    bent -= k
    if values.size and float(values.min()) < black:
        bent += np.minimum(values - black, 0) * np.sqrt(k)
    return np.asarray(bent, np.float32)


def unbiased(values: Pixels, offset: float, slope: float) -> Pixels:
    """Linear light whose noisy recording, cut off at black, has these means on the stable scale.

    Means on a bent scale lie low, and in the dark, where the lower half of the noise is cut off, they lie high; both
    are undone (the exact unbiased inverse of Makitalo & Foi 2013, for clipped data).
    """
    shift = _bias(max(offset, LEAST_OFFSET), slope)
    index = np.clip(values * np.float32(1 / STEP), 0, len(shift) - 1).astype(np.int32)
    return unstable(values + shift[index], offset)


@cache
def _bias(offset: float, slope: float) -> Pixels:
    """How far the scale's value of the true light lies from a mean, for means at multiples of STEP from 0 on."""
    light = np.linspace(0, 1.1, 256) ** 2
    deviation = np.sqrt(slope * (light + offset))
    seen = np.maximum(light[:, None] + deviation[:, None] * _NODES, 0)
    means = np.maximum.accumulate(2 * np.sqrt(seen + offset) @ (_WEIGHTS / _WEIGHTS.sum()))
    at = np.arange(0, means[-1], STEP)
    return np.asarray(np.interp(at, means, 2 * np.sqrt(light + offset) - means), np.float32)


# ---------------------------------------------------------------- transforms of blocks


@cache
def dct(side: int) -> NDArray[np.float32]:
    """The orthonormal two-dimensional DCT-II of flat side x side blocks, as a matrix."""
    k, x = np.mgrid[:side, :side]
    one = np.cos(np.pi * (2 * x + 1) * k / (2 * side)) * np.sqrt(2 / side)
    one[0] /= np.sqrt(2)
    return np.ascontiguousarray(np.kron(one, one), np.float32)


def mixed(channels: Pixels, matrix: NDArray[np.float64]) -> Sequence[Pixels]:
    """The three planes that a matrix makes of the channels of H x W x 3."""
    return [np.asarray(plane, np.float32) for plane in cv2.split(cv2.transform(channels, matrix))]
