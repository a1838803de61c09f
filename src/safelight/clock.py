"""How far a stage of a run is."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """What a stage counts."""

    FILES = "files"
    SECONDS = "seconds"  # of clips and sounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a stage is. `seconds_left` is None until it can be told honestly."""

    stage: str
    done: int
    total: int
    unit: Unit = Unit.FILES
    rate: float | None = None  # of its unit, in a second
    seconds_left: float | None = None


Tell = Callable[[Progress], None]

SPEAKS_S = 0.25  # between two times that a clock speaks
HONEST_S, HONEST_FILES = 2.0, 8  # after so long, and so many files, …
HONEST_FAR_S, HONEST_SHARE = 10.0, 0.02  # … or so long, and such a share of the footage, time left can be told


class Clock:
    """Counts, rate and time left of a stage; speaks at most four times a second. `tick` is called about once a second
    while jobs go on."""

    def __init__(
        self, stage: str, total: float, tell: Tell, *, unit: Unit = Unit.FILES, tick: Callable[[], None] = lambda: None
    ) -> None:
        self.stage, self.total, self.tell, self.unit, self.tick = stage, total, tell, unit, tick
        self.done = self.going = 0.0
        self.began = self.spoke = time.monotonic()

    def step(self, by: float = 1.0) -> None:
        """So much more is done."""
        self.done += by
        self.going = max(self.going - by, 0.0)  # it was among what went on
        self._speak()

    def beside(self, going: float) -> None:
        """So much of what is not done yet has been gone through; a second has passed."""
        self.tick()
        self.going = max(going, self.going)
        self._speak()

    @property
    def finished(self) -> bool:
        """Whether all of it is done."""
        return self.done > self.total - 1e-6

    def _speak(self) -> None:
        at = time.monotonic()
        if at - self.spoke < SPEAKS_S and not self.finished:
            return
        self.spoke = at
        elapsed, far = at - self.began, min(self.done + self.going, self.total)
        rate = far / elapsed if self._honest(elapsed, far) else None
        shown = round(self.total) if self.finished else min(int(far), round(self.total) - 1)
        self.tell(Progress(
            stage=self.stage, done=shown, total=round(self.total), unit=self.unit, rate=rate,
            seconds_left=(self.total - far) / rate if rate else None,
        ))  # fmt: skip

    def _honest(self, elapsed: float, far: float) -> bool:
        if self.unit is Unit.FILES:
            return elapsed > HONEST_S and far >= HONEST_FILES
        return elapsed > HONEST_FAR_S and far >= HONEST_SHARE * self.total
