"""Clips one after another, in rational time."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A half-open range [start, end) in seconds of one input (asset or version id) with its rate in frames a second."""

    source: str
    start: Fraction
    end: Fraction
    rate: Fraction

    def __post_init__(self) -> None:
        if not self.start < self.end:
            raise ValueError(f"clip of {self.source[:12]} ends at {self.end} before it starts at {self.start}")

    @property
    def duration(self) -> Fraction:
        """Seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Clips that play one after another without gaps."""

    clips: tuple[Clip, ...]

    @property
    def duration(self) -> Fraction:
        """Seconds."""
        return sum((clip.duration for clip in self.clips), Fraction(0))
