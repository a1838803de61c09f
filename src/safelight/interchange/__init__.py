"""Timelines to and from other programs: OpenTimelineIO, EDL, FCPXML, xmeml, tables of markers."""
