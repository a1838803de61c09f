"""How the light of a picture changes from frame to frame, part by part, whatever moves in it.

Motion changes the light of parts of a picture too. In each tile, what changed since the frame before is fitted by three
things at once: a shift along each axis (the slopes of the picture) and a gain (the picture itself), by least squares as
in Lucas and Kanade, "An Iterative Image Registration Technique" (1981), with the gain beside it. What is left says how
well the gain is known. The gain of the picture is the one on which tiles agree (weighted median), whole and row by row.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.grown import Spool

Array = NDArray[np.float64]

TILES = (16, 9)
CHUNK = 64  # frames that are judged together
SMOOTH = 1.2  # px; slopes of less are noise
DARK, LIGHT = 18, 235  # code values; tiles beyond do not show a swing
FIRM, RIDGE = 1e-3, 0.5  # least doubt of a gain; squared code values a pixel, so that even tiles do not shift
LIKE = 0.2  # of log light: no tile is taken to differ more from the whole


class Changes(NamedTuple):
    """Of each frame, against the one before: gain of the whole and of each row of tiles, of each tile (NaN where too
    dark or too light), spread between tiles, all in log light; what no gain and no shift explains, and how even the
    picture is, in code values."""

    whole: Array
    rows: Array
    tiles: Spool
    spread: Array
    residual: Array
    even: Array


@dataclass(slots=True)
class Light:
    """Reads small grey frames one after another; `changes` gives a row a frame. What is kept of tiles is the most by
    far, and lies in a file in `room`."""

    room: Path | None = None
    before: Any = None
    waiting: list[Any] = field(default_factory=list)
    done: list[NDArray[np.float32]] = field(default_factory=list)
    tiles: Spool = field(init=False)

    def __post_init__(self) -> None:
        self.tiles = Spool(TILES[0] * TILES[1], np.float16, self.room)

    def see(self, grey: NDArray[np.float32]) -> None:
        """One more frame: code values, H×W."""
        now = cv2.GaussianBlur(grey, (0, 0), SMOOTH)
        sums = np.zeros((10, *TILES[::-1]), np.float32)
        if self.before is not None and self.before.shape == grey.shape:
            mean, change = cv2.addWeighted(now, 0.5, self.before, 0.5, 0), cv2.subtract(now, self.before)
            x, y = cv2.Sobel(mean, -1, 1, 0, ksize=1, scale=0.5), cv2.Sobel(mean, -1, 0, 1, ksize=1, scale=0.5)
            pairs = ((x, x), (x, y), (y, y), (x, mean), (y, mean), (mean, mean),
                     (change, x), (change, y), (change, mean), (change, change))  # fmt: skip
            for total, (one, two) in zip(sums, pairs, strict=True):
                cv2.resize(cv2.multiply(one, two), TILES, dst=total, interpolation=cv2.INTER_AREA)
        self.waiting.append((cv2.resize(grey, TILES, interpolation=cv2.INTER_AREA), sums))
        self.before = now
        if len(self.waiting) == CHUNK:
            self._judge()

    def _judge(self) -> None:
        tiles, sums = (np.array(part) for part in zip(*self.waiting, strict=True))
        self.waiting = []
        gain, doubt, residual = _gains(np.moveaxis(sums, 1, 0))
        unseen = (tiles < DARK) | (tiles > LIGHT)
        weight = np.where(unseen, 1e-6, 1 / (doubt + FIRM) ** 2)
        flat = len(tiles), -1
        whole = _middle(gain.reshape(flat), weight.reshape(flat))
        spread = np.median(np.abs(gain.reshape(flat) - whole[:, None]), axis=1)
        self.done.append(np.column_stack([
            whole, _middle(gain, weight), spread, residual.reshape(flat).mean(1), tiles.reshape(flat).std(1),
        ]).astype(np.float32))  # fmt: skip
        near = np.clip(gain, whole[:, None, None] - LIKE, whole[:, None, None] + LIKE)
        self.tiles.add(np.where(unseen, np.nan, near).reshape(flat))

    def changes(self) -> Changes:
        """What was seen so far; good until `close`."""
        if self.waiting:
            self._judge()
        rows = np.concatenate([np.zeros((0, TILES[1] + 4), np.float32), *self.done]).astype(float)
        return Changes(rows[:, 0], rows[:, 1:-3], self.tiles, rows[:, -3], rows[:, -2], rows[:, -1])

    def close(self) -> None:
        """Gives the file back."""
        self.tiles.close()


def _gains(sums: Any) -> tuple[Any, Any, Any]:
    """Gain of each tile, how uncertain it is, and what is left unexplained (code values)."""
    xx, xy, yy, xm, ym, mm, cx, cy, cm, cc = sums
    xx, yy = xx + RIDGE, yy + RIDGE
    area = xx * yy - xy * xy
    along, down = (yy * xm - xy * ym) / area, (xx * ym - xy * xm) / area  # the picture, as shifts would explain it
    own = np.maximum(mm - along * xm - down * ym, 1e-3)
    gain = (cm - along * cx - down * cy) / own
    shifted = (cx * (yy * cx - xy * cy) + cy * (xx * cy - xy * cx)) / area
    left = np.sqrt(np.maximum(cc - shifted - gain**2 * own, 0))
    return gain, left / np.sqrt(own), left


def _middle(values: Any, weights: Any) -> Any:
    """Weighted medians along the last axis."""
    order = np.argsort(values, axis=-1)
    values, weights = np.take_along_axis(values, order, -1), np.take_along_axis(weights, order, -1)
    total = np.cumsum(weights, axis=-1)
    place = (total >= total[..., -1:] / 2).argmax(axis=-1)
    return np.take_along_axis(values, place[..., None], -1)[..., 0]
