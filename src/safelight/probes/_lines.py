"""Long straight edges that are nearly upright or nearly level, and what they agree on.

Three things are read from them: by how much all of them are turned, towards which point uprights run together (a
building that the camera looks up or down at), and towards which point level lines do (a wall seen a little aslant).
Lengths and places are in long sides of the picture, so that its size does not matter; places run from its middle, y
upwards; angles are degrees, counter-clockwise positive.
"""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.frame import Bytes

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SIDE = 640  # px, long side at which lines are looked for
SHORTEST = 0.04  # long sides
MOST = 150  # segments that vote, the longest
LEVELS = 1.4  # weight of a level line beside an upright: trees, masts and people are upright only roughly
ENDS = 0.6  # px, how uncertain the ends of a segment are
CROOKED = 0.7  # degrees that straight things in the world are off
ALIKE = 0.7  # degrees within which lines agree
BY_CHANCE = 0.1  # share of the line length that agrees in branches and stones
REACH = 8.0  # degrees that a camera is held askew at most
LEANS = (0, -4, 4, -8, 8, -12, 12, -18, 18, -24, 24)  # degrees per long side that uprights fan out
PRICE_OF_LEAN = 0.2, 0.01  # share of the votes: once, and for each degree per long side
TURNS = np.arange(-REACH, REACH + 0.05, 0.1)
LEAST_SPREAD = 0.2  # degrees, of a turn: what a world that is not quite square leaves

