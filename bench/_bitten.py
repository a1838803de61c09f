"""Part of the bench of cutting: cuts that take a part of a word, and whether that is noticed.

Two kinds. Stretches gone silent: a quarter of a second of a word beside a join is missing from the joined sound, its
list of words says that it is whole. Cuts that reach too far: each cut is moved into the word beside it, whose time in
the list ends there too, as where an aligner has erred; what is bitten off is known to nobody but the sound.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from safelight.cutting import Word, assembly, joined
from safelight.cutting.assembly import Assembly, Piece

SILENT_S = Fraction(1, 4)


def spans(made: Assembly) -> list[tuple[Fraction, Fraction]]:
    """The beginning of the word behind a join, or the end of the one before it, in turn; seconds of the programme."""
    words, rate = assembly.programme_words(made), made.programme.rate
    found = []
    for n, (at, _, _) in enumerate(assembly.joins(made)):
        if n % 2:
            word = next((w for w in words if w.start >= at / rate), None)
            found += [(word.start, min(word.start + SILENT_S, word.end))] if word else []
        else:
            word = next((w for w in reversed(words) if w.end <= at / rate), None)
            found += [(max(word.end - SILENT_S, word.start), word.end)] if word else []
    return found


class Bitten(joined.Joined):
    """The sound of a programme with stretches gone silent."""

    def __init__(self, whole: joined.Joined, silent: Sequence[tuple[Fraction, Fraction]]) -> None:
        self.whole, self.spans, self.rate = whole, silent, whole.rate

    def window(self, start: Fraction, end: Fraction) -> NDArray[np.float32]:
        """Samples of [start, end) seconds."""
        out = self.whole.window(start, end)
        for a, b in self.spans:
            first, last = (round((edge - start) * self.rate) for edge in (a, b))
            out[max(first, 0) : max(last, 0)] *= 1e-3
        return out

    def source(self, clip: int, start: Fraction, end: Fraction) -> NDArray[np.float32]:
        """Samples of a clip, nothing gone."""
        return self.whole.source(clip, start, end)


def too_far(made: Assembly, by: Fraction) -> tuple[Assembly, list[int]]:
    """The programme of one clip with its cuts moved `by` seconds into a word beside them, in turn the one before and
    the one after; and the numbers of the joins at which that could be done. Words that are shorter stay whole."""
    (material,) = made.materials
    rate, words = material.rate, list(material.words)
    ranges = [[piece.start, piece.end] for piece in made.pieces]
    bitten = []
    for n in range(len(ranges) - 1):
        if n % 2:
            i = next((i for i, w in enumerate(words) if w.start * rate >= ranges[n + 1][0]), None)
            if i is None or (frame := round((words[i].start + by) * rate)) >= words[i].end * rate:
                continue
            ranges[n + 1][0], words[i] = frame, _shorter(words[i], start=frame / rate)
        else:
            i = next((i for i in reversed(range(len(words))) if words[i].end * rate <= ranges[n][1]), None)
            if i is None or (frame := round((words[i].end - by) * rate)) <= words[i].start * rate:
                continue
            ranges[n][1], words[i] = frame, _shorter(words[i], end=frame / rate)
        bitten.append(n)
    pieces = [Piece(clip=0, start=a, end=b) for a, b in ranges]
    return assembly.assemble([replace(material, words=tuple(words))], pieces, name="bitten"), bitten


def _shorter(word: Word, *, start: Fraction | None = None, end: Fraction | None = None) -> Word:
    return replace(word, start=word.start if start is None else start, end=word.end if end is None else end)
