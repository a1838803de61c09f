"""Halos: a light or dark rim along edges, left by wide sharpening or by tone mapping on a base that crosses edges.

Sharpening and tone mapping move a pixel away from the mean of its surroundings; where that mean stops at edges, as
that of honest clarity does, nothing happens beside them. What makes a rim is the difference of the two means, an
edge-preserving one less a Gaussian one, whatever else was done. At four radii the residual of the legal fit is
regressed on that difference where the picture is flat by itself. The score is their correlation × the root of the area:
how purely a rim is what was done there, whichever kind of edit left it and however strong it was, above what rounding
leaves (Trentacoste et al. 2012 on when a halo is seen).
"""

import cv2
import numpy as np

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._legal import BASE_EPS, BASE_RADIUS, guided_base
from safelight.detectors._planes import blurred
from safelight.detectors.answers import cannot, said

RADII = (8.0, 14.0, 24.0, 40.0)  # px at a long side of 1024
LEAST = 2.0  # px of the planes: narrower rims are not told from the edge itself
NEAR = 0.03  # encoded levels: how far apart the two means must be
FLAT = 0.02  # encoded levels per px
FLOOR = 0.004  # encoded levels: residual that rounding and saving leave
SEEN = 0.25  # score from which the sentence speaks of rims
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
    base = guided_base(expected, max(2, int(BASE_RADIUS * max(expected.shape))), BASE_EPS)
    best, rise, heat, seen = 0.0, 0.0, np.zeros_like(expected), 0.0
    wide = [radius for radius in RADII if radius * unit >= LEAST]
    if len(wide) < 2:
        return [cannot("halo", "the picture is too small: a rim would be narrower than its pixels")]
    for radius in wide:
        rim = base - blurred(expected, radius * unit)
        near = flat & (np.abs(rim) > NEAR)
        share = float(near.mean())
        seen = max(seen, share)
        if share < ENOUGH:
            continue
        rim, rest = (p - blurred(p, 3 * radius * unit) for p in (rim, residual))
        x, y = rim[near] - rim[near].mean(), rest[near] - rest[near].mean()
        both, own, other = float((x * y).sum()), float((x * x).sum()), float((y * y).sum())
        alike = both / np.sqrt(own * (other + len(y) * FLOOR**2) + 1e-12)
        score = max(0.0, float(alike)) * min(1.0, share / 0.05) ** 0.5
        if score > best:
            best, rise = score, both / own
            heat = blurred(np.maximum(0, rest * np.sign(rim)) * near, radius * unit / 2)
    if seen < ENOUGH:
        return [cannot("halo", "there are no edges with calm ground beside them")]
    rims = f"Beside edges the ground is pushed away from them, by about {100 * rise:.0f} % of their contrast."
    return [said(pair, "halo", best, rims if best >= SEEN else "Edges have no rims.", heat=heat)]


detector = Detector(
    name="halo",
    version=2,
    finds=("halo",),
    detect=detect,
    about="Light or dark rims along edges.",
    alone_cannot="the ground beside natural edges is often lighter or darker too",
)
