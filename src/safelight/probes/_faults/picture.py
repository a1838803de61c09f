"""Which frames of a clip are faults: black, held, doubled, missing, flashing, flickering, combed, blocky, illegal, and
where their colour jumps.

Every rule compares a frame with those around it, so that what a programme always is (dark, still, doubled in a rhythm)
is none. A strength of 1 is the threshold.
"""

from bisect import bisect_right
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import percentile_filter

from safelight.media.runs import runs
from safelight.probes._faults.colours import jumps
from safelight.probes._faults.flicker import flicker
from safelight.probes._faults.frames import Rows
from safelight.probes._faults.spans import Fault, limited

Column = NDArray[np.float64]

BLACK, EVEN = 14.0, 4.0  # 98 % of a black frame lie below, its spread too
SHOWN = 24.0  # light of the frame beside it: abruptly, not faded
NEAR, TURNS = 6, 9  # frames to either side
EXACT, STILL = 0.6, 0.06  # code values in the part that changes most, and of what it changes around: a repeated frame
MOVES, REST = (
    0.43,
    0.15,
)  # least motion around, code values; of the part that moves most, what moves in a repeated frame
FIRM, STANDS, REFINED = 0.075, 0.52, 2.5  # of that part, or code values; times as much where an encoder refines it
RESUMED = 0.6  # times the motion around: a held picture catches up with a step
PLAIN_CARD = 4.0  # spread in code values: nobody can tell whether a plain card is held
CUT_TIMES, CUT_AFTER, CUT_STEP = 2.5, 1.5, 10.0  # times the motion before and that after, code values
CUT_LIGHT, DIM = 0.5, 4.0  # log light, of code values above `DIM`
STEADY, FADES = 0.03, 0.6  # log light; times what else changes: a frame into which the light fades or flashes
EVENLY = 0.08  # log light: where it changes more nobody can tell whether a frame is missing
PERIODS, BEATS = (
    range(2, 9),
    6,
)  # frames from one doubled frame of a cadence to the next; of so many before and after, half
SHORT = 4  # beats of a shot that has no room for more, all of them there
DIP, DEEP = 0.4, 0.17  # of the motion around: a beat of a cadence; most beats of a frame that stands still
FREEZE = 3  # repeated frames in a row; fewer are doubled ones
GAP = (0.45, 0.5, 0.3, 0.15, 0.1)  # weights of what tells a gap, fitted to made ones
GAP_MOST, GAP_LEAST = np.array((2.6, 2.5, 6.0, 1.0, 3.0)), 0.1  # more tells no more
ENOUGH, HELD, FAR = 1.77, 0.76, 0.08  # of what tells a gap; likeness of what is moved; px of motion that can be seen
ONE_SIDED, SIDED = 2.5, 0.62  # times that the steps beside it may differ; weight of what is more: a jolt begins or ends
UNREAD, OUT, NEUTRAL = 0.15, 5.0, (0.5, 2.0)  # px of motion whose direction tells nothing; times the spread of steps
# around by which the step alone must stand out; likeness and times it is then taken for
CATCHES = 8.0  # a step larger than so many times those beside it is a held picture's
COMB, COMBED = 0.14, 0.01  # share of motion between the fields; least part that moves
BLOCKS, FAINT, PLAIN = 0.24, 0.05, 0.25  # more than at other places; code values; share of a shot that is not blocky
OUTSIDE = 0.01  # of the picture, EBU R 103
AREA, FLASHES = 0.25, 3  # of the picture at once; in a second, at most (BT.1702, WCAG 2.3.1)


def found(rows: Rows, *, rate: Fraction | None) -> list[Fault]:
    """All faults with their strength, likely or not."""
    if len(rows) < 3:
        return []
    judge = _Judge(rows, float(rate or 25))
    return [*judge.black(), *judge.held(), *judge.dropped(), *judge.comb(), *judge.blocks(), *judge.levels(),
            *judge.flashing(), *judge.flicker(), *judge.colour_jump()]  # fmt: skip


