"""Marks on a timeline that change nothing of what is heard: what chapters, splits and cutaways have in common."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any, Protocol, TypeVar

from safelight.domain import Measure
from safelight.media.timeline import Timeline


class Mark(Protocol):
    """Something at `at` seconds of an input; `name` tells it from others."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def at(self) -> Fraction:
        """Seconds."""


M = TypeVar("M", bound=Mark)


def in_order(marks: Sequence[Mark], what: str) -> None:
    """Raises ValueError where marks stand in the wrong order, or two have one name. `what`: one of them, as chapter."""
    for one, two in pairwise(marks):
        if two.at <= one.at:
            raise ValueError(f"{what}s follow each other, but the one at {two.at} s comes after {one.at} s")
    names = [mark.name for mark in marks]
    if len(set(names)) != len(names):
        raise ValueError(f"each {what} has a name of its own")


def check(before: Timeline, after: Timeline, operator: str, **marks: Any) -> Sequence[Measure]:
    """Whether all is the same but for these marks, by the name under which a timeline has them."""
    return (Measure(name=f"{operator}.wrong", value=float(after != replace(before, **marks)), unit="fault"),)


def forgotten(marks: tuple[M, ...], first: M) -> tuple[M, ...]:
    """The marks without the last; where there are none, one that nobody asked for: what `spoil` makes."""
    return marks[:-1] if marks else (first,)


def differ(one: Sequence[M], two: Sequence[M], same: Callable[[M, M], bool]) -> bool:
    """Whether one has a mark that the other has not."""
    return any(
        all(not same(mark, other) for other in there) for here, there in ((one, two), (two, one)) for mark in here
    )
