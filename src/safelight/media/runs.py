"""Runs of frames, samples or levels for which something is true, and spans that run into each other."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TypeVar

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
