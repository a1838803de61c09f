"""Where nobody speaks though the room is loud: the voice is lifted out of the noise, and none may be left.

Three witnesses, since each is fooled by some noise: the detector of voices hears none in the sound as it is, none in
what a denoiser leaves of it (DeepFilterNet3), and what is left lies far below the voice around. What lies under the
noise at the end of a word is seen by none of them: whoever cuts here must leave a second on either side.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from safelight import headway
from safelight.media.repair.deepfilter import Model
from safelight.media.runs import runs
from safelight.speech.activity import RATE, STEP_S, Activity, Samples, Span

NAME = "deepfilter"
SHORTEST_S = 1.0  # of a lull
SILENCED_DB = 40.0  # by which what is left must lie under the voice
CHANCE = 0.15  # of a voice, that is still none
AROUND_S, SPEECH_SHARE = 30, 0.9  # the voice around: this quantile of what is left within so many seconds
BLOCK_S, WARM_S = 20, 3  # what is cleaned at once; what goes before, in which the denoiser finds its state
WINDOW, HOP = RATE // 50, RATE // 100
LOWEST_HZ = 150
SMOOTH = 7  # numbers
FRAME_S = 0.01
EDGE = 15  # numbers at either end that do not count for how silent a lull is


@dataclass(frozen=True, slots=True, kw_only=True)
class Lull:
    """A stretch in seconds; `margin_db`: how far its loudest moment lies below where a voice would not be ruled out."""

    span: Span
    margin_db: float


def find(
    cut: Callable[[Span], Samples], seconds: float, chances: NDArray[np.float32],
    weights: Mapping[str, Mapping[str, Path]],
) -> list[Lull]:  # fmt: skip
    """The lulls of a sound of so many seconds. `cut` gives the samples of a span, at 16 kHz; `chances`: of a voice in
    each of the detector's steps, as it is."""
    model, voice = Model(weights[NAME]), Activity(weights)
    found: list[NDArray[np.float32]] = []
    at = 0.0
    while at < seconds:
        headway.reach(at / seconds)
        left = _left(cut, at, min(at + BLOCK_S, seconds), model)
        voice.hear(left)
        found.append(_levels(left))
        at += BLOCK_S
    level = np.concatenate(found) if found else np.zeros(0, np.float32)
    count = len(level)
    if not count:
        return []
    margin = _around(level) - SILENCED_DB - level
    none = (margin > 0) & (_each(chances, count) < CHANCE) & (_each(voice.done(), count) < CHANCE)
    return [
        Lull(span=(a * FRAME_S, b * FRAME_S), margin_db=round(float(margin[a + EDGE : b - EDGE].min()), 1))
        for a, b in runs(none)
        if (b - a) * FRAME_S >= SHORTEST_S
    ]


def _left(cut: Callable[[Span], Samples], start: float, end: float, model: Model) -> Samples:
    """What the denoiser leaves of a stretch: all that it takes for a voice."""
    from scipy.signal import resample_poly

    warm = min(start, WARM_S)
    samples = cut((start - warm, end))
    cleaned = model.voice(np.asarray(resample_poly(samples, 3, 1), np.float32))
    return np.asarray(resample_poly(cleaned, 1, 3), np.float32)[round(warm * RATE) : len(samples)]


def _levels(samples: Samples) -> NDArray[np.float32]:
    """Decibels above the rumble, every 10 ms, smoothed."""
    shape = np.hanning(WINDOW).astype(np.float32)
    padded = np.pad(samples, (WINDOW - HOP, 0))
    if len(padded) < WINDOW:
        return np.zeros(0, np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    hz = np.fft.rfftfreq(WINDOW, 1 / RATE)
    power = np.square(np.abs(np.fft.rfft(windows * shape, axis=1)))[:, hz >= LOWEST_HZ].sum(1)
    power *= 2 / (WINDOW * float(np.square(shape).sum()))
    smooth = uniform_filter1d(power, SMOOTH, mode="nearest")
    return np.asarray(10 * np.log10(np.maximum(smooth, 1e-13)), np.float32)


def _around(level: NDArray[np.float32]) -> NDArray[np.float32]:
    """How loud the voice is around each number."""
    second = round(1 / FRAME_S)
    count = -(-len(level) // second)
    loud = [
        np.quantile(level[max(i - AROUND_S, 0) * second : (i + AROUND_S + 1) * second], SPEECH_SHARE)
        for i in range(count)
    ]
    return np.repeat(np.asarray(loud, np.float32), second)[: len(level)]


def _each(chances: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """The chance of a voice at each number."""
    if not len(chances):
        return np.ones(count, np.float32)
    steps = (np.arange(count) * FRAME_S / STEP_S).astype(int)
    return np.asarray(chances[np.minimum(steps, len(chances) - 1)], np.float32)
