"""From columns to cells: task × risk group, coarse first, split by client or learned style only where their own work
proves different.

A split never raises a level: an item of a client or style that is split off needs the licence of the coarse cell and
that of its own (`record.Record.of`). Risk groups are never pooled.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri

from safelight.domain import Zone
from safelight.learn import audit, course, drift, licence, prior, saved, sensitivity
from safelight.learn.course import Course, Looked
from safelight.learn.licence import PLAIN, Bet
from safelight.learn.rows import AUDIT, CANARY, CONTROL, KNOWN_BAD, Columns
from safelight.learn.rules import Rules, TaskRules
from safelight.learn.saved import Saved

LEVEL = 0.9  # of the interval of a reject rate
SPLIT_VERDICTS, SPLIT_SHOOTS, SPLIT_CHANCE = 30, 4, 0.01  # from when a client's own work may prove different
CURVE = 60  # points of a learning curve, at most
RECENT = 200  # scores that are compared with those before

Ints = NDArray[np.int64]
SameOutput = Callable[[str, Sequence[str], str, Sequence[str]], bool]
"""(task, builds whose verdicts are kept, oldest first, new build, assets drawn by coin) → whether the new build gives
the same output, within the operator's written threshold, for those assets and all others that people decided about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a cell, and why."""

    at: str
    event: str  # licensed, widened, canary_failed, demoted
    because: str
    row: int = -1  # of the ledger's columns
    force: float = np.nan  # the threshold from here on: -inf everything, inf nothing, NaN as before


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Where a task stands for one risk group (and client). `n` and `k` are what counts for the next step; `drawn` and
    `drawn_bad` all that was drawn by coin and answered one by one."""

    task: str
    group: str
    client: str
    style: str  # the learned style whose work proved different; empty: all
    split: bool  # whether only this client's or style's verdicts count here
    builds: tuple[str, ...]  # whose verdicts count, oldest first
    current: bool  # whether the last of them is what runs
    zone: Zone
    state: str  # apprentice, licensed, demoted, never
    alpha: float
    delta: float
    course: Course
    shoots: int
    drawn: int
    drawn_bad: int
    rate_low: float
    rate_high: float
    share_automated: float  # of what was drawn, that would be done alone at the threshold in force
    audit: float
    canary: int
    caught: tuple[int, int]  # known-bads shown, and caught
    sensitivity: float  # at least
    bet: Bet
    drift: float | None
    needs: int | None  # verdicts more, none bad; 0 at the end of the ladder; None: no number would do
    needs_shoots: int | None
    per_year: float | None  # shoots, at this cell's pace
    saved: Saved | None
    because: str
    history: tuple[Event, ...]
    curve: tuple[tuple[int, int, int], ...]  # (shoots, drawn, bad) as they grew

    @property
    def threshold(self) -> float | None:
        """The score from which items are done alone; None without a licence, and where all are."""
        return self.course.threshold

    @property
    def n(self) -> int:
        """Verdicts that count for the next step."""
        return self.course.n

    @property
    def k(self) -> int:
        """Bad ones among them."""
        return self.course.k

    @property
    def ladder(self) -> tuple[float | None, ...]:
        """The thresholds, strictest first."""
        return self.course.ladder

    @property
    def ladder_fixed(self) -> bool:
        """Whether the thresholds are fixed."""
        return self.drawn >= course.FIRST


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    """What a cell is about. `builds` are those whose verdicts count for it; client "" is all clients."""

    task: str
    group: str
    client: str
    style: str
    split: bool
    builds: tuple[str, ...]
    current: bool
    rules: TaskRules


def reduce(
    ledger: Columns,
    rules: Rules,
    *,
    same_output: SameOutput | None,
    running: Mapping[str, str],
) -> tuple[Cell, ...]:
    """All cells of a ledger."""
    drawn = (np.isin(ledger.kind, (CANARY, AUDIT)) | ledger.returned) & ~ledger.imported
    counts = drawn & (ledger.single | ledger.bad)
    bets = _Bets(ledger, counts)
    out: list[Cell] = []
    codes_of = {name: code for code, name in enumerate(ledger.names["task"])}
    for task in {**codes_of, **running}:
        of_task = np.flatnonzero(ledger.task == codes_of.get(task, -1))
        seen = _Seen(ledger, of_task)
        for builds, current in _lineages(ledger, task, of_task, same_output, running.get(task)):
            codes = [i for i, name in enumerate(ledger.names["build"]) if name in builds]
            own = of_task[np.isin(ledger.build[of_task], codes)]
            for group, client, style, split, rows in _parts(ledger, rules, task, own, counts):
                key = _Key(
                    task=task, group=group, client=client, style=style, split=split, builds=builds, current=current,
                    rules=rules.task(task, client),
                )  # fmt: skip
                out.append(_cell(ledger, key, rows, drawn, seen, bets))
    return tuple(sorted(out, key=lambda c: (c.task, not c.current, c.builds, c.group, c.client, c.style)))


# ---------------------------------------------------------------- which cells there are


def _lineages(
    ledger: Columns,
    task: str,
    rows: Ints,
    same_output: SameOutput | None,
    running: str | None,
) -> list[tuple[tuple[str, ...], bool]]:
    """Builds that count as one, oldest first, and whether they are what runs. A build joins the one before it if it
    gives the same output for the assets of all verdicts that were kept so far; else it starts from nothing."""
    codes, first = np.unique(ledger.build[rows], return_index=True)
    names = [ledger.names["build"][code] for code in codes[np.argsort(first)]]
    names.sort(key=_version)  # stable: of one version, the order in which its weights came
    if running is not None:
        names = [name for name in names if name != running] + [running]
    out: list[list[str]] = []
    for name in names:
        old = [i for i, known in enumerate(ledger.names["build"]) if out and known in out[-1]]
        kept = rows[np.isin(ledger.build[rows], old) & (ledger.kind[rows] != KNOWN_BAD) & ~ledger.imported[rows]]
        assets = [ledger.names["asset"][i] for i in np.unique(ledger.asset[kept]).tolist()]
        if out and same_output is not None and same_output(task, out[-1], name, assets):
            out[-1].append(name)
        else:
            out.append([name])
    return [(tuple(builds), builds is out[-1]) for builds in out]


def _version(build: str) -> int:
    return int(build.split("/", 1)[0])


def _parts(
    ledger: Columns, rules: Rules, task: str, rows: Ints, counts: NDArray[np.bool_]
) -> list[tuple[str, str, str, bool, Ints]]:
    """(group, client, style, whether it is split off, rows): each risk group over all clients and styles; and again for
    those whose work proved different, and clients who have rules of their own, who then need both licences. Known-bads
    are about reviewers and no group's work."""
    rows = rows[ledger.kind[rows] != KNOWN_BAD]
    out = [] if len(rows) else [("", "", "", False, rows)]
    for group in np.unique(ledger.group[rows]).tolist():
        own = rows[ledger.group[rows] == group]
        name = ledger.names["group"][group]
        out.append((name, "", "", False, own))
        for client in np.unique(ledger.client[own]).tolist():
            called = ledger.names["client"][client]
            if not called:
                continue
            if task in rules.clients.get(called, {}):
                out.append((name, called, "", False, own))  # stricter rules, the same verdicts
            if _differs(ledger, own[counts[own]], ledger.client, client):
                out = [part for part in out if part[:2] != (name, called)]
                out.append((name, called, "", True, own[ledger.client[own] == client]))
        for style in np.unique(ledger.style[own]).tolist():
            called = ledger.names["style"][style]
            if called and _differs(ledger, own[counts[own]], ledger.style, style):
                out.append((name, "", called, True, own[ledger.style[own] == style]))
    return out


