"""Words as cutting needs them, and which of them are not to be believed."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from safelight.speech.chunks import lasts_long


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word as heard: seconds of the clip, half-open. `estimated`: its time is spread evenly, not measured. `suspect`:
    it lasts so long that something else may lie in it; None: nobody said."""

    text: str
    start: Fraction
    end: Fraction
    confidence: float = 1.0
    estimated: bool = False
    suspect: bool | None = None
    speaker: str | None = None

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


def suspects(words: Sequence[Word]) -> tuple[Word, ...]:
    """Words in which something else is hidden: those that were marked when they were heard."""
    return tuple(w for w in words if (lasts_long(w.text, float(w.end - w.start)) if w.suspect is None else w.suspect))


def edges(words: Sequence[Word], first: int, last: int) -> tuple[Fraction, Fraction]:
    """Where a stretch of whole words is cut out, from number `first` to `last`: in the middle of the gaps around it, a
    second from it at most."""
    before = words[first - 1].end if first else words[first].start - 1
    after = words[last + 1].start if last + 1 < len(words) else words[last].end + 1
    return (
        max((before + words[first].start) / 2, words[first].start - 1, Fraction(0)),
        min((words[last].end + after) / 2, words[last].end + 1),
    )
