"""Timelines as files: read by their endings, written whole, read back and compared in frames before they appear."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from safelight.captions._text import decoded
from safelight.errors import MediaError, NotMedia, UsageError
from safelight.files import write_atomic
from safelight.interchange import edl, fcpxml, mlt, otio, tables, xmeml
from safelight.interchange.programme import Losses, Programme, reduce_clips
from safelight.media.formats import unreadable

READ = (".otio", ".edl", ".fcpxml", ".xml", ".mlt")
WRITTEN = (*READ, ".csv", ".markers.edl")
MOST = 256 << 20  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A timeline (an OpenTimelineIO document), the same in whole frames, and what was lost or moved as it was read."""

    timeline: Any
    programme: Programme
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The files that were written, each read back and the same in frames, and what the format could not carry."""

    files: tuple[Path, ...]
    losses: tuple[str, ...]


def read(path: Path, *, rate: Fraction | None = None) -> Opened:
    """The timeline of a file. Raises MediaError where it cannot be understood; `rate` is needed for lists (EDL)."""
    try:
        if path.stat().st_size > MOST:
            raise NotMedia(f"{path.name} is too large to be a timeline.", remedy="Give it its right name.")
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    return parse(data, path.name, rate=rate)


def parse(data: bytes, name: str, *, rate: Fraction | None = None) -> Opened:
    """The timeline of a file's bytes; the ending of its name says the format."""
    losses = Losses()
    notes: list[str] = []
    ending = "." + name.lower().rsplit(".", 1)[-1]
    try:
        if ending == ".otio":
            timeline, notes = otio.loads(decoded(data)[0])
            programme = otio.programme_of(timeline, losses, rate=rate)
        else:
            programme = _programme(data, ending, name, rate, losses)
            timeline = otio.timeline_of(programme)
    except MediaError as error:
        raise type(error)(f"{name} cannot be read. {error.cause}", remedy=error.remedy) from error
    return Opened(timeline=timeline, programme=programme, notes=(*notes, *losses.list()))


def _programme(data: bytes, ending: str, name: str, rate: Fraction | None, losses: Losses) -> Programme:
    if ending == ".edl":
        if rate is None:
            raise UsageError(f"{name} does not say its frame rate: lists never do.", remedy="Give it: --rate 25.")
        return edl.parse(decoded(data)[0], rate=rate, losses=losses)
    if ending == ".fcpxml":
        return fcpxml.parse(data, losses=losses, rate=rate)
    if ending == ".mlt":
        return mlt.parse(data, losses=losses)
    if ending == ".xml":
        if b"<fcpxml" in data[:4096]:
            return fcpxml.parse(data, losses=losses, rate=rate)
        return xmeml.parse(data, losses=losses)
    raise UsageError(f"{name} has no ending of a timeline.", remedy=f"Known are {', '.join(READ)}.")


def write(path: Path, programme: Programme) -> Written:
    """Writes a programme as the ending of `path` says. A list (EDL) may need several files, `NAME_2.edl` and so on.

    Each file is read back; where that gives other frames than were meant, UsageError is raised and nothing is kept.
    """
    losses = Losses()
    made = _made(path, programme, losses)
    for name, (data, meant) in made.items():
        if meant is not None:
            back = parse(data, name, rate=programme.rate).programme
            if back != meant:
                raise UsageError(
                    f"{name} would not say what the timeline says: {difference(meant, back)}.",
                    remedy="Write another format, and report this.",
                )
    files = tuple(path.with_name(name) for name in made)
    for file, (data, _) in zip(files, made.values(), strict=True):
        write_atomic(file, data)
    return Written(files=files, losses=losses.list())


Made = Mapping[str, tuple[bytes, Programme | None]]


def _made(path: Path, programme: Programme, losses: Losses) -> Made:
    """By name: bytes, and what they should say when they are read."""
    name = path.name.lower()
    if name.endswith(".markers.edl"):
        return {path.name: (tables.resolve_markers(programme).encode(), None)}
    if name.endswith(".csv"):
        return {path.name: (tables.csv_of(programme).encode("utf-8-sig"), None)}
    if name.endswith(".edl"):
        parts = edl.carried(programme, losses)
        names = [path.name] + [f"{path.stem}_{n}{path.suffix}" for n in range(2, len(parts) + 1)]
        return {n: (edl.text_of(p).encode(), p) for n, p in zip(names, parts, strict=False)}
    if name.endswith(".otio"):
        return {path.name: (otio.dumps(otio.timeline_of(programme)).encode(), programme)}
    writers: dict[str, tuple[Callable[[Programme, Losses], Programme], Callable[[Programme], str]]] = {
        ".fcpxml": (fcpxml.carried, fcpxml.text_of), ".xml": (xmeml.carried, xmeml.text_of),
        ".mlt": (mlt.carried, mlt.text_of),
    }  # fmt: skip
    if path.suffix.lower() not in writers:
        raise UsageError(f"{path.name} has no ending of a timeline.", remedy=f"Known are {', '.join(WRITTEN)}.")
    carried, text_of = writers[path.suffix.lower()]
    meant = carried(reduce_clips(programme, losses, grade=None), losses)
    return {path.name: (text_of(meant).encode(), meant)}


def difference(one: Programme, two: Programme) -> str:
    """The first thing in which two programmes differ."""
    for what in ("rate", "start", "drop", "name", "markers"):
        if getattr(one, what) != getattr(two, what):
            return f"{what} {getattr(one, what)} became {getattr(two, what)}"
    for n, (a, b) in enumerate(zip(one.tracks, two.tracks, strict=False), 1):
        for k, (x, y) in enumerate(zip(a.items, b.items, strict=False), 1):
            if x != y:
                return f"item {k} of track {n}, {x}, became {y}"
        if len(a.items) != len(b.items):
            return f"track {n} has {len(b.items)} items, not {len(a.items)}"
    return f"{len(one.tracks)} tracks became {len(two.tracks)}"
