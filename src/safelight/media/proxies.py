"""Light copies of clips for playing and scrubbing, and the peaks of their sound. Both can be made again at any time.

A proxy shows what the clip shows when it shows it: frame by frame at the clip's own times, whose zero is its first
frame (of a sound its first sample). It is upright, of square pixels, without fields, with HDR tone-mapped for looking.

VP9 and Opus in MP4. Every current browser plays them without a licence, libvpx and libopus are BSD, and MP4 keeps the
clip's own clock where WebM would round times to milliseconds.
"""

import json
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from safelight.domain import Json, digest_of, exact
from safelight.errors import MediaError, Truncated
from safelight.files import json_text, write_atomic, written_whole
from safelight.media import container, hdr, sound, video, waveform
from safelight.media.container import Contents, PictureStream
from safelight.media.formats import unreadable
from safelight.media.sound import Block, Holes
from safelight.media.video import Trouble

MADE = 1  # another number means making all proxies anew
HEIGHT = 540  # px, the shorter side
KEY_S = Fraction(1, 2)  # a key frame at least so often: what scrubbing has to decode
PICTURE, SOUND, SOUND_RATE = "libvpx-vp9", "libopus", 48_000
OPTIONS = {"deadline": "realtime", "cpu-used": "8", "crf": "36", "lag-in-frames": "0", "row-mt": "1"}
SOUND_BITS = 64_000  # a second and channel
CLOCK = 90_000  # ticks a second, for clips whose own clock MP4 cannot count by
MOST_TICKS = 10_000_000
BLOCK = 4800  # samples that are encoded at once
SPACES = {"bt709": "ITU709", "bt2020": "bt2020"}

