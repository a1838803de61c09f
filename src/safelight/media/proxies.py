"""Small copies of clips that every browser plays and steps through at once: H.264 with a key frame every half second,
AAC. Times are those of the original, so that a frame is the same frame in both."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from safelight.files import PART
from safelight.media import container, sound, video

SUFFIX = ".copy.mp4"
OPTIONS = {"preset": "veryfast", "crf": "25", "tune": "fastdecode", "threads": "2"}
TICKS = Fraction(1, 90_000)
SOUND_HZ = 48_000


def proxy(source: Path, cache: Path, *, height: int) -> Path:
    """The copy of a clip, at most so many pixels high, beside `cache` (a place without suffix); made where it is not
    there. Raises MediaError where the clip cannot be read."""
    made = cache.with_suffix(SUFFIX)
    if made.is_file():
        return made
    made.parent.mkdir(parents=True, exist_ok=True)
    part = made.with_name(f"{PART}{made.name}")
    try:
        with av.open(str(part), "w", format="mp4", options={"movflags": "faststart"}) as out:
            _write(source, out, height)
        part.replace(made)
    finally:
        part.unlink(missing_ok=True)
    return made


def _write(source: Path, out: Any, height: int) -> None:
    facts = container.contents(source)
    pictures: Any = None
    heard: Any = None
    if facts.picture is not None:
        rate = facts.picture.rate or Fraction(25)
        pictures = out.add_stream("libx264", rate=rate, options=OPTIONS | {"g": str(max(1, round(rate / 2)))})
        pictures.pix_fmt, pictures.time_base = "yuv420p", TICKS
        pictures.codec_context.time_base = TICKS
    if facts.sounds:
        heard = out.add_stream("aac", rate=SOUND_HZ, layout="mono")
    blocks = sound.blocks(source, rate=SOUND_HZ, mono=True, facts=facts) if heard is not None else iter(())
    block = next(blocks, None)
    pictured = video.frames(source, long_side=round(height * 16 / 9), facts=facts) if pictures is not None else ()
    for still in pictured:
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(still.rgb), format="rgb24")
        if not still.index:
            pictures.width, pictures.height = frame.width // 2 * 2, frame.height // 2 * 2
        frame = frame.reformat(pictures.width, pictures.height, "yuv420p")
        frame.pts, frame.time_base = round(still.at / TICKS), TICKS
        out.mux(pictures.encode(frame))
        while block is not None and block.at <= still.at:
            _hear(out, heard, block)
            block = next(blocks, None)
    while block is not None:
        _hear(out, heard, block)
        block = next(blocks, None)
    for stream in filter(None, (pictures, heard)):
        out.mux(stream.encode(None))


def _hear(out: Any, stream: Any, block: sound.Block) -> None:
    if block.at < 0:
        return
    frame = av.AudioFrame.from_ndarray(block.samples.T.copy(), format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = SOUND_HZ, round(block.at * SOUND_HZ), Fraction(1, SOUND_HZ)
    out.mux(stream.encode(frame))
