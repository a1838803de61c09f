"""Shots as markers in sidecars of clips: `xmpDM:markers` with `xmpDM:probability`, which Premiere and its like read.

A track of ours is written anew as a whole; what others have written stays as it was. Times count in Premiere's ticks,
of which every frame rate in use and every clock of a container has a whole number, so that clips of variable rate are
marked exactly too (XMP specification part 2, Dynamic Media).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from safelight import __version__, ingest
from safelight.domain import Kind
from safelight.errors import MediaError
from safelight.files import write_atomic
from safelight.media import xmp
from safelight.media.formats import RAW_SUFFIXES
from safelight.media.xmp_tracks import Marker, Track, printable
from safelight.shotlog import said
from safelight.shotlog.rows import Row

TICKS = 254_016_000_000  # a second
SHOTS = "Safelight shots"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A sidecar: what was done with it (`written`, `unchanged`, `refused`), and why where it was refused."""

    path: Path
    did: str
    because: str = ""


def sidecar(clip: Path) -> Path:
    """Where the sidecar of a clip lies: `A001.xmp`, as video programs have it; `A001.MOV.xmp` where a photo's raw, a
    sound or another clip of the same name lies beside it."""
    short = clip.with_suffix(".xmp")
    same = [p for p in clip.parent.iterdir() if p.stem == clip.stem and p != clip]
    rivals = [p for p in same if p.suffix.lower() in RAW_SUFFIXES or ingest.kind_of(p.name) in (Kind.VIDEO, Kind.AUDIO)]
    return clip.with_name(clip.name + ".xmp") if rivals else short


def write(root: Path, rows: Sequence[Row]) -> list[Written]:
    """Writes the markers of all clips among the rows, which must be all shots of each, and reads them back. One that
    says so already is left alone; one that cannot be read is not written over; one that another program made is kept as
    `.bak` before it is changed for the first time."""
    clips: dict[str, list[Row]] = {}
    for row in rows:
        clips.setdefault(row.clip, []).append(row)
    return [_write(sidecar(root / clip), shots) for clip, shots in clips.items()]


def _write(path: Path, rows: Sequence[Row]) -> Written:
    track = Track(name=SHOTS, kind="Comment", rate=Fraction(TICKS), markers=tuple(marker(row) for row in rows))
    try:
        old = path.read_bytes() if path.is_file() else None
        packet = xmp.Packet.parse(old)
    except (MediaError, OSError) as error:
        return Written(path=path, did="refused", because=str(error))
    if old is not None and track in packet.tracks():
        return Written(path=path, did="unchanged")
    foreign = old is not None and packet.get("safelight:Version") is None
    packet.set("safelight:Version", __version__)
    packet.set_track(track)
    data = packet.to_bytes()
    if track not in xmp.Packet.parse(data).tracks():
        return Written(path=path, did="refused", because="The markers did not read back as they were written.")
    keep = path.with_name(path.name + ".bak")
    if foreign and old is not None and not keep.exists():
        write_atomic(keep, old)
    write_atomic(path, data)
    if xmp.Packet.parse(path.read_bytes()).tracks() != packet.tracks():
        return Written(path=path, did="refused", because="The file does not say what was written into it.")
    return Written(path=path, did="written")


def marker(row: Row) -> Marker:
    """A shot as a marker: its marks as the name, what was measured and said as the comment, the chance of its join."""
    marks = ", ".join(row.marks)
    spoken = f"“{row.spoken}”" if row.spoken else ""
    text = " ".join(part for part in (*said.sentences(row.facts).values(), spoken) if part)
    return Marker(
        start=_ticks(row.at), duration=_ticks(row.until) - _ticks(row.at),
        name=printable(f"Shot {row.number}" + (f": {marks}" if marks else "")), comment=printable(text),
        probability=row.chance,
    )  # fmt: skip


def _ticks(seconds: Fraction) -> int:
    return round(seconds * TICKS)
