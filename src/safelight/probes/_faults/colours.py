"""How the colour of a picture turns from one frame to the next, whatever moves in it; and where it jumps.

A camera that finds another white, a splice of two gradings or a plug-in that drops out multiplies each channel by a
factor of its own, everywhere alike, from one frame to the next. So of each tile the change of its logarithm is taken,
light itself (what the three channels share) is set aside, and the median over the tiles is how the colour turned:
whatever moves fills less than half of them. A jump stands over all turns near it, tiles agree on it, and it lasts:
a flash turns back at once, and one in which the content changes too is a cut. A jump back ends it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from safelight.media.frame import Bytes

Array = NDArray[np.float64]

CHUNK = 64  # frames that are judged together
DARK, LIGHT = 12, 244  # code values; tiles beyond, in any channel, do not show their colour
LIFT = 2.0  # code values, so that the dark does not count more than it shows
LOG = np.log(np.arange(256) + LIFT).astype(np.float32)
TILED = 16  # fewer tiles do not agree on anything
NEAR, AROUND = 6, 24  # frames to either side: of all turns, of those the same way
LEAST, ABOVE, AGREE, LASTS = 0.013, 1.9, 0.3, 0.6  # log colour; times any turn near; times what tiles differ; of it
LIT = 0.6  # times what light itself changes: an exposure that is set turns colours too, where a channel is full
SAME = (0.07, 1.6, 0.15)  # log colour, or times that of the frames near up to so much: more is another picture
ALIKE, EVEN, MOST = 0.8, 4e-4, 0.35  # least likeness; variance of a plain card; a larger turn is another card
NOISE = 0.002  # log colour, of turns that are rounding
WEAK = 0.4  # strength of a jump that may end another
BACK, LIKE = (0.6, 1.6), -0.85  # size of the jump back, in parts of the jump; cosine between them


class Turns(NamedTuple):
    """Of each frame, against the one before: how the colour of the whole turned (log red, green, blue, their mean set
    aside), that mean, by how much tiles differ from the colour, how alike the light of the tiles is laid out (1: the
    same, or nothing to tell by), and whether enough of them show it."""

    colour: Array
    light: Array
    apart: Array
    alike: Array
    seen: NDArray[np.bool_]


@dataclass(slots=True)
class Colours:
    """Reads tiles of frames one after another; `turns` gives a row a frame."""

    before: Any = None
    waiting: list[Bytes] = field(default_factory=list)
    done: list[NDArray[np.float32]] = field(default_factory=list)

    def see(self, tiles: Bytes) -> None:
        """One more frame: mean red, green and blue of its tiles, H×W×3."""
        self.waiting.append(tiles)
        if len(self.waiting) == CHUNK:
            self._judge()

    def _judge(self) -> None:
        first = self.before if self.before is not None else self.waiting[0]
        tiles = np.array([first, *self.waiting]).reshape(len(self.waiting) + 1, -1, 3)
        self.before, self.waiting = self.waiting[-1], []
        shown = (tiles.min(2) >= DARK) & (tiles.max(2) <= LIGHT)
        both = shown[1:] & shown[:-1]
        logs = LOG[tiles]
        turned = np.diff(logs, axis=0)
        turned[~both] = np.nan
        light = turned.mean(2, keepdims=True)
        turned -= light
        count = both.sum(1)
        colour, light = _middle(turned, count), _middle(light, count)
        apart = _middle(np.abs(turned - colour[:, None]).sum(2, keepdims=True), count)
        self.done.append(
            np.column_stack([colour, light, apart, _alike(logs.mean(2), both), count >= TILED]).astype(np.float32)
        )

    def turns(self) -> Turns:
        """What was seen so far."""
        if self.waiting:
            self._judge()
        rows = np.concatenate([np.zeros((0, 7), np.float32), *self.done]).astype(float)
        return Turns(rows[:, :3] * rows[:, 6:], rows[:, 3], rows[:, 4], rows[:, 5], rows[:, 6] > 0)


def _middle(values: NDArray[np.float32], count: NDArray[np.intp]) -> NDArray[np.float32]:
    """Medians along the middle axis of `count` values that are none of them NaN; 0 for none."""
    ordered = np.sort(values, axis=1)  # NaN last
    middle = np.take_along_axis(ordered, np.maximum(count - 1, 0)[:, None, None] // 2, 1)[:, 0]
    return np.asarray(np.where(count[:, None] > 0, middle, 0), np.float32)


def _alike(light: NDArray[np.float32], both: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Correlation of the tiles of each frame (light, one more than `both`) with those of the one before."""
    count = np.maximum(both.sum(1, keepdims=True), 1)
    one, two = (
        np.where(both, part - (part * both).sum(1, keepdims=True) / count, 0) for part in (light[:-1], light[1:])
    )
    variances = (one**2).sum(1) * (two**2).sum(1) / count[:, 0] ** 2
    return np.asarray(((one * two).sum(1) / count[:, 0] + EVEN) / (np.sqrt(variances) + EVEN), np.float32)


