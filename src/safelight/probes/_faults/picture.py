"""Which frames of a clip are faults: black, held, doubled, missing, flashing, flickering, combed, blocky, illegal.

Every rule compares a frame with those around it, so that what a programme always is (dark, still, doubled in a rhythm)
is none. A strength of 1 is the threshold.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import percentile_filter

from safelight.media.runs import runs
from safelight.probes._faults import light
from safelight.probes._faults.frames import Rows
from safelight.probes._faults.spans import Fault, limited

Column = NDArray[np.float64]

BLACK, EVEN = 14.0, 4.0  # 98 % of a black frame lie below, its spread too
SHOWN = 24.0  # light of the frame beside it: abruptly, not faded
NEAR = 6  # frames to either side
EXACT, STILL = 0.7, 0.06  # code values in the part that changes most, and of what it changes around: a repeated frame
MOVES = 0.35  # least motion around, code values
CUT_TIMES, CUT_STEP = 2.5, 10.0  # times the motion before, code values
PERIODS, BEATS = (
    range(2, 9),
    6,
)  # frames from one doubled frame of a cadence to the next; of so many before and after, half
DIP = 0.4  # of the motion around: a beat of a cadence
FREEZE = 3  # repeated frames in a row; fewer are doubled ones
BESIDE, PEAK, SUDDEN = (
    1.48,
    1.4,
    1.9,
)  # a gap, times the step before and after; the largest near; of their sharpest turn
ALIKE, LONGER, HELD = 0.53, 1.45, 0.6  # least likeness of its direction; times the motion; likeness of what is moved
FAR, MOST = 0.08, 8.0  # px of motion that can be seen; a step larger than so many times its sides is a held picture's
COMB, COMBED = 0.14, 0.01  # share of motion between the fields; least part that moves
BLOCKS, FAINT, PLAIN = 0.24, 0.05, 0.25  # more than at other places; code values; share of a shot that is not blocky
OUTSIDE = 0.01  # of the picture, EBU R 103
AREA, FLASHES = 0.25, 3  # of the picture at once; in a second, at most (BT.1702, WCAG 2.3.1)


def found(rows: Rows, *, rate: Fraction | None) -> list[Fault]:
    """All faults with their strength, likely or not."""
    if len(rows.values) < 3:
        return []
    judge = _Judge(rows, float(rate or 25))
    return [*judge.black(), *judge.held(), *judge.dropped(), *judge.comb(), *judge.blocks(), *judge.levels(),
            *judge.flashing(), *judge.flicker()]  # fmt: skip


class _Judge:
    def __init__(self, rows: Rows, rate: float) -> None:
        self.rows, self.rate, self.count = rows, rate, len(rows.values)
        self.step, self.mean = rows.column("step"), rows.column("mean")
        self.most, self.moves = rows.column("most"), rows.column("moves")
        self.black_at = (rows.column("light") <= BLACK) & (rows.column("spread") <= EVEN)
        self.exact = (self.most < np.maximum(EXACT, STILL * self._usual())) & ~self.black_at
        self.exact[0] = False
        before = np.lib.stride_tricks.sliding_window_view(np.r_[np.full(NEAR, self.step[1]), self.step[1:]], NEAR)
        self.cuts = np.r_[False, self.step[1:] > np.maximum(CUT_TIMES * np.median(before[:-1], axis=1), CUT_STEP)]

    def fault(self, kind: str, span: tuple[int, int], strength: float) -> Fault:
        """A fault over frames [first, end)."""
        at, (first, end) = self.rows.at, span
        last = at[-1] + Fraction(1 / self.rate).limit_denominator(100000)
        return Fault(kind=kind, start=at[first], end=at[end] if end < self.count else last,
                     strength=limited(strength), frames=span)  # fmt: skip

    def black(self) -> Iterator[Fault]:
        """Inside the programme, entered and left at once; head, tail and what is faded may be black."""
        for first, end in runs(self.black_at):
            if first == 0 or end == self.count:
                continue
            beside = min(self.mean[first - 1], self.mean[end])
            yield self.fault("black", (first, end), beside / SHOWN)

    def held(self) -> Iterator[Fault]:
        """Frames that repeat the one before while all around moves. A cadence is no fault."""
        found = [(span, self._strength(*span)) for span in runs(self.exact)]
        steady = _cadence(np.nonzero(self.step < DIP * percentile_filter(self.step, 75, size=9, mode="nearest"))[0])
        for (first, end), strength in found:
            if end - first >= FREEZE:
                if not self.cuts[first - 1]:  # a still shot begins with a cut
                    yield self.fault("freeze", (first, end), strength)
            elif first not in steady:
                yield self.fault("duplicate", (first, end), strength)

    def _usual(self) -> Column:
        """How much the part that moves most changes in the seconds around."""
        return np.asarray(percentile_filter(self.most, 50, size=121, mode="nearest"))

    def _strength(self, first: int, end: int) -> float:
        """How much moves on either side of a run, and how far below it the run lies; the frame after it jumps and does
        not count."""
        before, after = slice(max(first - NEAR, 1), first), slice(end + 1, end + 1 + NEAR)
        if min(len(self.moves[before]), len(self.moves[after])) < NEAR // 2:
            return 0.0
        sides = min(float(np.median(self.moves[part])) for part in (before, after))
        most = min(float(np.median(self.most[part])) for part in (before, after))
        return min(sides / MOVES, max(EXACT, STILL * most) / max(float(np.median(self.most[first:end])), 0.05))

    def dropped(self) -> Iterator[Fault]:
        """Motion that goes on in its direction, several times as far, once: unsteady hands jump too, but often."""
        for gap in self.rows.gaps:
            place = gap.frame
            if self.exact[place - 1] or self.exact[place + 1]:  # a held picture catches up
                continue
            first, end = max(place - 2 * NEAR, 0), min(place + 2 * NEAR + 1, self.count)
            first = max([first, *(first + np.flatnonzero(self.cuts[first:place]))])  # of the shot
            end = min([end, *(place + 1 + np.flatnonzero(self.cuts[place + 1 : end]))])
            step, here = self.step[first:end], place - first
            near = np.delete(step[max(here - NEAR, 0) : here + NEAR + 1], min(here, NEAR))
            turns = np.abs(np.convolve(step, (-0.5, 1, -0.5), "valid"))
            turns = turns[np.abs(np.arange(1, len(step) - 1) - here) > 1]
            jump = float(self.step[place])
            sudden = jump - float(self.step[[place - 1, place + 1]].mean())
            beside = jump / max(float(self.step[[place - 1, place + 1]].max()), 1e-3)
            strength = min(
                beside / BESIDE,
                MOST / beside,
                max(jump / max(float(near.max(initial=0)), 1e-3) / PEAK,
                    sudden / max(float(turns.max(initial=0)), jump / 20) / SUDDEN),
                gap.alike / ALIKE,
                gap.times / max(gap.alike, 1e-3) / LONGER,
                gap.held / HELD,
                gap.far / FAR,
            )  # fmt: skip
            yield self.fault("dropped", (place, place + 1), strength)

    def comb(self) -> Iterator[Fault]:
        """Two instants in one frame, three frames and more."""
        comb = self.rows.column("comb") * (self.rows.column("motion") >= COMBED)
        for first, end in runs(comb > COMB / 2, bridge=2):
            if end - first >= 3:
                yield self.fault("comb", (first, end), float(np.median(comb[first:end])) / COMB)

    def blocks(self) -> Iterator[Fault]:
        """Steps at every eighth pixel both ways, more than the clip or the shot has anyway."""
        blocks = self.rows.column("blocks")
        blocks -= max(float(np.median(blocks)), 0.0)
        phases = np.array(self.rows.phases) + FAINT
        cuts = [0, *np.flatnonzero(self.cuts), self.count]
        for first, end in pairwise(cuts):
            risen = phases[first:end] / np.quantile(phases[first:end], PLAIN, axis=0)
            second, best = np.moveaxis(np.sort(risen, axis=-1)[..., -2:], -1, 0)
            blocks[first:end] = np.maximum(blocks[first:end], (best / second - 1).min(1))
        for first, end in runs(blocks > BLOCKS / 2, bridge=1):
            if end - first >= 2:
                yield self.fault("blocky", (first, end), float(np.median(blocks[first:end])) / BLOCKS)

    def levels(self) -> Iterator[Fault]:
        """Luma that broadcast does not allow, over more than one part in a hundred."""
        outside = self.rows.column("outside")
        for first, end in runs(outside > OUTSIDE / 2, bridge=2):
            if end - first >= self.rate / 5:
                yield self.fault("levels", (first, end), float(np.quantile(outside[first:end], 0.75)) / OUTSIDE)

    def flashing(self) -> Iterator[Fault]:
        """More than three flashes in a second over a quarter of the picture; a flash is two opposing changes."""
        up, down, red = (self.rows.column(name) for name in ("up", "down", "red"))
        turns: list[tuple[int, int]] = []
        for i in range(self.count):
            way = 1 if up[i] >= AREA else -1 if down[i] >= AREA else 0
            if way and (not turns or turns[-1][1] != way):
                turns.append((i, way))
        reds = [(i, 0) for i in range(self.count) if red[i] >= AREA]
        for places in ([i for i, _ in turns], [i for i, _ in reds]):
            hit = np.zeros(self.count, bool)
            strength = 0.0
            for n, place in enumerate(places):
                inside = [p for p in places[n:] if p - place < self.rate]
                if len(inside) > 2 * FLASHES:
                    hit[place : inside[-1] + 1] = True
                    strength = max(strength, len(inside) / (2 * FLASHES + 0.5))
            for span in runs(hit, bridge=int(self.rate / 2)):
                yield self.fault("flashing", span, strength)

    def flicker(self) -> Iterator[Fault]:
        """Light that swings as a whole or in bands; a strong one flashes too."""
        for span, strength in light.flicker(self.rows.light.columns(), self.rate):
            yield self.fault("flicker", span, strength)


def _cadence(places: NDArray[np.intp]) -> set[int]:
    """Of frames that hardly move those at even distances, as pulldown and animation on twos leave them."""
    there = set(places.tolist())

    def steady(place: int) -> bool:
        return any(
            sum(place + step * period in there for step in range(-BEATS, BEATS + 1)) > BEATS for period in PERIODS
        )

    return {place for place in there if steady(place)}
