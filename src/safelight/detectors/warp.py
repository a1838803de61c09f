"""Warps: parts that were pushed about, as liquify brushes and bad alignment leave them.

After the geometry of the whole is taken away, blocks of 56 px are compared by phase correlation on planes of even contrast;
what neighbours agree on is displacement. The score is the mean of the three largest agreed displacements in px at a long
side of 1024. Plain ground has nothing to measure.
"""

import cv2
import numpy as np

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._blocks import even_contrast, moved
from safelight.detectors._findings import cannot, said
from safelight.detectors._pair import Plane

SIDE = 1024  # px
BLOCK, STRIDE = 48, 20
ALIKE = 0.12
ENOUGH = 20  # blocks


def detect(pair: Pair) -> list[Finding]:
    """One finding, `warp`."""
    if pair.placement.cannot:
        return [cannot("warp", pair.placement.cannot)]
    height, width = pair.level_after.shape
    zoom = min(1.0, SIDE / max(height, width))
    size = round(width * zoom), round(height * zoom)
    before, after = (even_contrast(_resized(p, size)) for p in (pair.level_before, pair.level_after))
    valid = _resized(pair.stayed.astype(np.float32), size) > 0.99
    found = moved(before, after, valid=valid, side=BLOCK, stride=STRIDE)
    good = found.alike > ALIKE
    if good.sum() < ENOUGH:
        return [cannot("warp", "there is too little structure on which a shift could be measured")]
    columns, rows = (np.unique(v) for v in found.centre.T)
    field = np.zeros((len(rows), len(columns), 2), np.float32)
    weight = np.zeros(field.shape[:2], np.float32)
    r, c = np.searchsorted(rows, found.centre[:, 1]), np.searchsorted(columns, found.centre[:, 0])
    shift = found.shift - (0 if pair.placement.still else np.median(found.shift[good], axis=0))
    field[r[good], c[good]] = shift[good]
    weight[r[good], c[good]] = np.minimum(1, found.alike[good] / 0.5)
    agreed = _agreed(field, weight)
    strength = np.sort(agreed.ravel())[-3:].mean() * 1024 / max(SIDE * min(1, max(height, width) / SIDE), 1)
    text = f"A part has moved by about {strength:.1f} px (at a long side of 1024 px) against the rest."
    heat = np.zeros(after.shape, np.float32)
    heat[: int(rows[-1]) + 1, : int(columns[-1]) + 1] = cv2.resize(agreed, (int(columns[-1]) + 1, int(rows[-1]) + 1))
    return [said(pair, "warp", strength, text, heat=heat)]


def _agreed(field: Plane, weight: Plane) -> Plane:
    """Length of the mean of 3 x 3 shifts less half of their spread; 0 where fewer than four neighbours tell."""
    total = cv2.boxFilter(weight, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    mean = [
        cv2.boxFilter(field[..., i] * weight, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
        / np.maximum(total, 1e-3)
        for i in range(2)
    ]
    square = cv2.boxFilter(
        (field**2).sum(2) * weight, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT
    ) / np.maximum(total, 1e-3)
    size = np.hypot(*mean)
    spread = np.sqrt(np.maximum(square - size * size, 0))
    count = cv2.boxFilter((weight > 0).astype(np.float32), -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return np.where(count >= 4, np.maximum(0, size - 0.5 * spread), 0).astype(np.float32)


def _resized(plane: Plane, size: tuple[int, int]) -> Plane:
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


detector = Detector(name="warp", version=1, finds=("warp",), detect=detect, about="Parts pushed out of place.")
