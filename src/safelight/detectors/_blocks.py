"""How far blocks of two pictures have moved against each other, whatever was done to tone and colour.

Local contrast is made equal, blocks are correlated in the frequency domain with most of the amplitude divided out
(Kuglin and Hines 1975, tempered so that noise does not outvote structure), the peak is placed between pixels by
parabolas.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from safelight.detectors._planes import Flags, Plane, Points, blurred

WHITEN = 0.75  # power of the amplitude that is divided out
FLOOR = 0.012  # local deviation of grey 0..1 that counts as contrast
AROUND = 9.0  # px, Gaussian sigma of the local mean and deviation


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Blocks that could be compared: centres and displacements (x, y in px, N x 2) and how alike they are (0..1)."""

    centre: Points
    shift: Points
    alike: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.alike)


def even_contrast(grey: Plane, sigma: float = AROUND) -> Plane:
    """The plane with local mean 0 and local deviation about 1; flat parts stay near 0."""
    off = grey - blurred(grey, sigma)
    spread = blurred(off * off, sigma)
    return np.asarray(off / np.sqrt(spread + FLOOR * FLOOR), np.float32)


def moved(before: Plane, after: Plane, *, valid: Flags | None = None, side: int = 64, stride: int = 40,
          least: float = 0.35) -> Moved:  # fmt: skip
    """Displacement of every block of two planes of even contrast: what lies at p in the before lies at p + shift in the
    after. Blocks with little to compare (root mean square below `least`) or outside `valid` are left out."""
    height, width = after.shape
    if min(height, width) < side:
        return Moved(centre=np.empty((0, 2)), shift=np.empty((0, 2)), alike=np.empty(0))
    rows = np.arange(0, height - side + 1, stride)
    columns = np.arange(0, width - side + 1, stride)
    a = np.lib.stride_tricks.sliding_window_view(before, (side, side))[::stride, ::stride].reshape(-1, side, side)
    b = np.lib.stride_tricks.sliding_window_view(after, (side, side))[::stride, ::stride].reshape(-1, side, side)
    x, y = (v.ravel() for v in np.meshgrid(columns, rows))
    energy = [cv2.boxFilter(p * p, -1, (side, side), anchor=(0, 0), normalize=True)[y, x] for p in (before, after)]
    keep = np.minimum(*energy) > least * least
    if valid is not None:
        whole = cv2.boxFilter(valid.astype(np.float32), -1, (side, side), anchor=(0, 0), normalize=True)[y, x]
        keep &= whole > 0.97
    found = np.flatnonzero(keep)
    centre = np.stack((x[found] + (side - 1) / 2, y[found] + (side - 1) / 2), 1).astype(float)
    shift, alike = np.zeros((len(found), 2)), np.zeros(len(found))
    window = np.outer(np.hanning(side), np.hanning(side)).astype(np.float32)
    for first in range(0, len(found), 64):
        part = found[first : first + 64]
        shift[first : first + 64], alike[first : first + 64] = _peaks(a[part] * window, b[part] * window)
    return Moved(centre=centre, shift=shift, alike=alike)


def _peaks(a: Plane, b: Plane) -> tuple[Points, NDArray[np.float64]]:
    side = a.shape[-1]
    cross = np.conj(fft.rfft2(a)) * fft.rfft2(b)
    size = np.abs(cross)
    tempered = cross / np.maximum(size, 1e-9) ** WHITEN
    total = np.abs(tempered).sum(axis=(1, 2))
    plane = fft.irfft2(tempered, s=(side, side))
    flat = plane.reshape(len(plane), -1)
    best = flat.argmax(1)
    n = np.arange(len(plane))
    row, column = best // side, best % side
    top = flat[n, best]
    parts = []
    for dy, dx in ((0, 1), (1, 0)):
        low, high = plane[n, (row - dy) % side, (column - dx) % side], plane[n, (row + dy) % side, (column + dx) % side]
        bend = low - 2 * top + high
        parts.append(np.where(bend < 0, 0.5 * (low - high) / np.minimum(bend, -1e-12), 0.0))
    x, y = column + parts[0], row + parts[1]
    shift = np.stack((np.where(x > side / 2, x - side, x), np.where(y > side / 2, y - side, y)), 1)
    scale = side * side / np.maximum(2 * total, 1e-12)
    return shift, np.clip(top * scale, 0, 1)
