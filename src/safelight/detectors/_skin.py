"""Where skin is: in the mask that was given, or about the faces that are found."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.detectors._pair import Pair
from safelight.detectors._planes import Plane, resized

LEAST_CHROMA, HUES = 6.0, (10.0, 88.0)  # CIE chroma and hue angle in degrees that skin of all tones lies within


def skin(pair: Pair) -> Plane | None:
    """How much each place of the small planes is skin of the before, 0..1; None where none is known."""
    small = pair.small
    lab = cv2.cvtColor(cv2.resize(pair.before_work, small.size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2Lab)
    if pair.mask_work is not None:
        mask = resized(pair.mask_work, small.size)
        inside = (
            resized(pair.mask_core, small.size) > 0.6 if pair.mask_core is not None else mask > 0.6
        )  # no healed spots
        if inside.sum() > 60 and _coloured(lab[inside]):
            return np.asarray(mask, np.float32)
    out = np.zeros(lab.shape[:2], np.float32)
    for face in pair.faces_before:
        x0, y0, x1, y1 = (v * small.zoom for v in face.box)
        w, h = x1 - x0, y1 - y0
        seed = np.zeros(out.shape, np.uint8)
        cv2.ellipse(
            seed,
            (round(x0 + w / 2), round(y0 + 0.55 * h)),
            (max(1, round(0.3 * w)), max(1, round(0.36 * h))),
            0,
            0,
            360,
            1,
            -1,
        )
        inside = seed > 0
        if inside.sum() < 60 or not _coloured(lab[inside]):
            continue
        middle = np.median(lab[inside], axis=0)
        off = np.abs(lab - middle)
        like = np.exp(-0.5 * ((off[..., 1] / 6) ** 2 + (off[..., 2] / 7) ** 2 + (off[..., 0] / 25) ** 2))
        near = np.zeros(out.shape, np.uint8)
        cv2.ellipse(
            near,
            (round(x0 + w / 2), round(y0 + 0.6 * h)),
            (max(1, round(0.6 * w)), max(1, round(0.85 * h))),
            0,
            0,
            360,
            1,
            -1,
        )
        out = np.maximum(out, like.astype(np.float32) * near)
    return out if float((out > 0.5).sum()) > 60 else None


def _coloured(lab: NDArray[Any]) -> bool:
    a, b = float(np.median(lab[:, 1])), float(np.median(lab[:, 2]))
    hue = np.degrees(np.arctan2(b, a))
    return bool(np.hypot(a, b) > LEAST_CHROMA and HUES[0] < hue < HUES[1])
