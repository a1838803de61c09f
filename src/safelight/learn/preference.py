"""Which frame of a group people would pick: pairwise logistic (Bradley and Terry, 1952) on differences within a group.

Frame i is preferred to j with the chance 1 / (1 + exp(-w · (x_i - x_j))). The weights w are the ones that make the
picks of a studio likeliest, held to a prior w0 by a penalty: Σ log σ(w · (x_pick - x_other)) - λ |w - w0|². How strong
the penalty is, and whether the studio's weights are better than the prior at all, is asked of shoots that were left
out. A quantity that is unknown on one of two frames makes no difference between them. Pure; what is drawn is seeded.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]

STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # of the penalty, among which held-out shoots choose
FOLDS = 5  # most parts that shoots are left out in, to choose the strength
STEPS = 40  # of Newton; eight are usual
SCALES = (0.25, 0.35, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5)  # by which chances may be too bold or too shy
ROUNDS, SEED = 2000, 1  # of the bootstrap
LEVEL = 0.9  # of the intervals
FEWEST_SHOOTS = 3  # from which shoots can be left out in turn
MANY_SHOOTS = 5  # from which the differences between shoots alone carry an interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A group from which somebody chose. `values` is frames x quantities, more is better, NaN where unknown; `better`
    holds (preferred, other) as row numbers; `picks` the rows that people chose."""

    shoot: str
    group: str
    values: Numbers
    better: tuple[tuple[int, int], ...]
    picks: frozenset[int]

    @property
    def weight(self) -> float:
        """Of each pair: a group of n frames holds n - 1 comparisons that do not follow from each other."""
        frames = len({row for pair in self.better for row in pair})
        return (frames - 1) / len(self.better)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """How often the first, or one of the first two, was picked; one number a group, ties in equal shares."""

    first: Numbers
    second: Numbers

    @property
    def top1(self) -> float:
        """Share of groups whose first frame was picked."""
        return float(self.first.mean()) if len(self.first) else float("nan")

    @property
    def top2(self) -> float:
        """Share of groups with a picked frame among the first two."""
        return float(self.second.mean()) if len(self.second) else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What held-out shoots say: `hits` by ranking (learned, prior, sharpest, first, random), intervals of the learned
    top-1 and of its lead over the prior, the mean chance that was claimed for the first frame, and of the pairs that
    were told apart how many were told as people chose."""

    groups: int
    shoots: int
    hits: Mapping[str, Hits]
    interval: tuple[float, float]
    lead: tuple[float, float]
    claimed: float
    pairs: Mapping[str, float]

    @property
    def better(self) -> bool:
        """Whether the learned weights are better than the prior beyond chance."""
        return self.shoots >= FEWEST_SHOOTS and self.lead[0] > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Weights, the strength of the penalty that was chosen, and what held-out shoots say of weights so learned."""

    weights: Numbers
    strength: float
    report: Report


# ---------------------------------------------------------------- one group


def contributions(values: Numbers, weights: Numbers) -> Numbers:
    """What each quantity adds to each frame's score against the average of its group, frames x quantities.

    The scores are the least-squares solution of s_i - s_j = w · (x_i - x_j) over all pairs (HodgeRank; Jiang, Lim, Yao
    and Ye, 2011), where an unknown makes no difference: known values count from the mean of the known, in proportion
    to how many frames know them."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    mean = np.where(known, values, 0).sum(axis=0) / np.maximum(count, 1)
    away = np.where(known, values - mean, 0.0)
    return np.asarray(weights * away * (count / max(len(values), 1)))


def scores(values: Numbers, weights: Numbers) -> Numbers:
    """The score of each frame; 0 is the average of the group."""
    return np.asarray(contributions(values, weights).sum(axis=1))


def differences(one: Numbers, other: Numbers) -> Numbers:
    """What speaks for one frame over another, before it is weighed; 0 where either is unknown."""
    return np.asarray(np.nan_to_num(one - other, nan=0.0))


def chances(found: Numbers) -> Numbers:
    """How likely each frame is the one to be picked (Luce's rule)."""
    raised = np.exp(found - found.max())
    return np.asarray(raised / raised.sum())


def chance_over(gap: float) -> float:
    """How likely a frame that leads by so much is preferred."""
    return float(1 / (1 + np.exp(-np.clip(gap, -50, 50))))


# ---------------------------------------------------------------- weights


def fit(choices: Sequence[Choice], prior: Numbers, *, strength: float) -> Numbers:
    """The weights that make the choices likeliest, held to the prior. Without choices, the prior."""
    return _fitted(*_pairs(choices, len(prior)), prior, strength)


def _fitted(rows: Numbers, weight: Numbers, prior: Numbers, strength: float) -> Numbers:
    """Newton's method on the pairs; the function is concave, so there is one answer."""
    weights = prior.astype(np.float64).copy()
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(rows @ weights, -50, 50)))
        slope = rows.T @ (weight * (1 - chance)) - 2 * strength * (weights - prior)
        bend = (rows * (weight * chance * (1 - chance))[:, None]).T @ rows + 2 * strength * np.eye(len(prior))
        step = np.linalg.solve(bend, slope)
        length = float(np.linalg.norm(step))
        weights += step * min(1.0, 5.0 / max(length, 1e-12))  # a flat start must not throw it far out
        if length < 1e-9:
            break
    return weights


