"""What a cut is planned from, out of the evidence that a run has kept: words, voices, still stretches, frames."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from safelight.cutting.level import Room, Still, room_of, still_of
from safelight.cutting.passages import strike
from safelight.cutting.pauses import Pace, Span, tighten
from safelight.cutting.plan import Plan
from safelight.cutting.retakes import Take, takes
from safelight.cutting.speech import Word
from safelight.domain import Measure
from safelight.media import timecode

NEEDS = ("words", "speech", "quiet", "lulls", "shots", "clip.rate", "clip.sounds")
BESIDE_S = Fraction(1, 2)  # what may play beside the words of a passage
USUAL = Fraction(25)  # frames a second where there is no picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A clip in which somebody speaks: all its words, where voices are heard, where it is still; its frames."""

    words: tuple[Word, ...]
    speech: tuple[Span, ...] | None
    room: Room
    rate: Fraction
    length: int
    joins: tuple[int, ...] = ()
    lulls: tuple[Still, ...] | None = None  # where no voice is in a loud room; None: nobody can say
    unheard: tuple[Span, ...] = ()  # stretches whose words are not known: an answer is still to come

    @classmethod
    def of(cls, facts: Mapping[str, Measure], duration_s: Fraction | None) -> "Talk | str | None":
        """The talk in a clip; a sentence where one cannot tell; None where nobody speaks or it is still being heard."""
        words, quiet = facts.get("words"), facts.get("quiet")
        if words is None or quiet is None:
            return None
        if words.cannot_tell is not None:
            silent = any(name in facts and facts[name].value == [] for name in ("speech", "clip.sounds"))
            return None if silent else f"Its words are not known: {words.cannot_tell}."
        if quiet.cannot_tell is not None:
            return f"Its levels are not known: {quiet.cannot_tell}"
        told: Any = words.value
        if not told["whole"]:
            return None
        rate, length = frames(facts, duration_s)
        if not length:
            return None
        speech = facts.get("speech")
        spans: Any = speech.value if speech is not None else None
        value: Any = quiet.value
        found = facts.get("lulls")
        lulls: Any = None if found is None or found.cannot_tell is not None else found.value
        return cls(
            words=tuple(word_of(row) for row in told["words"]), room=room_of(value), rate=rate, length=length,
            speech=None if spans is None else _spans(spans),
            joins=joins_of(facts) or (),
            lulls=None if lulls is None else tuple(still_of(row) for row in lulls),
            unheard=_spans(told.get("missing", ())),
        )  # fmt: skip

    def tightened(self, pace: Pace) -> Plan:
        """Its pauses shortened."""
        return tighten(
            self.room, pace=pace, rate=self.rate, length=self.length, words=self.words, speech=self.speech,
            joins=self.joins, unheard=self.unheard, lulls=self.lulls,
        )  # fmt: skip

    def by_level(self, pace: Pace) -> Plan:
        """Its pauses shortened where nobody has listened: each cut rests on the level alone."""
        return tighten(self.room, pace=pace, rate=self.rate, length=self.length, joins=self.joins)

    def around(self, words: tuple[int, int]) -> tuple[int, int]:
        """The frames that hold these words (half-open), up to the middle of what lies between them and their
        neighbours, and half a second at most."""
        first, last = self.words[words[0]], self.words[words[1] - 1]
        before = self.words[words[0] - 1].end if words[0] else Fraction(0)
        after = self.words[words[1]].start if words[1] < len(self.words) else Fraction(self.length) / self.rate
        start = max((before + first.start) / 2, first.start - BESIDE_S)
        end = min((last.end + after) / 2, last.end + BESIDE_S)
        return max(round(start * self.rate), 0), min(round(end * self.rate), self.length)

    def takes(self) -> list[Take]:
        """What is said again."""
        return takes(self.words)

    def without(self, ranges: list[tuple[int, int]], *, rule: str = "struck", anyway: bool = False) -> Plan:
        """The clip without words of these index ranges (half-open). Raises ValueError for words that are not there."""
        return strike(self.words, ranges, self.room, rate=self.rate, length=self.length, rule=rule, anyway=anyway)


def joins_of(facts: Mapping[str, Measure]) -> tuple[int, ...] | None:
    """The frames at which later shots begin, in order; None where nobody has looked."""
    told = facts.get("shots")
    rows: Any = told.value if told is not None and isinstance(told.value, list) else None
    return None if rows is None else tuple(sorted(int(row["frame"]) for row in rows))


def word_of(row: Mapping[str, Any]) -> Word:
    """A word as evidence keeps it."""
    return Word(
        text=str(row["text"]), start=Fraction(str(row["start"])), end=Fraction(str(row["end"])),
        confidence=float(row.get("confidence") or 0), estimated=row.get("timed") == "estimated",
        suspect=row.get("suspect"), speaker=row.get("speaker"),
    )  # fmt: skip


def frames(facts: Mapping[str, Measure], duration_s: Fraction | None) -> tuple[Fraction, int]:
    """The rate in which it is cut, and how many frames of it there are. Frames of a rate that no format knows, or that
    varies, are counted at the usual one."""
    found = facts.get("clip.rate")
    rate = Fraction(str(found.value)) if found is not None and found.value is not None else USUAL
    rate = rate if timecode.is_known(rate) else USUAL
    return rate, int((duration_s or Fraction(0)) * rate)


def _spans(rows: Iterable[Mapping[str, Any]]) -> tuple[Span, ...]:
    return tuple((_exact(row["start"]), _exact(row["end"])) for row in rows)


def _exact(seconds: float) -> Fraction:
    return Fraction(round(seconds * 1000), 1000)
