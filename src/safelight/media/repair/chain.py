"""The repair of a sound, stretch by stretch: rate, length, channels and times stay; memory is that of a minute."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import scipy  # its `signal` comes when it is asked for: it takes a second
from numpy.typing import NDArray

from safelight.media.effects import Repairs
from safelight.media.repair import mend
from safelight.media.repair.deepfilter import RATE, Model
from safelight.media.runs import runs
from safelight.media.sound import Block, Samples

Floats = NDArray[np.float32]
Span = tuple[Fraction, Fraction]

STRETCH_S, CONTEXT_S = 20, 3
FADE_S = 0.05
PART_S = 0.02
SPOKEN_DB, KEPT = -62.0, 0.2  # dBFS of a voice; least part of the power that it is
CLEAN_DB = (24.0, 34.0)  # from floor to speech: noise is turned down in full below, left above
SWING, SWINGS = 9.0, (10, 90)
PAUSE_S = 2.0  # that belongs to what is said around it
REST, REST_DB = (0.1, 0.8), 6.0  # how far the loud fifth of a longer one may lie above the quietest tenth of all


def repaired(blocks: Iterable[Block], repairs: Repairs, *, model: Model | None) -> Iterator[Block]:
    """Blocks with these repairs, as long as they came. `model` is needed for noise alone."""
    for stretch, first, last in _stretches(blocks):
        samples = stretch.samples.copy()
        for channel in range(samples.shape[1]):
            samples[:, channel] = _clicks(samples[:, channel], stretch, repairs)
            samples[:, channel] = _hum(samples[:, channel], stretch, repairs)
        if model is not None and repairs.noise_db > 0:
            samples = _noise(samples, stretch.rate, model, repairs.noise_db)
        yield replace(stretch, at=stretch.at + Fraction(first, stretch.rate), samples=samples[first:last])


def _stretches(blocks: Iterable[Block]) -> Iterator[tuple[Block, int, int]]:
    """Longer blocks with what lies before and after, and which samples of them are theirs."""
    held: list[Block] = []
    lead: Samples | None = None
    source = iter(blocks)
    ended = False
    while not ended:
        while sum(len(b.samples) for b in held) < (STRETCH_S + CONTEXT_S) * (held[0].rate if held else 1):
            block = next(source, None)
            if block is None:
                ended = True
                break
            held.append(block)
        if not held:
            return
        rate, at = held[0].rate, held[0].at
        body = np.concatenate([b.samples for b in held])
        before = lead if lead is not None else body[:0]
        own = len(body) if ended else STRETCH_S * rate
        joined = np.concatenate([before, body])
        whole = Block(at=at - Fraction(len(before), rate), samples=joined, rate=rate)
        yield whole, len(before), len(before) + own
        lead = joined[: len(before) + own][-CONTEXT_S * rate :]
        held = [Block(at=at + Fraction(own, rate), samples=body[own:], rate=rate)] if own < len(body) else []


def _places(stretch: Block, span: Span) -> tuple[int, int]:
    """Samples of a stretch that lie in a span; empty where none do."""
    first, end = (round((time - stretch.at) * stretch.rate) for time in span)
    return max(first, 0), min(end, len(stretch.samples))


def _clicks(samples: Floats, stretch: Block, repairs: Repairs) -> Floats:
    spans = [_places(stretch, span) for span in repairs.clicks]
    return mend.without_clicks(samples, [s for s in spans if s[0] < s[1]])


def _hum(samples: Floats, stretch: Block, repairs: Repairs) -> Floats:
    for start, end, mains in repairs.hum:
        first, last = _places(stretch, (start, end))
        if last - first < stretch.rate // 2:
            continue
        share = _faded(len(samples), [(first, last)], stretch.rate)
        samples = samples + share * (mend.without_hum(samples, stretch.rate, mains_hz=mains) - samples)
    return samples


def _noise(samples: Samples, rate: int, model: Model, limit_db: float) -> Samples:
    """All channels cleaned where somebody speaks; elsewhere they stay as they are, sample by sample."""
    if float(np.abs(samples).max(initial=0)) < 1e-5:
        return samples
    mono = samples.mean(1)
    at_rate = mono if rate == RATE else scipy.signal.resample_poly(mono, RATE, rate).astype(np.float32)
    low, high = CLEAN_DB
    limit_db *= min(max((high - _range_db(at_rate)) / (high - low), 0.0), 1.0)
    if limit_db < 1:
        return samples
    spans = [(round(a * rate / RATE), round(b * rate / RATE)) for a, b in spoken(at_rate, model)]
    if not spans:
        return samples
    share = _faded(len(samples), spans, rate)
    out = samples.copy()
    for channel in range(samples.shape[1]):
        x = samples[:, channel]
        if rate == RATE:
            cleaned = model.clean(np.ascontiguousarray(x), limit_db=limit_db)
        else:  # what lies above its rate is not heard by the model; what it takes away is taken away here
            up = scipy.signal.resample_poly(x, RATE, rate).astype(np.float32)
            less = scipy.signal.resample_poly(up - model.clean(up, limit_db=limit_db), rate, RATE)[: len(x)]
            cleaned = x - less.astype(np.float32)
        out[:, channel] = x + share * (cleaned - x)
    return out


def _range_db(samples: Floats) -> float:
    """From the floor to the loud parts of mono samples at 48 kHz; digital silence does not count."""
    size = round(PART_S * RATE)
    count = len(samples) // size
    level = np.sqrt((samples[: count * size].reshape(count, size).astype(np.float64) ** 2).mean(1))
    level = level[level > 1e-5]
    if len(level) < 10:
        return 0.0
    floor, loud = np.quantile(level, (0.1, 0.95))
    return 20 * float(np.log10(loud / floor))


def _faded(count: int, spans: list[tuple[int, int]], rate: int) -> Floats:
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


def spoken(samples: Floats, model: Model) -> list[tuple[int, int]]:
    """Spans of mono samples at 48 kHz in which somebody speaks: what the model keeps as a voice is most of what is
    heard there and swings as syllables do. Padded by a quarter of a second; pauses in which nothing is heard but the
    noise that lies under the voice are theirs, so that it does not come and go."""
    voice = model.clean(samples, limit_db=60.0)
    size = round(PART_S * RATE)
    count = len(samples) // size
    if count < 10:
        return []
    kept, heard = (_levels(part, count) for part in (voice, samples))
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
    spans = list(runs(np.convolve(near, np.ones(2 * pad + 1), "same") > 0))
    return [(a * size, b * size) for a, b in _with_pauses(spans, heard)]


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


def _levels(samples: Floats, count: int) -> Floats:
    """Of so many parts, as root mean squares."""
    size = round(PART_S * RATE)
    parts = samples[: count * size].reshape(count, size).astype(np.float64)
    return np.asarray(np.sqrt((parts**2).mean(1)) + 1e-9)
