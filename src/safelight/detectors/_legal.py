"""The edit that anybody may make to a whole picture, fitted and set apart from what is left.

Tone: after's luma ≈ a curve of the before's luma + a curve of its edge-preserving base (a guided filter, He, Sun and
Tang 2013), which covers exposure, contrast, shadows, highlights and clarity. Colour: each channel ≈ a curve of that
channel + saturation + two tints, one of shadows and one of highlights, which covers white balance, grading and split
toning. Both are fitted to places that are valid and not clipped, robustly, so that a spoilt part does not bend them.
"""

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.detectors._planes import Flags, Plane, Points, resized

Colours: TypeAlias = NDArray[np.float32]

SAMPLES = 9_000
LEVELS, BASES = 17, 9  # knots of the curves
BASE_RADIUS, BASE_EPS = 0.02, 0.01  # of the long side; squared levels
LEVEL = 1e-4  # how much a departure is held level, against bending and what is measured
LOW, HIGH = 0.012, 0.988  # encoded values beyond which a channel says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone:
    """The fitted tone: `level(x)` of the before's luma and `base(x)` of its base, as values at even knots over 0..1."""

    level: Points
    base: Points
    rest: float  # robust standard deviation of what the fit leaves, encoded levels 0..1

    def slope(self, level: Plane) -> Plane:
        """How much a small step of the before's luma becomes in the after."""
        knots = np.linspace(0, 1, LEVELS)
        slopes = np.gradient(self.level, knots)
        return _curve(level, slopes)

    def expected(self, level: Plane, base: Plane) -> Plane:
        """What the after's luma should be."""
        return _curve(level, self.level) + _curve(base, self.base)


def _curve(values: Plane, knots: Points) -> Plane:
    """Piecewise linear through even knots over 0..1, by a fine table."""
    table = np.interp(np.linspace(0, 1, 1025), np.linspace(0, 1, len(knots)), knots).astype(np.float32)
    index = np.clip(values * 1024 + 0.5, 0, 1024).astype(np.int32)
    return np.asarray(table[index], np.float32)


