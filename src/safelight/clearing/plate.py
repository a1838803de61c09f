"""What lies behind everything that passes: the median, over time, of those frames in which a place is seen free.

Frames are looked at small, laid over the first one and brought to one light. What is seen at a place over the longest
time is what lies there: somebody who rests a while is there only for that while, the ground before and after it. Where
two things are both seen from beginning to end nobody can say which of them is meant to go.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from safelight.refilm import Shape

SIDE = 480  # px, long side in which is decided what passes
WINDOWS = 8  # stretches of the shot, each of which says what it mostly sees
SOFT = 5  # px over which differences are averaged, so that grain does not count
FAR = 4.0  # times the grain by which two things differ
LEAST = 2.0  # code values of 8 bits, likewise
FREE = 0.25  # quantile over time of what a place differs by in detail: that of when it is free
ROUGH, LEAST_ROUGH = 2.5, 4.0  # times that, and code values: more is something else
EDGE = 0.25  # of the steps beside it: what a picture may be off by where it is not laid down to the pixel
EDGES, AS_WELL = 0.75, 1.15  # quantile of steps from which a place has an edge; times
WHILE, SHARE = 0.6, 0.2  # of the shot, and of its frames: what is seen longer and oftener stands there
STRIP = 128  # rows of a plane that are sorted at once

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Planes = Sequence[npt.NDArray[np.integer]]
Moves = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """`planes`: the empty place in the light of the first frame, as frames are coded; `small`, the same as it is looked
    at, H×W×3 code values of 8 bits; `grain`, by how much frames differ there by themselves; `rough`, by how much in
    detail at most; `untold`, where two things are seen all the time."""

    planes: list[Floats]
    small: Floats
    grain: float
    rough: Floats
    untold: Mask


def small(planes: Planes, size: tuple[int, int], bits: int) -> Floats:
    """The planes of a frame as a small picture of luma and two chromas, H×W×3, in code values of 8 bits."""
    seen = [cv2.resize(p.astype(np.float32), size, interpolation=cv2.INTER_AREA) for p in planes]
    return np.stack(seen, axis=-1) / np.float32(1 << (bits - 8))


def matrix(move: Moves, shape: tuple[int, int], fine: float) -> npt.NDArray[np.float64]:
    """From a pixel of the first frame to where it lies in another: `move` across, down (widths), scale (logarithm) and
    turn; `shape` rows and columns; `fine`, the width of a pixel to its height."""
    across, down, grow, turn = move
    cos, sin = np.exp(grow) * np.cos(turn), np.exp(grow) * np.sin(turn)
    way = np.array([[cos, -sin / fine], [sin * fine, cos]])
    middle = (np.array(shape[::-1]) - 1) / 2
    shift = np.array([across * shape[1], down * shape[1] * fine])
    return np.column_stack((way, middle - way @ middle + shift))


def fine_of(shape: Shape, size: tuple[int, int]) -> float:
    """The width of a pixel to its height where a frame is looked at in another size, width and height."""
    return shape.aspect * (shape.size[0] / size[0]) * (size[1] / shape.size[1])


def laid(picture: Floats, move: Moves, fine: float, *, back: bool = False) -> Floats:
    """A picture of a frame as the first frame sees it; with `back` the other way."""
    if not move.any():
        return picture
    how = matrix(move, picture.shape[:2], fine)
    flags = cv2.INTER_CUBIC | (0 if back else cv2.WARP_INVERSE_MAP)
    made = cv2.warpAffine(picture, how, picture.shape[1::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(made, np.float32)


def stands(pictures: Sequence[Floats], moves: Moves, fine: float) -> bool:
    """Whether frames lie on the first one as well without their moves as with them, where it has edges: somebody who
    passes and a light that changes look like small moves, too."""
    first = np.asarray(cv2.blur(pictures[0][..., 0], (SOFT, SOFT)), np.float32)
    steps = np.hypot(cv2.Sobel(first, -1, 1, 0), cv2.Sobel(first, -1, 0, 1))
    edges = steps >= np.quantile(steps, EDGES)
    still, moved = (
        float(np.median([_off(p, m, first, edges, fine) for p, m in zip(pictures[1:], ways[1:], strict=True)]))
        for ways in (np.zeros_like(moves), moves)
    )
    return still <= AS_WELL * moved


def _off(picture: Floats, move: Moves, first: Floats, edges: Mask, fine: float) -> float:
    here = cv2.blur(laid(picture[..., 0], move, fine), (SOFT, SOFT))[edges]
    there = first[edges]
    return float(np.median(np.abs(here - there * np.median(here / np.maximum(there, 1)))))


def lit(picture: Floats, gain: float, black: float) -> Floats:
    """A small picture in a light so many times as bright."""
    foot = np.array([black, 128, 128], np.float32)
    return np.asarray((picture - foot) * np.float32(gain) + foot, np.float32)


def gain(picture: Floats, plate: Floats, black: float) -> float:
    """How much brighter a picture is than another of the same place, whoever passes."""
    here, there = (np.maximum(p[..., 0] - black, 0) + 1 for p in (picture, plate))
    return float(np.median(here / there))


def differs(picture: Floats, plate: Floats) -> Floats:
    """By how much two small pictures differ at each place, in code values."""
    return np.asarray(np.abs(cv2.blur(picture - plate, (SOFT, SOFT))).max(axis=-1), np.float32)


def rough(picture: Floats, plate: Floats) -> Floats:
    """By how much two small pictures differ in detail around each place, where one may be as bright as the other."""
    return np.asarray(np.sqrt(cv2.blur(np.square(picture - plate), (SOFT, SOFT)).max(axis=-1)), np.float32)


def bound(plate: Floats, grain: float, *, stands: bool) -> Floats:
    """By how much a picture must differ from the plate at each place to show something else."""
    bound = np.full(plate.shape[:2], FAR * grain + LEAST, np.float32)
    if not stands:
        luma = cv2.blur(plate[..., 0], (SOFT, SOFT))
        bound += EDGE * cv2.dilate(np.hypot(cv2.Sobel(luma, -1, 1, 0), cv2.Sobel(luma, -1, 0, 1)), np.ones((3, 3)))
    return bound


def made(
    samples: Sequence[Planes], moves: Moves, size: tuple[int, int], shape: Shape, *, bits: int, black: float
) -> Plate:
    """The plate of sampled frames and their moves from the first; `size` of small pictures, `black` in 8 bits."""
    stands = not moves.any()
    seen = [laid(small(p, size, bits), m, fine_of(shape, size)) for p, m in zip(samples, moves, strict=True)]
    usual = np.median(np.stack([p[..., 0] for p in seen]), axis=0)
    gains = [gain(p, usual[..., None], black) for p in seen]
    gains = [g / gains[0] for g in gains]
    stack = np.stack([lit(p, 1 / g, black) for p, g in zip(seen, gains, strict=True)])
    chosen, plate, grain, untold = _free(stack, stands=stands)
    planes = []
    for number in range(3):
        foot = (black if number == 0 else 128.0) * (1 << (bits - 8))
        rows, columns = samples[0][number].shape
        fine = fine_of(shape, (columns, rows))
        light = [
            foot + (laid(p[number].astype(np.float32), m, fine) - foot) / np.float32(g)
            for p, m, g in zip(samples, moves, gains, strict=True)
        ]
        planes.append(_median(light, chosen))
    usual_rough = np.quantile(np.stack([rough(p, plate) for p in stack]), FREE, axis=0).astype(np.float32)
    return Plate(planes=planes, small=plate, grain=grain, rough=ROUGH * usual_rough + LEAST_ROUGH, untold=untold)


def _free(stack: Floats, *, stands: bool) -> tuple[Mask, Floats, float, Mask]:
    """In which samples each place is free, N×H×W; what is seen there then; the grain; where that cannot be told."""
    count = len(stack)
    windows = np.array_split(np.arange(count), min(WINDOWS, count))
    usual = np.median(stack, axis=0)
    off = np.stack([differs(p, usual) for p in stack])
    grain = float(np.median(off))
    at = np.arange(count, dtype=np.float32)[:, None, None]
    limit = bound(usual, grain, stands=stands)
    found = []
    for window in windows:
        plate = np.median(stack[window], axis=0)
        alike = np.stack([differs(p, plate) for p in stack]) < limit
        first = np.where(alike, at, count).min(axis=0)
        last = np.where(alike, at, -1).max(axis=0)
        lasts = np.maximum(last - first, 0) / max(count - 1, 1)
        found.append((alike.mean(axis=0) * lasts**2, alike.mean(axis=0), lasts, plate))
    score, share, lasts, plates = (np.stack(rows) for rows in zip(*found, strict=True))
    best = score.argmax(axis=0)
    chosen = np.take_along_axis(plates, best[None, ..., None], axis=0)[0]
    other = np.stack([differs(p, chosen) for p in plates]) > 2 * limit
    untold = np.asarray((other & (lasts > WHILE) & (share > SHARE)).any(axis=0))
    free = np.stack([~beside(differs(p, chosen) > limit) for p in stack])
    return free, np.asarray(chosen, np.float32), grain, untold


def beside(differs: Mask) -> Mask:
    """What differs, without single specks, and what lies beside it, where it may show through."""
    mask = cv2.morphologyEx(differs.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.dilate(mask, np.ones((2 * SOFT + 1, 2 * SOFT + 1), np.uint8)) > 0)


def _median(light: Sequence[Floats], chosen: Mask) -> Floats:
    """The median of a plane over those samples in which a place is free; over all where it never is."""
    rows, columns = light[0].shape
    out = np.empty((rows, columns), np.float32)
    free = [cv2.resize(c.astype(np.float32), (columns, rows), interpolation=cv2.INTER_LINEAR) > 0.5 for c in chosen]
    for top in range(0, rows, STRIP):
        part = slice(top, top + STRIP)
        values = np.stack([p[part] for p in light])
        here = np.stack([f[part] for f in free])
        here |= ~here.any(axis=0)
        values[~here] = np.inf
        values.sort(axis=0)
        count = here.sum(axis=0)
        low, high = (np.take_along_axis(values, k[None], axis=0)[0] for k in ((count - 1) // 2, count // 2))
        out[part] = (low + high) / 2
    return out
