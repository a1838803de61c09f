"""The ledger as the reducer reads it: one row a verdict, or the same in columns."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from safelight.domain import Drawn, Say
from safelight.learn.draws import coins

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

    def without_groups(self, evidence: Collection[str]) -> "Columns":
        """The same, with groups that are told by any of this evidence unknown."""
        if not evidence:
            return self
        plain = ["" if any(name in group for name in evidence) else group for group in self.names["group"]]
        known, again = coded_texts(plain)
        return replace(self, names=self.names | {"group": known}, group=again[self.group])

    def coins(self, which: NDArray[np.int64]) -> NDArray[np.float64]:
        """The coins of these rows."""
        texts = (map(self.names[c].__getitem__, getattr(self, c)[which].tolist()) for c in ("shoot", "task", "asset"))
        return np.array(coins(zip(*texts, strict=True)))


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
    ).standing()  # fmt: skip


def build(version: int, weights: str) -> str:
    """An operator's version with the weights it used: what a licence is about."""
    return f"{version}/{weights}" if weights else str(version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """Verdicts as they were said, in time order, before anything is left out: texts as numbers into `names`."""

    names: dict[str, list[str]]
    codes: dict[str, NDArray[np.int64]]
    at: list[str]
    undo: NDArray[np.bool_]
    score: NDArray[np.float64]
    bad: NDArray[np.bool_]
    kind: NDArray[np.int64]
    single: NDArray[np.bool_]
    seconds: NDArray[np.float64]
    imported: NDArray[np.bool_]
    returned: NDArray[np.bool_]

    def standing(self) -> Columns:
        """What stands: what was undone or answered anew is left out."""
        codes = self.codes
        known = np.where(self.kind == KNOWN_BAD, 1, 0)  # a known-bad is an item of its own beside the real one
        kept = _standing(self.undo, codes["asset"] * 2 + known, codes["task"], codes["shoot"])
        whole = len(kept) == len(self.at)
        return Columns(
            names=self.names, at=self.at if whole else [self.at[i] for i in kept.tolist()],
            **{c: codes[c][kept] for c in TEXTS}, score=self.score[kept], bad=self.bad[kept], kind=self.kind[kept],
            single=self.single[kept], seconds=self.seconds[kept], imported=self.imported[kept],
            returned=self.returned[kept],
        )  # fmt: skip

    def then(self, later: "Coded") -> "Coded":
        """These and later ones."""
        names, codes = {}, {}
        for column in self.codes:
            names[column], more = _joined(self.names[column], later.names[column])
            codes[column] = np.concatenate([self.codes[column], more[later.codes[column]]])
        arrays = {name: np.concatenate([getattr(self, name), getattr(later, name)]) for name in ARRAYS}
        return Coded(names=names, codes=codes, at=self.at + later.at, **arrays)


ARRAYS = ("undo", "score", "bad", "kind", "single", "seconds", "imported", "returned")


def _joined(names: list[str], more: list[str]) -> tuple[list[str], NDArray[np.int64]]:
    """Names with those that are new, and the number of each of the later ones among them."""
    known = {name: code for code, name in enumerate(names)}
    codes = [known.setdefault(name, len(known)) for name in more]
    return list(known), np.array(codes, np.int64)


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
) -> Coded:
    """Numbers for lists in time order."""
    codes, names = {}, {}
    for column, values in texts.items():
        names[column], codes[column] = coded_texts(values)
    kinds = {name: i for i, name in enumerate(KINDS)}
    count = len(at)
    return Coded(
        names=names, codes=codes, at=list(at), undo=np.fromiter(map(Say.UNDO.value.__eq__, say), np.bool_, count=count),
        score=np.array(score, np.float64), bad=np.asarray(bad, np.bool_),
        kind=np.fromiter((kinds.get(d, REVIEW) for d in drawn), np.int64, count=count),
        single=np.asarray(bundled, np.int64) <= 1, seconds=np.array(seconds, np.float64),
        imported=np.asarray(imported, np.bool_), returned=np.asarray(returned, np.bool_),
    )  # fmt: skip


def coded_texts(values: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """The texts there are, and for each value which it is."""
    names = list(dict.fromkeys(values))
    known = {name: code for code, name in enumerate(names)}
    return names, np.fromiter(map(known.__getitem__, values), np.int64, count=len(values))


def _standing(
    undo: NDArray[np.bool_], asset: NDArray[np.int64], task: NDArray[np.int64], shoot: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Which rows stand: of each item the newest that was not taken back. An undo takes the newest standing verdict of
    its shoot about that item away, so that the one before it stands again."""
    if not len(undo):
        return np.empty(0, np.int64)
    item = (asset * (int(task.max()) + 1) + task) * (int(shoot.max()) + 1) + shoot
    _, item, sizes = np.unique(item, return_inverse=True, return_counts=True)
    alone = sizes[item] == 1
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