def _differs(ledger: Columns, rows: Ints, of: Ints, which: int) -> bool:
    """Whether the verdicts of a client or style (a number in the column `of`) are unlike those of the others beyond
    chance: the difference of rates is compared with its spread between shoots."""
    own = of[rows] == which
    sides = []
    for side in (rows[own], rows[~own]):
        shoots = ledger.shoot[side]
        if len(side) < SPLIT_VERDICTS or len(np.unique(shoots)) < SPLIT_SHOOTS:
            return False
        sides.append((ledger.bad[side].mean(), rate_spread(shoots, ledger.bad[side])))
    (one, a), (other, b) = sides
    spread = float(np.hypot(a, b))
    several = max(1, len(np.unique(of[rows])))
    return bool(abs(one - other) > -ndtri(SPLIT_CHANCE / several / 2) * spread) if spread else one != other


def rate_spread(shoots: Ints, bad: NDArray[np.bool_]) -> float:
    """Standard error of a share whose items come in shoots (the ratio estimator), never below that of independent
    items with one more bad and one more good."""
    n, k = len(bad), int(bad.sum())
    rate = k / n
    _, index = np.unique(shoots, return_inverse=True)
    sizes, sums = np.bincount(index), np.bincount(index, weights=bad)
    count = len(sizes)
    clustered = np.sqrt(((sums - rate * sizes) ** 2).sum() * count / max(1, count - 1)) / n
    smooth = (k + 1) / (n + 2)
    return float(max(clustered, np.sqrt(smooth * (1 - smooth) / n)))


# ---------------------------------------------------------------- what stands around a cell


