"""Skin made lighter than the edit of the whole picture makes it.

Tone is fitted once more with one number for skin: how much lighter it is than anything else of the same lightness
became. It is told in L*, with the shift of the individual typology angle, ITA = atan2(L* − 50, b*). A picture that
was brightened as a whole, or a face in light that was lifted with its surroundings, is no lightening of skin.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._legal import LEVELS, bending, hats, picked, robust
from safelight.detectors._planes import Plane
from safelight.detectors._skin import skin
from safelight.detectors.answers import cannot, said


def detect(pair: Pair) -> list[Finding]:
    """One finding, `skin_lightening`; the score is in L*."""
    if pair.cannot:
        return [cannot("skin_lightening", pair.cannot)]
    where = skin(pair)
    if where is None:
        return [cannot("skin_lightening", "no skin is known: no face was found, and no mask of skin given")]
    small = pair.small
    usable = small.usable & ~pair.replaced
    inside, outside = usable & (where > 0.6), usable & (where < 0.05)
    if inside.sum() < 60 or outside.sum() < 200:
        return [
            cannot("skin_lightening", "there is too little skin, or too little else, that is neither black nor white")
        ]
    before, after = (_lightness(pair, p) for p in (pair.before_work, pair.after_work))
    low, high = np.quantile(before[0][inside], (0.1, 0.9))
    shared = float(((before[0][outside] > low) & (before[0][outside] < high)).sum())
    if shared < 60:
        return [cannot("skin_lightening", "nothing else in the picture is as light as the skin")]
    at = picked(usable)
    x, y, share = before[0].ravel()[at], after[0].ravel()[at], where.ravel()[at]
    basis = np.asarray(np.hstack((hats(x, LEVELS), share[:, None])), np.float64)
    bend = np.zeros((LEVELS - 2, LEVELS + 1))
    bend[:, :LEVELS] = bending(LEVELS)
    prior = 3e-4 * len(at) * bend.T @ bend + 1e-7 * len(at) * np.eye(LEVELS + 1)
    trust = np.asarray(np.where((share > 0.6) | (share < 0.05), 1.0, 0.2), np.float64)
    found, _ = robust(basis, y[:, None].astype(float), prior, trust=trust)
    lift = 100 * float(found[LEVELS, 0])
    plain = np.interp(before[0][inside], np.linspace(0, 1, LEVELS), found[:LEVELS, 0])
    b = float(np.median(after[1][inside]))
    turn = [np.degrees(np.arctan2(100 * float(np.median(v)) - 50, b)) for v in (after[0][inside], plain)]
    text = f"Skin is {lift:+.1f} L* lighter than the rest of the edit makes it; ITA {turn[0] - turn[1]:+.0f}°."
    return [said(pair, "skin_lightening", lift, text, heat=np.where(usable, where, 0))]


def _lightness(pair: Pair, rgb: NDArray[np.float32]) -> tuple[Plane, Plane]:
    """L* as 0..1 and b* of a picture on the small planes."""
    lab = cv2.cvtColor(cv2.resize(rgb, pair.small.size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2Lab)
    return np.asarray(lab[..., 0] / 100, np.float32), np.asarray(lab[..., 2], np.float32)


detector = Detector(
    name="skin_lightening",
    version=1,
    finds=("skin_lightening",),
    detect=detect,
    weights=("yunet", "face_landmarker"),
    about="Skin made lighter than the rest of the picture.",
    alone_cannot="how light skin was is known by the picture before",
)