class _Judge:
    def __init__(self, rows: Rows, rate: float) -> None:
        self.rows, self.rate, self.count = rows, rate, len(rows)
        self.step, self.mean = rows.column("step"), rows.column("mean")
        self.most, self.moves = rows.column("most"), rows.column("moves")
        spread, light = rows.column("spread"), np.log(self.mean + DIM)
        self.black_at = (rows.column("light") <= BLACK) & (spread <= EVEN)
        self.exact = (self.most < np.maximum(EXACT, STILL * self._usual())) & (spread > PLAIN_CARD)
        self.exact[0] = False
        refined = (self.most < REFINED * np.maximum(EXACT, STILL * self._usual())) & (spread > PLAIN_CARD)
        self.exact[1:-1] |= refined[1:-1] & self.exact[:-2] & self.exact[2:]
        before = np.lib.stride_tricks.sliding_window_view(np.r_[np.full(NEAR, self.step[1]), self.step[1:]], NEAR)
        least = np.maximum(CUT_TIMES * np.median(before[:-1], axis=1), CUT_AFTER * np.r_[self.step[2:], 0])
        self.lights = np.r_[0.0, np.abs(np.diff(light))]
        self.fades = (self.lights > STEADY) & (np.r_[0.0, np.abs(np.diff(self.mean))] > FADES * self.step)
        self.cuts = np.r_[False, (self.step[1:] > np.maximum(least, CUT_STEP)) | (np.abs(np.diff(light)) > CUT_LIGHT)]

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
        """Frames that repeat the one before while all around moves. A cadence is no fault; nor is a beat of one that
        hardly moves, which makes one rest of two."""
        found = [(span, self._strength(*span)) for span in runs(self.exact)]
        steady = self._steady()
        for (first, end), strength in found:
            if end - first >= FREEZE:
                beats = sum(frame not in steady for frame in range(first, end))
                stands = self.cuts[first - 1]  # a still shot begins with a cut
                if not stands and (beats > 1 or end - first >= 2 * FREEZE):
                    yield self.fault("freeze", (first, end), strength)
            elif first not in steady:
                yield self.fault("duplicate", (first, end), strength)

    def _steady(self) -> set[int]:
        """Frames that hardly move in a rhythm, of the clip or of their shot: a cadence, as pulldown, animation on twos
        and some encoders leave it."""
        depth = self.step / np.maximum(percentile_filter(self.step, 75, size=9, mode="nearest"), 1e-6)
        shots = [0, *np.flatnonzero(self.cuts).tolist(), self.count]
        of_shots = (first + place for first, end in pairwise(shots) for place in _cadence(depth[first:end]))
        return _cadence(depth).union(of_shots)

    def _shot(self, place: int) -> tuple[int, int]:
        """Where the shot of a frame begins and ends."""
        cuts = [0, *np.flatnonzero(self.cuts).tolist(), self.count]
        after = bisect_right(cuts, place)
        return cuts[after - 1], cuts[min(after, len(cuts) - 1)]

    def _usual(self) -> Column:
        """How much the part that moves most changes in the seconds around."""
        return np.asarray(percentile_filter(self.most, 50, size=121, mode="nearest"))

    def _strength(self, first: int, end: int) -> float:
        """How much moves on either side of a run in its shot, and how far below it the run lies; the frame after it
        jumps and does not count, nor do those into which the light changes. Where motion dies away into a short run and
        grows again after it, what moves may have turned."""
        begin, stop = self._shot(first)[0], self._shot(end)[1]  # a held picture catches up as a cut does
        before, after = (
            part[~self.fades[part]]
            for part in (np.arange(max(first - NEAR, begin + 1), first), np.arange(end + 1, min(end + 1 + NEAR, stop)))
        )
        if min(len(before), len(after)) < NEAR // 2:
            return 0.0
        motion = [float(np.median(self.moves[part])) for part in (before, after)]
        sides = min(motion)
        most = min(float(np.median(self.most[part])) for part in (before, after))
        rests = max(float(np.median(self.most[first:end])), 0.05)
        resumes = (
            self.step[end] / max(*motion, 1e-3) / RESUMED if end - first >= FREEZE and end < self.count else np.inf
        )
        turns = 1.0 if end - first >= FREEZE else min(max(self.step[first - 1], self.step[end]) / max(sides, 1e-3), 1.0)
        return turns * float(min(sides / MOVES, REST * most / rests, max(STANDS, FIRM * most) / rests, resumes))

    def dropped(self) -> Iterator[Fault]:
        """A step larger than those before and after, than any near and than the motion around turns sharply, in the
        direction of that motion and several times as far. Weighed together, for none of it holds always: unsteady
        hands jump too, and small motion has a direction that is hard to read. Where steps before and after are unlike,
        a jolt begins or ends."""
        for gap in self.rows.gaps:
            place = gap.frame
            if (
                self.exact[place - 1] or self.exact[place + 1] or self.lights[place] > EVENLY
            ):  # a held picture catches up
                continue
            first, end = max(place - TURNS, 1), min(place + TURNS + 1, self.count)
            first = max([first, *(first + 1 + np.flatnonzero(self.cuts[first:place]))])  # of the shot
            end = min([end, *(place + 1 + np.flatnonzero(self.cuts[place + 1 : end]))])
            if min(place - first, end - place - 1) < NEAR // 2:
                continue
            step, here = self.step[first:end], place - first
            jump, sides = float(step[here]), step[[here - 1, here + 1]]
            near = np.delete(step[max(here - NEAR, 0) : here + NEAR + 1], min(here, NEAR))
            turns = np.abs(np.convolve(step, (-0.5, 1, -0.5), "valid"))
            turns = turns[np.abs(np.arange(1, len(step) - 1) - here) > 1]
            others = np.delete(step, here)
            alike, times = gap.alike, gap.times / max(gap.alike, GAP_LEAST)
            if gap.far < UNREAD and jump > float(others.mean()) + OUT * float(others.std()):
                alike, times = max(alike, NEUTRAL[0]), max(times, NEUTRAL[1])
            tells = np.array([
                jump / max(float(sides.max()), 1e-3),
                jump / max(float(near.max()), 1e-3),
                (jump - float(sides.mean())) / max(float(turns.max(initial=0)), jump / 20),
                alike,
                times,
            ])  # fmt: skip
            sided = max(float(sides.max()) / max(float(sides.min()), 1e-3) / ONE_SIDED, 1)
            told = float(np.prod(np.clip(tells, GAP_LEAST, GAP_MOST) ** GAP)) / ENOUGH / sided**SIDED
            strength = min(told, CATCHES / tells[0], gap.held / HELD, gap.far / FAR)
            yield self.fault("dropped", (place, place + 1), strength)

    def comb(self) -> Iterator[Fault]:
        """Two instants in one frame, three frames and more."""
        comb = self.rows.column("comb") * (self.rows.column("motion") >= COMBED)
        for first, end in runs(comb > COMB / 2, bridge=2):
            if end - first >= 3:
                yield self.fault("comb", (first, end), float(np.median(comb[first:end])) / COMB)

    def blocks(self) -> Iterator[Fault]:
        """Steps at every eighth pixel both ways, more than the clip or the shot has anyway."""
        blocks, phases = self.rows.blocks.grids()
        blocks -= max(float(np.median(blocks)), 0.0)
        phases = phases + FAINT
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
        up, down, red = self.rows.flashes.shares().T
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
        for span, strength in flicker(self.rows.light.changes(), self.rate):
            yield self.fault("flicker", span, strength)

    def colour_jump(self) -> Iterator[Fault]:
        """Another colour from one frame to the next, in the same shot."""
        for span, strength in jumps(self.rows.colours.turns(), self.cuts):
            yield self.fault("colour_jump", span, strength)


def _cadence(depth: Column) -> set[int]:
    """Of the frames of a shot, whose steps are such parts of the motion around, those that hardly move at even
    distances: half of `BEATS` to either side, or all that a short shot has room for. Beats are alike: a frame that
    stands still among some that move less is none."""
    there, count = set(np.flatnonzero(depth < DIP).tolist()), len(depth)

    def steady(place: int) -> bool:
        for period in PERIODS:
            beats = [place + step * period for step in range(-BEATS, BEATS + 1) if 0 < place + step * period < count]
            hits = [beat for beat in beats if beat in there]
            if (len(hits) > BEATS or (len(hits) >= SHORT and len(hits) == len(beats))) and float(
                np.median(depth[hits])
            ) <= max(DEEP, 3 * float(depth[place])):
                return True
        return False

    return {place for place in there if steady(place)}
