"""What operators that frame share: ratios, whether a result shows what its geometry says, a render that does not."""

import math

import cv2
import numpy as np

from safelight.domain import Measure
from safelight.media.frame import Frame, Matrix
from safelight.media.warp import Warp, apply

SAMPLES = 64  # a side of the grid of points at which before and after are compared
MEAN = np.full((1, 3), 1 / 3)
FLAT = 1e-4  # spread of luma below which there is nothing to compare


def aspect(ratio: str) -> float:
    """Width over height of a ratio such as 3:2; ValueError for what is none."""
    width, colon, height = ratio.partition(":")
    try:
        sides = float(width), float(height)
    except ValueError:
        sides = 0.0, 0.0
    if not (colon and math.isfinite(sides[0] / sides[1] if sides[1] else math.inf) and min(sides) > 0):
        raise ValueError(f"a ratio looks like 3:2, not {ratio!r}")
    return sides[0] / sides[1]


def misplaced(name: str, before: Frame, after: Frame) -> Measure:
    """How badly the result correlates with what lies at its place in `before`, 0 to 1."""
    x, y = np.meshgrid(np.linspace(0, after.width - 1, SAMPLES), np.linspace(0, after.height - 1, SAMPLES))
    there_x, there_y = sources(before, after, x.ravel(), y.ravel())
    here, there = _luma_at(after, x.ravel(), y.ravel()), _luma_at(before, there_x, there_y)
    if here.std() < FLAT and there.std() < FLAT:
        return Measure(name=name, unit="fault", cannot_tell="The picture is flat.")
    if min(here.std(), there.std()) < FLAT:
        return Measure(name=name, value=1.0, unit="fault")
    return Measure(name=name, value=float(np.clip(1 - np.corrcoef(here, there)[0, 1], 0, 1)), unit="fault")


def sources(before: Frame, after: Frame, x: Matrix, y: Matrix) -> tuple[Matrix, Matrix]:
    """Where places of the result lie in the frame before, by their geometries."""
    back = before.geometry @ np.linalg.inv(after.geometry)
    places = back @ np.stack([x, y, np.ones(x.size)])
    return np.asarray(places[0] / places[2], np.float64), np.asarray(places[1] / places[2], np.float64)


def upside_down(before: Frame, warp: Warp) -> Frame:
    """The right size and geometry over the wrong pixels: the picture is turned by 180 degrees inside."""
    return apply(before.with_pixels(np.ascontiguousarray(before.pixels[::-1, ::-1])), warp)


def _luma_at(frame: Frame, x: Matrix, y: Matrix) -> Matrix:
    values = cv2.remap(
        cv2.transform(frame.pixels, MEAN), x.astype(np.float32)[None], y.astype(np.float32)[None], cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
    )  # fmt: skip
    return np.asarray(np.sqrt(np.clip(values[0], 0, 4)), np.float64)
