"""Tilt: by how many degrees the content is turned, from straight lines that agree that they stand or lie straight.

Every long segment votes for the turn that would explain it: uprights and levels alike, by their length and as sharply
as their length allows. Uprights of a building that the camera looks up or down at lean the further the more they stand
aside, so votes are also counted with such a lean taken out, at a price. A picture whose lines say nothing, or different
things, cannot be told. Sailing boats, stairs and open books have straight lines too: nothing here is ever certain.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.domain import Measure
from safelight.media.picture import Picture, grey, shrink
from safelight.probes import Probe

SIDE = 640  # px, long side at which lines are looked for
SHORTEST = 0.04  # long sides
MOST = 150  # segments that vote, the longest
LEVELS = 0.7  # weight of a level line beside an upright: walls seen aslant have levels that are none
ENDS = 0.6  # px, how uncertain the ends of a segment are
CROOKED = 0.3  # degrees that straight things in the world are off
ALIKE = 0.7  # degrees within which lines agree
BY_CHANCE = 0.1  # share of the line length that agrees in branches and stones
REACH = 8.0  # degrees that a camera is held askew at most
LEANS = (0, -4, 4, -8, 8, -12, 12, -18, 18, -24, 24)  # degrees per long side that uprights fan out
PRICE_OF_LEAN = 0.2, 0.01  # share of the votes: once, and for each degree per long side

KNOWN = 0.15  # chance that the lines are right below which nothing is said
MEASURED = 0.3  # chance from which on the degrees are worth telling
SEEN = 1.0, 0.25  # degrees at which half of the viewers notice a tilt, and the width of that step
TURNS = np.arange(-REACH, REACH + 0.05, 0.1)

MODEL: Mapping[str, float] = json.loads((resources.files(__package__) / "tilt.json").read_text("utf-8"))

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """What the lines agree on: `degrees` counter-clockwise, and `agreed`, the weighted length in long sides of those
    within 0.7 degrees, less what would agree by chance."""

    degrees: float
    agreed: float


def judge(picture: Picture, *, model: Mapping[str, float] = MODEL) -> Sequence[Measure]:
    """`tilt` (0..1) and `tilt.degrees`: content turned counter-clockwise is positive, its negative the correction."""
    found = lines(picture)
    if found is None:
        return _silent("tilt", "no straight lines"), _silent("tilt.degrees", "no straight lines")
    right = confidence(found, model)
    if right < KNOWN:
        return _silent("tilt", "straight lines do not agree"), _silent("tilt.degrees", "straight lines do not agree")
    noticed = 1 / (1 + np.exp(-(abs(found.degrees) - SEEN[0]) / SEEN[1]))
    tilt = Measure(name="tilt", value=round(float(right * noticed), 4))
    if right < MEASURED:
        return tilt, _silent("tilt.degrees", "straight lines hardly agree")
    return tilt, Measure(name="tilt.degrees", value=round(found.degrees, 2), unit="degrees")


def confidence(found: Lines, model: Mapping[str, float]) -> float:
    """Chance that the degrees are right within one: it grows with the lines that agree and falls with the turn."""
    told = model["agreed"] * np.log(found.agreed + 0.05) + model["degrees"] * abs(found.degrees) + model["offset"]
    return float(1 / (1 + np.exp(-told)))


def lines(picture: Picture) -> Lines | None:
    """The turn that most of the line length votes for; None without a line that could vote."""
    level = grey(shrink(picture.work, SIDE))
    found: Any = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(level)[0]
    if found is None:
        return None
    return vote(found.reshape(-1, 4).astype(np.float64), (level.shape[1], level.shape[0]))


def vote(segments: Floats, size: tuple[int, int]) -> Lines | None:
    """What segments (x0, y0, x1, y1 in px) say about the turn of a picture of this (width, height)."""
    side = max(size)
    dx, dy = segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1]
    length = np.hypot(dx, dy)
    off = (np.degrees(np.arctan2(-dy, dx)) + 45) % 90 - 45
    longest = np.argsort(-length, kind="stable")[:MOST]
    voters = longest[(length[longest] > SHORTEST * side) & (np.abs(off[longest]) < 1.75 * REACH)]
    if not len(voters):
        return None
    off, length, upright = off[voters], length[voters], (np.abs(dy) > np.abs(dx))[voters]
    aside = ((segments[voters, 0] + segments[voters, 2]) / 2 - size[0] / 2) / side
    blur = np.hypot(CROOKED, np.degrees(ENDS / length))
    weight = length / side * np.where(upright, 1, LEVELS)

    def votes(of: NDArray[np.bool_], lean: float) -> Floats:
        miss = TURNS[:, None] - (off - lean * aside)[of]
        return np.asarray((np.exp(-0.5 * (miss / blur[of]) ** 2) * (weight * CROOKED / blur)[of]).sum(axis=1))

    level = votes(~upright, 0)
    counts = np.array(
        [(level + votes(upright, k)) * (1 - PRICE_OF_LEAN[0] * (k != 0) - PRICE_OF_LEAN[1] * abs(k)) for k in LEANS]
    )
    lean, turn = np.unravel_index(int(counts.argmax()), counts.shape)
    said = np.where(upright, off - LEANS[lean] * aside, off)
    near = weight / blur**2 * np.exp(-0.5 * ((said - TURNS[turn]) / (1.5 * blur)) ** 2)
    degrees = float((near * said).sum() / near.sum())
    agreed = weight[np.abs(said - degrees) <= ALIKE].sum() - BY_CHANCE * weight.sum()
    return Lines(degrees=degrees, agreed=max(0.0, float(agreed)))


def _silent(name: str, why: str) -> Measure:
    return Measure(name=name, cannot_tell=why)


probe = Probe(
    name="tilt",
    version=1,
    emits=("tilt", "tilt.degrees"),
    measure=judge,
    about="A turned camera, from straight lines that agree.",
)
