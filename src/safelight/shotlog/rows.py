"""Shots of clips as rows: where they lie in time and timecode, what is said in them, what was measured."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from safelight.domain import Json, Kind, exact
from safelight.media import timecode
from safelight.media.runs import Stretches
from safelight.shotlog import said
from safelight.state import Footage


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One shot. Times are seconds from the first frame of the clip, ends exclusive; timecode counts at `base` frames a
    second from the clip's own label, from zero where it has none. `words` carry their times, `facts` are those of
    `shots.facts`, `chance` that of the join it begins with."""

    clip: str
    asset: str
    number: int  # from 1, in its clip
    start_frame: int
    end_frame: int
    at: Fraction
    until: Fraction
    base: Fraction
    drop: bool
    label_in: str
    label_out: str
    into: str
    chance: float | None
    reel: str | None = None
    words: tuple[tuple[float, float, str], ...] = ()
    faults: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from all others."""
        return self.clip, self.number

    @property
    def spoken(self) -> str:
        """The words in one line."""
        return " ".join(text for _, _, text in self.words)

    @property
    def key_frame(self) -> int | None:
        """The frame that shows it."""
        found: int | None = self.facts.get("key_frame")
        return found

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return float(self.until - self.at)

    @property
    def marks(self) -> list[str]:
        """Facts and faults as words."""
        return said.marks(self.facts) + [fault.replace("_", " ") for fault in self.faults]

    @property
    def json(self) -> dict[str, Json]:
        """The row as a document."""
        return {
            "clip": self.clip, "id": self.asset, "number": self.number, "reel": self.reel, "in": self.label_in,
            "out": self.label_out, "rate": exact(self.base), "drop": self.drop, "start_frame": self.start_frame,
            "end_frame": self.end_frame, "at": exact(self.at), "until": exact(self.until), "seconds": self.seconds,
            "into": self.into, "chance": self.chance, "words": self.spoken, "tags": list(self.tags),
            "faults": list(self.faults), "marks": list[Json](self.marks), "key_frame": self.key_frame,
            **{name: self.facts.get(name) for name in said.NAMES}, "said": dict(said.sentences(self.facts)),
        }  # fmt: skip


def rows_of(clip: Footage, *, tags: Iterable[str] = ()) -> list[Row]:
    """The shots of a clip in order; none where nobody could look for them, or it is a sound."""
    shots, frames = clip.facts.get("shots"), _value(clip, "clip.frames")
    if shots is None or not isinstance(shots.value, list) or not isinstance(frames, int):
        return []
    joins: list[Any] = [{"into": "start", "frame": 0, "at": "0/1", "score": None}, *shots.value]
    ends = [(j["frame"], Fraction(j["at"])) for j in joins[1:]] + [(frames, clip.asset.duration_s or Fraction(0))]
    facts: list[Any] = _value(clip, "shots.facts") or [{}] * len(joins)
    count = Labels.of(clip)
    words, faults = _words(clip), _faults(clip)
    middles, lasting = [_middle(w) for w in words], Stretches((start, stop) for start, stop, _, _ in faults)
    reel = _value(clip, "clip.reel")
    rows = []
    for number, (join, (end, until), fact) in enumerate(zip(joins, ends, facts, strict=True), 1):
        at = Fraction(join["at"])
        rows.append(Row(
            clip=clip.path, asset=clip.asset.id, number=number, start_frame=join["frame"], end_frame=end, at=at,
            until=until, base=count.base, drop=count.drop, label_in=count.label(join["frame"], at),
            label_out=count.label(end, until), into=join["into"], chance=join["score"],
            reel=None if reel is None else str(reel), tags=tuple(tags), facts=fact,
            words=tuple(words[bisect_left(middles, at) : bisect_left(middles, until)]),
            faults=tuple(dict.fromkeys(kind for _, kind in sorted(faults[n][2:] for n in lasting.touching(at, until)))),
        ))  # fmt: skip
    return rows


def unheard(clips: Sequence[Footage]) -> list[tuple[str, str]]:
    """Clips with sound whose words nobody could write down, with the reason."""
    told = []
    for clip in clips:
        words = clip.facts.get("words")
        silent = words is not None and words.cannot_tell in ("nobody speaks", "it has no sound")
        if clip.asset.kind is not Kind.VIDEO or silent or (words is not None and words.cannot_tell is None):
            continue
        told.append((clip.path, words.cannot_tell or "" if words is not None else "it has not been heard yet"))
    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """How the frames of a clip are named. Where they do not come at a constant rate they are named by their time."""

    base: Fraction
    drop: bool
    first: int
    steady: bool

    @classmethod
    def of(cls, clip: Footage) -> "Labels":
        """Those of a clip: from its embedded timecode, else from zero."""
        rate, label = _value(clip, "clip.rate"), _value(clip, "clip.timecode")
        base = _base(Fraction(str(rate)) if rate else Fraction(25))
        steady = not _value(clip, "clip.rate.variable") and bool(rate) and Fraction(str(rate)) == base
        try:
            first = timecode.frame_of(str(label), base) if label else 0
        except ValueError:  # a label that does not exist at the rate of the frames
            label, first = None, 0
        drop = bool(label) and str(label)[-3] in ";," and timecode.can_drop(base)
        return cls(base=base, drop=drop, first=first, steady=steady)

    def label(self, frame: int, at: Fraction) -> str:
        """The label of a frame that is shown `at` so many seconds."""
        count = frame if self.steady else timecode.nearest_frame(at, self.base)
        return timecode.label_of(self.first + count, self.base, drop=self.drop)


def _base(rate: Fraction) -> Fraction:
    """The rate at which frames are named: a known one, or the nearest whole one."""
    if timecode.is_known(rate):
        return rate
    return Fraction(max(round(rate), 1))


def _words(clip: Footage) -> list[tuple[float, float, str]]:
    """In order of their middles."""
    found = _value(clip, "words")
    rows: list[Any] = found["words"] if isinstance(found, dict) else []
    return sorted(((float(w["start"]), float(w["end"]), str(w["text"])) for w in rows), key=_middle)


def _middle(word: tuple[float, float, str]) -> Fraction:
    return Fraction(word[0] + word[1]) / 2


def _faults(clip: Footage) -> list[tuple[Fraction, Fraction, int, str]]:
    """In order of their beginnings: start, end, number among those that are told, kind."""
    told: list[Any] = []
    for name in ("faults.picture", "faults.sound"):
        found = _value(clip, name)
        told += found if isinstance(found, list) else []
    return sorted((Fraction(f["start"]), Fraction(f["end"]), n, str(f["kind"])) for n, f in enumerate(told))


def _value(clip: Footage, name: str) -> Any:
    found = clip.facts.get(name)
    return found.value if found is not None else None
