"""The course of one cell through time: apprentice, licensed, demoted, licensed anew.

A shoot adds its evidence as a whole. At a threshold it adds at most a few of its audits above it, those with the lowest
coins; a shoot in which a canary above the threshold was bad adds nothing, for all of it would have gone to a person. So
evidence and what is later done alone are about the same items. A canary that is called bad only once later shoots have
begun takes the good ones of its shoot out and leaves the bad ones in: a reject must not bring a licence. Once licensed,
audits (and clients' returns) feed an alarm one by one, and whether a canary was bad feeds another shoot by shoot;
either takes the licence away, and evidence starts from zero with the next shoot.

What was approved together with others is no evidence: nobody looks at forty photos with one key. To the alarm it is a
good audit all the same. Whoever picks the bad ones out and approves the rest with one key would else be heard saying
"bad" only, and the alarm would sound for work that keeps its promise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from safelight.learn import audit, licence
from safelight.learn.licence import PLAIN, Bet
from safelight.learn.rules import TaskRules

FIRST = 100  # verdicts whose scores fix the ladder

Ints = NDArray[np.int64]
Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What was drawn by coin and answered, oldest first. `shoot` counts from 0 in the order of first verdicts. `alpha`
    is one level a shoot: the rule's, lowered by what reviewers are known to miss."""

    shoot: Ints
    coin: Numbers
    score: Numbers  # NaN: none
    bad: Flags
    canary: Flags
    returned: Flags  # sent back by a client: an audit for the alarm, no evidence for a licence
    bundled: Flags  # approved together with others: the same
    alpha: Numbers

    @cached_property
    def by_coin(self) -> Ints:
        """Rows by shoot, and in each by their coins."""
        return np.lexsort((self.coin, self.shoot))

    @property
    def shoots(self) -> int:
        """How many shoots there are."""
        return len(self.alpha)

    @cached_property
    def next_began(self) -> Ints:
        """For each shoot, at which row the one after it began."""
        first = np.full(self.shoots + 1, len(self.shoot), np.int64)
        np.minimum.at(first, self.shoot, np.arange(len(self.shoot)))
        return first[1:]

    def late(self, bad: Flags) -> Flags:
        """For each shoot, whether the first of these rows of it came after the next shoot began."""
        when = np.full(self.shoots, -1, np.int64)
        rows = np.flatnonzero(bad)[::-1]
        when[self.shoot[rows]] = rows
        return np.asarray(when > self.next_began)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that happened to a cell, at the verdict with this row number."""

    row: int
    event: str  # licensed, widened, canary_failed, demoted
    because: str
    force: float = np.nan  # the threshold from here on: -inf everything, inf nothing, NaN as before


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Where a cell stands. `rung` counts certified thresholds; n, k and the e-value are those of the next one."""

    ladder: tuple[float | None, ...]  # thresholds, strictest first; None: everything
    shares: tuple[float, ...]
    licensed: bool
    rung: int
    licences: int  # how many times it was licensed
    n: int
    k: int
    log_e: float
    delta: float  # that the next licence, or the present one, may spend
    alpha: float  # at the last shoot, lowered by what reviewers miss
    begin: int  # the first shoot whose evidence counts
    audited: int  # since the licence
    audited_bad: int
    steps: tuple[Step, ...]

    @property
    def threshold(self) -> float | None:
        """The threshold in force; None also where everything is let through."""
        return self.ladder[self.rung - 1] if self.licensed else None


def ladder(scores: Numbers, shares: Sequence[float]) -> tuple[tuple[float | None, ...], tuple[float, ...]]:
    """Thresholds that let these shares of the first verdicts' items through, and the shares. Verdicts play no part in
    it. Equal thresholds count once; without scores there is one rung, everything."""
    first = scores[:FIRST]
    told = first[~np.isnan(first)]
    if len(told) * 2 <= len(first) or not len(told):
        return (None,), (1.0,)
    found: dict[float | None, float] = {}
    for share in sorted(shares):
        found[None if share >= 1 else float(np.quantile(told, 1 - share, method="lower"))] = share
    return tuple(found), tuple(found.values())