def learn(choices: Sequence[Choice], prior: Numbers, *, sharpness: int = 0) -> Learned:
    """Weights from all choices, and what shoots that were left out say of them. `sharpness` is the quantity whose
    largest value is the sharpest frame, as a ranking to compare with."""
    held_out = [(choice, prior) for choice in choices]
    if len({choice.shoot for choice in choices}) > 1:
        held_out = [pair for kept, out in _left_out(choices, None) for pair in _judged(kept, out, prior)]
    strength = _strength(choices, prior)
    weights = fit(choices, prior, strength=strength) * _scale(held_out)
    return Learned(weights=weights, strength=strength, report=_report(held_out, prior, sharpness))


def _judged(kept: Sequence[Choice], out: Sequence[Choice], prior: Numbers) -> list[tuple[Choice, Numbers]]:
    """Choices that were left out, each with weights that never saw its shoot."""
    weights = fit(kept, prior, strength=_strength(kept, prior))
    return [(choice, weights) for choice in out]


def _strength(choices: Sequence[Choice], prior: Numbers) -> float:
    """The penalty under which choices that were left out are likeliest; of equals the strongest."""
    if len(choices) < 2:
        return STRENGTHS[-1]
    size = len(prior)
    parts = [(_pairs(kept, size), _pairs(out, size)) for kept, out in _left_out(choices, FOLDS)]
    losses = []
    for strength in STRENGTHS:
        loss = 0.0
        for kept, (rows, weight) in parts:
            gap = rows @ _fitted(*kept, prior, strength)
            loss += float((weight * np.logaddexp(0, -gap)).sum())
        losses.append(loss)
    least = min(losses)
    return max(s for s, loss in zip(STRENGTHS, losses, strict=True) if loss <= least + 1e-9)


def _scale(held_out: Sequence[tuple[Choice, Numbers]]) -> float:
    """By what the weights have to be multiplied so that the chances claimed for picks are neither too bold nor shy."""

    def likely(scale: float) -> float:
        told = 0.0
        for choice, weights in held_out:
            chance = chances(scale * scores(choice.values, weights))
            told += float(np.log(max(chance[sorted(choice.picks)].sum(), 1e-12)))
        return told

    return max(SCALES, key=lambda scale: (likely(scale), -abs(scale - 1))) if held_out else 1.0


def _left_out(choices: Sequence[Choice], folds: int | None) -> Iterator[tuple[list[Choice], list[Choice]]]:
    """(kept, left out) by shoot, in at most so many parts; by group where there is one shoot."""
    names = sorted({choice.shoot for choice in choices})
    key = {choice.group: choice.shoot for choice in choices}
    if len(names) < 2:
        names = sorted(key)
        key = {name: name for name in names}
    parts = min(len(names), folds or len(names))
    part = {name: i % parts for i, name in enumerate(names)}
    for i in range(parts):
        kept = [c for c in choices if part[key[c.group]] != i]
        out = [c for c in choices if part[key[c.group]] == i]
        if kept and out:
            yield kept, out


