"""A shot without its shake as a film: every frame at its own time, its sound copied, and looked at again afterwards.

The planes of a frame are moved as they were coded, with the bits they have: no colour is converted, HDR stays what it
was. What was written is tracked again; a film that is no steadier does not appear.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from safelight.cutting import encoding
from safelight.cutting.render import COLOUR, FILMS
from safelight.errors import MediaError, UsageError
from safelight.files import written_whole
from safelight.media import container, credentials, video
from safelight.media.container import Contents
from safelight.steady.plan import CROP, STRENGTH_S, Plan, plan, shake_of, unseen
from safelight.steady.track import Track, track

WORTH = 0.8  # of the shake: a film that keeps more is not worth its crop
CLOCK = 90_000  # ticks a second, for clips whose own clock an encoder cannot count by
MOST_TICKS = 10_000_000
EARLY = Fraction(1, 2)  # second by which sound is written ahead of the picture

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Steadied:
    """What came of it. `after` is the shake of the film as it was written, in widths of its picture; None where nothing
    was, for which `plan` or `no_better` gives the reason."""

    plan: Plan
    frames: int
    after: float | None = None
    no_better: str | None = None
    notes: tuple[str, ...] = ()


def steady(
    clip: Path, out: Path, *, strength_s: float = STRENGTH_S, crop: float = CROP, anyway: bool = False,
    tell: Callable[[str, int], None] = lambda _, __: None,
) -> Steadied:  # fmt: skip
    """Writes a clip of one shot to `out` without its shake. The clip is not touched; nothing is written where it is
    left alone. `tell` is told of each frame what was done. Raises UsageError, MediaError."""
    _refuse(clip, out)
    facts = container.contents(clip)
    seen = track(clip, facts=facts, tell=lambda n: tell("looked at", n))
    planned = plan(seen, strength_s=strength_s, crop=crop, anyway=anyway)
    if planned.moves is None:
        return Steadied(plan=planned, frames=len(seen), notes=seen.notes)
    with written_whole(out) as part:
        job = _Job(clip, facts, planned, tell=tell)
        job.write(part)
        again = track(part, tell=lambda n: tell("looked at again", n))
        _counted(again, seen, out.name)
        lost = unseen(again)
        after = 0.0 if lost else shake_of(again.path, again.rate)
        if lost or after > WORTH * (planned.shake or 0):
            why = f"of the shake {after / (planned.shake or 1):.0%} would stay within this crop"
            if lost:
                why = f"of the film nobody could tell whether it is steadier: {lost}"
            part.unlink()
            return Steadied(plan=planned, frames=len(seen), no_better=why, notes=(*seen.notes, *job.notes))
    return Steadied(plan=planned, frames=len(seen), after=after, notes=(*seen.notes, *job.notes))


def _refuse(clip: Path, out: Path) -> None:
    if out.suffix.lower() not in FILMS:
        raise UsageError(
            f"A film is not written as {out.suffix or 'a file without ending'}.", remedy=f"Use {', '.join(FILMS)}."
        )
    if out.exists() and clip.exists() and out.samefile(clip):
        raise UsageError(f"{out.name} is the original.", remedy="Give another name.")


def _counted(again: Track, seen: Track, name: str) -> None:
    if len(again) != len(seen):
        raise MediaError(f"{name} came out with {len(again)} frames, not {len(seen)}.", remedy="Use another format.")


@dataclass(slots=True)
class _Job:
    """One film as it is written."""

    clip: Path
    facts: Contents
    plan: Plan
    tell: Callable[[str, int], None] = field(kw_only=True)
    notes: list[str] = field(default_factory=list)

    def write(self, place: Path) -> None:
        """Writes it."""
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
        if credentials.present(self.clip):
            self.notes.append("The clip carries content credentials (C2PA); they are about the original and are not in "
                              "this film, which is not signed.")  # fmt: skip
        if self.facts.subtitles:
            self.notes.append("The clip has subtitles inside; they are not in this film.")
        if len(self.facts.pictures) > 1:
            self.notes.append(f"Of its {len(self.facts.pictures)} pictures the first is shown.")

    def _picture(self, out: Any, place: Path) -> encoding.Packets:
        picture = self.facts.picture
        assert picture is not None
        width, height = (picture.width, picture.height)[:: -1 if picture.rotation % 180 else 1]
        encoder = encoding.chosen(place.suffix, preview=False)
        pixels = encoder.pixels(picture.pixels)
        if pixels != picture.pixels:
            self.notes.append(f"Its pixels are {picture.pixels}; the film has {pixels}.")
        if "444" not in pixels:
            width, height = width // 2 * 2, height // 2 * 2
        base = picture.time_base if picture.time_base.denominator <= MOST_TICKS else Fraction(1, CLOCK)
        aspect = 1 / picture.aspect if picture.rotation % 180 else picture.aspect
        frames = self._frames((width, height), pixels, aspect, base)
        first = next(frames)
        look = encoding.Look(
            width=width, height=height, pixels=pixels, rate=picture.rate or Fraction(25), rotation=picture.rotation,
            aspect=aspect, clock=base,
            colour={name: int(getattr(first, name)) for name in COLOUR},
        )  # fmt: skip
        made = encoding.encoded(out, chain([first], frames), look, encoder, preview=False, folder=place.parent)
        if self.facts.timecode:
            out.streams.video[0].metadata["timecode"] = self.facts.timecode
        return made

    def _frames(self, size: tuple[int, int], pixels: str, aspect: Fraction, base: Fraction) -> Iterator[Any]:
        picture, moves = self.facts.picture, self.plan.moves
        assert picture is not None
        assert moves is not None
        trouble = video.Trouble(sizes=set())
        zero = picture.first_pts * picture.time_base
        last = -1
        for number, (at, frame) in enumerate(video.decoded(self.clip, picture, trouble, threads=2)):
            if len(trouble.sizes) > 1:
                raise UsageError(f"The picture of {self.clip.name} changes its size.", remedy="Cut it apart there.")
            made = _moved(frame, size, pixels, float(aspect), moves[number], self.plan.zoom)
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


def _moved(
    frame: Any, size: tuple[int, int], pixels: str, aspect: float, move: Floats, zoom: float
) -> Any:  # fmt: skip
    """A frame moved, turned and scaled, then enlarged about its middle; each plane in the pixels it is coded in.
    `aspect`: width of a pixel to its height."""
    if frame.format.name != pixels:
        frame = frame.reformat(format=pixels)
    made = av.VideoFrame(*size, pixels)
    for name in COLOUR:
        setattr(made, name, getattr(frame, name))
    bits = frame.format.components[0].bits
    for source, target in zip(frame.planes, made.planes, strict=True):
        fine = aspect * (source.width / frame.width) ** -1 * (source.height / frame.height)
        matrix = _matrix(move, zoom, (source.width, source.height), (target.width, target.height), fine)
        warped = cv2.warpAffine(
            _pixels(source, bits), matrix, (target.width, target.height), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        _pixels(target, bits)[:] = warped if bits == 8 else np.minimum(warped, (1 << bits) - 1)
    return made


def _matrix(
    move: Floats, zoom: float, size: tuple[int, int], target: tuple[int, int], aspect: float
) -> npt.NDArray[np.float64]:
    """From a pixel of the film's plane to where it comes from; `aspect`: width of a pixel of it to its height."""
    across, down, grow, turn = move
    scale = 1 / np.exp(grow)
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    back = np.array([[cos, sin / aspect], [-sin * aspect, cos]])  # against the turn, in pixels that may be oblong
    here, there = ((np.array(s, float) - 1) / 2 for s in (target, size))
    shift = np.array([across * size[0], down * size[0] * aspect])
    return np.column_stack((back / zoom, there - back @ (here / zoom + shift)))


def _pixels(plane: Any, bits: int) -> npt.NDArray[Any]:
    kind: type[np.generic] = np.uint8 if bits == 8 else np.uint16
    flat = np.frombuffer(plane, kind).reshape(plane.height, -1)
    return flat[:, : plane.width]