def guided_base(level: Plane, radius: int, eps: float) -> Plane:
    """The edge-preserving base of a plane by itself; computed at a quarter of the size where the radius allows it."""
    step = 4 if radius >= 12 else 2 if radius >= 6 else 1
    small = resized(level, (max(1, level.shape[1] // step), max(1, level.shape[0] // step)))
    side = 2 * max(1, radius // step) + 1

    def box(plane: Plane) -> Plane:
        return np.asarray(cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT_101), np.float32)

    mean = box(small)
    spread = np.maximum(box(small * small) - mean * mean, 0)
    slope = spread / (spread + np.float32(eps))
    offset = mean - slope * mean
    size = level.shape[1], level.shape[0]
    wide = [resized(box(np.asarray(p, np.float32)), size, how=cv2.INTER_LINEAR) for p in (slope, offset)]
    return np.asarray(wide[0] * level + wide[1], np.float32)


def hats(values: NDArray[np.floating], count: int) -> Points:
    """Hat functions at even knots over 0..1, N x count."""
    place = np.clip(values, 0, 1) * (count - 1)
    low = np.minimum(place.astype(int), count - 2)
    share = place - low
    out = np.zeros((len(values), count))
    n = np.arange(len(values))
    out[n, low], out[n, low + 1] = 1 - share, share
    return out


def bending(count: int) -> Points:
    """Rows of second differences: what a smooth curve has little of."""
    return np.diff(np.eye(count), 2, axis=0)


def picked(usable: Flags) -> NDArray[np.intp]:
    """Up to `SAMPLES` places of a plane, evenly drawn."""
    found = np.flatnonzero(usable)
    return found[:: max(1, len(found) // SAMPLES)]


def fit_tone(before: Plane, base: Plane, after: Plane, usable: Flags) -> Tone | None:
    """The tone of a pair; None where fewer than 200 places are usable."""
    at = picked(usable)
    if len(at) < 200:
        return None
    x, b, y = before.ravel()[at], base.ravel()[at], after.ravel()[at].astype(float)
    basis = np.hstack((hats(x, LEVELS), hats(b, BASES)))
    smooth = np.zeros((LEVELS - 2 + BASES - 2, LEVELS + BASES))
    smooth[: LEVELS - 2, :LEVELS] = bending(LEVELS)
    smooth[LEVELS - 2 :, LEVELS:] = bending(BASES)
    prior = 1e-4 * len(at) * smooth.T @ smooth + 1e-7 * len(at) * np.eye(LEVELS + BASES)
    found, rest = robust(basis, y[:, None], prior)
    return Tone(level=found[:LEVELS, 0], base=found[LEVELS:, 0], rest=rest)


def robust(
    basis: Points, values: Points, prior: Points, *, rounds: int = 5, trust: NDArray[np.floating] | None = None
) -> tuple[Points, float]:
    """Least squares reweighted by Tukey's biweight; coefficients and the robust deviation of the rest."""
    given = np.ones(len(values)) if trust is None else trust.astype(float)
    weight, scale = given, 0.0
    found: Points = np.zeros((basis.shape[1], values.shape[1]))
    both, count = np.hstack((basis, values)), basis.shape[1]
    for _ in range(rounds):
        # One product for both sides, by OpenCV: a threaded BLAS takes far longer for so few columns.
        product = np.asarray(cv2.mulTransposed(both * np.sqrt(weight)[:, None], True), np.float64)
        found = np.asarray(np.linalg.solve(product[:count, :count] + prior, product[:count, count:]), np.float64)
        off = np.sqrt(np.square(values - basis @ found).mean(axis=1))
        scale = 1.48 * float(np.median(off)) + 1e-4
        weight = given * np.maximum(0, 1 - (off / (4.685 * scale)) ** 2) ** 2
    return found, scale


def curves_of(before: Colours, after: Colours, usable: Flags) -> Colours:
    """The before, H x W x 3, through a smooth curve a channel that explains most of the after; the before itself if too
    little is usable.

    What all channels share is fitted first, and what each has beside it then: both as departures that are as small,
    level and straight as the values allow, so that a level that a channel does not have is moved as its neighbours are,
    and not wherever the end of a curve points.
    """
    at = picked(usable)
    if len(at) < 200:
        return before
    x, y = (p.reshape(-1, 3)[at].T.astype(float) for p in (before, after))
    shared = _departure(x.ravel(), (y - x).ravel())
    own = [_departure(x[c], y[c] - x[c] - hats(x[c], LEVELS) @ shared) for c in range(3)]
    knots = np.linspace(0, 1, LEVELS)
    planes = [_curve(before[..., c], knots + shared + own[c]) for c in range(3)]
    return np.asarray(cv2.merge(planes), np.float32)


def _departure(values: Points, off: Points) -> Points:
    """A smooth curve of `off` over `values`, by its knots."""
    bend, rise = bending(LEVELS), np.diff(np.eye(LEVELS), axis=0)
    prior = (1e-3 * bend.T @ bend + LEVEL * rise.T @ rise + 1e-7 * np.eye(LEVELS)) * len(values)
    return robust(hats(values, LEVELS), off[:, None], prior)[0][:, 0]


def fit_colour(
    before: Plane, after: Plane, level_after: Plane, ratio: Plane, usable: Flags, trust: Plane
) -> Points | None:
    """Coefficients of each channel, (count, 3), for `colour_expected`; None where fewer than 400 places are usable.
    `trust` (0..1) weighs places."""
    at = picked(usable)
    if len(at) < 400:
        return None
    out = []
    level, gain = level_after.ravel()[at], ratio.ravel()[at]
    for channel in range(3):
        basis = _colour_basis(before[..., channel].ravel()[at], level, gain)
        smooth = np.zeros((LEVELS - 2, basis.shape[1]))
        smooth[:, :LEVELS] = bending(LEVELS)
        prior = 3e-4 * len(at) * smooth.T @ smooth + 1e-6 * len(at) * np.eye(basis.shape[1])
        found, _ = robust(basis, after[..., channel].ravel()[at][:, None].astype(float), prior, trust=trust.ravel()[at])
        out.append(found[:, 0])
    return np.stack(out, 1)


def _colour_basis(channel: NDArray[np.floating], level: NDArray[np.floating], ratio: NDArray[np.floating]) -> Points:
    tint = 4 * (1 - level) * level
    more = np.stack((level, (1 - level) * tint, level * tint, channel * ratio), 1)
    return np.hstack((hats(channel, LEVELS), more))


def colour_expected(coefficients: Points, before: Plane, level_after: Plane, ratio: Plane) -> Plane:
    """The colours that the after should have, H x W x 3."""
    tint = 4 * (1 - level_after) * level_after
    dark, bright = (1 - level_after) * tint, level_after * tint
    out = np.empty(before.shape, np.float32)
    for c in range(3):
        k = coefficients[:, c].astype(np.float32)
        plane = before[..., c]
        out[..., c] = _curve(plane, coefficients[:LEVELS, c]) + k[LEVELS] * level_after + k[LEVELS + 1] * dark
        out[..., c] += k[LEVELS + 2] * bright + k[LEVELS + 3] * plane * ratio
    return out
