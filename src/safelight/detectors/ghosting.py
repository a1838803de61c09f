"""Ghosting: a second, fainter copy beside things, as from a blend of frames that did not fit.

What the legal edit leaves is correlated with the before: a copy at a shift d makes it like the before at d and unlike
it at −d, which neither sharpening nor clarity nor a removal does. The score is the largest difference of the two over
blocks of 128 px.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._planes import Plane, blurred
from safelight.detectors.answers import cannot, said

SIDE = 1024  # px
BLOCK, STRIDE = 128, 48
NEAREST, FARTHEST = 3, 26  # px of shift
AROUND = 6.0  # px, sigma of what varies slowly, which is left out
SETTLING, CALM = 24.0, 0.001  # px, sigma of a neighbourhood; encoded levels per px that count as structure
FLOOR = 0.004  # encoded levels: residual that rounding and saving leave


def detect(pair: Pair) -> list[Finding]:
    """One finding, `ghosting`."""
    if pair.cannot:
        return [cannot("ghosting", pair.cannot)]
    height, width = pair.level_after.shape
    zoom = min(1.0, SIDE / max(height, width))
    size = round(width * zoom), round(height * zoom)
    if min(size) < BLOCK:
        return [cannot("ghosting", "the picture is smaller than 128 px")]
    stayed = cv2.resize(pair.stayed.astype(np.float32), size)
    before, rest = (cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (pair.expected, pair.residual))
    before = before - blurred(before, AROUND)
    rest = (rest - blurred(rest, AROUND)) * stayed
    if not (pair.placement.still or pair.placement.given):
        rest = _settled(before, rest)
    told = _copies(before, rest)
    if told is None:
        return [cannot("ghosting", "there is too little structure")]
    values, columns, rows = told
    score = float(np.sort(values.ravel())[-2:].mean())
    heat = np.zeros(before.shape, np.float32)
    inner = cv2.resize(np.maximum(values, 0) ** 2, (int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1))
    top, left = int(rows[0]), int(columns[0])
    heat[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    text = f"A second copy stands beside things; it explains {100 * max(0.0, score):.0f} % of what has changed there."
    return [said(pair, "ghosting", score, text, heat=heat)]


def _settled(before: Plane, rest: Plane) -> Plane:
    """The rest less what a small shift of each neighbourhood explains (Lucas and Kanade 1981): an estimated geometry
    is right to a fraction of a pixel, and an edge beside itself is no second copy."""
    across, down = (cv2.Sobel(before, cv2.CV_32F, *d, scale=1 / 8) for d in ((1, 0), (0, 1)))
    xx, xy, yy, xr, yr = (blurred(p, SETTLING) for p in (across**2, across * down, down**2, across * rest, down * rest))
    xx, yy = xx + CALM**2, yy + CALM**2
    size = xx * yy - xy * xy
    return np.asarray(rest - across * (yy * xr - xy * yr) / size - down * (xx * yr - xy * xr) / size, np.float32)


def _copies(before: Plane, rest: Plane) -> tuple[Plane, NDArray[np.float64], NDArray[np.float64]] | None:
    """For each block how much better the rest fits the before at some shift than at its opposite, with block
    centres."""
    rows, columns = (np.arange(0, n - BLOCK + 1, STRIDE) for n in before.shape)
    window = np.outer(np.hanning(BLOCK), np.hanning(BLOCK)).astype(np.float32)
    y, x = np.mgrid[-BLOCK // 2 : BLOCK // 2, -BLOCK // 2 : BLOCK // 2]
    ring = np.hypot(x, y)
    ring = fft.ifftshift((ring >= NEAREST) & (ring <= FARTHEST))
    values = np.zeros((len(rows), len(columns)), np.float32)
    any_structure = False
    for i, r in enumerate(rows):
        a = np.stack([before[r : r + BLOCK, c : c + BLOCK] for c in columns]) * window
        b = np.stack([rest[r : r + BLOCK, c : c + BLOCK] for c in columns]) * window
        own, other = np.square(a).sum((1, 2)), np.square(b).sum((1, 2))
        told = own > (0.008**2) * BLOCK * BLOCK * 0.14
        any_structure |= bool(told.any())
        cross = fft.irfft2(np.conj(fft.rfft2(a)) * fft.rfft2(b), s=(BLOCK, BLOCK))
        mirrored = np.roll(cross[:, ::-1, ::-1], (1, 1), (1, 2))
        odd = np.where(ring, cross - mirrored, 0).max((1, 2))
        floor = FLOOR**2 * BLOCK * BLOCK * 0.14
        values[i] = np.where(told, odd / np.sqrt(own * (other + floor) + 1e-12), 0)
    if not any_structure:
        return None
    half = (BLOCK - 1) / 2
    return values, columns + half, rows + half


detector = Detector(
    name="ghosting",
    version=1,
    finds=("ghosting",),
    detect=detect,
    about="A fainter second copy of things.",
    alone_cannot="patterns that repeat look like a second copy",
)
