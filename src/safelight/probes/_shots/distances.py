"""How unlike frames are that lie some frames apart: rows of numbers, one for each frame, for the network to read.

Every distance is made so that what happens inside a shot moves it little: histograms of cells stand still when things
move inside them, directions of edges when the light changes, the normalised picture when the exposure is pulled.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from safelight.probes._shots.frames import HEIGHT, WIDTH, Thumb

LAGS = (1, 2, 3, 4, 6, 8, 12, 16, 24)  # frames
CELLS = (6, 4)  # across, down
TONES = 12
DIRECTIONS = 8
KINDS = 6  # distances for each lag
LEVELS = 5  # numbers about the frame itself
WIDTH_OF_ROW = KINDS * len(LAGS) + LEVELS
COLOURS = 4  # which of the kinds needs colour

Floats = npt.NDArray[np.float32]


def describe(thumbs: Sequence[Thumb]) -> dict[str, Floats]:
    """Descriptors of frames, each N×D: `tones`, `edges`, `coarse`, `fine`, `colour`, `level`."""
    grey = np.stack([t.grey for t in thumbs])
    return {
        "tones": np.stack([_tones(g) for g in grey]),
        "edges": np.stack([_edges(g) for g in grey]),
        "coarse": np.stack([_normal(cv2.resize(g, (16, 9), interpolation=cv2.INTER_AREA)) for g in grey]),
        "fine": np.stack([_normal(cv2.resize(g, (48, 27), interpolation=cv2.INTER_AREA)) for g in grey]),
        "colour": np.stack([t.colour.astype(np.float32).ravel() / 128 - 1 for t in thumbs]),
        "level": np.stack([_level(g) for g in grey]),
    }


def rows(found: dict[str, Floats]) -> Floats:
    """N×WIDTH_OF_ROW: for each lag k the distances between frames t − ⌈k/2⌉ and t + ⌊k/2⌋, then the frame's level.

    Beyond the ends of the clip its first and last frame go on."""
    count = len(found["level"])
    out = np.empty((count, WIDTH_OF_ROW), np.float32)
    at = np.arange(count)
    for n, lag in enumerate(LAGS):
        i = np.clip(at - (lag + 1) // 2, 0, count - 1)
        j = np.clip(at + lag // 2, 0, count - 1)
        tones, edges, coarse, fine, colour, level = (found[k] for k in _ORDER)
        out[:, KINDS * n + 0] = np.abs(tones[i] - tones[j]).mean(axis=1) * TONES / 2
        out[:, KINDS * n + 1] = 1 - (edges[i] * edges[j]).sum(axis=1)
        out[:, KINDS * n + 2] = 1 - (coarse[i] * coarse[j]).sum(axis=1)
        out[:, KINDS * n + 3] = 1 - (fine[i] * fine[j]).sum(axis=1)
        out[:, KINDS * n + 4] = np.abs(colour[i] - colour[j]).mean(axis=1) * 4
        out[:, KINDS * n + 5] = np.abs(level[i, 0] - level[j, 0])
    out[:, -LEVELS:] = found["level"]
    return out


_ORDER = ("tones", "edges", "coarse", "fine", "colour", "level")
_CELL_OF = (np.arange(HEIGHT) * CELLS[1] // HEIGHT)[:, None] * CELLS[0] + np.arange(WIDTH) * CELLS[0] // WIDTH
_SIZE = np.bincount(_CELL_OF.ravel())[:, None].astype(np.float32)


def _tones(grey: npt.NDArray[np.uint8]) -> Floats:
    """Histograms of cells, linear between bins, each with sum 1."""
    bins = grey.astype(np.float32) * ((TONES - 1) / 255)
    low = bins.astype(np.int32)
    part = bins - low
    at = _CELL_OF * (TONES + 1) + low
    length = CELLS[0] * CELLS[1] * (TONES + 1)
    counts = np.bincount(at.ravel(), (1 - part).ravel(), length) + np.bincount((at + 1).ravel(), part.ravel(), length)
    return (counts.reshape(-1, TONES + 1)[:, :TONES] / _SIZE).astype(np.float32).ravel()


def _edges(grey: npt.NDArray[np.uint8]) -> Floats:
    """Directions of edges in cells, weighted by the root of their strength; the whole has length 1."""
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3)
    strength, angle = cv2.cartToPolar(across, down)
    direction = (angle * (DIRECTIONS / np.pi)).astype(np.int32) % DIRECTIONS  # an edge and its negative are one
    at = _CELL_OF * DIRECTIONS + direction
    weight = np.sqrt(np.maximum(strength - 16, 0))  # noise has no direction
    found = np.bincount(at.ravel(), weight.ravel(), CELLS[0] * CELLS[1] * DIRECTIONS).astype(np.float32)
    return found / (np.linalg.norm(found) + 20.0)


def _normal(grey: npt.NDArray[np.uint8]) -> Floats:
    """A picture with mean 0 and length 1; a flat one stays near 0."""
    values = grey.astype(np.float32).ravel()
    values -= values.mean()
    return values / np.float32(np.linalg.norm(values) + 2.0 * np.sqrt(values.size))


def _level(grey: npt.NDArray[np.uint8]) -> Floats:
    """Mean, spread, and three quantiles of the tones, 0 to 1."""
    low, middle, high = np.percentile(grey, (5, 50, 95))
    return np.array([grey.mean(), grey.std() * 2, low, middle, high], np.float32) / 255
