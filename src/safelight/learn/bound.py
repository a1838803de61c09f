"""What nobody looked at can at most hold: exact, from the coin alone.

A lot of N items was done alone; n of them, drawn by coin, were looked at and k of those were bad. The largest number D
of bad items in the lot that still makes so few found likelier than 1 - level is max {D : P(Hyp(N, D, n) ≤ k) > 1 -
level}.
Only the coin is random, so it holds however faults cluster: the photographer's form of a risk-limiting audit.
"""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from safelight.learn.draws import coin

LEVEL = 0.95


def chance_of_so_few(lot: int, bad: int, looked: int, found: int) -> float:
    """P(Hyp(lot, bad, looked) ≤ found)."""
    first, last = max(0, looked - (lot - bad)), min(found, looked, bad)
    if last >= min(looked, bad):
        return 1.0
    all_ = _log_choose(lot, looked)
    logs = [_log_choose(bad, i) + _log_choose(lot - bad, looked - i) - all_ for i in range(first, last + 1)]
    return min(1.0, math.fsum(math.exp(value) for value in logs))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def at_most(lot: int, looked: int, found: int, *, level: float = LEVEL) -> int:
    """The upper bound of bad items in the lot, those found included. Raises ValueError for impossible counts."""
    if not 0 <= found <= looked <= lot:
        raise ValueError(f"{found} bad of {looked} looked at of {lot} cannot be")
    low, high = found, lot - (looked - found)  # what was seen to be good is good
    while low < high:  # fewer are found the less likely, the more there are
        middle = (low + high + 1) // 2
        low, high = (middle, high) if chance_of_so_few(lot, middle, looked, found) > 1 - level else (low, middle - 1)
    return low


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """What nobody but the auditors looked at in a delivery. `bad` were found, and put right before it left."""

    unseen: int  # items done alone, the audited ones among them
    audited: int
    bad: int
    level: float = LEVEL

    @property
    def bad_at_most(self) -> int:
        """Bad items that the lot held at most, those found included."""
        return at_most(self.unseen, self.audited, self.bad, level=self.level)

    @property
    def left_at_most(self) -> int:
        """Bad items that can still be in it, now that those found are put right."""
        return self.bad_at_most - self.bad

    def words(self) -> str:
        """The bound as a sentence for a client."""
        if not self.unseen:
            return "A person looked at everything."
        if not self.audited:
            return f"Nobody looked at {self.unseen:,} of these, and none of them was drawn to be checked."
        share = self.left_at_most / self.unseen
        return (
            f"Of {self.unseen:,} done without a person {self.audited:,}, drawn by coin, were checked and {self.bad:,} "
            f"put right: at most {self.left_at_most:,} of the others ({share:.1%}) are bad, {self.level:.0%} sure."
        )


# ---------------------------------------------------------------- how many to look at, and which


def plan(lot: int, share: float, *, level: float = LEVEL) -> int:
    """The smallest number to look at so that, if none is bad, less than `share` of the rest is, at this level. The
    whole lot where no smaller number will do."""
    low, high = 0, lot
    while low < high:
        looked = (low + high) // 2
        rest = max(1, math.ceil(share * (lot - looked)))  # the fewest bad that would break the promise
        enough = rest > lot - looked or chance_of_so_few(lot, rest, looked, 0) <= 1 - level
        low, high = (low, looked) if enough else (looked + 1, high)
    return low


def sample(seed: str, items: Iterable[str], count: int, *, seen: Collection[str] = ()) -> list[str]:
    """Which items to look at, by coin: the same seed draws the same ones in the same order, so that a sample that was
    laid aside goes on where it stopped. What was `seen` of them is left out."""
    drawn = sorted(items, key=lambda item: (coin(seed, "sample", item), item))[:count]
    return [item for item in drawn if item not in seen]
