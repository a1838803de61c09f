"""Runs of frames, samples or levels for which something is true, and spans that run into each other."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import accumulate
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Place = TypeVar("Place", int, float, Fraction)


def joined(spans: Iterable[tuple[Place, Place]], *, gap: float = 0) -> list[tuple[Place, Place]]:
    """Spans in order; those that overlap, or are no more than `gap` apart, as one."""
    found: list[tuple[Place, Place]] = []
    for start, end in sorted(spans):
        if found and start - found[-1][1] <= gap:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def rest(spans: Iterable[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """What spans leave of [0, length), in order."""
    found, at = [], 0
    for start, end in joined(spans):
        if start > at:
            found.append((at, min(start, length)))
        at = end
    if at < length:
        found.append((at, length))
    return found


class Spans(Generic[Place]):
    """Half-open spans [start, end) that are asked again and again what of a stretch they cover; those that overlap or
    touch are one."""

    def __init__(self, spans: Iterable[tuple[Place, Place]]) -> None:
        self._spans: list[tuple[Place, Place]] = joined(spans)
        self._starts: list[Place] = [start for start, _ in self._spans]
        self._ends: list[Place] = [end for _, end in self._spans]

    def within(self, start: Place, end: Place) -> list[tuple[Place, Place]]:
        """Those that reach into a stretch, whole."""
        return self._spans[bisect_right(self._ends, start) : bisect_left(self._starts, end)]

    def touch(self, start: Place, end: Place) -> bool:
        """Whether one of them reaches into a stretch."""
        return bool(self.within(start, end))

    def cover(self, start: Place, end: Place) -> Place:
        """How much of a stretch they cover."""
        return sum((min(b, end) - max(a, start) for a, b in self.within(start, end)), end - end)


class Stretches(Generic[Place]):
    """Half-open stretches [start, end) in order of their beginnings, which may overlap and stay apart: those of a span
    are found, by number, without looking at all of them."""

    def __init__(self, stretches: Iterable[tuple[Place, Place]]) -> None:
        self._ends: list[Place] = []
        self._starts: list[Place] = []
        for start, end in stretches:
            self._starts.append(start)
            self._ends.append(end)
        self._latest: list[Place] = list(accumulate(self._ends, max))  # end of any up to each

    def touching(self, start: Place, end: Place) -> list[int]:
        """Those of which a part lies in [start, end)."""
        first, last = bisect_right(self._latest, start), bisect_left(self._starts, end)
        return [n for n in range(first, last) if self._ends[n] > start]

    def whole(self, start: Place, end: Place) -> list[int]:
        """Those that lie in [start, end] as a whole."""
        first, last = bisect_left(self._starts, start), bisect_right(self._starts, end)
        return [n for n in range(first, last) if self._ends[n] <= end]

    def beginning(self, start: Place, end: Place) -> range:
        """Those that begin in [start, end)."""
        return range(self.before(start), self.before(end))

    def before(self, at: Place) -> int:
        """How many begin before a moment."""
        return bisect_left(self._starts, at)

    def ended(self, at: Place) -> int | None:
        """The one that ends last of those that have ended by a moment."""
        first, last = bisect_right(self._latest, at), bisect_right(self._starts, at)
        found = [bisect_left(self._latest, self._latest[first - 1])] if first else []
        found += [n for n in range(first, last) if self._ends[n] <= at]
        return max(found, key=self._ends.__getitem__, default=None)


def runs(flags: NDArray[np.bool_] | Sequence[bool], *, bridge: int = 0) -> list[tuple[int, int]]:
    """Half-open runs of true values; gaps of up to `bridge` are passed over."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], np.asarray(flags, bool), [False]]).astype(np.int8)))
    found: list[tuple[int, int]] = []
    for start, end in edges.reshape(-1, 2).tolist():
        if found and start - found[-1][1] <= bridge:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found
