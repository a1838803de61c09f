"""Seams: a part whose border shows, because it is lighter, softer or shifted against its surroundings.

Three measures along the border of the mask (or of what was changed), each against what the legal edit explains: the
step of the residual across the border less the same step further in; the loss of fine energy on one side only, beyond
the coarser energy that was lost with it; the shift of blocks inside. Where the content was replaced, the step of the
after across the border less that of parallel rings. The score is the largest, each in units of what honest edits reach.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._blocks import even_contrast, moved
from safelight.detectors._planes import Plane, band, blurred, reduced, resized, upsized
from safelight.detectors._rim import distance
from safelight.detectors.answers import PLAIN, cannot, said

STEP, SOFT, SHIFT = 0.02, 0.35, 1.0  # encoded levels, natural logarithm, px: one unit of the score
FINE, COARSE = (0.6, 2.0), (3.0, 7.0)  # px, sigmas of the two Gaussians between which energy is compared
REPLACED = 0.3  # share of a part's inside that is other content, from which all of it counts as such
ENOUGH = 40  # pixels of border
SMALLEST = 10  # px at a long side of 1024, half of the least width of a part
BLOCK, STRIDE = 48, 16


def detect(pair: Pair) -> list[Finding]:
    """One finding, `seam`."""
    if pair.cannot:
        return [cannot("seam", pair.cannot)]
    if pair.ground_changed:
        return [cannot("seam", "the ground is another one: the rim of the cut-out is judged instead")]
    area = pair.changed
    if area is None:
        if pair.plain:
            return [cannot("seam", PLAIN)]
        return [said(pair, "seam", 0.0, "No part differs from its surroundings.")]
    unit = max(1.0, pair.unit)
    away = distance(area)
    border = (np.abs(away) < 1) & (pair.valid > 0)
    if border.sum() < ENOUGH:
        return [cannot("seam", "the border of the mask lies outside the picture")]
    if float(away.max()) < SMALLEST * unit:
        return [cannot("seam", "the parts are too small to have a border of their own")]
    inside = away > 2 * unit
    gone = upsized(pair.replaced, pair.grid_size)
    if inside.any() and gone[inside].mean() > REPLACED:
        plane = pair.level_after
        step, along = _step(plane, away, border, unit)
        usual = max(_step(plane, away - shift * unit, np.abs(away - shift * unit) < 1, unit)[0] for shift in (-8, 8))
        parts = {"step": (step - 1.2 * usual) / (2 * STEP), "shift": _shift(pair, area) / SHIFT}
    else:
        step, along = _step(pair.residual, away, border, unit)
        usual = _step(pair.residual, away - 9 * unit, np.abs(away - 9 * unit) < 1, unit)[0]
        parts = {
            "step": (step - usual) / STEP,
            "soft": _softness(pair, away, unit) / SOFT,
            "shift": _shift(pair, area) / SHIFT,
        }
    name, score = max(parts.items(), key=lambda item: item[1])
    words = {
        "step": "Along its border a part is lighter or darker than its surroundings.",
        "soft": "A part is softer or sharper than its surroundings.",
        "shift": "A part is shifted against its surroundings.",
    }
    heat = blurred(along if name == "step" else border.astype(np.float32), 4 * unit)
    text = words[name] if score >= 1 else "No border shows."
    return [said(pair, "seam", max(0.0, score), text, heat=heat)]


def _step(plane: Plane, away: Plane, border: NDArray[np.bool_], unit: float) -> tuple[float, Plane]:
    """The typical step across a border, and the step along it."""
    sides = []
    for low, high in ((1.5, 7), (-7, -1.5)):
        ring = ((away > low * unit) & (away < high * unit)).astype(np.float32)
        total = blurred(ring, 6 * unit)
        sides.append((blurred(plane * ring, 6 * unit) / np.maximum(total, 1e-4), total))
    told = border & (np.minimum(sides[0][1], sides[1][1]) > 0.02)
    if told.sum() < ENOUGH:
        return 0.0, np.zeros(plane.shape, np.float32)
    difference = np.where(told, sides[0][0] - sides[1][0], 0).astype(np.float32)
    return float(abs(np.median(difference[told]))), np.abs(difference)


def _softness(pair: Pair, away: Plane, unit: float) -> float:
    """How much more fine energy went (or came) inside the border than outside it, as a logarithm, beyond what went of
    the coarser energy there: skin that was evened loses the coarser and keeps the fine."""
    fine, coarse = (_changed_energy(pair, away, unit, *sigmas) for sigmas in (FINE, COARSE))
    return max(0.0, abs(fine) - max(0.0, coarse * float(np.sign(fine))))


def _changed_energy(pair: Pair, away: Plane, unit: float, low_sigma: float, high_sigma: float) -> float:
    """By how much the energy of a band changed inside the border less outside it, as a logarithm."""
    before, after = (band(p, low_sigma, high_sigma) for p in (pair.expected, pair.level_after))
    floor = np.float32((0.9 / 255) ** 2)
    logs = []
    for low, high in ((2, 14), (-14, -3)):
        ring = (away > low * unit) & (away < high * unit) & pair.usable
        if ring.sum() < ENOUGH:
            return 0.0
        logs.append(float(np.log(((after[ring] ** 2).mean() + floor) / ((before[ring] ** 2).mean() + floor))))
    return logs[0] - logs[1]


def _shift(pair: Pair, area: Plane) -> float:
    """How far blocks inside have moved against the rest, px at a long side of 1024."""
    size = reduced(area, 1024)
    mask = resized(area, size)
    box = cv2.boundingRect((mask > 0.5).astype(np.uint8))
    x0, y0 = max(0, box[0] - BLOCK // 2), max(0, box[1] - BLOCK // 2)
    window = np.s_[y0 : box[1] + box[3] + BLOCK // 2, x0 : box[0] + box[2] + BLOCK // 2]
    planes = [even_contrast(resized(p, size)[window]) for p in (pair.level_before, pair.level_after)]
    found = moved(planes[0], planes[1], side=BLOCK, stride=STRIDE)
    if not len(found):
        return 0.0
    x, y = found.centre.round().astype(int).T
    good = (found.alike > 0.15) & (mask[window][y, x] > 0.9)
    if good.sum() < 2:
        return 0.0
    middle = np.median(found.shift[good], axis=0)
    spread = np.median(np.hypot(*(found.shift[good] - middle).T))
    return float(max(0.0, np.hypot(*middle) - spread))


detector = Detector(
    name="seam",
    version=2,
    finds=("seam",),
    detect=detect,
    about="Parts whose border shows.",
    alone_cannot="parts that are lighter, softer or apart are in most pictures",
)
