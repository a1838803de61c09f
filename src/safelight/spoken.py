"""Words of a talk by when they are said, so that those of a stretch are found at once."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from safelight.cutting import Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Words by their start, so that those of a stretch are found without looking at all of them: a talk of hours has
    as many cuts as minutes, times ten. `latest` is the end of whatever ends last among a word and those before it."""

    words: tuple[Word, ...]
    starts: tuple[float, ...]
    latest: tuple[float, ...]

    @classmethod
    def of(cls, words: Iterable[Word]) -> "Heard":
        """Of words in any order."""
        ordered = tuple(sorted(words, key=lambda w: w.start))
        ends = accumulate((float(w.end) for w in ordered), max)
        return cls(words=ordered, starts=tuple(float(w.start) for w in ordered), latest=tuple(ends))

    def within(self, start: Fraction, end: Fraction) -> tuple[str, ...]:
        """Texts of the words of which a part lies in [start, end), seconds."""
        first = bisect_left(self.latest, float(start))
        last = bisect_right(self.starts, float(end))
        return tuple(w.text for w in self.words[first:last] if w.start < end and w.end > start)
