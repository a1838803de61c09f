"""How much reviewers see: from items that are known to be bad and were mixed into the queue.

A reviewer who catches a share s of what is bad reports a reject rate of s · R. A promise about R is therefore tested at
α · ŝ_low, with ŝ_low the lower bound (Clopper and Pearson, one-sided) of that share.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv

FEWEST = 10  # known-bads until the share counts as measured, unless one was missed
LEVEL = 0.9


def at_least(shown: ArrayLike, caught: ArrayLike, *, level: float = LEVEL) -> NDArray[np.float64]:
    """The lower bound of the share of bad items that reviewers catch, elementwise. Until FEWEST were shown, and none
    missed, nothing is known and nothing is taken off: 1."""
    n, k = np.broadcast_arrays(np.asarray(shown, np.float64), np.asarray(caught, np.float64))
    bound = np.where(k > 0, betaincinv(np.maximum(k, 1), n - k + 1, 1 - level), 0.0)
    return np.where((n < FEWEST) & (k >= n), 1.0, bound)