def evidence(looked: Looked, threshold: float | None, cap: int | None) -> tuple[Ints, Ints, Flags]:
    """For each shoot: verdicts that count above a threshold, bad ones among them, and whether a canary was bad."""
    above = _above(looked, threshold)
    spoilt = above & looked.canary & looked.bad
    failed = np.bincount(looked.shoot[spoilt], minlength=looked.shoots) > 0
    counts = above & ~looked.canary & ~looked.returned & ~looked.bundled
    counts &= ~failed[looked.shoot] | (looked.late(spoilt)[looked.shoot] & looked.bad)
    rows = looked.by_coin[counts[looked.by_coin]]
    if cap is not None and len(rows):
        shoots = looked.shoot[rows]
        starts = np.flatnonzero(np.concatenate([[True], shoots[1:] != shoots[:-1]]))
        rank = np.arange(len(rows)) - np.repeat(starts, np.diff(np.append(starts, len(rows))))
        rows = rows[rank < cap]
    n = np.bincount(looked.shoot[rows], minlength=looked.shoots)
    k = np.bincount(looked.shoot[rows[looked.bad[rows]]], minlength=looked.shoots)
    return n.astype(np.int64), k.astype(np.int64), failed


def run(looked: Looked, rules: TaskRules, *, bet: Bet = PLAIN) -> Course:
    """The whole course, from the verdicts alone."""
    rungs = _rungs(looked, rules)
    one_by_one = looked.shoot[~looked.bundled]
    fixed = int(one_by_one[FIRST - 1]) if len(one_by_one) >= FIRST else looked.shoots  # no licence before that
    steps: list[Step] = []
    begin, attempt, licences, audited, audited_bad = 0, 1, 0, 0, 0
    while True:
        delta = licence.spent(rules.delta, attempt)
        sums = [(np.cumsum(rung.n[begin:]), np.cumsum(rung.k[begin:])) for rung in rungs]
        open_ = np.arange(begin, looked.shoots) >= fixed
        rungs_there = [licence.reached(n, k, looked.alpha[begin:], delta, bet=bet) & open_ for n, k in sums]
        got = [begin + when for when in licence.certified(rungs_there) if when is not None]
        if licences:
            next_delta = licence.spent(rules.delta, attempt + 1)
            lost = np.flatnonzero(licence.hopeless(*sums[0], rules.alpha, delta, next_delta, bet=bet))
            if len(lost) and not (got and got[0] <= begin + lost[0]):
                begin, attempt = begin + int(lost[0]) + 1, attempt + 1
                continue
        if got:
            licences += 1
            term = _term(looked, rungs, got)
            end = _alarm(looked, rules, term, float(looked.alpha[got[0]]))
            until = looked.shoots if end is None else int(looked.shoot[end.row])
            steps += [*_granted(looked, rungs, got, begin, until), *_canary_steps(looked, term, until)]
            if end is not None:
                steps.append(end)
                begin, attempt = until + 1, attempt + 1
                continue
            audits = term.alone & ~looked.canary & ~looked.bundled & ~term.failed[looked.shoot]
            audited, audited_bad = int(audits.sum()), int((audits & looked.bad).sum())
        next_ = min(len(got), len(rungs) - 1)
        seen, bad = (int(x[-1]) if len(x) else 0 for x in sums[next_])
        alpha = float(looked.alpha[-1]) if looked.shoots else rules.alpha
        return Course(
            ladder=tuple(rung.threshold for rung in rungs), shares=tuple(rung.share for rung in rungs),
            licensed=bool(got), rung=len(got), licences=licences, n=seen, k=bad, begin=begin, delta=delta,
            log_e=float(licence.log_e(seen, bad, alpha, bet=bet)),
            alpha=alpha,
            audited=audited, audited_bad=audited_bad, steps=tuple(sorted(steps, key=lambda step: step.row)),
        )  # fmt: skip


# ---------------------------------------------------------------- parts of a course


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rung:
    """What speaks for one threshold: counts of each shoot, and in which a canary was bad."""

    threshold: float | None
    share: float
    n: Ints
    k: Ints
    failed: Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class _Term:
    """From one licence on: which threshold each shoot was under (inf: none yet), and which rows that let through."""

    force: Numbers
    alone: Flags
    failed: Flags
    late: Flags  # of the failed ones, those that failed once later shoots had begun


def _rungs(looked: Looked, rules: TaskRules) -> list[_Rung]:
    out = []
    for threshold, share in zip(*ladder(looked.score[~looked.bundled], rules.ladder), strict=True):
        n, k, failed = evidence(looked, threshold, rules.cap)
        out.append(_Rung(threshold=threshold, share=share, n=n, k=k, failed=failed))
    return out


