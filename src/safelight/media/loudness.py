"""How loud a programme is: EBU R 128 and ITU-R BS.1770, by FFmpeg's meter; true peak at four times the sample rate."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import av
import numpy as np

from safelight.media import container, sound
from safelight.media.sound import LAYOUTS, Block, frame_of

SILENT = -70.0  # LUFS; below it the standard's absolute gate lets nothing through
SHORTEST_RANGE_S = 30  # below, ten short-term values that share nothing are too few for a range
FINE_STEPS = 10  # meters, each 10 ms later, for a momentary maximum that no window misses
PEAK_RATE = 192_000
Speech = Sequence[tuple[float, float]]  # seconds from the first sample, half-open, in order


@dataclass(frozen=True, slots=True, kw_only=True)
class Loudness:
    """None: silence, or too short to say. LUFS, LU, dBTP. `dialogue_lufs`: integrated where somebody speaks, an
    estimate; None too where nobody asked for it."""

    integrated_lufs: float | None
    range_lu: float | None
    true_peak_dbtp: float | None
    momentary_max_lufs: float | None
    short_term_max_lufs: float | None
    seconds: Fraction
    dialogue_lufs: float | None = None

    def counted(self, *, dialogue: bool) -> float | None:
        """The integrated loudness of the dialogue, or of all of it."""
        return self.dialogue_lufs if dialogue else self.integrated_lufs


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a programme is to be delivered: integrated loudness, by how much it may miss it, ceiling of true peak.
    `dialogue`: what counts is how loud it is where somebody speaks."""

    name: str
    about: str
    lufs: float
    tolerance_lu: float
    ceiling_dbtp: float
    short_term_max_lufs: float | None = None
    dialogue: bool = False


TARGETS = MappingProxyType({
    target.name: target
    for target in (
        Target(name="ebu_r128", about="EBU R 128, broadcast", lufs=-23, tolerance_lu=0.2, ceiling_dbtp=-1),
        Target(name="ebu_r128_s1", about="EBU R 128 s1, adverts and promotions", lufs=-23, tolerance_lu=0.2,
               ceiling_dbtp=-1, short_term_max_lufs=-18),
        Target(name="atsc_a85", about="ATSC A/85, US broadcast", lufs=-24, tolerance_lu=2, ceiling_dbtp=-2),
        Target(name="netflix", about="Netflix, dialogue", lufs=-27, tolerance_lu=2, ceiling_dbtp=-2, dialogue=True),
        Target(name="streaming", about="YouTube, Spotify, Amazon", lufs=-14, tolerance_lu=1, ceiling_dbtp=-1),
        Target(name="podcast", about="stereo podcasts", lufs=-16, tolerance_lu=1, ceiling_dbtp=-1),
        Target(name="podcast_mono", about="mono podcasts", lufs=-19, tolerance_lu=1, ceiling_dbtp=-1),
        Target(name="speech", about="AES TD1008, speech", lufs=-18, tolerance_lu=1, ceiling_dbtp=-1),
        Target(name="music", about="AES TD1008, music", lufs=-16, tolerance_lu=1, ceiling_dbtp=-1),
    )
})  # fmt: skip


def measure(
    path: Path, *, stream: int | None = None, fine: bool = False, speech: Speech | None = None
) -> Loudness:  # fmt: skip
    """The loudness of a file's sound. `fine` finds the momentary maximum at steps of 10 ms instead of 100; `speech`:
    where somebody speaks, for the loudness of that alone.

    Raises NotMedia where there is no sound.
    """
    facts = container.contents(path)
    return measure_blocks(sound.blocks(path, facts=facts, stream=stream), fine=fine, speech=speech)


