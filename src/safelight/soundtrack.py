"""All that one reading of a file's sound gives: how loud it is, where it is still, what is wrong with it, its picture
and its peaks for people, and its streams at 16 kHz in the shoot's cache, where those who listen for words find them.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from safelight import headway
from safelight.cutting import level
from safelight.domain import Json, Measure
from safelight.errors import NotMedia
from safelight.files import write_atomic
from safelight.media import container, loudness, ltc, proxies, sound, syncing, timecode, waveform
from safelight.media.container import Contents
from safelight.probes._faults.sound import Listening
from safelight.probes._faults.spans import Fault, told
from safelight.speech.activity import RATE
from safelight.speech.levels import FRAME_S, each
from safelight.speech.tracks import Stream
from safelight.work import keep_picture, refusal

MOST = 8  # streams of one file that are listened to
WAIT = 4  # blocks (of a second) by which timecode is told from sound
FRAME = round(RATE * FRAME_S)

Blocks = Iterator[sound.Block]


@dataclass(slots=True, kw_only=True)
class Soundtrack:
    """Streams with the levels of their channels (frames of 10 ms × channels), from `offset` on: where the first stream
    begins in the clip's time. `trouble`: why there are none."""

    offset: Fraction = Fraction(0)
    streams: list[tuple[Stream, NDArray[np.float32]]] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    levels: level.Levels | None = None  # of the first stream
    trouble: str | None = None

    @property
    def seconds(self) -> float:
        """How long the longest stream lasts."""
        return max((len(level) for _, level in self.streams), default=0) * FRAME_S


def read(
    path: Path, facts: Contents, place: Path, *, portrait: Path | None = None, compared: Path | None = None
) -> Soundtrack:
    """Reads all streams of a file, and the first one's loudness, levels, faults and peaks on the way. `place`: where
    samples and peaks go (`proxies.peaks` finds them there); `portrait`: where its picture goes, without suffix;
    `compared`: where what is compared with other recordings goes (`media.syncing`), if it is asked for."""
    heard, loudest, holes, peaks = Listening(), list[float](), sound.Holes(), waveform.Peaks()
    still, made, codes = _Still(facts.sounds[0].channels), Soundtrack(), list[ltc.Reader]()
    quiet = _Quiet(codes)

    def measured(blocks: Blocks) -> None:
        also = waveform.heard(_also(blocks, heard.hear, peaks.hear), loudest)
        made.measures.append(_loudness(path, _also(quiet.passing(also), still.hear)))

    _streams(made, path, facts, place, first=measured, holes=holes, codes=codes)
    code = ltc.best(one.found() for one in codes)
    found, told = _timecode(code, facts)
    made.measures += found
    channel = code.channel if isinstance(code, ltc.Ltc) and code.stream == 0 else None
    if channel is not None and facts.sounds[0].channels == 1:
        _replace(made, Measure(name="loudness", cannot_tell="its only channel plays timecode"))
    elif channel != quiet.channel:
        still = _again(made, path, facts, channel)
    made.measures.append(
        faults("faults.sound", path, lambda: [f for f in heard.done() if not _of_code(f, code, facts)])
    )
    made.levels = still.done()
    if compared is not None:
        syncing.keep(_compared(made, code), compared)
    if holes.notes() or told:
        made.measures.append(Measure(name="sound.note", value=" ".join([*holes.notes(), *told])))
    if loudest:
        write_atomic(proxies.peaks_place(path, place), peaks.data)
    if portrait is not None and loudest:
        keep_picture(portrait, waveform.drawn(loudest))
    return made


def keep_compared(path: Path, to: Path) -> None:
    """Only what is compared with other recordings, as `read` keeps it: of a file that was read in an earlier run.

    Raises NotMedia where there is no sound that can be read."""
    facts = container.contents(path)
    made, codes = Soundtrack(), list[ltc.Reader]()
    to.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=to.parent) as place:
        _streams(made, path, facts, Path(place), codes=codes)
        if not made.streams:
            raise NotMedia(made.trouble or f"{path.name} has no sound.", remedy="Leave it out.")
        syncing.keep(_compared(made, ltc.best(one.found() for one in codes)), to)


