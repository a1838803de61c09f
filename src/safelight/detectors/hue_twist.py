"""Hue twist: bright colours that turned their hue, as when channels clip one after the other.

The colours that the legal edit explains, given the after's luma, are compared with those that are there, in CIE a*b*,
averaged where the before is noisy, so that noise has no hue. The score is the mean turn, in degrees, of clearly
coloured bright pixels; what is dark or pale says what the legal edit was.
"""

import cv2
import numpy as np

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors.answers import cannot, said

CHROMA = 8.0
BRIGHT = 50.0
ENOUGH = 300  # pixels


def detect(pair: Pair) -> list[Finding]:
    """One finding, `hue_twist`."""
    if pair.cannot:
        return [cannot("hue_twist", pair.cannot)]
    expected = pair.expected_colours_small
    if expected is None:
        return [cannot("hue_twist", "too little of the picture is neither black nor white")]
    should, has, usable = expected
    want, have = (cv2.cvtColor(np.clip(p, 0, 1).astype(np.float32), cv2.COLOR_RGB2Lab) for p in (should, has))
    chroma = np.minimum(np.hypot(want[..., 1], want[..., 2]), np.hypot(have[..., 1], have[..., 2]))
    weight = np.clip((have[..., 0] - BRIGHT) / 15, 0, 1) * np.clip((chroma - CHROMA) / 12, 0, 1) * usable
    if (weight > 0.3).sum() < ENOUGH:
        return [cannot("hue_twist", "there is hardly any bright and coloured part")]
    want, have = (cv2.blur(p[..., 1:], (3, 3)) for p in (want, have))
    size = np.hypot(want[..., 0], want[..., 1])
    # The part of the change across the hue, in a*b* units; by the chroma it is the turn.
    across = (want[..., 0] * have[..., 1] - want[..., 1] * have[..., 0]) / np.maximum(size, 2)
    total = float((weight * size).sum())
    signed, plain = float((weight * across).sum()) / total, float((weight * np.abs(across)).sum()) / total
    score = float(np.degrees(0.7 * abs(signed) + 0.3 * plain))
    off = np.abs(across)
    text = f"Bright colours have turned by about {score:.0f}° in hue."
    return [said(pair, "hue_twist", score, text, heat=cv2.blur((off * weight).astype(np.float32), (5, 5)))]


detector = Detector(
    name="hue_twist",
    version=2,
    finds=("hue_twist",),
    detect=detect,
    about="Bright colours of another hue.",
    alone_cannot="which hue bright colours had is known by the picture before",
)
