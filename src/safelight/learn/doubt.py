"""How likely a suggestion is wrong: the operator's own score, moved by what people said of such scores.

The chance is the logistic function of the score's log odds of being wrong plus one number a task, which is fitted to
the verdicts drawn by coin (maximum a posteriori, with a normal prior of standard deviation 1 around no move at all).
So few verdicts move it little, and many make the mean of the chances the share that was bad.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from safelight.learn.rows import AUDIT, CANARY, Columns

UNKNOWN = 0.5  # the chance where neither a score nor a verdict says anything
CLIP = 0.001  # no score is taken to be surer
STEPS = 30

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """The move of each task's log odds, and the share that was bad of items that come without a score."""

    moves: Mapping[str, float] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, ledger: Columns) -> "Doubts":
        """From the verdicts that were drawn by coin."""
        moves, rates = {}, {}
        drawn = np.isin(ledger.kind, (CANARY, AUDIT))
        for code, task in enumerate(ledger.names["task"]):
            rows = np.flatnonzero(drawn & (ledger.task == code))
            told = rows[~np.isnan(ledger.score[rows])]
            moves[task] = _move(_log_odds(ledger.score[told]), ledger.bad[told])
            rates[task] = float((ledger.bad[rows].sum() + 2 * UNKNOWN) / (len(rows) + 2))
        return cls(moves=moves, rates=rates)

    def chance(self, task: str, score: float | None) -> float:
        """The chance, 0 to 1, that a suggestion with this score is wrong."""
        if score is None:
            return self.rates.get(task, UNKNOWN)
        odds = float(_log_odds(np.array([score]))[0]) + self.moves.get(task, 0.0)
        return 1 / (1 + math.exp(-odds))


def _log_odds(score: Numbers) -> Numbers:
    """Log odds of being wrong."""
    wrong = np.clip(1 - score, CLIP, 1 - CLIP)
    return np.asarray(np.log(wrong) - np.log1p(-wrong))


def _move(odds: Numbers, bad: NDArray[np.bool_]) -> float:
    """The move that is likeliest, by Newton's method on a concave function."""
    move = 0.0
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-(odds + move)))
        slope = float((bad - chance).sum()) - move
        bend = float((chance * (1 - chance)).sum()) + 1
        step = float(np.clip(slope / bend, -1, 1))
        move += step
        if abs(step) < 1e-6:
            break
    return move
