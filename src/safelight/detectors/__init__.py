"""Detectors: a picture before and after an edit in, findings out. One module each; the module *is* the detector.

Whoever made the edit: fit what any honest edit may do to the whole picture (tone, colour, crop, lens), look at what
is left. A detector sees a `Pair`, whose planes lie on one grid and are made once for all of them, and answers for every
name that it finds with a number or with the reason why it cannot tell; never with 0 for "not measured".
`template.py` is a complete small detector and the tutorial.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from safelight.detectors._align import Placement, alike, known, place
from safelight.detectors._finding import HEAT_SIDE, Box, Finding
from safelight.detectors._pair import Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """A named way to find artefacts.

    `finds` lists the names of findings, one or more; `detect` answers once for each of them, for every pair. `alone`,
    where there is one, answers about a picture by itself, given as a pair with itself, for names of `finds`; else
    `alone_cannot` says why there is none. `weights` names model manifests that it uses where they are installed. Same
    pair, same findings; no I/O, no randomness.
    """

    name: str
    version: int
    finds: tuple[str, ...]
    detect: Callable[[Pair], Sequence[Finding]]
    alone: Callable[[Pair], Sequence[Finding]] | None = None
    alone_cannot: str = "it is told from before and after together"
    weights: tuple[str, ...] = ()
    about: str = ""

    @property
    def label(self) -> str:
        """`halo@1`."""
        return f"{self.name}@{self.version}"


__all__ = ["HEAT_SIDE", "Box", "Detector", "Finding", "Pair", "Placement", "alike", "known", "place"]
