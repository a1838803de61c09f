"""Linear timecode: labels that a generator plays as sound, read from whatever channel carries it (SMPTE ST 12-1).

Each frame is a word of 80 bits, biphase mark: the level turns at every edge of a bit, and once more inside a one. The
last 16 bits are the sync word. A label names the frame that begins with the first bit of its word. Read forwards, at
any level that stands out of its own noise.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from safelight.domain import Json
from safelight.media import timecode
from safelight.media.sound import Block

SYNC = "0011111111111101"
WORD = 80
BITS = (1500.0, 3200.0)  # bits a second, 24 to 30 frames and what recorders are off
LIKE = 0.8  # share of edges that stand half a bit or a whole one apart: below, this second holds no code
QUIET = 1e-3  # least level, 1 is full scale
NEAR = 0.12  # of a frame: by so much a word may lie off the line through all words
LEAST = 10  # words
AGREE = 0.9  # share of words on one line
RATES = (Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30))
SLACK = 4e-4  # by so much a recorder's clock may differ from that of the generator; 24 and 23.976 differ by 1e-3
DAY_S = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ltc:
    """What a channel says. `label` names the frame that runs at the clip's zero, which lies `into_s` inside that frame;
    `day_s` is the same as seconds of the generator's day. `words` were read, on `share` of the frames between the first
    and the last. Channels and streams count from 0."""

    stream: int
    channel: int
    label: str
    rate: Fraction
    drop: bool
    into_s: float
    day_s: float
    words: int
    share: float

    @property
    def json(self) -> dict[str, Json]:
        """As evidence holds it; stream and channel count from 1."""
        return {
            "label": self.label, "rate": f"{self.rate.numerator}/{self.rate.denominator}", "drop": self.drop,
            "into_s": round(self.into_s, 5), "day_s": round(self.day_s, 5), "stream": self.stream + 1,
            "channel": self.channel + 1, "words": self.words, "share": round(self.share, 3),
        }  # fmt: skip


@dataclass(slots=True)
class Reader:
    """Listens to one stream; `found` says what its channels carry."""

    stream: int = 0
    words: dict[int, list[tuple[float, "_Label"]]] = field(default_factory=lambda: defaultdict(list))
    rest: Block | None = None

    def hear(self, block: Block) -> None:
        """One more block; blocks come in order. Words that begin in one and end in the next are read too."""
        before = self.rest
        if before is not None and abs(float(block.at - before.at) - len(before.samples) / before.rate) < 0.001:
            samples = np.concatenate([before.samples, block.samples])
            at = before.at
        else:
            samples, at = block.samples, block.at
        for channel in range(samples.shape[1]):
            self.words[channel] += [
                (float(at) + place / block.rate, label) for place, label in _words(samples[:, channel], block.rate)
            ]
        keep = min(round(block.rate / 12), len(samples))  # two words of 24 frames a second
        start = len(samples) - keep
        self.rest = Block(at=at + Fraction(start, block.rate), samples=samples[start:], rate=block.rate)

    def found(self) -> Ltc | str:
        """The channel with most words, or why there is none."""
        told = [_line(self.stream, channel, words) for channel, words in self.words.items()]
        read = [t for t in told if isinstance(t, Ltc)]
        if read:
            return max(read, key=lambda ltc: ltc.words)
        return next((t for t in told if isinstance(t, str) and t != NONE), NONE)


NONE = "no channel carries it"


def best(said: Iterable[Ltc | str]) -> Ltc | str:
    """The stream with most words, or why none has any."""
    listed = list(said)
    found = [s for s in listed if isinstance(s, Ltc)]
    if found:
        return max(found, key=lambda ltc: ltc.words)
    return next((s for s in listed if isinstance(s, str) and s != NONE), NONE)


def apart(reference: Ltc, other: Ltc) -> float:
    """How much later than the reference's zero the other's lies, by labels, in seconds; of a day, the nearer way."""
    return (other.day_s - reference.day_s + DAY_S / 2) % DAY_S - DAY_S / 2


def witness(said_s: float, heard_s: float | None, rate: Fraction) -> str:
    """In words, what the timecode of two files says about where the sound places one."""
    told = f"timecode says {said_s:+.4f} s"
    if heard_s is None:
        return f"{told}; nothing else does, and cameras that were set in the morning are frames off in the evening"
    off = said_s - heard_s
    if abs(off) <= 1 / rate:
        return f"{told}, {abs(off) * 1000:.1f} ms from the sound: they agree"
    return (
        f"{told}, {off:+.3f} s from the sound ({abs(off) * float(rate):.1f} frames): they disagree, the sound decides"
    )


# ---------------------------------------------------------------- bits


@dataclass(frozen=True, slots=True)
class _Label:
    """Hours, minutes, seconds, frames, and whether it counts in drop-frame."""

    h: int
    m: int
    s: int
    f: int
    drop: bool


def _words(samples: NDArray[np.float32], rate: int) -> Iterator[tuple[float, _Label]]:
    """Labels with the sample at which their first bit begins."""
    edges = _edges(samples)
    if len(edges) < WORD:
        return
    steps = np.diff(edges)
    whole = float(np.median(steps[steps > 0.75 * np.quantile(steps, 0.9)]))
    near = steps[np.abs(steps / whole - 1) < 0.15]
    if not len(near) or not BITS[0] <= rate / (whole := float(near.mean())) <= BITS[1]:
        return
    share = steps / whole
    long = np.abs(share - 1) < 0.25
    short = np.abs(share - 0.5) < 0.22
    if (long | short).mean() < LIKE:
        return
    bits, starts = _paired(short.tolist(), long.tolist())
    place = bits.find(SYNC)
    while place >= 0:
        first = place - (WORD - len(SYNC))
        if first >= 0 and "?" not in bits[first:place]:
            label = _label(bits[first:place])
            begins, ends = edges[starts[first]], edges[starts[place + len(SYNC)]]
            if label is not None and abs((ends - begins) / whole / WORD - 1) < 0.02:
                yield begins, label
        place = bits.find(SYNC, place + 1)


def _edges(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Where the level turns, between samples: from above a third of the usual level to below minus that, or back."""
    wave = samples.astype(np.float64) - float(np.mean(samples))
    level = float(np.quantile(np.abs(wave), 0.75))
    if not level > QUIET:
        return np.zeros(0)
    side = np.where(wave > level / 3, 1, np.where(wave < -level / 3, -1, 0))
    firm = np.flatnonzero(side)
    turns = np.flatnonzero(np.diff(side[firm]) != 0)
    before, after = firm[turns], firm[turns + 1]
    return np.asarray(before + (after - before) * wave[before] / (wave[before] - wave[after]), np.float64)


