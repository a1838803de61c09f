"""An edit by text: words are struck, picture and sound follow. Each edge lies where it is quietest between words."""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

import numpy as np

from safelight.cutting.level import A_SECOND, Decibels, Levels, quiet
from safelight.cutting.plan import Cut, Doubt, Plan
from safelight.cutting.speech import Word

ROOM_S = Fraction(1, 5)  # seconds beyond a word within which an edge is sought


def strike(
    words: Sequence[Word], struck: Sequence[tuple[int, int]], levels: Levels, *, rate: Fraction, length: int
) -> Plan:
    """What goes when words with the index ranges `struck` (half-open) are left out.

    An edge without a gap to cut in stays a person's: the words run into one another there.
    Raises ValueError for a range that names no words.
    """
    heard = quiet(levels)
    cuts: list[Cut] = []
    doubts: list[Doubt] = []
    for first, last in _joined(struck):
        if not 0 <= first < last <= len(words):
            raise ValueError(f"words {first} to {last} are not there; there are {len(words)}")
        said = " ".join(w.text for w in words[first:last])
        short = said if len(said) <= 60 else f"{said[:57]}…"
        start, start_db = _edge(
            words[first - 1].end if first else Fraction(0), words[first].start, levels, heard.margin
        )
        after = words[last].start if last < len(words) else Fraction(length) / rate
        end, end_db = _edge(words[last - 1].end, after, levels, heard.margin)
        evidence = (("words", short), ("level.margin_db", round(min(start_db, end_db), 1)))
        frames = (ceil(start * rate), min(floor(end * rate), length))
        if frames[1] <= frames[0]:
            continue
        if min(start_db, end_db) <= 0 or any(w.estimated for w in words[max(first - 1, 0) : last + 1]):
            text = f"“{short}” has no quiet edge to be cut at, or its time is estimated."
            doubts.append(Doubt(start=frames[0], end=frames[1], rule="no_gap", text=text, evidence=evidence))
        else:
            cuts.append(
                Cut(start=frames[0], end=frames[1], rule="struck", text=f"“{short}” was struck.", evidence=evidence)
            )
    return Plan(rate=rate, length=length, cuts=tuple(cuts), doubts=tuple(doubts))


def _joined(struck: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for first, last in sorted(struck):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def _edge(after: Fraction, before: Fraction, levels: Levels, margin: Decibels) -> tuple[Fraction, float]:
    """The quietest instant between two words, and how far it lies below what counts as speech (dB)."""
    low, high = min(after, before), max(after, before)
    middle = (low + high) / 2
    low, high = max(low, middle - ROOM_S), min(high, middle + ROOM_S)
    part = levels.rows(low, high + Fraction(1, A_SECOND))
    if part.stop <= part.start or part.start >= len(margin):
        return middle, 10.0 if part.start >= len(margin) else -10.0
    best = int(np.argmax(margin[part])) + part.start
    return min(max(levels.at + Fraction(2 * best + 1, 2 * A_SECOND), low), high), float(margin[best])
