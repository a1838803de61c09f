"""A programme as a film: exact frames, sound as loud as it was, faded for 10 ms where ranges meet.

Pictures of a codec in which the wanted ranges stand by themselves are copied, packet by packet; else they are encoded
once, in the pixels, shape and colour tags of the first clip. What was made is read back and counted before it appears.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from safelight.cutting.assembly import Assembly, Material, Piece
from safelight.cutting.joined import FADE_S
from safelight.errors import MediaError, UsageError
from safelight.files import PART
from safelight.media import container, loudness, sound
from safelight.media.loudness import LAYOUTS
from safelight.media.sound import Block, Samples
from safelight.media.xmp import has_credentials
from safelight.words import many

FILMS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
SOUNDS = {".wav": ("wav", "pcm_s24le"), ".flac": ("flac", "flac"), ".m4a": ("ipod", "aac")}
SOUND_OF = {".mp4": "aac", ".mov": "pcm_s24le", ".mkv": "flac"}
AAC_BITS = 160_000  # a second and channel
QUALITY = {False: {"crf": "16", "preset": "medium"}, True: {"crf": "28", "preset": "veryfast"}}
PREVIEW_SIDE = 960  # px, long side
KEPT_PIXELS = (
    "yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le",
)  # fmt: skip
BLOCK = 4800  # samples that are encoded at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What was written. `copied`: frame ranges of clips, by number, whose pictures were not encoded again."""

    file: str
    frames: int
    samples: int
    copied: tuple[tuple[int, int, int], ...]
    encoded: tuple[tuple[int, int, int], ...]
    notes: tuple[str, ...]


def render(
    made: Assembly, out: Path, *, preview: bool = False, tell: Callable[[str], None] = lambda _: None
) -> Rendered:  # fmt: skip
    """Writes a programme to `out`; its ending says what is written. Tracks above the first picture are left out, since
    what lies there is only offered. Raises UsageError, MediaError."""
    ending = out.suffix.lower()
    if ending not in FILMS and ending not in SOUNDS:
        raise UsageError(
            f"A film is not written as {out.suffix or 'a file without ending'}.",
            remedy=f"Use {', '.join((*FILMS, *SOUNDS))}.",
        )
    for material in made.materials:
        if out.exists() and material.path.exists() and out.samefile(material.path):
            raise UsageError(f"{out.name} is the original.", remedy="Give another name.")
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=PART, suffix=ending)
    os.close(handle)
    place = Path(name)
    try:
        job = _Job(made, place, preview=preview, tell=tell)
        job.run()
        rendered = _checked(job, out.name)
        place.chmod(0o644)
        place.replace(out)
    finally:
        place.unlink(missing_ok=True)
    return rendered


def _checked(job: "_Job", name: str) -> Rendered:
    """Counts what was written. Raises MediaError where that is not what was meant."""
    made = job.made
    wanted = made.programme.length if job.pictures else 0
    facts = container.contents(job.place)
    if bool(facts.picture) != bool(wanted) or bool(facts.sounds) != bool(job.heard):
        raise MediaError(f"{name} came out without its picture or its sound.", remedy="Render it as another format.")
    if facts.picture:
        frames = len(container.timing(job.place, stream=facts.picture.index).pts)
        if frames != wanted:
            raise MediaError(
                f"{name} came out with {frames} frames, not {wanted}.", remedy="Render it as another format."
            )
    ranges = tuple((p.clip, p.start, p.end) for p in made.pieces if job.pictures)
    return Rendered(
        file=name,
        frames=wanted,
        samples=job.samples,
        copied=ranges if job.copied else (),
        encoded=() if job.copied else ranges,
        notes=tuple(job.notes),
    )


