"""How much time a suggestion saves: seconds of items that came with one against items that, by coin, came without.

The difference of the means, with Welch's interval on the middle 98 % of each side (a reviewer who leaves the desk is
not slow). Without items of both kinds nothing is measured.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

FEWEST = 10  # of each kind
LEVEL = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """Seconds that one suggestion saves, with its interval and how many items of each kind it rests on."""

    seconds: float
    low: float
    high: float
    controls: int
    suggested: int
    level: float = LEVEL


def saved(controls: ArrayLike, suggested: ArrayLike, *, level: float = LEVEL) -> Saved | None:
    """What a suggestion saves; None is "not measured"."""
    without, with_ = (_told(x) for x in (controls, suggested))
    if min(len(without), len(with_)) < FEWEST:
        return None
    parts = [x.var(ddof=1) / len(x) for x in (without, with_)]
    spread = float(np.sqrt(sum(parts)))
    if not spread:
        value = float(without.mean() - with_.mean())
        return Saved(seconds=value, low=value, high=value, controls=len(without), suggested=len(with_), level=level)
    freedom = sum(parts) ** 2 / sum(p**2 / (len(x) - 1) for p, x in zip(parts, (without, with_), strict=True) if p)
    wide = float(stdtrit(freedom, 0.5 + level / 2)) * spread
    value = float(without.mean() - with_.mean())
    return Saved(
        seconds=value, low=value - wide, high=value + wide, controls=len(without), suggested=len(with_), level=level
    )


def _told(seconds: ArrayLike) -> NDArray[np.float64]:
    found = np.asarray(seconds, np.float64)
    found = found[np.isfinite(found)]
    if len(found) < FEWEST:
        return found
    low, high = np.quantile(found, [0.01, 0.99])
    return np.asarray(np.clip(found, low, high))
