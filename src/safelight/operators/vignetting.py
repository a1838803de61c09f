"""Vignetting: the light that a lens loses towards the corners, given back, by the profile of a known lens.

The gain belongs to the light as the sensor saw it, so it comes before exposure and colour, and is measured from the
middle of the upright source, wherever the tile or the reduced copy at hand lies in it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight.domain import Because, Measure
from safelight.media.colour import brightest, sparse
from safelight.media.frame import Frame, Pixels
from safelight.media.gains import places
from safelight.operators import Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes
from safelight.operators.lens import SCORES
from safelight.params import declare

LEAST = 0.1  # EV in the corners, below which nothing is done
DARKEST = 0.05  # of the middle's light: no corner is brightened more than this asks
SURPLUS = 1.05  # half diagonals up to which the polynomial holds
OFF = 0.2  # EV between the asked and the measured gain that is a fault
DARK = 1e-4  # light below which a gain cannot be measured


@dataclass(frozen=True, slots=True, kw_only=True)
class VignettingParams:
    """The light that is left at r half diagonals from the middle: 1 + k1 r² + k2 r⁴ + k3 r⁶."""

    k1: float = declare(0.0, low=-4.0, high=4.0, step=0.001)
    k2: float = declare(0.0, low=-8.0, high=8.0, step=0.001)
    k3: float = declare(0.0, low=-8.0, high=8.0, step=0.001)
    amount: float = declare(1.0, low=0.0, high=1.0, step=0.05, help="share of the stops lost that is given back")
    size: tuple[int, int] = declare((0, 0), help="width and height of the upright source in px, whose middle counts")
    profile: str = declare("", help="which lens at which setting, in words")

    def __post_init__(self) -> None:
        if (self.k1 or self.k2 or self.k3) and min(self.size) < 1:
            raise ValueError(f"the size of the source is needed, not {self.size}")


# ---------------------------------------------------------------- propose


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[VignettingParams]]:  # noqa: ARG001
    """One suggestion for each photo whose lens is known and whose corners were certainly not corrected."""
    return [_one(subject) for subject in subjects]


def _one(subject: Subject) -> Suggestion[VignettingParams]:
    found, falloff = subject.facts.get("lens.profile"), subject.facts.get("lens.falloff")
    if found is None:
        return _abstain(subject, "The lens was not looked up.")
    if found.cannot_tell is not None:
        return _abstain(subject, f"{found.cannot_tell[0].upper()}{found.cannot_tell[1:]}.")
    profile: Mapping[str, Any] = found.value  # type: ignore[assignment]
    words = f"{profile['lens']} at {profile['focal_mm']:g} mm and f/{subject.asset.capture.f_number or 0:g}"
    stops = subject.number("lens.falloff")
    if stops is None or not profile["light"]:
        why = falloff.cannot_tell if falloff is not None and falloff.cannot_tell else "not measured"
        return _abstain(subject, f"The corners of the {profile['lens']} are not known: {why}.")
    if stops < LEAST:
        return _nothing(subject, f"{words}: corners are darker by less than {LEAST:.1f} EV.", stops)
    already = subject.facts.get("lens.already")
    state: Mapping[str, Any] = already.value if already and already.value else {}  # type: ignore[assignment]
    corners = state.get("corners")
    if corners is None:
        return _abstain(subject, "The file does not say whether the camera brightened the corners.")
    if corners:
        return _nothing(subject, f"{words}: corrected already, by {state['by']}.", stops)
    k1, k2, k3 = profile["light"]
    size = (subject.asset.width or 0, subject.asset.height or 0)
    if min(size) < 1:
        return _abstain(subject, "The file does not say how large the picture is.")
    params = VignettingParams(k1=k1, k2=k2, k3=k3, size=size, profile=words)
    text = f"Known lens: {words}: the corners are {stops:.1f} EV darker than the middle."
    because = (Because(evidence="lens.falloff", value=stops, text=text, code="vignetting.corners"),)
    return Suggestion(
        member=subject.asset.id, params=params, score=SCORES.get(profile["match"], 0.5), because=because,
        alternatives=(replace(params, amount=0.5),),
    )  # fmt: skip


def _nothing(subject: Subject, text: str, stops: float) -> Suggestion[VignettingParams]:
    because = (Because(evidence="lens.falloff", value=stops, text=text, code="vignetting.nothing"),)
    return Suggestion(member=subject.asset.id, params=VignettingParams(), because=because)


def _abstain(subject: Subject, why: str) -> Suggestion[VignettingParams]:
    return Suggestion(member=subject.asset.id, params=None, cannot_tell=why)


# ---------------------------------------------------------------- render and check


def render(frame: Frame, params: VignettingParams, tools: Tools) -> Frame:  # noqa: ARG001 - needs no kept objects
    """Scene-linear light over the share of it that the lens let through; nothing is clipped."""
    if not (params.k1 or params.k2 or params.k3) or params.amount == 0:
        return frame
    return frame.with_pixels(frame.pixels * over(frame, params)[..., None])


def over(frame: Frame, params: VignettingParams) -> Pixels:
    """What each pixel of the frame is multiplied by, H x W, by its place in the upright source."""
    return np.asarray(gain(*places(frame), params), np.float32)


def gain(x: NDArray[Any], y: NDArray[Any], params: VignettingParams) -> NDArray[Any]:
    """What light is multiplied by at these columns and rows of the upright source."""
    half = math.hypot(params.size[0] / 2, params.size[1] / 2) or 1.0
    across, down = (x - (params.size[0] - 1) / 2) / half, (y - (params.size[1] - 1) / 2) / half
    r2 = np.minimum(across * across + down * down, across.dtype.type(SURPLUS**2))
    light = np.maximum(1 + r2 * (params.k1 + r2 * (params.k2 + r2 * params.k3)), r2.dtype.type(DARKEST))
    return np.asarray(1 / light if params.amount == 1 else light**-params.amount)


def check(before: Frame, after: Frame, params: VignettingParams) -> Sequence[Measure]:
    """Whether corners and middle got the light that was asked, and how much of the picture is newly at white."""
    name = "vignetting.off"
    light, new = brightest(before.pixels), brightest(after.pixels)
    lost = float((new >= 1).mean() - (light >= 1).mean())
    clipped = Measure(name="vignetting.clipped", value=round(max(0.0, lost), 5), unit="share")
    asked = over(before, params) if params.k1 or params.k2 or params.k3 else np.ones_like(light)
    light, new, asked = sparse(light), sparse(new), sparse(asked)
    seen = (light > DARK) & (new > DARK)
    if not seen.any():
        return Measure(name=name, unit="fault", cannot_tell="The picture is black."), clipped
    wrong = np.abs(np.log2(new[seen] / light[seen]) - np.log2(asked[seen]))
    worst = float(np.quantile(wrong, 0.95))
    return Measure(name=name, value=round(min(1.0, worst / OFF / 2), 4), unit="fault"), clipped


def spoil(before: Frame, params: VignettingParams) -> Frame:
    """The corners darkened once more."""
    if not (params.k1 or params.k2 or params.k3):
        params = replace(params, k1=-0.6, size=(before.width, before.height))
    return before.with_pixels(before.pixels / over(before, params)[..., None])


def _corner(params: VignettingParams) -> float:
    """Stops given back in the corners."""
    return -params.amount * float(np.log2(max(1 + params.k1 + params.k2 + params.k3, DARKEST)))


operator: Operator[VignettingParams] = Operator(
    name="vignetting",
    version=1,
    params=VignettingParams,
    risk=Risk(complexity=0.2, cost=0.2),
    stage=Stage.REPAIR,
    rank=20,  # after denoising: the noise model belongs to the light that reached the sensor
    needs=("lens.profile", "lens.falloff", "lens.already"),
    propose=propose,
    render=render,
    check=check,
    gain=gain,
    spoil=spoil,
    material=lambda before, after: abs(_corner(before) - _corner(after)) > 0.15,
    material_when="the corners differ by more than 0.15 EV",
    examples=(
        VignettingParams(k1=-0.5, k2=-0.2, k3=-0.05, size=(48, 36)),
        VignettingParams(k1=-0.6, size=(48, 36), amount=0.5),
    ),
    artefacts=("clipping", "hue_twist", "banding"),
    about="Gives back the light that a known lens loses towards the corners.",
)
