"""An edit by text: words are struck, picture and sound follow. Each edge lies where it is quietest between words."""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

from safelight.cutting.level import Room
from safelight.cutting.plan import Cut, Doubt, Plan
from safelight.cutting.speech import Word
from safelight.media.runs import joined

ROOM_S = Fraction(1, 5)  # seconds around the middle of a gap within which an edge is sought
BEHIND_DB, NOWHERE_DB = 10.0, -10.0  # where the sound has ended; where nothing is still


def strike(
    words: Sequence[Word], struck: Sequence[tuple[int, int]], room: Room, *, rate: Fraction, length: int,
    rule: str = "struck", anyway: bool = False,
) -> Plan:  # fmt: skip
    """What goes when words with the index ranges `struck` (half-open) are left out. Each cut and doubt has the range of
    its words as evidence.

    An edge without a gap to cut in stays a person's: the words run into one another there. Where a person has said that
    they go `anyway`, the cut lies between the words' times, and is a doubt besides.
    Raises ValueError for a range that names no words.
    """
    cuts: list[Cut] = []
    doubts: list[Doubt] = []
    for first, last in joined(struck):
        if not 0 <= first < last <= len(words):
            raise ValueError(f"words {first} to {last} are not there; there are {len(words)}")
        said = " ".join(w.text for w in words[first:last])
        short = said if len(said) <= 60 else f"{said[:57]}…"
        start, start_db = _edge(words[first - 1].end if first else Fraction(0), words[first].start, room)
        after = words[last].start if last < len(words) else Fraction(length) / rate
        end, end_db = _edge(words[last - 1].end, after, room)
        evidence = (("words", short), ("range", f"{first}-{last}"), ("level.margin_db", min(start_db, end_db)))
        frames = (ceil(start * rate), min(floor(end * rate), length))
        if frames[1] <= frames[0]:
            continue
        unsure = min(start_db, end_db) <= 0 or any(w.estimated for w in words[max(first - 1, 0) : last + 1])
        if unsure:
            text = f"“{short}” has no quiet edge to be cut at, or its time is estimated."
            doubts.append(Doubt(start=frames[0], end=frames[1], rule="no_gap", text=text, evidence=evidence))
        if anyway or not unsure:
            text = f"“{short}” goes."
            cuts.append(Cut(start=frames[0], end=frames[1], rule=rule, text=text, evidence=evidence, look=unsure))
    return Plan(rate=rate, length=length, cuts=tuple(cuts), doubts=tuple(doubts))


def _edge(after: Fraction, before: Fraction, room: Room) -> tuple[Fraction, float]:
    """The instant between two words at which to cut, in the middle of the stillest stretch near the middle of the gap,
    and how far that lies below what counts as speech (dB; below 0 where nothing is still there)."""
    low, high = min(after, before), max(after, before)
    middle = (low + high) / 2
    low, high = max(low, middle - ROOM_S), min(high, middle + ROOM_S)
    if low >= room.end:
        return middle, BEHIND_DB
    near = [s for s in room.stills if s.end > low and s.start < high]
    if not near:
        return middle, NOWHERE_DB
    best = max(near, key=lambda s: (s.margin_db, -s.start))
    return (max(best.start, low) + min(best.end, high)) / 2, best.margin_db
