"""How loud a sound is over its length, as a picture for people to look at."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from safelight.media.frame import Bytes
from safelight.media.sound import Block

A_SECOND = 20  # levels of one second
WIDTH, HEIGHT = 1600, 400  # px
GROUND, INK = 46, 230  # grey values


def heard(blocks: Iterable[Block], levels: list[float]) -> Iterator[Block]:
    """Passes blocks on; their peaks, twenty a second over all channels, 1 is full scale, are added to `levels`."""
    for block in blocks:
        loudest = np.abs(block.samples).max(axis=1)
        levels += np.maximum.reduceat(loudest, np.arange(0, len(loudest), max(1, block.rate // A_SECOND))).tolist()
        yield block


def drawn(levels: Sequence[float]) -> Bytes:
    """The levels from left to right, HEIGHT x WIDTH x 3; silence is a thin line."""
    peaks = np.nan_to_num(np.asarray(levels, np.float32), nan=0.0, posinf=1.0)
    half = np.maximum.reduceat(peaks, np.arange(WIDTH) * len(peaks) // WIDTH).clip(0, 1) * (HEIGHT / 2 - 8)
    filled = np.abs(np.arange(HEIGHT) - HEIGHT / 2)[:, None] <= np.maximum(half, 1)
    return np.repeat(np.where(filled, INK, GROUND).astype(np.uint8)[..., None], 3, axis=2)
