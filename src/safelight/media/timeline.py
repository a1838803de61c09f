"""Clips one after another, in rational time."""

from dataclasses import dataclass
from fractions import Fraction

from safelight.media.effects import Effect

MOST_S = 2  # seconds by which a picture may be rolled


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A half-open range [start, end) in seconds of one input (asset or version id) with its rate in frames a second.
    `effects`: what is done to it, in this order, when it is rendered."""

    source: str
    start: Fraction
    end: Fraction
    rate: Fraction
    effects: tuple[Effect, ...] = ()

    def __post_init__(self) -> None:
        if not self.start < self.end:
            raise ValueError(f"clip of {self.source[:12]} ends at {self.end} before it starts at {self.start}")

    @property
    def duration(self) -> Fraction:
        """Seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A caption that a person set for words of an input: those from `first` to `last`, seconds of it. It shows from
    `after` seconds after the first of them begins to `rest` seconds after the last one ends; both may be below 0."""

    first: Fraction
    last: Fraction
    after: Fraction
    rest: Fraction
    lines: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.first < self.last:
            raise ValueError(f"words run forwards from 0 or later, not from {self.first} to {self.last}")
        if not any(line.strip() for line in self.lines):
            raise ValueError("a caption has at least one line")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """The beginning of a chapter: `at` seconds of an input, with its title; `name` tells it from others."""

    name: str
    at: Fraction
    title: str

    def __post_init__(self) -> None:
        if self.at < 0:
            raise ValueError(f"a chapter begins at 0 or later, not at {self.at}")
        if not self.title.strip():
            raise ValueError("a chapter has a title")


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A join whose picture is rolled away from its sound by `by` seconds: above 0 the sound leads (a J cut), below it
    trails (an L cut). The join is that at which an input goes on near `at` seconds of it; `name` tells it from
    others."""

    name: str
    at: Fraction
    by: Fraction

    def __post_init__(self) -> None:
        if self.at < 0:
            raise ValueError(f"a join lies at 0 or later, not at {self.at}")
        if not 0 < abs(self.by) <= MOST_S:
            raise ValueError(f"a picture is rolled by up to {MOST_S} s either way, and not by {self.by}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutaway:
    """The picture of another input, from `start` seconds of it, over `length` seconds of what plays from `at` seconds
    of this input on. `source`: the other input's id; `title`: what people call it."""

    name: str
    at: Fraction
    length: Fraction
    source: str
    start: Fraction
    title: str = ""

    def __post_init__(self) -> None:
        if self.at < 0 or self.start < 0:
            raise ValueError(f"a cutaway begins at 0 or later, not at {self.at} from {self.start}")
        if self.length <= 0:
            raise ValueError(f"a cutaway lasts longer than nothing, not {self.length}")
        if not self.source:
            raise ValueError("a cutaway names the clip that it shows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Clips that play one after another without gaps, captions that were set by hand, where chapters begin, where the
    picture is rolled away from a join, and what of other inputs lies over it."""

    clips: tuple[Clip, ...]
    texts: tuple[Text, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    splits: tuple[Split, ...] = ()
    cutaways: tuple[Cutaway, ...] = ()

    @property
    def duration(self) -> Fraction:
        """Seconds."""
        return sum((clip.duration for clip in self.clips), Fraction(0))
