"""Words as cutting needs them, and which of them are not to be believed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from safelight.media.runs import Stretches
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """Words by when they begin, so that those of a stretch are found without looking at all of them: a talk of hours
    has thousands of cuts."""

    words: tuple[Word, ...]
    places: Stretches[Fraction]

    @classmethod
    def of(cls, words: Iterable[Word]) -> "Spoken":
        """Of words in any order."""
        ordered = tuple(sorted(words, key=lambda w: w.start))
        return cls(words=ordered, places=Stretches((w.start, w.end) for w in ordered))

    def within(self, start: Fraction, end: Fraction) -> tuple[Word, ...]:
        """Those of which a part lies in [start, end), seconds."""
        return tuple(self.words[n] for n in self.places.touching(start, end))

    def ended(self, at: Fraction) -> Word | None:
        """The one that ends last of those that have ended by a moment."""
        number = self.places.ended(at)
        return None if number is None else self.words[number]

    def beside(self, at: Fraction) -> tuple[Word | None, Word | None]:
        """The last that begins before a moment, and the first that begins then or later."""
        number = self.places.before(at)
        return (
            self.words[number - 1] if number else None, self.words[number] if number < len(self.words) else None
        )  # fmt: skip


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
