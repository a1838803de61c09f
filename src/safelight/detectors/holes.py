"""Missed holes: places beside or inside a cut-out where the old ground is still seen.

Where the matte says ground, the after is compared with the before as the legal edit would show it. On a new ground
hardly anything fits by chance; what fits over a whole part near the object is the old ground.
"""

import cv2
import numpy as np

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._rim import distance
from safelight.detectors.answers import cannot, said

CLEAR = 0.4  # alpha below which the ground should be seen
SAME = 0.09  # encoded levels that old ground may differ from what is expected
REACH = 0.2  # of the object's size: how far from it holes are looked for


def detect(pair: Pair) -> list[Finding]:
    """One finding, `holes`."""
    if pair.placement.cannot:
        return [cannot("holes", pair.placement.cannot)]
    if pair.mask_work is None:
        return [cannot("holes", "no matte was given")]
    if not pair.ground_changed:
        return [cannot("holes", "the ground is the old one")]
    alpha = pair.mask_work
    solid = alpha > 0.9
    if not solid.any():
        return [cannot("holes", "the matte has no inside")]
    off = np.abs(pair.after_work - pair.legal_colours).max(2)
    fits = cv2.GaussianBlur(np.clip(1 - off / SAME, 0, 1).astype(np.float32), (0, 0), 1.2)
    size = float(np.sqrt(solid.sum()))
    away = distance(alpha)
    near = (alpha < CLEAR) & (away > -REACH * size) & (pair.valid > 0)
    filled = cv2.morphologyEx(solid.astype(np.uint8), cv2.MORPH_CLOSE, _disc(0.12 * size))
    found = ((fits > 0.5) & near).astype(np.uint8)
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(found)
    chance = float(
        ((fits > 0.5) & (alpha < 0.02) & (away < -8)).mean() / max(float(((alpha < 0.02) & (away < -8)).mean()), 1e-3)
    )
    best, score = 0, 0.0
    for i in range(1, count):
        part = labels == i
        area = float(stats[i][cv2.CC_STAT_AREA])
        if area < 12:
            continue
        touching = float(filled[part].mean())
        value = np.log10(1 + area * (0.15 + touching)) * float(fits[part].mean())
        if value > score:
            best, score = i, float(value)
    score *= max(0.1, 1 - 1.5 * chance)
    heat = np.where(labels == best, fits, 0).astype(np.float32) if best else None
    text = "The old ground is still seen through the object." if best else "No old ground is seen beside the object."
    return [said(pair, "holes", score, text, heat=heat)]


def _disc(radius: float) -> np.ndarray:
    side = 2 * max(1, int(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))


detector = Detector(
    name="holes", version=1, finds=("holes",), detect=detect, about="Gaps of an object that still show the old ground."
)
