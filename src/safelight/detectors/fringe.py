"""Fringes: the old ground that clings to the rim of a cut-out, and mattes that are too wide (melted hair among them).

Along the soft rim of the matte, α, the before is α F + (1 − α) O of the object's colour F and the old ground O, and
an honest after α F + (1 − α) B on the new ground B: the before, as the legal edit shows it, less (1 − α) O plus (1 −
α) B. What is left is regressed on what a rim of the before's own pixels would add, beside the object's colour further
out than α allows; the score is the share of the old ground in the rim (0 for a clean matte, 1 where the rim was taken
as it stood) less one and a half times its standard error.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._planes import Flags, blurred
from safelight.detectors._rim import distance, nearest
from safelight.detectors.answers import cannot, said

Colours = NDArray[np.float32]

SOLID, CLEAR = 0.97, 0.02  # alpha beyond which a pixel's colour is the object's, the ground's
CALM = 0.02  # encoded levels: how busy the new ground may be before it is trusted less
RIDGE = (0.02, 0.5)  # on the shares of old ground and of too wide a matte: neighbouring causes, the first is asked for
ALIKE = 20  # values of neighbours that tell the same
AROUND = 5.0  # px at a long side of 1024, Gaussian sigma over which the grounds are averaged
APART = 0.05  # encoded levels: least difference of old ground and object
ENOUGH = 60  # pixels of rim


def detect(pair: Pair) -> list[Finding]:
    """One finding, `fringe`."""
    if pair.cannot:
        return [cannot("fringe", pair.cannot)]
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
    busy = blurred(cv2.absdiff(pair.level_after, blurred(pair.level_after, 3)), 4)
    trust = (weight / (CALM + nearest(busy, clear)[near]) ** 2)[:, None]
    share, doubt = _share(u, v, rest, np.broadcast_to(trust / trust.mean(), u.shape))
    heat = np.zeros(alpha.shape, np.float32)
    along = (rest * u).sum(1) / np.maximum((u * u).sum(1), 1e-3)
    heat[near] = np.clip(along, 0, 1) * weight
    text = f"The rim of the cut-out keeps {100 * max(0.0, share):.0f} % of the old ground."
    return [said(pair, "fringe", share - 1.5 * doubt, text, heat=blurred(heat, 2))]


def _share(u: Colours, v: Colours, rest: Colours, trust: Colours) -> tuple[float, float]:
    """How much of `u` is in the rest beside `v`, and its standard error, with neighbours counted as one."""
    root = np.sqrt(trust.ravel())
    rows, y = np.stack((u.ravel(), v.ravel()), 1) * root[:, None], rest.ravel() * root
    square = rows.T @ rows + 1e-9 * np.eye(2)
    found = np.linalg.solve(square + np.diag(RIDGE) * float(np.trace(square)) / 2, rows.T @ y)
    left = float(((y - rows @ found) ** 2).mean()) * ALIKE
    return float(found[0]), float(np.sqrt(np.linalg.inv(square)[0, 0] * left))


def _around(colours: Colours, known: Flags, sigma: float) -> Colours:
    """The mean colour of what is known about each place: single pixels of a busy ground would pass for a fringe."""
    weight = blurred(known.astype(np.float32), sigma)
    mean = blurred(colours * known[..., None].astype(np.float32), sigma)
    return np.asarray(mean / np.maximum(weight, 1e-6)[..., None], np.float32)


detector = Detector(
    name="fringe",
    version=2,
    finds=("fringe",),
    detect=detect,
    about="Old ground along a cut-out's rim, melted hair.",
    alone_cannot="which colours belong to the old ground is known by the picture before",
)