class _Bets:
    """The bet of each cell, from verdicts of other cells before its own began."""

    def __init__(self, ledger: Columns, counts: NDArray[np.bool_]) -> None:
        self.ledger = ledger
        usable = counts | (ledger.imported & (ledger.single | ledger.bad))
        self.rows = np.flatnonzero(usable)
        code = (ledger.task * len(ledger.names["build"]) + ledger.build) * len(ledger.names["group"]) + ledger.group
        self.cell = np.unique((code * 2 + ledger.imported)[self.rows], return_inverse=True)[1].reshape(-1)

    def of(self, rows: Ints) -> Bet:
        """The bet for a cell with these rows."""
        if not len(rows):
            return PLAIN
        before = self.rows < rows[0]
        cells = self.cell[before]
        n = np.bincount(cells)
        k = np.bincount(cells, weights=self.ledger.bad[self.rows[before]], minlength=len(n))
        return prior.fit([(int(a), int(b)) for a, b in zip(n, k, strict=True) if a])


class _Seen:
    """What reviewers notice in a task: known-bads shown and caught, as they grew; and how long answers took."""

    def __init__(self, ledger: Columns, rows: Ints) -> None:
        self.known = rows[ledger.kind[rows] == KNOWN_BAD]
        self.caught = np.concatenate([[0], np.cumsum(ledger.bad[self.known])])
        self.by = ledger.by[self.known]
        self.bad = ledger.bad[self.known]

    def at(self, row: Ints) -> NDArray[np.float64]:
        """The least share that is noticed, at these row numbers: of all reviewers together, or of the one who notices
        least."""
        shown = np.searchsorted(self.known, row, "right")
        least = sensitivity.at_least(shown, self.caught[shown])
        for one in np.unique(self.by).tolist():
            own = self.known[self.by == one]
            caught = np.concatenate([[0], np.cumsum(self.bad[self.by == one])])
            seen = np.searchsorted(own, row, "right")
            least = np.minimum(least, np.where(seen >= sensitivity.FEWEST, sensitivity.at_least(seen, caught[seen]), 1))
        return np.asarray(least)


# ---------------------------------------------------------------- one cell


def _cell(ledger: Columns, key: _Key, own: Ints, drawn: NDArray[np.bool_], seen: _Seen, bets: _Bets) -> Cell:
    rules = key.rules
    rows = own[drawn[own]]
    shoot = _renumbered(ledger.shoot[rows])
    ends = np.zeros(int(shoot.max()) + 1 if len(rows) else 0, np.int64)
    np.maximum.at(ends, shoot, rows)
    looked = Looked(
        shoot=shoot, coin=ledger.coins(rows), score=ledger.score[rows], bad=ledger.bad[rows],
        canary=ledger.kind[rows] == CANARY, returned=ledger.returned[rows],
        bundled=~(ledger.single | ledger.bad)[rows], alpha=rules.alpha * seen.at(ends),
    )  # fmt: skip
    told = rows[~looked.bundled]  # answered one by one: what rates, curves and paces are about
    bet = bets.of(told)
    found = course.run(looked, rules, bet=bet)
    state = _state(found, rules)
    latest = np.array([len(ledger)], np.int64)
    scores, of_shoot, bad = ledger.score[told], _renumbered(ledger.shoot[told]), ledger.bad[told]
    shoots = int(of_shoot.max()) + 1 if len(told) else 0
    moved = drift.psi(scores[:-RECENT], scores[-RECENT:])
    share, canary = _looks(found, rules, drifted=moved is not None and moved > drift.SHIFTED)
    needs = _needs(found, state, bet, drawn=len(told))
    pace = _pace([ledger.at[int(r)] for r in (told[0], told[-1])], shoots) if shoots > 1 else None
    low, high = interval(of_shoot, bad)
    return Cell(
        task=key.task, group=key.group, client=key.client, style=key.style, split=key.split, builds=key.builds,
        current=key.current, zone=rules.zone, state=state, alpha=rules.alpha, delta=rules.delta, course=found,
        shoots=shoots, drawn=len(told), drawn_bad=int(bad.sum()), rate_low=low, rate_high=high,
        share_automated=_automated(looked, found),
        audit=share, canary=canary, caught=(len(seen.known), int(seen.caught[-1])),
        sensitivity=float(seen.at(latest)[0]), bet=bet, drift=moved, needs=needs,
        needs_shoots=_in_shoots(needs, looked, found, rules), per_year=pace,
        saved=saved.saved(
            ledger.seconds[own[(ledger.kind[own] == CONTROL) & ledger.single[own]]], ledger.seconds[told]
        ),
        because=_because(found, state, rules, needs),
        history=tuple(
            Event(
                at=ledger.at[int(rows[s.row])], event=s.event, because=s.because, row=int(rows[s.row]), force=s.force
            )
            for s in found.steps
        ),
        curve=_curve(of_shoot, bad),
    )  # fmt: skip


