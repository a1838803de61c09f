"""Brings a programme to a loudness by one measured gain; only what would pass the ceiling is limited. What counts is
measured on the encoded file: codecs overshoot."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import scipy  # its `signal` comes when it is asked for: it takes a second
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d

from safelight.errors import UsageError
from safelight.files import written_whole
from safelight.media import loudness, origin, signing, sound
from safelight.media.loudness import Loudness, Speech, Target
from safelight.media.sound import LAYOUTS, Block, Samples, frame_of

CODECS = {
    ".wav": "pcm_s24le", ".flac": "flac", ".m4a": "aac", ".mp4": "aac", ".mp3": "libmp3lame", ".opus": "libopus",
}  # fmt: skip
TRIES = 6
LOOK_S = 0.02  # the limiter's window: it turns down so long before a peak and up so long after
CONTEXT_S = 0.1
CLOSE_LU = 0.05
MARGIN_DB = 0.05
NOBODY = "{}: nobody is heard to speak, so that the loudness of dialogue cannot be measured."
MOST_LIMITED_DB = 12.0  # beyond, more gain is only more limiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Levelled:
    """What was done: gain, and by how much peaks were turned down at most; before and after are measured, `after` on
    the encoded file. `passed_through`: there was nothing to hear."""

    gain_db: float
    limited_db: float
    before: Loudness
    after: Loudness
    passed_through: bool = False
    told: tuple[str, ...] = ()  # where it comes from, and what of the original's papers does not come along

    def notes(self, target: Target) -> list[str]:
        """In words."""
        if self.passed_through:
            return ["There is nothing to hear; it was passed through.", *self.told]
        found = [f"Gain {self.gain_db:+.1f} dB."]
        if self.limited_db:
            found.append(f"Peaks were turned down by up to {self.limited_db:.1f} dB to stay below the ceiling.")
        loud = self.after.counted(dialogue=target.dialogue)
        if target.dialogue and loud is not None:
            found.append(f"Its dialogue is at {loud:.1f} LUFS, by an estimate of where somebody speaks.")
        if loud is not None and abs(loud - target.lufs) > target.tolerance_lu:
            found.append(f"It comes to {loud:.1f} LUFS, not {target.lufs:g}: more would have to be limited too hard.")
        return [*found, *self.told]


def level(
    path: Path, out: Path, target: Target, *, stream: int | None = None, original: Path | None = None,
    before_it: Sequence[str] = (), speech: Speech | None = None,
) -> Levelled:  # fmt: skip
    """Writes the sound of `path` to `out` at the target; sample rate and channels are kept, dynamics too but for
    limited peaks. `original`: whose papers it takes, where `path` itself was made from another file;
    `before_it`: what was done to it then; `speech`: where somebody speaks, for a target that counts that alone.

    Raises UsageError for an ending that cannot be written, a certificate that cannot sign, or where dialogue counts and
    nobody speaks; NotMedia where there is no sound."""
    codec = CODECS.get(out.suffix.lower())
    if codec is None:
        raise UsageError(
            f"Sound is not written as {out.suffix or 'a file without ending'}.", remedy=f"Use {', '.join(CODECS)}."
        )
    if out.exists() and out.samefile(path):
        raise UsageError(f"{out.name} is the original.", remedy="Give another name; originals are never written to.")
    signing.ready()
    before = loudness.measure(path, stream=stream, speech=speech)
    if target.dialogue and before.integrated_lufs is not None and before.dialogue_lufs is None:
        raise UsageError(NOBODY.format(path.name), remedy="Take a target that counts the whole sound.")
    with written_whole(out) as place:
        done = _until_right(
            _Job(path=path, place=place, codec=codec, stream=stream, before=before, speech=speech), target
        )
        how = [*before_it, *([] if done.passed_through else [f"Brought to {target.lufs:g} LUFS by one gain."])]
        told = origin.tell_of_sound(place, out, original or path, how=" ".join(how) or None)
    return replace(done, told=told)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    path: Path
    place: Path
    codec: str
    stream: int | None
    before: Loudness
    speech: Speech | None


def _until_right(job: _Job, target: Target) -> Levelled:
    """Renders, measures what was encoded, and corrects gain and ceiling by what is missing."""
    loud = job.before.counted(dialogue=target.dialogue)
    if loud is None:
        return _render(job, gain=0.0, ceiling=None)
    search = Search(
        lufs=target.lufs, ceiling_dbtp=target.ceiling_dbtp, gain=target.lufs - loud, dialogue=target.dialogue
    )
    return search.settled(lambda gain, ceiling: _render(job, gain=gain, ceiling=ceiling), name=job.path.name)


class Search:
    """Looks for the gain and the limiter's ceiling that meet a loudness once all is encoded, of the `dialogue` or of
    all of it; None: the gain stays, and only the ceiling is looked for. The ceiling goes first."""

    def __init__(self, *, lufs: float | None, ceiling_dbtp: float, gain: float, dialogue: bool = False) -> None:
        self.dialogue = dialogue
        self.lufs, self.wanted_dbtp, self.gain, self.ceiling = lufs, ceiling_dbtp, gain, ceiling_dbtp - MARGIN_DB
        self.tries = 0
        self.best: tuple[float, float, float] | None = None  # miss, gain, ceiling of the best that holds the ceiling
        self.last: tuple[float, float] | None = None  # gain and loudness of the last try

    def settled(self, render: Callable[[float, float], Levelled], *, name: str) -> Levelled:
        """The first rendering (of a gain and a ceiling) that will do, or the best. Raises UsageError where none holds
        the ceiling."""
        while self.tries < 2 * TRIES:
            done = render(self.gain, self.ceiling)
            if self._learn(done):
                return done
            if self.tries > TRIES and self.best is not None:
                return render(self.best[1], self.best[2])
        raise UsageError(
            f"{name} could not be kept below {self.wanted_dbtp:g} dBTP once it is encoded.", remedy="Write WAV or FLAC."
        )

    def _learn(self, done: Levelled) -> bool:
        """Whether this rendering will do; else where to look next."""
        loud = done.after.counted(dialogue=self.dialogue)
        off = 0.0 if self.lufs is None or loud is None else self.lufs - loud
        over = (done.after.true_peak_dbtp or -99.0) - self.wanted_dbtp
        settled = abs(off) <= CLOSE_LU or done.limited_db > MOST_LIMITED_DB
        if over <= 0 and settled:
            return True
        if over <= 0 and (self.best is None or abs(off) < self.best[0]):
            self.best = abs(off), self.gain, self.ceiling
        slope = 1.0
        if self.last is not None and loud is not None and abs(self.gain - self.last[0]) > CLOSE_LU:
            slope = min(max((loud - self.last[1]) / (self.gain - self.last[0]), 0.25), 1.0)
        self.last = None if loud is None else (self.gain, loud)
        self.tries += 1
        if over > 0:
            self.ceiling -= over + MARGIN_DB * self.tries
        if not settled and self.tries <= TRIES:
            self.gain += off / slope
        return False


def _render(job: _Job, *, gain: float, ceiling: float | None) -> Levelled:
    """One rendering, encoded and measured."""
    limiter = Limiter(ceiling) if ceiling is not None else None
    made: Iterable[Block] = sound.blocks(job.path, stream=job.stream)
    if limiter is not None:
        louder = (replace(b, samples=b.samples * np.float32(10 ** (gain / 20))) for b in made)
        made = limiter.limit(louder)
    encode(job.place, made, codec=job.codec)
    return Levelled(
        gain_db=gain, limited_db=limiter.most_db if limiter else 0.0, before=job.before,
        after=loudness.measure(job.place, speech=job.speech), passed_through=limiter is None,
    )  # fmt: skip


class Limiter:
    """Turns down what would pass a ceiling (dBTP) at four times the sample rate, all channels alike, smoothly over
    twice 20 ms; everything else stays as it is, sample by sample."""

    def __init__(self, ceiling_dbtp: float) -> None:
        self.ceiling = 10 ** (ceiling_dbtp / 20)
        self.most_db = 0.0

    def limit(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The blocks, limited; each is held until the next has come."""
        before: Block | None = None
        held: Block | None = None
        for block in blocks:
            if held is not None:
                yield self._one(before, held, block)
            before, held = held, block
        if held is not None:
            yield self._one(before, held, None)

    def _one(self, before: Block | None, block: Block, after: Block | None) -> Block:
        reach = int(CONTEXT_S * block.rate)
        head = before.samples[-reach:] if before is not None else block.samples[:0]
        tail = after.samples[:reach] if after is not None else block.samples[:0]
        gain = self._gain(np.concatenate([head, block.samples, tail]), block.rate)
        part = gain[len(head) : len(head) + len(block.samples)]
        self.most_db = max(self.most_db, -20 * float(np.log10(part.min(initial=1.0))))
        return replace(block, samples=block.samples * part[:, None])

    def _gain(self, samples: Samples, rate: int) -> NDArray[np.float32]:
        peaks = np.abs(scipy.signal.resample_poly(samples, 4, 1, axis=0)).max(1).reshape(-1, 4).max(1)
        peaks = np.maximum(peaks, np.abs(samples).max(1))
        if peaks.max(initial=0) <= self.ceiling:
            return np.ones(len(samples), np.float32)
        needed = np.minimum(1, self.ceiling / np.maximum(peaks, 1e-9))
        half = int(LOOK_S * rate)
        window = np.hanning(2 * half + 1)
        held = np.pad(minimum_filter1d(needed, 2 * half + 1, mode="nearest"), half, mode="edge")
        smooth = np.convolve(held, window / window.sum(), mode="valid")
        return np.asarray(np.minimum(smooth, needed), np.float32)