class _Job:
    """One film as it is written."""

    def __init__(self, made: Assembly, place: Path, *, preview: bool, tell: Callable[[str], None]) -> None:
        self.made, self.place, self.preview, self.tell = made, place, preview, tell
        self.rate = made.programme.rate
        is_film = place.suffix.lower() in FILMS
        self.pictures = [m for m in made.materials if m.facts.picture] if is_film else []
        self.heard = [m for m in made.materials if m.facts.sounds]
        self.notes: list[str] = []
        self.copied = False
        self.samples = 0

    def run(self) -> None:
        """Writes it."""
        ending = self.place.suffix.lower()
        if not self.pictures and not self.heard:
            raise UsageError("There is neither picture nor sound to render.", remedy="Name clips.")
        if ending in FILMS and not self.pictures:
            raise UsageError("These clips have no picture.", remedy=f"Render a sound: {', '.join(SOUNDS)}.")
        if ending in SOUNDS and not self.heard:
            raise UsageError("These clips have no sound.", remedy=f"Render a film: {', '.join(FILMS)}.")
        source = _copyable(self.made) if self.pictures and not self.preview else "it is a preview"
        self._lost()
        form = FILMS[ending] if ending in FILMS else SOUNDS[ending][0]
        with av.open(str(self.place), "w", format=form) as out:
            picture = self._picture(out, source) if self.pictures else iter(())
            heard = self._sound(out) if self.heard else iter(())
            _interleaved(out, picture, heard)

    def _lost(self) -> None:
        """What of the originals' papers does not come along."""
        for material in self.made.materials:
            if has_credentials(material.path):
                self.notes.append(
                    f"{material.path.name} carries content credentials (C2PA); they are about the original and are not "
                    "in what is rendered, which is not signed."
                )
            if material.facts.subtitles:
                self.notes.append(f"{material.path.name} has subtitles inside; they are not in what is rendered.")
            if len(material.facts.sounds) > 1:
                self.notes.append(f"Of {material.path.name} the first of {len(material.facts.sounds)} sounds is heard.")

    # ------------------------------------------------------------ picture

    def _picture(self, out: Any, source: "_Packets | str") -> Iterator[tuple[Fraction, list[Any]]]:
        if isinstance(source, str):
            self.notes.append(f"The picture is encoded anew: {source}.")
            return self._encoded(out)
        self.copied = True
        self.notes.append(f"The picture of all {many(len(self.made.pieces), 'range')} is copied as it is.")
        return _packets(out, source, self.made)

    def _encoded(self, out: Any) -> Iterator[tuple[Fraction, list[Any]]]:
        first = self.pictures[0]
        shape = _Shape.of(first, preview=self.preview)
        stream = out.add_stream("libx264", rate=self.rate, options=QUALITY[self.preview])
        stream.width, stream.height, stream.pix_fmt = shape.width, shape.height, shape.pixels
        stream.codec_context.sample_aspect_ratio = shape.aspect
        stream.codec_context.time_base = stream.time_base = 1 / self.rate
        picture = first.facts.picture
        if picture is not None and picture.rotation:
            stream.set_display_rotation(picture.rotation)
        if picture is not None and picture.fields:
            self.notes.append("The originals are interlaced; their fields stay together in whole frames.")
        return self._frames(stream, shape)

    def _frames(self, stream: Any, shape: "_Shape") -> Iterator[tuple[Fraction, list[Any]]]:
        number, told = 0, 0
        reader: _Reader | None = None
        for piece, count in zip(self.made.pieces, _lengths(self.made), strict=True):
            material = self.made.materials[piece.clip]
            if material.facts.picture and (reader is None or reader.material is not material):
                if reader is not None:
                    reader.close()
                reader = _Reader(material)
            for k in range(count):
                at = (piece.start + Fraction(k) * material.rate / self.rate) / material.rate
                frame = shape.fitted(reader.upright(at, shape.rotation) if material.facts.picture and reader else None)
                if number == 0:
                    coloured(stream, frame)
                frame.pts, frame.time_base = number, 1 / self.rate
                frame.pict_type = av.video.frame.PictureType.NONE
                yield Fraction(number) / self.rate, stream.encode(frame)
                number += 1
            if number * 10 // max(self.made.programme.length, 1) > told:
                told = number * 10 // self.made.programme.length
                self.tell(f"rendered {number} of {self.made.programme.length} frames")
        if reader is not None:
            reader.close()
        yield Fraction(number) / self.rate, stream.encode(None)

    # ------------------------------------------------------------ sound

    def _sound(self, out: Any) -> Iterator[tuple[Fraction, list[Any]]]:
        ending = self.place.suffix.lower()
        codec = SOUND_OF.get(ending) or SOUNDS[ending][1]
        stream_of = self.heard[0].facts.sounds[0]
        channels = min(stream_of.channels, 2) if codec == "aac" else stream_of.channels
        layout = LAYOUTS.get(channels, "stereo")
        rate = stream_of.rate if codec != "aac" or stream_of.rate in (44100, 48000) else 48000
        stream = out.add_stream(codec, rate=rate, layout=layout)
        if codec == "aac":
            stream.bit_rate = AAC_BITS * channels
        resampler = av.AudioResampler(
            format=stream.codec_context.format, layout=layout, rate=rate,
            frame_size=stream.codec_context.frame_size or None,
        )  # fmt: skip
        self.notes.append(
            f"The sound is encoded as {codec}, as loud as it was; where ranges meet it fades for "
            f"{float(FADE_S) * 1000:g} ms."
        )
        return self._heard(stream, resampler, rate, LAYOUTS.get(channels, "stereo"), channels)

    def _heard(
        self, stream: Any, resampler: Any, rate: int, layout: str, channels: int
    ) -> Iterator[tuple[Fraction, list[Any]]]:
        count = 0
        for samples in _samples(self.made, rate, channels):
            for start in range(0, len(samples), BLOCK):
                part = np.ascontiguousarray(samples[start : start + BLOCK])
                frame = loudness.frame_of(Block(at=Fraction(0), samples=part, rate=rate), layout, count)
                count += len(part)
                packets = [p for made in resampler.resample(frame) for p in stream.encode(made)]
                yield Fraction(count, rate), packets
        self.samples = count
        packets = [p for made in resampler.resample(None) for p in stream.encode(made)]
        yield Fraction(count, rate), [*packets, *stream.encode(None)]


