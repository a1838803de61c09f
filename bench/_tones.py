"""Photos whose tones were treated wrongly by a known curve, and by how much each tone should go back.

Curves act on each channel of sRGB-encoded values, as cameras and careless presets do; none has the form of the sliders
that answer. `veil` is light that is scattered into the lens, added in linear light.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from safelight.media.colour import decode, encode
from safelight.media.frame import Bytes
from safelight.media.picture import TO_LINEAR, shrink

Vector = NDArray[np.float64]
Curve = Callable[[Vector], Vector]

STRENGTHS = (1, 2, 3, 4, 5)
SIDE = 200  # px, long side at which tones are compared
LUMINANCE = np.array((0.2126, 0.7152, 0.0722))  # of linear sRGB, ITU-R BT.709


def _jitter(rng: np.random.Generator, value: float) -> float:
    return float(value * rng.uniform(0.85, 1.15))


def veil(strength: int, rng: np.random.Generator) -> Curve:
    """Haze: 2 to 22 % of the light is replaced by a grey between 0.35 and 0.75."""
    share, grey = _jitter(rng, (0.02, 0.04, 0.08, 0.13, 0.22)[strength - 1]), rng.uniform(0.35, 0.75)
    return lambda u: np.asarray(encode((1 - share) * decode(u) + share * grey))


def flat(strength: int, rng: np.random.Generator) -> Curve:
    """Black lifted by 3 to 20 % and white lowered by about half as much, in a straight line."""
    low = _jitter(rng, (0.03, 0.06, 0.10, 0.14, 0.20)[strength - 1])
    high = 1 - low * rng.uniform(0.3, 0.8)
    return lambda u: low + (high - low) * u


def faded(strength: int, rng: np.random.Generator) -> Curve:
    """Black lifted by 3 to 18 %, white as it is."""
    low = _jitter(rng, (0.03, 0.05, 0.08, 0.12, 0.18)[strength - 1])
    return _through((0, low), (0.3, 0.3 + 0.35 * low), (0.6, 0.6), (1, 1))


def dull(strength: int, rng: np.random.Generator) -> Curve:
    """White lowered by 4 to 26 %, the middle as it is."""
    low = _jitter(rng, (0.04, 0.08, 0.13, 0.19, 0.26)[strength - 1])
    return _through((0, 0), (0.45, 0.45), (0.75, 0.75 - 0.5 * low), (1, 1 - low))


def blocked(strength: int, rng: np.random.Generator) -> Curve:
    """Shadows darkened by 0.4 to 1.8 EV, smoothly; nothing is clipped."""
    stops = _jitter(rng, (0.4, 0.7, 1.0, 1.4, 1.8)[strength - 1])
    return _through((0, 0), (0.18, 0.18 * 2 ** (-stops / 2.4)), (0.36, 0.36 * 2 ** (-stops / 7)), (0.6, 0.6), (1, 1))


def hot(strength: int, rng: np.random.Generator) -> Curve:
    """Bright tones pushed towards white by 3 to 14 %, without clipping."""
    up = _jitter(rng, (0.03, 0.05, 0.08, 0.11, 0.14)[strength - 1])
    return _through((0, 0), (0.4, 0.4), (0.7, 0.7 + up), (0.9, 0.9 + 0.45 * up), (1, 1))


def hard(strength: int, rng: np.random.Generator) -> Curve:
    """Far too much contrast: the log odds of a value times 1.25 to 2.6."""
    power = _jitter(rng, (1.3, 1.5, 1.75, 2.1, 2.6)[strength - 1])
    return lambda u: np.asarray(u**power / (u**power + (1 - u) ** power))


DISTORTIONS: Mapping[str, Callable[[int, np.random.Generator], Curve]] = {
    f.__name__: f for f in (veil, flat, faded, dull, blocked, hot, hard)
}


def _through(*knots: tuple[float, float]) -> Curve:
    x, y = zip(*knots, strict=True)
    found = PchipInterpolator(x, y)
    return lambda u: np.asarray(found(u))


def distorted(rgb: Bytes, curve: Curve) -> Bytes:
    """The picture with every channel through the curve."""
    table = np.clip(np.rint(255 * curve(np.arange(256) / 255)), 0, 255).astype(np.uint8)
    return np.asarray(table[rgb], np.uint8)


def tones(rgb: Bytes, shares: Sequence[float]) -> Vector:
    """Encoded luminance below which these shares of pixels lie."""
    luminance = TO_LINEAR[shrink(rgb, SIDE).reshape(-1, 3)] @ LUMINANCE
    return np.asarray(encode(np.quantile(luminance, shares)), np.float64)
