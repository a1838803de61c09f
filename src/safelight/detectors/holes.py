"""Missed holes: places beside or inside a cut-out where the old ground is still seen.

Where the matte says ground, the after is compared with the before as the legal edit would show it. What fits over a
whole part that the object encloses is the old ground; a new ground that looks like the old one fits as well, but has
more ground about it.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._planes import Plane, blurred, grown
from safelight.detectors._rim import distance
from safelight.detectors.answers import cannot, said

CLEAR = 0.4  # alpha below which the ground should be seen
FITS = 0.4  # of the tolerance that must be left
# Encoded levels that old ground may differ from what is expected, and how many more for each that the edit moved.
SAME, MORE = 0.1, 5.0
MOST, SMALLEST = 20, 12  # parts that are looked at, px of a part
REACH = 0.2  # of the object's size: how far from it holes are looked for


def detect(pair: Pair) -> list[Finding]:
    """One finding, `holes`."""
    if pair.cannot:
        return [cannot("holes", pair.cannot)]
    if pair.mask_work is None:
        return [cannot("holes", "no matte was given")]
    if not pair.ground_changed:
        return [cannot("holes", "the ground is the old one")]
    alpha = pair.mask_work
    solid = alpha > 0.9
    if not solid.any():
        return [cannot("holes", "the matte has no inside")]
    off = _largest(np.abs(pair.after_work - pair.legal_colours))
    # Colours that the object has not show less surely what the edit makes of them, the more so the more it changed.
    shift = float(np.abs(pair.legal_colours[solid] - pair.before_work[solid]).mean())
    fits = blurred(np.clip(1 - off / (SAME + MORE * shift), 0, 1), 1.2)
    size = float(np.sqrt(solid.sum()))
    away = distance(alpha)
    near = (alpha < CLEAR) & (away > -REACH * size) & (pair.valid > 0)
    found = ((fits > FITS) & near).astype(np.uint8)
    whole = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(whole)
    best, score = 0, 0.0
    for i in sorted(range(1, count), key=lambda k: -int(stats[k][cv2.CC_STAT_AREA]))[:MOST]:
        part, area = labels == i, float(stats[i][cv2.CC_STAT_AREA])
        if area < SMALLEST:
            break
        # A gap of the object has the object about it; ground that looks like the old one by chance has ground.
        ring = grown(part, 7) & ~grown(part, 3)
        enclosed = float((alpha[ring] > CLEAR).mean()) if ring.any() else 0.0
        value = np.log10(1 + area) * float(fits[part].mean()) * enclosed
        if value > score:
            best, score = i, float(value)
    heat = np.where(labels == best, fits, 0).astype(np.float32) if best else None
    text = "The old ground is still seen through the object." if best else "No old ground is seen beside the object."
    return [said(pair, "holes", score, text, heat=heat)]


def _largest(colours: NDArray[np.float32]) -> Plane:
    """The largest of the three channels."""
    red, green, blue = cv2.split(colours)
    return np.asarray(cv2.max(cv2.max(red, green), blue), np.float32)


detector = Detector(
    name="holes",
    version=3,
    finds=("holes",),
    detect=detect,
    about="Gaps of an object that still show the old ground.",
    alone_cannot="which ground should be gone is known by the picture before",
)