def _pairs(choices: Sequence[Choice], size: int) -> tuple[Numbers, Numbers]:
    """Differences of all pairs, preferred less other, and their weights."""
    rows = [_gaps(choice) for choice in choices]
    weight = [np.full(len(choice.better), choice.weight) for choice in choices]
    return np.concatenate([np.empty((0, size)), *rows]), np.concatenate([np.empty(0), *weight])


def _gaps(choice: Choice) -> Numbers:
    """Differences of the pairs of one choice."""
    one, other = np.array(choice.better).T
    return differences(choice.values[one], choice.values[other])


# ---------------------------------------------------------------- the report


def hits(choices: Sequence[Choice], found: Sequence[Numbers]) -> Hits:
    """How often rankings (scores, one array a choice) put a pick first, or among the first two."""
    one, two = [], []
    for choice, score in zip(choices, found, strict=True):
        first, second = _shares(score, choice.picks)
        one.append(first)
        two.append(second)
    return Hits(first=np.array(one, np.float64), second=np.array(two, np.float64))


def _shares(score: Numbers, picks: frozenset[int]) -> tuple[float, float]:
    """The chance that the first, and that one of the first two, is a pick, equal scores in any order."""
    picked = np.array([i in picks for i in range(len(score))])
    top = score >= score.max() - 1e-12
    share = float(picked[top].mean())
    if top.sum() > 1:
        n, k = int(top.sum()), int(picked[top].sum())
        return share, 1 - (n - k) * (n - k - 1) / (n * (n - 1))
    rest = score[~top]
    if not len(rest):
        return share, share
    next_ = ~top & (score >= rest.max() - 1e-12)
    return share, max(share, float(picked[next_].mean()))


def _report(held_out: Sequence[tuple[Choice, Numbers]], prior: Numbers, sharpness: int) -> Report:
    choices = [choice for choice, _ in held_out]
    learned = [scores(choice.values, weights) for choice, weights in held_out]
    before = [scores(choice.values, prior) for choice in choices]
    found = {
        "learned": hits(choices, learned),
        "prior": hits(choices, before),
        "sharpest": hits(choices, [np.nan_to_num(c.values[:, sharpness], nan=-np.inf) for c in choices]),
        "first": hits(choices, [-np.arange(len(c.values), dtype=np.float64) for c in choices]),
        "random": hits(choices, [np.zeros(len(c.values)) for c in choices]),
    }
    scale = _scale(held_out)
    shoots = [choice.shoot for choice in choices]
    ours, theirs = found["learned"].first, found["prior"].first
    return Report(
        groups=len(choices),
        shoots=len(set(shoots)),
        hits=found,
        interval=interval(ours, shoots),
        lead=interval(ours - theirs, shoots),
        claimed=float(np.mean([chances(scale * s).max() for s in learned])) if learned else float("nan"),
        pairs={
            "learned": _pairs_told(choices, [weights for _, weights in held_out]),
            "prior": _pairs_told(choices, [prior] * len(choices)),
        },
    )


def _pairs_told(choices: Sequence[Choice], weights: Sequence[Numbers]) -> float:
    """Share of the pairs told as people chose; equal scores count half."""
    told = []
    for choice, own in zip(choices, weights, strict=True):
        gaps = _gaps(choice) @ own
        told.append(float(np.mean((gaps > 1e-12) + 0.5 * (np.abs(gaps) <= 1e-12))))
    return float(np.mean(told)) if told else float("nan")


def interval(values: Numbers, shoots: Sequence[str], *, seed: int = SEED) -> tuple[float, float]:
    """Interval of a mean over groups, by drawing shoots (cluster bootstrap). Few shoots say little of how they differ:
    below MANY_SHOOTS, groups within each drawn shoot are drawn too, which is wider."""
    names = sorted(set(shoots))
    if not names:
        return float("nan"), float("nan")
    by_shoot = [values[[shoot == name for shoot in shoots]] for name in names]
    rng = np.random.default_rng(seed)
    sizes = np.array([len(own) for own in by_shoot])
    sums = np.tile([own.sum() for own in by_shoot], (ROUNDS, 1))
    if len(names) < MANY_SHOOTS:
        for k, own in enumerate(by_shoot):
            sums[:, k] = own[rng.integers(len(own), size=(ROUNDS, len(own)))].sum(axis=1)
    drawn = rng.integers(len(names), size=(ROUNDS, len(names)))
    means = np.take_along_axis(sums, drawn, axis=1).sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
