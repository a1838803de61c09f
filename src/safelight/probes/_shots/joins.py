"""Joins of a clip from its small frames: cuts to the frame, dissolves, fades and wipes as spans."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from safelight.probes._shots import distances, net
from safelight.probes._shots.frames import Thumb

USUAL_RATE = 27  # frames a second: what the network was fitted on, within a few
SHORTEST = 3  # frames: what changes in less is a cut
COLOUR_SPREAD = 1.5  # levels of chroma: footage that stays below has no colour
AT_A_TIME = 4096  # frames that are described and read at once
REACH = 48  # frames to either side that an answer may depend on: half the longest lag, and what the network sees

Floats = npt.NDArray[np.float32]


class Into(StrEnum):
    """How a shot begins."""

    START = "start"
    CUT = "cut"
    DISSOLVE = "dissolve"
    FADE = "fade"
    WIPE = "wipe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """`start` is the first frame that the join changes, `end` the first pure frame of the new shot; for a cut both are
    the first frame of the new shot. `score` is the chance that there is a join, calibrated."""

    into: Into
    start: int
    end: int
    score: float


def find(thumbs: Sequence[Thumb], rate: Fraction | None, *, model: net.Net | None = None) -> list[Join]:
    """All joins that are more likely than not, in order. Fast footage is read at every nth frame, its cuts then put
    where neighbours differ most."""
    step = max(1, round(float(rate or USUAL_RATE) / USUAL_RATE)) if rate else 1
    slow = thumbs[::step]
    if len(slow) < 2:
        return []
    found = joins(chances(slow, model or net.fitted()))
    return found if step == 1 else [_placed(join, thumbs, step) for join in found]


def chances(thumbs: Sequence[Thumb], model: net.Net) -> Floats:
    """N×5: the chance of each class of `net.CLASSES` for each frame."""
    described = _described(thumbs)
    coloured = bool(found_colour(thumbs))
    parts = []
    for first in range(0, len(thumbs), AT_A_TIME):
        a, b = max(first - 2 * REACH, 0), min(first + AT_A_TIME + 2 * REACH, len(thumbs))
        rows = distances.rows({name: values[a:b] for name, values in described.items()})
        parts.append(model(rows, coloured=coloured)[first - a : first - a + AT_A_TIME])
    return np.concatenate(parts)


def found_colour(thumbs: Sequence[Thumb]) -> bool:
    """Whether any of some frames spread over the clip has colour."""
    some = thumbs[:: max(1, len(thumbs) // 64)]
    return any(float(np.abs(t.colour.astype(np.float32) - 128).mean()) > COLOUR_SPREAD for t in some)


def _described(thumbs: Sequence[Thumb]) -> dict[str, Floats]:
    parts = [distances.describe(thumbs[i : i + AT_A_TIME]) for i in range(0, len(thumbs), AT_A_TIME)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def joins(chance: Floats) -> list[Join]:
    """Joins from the chances of frames."""
    return sorted([*_cuts(chance), *_gradual(chance)], key=lambda join: join.start)


def _cuts(chance: Floats) -> Iterator[Join]:
    cut = chance[:, 1]
    for at in np.flatnonzero(cut[1:] > 0.5) + 1:
        if cut[at] == cut[max(0, at - 2) : at + 3].max():
            yield Join(into=Into.CUT, start=int(at), end=int(at), score=float(cut[at]))


def _gradual(chance: Floats) -> Iterator[Join]:
    """Runs of frames in which something gradual is likelier than nothing; its kind is that of most of its weight."""
    any_of = chance[:, 2:].sum(axis=1)
    inside = np.concatenate(([False], any_of > 0.5, [False]))
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start >= SHORTEST:
            kind = Into(net.CLASSES[2 + int(chance[start:end, 2:].sum(axis=0).argmax())])
            score = float(np.sort(any_of[start:end])[-SHORTEST:].mean())
            yield Join(into=kind, start=int(start), end=int(end), score=score)


def _placed(join: Join, thumbs: Sequence[Thumb], step: int) -> Join:
    """A join of every nth frame, in frames of the clip."""
    start, end = join.start * step, min(join.end * step, len(thumbs))
    if join.into is Into.CUT:
        near = range(max(1, start - step + 1), start + 1)
        differ = [np.abs(thumbs[i].grey.astype(int) - thumbs[i - 1].grey).mean() for i in near]
        start = end = near[int(np.argmax(differ))]
    return Join(into=join.into, start=start, end=end, score=join.score)
