"""Who encodes the pictures of a film: H.264 by the `ffmpeg` program where there is one that can, else VP9 or ProRes.

x264 is under the GPL. It runs as a program of its own, which frames are handed to; within this process only encoders
under LGPL or BSD are used.
"""

import functools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import av
import numpy as np

from safelight.errors import MediaError
from safelight.files import PART

PROGRAM = "ffmpeg"
X264 = "libx264"
ASKING_S = 20
SLOW, FAST = ("-crf", "16", "-preset", "medium"), ("-crf", "28", "-preset", "veryfast")
VP9 = {
    False: {"deadline": "good", "cpu-used": "4", "crf": "18", "row-mt": "1"},
    True: {"deadline": "realtime", "cpu-used": "8", "crf": "34", "lag-in-frames": "0", "row-mt": "1"},
}
KEPT = (
    "yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le",
)  # fmt: skip
FULL_RANGE = 2  # of ITU-T H.273 as FFmpeg counts it


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Of what kind the frames are: size in px, FFmpeg's name of their pixels, the shape of one, frames a second, the
    angle that makes them upright, and the code points of their colours as FFmpeg names the properties of a frame.

    `clock`: seconds a tick of frames that come at times of their own; None: they come at the rate, and are numbered."""

    width: int
    height: int
    pixels: str
    aspect: Fraction
    rate: Fraction
    rotation: int = 0
    colour: dict[str, int] = field(default_factory=dict)
    clock: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """Who encodes. `program` is the path of the `ffmpeg` that does; None: it is done in this process."""

    codec: str
    called: str
    options: dict[str, str] = field(default_factory=dict)
    program: str | None = None

    def pixels(self, wanted: str) -> str:
        """The pixels that it is given for pictures of these pixels."""
        if self.codec == "prores_ks":
            return "yuv444p10le" if "444" in wanted else "yuv422p10le"
        if wanted not in KEPT:
            return "yuv420p"
        if self.codec == X264:
            return wanted
        return wanted.replace("yuvj", "yuv").removesuffix("10le")  # libvpx is built for 8 bits


def chosen(ending: str, *, preview: bool) -> Encoder:
    """The encoder of a film with this ending. MP4 and MKV take VP9 where there is no H.264, MOV takes ProRes, for
    QuickTime has no VP9."""
    program = h264()
    if program is not None:
        return Encoder(codec=X264, called=f"H.264 by the {PROGRAM} program", program=program)
    if ending == ".mov":
        profile = "0" if preview else "3"
        return Encoder(codec="prores_ks", called="ProRes", options={"profile": profile, "vendor": "apl0"})
    return Encoder(codec="libvpx-vp9", called="VP9", options=VP9[preview])


@functools.cache
def h264() -> str | None:
    """The path of an `ffmpeg` program with x264; None where there is none."""
    found = shutil.which(PROGRAM)
    if found is None:
        return None
    try:
        said = subprocess.run(  # noqa: S603 - no shell, fixed arguments
            [found, "-hide_banner", "-encoders"], capture_output=True, timeout=ASKING_S, check=True,
            stdin=subprocess.DEVNULL,
        ).stdout  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return found if f" {X264} ".encode() in said else None


Packets = Iterator[tuple[Fraction, list[Any]]]


def interleaved(out: Any, one: Packets, two: Packets) -> None:
    """Writes both in step, so that neither has to be held; of two at one instant the first."""
    streams = [one, two]
    waiting = [next(s, None) for s in streams]
    while any(w is not None for w in waiting):
        n = min((n for n, w in enumerate(waiting) if w is not None), key=lambda n: (waiting[n] or (Fraction(0),))[0])
        found = waiting[n]
        assert found is not None
        for packet in found[1]:
            out.mux(packet)
        waiting[n] = next(streams[n], None)


def encoded(out: Any, frames: Iterator[Any], look: Look, encoder: Encoder, *, preview: bool, folder: Path) -> Packets:
    """Adds a stream to a container and gives its packets, each list with the instant that it reaches. Frames come in
    order. Raises MediaError where the program fails."""
    if encoder.program is not None:
        return _by_program(out, frames, look, encoder.program, preview=preview, folder=folder)
    return _here(out, frames, look, encoder)


def _here(out: Any, frames: Iterator[Any], look: Look, encoder: Encoder) -> Packets:
    stream = out.add_stream(encoder.codec, rate=look.rate, options=encoder.options)
    stream.width, stream.height, stream.pix_fmt = look.width, look.height, look.pixels
    context = stream.codec_context
    context.sample_aspect_ratio = look.aspect
    context.time_base = stream.time_base = look.clock or 1 / look.rate
    for name, value in look.colour.items():
        setattr(context, name, value)
    if encoder.codec == "libvpx-vp9":
        context.bit_rate = 0  # so that crf alone says how good it is
    if look.rotation:
        stream.set_display_rotation(look.rotation)

    def packets() -> Packets:
        at = Fraction(0)
        for number, frame in enumerate(frames):
            if look.clock is None:
                frame.pts, frame.time_base = number, 1 / look.rate
            frame.pict_type = av.video.frame.PictureType.NONE
            at = frame.pts * frame.time_base
            yield at, stream.encode(frame)
        yield at, stream.encode(None)

    return packets()


# ---------------------------------------------------------------- by a program of its own


def _by_program(
    out: Any, frames: Iterator[Any], look: Look, program: str, *, preview: bool, folder: Path
) -> Packets:  # fmt: skip
    """All frames are encoded to a file first, whose packets are then copied beside the sound."""
    room = tempfile.TemporaryDirectory(dir=folder, prefix=PART)
    try:
        place, times = Path(room.name) / "picture.mov", list[Fraction]()
        _run([program, *_asked(look, preview=preview), str(place)], _noted(frames, times), look)
        source = av.open(str(place))
        template = source.streams.video[0]
        stream = out.add_stream_from_template(template)
        if look.clock is not None:
            stream.time_base = look.clock
        if look.rotation:
            stream.set_display_rotation(look.rotation)
    except BaseException:
        room.cleanup()
        raise

    def packets() -> Packets:
        try:
            for packet in source.demux(template):
                if packet.pts is None:
                    continue
                if look.clock is not None:
                    _placed(packet, times, look)
                at = packet.pts * packet.time_base
                packet.stream = stream
                yield at, [packet]
        finally:
            source.close()
            room.cleanup()

    return packets()


def _noted(frames: Iterator[Any], times: list[Fraction]) -> Iterator[Any]:
    """The frames, and on the way the times of those that have some."""
    for frame in frames:
        if frame.pts is not None:
            times.append(frame.pts * frame.time_base)
        yield frame


def _placed(packet: Any, times: list[Fraction], look: Look) -> None:
    """Moves a packet from the even grid of the program to the times of its frames. What is decoded before the first
    frame is shown keeps its distance from it."""
    clock, even = look.clock or 1 / look.rate, packet.time_base * look.rate
    shown, read = round(packet.pts * even), round(packet.dts * even)

    def tick(number: int) -> int:
        return round((times[number] if number >= 0 else times[0] + number / look.rate) / clock)

    packet.time_base = clock
    packet.pts, packet.dts = tick(shown), tick(read)
    packet.duration = tick(shown + 1) - packet.pts if shown + 1 < len(times) else round(1 / look.rate / clock)


def _asked(look: Look, *, preview: bool) -> list[str]:
    full = look.colour.get("color_range") == FULL_RANGE or look.pixels.startswith("yuvj")
    raw = [
        "-f", "rawvideo", "-pixel_format", look.pixels, "-video_size", f"{look.width}x{look.height}",
        "-framerate", str(look.rate),
    ]  # fmt: skip
    tags = [f"-{name}" for name in ("color_primaries", "color_trc", "colorspace")]
    colour = [part for tag in tags for part in (tag, str(look.colour.get(tag[1:], 2)))]
    shape = f"setsar={look.aspect.numerator}/{look.aspect.denominator},setparams=range={'full' if full else 'limited'}"
    return [
        "-hide_banner", "-loglevel", "error", "-nostats", "-y", *raw, "-i", "pipe:0", "-an", "-vf", shape,
        "-c:v", X264, *(FAST if preview else SLOW), "-pix_fmt", look.pixels, *colour,
        "-color_range", "pc" if full else "tv",
        "-video_track_timescale", str(look.rate.numerator), "-f", "mov",
    ]  # fmt: skip


def _run(command: list[str], frames: Iterator[Any], look: Look) -> None:
    with tempfile.TemporaryFile() as told:
        with subprocess.Popen(  # noqa: S603 - no shell; the arguments are numbers and names of our own
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=told
        ) as process:
            assert process.stdin is not None
            try:
                for frame in frames:
                    _write(process.stdin, frame, look)
            except BrokenPipeError:
                pass  # it has ended, and says why
            except BaseException:
                process.kill()
                raise
            finally:
                with suppress(BrokenPipeError):  # what it did not take any more
                    process.stdin.close()
        if process.returncode:
            told.seek(0)
            cause = told.read().decode(errors="replace").strip().splitlines()
            raise MediaError(
                f"The {PROGRAM} program could not encode the picture: {cause[-1] if cause else 'it said nothing'}.",
                remedy=f"Look whether there is room on the disk, or take {PROGRAM} out of the path: VP9 is used then.",
            )


def _write(pipe: IO[bytes], frame: Any, look: Look) -> None:
    """The planes of a frame without the padding of their lines."""
    wide = 2 if look.pixels.endswith("10le") else 1
    for plane in frame.planes:
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width * wide]
        pipe.write(np.ascontiguousarray(rows).data)
