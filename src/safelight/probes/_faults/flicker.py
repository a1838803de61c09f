"""Flicker: light that swings while the picture stays, as a whole or as bands that roll through it.

Light of the mains pulses at 100 or 120 Hz, and a shutter that does not fit it sees the difference: all of the frame
swings, or, with a rolling shutter, rows swing one after another; an exposure that hunts swings slowly. So flicker is
one sine in log light. A swing of the whole is told by what is weighed together: how large it is, how far tiles agree on
its size and its phase (a mean weighted by Student's t, so that tiles in which something moves count little), how steady
it is; and it must stand over all other frequencies. Bands are a sine whose phase moves on evenly from row to row.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from safelight.media.runs import runs
from safelight.probes._faults.light import TILES, Array, Changes

Flags = NDArray[np.bool_]

SECONDS, LOW_HZ, SLOWEST = 2.0, 0.9, 12  # of a window; sought from here on; frames a second
CUT, JUMP, LEAST = 0.25, 2.5, 5.0  # log light; times the usual residual; code values: another picture
FLAT = 0.7  # code values between tiles: a card, not a picture
CUTS, TREND = 2, 6  # most of them in a window; frames of a shot that may have a trend
JUMPS, FAR, FAR_LEAST = 6, 5.0, 0.006  # most single steps of light set aside; times the median step; log light
KEPT = 0.5  # of a wave, once trends and steps are taken out
TILED = 12  # fewer tiles do not agree on anything
FREEDOM, TURNS, SURE = 4.0, 6, 2e-4  # of Student's t; of the weighted mean; least doubt of a tile's amplitude
AGREE, UNLIKE = 0.7, 0.45  # least agreement; most logarithm of its size by tiles against that of the whole
ABOVE, SHARE, STEADY = (0.8, 1.7), (0.25, 0.55), (0.3, 0.65)  # least times the next frequency, share of all change,
# steadiness (if slow)
SLOW = (2.0, 2.8)  # Hz, from all slow to not slow: light changes so on its own too
LARGE = 0.06  # a slow swing that is larger is a fade, or somebody at a switch
STEP, SET = (3.0, 4.0), 0.03  # times a slow swing; times any, and log light: somebody has set the exposure
CODED = 0.3  # Hz beside a half, third, quarter or fifth of the rate: the encoder's pulse, and cadences
WEIGHTS = np.array((2.9, 3.85, 3.65, 14.6, 5.2, 8.6))  # of what tells it, fitted to made swings
ENOUGH = -8.6
BAND, BAND_STEADY = 0.0042, 0.74  # least amplitude and steadiness of bands
BAND_SHARE = 0.53, 0.74  # of all change (if slow)
BAND_HZ = 1.8  # rows that swing slower are what passes through the picture
PHASES = np.exp(-1j * np.outer(np.arange(TILES[1]), np.linspace(-0.75 * np.pi, 0.75 * np.pi, 25)))
MARGIN = 0.2  # of a window, to either side


class Tells(NamedTuple):
    """Of one sine in one window: hertz, amplitude (log light) by the whole and by tiles, how far tiles agree (0–1), its
    share of all change, times the next frequency, steadiness (0–1), and the largest single step beside it (log
    light)."""

    hertz: float
    amplitude: float
    tiled: float
    agree: float
    share: float
    above: float
    steady: float
    step: float


def flicker(changes: Changes, rate: float) -> Iterator[tuple[tuple[int, int], float]]:
    """Spans of frames with the strength of what flickers there; 1 is the threshold."""
    count = len(changes.whole)
    told = np.zeros(count)
    for part, last, window, cut in windows(changes, rate):
        strengths = [math.exp(weighed(tells, rate) / 4) for tells in window.whole(changes, part, cut)]
        strength = max([window.bands(changes, part, cut), *strengths])
        margin = round(window.size * MARGIN)  # a window that reaches beyond what swings still sees it
        inside = slice(part.start + margin if part.start else 0, count if last else part.stop - margin)
        told[inside] = np.maximum(told[inside], strength)
    for first, end in runs(told >= 1):
        yield (first, end), float(told[first:end].max())


def windows(changes: Changes, rate: float) -> Iterator[tuple[slice, bool, "_Window", Flags]]:
    """Every window in which something could be told, whether it is the last one, and where shots begin in it."""
    count, hop = len(changes.whole), max(round(rate / 4), 1)
    if count < 2 or rate < SLOWEST:
        return
    usual = median_filter(changes.residual, 13, mode="nearest")
    cut = (np.abs(changes.whole) > CUT) | ((changes.residual > JUMP * usual) & (changes.residual > LEAST))
    cut[0] = True
    window = _Window(rate)
    for start in range(0, count - window.size + 1, hop):
        part = slice(start, start + window.size)
        if (changes.even[part] < FLAT).mean() <= 0.1 and cut[start + 1 : part.stop].sum() <= CUTS:
            yield part, part.stop + hop > count, window, cut[part]


def weighed(tells: Tells, rate: float) -> float:
    """Log odds that it is flicker, 0 at the threshold; far below where one tell rules it out."""
    slow = min(max((SLOW[1] - tells.hertz) / (SLOW[1] - SLOW[0]), 0), 1)
    unlike = abs(math.log(max(tells.tiled, 1e-5) / max(tells.amplitude, 1e-5)))
    is_slow = slow > 0.5
    if tells.agree < AGREE or unlike > UNLIKE:
        return -math.inf
    if tells.above < ABOVE[is_slow] or tells.share < SHARE[is_slow] or tells.steady < STEADY[is_slow]:
        return -math.inf
    if is_slow and (tells.amplitude > LARGE or tells.step > STEP[0] * tells.amplitude):
        return -math.inf
    if tells.step > max(SET, STEP[1] * tells.amplitude):
        return -math.inf
    coded = min(abs(tells.hertz - rate / k) for k in (2, 3, 4, 5)) < CODED
    steady = math.log(min(tells.steady, 0.97))
    terms = (
        math.log(min(max(tells.amplitude, 0.001), 0.02)),
        -math.log(1.02 - min(tells.agree, 1.0)),
        steady,
        slow * steady,
        -float(coded),
        -unlike,
    )
    return float(WEIGHTS @ terms) - ENOUGH


class _Window:
    """A stretch of frames in which one sine is sought."""

    def __init__(self, rate: float) -> None:
        self.rate, self.size = rate, round(SECONDS * rate)
        self.times = np.arange(self.size) / rate
        self.hertz = np.arange(LOW_HZ, 0.49 * rate, 0.25)
        self.waves = np.exp(-2j * np.pi * np.outer(self.hertz, self.times))

    def whole(self, changes: Changes, part: slice, cut: Flags) -> Iterator[Tells]:
        """What tells of the likeliest sines, for the picture as a whole."""
        tiles = changes.tiles[part]
        tiles = tiles[:, ~np.isnan(tiles).any(0)].astype(float)
        if tiles.shape[1] < TILED:
            return
        steps = np.where(cut, 0, changes.whole[part])
        base, step = self._base(steps, cut)
        height, tiles = (_without(np.cumsum(part, axis=0), base) for part in (steps, np.where(cut[:, None], 0, tiles)))
        waves = _without(self.waves.T, base).T
        power = (np.abs(waves) ** 2).sum(1)
        kept = power > KEPT * self.size
        if not kept.any():
            return
        hertz, waves = self.hertz[kept], 2 * waves[kept] / power[kept, None]
        variance = (tiles**2).mean(0)
        by_tile, by_all = waves @ tiles, np.abs(waves @ height)
        weight = 1 / (variance + (10 * SURE) ** 2)
        by_mean, white = np.abs(by_tile @ weight) / weight.sum(), np.sin(np.pi * hertz / self.rate)
        for n in dict.fromkeys(int(found.argmax()) for found in (by_mean, by_all, by_mean * white, by_all * white)):
            mean, agree, weight = _agreed(by_tile[n], variance, self.size)
            common = tiles @ weight
            by_common = np.abs(waves @ common)
            beside = np.abs(hertz - hertz[n]) > 1.01 / SECONDS
            others = by_common[beside], by_all[beside]
            found = float(by_common[n]), float(by_all[n])
            turned = common * np.exp(-2j * np.pi * hertz[n] * self.times)
            yield Tells(
                _between(hertz, by_common, n), found[1], abs(mean), agree,
                min(_share(a, s) for a, s in zip(found, (common, height), strict=True)),
                min(a / max(float(o.max(initial=0)), 1e-6) for a, o in zip(found, others, strict=True)),
                _steady(turned, 3), step,
            )  # fmt: skip

    def bands(self, changes: Changes, part: slice, cut: Flags) -> float:
        """How far the best sine that moves on from row to row lies above its thresholds."""
        places = np.flatnonzero(cut[1:]) + 1
        trend = np.vander((self.times - self.times.mean()) / self.times[-1], 5)
        base, _ = np.linalg.qr(np.column_stack([trend, np.arange(self.size)[:, None] >= places[None]]))
        rows = _without(np.cumsum(np.where(cut[:, None], 0, changes.rows[part]), axis=0), base)
        if np.sqrt(2 * (rows**2).mean()) < BAND:
            return 0.0
        waves = _without(self.waves.T, base).T
        power = (np.abs(waves) ** 2).sum(1)
        found = 2 * np.abs(waves @ rows @ PHASES) ** 2 / TILES[1] ** 2 / np.maximum(power, KEPT * self.size)[:, None]
        found[self.hertz < BAND_HZ] = 0
        n, phase = np.unravel_index(int(found.argmax()), found.shape)
        hertz, best = float(self.hertz[n]), float(found[n, phase])
        amplitude = math.sqrt(2 * best / self.size)
        if min(abs(hertz - self.rate / k) for k in (2, 3, 4)) < CODED and amplitude < 3 * BAND:
            return 0.0
        turned = rows @ PHASES[:, phase] / TILES[1] * np.exp(-2j * np.pi * hertz * self.times)
        usual = float(np.median(changes.spread[part][~cut])) if not cut.all() else 1.0
        return min(
            amplitude / BAND,
            best / max(float((rows**2).sum()) / TILES[1], 1e-9) / BAND_SHARE[hertz < SLOW[1]],
            _steady(turned, 4) / BAND_STEADY,
            amplitude * 2 * np.pi * hertz / self.rate / max(usual, SURE),
            LARGE / amplitude if hertz < SLOW[0] else math.inf,
        )

    def _base(self, steps: Array, cut: Flags) -> tuple[Array, float]:
        """What is no swing: level and trend of each shot, steps far larger than others; and the largest of these."""
        places = [0, *(np.flatnonzero(cut[1:]) + 1), self.size]
        columns = []
        for first, end in pairwise(places):
            inside = np.zeros(self.size)
            inside[first:end] = 1
            columns += [inside, inside * (self.times - self.times.mean())] if end - first >= TREND else [inside]
        sizes = np.abs(steps)
        far = [n for n in np.argsort(-sizes)[:JUMPS] if sizes[n] > max(FAR * float(np.median(sizes)), FAR_LEAST)]
        columns += [(np.arange(self.size) >= place) * 1.0 for place in far]
        base, _ = np.linalg.qr(np.column_stack(columns))
        return np.asarray(base), float(sizes[far].max()) if far else 0.0


def _between(hertz: Array, power: Array, n: int) -> float:
    """The frequency of the largest of evenly spaced values, by a parabola through it and its neighbours."""
    if not 0 < n < len(hertz) - 1 or hertz[n + 1] - hertz[n - 1] > 3 * (hertz[1] - hertz[0]):
        return float(hertz[n])
    before, here, after = (float(power[i]) for i in (n - 1, n, n + 1))
    bend = before - 2 * here + after
    aside = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return float(hertz[n] + min(max(aside, -0.5), 0.5) * (hertz[n + 1] - hertz[n]))


def _without(series: Any, base: Array) -> Any:
    return series - base @ (base.T @ series)


def _agreed(found: Any, variance: Array, count: int) -> tuple[complex, float, Array]:
    """Complex amplitude on which tiles agree, how far they do, and how much each tile counts."""
    noise = np.maximum(variance - np.abs(found) ** 2 / 2, 1e-8) * 4 / count + SURE**2
    weight = 1 / noise
    mean = (found * weight).sum() / weight.sum()
    for _ in range(TURNS):
        weight = (FREEDOM + 1) / (FREEDOM * noise + np.abs(found - mean) ** 2)
        mean = (found * weight).sum() / weight.sum()
    weight /= weight.sum()
    apart = float((weight * np.abs(found - mean) ** 2).sum())
    return complex(mean), float(np.sqrt(np.abs(mean) ** 2 / (np.abs(mean) ** 2 + apart + 1e-12))), weight


def _share(amplitude: float, series: Array) -> float:
    return amplitude**2 / 2 / max(float((series**2).mean()), 1e-12)


def _steady(turned: Any, parts: int) -> float:
    """1 where a sine keeps amplitude and phase over its parts."""
    sums = np.array([part.mean() for part in np.array_split(turned, parts)])
    return float(np.abs(sums.sum()) ** 2 / (parts * (np.abs(sums) ** 2).sum() + 1e-18))
