"""Two recordings of one event, placed by their sound: offset, drift, or why it cannot be told.

Coarse: stretches of the log envelope at 200 Hz, cross-correlated with all of the other recording (each with its own
normalisation, so that silence does not win). Fine: many windows of four seconds, generalised cross-correlation with
phase transform (Knapp and Carter, 1976) between 150 and 3500 Hz, placed to some microseconds. A line through the
windows gives offset and drift. Whether it is a match is decided by how many windows lie on one line: in recordings of
different events each window's place is drawn from the whole search range, so the chance that so many agree is known.
"""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import scipy  # its `signal` comes when it is asked for: it takes a second
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import maximum_filter1d, uniform_filter1d
from scipy.special import bdtrc

from safelight.media import container, ltc, sound
from safelight.media.ltc import Ltc

RATE = 8000  # samples a second in which recordings are compared
ENVELOPE = 200  # values a second
STRETCH_S, STRETCHES = 60, 12
WINDOW_S, SHORT_WINDOW_S, WINDOWS = 4, 2, 72
FINE = 4  # times RATE: how finely a window is placed before the parabola
SEARCH_S = 0.1
MOST_PPM = 120  # clocks of recorders lie within 50 of each other
LEAST_OVERLAP_S = 8
AGREE_S = 0.0008
SEPARATE = 2  # channels that are kept apart until it is known which of them plays timecode
CHANCE = 1e-8  # that windows of unrelated recordings agree so well
APART_S = 1.0
HIDDEN = 4  # windows from one on the line to the next: so many can be silent by themselves
READ = 1 << 19  # samples of a kept recording that are read at once

