"""Estimates of the light's colour: classical estimators and the coordinates in which they are compared.

A colour is a point (amber, green): its log light ratios in an orthonormal basis across the grey axis, scaled so that
near neutral one unit is one degree of angle to (1, 1, 1). Amber is positive towards red and negative towards blue. In
these coordinates a cast is a shift, whatever the picture shows.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.frame import Bytes, Pixels
from safelight.media.picture import TO_LINEAR, planes, shrink

Point = NDArray[np.float64]  # (amber, green) in degrees

DEGREES = float(np.degrees(1) / np.sqrt(3))  # of angle for one unit of orthonormal log light, near neutral
ACROSS = np.array(((1, 0, -1), (-1, 2, -1))) / np.sqrt(((2,), (6,)))  # amber and green of log red, green, blue
TO_LOG = (np.log(np.maximum(TO_LINEAR, TO_LINEAR[3])) * DEGREES).astype(np.float32)
LUMINANCE = np.array((0.2126, 0.7152, 0.0722), np.float32)  # ITU-R BT.709
DARK, CLIPPED = 12, 250  # sRGB bytes between which a pixel's colour can be trusted
FEWEST = 500  # trusted pixels below which all are taken
LOOK_SIDE = 256  # px, long side of the size at which colours are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The parts of a small picture that estimators look at; rows are trusted pixels."""

    light: Pixels  # N x 3, linear
    log: Pixels  # N x 3, log light in degrees
    slope: Pixels  # M x 3, gradient magnitude of linear light
    bend: Pixels  # M x 3, Frobenius norm of the second derivatives
    greyness: Pixels  # N: weight of pixels whose local contrast is equal in all channels


def point_of(rgb: NDArray[np.floating]) -> Point:
    """The point of a linear colour."""
    log = np.log(np.maximum(np.asarray(rgb, np.float64), 1e-6)) * DEGREES
    return np.asarray(ACROSS @ log, np.float64)


def points_of_log(log: Pixels) -> Pixels:
    """The points, N x 2, of log light in degrees, N x 3."""
    return np.asarray(log @ ACROSS.T.astype(np.float32), np.float32)


def colour_at(point: Point) -> NDArray[np.float64]:
    """A linear colour with this point and luminance 1."""
    amber, green = np.asarray(point, np.float64) / DEGREES
    rgb = np.exp(np.array((amber, green)) @ ACROSS)
    return np.asarray(rgb / (rgb @ LUMINANCE), np.float64)


def correction(point: Point) -> NDArray[np.float64]:
    """Linear sRGB gains that make a light at this point neutral; a neutral keeps its luminance."""
    gains = 1 / colour_at(point)
    return np.asarray(gains / (gains @ LUMINANCE), np.float64)


def look(rgb: Bytes, *, side: int = LOOK_SIDE, blur: float = 0.0) -> Seen:
    """What estimators need of an sRGB picture: its colours at `side` px, its edges after a Gaussian of `blur` px."""
    small = shrink(rgb, side)
    log = np.asarray(cv2.LUT(small, TO_LOG), np.float32)
    soft = cv2.LUT(rgb, TO_LINEAR)
    if blur:
        soft = cv2.GaussianBlur(soft, (0, 0), blur)
    dx, dy = (_squared(cv2.Sobel(soft, cv2.CV_32F, *order, scale=1 / 8)) for order in ((1, 0), (0, 1)))
    dxx, dyy, dxy = (_squared(cv2.Sobel(soft, cv2.CV_32F, *order, scale=1 / 4)) for order in ((2, 0), (0, 2), (1, 1)))
    slope, bend = cv2.sqrt(dx + dy), cv2.sqrt(dxx + dyy + 4 * dxy)
    colours, edges = _trusted(small, 3), _trusted(rgb, 5)
    return Seen(
        light=_taken(cv2.LUT(small, TO_LINEAR), colours),
        log=_taken(log, colours),
        slope=_taken(slope, edges),
        bend=_taken(bend, edges),
        greyness=_greyness(log).take(colours),
    )


def _squared(values: Any) -> Any:
    return cv2.multiply(values, values)


def _taken(values: Any, where: NDArray[np.int64]) -> Pixels:
    return np.asarray(values.reshape(-1, 3).take(where, axis=0), np.float32)


def _trusted(rgb: Bytes, around: int) -> NDArray[np.int64]:
    """Where pixels are neither dark nor clipped, nor any of `around` x `around` about them; all where few are left."""
    brightest = cv2.max(cv2.max(rgb[..., 0], rgb[..., 1]), rgb[..., 2])
    right = ((brightest < CLIPPED) & (brightest > DARK)).astype(np.uint8)
    kept = np.flatnonzero(cv2.erode(right, np.ones((around, around), np.uint8), borderType=cv2.BORDER_REPLICATE))
    return kept if len(kept) >= FEWEST else np.arange(right.size)