def _paired(short: list[bool], long: list[bool]) -> tuple[str, list[int]]:
    """Bits, "?" where there is none, and the edge at which each begins; one more for the end."""
    bits, starts, at = [], [], 0
    while at < len(short):
        starts.append(at)
        if long[at]:
            bits.append("0")
            at += 1
        elif short[at] and at + 1 < len(short) and short[at + 1]:
            bits.append("1")
            at += 2
        else:
            bits.append("?")
            at += 1
    starts.append(at)
    return "".join(bits), starts


def _label(bits: str) -> _Label | None:
    """The label of the 64 bits before a sync word, lowest bit first; None for what is no time."""

    def number(first: int, count: int) -> int:
        return int(bits[first : first + count][::-1], 2)

    units = [number(first, 4) for first in (0, 16, 32, 48)]
    tens = [number(8, 2), number(24, 3), number(40, 3), number(56, 2)]
    if max(units) > 9:
        return None
    f, s, m, h = (10 * ten + unit for ten, unit in zip(tens, units, strict=True))
    return _Label(h, m, s, f, bits[10] == "1") if f < 30 and s < 60 and m < 60 and h < 24 else None


# ---------------------------------------------------------------- the line through all words


def _line(stream: int, channel: int, words: list[tuple[float, _Label]]) -> Ltc | str:
    """Where the clip's zero lies in the generator's day, or why that cannot be told."""
    if len(words) < LEAST:
        return NONE
    once = {round(at, 4): (at, label) for at, label in words}
    times = np.array([at for at, _ in once.values()])
    labels = [label for _, label in once.values()]
    drop = sum(label.drop for label in labels) * 2 > len(labels)
    rate = _rate(times, labels, drop=drop)
    if rate is None:
        return f"channel {channel + 1} carries it, at a speed that is none of 24 to 30 frames a second"
    counted = [(at, n) for at, label in zip(times, labels, strict=True) if (n := _count(label, rate, drop)) is not None]
    if len(counted) < LEAST:
        return f"channel {channel + 1} carries it, but its labels do not exist at {float(rate):.3f} frames a second"
    times, counts = (np.array(column, float) for column in zip(*counted, strict=True))
    begins = counts / float(rate) - times  # of the clip's zero, in seconds of the generator's day
    wrap = timecode.frames_a_day(rate, drop=drop) / float(rate)
    begins -= wrap * np.round((begins - begins[0]) / wrap)
    middle = float(np.median(begins))
    drift = SLACK * np.abs(times - float(np.median(times)))
    fits = np.abs(begins - middle) < NEAR / float(rate) + drift
    if fits.mean() < AGREE:
        return (
            f"channel {channel + 1} carries it, but it jumps: {int((~fits).sum())} of {len(fits)} labels lie elsewhere"
        )
    slope, start = np.polyfit(times[fits], begins[fits], 1) if np.ptp(times[fits]) > 1 else (0.0, middle)
    zero = float(start) if abs(slope) < SLACK else middle
    frame = int(np.floor(zero * float(rate) + 1e-3))
    expected = np.ptp(times[fits]) * float(rate) + 1
    return Ltc(
        stream=stream, channel=channel, label=timecode.label_of(frame, rate, drop=drop), rate=rate, drop=drop,
        into_s=max(zero - frame / float(rate), 0.0), day_s=zero % wrap, words=int(fits.sum()),
        share=min(float(fits.sum() / expected), 1.0),
    )  # fmt: skip


def _rate(times: NDArray[np.float64], labels: list[_Label], *, drop: bool) -> Fraction | None:
    """The rate at which words follow each other where their labels do, as the known one it is nearest to; labels that
    count to 29 are not of 25 frames, and drop-frame is of 29.97."""
    steps = np.diff(times)
    follows = np.array([b.f == a.f + 1 and b.s == a.s for a, b in pairwise(labels)], bool)
    if follows.sum() < LEAST // 2:
        return None
    step = steps[follows]
    alike = step[np.abs(step / np.median(step) - 1) < 0.05]
    if not len(alike):
        return None
    measured = 1 / float(alike.mean())
    most = max(label.f for label in labels) + 1
    known = [r for r in RATES if timecode.nominal(r) >= most and (not drop or timecode.can_drop(r))]
    near = [r for r in known if abs(float(r) / measured - 1) < 1.5 * SLACK]
    return min(near, key=lambda r: abs(float(r) - measured)) if near else None


def _count(label: _Label, rate: Fraction, drop: bool) -> int | None:
    """The frame of the day; None for a label that does not exist at this rate."""
    mark = ";" if drop else ":"
    try:
        return timecode.frame_of(f"{label.h:02d}:{label.m:02d}:{label.s:02d}{mark}{label.f:02d}", rate, drop=drop)
    except ValueError:
        return None
