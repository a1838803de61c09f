"""Recordings of one event are heard once, from where the voice stands furthest above its room: what is said there holds
for the others as well, at the times of each, wherever both are known to hear the same.

What only one of them hears (the other was paused, or nobody speaks near it) is heard from that one itself.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from safelight.domain import Json, Measure
from safelight.hearing import Part
from safelight.media.runs import joined
from safelight.placing import Placed
from safelight.speech.activity import Span

OF_VOICES = ("speech", "sound.floor")  # measures that `Voice.of` reads
CLEARER_DB = 3.0  # so much less clear another recording may be than the own one, and still be listened to instead
REACH_S = 0.5  # around what the other hears as speech
UNHEARD_S = 0.75  # at a time of a stretch of a voice that the other may lack: in pauses gain rises, and a room rings
COVERS = 0.5  # of what is taken for speech that the other hears at least: rooms and noise are taken for it as well
DOUBLE = 0.3  # of a word: what lies so far in one that was heard here is the same one


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """What is known of a recording before its words are. Times are the clip's. `clear_db`: how far the voice stands
    above its room, on the whole; `clear`: the same of stretches, where that is known."""

    asset: str
    path: str
    speech: tuple[Span, ...]
    clear_db: float
    clear: tuple[tuple[Span, float], ...] = ()

    def clear_at(self, span: Span) -> float:
        """How far the voice stands above the room in a span, at its clearest."""
        inside = [db for (a, b), db in self.clear if a < span[1] and b > span[0]]
        return max(inside, default=self.clear_db)

    @classmethod
    def of(
        cls, asset: str, path: str, facts: Mapping[str, Measure], clear: Sequence[tuple[Span, float]] = ()
    ) -> "Voice | None":
        """As evidence says; None where nobody is known to speak."""
        speech, room = (_value(facts, name) for name in OF_VOICES)
        if not isinstance(speech, list) or not speech or not isinstance(room, dict) or room.get("speech_db") is None:
            return None
        return cls(
            asset=asset, path=path, clear=tuple(clear), clear_db=float(room["speech_db"]) - float(room["floor_db"]),
            speech=tuple((float(s["start"]), float(s["end"])) for s in speech),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """From which recording another one's words are taken. `sure`: spans of the other's own time in which both hear the
    same; `said`: where the leader hears speech, in the other's time too, with some room around it."""

    leader: Voice
    here: Callable[[float], float]  # a time of the leader as one of the other
    there: Callable[[float], float]  # and the reverse
    sure: tuple[Span, ...]
    said: tuple[Span, ...]

    def holds(self, part: Part, offset: float) -> bool:
        """Whether the leader hears what is said in a part of the other, whose sound begins at `offset`, and about as
        clearly: most of its speech, and every stretch of a voice in it."""
        start, end = part.span[0] + offset, part.span[1] + offset
        if not any(a <= start and end <= b for a, b in self.sure):
            return False
        speech, voiced = (
            [(max(a + offset, start), min(b + offset, end)) for a, b in spans] for spans in (part.speech, part.voiced)
        )
        lacks = sum(_missing(span, self.said) for span in speech)
        if lacks > (1 - COVERS) * sum(b - a for a, b in speech):
            return False
        if any(_longest_gap(span, self.said) > UNHEARD_S for span in voiced):
            return False
        return self.leader.clear_at((self.there(start), self.there(end))) >= part.clear_db - CLEARER_DB

    def rows(self, told: Sequence[Mapping[str, Any]], own: Sequence[Span] = ()) -> list[dict[str, Any]]:
        """Rows with a start and an end at the times of this recording, where it is sure and nothing is heard from it
        itself (`own`)."""
        found = []
        for row in told:
            start, end = self.here(float(row["start"])), self.here(float(row["end"]))
            middle = (start + end) / 2
            sure = any(a <= middle <= b for a, b in self.sure)
            if sure and not any(a <= middle < b for a, b in own):
                found.append({**row, "start": round(start, 3), "end": round(end, 3)})
        return found


def plan(placed: Iterable[Placed], voices: Mapping[str, Voice]) -> dict[str, Share]:
    """Who is listened to instead of whom: in each event the clearest one leads, the others follow."""
    events: dict[str, list[Placed]] = {}
    for one in placed:
        if one.asset in voices:
            events.setdefault(one.event, []).append(one)
    found: dict[str, Share] = {}
    for members in events.values():
        leader = max(members, key=lambda p: (voices[p.asset].clear_db, p.match is None, p.asset))
        found |= {p.asset: share(leader, p, voices[leader.asset]) for p in members if p is not leader}
    return found


def share(leader: Placed, other: Placed, voice: Voice) -> Share:
    """What the other can take from the leader."""

    def here(at: float) -> float:
        return other.of_event(leader.in_event(at))

    def there(at: float) -> float:
        return leader.of_event(other.in_event(at))

    sure = [(float("-inf"), float("inf"))] if leader.agrees is None else [(here(a), here(b)) for a, b in leader.agrees]
    if other.agrees is not None:
        sure = [
            (max(a, c), min(b, d)) for a, b in sure for c, d in other.agrees if max(a, c) < min(b, d)
        ]  # fmt: skip
    said = joined([(here(a) - REACH_S, here(b) + REACH_S) for a, b in voice.speech], gap=0.0)
    return Share(leader=voice, here=here, there=there, sure=tuple(sure), said=tuple(said))


def merged(own: Sequence[Mapping[str, Any]], shared: Sequence[Mapping[str, Any]]) -> list[dict[str, Json]]:
    """Words that were heard here and those that another recording heard, in order; what both have is told once."""
    found = [dict(w) for w in own]
    mine = sorted((float(w["start"]), float(w["end"])) for w in own)
    for word in shared:
        start, end = float(word["start"]), float(word["end"])
        double = sum(max(min(end, b) - max(start, a), 0.0) for a, b in mine if a < end and b > start)
        if double <= DOUBLE * (end - start):
            found.append(dict(word))
    return sorted(found, key=lambda w: (float(w["start"]), float(w["end"])))


def _missing(span: Span, said: Sequence[Span]) -> float:
    """Seconds of a span that are not said."""
    return span[1] - span[0] - sum(max(min(span[1], b) - max(span[0], a), 0.0) for a, b in said)


def _longest_gap(span: Span, said: Sequence[Span]) -> float:
    """Seconds of a span in which nothing is said, at a time. `said` is in order."""
    at, longest = span[0], 0.0
    for start, end in said:
        if end > span[0] and start < span[1]:
            longest = max(longest, start - at)
            at = max(at, end)
    return max(longest, span[1] - at)


def _value(facts: Mapping[str, Measure], name: str) -> Any:
    found = facts.get(name)
    return found.value if found is not None else None
