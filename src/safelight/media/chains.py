"""Long edges of a picture and how far they are from straight: what a lens that bends lines leaves behind.

Edges are followed pixel by pixel, not fitted with segments, which are straight by construction. How much a chain is
bent is the middle coefficient of a parabola along it. A lens bends every chain by an amount that its place foretells,
a curved thing by any amount; so what the lens did is what most of the long chains agree on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.frame import Bytes

LOW, HIGH = 70, 170  # gradient of the two thresholds, 3 x 3 Sobel of bytes
LOOK = 6  # px before and behind, between which an edge may not turn …
TURN = 0.82  # … so far: the cosine of 35 degrees
BORDER = 0.012  # long sides
SHORTEST = 0.09  # long sides that a chain spans
PIECE = 0.045  # long sides of an edge that may be a part of one
MOST = 160  # parts of a picture, the longest
GAP = 0.06  # long sides between two parts
BESIDE = 1.5, 0.04  # px, and share of the gap, by which the next part may lie beside
OVERLAP = 2.0  # px by which it may begin before
ALIGNED = 0.9925  # cosine of 7 degrees between the ends of two parts
END = 14  # px at an end that tell its direction
ROUND = 0.07  # of its length that a chain may be bent by; beyond it is an arc
ROUGH = 0.7  # px, root mean square about the parabola
NOISE = 0.2  # px, of an edge's place in one pixel
APART = 4.0  # px after which two places on one edge err each for itself
CROOKED = 0.0005  # of its length by which a straight thing is bent
CURVED = 0.12  # share of chains that are no straight things, at the least

Floats = NDArray[np.float64]
Field = Callable[[Floats], Floats]  # places n x 2 in half diagonals from the middle -> by how much they move


@dataclass(frozen=True, slots=True, kw_only=True)
class Chains:
    """Edges of one picture: `points` n x 2, half diagonals from the middle, chain after chain; `starts` of the chains;
    for each its `length` and the `bend` of its middle to the left, and how far that may err, in half diagonals."""

    points: Floats
    starts: NDArray[np.intp]
    along: Floats  # n, -1..1 along the chord
    normals: Floats  # a chain each, n x 2
    length: Floats
    bend: Floats
    doubt: Floats

    def __len__(self) -> int:
        return len(self.starts)

    def bends_by(self, field: Field) -> Floats:
        """By how much this field of small movements bends each chain."""
        counts = np.diff(np.append(self.starts, len(self.points)))
        aside = (field(self.points) * np.repeat(self.normals, counts, axis=0)).sum(axis=1)
        return _parabolas(self.along, aside, self.starts)[2]

    def likelihood(self, bends: Floats) -> Floats:
        """Log likelihood that things are straight if lenses bent the chains by `bends` (a chain each, x m cases).

        A chain that is no straight thing says nothing: `CURVED` is the least that each counts for.
        """
        left = (self.bend[:, None] + bends) / self.doubt[:, None]
        return np.asarray(np.log(CURVED + (1 - CURVED) * np.exp(-0.5 * left**2)).sum(axis=0))


def chains(level: Bytes) -> Chains:
    """The long, gently bent edges of a picture in grey bytes; those along its border are a frame, not things."""
    height, width = level.shape
    across = cv2.Sobel(level, cv2.CV_16S, 1, 0)
    down = cv2.Sobel(level, cv2.CV_16S, 0, 1)
    edges = np.zeros_like(level)
    inner = round(BORDER * max(width, height))
    inside = slice(inner, height - inner), slice(inner, width - inner)
    side = max(width, height)
    piece, shortest = max(2 * LOOK, round(PIECE * side)), max(3 * LOOK, round(SHORTEST * side))
    if min(height, width) <= 2 * inner + shortest // 2:
        return _none()
    edges[inside] = cv2.Canny(across, down, LOW, HIGH)[inside]
    places, breaks = _followed(edges, piece)
    starts, counts = _runs(breaks, piece)
    if not len(starts):
        return _none()
    middle, unit = np.array([(width - 1) / 2, (height - 1) / 2]), float(np.hypot(width, height) / 2)
    longest = np.sort(np.argsort(-counts, kind="stable")[:MOST])
    starts, counts = starts[longest], counts[longest]
    kept = np.concatenate([np.arange(s, s + n) for s, n in zip(starts, counts, strict=True)])
    pieces = np.split(_refined(places[kept], across, down) - middle, np.cumsum(counts)[:-1])
    whole = [chain for chain in _joined(pieces, GAP * side) if np.hypot(*(chain[-1] - chain[0])) >= shortest]
    if not whole:
        return _none()
    counts = np.array([len(chain) for chain in whole])
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return _measured(np.concatenate(whole), starts, counts, unit=unit)


def _joined(pieces: Sequence[Floats], gap: float) -> list[Floats]:
    """Pieces that go on in one another's direction, as one chain each; an end goes on in the nearest end only."""
    ways = [way for piece in pieces for way in (piece, piece[::-1])]  # each from both its ends
    ends = np.array([way[0] for way in ways])
    out = np.array([_unit(way[0] - way[min(END, len(way) - 1)]) for way in ways])
    apart = ends[None] - ends[:, None]
    far = np.hypot(apart[..., 0], apart[..., 1])
    forward = (apart * out[:, None]).sum(axis=2)
    beside = np.abs(apart[..., 0] * out[:, None, 1] - apart[..., 1] * out[:, None, 0])
    fits = (far < gap) & (forward > -OVERLAP) & (beside < BESIDE[0] + BESIDE[1] * far) & (out @ out.T < -ALIGNED)
    index = np.arange(len(ends))
    fits &= fits.T & (index[:, None] // 2 != index // 2)
    far[~fits] = np.inf
    nearest = far.argmin(axis=1)
    following = np.where(fits.any(axis=1) & (nearest[nearest] == index), nearest, -1)
    done, joined = np.zeros(len(pieces), np.bool_), []
    for first in (*np.flatnonzero(following < 0), *index):  # open ends first; what is left then are rings
        at, parts = int(first), []
        while at >= 0 and not done[at // 2]:
            done[at // 2] = True
            parts.append(ways[at])
            at = int(following[at ^ 1])  # out at the other end
        if parts:
            joined.append(np.concatenate(parts))
    return joined


def _unit(vector: Floats) -> Floats:
    return vector / max(float(np.hypot(*vector)), 1e-9)


def _none() -> Chains:
    empty = np.empty(0)
    return Chains(
        points=np.empty((0, 2)), starts=np.empty(0, np.intp), along=empty, normals=np.empty((0, 2)), length=empty,
        bend=empty, doubt=empty,
    )  # fmt: skip


def _followed(edges: Bytes, shortest: int) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Edge pixels (x, y) in the order in which contours run through them, each once, and where a chain ends."""
    contours = cv2.findContours(edges, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]
    long = [contour[:, 0] for contour in contours if len(contour) > shortest]
    if not long:
        return np.empty((0, 2), np.int32), np.empty(0, np.bool_)
    places = np.concatenate(long).astype(np.int32)
    flat, turn = places[:, 1] * edges.shape[1] + places[:, 0], np.arange(len(places), dtype=np.int32)
    seen = np.zeros(edges.size, np.int32)
    seen[flat[::-1]] = turn[::-1]
    places = places[seen[flat] == turn]  # a contour runs along both sides of a thin edge: each pixel once
    breaks = np.ones(len(places), np.bool_)
    breaks[1:] = np.abs(np.diff(places, axis=0)).max(axis=1) > 1
    ahead = np.zeros((len(places), 2))
    ahead[:-LOOK] = places[LOOK:] - places[:-LOOK]
    behind = np.roll(ahead, LOOK, axis=0)
    cosine = (ahead * behind).sum(axis=1) / np.maximum(np.hypot(*ahead.T) * np.hypot(*behind.T), 1e-9)
    return places, breaks | (cosine < TURN)


def _runs(breaks: NDArray[np.bool_], shortest: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Starts and lengths of the runs between breaks that are long enough."""
    starts = np.flatnonzero(breaks)
    counts = np.diff(np.append(starts, len(breaks)))
    long = counts >= shortest
    return starts[long], counts[long]


def _refined(places: NDArray[np.int32], across: NDArray[Any], down: NDArray[Any]) -> Floats:
    """Places to fractions of a pixel: the top of a parabola through the gradient beside, the steeper way."""
    height, width = across.shape
    x, y = np.clip(places[:, 0], 1, width - 2), np.clip(places[:, 1], 1, height - 2)
    gx, gy = across[y, x].astype(np.float64), down[y, x].astype(np.float64)
    steep = np.abs(gx) >= np.abs(gy)
    dx, dy = steep.astype(np.intp), (~steep).astype(np.intp)
    picked = [
        np.abs(np.where(steep, across[y + n * dy, x + n * dx], down[y + n * dy, x + n * dx]).astype(np.float64))
        for n in (-1, 0, 1)
    ]
    curve = picked[0] - 2 * picked[1] + picked[2]
    shift = np.where(curve < 0, (picked[0] - picked[2]) / np.where(curve < 0, 2 * curve, 1.0), 0.0)
    shift = np.clip(shift, -0.75, 0.75)
    return np.stack([places[:, 0] + shift * dx, places[:, 1] + shift * dy], axis=1)


def _measured(points: Floats, starts: NDArray[np.intp], counts: NDArray[np.intp], *, unit: float) -> Chains:
    ends = starts + counts - 1
    chord = points[ends] - points[starts]
    length = np.hypot(*chord.T)
    normals = np.stack([-chord[:, 1], chord[:, 0]], axis=1) / np.maximum(length, 1e-9)[:, None]
    from_middle = points - np.repeat((points[ends] + points[starts]) / 2, counts, axis=0)
    spread = np.repeat(chord / np.maximum(length, 1e-9)[:, None] ** 2 * 2, counts, axis=0)
    along = (from_middle * spread).sum(axis=1)
    aside = (from_middle * np.repeat(normals, counts, axis=0)).sum(axis=1)
    c0, c1, c2 = _parabolas(along, aside, starts)
    fitted = np.repeat(c0, counts) + np.repeat(c1, counts) * along + np.repeat(c2, counts) * along**2
    rough = np.sqrt(np.add.reduceat((aside - fitted) ** 2, starts) / counts)
    good = (rough < ROUGH) & (np.abs(c2) < ROUND * length) & (length > 0.8 * counts)
    noise = np.hypot(rough, NOISE)
    doubt = np.sqrt(noise**2 * 45 / 4 / (counts / APART) + (CROOKED * length) ** 2)
    inside = np.repeat(good, counts)
    return Chains(
        points=points[inside] / unit, starts=np.concatenate([[0], np.cumsum(counts[good])[:-1]]).astype(np.intp),
        along=along[inside], normals=normals[good], length=length[good] / unit, bend=c2[good] / unit,
        doubt=doubt[good] / unit,
    ) if good.any() else _none()  # fmt: skip


def _parabolas(along: Floats, aside: Floats, starts: NDArray[np.intp]) -> tuple[Floats, Floats, Floats]:
    """c0, c1, c2 of each chain's best c0 + c1 a + c2 a²."""
    powers = [np.ones_like(along), along, along**2, along**3, along**4]
    s = [np.add.reduceat(power, starts) for power in powers]
    right = np.stack([np.add.reduceat(aside * power, starts) for power in powers[:3]], axis=1)
    left = np.stack([np.stack([s[i + j] for j in range(3)], axis=1) for i in range(3)], axis=1)
    left += 1e-12 * np.eye(3)
    found = np.linalg.solve(left, right[..., None])[..., 0]
    return found[:, 0], found[:, 1], found[:, 2]
