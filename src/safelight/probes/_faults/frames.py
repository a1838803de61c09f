"""What is measured of each frame, given the ones before: a few numbers, so that hours stay small in memory.

Light, motion and flashing on small frames; combing, blocks and legal levels on the stored luma, thinned where large.
"""

from array import array
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.frame import Bytes
from safelight.media.grown import Moments
from safelight.media.picture import halved
from safelight.media.video import Still
from safelight.probes._faults.blocks import Blocks
from safelight.probes._faults.colours import Colours
from safelight.probes._faults.flashes import Flashes
from safelight.probes._faults.light import Light

Grey = NDArray[Any]

TOGETHER = 16  # frames that are measured together
SIDE = 128  # px, width of what motion and light are read from
TILES = (16, 9)  # of the picture, for flashing and colour
BLOCKS = (16, 9)  # in which the largest motion is sought
WHOLE, THIN = 540, 160  # of stored luma: so many rows (columns) as they are, thinned along them, for combing and blocks
LEGAL = (5, 246)  # EBU R 103, 8 bits
COMBS = 2  # every so many of the thinned columns tell that nothing lies between the fields, …
PERHAPS = 0.03  # … up to so much; beyond, all of them are asked
CLEARLY = 4  # code values; what moves less does not show two instants
AGAIN = 4  # frames ago that a picture may have been there already
JUMP, SEEN = 1.3, 1.0  # times the differences beside it, code values: worth asking whether frames are missing
FLOW, FINE = (128, 72), 1.5  # px; of detail that is noise rather than motion
NAMES = (
    "mean",
    "dark",
    "light",
    "spread",
    "step",
    "most",
    "comb",
    "motion",
    "outside",
    "moves",
)


class Gap(NamedTuple):
    """Where frames may be missing before `frame`: how many times the motion around it reaches across, how alike the
    two are, how alike the pictures are once moved, and how far they move (px of `FLOW`)."""

    frame: int
    times: float
    alike: float
    held: float
    far: float


@dataclass(slots=True)
class Rows:
    """One row a frame: `NAMES`, when it is shown, and what was found where frames may be missing. What is large lies in
    a file in `room`."""

    room: Path | None = None
    values: "array[float]" = field(default_factory=lambda: array("d"))
    at: Moments = field(default_factory=Moments)
    gaps: list[Gap] = field(default_factory=list)
    blocks: Blocks = field(default_factory=Blocks)
    light: Light = field(init=False)
    colours: Colours = field(default_factory=Colours)
    flashes: Flashes = field(default_factory=Flashes)

    def __post_init__(self) -> None:
        self.light = Light(self.room)

    def __len__(self) -> int:
        return len(self.at)

    def column(self, name: str) -> NDArray[np.float64]:
        """One number of every frame."""
        return np.array(self.values[NAMES.index(name) :: len(NAMES)], float)

    def close(self) -> None:
        """Gives the file back: nothing more can be asked."""
        self.light.close()


class _Small(NamedTuple):
    """What is kept of a frame until it is measured: red, green and blue, `SIDE` px wide; rows and columns of its stored
    luma, and how much of that is not legal."""

    at: Fraction
    rgb: Bytes
    stored: tuple[Bytes, Bytes] | None
    outside: float


