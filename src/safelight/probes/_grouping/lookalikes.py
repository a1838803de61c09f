"""Near-duplicates: photos that show the same thing from the same place, seconds or a minute apart or without times.

Complete linkage: every photo of a group is like every other, or series would chain into one.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

from safelight.media.frame import Matrix
from safelight.probes._grouping.shoot import Shoot, Whole

ALIKE = 0.72  # least likeness of near-duplicates
WINDOW_S = 120.0  # from first to last
BLOCK = 256  # rows that are compared at once


def clusters(shoot: Shoot, free: NDArray[np.bool_]) -> list[list[int]]:
    """Groups of two and more among the photos that are still free (a mask over rows)."""
    pairs = [*_timed(shoot, free), *_untimed(shoot, free)]
    a = np.concatenate([np.empty(0, np.intp), *(one for one, _ in pairs)])
    b = np.concatenate([np.empty(0, np.intp), *(other for _, other in pairs)])
    if not len(a):
        return []
    graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(len(shoot), len(shoot)))
    _, label = connected_components(graph, directed=False)
    linked = np.unique(np.concatenate((a, b)))
    linked = linked[np.argsort(label[linked], kind="stable")]
    parts = np.split(linked, np.flatnonzero(np.diff(label[linked])) + 1)
    return [cluster for part in parts for cluster in _complete(shoot, part)]


def _timed(shoot: Shoot, free: NDArray[np.bool_]) -> Iterator[tuple[Whole, Whole]]:
    """Pairs within the window that are alike."""
    rows = np.flatnonzero(free & shoot.timed)
    rows = rows[np.argsort(shoot.time[rows], kind="stable")]
    time = shoot.time[rows]
    ends = np.searchsorted(time, time + WINDOW_S, "right")
    for start in range(0, len(rows), BLOCK):
        stop = min(start + BLOCK, len(rows))
        alike = shoot.look[rows[start:stop]] @ shoot.look[rows[start : ends[stop - 1]]].T >= ALIKE
        i, j = np.nonzero(alike)
        ahead = (j > i) & (start + j < ends[start + i])
        yield rows[start + i[ahead]], rows[start + j[ahead]]


def _untimed(shoot: Shoot, free: NDArray[np.bool_]) -> Iterator[tuple[Whole, Whole]]:
    """Pairs of which one or both have no time."""
    rows, timed = np.flatnonzero(free & ~shoot.timed), np.flatnonzero(free & shoot.timed)
    every = np.concatenate((rows, timed))
    for start in range(0, len(rows), BLOCK):
        stop = min(start + BLOCK, len(rows))
        i, j = np.nonzero(shoot.look[rows[start:stop]] @ shoot.look[every[start:]].T >= ALIKE)
        ahead = j > i
        yield rows[start + i[ahead]], every[start + j[ahead]]


def _complete(shoot: Shoot, part: Whole) -> Iterator[list[int]]:
    """Complete linkage of one connected part."""
    apart = _apart(shoot, part)
    if apart.max() <= 1 - ALIKE:
        yield [int(row) for row in part]
        return
    label = fcluster(linkage(squareform(apart, checks=False), "complete"), 1 - ALIKE, "distance")
    for one in np.unique(label):
        if (label == one).sum() > 1:
            yield [int(row) for row in part[label == one]]


def _apart(shoot: Shoot, part: Whole) -> Matrix:
    """1 - likeness; 2 where the times forbid it."""
    look = shoot.look[part]
    apart = np.maximum(1 - (look @ look.T).astype(np.float64), 0)
    time = shoot.time[part]
    apart[np.abs(time[:, None] - time[None]) > WINDOW_S] = 2  # unknown times forbid nothing: NaN compares as False
    np.fill_diagonal(apart, 0)
    return np.minimum(apart, apart.T)
