"""A timeline in whole frames: what every format is written from, and what is compared when it is read back.

All numbers are frames at the programme's rate; ranges are half-open. A clip's `source` counts from its medium's own
timecode zero, so that a reel's label and a file's range say the same.
"""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TypeAlias

from safelight.media.effects import CDL


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """A note at a frame of the programme (of a clip: counted from its beginning)."""

    at: int
    length: int = 1
    name: str = ""
    comment: str = ""
    colour: str = "RED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """`length` frames shown of a medium from its frame `source` on, at `speed` (0: one frame is held), with the `grade`
    that whoever renders it applies."""

    name: str
    length: int
    source: int
    media: str | None = None  # URL
    reel: str | None = None
    media_start: int | None = None
    media_length: int | None = None
    speed: Fraction = Fraction(1)
    markers: tuple[Marker, ...] = ()
    enabled: bool = True
    grade: CDL | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Nothing, for so many frames."""

    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """Between the items around it: begins `before` frames before the cut and ends `after` frames behind it."""

    before: int
    after: int
    kind: str = "dissolve"  # or "wipe"
    code: str = ""  # of a wipe: its number, "001"


Item: TypeAlias = Clip | Gap | Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Items one after another; `kind` is "video" or "audio"."""

    kind: str
    items: tuple[Item, ...]

    @property
    def length(self) -> int:
        """Frames."""
        return sum(item.length for item in self.items if not isinstance(item, Transition))


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """A timeline; `start` is the frame of its first label. Tracks from the bottom up, pictures first."""

    name: str
    rate: Fraction
    tracks: tuple[Track, ...]
    start: int = 0
    drop: bool = False
    markers: tuple[Marker, ...] = ()

    @property
    def length(self) -> int:
        """Frames of the longest track."""
        return max((track.length for track in self.tracks), default=0)


@dataclass(slots=True)
class Losses:
    """What a format cannot carry, in words with counts; filled as a programme is reduced."""

    found: dict[str, int] = field(default_factory=dict)

    def add(self, what: str, count: int = 1) -> None:
        """Counts one more."""
        if count:
            self.found[what] = self.found.get(what, 0) + count

    def list(self) -> tuple[str, ...]:
        """Each once, with its count."""
        return tuple(f"{what}: {count}" for what, count in self.found.items())


def tidy(programme: Programme) -> Programme:
    """The same programme in one form: gaps joined, gaps at the end and empty tracks gone, markers by place."""
    tracks = []
    for track in programme.tracks:
        items: list[Item] = []
        for item in track.items:
            if isinstance(item, Gap):
                if item.length <= 0:
                    continue
                if items and isinstance(items[-1], Gap):
                    items[-1] = Gap(length=items[-1].length + item.length)
                    continue
            items.append(replace(item, markers=ordered(item.markers)) if isinstance(item, Clip) else item)
        while items and isinstance(items[-1], Gap):
            items.pop()
        if items:
            tracks.append(Track(kind=track.kind, items=tuple(items)))
    tracks.sort(key=lambda t: t.kind != "video")
    return replace(programme, tracks=tuple(tracks), markers=ordered(programme.markers))


def ordered(markers: tuple[Marker, ...]) -> tuple[Marker, ...]:
    """Markers by place."""
    return tuple(sorted(markers, key=lambda m: (m.at, m.length, m.name, m.comment)))


def placed(track: Track) -> list[tuple[int, Item]]:
    """Each item with the frame at which it begins; a transition with that of its cut."""
    at, found = 0, []
    for item in track.items:
        found.append((at, item))
        if not isinstance(item, Transition):
            at += item.length
    return found


def reduce_clips(programme: Programme, losses: Losses, **change: object) -> Programme:
    """Every clip with these fields set to what a format leaves of them; each that differs is counted as lost."""
    names = {"markers": "markers on clips", "enabled": "clips that are switched off", "speed": "changes of speed",
             "reel": "reel names", "media_start": "", "media_length": "", "media": "links to media",
             "grade": "grades (ASC CDL)"}  # fmt: skip
    tracks = []
    for track in programme.tracks:
        items: list[Item] = []
        for item in track.items:
            if isinstance(item, Clip):
                for key, value in change.items():
                    if getattr(item, key) != value and names[key]:
                        held = getattr(item, key)
                        losses.add(names[key], len(held) if isinstance(held, tuple) else 1)
                items.append(replace(item, **change))  # type: ignore[arg-type]
            else:
                items.append(item)
        tracks.append(replace(track, items=tuple(items)))
    return replace(programme, tracks=tuple(tracks))
