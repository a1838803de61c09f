"""Sound as blocks of floating-point samples, with exact times."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from safelight.errors import NotMedia
from safelight.media import container
from safelight.media.container import Contents

GAP_S = Fraction(1, 50)  # times may jitter by so much before a hole is filled with silence
BLOCK_S = 1
LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}

Samples = NDArray[np.float32]  # n × channels, ±1 is full scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Samples from `at` on: seconds from the zero of the clip, which sound may precede."""

    at: Fraction
    samples: Samples
    rate: int


@dataclass(slots=True)
class Holes:
    """What was met while sound was read. What `skipped` packets leave is `filled_s`: the next time stamp shows it."""

    filled_s: Fraction = Fraction(0)
    skipped: int = 0
    ended_early: str | None = None

    def notes(self) -> list[str]:
        """In words."""
        found = []
        if self.filled_s:
            found.append(f"{float(self.filled_s):.2f} s of sound are missing and taken as silence.")
        if self.ended_early:
            found.append(f"Its sound ends early: {self.ended_early}.")
        return found


def blocks(
    path: Path, *, rate: int | None = None, mono: bool = False, stream: int | None = None,
    facts: Contents | None = None, holes: Holes | None = None,
) -> Iterator[Block]:  # fmt: skip
    """The sound of a file in blocks of a second (the last is shorter), resampled to `rate` if one is given; `mono` is
    the mean of its channels.

    Raises NotMedia where there is none.
    """
    facts = facts or container.contents(path)
    chosen = [s for s in facts.sounds if stream in (None, s.index)]
    if not chosen:
        raise NotMedia(f"{path.name} has no sound.", remedy="Look at its picture alone.")
    sound, wanted = chosen[0], rate or chosen[0].rate
    channels = 1 if mono else sound.channels
    gather = _Gather(size=wanted * BLOCK_S, channels=channels, rate=wanted)
    holes = holes if holes is not None else Holes()
    with container.opened(path) as source:
        stream_ = source.streams[sound.index]
        zero = facts.picture.first_pts * facts.picture.time_base if facts.picture else None
        resampler = av.AudioResampler(format="fltp", layout=sound.layout, rate=wanted)
        began: Fraction | None = None
        taken = 0  # samples of the source that have gone in
        for frame in container.decoded(source, stream_, holes):
            at = frame.pts * frame.time_base if frame.pts is not None else None
            if began is None:
                began = at if at is not None else Fraction(0)
                zero = began if zero is None else zero
                gather.at = began - zero
            if at is not None:
                missing = at - began - Fraction(taken, sound.rate)
                if missing > GAP_S:
                    silence = int(missing * wanted)
                    yield from gather.add(np.zeros((silence, channels), np.float32))
                    holes.filled_s += missing
                    taken += int(missing * sound.rate)
            taken += frame.samples
            frame.pts = None
            yield from gather.take(resampler.resample(frame))
        yield from gather.take(resampler.resample(None))
        yield from gather.rest()


class _Gather:
    """Cuts samples as they come into blocks of one size."""

    def __init__(self, *, size: int, channels: int, rate: int) -> None:
        self.size, self.channels, self.rate = size, channels, rate
        self.at = Fraction(0)
        self.waiting: list[Samples] = []
        self.count = 0

    def take(self, made: list[Any]) -> Iterator[Block]:
        for frame in made:
            samples = frame.to_ndarray().T
            yield from self.add(samples if samples.shape[1] == self.channels else samples.mean(1, keepdims=True))

    def add(self, samples: Samples) -> Iterator[Block]:
        self.waiting.append(samples)
        self.count += len(samples)
        if self.count < self.size:
            return
        joined = np.concatenate(self.waiting)
        whole = self.count // self.size * self.size
        for start in range(0, whole, self.size):
            yield self._block(joined[start : start + self.size])
        self.waiting, self.count = [joined[whole:]], self.count - whole

    def rest(self) -> Iterator[Block]:
        if self.count:
            yield self._block(np.concatenate(self.waiting))

    def _block(self, samples: Samples) -> Block:
        block = Block(at=self.at, samples=np.ascontiguousarray(samples, np.float32), rate=self.rate)
        self.at += Fraction(len(samples), self.rate)
        return block


def frame_of(block: Block, layout: str, pts: int) -> Any:
    """A block as a frame of FFmpeg's, at `pts` samples."""
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block.samples.T), format="fltp", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = block.rate, pts, Fraction(1, block.rate)
    return frame


def resampled(blocks: Iterable[Block], rate: int) -> Iterator[Block]:
    """Blocks that follow each other, at another rate, as they come out of the resampler; channels stay."""
    resampler: Any = None
    layout, at, taken = "", Fraction(0), 0
    for block in blocks:
        if resampler is None:
            channels, at = block.samples.shape[1], block.at
            layout = LAYOUTS.get(channels, f"{channels}c")
            resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
        for frame in resampler.resample(frame_of(block, layout, taken)):
            yield _made(frame, at, rate)
            at += Fraction(frame.samples, rate)
        taken += len(block.samples)
    for frame in resampler.resample(None) if resampler is not None else ():
        yield _made(frame, at, rate)
        at += Fraction(frame.samples, rate)


def _made(frame: Any, at: Fraction, rate: int) -> Block:
    return Block(at=at, samples=np.asarray(frame.to_ndarray().T, np.float32), rate=rate)


def read(path: Path, *, rate: int | None = None, mono: bool = False, stream: int | None = None) -> Block:
    """All the sound of a file at once; for short ones. Raises NotMedia where there is none."""
    found = list(blocks(path, rate=rate, mono=mono, stream=stream))
    if not found:
        raise NotMedia(f"{path.name} has no samples.", remedy="Leave it out.")
    return Block(at=found[0].at, samples=np.concatenate([b.samples for b in found]), rate=found[0].rate)
