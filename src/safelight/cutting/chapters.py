"""Where a chapter may begin: with the first word, or a sentence after a long pause, a minute or more after the last."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from safelight.cutting.speech import Word

CHAPTER_S, PAUSE_S = 60, Fraction(3, 2)  # a chapter lasts so long, and begins after such a pause
TITLE = 6  # words


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """A word with which a chapter may begin: its number, when it is heard (seconds of the clip), the pause before it
    (seconds; None: it is the first), and what is said there as a title."""

    word: int
    at: Fraction
    pause_s: Fraction | None
    title: str


def title(words: Sequence[Word], first: int) -> str:
    """The words with which it begins."""
    return " ".join(word.text for word in words[first : first + TITLE])


def pause(words: Sequence[Word], n: int) -> Fraction | None:
    """The pause before a word that begins a sentence after a long one; None for any other."""
    before = words[n - 1] if n else None
    lasts = words[n].start - before.end if before is not None and before.closes else Fraction(0)
    return lasts if lasts >= PAUSE_S else None


def begins(words: Sequence[Word], *, least_s: int = CHAPTER_S) -> list[Begin]:
    """The chapters of a clip in order, the first with its first word."""
    found: list[Begin] = []
    for n, word in enumerate(words):
        before = pause(words, n)
        if n == 0 or (before is not None and word.start - found[-1].at >= least_s):
            found.append(Begin(word=n, at=word.start, pause_s=before, title=title(words, n)))
    return found
