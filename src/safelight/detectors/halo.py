"""Halos: a light or dark rim along edges, left by wide sharpening or by tone mapping on a base that crosses edges.

At four radii, the signed distance of a pixel from its blurred surroundings, s, is what such an edit adds. The residual
of the legal fit is regressed on s where the picture is flat by itself, so that texture, which honest clarity also lifts,
does not speak; the score is slope × correlation × the root of the area (Trentacoste et al. 2012 on when a halo is seen).
"""

import cv2
import numpy as np

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._findings import cannot, said
from safelight.detectors._pair import Plane

RADII = (8.0, 14.0, 24.0, 40.0)  # px at a long side of 1024
NEAR = 0.03  # encoded levels: how far from its surroundings a pixel must be
FLAT = 0.02  # encoded levels per px
ENOUGH = 0.004  # share of the picture that must be flat and near an edge


def detect(pair: Pair) -> list[Finding]:
    """One finding, `halo`."""
    if pair.placement.cannot:
        return [cannot("halo", pair.placement.cannot)]
    if pair.tone is None:
        return [cannot("halo", "too little of the picture is neither black nor white")]
    small = pair.small
    expected = pair.tone.expected(small.before, small.base)
    residual = small.after - expected
    usable = small.usable & ~pair.replaced
    unit = pair.unit * small.zoom
    calm = cv2.GaussianBlur(expected, (0, 0), 1.0)
    steep = np.hypot(cv2.Sobel(calm, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(calm, cv2.CV_32F, 0, 1, scale=1 / 8))
    flat = usable & (steep < FLAT)
    best, seen = 0.0, 0.0
    heat: Plane | None = None
    for radius in RADII:
        s = expected - cv2.GaussianBlur(expected, (0, 0), radius * unit)
        r = residual - cv2.GaussianBlur(residual, (0, 0), 3 * radius * unit)
        near = flat & (np.abs(s) > NEAR)
        share = float(near.mean())
        seen = max(seen, share)
        if share < ENOUGH:
            continue
        x, y = s[near], r[near]
        x, y = x - x.mean(), y - y.mean()
        slope = float((x * y).sum() / (x * x).sum())
        like = float((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum() + 1e-12))
        score = max(0.0, slope) * max(0.0, like) * min(1.0, share / 0.05) ** 0.5
        if score > best:
            best, heat = score, cv2.GaussianBlur(np.maximum(0, r * np.sign(s)) * near, (0, 0), radius * unit / 2)
    if seen < ENOUGH:
        return [cannot("halo", "there are no edges with calm ground beside them")]
    text = f"Along edges the ground is pushed away from the edge by {100 * best:.0f} % of their contrast."
    return [said(pair, "halo", best, text, heat=heat)]


detector = Detector(name="halo", version=1, finds=("halo",), detect=detect, about="Light or dark rims along edges.")
