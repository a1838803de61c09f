"""Sweeps: frames in succession that each show a part of the one before, shifted along one direction.

Three frames are looked at together, twice. First the 8 x 8 colour layouts of all candidates at once: does one edge of
a frame look like the opposite edge of the one before, and again for the next frame on the same side? Of the few that
pass, the 96 px thumbs: a strip of a frame is searched for in the one before, and the whole overlap must agree.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.domain import GroupKind
from safelight.media.frame import Bytes, Pixels
from safelight.probes._grouping.sets import Found
from safelight.probes._grouping.shoot import Shoot, Whole, likeness
from safelight.probes.layout import COLOUR_CELLS

GAP_S = 8.0
MOST_EV = 1.0  # exposures of a sweep differ by less
MOST_MM = 0.5  # and so do focal lengths
MOST_ALIKE = 0.9  # frames that are more alike than this have one framing
COARSE = 0.5  # correlation of opposite edges in the layout; unlike photos reach it by accident in one case of fourteen
MATCH = 0.5  # mean correlation of the two overlaps; unlike photos stay below 0.42, once 0.59; sweeps lie above 0.64
PLAIN = 0.6  # correlation of an overlap that leaves no doubt
LEAST_MATCH = 0.4  # of either overlap
OVERLAP = (0.12, 0.85)  # of the side along which the camera turned
DRIFT = 0.12  # of the other side, at most
SLACK = 0.06  # by how much a step may differ from the one beside it where only that one is plain
LEAST_SIDE = 8  # px of an overlap that is searched for
STRIP = 0.16  # of the side that is searched for in the other frame
LEFT, RIGHT, TOP, BOTTOM = range(4)  # the side of the later frame that lies in the earlier one
WIDTHS = (2, 3, 4, 5)  # columns of the layout that may overlap


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Where a frame lies against the one before: shares of width and height, and how well the overlap agrees."""

    across: float
    down: float
    match: float

    @property
    def turned(self) -> bool:
        """Whether a camera that turns along one direction would shift a frame like this."""
        aside, along = sorted((abs(self.across), abs(self.down)))
        return self.match >= LEAST_MATCH and 1 - OVERLAP[1] <= along <= 1 - OVERLAP[0] and aside <= DRIFT

    def goes_on(self, after: "Shift") -> bool:
        """Whether the next shift continues this one: the same direction, steps of like length."""
        here, there = np.array((self.across, self.down)), np.array((after.across, after.down))
        short, long = sorted((float(np.linalg.norm(here)), float(np.linalg.norm(there))))
        return float(here @ there) > 0.8 * short * long and long <= 2 * short


def sweeps(shoot: Shoot, free: NDArray[np.bool_]) -> list[Found]:
    """Panoramas among the photos that are still free (a mask over rows)."""
    found: list[Found] = []
    for rows, firsts in _candidates(shoot, free):
        contrasts: dict[int, Pixels | None] = {}
        sides = [_side(shoot, rows[k : k + 3], scores, contrasts) for k, scores in firsts]
        found.extend(_joined(shoot, rows, [k for k, _ in firsts], sides))
    return found


def _candidates(shoot: Shoot, free: NDArray[np.bool_]) -> Iterator[tuple[Whole, list[tuple[int, Pixels]]]]:
    """Free photos of one body in time, with the places where three may make a sweep and how likely from each side."""
    for body in np.unique(shoot.body):
        rows = np.flatnonzero((shoot.body == body) & shoot.timed & free)
        rows = rows[np.lexsort((rows, shoot.time[rows]))]
        if len(rows) < 3:
            continue
        near = np.diff(shoot.time[rows]) <= GAP_S
        near &= np.abs(np.diff(shoot.exposure[rows])) <= MOST_EV
        near &= np.abs(np.diff(np.nan_to_num(shoot.focal[rows]))) <= MOST_MM
        near &= likeness(shoot.look, rows[1:], rows[:-1]) <= MOST_ALIKE
        firsts = np.flatnonzero(near[:-1] & near[1:])
        if not len(firsts):
            continue
        pairs = np.unique(np.concatenate((firsts, firsts + 1)))
        edges = opposite_edges(shoot.look[rows[pairs]], shoot.look[rows[pairs + 1]])
        scores = (edges[np.searchsorted(pairs, firsts)] + edges[np.searchsorted(pairs, firsts + 1)]) / 2
        likely = scores.max(axis=1) >= COARSE
        yield rows, [(int(k), score) for k, score in zip(firsts[likely], scores[likely], strict=True)]


