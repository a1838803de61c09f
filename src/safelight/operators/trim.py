"""Keeps ranges of a timeline and drops the rest: several inputs, exact rational time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from safelight.domain import Measure
from safelight.errors import UsageError
from safelight.media.timeline import Clip, Timeline
from safelight.operators import Medium, Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes
from safelight.params import declare

SECONDS = Fraction(1)  # a person's change of more of the timeline than this is material


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A half-open range [start, end) in seconds from the beginning of the timeline."""

    start: Fraction
    end: Fraction

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"a range runs forwards from 0 or later, not from {self.start} to {self.end}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrimParams:
    """Which ranges stay, in order and apart; none given means that everything stays."""

    keep: tuple[Range, ...] = declare((), unit="s", help="ranges that stay, in order; none for everything")

    def __post_init__(self) -> None:
        for one, two in pairwise(self.keep):
            if two.start < one.end:
                raise ValueError(f"ranges follow each other, but {two.start} comes before {one.end}")


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[TrimParams]]:  # noqa: ARG001
    """Nothing: people say what to trim."""
    return ()


def render(timeline: Timeline, params: TrimParams, tools: Tools) -> Timeline:  # noqa: ARG001 - needs no kept objects
    """The kept ranges one after another; clips are cut where a range begins or ends.

    Raises UsageError for a range that ends after the timeline.
    """
    if not params.keep:
        return timeline
    if params.keep[-1].end > timeline.duration:
        raise UsageError(
            f"The range ends at {params.keep[-1].end} s, but the timeline at {timeline.duration} s.",
            remedy="Give ranges within the timeline.",
        )
    return Timeline(clips=tuple(part for kept in params.keep for part in _within(timeline, kept)))


def _within(timeline: Timeline, kept: Range) -> list[Clip]:
    parts = []
    at = Fraction(0)
    for clip in timeline.clips:
        start, end = max(kept.start, at), min(kept.end, at + clip.duration)
        if start < end:
            parts.append(replace(clip, start=clip.start + start - at, end=clip.start + end - at))
        at += clip.duration
    return parts


def check(before: Timeline, after: Timeline, params: TrimParams) -> Sequence[Measure]:
    """Whether the result lasts exactly as long as asked, and shows exactly the ranges asked for, without a gap."""
    wanted = params.keep or (Range(start=Fraction(0), end=before.duration),)
    lasts = sum((kept.end - kept.start for kept in wanted), Fraction(0))
    shown = _shown(before, after)
    return (
        Measure(name="trim.wrong_duration", value=float(after.duration != lasts), unit="fault"),
        Measure(name="trim.wrong_content", value=float(shown != _joined(wanted)), unit="fault"),
    )


def _shown(before: Timeline, after: Timeline) -> tuple[Range, ...]:
    """Which ranges of `before` the clips of `after` show; () as soon as one shows anything else."""
    ranges: list[Range] = []
    for clip in after.clips:
        at = Fraction(0)
        earliest = ranges[-1].end if ranges else at
        for origin in before.clips:
            start = at + clip.start - origin.start
            inside = origin.source == clip.source and origin.start <= clip.start and clip.end <= origin.end
            if inside and start >= earliest:
                ranges.append(Range(start=start, end=start + clip.duration))
                break
            at += origin.duration
        else:
            return ()
    return _joined(ranges)


def _joined(ranges: Sequence[Range]) -> tuple[Range, ...]:
    joined: list[Range] = []
    for one in ranges:
        if joined and joined[-1].end == one.start:
            joined[-1] = Range(start=joined[-1].start, end=one.end)
        else:
            joined.append(one)
    return tuple(joined)


def spoil(before: Timeline, params: TrimParams) -> Timeline:
    """The first kept clip begins half its length too late."""
    kept = [part for one in params.keep for part in _within(before, one)] or list(before.clips)
    first = replace(kept[0], start=kept[0].start + kept[0].duration / 2)
    return Timeline(clips=(first, *kept[1:]))


def material(before: TrimParams, after: TrimParams) -> bool:
    """Whether more than a second goes that was to stay, or stays that was to go. Of one that keeps everything nobody
    knows the end, so that any range is another cut."""
    if not (before.keep and after.keep):
        return before != after
    lasts, then = (sum((kept.end - kept.start for kept in each.keep), Fraction(0)) for each in (before, after))
    both = sum(
        (max(min(a.end, b.end) - max(a.start, b.start), Fraction(0)) for a in before.keep for b in after.keep),
        Fraction(0),
    )
    return lasts + then - 2 * both > SECONDS


operator: Operator[TrimParams] = Operator(
    name="trim",
    version=1,
    params=TrimParams,
    risk=Risk(complexity=0.3, cost=0.4),
    stage=Stage.TIME,
    medium=Medium.TIMELINE,
    margin=None,
    propose=propose,
    render=render,
    check=check,
    spoil=spoil,
    material=material,
    material_when="in all more than 1 s goes or stays that was not to, or one of the two keeps everything",
    examples=(
        TrimParams(keep=(Range(start=Fraction(1), end=Fraction(5, 2)),)),
        TrimParams(
            keep=(Range(start=Fraction(0), end=Fraction(1001, 1000)), Range(start=Fraction(2), end=Fraction(3)))
        ),
    ),
    about="Keeps ranges of a timeline and drops the rest, in exact rational time.",
)
