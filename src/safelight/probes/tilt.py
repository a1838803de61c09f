"""Tilt and keystone: by how much the content is turned, and where its lines run together, from straight lines.

Every long segment votes for the turn that would explain it: uprights and levels alike, by their length and as sharply
as their length allows. Uprights of a building that the camera looks up or down at lean the further the more they stand
aside, so votes are also counted with such a lean taken out, at a price. A picture whose lines say nothing, or different
things, cannot be told: degrees are given only where a quarter of all line length agrees. Sailing boats, stairs and open
books have straight lines too: nothing here is ever certain, and `tilt.right` says how likely it is.

With the turn taken out, uprights that still lean against each other meet at a point: `keystone.vertical` is one by its
distance in long sides, positive above. `keystone.horizontal` is the same for level lines, positive on the right; walls
seen aslant have it by nature.
"""

import json
from collections.abc import Mapping, Sequence
from importlib import resources

import numpy as np

from safelight.domain import Measure
from safelight.media.picture import Picture, grey, shrink
from safelight.probes import Probe
from safelight.probes._lines import SIDE, Fan, Segments, Turn, fan, find, turn

KNOWN = 0.15  # chance that the lines are right below which nothing is said
MEASURED = 0.4  # chance from which on the degrees are worth telling
AGREEING = 0.25  # share of the line length that must agree for it
SEEN = 1.0, 0.25  # degrees at which half of the viewers notice a tilt, and the width of that step
FAN_LINES, FAN_SHARE, FAN_SPREAD = 8, 0.4, 0.06  # lines and share of their kind that must run together, and how surely

MODEL: Mapping[str, float] = json.loads((resources.files(__package__) / "tilt.json").read_text("utf-8"))
DEGREES = ("tilt.degrees", "tilt.degrees.spread", "tilt.lines")
KEYSTONES = {"keystone.vertical": True, "keystone.horizontal": False}


def judge(picture: Picture, *, model: Mapping[str, float] = MODEL) -> Sequence[Measure]:
    """`tilt` (0..1), `tilt.right` (chance), `tilt.degrees` with its spread and how many lines agree, and keystones.

    Content turned counter-clockwise is positive; turning the picture clockwise by as much corrects it."""
    segments = find(grey(shrink(picture.work, SIDE)))
    if segments is None:
        return _silent(probe.emits, "no straight lines")
    found = turn(segments)
    right = confidence(found, model)
    if right < KNOWN:
        return _silent(probe.emits, "straight lines do not agree")
    noticed = 1 / (1 + np.exp(-(abs(found.degrees) - SEEN[0]) / SEEN[1]))
    chances = (
        Measure(name="tilt", value=round(float(right * noticed), 4)),
        Measure(name="tilt.right", value=round(right, 3), unit="probability"),
    )
    if right < MEASURED or found.share < AGREEING:
        return *chances, *_silent(probe.emits[2:], "straight lines hardly agree")
    return *chances, *_degrees(found), *_keystones(segments.turned(found.degrees))


def confidence(found: Turn, model: Mapping[str, float]) -> float:
    """Chance that the degrees are right within about one: it grows with the lines that agree, falls with the turn."""
    told = model["agreed"] * np.log(found.agreed + 0.05) + model["degrees"] * abs(found.degrees) + model["offset"]
    return float(1 / (1 + np.exp(-told)))


def lines(picture: Picture) -> Turn | None:
    """The turn that most of the line length votes for; None without a line that could vote."""
    segments = find(grey(shrink(picture.work, SIDE)))
    return None if segments is None else turn(segments)


def _degrees(found: Turn) -> Sequence[Measure]:
    return (
        Measure(name="tilt.degrees", value=round(found.degrees, 2), unit="degrees"),
        Measure(name="tilt.degrees.spread", value=round(found.spread, 2), unit="degrees"),
        Measure(name="tilt.lines", value=found.count),
    )


def _keystones(straight: Segments) -> Sequence[Measure]:
    told: list[Measure] = []
    for name, upright in KEYSTONES.items():
        found, kind = fan(straight, upright=upright), "upright" if upright else "level"
        if found is None or not _clear(found):
            told += _silent((name, f"{name}.spread"), f"too few {kind} lines run together")
        else:
            unit = "per long side"
            told.append(Measure(name=name, value=round(found.convergence, 3), unit=unit))
            told.append(Measure(name=f"{name}.spread", value=round(found.spread, 3), unit=unit))
    return told


def _clear(found: Fan) -> bool:
    return found.count >= FAN_LINES and found.share >= FAN_SHARE and found.spread <= FAN_SPREAD


def _silent(names: Sequence[str], why: str) -> tuple[Measure, ...]:
    return tuple(Measure(name=name, cannot_tell=why) for name in names)


probe = Probe(
    name="tilt",
    version=2,
    emits=("tilt", "tilt.right", *DEGREES, *(f"{name}{end}" for name in KEYSTONES for end in ("", ".spread"))),
    measure=judge,
    about="A turned camera, and lines that run together, from straight lines that agree.",
)