def _side(shoot: Shoot, rows: Whole, scores: Pixels, contrasts: dict[int, Pixels | None]) -> int | None:
    """From which side three frames make a sweep; None if they do not. `contrasts` keeps what was worked out."""
    for row in rows:
        if int(row) not in contrasts:
            thumb = shoot.thumb(int(row))
            contrasts[int(row)] = None if thumb is None else local_contrast(thumb)
    one, two, three = (contrasts[int(row)] for row in rows)
    if one is None or two is None or three is None or not one.shape == two.shape == three.shape:
        return None
    for side in np.argsort(-scores):
        if scores[side] < COARSE:
            break
        if _sweep(one, two, three, int(side)):
            return int(side)
    return None


def _sweep(one: Pixels, two: Pixels, three: Pixels, side: int) -> bool:
    """Whether three frames were swept in one direction; a step that is hard to see is sought about the plain one."""
    first, second = shift_between(one, two, side), shift_between(two, three, side)
    if first.turned and first.match >= PLAIN > second.match:
        second = follow(two, three, first) or second
    elif second.turned and second.match >= PLAIN > first.match:
        first = follow(one, two, second) or first
    return first.turned and second.turned and first.goes_on(second) and (first.match + second.match) / 2 >= MATCH


def _joined(shoot: Shoot, rows: Whole, firsts: list[int], sides: list[int | None]) -> Iterator[Found]:
    """Sweeps of three and more: threes that follow each other in one direction are one sweep."""
    sweep: list[int] = []  # places in `rows`
    last, taken = None, -1
    for k, side in zip(firsts, sides, strict=True):
        if side is None:
            continue
        if not (sweep and last == side and k == sweep[-1] - 1):
            if len(sweep) >= 3:
                yield _found(shoot, rows[sweep])
                taken = sweep[-1]
            sweep = [place for place in (k, k + 1) if place > taken]
        sweep.append(k + 2)
        last = side
    if len(sweep) >= 3:
        yield _found(shoot, rows[sweep])


def _found(shoot: Shoot, rows: Whole) -> Found:
    took = float(shoot.time[rows[-1]] - shoot.time[rows[0]])
    return Found(
        kind=GroupKind.PANORAMA, rows=tuple(int(row) for row in rows),
        because=f"{len(rows)} overlapping frames of one sweep within {took:.0f} s; the overlaps agree.",
    )  # fmt: skip


# ---------------------------------------------------------------- opposite edges in the layouts


def opposite_edges(earlier: Pixels, later: Pixels) -> Pixels:
    """How well the left, right, top, bottom of the later frame agrees with the opposite side of the earlier.

    Embeddings n x 480 in, n x 4 out; the best correlation over overlaps of 2 to 5 of 8 cells.
    """
    a, b = (
        look[:, : 3 * COLOUR_CELLS**2].reshape(-1, 3, COLOUR_CELLS, COLOUR_CELLS) for look in (earlier, later)
    )  # n, colour, row, column
    columns, rows = (0, 3, 1, 2), (0, 2, 1, 3)
    left, right = _edges(a.transpose(columns), b.transpose(columns))
    top, bottom = _edges(a.transpose(rows), b.transpose(rows))
    return np.stack((left, right, top, bottom), axis=1)


