"""Lets the sound of a join lead its picture (a J cut) or trail it (an L cut), where a person approves it."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

from safelight.cutting import NEEDS, PACES, Spoken, Talk, leads
from safelight.cutting.leads import Filmed, Lead
from safelight.cutting.pieces import Piece
from safelight.domain import Because, Measure, exact
from safelight.media.runs import rest
from safelight.media.timeline import Split, Timeline
from safelight.operators import Medium, Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes, _marks
from safelight.params import declare
from safelight.words import many

MOVED_S, ROLLED_S = Fraction(1, 2), Fraction(3, 25)  # by which a split is another one
PACE = "balanced"
FIRST = Split(name="split-60", at=Fraction(13, 5), by=Fraction(8, 25))
SECOND = Split(name="split-212", at=Fraction(191, 20), by=Fraction(-6, 25))


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitParams:
    """At which joins the picture is rolled away from the sound; by default at none."""

    marks: tuple[Split, ...] = declare(
        (), unit="s", help="joins by what is heard after them, in order; above 0 the sound leads, below it trails"
    )

    def __post_init__(self) -> None:
        _marks.in_order(self.marks, "join")


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[SplitParams]]:  # noqa: ARG001
    """J cuts at joins that a run proposes: where another voice answers in another shot, or, where voices are not told
    apart, where a passage of more than 15 s further begins in another shot. L cuts are never proposed: reactions are
    not measured."""
    found = [_suggest(subject) for subject in subjects]
    return [one for one in found if one is not None]


def _suggest(subject: Subject) -> Suggestion[SplitParams] | None:
    talk = Talk.of(subject.facts, subject.asset.duration_s)
    if not isinstance(talk, Talk) or not talk.joins:
        return None
    filmed = Filmed(rate=talk.rate, length=talk.length, spoken=Spoken.of(talk.words), shots=talk.joins)
    found = [
        (two.start, lead) for one, two in pairwise(_pieces(subject, talk))
        if (lead := leads.lead(filmed, one, filmed, two, same=True)) is not None
    ]  # fmt: skip
    if not found:
        return None
    said = (
        f"At {many(len(found), 'join')} between two shots the picture may change after the sound. Sound, words and "
        "length stay as they are."
    )
    return Suggestion(
        member=subject.asset.id,
        params=SplitParams(marks=tuple(_split(start, lead, talk.rate) for start, lead in found)),
        because=(
            Because(evidence="words", value=len(found), text=said),
            *(_reason(start, lead, talk) for start, lead in found),
        ),
    )


def _pieces(subject: Subject, talk: Talk) -> list[Piece]:
    """What is left to play, by all that a run proposes to take out."""
    gone = [(c.start, c.end) for c in talk.tightened(PACES[PACE]).cuts]
    gone += [(c.start, c.end) for c in talk.without([take.goes for take in talk.takes()]).cuts]
    chosen = subject.facts.get("sentences.chosen")
    value: Any = chosen.value if chosen is not None and isinstance(chosen.value, dict) else {"sentences": ()}
    gone += [(row["frames"][0], row["frames"][1]) for row in value["sentences"] if not row["taken"]]
    return [Piece(clip=0, start=start, end=end) for start, end in rest(gone, talk.length)]


def _split(start: int, lead: Lead, rate: Fraction) -> Split:
    return Split(name=f"split-{start}", at=lead.word.start, by=lead.by / rate)


def _reason(start: int, lead: Lead, talk: Talk) -> Because:
    """What speaks for one, with the shots on either side, by number from 1."""
    shot = bisect_right(talk.joins, start) + 1
    ahead = lead.by / talk.rate - lead.gap_s
    who = (
        f"“{lead.word.text}” at {float(lead.word.start):.1f} s is said by another voice than “{lead.before.text}”"
        if lead.before is not None
        else f"A passage from elsewhere begins with “{lead.word.text}” at {float(lead.word.start):.1f} s"
    )
    text = (
        f"{who}, in another shot ({shot}). With the picture {float(lead.by / talk.rate):.2f} s after the join it is "
        f"heard {float(ahead):.2f} s before it is seen; nobody speaks in the picture that is held."
    )
    value = {"frame": start, "by": lead.by, "at": exact(lead.word.start), "shot": shot}
    return Because(evidence="shots", value=value, code="split", text=text)


def render(timeline: Timeline, params: SplitParams, tools: Tools) -> Timeline:  # noqa: ARG001
    """The timeline with these joins rolled; what is heard is the same."""
    return replace(timeline, splits=params.marks)


def check(before: Timeline, after: Timeline, params: SplitParams) -> Sequence[Measure]:
    """Whether what is heard is the same, and the joins are those that were asked for."""
    return _marks.check(before, after, operator.name, splits=params.marks)


def spoil(before: Timeline, params: SplitParams) -> Timeline:
    """The last join is forgotten; where there is none, there is one that nobody asked for."""
    return replace(before, splits=_marks.forgotten(params.marks, FIRST))


def material(one: SplitParams, two: SplitParams) -> bool:
    """Whether one rolls a join that the other does not within 0.5 s, the other way, or by more than 0.12 s else."""
    return _marks.differ(one.marks, two.marks, _same)


def _same(one: Split, two: Split) -> bool:
    return abs(one.at - two.at) <= MOVED_S and abs(one.by - two.by) <= ROLLED_S


operator: Operator[SplitParams] = Operator(
    name="split",
    version=1,
    params=SplitParams,
    risk=Risk(complexity=0.6, cost=0.3),
    stage=Stage.MARK,
    rank=9,
    medium=Medium.TIMELINE,
    margin=None,
    needs=(*NEEDS, "sentences.chosen"),
    propose=propose,
    render=render,
    check=check,
    spoil=spoil,
    material=material,
    material_when="a join is rolled or not, by more than 0.12 s more or less, or lies more than 0.5 s off",
    examples=(SplitParams(marks=(FIRST,)), SplitParams(marks=(FIRST, SECOND))),
    about="Lets the sound of a join lead its picture (J cut) or trail it (L cut).",
)
