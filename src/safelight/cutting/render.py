"""A programme as a film: exact frames, sound as loud as it was, faded for 10 ms where ranges meet.

Pictures of a codec in which the wanted ranges stand by themselves are copied, packet by packet; else they are encoded
once, in the pixels, shape and colour tags of the first clip. What was made is read back and counted before it appears.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any

import av
import numpy as np

from safelight.cutting import copying, encoding, grading, mixing
from safelight.cutting.assembly import Assembly, Material
from safelight.cutting.copying import Spans
from safelight.cutting.encoding import Encoder
from safelight.cutting.joined import FADE_S
from safelight.cutting.reading import Reader, Rework
from safelight.domain import Measure
from safelight.errors import MediaError, UsageError
from safelight.files import PART, written_whole
from safelight.media import container, loudness, origin, signing
from safelight.media.effects import Clear, Level, Repairs, Steady
from safelight.media.signing import Deed
from safelight.media.sound import LAYOUTS, Block, Samples, frame_of
from safelight.words import many

FILMS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
SOUNDS = {".wav": ("wav", "pcm_s24le"), ".flac": ("flac", "flac"), ".m4a": ("ipod", "aac")}
SOUND_OF = {".mp4": "aac", ".mov": "pcm_s24le", ".mkv": "flac"}
AAC_BITS = 160_000  # a second and channel
PREVIEW_SIDE = 960  # px, long side
COLOUR = ("color_primaries", "color_trc", "colorspace", "color_range")  # of a frame
BLOCK = 4800  # samples that are encoded at once
NO_REWORKS: Mapping[Path, Rework] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What was written. `copied`: frame ranges of clips, by number, whose pictures were not encoded again; `origin`:
    where it comes from (IPTC DigitalSourceType, None: cannot be told), said in the file or in `sidecar`; `measures`:
    what was done to the sound, measured on the file."""

    file: str
    frames: int
    samples: int
    copied: tuple[tuple[int, int, int], ...]
    encoded: tuple[tuple[int, int, int], ...]
    notes: tuple[str, ...]
    origin: str | None = None
    sidecar: str | None = None
    measures: tuple[Measure, ...] = ()


def render(
    made: Assembly, out: Path, *, preview: bool = False, tell: Callable[[str], None] = lambda _: None,
    cleaner: Mapping[str, Path] | None = None, hears: mixing.Hears = mixing.deaf,
    reworks: Mapping[Path, Rework] = NO_REWORKS,
) -> Rendered:  # fmt: skip
    """Writes a programme to `out`; its ending says what is written. Of the cutaways those are shown that are enabled:
    the others are only offered. `cleaner`: the weights that turn noise down, where a repair asks for that; `hears`: who
    tells where somebody speaks, where the loudness of dialogue is asked for;
    `reworks`: what is done to the pictures of clips that are to be steadied or cleared, by their paths, for every such
    clip. Raises UsageError, MediaError."""
    ending = out.suffix.lower()
    if ending not in FILMS and ending not in SOUNDS:
        raise UsageError(
            f"A film is not written as {out.suffix or 'a file without ending'}.",
            remedy=f"Use {', '.join((*FILMS, *SOUNDS))}.",
        )
    for material in (*made.materials, *(cover.material for cover in made.covers)):
        if out.exists() and material.path.exists() and out.samefile(material.path):
            raise UsageError(f"{out.name} is the original.", remedy="Give another name.")
    if not preview:
        signing.ready()
    with written_whole(out) as place:
        job = _Job(made, place, preview=preview, tell=tell, cleaner=cleaner, hears=hears, reworks=reworks)
        job.run()
        return _told(job, out, _checked(job, out.name))


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
    ranges = tuple(made.seen_ranges) if job.pictures else ()
    after = loudness.measure(job.place, speech=job.mixed.speech) if job.mixed is not None else None
    if job.mixed is not None and after is not None:
        job.notes += mixing.said(made, job.mixed, after)
    return Rendered(
        file=name,
        frames=wanted,
        samples=job.samples,
        copied=ranges if job.copied else (),
        encoded=() if job.copied else ranges,
        notes=tuple(job.notes),
        measures=mixing.measures(job.mixed, after) if job.mixed is not None and after is not None else (),
    )


def _told(job: "_Job", out: Path, rendered: Rendered) -> Rendered:
    """Tells in the file where it comes from; pictures and sound are not touched any more."""
    pieces = job.made.pieces
    papers = origin.papers_of_cut(
        [(m.path, m.facts.camera) for m in (*(job.made.materials[p.clip] for p in pieces), *job.over)],
        joined=not all(mixing.goes_on(pieces, n) for n in range(len(pieces) - 1)),
        enhanced=job.enhances,
        composed=bool(job.pictures) and any(rework.composed for rework in job.reworks.values()),
    )
    told = origin.tell(job.place, out, papers, _deeds(job), what="what is rendered", sign=not job.preview)
    return replace(rendered, notes=(*rendered.notes, *told.notes), origin=told.origin, sidecar=told.sidecar)


