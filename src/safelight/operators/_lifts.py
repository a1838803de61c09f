"""Stretches of a medium that are lifted out of a timeline: what shortening, retakes and struck words have in common.

Lifts name seconds of the medium, not of the timeline, so that several operators lift from one clip in any order and the
result is the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Protocol

from safelight.cutting import Cut, Doubt, Plan
from safelight.domain import Because, Json, Measure
from safelight.media.timeline import Clip, Timeline
from safelight.operators import Tools
from safelight.params import declare

SECONDS, SHARE = Fraction(1), Fraction(1, 20)  # a person's change of more than both is material
MATERIAL = "what goes differs by more than 1 s and by more than a twentieth of what goes"
CUT, DOUBT = "cut.", "doubt."  # before the rule, in the codes of reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift:
    """The half-open stretch [start, end) of the medium, in seconds, that goes; `name` tells it from others."""

    name: str = declare("", help="what the cut is called; a proposed one keeps its name when it is moved")
    start: Fraction
    end: Fraction

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"a cut runs forwards from 0 or later, not from {self.start} to {self.end}")


class Lifts(Protocol):
    """Params with stretches that go."""

    @property
    def cuts(self) -> tuple[Lift, ...]:
        """In order and apart."""


def in_order(cuts: Sequence[Lift]) -> None:
    """Raises ValueError where cuts overlap, stand in the wrong order, or two have one name."""
    for one, two in pairwise(cuts):
        if two.start < one.end:
            raise ValueError(f"cuts follow each other, but the one at {two.start} s begins before {one.end} s")
    names = [cut.name for cut in cuts]
    if len(set(names)) != len(names):
        raise ValueError("each cut has a name of its own")


def of_plan(plan: Plan) -> tuple[Lift, ...]:
    """The cuts of a plan."""
    return tuple(Lift(name=name_of(cut), start=cut.start / plan.rate, end=cut.end / plan.rate) for cut in plan.cuts)


def name_of(cut: Cut | Doubt) -> str:
    """What a proposed cut is called: its rule, and the frame at which it begins."""
    return f"{cut.rule}-{cut.start}"


def reasons(plan: Plan, evidence: str) -> tuple[Because, ...]:
    """Each cut and each doubt as a reason: frames, and what the witnesses say."""
    rows = [(CUT, c) for c in plan.cuts] + [(DOUBT, d) for d in plan.doubts]
    return tuple(
        Because(evidence=evidence, value=_value(one), text=one.text, code=before + one.rule) for before, one in rows
    )


def _value(one: Cut | Doubt) -> dict[str, Json]:
    return {"frames": [one.start, one.end], **dict(one.evidence)}


def render(timeline: Timeline, params: Lifts, tools: Tools) -> Timeline:  # noqa: ARG001 - needs no kept objects
    """The timeline without what its clips show of the stretches; what follows moves up."""
    return Timeline(clips=tuple(part for clip in timeline.clips for part in _left(clip, params.cuts)))


def _left(clip: Clip, cuts: Sequence[Lift]) -> list[Clip]:
    parts, at = [], clip.start
    for cut in cuts:
        if cut.end <= at or cut.start >= clip.end:
            continue
        if cut.start > at:
            parts.append(replace(clip, start=at, end=cut.start))
        at = cut.end
    if at < clip.end:
        parts.append(replace(clip, start=at))
    return parts


def check(before: Timeline, after: Timeline, params: Lifts) -> Sequence[Measure]:
    """Whether all that should stay is there once and in order, and nothing of what should go."""
    gone = sum((_overlap(clip, cut) for clip in before.clips for cut in params.cuts), Fraction(0))
    heard = any(_overlap(clip, cut) for clip in after.clips for cut in params.cuts)
    return (
        Measure(name="lift.wrong_duration", value=float(after.duration != before.duration - gone), unit="fault"),
        Measure(name="lift.wrong_content", value=float(heard or not _in_order(before, after)), unit="fault"),
    )


def _overlap(clip: Clip, cut: Lift) -> Fraction:
    return max(min(clip.end, cut.end) - max(clip.start, cut.start), Fraction(0))


def _in_order(before: Timeline, after: Timeline) -> bool:
    """Whether every clip of `after` is a part of a clip of `before`, each later than the one before it."""
    left = list(before.clips)
    at: Fraction | None = None
    for clip in after.clips:
        while left:
            from_ = left[0].start if at is None else at
            if left[0].source == clip.source and from_ <= clip.start and clip.end <= left[0].end:
                at = clip.end
                break
            left.pop(0)
            at = None
        else:
            return False
    return True


def spoil(before: Timeline, params: Lifts) -> Timeline:
    """The first clip that stays begins half its length too late."""
    kept = [part for clip in before.clips for part in _left(clip, params.cuts)] or list(before.clips)
    first = replace(kept[0], start=kept[0].start + kept[0].duration / 2)
    return Timeline(clips=(first, *kept[1:]))


def material(one: Lifts, two: Lifts) -> bool:
    """Whether what goes differs by more than a second and more than a twentieth of it."""
    first, second = (sum((c.end - c.start for c in each.cuts), Fraction(0)) for each in (one, two))
    both = sum(
        (max(min(a.end, b.end) - max(a.start, b.start), Fraction(0)) for a in one.cuts for b in two.cuts), Fraction(0)
    )
    differs = first + second - 2 * both
    return differs > max(SECONDS, SHARE * max(first, second))


EXAMPLES = (
    (Lift(name="first", start=Fraction(3, 2), end=Fraction(14, 5)),),
    (
        Lift(name="first", start=Fraction(0), end=Fraction(1001, 1000)),
        Lift(name="second", start=Fraction(2), end=Fraction(3)),
    ),
)
"""Cuts that change something: what the contract suite renders, and the manual page shows."""
