"""Brings a shot to the look of a hero shot of the same place by ten numbers, an ASC CDL."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from safelight.domain import Because, Measure
from safelight.media.effects import CDL, Effect
from safelight.media.timeline import Timeline
from safelight.operators import Medium, Operator, Risk, Stage, Subject, Suggestion, Wishes, _effects
from safelight.params import declare

NAME = "grade"
DIGITS = 6  # as lists and CDL files keep them
MATERIAL = 0.03  # display values, by which some colour comes out otherwise
PROBES = np.stack(np.meshgrid(*[np.linspace(0.1, 0.9, 4)] * 3, indexing="ij"), -1).reshape(-1, 3)
NEUTRAL, NONE = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeParams:
    """An ASC CDL in display values, R, G, B each; by default it changes nothing."""

    slope: tuple[float, float, float] = declare(NEUTRAL, low=0.0, high=10.0, help="times as bright")
    offset: tuple[float, float, float] = declare(NONE, low=-1.0, high=1.0, help="brighter or darker by so much")
    power: tuple[float, float, float] = declare(NEUTRAL, low=0.1, high=10.0, help="exponent after both")
    saturation: float = declare(1.0, low=0.0, high=4.0, step=0.01, help="times as colourful, at last")

    @property
    def cdl(self) -> CDL:
        """The same as it is rendered."""
        return CDL(slope=self.slope, offset=self.offset, power=self.power, saturation=self.saturation)

    @property
    def effect(self) -> Effect | None:
        """What is to be done; None for nothing."""
        return None if self == GradeParams() else Effect(name=NAME, settings=self.cdl)


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[GradeParams]]:  # noqa: ARG001
    """The grade that brings a shot to the hero that a person chose (`safelight match`); none where nobody did."""
    found = [_suggest(subject) for subject in subjects]
    return [one for one in found if one is not None]


def _suggest(subject: Subject) -> Suggestion[GradeParams] | None:
    told = subject.facts.get("shot.matched")
    if told is None:
        return None
    if told.cannot_tell is not None:
        return Suggestion(member=subject.asset.id, params=None, cannot_tell=told.cannot_tell)
    value: Any = told.value
    if value["cdl"] is None:
        return None
    cdl = value["cdl"]
    params = GradeParams(
        slope=_rounded(cdl["slope"]), offset=_rounded(cdl["offset"]), power=_rounded(cdl["power"]),
        saturation=round(cdl["saturation"], DIGITS),
    )  # fmt: skip
    text = (
        f"Beside {value['hero']}: ΔE00 {value['before']:.1f} becomes {value['after']:.1f} over what both show "
        f"({value['share']:.0%} of the picture), on places that the grade was not fitted on."
    )
    because = Because(evidence="shot.matched", value=round(value["before"] - value["after"], 2), text=text)
    return Suggestion(member=subject.asset.id, params=params, because=(because,))


def _rounded(values: Sequence[float]) -> tuple[float, float, float]:
    red, green, blue = (round(float(v), DIGITS) for v in values)
    return red, green, blue


def check(before: Timeline, after: Timeline, params: GradeParams) -> Sequence[Measure]:
    """Whether the same plays, and every clip has the grade that was asked for. How near it comes to the hero was
    measured when it was fitted."""
    return _effects.check(before, after, params.effect, NAME)


def spoil(before: Timeline, params: GradeParams) -> Timeline:
    """The last clip is forgotten, or, where nothing was asked, turned grey."""
    if params.effect is None:
        return _effects.put(before, Effect(name=NAME, settings=CDL(saturation=0.0)))
    return _effects.without(_effects.put(before, params.effect), NAME)


def material(one: GradeParams, two: GradeParams) -> bool:
    """Whether some colour comes out by more than 0.03 of display white otherwise."""
    return bool(np.abs(one.cdl(PROBES) - two.cdl(PROBES)).max() > MATERIAL)


operator: Operator[GradeParams] = Operator(
    name=NAME,
    version=1,
    params=GradeParams,
    risk=Risk(complexity=0.6, cost=0.4),
    stage=Stage.EFFECT,
    rank=2,
    medium=Medium.TIMELINE,
    margin=None,
    needs=("shot.matched",),
    propose=propose,
    render=_effects.render,
    check=check,
    spoil=spoil,
    material=material,
    material_when="some colour comes out by more than 0.03 of display white otherwise",
    examples=(
        GradeParams(slope=(1.12, 1.0, 0.91), offset=(0.01, 0.0, -0.01), power=(0.95, 1.0, 1.03), saturation=0.9),
        GradeParams(saturation=1.2),
    ),
    about="Brings a shot to the look of a hero shot of the same place, as an ASC CDL.",
)
