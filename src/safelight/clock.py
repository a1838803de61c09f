"""How far a stage of a run is."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a stage is. `seconds_left` is None until it can be told honestly."""

    stage: str
    done: int
    total: int
    rate: float | None = None  # photos a second
    seconds_left: float | None = None


Tell = Callable[[Progress], None]


class Clock:
    """Counts, rate and time left of a stage; speaks at most four times a second."""

    def __init__(self, stage: str, total: int, tell: Tell) -> None:
        self.stage, self.total, self.tell, self.done = stage, total, tell, 0
        self.began = self.spoke = time.monotonic()

    def step(self) -> None:
        """One more is done."""
        self.done += 1
        at = time.monotonic()
        if at - self.spoke < 0.25 and self.done < self.total:
            return
        self.spoke = at
        elapsed = at - self.began
        honest = elapsed > 2 and self.done >= 8
        rate = self.done / elapsed if honest else None
        left = (self.total - self.done) / rate if rate else None
        self.tell(Progress(stage=self.stage, done=self.done, total=self.total, rate=rate, seconds_left=left))
