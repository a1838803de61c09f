"""Newly clipped: parts that had colour before and are burnt out or drowned now.

A pixel is clipped where its largest channel reaches 254 of 255 or its smallest 1. What was clipped before does not
count, nor do single pixels of an edge that sharpening drives over the end. The score is the share of the picture, as
a logarithm.
"""

import cv2
import numpy as np

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._planes import Flags, Plane
from safelight.detectors.answers import cannot, said

HIGH, LOW = 253.2 / 255, 1.8 / 255  # of the mean of 3 x 3: saving as JPEG moves single pixels off the end
NEAR = 1 / 255  # of an end: what was so near it before was clipped already
LEAST = 1e-5  # share of the picture from which anything is counted


def detect(pair: Pair) -> list[Finding]:
    """One finding, `clipping`."""
    if pair.placement.cannot:
        return [cannot("clipping", pair.placement.cannot)]
    heat = np.zeros(pair.level_after.shape, np.float32)
    shares = []
    for new, old, high in (
        (pair.highest_after, pair.highest_before, True),
        (pair.lowest_after, pair.lowest_before, False),
    ):
        fresh = _ends(new, high=high) & ~_ends(old, high=high, reach=NEAR) & pair.stayed
        whole = cv2.morphologyEx(fresh.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
        shares.append(float(whole.mean()) / max(float(pair.stayed.mean()), 0.02))
        heat += whole
    share = max(shares)
    end = "burnt out" if shares[0] >= shares[1] else "drowned in black"
    score = float(np.log10(max(share, LEAST) / LEAST))
    text = f"{100 * share:.2f} % of the picture is newly {end}."
    return [said(pair, "clipping", score, text, heat=_spread(heat))]


def _ends(extreme: Plane, *, high: bool, reach: float = 0.0) -> Flags:
    """Where the largest channel is at the upper end, or the smallest at the lower one."""
    end = cv2.blur(extreme, (3, 3))
    return np.asarray(end >= HIGH - reach if high else end <= LOW + reach)


def _spread(heat: Plane) -> Plane:
    return np.asarray(cv2.GaussianBlur(heat, (0, 0), 3), np.float32)


detector = Detector(
    name="clipping",
    version=1,
    finds=("clipping",),
    detect=detect,
    about="Highlights or shadows that lost their colour.",
)
