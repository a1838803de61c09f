"""Watching what is done alone: the alarm that takes a licence away, and how much slips through before it sounds.

Each audited item is bad (1) or not (0). Against a rate of at most α stand several worse rates p₁; for each the evidence
M ← max(M, 1) · (p₁/α)^y · ((1 - p₁)/(1 - α))^(1 - y) is carried along, and the alarm sounds when their mean reaches A
(an e-CUSUM; Shin, Ramdas and Rinaldo, *E-detectors*). As long as the rate is no worse than α, at least A audits are
expected between false alarms, whatever the order of the items.
"""

import math

import numpy as np
from numpy.typing import NDArray

TIMES = (2.0, 4.0, 10.0, 25.0)  # the worse rates, as multiples of α
HIGHEST = 0.9  # no rate is taken to be worse
ALARM = 400.0  # A

EARLY_SHARE, EARLY_ITEMS = 0.25, 200  # so much is audited of the first items after a licence, …
LEAST_SHARE = 0.05  # … never less than this, …
DRIFT_SHARE, DRIFT_CANARY = 0.5, 10  # … and so much, with so many canaries, where the work looks unlike before


def worse(alpha: float) -> NDArray[np.float64]:
    """The rates that stand against α."""
    return np.unique(np.minimum(np.array(TIMES) * alpha, max(HIGHEST, alpha)))


def evidence(bad: NDArray[np.bool_], alpha: float) -> NDArray[np.float64]:
    """The logarithm of the mean evidence after each audited item, in their order."""
    if not len(bad):
        return np.empty(0)
    rates = worse(alpha)[:, None]
    steps = np.where(bad, np.log(rates / alpha), np.log1p(-rates) - math.log1p(-alpha))
    sums = np.cumsum(steps, axis=1)
    lowest = np.minimum.accumulate(np.concatenate([np.zeros((len(rates), 1)), sums[:, :-1]], axis=1), axis=1)
    logs = sums - lowest
    top = logs.max(axis=0)
    return np.asarray(top + np.log(np.exp(logs - top).mean(axis=0)))


def alarm(bad: NDArray[np.bool_], alpha: float, *, level: float = ALARM) -> int | None:
    """Which audited item sets the alarm off; None if none does."""
    reached = np.flatnonzero(evidence(bad, alpha) >= math.log(level))
    return int(reached[0]) if len(reached) else None


def exposure(rate: float, alpha: float, share: float, *, level: float = ALARM) -> float:
    """About how many bad items pass before the alarm, once the rate jumps from below α to `rate` while a `share` of
    what is done alone is audited: p₁ ln A / (q KL(p₁ ‖ α))."""
    if not alpha < rate < 1 or share <= 0:
        return math.inf
    apart = rate * math.log(rate / alpha) + (1 - rate) * math.log((1 - rate) / (1 - alpha))
    return rate * math.log(level) / (share * apart)
