"""Straightens and crops, with one resampling at most."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from safelight.domain import Measure
from safelight.media.frame import Frame, Matrix, moving
from safelight.media.warp import Warp, apply
from safelight.operators import Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes
from safelight.operators._framing import misplaced, upside_down
from safelight.params import declare

WHOLE = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CropParams:
    """The part that stays, and how far the picture turns.

    The picture turns about the centre of the box. Where a corner of the box would then lie outside the picture, the
    box shrinks about its centre until all of it is filled; its aspect stays.
    """

    box: tuple[float, float, float, float] = declare(
        WHOLE, low=0.0, high=1.0, step=0.001, help="left, top, right, bottom as shares of the upright picture"
    )
    angle: float = declare(
        0.0, low=-45.0, high=45.0, step=0.1, unit="degrees", help="how far the picture turns, clockwise is positive"
    )
    ratio: str = declare("", help="width to height that the result must have, such as 3:2; empty for free")

    def __post_init__(self) -> None:
        left, top, right, bottom = self.box
        if not (left < right and top < bottom):
            raise ValueError(f"the box runs from left to right and from top to bottom, not {self.box}")
        if self.ratio:
            _aspect(self.ratio)


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[CropParams]]:  # noqa: ARG001
    """Nothing: people say what to crop."""
    return ()


def render(frame: Frame, params: CropParams, tools: Tools) -> Frame:  # noqa: ARG001 - needs no kept objects
    """The box, cut out exactly where nothing turns, else resampled once."""
    return frame if params == CropParams() else apply(frame, warp(frame.width, frame.height, params))


def warp(width: int, height: int, params: CropParams) -> Warp:
    """Where the result's pixels come from in a picture of this size."""
    return Warp.forward(*placement(params, width, height))


def placement(params: CropParams, width: int, height: int) -> tuple[Matrix, tuple[int, int]]:
    """The matrix from pixel centres of a picture of this size to those of the result, and the result's size in px."""
    if params.angle == 0:
        x0, y0, x1, y1 = _whole_pixels(params, width, height)
        return moving(-x0, -y0), (x1 - x0, y1 - y0)
    left, top, right, bottom = params.box
    centre = np.array([(left + right) / 2 * width, (top + bottom) / 2 * height])
    half = np.array([(right - left) / 2 * width, (bottom - top) / 2 * height])
    cos, sin = math.cos(math.radians(params.angle)), math.sin(math.radians(params.angle))
    reach = np.array([abs(cos) * half[0] + abs(sin) * half[1], abs(sin) * half[0] + abs(cos) * half[1]])
    room = np.minimum(centre, np.array([width, height]) - centre)
    half = half * min(1.0, float((room / reach).min()))
    size = max(1, math.floor(2 * half[0] + 1e-6)), max(1, math.floor(2 * half[1] + 1e-6))
    turn = np.array([[cos, -sin], [sin, cos]])
    offset = np.array([size[0] / 2, size[1] / 2]) - 0.5 - turn @ (centre - 0.5)  # edges to pixel centres
    return np.vstack([np.column_stack([turn, offset]), [0.0, 0.0, 1.0]]), size


def _whole_pixels(params: CropParams, width: int, height: int) -> tuple[int, int, int, int]:
    left, top, right, bottom = params.box
    x0, y0 = min(round(left * width), width - 1), min(round(top * height), height - 1)
    return x0, y0, max(x0 + 1, round(right * width)), max(y0 + 1, round(bottom * height))


# ---------------------------------------------------------------- check


def check(before: Frame, after: Frame, params: CropParams) -> Sequence[Measure]:
    """Whether size and ratio are as asked, and whether the result shows what its geometry says."""
    _, size = placement(params, before.width, before.height)
    measures = [
        Measure(name="crop.wrong_size", value=float((after.width, after.height) != size), unit="fault"),
        misplaced("crop.misplaced", before, after),
    ]
    if params.ratio:
        width = _aspect(params.ratio) * after.height
        off = abs(after.width - width) / max(2.0, 0.01 * width)  # one per cent or two pixels
        measures.append(Measure(name="crop.wrong_ratio", value=min(1.0, off / 2), unit="fault"))
    return measures


def spoil(before: Frame, params: CropParams) -> Frame:
    """The right size and geometry over the wrong pixels: the picture is turned by 180 degrees inside."""
    return upside_down(before, warp(before.width, before.height, params))


def _aspect(ratio: str) -> float:
    width, colon, height = ratio.partition(":")
    try:
        sides = float(width), float(height)
    except ValueError:
        sides = 0.0, 0.0
    if not (colon and min(sides) > 0):
        raise ValueError(f"a ratio looks like 3:2, not {ratio!r}")
    return sides[0] / sides[1]


operator: Operator[CropParams] = Operator(
    name="crop",
    version=1,
    params=CropParams,
    risk=Risk(complexity=0.5, cost=0.4),
    stage=Stage.FRAMING,
    rank=20,
    margin=None,
    propose=propose,
    render=render,
    warp=warp,
    check=check,
    spoil=spoil,
    material=lambda before, after: (
        abs(before.angle - after.angle) >= 0.5
        or any(abs(a - b) >= 0.02 for a, b in zip(before.box, after.box, strict=True))
    ),
    examples=(
        CropParams(box=(0.1, 0.2, 0.9, 0.8)),
        CropParams(angle=2.5),
        CropParams(box=(0.0, 0.0, 0.6, 1.0), angle=-7.0),
    ),
    about="Straightens and crops; masks drawn before keep their place.",
)
