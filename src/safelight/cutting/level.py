"""How loud it is in four bands, a hundred times a second, and where nothing is heard but the room.

What is left of a voice at the end of a word is not where voices are loudest: it is in the hiss of s, f and t, in the
rumble of a chest, in the air of the take itself. So a moment is quiet only where all four bands lie at the floor of the
minute around it. Where noise is nearly as loud as the voice, nothing is quiet: "cannot tell" loses a cut, a guess loses
a word.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from safelight.domain import Json
from safelight.media import sound
from safelight.media.container import Contents
from safelight.media.runs import runs
from safelight.media.sound import Block

Decibels: TypeAlias = NDArray[np.float32]
RATE = 48_000
HOP, WINDOW = 480, 960  # samples: 10 ms, 20 ms
A_SECOND = RATE // HOP
BANDS = ((20, 150), (150, 4000), (4000, 8000), (8000, 20_000))  # Hz: rumble, voice, hiss, air
VOICE = 1  # the band that tells how loud somebody speaks
ABOVE_FLOOR = (7.0, 5.0, 3.0, 2.0)  # dB over the floor in which each band is still the room
SMOOTH = 7  # numbers, an odd count: what is averaged before comparing
NOTHING = -95.0  # dB: below it there is no room, only zeros or a gate
BELOW_SPEECH = 35.0  # dB by which the voice must lie above the floor: so far down the ends of words reach
AROUND_S = 30  # seconds on either side in which the room is taken as one
FLOOR_SHARE, SPEECH_SHARE = 0.05, 0.9
SHORTEST = 5  # numbers: a quieter moment than this is no place to cut
EDGE = 15  # numbers at either end of a stretch that do not count for how quiet it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Decibels re full scale of the loudest channel, a column for each band, a row each 10 ms from `at` (seconds of the
    clip) on."""

    at: Fraction
    bands: Decibels

    @property
    def end(self) -> Fraction:
        """Seconds."""
        return self.at + Fraction(len(self.bands), A_SECOND)

    def rows(self, start: Fraction, end: Fraction) -> slice:
        """The rows of [start, end)."""
        first = int((start - self.at) * A_SECOND)
        return slice(max(first, 0), max(-int(-(end - self.at) * A_SECOND // 1), 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """A stretch [start, end), seconds, in which nothing is heard but the room; `margin_db`: how far its middle lies
    below where it would not be."""

    start: Fraction
    end: Fraction
    margin_db: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """All still stretches of a sound in order, where it ends (seconds), and the share of it in which the room is too
    loud to tell a pause from speech."""

    stills: tuple[Still, ...]
    end: Fraction
    untold: float = 0.0

    @property
    def json(self) -> dict[str, Json]:
        """As evidence keeps it: rows of start, end, margin."""
        rows: list[Json] = [[float(s.start), float(s.end), s.margin_db] for s in self.stills]
        return {"rows": rows, "end": float(self.end), "untold": self.untold}


def room_of(value: Mapping[str, Any]) -> Room:
    """The room that `Room.json` tells of. Times lie on a grid of a millisecond."""
    return Room(
        stills=tuple(still_of(row) for row in value["rows"]), end=_exact(value["end"]), untold=float(value["untold"]),
    )  # fmt: skip


def still_of(row: Sequence[Any]) -> Still:
    """A row of start, end, margin."""
    start, end, margin_db = row
    return Still(start=_exact(start), end=_exact(end), margin_db=float(margin_db))


def _exact(seconds: float) -> Fraction:
    return Fraction(round(seconds * 1000), 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """`quiet[i]`: nothing to hear but the room; `margin[i]`: dB up to where it would not be; `told[i]`: whether the
    room and the voice can be told apart here."""

    quiet: NDArray[np.bool_]
    margin: Decibels
    told: NDArray[np.bool_]


def measure(path: Path, *, facts: Contents | None = None) -> Levels:
    """Reads the sound of a file once, in blocks. Raises NotMedia where there is none."""
    return of_blocks(sound.blocks(path, rate=RATE, facts=facts))


def of_blocks(blocks: Iterable[Block]) -> Levels:
    """Of samples at 48 kHz."""
    meter = Meter()
    for block in blocks:
        meter.hear(block.samples, block.at)
    return meter.done()


class Meter:
    """Takes samples at 48 kHz (n × channels) as they come. The loudest channel counts: a mean would call opposed
    channels silence."""

    def __init__(self) -> None:
        self.shape = np.hanning(WINDOW).astype(np.float32)
        hz = np.fft.rfftfreq(WINDOW, 1 / RATE)
        self.edges = [(int(np.searchsorted(hz, low)), int(np.searchsorted(hz, high))) for low, high in BANDS]
        self.scale = 2 / (WINDOW * float((self.shape**2).sum()))  # of one side's power to mean square
        self.at: Fraction | None = None
        self.parts: list[Decibels] = [np.zeros((0, len(BANDS)), np.float32)]
        self.rest = np.zeros((WINDOW - HOP, 1), np.float32)

    def hear(self, samples: NDArray[np.float32], at: Fraction) -> None:
        """The next samples; `at`: where they lie, seconds of the clip."""
        self.at = at if self.at is None else self.at
        if self.rest.shape[1] != samples.shape[1]:
            self.rest = np.zeros((len(self.rest), samples.shape[1]), np.float32)
        samples = np.concatenate([self.rest, samples])
        count = (len(samples) - WINDOW) // HOP + 1
        if count < 1:
            self.rest = samples
            return
        windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW, axis=0)[: count * HOP : HOP]
        power = np.abs(np.fft.rfft(windows * self.shape, axis=-1)) ** 2
        loudest = np.stack([power[..., a:b].sum(-1).max(1) for a, b in self.edges], 1) * self.scale
        self.parts.append((10 * np.log10(np.maximum(loudest, 1e-13))).astype(np.float32))
        self.rest = samples[count * HOP :]

    def done(self) -> Levels:
        """All of them."""
        return Levels(at=self.at or Fraction(0), bands=np.concatenate(self.parts))


def quiet(levels: Levels) -> Quiet:
    """Where only the room is heard."""
    count = len(levels.bands)
    if not count:
        none = np.zeros(0, np.bool_)
        return Quiet(quiet=none, margin=np.zeros(0, np.float32), told=none)
    power = uniform_filter1d(10 ** (levels.bands / 10), SMOOTH, axis=0, mode="nearest")
    smooth = (10 * np.log10(np.maximum(power, 1e-13))).astype(np.float32)
    floor, voice = _around(smooth)
    margin = (floor + np.array(ABOVE_FLOOR, np.float32) - smooth).min(1)
    told = voice - floor[:, VOICE] >= BELOW_SPEECH
    zeros = (smooth <= NOTHING).all(1)
    margin = np.where(zeros, max(ABOVE_FLOOR), margin).astype(np.float32)
    return Quiet(quiet=(margin > 0) & (told | zeros), margin=margin, told=told | zeros)


def room(levels: Levels, heard: Quiet | None = None) -> Room:
    """The stretches of a sound in which a cut may lie, on a grid of a millisecond within those of the levels. `heard`:
    where it is quiet, if that is known."""
    heard = heard or quiet(levels)
    found = []
    for first, last in runs(heard.quiet):
        if last - first < SHORTEST:
            continue
        start, end = (levels.at + Fraction(edge, A_SECOND) for edge in (first, last))
        found.append(Still(
            start=Fraction(ceil(start * 1000), 1000), end=Fraction(floor(end * 1000), 1000),
            margin_db=_deep(heard.margin[first:last]),
        ))  # fmt: skip
    untold = float(np.mean(~heard.told)) if len(heard.told) else 0.0
    end = max(levels.end, Fraction(0))
    return Room(stills=tuple(found), end=Fraction(floor(end * 1000), 1000), untold=round(untold, 3))


def _deep(margin: Decibels) -> float:
    """How quiet a stretch is: the worst of its middle, or of a short one the best."""
    deep = margin[EDGE:-EDGE].min() if len(margin) > 4 * EDGE else margin.max()
    return round(float(deep), 1)


def _around(smooth: Decibels) -> tuple[Decibels, Decibels]:
    """The room's floor in each band, and the voice, dB, at each row: from the seconds within half a minute."""
    count = len(smooth)
    seconds = -(-count // A_SECOND)
    floors = np.full((seconds, len(BANDS)), NOTHING)
    voices = np.full(seconds, NOTHING)
    sounding = smooth[:, VOICE] > NOTHING
    for i in range(seconds):
        near = slice(max(i - AROUND_S, 0) * A_SECOND, (i + AROUND_S + 1) * A_SECOND)
        heard = smooth[near][sounding[near]]
        if len(heard) >= A_SECOND // 2:
            floors[i] = np.quantile(heard, FLOOR_SHARE, axis=0)
            voices[i] = np.quantile(heard[:, VOICE], SPEECH_SHARE)
    floors = np.maximum(floors, NOTHING)
    spread = np.arange(count) // A_SECOND
    return floors[spread].astype(np.float32), voices[spread].astype(np.float32)
