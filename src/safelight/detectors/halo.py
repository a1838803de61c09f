"""Halos: a light or dark rim along edges, left by wide sharpening or by tone mapping on a base that crosses edges.

At four radii, the signed distance of a pixel from its blurred surroundings, s, is what such an edit adds. The
residual of the legal fit is regressed on s where the picture is flat by itself, so that texture, which honest clarity
also lifts, does not speak; the score is slope × correlation × the root of the area (Trentacoste et al. 2012 on when a
halo is seen).
"""

import cv2
import numpy as np

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._planes import blurred
from safelight.detectors.answers import cannot, said

RADII = (8.0, 14.0, 24.0, 40.0)  # px at a long side of 1024
LEAST = 2.0  # px of the planes: narrower rims are not told from the edge itself
NEAR = 0.03  # encoded levels: how far from its surroundings a pixel must be
FLAT = 0.02  # encoded levels per px
SEEN = 0.01  # score from which the sentence speaks of rims
ENOUGH = 0.004  # share of the picture that must be flat and near an edge


def detect(pair: Pair) -> list[Finding]:
    """One finding, `halo`."""
    if pair.cannot:
        return [cannot("halo", pair.cannot)]
    if pair.tone is None:
        return [cannot("halo", "too little of the picture is neither black nor white")]
    small = pair.small
    expected = pair.tone.expected(small.before, small.base)
    residual = small.after - expected
    unit = pair.unit * small.zoom
    calm = blurred(expected, 1.0)
    steep = np.hypot(cv2.Sobel(calm, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(calm, cv2.CV_32F, 0, 1, scale=1 / 8))
    flat = small.usable & ~pair.replaced & (steep < FLAT)
    best, heat, seen = 0.0, np.zeros_like(expected), 0.0
    wide = [radius for radius in RADII if radius * unit >= LEAST]
    if len(wide) < 2:
        return [cannot("halo", "the picture is too small: a rim would be narrower than its pixels")]
    for radius in wide:
        s = expected - blurred(expected, radius * unit)
        r = residual - blurred(residual, 3 * radius * unit)
        near = flat & (np.abs(s) > NEAR)
        share = float(near.mean())
        seen = max(seen, share)
        if share < ENOUGH:
            continue
        x, y = s[near] - s[near].mean(), r[near] - r[near].mean()
        both, own, other = float((x * y).sum()), float((x * x).sum()), float((y * y).sum())
        score = max(0.0, both / own) * max(0.0, both / np.sqrt(own * other + 1e-12)) * min(1.0, share / 0.05) ** 0.5
        if score > best:
            best, heat = score, blurred(np.maximum(0, r * np.sign(s)) * near, radius * unit / 2)
    if seen < ENOUGH:
        return [cannot("halo", "there are no edges with calm ground beside them")]
    rims = f"Beside edges the ground is pushed away from them, by up to {100 * best:.0f} % of their contrast."
    return [said(pair, "halo", best, rims if best >= SEEN else "Edges have no rims.", heat=heat)]


detector = Detector(name="halo", version=1, finds=("halo",), detect=detect, about="Light or dark rims along edges.")
