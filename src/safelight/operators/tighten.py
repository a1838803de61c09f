"""Shortens pauses of a talk where words and levels agree that nobody speaks."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from safelight.cutting import NEEDS, PACES, Talk
from safelight.domain import Because
from safelight.operators import Medium, Operator, Risk, Stage, Subject, Suggestion, Wishes, _lifts
from safelight.operators._lifts import Lift
from safelight.params import declare
from safelight.words import many


class Pace(StrEnum):
    """How much of a pause stays."""

    NATURAL = "natural"
    BALANCED = "balanced"
    FAST = "fast"


@dataclass(frozen=True, slots=True, kw_only=True)
class TightenParams:
    """Which pauses lose their middle, and for which pace they were chosen; none given means that all stay."""

    pace: Pace = declare(  # noqa: RUF009 - members of an enumeration never change
        Pace.BALANCED, help="what the cuts were chosen for; the cuts say what goes"
    )
    cuts: tuple[Lift, ...] = declare((), unit="s", help="stretches of the clip that go, in order")
    open: tuple[str, ...] = declare((), help="names of cuts that nobody has looked at yet, where somebody has begun to")
    stays: tuple[str, ...] = declare((), help="names of doubts that somebody looked at and left as they are")

    def __post_init__(self) -> None:
        _lifts.in_order(self.cuts)


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[TightenParams]]:  # noqa: ARG001
    """Shorter pauses for every clip in which somebody speaks, at an even pace; the two other paces beside it."""
    found = [_suggest(subject) for subject in subjects]
    return [one for one in found if one is not None]


def _suggest(subject: Subject) -> Suggestion[TightenParams] | None:
    talk = Talk.of(subject.facts, subject.asset.duration_s)
    if talk is None:
        return None
    if isinstance(talk, str):
        return Suggestion(member=subject.asset.id, params=None, cannot_tell=talk)
    plan = talk.tightened(PACES[Pace.BALANCED])
    if not plan.cuts and not plan.doubts:
        return None
    params, *others = (
        TightenParams(pace=pace, cuts=_lifts.of_plan(talk.tightened(PACES[pace])))
        for pace in (Pace.BALANCED, Pace.NATURAL, Pace.FAST)
    )
    pauses = many(len(plan.cuts), "pause loses", "pauses lose")
    said = f"{pauses} {plan.saved_s:.1f} s of {float(plan.length / plan.rate):.1f} s."
    because = (
        Because(evidence="quiet", value=round(plan.saved_s, 3), text=said),
        *(Because(evidence="quiet", value=None, text=note) for note in plan.notes),
        *_lifts.reasons(plan, "quiet"),
    )
    if not plan.cuts:
        return Suggestion(
            member=subject.asset.id,
            params=None,
            because=because,
            cannot_tell="No pause is sure enough to be shortened.",
        )
    return Suggestion(member=subject.asset.id, params=params, because=because, alternatives=tuple(others))


operator: Operator[TightenParams] = Operator(
    name="tighten",
    version=1,
    params=TightenParams,
    risk=Risk(complexity=0.5, cost=0.5),
    stage=Stage.TIME,
    medium=Medium.TIMELINE,
    margin=None,
    needs=NEEDS,
    propose=propose,
    render=_lifts.render,
    check=_lifts.check,
    spoil=_lifts.spoil,
    material=_lifts.material,
    material_when=_lifts.MATERIAL,
    examples=tuple(TightenParams(cuts=cuts) for cuts in _lifts.EXAMPLES),
    about="Shortens pauses of a talk where words and levels agree that nobody speaks.",
)