class Measuring:
    """Reads frames one after another. They are measured some at a time: between two frames of a decoder what measuring
    needs has left the processor's caches."""

    def __init__(self, *, interlaced: bool = False, full_range: bool = False, room: Path | None = None) -> None:
        self.measured = Rows(room)
        self.combs, self.legal = not interlaced, not full_range
        self.waiting: list[_Small] = []
        self.greys: list[Grey] = []  # the last few
        self.field: Grey | None = None
        self.flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self.steps: list[float] = []

    def see(self, still: Still) -> None:
        """One more frame."""
        high, wide = still.rgb.shape[:2]
        rgb = cv2.resize(still.rgb, (SIDE, max(round(SIDE * high / wide), 8)), interpolation=cv2.INTER_AREA)
        luma, stored, outside = still.luma, None, 0.0
        if luma is not None:
            stored = _copied(_thinned(luma)), _copied(_thinned(luma.T).T)
            outside = self._outside(luma, still.half) if self.legal else 0.0
        self.waiting.append(_Small(still.at, np.asarray(rgb, np.uint8), stored, outside))
        if len(self.waiting) == TOGETHER:
            self._measure()

    @property
    def rows(self) -> Rows:
        """What was measured of all frames so far."""
        self._measure()
        return self.measured

    def _measure(self) -> None:
        waiting, self.waiting = self.waiting, []
        for small in waiting:
            self._one(small)

    def _one(self, small: _Small) -> None:
        rgb, rows = small.rgb, self.measured
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        levels = np.cumsum(cv2.calcHist([grey], [0], None, [256], [0, 256])) / grey.size
        dark, light = np.searchsorted(levels, (0.02, 0.98)).tolist()
        now = grey.astype(np.float32)
        rows.light.see(now)
        step = most = moves = 0.0
        if self.greys and self.greys[-1].shape == now.shape:
            apart = _apart(now, self.greys[-1])
            step = moves = cv2.mean(apart)[0]
            most = float(cv2.resize(apart, BLOCKS, interpolation=cv2.INTER_AREA).max())
            again = [
                grey for grey in self.greys[-AGAIN:-1] if grey.shape == now.shape
            ]  # what comes and goes does not move
            moves = min([step, *(cv2.mean(_apart(now, grey))[0] for grey in again)])
        comb = motion = 0.0
        if small.stored is None:
            rows.blocks.miss()
        else:
            rows.blocks.see(*small.stored)
            if self.combs:
                comb, motion = self._comb(small.stored[0])
        tiles = np.asarray(cv2.resize(rgb, TILES, interpolation=cv2.INTER_AREA), np.uint8)
        rows.colours.see(tiles)
        rows.flashes.see(tiles)
        mean, spread = (float(value[0, 0]) for value in cv2.meanStdDev(grey))
        index = len(rows)
        rows.values.extend((
            mean, float(dark), float(light), spread, step, most, comb, motion, small.outside, moves,
        ))  # fmt: skip
        rows.at.append(small.at)
        self.greys.append(now)
        self.steps.append(step)
        self._missing(index)
        del self.greys[:-6], self.steps[:-8]

    def close(self) -> None:
        """Gives back the file in which rows lie."""
        self.measured.close()

    # ------------------------------------------------------------ stored luma

    def _outside(self, luma: Bytes, half: Bytes | None) -> float:
        every = max(luma.shape[0] // WHOLE, 1)
        half = (half if half is not None else halved(luma))[::every]  # less noise
        half = half[: luma.shape[0] // (2 * every)]
        return 1 - cv2.countNonZero(cv2.inRange(half, *LEGAL)) / half.size

    def _comb(self, rows: Bytes) -> tuple[float, float]:
        """How much lies between the fields, and the share that moves: of some columns, of all where that is much."""
        before, self.field = self.field, rows
        if before is None or before.shape != rows.shape or len(rows) < 8:
            return 0.0, 0.0
        found = _between(rows[:, ::COMBS], before[:, ::COMBS])
        return found if found[0] < PERHAPS else _between(rows, before)

    # ------------------------------------------------------------ missing frames

    def _missing(self, index: int) -> None:
        """Whether the motion into the last but one frame goes on in the direction of those around it, several times as
        far."""
        if len(self.greys) < 4 or any(g.shape != self.greys[-1].shape for g in self.greys[-4:]):
            return
        jump, around = self.steps[-2], max(self.steps[-3], self.steps[-1])
        if jump < SEEN or jump < JUMP * around:
            return
        small = [cv2.resize(g, FLOW, interpolation=cv2.INTER_AREA).astype(np.uint8) for g in self.greys[-4:]]
        before, across, after = (
            self.flow.calc(a, b, np.zeros((*FLOW[::-1], 2), np.float32)) for a, b in pairwise(small)
        )
        differences = [cv2.GaussianBlur(b - a, (0, 0), FINE) for a, b in pairwise(self.greys[-4:])]
        times, alike = max(
            _along((before + after) / 2, across),
            _along((differences[0] + differences[2]) / 2, differences[1]),  # where motion is too small to be followed
            key=lambda found: found[1],
        )
        ys, xs = np.mgrid[0 : FLOW[1], 0 : FLOW[0]].astype(np.float32)
        moved = cv2.remap(small[2], xs + across[..., 0], ys + across[..., 1], cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
        one, two = (part.astype(np.float32) - part.mean() for part in (moved, small[1]))
        far = float(np.hypot(across[..., 0], across[..., 1]).mean())
        self.measured.gaps.append(Gap(index - 1, times, alike, _along(one, two)[1], far))


def _between(rows: Grey, before: Grey) -> tuple[float, float]:
    """How much of what moves lies between odd and even rows: what alternates from row to row, projected on what has
    changed since the frame before, which stripes that stand still do not resemble. And the share that moves."""
    rows = rows.astype(np.float32)
    change = cv2.subtract(rows, before.astype(np.float32))
    moved = change[1:-3] + change[3:-1]  # four times the mean of three rows
    moved += change[2:-2]
    moved += change[2:-2]
    clearly = np.abs(moved) > 4 * CLEARLY
    share = np.count_nonzero(clearly) / moved.size
    if share < 0.002:
        return 0.0, share
    moved *= clearly
    between = rows[1:-3] + rows[3:-1]  # sixteen times
    between -= 1.5 * rows[2:-2]
    between *= -4
    between += rows[:-4]
    between += rows[4:]
    between[1::2] *= -1
    one, two = moved.ravel(), between.ravel()
    return abs(float(one @ two) / 16) / (float(one @ one) / 4), share


def _apart(one: Grey, two: Grey) -> Grey:
    """How far apart two frames are, but for one being lighter as a whole."""
    apart = cv2.subtract(one, two)
    return np.asarray(np.abs(apart - cv2.mean(apart)[0]))


def _along(usual: Grey, across: Grey) -> tuple[float, float]:
    """How many times `usual` lies in `across`, and how alike they are."""
    product, total = float((usual * across).sum()), float((usual * usual).sum())
    if total < 1:
        return 0.0, 0.0
    return product / total, product / float(np.sqrt(total * max(float((across * across).sum()), 1e-6)))


def _copied(part: Bytes) -> Bytes:
    """On its own, so that no frame is held for a part of it."""
    return part.copy(order="C")


def _thinned(luma: Bytes) -> Bytes:
    """Whole rows of the middle, and of columns every so many."""
    first = max((luma.shape[0] - WHOLE) // 2, 0) // 8 * 8
    return luma[first : first + WHOLE, :: max(-(-luma.shape[1] // THIN), 1)]