def _deeds(job: "_Job") -> list[Deed]:
    """What was done, for its content credentials."""
    pieces, materials = job.made.pieces, job.made.materials
    whole = all(p.start == 0 and p.end == materials[p.clip].length for p in pieces)
    cut = (
        [] if whole else [Deed(action="trimmed", text=f"{many(len(pieces), 'range')} of frames stayed, in this order.")]
    )
    done = (
        [Deed(action="adjustedColor", text=f"{many(len(job.grades), 'clip')} graded (ASC CDL).")] if job.graded else []
    )
    if job.pictures and job.made.rolled:
        done.append(Deed(action="edited", text=f"At {many(len(job.made.rolled), 'join')} the picture was rolled."))
    if job.over:
        done.append(Deed(action="edited", text=f"{many(len(job.over), 'cutaway')} laid over it."))
    if job.pictures:
        done += dict.fromkeys(deed for rework in job.reworks.values() for deed in rework.deeds)
    if job.heard and mixing.asked(job.made, Repairs):
        done.append(Deed(action="enhanced", text="Its sound was repaired."))
    if job.heard and mixing.asked(job.made, Level):
        done.append(Deed(action="enhanced", text="Its sound was brought to a loudness."))
    how = [f"The picture was {'copied' if job.copied else 'encoded anew'}."] if job.pictures else []
    how += ["The sound was encoded anew."] if job.heard else []
    return [*cut, *done, Deed(action="transcoded", text=" ".join(how))]