def _edges(a: Pixels, b: Pixels) -> tuple[Pixels, Pixels]:
    """Slices n x slice x colour x place: the ends of `a` on the beginnings of `b`, and the other way round."""
    count, slices, _, places = a.shape
    products = a.reshape(count, slices, -1) @ b.reshape(count, slices, -1).transpose(0, 2, 1)
    sums_a, sums_b = a.sum(axis=3), b.sum(axis=3)
    squares_a, squares_b = (a**2).sum(axis=3), (b**2).sum(axis=3)
    best = [np.full(count, -1.0, np.float32), np.full(count, -1.0, np.float32)]
    for width in WIDTHS:
        first, last = slice(0, width), slice(slices - width, slices)
        for which, (of_a, of_b) in enumerate(((last, first), (first, last))):
            number = width * places
            sum_a, sum_b = sums_a[:, of_a].sum(axis=1), sums_b[:, of_b].sum(axis=1)
            together = np.trace(products[:, of_a, of_b], axis1=1, axis2=2) - (sum_a * sum_b).sum(axis=1) / number
            own_a = squares_a[:, of_a].sum(axis=(1, 2)) - (sum_a**2).sum(axis=1) / number
            own_b = squares_b[:, of_b].sum(axis=(1, 2)) - (sum_b**2).sum(axis=1) / number
            score = together / np.sqrt(np.maximum(own_a * own_b, 1e-12))
            best[which] = np.maximum(best[which], score)
    return best[0], best[1]


# ---------------------------------------------------------------- overlaps in the thumbs


def local_contrast(thumb: Bytes) -> Pixels:
    """Log luma less its surroundings of 21 px: exposure, vignetting, plain skies and grain say nothing."""
    log = _LOG[thumb]
    return np.asarray(cv2.GaussianBlur(log, (0, 0), 1) - cv2.blur(log, (21, 21)), np.float32)


_LOG = np.log(np.arange(256, dtype=np.float32) + 8)


def shift_between(earlier: Pixels, later: Pixels, side: int) -> Shift:
    """Where the later frame lies if its `side` (left, right, top, bottom) is in the earlier one.

    A strip from that side is searched for; then the whole overlap decides.
    """
    height, width = later.shape
    wide, high = max(6, round(STRIP * width)), max(6, round(STRIP * height))
    margin_x, margin_y = round(DRIFT * width), round(DRIFT * height)
    x0, y0, x1, y1 = (
        (0, margin_y, wide, height - margin_y),
        (width - wide, margin_y, width, height - margin_y),
        (margin_x, 0, width - margin_x, high),
        (margin_x, height - high, width - margin_x, height),
    )[side]
    least = 1 - OVERLAP[1]
    left, top = (round(least * width) if side == LEFT else 0), (round(least * height) if side == TOP else 0)
    right = width - round(least * width) if side == RIGHT else width
    bottom = height - round(least * height) if side == BOTTOM else height
    scores = cv2.matchTemplate(earlier[top:bottom, left:right], later[y0:y1, x0:x1], cv2.TM_CCOEFF_NORMED)
    _, _, _, (x, y) = cv2.minMaxLoc(scores)
    across, down = left + x - x0, top + y - y0
    a = earlier[max(0, down) : height + min(0, down), max(0, across) : width + min(0, across)]
    b = later[max(0, -down) : height + min(0, -down), max(0, -across) : width + min(0, -across)]
    return Shift(across=across / width, down=down / height, match=_correlation(a, b))


def follow(earlier: Pixels, later: Pixels, about: Shift) -> Shift | None:
    """Where the later frame lies if it is shifted about as said: the whole overlap is searched for nearby."""
    height, width = later.shape
    across, down = round(about.across * width), round(about.down * height)
    slack_x, slack_y = round(SLACK * width), round(SLACK * height)
    x0, x1 = max(0, -across) + slack_x, width - max(0, across) - slack_x
    y0, y1 = max(0, -down) + slack_y, height - max(0, down) - slack_y
    if min(x1 - x0, y1 - y0) < LEAST_SIDE:
        return None
    left, top = x0 + across - slack_x, y0 + down - slack_y
    near = earlier[top : y1 + down + slack_y, left : x1 + across + slack_x]
    _, match, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(near, later[y0:y1, x0:x1], cv2.TM_CCOEFF_NORMED))
    return Shift(across=(left + x - x0) / width, down=(top + y - y0) / height, match=float(match))


def _correlation(a: Pixels, b: Pixels) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (np.sqrt((a * a).sum() * (b * b).sum()) + 1e-9))
