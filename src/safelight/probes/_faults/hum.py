"""Hum of the mains: lines at multiples of 50 or 60 Hz that keep their amplitude and phase for seconds.

Voices and music pass through these frequencies, hum stays. Every half second of sound gives a complex amplitude at
each harmonic, and the power of what lies beside it. Over a few seconds the amplitudes are one constant in noise or
noise alone; how much noise, each step says for itself, from little, so it counts as Student's t and one loud syllable
as little as the next. The evidence for hum is the logarithm of how much likelier the constant is, added over the
harmonics (the constant is a mean weighted again and again: Lange, Little and Taylor, "Robust Statistical Modeling
Using the t Distribution", 1989).
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight.media.grown import Spool
from safelight.media.runs import runs

LOW_RATE = 4000  # Hz, at which hum is listened for
HOP_S, HOPS = 0.25, 14  # seconds of a step; steps that are judged together
LEAST_S = 2.0
MAINS = np.concatenate([50.0 * np.arange(1, 11), 60.0 * np.arange(1, 11)])
BESIDE = (-11.0, -8.0, 8.0, 11.0)  # Hz from a harmonic, where hum is not
LINES = np.concatenate([MAINS, *(MAINS + away for away in BESIDE)])
FLOOR = 1e-9  # of power beside a line: digital silence is not quieter
FREEDOM, TURNS = 4.0, 6  # of Student's t; of the weighted mean
SHARED = 1.5  # steps overlap by half: so many of them tell what one apart would
PRICE, MOST = (
    3.0,
    40.0,
)  # of evidence: what noise gives at the best constant; a single tone gives no more, and is no hum
ENOUGH, NEARLY = 50.0, 0.8
AT_ONCE = 512  # stretches


class Hum:
    """Hears blocks one after another; `found` gives the spans. A quarter of a second of sound leaves 240 bytes."""

    def __init__(self) -> None:
        self.low: NDArray[np.float32] = np.zeros(0, np.float32)  # at a low rate, what no step has taken yet
        self.taken = 0
        self.on, self.beside = Spool(len(MAINS), np.complex64), Spool(len(MAINS), np.float32)  # of each step

    def hear(self, samples: NDArray[np.float32], rate: int) -> None:
        """More samples (count × channels, full scale 1) at `rate` Hz."""
        step = max(rate // LOW_RATE, 1)
        count = len(samples) // step
        low = samples[: count * step].mean(1).reshape(count, step).mean(1)
        self.low = np.concatenate([self.low, low])
        size, hop = round(2 * HOP_S * rate / step), round(HOP_S * rate / step)
        while len(self.low) >= size:
            turned = np.exp(-2j * np.pi * LINES * (self.taken / (rate / step)))
            lines = (turned * (_waves(size, rate / step) @ self.low[:size])).astype(np.complex64)
            lines = lines.reshape(1, 1 + len(BESIDE), len(MAINS))
            self.on.add(lines[:, 0])
            self.beside.add((np.abs(lines[:, 1:]) ** 2).mean(1) + FLOOR)
            self.low, self.taken = self.low[hop:], self.taken + hop

    def found(self) -> Iterator[tuple[float, float, float, float]]:
        """Start and end in seconds, strength (1 at the threshold) and mains frequency in Hz of each span."""
        if len(self.on) < HOPS:
            return
        strengths = np.zeros((2, len(self.on)))
        for begin in range(0, len(self.on) - HOPS + 1, AT_ONCE):
            part = slice(begin, begin + AT_ONCE + HOPS - 1)
            evidence, shares = _evidence(self.on[part], self.beside[part])
            for n in np.flatnonzero(evidence.max(1) > NEARLY * ENOUGH):
                which = int(evidence[n].argmax())
                first, end = _stretch(shares[n, which])
                place = slice(begin + n + first, begin + n + end)
                strengths[which, place] = np.maximum(strengths[which, place], evidence[n, which] / ENOUGH)
        for mains, strength in zip((50.0, 60.0), strengths, strict=True):
            for first, end in runs(strength > 0, bridge=2):
                if (end + 1 - first) * HOP_S >= LEAST_S:
                    yield first * HOP_S, (end + 1) * HOP_S, float(strength[first:end].max()), mains


def _stretch(shares: NDArray[np.float64]) -> tuple[int, int]:
    """The steps [first, end) that speak for hum the most, taken together."""
    sums = np.r_[0, np.cumsum(shares)]
    first, last = np.unravel_index(int(np.triu(sums[None] - sums[:, None]).argmax()), (len(sums), len(sums)))
    return int(first), int(last)


@cache
def _waves(size: int, rate: float) -> NDArray[np.complex128]:
    """What turns a stretch of samples into its amplitudes and phases at `LINES`."""
    window = np.hanning(size) / np.sqrt((np.hanning(size) ** 2).sum())
    return np.asarray(np.exp(-2j * np.pi * LINES[:, None] * np.arange(size) / rate) * window)


def _evidence(on: NDArray[np.complex64], beside: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of every stretch of `HOPS` steps: evidence for hum of 50 and of 60 Hz, and the share of each step in it."""
    values = np.lib.stride_tricks.sliding_window_view(on.astype(np.complex128), HOPS, axis=0)
    noise = np.lib.stride_tricks.sliding_window_view(beside.astype(np.float64), HOPS, axis=0)
    weight = 1 / noise
    constant = (values * weight).sum(-1) / weight.sum(-1)
    for _ in range(TURNS):
        weight = (FREEDOM + 1) / (FREEDOM * noise + np.abs(values - constant[..., None]) ** 2)
        constant = (values * weight).sum(-1) / weight.sum(-1)
    alone, beyond = (np.log1p(np.abs(rest) ** 2 / (FREEDOM * noise)) for rest in (values, values - constant[..., None]))
    shares = (FREEDOM + 1) / SHARED * (alone - beyond)
    evidence = np.clip(shares.sum(-1) - PRICE, 0, MOST)
    shares *= (evidence > 0)[..., None]
    return evidence.reshape(len(evidence), 2, -1).sum(-1), shares.reshape(len(evidence), 2, -1, HOPS).sum(2)
