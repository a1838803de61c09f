"""Flicker: light that swings while the picture stays, as a whole or as bands that roll through it.

Light of the mains pulses at 100 or 120 Hz, and a shutter that does not fit it sees the difference: all of the frame
swings, or, with a rolling shutter, rows swing one after another; an exposure that hunts swings slowly. Motion changes
the light of parts of a picture, flicker that of all parts alike. So each frame gives the change of light on which its
parts agree (weighted medians, rows of tiles and whole), and flicker is one sine in its logarithm, its phase the same
or moving on evenly from row to row.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from safelight.media.runs import runs

Array = NDArray[np.float64]

TILES = (16, 9)
CHUNK = 64  # frames that are judged together
DARK, LIGHT = 20, 235  # code values; tiles beyond do not show a swing
FIRM = 0.02  # residual, of a tile's light, down to which a still tile counts more
CUT, JUMP, LEAST = 0.25, 2.5, 5.0  # log light; times the usual residual; code values: another picture
FLAT = 0.7  # code values between tiles: a card, not a picture
CUTS = 3  # most of them in a window
WINDOWS = ((1.5, 2.6, 99.0), (2.2, 1.4, 3.2), (4.0, 0.7, 1.7))  # seconds, and the hertz that are sought in them
PHASES = np.exp(-1j * np.outer(np.arange(TILES[1]), np.linspace(-0.75 * np.pi, 0.75 * np.pi, 25)))
SLOW_CYCLES, SLOW_HZ, MOST = 4.2, 2.3, 0.04  # fewer cycles may be chance; a slow and larger swing is a fade
CODED, FAINT = 0.3, 0.012  # Hz beside a half, third or quarter of the rate: a fainter swing is the encoder's
AMPLITUDE, BAND = (0.0028, 0.004), 0.004
SHARE, STEADY = (0.5, 0.7), (0.7, 0.85)  # of all change in the window; of amplitude and phase over its parts
BEYOND = 1.0  # times the spread between tiles that the swing moves in a frame
BANDED = 0.95  # the same thresholds for bands, by so much stricter
SLOWEST = 12  # frames a second
MARGIN = 0.2  # of a window, to either side


@dataclass(slots=True)
class Light:
    """Reads small grey frames one after another; `columns` gives a row a frame."""

    before: Any = None
    tiles: Any = None
    waiting: list[Any] = field(default_factory=list)
    done: list[NDArray[np.float32]] = field(default_factory=list)

    def see(self, grey: NDArray[np.float32]) -> None:
        """One more frame: code values, H×W."""
        tiles = cv2.resize(grey, TILES, interpolation=cv2.INTER_AREA) + 1
        change = residual = np.zeros(TILES[::-1], np.float32)
        if self.before is not None and self.before.shape == grey.shape:
            ratio = tiles / self.tiles
            change = np.log(ratio)
            size = grey.shape[1], grey.shape[0]
            kept = cv2.absdiff(grey, self.before * cv2.resize(ratio, size, interpolation=cv2.INTER_NEAREST))
            residual = cv2.resize(kept, TILES, interpolation=cv2.INTER_AREA)
        self.waiting.append((change, residual, tiles))
        self.before, self.tiles = grey, tiles
        if len(self.waiting) == CHUNK:
            self._judge()

    def _judge(self) -> None:
        change, residual, tiles = (np.array(part) for part in zip(*self.waiting, strict=True))
        self.waiting = []
        seen = (tiles > DARK) & (tiles < LIGHT)
        weight = np.where(seen, 1 / (FIRM + residual / tiles) ** 2, 1e-6)
        count = len(tiles)
        whole = _middle(change.reshape(count, -1), weight.reshape(count, -1))
        spread = np.median(np.abs(change.reshape(count, -1) - whole[:, None]), axis=1)
        even = tiles.reshape(count, -1).std(1)
        self.done.append(
            np.column_stack([whole, _middle(change, weight), spread, residual.reshape(count, -1).mean(1), even]).astype(
                np.float32
            )
        )

    def columns(self) -> Array:
        """Of each frame: change of log light, whole and row by row; spread between tiles; residual; evenness."""
        if self.waiting:
            self._judge()
        return np.concatenate(self.done).astype(float) if self.done else np.zeros((0, TILES[1] + 4))


def _middle(values: Any, weights: Any) -> Any:
    """Weighted medians along the last axis."""
    order = np.argsort(values, axis=-1)
    values, weights = np.take_along_axis(values, order, -1), np.take_along_axis(weights, order, -1)
    total = np.cumsum(weights, axis=-1)
    place = (total >= total[..., -1:] / 2).argmax(axis=-1)
    return np.take_along_axis(values, place[..., None], -1)[..., 0]


def flicker(columns: Array, rate: float) -> Iterator[tuple[tuple[int, int], float]]:
    """Spans of frames with the strength of what flickers there; 1 is the threshold."""
    count = len(columns)
    if count < 2 or rate < SLOWEST:
        return
    light, spread, residual, even = columns[:, :-3], columns[:, -3], columns[:, -2], columns[:, -1]
    usual = median_filter(residual, 13, mode="nearest")
    cut = (np.abs(light[:, 0]) > CUT) | ((residual > JUMP * usual) & (residual > LEAST))
    cut[0] = True
    height = np.cumsum(np.where(cut[:, None], 0, light), axis=0)
    told = np.zeros(count)
    for seconds, low, high in WINDOWS:
        window = _Window(seconds, low, high, rate)
        for start in range(0, count - window.size + 1, max(round(rate / 4), 1)):
            part = slice(start, start + window.size)
            if (even[part] < FLAT).mean() > 0.1:
                continue
            strength = window.strength(height[part], cut[part], spread[part])
            margin = round(window.size * MARGIN)  # a window that reaches beyond what swings still sees it
            first = start + margin if start else 0
            last = part.stop - margin if part.stop + round(rate / 4) <= count else count
            told[first:last] = np.maximum(told[first:last], strength)
    for first, end in runs(told >= 1):
        yield (first, end), float(told[first:end].max())


class _Window:
    """A stretch of one length, in which one sine of `low` to `high` hertz is sought."""

    def __init__(self, seconds: float, low: float, high: float, rate: float) -> None:
        self.rate, self.size = rate, round(seconds * rate)
        self.times = np.arange(self.size) / rate
        self.hertz = np.arange(low, min(high, 0.49 * rate), 0.3 / seconds)
        self.slow = self.hertz * seconds < SLOW_CYCLES
        self.trend = np.vander((self.times - self.times.mean()) / self.times[-1], 5)
        self.waves = np.exp(-2j * np.pi * np.outer(self.hertz, self.times))

    def strength(self, height: Array, cut: NDArray[np.bool_], spread: Array) -> float:
        """Of log light (whole, then rows of tiles): how far the best sine lies above its thresholds."""
        places = np.flatnonzero(cut[1:]) + 1
        if len(places) > CUTS or not len(self.hertz):
            return 0.0
        steps = np.arange(self.size)[:, None] >= places[None]
        base, _ = np.linalg.qr(np.column_stack([self.trend, steps]))
        height = height - base @ (base.T @ height)
        total = (height**2).sum(0)
        if np.sqrt(2 * total.max() / self.size) < AMPLITUDE[0]:
            return 0.0
        waves = self.waves - (self.waves @ base) @ base.T
        power = (np.abs(waves) ** 2).sum(1)
        found = waves @ height
        whole = 2 * np.abs(found[:, 0]) ** 2 / power
        rows = 2 * np.abs(found[:, 1:] @ PHASES) ** 2 / TILES[1] / power[:, None]
        n, phase = np.unravel_index(int(rows.argmax()), rows.shape)
        usual = float(np.median(spread[~cut])) if not cut.all() else 1.0
        return max(
            self._sine(int(whole.argmax()), float(whole.max()), float(total[0]), height[:, 0], usual),
            BANDED * self._sine(
                int(n), float(rows.max()) / TILES[1], float(total[1:].sum()) / TILES[1],
                height[:, 1:] @ PHASES[:, phase] / TILES[1], usual, least=BAND,
            ),
        )  # fmt: skip

    def _sine(self, n: int, power: float, total: float, height: Any, spread: float, least: float = 0.0) -> float:
        """How far one sine lies above its thresholds; at the lowest frequency it may be what is left of a trend."""
        hertz, slow, amplitude = float(self.hertz[n]), int(self.slow[n]), float(np.sqrt(2 * power / self.size))
        coded = min(abs(hertz - self.rate / k) for k in (2, 3, 4)) < CODED and amplitude < FAINT
        if n == 0 or coded:
            return 0.0
        turned = height * np.exp(-2j * np.pi * hertz * self.times)
        parts = np.array([p.sum() for p in np.array_split(turned, 4 if hertz * self.times[-1] > 5 else 3)])
        steady = np.abs(parts.sum()) ** 2 / (len(parts) * (np.abs(parts) ** 2).sum() + 1e-18)
        return float(
            min(
                amplitude / (least or AMPLITUDE[slow]),
                power / max(total, 1e-9) / SHARE[slow],
                steady / STEADY[slow],
                amplitude * 2 * np.pi * hertz / self.rate / max(spread, 2e-4) / BEYOND,
                MOST / amplitude if hertz < SLOW_HZ else np.inf,
            )
        )
