"""How unlike frames are that lie some frames apart: rows of numbers, one for each frame, for the network to read.

Every distance is made so that what happens inside a shot moves it little: histograms of cells stand still when things
move inside them, directions of edges when the light changes, the normalised picture when the exposure is pulled; and
the lower quartile of the cells stays where only a part of the picture changes. A dissolve shows by its physics: its
frames are mixtures of the frames before and after, and two explain more of them than one.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from safelight.probes._shots.frames import HEIGHT, WIDTH, Thumb

LAGS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 36, 48)  # frames
REACHES = (3, 6, 12, 24)  # frames to either side of a mixture
COARSE, FINE = (16, 9), (48, 27)  # px of the normalised pictures
CELLS = (6, 4)  # across, down
TONES = 12
DIRECTIONS = 8
KINDS = 8  # distances for each lag
MIXED = 4  # numbers for each reach
LEVELS = 5  # numbers about the frame itself
WIDTH_OF_ROW = KINDS * len(LAGS) + MIXED * len(REACHES) + LEVELS
COLOURS = 4  # which of the kinds needs colour

Floats = npt.NDArray[np.float32]


def describe(thumbs: Sequence[Thumb]) -> dict[str, Floats]:
    """Descriptors of frames, each N×D: `tones`, `edges`, `coarse`, `fine`, `colour`, `level`."""
    grey = np.stack([t.grey for t in thumbs])
    counts = np.stack([_counts(g) for g in grey])
    return {
        "tones": _tones(counts),
        "edges": np.stack([_edges(g) for g in grey]),
        "coarse": np.stack([_normal(cv2.resize(g, COARSE, interpolation=cv2.INTER_AREA)) for g in grey]),
        "fine": np.stack([_normal(cv2.resize(g, FINE, interpolation=cv2.INTER_AREA)) for g in grey]),
        "colour": np.stack([t.colour.astype(np.float32).ravel() / 128 - 1 for t in thumbs]),
        "level": _level(counts),
    }


def rows(found: Mapping[str, Floats]) -> Floats:
    """N×WIDTH_OF_ROW: for each lag k the distances between frames t − ⌈k/2⌉ and t + ⌊k/2⌋, for each reach how much
    frame t is a mixture of those that far before and after, then the frame's level.

    Beyond the ends of the clip its first and last frame go on."""
    count = len(found["level"])
    at = np.arange(count)
    columns = []
    for lag in LAGS:
        columns += _apart(found, np.clip(at - (lag + 1) // 2, 0, count - 1), np.clip(at + lag // 2, 0, count - 1))
    for reach in REACHES:
        before, after = np.clip(at - reach, 0, count - 1), np.clip(at + reach, 0, count - 1)
        columns += [*_mixture(found["coarse"], before, after), *_mixture(found["fine"], before, after)]
    return np.concatenate((np.stack(columns, axis=1), found["level"]), axis=1).astype(np.float32)


def _apart(found: Mapping[str, Floats], i: npt.NDArray[np.int64], j: npt.NDArray[np.int64]) -> list[Floats]:
    """The distances between frames i and frames j."""
    cells = CELLS[0] * CELLS[1]
    tones = np.abs(found["tones"][i] - found["tones"][j]).reshape(len(i), cells, TONES).sum(axis=2) / 2
    one, two = (found["edges"][k].reshape(len(i), cells, DIRECTIONS) for k in (i, j))
    shared = (np.minimum(one, two).sum(axis=2) + 0.01) / (np.maximum(one, two).sum(axis=2) + 0.01)
    quartile = cells // 4 - 1
    return [
        tones.mean(axis=1),
        1 - (one * two).sum(axis=(1, 2)),
        1 - _product(found["coarse"], i, j),
        1 - _product(found["fine"], i, j),
        np.abs(found["colour"][i] - found["colour"][j]).mean(axis=1) * 4,
        np.abs(found["level"][i, 0] - found["level"][j, 0]),
        np.partition(tones, quartile, axis=1)[:, quartile],
        np.partition(1 - shared, quartile, axis=1)[:, quartile],
    ]


def _product(pictures: Floats, i: npt.NDArray[np.int64], j: npt.NDArray[np.int64]) -> Floats:
    return np.asarray(np.einsum("nd,nd->n", pictures[i], pictures[j]), np.float32)


def _mixture(pictures: Floats, before: npt.NDArray[np.int64], after: npt.NDArray[np.int64]) -> list[Floats]:
    """What the frames before and after leave of a frame unexplained, and how much more they explain together than the
    better one alone; none where a part would be negative. Least squares; the pictures have length 1."""
    at = np.arange(len(before))
    one, two, ends = (_product(pictures, *pair) for pair in ((at, before), (at, after), (before, after)))
    free = np.maximum(1 - ends**2, 0.01)
    parts = (one - ends * two) / free, (two - ends * one) / free
    alone = np.maximum(np.maximum(one, two), 0) ** 2
    both = parts[0] * one + parts[1] * two
    mixed = np.where((parts[0] > 0) & (parts[1] > 0), np.maximum(both, alone), alone)
    return [1 - mixed, mixed - alone]


_CELL_OF = (np.arange(HEIGHT) * CELLS[1] // HEIGHT)[:, None] * CELLS[0] + np.arange(WIDTH) * CELLS[0] // WIDTH
_SIZE = np.bincount(_CELL_OF.ravel())[:, None].astype(np.float32)
_COUNTED = (_CELL_OF * 256).ravel()
_DIRECTED = _CELL_OF.ravel() * DIRECTIONS
QUANTILES = (0.05, 0.5, 0.95)


def _counts(grey: npt.NDArray[np.uint8]) -> Floats:
    """How often each code value is seen in each cell, cells × 256."""
    counts = np.bincount(_COUNTED + grey.ravel(), minlength=CELLS[0] * CELLS[1] * 256)
    return counts.astype(np.float32).reshape(-1, 256)


def _bins() -> Floats:
    """256 × TONES: the share that each code value has in each bin, linear between them."""
    place = np.arange(256) * ((TONES - 1) / 255)
    return np.asarray(np.maximum(1 - np.abs(place[:, None] - np.arange(TONES)), 0), np.float32)


_BINS = _bins()


def _tones(counts: Floats) -> Floats:
    """Histograms of cells, linear between bins, each with sum 1; N × cells · TONES."""
    return np.asarray((counts @ _BINS) / _SIZE, np.float32).reshape(len(counts), -1)


def _edges(grey: npt.NDArray[np.uint8]) -> Floats:
    """Directions of edges in cells, weighted by the root of their strength; the whole has length 1."""
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3)
    strength, angle = cv2.cartToPolar(across, down)
    direction = (angle * np.float32(DIRECTIONS / np.pi)).astype(np.int8) % DIRECTIONS  # its negative is the same edge
    weight = np.sqrt(np.maximum(strength - 16, 0))  # noise has no direction
    at = _DIRECTED + direction.ravel()
    found = np.bincount(at, weight.ravel(), CELLS[0] * CELLS[1] * DIRECTIONS).astype(np.float32)
    return np.asarray(found / (np.linalg.norm(found) + 20.0), np.float32)


def _normal(grey: npt.NDArray[np.uint8]) -> Floats:
    """A picture with mean 0 and length 1; a flat one stays near 0."""
    values = grey.astype(np.float32).ravel()
    values -= values.mean()
    return values / np.float32(np.linalg.norm(values) + 2.0 * np.sqrt(values.size))


def _level(counts: Floats) -> Floats:
    """Mean, spread, and three quantiles of the tones, 0 to 1; N × LEVELS."""
    whole = counts.sum(axis=1, dtype=np.float64)
    values, total = np.arange(256.0), HEIGHT * WIDTH
    mean = whole @ values / total
    spread = np.sqrt(np.maximum(whole @ values**2 / total - mean**2, 0))
    below = np.cumsum(whole, axis=1)
    columns = [mean, spread * 2]
    for share in QUANTILES:
        place = share * (total - 1)
        one, two = ((below <= np.floor(place) + n).sum(axis=1) for n in (0, 1))
        columns.append(one + (place % 1) * (two - one))
    return np.asarray(np.stack(columns, axis=1).astype(np.float32) / np.float32(255), np.float32)