def _interleaved(
    out: Any, one: Iterator[tuple[Fraction, list[Any]]], two: Iterator[tuple[Fraction, list[Any]]]
) -> None:
    """Writes both in step, so that neither has to be held."""
    streams = [one, two]
    waiting = [next(s, None) for s in streams]
    while any(w is not None for w in waiting):
        n = min((n for n, w in enumerate(waiting) if w is not None), key=lambda n: (waiting[n] or (Fraction(0),))[0])
        found = waiting[n]
        assert found is not None
        for packet in found[1]:
            out.mux(packet)
        waiting[n] = next(streams[n], None)


def _lengths(made: Assembly) -> list[int]:
    """Frames of the programme that each piece lasts."""
    ends = [*made.places[1:], made.programme.length]
    return [end - at for at, end in zip(made.places, ends, strict=True)]


# ---------------------------------------------------------------- frames


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """Size and pixels of the film."""

    width: int
    height: int
    pixels: str
    aspect: Fraction
    rotation: int  # degrees, counter-clockwise, by which its frames are turned to be upright

    @classmethod
    def of(cls, material: Material, *, preview: bool) -> "_Shape":
        picture = material.facts.picture
        assert picture is not None
        width, height = picture.width, picture.height
        if picture.rotation % 180:
            width, height = height, width
        scale = min(Fraction(1), Fraction(PREVIEW_SIDE, max(width, height))) if preview else Fraction(1)
        pixels = picture.pixels if picture.pixels in KEPT_PIXELS and not preview else "yuv420p"
        even = 2 if "444" not in pixels else 1
        sides = [max(round(side * scale / even) * even, 2) for side in (width, height)]
        wide, high = sides
        return cls(width=wide, height=high, pixels=pixels, aspect=picture.aspect, rotation=picture.rotation)

    def fitted(self, frame: Any | None) -> Any:
        """A frame in this shape; one of another shape is shown whole, between bars; None is black."""
        if frame is None:
            return _black(self)
        if (frame.width, frame.height, frame.format.name) == (self.width, self.height, self.pixels):
            return frame
        scale = min(Fraction(self.width, frame.width), Fraction(self.height, frame.height))
        width, height = (min(max(round(s * scale / 2) * 2, 2), most) for s, most in (
            (frame.width, self.width), (frame.height, self.height)))  # fmt: skip
        small = frame.reformat(width=width, height=height, format=self.pixels, interpolation="LANCZOS")
        return small if (width, height) == (self.width, self.height) else _barred(small, self)


def _black(shape: _Shape) -> Any:
    rgb = np.zeros((shape.height, shape.width, 3), np.uint8)
    return av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=shape.pixels)


