"""The log as tables: all of it for spreadsheets, and in the columns that Resolve and Premiere take.

Resolve's *Import Metadata from CSV* finds clips by `File Name` and gives a clip one row, so that its shots go into one
text. Premiere's *Import Batch List* takes five columns in a fixed order without a header, one entry a shot, which is
then linked to its clip; its out points are inclusive, and in drop-frame labels all separators are semicolons.
Neither import has been checked in those programs.
"""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from pathlib import Path

from safelight.media import timecode
from safelight.shotlog import said
from safelight.shotlog.rows import Row

PLAIN = (
    "Clip", "Shot", "Reel", "In", "Out", "Rate", "Start frame", "End frame", "Seconds", "Into", "Chance", "Words",
    "Tags", "Faults", "Steadiness", "Shake", "Camera", "Sharpness", "Exposure", "Median", "White", "Black", "Faces",
    "Key frame", "Said",
)  # fmt: skip
RESOLVE = (
    "File Name", "Clip Directory", "Reel Name", "Start TC", "End TC", "Description", "Comments", "Keywords", "Shot",
)  # fmt: skip


def plain(rows: Sequence[Row], root: Path) -> str:
    """Everything, a shot a row, with a header."""
    del root
    return _csv([PLAIN, *(_plain(row) for row in rows)])


def resolve(rows: Sequence[Row], root: Path) -> str:
    """A clip a row, in Resolve's own column names."""
    return _csv([RESOLVE, *(_resolve(list(shots), root) for _, shots in groupby(rows, key=lambda row: row.clip))])


def premiere(rows: Sequence[Row], root: Path) -> str:
    """A shot a row: tape, in, out, clip name, comment. A clip without a reel is its own tape."""
    del root
    return _csv([_premiere(row) for row in rows])


FOR: dict[str, Callable[[Sequence[Row], Path], str]] = {"plain": plain, "resolve": resolve, "premiere": premiere}


def _plain(row: Row) -> list[object]:
    steady, motion, sharp, light, faces = (row.facts.get(name, {}) for name in said.NAMES)
    return [
        row.clip, row.number, row.reel, row.label_in, row.label_out, f"{float(row.base):.6g}", row.start_frame,
        row.end_frame, f"{row.seconds:.3f}", row.into, row.chance, row.spoken, "; ".join(row.tags),
        "; ".join(f.replace("_", " ") for f in row.faults), steady.get("kind"), steady.get("shake"),
        "; ".join(motion.get("camera", ())), sharp.get("kind"), light.get("kind"), light.get("median"),
        light.get("white"), light.get("black"), faces.get("count"), row.key_frame,
        " ".join(said.sentences(row.facts).values()),
    ]  # fmt: skip


def _resolve(shots: list[Row], root: Path) -> list[object]:
    first, last = shots[0], shots[-1]
    place = root / first.clip
    keywords = dict.fromkeys(mark for row in shots for mark in (*row.tags, *row.marks))
    start = timecode.label_of(
        timecode.frame_of(first.label_in, first.base, drop=first.drop) - first.start_frame, first.base, drop=first.drop
    )
    spoken = " ".join(row.spoken for row in shots if row.spoken)
    return [
        place.name, place.parent, first.reel, start, last.label_out, spoken,
        "\n".join(_line(row) for row in shots), ",".join(keywords), f"{first.number}-{last.number}",
    ]  # fmt: skip


def _line(row: Row) -> str:
    marks = ", ".join(row.marks)
    return f"{row.label_in} shot {row.number}" + (f": {marks}" if marks else "")


def _premiere(row: Row) -> list[object]:
    last = timecode.frame_of(row.label_out, row.base, drop=row.drop) - 1
    labels = [row.label_in, timecode.label_of(last, row.base, drop=row.drop)]
    labels = [label.replace(":", ";") if row.drop else label for label in labels]
    name = Path(row.clip).name
    comment = "; ".join(part for part in (", ".join(row.marks), row.spoken) if part)
    return [row.reel or Path(row.clip).stem, *labels, f"{name} shot {row.number}", comment]


def _csv(rows: Iterable[Iterable[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        writer.writerow(["" if cell is None else str(cell) for cell in row])
    return out.getvalue()
