"""A fault with its span, and how likely it is one."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files

from safelight.domain import Json, exact

SAID = 0.5  # least probability at which a fault is told
MOST = 1e6  # a strength is never larger, so that it can be written


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault over [start, end) seconds. `strength` is what was measured, 1 where a fault is as likely as not;
    `frames` counts pictures, None for sound; `hertz` is the mains frequency of hum."""

    kind: str
    start: Fraction
    end: Fraction
    strength: float
    frames: tuple[int, int] | None = None
    channel: int | None = None
    hertz: float | None = None

    @property
    def probability(self) -> float:
        """Chance that a person would call it a fault, from made cases; logistic in its logarithm."""
        steepness, shift = calibration().get(self.kind, (4.0, 0.0))
        place = steepness * math.log(max(self.strength, 1e-6)) + shift
        return 1 / (1 + math.exp(-min(max(place, -30.0), 30.0)))

    def plain(self) -> dict[str, Json]:
        """As evidence holds it."""
        return {
            "kind": self.kind, "start": exact(self.start), "end": exact(self.end),
            "probability": round(self.probability, 3), "strength": round(self.strength, 2),
            "frames": list(self.frames) if self.frames else None, "channel": self.channel,
            **({"mains_hz": self.hertz} if self.hertz is not None else {}),
        }  # fmt: skip


@cache
def calibration() -> dict[str, tuple[float, float]]:
    """By kind, steepness and shift of its logistic, where they are not those of a threshold at 1."""
    text = files("safelight.probes._faults").joinpath("calibration.json").read_text("utf-8")
    return {kind: (float(a), float(b)) for kind, (a, b) in json.loads(text).items()}


def told(faults: Iterable[Fault]) -> list[Fault]:
    """Those that are likely, in order."""
    return sorted((f for f in faults if f.probability >= SAID), key=lambda f: (f.start, f.kind))


def limited(strength: float) -> float:
    """A strength that can be written: finite and not negative."""
    return float(min(max(strength, 0.0), MOST)) if math.isfinite(strength) else MOST
