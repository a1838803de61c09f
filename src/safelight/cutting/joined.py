"""The sound of a programme as it would be heard: pieces of clips one after another, faded for 10 ms where they meet.

Samples of a clip are decoded once, to a file that is gone when the block is left; any window of the programme is then a
few slices.
"""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from safelight.cutting.assembly import Assembly, Material, Piece
from safelight.media import sound
from safelight.media.sound import Samples
from safelight.speech.tracks import mixed

FADE_S = Fraction(1, 100)


class Joined:
    """The sound of a programme, mono, at `rate` samples a second."""

    def __init__(self, made: Assembly, sounds: Sequence["Any | None"], starts: Sequence[int], rate: int) -> None:
        self.made, self.rate = made, rate
        self._sounds, self._starts = sounds, starts
        self._edges = [self._sample(Fraction(at) / made.programme.rate) for at in made.places]
        self._edges.append(self._sample(Fraction(made.programme.length) / made.programme.rate))
        self._fade = int(FADE_S * rate)

    def window(self, start: Fraction, end: Fraction) -> Samples:
        """Samples of [start, end) seconds of the programme."""
        first, last = self._sample(start), self._sample(end)
        out = np.zeros(max(last - first, 0), np.float32)
        for n, piece in enumerate(self.made.pieces):
            a, b = self._edges[n], self._edges[n + 1]
            low, high = max(a, first), min(b, last)
            if low >= high:
                continue
            part = self._piece(piece, b - a)
            if n and not self._goes_on(n - 1):
                part[: self._fade] *= np.linspace(0, 1, len(part[: self._fade]), dtype=np.float32)
            if n + 1 < len(self.made.pieces) and not self._goes_on(n):
                part[-self._fade :] *= np.linspace(1, 0, len(part[-self._fade :]), dtype=np.float32)
            out[low - first : high - first] = part[low - a : high - a]
        return out

    def source(self, clip: int, start: Fraction, end: Fraction) -> Samples:
        """Samples of [start, end) seconds of a clip, whether they are played or not; zeros where it has no sound."""
        first = self._sample(start)
        return self._samples(clip, first, self._sample(end) - first)

    def _goes_on(self, n: int) -> bool:
        one, two = self.made.pieces[n], self.made.pieces[n + 1]
        return one.clip == two.clip and one.end == two.start

    def _piece(self, piece: Piece, length: int) -> Samples:
        return self._samples(piece.clip, self._sample(piece.start / self.made.materials[piece.clip].rate), length)

    def _samples(self, clip: int, first: int, length: int) -> Samples:
        made = np.zeros(max(length, 0), np.float32)
        source = self._sounds[clip]
        if source is None:
            return made
        first -= self._starts[clip]
        low = max(first, 0)
        found = np.asarray(source[low : max(first + length, 0)], np.float32) / np.float32(32768)
        made[low - first : low - first + len(found)] = found
        return made

    def _sample(self, seconds: Fraction) -> int:
        return round(seconds * self.rate)


@contextlib.contextmanager
def heard(made: Assembly, *, rate: int) -> Iterator[Joined]:
    """The sound of a programme; clips without sound are silent. Raises MediaError for what cannot be decoded."""
    with tempfile.TemporaryDirectory(prefix="safelight-") as folder:
        sounds: list[Any] = []
        starts: list[int] = []
        for number, material in enumerate(made.materials):
            samples, start = _decoded(material, Path(folder) / f"{number}.s16", rate)
            sounds.append(samples)
            starts.append(start)
        yield Joined(made, sounds, starts, rate)
        del sounds


def _decoded(material: Material, place: Path, rate: int) -> tuple[Any, int]:
    if not material.facts.sounds:
        return None, 0
    start: Fraction | None = None
    with place.open("wb") as file:
        for block in sound.blocks(material.path, rate=rate, facts=material.facts):
            start = block.at if start is None else start
            (np.clip(mixed(block.samples), -1, 1) * 32767).astype("<i2").tofile(file)
    if not place.stat().st_size:
        return None, 0
    return np.memmap(place, "<i2", "r"), round((start or Fraction(0)) * rate)