Tell = Callable[[Fraction], None]
Progress = Generator[Fraction, None, None]  # to which instant of the clip it is written


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a proxy holds: how many frames, to which instant of the clip, and what the clip lost on the way."""

    frames: int
    end: Fraction
    notes: tuple[str, ...]


def proxy(source: Path, folder: Path, *, height: int = HEIGHT, tell: Tell = lambda _: None) -> Path:
    """A proxy of a clip or a sound in `folder`, made unless it is there. `height` is the shorter side in px; nothing is
    enlarged. A clip that breaks off is copied as far as it goes; `about` says so.

    `tell` is told how far it is, in seconds of the clip; whatever it raises ends the work and leaves nothing behind.
    Raises MediaError where nothing can be played.
    """
    place = folder / f"{_name(source, 'proxy', height)}.mp4"
    if place.exists() and _about(place).exists():
        return place
    facts = container.contents(source)
    with written_whole(place) as part:
        job = _Job(source, facts, height=height, tell=tell)
        job.write(part)
        write_atomic(_about(place), json_text(job.told()).encode())
    return place


def about(place: Path) -> About:
    """What is known of a proxy."""
    told = json.loads(_about(place).read_text("utf-8"))
    return About(frames=told["frames"], end=Fraction(told["end"]), notes=tuple(told["notes"]))


def peaks(
    source: Path, folder: Path, *, into: waveform.Peaks | None = None, tell: Tell = lambda _: None
) -> Path:  # fmt: skip
    """The peaks of a file's first sound in `folder`, made unless they are there: a hundred pairs (lowest, highest) a
    second from the clip's zero on, 16 bits each, little-endian.

    `into` can be read while they are made; `tell` is as for `proxy`. Raises NotMedia where there is no sound."""
    place = peaks_place(source, folder)
    if not place.exists():
        heard = into if into is not None else waveform.Peaks()
        for block in sound.blocks(source):
            heard.hear(block)
            tell(block.at)
        write_atomic(place, heard.data)
    return place


def peaks_place(source: Path, folder: Path) -> Path:
    """Where they lie."""
    return folder / f"{_name(source, 'peaks')}.peaks"


def _name(source: Path, *what: Json) -> str:
    """Two files never share a name here, nor does a file that was changed keep its own."""
    try:
        stat = source.stat()
    except OSError as error:
        raise unreadable(source, error) from error
    return digest_of([MADE, os.fsencode(source.resolve()).hex(), stat.st_size, stat.st_mtime_ns, *what])[:24]


def _about(place: Path) -> Path:
    return place.with_suffix(".json")


@dataclass(slots=True)
class _Job:
    """One proxy as it is written."""

    source: Path
    facts: Contents
    height: int = field(kw_only=True)
    tell: Tell = field(kw_only=True)
    trouble: Trouble = field(default_factory=lambda: Trouble(sizes=set()))
    holes: Holes = field(default_factory=Holes)
    frames: int = 0
    end: Fraction = Fraction(0)

    def write(self, place: Path) -> None:
        """Writes it; picture and sound in step, so that neither has to be held."""
        with av.open(str(place), "w", options={"movflags": "+faststart"}) as out:
            shown = self._picture(out, self.facts.picture) if self.facts.picture else _nothing()
            heard = self._sound(out) if self.facts.sounds else _nothing()
            with closing(shown), closing(heard):
                until = next(heard, None)
                for at in shown:
                    self.tell(at)
                    while until is not None and until <= at:
                        until = next(heard, None)
                for at in heard:
                    self.tell(at)
        if not self.frames and not self.end:
            raise Truncated(f"{self.source.name} has nothing to play.", remedy="Copy it from the card again.")

    def told(self) -> dict[str, Json]:
        """What `about` reads."""
        notes = [*self.facts.notes, *self.trouble.notes(), *self.holes.notes()]
        if len(self.facts.sounds) > 1:
            notes.append(f"Of its {len(self.facts.sounds)} sounds the first is heard.")
        return {"frames": self.frames, "end": exact(self.end), "notes": notes}

    # ------------------------------------------------------------ picture

    def _picture(self, out: Any, picture: PictureStream) -> Progress:
        width, height = _size(picture, self.height)
        base = Fraction(1, picture.time_base.denominator)
        if base.denominator > MOST_TICKS:
            base = Fraction(1, CLOCK)
        stream = out.add_stream(PICTURE, rate=picture.rate or 25, options=OPTIONS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.time_base = stream.time_base = base
        context.bit_rate, context.thread_count = 0, 2
        context.color_primaries = context.color_trc = context.colorspace = context.color_range = 1
        return self._shown(out, stream, picture, base)

    def _shown(self, out: Any, stream: Any, picture: PictureStream, base: Fraction) -> Progress:
        last, key = -1, Fraction(-1)
        decoded = video.decoded(self.source, picture, self.trouble, threads=2)
        for at, frame in _Whole(picture).passing(decoded) if picture.fields else decoded:
            ticks = round(at / base)
            if ticks <= last:
                continue  # it has the time of the one before and is never seen
            made = _fitted(frame, picture, (stream.width, stream.height))
            made.pts, made.time_base, last = ticks, base, ticks
            made.pict_type = av.video.frame.PictureType.I if at - key >= KEY_S or key < 0 else 0
            key = at if made.pict_type else key
            out.mux(stream.encode(made))
            self.frames += 1
            self.end = max(self.end, at)
            yield at
        out.mux(stream.encode(None))

    # ------------------------------------------------------------ sound

    def _sound(self, out: Any) -> Progress:
        channels = self.facts.sounds[0].channels if self.facts.sounds[0].channels <= 2 else 1
        layout = sound.LAYOUTS[channels]
        stream = out.add_stream(SOUND, rate=SOUND_RATE, layout=layout)
        stream.bit_rate = SOUND_BITS * channels
        return self._heard(out, stream, layout, mono=channels == 1)

    def _heard(self, out: Any, stream: Any, layout: str, *, mono: bool) -> Progress:
        """Sound from the clip's zero on: what is before is left out, where it begins later there is silence."""
        resampler = av.AudioResampler(
            format=stream.codec_context.format, layout=layout, rate=SOUND_RATE, frame_size=960
        )
        count = 0
        blocks = sound.blocks(self.source, rate=SOUND_RATE, mono=mono, facts=self.facts, holes=self.holes)
        for block in self._first(blocks, 1 if mono else 2):
            for start in range(0, len(block), BLOCK):
                part = np.ascontiguousarray(block[start : start + BLOCK])
                made = sound.frame_of(Block(at=Fraction(0), samples=part, rate=SOUND_RATE), layout, count)
                count += len(part)
                for frame in resampler.resample(made):
                    out.mux(stream.encode(frame))
                yield Fraction(count, SOUND_RATE)
        for frame in resampler.resample(None):
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        self.end = max(self.end, Fraction(count, SOUND_RATE))

    def _first(self, blocks: Iterator[Block], channels: int) -> Iterator[sound.Samples]:
        """The samples from the clip's zero on."""
        began = False
        try:
            for block in blocks:
                first = round(block.at * SOUND_RATE)
                if not began and first > 0:
                    yield from (np.zeros((min(BLOCK, first - n), channels), np.float32) for n in range(0, first, BLOCK))
                began = True
                yield block.samples[max(-first, 0) :]
        except MediaError as error:
            if self.facts.picture is None:
                raise
            self.holes.ended_early = error.cause


