"""Timelines to and from other programs: OpenTimelineIO, EDL, FCPXML, xmeml, tables of markers."""

from safelight.interchange.files import READ, WRITTEN, Opened, Written, read, write
from safelight.interchange.programme import Programme
from safelight.interchange.together import first_frame, side_by_side

__all__ = ["READ", "WRITTEN", "Opened", "Programme", "Written", "first_frame", "read", "side_by_side", "write"]
