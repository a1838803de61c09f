"""Blank border: a rim of one colour that the after has and the before has not, as a careless turn leaves it."""

import numpy as np

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors.answers import cannot, said

RIM = 3  # px on the common grid
PLAIN = 1.5 / 255  # encoded levels: standard deviation of a side of one colour


def detect(pair: Pair) -> list[Finding]:
    """One finding, `blank_border`: the share of the four sides that became plain."""
    if pair.cannot:
        return [cannot("blank_border", pair.cannot)]
    if min(pair.level_after.shape) < 8 * RIM:
        return [cannot("blank_border", "the picture is too small to have a border")]
    heat, count = np.zeros(pair.level_after.shape, np.float32), 0
    for side in (np.s_[:RIM], np.s_[-RIM:], np.s_[:, :RIM], np.s_[:, -RIM:]):
        if pair.level_after[side].std() < PLAIN < pair.level_before[side].std():
            heat[side] = 1.0
            count += 1
    text = f"{count} of 4 sides became one colour."
    return [said(pair, "blank_border", count / 4, text, heat=heat)]


detector = Detector(
    name="template", version=1, finds=("blank_border",), detect=detect, about="Sides that became one colour."
)