def _nothing() -> Progress:
    yield from ()


def _size(picture: PictureStream, height: int) -> tuple[int, int]:
    """Even width and height of the upright picture in square pixels, its shorter side `height` or as it is."""
    wide, high = picture.width * picture.aspect, Fraction(picture.height)
    scale = min(Fraction(1), Fraction(height) / min(wide, high))
    return max(round(wide * scale / 2) * 2, 2), max(round(high * scale / 2) * 2, 2)


class _Whole:
    """Frames without the comb of their fields: as many, at the same times. FFmpeg's `bwdif` needs one frame ahead."""

    def __init__(self, picture: PictureStream) -> None:
        self.base = picture.time_base
        self.parity = "tff" if picture.fields == "top" else "bff"
        self.graph: Any = None
        self.like: tuple[int, int, str] | None = None
        self.times: list[Fraction] = []

    def passing(self, decoded: Iterator[tuple[Fraction, Any]]) -> Iterator[tuple[Fraction, Any]]:
        """The frames, woven anew."""
        for at, frame in decoded:
            like = frame.width, frame.height, frame.format.name
            if like != self.like:
                yield from self._rest()
                self._build(frame)
                self.like = like
            self.times.append(at)
            frame.pts, frame.time_base = round(at / self.base), self.base
            self.graph.vpush(frame)
            yield from self._out()
        yield from self._rest()

    def _build(self, frame: Any) -> None:
        graph = av.filter.Graph()
        source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=self.base)
        weave = graph.add("bwdif", f"mode=send_frame:parity={self.parity}:deint=all")
        graph.link_nodes(source, weave, graph.add("buffersink")).configure()
        self.graph = graph

    def _rest(self) -> Iterator[tuple[Fraction, Any]]:
        if self.graph is not None:
            self.graph.vpush(None)
            yield from self._out()
            self.times.clear()

    def _out(self) -> Iterator[tuple[Fraction, Any]]:
        while True:
            try:
                frame = self.graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            yield self.times.pop(0), frame


def _fitted(frame: Any, picture: PictureStream, size: tuple[int, int]) -> Any:
    """A frame upright in the size of the proxy, 8 bits, BT.709 of limited range."""
    width, height = (size[1], size[0]) if picture.rotation % 180 else size
    if picture.hdr:
        deep = frame.reformat(width=width, height=height, format="rgb48le", interpolation="AREA").to_ndarray()
        frame = av.VideoFrame.from_ndarray(hdr.for_looking(deep, picture.hdr), format="rgb24")
        made = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range=1)
    else:
        made = frame.reformat(
            width=width, height=height, format="yuv420p", interpolation="AREA", dst_colorspace="ITU709",
            src_colorspace=SPACES.get(video.matrix(picture), "ITU601"), dst_color_range=1,
        )  # fmt: skip
    return _turned(made, picture.rotation // 90) if picture.rotation else made


def _turned(frame: Any, quarters: int) -> Any:
    """A frame of yuv420p turned counter-clockwise."""
    planes = []
    for plane, (width, height) in zip(
        frame.planes, ((frame.width, frame.height), *((frame.width // 2, frame.height // 2),) * 2), strict=True
    ):
        kept = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:height, :width]
        planes.append(np.rot90(kept, quarters).ravel())
    width = frame.height if quarters % 2 else frame.width
    return av.VideoFrame.from_ndarray(np.concatenate(planes).reshape(-1, width), format="yuv420p")
