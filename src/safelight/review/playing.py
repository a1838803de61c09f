"""What has to be made before a clip can be played and drawn: small copies and waveforms, in the background.

A copy is made where a browser does not play the original, or somebody asks for one that is quick to step through. It
lies in the shoot's cache and can be made again at any time.
"""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from safelight.errors import SafelightError
from safelight.media import proxies
from safelight.review import peaks
from safelight.review.peaks import Ended, Measured
from safelight.review.session import Session
from safelight.state import Footage

COPIES, HEARD = ".copy", ".heard"  # suffixes of a clip's folders in the cache; the latter is that of a run
MOST = 64  # waveforms that are held


@dataclass(slots=True)
class Copy:
    """A copy that is made, or on its way: `until_s` says how far it is."""

    making: "Future[Path]"
    until_s: float = 0.0

    @property
    def place(self) -> Path | None:
        """Where it lies; None where there is none, or none any more."""
        done = self.making.done() and not self.making.cancelled() and self.making.exception() is None
        place = self.making.result() if done else None
        return place if place is not None and place.is_file() else None

    @property
    def failed(self) -> str:
        """Why there is none, as a sentence; empty where it is on its way or there."""
        error = self.making.exception() if self.making.done() and not self.making.cancelled() else None
        if error is None:
            return ""
        if isinstance(error, SafelightError):
            return f"{error.cause} {error.remedy}".strip()
        return f"A copy that can be played could not be made ({type(error).__name__})."


@dataclass(slots=True)
class Playing:
    """What is made, for one start of the app: one copy and one waveform at a time."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _copies: dict[str, Copy] = field(default_factory=dict)
    _peaks: dict[str, Measured] = field(default_factory=dict)
    _copiers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "copy"))
    _listeners: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "peaks"))
    _ended: threading.Event = field(default_factory=threading.Event)

    def copy(self, clip: Footage) -> Copy | None:
        """The copy of a clip; None where nobody has asked for one in this start."""
        with self._lock:
            return self._copies.get(clip.id)

    def make_copy(self, at: Session, clip: Footage, original: Path) -> None:
        """Makes a copy, unless it is there or on its way."""
        folder = at.folder.cached(clip.id).with_suffix(COPIES)
        with self._lock:
            found = self._copies.get(clip.id)
            if found is not None and (found.place is not None or not found.making.done()):
                return
            made = Copy(making=Future())

            def tell(at_: Fraction) -> None:
                made.until_s = float(at_)
                self._goes_on(at_)

            made.making = self._copiers.submit(proxies.proxy, original, folder, tell=tell)
            self._copies[clip.id] = made

    def peaks(self, at: Session, clip: Footage, original: Path) -> Measured:
        """The waveform of a clip as far as it is known; measuring begins where it is not."""
        folder = at.folder.cached(clip.id).with_suffix(HEARD)
        with self._lock:
            found = self._peaks.pop(clip.id, None) or peaks.kept(original, folder)
            if found is None:
                found = Measured()
                self._listeners.submit(peaks.measure, original, folder, found, tell=self._goes_on)
            while len(self._peaks) >= MOST:
                self._peaks.pop(next(iter(self._peaks)))
            self._peaks[clip.id] = found
            return found

    def _goes_on(self, _: Fraction) -> None:
        if self._ended.is_set():
            raise Ended

    def close(self) -> None:
        """Ends what is under way; what is not whole is not kept."""
        self._ended.set()
        for pool in (self._copiers, self._listeners):
            pool.shutdown(wait=False, cancel_futures=True)
