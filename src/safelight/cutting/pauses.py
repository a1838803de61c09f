"""Shortens pauses where two witnesses agree: the level says that nobody speaks, and no word is heard there.

A pause is never taken away: its middle goes, so that each word keeps its breath. What the witnesses see differently, a
pause of a quarter of a minute, and the edges of words that are not to be believed go to a person. Where the room is as
loud as the ends of words, the level says nothing: there a lull, in which no voice is found in the noise either, is
shortened down to two seconds, since up to a second on either side a word may still fade under the noise.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from typing import TypeAlias

from safelight.cutting.level import Room, Still
from safelight.cutting.plan import Cut, Doubt, Evidence, Plan, in_order
from safelight.cutting.speech import Spoken, Word, suspects
from safelight.media.runs import Spans

AFTER_S, BEFORE_S = Fraction(1, 5), Fraction(3, 20)  # what stays after and before speech: endings last longer
WORD_ERROR_S = Fraction(1, 25)  # of forced alignment
IN_NOISE_S = Fraction(1)  # what stays on either side of a lull in a loud room
SHORTEST_PAUSE_S, SHORTEST_CUT_S = Fraction(3, 10), Fraction(1, 5)
SHORTEST_SHOT = 12  # frames between two cuts
NEAR_A_JOIN = 6  # frames
LISTED_S, A_PERSONS_S = 3, 15  # lifts that are listed, and that a person decides
STRANGE, FEW_STRANGE = 0.05, 3  # share and number of words that are too long, beyond which none is told by itself
UNTOLD = 0.01  # of the whole: from here on it is said
LOUD_GAP_S = 1  # sound without a word for so long: a laugh, a reaction, a word not heard
DROWNED = Fraction(1, 5)  # share of a gap that is still, below which it is not seen as quiet
VOICED_S = Fraction(1, 2)  # of a voice between two words, so that something was said …
BRIEF_S = Fraction(1, 5)  # … or so much, where as much as that is not still: a word that was broken off
ASKED = Fraction(3, 2)  # a question is given time
DROWNS = "pause_not_still"
NUMBERS = frozenset({
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "hundred", "thousand", "million",
})  # fmt: skip


Span: TypeAlias = tuple[Fraction, Fraction]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds that stay of a pause inside a sentence and after one; a pause is touched from `longer` seconds on."""

    inside: Fraction
    sentence: Fraction
    longer: Fraction


