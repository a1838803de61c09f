"""Marks where chapters of a talk begin: sentences after a long pause, with their first words as titles."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from safelight.cutting import word_of
from safelight.cutting.chapters import CHAPTER_S, PAUSE_S, Begin, begins
from safelight.domain import Because, Measure, exact
from safelight.media.timeline import Chapter, Timeline
from safelight.operators import Medium, Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes, _marks
from safelight.params import declare
from safelight.words import many

FEWER_S = 3 * CHAPTER_S  # a chapter lasts so long, as an alternative
MOVED_S = Fraction(2)  # by which a mark is another one
FIRST = Chapter(name="chapter-0", at=Fraction(1, 2), title="Good morning.")
SECOND = Chapter(name="chapter-212", at=Fraction(191, 2), title="We begin with bread")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaptersParams:
    """Where chapters begin, and what they are called; by default there are none."""

    marks: tuple[Chapter, ...] = declare((), unit="s", help="where chapters begin, in order, with their titles")

    def __post_init__(self) -> None:
        _marks.in_order(self.marks, "chapter")


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[ChaptersParams]]:  # noqa: ARG001
    """The first words of a talk, and sentences after a pause of 1.5 s or more, a minute or more apart; fewer beside it.
    A talk that has one chapter is offered none."""
    found = [_suggest(subject) for subject in subjects]
    return [one for one in found if one is not None]


def _suggest(subject: Subject) -> Suggestion[ChaptersParams] | None:
    told = subject.facts.get("words")
    value: Any = told.value if told is not None else None
    if not isinstance(value, dict) or not value["whole"]:
        return None
    words = [word_of(row) for row in value["words"]]
    every, fewer = begins(words), begins(words, least_s=FEWER_S)
    if len(every) < 2:
        return None
    said = (
        f"{many(len(every), 'chapter')}: sentences after a pause of {float(PAUSE_S):g} s or more, at least "
        f"{CHAPTER_S} s after the one before. What they are about is a person's to say."
    )
    others = (_params(fewer),) if 2 <= len(fewer) < len(every) else ()
    return Suggestion(
        member=subject.asset.id, params=_params(every), alternatives=others,
        because=(Because(evidence="words", value=len(every), text=said), *(_reason(one) for one in every)),
    )  # fmt: skip


def _params(found: Sequence[Begin]) -> ChaptersParams:
    return ChaptersParams(
        marks=tuple(Chapter(name=f"chapter-{one.word}", at=one.at, title=one.title) for one in found)
    )  # fmt: skip


def _reason(one: Begin) -> Because:
    how = "is how it begins" if one.pause_s is None else f"follows a pause of {float(one.pause_s):.1f} s"
    pause_s = None if one.pause_s is None else round(float(one.pause_s), 2)
    value = {"word": one.word, "at": exact(one.at), "pause_s": pause_s}
    return Because(
        evidence="words", value=value, code="chapter", text=f"“{one.title}” at {float(one.at):.1f} s {how}."
    )  # fmt: skip


def render(timeline: Timeline, params: ChaptersParams, tools: Tools) -> Timeline:  # noqa: ARG001
    """The timeline with these chapters; what plays is the same."""
    return replace(timeline, chapters=params.marks)


def check(before: Timeline, after: Timeline, params: ChaptersParams) -> Sequence[Measure]:
    """Whether what plays is the same, and the chapters are those that were asked for."""
    return _marks.check(before, after, operator.name, chapters=params.marks)


def spoil(before: Timeline, params: ChaptersParams) -> Timeline:
    """The last chapter is lost; where there is none, there is one that nobody set."""
    return replace(before, chapters=_marks.forgotten(params.marks, FIRST))


def material(one: ChaptersParams, two: ChaptersParams) -> bool:
    """Whether one has a chapter that the other has not within 2 s. Titles are taste."""
    return _marks.differ(one.marks, two.marks, lambda mark, other: abs(mark.at - other.at) <= MOVED_S)


operator: Operator[ChaptersParams] = Operator(
    name="chapters",
    version=1,
    params=ChaptersParams,
    risk=Risk(complexity=0.5, cost=0.2),
    stage=Stage.MARK,
    rank=8,
    medium=Medium.TIMELINE,
    margin=None,
    needs=("words",),
    propose=propose,
    render=render,
    check=check,
    spoil=spoil,
    material=material,
    material_when="a chapter is added, left out, or moved by more than 2 s",
    examples=(ChaptersParams(marks=(FIRST,)), ChaptersParams(marks=(FIRST, SECOND))),
    about="Marks where chapters of a talk begin, with their first words as titles.",
)
