"""The second witness of a cut: its joins are listened to again, and what is heard is compared with what should be.

Around each join a stretch of the joined sound is recognised, a second time with other edges where the first differs:
a recogniser is least sure at the ends of what it gets. A word that is written otherwise both times is looked for once
more by its sounds: alignment must find it where it should lie. What is not found, or was to go and is heard, is a
doubt.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from fractions import Fraction

import numpy as np

from safelight.cutting.assembly import Assembly, Difference, joins, programme_words
from safelight.cutting.bites import bites
from safelight.cutting.joined import Joined
from safelight.cutting.speech import Spoken, Word, edges
from safelight.speech import activity, align
from safelight.speech.activity import Samples
from safelight.speech.chunks import PEAK, unlooped
from safelight.speech.recogniser import Files, Recogniser

RATE = activity.RATE
AROUND_S, WIDER_S = Fraction(7, 2), Fraction(3, 2)  # of a join that is heard; by so much wider the second time
LONGEST_S = Fraction(11)  # of one stretch
NEAR_S = Fraction(3, 2)  # of a join: words so close are compared
TOLD_S = 1  # of a join at which a word is missing: that a part of it is gone is not told once more
PAD_S = Fraction(1, 5)  # of silence around what is heard
LOOPED = 1.5  # times as many words as there should be, so that a loop of the recogniser is looked for
APART_S = 0.1  # by which a word may lie elsewhere
ALIKE = 0.6  # letters of what was written differently, so that it is the same sound


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """How many words near joins should be heard, how many are, and the differences."""

    expected: int
    found: int
    joins: int
    differences: tuple[Difference, ...]


def listen(made: Assembly, joined: Joined, recogniser: Recogniser, weights: Files) -> Heard:
    """Listens to every join of a programme whose words are known."""
    spoken = Spoken.of(programme_words(made))
    words = spoken.words
    rate = made.programme.rate
    places = [at / rate for at, _, _ in joins(made)]
    expected = found = 0
    told: list[Difference] = []
    for group in _groups(places):
        start, end = group[0] - AROUND_S, group[-1] + AROUND_S
        near = _near(spoken, group)
        lost, extra = _compared(spoken, (start, end), joined, recogniser, weights)
        if lost & set(near) or extra:
            again, more = _compared(spoken, (start - WIDER_S, end + WIDER_S), joined, recogniser, weights)
            lost &= again
            lost -= _aligned(spoken, (start, end), joined, weights) if lost & set(near) else set()
            extra = {place: said for place, said in extra.items() if said in more.values()}
        expected, found = expected + len(near), found + len(set(near) - lost)
        told += _told(words, sorted(lost & set(near)), extra, group, rate)
    missing = [d.at / rate for d in told]
    cut_into = bites(made, joined, spoken, weights)
    told += [d for d in cut_into if not any(abs(d.at / rate - at) < TOLD_S for at in missing)]
    return Heard(expected=expected, found=found, joins=len(places), differences=tuple(told))


def _groups(places: Sequence[Fraction]) -> Iterator[list[Fraction]]:
    group: list[Fraction] = []
    for at in places:
        if group and at - group[0] > LONGEST_S - 2 * AROUND_S:
            yield group
            group = []
        group.append(at)
    if group:
        yield group


def _near(spoken: Spoken, group: Sequence[Fraction]) -> list[int]:
    return sorted({n for at in group for n in spoken.places.touching(at - NEAR_S, at + NEAR_S)})


def _compared(
    spoken: Spoken, span: tuple[Fraction, Fraction], joined: Joined, recogniser: Recogniser, weights: Files
) -> tuple[set[int], dict[int, str]]:
    """Numbers of the words within a span that are not heard, and what is heard besides, by the word that follows."""
    words, inside = spoken.words, spoken.places.whole(*span)
    if not inside:
        return set(), {}
    start, end = edges(words, inside[0], inside[-1])
    said = recogniser.hear(padded(joined.window(start, end)), weights)
    said = unlooped(said) if len(said) > LOOPED * len(inside) else said  # a take that is said twice is no loop
    heard = [plain for w in said if (plain := _plain(w.text))]
    wanted = [(i, plain) for i in inside if (plain := _plain(words[i].text))]
    lost: set[int] = set()
    extra: dict[int, str] = {}
    matcher = SequenceMatcher(None, [p for _, p in wanted], heard, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        one, two = "".join(p for _, p in wanted[a:b]), "".join(heard[c:d])
        if kind == "equal" or SequenceMatcher(None, one, two, autojunk=False).ratio() >= ALIKE:
            continue
        if b > a:
            lost |= {i for i, _ in wanted[a:b]}
        elif len(two) > 3 and 0 < a < len(wanted):  # at the ends it is what the edges cut off
            extra[wanted[a][0]] = " ".join(heard[c:d])
    return lost, extra


def _aligned(spoken: Spoken, span: tuple[Fraction, Fraction], joined: Joined, weights: Files) -> set[int]:
    """Numbers of the words within a span whose sounds lie where they should, by forced alignment."""
    words, inside = spoken.words, spoken.places.whole(*span)
    if align.NAME not in weights or not inside:
        return set()
    start, end = edges(words, inside[0], inside[-1])
    times = align.align(joined.window(start, end), [words[i].text for i in inside], weights)
    if times is None:
        return set()
    return {
        i for i, (a, b) in zip(inside, times, strict=True)
        if abs(a - float(words[i].start - start)) <= APART_S and abs(b - float(words[i].end - start)) <= APART_S
    }  # fmt: skip


def padded(samples: Samples) -> Samples:
    """As the recogniser gets it: at one peak, with silence on both sides."""
    peak = float(np.abs(samples).max(initial=0.0))
    room = np.zeros(int(PAD_S * RATE), np.float32)
    return np.concatenate([room, samples * np.float32(PEAK / peak if peak else 1.0), room])


def _plain(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def _told(
    words: Sequence[Word], lost: Sequence[int], extra: dict[int, str], group: Sequence[Fraction], rate: Fraction
) -> Iterator[Difference]:
    run: list[int] = []
    for i in [*lost, -1]:
        if run and i != run[-1] + 1:
            yield Difference(
                at=int(words[run[0]].start * rate), expected=" ".join(words[n].text for n in run), heard=""
            )
            run = []
        run.append(i)
    for i, said in extra.items():
        if any(abs(words[i].start - at) < NEAR_S for at in group):
            yield Difference(at=int(words[i].start * rate), expected="", heard=said)
