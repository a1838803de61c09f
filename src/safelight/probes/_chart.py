"""Where a ColorChecker lies in a picture: even spots in a lattice whose colours run in the chart's order.

Its patches are even spots of one size with edges around them, whatever the light. Spots are the connected flat parts
of the picture at several sizes and limits of flatness; from a spot and two of its neighbours a lattice grows, which
gives a homography; under it the colours of 6 x 4 cells are read and compared with the chart's, up to the light (a
gain for each channel and an even fall-off). Chance agreement of 24 colours is so rare that nothing else is asked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.colorchecker import COLUMNS, LINEAR, ROWS
from safelight.media.frame import Bytes
from safelight.media.picture import TO_LINEAR

Floats = NDArray[np.float64]

LIMITS = (5, 10, 20, 36)  # levels between neighbours up to which a spot is flat
SMALLEST, LARGEST = 9, 1 / 40  # px, and share of the picture, of a spot
LONGEST = 3.0  # of a spot's box, length over width
FILLED = 0.8  # of area to that of the parallelogram with the same second moments
LIKE = 2.0  # largest ratio of the areas of neighbouring spots
FAR = 2.4  # distance of neighbours in sides of a spot
MIDWAY = 0.22  # of a step: how far a spot may lie from the middle of two others
OFF = 0.3  # of a step: how far a spot may lie from where the lattice expects it
LEAST, MOST = 6, 400  # spots of a lattice; spots that are looked at
SEEDS = 40  # spots from which a lattice is grown: those with most neighbours of their size
FLOOR = 0.012  # of the brightest patch: darker differences are noise
ALIKE, EACH = 0.9, 0.78  # mean and least correlation from which colours are the chart's
CENTRES = np.stack(np.meshgrid(np.arange(COLUMNS), np.arange(ROWS)), -1).reshape(-1, 2).astype(np.float64)
HALF = np.array((0.5, 0.5))
INSIDE = np.stack(np.meshgrid(*[np.linspace(-0.2, 0.2, 5)] * 2), -1).reshape(-1, 2)  # of a patch, in steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart that was found: `homography` leads from (column, row) of a patch's centre to px; `alike` is 0..1."""

    homography: Floats
    alike: float

    def points(self, cells: Floats) -> Floats:
        """Px of places in the chart, n x 2 (column, row); patch centres are whole numbers."""
        return np.asarray(cv2.perspectiveTransform(cells[None].astype(np.float64), self.homography)[0], np.float64)

    def scaled(self, by: float) -> "Chart":
        """The same chart in a picture `by` times as large."""
        grow = np.array(((by, 0, (by - 1) / 2), (0, by, (by - 1) / 2), (0, 0, 1)))
        return Chart(homography=grow @ self.homography, alike=self.alike)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spots:
    """Even spots: centre in px, area in px²."""

    centre: Floats
    area: Floats

    def __len__(self) -> int:
        return len(self.area)


# ---------------------------------------------------------------- spots


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The connected flat parts of a picture: their labels (H x W), and box, area and centre by label."""

    labels: NDArray[np.int32]
    stats: NDArray[np.int32]
    centres: Floats


def steps(rgb: Bytes) -> Bytes:
    """The largest difference between a pixel's neighbours in any channel, H x W."""
    red, green, blue = cv2.split(cv2.morphologyEx(rgb, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)))
    return np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)


def parts(step: Bytes, limit: int) -> Parts:
    """The parts of a picture, given by its `steps`, whose neighbours differ by less than `limit`."""
    flat = (step < limit).astype(np.uint8)
    _, labels, stats, centres = cv2.connectedComponentsWithStats(flat, connectivity=4, ltype=cv2.CV_32S)
    return Parts(
        labels=np.asarray(labels, np.int32), stats=np.asarray(stats, np.int32), centres=np.asarray(centres, np.float64)
    )


