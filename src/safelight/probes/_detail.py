"""How wide edges are, direction by direction, with the share of noise taken out.

A step edge seen through a blur of standard deviation s has, after smoothing by σ, a gradient that falls as
1 / sqrt(s² + σ²). The ratio of the gradients at a fine and a coarse scale therefore tells s, whatever the contrast
of the edge (Elder and Zucker 1998; Zhuo and Sim 2011). Here the fine gradient is projected on the coarse one and
both are summed over the ridges of the strongest edges of a tile: noise then enters as a mean that is measured in the
quietest places and subtracted, not as a rectified error. Defocus widens the edges of all directions, motion only those
across its path.
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.frame import Pixels

Floats = NDArray[np.float64]
Layer = tuple[Pixels, Pixels]

SCALES = FINE, COARSE = (0.8, 1.6)  # px, standard deviations of the Gaussians whose gradients are compared
MARGIN = 8  # px around a tile that its filters need
DIRECTIONS = 6  # bins of 30 degrees over half a turn
STRONG_SHARE = 0.2  # of a tile's pixels: those with the steepest coarse gradient
FAINT = 0.004  # per px: coarse gradients below this are no edges (one level of 255)
CLEAR = 5.5  # standard deviations of its noise that a coarse gradient must reach
FEWEST = 3  # pixels of one direction in a tile below which nothing is said about it
PATCH = 16  # px, side of the squares in which noise is looked for
QUIETEST = 20  # one patch in so many tells the noise
LEVELS = (0.05, 0.15, 0.3, 0.5, 0.7, 0.95)  # luma, borders of the brightnesses whose noise is told apart
ENOUGH_PATCHES = 40  # of one brightness, to tell its noise
LOUDEST = 4.0  # times the quietest noise variance that is believed of another brightness; more is texture
UNCLIPPED = (0.05, 0.95)  # mean luma of patches that can show noise
ALIKE = 0.04  # spread of the ratio between tiles that is always granted, so that noise cannot flatten them wholly
REPEATED = 5.0  # how often smoothing makes neighbouring pixels repeat the same noise
HALF_DETAIL = 1.4  # px, edge spread at which detail counts one half


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """What strong edges say: `ratio` of fine to coarse gradient, of (tiles, directions), nan if none.

    `error` is the standard deviation that noise gives the ratio, `count` the pixels of each (neighbouring directions
    count half), `noise` the standard deviation of one component of the finest gradient's noise, per px.
    """

    ratio: Floats
    error: Floats
    count: Floats
    noise: float

    def spreads(self, *, pixels: float) -> Floats:
        """Edge spread in px by direction, over the sharpest tiles that together hold so many edge pixels.

        A tile whose ratio noise could have made is drawn towards the mean of its direction first (empirical Bayes),
        or the luckiest tile would win. nan for directions with fewer than half of `pixels`.
        """
        found = np.full(DIRECTIONS, np.nan)
        for direction in range(DIRECTIONS):
            ratio, count = self.ratio[:, direction], self.count[:, direction]
            there = np.isfinite(ratio)
            if there.sum() >= 1 and count[there].sum() >= pixels / 2:
                drawn = _shrunk(ratio[there], self.error[there, direction], count[there])
                found[direction] = _best(drawn, count[there], pixels)
        return spread_of(found)


def edges_of(tiles: Pixels, *, noise: float | None = None) -> Edges:
    """Edges of tiles: N x H x W luma 0..1 with `MARGIN` px of surroundings on each side.

    `noise` is the standard deviation of white noise in the luma where it is known; otherwise the quietest patches of
    all tiles tell how strong it is at each scale, correlated or not.
    """
    fine, coarse = gradients(tiles)
    if noise is None:
        share, louder = quiet_share(_inner(tiles), (fine, coarse))
    else:
        share, louder = noise**2 * white_share(), np.ones(len(tiles))
    ratio, error, number = _sums(fine, coarse, share, louder=louder)
    return Edges(ratio=ratio, error=error, count=number, noise=float(np.sqrt(share[0, 0])))


def sharpness_of(luma: Pixels, *, noise: float | None = None) -> float | None:
    """Sharpness 0..1 of a patch of luma (float32, 0..1, its own resolution); None where there is no structure.

    One half at an edge spread of 1.4 px (standard deviation). Of the directions that have edges the widest counts, so
    that motion is not hidden by the edges along its path. `noise` as in `edges_of`.
    """
    if min(luma.shape) < PATCH:
        return None
    padded = cv2.copyMakeBorder(luma, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REFLECT_101)
    edges = edges_of(np.asarray(padded, np.float32)[None], noise=noise)
    spreads = edges.spreads(pixels=max(2 * FEWEST, 0.05 * float(edges.count.sum())))
    return None if np.isnan(spreads).all() else detail(float(np.nanmax(spreads)))


def detail(spread: float) -> float:
    """Resolved detail 0..1 from an edge spread in px: 1 for a perfect edge, one half at 1.4 px."""
    return 1 / (1 + (spread / HALF_DETAIL) ** 2)


def spread_with(sharpness: float) -> float:
    """Edge spread in px at which `detail` has this value."""
    kept = min(max(sharpness, 1e-4), 1 - 1e-4)
    return float(HALF_DETAIL * np.sqrt(1 / kept - 1))


# ---------------------------------------------------------------- gradients and their noise


def gradients(tiles: Pixels) -> tuple[Layer, Layer]:
    """Horizontal and vertical derivatives per px of tiles at each of `SCALES`, without the tiles' surroundings."""
    count, height, width = tiles.shape
    strip = np.ascontiguousarray(tiles.reshape(count * height, width))  # one call is faster; `MARGIN` keeps tiles apart
    fine, coarse = (
        _derivatives(np.asarray(cv2.GaussianBlur(strip, (0, 0), sigma), np.float32).reshape(tiles.shape))
        for sigma in SCALES
    )
    return fine, coarse


