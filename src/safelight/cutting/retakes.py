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
    """Which phrases are said again soon after, whole or after breaking off."""
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