def _barred(frame: Any, shape: _Shape) -> Any:
    rgb = np.zeros((shape.height, shape.width, 3), np.uint8)
    top, left = (shape.height - frame.height) // 2, (shape.width - frame.width) // 2
    rgb[top : top + frame.height, left : left + frame.width] = frame.to_ndarray(format="rgb24")
    return av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=shape.pixels)


def coloured(stream: Any, frame: Any) -> None:
    """The tags of the first frame as those of the film; must be set before anything is encoded."""
    context = stream.codec_context
    for name in ("color_primaries", "color_trc", "colorspace", "color_range"):
        setattr(context, name, getattr(frame, name))


class _Reader:
    """Frames of a clip by time: on from where it is, or from the key frame before."""

    AHEAD_S = 10  # read on rather than look for another key frame

    def __init__(self, material: Material) -> None:
        self.material = material
        picture = material.facts.picture
        assert picture is not None
        self.picture = picture
        self.source = av.open(str(material.path))
        self.stream = self.source.streams[picture.index]
        self.stream.codec_context.thread_count = 2
        self.reach = Fraction(1, 4) / material.rate  # times are rounded to the ticks of the container
        self._start(Fraction(0), seek=False)

    def _start(self, at: Fraction, *, seek: bool) -> None:
        if seek:
            ticks = int(at / self.picture.time_base) + self.picture.first_pts
            self.source.seek(max(ticks, 0), stream=self.stream, backward=True)
        self.frames = self.source.decode(self.stream)
        self.now: Any | None = None
        self.now_at: Fraction | None = None
        self.next: Any | None = next(self.frames, None)

    def frame(self, at: Fraction) -> Any:
        """The last frame that is presented at or before an instant; the first one before that."""
        if self.now_at is not None and not self.now_at - self.reach <= at < self.now_at + self.AHEAD_S:
            self._start(at, seek=True)
            if self.next is not None and self._at(self.next) > at + self.reach:
                self.source.seek(0)  # the index is wrong: from the beginning
                self._start(at, seek=False)
        while self.next is not None and (self.now is None or self._at(self.next) <= at + self.reach):
            self.now, self.now_at = self.next, self._at(self.next)
            self.next = next(self.frames, None)
        if self.now is None:
            raise MediaError(f"{self.material.path.name} shows nothing at {float(at):.2f} s.")
        return self.now

    def upright(self, at: Fraction, rotation: int) -> Any:
        """The frame at an instant, as a film holds it whose frames are turned by `rotation` to be upright."""
        frame, turns = self.frame(at), (self.picture.rotation - rotation) // 90 % 4
        if not turns:
            return frame
        rgb = np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), turns))
        return av.VideoFrame.from_ndarray(rgb, format="rgb24")

    def _at(self, frame: Any) -> Fraction:
        pts = frame.pts if frame.pts is not None else frame.dts or 0
        return (int(pts) - self.picture.first_pts) * self.picture.time_base

    def close(self) -> None:
        """Gives the file back."""
        self.source.close()


# ---------------------------------------------------------------- packets


@dataclass(frozen=True, slots=True, kw_only=True)
class _Packets:
    """Where each piece lies among the packets of the only clip, in the order of decoding: [first, last)."""

    material: Material
    spans: tuple[tuple[int, int], ...]
    firsts: tuple[int, ...]  # the pts with which each piece begins


def _copyable(made: Assembly) -> "_Packets | str":
    """The packets of the pieces where they stand by themselves, or why they do not."""
    shown = {p.clip for p in made.pieces}
    if len(shown) != 1:
        return "it is made of several clips"
    material = made.materials[shown.pop()]
    picture = material.facts.picture
    if picture is None or material.rate != made.programme.rate or picture.rate != material.rate:
        return "its frames are counted at another rate"
    with container.opened(material.path) as source:
        rows = [
            (int(p.pts), bool(p.is_keyframe)) for p in source.demux(source.streams[picture.index]) if p.pts is not None
        ]
    order = sorted(pts for pts, _ in rows)
    if made.pieces[-1].end > len(order) or max(p.end for p in made.pieces) > len(order):
        return "it has fewer frames than it says"
    number = {pts: n for n, pts in enumerate(order)}
    spans, firsts = [], []
    for piece in made.pieces:
        inside = [i for i, (pts, _) in enumerate(rows) if piece.start <= number[pts] < piece.end]
        alone = inside[-1] - inside[0] + 1 == len(inside) == piece.end - piece.start
        if not alone or not rows[inside[0]][1] or rows[inside[0]][0] != order[piece.start]:
            return f"{picture.codec} keeps frames in groups, and a range begins or ends inside one"
        spans.append((inside[0], inside[-1] + 1))
        firsts.append(order[piece.start])
    return _Packets(material=material, spans=tuple(spans), firsts=tuple(firsts))