def jumps(turns: Turns, cuts: NDArray[np.bool_]) -> Iterator[tuple[tuple[int, int], float]]:
    """Spans of frames in another colour, with their strength; one frame where it does not come back in its shot."""
    size = np.abs(turns.colour).max(1, initial=0)
    for first, end in pairwise([0, *np.flatnonzero(cuts).tolist(), len(cuts)]):
        strengths = {
            place: strength
            for place in range(first + 1, end)
            if (strength := _strength(turns, size, place, (first, end))) > WEAK
        }
        ends = set[int]()
        for place, strength in strengths.items():
            if strength < 1 or place in ends:
                continue
            other = next((p for p in strengths if p > place and _undoes(turns.colour, place, p)), None)
            if other is None:  # what began it was weaker
                other = next((p for p in reversed(strengths) if p < place and _undoes(turns.colour, p, place)), None)
            ends |= {place, place if other is None else other}
            span = (place, place + 1) if other is None else (min(place, other), max(place, other))
            yield span, max(strength, strengths.get(other or place, 0.0))


def _strength(turns: Turns, size: Array, place: int, shot: tuple[int, int]) -> float:
    """How far the turn into a frame of a shot is a jump; 1 is the threshold. `size`: the largest turns of a channel."""
    first, end = shot
    colour, here = turns.colour[place], float(size[place])
    before, after = slice(max(place - NEAR, first + 1), place), slice(place + 1, min(place + 1 + NEAR, end))
    if here < WEAK * LEAST or min(before.stop - before.start, after.stop - after.start) < NEAR // 2:
        return 0.0
    if not (turns.seen[before].all() and turns.seen[after].all()):
        return 0.0
    beside = max(float(size[part].max()) for part in (before, after))
    around = slice(max(place - AROUND, first + 1), min(place + 1 + AROUND, end))
    alike = size[around] * (_cosine(turns.colour[around], colour) > -LIKE)  # an encoder catches up step by step
    alike[place - around.start] = 0
    along = [float((turns.colour[part] @ colour).sum() / (colour @ colour)) for part in (before, after)]
    apart, usual = float(turns.apart[place]), max(float(np.median(turns.apart[part])) for part in (before, after))
    return min(
        here / LEAST,
        here / max(beside, float(alike.max()), NOISE) / ABOVE,
        here / max(apart, NOISE) / AGREE,
        min(max(SAME[0], SAME[1] * usual), SAME[2]) / max(apart, NOISE),
        here / max(abs(float(turns.light[place])), NOISE) / LIT,
        (float(turns.alike[place]) / ALIKE) ** 3,
        MOST / here,
        (1 + min(along)) / LASTS,
    )


def _undoes(colour: Array, place: int, back: int) -> bool:
    """Whether one turn undoes another."""
    one, other = colour[place], colour[back]
    sizes = float(np.linalg.norm(one)), float(np.linalg.norm(other))
    return BACK[0] <= sizes[1] / sizes[0] <= BACK[1] and float(_cosine(other, one)) <= LIKE


def _cosine(turns: Array, one: Array) -> Any:
    """Of the angle between each of `turns` and a turn that is none of it zero."""
    return turns @ one / np.maximum(np.linalg.norm(turns, axis=-1) * np.linalg.norm(one), 1e-12)
