"""Frames of a scene that show the same things, and how differently: what `scene_light` found, as operators need it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight.media.colour import LUMINANCE_709, MIDDLE_GREY, delta_e_lab, lab_of_linear
from safelight.operators import Subject

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relative:
    """`light` is the log2 of red, green and blue that a frame has more than the middle of its set."""

    set: str
    light: Vector
    doubt: float

    @property
    def level(self) -> float:
        """How much brighter a grey is than in the middle of the set, EV."""
        return float(np.log2(2**self.light @ LUMINANCE_709))

    @property
    def tint(self) -> Vector:
        """Linear sRGB of what is white in the middle of the set, luminance 1."""
        light = 2**self.light
        return np.asarray(light / (light @ LUMINANCE_709), np.float64)


def relative(subject: Subject) -> Relative | None:
    """What was found about a frame; None where it shares nothing with others."""
    found = subject.facts.get("light.relative")
    if found is None or not isinstance(found.value, Mapping):
        return None
    value: Mapping[str, Any] = found.value
    return Relative(set=value["set"], light=np.asarray(value["light"], np.float64), doubt=float(value["doubt"]))


def linked(subjects: Sequence[Subject]) -> list[list[tuple[Subject, Relative]]]:
    """The sets of two and more frames among these that show the same things, in the order of their first frame."""
    sets: dict[str, list[tuple[Subject, Relative]]] = {}
    for subject in subjects:
        own = relative(subject)
        if own is not None:
            sets.setdefault(own.set, []).append((subject, own))
    return [members for members in sets.values() if len(members) > 1]


def spread_ev(levels: Vector) -> float:
    """Standard deviation of frames' levels, EV."""
    return float(np.std(levels))


def spread_de00(tints: Vector) -> float:
    """Mean ΔE00 of a middle grey under frames' tints (n x 3) to that under their middle."""
    seen = MIDDLE_GREY * tints
    middle = np.tile(np.exp(np.median(np.log(seen), 0)), (len(seen), 1))
    return float(delta_e_lab(lab_of_linear(seen), lab_of_linear(middle)).mean())