def _greyness(log: Pixels) -> Pixels:
    """Weight of grey pixels: a cast leaves local log contrast as it is; on grey surfaces it is equal in all channels.

    K.-F. Yang, S.-B. Gao, Y.-J. Li: Efficient illuminant estimation for color constancy using grey pixels, CVPR 2015.
    """
    mean = cv2.blur(log, (3, 3))
    contrast = cv2.sqrt(np.maximum(cv2.blur(log * log, (3, 3)) - mean * mean, 0))
    level = contrast @ np.full(3, 1 / 3, np.float32)
    off = contrast - level[..., None]
    share = cv2.sqrt((off * off) @ np.full(3, 1 / 3, np.float32)) / (level + np.float32(1e-3))
    weight = cv2.exp(-share / np.float32(0.08)) * np.minimum(level, 10)
    return np.asarray(np.where(level > 1, weight, 0), np.float32)


# ---------------------------------------------------------------- estimators: Seen -> Point of the light


def grey_world(seen: Seen) -> Point:
    """The mean of all pixels (Buchsbaum 1980)."""
    return point_of(_mean(seen.light))


def shades_of_grey(seen: Seen) -> Point:
    """Minkowski mean with p = 6 (Finlayson and Trezzi 2004)."""
    return point_of(_minkowski(seen.light))


def max_rgb(seen: Seen) -> Point:
    """The 99th percentile of each channel (Land 1977)."""
    return point_of(_quantiles(seen.light, 0.99))


def grey_edge(seen: Seen) -> Point:
    """Minkowski mean with p = 6 of the gradients (van de Weijer, Gevers, Gijsenij 2007)."""
    return point_of(_minkowski(seen.slope))


def grey_edge_2(seen: Seen) -> Point:
    """The same of second derivatives."""
    return point_of(_minkowski(seen.bend))


def mean_edge(seen: Seen) -> Point:
    """The mean gradient: first order, p = 1."""
    return point_of(_mean(seen.slope))


def brightest(seen: Seen) -> Point:
    """The mean of the 3 % brightest unclipped pixels."""
    level = seen.light @ LUMINANCE
    rank = int(len(level) * 0.97)
    return point_of(seen.light[np.argpartition(level, rank)[rank:]].mean(0, dtype=np.float64))


def grey_pixels(seen: Seen) -> Point:
    """The mean of the 0.5 % greyest pixels."""
    rank = max(0, len(seen.greyness) - max(20, len(seen.greyness) // 200))
    return point_of(seen.light[np.argpartition(seen.greyness, rank)[rank:]].mean(0, dtype=np.float64))


CLASSICAL = {
    "grey_world": grey_world,
    "shades_of_grey": shades_of_grey,
    "max_rgb": max_rgb,
    "grey_edge_1": grey_edge,
    "grey_edge_2": grey_edge_2,
}
OTHERS = {"mean_edge": mean_edge, "brightest": brightest, "grey_pixels": grey_pixels}


def white_ends(work: Bytes) -> dict[str, Pixels]:
    """Linear light at which each channel ends, clipped pixels included; reads every other pixel and row.

    White that was clipped before a wrong balance was applied ends below white in the weakened channels. Three of them:
    the quantiles .997 and .9997 of each channel, and the mean of the brightest ten-thousandth of all pixels.
    """
    sparse = planes(work, step=2)
    level = cv2.cvtColor(cv2.merge(sparse), cv2.COLOR_RGB2GRAY)
    counts = [_upto(plane) for plane in sparse]
    top = level >= int(np.searchsorted(_upto(level), 0.9999))
    return {
        "end_997": TO_LINEAR[[int(np.searchsorted(c, 0.997)) for c in counts]],
        "end_9997": TO_LINEAR[[int(np.searchsorted(c, 0.9997)) for c in counts]],
        "end_top": np.array([TO_LINEAR[plane[top]].mean() for plane in sparse], np.float32),
    }


def _upto(plane: Any) -> NDArray[np.float64]:
    """Share of pixels up to each level."""
    counts = cv2.calcHist([plane], [0], None, [256], [0, 256]).ravel().astype(np.float64)
    return np.asarray(np.cumsum(counts) / plane.size, np.float64)


def _mean(values: Pixels) -> NDArray[np.float64]:
    return np.array(cv2.mean(values.reshape(-1, 1, 3))[:3])


def _minkowski(values: Pixels) -> NDArray[np.float64]:
    squares = cv2.multiply(values, values, scale=1 / max(float(cv2.norm(values, cv2.NORM_INF)), 1e-6) ** 2)
    return np.asarray(_mean(squares * squares * squares) ** (1 / 6), np.float64)


def _quantiles(light: Pixels, q: float) -> Pixels:
    rank = min(int(len(light) * q), len(light) - 1)
    return np.array([np.partition(light[:, k], rank)[rank] for k in range(3)], np.float32)


# ---------------------------------------------------------------- reproduction error


def reproduction_error(light: NDArray[np.floating], gains: NDArray[np.floating]) -> float:
    """Degrees between a neutral seen under `light`, corrected by `gains`, and grey (Finlayson and Zakizadeh 2014)."""
    seen = np.asarray(light, np.float64) * np.asarray(gains, np.float64)
    return float(np.degrees(np.arccos(np.clip(seen.sum() / np.linalg.norm(seen) / np.sqrt(3), -1, 1))))
