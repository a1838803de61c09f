"""Words as cutting needs them, and which of them are not to be believed."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

LONG = 3  # times the expected length: a swallowed retake, a laugh, a cough
A_LETTER_S, A_WORD_S = 0.06, 0.15  # what a word takes in easy speech


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word as heard: seconds of the clip, half-open. `estimated`: its time is spread evenly, not measured."""

    text: str
    start: Fraction
    end: Fraction
    confidence: float = 1.0
    estimated: bool = False

    @property
    def plain(self) -> str:
        """Lower case, letters and digits and apostrophes alone."""
        return "".join(c for c in self.text.casefold() if c.isalnum() or c == "'")

    @property
    def closes(self) -> bool:
        """Whether a sentence ends with it."""
        return self.text.rstrip("\"'”’)").endswith((".", "!", "?", "…"))

    @property
    def asks(self) -> bool:
        """Whether a question ends with it."""
        return self.text.rstrip("\"'”’)").endswith("?")


def expected_s(word: Word) -> float:
    """How long it takes to say, roughly."""
    return A_WORD_S + A_LETTER_S * len(word.plain)


def suspects(words: Sequence[Word]) -> tuple[Word, ...]:
    """Words three times longer than they take: something else is hidden in them."""
    return tuple(w for w in words if float(w.end - w.start) > LONG * expected_s(w))