def _derivatives(tiles: Pixels) -> Layer:
    x, y = _inner(tiles, right=1) - _inner(tiles, right=-1), _inner(tiles, down=1) - _inner(tiles, down=-1)
    x *= np.float32(0.5)
    y *= np.float32(0.5)
    return x, y


def _inner(tiles: Pixels, *, right: int = 0, down: int = 0) -> Pixels:
    """Tiles without their surroundings, or what lies so many px beside them."""
    _, height, width = tiles.shape
    return tiles[:, MARGIN + down : height - MARGIN + down, MARGIN + right : width - MARGIN + right]


def white_share() -> Floats:
    """Covariances between scales of one component of the gradient of white noise with unit variance."""
    impulse = np.zeros((1, 61, 61), np.float32)
    impulse[0, 30, 30] = 1
    answers = np.stack([x.ravel() for x, _ in gradients(impulse)]).astype(np.float64)
    return np.asarray(answers @ answers.T, np.float64)


def quiet_share(tiles: Pixels, layers: tuple[Layer, Layer]) -> tuple[Floats, Floats]:
    """Covariances between scales of one gradient component in the quietest unclipped patches: those of the noise.

    Comes with the factor by which each tile's noise is stronger, from the quietest patches of its brightness.
    """
    (fx, fy), (cx, cy) = layers
    level = _means(tiles)
    finest = _means(_squared(layers[0]))
    usable = np.flatnonzero((level > UNCLIPPED[0]) & (level < UNCLIPPED[1]))
    if not len(usable):
        usable = np.arange(len(level))
    order = usable[np.argsort(finest[usable], kind="stable")]
    quiet = order[: max(8, len(order) // QUIETEST)]
    both = _means(fx * cx + fy * cy)
    coarsest = _means(_squared(layers[1]))
    own, shared, other = (float(np.median(part[quiet])) / 2 for part in (finest, both, coarsest))
    share = np.array(((own, shared), (shared, other)))
    return share, _louder(level[order], finest[order], tiles.mean(axis=(1, 2), dtype=np.float64))


def _louder(level: Floats, variance: Floats, wanted: Floats) -> Floats:
    """Noise variance at the wanted brightness over that of the quietest patches, 1..`LOUDEST`.

    `level` and `variance` are the usable patches, quietest first. A brightness with few patches says nothing.
    """
    least = float(np.median(variance[: max(8, len(variance) // QUIETEST)]))
    centres, factors = [], []
    for low, high in pairwise(LEVELS):
        there = variance[(level >= low) & (level < high)]
        if len(there) >= ENOUGH_PATCHES:
            centres.append((low + high) / 2)
            factors.append(float(np.median(there[: max(4, len(there) // QUIETEST)])) / max(least, 1e-12))
    if not centres:
        return np.ones(len(wanted))
    return np.asarray(np.clip(np.interp(wanted, centres, factors), 1.0, LOUDEST), np.float64)


def _means(stack: Pixels) -> Floats:
    """The mean of every whole patch of all tiles, flat."""
    count, height, width = stack.shape
    down, across = height // PATCH, width // PATCH
    whole = np.ascontiguousarray(stack[:, : down * PATCH, : across * PATCH]).reshape(-1, across * PATCH)
    return np.asarray(cv2.resize(whole, (across, count * down), interpolation=cv2.INTER_AREA), np.float64).ravel()


def _squared(layer: Layer) -> Pixels:
    x, y = layer
    return np.asarray(x * x + y * y, np.float32)


# ---------------------------------------------------------------- sums over edge pixels


def _sums(fine: Layer, coarse: Layer, share: Floats, *, louder: Floats) -> tuple[Floats, Floats, Floats]:
    """Ratio, its error and pixel count by (tile, direction).

    `share` holds the noise covariances of the two scales, `louder` by how much each tile exceeds them.
    """
    steep = _squared(coarse)
    tiles, size = len(steep), steep[0].size
    kept = max(1, int(size * STRONG_SHARE))
    floor = np.maximum(CLEAR**2 * share[1, 1] * louder, FAINT**2)
    limit = np.maximum(np.partition(steep.reshape(tiles, size), -kept, axis=1)[:, -kept], floor)
    (fx, fy), (cx, cy) = ((x.ravel(), y.ravel()) for x, y in (fine, coarse))
    chosen = _ridges(steep, np.flatnonzero(steep >= limit.astype(np.float32)[:, None, None]), cx, cy)
    x, y = cx[chosen], cy[chosen]
    turn = np.floor(np.arctan2(y, x) * np.float32(DIRECTIONS / np.pi) + np.float32(0.5)).astype(np.int64)
    where = chosen // size * DIRECTIONS + turn % DIRECTIONS
    bins = tiles * DIRECTIONS
    number = np.bincount(where, minlength=bins)
    both = np.bincount(where, fx[chosen] * x + fy[chosen] * y, minlength=bins)
    own = np.bincount(where, steep.ravel()[chosen], minlength=bins)
    loud = louder[:, None]
    cross = _with_neighbours(both.reshape(tiles, DIRECTIONS) - 2 * share[0, 1] * loud * number.reshape(tiles, -1))
    power = _with_neighbours(own.reshape(tiles, DIRECTIONS) - 2 * share[1, 1] * loud * number.reshape(tiles, -1))
    count = _with_neighbours(number.reshape(tiles, DIRECTIONS).astype(np.float64))
    there = (count >= FEWEST) & (power > 0)
    safe = np.where(there, power, 1.0)
    ratio = np.where(there, cross / safe, np.nan)
    return ratio, np.sqrt(REPEATED * max(share[0, 0], 0.0) * loud / safe), np.where(there, count, 0.0)


def _ridges(steep: Pixels, places: NDArray[np.int64], cx: Pixels, cy: Pixels) -> NDArray[np.int64]:
    """Those of the flat `places` where the gradient (`cx`, `cy`, flat) is steepest along its own direction.

    The shoulders of an edge would make it look wider than it is. A tile's outermost pixels have no neighbours to tell.
    """
    _, height, width = steep.shape
    column, row = places % width, places // width % height
    places = places[(column > 0) & (column < width - 1) & (row > 0) & (row < height - 1)]
    step = np.where(np.abs(cx[places]) > np.abs(cy[places]), 1, width)  # to the nearer of right and below
    flat = steep.ravel()
    here = flat[places]
    return np.asarray(places[(here >= flat[places - step]) & (here > flat[places + step])], np.int64)


def _with_neighbours(sums: Floats) -> Floats:
    """Sums by direction with half of both neighbouring directions."""
    return np.asarray(sums + 0.5 * (np.roll(sums, 1, axis=1) + np.roll(sums, -1, axis=1)), np.float64)


def _shrunk(ratio: Floats, error: Floats, count: Floats) -> Floats:
    """Ratios drawn towards their mean as far as noise explains their differences."""
    weight = count / np.maximum(error, 1e-6) ** 2 if error.max() > 0 else count
    mean = np.average(ratio, weights=weight)
    between = max(np.average((ratio - mean) ** 2 - error**2, weights=weight), ALIKE**2)
    return np.asarray(mean + (ratio - mean) * between / (between + error**2), np.float64)


def _best(ratio: Floats, count: Floats, pixels: float) -> float:
    """Mean ratio of the sharpest tiles that hold so many pixels together."""
    order = np.argsort(-ratio, kind="stable")
    last = int(np.searchsorted(np.cumsum(count[order]), pixels))
    best = order[: last + 1]
    return float(np.average(ratio[best], weights=count[best]))


def spread_of(ratio: Floats) -> Floats:
    """Edge spread s in px from the ratio of gradients at the two scales; nan stays nan."""
    square = np.clip(ratio, 1.001, COARSE / FINE) ** 2
    return np.asarray(np.sqrt(np.maximum((COARSE**2 - square * FINE**2) / (square - 1), 0.01)), np.float64)