Wave = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """`time in the reference = offset_s + time in the other × (1 + drift_ppm / 10⁶)`, seconds from each one's zero.

    `agreeing` of `windows` lie on the line, within `spread_ms` of it; `drift_spread_ppm` is the standard error.
    `agrees`: spans of the other, in its own time, at both ends of which a window lies on the line: whoever paused one
    of them in between moved what follows. `margin` is how far the best place lies above the next, of the best. Without
    a match `cannot_tell` says why.
    """

    offset_s: float | None = None
    drift_ppm: float | None = None
    drift_spread_ppm: float | None = None
    spread_ms: float | None = None
    windows: int = 0
    agreeing: int = 0
    margin: float = 0.0
    overlap_s: float = 0.0
    agrees: tuple[tuple[float, float], ...] = ()
    cannot_tell: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A recording as it is compared: its sound at 8 kHz, high-passed, from `at` on, its envelope, and its peak. Of a
    `kept` one the sound stays on the disk."""

    wave: NDArray[Any]
    envelope: Wave
    peak: float
    at: Fraction = Fraction(0)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.wave) / RATE


def heard(path: Path, *, stream: int | None = None, code: Ltc | None = None) -> Heard:
    """Reads the sound of a file for comparing, without the channel that plays the timecode `code`: it would agree with
    another one wherever their digits do. Raises NotMedia where there is none."""
    facts = container.contents(path)
    if code is None or stream is not None:
        return of_blocks(sound.blocks(path, rate=RATE, mono=True, stream=stream, facts=facts))
    for number, found in enumerate(facts.sounds):
        left = [n for n in range(found.channels) if (number, n) != (code.stream, code.channel)]
        if left:
            return of_blocks(_of_channels(sound.blocks(path, rate=RATE, stream=found.index, facts=facts), left))
    return of_blocks(())


def heard_at_once(path: Path) -> tuple[Heard, Ltc | None]:
    """The same of a file of which nobody knows yet whether a channel plays timecode, and that timecode: decoded once,
    unless the first stream has more than two channels and one of them plays it, or has no other.

    Raises NotMedia where there is no sound."""
    facts = container.contents(path)
    said: list[Ltc | str] = []
    first: list[Heard] = []
    for number, found in enumerate(facts.sounds):
        reader = ltc.Reader(number)
        blocks = _told(sound.blocks(path, facts=facts, stream=found.index), reader)
        if number == 0:
            first = _each(sound.resampled(blocks, RATE), apart=found.channels == SEPARATE)
        else:
            for _ in blocks:
                pass
        said.append(reader.found())
    code = ltc.best(said)
    if not isinstance(code, Ltc):
        return (_mean(first) if first else heard(path)), None
    if len(first) == SEPARATE and code.stream == 0:
        return first[1 - code.channel], code
    return (_mean(first) if code.stream and first else heard(path, code=code)), code


def _told(blocks: Iterable[sound.Block], reader: ltc.Reader) -> Iterator[sound.Block]:
    for block in blocks:
        reader.hear(block)
        yield block


def _each(blocks: Iterable[sound.Block], *, apart: bool) -> list[Heard]:
    """What is heard on each channel where they are kept apart, else on their mean."""
    parts: list[list[Wave]] = [[], []] if apart else [[]]
    at: Fraction | None = None
    for block in blocks:
        at = block.at if at is None else at
        waves = block.samples.T if apart else [block.samples.mean(1)]
        for part, wave in zip(parts, waves, strict=True):
            part.append(wave)
    if at is None:
        return []
    return [of_blocks([sound.Block(at=at, samples=np.concatenate(part)[:, None], rate=RATE)]) for part in parts]


def _mean(each: list[Heard]) -> Heard:
    """All channels together: the high-pass is linear."""
    if len(each) == 1:
        return each[0]
    wave = np.asarray(sum(one.wave for one in each) / np.float32(len(each)), np.float32)
    passed = _Passed(at=each[0].at)
    passed.take(wave)
    return passed.heard(wave)


def _of_channels(blocks: Iterable[sound.Block], channels: list[int]) -> Iterator[sound.Block]:
    for block in blocks:
        yield replace(block, samples=block.samples[:, channels].mean(1, keepdims=True))


def of_blocks(blocks: Iterable[sound.Block]) -> Heard:
    """The same of mono blocks at 8 kHz."""
    passed = _Passed()
    parts = list(passed.wave(blocks))
    return passed.heard(np.concatenate(parts) if parts else np.zeros(0, np.float32))


def keep(blocks: Iterable[sound.Block], place: Path) -> None:
    """Writes what is compared of mono blocks at 8 kHz into a file, for `kept`: hours of it stay out of memory."""
    passed = _Passed()
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=place.parent, prefix=place.name, delete=False) as file:
        try:
            file.write(np.array([0, 1], "<i8").tobytes())
            for part in passed.wave(blocks):
                file.write(part.astype("<f2").tobytes())
            at = passed.at or Fraction(0)
            file.seek(0)
            file.write(np.array([at.numerator, at.denominator], "<i8").tobytes())
        except BaseException:
            Path(file.name).unlink()
            raise
    Path(file.name).replace(place)


def kept(place: Path) -> Heard:
    """A recording out of the file into which `keep` wrote it."""
    at = np.fromfile(place, "<i8", 2)
    wave = np.memmap(place, "<f2", "r", offset=at.nbytes) if place.stat().st_size > at.nbytes else np.zeros(0, "<f2")
    passed = _Passed(at=Fraction(int(at[0]), int(at[1])))
    for first in range(0, len(wave), READ):
        passed.take(np.asarray(wave[first : first + READ], np.float32))
    return passed.heard(wave)


class _Passed:
    """What is measured of a recording while it passes: where it begins, its peak, its level 200 times a second."""

    def __init__(self, at: Fraction | None = None) -> None:
        self.at, self.peak = at, 0.0
        self.powers: list[Wave] = []
        self.rest = np.zeros(0, np.float32)

    def wave(self, blocks: Iterable[sound.Block]) -> Iterator[Wave]:
        """High-passed, block by block."""
        sections = scipy.signal.butter(2, 150, "highpass", fs=RATE, output="sos")
        state = np.zeros((sections.shape[0], 2))
        for block in blocks:
            self.at = block.at if self.at is None else self.at
            passed, state = scipy.signal.sosfilt(sections, block.samples[:, 0], zi=state)
            part = passed.astype(np.float32)
            self.take(part)
            yield part

    def take(self, part: Wave) -> None:
        """Some more of the high-passed sound."""
        self.peak = max(self.peak, float(np.abs(part).max(initial=0)))
        step = RATE // ENVELOPE
        waiting = np.concatenate([self.rest, part])
        whole = len(waiting) // step * step
        self.powers.append(np.mean(waiting[:whole].reshape(-1, step) ** 2, axis=1))
        self.rest = waiting[whole:]

    def heard(self, wave: NDArray[Any]) -> Heard:
        """All of it."""
        power = np.concatenate(self.powers) if self.powers else np.zeros(0, np.float32)
        return Heard(wave=wave, envelope=_envelope(power), peak=self.peak, at=self.at or Fraction(0))


def match(reference: Heard, other: Heard) -> Match:
    """Where `other` lies in `reference`."""
    short = min(reference.seconds, other.seconds)
    if short < LEAST_OVERLAP_S:
        return Match(cannot_tell=f"one of them lasts {short:.1f} s; {LEAST_OVERLAP_S} s are needed")
    for one in (reference, other):
        if one.peak < 1e-5:
            return Match(cannot_tell="one of them is silent")
    lag, margin = _coarse(reference, other)
    times, lags, weights, radius = _fine(reference, other, lag)
    overlap = min(reference.seconds, other.seconds + lag) - max(0.0, lag)
    if len(times) < 2:
        return Match(cannot_tell="they hardly overlap where they are alike", margin=margin, overlap_s=max(overlap, 0.0))
    offset, drift, agree = _line(times, lags, weights)
    count = int(agree.sum())
    told = Match(windows=len(times), agreeing=count, margin=margin, overlap_s=overlap)
    if _chance(count, len(times), radius) > CHANCE:
        words = f"only {count} of {len(times)} stretches agree on one place"
        return _refused(told, words)
    at_reference, at_other = float(reference.at), float(other.at)
    left = lags[agree] - offset - drift * times[agree]
    spread = float(np.sqrt(np.mean(left**2)))
    width = float(np.std(times[agree])) * np.sqrt(max(count - 2, 1))
    return Match(
        offset_s=at_reference + offset - at_other * (1 + drift), drift_ppm=drift * 1e6,
        drift_spread_ppm=spread / width * 1e6 if width > 0 else None, spread_ms=spread * 1e3, windows=len(times),
        agreeing=count, margin=margin, overlap_s=overlap, agrees=_agrees(times + at_other, agree),
    )  # fmt: skip


def _agrees(times: NDArray[np.float64], agree: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    """From each window on the line to the next: silence in between may hide a few windows, not many."""
    on = np.flatnonzero(agree)
    spans: list[tuple[float, float]] = []
    for one, two in pairwise(on):
        if two - one > HIDDEN:
            continue
        start, end = float(times[one]), float(times[two])
        if spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return tuple(spans)


def _refused(told: Match, reason: str) -> Match:
    return Match(
        windows=told.windows, agreeing=told.agreeing, margin=told.margin, overlap_s=told.overlap_s, cannot_tell=reason
    )


def _chance(count: int, windows: int, radius: float) -> float:
    """That of so many windows with random places `count` lie on some line: binomial, for each line that was tried."""
    inside = min(2 * AGREE_S / (2 * radius), 1.0)
    tried = windows * windows / 2
    return float(min(1.0, tried * float(bdtrc(count - 3, max(windows - 2, 1), inside))))


# ---------------------------------------------------------------- coarse


def _envelope(power: Wave) -> Wave:
    """Log level of powers, 200 a second, without what changes slower than two seconds."""
    if not len(power):
        return np.zeros(0, np.float32)
    level = np.log(power + 1e-3 * float(power.mean()) + 1e-12)
    return np.asarray(level - uniform_filter1d(level, 2 * ENVELOPE, mode="nearest"), np.float32)


def _coarse(reference: Heard, other: Heard) -> tuple[float, float]:
    """The lag in seconds at which envelopes agree best, and its margin over the best other one."""
    whole, part = reference.envelope, other.envelope
    size = min(STRETCH_S * ENVELOPE, len(part))
    starts = np.unique(np.linspace(0, len(part) - size, min(STRETCHES, max(len(part) // size, 1))).astype(int))
    lags = len(whole) + len(part) - 1  # lag = index - (len(part) - 1)
    total, weight = np.zeros(lags), np.zeros(lags)
    energy = np.concatenate([[0.0], np.cumsum(whole.astype(float) ** 2)])
    middle = len(part) / 2
    for start in starts:
        piece = part[start : start + size].astype(float)
        found, overlap = _normalised(whole, energy, piece)
        smear = int(MOST_PPM * 1e-6 * abs(start + size / 2 - middle)) + 1
        found = maximum_filter1d(found, 2 * smear + 1)
        first = len(part) - 1 - (size - 1) - start  # where this piece's first lag lies among all lags
        total[first : first + len(found)] += found * overlap
        weight[first : first + len(found)] += overlap
    good = weight >= LEAST_OVERLAP_S * ENVELOPE
    score = np.where(good, total / np.maximum(weight, 1) * np.sqrt(np.minimum(weight / weight.max(), 1)), -1)
    best = int(np.argmax(score))
    away = np.abs(np.arange(lags) - best) > APART_S * ENVELOPE
    second = float(score[away].max(initial=0.0))
    margin = 1 - second / score[best] if score[best] > 0 else 0.0
    return (best - (len(part) - 1)) / ENVELOPE, float(margin)


def _normalised(
    whole: Wave, energy: NDArray[np.float64], piece: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Correlation coefficients of a piece at every lag from -(len - 1), and how many values overlap there."""
    size, count = len(piece), len(whole)
    length = fft.next_fast_len(count + size - 1, real=True)
    product = fft.irfft(fft.rfft(whole, length) * fft.rfft(piece[::-1], length), length)[: count + size - 1]
    lag = np.arange(-(size - 1), count)
    low, high = np.maximum(lag, 0), np.minimum(lag + size, count)
    under = energy[high] - energy[low]
    own = np.concatenate([[0.0], np.cumsum(piece**2)])
    used = own[high - lag] - own[low - lag]
    found = product / np.sqrt(np.maximum(under * used, 1e-9))
    overlap = (high - low).astype(float)
    return np.where(overlap >= 4 * ENVELOPE, np.maximum(found, 0), 0), overlap


