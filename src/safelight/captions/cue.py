"""A caption and a list of them."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """Lines of plain text shown in [start, end), seconds of the media's time."""

    start: Fraction
    end: Fraction
    lines: tuple[str, ...]

    @property
    def characters(self) -> int:
        """Letters, spaces and punctuation of all lines; line breaks do not count."""
        return sum(map(len, self.lines))

    @property
    def words(self) -> int:
        """Words of all lines."""
        return sum(len(line.split()) for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Captions:
    """Cues in order of their start. `notes` says what was met, or lost, while they were read."""

    cues: tuple[Cue, ...]
    language: str | None = None
    rate: Fraction | None = None  # frames a second, where the file says it
    notes: tuple[str, ...] = ()
