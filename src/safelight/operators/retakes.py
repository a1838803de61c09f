"""Leaves out takes that are said again: the last complete one stays."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from safelight.cutting import NEEDS, Cut, Doubt, Plan, Take, Talk
from safelight.domain import Because
from safelight.operators import Medium, Operator, Risk, Stage, Subject, Suggestion, Wishes, _lifts
from safelight.operators._lifts import Lift
from safelight.params import declare

RULE = "retake"
T = TypeVar("T", Cut, Doubt)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetakesParams:
    """Which takes go; none given means that all stay."""

    cuts: tuple[Lift, ...] = declare((), unit="s", help="stretches of the clip that go, in order")
    open: tuple[str, ...] = declare((), help="names of cuts that nobody has looked at yet, where somebody has begun to")
    stays: tuple[str, ...] = declare((), help="names of doubts that somebody looked at and left as they are")

    def __post_init__(self) -> None:
        _lifts.in_order(self.cuts)


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[RetakesParams]]:  # noqa: ARG001
    """The earlier of two takes, for every clip in which something is said again soon after."""
    found = [_suggest(subject) for subject in subjects]
    return [one for one in found if one is not None]


def _suggest(subject: Subject) -> Suggestion[RetakesParams] | None:
    talk = Talk.of(subject.facts, subject.asset.duration_s)
    if talk is None or isinstance(talk, str):  # what tightening says of such a clip is enough
        return None
    takes = talk.takes()
    if not takes:
        return None
    plan = plan_of(talk, takes)
    because = _lifts.reasons(plan, "words")
    if not plan.cuts:
        why = "Something is said again, but runs into what is said beside it: a person cuts it."
        return Suggestion(member=subject.asset.id, params=None, because=because, cannot_tell=why)
    said = f"{len(takes)} takes are said again; {plan.saved_s:.1f} s go."
    first = Because(evidence="words", value=len(takes), text=said)
    return Suggestion(
        member=subject.asset.id, params=RetakesParams(cuts=_lifts.of_plan(plan)), because=(first, *because)
    )


def plan_of(talk: Talk, takes: Sequence[Take]) -> Plan:
    """The talk without the earlier takes; each cut says what is said again, and how alike the two are."""
    plan = talk.without([take.goes for take in takes], rule=RULE)
    told = {f"{take.goes[0]}-{take.goes[1]}": take for take in takes}
    return replace(
        plan,
        cuts=tuple(_said(c, talk, told) for c in plan.cuts),
        doubts=tuple(_said(d, talk, told) for d in plan.doubts),
    )


def _said(one: T, talk: Talk, told: dict[str, Take]) -> T:
    """With the take that stays beside the one that goes; ranges that were joined have none of their own."""
    take = told.get(str(dict(one.evidence).get("range")))
    if take is None:
        return one
    stays = " ".join(w.text for w in talk.words[slice(*take.stays)])
    how = "broken off, then" if take.broken_off else "then"
    text = f"“{dict(one.evidence)['words']}”, {how} “{stays if len(stays) <= 60 else stays[:57] + '…'}”."
    return replace(one, text=text, evidence=(*one.evidence, ("alike", round(take.alike, 2))))


operator: Operator[RetakesParams] = Operator(
    name="retakes",
    version=1,
    params=RetakesParams,
    risk=Risk(complexity=0.7, cost=0.6),
    stage=Stage.TIME,
    rank=1,
    medium=Medium.TIMELINE,
    margin=None,
    needs=NEEDS,
    propose=propose,
    render=_lifts.render,
    check=_lifts.check,
    spoil=_lifts.spoil,
    material=_lifts.material,
    material_when=_lifts.MATERIAL,
    examples=tuple(RetakesParams(cuts=cuts) for cuts in _lifts.EXAMPLES),
    about="Leaves out takes that are said again; the last complete one stays.",
)
