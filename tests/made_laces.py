"""Matroska whose blocks hold several frames each, of which only the first has a time: no writer at hand makes it."""

import struct
from io import BytesIO
from itertools import islice
from pathlib import Path

import av

from tests.made_clips import picture


def make_laced(path: Path, laces, *, rate=25) -> Path:
    """MJPEG in blocks of so many frames; nothing says how long a frame lasts."""
    frames = iter(_coded(sum(laces)))
    number, blocks = 0, b""
    for count in laces:
        blocks += _element("A0", _element("A1", _block(list(islice(frames, count)), round(number * 1000 / rate))))
        number += count
    head = b"".join(_element(name, value) for name, value in (
        ("4286", b"\1"), ("42F7", b"\1"), ("42F2", b"\4"), ("42F3", b"\10"), ("4282", b"matroska"), ("4287", b"\4"),
        ("4285", b"\2"),
    ))  # fmt: skip
    millisecond = _element("2AD7B1", (1_000_000).to_bytes(3, "big"))
    info = _element("1549A966", millisecond + _element("4489", struct.pack(">d", number * 1000 / rate)))
    size = _element("E0", _element("B0", b"\x60") + _element("BA", b"\x40"))
    track = b"".join(_element(name, b"\1") for name in ("D7", "73C5", "83", "9C")) + _element("86", b"V_MJPEG") + size
    cluster = _element("1F43B675", _element("E7", b"\0") + blocks)
    segment = info + _element("1654AE6B", _element("AE", track)) + cluster
    path.write_bytes(_element("1A45DFA3", head) + _element("18538067", segment))
    return path


def _coded(count):
    with av.open(BytesIO(), "w", format="mjpeg") as out:
        stream = out.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuvj420p"
        frames = [
            av.VideoFrame.from_ndarray(picture(i), format="rgb24").reformat(format="yuvj420p") for i in range(count)
        ]
        return [bytes(packet) for frame in [*frames, None] for packet in stream.encode(frame)]


def _block(frames, at):
    laced = b""
    if len(frames) > 1:
        laced = bytes([len(frames) - 1]) + b"".join(
            b"\xff" * (len(f) // 255) + bytes([len(f) % 255]) for f in frames[:-1]
        )
    return b"\x81" + struct.pack(">hB", at, 2 if laced else 0) + laced + b"".join(frames)


def _element(name, data):
    return bytes.fromhex(name) + struct.pack(">Q", len(data) | 1 << 56) + data
