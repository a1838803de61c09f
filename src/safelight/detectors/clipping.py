"""Newly clipped: parts that had colour before and are burnt out or drowned now.

A pixel is clipped where its largest channel reaches 254 of 255 or its smallest 1, or the very end where both files
have sixteen bits. What was clipped before does not count, nor do single pixels of an edge that sharpening drives over
the end; what lay just below it counts less than what had colour to lose. The score is the share of the picture, as a
logarithm.
"""

import cv2
import numpy as np

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._planes import Plane
from safelight.detectors.answers import cannot, said

HIGH, LOW = 253.2 / 255, 1.8 / 255  # of the mean of 3 x 3: saving as JPEG moves single pixels off the end
FINE_HIGH, FINE_LOW = 254.7 / 255, 0.3 / 255  # the same of files with sixteen bits, which are not saved as JPEG
NEAR = 1 / 255  # of an end: what was so near it before was clipped already
DEEP = 0.04  # from an end: what was so far from it before counts whole
SQUARE = np.ones((5, 5), np.uint8)  # px: smaller places at an end are no plateau
LEAST = 1e-5  # share of the picture from which anything is counted


def detect(pair: Pair) -> list[Finding]:
    """One finding, `clipping`."""
    if pair.cannot:
        return [cannot("clipping", pair.cannot)]
    heat = np.zeros(pair.level_after.shape, np.float32)
    shares = []
    for new, old, high in (
        (pair.highest_after, pair.highest_before, True),
        (pair.lowest_after, pair.lowest_before, False),
    ):
        room = _room(old, high=high, fine=pair.fine)
        fresh = (_room(new, high=high, fine=pair.fine) <= 0) & (room > NEAR) & pair.stayed
        whole = cv2.morphologyEx(fresh.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
        lost = whole * np.clip(room / DEEP, 0, 1)
        shares.append(float(lost.mean()) / max(float(pair.stayed.mean()), 0.02))
        heat += lost
    share = max(shares)
    end = "burnt out" if shares[0] >= shares[1] else "drowned in black"
    score = float(np.log10(max(share, LEAST) / LEAST))
    text = f"{100 * share:.2f} % of the picture is newly {end}."
    return [said(pair, "clipping", score, text, heat=_spread(heat))]


def alone(pair: Pair) -> list[Finding]:
    """What of a picture by itself is at an end, whoever drove it there."""
    if pair.cannot:
        return [cannot("clipping", pair.cannot)]
    ends = [
        cv2.morphologyEx((_room(p, high=high, fine=pair.fine) <= 0).astype(np.uint8), cv2.MORPH_OPEN, SQUARE)
        for p, high in ((pair.highest_after, True), (pair.lowest_after, False))
    ]
    shares = [float(end.mean()) for end in ends]
    end = "burnt out" if shares[0] >= shares[1] else "drowned in black"
    score = float(np.log10(max(*shares, LEAST) / LEAST))
    heat = _spread(np.asarray(ends[0] + ends[1], np.float32))
    return [said(pair, "clipping", score, f"{100 * max(shares):.2f} % of the picture is {end}.", heat=heat, alone=True)]


def _room(extreme: Plane, *, high: bool, fine: bool) -> Plane:
    """How far the largest channel is from the upper end, or the smallest from the lower one; 0 and less: clipped."""
    mean = cv2.blur(extreme, (3, 3))
    if high:
        return np.asarray((FINE_HIGH if fine else HIGH) - mean, np.float32)
    return np.asarray(mean - (FINE_LOW if fine else LOW), np.float32)


def _spread(heat: Plane) -> Plane:
    return np.asarray(cv2.GaussianBlur(heat, (0, 0), 3), np.float32)


detector = Detector(
    name="clipping",
    version=2,
    finds=("clipping",),
    detect=detect,
    alone=alone,
    about="Highlights or shadows that lost their colour.",
)
