"""When a task has earned the right to be done alone: an e-value that may be looked at after every verdict.

Of n verdicts on items above a threshold k were bad. Against "at least α of them are bad" stands the mixture of all
rates below α, weighted by a Beta(a, b) cut off at α:

    E(n, k) = [B_α(a + k, b + n - k) / B_α(a, b)] / [α^k (1 - α)^(n - k)]

with B_x the incomplete beta function. For every p' < α the likelihood ratio of p' to α has expectation at most 1 while
the true rate is α or more, so E is a non-negative supermartingale and exceeds 1/δ *ever* with a chance of at most δ
(Ville's inequality). The choice of (a, b) moves how soon a licence comes, never the guarantee, as long as it is made
before the verdicts. Thresholds form a ladder that is fixed beforehand and certified strictest first (fixed-sequence
testing: Angelopoulos et al., Learn then Test, arXiv 2110.01052), so no correction for their number is needed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaln

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
QUIET = 20  # verdicts without a bad one, from which a bad stretch seems to be over
MOST = 10_000_000  # verdicts; what would need more is never licensed


@dataclass(frozen=True, slots=True, kw_only=True)
class Bet:
    """The Beta(a, b) weights of the bet."""

    a: float = 0.5
    b: float = 20.0


PLAIN = Bet()


def log_e(n: ArrayLike, k: ArrayLike, alpha: ArrayLike, *, bet: Bet = PLAIN) -> Numbers:
    """The logarithm of E(n, k), elementwise; -inf where the verdicts are hopeless or α is 0."""
    n_, k_, alpha_ = np.broadcast_arrays(*(np.asarray(x, np.float64) for x in (n, k, alpha)))
    ok = (alpha_ > 0) & (alpha_ < 1)
    level = np.where(ok, alpha_, 0.5)
    with np.errstate(divide="ignore", under="ignore"):
        found = _log_incomplete(bet.a + k_, bet.b + n_ - k_, level) - _log_incomplete(bet.a, bet.b, level)
        against = k_ * np.log(level) + (n_ - k_) * np.log1p(-level)
    return np.where(ok, found - against, -np.inf)


def _log_incomplete(a: ArrayLike, b: ArrayLike, x: Numbers) -> Numbers:
    """The logarithm of B_x(a, b); -inf where the regularised function underflows, which licenses nothing."""
    return np.asarray(np.log(betainc(a, b, x)) + betaln(a, b))


def spent(delta: float, attempt: int) -> float:
    """The δ of a cell's `attempt`-th licence (1 is the first). The first spends δ; later ones δ · 6 / (π² j²), which
    together are less than 0.4 δ however often a cell is demoted."""
    return delta if attempt <= 1 else delta * 6 / (math.pi**2 * attempt**2)


def needed(n: int, k: int, alpha: float, delta: float, *, bet: Bet = PLAIN) -> int | None:
    """How many more verdicts, none of them bad, bring the licence; 0 if it is there, None if no number would."""
    if not 0 < alpha < 1:
        return None

    def there(more: int) -> bool:
        return bool(log_e(n + more, k, alpha, bet=bet) >= -math.log(delta))

    if there(0):
        return 0
    high = 1
    while not there(high):
        high *= 2
        if high > MOST:
            return None
    low = high // 2
    while high - low > 1:  # E grows with each good verdict
        middle = (low + high) // 2
        low, high = (low, middle) if there(middle) else (middle, high)
    return high


def table(alpha: float, delta: float, bad: Sequence[int] = (0, 1, 2, 3, 5, 8), *, bet: Bet = PLAIN) -> list[int | None]:
    """For each number of bad verdicts, from how many verdicts on a task is licensed."""
    found = [needed(k, k, alpha, delta, bet=bet) for k in bad]
    return [None if more is None else k + more for k, more in zip(bad, found, strict=True)]


def reached(n: NDArray[np.int64], k: NDArray[np.int64], alpha: Numbers, delta: float, *, bet: Bet = PLAIN) -> Flags:
    """Whether E(n, k) has reached 1/δ, elementwise. `alpha` is one level for each."""
    if not len(n):
        return np.empty(0, np.bool_)
    if alpha.min() < alpha.max():
        return log_e(n, k, alpha, bet=bet) >= -math.log(delta)
    from_ = _from(float(alpha[0]), delta, bet, int(n.max()))
    return np.asarray(n >= from_[np.minimum(k, len(from_) - 1)])


def hopeless(
    n: NDArray[np.int64], k: NDArray[np.int64], alpha: float, delta: float, next_delta: float, *, bet: Bet = PLAIN
) -> Flags:
    """Whether evidence is better laid aside, look by look: what was bad seems to be over, and starting from nothing
    with less δ to spend would need less than half as many verdicts. When to start anew is free to choose, as every
    start spends a δ of its own."""
    fresh = 2 * int(_from(alpha, next_delta, bet, 0)[0])
    from_ = _from(alpha, delta, bet, int(n.max(initial=0)) + fresh)
    worse = np.diff(k, prepend=0) > 0
    quiet = n - np.maximum.accumulate(np.where(worse, n, 0)) if len(n) else n
    return np.asarray((from_[np.minimum(k, len(from_) - 1)] - n > fresh) & (quiet >= QUIET))


_FROM: dict[tuple[float, float, Bet], list[int]] = {}


def _from(alpha: float, delta: float, bet: Bet, most: int) -> NDArray[np.int64]:
    """From how many verdicts on a task is licensed, by the number of bad ones, up to `most` verdicts and one beyond:
    E grows with each good verdict and falls with each bad one, so that is all there is to know."""
    known = _FROM.setdefault((alpha, delta, bet), [])
    while not known or known[-1] <= most:
        k = len(known)
        start = max(k, known[-1] if known else 0)
        more = needed(start, k, alpha, delta, bet=bet)
        known.append(MOST if more is None else start + more)
    return np.array(known, np.int64)


def certified(rungs: Sequence[Flags]) -> list[int | None]:
    """For each rung, strictest first, from which look on it may be used: the first at which its own E had reached 1/δ
    and all stricter rungs were certified. `rungs` says at which of the same looks each has."""
    out: list[int | None] = []
    after = 0
    for rung in rungs:
        there = np.flatnonzero(rung)
        if not len(there):
            break
        after = max(after, int(there[0]))
        out.append(after)
    return out + [None] * (len(rungs) - len(out))