def encode(path: Path, blocks: Iterable[Block], *, codec: str) -> None:
    """Writes blocks as a file of one sound stream."""
    with av.open(str(path), "w", format=_MUXERS[path.suffix]) as out:
        stream: Any = None
        count = 0
        resampler: Any = None
        for block in blocks:
            if stream is None:
                layout = LAYOUTS.get(block.samples.shape[1], "stereo")
                rate = 48000 if codec == "libopus" else block.rate
                stream = out.add_stream(codec, rate=rate, layout=layout)
                if codec == "aac":
                    stream.bit_rate = 128_000 * min(block.samples.shape[1], 2)
                size = stream.codec_context.frame_size or None
                resampler = av.AudioResampler(
                    format=stream.codec_context.format, layout=layout, rate=rate, frame_size=size
                )
            frame = frame_of(block, LAYOUTS.get(block.samples.shape[1], "stereo"), count)
            count += len(block.samples)
            _send(out, stream, resampler.resample(frame))
        if stream is not None:
            _send(out, stream, resampler.resample(None))
            out.mux(stream.encode(None))


def _send(out: Any, stream: Any, frames: list[Any]) -> None:
    for frame in frames:
        out.mux(stream.encode(frame))


_MUXERS = {".wav": "wav", ".flac": "flac", ".m4a": "ipod", ".mp4": "mp4", ".mp3": "mp3", ".opus": "ogg"}