def _above(looked: Looked, threshold: float | None) -> Flags:
    return np.ones(len(looked.score), np.bool_) if threshold is None else np.asarray(looked.score >= threshold)


def _term(looked: Looked, rungs: Sequence[_Rung], got: Sequence[int]) -> _Term:
    """What the machine would have done alone after a licence; `got` is in which shoot each rung was certified."""
    force = np.full(looked.shoots, np.inf)
    for rung, shoot in zip(rungs, got, strict=False):
        force[shoot + 1 :] = -np.inf if rung.threshold is None else rung.threshold
    level = force[looked.shoot]
    alone = np.isneginf(level) | (np.isfinite(level) & (looked.score >= level))
    spoilt = alone & looked.canary & looked.bad
    failed = np.bincount(looked.shoot[spoilt], minlength=looked.shoots) > 0
    return _Term(force=force, alone=np.asarray(alone), failed=failed, late=looked.late(np.asarray(spoilt)))


def _alarm(looked: Looked, rules: TaskRules, term: _Term, alpha: float) -> Step | None:
    """The first verdict at which one of the alarms sounds, at the level that the licence was given at: whoever misses
    a fifth of what is bad would hear it that much later else."""
    since = np.maximum.accumulate(~np.isposinf(term.force[looked.shoot])) if len(looked.shoot) else term.alone
    audits = term.alone & ~looked.canary & ~(term.failed & ~term.late)[looked.shoot]
    rows = np.flatnonzero((audits & ~looked.returned) | (looked.returned & since))
    ends = []
    at = audit.alarm(looked.bad[rows], alpha)
    if at is not None:
        bad = int(looked.bad[rows[: at + 1]].sum())
        most = f"{100 * rules.alpha:.2g} %"
        text = f"{bad:,} of the {at + 1:,} audited since the licence were bad: more than {most} explains."
        ends.append(Step(row=int(rows[at]), event="demoted", because=text, force=np.inf))
    canaries = np.flatnonzero(term.alone & looked.canary & ~looked.bundled)
    if len(canaries) and rules.canary:
        shoots, last = np.unique(looked.shoot[canaries][::-1], return_index=True)
        at = audit.alarm(term.failed[shoots], 1 - (1 - alpha) ** rules.canary)
        if at is not None:
            bad = int(term.failed[shoots[: at + 1]].sum())
            text = f"A canary was bad in {bad:,} of the {at + 1:,} shoots since the licence."
            ends.append(Step(row=int(canaries[::-1][last[at]]), event="demoted", because=text, force=np.inf))
    return min(ends, key=lambda step: step.row, default=None)


def _granted(looked: Looked, rungs: Sequence[_Rung], got: Sequence[int], begin: int, until: int) -> list[Step]:
    """The licence, and each time its threshold was lowered, up to shoot `until`."""
    last = np.zeros(looked.shoots, np.int64)
    np.maximum.at(last, looked.shoot, np.arange(len(looked.shoot)))
    out: list[Step] = []
    for i, (rung, shoot) in enumerate(zip(rungs, got, strict=False)):
        if shoot > until:
            break
        if i + 1 < len(got) and got[i + 1] == shoot and got[i + 1] <= until:
            continue  # the next threshold was certified at the same verdict
        n, k = int(rung.n[begin : shoot + 1].sum()), int(rung.k[begin : shoot + 1].sum())
        above = "all of them" if rung.threshold is None else f"a score of {rung.threshold:.3g} or more"
        text = f"{n:,} looked at, {k:,} bad: holds for {above}."
        force = -np.inf if rung.threshold is None else rung.threshold
        out.append(Step(row=int(last[shoot]), event="widened" if out else "licensed", because=text, force=force))
    return out


def _canary_steps(looked: Looked, term: _Term, until: int) -> list[Step]:
    """Shoots that went to a person because a canary was bad."""
    rows = np.flatnonzero(term.alone & looked.canary & looked.bad & (looked.shoot <= until))
    _, first = np.unique(looked.shoot[rows], return_index=True)
    text = "A canary of this shoot was bad: all of it went to a person."
    return [Step(row=int(row), event="canary_failed", because=text) for row in rows[np.sort(first)]]
