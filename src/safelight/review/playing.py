"""What has to be made before a clip can be played and drawn: small copies and waveforms, in the background.

A copy is made where a browser does not play the original, or somebody asks for one that is quick to step through. It
lies in the shoot's cache and can be made again at any time.
"""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from safelight.errors import SafelightError
from safelight.review import clips, peaks
from safelight.review.peaks import Peaks
from safelight.review.session import Session
from safelight.state import Footage

HEIGHT = 540  # px of a copy
MOST = 64  # waveforms that are held


@dataclass(slots=True)
class Playing:
    """What is being made, for one start of the app: one copy and one waveform at a time."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _copying: dict[str, "Future[Path]"] = field(default_factory=dict)
    _peaks: dict[str, Peaks] = field(default_factory=dict)
    _copiers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "copy"))
    _listeners: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "peaks"))
    _ended: bool = False

    def copy(self, clip: Footage) -> "Future[Path] | None":
        """The copy of a clip as far as it is: done, under way, failed; None where nobody has asked for one."""
        with self._lock:
            return self._copying.get(clip.asset.id)

    def make_copy(self, at: Session, clip: Footage, original: Path) -> "Future[Path]":
        """Makes a copy, unless it is there or on its way."""
        with self._lock:
            found = self._copying.get(clip.asset.id)
            if found is None or (found.done() and (found.exception() or not found.result().is_file())):
                found = self._copiers.submit(_copied, original, at.folder.cached(clip.asset.id))
                self._copying[clip.asset.id] = found
            return found

    def peaks(self, at: Session, clip: Footage) -> Peaks:
        """The waveform of a clip as far as it is known; measuring begins where it is not."""
        id_, place = clip.asset.id, at.folder.cached(clip.asset.id)
        with self._lock:
            found = self._peaks.get(id_) or peaks.kept(place)
            if found is None:
                found = Peaks()
                original = clips.original(at.folder.root, clip)
                if original is None:
                    found.cannot_tell = clips.gone(clip)
                    return found
                self._listeners.submit(peaks.measure, original, place, found, go_on=lambda: not self._ended)
            while len(self._peaks) >= MOST:
                self._peaks.pop(next(iter(self._peaks)))
            self._peaks[id_] = found
            return found

    def close(self) -> None:
        """Ends what is under way; what is not whole is not kept."""
        self._ended = True
        for pool in (self._copiers, self._listeners):
            pool.shutdown(wait=False, cancel_futures=True)


def why_not(failed: BaseException) -> str:
    """Why a copy could not be made, as a sentence."""
    if isinstance(failed, SafelightError):
        return f"{failed.cause} {failed.remedy}".strip()
    return f"A copy that can be played could not be made ({type(failed).__name__})."


def _copied(original: Path, place: Path) -> Path:
    from safelight.media import proxies

    return proxies.proxy(original, place, height=HEIGHT)
