"""Made studios for the trust bench: scores, verdicts and shoots whose true rates are known."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from safelight.learn.course import Course, Looked
from safelight.learn.rules import TaskRules

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
ALPHA, DELTA = 0.02, 0.1
FREE = TaskRules(alpha=ALPHA, delta=DELTA, evidence=None, canary=0)  # every verdict is evidence and a shoot of its own
CAPPED = TaskRules(alpha=ALPHA, delta=DELTA, canary=5, evidence=5)
PHOTOS = 60  # of a shoot


@dataclass(frozen=True, kw_only=True)
class Score:
    """A score that is normal on good items and shifted by `apart` on bad ones, which are a share `base`."""

    base: float
    apart: float

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Numbers, Flags]:
        """Scores and whether each item is bad."""
        bad = rng.random(count) < self.base
        return rng.normal(size=count) - self.apart * bad, bad

    def share(self, threshold: float | None) -> float:
        """Share of items at or above a threshold."""
        if threshold is None:
            return 1.0
        good, bad = 1 - ndtr(threshold), 1 - ndtr(threshold + self.apart)
        return float((1 - self.base) * good + self.base * bad)

    def risk(self, threshold: float | None) -> float:
        """Share of bad among them."""
        if threshold is None:
            return self.base
        return float(self.base * (1 - ndtr(threshold + self.apart)) / self.share(threshold))

    def best(self, alpha: float) -> float:
        """The largest share that any threshold lets through at a risk of at most alpha."""
        return self.share(float(brentq(lambda t: self.risk(t) - alpha, -8, 8)))


@cache
def good_score() -> Score:
    """AUC .905, of which at best .75 can be done alone at 2 %."""
    apart = float(np.sqrt(2) * ndtri(0.905))
    base = float(brentq(lambda b: Score(base=b, apart=apart).best(ALPHA) - 0.75, 0.025, 0.4))
    return Score(base=base, apart=apart)


def alone(score: Numbers, bad: Flags, *, alpha: float | Numbers = ALPHA) -> Looked:
    """Independent verdicts, each a shoot of its own."""
    count = len(bad)
    none = np.zeros(count, np.bool_)
    return Looked(
        shoot=np.arange(count), coin=np.zeros(count), score=score, bad=bad, canary=none, returned=none, bundled=none,
        alpha=np.broadcast_to(np.asarray(alpha, np.float64), (count,)),
    )  # fmt: skip


def shoots(rng: np.random.Generator, count: int, rate: float, icc: float, *, canary: int, audits: int) -> Looked:
    """Shoots whose own rates are spread by Beta so that verdicts of one agree by `icc`; no scores."""
    own = rates(rng, count, rate, icc)
    each = canary + audits
    shoot = np.repeat(np.arange(count), each)
    place = np.tile(np.arange(each), count)
    bad = rng.random(count * each) < own[shoot]
    return Looked(
        shoot=shoot, coin=rng.random(len(shoot)), score=np.full(len(shoot), np.nan), bad=bad, canary=place < canary,
        returned=np.zeros(len(shoot), np.bool_), bundled=np.zeros(len(shoot), np.bool_), alpha=np.full(count, ALPHA),
    )  # fmt: skip


def rates(rng: np.random.Generator, count: int, rate: float, icc: float) -> Numbers:
    """The rate of each shoot."""
    if icc == 0:
        return np.full(count, rate)
    worth = (1 - icc) / icc
    return rng.beta(rate * worth, (1 - rate) * worth, size=count)


def raw_rate(after: float, icc: float, canary: int) -> float:
    """The rate that, once shoots with a bad canary are taken out, leaves this one: E[p (1 - p)^c] / E[(1 - p)^c]."""
    if icc == 0:
        return after
    worth = (1 - icc) / icc
    return after * (worth + canary) / worth


def scored_shoots(
    rng: np.random.Generator, score: Score, count: int, *, canary: int, evidence: int, shares: tuple[float, ...]
) -> Looked:
    """Shoots of scored photos, of which a coin draws canaries and evidence for each threshold."""
    parts = []
    levels = [score_at(score, share) for share in shares]
    for shoot in range(count):
        scores, bad = score.draw(rng, PHOTOS)
        by_coin = rng.permutation(PHOTOS)
        drawn: dict[int, bool] = {}
        for level in levels:
            there = by_coin[scores[by_coin] >= level]
            for item in there[canary : canary + evidence]:
                drawn.setdefault(int(item), False)
        for level in levels:
            there = by_coin[scores[by_coin] >= level]
            drawn |= dict.fromkeys(map(int, there[:canary]), True)
        items = np.array(sorted(drawn, key=lambda i: int(np.flatnonzero(by_coin == i)[0])))
        coin = np.array([float(np.flatnonzero(by_coin == i)[0]) for i in items])
        parts.append(
            (np.full(len(items), shoot), coin, scores[items], bad[items], np.array([drawn[int(i)] for i in items]))
        )
    shoot_, coin_, scores_, bad_, canary_ = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Looked(
        shoot=shoot_, coin=coin_, score=scores_, bad=bad_, canary=canary_, returned=np.zeros(len(bad_), np.bool_),
        bundled=np.zeros(len(bad_), np.bool_), alpha=np.full(count, ALPHA),
    )  # fmt: skip


@cache
def score_at(score: Score, share: float) -> float:
    """The threshold that lets a share through."""
    return -np.inf if share >= 1 else float(brentq(lambda t: score.share(t) - share, -8, 8))


def ever(course: Course, wrong: Callable[[float], bool]) -> bool:
    """Whether a course ever let a threshold through that is wrong to let through."""
    return any(step.event in ("licensed", "widened") and wrong(step.force) for step in course.steps)


def licensed(course: Course) -> bool:
    """Whether it ever was."""
    return course.licences > 0