class _Job:
    """One film as it is written."""

    def __init__(
        self, made: Assembly, place: Path, *, preview: bool, tell: Callable[[str], None],
        cleaner: Mapping[str, Path] | None, hears: mixing.Hears, reworks: Mapping[Path, Rework],
    ) -> None:  # fmt: skip
        self.made, self.place, self.preview, self.tell, self.cleaner = made, place, preview, tell, cleaner
        self.hears = hears
        ending = place.suffix.lower()
        self.form = FILMS[ending] if ending in FILMS else SOUNDS[ending][0]
        self.mixed: mixing.Mixed | None = None
        played = {made.materials[p.clip].path: made.materials[p.clip] for p in made.pieces}
        shown = {c.material.path: c.material for c in made.covers if c.enabled} | played
        self.grades = {path: grade for path, m in shown.items() if (grade := grading.grade_of(m)) is not None}
        asked = {path for path, m in played.items() if m.asked(Steady) or m.asked(Clear)}
        self.reworks = {path: reworks[path] for path in asked if reworks[path].change is not None}
        self.rate = made.programme.rate
        is_film = place.suffix.lower() in FILMS
        self.pictures = [m for m in made.materials if m.facts.picture] if is_film else []
        self.heard = [m for m in made.materials if m.facts.sounds]
        self.over = [c.material for c in made.covers if c.enabled and self.pictures]
        self.notes: list[str] = []
        self.copied = False
        self.samples = 0

    @property
    def enhances(self) -> bool:
        """Whether something is done to its sound, or to its picture."""
        heard = bool(mixing.asked(self.made, Level) or mixing.asked(self.made, Repairs))
        seen = bool(self.pictures) and any(not rework.composed for rework in self.reworks.values())
        return (heard and bool(self.heard)) or self.graded or seen

    @property
    def graded(self) -> bool:
        """Whether its picture has a grade."""
        return bool(self.grades) and bool(self.pictures)

    def run(self) -> None:
        """Writes it."""
        ending = self.place.suffix.lower()
        if not self.pictures and not self.heard:
            raise UsageError("There is neither picture nor sound to render.", remedy="Name clips.")
        if ending in FILMS and not self.pictures:
            raise UsageError("These clips have no picture.", remedy=f"Render a sound: {', '.join(SOUNDS)}.")
        if ending in SOUNDS and not self.heard:
            raise UsageError("These clips have no sound.", remedy=f"Render a film: {', '.join(FILMS)}.")
        source: Spans | str = "it is a preview"
        if self.pictures and not self.preview:
            source = self._anew() or copying.copyable(self.made)
        if self.pictures and self.made.rolled:
            self.notes.append(
                f"At {many(len(self.made.rolled), 'join')} the picture changes before or after the sound."
            )
        self._lost()
        with (
            tempfile.TemporaryDirectory(dir=self.place.parent, prefix=PART) as room,
            av.open(str(self.place), "w", format=self.form) as out,
        ):
            picture = self._picture(out, source) if self.pictures else iter(())
            heard = self._sound(out, Path(room)) if self.heard else iter(())
            encoding.interleaved(out, picture, heard)

    def _anew(self) -> str:
        """Why the picture is encoded anew, where something is done to it."""
        why = ["its colours are matched to another shot"] if self.grades else []
        return "; ".join([*why, *dict.fromkeys(rework.why for rework in self.reworks.values())])

    def _lost(self) -> None:
        """What of the originals does not come along."""
        for material in self.made.materials:
            if material.facts.subtitles:
                self.notes.append(f"{material.path.name} has subtitles inside; they are not in what is rendered.")
            if len(material.facts.sounds) > 1:
                self.notes.append(f"Of {material.path.name} the first of {len(material.facts.sounds)} sounds is heard.")

    # ------------------------------------------------------------ picture

    def _picture(self, out: Any, source: Spans | str) -> Iterator[tuple[Fraction, list[Any]]]:
        if isinstance(source, str):
            self.notes.append(f"The picture is encoded anew: {source}.")
            return self._encoded(out)
        self.copied = True
        self.notes.append(f"The picture of all {many(len(self.made.pieces), 'range')} is copied as it is.")
        return copying.packets(out, source, self.made)

    def _encoded(self, out: Any) -> Iterator[tuple[Fraction, list[Any]]]:
        first = self.pictures[0]
        ending = self.place.suffix.lower()
        encoder = encoding.chosen(ending, preview=self.preview)
        shape = _Shape.of(first, encoder, preview=self.preview)
        picture = first.facts.picture
        if picture is not None and picture.fields:
            self.notes.append("The originals are interlaced; their fields stay together in whole frames.")
        self.notes.append(f"It is encoded as {encoder.called}.")
        if picture is not None and picture.pixels.endswith("10le") and not shape.pixels.endswith("10le"):
            kept = "" if self.preview else "; .mov keeps them"
            self.notes.append(f"Of its 10 bits a channel 8 are kept{kept}.")
        frames = self._frames(shape)
        one = next(frames)
        tagged = self._own(first, shape) if self.made.runs[0].over else one
        look = encoding.Look(
            width=shape.width, height=shape.height, pixels=shape.pixels, aspect=shape.aspect, rate=self.rate,
            rotation=shape.rotation, colour={name: int(getattr(tagged, name)) for name in COLOUR},
        )  # fmt: skip
        every = chain([one], frames)
        return encoding.encoded(out, every, look, encoder, preview=self.preview, folder=self.place.parent)

    def _frames(self, shape: "_Shape") -> Iterator[Any]:
        number, told = 0, 0
        readers: dict[bool, Reader] = {}  # of what is heard, and of what lies over it
        try:
            for run in self.made.runs:
                material = run.material
                if material.facts.picture and (run.over not in readers or readers[run.over].material is not material):
                    if run.over in readers:
                        readers.pop(run.over).close()
                    readers[run.over] = self._reader(material, over=run.over)
                for k in range(run.length):
                    at = run.first + Fraction(k) / self.rate
                    shown = readers[run.over].upright(at, shape.rotation) if material.facts.picture else None
                    yield shape.fitted(shown)
                number += run.length
                if number * 10 // max(self.made.programme.length, 1) > told:
                    told = number * 10 // self.made.programme.length
                    self.tell(f"rendered {number} of {self.made.programme.length} frames")
        finally:
            for reader in readers.values():
                reader.close()

    def _own(self, material: Material, shape: "_Shape") -> Any:
        """A frame of a clip, for its colour tags: a cutaway may come before it."""
        reader = self._reader(material, over=False)
        try:
            return shape.fitted(reader.upright(Fraction(0), shape.rotation))
        finally:
            reader.close()

    def _reader(self, material: Material, *, over: bool) -> Reader:
        """Frames of a clip with what is to be done to them; of a cutaway only its grade is."""
        grade, rework = self.grades.get(material.path), None if over else self.reworks.get(material.path)
        return Reader(material, grade=grade, change=rework.change if rework is not None else None)

    # ------------------------------------------------------------ sound

    def _sound(self, out: Any, room: Path) -> Iterator[tuple[Fraction, list[Any]]]:
        voice = _Voice.of(self.heard[0], self.place.suffix.lower())
        model = mixing.cleaner(self.made, self.cleaner)
        parts = mixing.samples(self.made, rate=voice.rate, channels=voice.channels, model=model)
        self.notes += mixing.mended(self.made)
        told = f"where ranges meet it fades for {float(FADE_S) * 1000:g} ms"
        if not mixing.asked(self.made, Level):
            self.notes.append(f"The sound is encoded as {voice.codec}, as loud as it was; {told}.")
            return self._heard(voice, out, (part for _, part in parts))
        self.mixed = mixing.mixed(
            self.made, parts, rate=voice.rate, channels=voice.channels, folder=room,
            encode=partial(self._tried, voice, room), hears=self.hears,
        )  # fmt: skip
        self.notes.append(f"The sound is encoded as {voice.codec}; {told}.")
        return self._heard(voice, out, (block.samples for block in self.mixed.blocks()))

    def _tried(self, voice: "_Voice", room: Path, blocks: Iterator[Block]) -> Path:
        """A sound alone, encoded as the film's."""
        place = room / f"sound{self.place.suffix}"
        with av.open(str(place), "w", format=self.form) as out:
            for _, packets in self._heard(voice, out, (block.samples for block in blocks)):
                out.mux(packets)
        return place

    def _heard(
        self, voice: "_Voice", out: Any, parts: Iterator[Samples]
    ) -> Iterator[tuple[Fraction, list[Any]]]:  # fmt: skip
        stream, resampler = voice.stream(out)
        return self._packets(voice, stream, resampler, parts)

    def _packets(
        self, voice: "_Voice", stream: Any, resampler: Any, parts: Iterator[Samples]
    ) -> Iterator[tuple[Fraction, list[Any]]]:
        count = 0
        for samples in parts:
            for start in range(0, len(samples), BLOCK):
                part = np.ascontiguousarray(samples[start : start + BLOCK])
                frame = frame_of(Block(at=Fraction(0), samples=part, rate=voice.rate), voice.layout, count)
                count += len(part)
                packets = [p for made in resampler.resample(frame) for p in stream.encode(made)]
                yield Fraction(count, voice.rate), packets
        self.samples = count
        packets = [p for made in resampler.resample(None) for p in stream.encode(made)]
        yield Fraction(count, voice.rate), [*packets, *stream.encode(None)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Voice:
    """How the sound is encoded."""

    codec: str
    channels: int
    rate: int

    @classmethod
    def of(cls, material: Material, ending: str) -> "_Voice":
        codec = SOUND_OF.get(ending) or SOUNDS[ending][1]
        first = material.facts.sounds[0]
        channels = min(first.channels, 2) if codec == "aac" else first.channels
        rate = first.rate if codec != "aac" or first.rate in (44100, 48000) else 48000
        return cls(codec=codec, channels=channels, rate=rate)

    @property
    def layout(self) -> str:
        return LAYOUTS.get(self.channels, "stereo")

    def stream(self, out: Any) -> tuple[Any, Any]:
        """A stream of a container, and what brings samples to its form."""
        stream = out.add_stream(self.codec, rate=self.rate, layout=self.layout)
        if self.codec == "aac":
            stream.bit_rate = AAC_BITS * self.channels
        resampler = av.AudioResampler(
            format=stream.codec_context.format, layout=self.layout, rate=self.rate,
            frame_size=stream.codec_context.frame_size or None,
        )  # fmt: skip
        return stream, resampler


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
    def of(cls, material: Material, encoder: Encoder, *, preview: bool) -> "_Shape":
        picture = material.facts.picture
        assert picture is not None
        width, height = picture.width, picture.height
        if picture.rotation % 180:
            width, height = height, width
        scale = min(Fraction(1), Fraction(PREVIEW_SIDE, max(width, height))) if preview else Fraction(1)
        pixels = encoder.pixels("yuv420p" if preview else picture.pixels)
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
        small = frame.reformat(
            width=width, height=height, format=self.pixels, interpolation="LANCZOS", **self._levels(frame)
        )
        return small if (width, height) == (self.width, self.height) else _barred(small, self)

    def _levels(self, frame: Any) -> dict[str, str]:
        """FFmpeg's yuvj formats hold full range, others what they say; it converts, but leaves the tag as it was."""
        full = frame.format.name.startswith("yuvj") and not self.pixels.startswith("yuvj")
        return {"src_color_range": "JPEG", "dst_color_range": "MPEG"} if full else {}


def _black(shape: _Shape) -> Any:
    rgb = np.zeros((shape.height, shape.width, 3), np.uint8)
    return av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=shape.pixels)


def _barred(frame: Any, shape: _Shape) -> Any:
    rgb = np.zeros((shape.height, shape.width, 3), np.uint8)
    top, left = (shape.height - frame.height) // 2, (shape.width - frame.width) // 2
    rgb[top : top + frame.height, left : left + frame.width] = frame.to_ndarray(format="rgb24")
    return av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=shape.pixels)
