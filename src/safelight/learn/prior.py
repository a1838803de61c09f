"""What other cells teach the bet: an empirical-Bayes Beta on their reject rates. It moves how soon a licence comes and
never what the licence promises, for it is made from other cells' verdicts before the cell's own."""

from collections.abc import Sequence

import numpy as np
from scipy.special import betaln

from safelight.learn.licence import PLAIN, Bet

FEWEST_CELLS, FEWEST_VERDICTS = 3, 30
MEANS = np.geomspace(0.0005, 0.3, 60)
STRENGTHS = np.geomspace(4, 400, 30)  # verdicts that the prior is worth, at most as many as a small licence needs


def fit(counts: Sequence[tuple[int, int]]) -> Bet:
    """The Beta under which other cells' (verdicts, bad ones) are likeliest; the plain one where they are too few."""
    told = [(n, k) for n, k in counts if n >= FEWEST_VERDICTS]
    if len(told) < FEWEST_CELLS:
        return PLAIN
    n, k = np.array(told, np.float64).T[:, :, None, None]
    a = (MEANS[:, None] * STRENGTHS)[None]
    b = ((1 - MEANS)[:, None] * STRENGTHS)[None]
    likely = (betaln(a + k, b + n - k) - betaln(a, b)).sum(axis=0)
    i, j = np.unravel_index(int(likely.argmax()), likely.shape)
    return Bet(a=float(MEANS[i] * STRENGTHS[j]), b=float((1 - MEANS[i]) * STRENGTHS[j]))