def spots(found: Parts, *, filled: bool = True) -> Spots:
    """The compact ones of these parts, of the size of patches.

    `filled` asks whether each is as full as a patch is, which costs more than all the rest.
    """
    width, height, area = (found.stats[:, i].astype(np.float64) for i in (2, 3, 4))
    fits = (area >= SMALLEST) & (area <= LARGEST * found.labels.size) & (area > 0.35 * width * height)
    fits &= np.maximum(width, height) < LONGEST * np.minimum(width, height)
    fits[0] = False
    kept = np.flatnonzero(fits)
    if len(kept) > MOST:
        kept = np.sort(kept[np.argsort(-area[kept], kind="stable")[:MOST]])
    if filled:
        kept = np.array([i for i in kept if _filled(found.labels, found.stats[i], int(i))], np.intp)
    return Spots(centre=found.centres[kept].reshape(-1, 2), area=area[kept])


def _filled(labels: NDArray[np.int32], box: NDArray[np.int32], label: int) -> bool:
    """Whether a part is as full as a parallelogram or an ellipse is."""
    x, y, width, height, area = (int(v) for v in box)
    m = cv2.moments((labels[y : y + height, x : x + width] == label).astype(np.uint8), binaryImage=True)
    if area < 30:
        return True
    determinant = (m["mu20"] * m["mu02"] - m["mu11"] ** 2) / area**2
    return bool(area > FILLED * 12 * np.sqrt(max(determinant, 1e-9)))


# ---------------------------------------------------------------- lattices


def lattices(found: Spots) -> Iterator[tuple[Floats, Floats]]:
    """Lattices that grow from the spots: whole coordinates and px, n x 2 each; a spot seeds until it is in one."""
    if len(found) < LEAST:
        return
    step, opposite = _around(found)
    pairs = opposite.sum((1, 2))
    used: set[int] = set()
    for seed in np.argsort(-pairs, kind="stable")[:SEEDS]:
        if int(seed) in used or not pairs[seed]:
            continue
        best: dict[tuple[int, int], int] = {}
        for u, v in _bases(step[seed], opposite[seed].any(1)):
            grown = _grown(found, int(seed), u, v)
            if len(grown) > len(best):
                best = grown
        if len(best) >= LEAST:
            used.update(best.values())
            cells = np.array(list(best), np.float64)
            if np.ptp(cells, axis=0).min() >= 1:
                yield cells, found.centre[list(best.values())]


def _around(found: Spots) -> tuple[Floats, NDArray[np.bool_]]:
    """Steps to the nearest spots of one size (n x 8 x 2, inf where there is none), and which pairs are opposite."""
    apart = np.hypot(*np.moveaxis(found.centre[:, None] - found.centre[None], 2, 0))
    near = (apart < FAR * np.sqrt(found.area)[:, None] + 4) & (apart > 0)
    near &= np.abs(np.log(found.area[:, None] / found.area[None])) < np.log(LIKE)
    closest = np.argsort(np.where(near, apart, np.inf), axis=1, kind="stable")[:, : min(8, len(found) - 1)]
    there = np.take_along_axis(near, closest, 1)
    step = np.where(there[..., None], found.centre[closest] - found.centre[:, None], np.inf)
    with np.errstate(invalid="ignore"):
        middle = np.hypot(*np.moveaxis(step[:, :, None] + step[:, None], 3, 0))
        return step, np.asarray(middle < MIDWAY * np.hypot(*np.moveaxis(step, 2, 0))[:, :, None])


def _bases(steps: Floats, opposite: NDArray[np.bool_]) -> Iterator[tuple[Floats, Floats]]:
    """Pairs of steps that may span a lattice, nearly square and right-handed; one of them goes both ways."""
    for u in steps[opposite]:
        for v in steps[np.isfinite(steps[:, 0])]:
            long, short = sorted((float(np.hypot(*u)), float(np.hypot(*v))), reverse=True)
            across = float(u[0] * v[1] - u[1] * v[0])
            if abs(across) > 0.5 * long * short and long < 2.2 * short:
                yield (u, v) if across > 0 else (v, u)


