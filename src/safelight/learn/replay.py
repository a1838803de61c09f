"""What a past ledger would have looked like with the mechanism switched on: what would have been done alone, which bad
items that would have let through."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from safelight.learn.cells import Cell
from safelight.learn.rows import AUDIT, CANARY, CONTROL, KNOWN_BAD, Columns


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldHave:
    """Items of a cell that nobody would have looked at, and how many of them were bad."""

    items: int
    automated: int
    bad_let_through: int


def would_have(ledger: Columns, cell: Cell) -> WouldHave:
    """Goes through a cell's items in time order, by the licences of its history. Canaries, audits, and shoots with a
    bad canary would have been looked at. What the ledger does not call bad counts as good."""
    names = ledger.names
    builds = [i for i, name in enumerate(names["build"]) if name in cell.builds]
    mine = (
        (ledger.task == _code(names["task"], cell.task))
        & np.isin(ledger.build, builds)
        & (ledger.group == _code(names["group"], cell.group))
        & ~np.isin(ledger.kind, (KNOWN_BAD, CONTROL))
        & ~ledger.imported
    )
    if cell.client and cell.split:
        mine &= ledger.client == _code(names["client"], cell.client)
    if cell.style:
        mine &= ledger.style == _code(names["style"], cell.style)
    rows = np.flatnonzero(mine)
    if not len(rows):
        return WouldHave(items=0, automated=0, bad_let_through=0)
    _, first, index = np.unique(ledger.shoot[rows], return_index=True, return_inverse=True)
    index = index.reshape(-1)
    began = rows[first][index]  # the first verdict of each item's shoot: a licence holds for shoots that begin after it
    force = _in_force(cell, began)
    stopped = np.array([e.row for e in cell.history if e.event == "demoted"], np.int64)
    force[np.searchsorted(stopped, began) != np.searchsorted(stopped, rows, "right")] = np.inf
    alone = np.isneginf(force) | (np.isfinite(force) & (ledger.score[rows] >= force))
    failed = np.bincount(index[alone & (ledger.kind[rows] == CANARY) & ledger.bad[rows]], minlength=len(first)) > 0
    alone &= ~failed[index] & ~np.isin(ledger.kind[rows], (CANARY, AUDIT))
    return WouldHave(items=len(rows), automated=int(alone.sum()), bad_let_through=int((alone & ledger.bad[rows]).sum()))


def _in_force(cell: Cell, began: NDArray[np.int64]) -> NDArray[np.float64]:
    """The threshold in force when each shoot began."""
    steps = [e for e in cell.history if not np.isnan(e.force)]
    levels = np.array([np.inf, *(e.force for e in steps)])
    return np.asarray(levels[np.searchsorted(np.array([e.row for e in steps], np.int64), began)])


def _code(names: list[str], name: str) -> int:
    return names.index(name) if name in names else -1
