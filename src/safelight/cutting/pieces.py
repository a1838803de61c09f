"""What a programme is made of: clips, the ranges of them that are played, and what lies over their picture."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from safelight.cutting.plan import Doubt
from safelight.cutting.speech import Spoken, Word
from safelight.media.container import Contents
from safelight.media.effects import CDL, Clear, Effect, Level, Repairs, Steady
from safelight.media.timeline import Chapter, Split

Asked = TypeVar("Asked", Repairs, Level, CDL, Steady, Clear)


@dataclass(frozen=True, kw_only=True)
class Material:
    """A clip that is cut: `length` frames at `rate`, its words where they are known, what is in doubt, what is done to
    its sound and picture where it is rendered, and its chapters; None: nobody was asked about them, so that they follow
    from the words. `shots`: the frames at which its later shots begin, None where nobody has looked; `splits`: where
    its picture is rolled away from a join, `leads`: where that waits for a person, None where nobody was asked."""

    path: Path
    facts: Contents
    rate: Fraction
    length: int
    words: tuple[Word, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    effects: tuple[Effect, ...] = ()
    chapters: tuple[Chapter, ...] | None = None
    shots: tuple[int, ...] | None = None
    splits: tuple[Split, ...] = ()
    leads: tuple[Split, ...] | None = None

    @cached_property
    def spoken(self) -> Spoken:
        """Its words by when they begin."""
        return Spoken.of(self.words)

    def asked(self, kind: type[Asked]) -> Asked | None:
        """What of this kind is to be done to it."""
        return next((e.settings for e in self.effects if isinstance(e.settings, kind)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Frames [start, end) of a clip (by number) that are played."""

    clip: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """`length` frames of the programme from `at` on that show a piece (by number), from `into` frames of the programme
    after its sound begins; below 0 where its picture comes first."""

    piece: int
    into: int
    at: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """A cutaway: the picture of another clip over `length` frames of the programme from `at` on, from its frame `start`
    of `media_length`, counted at the programme's rate. It is shown where `enabled`, else only offered."""

    material: Material
    start: int
    at: int
    length: int
    media_length: int
    enabled: bool = False

    @property
    def end(self) -> int:
        """The frame of the programme after its last."""
        return self.at + self.length