def _grown(found: Spots, seed: int, u: Floats, v: Floats) -> dict[tuple[int, int], int]:
    """Spots by their place in the lattice that starts at `seed` with these steps; steps follow the perspective."""
    placed = {(0, 0): seed}
    steps = {(0, 0): (u, v)}
    taken = {seed}
    queue = [(0, 0)]
    while queue:
        cell = queue.pop(0)
        here, (right, down) = found.centre[placed[cell]], steps[cell]
        for du, dv in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            new = (cell[0] + du, cell[1] + dv)
            if new in placed or max(abs(new[0]), abs(new[1])) > 7:
                continue
            step = du * right + dv * down
            away = np.hypot(*(found.centre - here - step).T)
            hit = int(np.argmin(away))
            ratio = found.area[hit] / found.area[placed[cell]]
            if hit in taken or away[hit] > OFF * np.hypot(*step) or not 1 / LIKE < ratio < LIKE:
                continue
            seen = (found.centre[hit] - here) * (du + dv)
            steps[new] = ((right + seen) / 2, down) if du else (right, (down + seen) / 2)
            placed[new] = hit
            taken.add(hit)
            queue.append(new)
    return placed


# ---------------------------------------------------------------- colours


def match(rgb: Bytes, cells: Floats, places: Floats) -> Chart | None:
    """The chart's place in a lattice, if the colours of 24 of its cells are the chart's."""
    pitch = float(np.sqrt(np.prod(np.ptp(places, axis=0)) / np.prod(np.ptp(cells, axis=0) + 1)))
    homography, _ = cv2.findHomography(cells, places, cv2.RANSAC, max(0.2 * pitch, 1.0), maxIters=200)
    if homography is None or not np.isfinite(homography).all():
        return None
    low, high = cells.min(0).astype(int) - 3, cells.max(0).astype(int) + 3
    across, down = (np.arange(low[k], high[k] + 1) for k in (0, 1))
    grid = np.stack(np.meshgrid(across, down), -1).astype(np.float64)  # rows down, columns across
    colours = _read(rgb, np.asarray(homography, np.float64), grid)
    best: Chart | None = None
    for turn, (top, left) in _windows(colours, cells, low):
        turned = np.rot90(colours, turn)
        window = turned[top : top + ROWS, left : left + COLUMNS]
        if not np.isfinite(window).all():
            continue
        value = alike(window.reshape(-1, 3))
        if value > (best.alike if best else 0):
            places_of = np.rot90(grid, turn)[top : top + ROWS, left : left + COLUMNS]
            best = Chart(homography=np.asarray(homography @ _affine(places_of), np.float64), alike=value)
    return best


