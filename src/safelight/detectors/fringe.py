"""Fringes: the old ground that clings to the rim of a cut-out, and mattes that are too wide (melted hair among them).

Along the soft rim of the matte the after should be α F + (1 − α) B, with the object's colour F from inside and the new ground B
from outside. What is left is regressed on the old ground, as the legal edit would show it, and on the object's own colour
further out than α allows; the score is the share of the old ground in the rim plus half the excess of the matte.
"""

import cv2
import numpy as np

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._findings import cannot, said
from safelight.detectors._rim import distance, nearest

SOLID, CLEAR = 0.97, 0.02  # alpha beyond which a pixel's colour is the object's, the ground's
APART = 0.05  # encoded levels: least difference of old ground and object
ENOUGH = 60  # pixels of rim


def detect(pair: Pair) -> list[Finding]:
    """One finding, `fringe`."""
    if pair.placement.cannot:
        return [cannot("fringe", pair.placement.cannot)]
    if pair.mask_work is None:
        return [cannot("fringe", "no matte was given")]
    alpha = pair.mask_work
    if not pair.ground_changed:
        return [cannot("fringe", "the ground is the old one")]
    if not (alpha > SOLID).any() or not (alpha < CLEAR).any():
        return [cannot("fringe", "the matte has no inside or no outside")]
    away = distance(alpha)
    near = (np.abs(away) < 12 * max(1.0, pair.unit)) & (alpha > CLEAR) & (alpha < SOLID)
    if near.sum() < ENOUGH:
        return [cannot("fringe", "the matte has no soft rim")]
    legal = pair.legal_colours
    solid, clear = alpha > SOLID, alpha < CLEAR
    clear &= cv2.dilate((~clear).astype(np.uint8), np.ones((5, 5), np.uint8)) == 0  # the rim may have been widened
    if not clear.any():
        return [cannot("fringe", "the matte has no outside")]
    after = pair.after_work
    ground, thing = nearest(after, clear)[near], nearest(after, solid)[near]
    old = nearest(legal, clear)[near]
    a = alpha[near][:, None]
    rest = after[near] - (a * thing + (1 - a) * ground)
    weight = np.clip(np.abs(old - thing).max(1) / APART - 1, 0, 1)
    if weight.sum() < ENOUGH / 2:
        return [cannot("fringe", "object and old ground have the same colour")]
    u, v = a * (old - thing), (1 - a) * (thing - ground)
    rows = np.stack((u.ravel(), v.ravel()), 1) * np.repeat(weight, 3)[:, None]
    found, *_ = np.linalg.lstsq(rows.T @ rows + 1e-4 * np.eye(2), rows.T @ (rest * weight[:, None]).ravel(), rcond=None)
    share, wide = (float(v) for v in found)
    score = share + 0.5 * max(0.0, wide)
    heat = np.zeros(alpha.shape, np.float32)
    along = (rest * u).sum(1) / np.maximum((u * u).sum(1), 1e-3)
    heat[near] = np.clip(along, 0, 1) * weight
    text = f"The rim of the cut-out keeps {100 * max(0.0, share):.0f} % of the old ground."
    return [said(pair, "fringe", score, text, heat=cv2.GaussianBlur(heat, (0, 0), 2))]


detector = Detector(
    name="fringe", version=1, finds=("fringe",), detect=detect, about="Old ground along a cut-out's rim, melted hair."
)
