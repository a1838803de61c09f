"""What a clip or a sound says about itself: streams, rates, colour, timecode. Reads headers and one frame.

Decoded by FFmpeg through PyAV. The zero of a clip is its first presented frame (of a sound its first sample); all times
are exact seconds from there. What a container says and what its streams hold may differ: `timing` counts.
"""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np
from numpy.typing import NDArray

from safelight.errors import MediaError, NotMedia, Truncated, Unsupported
from safelight.media import packets, timecode
from safelight.media.formats import damaged, first_bytes, megabytes, truncated, unreadable

PRIMARIES = {1: "bt709", 5: "bt601-625", 6: "bt601-525", 7: "smpte240", 9: "bt2020", 11: "p3-dci", 12: "p3-d65"}
TRANSFERS = {1: "bt709", 4: "gamma22", 5: "gamma28", 6: "bt601", 8: "linear", 13: "srgb", 14: "bt2020-10",
             15: "bt2020-12", 16: "pq", 18: "hlg"}  # fmt: skip
MATRICES = {0: "rgb", 1: "bt709", 5: "bt601", 6: "bt601", 7: "smpte240", 9: "bt2020", 10: "bt2020-cl", 14: "ictcp"}
RANGES = {1: "limited", 2: "full"}
FIELDS = {"TT": "top", "TB": "top", "BB": "bottom", "BT": "bottom"}
STEADY = Fraction(1, 20)  # of a frame: by so much single steps may differ where the rate is constant


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureStream:
    """A stream of frames. `width`, `height` are of the upright picture in its own pixels, whose shape is `aspect`."""

    index: int
    codec: str
    pixels: str  # FFmpeg's name of the pixel format
    bits: int
    width: int
    height: int
    rotation: int  # degrees, counter-clockwise, by which a decoded frame is turned to be upright
    aspect: Fraction  # width of a pixel to its height
    time_base: Fraction
    first_pts: int
    rate: Fraction | None  # as the container says; None: it does not
    count: int | None  # frames, as the container says
    duration_s: Fraction | None
    fields: str | None  # "top" or "bottom" first; None: whole frames
    primaries: str | None
    transfer: str | None
    matrix: str | None
    levels: str | None
    hdr: str | None  # "pq", "hlg"
    mastering: bool  # carries what its mastering display was


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundStream:
    """A stream of samples."""

    index: int
    codec: str
    rate: int  # samples a second
    channels: int
    layout: str
    duration_s: Fraction | None
    language: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a file holds. `timecode` is the label of the first frame or sample, at `timecode_rate`."""

    format: str
    duration_s: Fraction | None
    pictures: tuple[PictureStream, ...]
    sounds: tuple[SoundStream, ...]
    subtitles: int
    timecode: str | None
    timecode_rate: Fraction | None
    reel: str | None
    at: str | None  # ISO 8601
    camera: str | None
    notes: tuple[str, ...] = ()

    @property
    def picture(self) -> PictureStream | None:
        """The stream that players show."""
        return self.pictures[0] if self.pictures else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When each frame of a stream is presented: `pts` in order, in `time_base`, first at 0. `rate` is constant or, of a
    variable stream, the mean."""

    pts: NDArray[np.int64]
    time_base: Fraction
    rate: Fraction | None
    variable: bool
    notes: tuple[str, ...] = ()

    def at(self, frame: int) -> Fraction:
        """When a frame is presented, in seconds from the first."""
        return int(self.pts[frame]) * self.time_base

    def frame_at(self, seconds: Fraction) -> int:
        """The last frame that is presented at or before an instant."""
        ticks = (seconds / self.time_base).__floor__()
        return max(int(np.searchsorted(self.pts, ticks, "right")) - 1, 0)

    @property
    def duration_s(self) -> Fraction:
        """From the first frame to the end of the last, which lasts as long as most do."""
        if self.rate and not self.variable:
            return len(self.pts) / self.rate
        steps = np.diff(self.pts)
        usual = int(np.median(steps)) * self.time_base if len(steps) else Fraction(0)
        return self.at(len(self.pts) - 1) + usual


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The container, open for reading; whatever FFmpeg says about a file becomes one of our errors."""
    try:
        with av.open(str(path), options={"ignore_editlist": "0"}) as container:
            yield container
    except MediaError:
        raise
    except av.error.FFmpegError as error:
        raise _refused(path, error) from error
    except OSError as error:
        raise unreadable(path, error) from error


class Met(Protocol):
    """What was met while a stream was read: packets that could not be decoded, and why reading stopped early."""

    skipped: int
    ended_early: str | None


def decoded(source: Any, stream: Any, met: Met) -> Iterator[Any]:
    """Frames of a stream as the decoder gives them; a packet that cannot be decoded is passed over and counted."""
    read = packets.of(source, stream)
    while True:
        try:
            packet = next(read)
        except StopIteration:
            return
        except av.error.FFmpegError as error:
            met.ended_early = str(error.strerror or error)
            return
        try:
            yield from packet.decode()
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            met.skipped += 1


def contents(path: Path) -> Contents:
    """Facts of a clip or a sound. Raises MediaError where nothing in it can be played."""
    head = first_bytes(path)
    notes: list[str] = []
    have, need = path.stat().st_size, _needed(path)
    if need > have:
        notes.append(f"The file ends early ({megabytes(have)} of {megabytes(need)}); what is there is used.")
    with opened(path) as container:
        pictures = tuple(_pictures(container, notes))
        sounds = tuple(_sounds(container))
        if not pictures and not sounds and any(s.type == "video" and not _is_cover(s) for s in container.streams):
            raise damaged(path, "it promises a picture, but no frame of it can be decoded")
        if not pictures and not sounds:
            raise NotMedia(f"{path.name} holds neither picture nor sound.", remedy="Leave it out.")
        if pictures and not sounds:
            notes.append("It has no sound.")
        if sounds and not pictures and any(s.type == "video" and not _is_cover(s) for s in container.streams):
            notes.append("Its picture cannot be decoded; the sound is used alone.")
        label, rate = _timecode(container, pictures, sounds)
        data = container.metadata
        at = next((data[k] for k in ("com.apple.quicktime.creationdate", "creation_time", "date") if data.get(k)), None)
        return Contents(
            format=_format_name(container.format.name, head, path), duration_s=_duration(container, pictures, sounds),
            pictures=pictures, sounds=sounds, subtitles=len(container.streams.subtitles),
            timecode=label, timecode_rate=rate, reel=_said(container, "reel_name", "reel"), at=at,
            camera=_camera(data), notes=tuple(notes),
        )  # fmt: skip


def timing(path: Path, *, stream: int | None = None) -> Timing:
    """When each frame is presented, from the packets alone: nothing is decoded. Raises MediaError."""
    with opened(path) as container:
        chosen = container.streams[stream] if stream is not None else _shown(container)
        if chosen is None:
            raise NotMedia(f"{path.name} has no picture.", remedy="It is a sound; use it as one.")
        base = chosen.time_base
        found: list[int | None] = []
        with contextlib.suppress(av.error.FFmpegError):  # what lies before the damage is timed
            kept = (p for p in packets.of(container, chosen) if p.size and not p.is_discard)
            found.extend(p.pts if p.pts is not None else p.dts for p in kept)
        said = _rate(chosen)
    return _timed(path, found, base, said)


def content_digest(path: Path) -> str:
    """sha256 of the coded picture and sound alone, packet by packet: it stays when another program writes tags."""
    digest = hashlib.sha256()
    with opened(path) as container, contextlib.suppress(av.error.FFmpegError):
        streams = [s for s in container.streams if s.type in ("video", "audio") and not _is_cover(s)]
        for packet in container.demux(streams):
            if packet.size:
                digest.update(packet.stream_index.to_bytes(2, "big"))
                digest.update(packet)
    return digest.hexdigest()


def _timed(path: Path, found: list[int | None], base: Fraction, said: Fraction | None) -> Timing:
    notes = []
    if found and all(pts is None for pts in found):
        if said is None:
            raise Unsupported(
                f"{path.name} gives neither times nor a rate for its {len(found)} frames.",
                remedy="Rewrap it with a frame rate: ffmpeg -r RATE -i IN -c copy OUT.",
            )
        notes.append("Its frames have no times; they are taken to follow each other at the rate it says.")
        found, base = list(range(len(found))), 1 / said
    kept = [pts for pts in found if pts is not None]
    if not kept:
        raise Truncated(f"{path.name} has no frame.", remedy="Copy it from the card again.")
    pts = _unwrapped(np.array(kept, np.int64), notes)
    pts = np.sort(pts)
    if pts[0] < 0:
        notes.append(f"Its times begin below zero, at {float(pts[0] * base):.3f} s; frame 0 is the first one shown.")
    pts = pts - pts[0]
    steps = np.diff(pts)
    if (steps == 0).any():
        notes.append(f"{int((steps == 0).sum())} frames have the time of the frame before them and are never seen.")
        pts = pts[np.concatenate([[True], steps > 0])]
        steps = np.diff(pts)
    rate, variable = _measured_rate(steps, base, said)
    return Timing(pts=pts, time_base=base, rate=rate, variable=variable, notes=tuple(notes))


def _unwrapped(pts: NDArray[np.int64], notes: list[str]) -> NDArray[np.int64]:
    """Times that went on from 0 after 2³³ (MPEG) are continued."""
    wraps = np.flatnonzero(np.diff(pts) < -(1 << 32))
    for place in wraps:
        pts[place + 1 :] += 1 << 33
    if len(wraps):
        notes.append("Its clock runs over; the times are continued.")
    return pts


def _measured_rate(steps: NDArray[np.int64], base: Fraction, said: Fraction | None) -> tuple[Fraction | None, bool]:
    """Rate and whether it varies. Steps that only round a rate to the time base are constant."""
    if not len(steps):
        return said, False
    mean = len(steps) / (int(steps.sum()) * base)
    candidates = [said] if said else []
    with contextlib.suppress(ValueError):
        candidates.append(timecode.exact_rate(mean))
    for rate in candidates:
        one = 1 / (rate * base)
        places = np.concatenate([[0], np.cumsum(steps)]).astype(float)
        off = np.abs(places - np.arange(len(places)) * float(one))
        if off.max() <= max(1.0, float(one * STEADY)):
            return rate, False
    middle = float(np.median(steps))
    if steps.min() >= middle - 1 and steps.max() <= middle + 1:
        return mean.limit_denominator(100000), False
    return mean.limit_denominator(100000), True


# ---------------------------------------------------------------- streams


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _shown(container: Any) -> Any:
    """The stream that is shown: the default one, else the largest."""
    found = [s for s in container.streams.video if not _is_cover(s) and s.codec_context is not None]
    if not found:
        return None
    best = container.streams.best("video")
    return best if best in found else max(found, key=lambda s: s.codec_context.width * s.codec_context.height)


def _pictures(container: Any, notes: list[str]) -> Iterator[PictureStream]:
    shown = _shown(container)
    streams = [s for s in container.streams.video if not _is_cover(s) and s.codec_context is not None]
    for stream in sorted(streams, key=lambda s: s is not shown):
        first = None
        with contextlib.suppress(av.error.FFmpegError):
            first = next(container.decode(stream), None)
        with contextlib.suppress(av.error.FFmpegError):
            container.seek(0)
        if first is not None:
            yield _picture(stream, first)
        elif stream is shown and len(streams) == 1:
            notes.append("No frame of its picture can be decoded.")


def _picture(stream: Any, first: Any) -> PictureStream:
    codec = stream.codec_context
    rotation = round(first.rotation / 90) * 90 % 360
    width, height = (first.height, first.width) if rotation % 180 else (first.width, first.height)
    transfer = TRANSFERS.get(int(first.color_trc)) or TRANSFERS.get(int(codec.color_trc))
    aspect = stream.sample_aspect_ratio or codec.sample_aspect_ratio or Fraction(1)
    order = str(getattr(codec.field_order, "name", codec.field_order) or "").upper()
    fields = FIELDS.get(order) or ("top" if first.interlaced_frame else None)
    rate = _rate(stream)
    return PictureStream(
        index=stream.index, codec=_coded_as(codec), pixels=first.format.name,
        bits=max(c.bits for c in first.format.components), width=width, height=height, rotation=rotation,
        aspect=1 / aspect if rotation % 180 else aspect, time_base=stream.time_base,
        first_pts=first.pts if first.pts is not None else first.dts or 0, rate=rate, count=stream.frames or None,
        duration_s=stream.duration * stream.time_base if stream.duration else None, fields=fields,
        primaries=PRIMARIES.get(int(first.color_primaries)), transfer=transfer,
        matrix=MATRICES.get(int(first.colorspace)), levels=RANGES.get(int(first.color_range)),
        hdr=transfer if transfer in ("pq", "hlg") else None,
        mastering=_mastered(first),
    )  # fmt: skip


def _mastered(frame: Any) -> bool:
    """Whether it says what it was mastered on. PyAV does not know all of FFmpeg's side data and raises for those."""
    try:
        return any(d.type.name in ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL") for d in frame.side_data)
    except ValueError:
        return False


def _coded_as(codec: Any) -> str:
    """What a stream is coded as, whichever library decodes it here: `av1`, not `libdav1d`."""
    return str(codec.codec.canonical_name)


def _rate(stream: Any) -> Fraction | None:
    """The rate that the container says, as the exact one that is meant; None for none and for 0."""
    for said in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if said:
            with contextlib.suppress(ValueError):
                return timecode.exact_rate(Fraction(said))
    said = stream.average_rate or stream.guessed_rate
    return Fraction(said) if said else None


def _sounds(container: Any) -> Iterator[SoundStream]:
    for stream in container.streams.audio:
        codec = stream.codec_context
        if codec is None or not codec.sample_rate:
            continue
        language = stream.metadata.get("language")
        yield SoundStream(
            index=stream.index, codec=_coded_as(codec), rate=codec.sample_rate, channels=codec.layout.nb_channels,
            layout=codec.layout.name, duration_s=stream.duration * stream.time_base if stream.duration else None,
            language=None if language in (None, "und") else language,
        )  # fmt: skip


def _duration(container: Any, pictures: tuple[PictureStream, ...], sounds: tuple[SoundStream, ...]) -> Fraction | None:
    """Of the picture, else of the sound, else of the whole; None where nothing says it."""
    streams: tuple[PictureStream | SoundStream, ...] = pictures[:1] or sounds[:1]
    if streams and streams[0].duration_s:
        return streams[0].duration_s
    return Fraction(container.duration, av.time_base) if container.duration else None


# ---------------------------------------------------------------- names and labels


def _said(container: Any, *keys: str) -> str | None:
    places: list[Mapping[str, str]] = [container.metadata, *(s.metadata for s in container.streams)]
    return next((str(p[k]) for k in keys for p in places if p.get(k)), None)


def _timecode(
    container: Any, pictures: tuple[PictureStream, ...], sounds: tuple[SoundStream, ...]
) -> tuple[str | None, Fraction | None]:
    """The label of the first frame; of a broadcast wave the time of day of its first sample, at 1000 parts a second."""
    label = _said(container, "timecode")
    if label:
        return label, pictures[0].rate if pictures else None
    reference = container.metadata.get("time_reference", "")
    if reference.isdigit() and sounds and not pictures and int(reference):
        since = Fraction(int(reference), sounds[0].rate)
        whole, rest = divmod(since, 1)
        h, m, s = int(whole) // 3600 % 24, int(whole) // 60 % 60, int(whole) % 60
        return f"{h:02d}:{m:02d}:{s:02d}.{(rest * 1000).__floor__():03d}", Fraction(1000)
    return None, None


def _camera(data: Mapping[str, str]) -> str | None:
    make = data.get("com.apple.quicktime.make") or data.get("make") or ""
    model = data.get("com.apple.quicktime.model") or data.get("model") or ""
    return f"{make} {model}".strip() or None


def _format_name(name: str, head: bytes, path: Path) -> str:
    """One word for each of FFmpeg's families of names, such as "mov", "mp4" or "mkv"."""
    suffix = path.suffix.lower().lstrip(".")
    names = name.split(",")
    if names[0] == "mov":
        return "mov" if head[8:12] == b"qt  " else "mp4" if suffix not in names else suffix
    if names[0] == "matroska":
        return "webm" if b"webm" in head[:64] else "mkv"
    return {"mpeg": "mpg", "mpegts": "ts", "mxf_opatom": "mxf"}.get(names[0], names[0])


def _refused(path: Path, error: av.error.FFmpegError) -> MediaError:
    """FFmpeg's refusal in our words."""
    size = path.stat().st_size if path.exists() else 0
    if isinstance(error, av.error.InvalidDataError):
        boxes = [name for name, _ in _boxes(path)]
        if "mdat" in boxes and "moov" not in boxes:
            return Truncated(
                f"{path.name} was never finished: its index (moov) is missing.",
                remedy="Copy it from the card again; if the camera lost power, its maker's tool may repair it.",
            )
        if boxes or size < 1024:
            return truncated(path, have=size)
        return NotMedia(
            f"{path.name} holds no clip or sound that is known here.", remedy="Leave it out, or give it its right name."
        )
    if isinstance(error, av.error.FileNotFoundError | av.error.PermissionError):
        return unreadable(path, OSError(error.errno, error.strerror))
    if isinstance(error, av.error.DecoderNotFoundError):
        return Unsupported(f"{path.name} cannot be decoded here.", remedy="Export it as H.264 or ProRes and run again.")
    if isinstance(error, av.error.EOFError):
        return truncated(path, have=size)
    return damaged(path, str(error.strerror or error).rstrip("."))


def _needed(path: Path) -> int:
    """Bytes that an ISO file should have by its own boxes; 0 for others."""
    return max((end for _, end in _boxes(path)), default=0)


def _boxes(path: Path) -> list[tuple[str, int]]:
    """Names of the outermost boxes of an ISO file, and where they end; none for others."""
    found: list[tuple[str, int]] = []
    with path.open("rb") as file:
        size = path.stat().st_size
        at = 0
        if file.read(8)[4:8] not in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
            return found
        while at + 8 <= size and len(found) < 64:
            file.seek(at)
            head = file.read(16)
            name = head[4:8]
            if not name.isalnum():
                return found
            length = int.from_bytes(head[:4], "big")
            length = int.from_bytes(head[8:16], "big") if length == 1 else length or size - at
            if length < 8:
                return found
            at += length
            found.append((name.decode("ascii", "replace"), at))
    return found
