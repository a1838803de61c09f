"""A first selection that fits a length: order kept, the most of what is wanted, each with its reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

STEP_S = Fraction(1, 5)  # the grain in which lengths are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A stretch that can be taken or left: seconds [start, end), and what speaks for it (each 0 to 1)."""

    start: Fraction
    end: Fraction
    reasons: Mapping[str, float]
    must: bool = False  # somebody marked it

    @property
    def worth(self) -> float:
        """Worth of the whole stretch: its mean reason for as long as it lasts."""
        mean = sum(self.reasons.values()) / max(len(self.reasons), 1)
        return mean * float(self.end - self.start)


def select(passages: Sequence[Passage], *, target_s: Fraction) -> tuple[int, ...]:
    """Indices of the passages, in order, whose worth is greatest within the target (0/1 knapsack).

    Those marked `must` come first. Raises ValueError where they alone are longer than the target.
    """
    room = int(target_s / STEP_S)
    lengths = [-int(-(p.end - p.start) / STEP_S // 1) for p in passages]
    room -= sum(n for n, p in zip(lengths, passages, strict=True) if p.must)
    if room < 0:
        raise ValueError("what is marked to stay is longer than the target")
    best = np.zeros(room + 1)
    taken = np.zeros((len(passages), room + 1), np.bool_)
    for i, (passage, n) in enumerate(zip(passages, lengths, strict=True)):
        if passage.must or n > room or n == 0:
            continue
        with_it = np.full(room + 1, -np.inf)
        with_it[n:] = best[: room + 1 - n] + passage.worth
        taken[i] = with_it > best
        best = np.maximum(best, with_it)
    chosen = {i for i, p in enumerate(passages) if p.must}
    left = room
    for i in range(len(passages) - 1, -1, -1):
        if taken[i, left]:
            chosen.add(i)
            left -= lengths[i]
    return tuple(sorted(chosen))
