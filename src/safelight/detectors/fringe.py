"""Fringes: the old ground that clings to the rim of a cut-out, and mattes that are too wide (melted hair among them).

Along the soft rim of the matte, α, the before is α F + (1 − α) O of the object's colour F and the old ground O, and an honest
after α F + (1 − α) B on the new ground B: the before, as the legal edit shows it, less (1 − α) O plus (1 − α) B. What is left is
regressed on what a rim of the before's own pixels would add, and on the object's colour further out than α allows; the score is the share of the old ground in the rim plus half the excess of the matte.
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
    clear = cv2.dilate((alpha >= CLEAR).astype(np.uint8), np.ones((5, 5), np.uint8)) == 0  # the rim may have been widened
    if not clear.any():
        return [cannot("fringe", "the matte has no outside")]
    after, own = pair.after_work[near], legal[near]
    ground, old = nearest(pair.after_work, clear)[near], nearest(legal, clear)[near]
    a = alpha[near][:, None]
    # An honest rim: what the before shows there less its share of the old ground, on the new one.
    rest = after - (own - (1 - a) * old + (1 - a) * ground)
    weight = np.clip(np.abs(old - nearest(legal, alpha > SOLID)[near]).max(1) / APART - 1, 0, 1)
    if weight.sum() < ENOUGH / 2:
        return [cannot("fringe", "object and old ground have the same colour")]
    u = (1 - a) * (old - own)
    v = (1 - a) * (own - (1 - a) * old - a * ground)
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