STEEPEST = 0.5  # convergence beyond which no fan is looked for
FANS = np.linspace(-STEEPEST, STEEPEST, 51)
OFFSETS = np.arange(-0.9, 0.91, 0.3)  # degrees by which a fan may be turned against the picture
LOOSE = 0.4  # degrees, standard deviation of that turn
ASIDE = 0.08  # long sides from the middle from which a line tells about the fan
LEAST_FAN_SPREAD = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """Segments, longest first: `off` upright or level in degrees, middle `x`, `y`, `length`, and `blur`, the standard
    deviation of `off` in degrees. One number a segment; `upright` says of which kind it is."""

    off: Floats
    upright: Flags
    x: Floats
    y: Floats
    length: Floats
    blur: Floats

    def turned(self, degrees: float) -> "Segments":
        """The segments after the picture was turned clockwise by so many degrees."""
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        return replace(self, off=self.off - degrees, x=c * self.x + s * self.y, y=c * self.y - s * self.x)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What lines agree on: `degrees` counter-clockwise ± `spread`, and `agreed`, the weighted length in long sides of
    those within 0.7 degrees, less what would agree by chance; `share` is that of all lines, `count` how many agree."""

    degrees: float
    agreed: float
    share: float = 1.0
    count: int = 0
    spread: float = LEAST_SPREAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Fan:
    """Lines that run together: `convergence` is one by the distance of their meeting point in long sides.

    Uprights that meet above and level lines that meet on the right are positive; parallel lines have 0. `count` lines
    agree, `share` of the length of their kind, on both sides of the middle.
    """

    convergence: float
    spread: float
    share: float
    count: int


def find(level: Bytes) -> Segments | None:
    """Segments of a luma plane, its long side at most `SIDE` px; None where there are none that could tell anything."""
    found: Any = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(level)[0]
    if found is None:
        return None
    return among(found.reshape(-1, 4).astype(np.float64), (level.shape[1], level.shape[0]))


def among(ends: Floats, size: tuple[int, int]) -> Segments | None:
    """The usable of these segments, x0, y0, x1, y1 in px of a picture of this (width, height)."""
    side = max(size)
    dx, dy = ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1]
    length = np.hypot(dx, dy)
    off = (np.degrees(np.arctan2(-dy, dx)) + 45) % 90 - 45
    longest = np.argsort(-length, kind="stable")[:MOST]
    kept = longest[(length[longest] > SHORTEST * side) & (np.abs(off[longest]) < 1.75 * REACH)]
    if not len(kept):
        return None
    return Segments(
        off=off[kept],
        upright=(np.abs(dy) > np.abs(dx))[kept],
        x=((ends[kept, 0] + ends[kept, 2]) / 2 - size[0] / 2) / side,
        y=(size[1] / 2 - (ends[kept, 1] + ends[kept, 3]) / 2) / side,
        length=length[kept] / side,
        blur=np.hypot(CROOKED, np.degrees(ENDS / length[kept])),
    )


def turn(lines: Segments) -> Turn:
    """The turn that most of the line length votes for, uprights fanned out at a price."""
    weight = lines.length * np.where(lines.upright, 1, LEVELS)

    def votes(of: Flags, lean: float) -> Floats:
        miss = TURNS[:, None] - (lines.off - lean * lines.x)[of]
        near = np.exp(-0.5 * (miss / lines.blur[of]) ** 2)
        return np.asarray((near * (weight * CROOKED / lines.blur)[of]).sum(axis=1))

    level = votes(~lines.upright, 0)
    counts = np.array(
        [
            (level + votes(lines.upright, k)) * (1 - PRICE_OF_LEAN[0] * (k != 0) - PRICE_OF_LEAN[1] * abs(k))
            for k in LEANS
        ]
    )
    lean, most = np.unravel_index(int(counts.argmax()), counts.shape)
    said = np.where(lines.upright, lines.off - LEANS[lean] * lines.x, lines.off)
    near = weight / lines.blur**2 * np.exp(-0.5 * ((said - TURNS[most]) / (1.5 * lines.blur)) ** 2)
    degrees = float((near * said).sum() / near.sum())
    agree = np.abs(said - degrees) <= ALIKE
    agreed = max(0.0, float(weight[agree].sum() - BY_CHANCE * weight.sum()))
    scatter = float((near * (said - degrees) ** 2).sum() / near.sum() * (near**2).sum() / near.sum() ** 2)
    return Turn(
        degrees=degrees,
        agreed=agreed,
        share=agreed / float(weight.sum()),
        count=int(agree.sum()),
        spread=float(np.hypot(LEAST_SPREAD, np.sqrt(scatter))),
    )


def fan(lines: Segments, *, upright: bool) -> Fan | None:
    """Where the uprights (or level lines) of a picture that stands straight run together; None with fewer than three,
    or if those that agree lie on one side only, where a fan looks like a turn."""
    kind = lines.upright == upright
    if kind.sum() < 3:
        return None
    off, length, blur = lines.off[kind], lines.length[kind], lines.blur[kind]
    # an upright at x leans by atan(c x / (1 - c y)); a level line at y by as much the other way, with x and y exchanged
    across, along = (lines.x[kind], lines.y[kind]) if upright else (-lines.y[kind], lines.x[kind])

    def lean(convergence: Floats | float) -> Floats:
        return np.asarray(np.degrees(np.arctan2(convergence * across, 1 - convergence * along)))

    ideal = lean(FANS[:, None])
    miss = off - ideal[:, None, :] - OFFSETS[None, :, None]
    votes = (np.exp(-0.5 * (miss / blur) ** 2) * length * CROOKED / blur).sum(axis=2)
    votes *= np.exp(-0.5 * (OFFSETS / LOOSE) ** 2)
    best = np.unravel_index(int(votes.argmax()), votes.shape)
    convergence, offset = float(FANS[best[0]]), float(OFFSETS[best[1]])
    near = length / blur**2 * np.exp(-0.5 * ((off - lean(convergence) - offset) / (1.5 * blur)) ** 2)
    for _ in range(2):
        slope = np.degrees(across / (1 - convergence * along))
        design = np.stack([slope, np.ones_like(slope)], axis=1)
        normal = (design * near[:, None]).T @ design + np.diag((0.0, 1 / LOOSE**2))
        left = off - lean(convergence) + slope * convergence
        convergence, offset = (float(v) for v in np.linalg.solve(normal, (design * near[:, None]).T @ left))
        convergence = float(np.clip(convergence, -STEEPEST, STEEPEST))
    rest = off - lean(convergence) - offset
    agree = np.abs(rest) <= ALIKE
    sides = [bool((agree & (sign * across > ASIDE)).sum() >= 2) for sign in (-1, 1)]
    if not all(sides):
        return None
    loose = max(1.0, float((near * rest**2).sum() / near.sum() / CROOKED**2))
    return Fan(
        convergence=convergence,
        spread=float(np.hypot(LEAST_FAN_SPREAD, np.sqrt(loose * np.linalg.inv(normal)[0, 0]))),
        share=float(length[agree].sum() / length.sum()),
        count=int(agree.sum()),
    )
