"""How loud a sound is over its length: as a picture for people to look at, and as numbers that a page draws."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from safelight.media.frame import Bytes
from safelight.media.sound import Block

A_SECOND = 20  # levels of one second
PEAKS_A_SECOND = 100
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


class Peaks:
    """The lowest and the highest sample of each hundredth of a second from the zero of the clip, over all channels;
    what lies before is left out, holes are silent. Two hours are 3 MB.

    16 bits rather than 8: quiet speech at -45 dBFS is less than one step of 8 bits, and looks like silence.
    """

    def __init__(self) -> None:
        self.rows = np.zeros((1 << 12, 2), np.int16)
        self.count = 0

    def hear(self, block: Block) -> None:
        """Adds a block; blocks come in order and do not overlap."""
        first = round(block.at * block.rate)
        samples = block.samples[max(-first, 0) :]
        if not len(samples):
            return
        places = (max(first, 0) + np.arange(len(samples))) * PEAKS_A_SECOND // block.rate
        starts = np.concatenate([[0], np.flatnonzero(np.diff(places)) + 1])
        scaled = np.nan_to_num(samples).clip(-1, 1) * 32767
        low = np.floor(np.minimum.reduceat(scaled.min(1), starts))
        high = np.ceil(np.maximum.reduceat(scaled.max(1), starts))
        self._add(places[starts], np.column_stack([low, high]).astype(np.int16))

    def _add(self, places: NDArray[np.int64], rows: NDArray[np.int16]) -> None:
        end = int(places[-1]) + 1
        while end > len(self.rows):
            self.rows = np.concatenate([self.rows, np.zeros_like(self.rows)])
        if int(places[0]) == self.count - 1:  # the block begins inside the last hundredth
            last = self.rows[self.count - 1]
            rows[0] = min(last[0], rows[0, 0]), max(last[1], rows[0, 1])
        self.rows[places] = rows
        self.count = max(self.count, end)

    @property
    def data(self) -> bytes:
        """Pairs (lowest, highest) of 16 bits, little-endian, 32767 is full scale: what a page reads as Int16Array."""
        return self.rows[: self.count].astype("<i2").tobytes()