def _windows(colours: Floats, cells: Floats, low: NDArray[np.intp]) -> Iterator[tuple[int, tuple[int, int]]]:
    """(quarter turns, (top, left)) of 6 x 4 windows that hold at least two thirds of what they can of the lattice."""
    there = np.zeros(colours.shape[:2], bool)
    column, row = (cells.astype(int) - low).T
    there[row, column] = True
    for turn in range(4):
        turned: NDArray[np.bool_] = np.rot90(there, turn)
        height, width = (len(there), len(there[0]))[:: 1 if turn % 2 == 0 else -1]
        counts = {
            (top, left): int(turned[top : top + ROWS, left : left + COLUMNS].sum())
            for top in range(height - ROWS + 1)
            for left in range(width - COLUMNS + 1)
        }
        least = max(LEAST, 2 * max(counts.values(), default=0) // 3)
        yield from ((turn, place) for place, count in counts.items() if count >= least)


def _read(rgb: Bytes, homography: Floats, grid: Floats) -> Floats:
    """Mean linear light of each cell's inside, rows x columns x 3; nan where it lies outside the picture."""
    points = (grid[:, :, None] + INSIDE).reshape(-1, 2)
    depth = points @ homography[2, :2] + homography[2, 2]
    where = cv2.perspectiveTransform(points[None], homography)[0]
    x, y = np.rint(where.T)
    inside = (depth * depth[0] > 0) & (x >= 0) & (y >= 0) & (x < rgb.shape[1]) & (y < rgb.shape[0])
    light = np.full((len(points), 3), np.nan)
    light[inside] = TO_LINEAR[rgb[y[inside].astype(int), x[inside].astype(int)]]
    return np.asarray(light.reshape(*grid.shape[:2], len(INSIDE), 3).mean(2), np.float64)


def _affine(places: Floats) -> Floats:
    """The matrix from (column, row) of a window to the lattice's own coordinates at those cells."""
    origin, right, down = places[0, 0], places[0, 1] - places[0, 0], places[1, 0] - places[0, 0]
    return np.array(((right[0], down[0], origin[0]), (right[1], down[1], origin[1]), (0, 0, 1)))


def _ratios(light: Floats) -> tuple[Floats, Floats, Floats]:
    log = np.log(np.maximum(light, 0) + FLOOR * max(float(light.max()), 1e-6))
    return log[:, 0] - log[:, 1], log[:, 2] - log[:, 1], log.mean(1)


_CHART = _ratios(LINEAR)
_PLACE = np.stack((np.ones(24), *np.divmod(np.arange(24), COLUMNS)), 1)  # level and fall-off
_WITHOUT = np.eye(24) - _PLACE @ np.linalg.pinv(_PLACE)


def alike(light: Floats) -> float:
    """0..1: mean correlation of 24 linear colours with the chart's, in log ratios and in log level; 0 if one is low.

    A gain for each channel drops out; so does a fall-off of the light over the chart.
    """
    red, blue, level = _ratios(light)
    found = [
        _correlation(red, _CHART[0]),
        _correlation(blue, _CHART[1]),
        _correlation(_WITHOUT @ level, _WITHOUT @ _CHART[2]),
    ]
    return float(np.mean(found)) if min(found) >= EACH else 0.0


def _correlation(one: Floats, two: Floats) -> float:
    a, b = one - one.mean(), two - two.mean()
    return float(a @ b / max(float(np.sqrt((a @ a) * (b @ b))), 1e-9))


def settled(chart: Chart, found: Spots, rgb: Bytes) -> Chart:
    """The chart laid through all spots that lie where its patches should; as it was where that is no better."""
    for _ in range(2):
        expected = chart.points(CENTRES)
        across = chart.points(CENTRES + HALF) - chart.points(CENTRES - HALF)
        step = np.hypot(*across.T) / np.sqrt(2)
        away = np.hypot(*np.moveaxis(expected[:, None] - found.centre[None], 2, 0))
        nearest = away.argmin(1)
        hit = away[np.arange(len(CENTRES)), nearest] < OFF * step
        if hit.sum() < 2 * LEAST:
            return chart
        homography, _ = cv2.findHomography(CENTRES[hit], found.centre[nearest[hit]], cv2.LMEDS)
        if homography is None or not np.isfinite(homography).all():
            return chart
        better = Chart(homography=np.asarray(homography, np.float64), alike=0.0)
        colours = _read(rgb, better.homography, CENTRES.reshape(ROWS, COLUMNS, 2))
        value = alike(colours.reshape(-1, 3)) if np.isfinite(colours).all() else 0.0
        if value < chart.alike - 0.01:
            return chart
        chart = replace(better, alike=value)
    return chart


# ---------------------------------------------------------------- the search


def glance(looks: Sequence[Parts]) -> int:
    """How strongly a picture of about 400 px hints at a lattice: spots midway between two like them. Cheap."""
    return max(_midway(spots(look, filled=False)) for look in looks)


def _midway(found: Spots) -> int:
    """How many pairs of neighbours of one size lie on opposite sides of a spot, equally far."""
    return int(_around(found)[1].sum()) // 2 if len(found) >= LEAST else 0


def find(rgb: Bytes) -> Chart | None:
    """The chart in a picture, or None; 400 px are enough for most."""
    best: Chart | None = None
    step = steps(rgb)
    for limit in LIMITS:
        seen = spots(parts(step, limit))
        for cells, places in lattices(seen):
            found = match(rgb, cells, places)
            found = None if found is None else settled(found, seen, rgb)
            if found is not None and found.alike > (best.alike if best else ALIKE):
                best = found
        if best is not None and best.alike > 0.97:
            break
    return best