PACES = {
    "natural": Pace(inside=Fraction(1, 2), sentence=Fraction(4, 5), longer=Fraction(1)),
    "balanced": Pace(inside=Fraction(2, 5), sentence=Fraction(3, 5), longer=Fraction(7, 10)),
    "fast": Pace(inside=Fraction(2, 5), sentence=Fraction(2, 5), longer=Fraction(9, 20)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """What is known while pauses are gone through. `listened`: a recogniser did."""

    stills: Spans[Fraction]
    spoken: Spoken
    listened: bool
    speech: Spans[Fraction] | None
    rate: Fraction
    strange: frozenset[Word]
    joins: tuple[int, ...]
    moving: Spans[Fraction]
    unheard: Spans[Fraction]


def tighten(
    room: Room, *, pace: Pace, rate: Fraction, length: int, words: Sequence[Word] | None = None,
    speech: Sequence[Span] | None = None, joins: Sequence[int] = (), moving: Sequence[Span] = (),
    unheard: Sequence[Span] = (), lulls: Sequence[Still] | None = None,
) -> Plan:  # fmt: skip
    """The pauses to shorten in a clip of `length` frames at `rate`.

    `words`: as heard, in order; None where no recogniser listened, and then each cut is marked as having one witness.
    `speech`: where a detector of voices hears one (seconds); with it, pauses that the room drowns are named.
    `lulls`: where no voice is found in a room that is too loud for the level; None: nobody has looked.
    `joins`: frames at which the picture changes; `moving`: spans in which it shows something; `unheard`: spans whose
    words are not known (seconds).
    """
    spoken = Spoken.of(words or ())
    heard = _Heard(
        stills=Spans((s.start, s.end) for s in room.stills), spoken=spoken, listened=words is not None,
        speech=None if speech is None else Spans(speech), rate=rate, strange=frozenset(suspects(spoken.words)),
        joins=tuple(sorted(joins)), moving=Spans(moving),
        unheard=Spans(unheard),
    )  # fmt: skip
    cuts: list[Cut] = []
    doubts = _loud_gaps(heard, pace)
    notes = [] if words is not None else ["No words: each cut rests on the level alone, and wants a look."]
    if len(heard.strange) > max(FEW_STRANGE, STRANGE * len(spoken.words)):
        notes.append(
            f"{len(heard.strange)} of {len(spoken.words)} words last far too long: what was heard here is not to "
            "be believed, and no pause beside such a word is touched."
        )
    else:
        doubts += [_strange(w, rate) for w in sorted(heard.strange, key=lambda w: w.start)]
    for still in room.stills:
        found = _shortened(heard, pace, still, length)
        if isinstance(found, Cut):
            cuts.append(found)
        elif found is not None:
            doubts.append(found)
    if heard.listened and heard.speech is not None:
        level = Spans((c.start / rate, c.end / rate) for c in cuts)
        loud = [lull for lull in lulls or () if not level.touch(lull.start, lull.end)]
        tried = [_shortened(heard, pace, lull, length, noisy=True) for lull in loud]
        cuts += [found for found in tried if isinstance(found, Cut)]
        doubts += [found for found in tried if isinstance(found, Doubt)]
    if room.untold > UNTOLD:
        stays = "it stays" if lulls is None else f"only long ones lose something, down to {2 * IN_NOISE_S} s"
        notes.append(
            f"In {room.untold:.0%} of it the room is too loud for the level to tell a pause from speech: {stays}."
        )
    shortened = Spans((c.start, c.end) for c in cuts)
    doubts = [d for d in doubts if d.rule != DROWNS or not shortened.touch(d.start, d.end)]
    kept = in_order(cuts, shortest=SHORTEST_SHOT)
    return Plan(rate=rate, length=length, cuts=kept, doubts=tuple(sorted(doubts, key=lambda d: d.start)),
                notes=tuple(notes))  # fmt: skip


def _shortened(
    heard: _Heard, pace: Pace, still: Still, length: int, *, noisy: bool = False
) -> Cut | Doubt | None:  # fmt: skip
    """The middle of one pause, or why a person must say."""
    start, end = still.start, still.end
    if end - start < max(pace.longer, SHORTEST_PAUSE_S):
        return None
    before, after = heard.spoken.beside((start + end) / 2)
    stays = pace.sentence if before is None or before.closes else pace.inside
    if before is not None and before.asks:
        stays *= ASKED
    if after is not None and _is_stressed(after, before):
        stays = max(stays, pace.sentence)
    beside = (IN_NOISE_S, IN_NOISE_S) if noisy else (AFTER_S, BEFORE_S)
    span = _middle((start, end), max(stays, beside[0] + beside[1]), heard.rate, length, beside=beside)
    if span is None:
        return None
    first, last = span
    margin = "voice.margin_db" if noisy else "level.margin_db"
    evidence = ((margin, still.margin_db), *_evidence(heard, span, (before, after)))
    objection = _objection(heard, first, last, (before, after))
    if objection is not None:
        return Doubt(start=first, end=last, rule=objection[0], text=objection[1], evidence=evidence)
    gone = Fraction(last - first) / heard.rate
    text = f"A pause of {float(end - start):.2f} s becomes {float(end - start - gone):.2f} s."
    text += " The room is loud; no voice is found in its noise." if noisy else ""
    return Cut(
        start=first, end=last, rule="pause_in_noise" if noisy else "pause", text=text, evidence=evidence,
        leaves_s=end - start - gone, look=not heard.listened or gone > LISTED_S,
    )  # fmt: skip


def _middle(
    pause: Span, stays: Fraction, rate: Fraction, length: int, *, beside: Span = (AFTER_S, BEFORE_S)
) -> tuple[int, int] | None:
    """The frames to take out of a pause so that `stays` is left, within a frame; None where that is too little.
    `beside`: what stays after and before speech at least."""
    (start, end), (after, before) = pause, beside
    goes = (end - start - stays) * rate
    room = _frames((start + after) * rate, (end - before) * rate, least=goes - 1)
    room = max(room[0], 0), min(room[1], length)
    count = min(round(goes), room[1] - room[0])
    if count < SHORTEST_CUT_S * rate:
        return None
    wanted = round((start + stays * after / (after + before)) * rate)
    first = min(max(wanted, room[0]), room[1] - count)
    return first, first + count


def _frames(low: Fraction, high: Fraction, *, least: Fraction) -> tuple[int, int]:
    """The whole frames between two edges. Where both edges' rounding costs so much that fewer than `least` are left,
    the edge that lies nearer to the next frame outwards gives way: by half a frame at most."""
    first, last = ceil(low), floor(high)
    if last - first >= least:
        return first, last
    return (first - 1, last) if first - low >= high - last else (first, last + 1)


def _objection(
    heard: _Heard, first: int, last: int, beside: tuple[Word | None, Word | None]
) -> tuple[str, str] | None:  # fmt: skip
    """Why these frames are not for a machine to cut: a rule and a sentence."""
    start, end = Fraction(first) / heard.rate, Fraction(last) / heard.rate
    if heard.unheard.touch(start, end):
        return "not_heard", "It is quiet here, but the words of this part are not known yet."
    spoken = heard.spoken.within(start - WORD_ERROR_S, end + WORD_ERROR_S)
    if spoken:
        said = " ".join(w.text for w in spoken[:4])
        return "two_witnesses", f"It is quiet here, yet “{said}” was heard."
    if any(w in heard.strange for w in beside):
        return "suspect_word", "A word beside this pause is far too long for what it says: something may be hidden."
    if heard.moving.touch(start, end):
        return "picture_moves", "Nobody speaks, but the picture shows something."
    if end - start > A_PERSONS_S:
        return "long_silence", f"{float(end - start):.0f} s without a word: a person says whether it may go."
    if any(_near_a_join(heard, edge) for edge in (first, last)):
        return "near_a_join", "The cut would fall within six frames of a change of shot."
    return None


def _near_a_join(heard: _Heard, edge: int) -> bool:
    near = heard.joins[bisect_right(heard.joins, edge - NEAR_A_JOIN) : bisect_left(heard.joins, edge + NEAR_A_JOIN)]
    return any(j != edge for j in near)


def _is_stressed(word: Word, before: Word | None) -> bool:
    """Whether what comes is a number or a name: a pause before it is meant."""
    if word.plain.isdigit() or word.plain in NUMBERS:
        return True
    return (
        before is not None and not before.closes and word.text[:1].isupper() and word.plain not in {"i", "i'm", "i'll"}
    )


def _evidence(heard: _Heard, span: tuple[int, int], beside: tuple[Word | None, Word | None]) -> Evidence:
    start, end = (Fraction(frame) / heard.rate for frame in span)
    before, after = beside
    found: list[tuple[str, float | str]] = []
    if before is not None:
        found += [("word.before", before.text), ("word.before_s", round(float(start - before.end), 3))]
    if after is not None:
        found += [("word.after", after.text), ("word.after_s", round(float(after.start - end), 3))]
    return tuple(found)


def _loud_gaps(heard: _Heard, pace: Pace) -> list[Doubt]:
    """Where there is sound between two words, but no word: kept, and said."""
    found = []
    for one, two in pairwise(heard.spoken.words):
        start, end = one.end + AFTER_S, two.start - BEFORE_S
        if end - start < SHORTEST_CUT_S:
            continue
        still = heard.stills.cover(start, end)
        if heard.speech is None:
            if two.start - one.end >= LOUD_GAP_S and still < (end - start) / 2:
                found.append(_unheard(heard, one, two))
            continue
        voiced = heard.speech.cover(start, end)
        if voiced >= VOICED_S or (voiced >= BRIEF_S and end - start - still >= VOICED_S):
            found.append(_unheard(heard, one, two))
        elif not voiced and still < (end - start) * DROWNED and two.start - one.end >= pace.longer:
            found += _not_still(heard, pace, one, two)
    return found


def _unheard(heard: _Heard, one: Word, two: Word) -> Doubt:
    return Doubt(
        start=floor(one.end * heard.rate), end=ceil(two.start * heard.rate), rule="sound_without_words",
        text="There is sound here but no word: a take that was not written down, laughter, a reaction.",
    )  # fmt: skip


def _not_still(heard: _Heard, pace: Pace, one: Word, two: Word) -> list[Doubt]:
    """A pause that only words and voices see: somebody breathes, or the room drowns it. What shortening it would take
    is named."""
    stays = pace.sentence if one.closes else pace.inside
    span = _middle((one.end, two.start), stays, heard.rate, ceil(two.start * heard.rate))
    if span is None:
        return []
    long = float(two.start - one.end)
    text = f"A pause of {long:.2f} s by words and voices; the level hears something: a breath, the room."
    return [Doubt(start=span[0], end=span[1], rule=DROWNS, text=text)]


def _strange(word: Word, rate: Fraction) -> Doubt:
    return Doubt(
        start=floor(word.start * rate), end=ceil(word.end * rate), rule="suspect_word",
        text=f"“{word.text}” lasts {float(word.end - word.start):.1f} s: a take may be hidden in it.",
    )  # fmt: skip
