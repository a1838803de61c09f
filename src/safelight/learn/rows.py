"""The ledger as the reducer reads it: one row a verdict, or the same in columns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from safelight.domain import Drawn, Say
from safelight.learn.draws import coin

POLICY = "policy:"  # verdicts of a named rule carry this before the rule's name
SKIP = "skip"  # an audit that was drawn and never answered
KINDS = ("review", "canary", "audit", "known_bad", "control")  # how an item was drawn; the rest counts as review
REVIEW, CANARY, AUDIT, KNOWN_BAD, CONTROL = range(len(KINDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One verdict. `group` is the risk group (empty: unknown); `bad` says that the machine was wrong: rejected, changed
    materially, escalated, or an audit that nobody answered. A client's return is a `returned` row."""

    at: str
    by: str
    asset: str
    shoot: str
    operator: str
    version: int
    say: str
    client: str = ""
    style: str = ""
    weights: str = ""
    group: str = ""
    score: float | None = None
    bad: bool = False
    drawn: str = Drawn.REVIEW
    bundled: int = 1
    seconds: float | None = None
    imported: bool = False
    returned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Verdicts of people in columns, oldest first. Text columns are numbers into `names`; -1 in no column."""

    names: dict[str, list[str]]
    at: Sequence[str]
    by: NDArray[np.int64]
    asset: NDArray[np.int64]
    shoot: NDArray[np.int64]
    client: NDArray[np.int64]
    style: NDArray[np.int64]
    task: NDArray[np.int64]
    build: NDArray[np.int64]  # version and weights
    group: NDArray[np.int64]
    score: NDArray[np.float64]  # NaN: none
    bad: NDArray[np.bool_]
    kind: NDArray[np.int64]  # into KINDS
    single: NDArray[np.bool_]  # answered by itself
    seconds: NDArray[np.float64]  # NaN: not measured
    imported: NDArray[np.bool_]
    returned: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.at)

    def name(self, column: str, code: int) -> str:
        """The text behind a number."""
        return self.names[column][code]

    def coins(self, which: NDArray[np.int64]) -> NDArray[np.float64]:
        """The coins of these rows."""
        shoots, tasks, assets = (self.names[c] for c in ("shoot", "task", "asset"))
        found = zip(self.shoot[which].tolist(), self.task[which].tolist(), self.asset[which].tolist(), strict=True)
        return np.array([coin(shoots[s], tasks[t], assets[a]) for s, t, a in found])


TEXTS = ("by", "asset", "shoot", "client", "style", "task", "build", "group")


def columns(rows: Iterable[Row]) -> Columns:
    """Rows in columns, in time order, without those of policy rules, those that were undone, and those whose item got
    another answer later."""
    listed = sorted((row for row in rows if not row.by.startswith(POLICY)), key=lambda row: row.at)
    return of_lists(
        at=[r.at for r in listed], say=[r.say for r in listed],
        texts={
            "by": [r.by for r in listed], "asset": [r.asset for r in listed], "shoot": [r.shoot for r in listed],
            "client": [r.client for r in listed], "style": [r.style for r in listed],
            "task": [r.operator for r in listed], "build": [build(r.version, r.weights) for r in listed],
            "group": [r.group for r in listed],
        },
        score=[r.score for r in listed], bad=[r.bad for r in listed], drawn=[str(r.drawn) for r in listed],
        bundled=[r.bundled for r in listed], seconds=[r.seconds for r in listed],
        imported=[r.imported for r in listed], returned=[r.returned for r in listed],
    )  # fmt: skip


def build(version: int, weights: str) -> str:
    """An operator's version with the weights it used: what a licence is about."""
    return f"{version}/{weights}" if weights else str(version)


def of_lists(
    *,
    at: Sequence[str],
    say: Sequence[str],
    texts: dict[str, Sequence[str]],
    score: Sequence[float | None],
    bad: Sequence[bool],
    drawn: Sequence[str],
    bundled: Sequence[int],
    seconds: Sequence[float | None],
    imported: Sequence[bool],
    returned: Sequence[bool],
) -> Columns:
    """Columns from lists in time order; what was undone or answered anew is left out."""
    codes, names = {}, {}
    for column in TEXTS:
        names[column], codes[column] = _coded(texts[column])
    kinds = {name: i for i, name in enumerate(KINDS)}
    kind = np.fromiter((kinds.get(d, REVIEW) for d in drawn), np.int64, count=len(drawn))
    known = np.where(kind == KNOWN_BAD, 1, 0)  # a known-bad is an item of its own beside the real one
    kept = _standing(say, codes["asset"] * 2 + known, codes["task"], codes["shoot"])
    single = np.asarray(bundled, np.int64) <= 1
    return Columns(
        names=names, at=[at[i] for i in kept.tolist()], **{c: codes[c][kept] for c in TEXTS},
        score=np.array(score, np.float64)[kept],
        bad=np.asarray(bad, np.bool_)[kept],
        kind=kind[kept], single=single[kept],
        seconds=np.array(seconds, np.float64)[kept],
        imported=np.asarray(imported, np.bool_)[kept], returned=np.asarray(returned, np.bool_)[kept],
    )  # fmt: skip


def _coded(values: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    names = list(dict.fromkeys(values))
    known = {name: code for code, name in enumerate(names)}
    return names, np.fromiter(map(known.__getitem__, values), np.int64, count=len(values))


def _standing(
    say: Sequence[str], asset: NDArray[np.int64], task: NDArray[np.int64], shoot: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Which rows stand: of each item the newest that was not taken back. An undo takes the newest standing verdict of
    its shoot about that item away, so that the one before it stands again."""
    count = len(say)
    if not count:
        return np.empty(0, np.int64)
    item = (asset * (int(task.max()) + 1) + task) * (int(shoot.max()) + 1) + shoot
    _, item, sizes = np.unique(item, return_inverse=True, return_counts=True)
    alone = sizes[item] == 1
    undo = np.fromiter(map(Say.UNDO.value.__eq__, say), np.bool_, count=count)
    kept = alone & ~undo
    stacks: dict[int, list[int]] = {}
    for i in np.flatnonzero(~alone).tolist():
        stack = stacks.setdefault(int(item[i]), [])
        if not undo[i]:
            stack.append(i)
        elif stack:
            stack.pop()
    kept[[stack[-1] for stack in stacks.values() if stack]] = True
    return np.flatnonzero(kept)
