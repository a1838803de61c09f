"""Clips of a timeline linked to files where they lie now: by the name that they were linked under, their own, or their
reel, and only where the file holds the frames that are shown.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import ceil
from pathlib import Path
from urllib.parse import unquote, urlsplit

from safelight.errors import MediaError
from safelight.interchange.programme import Clip, Programme
from safelight.interchange.together import first_frame
from safelight.media import container, timecode

REEL = 8  # characters that a list keeps of a reel


@dataclass(frozen=True, slots=True, kw_only=True)
class Relinked:
    """The programme with its new links; how many clips have one, and of the others why they have none, each once."""

    programme: Programme
    linked: int
    missing: tuple[str, ...]


def relink(programme: Programme, folders: Sequence[Path]) -> Relinked:
    """Links each clip to a file below these folders. A clip that none fits keeps the link it had."""
    shelf = _Shelf(rate=programme.rate, files=sorted(_files(folders)))
    linked, missing = 0, dict[str, None]()
    tracks = []
    for track in programme.tracks:
        items = list(track.items)
        for i, item in enumerate(items):
            if not isinstance(item, Clip):
                continue
            found = shelf.of(item)
            if isinstance(found, Clip):
                items[i], linked = found, linked + 1
            else:
                missing[f"{item.name or item.reel or 'a clip without a name'}: {found}"] = None
        tracks.append(replace(track, items=tuple(items)))
    return Relinked(programme=replace(programme, tracks=tuple(tracks)), linked=linked, missing=tuple(missing))


def _files(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from (p for p in folder.rglob("*") if p.is_file() and ".safelight" not in p.parts)


@dataclass(slots=True, kw_only=True)
class _Shelf:
    """Files that clips may be linked to; each is opened once, and only where its name fits."""

    rate: Fraction
    files: list[Path]
    spans: dict[Path, tuple[int, int] | None] = field(default_factory=dict)

    def of(self, clip: Clip) -> Clip | str:
        """The clip with its link, or why there is none."""
        named = self._named(clip)
        there = [path for path in named if self._span(path) is not None]
        if not there:
            return "no clip or sound has its name" if not named else f"{named[0].name} cannot be read"
        fit = [path for path in there if self._holds(path, clip)]
        if not fit:
            first, last = self._span(there[0]) or (0, 0)
            shown = f"frames {clip.source} to {clip.source + _needed(clip)}"
            return f"{shown} are shown, and {there[0].name} has those from {first} to {last}"
        if len(fit) > 1:
            return f"{len(fit)} files fit: {', '.join(p.name for p in fit[:3])}"
        first, last = self._span(fit[0]) or (0, 0)
        return replace(clip, media=fit[0].absolute().as_uri(), media_start=first, media_length=last - first)

    def _named(self, clip: Clip) -> list[Path]:
        """The files that are called so, by the surest of its names that any file has."""
        link = Path(unquote(urlsplit(clip.media or "").path)).name.casefold()
        name, reel = clip.name.casefold(), (clip.reel or "").casefold()
        for fits in (
            lambda p: bool(link) and p.name.casefold() == link,
            lambda p: bool(name) and name in (p.name.casefold(), p.stem.casefold()),
            lambda p: bool(reel) and p.stem.casefold() in (reel, name),
            lambda p: len(reel) == REEL and p.stem.casefold().startswith(reel),
        ):
            found = [path for path in self.files if fits(path)]
            if any(self._span(path) is not None for path in found):
                return found
        return [path for path in self.files if link and path.name.casefold() == link]

    def _holds(self, path: Path, clip: Clip) -> bool:
        first, last = self._span(path) or (0, 0)
        return first <= clip.source and clip.source + _needed(clip) <= last

    def _span(self, path: Path) -> tuple[int, int] | None:
        """The frames that a file has, from its own timecode on; None for what is no clip or sound."""
        if path not in self.spans:
            try:
                facts = container.contents(path)
            except MediaError:
                self.spans[path] = None
            else:
                first = first_frame(facts, self.rate)
                length = timecode.nearest_frame(facts.duration_s or Fraction(0), self.rate)
                self.spans[path] = (first, first + length)
        return self.spans[path]


def _needed(clip: Clip) -> int:
    """Frames of its medium that it shows."""
    return max(ceil(clip.length * abs(clip.speed)), 1)