def measure_blocks(blocks: Iterable[Block], *, fine: bool = False, speech: Speech | None = None) -> Loudness:
    """The loudness of blocks that follow each other."""
    meter: _Meter | None = None
    dialogue: _Dialogue | None = None
    for block in blocks:
        if meter is None:
            rate, channels = block.rate, block.samples.shape[1]
            meter = _Meter(rate=rate, channels=channels, steps=FINE_STEPS if fine else 1)
            dialogue = _Dialogue(speech, _Meter(rate=rate, channels=channels, steps=1)) if speech else None
        meter.add(block)
        if dialogue is not None:
            dialogue.add(block)
    if meter is None:
        return Loudness(
            integrated_lufs=None, range_lu=None, true_peak_dbtp=None, momentary_max_lufs=None,
            short_term_max_lufs=None, seconds=Fraction(0),
        )  # fmt: skip
    found = meter.done()
    return found if dialogue is None else replace(found, dialogue_lufs=dialogue.meter.done().integrated_lufs)


class _Meter:
    """FFmpeg's ebur128 filter, several times over for a fine maximum."""

    def __init__(self, *, rate: int, channels: int, steps: int) -> None:
        self.rate, self.layout = rate, LAYOUTS.get(channels, f"{channels}c")
        self.graph = av.filter.Graph()
        self.sources, self.sinks = [], []
        for step in range(steps):
            source = self.graph.add_abuffer(
                sample_rate=rate, format="fltp", layout=self.layout, time_base=Fraction(1, rate)
            )
            last = source
            if step:
                delay = self.graph.add("adelay", f"delays={100 * step // steps}:all=1")
                last.link_to(delay)
                last = delay
            meter, sink = self.graph.add("ebur128", "metadata=1:framelog=quiet"), self.graph.add("abuffersink")
            last.link_to(meter)
            meter.link_to(sink)
            self.sources.append(source)
            self.sinks.append(sink)
        self.graph.configure()
        factor = max(PEAK_RATE // rate, 1)
        self.up = av.AudioResampler(format="fltp", layout=self.layout, rate=rate * factor)
        self.count, self.peak = 0, 0.0
        self.integrated: float | None = None
        self.range: float | None = None
        self.momentary = self.short = float("-inf")

    def add(self, block: Block) -> None:
        frame = frame_of(block, self.layout, self.count)
        self.count += len(block.samples)
        for made in self.up.resample(frame):
            self._peak(made)
        for source in self.sources:
            source.push(frame)
        self._drain()

    def done(self) -> Loudness:
        for made in self.up.resample(None):
            self._peak(made)
        for source in self.sources:
            source.push(None)
        self._drain()
        seconds = Fraction(self.count, self.rate)
        heard = self.integrated is not None and self.integrated > SILENT
        return Loudness(
            integrated_lufs=self.integrated if heard else None,
            range_lu=self.range if heard and seconds >= SHORTEST_RANGE_S else None,
            true_peak_dbtp=round(20 * float(np.log10(self.peak)), 3) if self.peak > 0 else None,
            momentary_max_lufs=_told(self.momentary), short_term_max_lufs=_told(self.short), seconds=seconds,
        )  # fmt: skip

    def _peak(self, made: Any) -> None:
        self.peak = max(self.peak, float(np.abs(made.to_ndarray()).max(initial=0)))

    def _drain(self) -> None:
        for first, sink in zip([True] + [False] * len(self.sinks), self.sinks, strict=False):
            for said in _said(sink):
                self.momentary = max(self.momentary, float(said["lavfi.r128.M"]))
                self.short = max(self.short, float(said["lavfi.r128.S"]))
                if first:
                    self.integrated = float(said["lavfi.r128.I"])
                    self.range = float(said["lavfi.r128.LRA"])


class _Dialogue:
    """The meter of what lies in spans, one after another."""

    def __init__(self, spans: Speech, meter: _Meter) -> None:
        self.left, self.meter, self.passed = deque(spans), meter, 0

    def add(self, block: Block) -> None:
        first, last = self.passed, self.passed + len(block.samples)
        while self.left:
            begins, ends = (round(at * block.rate) for at in self.left[0])
            part = block.samples[max(begins - first, 0) : max(ends - first, 0)]
            if len(part):
                self.meter.add(replace(block, samples=part))
            if ends > last:
                break
            self.left.popleft()
        self.passed = last


def _said(sink: Any) -> Iterator[dict[str, str]]:
    while True:
        try:
            frame = sink.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        if "lavfi.r128.I" in frame.metadata:
            yield frame.metadata


def _told(value: float) -> float | None:
    return value if value > -120 else None
