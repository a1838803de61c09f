"""Clips one after another, in rational time."""

from dataclasses import dataclass
from fractions import Fraction

from safelight.media.effects import Effect


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
class Timeline:
    """Clips that play one after another without gaps, captions that were set by hand, and where chapters begin."""

    clips: tuple[Clip, ...]
    texts: tuple[Text, ...] = ()
    chapters: tuple[Chapter, ...] = ()

    @property
    def duration(self) -> Fraction:
        """Seconds."""
        return sum((clip.duration for clip in self.clips), Fraction(0))
