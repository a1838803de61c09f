"""How wide edges are, direction by direction, with the share of noise taken out.

A step edge seen through a blur of standard deviation s has, after smoothing by σ, a gradient that falls as
1 / sqrt(s² + σ²). The ratio of the gradients at a fine and a coarse scale therefore tells s, whatever the contrast
of the edge (Elder and Zucker 1998; Zhuo and Sim 2011). Here the fine gradient is projected on the coarse one and
both are summed over the strongest edge pixels of a tile: noise then enters as a mean that is known and subtracted,
not as a rectified error. Defocus widens edges of all directions, motion only those across its path.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.frame import Pixels

SCALES = (0.8, 1.6, 3.2)  # px, standard deviations of the Gaussians whose gradients are compared
MARGIN = 10  # px around a tile that its filters need
DIRECTIONS = 6  # bins of 30 degrees over half a turn
STRONG_SHARE = 0.2  # of a tile's pixels: those with the steepest coarse gradient
FEWEST = 8  # pixels of one direction in a tile below which nothing is said about it
FAINT = 0.004  # per px: coarse gradients below this are no edges (one level of 255)
NOISE_FACTOR = 4.0  # coarse gradients below this many standard deviations of their noise are no edges
HALF_DETAIL = 1.8  # px, edge spread at which `sharpness_of` is one half


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Sums over strong edge pixels, arrays of (scale pairs, tiles, directions), and what noise adds to them.

    `cross` is the fine gradient projected on the coarse, `power` the coarse gradient squared, both less their noise;
    `count` is (tiles, directions): how many pixels were summed. `noise` is the standard deviation of the noise of the
    fine gradient, one component, per px.
    """

    cross: NDArray[np.float64]
    power: NDArray[np.float64]
    count: NDArray[np.float64]
    noise: float


def gradients(stack: Pixels) -> list[tuple[Pixels, Pixels]]:
    """Horizontal and vertical derivatives per px of an image at each of `SCALES`."""
    found = []
    for sigma in SCALES:
        smooth = cv2.GaussianBlur(stack, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
        found.append(
            (
                np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=1, scale=0.5), np.float32),
                np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=1, scale=0.5), np.float32),
            )
        )
    return found


def noise_share() -> NDArray[np.float64]:
    """Covariances of the gradients of white noise of unit variance between all pairs of `SCALES`, one component."""
    size = 41
    impulse = np.zeros((size, size), np.float32)
    impulse[size // 2, size // 2] = 1
    responses = np.stack([x.ravel() for x, _ in gradients(impulse)]).astype(np.float64)
    return responses @ responses.T


def edges_of(tiles: Pixels, *, noise: float | None = None) -> Edges:
    """Edge sums of tiles (N x H x W luma 0..1, `MARGIN` px of surroundings on each side included).

    `noise` is the standard deviation of the luma's noise where it is known; otherwise the flattest pixels tell it.
    """
    count, height, width = tiles.shape
    inner = slice(MARGIN, height - MARGIN), slice(MARGIN, width - MARGIN)
    layers = [
        tuple(part.reshape(count, height, width)[:, inner[0], inner[1]].reshape(count, -1) for part in layer)
        for layer in gradients(np.ascontiguousarray(tiles.reshape(count * height, width)))
    ]
    share = noise_share()
    variance = noise**2 * share[0, 0] if noise is not None else _quiet_variance(layers[0])
    white = variance / share[0, 0]
    cross, power, number = [], [], None
    for fine, coarse in ((0, 1), (1, 2)):
        (fx, fy), (cx, cy) = layers[fine], layers[coarse]
        steep = cx * cx + cy * cy
        floor = max(FAINT**2, NOISE_FACTOR**2 * white * share[coarse, coarse])
        kept = max(1, int(steep.shape[1] * STRONG_SHARE))
        limit = np.maximum(np.partition(steep, -kept, axis=1)[:, -kept], floor)
        tile, pixel = np.nonzero(steep >= limit[:, None])
        x, y = cx[tile, pixel], cy[tile, pixel]
        turn = np.arctan2(y, x) * (DIRECTIONS / np.pi)
        where = tile * DIRECTIONS + np.floor(turn + 0.5).astype(np.int64) % DIRECTIONS
        bins = count * DIRECTIONS
        n = np.bincount(where, minlength=bins)
        both = np.bincount(where, fx[tile, pixel] * x + fy[tile, pixel] * y, minlength=bins)
        own = np.bincount(where, x * x + y * y, minlength=bins)
        cross.append((both - n * 2 * white * share[fine, coarse]).reshape(count, DIRECTIONS))
        power.append((own - n * 2 * white * share[coarse, coarse]).reshape(count, DIRECTIONS))
        number = n if number is None else number
    assert number is not None
    return Edges(
        cross=np.stack(cross),
        power=np.stack(power),
        count=number.reshape(count, DIRECTIONS).astype(np.float64),
        noise=float(np.sqrt(variance)),
    )


def _quiet_variance(layer: tuple[Pixels, ...]) -> float:
    """Variance of one component of the gradient in the quietest tenth of the tiles, by median (robust to edges)."""
    x, y = layer
    spread = np.median(x * x + y * y, axis=1) / (2 * np.log(2))  # median of a chi-square of two degrees
    return float(np.quantile(spread, 0.1))


def spread_of(cross: NDArray[np.float64], power: NDArray[np.float64], pair: int) -> NDArray[np.float64]:
    """Edge spread s in px from the sums of one pair of scales; nan where there is nothing."""
    fine, coarse = SCALES[pair], SCALES[pair + 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        square = np.clip(np.where(power > 0, cross / power, np.nan), 1.02, coarse / fine) ** 2
        return np.asarray(np.sqrt(np.maximum((coarse**2 - square * fine**2) / (square - 1), 0.01)), np.float64)


def sharpness_of(luma: Pixels, *, noise: float | None = None) -> float | None:
    """Sharpness 0..1 of a patch of luma (float32, 0..1, its own resolution); None where there is no structure.

    1 for edges within a px, one half at a spread of 1.8 px (standard deviation). Of the directions that have edges the
    widest counts, so that motion is not hidden by the edges along its path. `noise` as in `edges_of`.
    """
    if min(luma.shape) < 4:
        return None
    padded = cv2.copyMakeBorder(luma, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REFLECT_101)
    edges = edges_of(np.asarray(padded, np.float32)[None], noise=noise)
    enough = edges.count[0] >= max(FEWEST, 0.02 * edges.count[0].sum())
    if not enough.any():
        return None
    spread = spread_of(edges.cross[0, 0], edges.power[0, 0], 0)[enough]
    widest = float(np.nanmax(spread)) if np.isfinite(spread).any() else None
    return None if widest is None else 1 / (1 + (widest / HALF_DETAIL) ** 2)
