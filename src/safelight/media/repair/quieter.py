"""Noise turned down where somebody speaks; everything else stays as it is, sample by sample.

What the model takes for a voice says where somebody speaks, and whether the model may be followed there.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy  # its `signal` comes when it is asked for: it takes a second
from numpy.typing import NDArray

from safelight.media.repair.deepfilter import RATE, Model
from safelight.media.runs import runs
from safelight.media.sound import Samples

Floats = NDArray[np.float32]

FADE_S = 0.05
OVER_S = 0.5  # in which one stretch goes over into the next
PART_S = 0.02
SPOKEN_DB, KEPT = -62.0, 0.2  # dBFS of a voice; least part of the power that it is
LOUD, FLOOR = 0.8, 0.1  # quantiles of a level
KEEPS = (0.2, 0.32)  # of what rises above the floor: a model that keeps less is not followed, more in full
CLEAN_DB = (24.0, 34.0)  # from floor to speech: noise is turned down in full below, left above
LEAST_DB = 1.0  # that is worth it
SILENT = 1e-5  # level of a part in which nothing is heard
SWING, SWINGS = 9.0, (10, 90)
PAUSE_S = 2.0  # that belongs to what is said around it
REST, REST_DB = (0.1, 0.8), 6.0  # how far the loud fifth of a longer one may lie above the quietest tenth of all


@dataclass(slots=True)
class Quieter:
    """Turns noise down by at most `limit_db`. It takes the stretches of a sound in their order: how much is taken away
    goes over from each into the next."""

    model: Model
    limit_db: float
    seconds: float = 0.0  # in which it was turned down so far
    before: float | None = None  # share of what is no voice, that the last stretch lost

    def made(self, samples: Samples, rate: int, first: int, last: int) -> Samples:
        """A stretch of samples × channels, cleaned where somebody speaks. Its own samples are those of [first, last);
        the others lie around it."""
        mono = samples.mean(1)
        heard = _at_rate(mono, rate)
        limit = self.limit_db * _noisy(heard)
        if limit < LEAST_DB and not self.before:
            self.before = 0.0
            return samples
        voice = self.model.voice(heard)
        levels = _levels(heard), _levels(voice)
        spans = spoken(*levels)
        down = limit * _trust(*levels) if spans else 0.0
        own = 1 - 10 ** (-down / 20) if down >= LEAST_DB else 0.0
        before = own if self.before is None else self.before
        self.before = own
        if not own and not before:
            return samples
        part = round(PART_S * RATE)
        share = faded(len(samples), [(round(a * part * rate / RATE), round(b * part * rate / RATE)) for a, b in spans],
                      rate)  # fmt: skip
        share *= np.interp(np.arange(len(samples)), [first, first + OVER_S * rate], [before, own]).astype(np.float32)
        self.seconds += int(np.count_nonzero(share[first:last])) / rate
        out = samples.copy()
        for channel in range(samples.shape[1]):
            x = np.ascontiguousarray(samples[:, channel])
            noise = heard - voice if np.array_equal(x, mono) else self._noise(_at_rate(x, rate))
            # What lies above the model's rate is not heard by it, and stays.
            out[:, channel] = x - share * (noise if rate == RATE else _resampled(noise, rate, RATE)[: len(x)])
        return out

    def _noise(self, heard: Floats) -> Floats:
        """What is no voice, at the model's rate."""
        return heard - self.model.voice(heard)


def _at_rate(samples: Floats, rate: int) -> Floats:
    return samples if rate == RATE else _resampled(samples, RATE, rate)


def _resampled(samples: Floats, up: int, down: int) -> Floats:
    return np.asarray(scipy.signal.resample_poly(samples, up, down), np.float32)


def _noisy(samples: Floats) -> float:
    """From 0, clean or silent, to 1: how near the floor lies to the loud parts of mono samples at 48 kHz; digital
    silence does not count."""
    level = _levels(samples)
    level = level[level > SILENT]
    if not len(level):
        return 0.0
    low, high = CLEAN_DB
    floor, loud = np.quantile(level, (FLOOR, 0.95))
    return min(max((high - 20 * float(np.log10(loud / floor))) / (high - low), 0.0), 1.0)


def faded(count: int, spans: list[tuple[int, int]], rate: int) -> Floats:
    """1 in the spans, 0 elsewhere, with short ramps outside."""
    share = np.zeros(count, np.float32)
    fade = max(int(FADE_S * rate), 1)
    for first, end in spans:
        share[first:end] = 1
        up = np.arange(max(first - fade, 0), first)
        share[up] = np.maximum(share[up], 1 - (first - up) / fade)
        down = np.arange(end, min(end + fade, count))
        share[down] = np.maximum(share[down], 1 - (down - end + 1) / fade)
    return share


def spoken(heard: Floats, kept: Floats) -> list[tuple[int, int]]:
    """Spans, counted in parts, in which somebody speaks, by the levels of a sound and of what the model keeps as a
    voice: that is most of what is heard there and swings as syllables do. Padded by a quarter of a second; pauses in
    which nothing is heard but the noise that lies under the voice are theirs, so that it does not come and go."""
    count = len(heard)
    if count < 10:
        return []
    level = 20 * np.log10(kept)
    loud = level > max(SPOKEN_DB, float(np.quantile(level, 0.95)) - 25)
    half = round(1.0 / PART_S)
    found = np.zeros(count, bool)
    for at in range(0, count, half // 2):
        part = slice(max(at - half, 0), at + half)
        low, high = np.percentile(level[part], SWINGS)
        power = float((kept[part] ** 2).sum() / (heard[part] ** 2).sum())
        if high - low >= SWING and power >= KEPT and loud[part].mean() > 0.15:
            found[at : at + half // 2] = True
    pad = round(0.25 / PART_S)
    near = found & (np.convolve(loud, np.ones(25), "same") > 0)
    return _with_pauses(list(runs(np.convolve(near, np.ones(2 * pad + 1), "same") > 0)), heard)


def _trust(heard: Floats, kept: Floats) -> float:
    """From 0 to 1: how far the model may be followed. In the loud fifth of a stretch most of what rises above the floor
    is what the stretch is about; where the model keeps little of it, it takes a voice, or music, for noise."""
    loud = heard >= np.quantile(heard, LOUD)
    above = float((heard[loud] ** 2).mean() - np.quantile(heard, FLOOR) ** 2)
    low, high = KEEPS
    return min(max((float((kept[loud] ** 2).mean()) / max(above, 1e-12) - low) / (high - low), 0.0), 1.0)


def _with_pauses(spans: list[tuple[int, int]], heard: Floats) -> list[tuple[int, int]]:
    """Spans, counted in parts, with the short pauses between, before and after them, and the long ones in which it is
    hardly louder than where it is quietest. In others is music, another place, a voice that the model does not know."""
    if not spans:
        return []
    low, high = REST
    most = float(np.quantile(heard, low)) * 10 ** (REST_DB / 20)
    same = np.zeros(len(heard), bool)
    for a, b in pairwise([0, *(edge for span in spans for edge in span), len(heard)]):
        short = (b - a) * PART_S <= PAUSE_S
        same[a:b] = (a, b) in spans or short or float(np.quantile(heard[a:b], high)) <= most
    return list(runs(same))


def _levels(samples: Floats) -> Floats:
    """Of the parts of mono samples at 48 kHz, as root mean squares."""
    size = round(PART_S * RATE)
    count = len(samples) // size
    parts = samples[: count * size].reshape(count, size).astype(np.float64)
    return np.asarray(np.sqrt((parts**2).mean(1)) + 1e-9)
