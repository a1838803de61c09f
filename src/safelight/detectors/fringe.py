"""Fringes: the old ground that clings to the rim of a cut-out, and mattes that are too wide (melted hair among them).

Along the soft rim of the matte, α, the before is α F + (1 − α) O of the object's colour F and the old ground O, and
an honest after α F + (1 − α) B on the new ground B: the before, as the legal edit shows it, less (1 − α) O plus (1 −
α) B. What is left is regressed on what a rim of the before's own pixels would add, beside the object's colour further
out than α allows; the score is the share of the old ground in the rim: 0 for a clean matte, 1 where the rim was taken
as it stood.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._planes import Flags, blurred
from safelight.detectors._rim import distance, nearest
from safelight.detectors.answers import cannot, said

SOLID, CLEAR = 0.97, 0.02  # alpha beyond which a pixel's colour is the object's, the ground's
AROUND = 4.0  # px at a long side of 1024, Gaussian sigma over which the grounds are averaged
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
    clear = (
        cv2.dilate((alpha >= CLEAR).astype(np.uint8), np.ones((5, 5), np.uint8)) == 0
    )  # the rim may have been widened
    if not clear.any():
        return [cannot("fringe", "the matte has no outside")]
    after, own = pair.after_work[near], legal[near]
    ground, old = (_around(p, clear, AROUND * max(1.0, pair.unit))[near] for p in (pair.after_work, legal))
    a = alpha[near][:, None]
    # An honest rim: what the before shows there less its share of the old ground, on the new one.
    rest = after - (own - (1 - a) * old + (1 - a) * ground)
    weight = np.clip(np.abs(old - nearest(legal, alpha > SOLID)[near]).max(axis=1) / APART - 1, 0, 1)
    if weight.sum() < ENOUGH / 2:
        return [cannot("fringe", "object and old ground have the same colour")]
    u = (1 - a) * (old - own)
    v = (1 - a) * (own - (1 - a) * old - a * ground)
    rows = np.stack((u.ravel(), v.ravel()), 1) * np.repeat(weight, 3)[:, None]
    square = rows.T @ rows
    ridge = np.diag((0.02, 0.1)) * float(np.trace(square)) / 2
    share = float(np.linalg.solve(square + ridge + 1e-9 * np.eye(2), rows.T @ (rest * weight[:, None]).ravel())[0])
    heat = np.zeros(alpha.shape, np.float32)
    along = (rest * u).sum(1) / np.maximum((u * u).sum(1), 1e-3)
    heat[near] = np.clip(along, 0, 1) * weight
    text = f"The rim of the cut-out keeps {100 * max(0.0, share):.0f} % of the old ground."
    return [said(pair, "fringe", share, text, heat=blurred(heat, 2))]


def _around(colours: NDArray[np.float32], known: Flags, sigma: float) -> NDArray[np.float32]:
    """The mean colour of what is known about each place: single pixels of a busy ground would pass for a fringe."""
    weight = blurred(known.astype(np.float32), sigma)
    mean = cv2.GaussianBlur(colours * known[..., None].astype(np.float32), (0, 0), sigma)
    return np.asarray(mean / np.maximum(weight, 1e-6)[..., None], np.float32)


detector = Detector(
    name="fringe", version=1, finds=("fringe",), detect=detect, about="Old ground along a cut-out's rim, melted hair."
)
