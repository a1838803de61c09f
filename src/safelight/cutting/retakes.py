"""Takes that are said again: the last complete one is proposed, all are shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from fractions import Fraction

from safelight.cutting.speech import Word

BREATH_S = Fraction(1, 2)  # a gap that ends a phrase though no mark does
WITHIN_S = 45  # seconds in which a phrase is said again
ALIKE, ALIKE_WHOLE = 0.72, 0.84  # share of a phrase's words that the next repeats: broken off, or to its end
SHORTEST = 3  # words
HESITATION_S = Fraction(3, 20)  # after which a beginning may be begun anew
MARKS = frozenset(".,!?…;:-–—")
FEWEST, FEWEST_LETTERS = 2, 8  # words and letters of such a beginning
MOST_WORDS, MOST_STARTS = 40, 12
ALIKE_LETTERS = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """A phrase said again by the next: `goes` is proposed to be left out for `stays` (index ranges of words)."""

    goes: tuple[int, int]
    stays: tuple[int, int]
    alike: float
    broken_off: bool


def phrases(words: Sequence[Word]) -> list[tuple[int, int]]:
    """Index ranges of words between sentence marks or breaths."""
    found, first = [], 0
    for i, word in enumerate(words):
        last = i + 1 == len(words)
        if last or word.closes or words[i + 1].start - word.end >= BREATH_S:
            found.append((first, i + 1))
            first = i + 1
    return found


def takes(words: Sequence[Word]) -> list[Take]:
    """What is said again soon after, whole or after breaking off: phrases that a later one repeats, and beginnings that
    are begun anew at once, wherever the recogniser has set its marks. In order; none overlaps another."""
    found: list[Take] = []
    for take in sorted([*_anew(words), *_later(words)], key=lambda t: (t.goes[0], -t.goes[1])):
        if not found or take.goes[0] >= found[-1].goes[1]:
            found.append(take)
    return found


def _anew(words: Sequence[Word]) -> list[Take]:
    """Beginnings that are begun anew at once. Letters are compared, since the same sound is written differently with
    other words around it."""
    starts = [0, *(i for i in range(1, len(words)) if _may_begin(words[i - 1], words[i]))]
    letters = [w.plain.replace("'", "") for w in words]
    ends = {b: b for _, b in phrases(words)}
    found: list[Take] = []
    for place, first in enumerate(starts):
        for again in reversed(starts[place + 1 : place + 1 + MOST_STARTS]):
            if again - first > MOST_WORDS or again - first < FEWEST:
                continue
            one = "".join(letters[first:again])
            last, two = again, ""
            while last < len(words) and len(two) < len(one):
                two += letters[last]
                last += 1
            if min(len(one), len(two)) < FEWEST_LETTERS or words[again].start - words[again - 1].end > WITHIN_S:
                continue
            matcher = SequenceMatcher(None, one, two, autojunk=False)
            if matcher.quick_ratio() < ALIKE_LETTERS or matcher.ratio() < ALIKE_LETTERS:
                continue
            end = next((b for b in sorted(ends) if b >= last), last)
            found.append(Take(goes=(first, again), stays=(again, end), alike=matcher.ratio(), broken_off=end > last))
            break
    return found


def _may_begin(before: Word, word: Word) -> bool:
    """Whether somebody may have begun anew here: after a mark, or a breath."""
    return before.text.rstrip("\"'”’)")[-1:] in MARKS or word.start - before.end >= HESITATION_S


def _later(words: Sequence[Word]) -> list[Take]:
    """Phrases that one of the next few repeats."""
    said = phrases(words)
    plain = [w.plain for w in words]
    found: list[Take] = []
    for i, one in enumerate(said):
        if one[1] - one[0] < SHORTEST:
            continue
        for two in said[i + 1 : i + 4]:
            if words[two[0]].start - words[one[1] - 1].end > WITHIN_S:
                break
            alike = _repeats(plain[one[0] : one[1]], plain[two[0] : two[1]])
            longer = two[1] - two[0] - (one[1] - one[0])
            if longer >= -1 and alike >= (ALIKE if longer > 1 else ALIKE_WHOLE):
                found.append(Take(goes=one, stays=two, alike=alike, broken_off=longer > 1))
                break
    return found


def _repeats(one: Sequence[str], two: Sequence[str]) -> float:
    """The share of `one` that the beginning of `two` says again, in order."""
    blocks = SequenceMatcher(None, one, two[: len(one) + 2], autojunk=False).get_matching_blocks()
    return sum(b.size for b in blocks) / len(one)
