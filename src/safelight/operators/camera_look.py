"""A raw's base rendering: the camera's own colours and contrast, so that the first picture looks like the camera's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from safelight.domain import Because, Measure
from safelight.media.colour import SRGB_FROM_REC2020, brightest
from safelight.media.frame import Frame
from safelight.media.look import KNOTS, NO_CURVE, NO_MATRIX, TOP, apply_look
from safelight.operators import Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes
from safelight.params import declare

LOST = 0.1  # this share of pixels newly lost in black or white is a fault; cameras clip less
CLOSE = 4.0  # mean ΔE00 to the camera's picture that people take for the same rendering
MATERIAL = 0.04  # of encoded values at any knot, or of any matrix entry


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraLookParams:
    """A colour matrix on linear light of sRGB's primaries, then a tone curve on sRGB-encoded values."""

    matrix: tuple[float, ...] = declare(
        NO_MATRIX, low=-4.0, high=4.0, help="nine numbers, row by row; rows that sum to 1 keep grey grey"
    )
    curve: tuple[float, ...] = declare(
        NO_CURVE, low=-1.0, high=3.0, help=f"{KNOTS} rising values at equal distances from 0 to {TOP}"
    )

    def __post_init__(self) -> None:
        if len(self.matrix) != 9 or len(self.curve) != KNOTS:
            raise ValueError(f"needs 9 matrix entries and {KNOTS} curve values")
        if any(after < before for before, after in zip(self.curve, self.curve[1:], strict=False)):
            raise ValueError("the curve must not fall")


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[CameraLookParams]]:  # noqa: ARG001
    """The fitted look for every raw whose camera left a preview; nothing for other files."""
    return [_suggest(subject) for subject in subjects if "raw.look" in subject.facts]


def _suggest(subject: Subject) -> Suggestion[CameraLookParams]:
    found, error = subject.facts["raw.look"], subject.number("raw.look.error")
    params = _params(found.value)
    if params is None or error is None:
        reason = found.cannot_tell or "The camera's rendering was not measured."
        return Suggestion(member=subject.asset.id, params=None, cannot_tell=reason)
    text = f"Rendered like the camera's own picture, from which it differs by ΔE00 {error:.1f} on average."
    return Suggestion(
        member=subject.asset.id,
        params=params,
        score=float(np.clip(1 - error / CLOSE / 4, 0, 1)),
        because=(Because(evidence="raw.look.error", value=error, text=text),),
        alternatives=(CameraLookParams(),),
    )


def _params(value: Any) -> CameraLookParams | None:
    if not isinstance(value, Mapping):
        return None
    return CameraLookParams(matrix=tuple(value["matrix"]), curve=tuple(value["curve"]))


def render(frame: Frame, params: CameraLookParams, tools: Tools) -> Frame:  # noqa: ARG001 - needs no kept objects
    """Matrix, then curve; light beyond the curve's ends goes on with slope 1."""
    if params == CameraLookParams():
        return frame
    return frame.with_pixels(apply_look(frame.pixels, params.matrix, params.curve))


def check(before: Frame, after: Frame, params: CameraLookParams) -> Sequence[Measure]:  # noqa: ARG001
    """How much was lost in black or white that was not lost before."""
    lost = _lost(after) - _lost(before)
    return (Measure(name="camera_look.lost", value=float(np.clip(lost / LOST / 2, 0, 1)), unit="fault"),)


def _lost(frame: Frame) -> float:
    light = brightest(cv2.transform(frame.pixels, SRGB_FROM_REC2020))
    return float(((light <= 0) | (light >= 1)).mean())


def spoil(before: Frame, params: CameraLookParams) -> Frame:  # noqa: ARG001
    """So steep a curve that nearly everything ends in black or white."""
    return before.with_pixels((before.pixels - np.float32(0.18)) * np.float32(1000))


def material(before: CameraLookParams, after: CameraLookParams) -> bool:
    """Whether colours or tones differ visibly."""
    pairs = zip(before.matrix + before.curve, after.matrix + after.curve, strict=True)
    return max(abs(a - b) for a, b in pairs) >= MATERIAL


_SOFT_CONTRAST = tuple(
    round(float(x + 0.12 * (x - 0.5) * (1 - abs(2 * x - 1)) if x < 1 else x), 6) for x in np.linspace(0, TOP, KNOTS)
)

operator: Operator[CameraLookParams] = Operator(
    name="camera_look",
    version=1,
    params=CameraLookParams,
    risk=Risk(complexity=0.1, cost=0.1),
    stage=Stage.BASE,
    needs=("raw.look", "raw.look.error"),
    pointwise=True,
    propose=propose,
    render=render,
    check=check,
    spoil=spoil,
    material=material,
    material_when="any value of the matrix or the curve differs by 0.04 or more of encoded white",
    examples=(
        CameraLookParams(matrix=(1.08, -0.05, -0.03, -0.02, 1.05, -0.03, -0.02, -0.06, 1.08), curve=_SOFT_CONTRAST),
        CameraLookParams(curve=tuple(round(x * 0.9, 6) for x in NO_CURVE)),
    ),
    about="Renders a raw with the colours and the contrast of the camera's own picture of it.",
)
