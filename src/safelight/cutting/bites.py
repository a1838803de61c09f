"""Whether a cut took a part of what is said: looked for in the sound, since a recogniser writes bitten words whole.

Two looks at each join. Where a range ends or begins, the room must be heard for a moment: a cut through a voice has
none. And the words on both sides must begin and end where they should, by forced alignment of the joined sound. An
aligner errs, too: it is asked about stretches of several lengths, and where it finds a word elsewhere or nowhere, about
the same stretch of the uncut sound; what most of them say is told.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from safelight.cutting.assembly import Assembly, Difference, Piece, joins
from safelight.cutting.joined import Joined
from safelight.cutting.speech import Spoken, Word, edges
from safelight.speech import align
from safelight.speech.activity import RATE, Samples
from safelight.speech.levels import FRAME_S
from safelight.speech.recogniser import Files

EITHER_SIDE_S = Fraction(7, 100)  # of an edge, in which the room must be heard …
MOMENT = 3  # … for so many levels
AROUND_S = Fraction(15)  # of an edge, from which its room is known
FLOOR_SHARE, VOICE_SHARE = 0.05, 0.9
ABOVE_DB = 6.0  # over the floor: no longer the room
CLEAR_DB = 20.0  # by which the voice must stand over the floor, else nothing is told
RUMBLE = 0.97  # of each sample, that is taken from the next: a voice is not known by its rumble
REACHES_S = (Fraction(7, 2), Fraction(11, 4), Fraction(2))  # of a join, within which words are aligned
NOTHING_DB = -100.0  # of samples that are all zero, or of none at all
APART_S = 0.1  # by which an end of a word may lie elsewhere
SAME_S = Fraction(1, 20)  # by which times of one word differ at most between clip and programme
AGREE = 2  # answers that must say the same


def bites(made: Assembly, joined: Joined, spoken: Spoken, weights: Files) -> list[Difference]:
    """Joins of a programme at which a part of what is said is gone, one difference for each: at the word that is short,
    or else at the join. `spoken`: those that are heard in it, with its times. The joined sound has 16 kHz."""
    rate = made.programme.rate
    found = []
    for at, one, two in joins(made):
        place = at / rate
        before, after = spoken.ended(place), spoken.beside(place)[1]
        sides = ((before, _Edge(made, one, last=True)), (after, _Edge(made, two, last=False)))
        loud = [word for word, edge in sides if edge.in_sound(joined)]
        here = _Around(spoken, place, joined.window, weights)
        short = [w for w, edge in sides if w is not None and _is_short(w, place, edge, here, joined, weights)]
        if short:
            word = short[0]
            found.append(Difference(at=int(word.start * rate), expected=word.text, heard="", bitten=True))
        elif loud:
            said = next((word.text for word in loud if word is not None), "")
            found.append(Difference(at=at, expected=said, heard="", bitten=True))
    return found


class _Edge:
    """Where a range of a clip ends (`last`) or begins at a join."""

    def __init__(self, made: Assembly, piece: Piece, *, last: bool) -> None:
        material = made.materials[piece.clip]
        self.clip, self.spoken, self.last = piece.clip, material.spoken, last
        self.at = Fraction(piece.end if last else piece.start) / material.rate

    def in_sound(self, joined: Joined) -> bool:
        """Whether it lies in sound, without a moment of the room."""
        around = _levels(joined.source(self.clip, max(self.at - AROUND_S, Fraction(0)), self.at + AROUND_S))
        heard = around[around > NOTHING_DB]
        if not len(heard):
            return False
        floor, voice = np.percentile(heard, (100 * FLOOR_SHARE, 100 * VOICE_SHARE))
        if voice - floor < CLEAR_DB:
            return False
        near = _levels(joined.source(self.clip, self.at - EITHER_SIDE_S, self.at + EITHER_SIDE_S))
        power = np.convolve(10 ** (near / 10), np.ones(MOMENT) / MOMENT, "valid")
        return bool(10 * np.log10(power.min()) > floor + ABOVE_DB)

    def uncut(self, joined: Joined, weights: Files) -> "_Around":
        """The words of the clip around the edge."""

        def cut(start: Fraction, end: Fraction) -> Samples:
            return joined.source(self.clip, start, end)

        return _Around(self.spoken, self.at, cut, weights)


class _Around:
    """The words within a reach of a place, and where each is heard. A reach is aligned once, for both sides of a join,
    when one of its words is asked for."""

    def __init__(
        self, spoken: Spoken, place: Fraction, cut: Callable[[Fraction, Fraction], Samples], weights: Files
    ) -> None:
        self._spoken, self._place, self._cut, self._weights = spoken, place, cut, weights
        self._times: dict[Fraction, Sequence[tuple[float, float]] | None] = {}

    def off(self, word: Word, reach: Fraction, *, ends: bool) -> float | None:
        """Seconds by which the end (`ends`) or the beginning of a word lies elsewhere than it should; None where the
        words cannot be aligned, or it is not among them."""
        inside = self._spoken.places.whole(self._place - reach, self._place + reach)
        words = [self._spoken.words[i] for i in inside]
        same = (n for n, w in enumerate(words) if w.text == word.text and abs(w.start - word.start) < SAME_S)
        number = next(same, None)
        if number is None:
            return None
        start, end = edges(self._spoken.words, inside[0], inside[-1])
        if reach not in self._times:
            self._times[reach] = align.align(self._cut(start, end), [w.text for w in words], self._weights)
        times = self._times[reach]
        if times is None:
            return None
        return times[number][1] - float(word.end - start) if ends else times[number][0] - float(word.start - start)


def _is_short(
    word: Word, place: Fraction, edge: _Edge, here: _Around, joined: Joined, weights: Files
) -> bool:  # fmt: skip
    """Whether the end of the word before a join, or the beginning of the one after it, lies elsewhere than it should in
    the joined sound (`here`) but not in the uncut one."""
    if align.NAME not in weights or word.estimated or word.suspect:
        return False
    there = replace(word, start=word.start + edge.at - place, end=word.end + edge.at - place)
    uncut = edge.uncut(joined, weights)
    whole = short = nowhere = 0
    for reach in REACHES_S:
        if whole == AGREE:
            return False
        found = here.off(word, reach, ends=edge.last)
        if found is not None and abs(found) <= APART_S:
            whole += 1
            continue
        before = uncut.off(there, reach, ends=edge.last)
        if found is None:
            nowhere += before is not None
        elif before is None or abs(found - before) > APART_S:
            short += 1
        else:
            whole += 1
    return short > 0 and short + nowhere >= AGREE and short + nowhere > whole


def _levels(samples: Samples) -> NDArray[np.float64]:
    """Decibels of each 10 ms, the rumble taken away."""
    size = round(RATE * FRAME_S)
    sharp = samples[1:] - np.float32(RUMBLE) * samples[:-1]
    count = len(sharp) // size
    power = np.square(sharp[: count * size].reshape(count, size)).mean(1)
    return np.asarray(10 * np.log10(power + 1e-12), np.float64)
