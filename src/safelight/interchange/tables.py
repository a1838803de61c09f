"""Markers as tables: CSV, and the list of events that Resolve takes as timeline markers."""

import csv
import io
from dataclasses import dataclass

from safelight.interchange.programme import Clip, Marker, Programme, placed
from safelight.media import timecode

RESOLVE = {
    "RED": "Red", "PINK": "Pink", "ORANGE": "Sand", "YELLOW": "Yellow", "GREEN": "Green", "CYAN": "Cyan",
    "BLUE": "Blue", "PURPLE": "Purple", "MAGENTA": "Fuchsia", "BLACK": "Cocoa", "WHITE": "Cream",
}  # fmt: skip
COLUMNS = ("Timecode", "Frame", "Duration", "Name", "Comment", "Colour", "Clip", "Source timecode")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A marker at a frame of the programme; of a clip with the clip and its source frame."""

    at: int
    marker: Marker
    clip: Clip | None = None


def rows(programme: Programme) -> list[Row]:
    """All markers in order of time, those of clips at their place in the programme if that is shown."""
    found = [Row(at=m.at, marker=m) for m in programme.markers]
    for track in programme.tracks:
        for at, item in placed(track):
            if isinstance(item, Clip):
                inside = (m for m in item.markers if 0 <= m.at < item.length)
                found += [Row(at=at + m.at, marker=m, clip=item) for m in inside]
    return sorted(found, key=lambda row: (row.at, row.marker.name))


def csv_of(programme: Programme) -> str:
    """A table with one marker a row."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows(programme):
        source = row.clip.source + round(row.marker.at * row.clip.speed) if row.clip else None
        writer.writerow([
            _label(programme, programme.start + row.at), row.at, row.marker.length, row.marker.name,
            row.marker.comment, row.marker.colour, row.clip.name if row.clip else "",
            "" if source is None else _label(programme, source),
        ])  # fmt: skip
    return out.getvalue()


def resolve_markers(programme: Programme) -> str:
    """An EDL that Resolve imports as markers of a timeline."""
    lines = [f"TITLE: {programme.name}", f"FCM: {'DROP FRAME' if programme.drop else 'NON-DROP FRAME'}", ""]
    for number, row in enumerate(rows(programme), 1):
        start, end = (_label(programme, programme.start + row.at + n) for n in (0, 1))
        lines.append(f"{number:03d}  001      V     C        {start} {end} {start} {end}  ")
        text = " ".join((row.marker.comment or row.marker.name).split()).replace("|", "/")
        name = " ".join(row.marker.name.split()).replace("|", "/")
        colour = RESOLVE.get(row.marker.colour, "Blue")
        lines += [f"{text} |C:ResolveColor{colour} |M:{name} |D:{row.marker.length}", ""]
    return "\n".join(lines) + "\n"


def _label(programme: Programme, frame: int) -> str:
    return timecode.label_of(frame, programme.rate, drop=programme.drop)
