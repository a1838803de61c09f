"""Frames of a clip by time, with what is done to its picture: for whoever renders."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import av
import numpy as np

from safelight.cutting import grading
from safelight.cutting.assembly import Material
from safelight.errors import MediaError
from safelight.media import packets
from safelight.media.effects import CDL
from safelight.media.signing import Deed

Change: TypeAlias = Callable[[Any, Fraction], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rework:
    """What is done to the frames of a clip before they are graded. `change` gets a frame as it was decoded and its time
    (seconds of the clip), and gives one that is turned as it was; None: looked into, and left as it was. `why` the
    picture is encoded anew; `deeds`: what was done; `composed`: parts of it come from other frames."""

    change: Change | None
    why: str
    deeds: tuple[Deed, ...]
    composed: bool = False


class Reader:
    """Frames of a clip by time: on from where it is, or from the key frame before."""

    AHEAD_S = 10  # read on rather than look for another key frame

    def __init__(self, material: Material, *, grade: CDL | None, change: Change | None) -> None:
        self.material, self.grade, self.change = material, grade, change
        picture = material.facts.picture
        assert picture is not None
        self.picture = picture
        self.source = av.open(str(material.path))
        self.stream = self.source.streams[picture.index]
        self.stream.codec_context.thread_count = 2
        self.reach = Fraction(1, 4) / material.rate  # times are rounded to the ticks of the container
        self._start(Fraction(0), seek=False)

    def _start(self, at: Fraction, *, seek: bool) -> None:
        if seek:
            ticks = int(at / self.picture.time_base) + self.picture.first_pts
            self.source.seek(max(ticks, 0), stream=self.stream, backward=True)
        self.frames = (frame for packet in packets.of(self.source, self.stream) for frame in packet.decode())
        self.now: Any | None = None
        self.now_at: Fraction | None = None
        self.next: Any | None = next(self.frames, None)

    def frame(self, at: Fraction) -> Any:
        """The last frame that is presented at or before an instant; the first one before that."""
        if self.now_at is not None and not self.now_at - self.reach <= at < self.now_at + self.AHEAD_S:
            self._start(at, seek=True)
            if self.next is not None and self._at(self.next) > at + self.reach:
                self.source.seek(0)  # the index is wrong: from the beginning
                self._start(at, seek=False)
        while self.next is not None and (self.now is None or self._at(self.next) <= at + self.reach):
            self.now, self.now_at = self.next, self._at(self.next)
            self.next = next(self.frames, None)
        if self.now is None:
            raise MediaError(f"{self.material.path.name} shows nothing at {float(at):.2f} s.")
        return self.now

    def upright(self, at: Fraction, rotation: int) -> Any:
        """The frame at an instant, as a film holds it whose frames are turned by `rotation` to be upright."""
        frame, turns = self.frame(at), (self.picture.rotation - rotation) // 90 % 4
        if self.change is not None and self.now_at is not None:
            frame = self.change(frame, self.now_at)
        if self.grade is not None:
            frame = grading.graded(frame, self.grade, self.picture)
        if not turns:
            return frame
        rgb = np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), turns))
        return av.VideoFrame.from_ndarray(rgb, format="rgb24")

    def _at(self, frame: Any) -> Fraction:
        pts = frame.pts if frame.pts is not None else frame.dts or 0
        return (int(pts) - self.picture.first_pts) * self.picture.time_base

    def close(self) -> None:
        """Gives the file back."""
        self.source.close()
