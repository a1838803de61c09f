"""Lays the picture of another clip over a join, where a person approves it; the sound stays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from safelight.domain import Because, Measure
from safelight.media.timeline import Cutaway, Timeline
from safelight.operators import Medium, Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes, _marks
from safelight.params import declare
from safelight.words import many

FACT = "cutaways.offered"
MOVED_S = Fraction(1, 2)  # by which a cutaway is another one
FIRST = Cutaway(name="cutaway-60", at=Fraction(3, 2), length=Fraction(2), source="0" * 64, start=Fraction(1, 4))
SECOND = replace(FIRST, name="cutaway-212", at=Fraction(191, 20), start=Fraction(9, 4), title="hands.mov")


@dataclass(frozen=True, slots=True, kw_only=True)
class CutawaysParams:
    """What of other clips lies over the picture, and where; by default nothing does."""

    marks: tuple[Cutaway, ...] = declare(
        (), unit="s", help="cutaways in order: where each begins, how long it lasts, which clip it shows from where on"
    )

    def __post_init__(self) -> None:
        _marks.in_order(self.marks, "cutaway")


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[CutawaysParams]]:  # noqa: ARG001
    """What `safelight cut --cutaway` offered: steady shots of a clip that a person named, each over a jump cut. A run
    chooses none by itself: which picture belongs to what is said is a person's to say."""
    found = [_suggest(subject) for subject in subjects]
    return [one for one in found if one is not None]


def _suggest(subject: Subject) -> Suggestion[CutawaysParams] | None:
    told = subject.facts.get(FACT)
    rows: Any = told.value if told is not None and isinstance(told.value, list) else []
    if not rows:
        return None
    marks = tuple(
        Cutaway(
            name=row["name"], at=Fraction(row["at"]), length=Fraction(row["length"]), source=row["source"],
            start=Fraction(row["start"]), title=row["title"],
        )
        for row in rows
    )  # fmt: skip
    names = ", ".join(dict.fromkeys(mark.title for mark in marks))
    said = f"{many(len(marks), 'jump cut')} can be covered by steady shots of {names}; the sound stays."
    because = (Because(evidence=FACT, value=len(marks), text=said), *(_reason(row) for row in rows))
    return Suggestion(member=subject.asset.id, params=CutawaysParams(marks=marks), because=because)


def _reason(row: Mapping[str, Any]) -> Because:
    """Which jump it covers, with which steady stretch of which clip."""
    still, over = [float(Fraction(s)) for s in row["steady"]], [float(Fraction(s)) for s in row["over"]]
    at, length, start = (float(Fraction(row[name])) for name in ("at", "length", "start"))
    text = (
        f"From {at:.2f} s on for {length:.1f} s, over the jump from {over[0]:.2f} to {over[1]:.2f} s: "
        f"{row['title']} from {start:.2f} s, which keeps still from {still[0]:.2f} to {still[1]:.2f} s."
    )
    return Because(evidence=FACT, value=dict(row), code="cutaway", text=text)


def render(timeline: Timeline, params: CutawaysParams, tools: Tools) -> Timeline:  # noqa: ARG001
    """The timeline with these cutaways over it; what is heard, and its length, are the same."""
    return replace(timeline, cutaways=params.marks)


def check(before: Timeline, after: Timeline, params: CutawaysParams) -> Sequence[Measure]:
    """Whether what is heard is the same, and the cutaways are those that were asked for."""
    return _marks.check(before, after, operator.name, cutaways=params.marks)


def spoil(before: Timeline, params: CutawaysParams) -> Timeline:
    """The last cutaway is forgotten; where there is none, there is one that nobody asked for."""
    return replace(before, cutaways=_marks.forgotten(params.marks, FIRST))


def material(one: CutawaysParams, two: CutawaysParams) -> bool:
    """Whether one shows a cutaway that the other does not: of that clip, and within 0.5 s in place, length and
    start."""
    return _marks.differ(one.marks, two.marks, _same)


def _same(one: Cutaway, two: Cutaway) -> bool:
    moves = (one.at - two.at, one.length - two.length, one.start - two.start)
    return one.source == two.source and all(abs(move) <= MOVED_S for move in moves)


operator: Operator[CutawaysParams] = Operator(
    name="cutaways",
    version=1,
    params=CutawaysParams,
    risk=Risk(complexity=0.7, cost=0.4),
    stage=Stage.MARK,
    rank=10,
    medium=Medium.TIMELINE,
    margin=None,
    needs=(FACT,),
    propose=propose,
    render=render,
    check=check,
    spoil=spoil,
    material=material,
    material_when="a cutaway is added, left out, of another clip, or differs by more than 0.5 s in place or length",
    examples=(CutawaysParams(marks=(FIRST,)), CutawaysParams(marks=(FIRST, SECOND))),
    about="Lays the picture of another clip over a join; the sound stays.",
)
