"""Small clips and sounds, made with FFmpeg's own encoders, whole and damaged."""

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def picture(index, *, width=96, height=64, step=6):
    """A frame whose mean level tells its number: a grey that steps by `step`, with a bright square at the top left."""
    rgb = np.full((height, width, 3), 20 + step * index % 200, np.uint8)
    rgb[: height // 4, : width // 4] = 240
    return rgb


def make_clip(  # noqa: C901 - one knob after another
    path: Path, *, frames=12, rate=Fraction(25), codec="mpeg4", size=(96, 64), pts=None, time_base=None, sound_s=None,
    tone=440.0, rotation=0, options=None, tags=None, colour=None, pixels="yuv420p", aspect=None, container_options=None,
    shift=0, later=0, step=6, heard=None, stream_tags=None,
) -> Path:  # fmt: skip
    """A clip of `frames` made pictures, with a sine of `sound_s` seconds or the samples `heard` if asked. Packets are
    `later` by so many ticks of the encoder."""
    rate = Fraction(rate)
    with av.open(str(path), "w", options=container_options or {}) as out:
        for key, value in (tags or {}).items():
            out.metadata[key] = value
        video = out.add_stream(codec, rate=rate, options=options or {})
        video.width, video.height, video.pix_fmt = *size, pixels
        for key, value in (stream_tags or {}).items():
            video.metadata[key] = value
        if aspect:
            video.codec_context.sample_aspect_ratio = aspect
        if time_base:
            video.time_base = video.codec_context.time_base = time_base
        for name, value in (colour or {}).items():
            setattr(video.codec_context, name, value)
        if rotation:
            video.set_display_rotation(rotation)
        sound = out.add_stream("pcm_s16le" if path.suffix in (".mov", ".avi", ".mkv") else "aac", rate=48000) \
            if sound_s or heard is not None else None  # fmt: skip
        if sound is not None:
            sound.layout = "mono"
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(i, width=size[0], height=size[1], step=step), format="rgb24")
            frame = frame.reformat(format=pixels)
            frame.pts = (pts[i] if pts else i) + shift
            frame.time_base = time_base or 1 / rate
            for packet in video.encode(frame):
                packet.pts, packet.dts = packet.pts + later, packet.dts + later
                out.mux(packet)
        for packet in video.encode():
            packet.pts, packet.dts = packet.pts + later, packet.dts + later
            out.mux(packet)
        if sound is not None:
            for packet in encoded(sound, heard if heard is not None else sine(sound_s, tone)):
                out.mux(packet)
    _with_its_turn()
    return path


def _with_its_turn() -> None:
    """SVT-AV1, run by root, leaves the process that encodes with it before all others of the machine, for good: a
    program that hangs on purpose would then never be interrupted."""
    if hasattr(os, "sched_setscheduler"):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def sine(seconds, hertz=440.0, *, rate=48000, level=0.25):
    """A tone, mono."""
    return (level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def encoded(stream, samples, *, rate=48000, size=1024):
    """Packets of a mono or stereo sound; samples are n or n × 2."""
    columns = samples.reshape(len(samples), -1).T
    resampler = av.AudioResampler(format=stream.codec_context.format, layout=stream.layout, rate=rate)
    for start in range(0, columns.shape[1], size):
        block = np.ascontiguousarray(columns[:, start : start + size], np.float32)
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono" if len(block) == 1 else "stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        for made in resampler.resample(frame):
            yield from stream.encode(made)
    yield from stream.encode()


def make_sound(path: Path, samples, *, rate=48000, codec="pcm_s16le", tags=None, options=None) -> Path:
    """A sound file of these samples (n or n × 2)."""
    with av.open(str(path), "w", options=options or {}) as out:
        for key, value in (tags or {}).items():
            out.metadata[key] = value
        stream = out.add_stream(codec, rate=rate)
        stream.layout = "stereo" if samples.ndim == 2 and samples.shape[1] == 2 else "mono"
        for packet in encoded(stream, samples, rate=rate):
            out.mux(packet)
    return path
