"""Captions as a person set them: their lines, and when they show beside the words that they stand for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from safelight.domain import Measure
from safelight.media.timeline import Text, Timeline
from safelight.operators import Medium, Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes
from safelight.params import declare

FIRST = Text(first=Fraction(1, 2), last=Fraction(2), after=Fraction(0), rest=Fraction(3, 10), lines=("Good morning.",))
SECOND = Text(
    first=Fraction(4),
    last=Fraction(13, 2),
    after=Fraction(-1, 25),
    rest=Fraction(0),
    lines=("We begin with bread", "and salt."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionsParams:
    """Captions that a person set; all others are made of the words as the rules of the place ask for."""

    texts: tuple[Text, ...] = declare((), help="captions that a person set, in the order of their words")

    def __post_init__(self) -> None:
        for one, two in pairwise(self.texts):
            if two.first < one.last:
                raise ValueError(f"captions stand for different words, but two do for those at {float(two.first):g} s")


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[CaptionsParams]]:  # noqa: ARG001
    """Nothing: captions are made of words and cuts, and people correct them."""
    return ()


def render(timeline: Timeline, params: CaptionsParams, tools: Tools) -> Timeline:  # noqa: ARG001
    """The timeline with these captions; what plays is the same."""
    return replace(timeline, texts=params.texts)


def check(before: Timeline, after: Timeline, params: CaptionsParams) -> Sequence[Measure]:
    """Whether what plays is the same, and the captions are those that were set."""
    wrong = after.clips != before.clips or after.texts != params.texts
    return (Measure(name="captions.wrong", value=float(wrong), unit="fault"),)


def spoil(before: Timeline, params: CaptionsParams) -> Timeline:
    """The last caption is lost; where there is none, there is one that nobody set."""
    lost = params.texts[:-1] if params.texts else (FIRST,)
    return replace(before, texts=lost)


def material(one: CaptionsParams, two: CaptionsParams) -> bool:
    """Whether other captions say something else."""
    return {(t.first, t.last, t.lines) for t in one.texts} != {(t.first, t.last, t.lines) for t in two.texts}


operator: Operator[CaptionsParams] = Operator(
    name="captions",
    version=1,
    params=CaptionsParams,
    risk=Risk(complexity=0.9, cost=0.5),
    stage=Stage.TIME,
    rank=9,
    medium=Medium.TIMELINE,
    margin=None,
    propose=propose,
    render=render,
    check=check,
    spoil=spoil,
    material=material,
    material_when="the lines of a caption differ, or the words that it stands for",
    examples=(CaptionsParams(texts=(FIRST,)), CaptionsParams(texts=(FIRST, SECOND))),
    about="Keeps captions as a person set them, beside the words that they stand for.",
)
