"""Patches that stand twice in one picture, pixel for pixel.

Bricks and fences are alike at a shift, but their grain and grime are not. So shifts are proposed by what repeats at all
(the autocorrelation of a window), and believed only where the finest band of the picture correlates with itself at
that shift. A straight edge is like itself all along: only ground with structure in both directions counts.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from safelight.detectors._planes import Flags, Plane, blurred

WINDOW, STRIDE = 256, 96  # px
NEAREST, FARTHEST = 8, 0.48  # px; of a window: shorter shifts are texture, longer ones leave no window
SHIFTS = 4  # that are tried for each window
AROUND = (15, 15)  # px over which likeness is averaged
ALIKE = 0.85  # correlation of the finest band
FINE, COARSE = 1.5, 4.0  # px, Gaussian sigmas above which detail is the finest, and above which it proposes shifts
TEXTURE = 1.0 / 255  # encoded levels of finest detail
BOTH_WAYS = 0.12  # least part of the change that goes across its main direction
LEAST_TEXTURE = 0.08  # share of a window that has such ground
WHOLE = np.ones((7, 7), np.uint8)  # px: smaller places are chance


def textured(level: Plane) -> Flags:
    """Where the finest band has structure in both directions."""
    fine, coarse = level - blurred(level, FINE), level - blurred(level, COARSE)
    across, down = cv2.Sobel(coarse, cv2.CV_32F, 1, 0), cv2.Sobel(coarse, cv2.CV_32F, 0, 1)
    xx, yy, xy = (cv2.blur(p, AROUND) for p in (across * across, down * down, across * down))
    apart = np.sqrt((xx - yy) ** 2 + 4 * xy * xy)
    both = (xx + yy - apart) > BOTH_WAYS * (xx + yy + apart)
    return np.asarray(both & (cv2.blur(fine * fine, AROUND) > TEXTURE**2))


def copied(level: Plane, ground: Flags) -> Flags:
    """Of the shift at which most of any window stands again: where, in both places. `ground` is `textured(level)`."""
    fine, coarse = level - blurred(level, FINE), level - blurred(level, COARSE)
    energy = cv2.blur(fine * fine, AROUND)
    most = 0
    best: Flags = np.zeros(level.shape, bool)
    for here, there in _proposed(coarse, ground):
        like = cv2.blur(fine[here] * fine[there], AROUND)
        same = (like > ALIKE * np.sqrt(np.maximum(energy[here] * energy[there], 0))) & ground[here] & ground[there]
        whole = cv2.morphologyEx(same.astype(np.uint8), cv2.MORPH_OPEN, WHOLE) > 0
        count = int(whole.sum())
        if count > most:
            most, best = count, np.zeros(level.shape, bool)
            best[here] |= whole
            best[there] |= whole
    return best


_Window = tuple[slice, slice]


def _proposed(coarse: Plane, ground: Flags) -> Iterator[tuple[_Window, _Window]]:
    """Pairs of windows that lie on each other at a shift at which something repeats."""
    height, width = coarse.shape
    side = min(WINDOW, height, width)
    taper = np.outer(np.hanning(side), np.hanning(side)).astype(np.float32)
    y, x = np.mgrid[-(side // 2) : side - side // 2, -(side // 2) : side - side // 2]
    away = np.hypot(x, y)
    tried = (away >= NEAREST) & (away < FARTHEST * side) & ((y > 0) | ((y == 0) & (x > 0)))
    for top in _starts(height, side):
        for left in _starts(width, side):
            window = np.s_[top : top + side, left : left + side]
            if ground[window].mean() < LEAST_TEXTURE:
                continue
            for dy, dx in _peaks(coarse[window] * taper, tried):
                rows = slice(max(top, top - dy), min(top + side, top + side - dy))
                columns = slice(max(left, left - dx), min(left + side, left + side - dx))
                yield (rows, columns), (_moved(rows, dy), _moved(columns, dx))


def _starts(length: int, side: int) -> list[int]:
    return sorted({*range(0, length - side + 1, STRIDE), length - side})


def _moved(part: slice, by: int) -> slice:
    return slice(part.start + by, part.stop + by)


def _peaks(part: Plane, tried: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Shifts (down, across) at which a window is most like itself; amplitudes are half evened, so that slow changes do
    not outvote detail."""
    side = len(part)
    like = fft.fftshift(fft.irfft2(np.abs(fft.rfft2(part)), s=part.shape))
    like = np.where(tried, like, -np.inf)
    for _ in range(SHIFTS):
        row, column = divmod(int(like.argmax()), side)
        like[max(0, row - 3) : row + 4, max(0, column - 3) : column + 4] = -np.inf
        yield row - side // 2, column - side // 2
