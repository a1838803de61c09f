"""The chunks of RIFF files: WAV, AVI, WebP. Each begins at an even offset."""

import struct
from collections.abc import Iterator

from safelight.media.boxes import Box
from safelight.media.ifd import Fetch

FIRST = 12  # bytes before the first chunk


def chunks(fetch: Fetch, end: int | None = None) -> Iterator[Box]:
    """The chunks up to `end`, or to the end of the file. Contents may end beyond it: headers are all that is read."""
    at = FIRST
    while (end is None or at + 8 <= end) and len(head := fetch(at, 8)) == 8:
        name, length = struct.unpack("<4sI", head)
        yield Box(name=name, start=at + 8, end=at + 8 + length)
        at += 8 + length + length % 2
