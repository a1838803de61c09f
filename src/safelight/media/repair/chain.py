"""The repair of a sound, stretch by stretch: rate, length, channels and times stay; memory is that of a minute."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from safelight.media.effects import Repairs
from safelight.media.repair import mend
from safelight.media.repair.quieter import Quieter, faded
from safelight.media.sound import Block, Samples

Floats = NDArray[np.float32]
Span = tuple[Fraction, Fraction]

STRETCH_S, CONTEXT_S = 20, 3


def repaired(blocks: Iterable[Block], repairs: Repairs, *, quieter: Quieter | None = None) -> Iterator[Block]:
    """Blocks without these hums and clicks, as long as they came. `quieter`, made for this sound, turns noise down."""
    for stretch, first, last in _stretches(blocks):
        samples = stretch.samples.copy()
        for channel in range(samples.shape[1]):
            samples[:, channel] = _clicks(samples[:, channel], stretch, repairs)
            samples[:, channel] = _hum(samples[:, channel], stretch, repairs)
        if quieter is not None:
            samples = quieter.made(samples, stretch.rate, first, last)
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
        share = faded(len(samples), [(first, last)], stretch.rate)
        samples = samples + share * (mend.without_hum(samples, stretch.rate, mains_hz=mains) - samples)
    return samples
