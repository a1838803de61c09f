"""A gentle contrast around mid-grey: a complete small operator, and the text of the tutorial.

Copy this file, give the operator a name of its own, and register it under the entry point group
`safelight.operators`. `safelight.contract.check_operator` then says whether all promises hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from safelight.domain import Because, Measure
from safelight.media.frame import Frame, Pixels
from safelight.operators import Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes
from safelight.params import declare

MID_GREY = 0.18  # of display white: stays where it is
LUMINANCE = (0.2627, 0.6780, 0.0593)  # of linear Rec.2020, ITU-R BT.2020
FLAT = 0.17  # standard deviation of sRGB-encoded luma: below, a daylight picture looks flat
LOST = 0.02  # this share of pixels newly lost in black or white is a fault


# 1. Params: a frozen dataclass whose defaults change nothing. JSON, command line, form and manual page follow from it.
@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateParams:
    """How much contrast."""

    strength: float = declare(
        0.0, low=-1.0, high=1.0, step=0.05, help="positive for more contrast, negative for less, 0 for none"
    )


# 2. Propose: evidence in, one suggestion for each subject out. Where the evidence is missing, say so.
def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[TemplateParams]]:  # noqa: ARG001
    """More contrast for flat pictures, nothing for others."""
    return [_suggest(subject) for subject in subjects]


def _suggest(subject: Subject) -> Suggestion[TemplateParams]:
    spread = subject.number("template.spread")
    if spread is None:
        reason = "Nobody measured how flat the picture is."
        return Suggestion(member=subject.asset.id, params=None, cannot_tell=reason)
    strength = round(max(0.0, 1 - spread / FLAT) / 2, 2)
    text = f"Luma spreads by {spread:.2f}" + (", which is flat." if strength else ", which is enough.")
    because = Because(evidence="template.spread", value=spread, text=text)
    return Suggestion(
        member=subject.asset.id,
        params=TemplateParams(strength=strength),
        score=0.5,
        because=(because,),
        alternatives=(TemplateParams(),) if strength else (),
    )


# 3. Render: frame in, frame out, in scene-linear light. No input or output, no clipping, no randomness.
def render(frame: Frame, params: TemplateParams, tools: Tools) -> Frame:  # noqa: ARG001 - needs no kept objects
    """A power of luminance around mid-grey; the colour of each pixel stays, since all channels share one gain."""
    if params.strength == 0:
        return frame
    light = _luminance(frame)
    exponent = np.float32(2.0 ** (params.strength / 2) - 1)
    gain = np.clip(light / np.float32(MID_GREY), np.float32(1 / 64), np.float32(64)) ** exponent
    return frame.with_pixels(frame.pixels * gain[..., None])


# 4. Check: before and after in, evidence out. Faults run from 0 (none) to 1 (certain); 0.5 and more is a finding.
def check(before: Frame, after: Frame, params: TemplateParams) -> Sequence[Measure]:  # noqa: ARG001
    """How much was lost in black or white that was not lost before."""
    lost = _lost(after) - _lost(before)
    return (Measure(name="template.lost", value=float(np.clip(lost / LOST / 2, 0, 1)), unit="fault"),)


# 5. Spoil: a render that is wrong on purpose. The contract suite demands that `check` notices it.
def spoil(before: Frame, params: TemplateParams) -> Frame:  # noqa: ARG001
    """Far too much contrast: nearly everything ends in black or white."""
    return before.with_pixels((before.pixels - np.float32(MID_GREY)) * np.float32(1000))


def _luminance(frame: Frame) -> Pixels:
    return np.asarray(cv2.transform(frame.pixels, np.array([LUMINANCE])), np.float32).reshape(frame.pixels.shape[:2])


def _lost(frame: Frame) -> float:
    light = _luminance(frame)
    return float(((light <= 0) | (light >= 1)).mean())


# 6. The operator is a value: its facts and the functions above. The entry point names this variable.
operator: Operator[TemplateParams] = Operator(
    name="template",
    version=1,  # one more whenever the output changes
    params=TemplateParams,
    risk=Risk(complexity=0.1, cost=0.2),
    stage=Stage.LOOK,
    needs=("template.spread",),
    pointwise=True,
    propose=propose,
    render=render,
    check=check,
    spoil=spoil,
    material=lambda before, after: abs(before.strength - after.strength) >= 0.2,
    material_when="the strength differs by 0.2 or more of full strength",
    examples=(TemplateParams(strength=0.3), TemplateParams(strength=-0.5)),
    about="Gives a flat picture a little more contrast around mid-grey.",
)
