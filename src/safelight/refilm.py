"""A clip as a film with other pixels: each frame at its own time, sounds copied, tags, timecode and turn as they were.

What changes a frame gets it as it was decoded and gives planes of the coded kind back: no colour is converted, HDR
stays what it was.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from safelight.cutting import encoding
from safelight.cutting.render import COLOUR, FILMS
from safelight.errors import UsageError
from safelight.media import container, signing, video
from safelight.media.container import Contents

CLOCK = 90_000  # ticks a second, for clips whose own clock an encoder cannot count by
MOST_TICKS = 10_000_000
EARLY = Fraction(1, 2)  # second by which sound is written ahead of the picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a frame of the film is: its size as it is coded, its pixels, and the width of one to its height."""

    size: tuple[int, int]
    pixels: str
    aspect: float


Change = Callable[[Any, int, Shape], Any]


def refuse(clip: Path, out: Path) -> None:
    """Raises UsageError for a film that cannot be written or signed, or that would be the clip."""
    if out.suffix.lower() not in FILMS:
        raise UsageError(
            f"A film is not written as {out.suffix or 'a file without ending'}.", remedy=f"Use {', '.join(FILMS)}."
        )
    if out.exists() and clip.exists() and out.samefile(clip):
        raise UsageError(f"{out.name} is the original.", remedy="Give another name.")
    signing.ready()


def shape_of(facts: Contents, ending: str) -> Shape:
    """The frames that a film with this ending has, made of the clip's picture."""
    picture = facts.picture
    assert picture is not None
    width, height = (picture.width, picture.height)[:: -1 if picture.rotation % 180 else 1]
    pixels = encoding.chosen(ending, preview=False).pixels(picture.pixels)
    if "444" not in pixels:
        width, height = width // 2 * 2, height // 2 * 2
    aspect = 1 / picture.aspect if picture.rotation % 180 else picture.aspect
    return Shape(size=(width, height), pixels=pixels, aspect=float(aspect))


def planes(frame: Any) -> list[npt.NDArray[Any]]:
    """The planes of a frame, which may be written to."""
    deep = frame.format.components[0].bits > 8
    found = []
    for plane in frame.planes:
        flat = np.frombuffer(plane, np.uint16 if deep else np.uint8).reshape(plane.height, -1)
        found.append(flat[:, : plane.width])
    return found


def tagged(frame: Any, shape: Shape) -> Any:
    """A frame of the film without a picture yet, with the colour tags of the one that it is made from."""
    made = av.VideoFrame(*shape.size, shape.pixels)
    for name in COLOUR:
        setattr(made, name, getattr(frame, name))
    return made


@dataclass(slots=True, kw_only=True)
class Refilm:
    """One film as it is written. `tell` is told of each frame that was rendered; `notes` fill as it is written."""

    clip: Path
    facts: Contents
    change: Change
    tell: Callable[[str, int], None] = lambda _, __: None
    notes: list[str] = field(default_factory=list)

    def write(self, place: Path) -> None:
        """Writes it. Raises UsageError, MediaError."""
        self._lost(place.suffix)
        with container.opened(self.clip) as source, av.open(str(place), "w", format=FILMS[place.suffix]) as out:
            if self.facts.at:
                out.metadata["creation_time"] = self.facts.at
            sounds = [source.streams[sound.index] for sound in self.facts.sounds]
            _fit(sounds, place)
            picture = self._picture(out, place)
            kept = {stream.index: out.add_stream_from_template(stream) for stream in sounds}
            encoding.interleaved(out, _sound(source, kept), picture)

    def _lost(self, ending: str) -> None:
        """What of the original's papers does not come along."""
        if self.facts.timecode and ending == ".mkv":
            self.notes.append(
                f"The clip's timecode, {self.facts.timecode}, is not in a .mkv file; write a .mov to keep it."
            )
        if self.facts.subtitles:
            self.notes.append("The clip has subtitles inside; they are not in this film.")
        if len(self.facts.pictures) > 1:
            self.notes.append(f"Of its {len(self.facts.pictures)} pictures the first is shown.")

    def _picture(self, out: Any, place: Path) -> encoding.Packets:
        picture = self.facts.picture
        assert picture is not None
        encoder = encoding.chosen(place.suffix, preview=False)
        shape = shape_of(self.facts, place.suffix)
        if shape.pixels != picture.pixels:
            self.notes.append(f"Its pixels are {picture.pixels}; the film has {shape.pixels}.")
        base = picture.time_base if picture.time_base.denominator <= MOST_TICKS else Fraction(1, CLOCK)
        frames = self._frames(shape, base)
        first = next(frames)
        look = encoding.Look(
            width=shape.size[0], height=shape.size[1], pixels=shape.pixels, rate=picture.rate or Fraction(25),
            rotation=picture.rotation, aspect=1 / picture.aspect if picture.rotation % 180 else picture.aspect,
            clock=base, colour={name: int(getattr(first, name)) for name in COLOUR},
        )  # fmt: skip
        made = encoding.encoded(out, chain([first], frames), look, encoder, preview=False, folder=place.parent)
        if self.facts.timecode:
            out.streams.video[0].metadata["timecode"] = self.facts.timecode
        return made

    def _frames(self, shape: Shape, base: Fraction) -> Iterator[Any]:
        picture = self.facts.picture
        assert picture is not None
        trouble = video.Trouble(sizes=set())
        zero = picture.first_pts * picture.time_base
        last = -1
        for number, (at, frame) in enumerate(video.decoded(self.clip, picture, trouble, threads=2)):
            if len(trouble.sizes) > 1:
                raise UsageError(f"The picture of {self.clip.name} changes its size.", remedy="Cut it apart there.")
            made = self.change(frame, number, shape)
            ticks = max(round((at + zero) / base), last + 1 if number else -(1 << 62))
            made.pts, made.time_base, last = ticks, base, ticks
            self.tell("rendered", number + 1)
            yield made


def _sound(source: Any, kept: dict[int, Any]) -> encoding.Packets:
    """Packets of all sounds as they are, for the streams of the film, ahead of the picture."""
    if not kept:
        return
    for packet in source.demux([source.streams[index] for index in kept]):
        if packet.pts is not None and packet.size:
            packet.stream = kept[packet.stream_index]
            yield packet.pts * packet.time_base - EARLY, [packet]


def _fit(sounds: Iterable[Any], place: Path) -> None:
    """Raises UsageError for sound that the film cannot hold as it is, before anything is encoded."""
    with av.open(BytesIO(), "w", format=FILMS[place.suffix]) as trial:
        for stream in sounds:
            try:
                trial.add_stream_from_template(stream)
            except (av.error.FFmpegError, ValueError) as error:
                name = stream.codec_context.name
                raise UsageError(
                    f"Sound of {name} does not go into a {place.suffix} file as it is.", remedy="Write a .mkv."
                ) from error