def beginning(path: Path, facts: Contents, place: Path, *, seconds: float) -> Soundtrack:
    """The first seconds of all streams, to be listened to and no more."""
    made = Soundtrack()
    _streams(made, path, facts, place, until=Fraction(seconds))
    return made


def _streams(
    made: Soundtrack, path: Path, facts: Contents, place: Path, *, first: Callable[[Blocks], None] | None = None,
    holes: sound.Holes | None = None, until: Fraction | None = None, codes: list[ltc.Reader] | None = None,
) -> None:  # fmt: skip
    """Writes each stream's samples; what can be read of a broken one stays, and why there is no more is said. `codes`:
    where those go who listen for timecode, one for each stream."""
    place.mkdir(parents=True, exist_ok=True)
    zero: Fraction | None = None
    streams, lasts = facts.sounds[:MOST], float(facts.duration_s or 0)
    for number, stream in enumerate(streams):
        blocks = sound.blocks(path, facts=facts, stream=stream.index, holes=holes if number == 0 else None)
        blocks = headway.along(blocks, lasts)
        with ExitStack() as stack, headway.within(number / len(streams), (number + 1) / len(streams)):
            target = place / f"{number}.16k"
            writer = _Writer(stack.enter_context(target.open("wb")), stream.channels, zero)
            try:
                passed = writer.passing(blocks, until)
                if codes is not None:
                    codes.append(ltc.Reader(number))
                    passed = _also(passed, codes[-1].hear)
                if first is not None and number == 0:
                    first(passed)
                for _ in passed:
                    pass
            except Exception as error:  # noqa: BLE001 - a sound that cannot be decoded is evidence, not a crash
                writer.broke = error
            writer.done()
        if writer.broke is not None and not writer.taken:
            made.trouble = made.trouble or refusal(path, writer.broke)["cause"]
            continue
        if zero is None:
            zero = made.offset = writer.zero or Fraction(0)
        made.streams.append((Stream(number=number, channels=stream.channels, path=target), writer.levels))


class _Writer:
    """Puts blocks into a file at 16 kHz as they pass, from a zero that streams share."""

    def __init__(self, file: BinaryIO, channels: int, zero: Fraction | None) -> None:
        self.file, self.channels, self.zero = file, channels, zero
        self.layout = sound.LAYOUTS.get(channels, f"{channels}c")
        self.slower = av.AudioResampler(format="s16", layout=self.layout, rate=RATE)
        self.broke: Exception | None = None
        self.began, self.taken, self.late = False, 0, 0  # samples; `late` are still to be left out at the beginning
        self.rest = np.zeros((0, channels), np.float32)
        self.found: list[NDArray[np.float32]] = []

    def passing(self, blocks: Blocks, until: Fraction | None) -> Blocks:
        """The blocks, written on the way; why they ended is kept for whoever asks after they did."""
        try:
            yield from self._passing(blocks, until)
        except Exception as error:
            self.broke = error
            raise

    def _passing(self, blocks: Blocks, until: Fraction | None) -> Blocks:
        for block in blocks:
            if not self.began:
                self.began, self.zero = True, block.at if self.zero is None else self.zero
                self._shift(round((block.at - self.zero) * RATE))
            for frame in self.slower.resample(sound.frame_of(block, self.layout, self.taken)):
                self._write(self._samples(frame))
            self.taken += len(block.samples)
            yield block
            if until is not None and self.zero is not None and block.at - self.zero >= until:
                return

    def done(self) -> None:
        """The last samples."""
        if self.began:
            for frame in self.slower.resample(None):
                self._write(self._samples(frame))
        if len(self.rest):
            self.found.append(each(self.rest, RATE))
        self.rest = self.rest[:0]

    @property
    def levels(self) -> NDArray[np.float32]:
        """Of each channel, every 10 ms."""
        return np.concatenate(self.found) if self.found else np.zeros((0, self.channels), np.float32)

    def _samples(self, frame: Any) -> NDArray[np.int16]:
        return np.asarray(frame.to_ndarray(), np.int16).reshape(-1, self.channels)

    def _shift(self, samples: int) -> None:
        self.late = max(-samples, 0)
        if samples > 0:
            self._write(np.zeros((samples, self.channels), np.int16))

    def _write(self, samples: NDArray[np.int16]) -> None:
        kept = samples[self.late :]
        self.late -= len(samples) - len(kept)
        kept.astype("<i2").tofile(self.file)
        waiting = np.concatenate([self.rest, kept.astype(np.float32) / np.float32(32768)])
        whole = len(waiting) // FRAME * FRAME
        if whole:
            self.found.append(each(waiting[:whole], RATE))
        self.rest = waiting[whole:]