# ---------------------------------------------------------------- fine


def _fine(
    reference: Heard, other: Heard, lag: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    """For windows of the other: their middle, their lag, how sure; and how far the search went."""
    length = len(other.wave)
    first, end = max(0, int(-lag * RATE)), min(length, int((reference.seconds - lag) * RATE))
    size = (WINDOW_S if end - first >= 10 * WINDOW_S * RATE else SHORT_WINDOW_S) * RATE
    last = end - size
    if last <= first:
        return np.zeros(0), np.zeros(0), np.zeros(0), SEARCH_S
    reach = SEARCH_S + MOST_PPM * 1e-6 * (last - first) / 2 / RATE
    count = min(WINDOWS, 2 * (last - first) // size + 1)  # neighbours share half at most, tapered: nearly independent
    starts = np.unique(np.linspace(first, last, count).astype(int))
    found = []
    for start in starts:
        place = start + round(lag * RATE)
        side = round(reach * RATE)
        low, high = place - side, place + size + side
        segment = np.asarray(reference.wave[max(low, 0) : high], np.float32)
        if low < 0 or high > len(reference.wave):
            segment = np.pad(segment, (max(-low, 0), max(high - len(reference.wave), 0)))
        shift, sure = _phase_lag(segment, np.asarray(other.wave[start : start + size], np.float32), side)
        if sure > 0:
            found.append(((start + size / 2) / RATE, (place - start) / RATE + shift, sure))
    if not found:
        return np.zeros(0), np.zeros(0), np.zeros(0), reach
    times, lags, sure_all = (np.array(column) for column in zip(*found, strict=True))
    return times, lags, sure_all, reach


def _phase_lag(segment: Wave, window: Wave, side: int) -> tuple[float, float]:
    """By how many seconds the window lies later in the middle of the segment than expected, and how clear that is."""
    if float(np.square(window).mean()) < 1e-12 or float(np.square(segment).mean()) < 1e-12:
        return 0.0, 0.0
    length = fft.next_fast_len(len(segment) + len(window), real=True)
    shaped = window * np.hanning(len(window)).astype(np.float32)
    cross = fft.rfft(segment, length) * np.conj(fft.rfft(shaped, length))
    frequency = np.fft.rfftfreq(length, 1 / RATE)
    band = (frequency > 150) & (frequency < 3500)
    phase = np.where(band, cross / np.maximum(np.abs(cross), 1e-12), 0)
    curve = fft.irfft(phase, FINE * length)[: 2 * side * FINE + 1]
    best = int(np.argmax(curve))
    near = np.abs(np.arange(len(curve)) - best) > FINE * RATE // 200
    clear = float(curve[best] / max(curve[near].max(initial=0.0), 1e-12)) - 1
    return (best + _vertex(curve, best)) / (FINE * RATE) - side / RATE, max(clear, 1e-3)


def _vertex(curve: NDArray[np.float64], best: int) -> float:
    """Of the parabola through a peak and its neighbours, from the peak."""
    if not 0 < best < len(curve) - 1:
        return 0.0
    left, middle, right = (float(v) for v in curve[best - 1 : best + 2])
    bend = left - 2 * middle + right
    return 0.5 * (left - right) / bend if bend < 0 else 0.0


def _line(
    times: NDArray[np.float64], lags: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float, NDArray[np.bool_]]:
    """Offset and drift of the line that most windows lie on: every pair is tried, then least squares."""
    one, two = np.triu_indices(len(times), 1)
    apart = times[two] - times[one]
    slope = np.where(apart > 0, (lags[two] - lags[one]) / np.maximum(apart, 1e-9), 1.0)
    slopes = np.concatenate([[0.0], slope[np.abs(slope) <= MOST_PPM * 1e-6]])
    bases = np.concatenate(
        [[float(np.median(lags))], (lags[one] - slope * times[one])[np.abs(slope) <= MOST_PPM * 1e-6]]
    )
    off = np.abs(lags[None, :] - bases[:, None] - slopes[:, None] * times[None, :])
    best = int(np.argmax(((off < AGREE_S) * (1 + np.minimum(weights, 1)[None, :])).sum(1)))
    agree = off[best] < AGREE_S
    offset, drift = float(bases[best]), float(slopes[best])
    for _ in range(3):
        if agree.sum() < 2 or np.ptp(times[agree]) == 0:
            break
        sure = np.minimum(weights[agree], 2) + 0.1
        drift, offset = (float(v) for v in np.polyfit(times[agree], lags[agree], 1, w=np.sqrt(sure)))
        agree = np.abs(lags - offset - drift * times) < AGREE_S
    return offset, drift, agree
