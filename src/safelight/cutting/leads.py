"""Where the sound of a join may lead its picture (a J cut): another voice, or a passage from elsewhere, and another
shot.

The picture is rolled, never the sound: that is where witnesses have agreed. On one framing a rolled picture is a mouth
out of step, so that it is offered between different shots alone. Reactions are not measured: nothing is offered to
trail (an L cut).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from safelight.cutting.pauses import SHORTEST_SHOT
from safelight.cutting.pieces import Piece
from safelight.cutting.speech import Spoken, Word

AHEAD_S = Fraction(8, 25), Fraction(6, 25)  # of the first word is heard before it is seen: what fits, the longer first
LATEST_S = 1  # after the join, that a picture is offered to change
FAR_S = 15  # of the clip between two passages
QUIET_S = Fraction(8, 25)  # without a word before a passage begins


@dataclass(frozen=True, slots=True, kw_only=True)
class Filmed:
    """A clip as far as this needs it: `length` frames at `rate`, its words, the frames at which its
    later shots begin; None: nobody has looked."""

    rate: Fraction
    length: int
    spoken: Spoken
    shots: Sequence[int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """The picture may come `by` frames (of the later clip's rate) after its sound. `word`: the first that is heard,
    `gap_s` after the join; `before`: the last one before it, where voices differ."""

    word: Word
    by: int
    gap_s: Fraction
    before: Word | None


def lead(before: Filmed, one: Piece, after: Filmed, two: Piece, *, same: bool) -> Lead | None:
    """What speaks for a J cut where piece `two` of a clip follows piece `one` of another, or of the same; None where
    nothing does, or where it would be seen: the held picture reaches into another shot, somebody speaks in it, or too
    little of the later one is left."""
    begins = two.start / after.rate
    _, word = after.spoken.beside(begins)
    if word is None or word.start * after.rate >= two.end or (same and not differ(after.shots, one.end - 1, two.start)):
        return None
    last = _last(before, one)
    told = last is not None and last.speaker is not None and word.speaker is not None
    if told and last is not None and last.speaker == word.speaker:
        return None
    if not told and not _begins_far(one, after, two, same=same):
        return None
    gap = word.start - begins
    for ahead in AHEAD_S:
        by = round((gap + ahead) * after.rate)
        fits = by <= LATEST_S * after.rate and two.end - two.start - by >= SHORTEST_SHOT
        if fits and _holds(before, one, by / after.rate):
            return Lead(word=word, by=by, gap_s=gap, before=last if told else None)
    return None


def differ(shots: Sequence[int] | None, one: int, two: int) -> bool:
    """Whether two frames of a clip are known to lie in different shots."""
    return shots is not None and bisect_right(shots, one) != bisect_right(shots, two)


def _last(clip: Filmed, piece: Piece) -> Word | None:
    found = clip.spoken.within(piece.start / clip.rate, piece.end / clip.rate)
    whole = [w for w in found if piece.start <= w.start * clip.rate and w.end * clip.rate <= piece.end]
    return whole[-1] if whole else None


def _begins_far(one: Piece, after: Filmed, two: Piece, *, same: bool) -> bool:
    """Whether a passage from elsewhere begins, with nothing said just before it."""
    far = not same or abs(two.start - one.end) > FAR_S * after.rate or two.start < one.end
    begins = two.start / after.rate
    return far and not after.spoken.within(begins - QUIET_S, begins)


def _holds(clip: Filmed, piece: Piece, seconds: Fraction) -> bool:
    """Whether the picture of a piece may stay so long behind its end."""
    end = piece.end + ceil(seconds * clip.rate)
    speaks = clip.spoken.within(piece.end / clip.rate, end / clip.rate)
    return end <= clip.length and not speaks and not crosses(clip.shots, piece.end, end)


def crosses(shots: Sequence[int] | None, start: int, end: int) -> bool:
    """Whether a shot is known to begin at one of these frames."""
    return shots is not None and bisect_left(shots, start) < bisect_left(shots, end)