def _compared(made: Soundtrack, code: ltc.Ltc | str) -> Blocks:
    """The first sound as it is compared with other recordings: its channels mixed, without one that plays timecode."""
    for stream, _ in made.streams:
        left = [c for c in range(stream.channels) if not _plays(code, stream.number, c)]
        if left:
            break
    else:
        return
    slower = av.AudioResampler(format="fltp", layout="mono", rate=syncing.RATE)
    taken = 0
    held: Any = np.memmap(stream.path, "<i2", "r").reshape(-1, stream.channels)
    for first in range(0, len(held), RATE):
        part = held[first : first + RATE, left].mean(1, dtype=np.float32, keepdims=True) / np.float32(32768)
        block = sound.Block(at=made.offset + Fraction(first, RATE), samples=part, rate=RATE)
        for frame in slower.resample(sound.frame_of(block, "mono", first)):
            samples = np.ascontiguousarray(frame.to_ndarray().T, np.float32)
            yield sound.Block(at=made.offset + Fraction(taken, syncing.RATE), samples=samples, rate=syncing.RATE)
            taken += len(samples)


def _plays(code: ltc.Ltc | str, stream: int, channel: int) -> bool:
    return isinstance(code, ltc.Ltc) and (code.stream, code.channel) == (stream, channel)


def _loudness(path: Path, blocks: Blocks) -> Measure:
    try:
        found = loudness.measure_blocks(blocks)
    except Exception as error:  # noqa: BLE001 - as above
        return Measure(name="loudness", cannot_tell=refusal(path, error)["cause"])
    if found.integrated_lufs is None:
        return Measure(name="loudness", cannot_tell="there is nothing to hear")
    value: Json = {
        "integrated_lufs": found.integrated_lufs, "range_lu": found.range_lu, "true_peak_dbtp": found.true_peak_dbtp,
        "momentary_max_lufs": found.momentary_max_lufs, "short_term_max_lufs": found.short_term_max_lufs,
    }  # fmt: skip
    return Measure(name="loudness", value=value)


class _Quiet:
    """Silences the channel that plays timecode, which nobody hears in a film, from the first block on: those of the
    first seconds wait until that is known. `channel`: the one that was silenced."""

    def __init__(self, codes: list[ltc.Reader]) -> None:
        self.codes = codes
        self.channel: int | None = None

    def passing(self, blocks: Blocks) -> Blocks:
        """The blocks that the first of those who listen for timecode has heard before."""
        first, broke = list[sound.Block](), None
        try:
            first += islice(blocks, WAIT)
        except Exception as error:  # noqa: BLE001 - what could be read before is heard, then it is raised
            broke = error
        found = self.codes[0].found()
        if isinstance(found, ltc.Ltc) and first and first[0].samples.shape[1] > 1:
            self.channel = found.channel
        for block in chain(first, () if broke else blocks):
            yield _silenced(block, self.channel)
        if broke is not None:
            raise broke


def _silenced(block: sound.Block, channel: int | None) -> sound.Block:
    if channel is None:
        return block
    samples = np.array(block.samples, np.float32)
    samples[:, channel] = 0
    return replace(block, samples=samples)