def _renumbered(shoots: Ints) -> Ints:
    """Shoots as 0, 1, … in the order of their first verdicts."""
    _, first, index = np.unique(shoots, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[index.reshape(-1)])


def _state(found: Course, rules: TaskRules) -> str:
    if rules.zone in (Zone.HUMAN, Zone.NEVER_UNREVIEWED):
        return "never"
    return "licensed" if found.licensed else "demoted" if found.licences else "apprentice"


def _looks(found: Course, rules: TaskRules, *, drifted: bool) -> tuple[float, int]:
    """The share that is audited, and the canaries of the next shoot."""
    share, canary = max(rules.audit, audit.LEAST_SHARE), rules.canary
    if found.licensed and found.audited < audit.EARLY_SHARE * audit.EARLY_ITEMS:
        share = max(share, audit.EARLY_SHARE)
    if drifted:
        share, canary = max(share, audit.DRIFT_SHARE), max(canary, audit.DRIFT_CANARY)
    return share, canary


def _needs(found: Course, state: str, bet: Bet, *, drawn: int) -> int | None:
    if state == "never":
        return None
    if found.licensed and found.rung == len(found.ladder):
        return 0
    more = licence.needed(found.n, found.k, found.alpha, found.delta, bet=bet)
    return None if more is None else max(more, course.FIRST - drawn)  # until then thresholds are not fixed


def _in_shoots(needs: int | None, looked: Looked, found: Course, rules: TaskRules) -> int | None:
    """Shoots until then, at what a shoot has brought so far; at the most it may bring where there were none."""
    if not needs:
        return needs
    rung = min(found.rung, len(found.ladder) - 1)
    n, _, _ = course.evidence(looked, found.ladder[rung], rules.cap)
    n = n[found.begin :]
    each = float(n.mean()) if n.sum() else float(rules.cap or 1)
    return int(np.ceil(needs / each))


def _pace(ends: Sequence[str], shoots: int) -> float | None:
    """Shoots a year, from the first to the last verdict; None if that was within a week."""
    try:
        first, last = (datetime.fromisoformat(at) for at in ends)
        days = (last - first).total_seconds() / 86400
    except (ValueError, TypeError):
        return None
    return (shoots - 1) / days * 365.25 if days >= 7 else None


def _automated(looked: Looked, found: Course) -> float:
    """Of what was drawn in these shoots, the share that the machine would do alone now: above the threshold, in shoots
    without a bad canary."""
    if not found.licensed or not len(looked.shoot):
        return 0.0
    _, _, failed = course.evidence(looked, found.threshold, None)
    above = np.ones(len(looked.score), np.bool_) if found.threshold is None else looked.score >= found.threshold
    here = looked.shoot >= found.begin
    return float((above & ~failed[looked.shoot])[here].mean()) if here.any() else 0.0


def interval(shoots: Ints, bad: NDArray[np.bool_]) -> tuple[float, float]:
    """Interval of a reject rate at LEVEL: Clopper and Pearson's, with as many verdicts as they are worth where those
    of a shoot agree with each other."""
    if not len(bad):
        return 0.0, 1.0
    rate = float(bad.mean())
    smooth = (bad.sum() + 1) / (len(bad) + 2)
    worth = min(float(len(bad)), smooth * (1 - smooth) / rate_spread(shoots, bad) ** 2)
    k = rate * worth
    low = float(betaincinv(k, worth - k + 1, (1 - LEVEL) / 2)) if k > 0 else 0.0
    high = float(betaincinv(k + 1, worth - k, (1 + LEVEL) / 2)) if k < worth else 1.0
    return low, high


def _because(found: Course, state: str, rules: TaskRules, needs: int | None) -> str:
    """Where it stands, in a sentence."""
    if state == "never":
        return f"The policy holds it at {rules.zone.value.replace('_', ' ')}: no record changes that."
    if state == "licensed":
        return next(s.because for s in reversed(found.steps) if s.event in ("licensed", "widened"))
    start = found.steps[-1].because + " " if state == "demoted" else ""
    more = "No number of verdicts would do." if needs is None else f"{needs:,} more looked at, none bad."
    return f"{start}{found.n:,} looked at, {found.k:,} bad. {more}"


def _curve(shoot: Ints, bad: NDArray[np.bool_]) -> tuple[tuple[int, int, int], ...]:
    if not len(shoot):
        return ()
    n, k = np.cumsum(np.bincount(shoot)), np.cumsum(np.bincount(shoot, weights=bad))
    at = np.unique(np.linspace(0, len(n) - 1, min(CURVE, len(n))).astype(int))
    return tuple((int(i) + 1, int(n[i]), int(k[i])) for i in at)
