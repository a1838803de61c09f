"""How loud a clip is over its length, as lowest and highest sample of short stretches, for waveforms at every zoom.

Measured once and kept in the shoot's cache; any range at any resolution follows from that. What is known already can be
drawn while the rest is still being read.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from safelight.errors import NotMedia
from safelight.files import write_atomic
from safelight.media import container, sound

Pairs: TypeAlias = NDArray[np.int8]  # n × 2: lowest and highest sample, 127 is full scale

A_SECOND = 200  # pairs of one second
FULL = 127
SUFFIX = ".peaks"
GROWS = 600 * A_SECOND  # by so many pairs the room for a sound of unknown length grows


class Peaks:
    """The pairs of one clip, as far as they are known. Written by one thread, read by others."""

    def __init__(self, pairs: Pairs | None = None) -> None:
        self._pairs: Pairs = pairs if pairs is not None else np.zeros((GROWS, 2), np.int8)
        self._known = len(self._pairs) if pairs is not None else 0
        self._lock = threading.Lock()
        self.whole = pairs is not None
        self.cannot_tell = ""

    @property
    def known_s(self) -> float:
        """Seconds that are known."""
        return self._known / A_SECOND

    def put(self, at: int, part: Pairs) -> None:
        """Takes pairs from number `at` on; what lies before the clip's zero is left out."""
        part, at = part[max(0, -at) :], max(0, at)
        with self._lock:
            if at + len(part) > len(self._pairs):
                room = np.zeros((at + len(part) + GROWS, 2), np.int8)
                room[: self._known] = self._pairs[: self._known]
                self._pairs = room
            self._pairs[at : at + len(part)] = part
            self._known = max(self._known, at + len(part))

    def all(self) -> Pairs:
        """Everything that is known."""
        with self._lock:
            return self._pairs[: self._known].copy()

    def between(self, start: float, end: float, columns: int) -> Pairs:
        """`columns` pairs of equal stretches of [start, end), seconds; zero beyond what is known."""
        edges = np.linspace(start * A_SECOND, end * A_SECOND, columns + 1)
        first = np.floor(edges[:-1]).astype(np.int64)
        last = np.maximum(np.ceil(edges[1:]).astype(np.int64), first + 1)
        known = self.all()[first[0] if columns else 0 : last[-1] if columns else 0]
        out = np.zeros((columns, 2), np.int8)
        shift = first[0]
        inside = first - shift < len(known)
        if inside.any():
            starts = (first - shift)[inside]
            stops = np.minimum((last - shift)[inside], len(known))
            bounds = np.stack([starts, stops], axis=1).ravel()
            padded = np.concatenate([known, known[-1:]])  # `reduceat` wants every bound to be a place
            out[inside, 0] = np.minimum.reduceat(padded[:, 0], bounds)[::2]
            out[inside, 1] = np.maximum.reduceat(padded[:, 1], bounds)[::2]
        return out


def kept(place: Path) -> Peaks | None:
    """What was measured before, from `place` (without its suffix); None where nothing is kept."""
    try:
        data = np.fromfile(place.with_suffix(SUFFIX), np.int8)
    except OSError:
        return None
    return Peaks(data.reshape(-1, 2)) if len(data) and len(data) % 2 == 0 else None


def measure(path: Path, place: Path, peaks: Peaks, *, go_on: Callable[[], bool] = lambda: True) -> None:
    """Reads the sound of a file into `peaks`, and keeps it at `place` once it is whole. Nothing is kept where `go_on`
    says no. What cannot be read is told in `peaks.cannot_tell`."""
    try:
        for block in sound.blocks(path, mono=True, facts=container.contents(path)):
            peaks.put(round(block.at * A_SECOND), pairs(block.samples[:, 0], block.rate))
            if not go_on():
                return
    except NotMedia as error:
        peaks.cannot_tell = error.cause
    except Exception as error:  # noqa: BLE001 - a sound that cannot be decoded has no waveform; the page says so
        peaks.cannot_tell = f"The sound of {path.name} cannot be read ({type(error).__name__})."
    else:
        peaks.whole = True
        write_atomic(place.with_suffix(SUFFIX), peaks.all().tobytes())


def pairs(samples: NDArray[np.float32], rate: int) -> Pairs:
    """Lowest and highest sample of every 1 / A_SECOND seconds."""
    scaled = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0).clip(-1, 1) * FULL
    bounds = np.arange(0, len(scaled), max(1, rate // A_SECOND))
    low, high = np.minimum.reduceat(scaled, bounds), np.maximum.reduceat(scaled, bounds)
    return np.stack([np.floor(low), np.ceil(high)], axis=1).astype(np.int8)
