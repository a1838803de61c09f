"""Warps: parts that were pushed about, as liquify brushes and bad alignment leave them.

After the geometry of the whole is taken away, blocks of 48 px at a long side of 1024 are compared by phase correlation
on planes of even contrast; what neighbours agree on is displacement. The score is the mean of the three largest agreed
displacements in px at that size, less what an estimated geometry leaves unexplained everywhere. Plain ground has
nothing to measure.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._blocks import even_contrast, moved
from safelight.detectors._planes import Plane, resized
from safelight.detectors.answers import cannot, said

SIDE = 1024  # px, long side at which blocks are compared
MOST = 2.5  # how much a small picture is enlarged to it: beyond, nothing finer is to be seen
BLOCK, STRIDE = 48, 20
ALIKE = 0.12
ENOUGH = 20  # blocks
DOUBT = 2.0  # of the disagreement that an estimated geometry leaves itself: what it may be off by
SEEN = 0.5  # px from which the sentence calls it a shift


def detect(pair: Pair) -> list[Finding]:
    """One finding, `warp`."""
    if pair.cannot:
        return [cannot("warp", pair.cannot)]
    size = _size(pair)
    before, after = (even_contrast(_at(p, size)) for p in (pair.level_before, pair.level_after))
    valid = _at(pair.stayed, size) > 0.99
    found = moved(before, after, valid=valid, side=BLOCK, stride=STRIDE)
    good = found.alike > ALIKE
    if good.sum() < ENOUGH:
        return [cannot("warp", "there is too little structure on which a shift could be measured")]
    columns, rows = (np.unique(v) for v in found.centre.T)
    field = np.zeros((len(rows), len(columns), 2), np.float32)
    weight = np.zeros(field.shape[:2], np.float32)
    r, c = np.searchsorted(rows, found.centre[good, 1]), np.searchsorted(columns, found.centre[good, 0])
    usual = np.zeros(2) if pair.placement.still else np.median(found.shift[good], axis=0)
    field[r, c] = found.shift[good] - usual
    weight[r, c] = np.minimum(1, found.alike[good] / 0.5)
    agreed = _agreed(field, weight)
    doubt = 0.0 if pair.placement.given else DOUBT * pair.placement.error_px * max(size) / max(pair.after.shape[:2])
    agreed = np.asarray(np.maximum(0, agreed - (0.0 if pair.placement.still else doubt)), np.float32)
    score = float(np.sort(agreed.ravel())[-3:].mean()) * 1024 / max(size)
    heat = np.zeros(after.shape, np.float32)
    inner = resized(agreed, (int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1), how=cv2.INTER_LINEAR)
    top, left = int(rows[0]), int(columns[0])
    heat[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    shifted = f"A part has moved by about {score:.1f} px (at a long side of 1024 px) against the rest."
    return [said(pair, "warp", score, shifted if score >= SEEN else "Nothing has moved against the rest.", heat=heat)]


def _size(pair: Pair) -> tuple[int, int]:
    """(width, height) at which blocks are compared: a block covers the same part of a small picture as of a large one,
    or what was pushed about in a small picture would be smaller than a block."""
    width, height = pair.grid_size
    zoom = min(SIDE / max(width, height), MOST)
    return max(1, round(width * zoom)), max(1, round(height * zoom))


def _at(plane: NDArray[Any], size: tuple[int, int]) -> Plane:
    return resized(plane, size, how=cv2.INTER_AREA if size[0] <= plane.shape[1] else cv2.INTER_CUBIC)


def _agreed(field: Plane, weight: Plane) -> Plane:
    """Length of the mean of 3 x 3 shifts less half of their spread; 0 where fewer than four neighbours tell."""
    total = np.maximum(_sum(weight), 1e-3)
    size = np.hypot(*(_sum(field[..., i] * weight) / total for i in range(2)))
    square = _sum((field**2).sum(axis=2) * weight) / total
    spread = np.sqrt(np.maximum(square - size * size, 0))
    enough = _sum((weight > 0).astype(np.float32)) >= 4
    return np.where(enough, np.maximum(0, size - 0.5 * spread), 0).astype(np.float32)


def _sum(plane: Plane) -> Plane:
    return np.asarray(cv2.boxFilter(plane, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT), np.float32)


detector = Detector(
    name="warp",
    version=2,
    finds=("warp",),
    detect=detect,
    about="Parts pushed out of place.",
    alone_cannot="a part that was moved may always have stood there",
)
