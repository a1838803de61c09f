"""Waveforms as a page asks for them: any range of a clip at any resolution, also while its sound is still being read.

Runs keep the peaks of what they have listened to; of other clips they are measured at the first question, and kept.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from safelight.errors import NotMedia, SafelightError
from safelight.media import proxies, waveform
from safelight.media.waveform import PEAKS_A_SECOND as A_SECOND

Pairs: TypeAlias = NDArray[np.int16]  # n × 2: lowest and highest sample, 32767 is full scale


class Ended(Exception):
    """The app ends."""


@dataclass(slots=True)
class Measured:
    """The peaks of one clip as far as they are known. One thread measures, others read."""

    made: waveform.Peaks = field(default_factory=waveform.Peaks)
    whole: bool = False
    cannot_tell: str = ""

    @property
    def known_s(self) -> float:
        """Seconds that are known."""
        return self.made.count / A_SECOND

    @property
    def known(self) -> Pairs:
        """All pairs that are known."""
        count = self.made.count  # first: the rows only ever grow
        return self.made.rows[:count]

    def between(self, start: float, end: float, columns: int) -> Pairs:
        """So many pairs of equal stretches of [start, end), seconds; zero beyond what is known."""
        edges = np.linspace(start * A_SECOND, end * A_SECOND, columns + 1)
        first = np.floor(edges[:-1]).astype(np.int64)
        last = np.maximum(np.ceil(edges[1:]).astype(np.int64), first + 1)
        known = self.known
        out = np.zeros((columns, 2), np.int16)
        inside = first < len(known)
        if inside.any():
            bounds = np.stack([first[inside], np.minimum(last[inside], len(known))], axis=1).ravel()
            padded = np.concatenate([known[bounds[0] : bounds[-1]], known[:1]])  # a bound must be a place
            out[inside, 0] = np.minimum.reduceat(padded[:, 0], bounds - bounds[0])[::2]
            out[inside, 1] = np.maximum.reduceat(padded[:, 1], bounds - bounds[0])[::2]
        return out


def kept(original: Path, folder: Path) -> Measured | None:
    """What was measured before, by a run or here; None where nothing is kept of the file as it is now."""
    try:
        rows = np.fromfile(proxies.peaks_place(original, folder), "<i2").reshape(-1, 2)
    except (OSError, SafelightError, ValueError):
        return None
    found = waveform.Peaks()
    found.rows, found.count = rows.astype(np.int16, copy=False), len(rows)
    return Measured(made=found, whole=True)


def measure(original: Path, folder: Path, into: Measured, *, tell: proxies.Tell = lambda _: None) -> None:
    """Reads the sound of a file and keeps its peaks once they are whole; not where `tell` raises Ended. What cannot be
    read is told in `cannot_tell`."""
    try:
        proxies.peaks(original, folder, into=into.made, tell=tell)
        into.whole = True
    except Ended:
        pass
    except NotMedia:
        into.cannot_tell = "It has no sound."
    except Exception as error:  # noqa: BLE001 - a sound that cannot be decoded has no waveform; the page says so
        told = error.cause if isinstance(error, SafelightError) else f"({type(error).__name__})"
        into.cannot_tell = f"The sound of {original.name} cannot be read. {told}"
