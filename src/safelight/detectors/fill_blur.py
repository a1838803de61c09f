"""Blurred fills: a hole that was closed without the texture of its surroundings.

Where the mask's content was replaced, the fine energy inside is compared with that of the ring around it, in the
after alone and like with like: the same quantile of local energies on both sides, so that the few streaks and ridges
that diffusion draws through a hole do not count as texture. The score is the missing share as a logarithm. A mask
whose own texture is still there was not filled, and noise that was taken away is no texture.
"""

import cv2
import numpy as np

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._planes import band, grown
from safelight.detectors.answers import PLAIN, cannot, said

SMALLEST = 80  # px of area
INSIDE, OUTSIDE = 0.9, 0.1  # of the mask
FLOOR = (0.8 / 255) ** 2
PLAINEST = 1.2  # floors: surroundings with less texture have none that a fill could lack
BAND, NOISE_SHARE = (0.6, 2.0), 0.35  # px, sigmas of the two Gaussians; of the noise variance that lies between them
CELL, USUAL = 9, 0.35  # px over which energy is averaged; quantile of it that is compared


def detect(pair: Pair) -> list[Finding]:
    """One finding, `fill_blur`."""
    if pair.cannot:
        return [cannot("fill_blur", pair.cannot)]
    area = pair.changed
    if area is None:
        if pair.plain:
            return [cannot("fill_blur", PLAIN)]
        return [said(pair, "fill_blur", 0.0, "Nothing was filled.")]
    after, before = (band(p, *BAND) for p in (pair.level_after, pair.expected))
    noise = NOISE_SHARE * pair.noise_before**2
    best, box, compared = 0.0, None, False
    for x0, y0, x1, y1 in pair.changed_boxes:
        reach = max(8, (x1 - x0) // 3, (y1 - y0) // 3)
        window = np.s_[max(0, y0 - reach) : y1 + reach, max(0, x0 - reach) : x1 + reach]
        inside = ~grown(area[window] <= INSIDE, 3)
        around = ~grown(area[window] > OUTSIDE, 5) & pair.stayed[window]
        if inside.sum() < SMALLEST or around.sum() < SMALLEST:
            continue
        a, b = after[window], before[window]
        cross = float((a[inside] * b[inside]).mean())
        own = float((b[inside] ** 2).mean()) + FLOOR
        gone = 1 - np.clip(cross / own, 0, 1)
        local = cv2.blur(a * a, (CELL, CELL))
        energy, usual = (float(np.quantile(local[part], USUAL)) + FLOOR for part in (inside, around))
        if usual < PLAINEST * FLOOR:
            continue
        compared = True
        typical = max(0.0, float(np.median(cv2.blur(b * b, (CELL, CELL))[inside])) - noise) + FLOOR
        score = float(np.log(min(usual, typical * 1.5) / energy)) * float(gone)
        if score > best:
            best, box = score, (x0, y0, x1, y1)
    if not compared:
        return [cannot("fill_blur", "no part is large enough and has texture around it")]
    heat = np.zeros(area.shape, np.float32)
    if box is not None:
        heat[box[1] : box[3], box[0] : box[2]] = area[box[1] : box[3], box[0] : box[2]]
    text = f"The fill has {100 * float(np.exp(-best)):.0f} % of the fine texture around it."
    return [said(pair, "fill_blur", best, text, heat=heat)]


detector = Detector(
    name="fill_blur",
    version=2,
    finds=("fill_blur",),
    detect=detect,
    about="Fills without the texture around them.",
    alone_cannot="calm ground may always have been calm",
)
