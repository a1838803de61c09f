"""Fills that repeat: a patch copied several times in one place.

Inside the mask (or where other content stands than before) the after is compared with itself at every shift; the
score is the likeness at the best shift less what the surroundings reach at any, so that bricks and lattices that were
there before do not count. Without a before, only what stands twice pixel for pixel counts, grain and all.
"""

import cv2
import numpy as np
from scipy import fft

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._copies import copied, textured
from safelight.detectors._planes import Plane
from safelight.detectors.answers import PLAIN, cannot, said

NEAREST = 7  # px: shorter shifts are texture
OVERLAP = 0.12  # share of the area that must meet its copy
SMALLEST = 300  # px of area
LEAST = 1.5 / 255  # encoded levels of texture
LEAST_GROUND = 0.02  # share of a picture by itself with texture in both directions
SEEN = 0.1  # percent from which the sentence speaks of a copy


def detect(pair: Pair) -> list[Finding]:
    """One finding, `fill_repeat`."""
    if pair.cannot:
        return [cannot("fill_repeat", pair.cannot)]
    area = pair.changed
    if area is None:
        if pair.plain:
            return [cannot("fill_repeat", PLAIN)]
        return [said(pair, "fill_repeat", 0.0, "Nothing was filled.")]
    plane = pair.level_after - cv2.GaussianBlur(pair.level_after, (0, 0), 5)
    before = pair.level_before - cv2.GaussianBlur(pair.level_before, (0, 0), 5)
    best, box, compared = 0.0, None, False
    for x0, y0, x1, y1 in pair.changed_boxes:
        inside = area[y0:y1, x0:x1]
        if inside.sum() < SMALLEST:
            continue
        compared |= float(np.abs(plane[y0:y1, x0:x1] * inside).max()) > LEAST
        new, old = (_likeness(p[y0:y1, x0:x1], inside) for p in (plane, before))
        score = new - 0.5 * max(0.0, old)
        if score > best:
            best, box = score, (x0, y0, x1, y1)
    if not compared:
        return [cannot("fill_repeat", "no part is large enough and has texture that could repeat")]
    heat = np.zeros(area.shape, np.float32)
    if box is not None:
        heat[box[1] : box[3], box[0] : box[2]] = area[box[1] : box[3], box[0] : box[2]]
    text = f"The fill repeats itself: {100 * best:.0f} % alike at one shift."
    return [said(pair, "fill_repeat", best, text, heat=heat)]


def alone(pair: Pair) -> list[Finding]:
    """Whether a part of a picture by itself is a copy of another; the score is the share that stands twice, in percent
    of the square of the long side."""
    if pair.too_small:
        return [cannot("fill_repeat", pair.too_small)]
    ground = textured(pair.level_after)
    if float(ground.mean()) < LEAST_GROUND:
        return [cannot("fill_repeat", "the picture has too little texture that could repeat")]
    twice = copied(pair.level_after, ground)
    score = 100 * float(twice.sum()) / max(pair.grid_size) ** 2
    text = "A part stands there again, pixel for pixel." if score >= SEEN else "Nothing stands there twice."
    return [said(pair, "fill_repeat", score, text, heat=twice.astype(np.float32), alone=True)]


def _likeness(plane: Plane, area: Plane) -> float:
    """The best normalised correlation of the area with itself at a shift."""
    w = (area > 0.9).astype(np.float32)
    if w.sum() < SMALLEST:
        return 0.0
    v = (plane - (plane * w).sum() / w.sum()) * w
    shape = [fft.next_fast_len(2 * n, real=True) for n in plane.shape]
    fw, fv, fq = (fft.rfft2(p, s=shape) for p in (w, v, v * v))

    def product(a: np.ndarray, b: np.ndarray) -> Plane:
        return np.asarray(fft.irfft2(a * np.conj(b), s=shape), np.float32)

    count = product(fw, fw)
    here, there = product(fq, fw), product(fw, fq)
    sums = product(fv, fw), product(fw, fv)
    n = np.maximum(count, 1)
    spread = np.maximum(here - sums[0] ** 2 / n, 0) * np.maximum(there - sums[1] ** 2 / n, 0)
    floor = (0.004**2 * n) ** 2
    like = (product(fv, fv) - sums[0] * sums[1] / n) / np.sqrt(spread + floor)
    y, x = np.ogrid[: shape[0], : shape[1]]
    y, x = np.minimum(y, shape[0] - y), np.minimum(x, shape[1] - x)
    ok = (count > max(OVERLAP * w.sum(), 120)) & (np.hypot(y, x) >= NEAREST)
    return float(like[ok].max()) if ok.any() else 0.0


detector = Detector(
    name="fill_repeat",
    version=2,
    finds=("fill_repeat",),
    detect=detect,
    alone=alone,
    about="Fills made of copies of one patch.",
)
