"""Timelines to and from other programs: OpenTimelineIO, EDL, FCPXML, xmeml, tables of markers."""

from safelight.interchange.files import READ, WRITTEN, Opened, Written, read, write
from safelight.interchange.programme import Programme
from safelight.interchange.relinked import Relinked, relink
from safelight.interchange.together import first_frame, side_by_side

__all__ = [
    "READ", "WRITTEN", "Opened", "Programme", "Relinked", "Written", "first_frame", "read", "relink", "side_by_side",
    "write",
]  # fmt: skip
