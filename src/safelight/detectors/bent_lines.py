"""Bent lines and broken perspective: straight edges of the before that are no longer straight in the after.

Line segments are found in the before (LSD, Grompone von Gioi et al. 2012). Along each, strips across the line are
compared between before and after by correlation, which gives the sideways shift along the line; what is left of it
after its own straight line is bend. The score is the largest bend in px at a long side of 1024 that holds over
neighbouring strips. `perspective` compares where whole lines now point: the spread of their turns that one homography
would have kept together.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._blocks import even_contrast
from safelight.detectors._planes import Plane, reduced, resized
from safelight.detectors.answers import cannot, said

SIDE = 1024  # px
LONG = 0.08  # of the long side
MOST = 40  # lines
ACROSS, REACH = 10, 14  # px on each side of a line that are compared, largest shift
STEP, WIDE = 6, 16  # px along the line between strips, and of a strip
LIKE = 0.5  # correlation from which a strip's shift is believed


def detect(pair: Pair) -> list[Finding]:
    """Two findings, `bent_lines` and `perspective`."""
    names = ("bent_lines", "perspective")
    if pair.cannot:
        return [cannot(name, pair.cannot) for name in names]
    size = reduced(pair.level_after, SIDE)
    grey = [resized(p, size) for p in (pair.level_before, pair.level_after)]
    valid = resized(pair.stayed, size)
    lines = _lines(grey[0])
    if not len(lines):
        return [cannot(name, "there is no long straight line in the before") for name in names]
    planes = [even_contrast(p, 12.0) for p in grey]
    bends, turns, places = [], [], []
    for line in lines:
        told = _along(line, planes, valid)
        if told is None:
            continue
        bend, turn, at = told
        bends.append(bend)
        turns.append(turn)
        places.append(at)
    if not bends:
        return [cannot(name, "no line can be followed in the after") for name in names]
    unit = max(size) / 1024
    worst = int(np.argmax(bends))
    score = bends[worst] / unit
    heat = np.zeros(grey[0].shape, np.float32)
    for at, bend in zip(places, bends, strict=True):
        if bend > 0.3 * bends[worst]:
            cv2.circle(heat, (round(at[0]), round(at[1])), 14, float(bend), -1)
    found = [
        said(
            pair,
            "bent_lines",
            score,
            f"A straight line bends by about {score:.1f} px (at a long side of 1024 px).",
            heat=heat,
        )
    ]
    if len(turns) < 3:
        return [*found, cannot("perspective", "fewer than three long lines can be followed")]
    spread = float(np.degrees(np.quantile(np.abs(np.array(turns) - np.median(turns)), 0.75)))
    return [*found, said(pair, "perspective", spread, f"Long lines turn against each other by about {spread:.2f}°.")]


def _lines(level: Plane) -> NDArray[np.float64]:
    """Long segments (x0, y0, x1, y1) of a plane, longest first."""
    finder = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD)
    found: Any = finder.detect((np.clip(level, 0, 1) * 255).astype(np.uint8))[0]
    if found is None:
        return np.empty((0, 4))
    found = found.reshape(-1, 4).astype(float)
    length = np.hypot(found[:, 2] - found[:, 0], found[:, 3] - found[:, 1])
    order = np.argsort(-length, kind="stable")
    return np.asarray(found[order][length[order] > LONG * max(level.shape)][:MOST])


def _along(
    line: NDArray[np.float64], planes: list[Plane], valid: Plane
) -> tuple[float, float, tuple[float, float]] | None:
    """The bend in px, the turn in radians, and where the bend is largest; None where too few strips can be told."""
    start, end = line[:2], line[2:]
    length = float(np.hypot(*(end - start)))
    along = (end - start) / length
    across = np.array((-along[1], along[0]))
    t, n = np.arange(0, length, 1.0), np.arange(-ACROSS - REACH, ACROSS + REACH + 1, 1.0)
    x = (start[0] + t[None] * along[0] + n[:, None] * across[0]).astype(np.float32)
    y = (start[1] + t[None] * along[1] + n[:, None] * across[1]).astype(np.float32)
    strip = [cv2.remap(p, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for p in planes]
    inside = (
        cv2.remap(valid, x[len(n) // 2 : len(n) // 2 + 1], y[len(n) // 2 : len(n) // 2 + 1], cv2.INTER_NEAREST)[0] > 0.5
    )
    # Means along the line first: grain goes, the edge stays.
    smooth = [cv2.blur(s, (WIDE, 1)) for s in strip]
    at = np.arange(WIDE // 2, int(length) - WIDE // 2, STEP)
    at = at[inside[at]] if len(at) else at
    if len(at) < 8:
        return None
    core = smooth[0][REACH:-REACH, at]
    core = core - core.mean(0)
    likes = np.empty((2 * REACH + 1, len(at)))
    for i in range(2 * REACH + 1):
        other = smooth[1][i : i + core.shape[0], at]
        other = other - other.mean(0)
        likes[i] = (core * other).sum(0) / np.sqrt((core**2).sum(0) * (other**2).sum(0) + 1e-6)
    best = np.clip(likes.argmax(0), 1, 2 * REACH - 1)
    k = np.arange(len(at))
    low, top, high = likes[best - 1, k], likes[best, k], likes[best + 1, k]
    shift = best - REACH + 0.5 * (low - high) / np.minimum(low - 2 * top + high, -1e-6)
    good = top > LIKE
    if good.sum() < 8:
        return None
    a, s = at[good].astype(float), shift[good]
    smooth_shift = np.array([np.median(s[max(0, i - 2) : i + 3]) for i in range(len(s))])
    ends = max(3, len(a) // 6)
    first, last = (float(np.median(s[part])) for part in (slice(None, ends), slice(-ends, None)))
    begin, finish = (float(np.median(a[part])) for part in (slice(None, ends), slice(-ends, None)))
    slope = (last - first) / (finish - begin)
    agreed = smooth_shift - first - slope * (a - begin)  # from the chord between the line's ends
    i = int(np.argmax(np.abs(agreed)))
    place = start + a[i] * along
    return float(abs(agreed[i])), float(slope), (float(place[0]), float(place[1]))


detector = Detector(
    name="bent_lines",
    version=1,
    finds=("bent_lines", "perspective"),
    detect=detect,
    about="Straight lines that bend, perspective that breaks.",
    alone_cannot="a line that is bent may always have been so",
)
