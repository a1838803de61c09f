"""How far a long job is, as the worker that does it says from time to time, so that somebody who waits sees it move.

A job calls `reach` with its share of what it does; `within` says which part of the job that is. Both cost next to
nothing where nobody listens.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Protocol, TypeVar

TOLD_S = 0.5  # between two times that it is told


class Timed(Protocol):
    """A frame or a block of sound: `at`, seconds from the beginning."""

    @property
    def at(self) -> Fraction: ...  # noqa: D102 - said above


Item = TypeVar("Item", bound=Timed)
Listener = Callable[[float], None]
_listeners: list[Listener] = []
_part = (0.0, 1.0)
_spoke = 0.0


def listen(listener: Listener) -> None:
    """Has the share of each job that is done told to `listener`."""
    _listeners[:] = [listener]


def reach(share: float) -> None:
    """Says that so much of this part of the job, 0 to 1, is done."""
    global _spoke  # noqa: PLW0603 - a process does one job at a time
    if _listeners and (now := time.monotonic()) - _spoke >= TOLD_S:
        _spoke = now
        first, last = _part
        for listener in _listeners:
            listener(first + (last - first) * min(max(share, 0.0), 1.0))


def along(items: Iterable[Item], seconds: float) -> Iterator[Item]:
    """What a file of so many seconds holds, as it comes, each saying how far it lies."""
    for item in items:
        reach(float(item.at) / max(seconds, 1.0))
        yield item


@contextmanager
def within(first: float, last: float) -> Iterator[None]:
    """What is done inside is this part of the job."""
    global _part  # noqa: PLW0603 - as above
    before = _part
    start, end = before
    _part = (start + (end - start) * first, start + (end - start) * last)
    try:
        yield
    finally:
        _part = before
