"""Whether the work looks unlike before, told without any verdict. It raises how much is looked at and never takes a
licence away: unfamiliar is not wrong."""

from collections.abc import Collection

import numpy as np
from numpy.typing import ArrayLike

SHIFTED = 0.2  # population stability index from which scores count as moved
BINS = 10
FEWEST = 50  # scores on either side


def psi(before: ArrayLike, now: ArrayLike) -> float | None:
    """Population stability index Σ (q - p) ln(q / p) of scores over the deciles of what was before; None if there are
    too few to tell."""
    old, new = (x[~np.isnan(x)] for x in (np.asarray(before, np.float64), np.asarray(now, np.float64)))
    if min(len(old), len(new)) < FEWEST:
        return None
    edges = np.unique(np.quantile(old, np.linspace(0, 1, BINS + 1)[1:-1]))
    p, q = (
        (np.bincount(np.searchsorted(edges, x, "right"), minlength=len(edges) + 1) + 0.5) / (len(x) + 0.5 * BINS)
        for x in (old, new)
    )
    return float(((q - p) * np.log(q / p)).sum())


def unfamiliar(known: Collection[str], here: Collection[str]) -> str:
    """In what a shoot is unlike those before it: cameras or lenses that the record has never seen."""
    fresh = sorted(set(here) - set(known) - {""})
    return f"New here: {', '.join(fresh)}." if known and fresh else ""
