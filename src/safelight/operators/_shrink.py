"""Noise out of a plane whose noise is known by frequency: shrunken DCT blocks that overlap, coarse to fine.

Every 8 x 8 block is transformed at several positions, coefficients that noise could have made are shrunken, and what
comes back is averaged where blocks overlap, plainer blocks counting more (Guleryuz 2007; Yu & Sapiro 2011). What is
coarser than a block is treated first on the plane at half the size, and replaces it (Pierazzo et al. 2017). At the
finest size a second pass takes the first one's result for the signal (empirical Wiener filter).

Blocks lie on a grid that is fixed to the picture, and gains are smooth, so that a tile gives what the whole gives.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from safelight.media.frame import Pixels
from safelight.media.noise import Vector, dct

SIDE = 8  # px
CHUNK = 2048  # blocks at a time: they stay in the cache
SURE = 1e-3  # least share of its noise with which a block's weight counts
POSITIONS = {
    2: ((0, 0), (4, 4)),
    4: tuple((y, x) for y in (0, 4) for x in (0, 4)),
    16: tuple((y, x) for y in (0, 2, 4, 6) for x in (0, 2, 4, 6)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How thoroughly: positions of blocks in the first and the second pass (0: none), sizes, and a threshold.

    `threshold` is in deviations of the noise: a coefficient of that size is halved by the first pass.
    """

    first: int
    second: int
    sizes: int
    threshold: float

    @property
    def reach(self) -> int:
        """Pixels around a place on which its result depends."""
        once = SIDE - 1
        return sum((once + 2) << size for size in range(1, self.sizes)) + once * (2 if self.second else 1)


def clean(plane: Pixels, variances: Sequence[Vector], effort: Effort) -> Pixels:
    """The plane without what noise of these coefficients' variances could have made.

    `variances` holds SIDE x SIDE for each of the effort's sizes, finest first. The plane begins and ends on the grid
    of the coarsest size's blocks, SIDE << (sizes - 1) px; its outermost blocks there are not to be used.
    """
    return _coarse_to_fine(plane, variances[: effort.sizes], effort, second=effort.second)


def _coarse_to_fine(plane: Pixels, variances: Sequence[Vector], effort: Effort, *, second: int) -> Pixels:
    if len(variances) > 1:
        half = halved(plane)
        plane = plane + doubled(_coarse_to_fine(half, variances[1:], effort, second=0) - half)
    first = _shrunken(plane, variances[0], effort.first, threshold=effort.threshold)
    return _shrunken(plane, variances[0], second, pilot=first) if second else first


def halved(plane: Pixels) -> Pixels:
    """Means of 2 x 2 pixels of a plane with even sides."""
    return np.asarray(
        cv2.resize(plane, (plane.shape[1] // 2, plane.shape[0] // 2), interpolation=cv2.INTER_AREA), np.float32
    )


def doubled(plane: Pixels) -> Pixels:
    """The plane at twice the size, interpolated."""
    return np.asarray(
        cv2.resize(plane, (2 * plane.shape[1], 2 * plane.shape[0]), interpolation=cv2.INTER_LINEAR), np.float32
    )


def _shrunken(
    plane: Pixels, variances: Vector, positions: int, *, threshold: float = 1.0, pilot: Pixels | None = None
) -> Pixels:
    """One pass. Without a pilot gains are c^4 / (c^4 + t^4), with c the coefficient and t the threshold; with one
    they are p^2 / (p^2 + v). Means of blocks stay: the next coarser size has looked after them."""
    total, weights = np.zeros_like(plane), np.zeros_like(plane)
    v = variances.reshape(-1, 1).astype(np.float32)
    share = (variances.ravel() / variances.sum()).astype(np.float32)
    limit = np.maximum(v * v * np.float32(threshold**4), np.float32(1e-30))
    transform, back = dct(SIDE), np.ascontiguousarray(dct(SIDE).T)
    for rows, columns in _parts(plane.shape, positions):
        c = transform @ _blocks(plane[rows, columns])
        gain = np.square(c if pilot is None else transform @ _blocks(pilot[rows, columns]))
        if pilot is None:
            gain *= gain
            gain /= gain + limit
        else:
            gain /= gain + np.maximum(v, np.float32(1e-15))
        gain[0] = 1
        c *= gain
        gain *= gain
        weight = 1 / (share @ gain + np.float32(SURE))
        c *= weight
        size = (rows.stop - rows.start) // SIDE, (columns.stop - columns.start) // SIDE
        total[rows, columns] += _unblocked(back @ c, size)
        weights[rows, columns] += _spread(weight.reshape(size))
    return np.asarray(total / np.maximum(weights, np.float32(1e-9)), np.float32)


def _parts(shape: tuple[int, ...], positions: int) -> Iterator[tuple[slice, slice]]:
    """Parts of a plane that whole blocks fill, for each position of the grid, a chunk at a time."""
    for down, across in POSITIONS[positions]:
        high, wide = (shape[0] - down) // SIDE, (shape[1] - across) // SIDE
        rows = max(1, CHUNK // max(1, wide))
        for first in range(0, high, rows):
            last = min(high, first + rows)
            yield slice(down + first * SIDE, down + last * SIDE), slice(across, across + wide * SIDE)


def _blocks(part: Pixels) -> Pixels:
    """SIDE^2 x n: the pixels of each block, block after block."""
    height, width = part.shape[0] // SIDE, part.shape[1] // SIDE
    blocks = part.reshape(height, SIDE, width, SIDE).transpose(1, 3, 0, 2)
    return np.ascontiguousarray(blocks).reshape(SIDE * SIDE, height * width)


def _unblocked(blocks: Pixels, size: tuple[int, int]) -> Pixels:
    return blocks.reshape(SIDE, SIDE, *size).transpose(2, 0, 3, 1).reshape(size[0] * SIDE, size[1] * SIDE)


def _spread(of_blocks: Pixels) -> Pixels:
    """One number a block, at each of its pixels."""
    height, width = of_blocks.shape
    wide = np.broadcast_to(of_blocks[:, None, :, None], (height, SIDE, width, SIDE))
    return wide.reshape(height * SIDE, width * SIDE)
