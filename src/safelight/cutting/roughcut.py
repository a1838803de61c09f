"""A first rough cut of talks: whole sentences, in their order, as many as fit a length, each with declared reasons.

The reasons say what can be measured of a sentence, not whether it matters to the story: that stays a person's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from safelight.cutting.facts import Talk
from safelight.cutting.retakes import phrases
from safelight.cutting.select import Passage, select

REASONS = {
    "heard": "how sure the recogniser is of its words",
    "dense": "how much of it is speech, and not pause",
    "whole": "whether it ends as a sentence does",
    "clean": "how much of it shows no fault of picture or sound",
}
"""What speaks for a passage, each from 0 to 1."""
BREATH_S, LONGEST_S = 2, 30  # a pause inside a sentence; what is longer ends at its next pause

Range = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """Words [first, last) of a clip, the frames [start, end) that hold them, and what speaks for them."""

    clip: int
    words: Range
    frames: Range
    text: str
    reasons: dict[str, float]
    taken: bool = True


def sentences(talk: Talk, *, clip: int = 0, faults: Sequence[tuple[Fraction, Fraction]] = ()) -> list[Sentence]:
    """The sentences of a clip; their frames meet in the middle of what lies between their words."""
    found: list[Range] = []
    for first, last in phrases(talk.words):
        if found and _goes_on(talk, found[-1], first):
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    edges = [0, *(_between(talk, a[1]) for a in found[:-1]), talk.length]
    return [
        Sentence(
            clip=clip, words=words, frames=(a, b), text=" ".join(w.text for w in talk.words[slice(*words)]),
            reasons=_reasons(talk, words, (a, b), faults),
        )
        for words, a, b in zip(found, edges, edges[1:], strict=False) if b > a
    ]  # fmt: skip


def _goes_on(talk: Talk, before: Range, first: int) -> bool:
    """Whether a phrase belongs to the sentence before: that has not ended, only a breath lies between them, and it is
    not too long already."""
    last = talk.words[before[1] - 1]
    long = last.end - talk.words[before[0]].start
    return not last.closes and talk.words[first].start - last.end < BREATH_S and long < LONGEST_S


def _between(talk: Talk, word: int) -> int:
    return round((talk.words[word - 1].end + talk.words[word].start) / 2 * talk.rate)


def _reasons(talk: Talk, words: Range, frames: Range, faults: Sequence[tuple[Fraction, Fraction]]) -> dict[str, float]:
    said = talk.words[slice(*words)]
    start, end = (Fraction(f) / talk.rate for f in frames)
    spoken = sum((w.end - w.start for w in said), Fraction(0))
    faulty = sum((max(min(b, end) - max(a, start), Fraction(0)) for a, b in faults), Fraction(0))
    return {
        "heard": round(sum(w.confidence for w in said) / len(said), 3),
        "dense": round(min(float(spoken / (end - start)), 1.0), 3),
        "whole": float(said[-1].closes),
        "clean": round(1 - min(float(faulty / (end - start)), 1.0), 3),
    }


def fitting(found: Sequence[Sentence], plays: Sequence[Fraction], *, target_s: Fraction) -> tuple[int, ...]:
    """Indices of the sentences to take, in order, so that what they play (seconds, each) fits the target."""
    at = Fraction(0)
    passages = []
    for one, seconds in zip(found, plays, strict=True):
        passages.append(Passage(start=at, end=at + seconds, reasons=one.reasons))
        at += seconds
    return select(passages, target_s=target_s)