def _again(made: Soundtrack, path: Path, facts: Contents, channel: int | None) -> "_Still":
    """Measures the first stream once more: what plays timecode began late, or was taken for it at first and is none."""
    still = _Still(facts.sounds[0].channels)
    blocks = (_silenced(b, channel) for b in sound.blocks(path, facts=facts, stream=facts.sounds[0].index))
    _replace(made, _loudness(path, _also(blocks, still.hear)))
    return still


def _replace(made: Soundtrack, measure: Measure) -> None:
    made.measures = [*(m for m in made.measures if m.name != measure.name), measure]


def _of_code(fault: Fault, code: ltc.Ltc | str, facts: Contents) -> bool:
    """Whether a fault of the first sound is of the channel that plays timecode, a square wave as loud as can be."""
    if isinstance(code, str) or code.stream:
        return False
    return facts.sounds[0].channels == 1 or fault.channel == code.channel


def _timecode(found: ltc.Ltc | str, facts: Contents) -> tuple[list[Measure], list[str]]:
    """The timecode that some channel plays, and in words what it says beside the file's own."""
    if found == ltc.NONE:
        return [], []
    if isinstance(found, str):
        return [Measure(name="clip.ltc", cannot_tell=found)], []
    told = (
        f"Sound {found.stream + 1}, channel {found.channel + 1} plays timecode: {found.label} at "
        f"{float(found.rate):.6g} frames a second"
    )
    off = _differs(found, facts)
    if off is not None:
        own = "as the file says" if abs(off) < 1 / found.rate else f"the file says {facts.timecode}, {off:+.3f} s"
        told = f"{told}, {own}"
    if found.stream == 0 and facts.sounds[0].channels > 1:
        told = f"{told}; it counts neither as loud nor as sound between words"
    value = found.json | {"embedded_off_s": None if off is None else round(off, 4)}
    return [Measure(name="clip.ltc", value=value)], [f"{told}."]


def _differs(found: ltc.Ltc, facts: Contents) -> float | None:
    """By how many seconds of the day the file's own timecode lies later; None where it has none."""
    if facts.timecode is None or facts.timecode_rate is None:
        return None
    try:
        own = timecode.frame_of(facts.timecode, facts.timecode_rate) / facts.timecode_rate
    except ValueError:
        return None
    return (float(own) - (found.day_s - found.into_s) + ltc.DAY_S / 2) % ltc.DAY_S - ltc.DAY_S / 2


def _also(blocks: Blocks, *others: Callable[[sound.Block], None]) -> Blocks:
    """Blocks that are heard by several, decoded once."""
    for block in blocks:
        for hear in others:
            hear(block)
        yield block


class _Still:
    """Levels for cutting, at their own rate."""

    def __init__(self, channels: int) -> None:
        self.meter, self.taken = level.Meter(), 0
        self.layout = sound.LAYOUTS.get(channels, f"{channels}c")
        self.other = av.AudioResampler(format="fltp", layout=self.layout, rate=level.RATE)
        self.at: Fraction | None = None

    def hear(self, block: sound.Block) -> None:
        """Takes a block at the rate of the stream."""
        self.at = block.at if self.at is None else self.at
        if block.rate == level.RATE:
            self.meter.hear(block.samples, self.at)
            return
        self._take(self.other.resample(sound.frame_of(block, self.layout, self.taken)))
        self.taken += len(block.samples)

    def done(self) -> level.Levels | None:
        """Of all that was taken; None where nothing was."""
        if self.at is None:
            return None
        if self.taken:
            self._take(self.other.resample(None))
        return self.meter.done()

    def _take(self, frames: list[Any]) -> None:
        for frame in frames:
            self.meter.hear(np.ascontiguousarray(frame.to_ndarray().T, np.float32), self.at or Fraction(0))


def faults(name: str, path: Path, find: Callable[[], list[Fault]]) -> Measure:
    """Spans that are likely faults, in order, with their chance."""
    try:
        found = told(find())
    except Exception as error:  # noqa: BLE001 - as above
        return Measure(name=name, cannot_tell=refusal(path, error)["cause"])
    return Measure(name=name, value=list[Json](f.plain() for f in found))
