"""Packets of a picture in the order of the file, those that say no time between those that do.

Several frames may lie in one block of Matroska (a lace), of which only the first has a time where the track does not
say how long a frame lasts. FFmpeg hands the others on without one.
"""

from collections.abc import Iterator
from typing import Any

import av

LACED = "matroska"
MOST = 255  # frames of a block behind its first


def of(container: Any, stream: Any) -> Iterator[Any]:
    """The packets of a stream. Those of a lace get times of their own, spread evenly up to the next that is known, and
    at the end as far apart as those before. FFmpeg's errors pass through, behind what was read before them."""
    packets = container.demux(stream)
    return _timed(packets) if stream.type == "video" and container.format.name.startswith(LACED) else packets


def _timed(packets: Iterator[Any]) -> Iterator[Any]:
    last: int | None = None
    step = 0
    lace: list[Any] = []
    try:
        for packet in packets:
            at = packet.pts if packet.pts is not None else packet.dts
            if at is None and packet.size and last is not None and len(lace) < MOST:
                lace.append(packet)
                continue
            if at is not None and last is not None:
                step = (at - last) // (len(lace) + 1)
                yield from _spread(lace, last, at - last, known=True)
            else:
                yield from _spread(lace, last, step, known=False)
            lace, last = [], at if at is not None else last
            yield packet
    except av.error.FFmpegError:
        yield from _spread(lace, last, step, known=False)
        raise
    yield from _spread(lace, last, step, known=False)


def _spread(lace: list[Any], last: int | None, distance: int, *, known: bool) -> list[Any]:
    """The packets of a lace, each with a time behind `last`: over all of the distance to the next time that is known,
    or else a step after the other. They stay as they are where there is no room."""
    parts = len(lace) + 1 if known else 1
    if last is not None and distance >= parts:
        for n, packet in enumerate(lace, 1):
            packet.pts = last + distance * n // parts
    return lace
