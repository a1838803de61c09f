"""What a recogniser is: a value with a function from speech to words, so that a larger one can take its place.

Speech comes to it in chunks of up to 12 s, cut where nobody speaks. Whatever it says about time is replaced by the
alignment, where that succeeds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from safelight.speech.activity import Samples

Files = Mapping[str, Mapping[str, Path]]  # weights that are installed: by manifest and file name


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One word as it is written, with its punctuation. `start` and `end`: seconds of the chunk, where it knows them."""

    text: str
    confidence: float  # 0..1; ranks words, whatever its scale
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recogniser:
    """Speech to words. `weights` are manifests that must be installed; a plug-in with a folder of its own names none.

    `hear(samples, weights)` gets mono float32 at 16 kHz and gives words in order; same input, same output. `version`
    rises whenever they change. `languages` are codes of ISO 639-1; the first is taken where it says nothing.
    """

    name: str
    version: int
    languages: tuple[str, ...]
    hear: Callable[[Samples, Files], Sequence[Said]]
    weights: tuple[str, ...] = ()
    about: str = ""

    @property
    def label(self) -> str:
        """`moonshine_tiny_en@1`."""
        return f"{self.name}@{self.version}"
