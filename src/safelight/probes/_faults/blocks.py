"""How far steps between pixels of the luma stand at every eighth: the grid of an encoder that ran out of bits."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.frame import Bytes

Means = NDArray[np.float32]

CHUNK = 64  # frames that are judged together
UNSEEN = 0.1  # code values of steps that nobody sees
FEWEST = 64  # rows or columns, below which there is no grid to speak of


@dataclass(slots=True)
class Blocks:
    """Reads frames one after another; `grids` gives a row a frame."""

    waiting: list[tuple[Means, Means]] = field(default_factory=list)
    done: list[Means] = field(default_factory=list)

    def see(self, rows: Bytes, columns: Bytes) -> None:
        """One more frame: whole rows and whole columns of its luma, each thinned along them."""
        down, across = cv2.absdiff(rows[1:], rows[:-1]), cv2.absdiff(columns[:, 1:], columns[:, :-1])
        self._wait(
            np.asarray(cv2.reduce(down, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F), np.float32).ravel(),
            np.asarray(cv2.reduce(across, 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F), np.float32).ravel(),
        )

    def miss(self) -> None:
        """One more frame, whose luma is not known."""
        self._wait(np.zeros(0, np.float32), np.zeros(0, np.float32))

    def grids(self) -> tuple[NDArray[np.float64], Means]:
        """Of each frame, how much larger steps at one place of a block of eight are than at any other, both ways (0:
        not at all); and N × 2 × 8, code values: mean step into each row and column of a block."""
        self._judge()
        rows = np.concatenate([np.zeros((0, 17), np.float32), *self.done])
        return rows[:, 0].astype(float), rows[:, 1:].reshape(-1, 2, 8)

    def _wait(self, down: Means, across: Means) -> None:
        if self.waiting and (len(down), len(across)) != tuple(len(means) for means in self.waiting[0]):
            self._judge()
        self.waiting.append((down, across))
        if len(self.waiting) == CHUNK:
            self._judge()

    def _judge(self) -> None:
        if not self.waiting:
            return
        (down, one), (along, two) = (_grid(means) for means in zip(*self.waiting, strict=True))
        self.waiting = []
        self.done.append(np.column_stack([np.minimum(one, two), down, along]))


def _grid(steps: Sequence[Means]) -> tuple[Means, Means]:
    """Of each frame, the mean step into each row (column) of a block; and how much larger the largest is than any
    other, edges of what is shown set aside."""
    means = np.array(steps)
    length = means.shape[1]
    count = length // 8 * 8
    if count < FEWEST:
        return np.zeros((len(means), 8), np.float32), np.zeros(len(means), np.float32)
    high = np.partition(means, length * 9 // 10, axis=1)[:, length * 9 // 10]
    edges = np.maximum(high, 4 * means.mean(axis=1))[:, None]
    second, best = np.partition(np.minimum(means[:, :count], edges).reshape(len(means), -1, 8).mean(axis=1), 6)[:, 6:].T
    return means[:, :count].reshape(len(means), -1, 8).mean(axis=1), best / (second + np.float32(UNSEEN)) - 1