def _packets(out: Any, source: _Packets, made: Assembly) -> Iterator[tuple[Fraction, list[Any]]]:
    """Copies packets; times follow the programme. Pieces that go back in the clip are read again."""
    picture = source.material.facts.picture
    assert picture is not None
    stream: Any = None
    for (first, last), begins, at in zip(source.spans, source.firsts, made.places, strict=True):
        with container.opened(source.material.path) as opened:
            template = opened.streams[picture.index]
            if stream is None:
                stream = out.add_stream_from_template(template)
            shift = round(at / made.programme.rate / picture.time_base) - begins
            number = -1
            for packet in opened.demux(template):
                if packet.pts is None:
                    continue
                number += 1
                if number < first:
                    continue
                if number >= last:
                    break
                packet.pts += shift
                packet.dts = packet.dts + shift if packet.dts is not None else packet.pts
                packet.stream = stream
                yield packet.pts * picture.time_base, [packet]


# ---------------------------------------------------------------- samples


def _samples(made: Assembly, rate: int, channels: int) -> Iterator[Samples]:
    """The sound of each piece, faded where it does not go on from the one before, exactly as long as its frames."""
    edges = [round(at / made.programme.rate * rate) for at in (*made.places, made.programme.length)]
    fade = int(FADE_S * rate)
    reader: _Listener | None = None
    for n, piece in enumerate(made.pieces):
        material = made.materials[piece.clip]
        length = edges[n + 1] - edges[n]
        if not material.facts.sounds:
            yield np.zeros((length, channels), np.float32)
            continue
        first = round(piece.start / material.rate * rate)
        if reader is None or reader.material is not material or first < reader.first:
            reader = _Listener(material, rate)
        part = _in_channels(reader.read(first, length), channels)
        if n and not _goes_on(made.pieces, n - 1):
            part[:fade] *= np.linspace(0, 1, len(part[:fade]), dtype=np.float32)[:, None]
        if n + 1 < len(made.pieces) and not _goes_on(made.pieces, n):
            part[-fade:] *= np.linspace(1, 0, len(part[-fade:]), dtype=np.float32)[:, None]
        yield part


def _goes_on(pieces: Sequence[Piece], n: int) -> bool:
    return pieces[n].clip == pieces[n + 1].clip and pieces[n].end == pieces[n + 1].start


class _Listener:
    """Samples of a clip in order, read on."""

    def __init__(self, material: Material, rate: int) -> None:
        self.material = material
        self.blocks = sound.blocks(material.path, rate=rate, facts=material.facts)
        self.rate = rate
        self.first = -rate * 3600  # the earliest sample that is still at hand
        self.held: list[tuple[int, Samples]] = []

    def read(self, first: int, length: int) -> Samples:
        """`length` samples from `first` on; where there are none, silence."""
        last = first + length
        while not self.held or self.held[-1][0] + len(self.held[-1][1]) < last:
            block = next(self.blocks, None)
            if block is None:
                break
            self.held.append((round(block.at * self.rate), block.samples))
        self.held = [(at, s) for at, s in self.held if at + len(s) > first]
        self.first = first
        width = self.held[0][1].shape[1] if self.held else self.material.facts.sounds[0].channels
        out = np.zeros((length, width), np.float32)
        for at, samples in self.held:
            low, high = max(at, first), min(at + len(samples), last)
            if low < high:
                out[low - first : high - first] = samples[low - at : high - at]
        return out


def _in_channels(samples: Samples, channels: int) -> Samples:
    if samples.shape[1] == channels:
        return samples
    return np.repeat(samples.mean(1, keepdims=True), channels, 1).astype(np.float32)
