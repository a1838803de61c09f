"""Where each pixel of the after was in the before: one answer for all detectors.

A known transform is taken as it is. Else the simplest geometry that holds for most of the picture is taken: nothing,
another size, a homography (turns by quarters among them), a homography with a smooth lens field. Blocks that disagree
with all others (a warp, a moved object, another ground) do not bend the fit. "Cannot align" is an answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.detectors._blocks import Moved, even_contrast, moved
from safelight.detectors._planes import Plane, Points
from safelight.media.frame import Bytes, Matrix, scaling
from safelight.media.picture import grey, shrink
from safelight.media.warp import Radial, Warp

SIDE = 1000  # px, long side at which pictures are compared
SMALL = 320  # px, long side to which a smaller after is enlarged, so that there are blocks to compare
FINER = 1.2  # px of the before in one of the after, from which the before is reduced
STILL = 0.35  # px at that size: blocks that move less agree
ALIKE = 0.14  # likeness from which a block's shift is believed
FEWEST = 6  # blocks, and …
MOST = 0.55  # … share of the believed ones that must agree
LEAST = 0.5  # share without which a homography or a lens field is not believed
STIFF = 0.01  # of what no lens does, against px² of disagreement
FAR = 0.12  # of the long side: how far a lens field may move a feature
CELL = 8  # px between places that are computed, as in media.warp
TURNS = (None, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)
RATIO = 0.8  # of the best to the second-best match of a feature (Lowe 2004)


@dataclass(frozen=True, kw_only=True)
class Bend:
    """A smooth displacement in px of the after: 16 x 2 coefficients in (x, y) about `middle`, scaled by `reach`."""

    terms: Points
    middle: tuple[float, float]
    reach: float

    def at(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """The displacement at these places."""
        basis = _lens((x - self.middle[0]) / self.reach, (y - self.middle[1]) / self.reach)
        return tuple(sum(t * c for t, c in zip(basis, column, strict=True)) for column in self.terms.T)


@dataclass(frozen=True, kw_only=True)
class Placement:
    """The map from px of the after to px of the before, pixel centres at whole numbers.

    `kind` is one word of identity, resize, homography, lens. `given` says that it was known, not estimated; `agreed`
    is the share of comparable blocks that it explains, `error_px` their median disagreement in after px. `cannot`
    gives the reason where the pictures could not be aligned.
    """

    warp: Warp
    kind: str = "identity"
    bend: Bend | None = None
    given: bool = False
    agreed: float = 1.0
    error_px: float = 0.0
    cannot: str | None = None

    @property
    def still(self) -> bool:
        """Whether pixels stay where they are."""
        return self.kind == "identity" and self.cannot is None

    def back(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Where these places of the after lie in the before."""
        x, y = np.asarray(x, float), np.asarray(y, float)
        if self.bend is not None:
            dx, dy = self.bend.at(x, y)
            x, y = x + dx, y + dy
        return self.warp.back(x, y)

    def onto(
        self,
        before: NDArray[Any],
        shape: tuple[int, int],
        after_px: float | NDArray[np.float64],
        before_px: float | NDArray[np.float64],
        *,
        corner: tuple[float, float] = (0.0, 0.0),
        how: int = cv2.INTER_CUBIC,
    ) -> tuple[NDArray[Any], Plane]:
        """A reduced before on the grid of a reduced after of `shape`, and where it has pixels (0 or 1).

        `after_px` and `before_px` are the lengths of a reduced pixel in native ones, of both axes or across and down;
        `corner` (x, y) is the native after px at which the reduced after's first pixel begins.
        """
        height, width = shape
        columns = np.arange(-1, (width - 1) // CELL + 2) * CELL + (CELL - 1) / 2
        rows = np.arange(-1, (height - 1) // CELL + 2) * CELL + (CELL - 1) / 2
        steps = zip((columns, rows), np.broadcast_to(after_px, 2), corner, strict=True)
        x, y = np.meshgrid(*((v + 0.5) * px - 0.5 + c for v, px, c in steps))
        found = self.back(x, y)
        full = len(columns) * CELL, len(rows) * CELL
        inside = slice(CELL, CELL + height), slice(CELL, CELL + width)
        u, v = (
            np.ascontiguousarray(cv2.resize((((m + 0.5) / px) - 0.5).astype(np.float32), full)[inside])
            for m, px in zip(found, np.broadcast_to(before_px, 2), strict=True)
        )
        out = cv2.remap(before, u, v, how, borderMode=cv2.BORDER_REPLICATE)
        tall, wide = before.shape[:2]
        valid = (u > -0.5) & (v > -0.5) & (u < wide - 0.5) & (v < tall - 0.5)
        return out, valid.astype(np.float32)


def known(transform: Mapping[str, Any] | Warp, size: tuple[int, int]) -> Placement:
    """The placement of a transform that our own record knows; `size` is (width, height) of the after.

    A `Warp`, or `{"type": "identity"}`, `{"type": "homography", "matrix": 3 x 3}` from before to after px, `{"type":
    "radial", "k1", "scale", "centre", "corner_px"}`: the after pixel at centre + d comes from centre + d (1 + k1
    (|d|² / corner² − 1)) / scale. ValueError for another type.
    """
    if isinstance(transform, Warp):
        bent = any(isinstance(step, Radial) for step in transform.steps)
        still = not bent and transform.shift == (0, 0)
        return Placement(warp=transform, kind="identity" if still else "lens" if bent else "homography", given=True)
    kind = transform.get("type")
    if kind == "identity":
        return Placement(warp=Warp(size=size), given=True)
    if kind == "homography":
        warp = Warp.forward(np.asarray(transform["matrix"], np.float64), size)
        return Placement(warp=warp, kind="homography", given=True)
    if kind == "radial":
        k1, scale, centre = float(transform["k1"]), float(transform["scale"]), tuple(map(float, transform["centre"]))
        row = ((1 - k1) / scale, 0.0, k1 / scale)
        radial = Radial(centre=(centre[0], centre[1]), unit=float(transform["corner_px"]), polynomial=(row,))
        return Placement(warp=Warp(size=size, steps=(radial,)), kind="lens", given=True)
    raise ValueError(f"a transform is of type identity, homography or radial, not {kind!r}")


def place(before: Bytes, after: Bytes) -> Placement:
    """The placement that explains most of two upright pictures of sRGB bytes."""
    size = after.shape[1], after.shape[0]
    looking = _looking(before, after)
    plain = _plain(before.shape, after.shape)
    if plain is not None:
        tried, moves = looking.judged(plain)
        if len(moves) < FEWEST or _holds(tried, moves):
            return tried
    found = looking.by_features(size)
    if found is None:
        if plain is not None and tried.agreed > 0.3:
            return tried
        return Placement(warp=Warp(size=size), cannot="the pictures have too little in common to be aligned")
    return looking.refined(*found)


def alike(before: Bytes, after: Bytes, placement: Placement) -> float:
    """How alike the blocks of two pictures are where one lies on the other, the middle of them all, 0 to 1. The picture
    that the after was made from is more alike than the next frame of the same motif."""
    found = _looking(before, after).moves(placement).alike
    return float(np.median(found)) if len(found) else 0.0


def _looking(before: Bytes, after: Bytes) -> "_Looking":
    first, second = (grey(shrink(p, SIDE)) for p in (before, after))
    enlarge = SMALL / max(second.shape)
    if enlarge > 1:
        second = np.asarray(cv2.resize(second, None, fx=enlarge, fy=enlarge, interpolation=cv2.INTER_CUBIC), np.uint8)
    return _Looking(
        before=first, before_px=lengths(before, first), after=second,
        even=even_contrast(np.asarray(second / np.float32(255), np.float32)),
        after_px=lengths(after, second),
    )  # fmt: skip


def lengths(whole: NDArray[Any], reduced: NDArray[Any]) -> NDArray[np.float64]:
    """Lengths of a reduced pixel in native ones, across and down: sides are whole numbers, so that the two differ."""
    return np.divide(whole.shape[1::-1], reduced.shape[1::-1])


def _plain(before: tuple[int, ...], after: tuple[int, ...]) -> Placement | None:
    """No movement, or another size, where the sizes allow it."""
    size = after[1], after[0]
    if before[:2] == after[:2]:
        return Placement(warp=Warp(size=size))
    across, down = after[1] / before[1], after[0] / before[0]
    if abs(across * before[0] - after[0]) > 2 and abs(across / down - 1) > 0.004:
        return None
    return Placement(warp=Warp.forward(scaling(across, down), size), kind="resize")


def _holds(tried: Placement, moves: Moved) -> bool:
    return tried.agreed >= MOST and int((moves.alike > ALIKE).sum()) >= FEWEST


@dataclass(frozen=True, kw_only=True)
class _Looking:
    """Both pictures at the size at which they are compared; the `_px` are native px a px of that size, across and
    down."""

    before: Bytes
    before_px: NDArray[np.float64]
    after: Bytes
    even: Plane
    after_px: NDArray[np.float64]

    @property
    def coarse(self) -> float:
        """Px of the compared after that are one of the file: more than 1 where it was enlarged."""
        return max(1.0, 1 / float(self.after_px[0]))

    def moves(self, placement: Placement) -> Moved:
        """What has still moved under this placement, in px of the reduced after."""
        # A before that has more detail than the after would fold it into the after's px, and look unlike it.
        before, finer = self.before, self._scale(placement) * self.coarse
        if finer > FINER:
            size = [max(1, round(side / finer)) for side in before.shape[1::-1]]
            before = np.asarray(cv2.resize(before, size, interpolation=cv2.INTER_AREA), np.uint8)
        px = self.before_px * lengths(self.before, before)
        grid, valid = placement.onto(before, self.even.shape, self.after_px, px)
        even = even_contrast(np.asarray(grid / np.float32(255), np.float32))
        return moved(even, self.even, valid=valid > 0)

    def _scale(self, placement: Placement) -> float:
        """How many px of the reduced before lie in one of the reduced after, in the middle."""
        (x, y), step = ((v - 1) / 2 for v in placement.warp.size), 1.0
        u, v = placement.back(np.array([x, x + step, x]), np.array([y, y, y + step]))
        area = abs((u[1] - u[0]) * (v[2] - v[0]) - (u[2] - u[0]) * (v[1] - v[0]))
        return float(np.sqrt(area) * self.after_px[0] / self.before_px[0])

    def judged(self, placement: Placement) -> tuple[Placement, Moved]:
        """The placement with how many blocks agree with it."""
        moves = self.moves(placement)
        believed = moves.alike > ALIKE
        if not believed.any():
            return replace(placement, agreed=0.0 if len(moves) else 1.0), moves
        off = np.hypot(*moves.shift[believed].T)
        agreeing = off < STILL * self.coarse
        error = float(np.median(off[agreeing])) if agreeing.any() else float(np.median(off))
        return replace(placement, agreed=float(agreeing.mean()), error_px=error * float(self.after_px[0])), moves

    def by_features(self, size: tuple[int, int]) -> tuple[Placement, Placement] | None:
        """A homography, and one with a lens field, from features that look alike in both."""
        finder = cv2.SIFT.create(nfeatures=1500, contrastThreshold=0.02)
        (points_a, looks_a), (points_b, looks_b) = (finder.detectAndCompute(p, None) for p in (self.before, self.after))
        if looks_a is None or looks_b is None or min(len(looks_a), len(looks_b)) < 2 * FEWEST:
            return None
        roots = [np.sqrt(v / np.maximum(v.sum(1, keepdims=True), 1e-6)) for v in (looks_a, looks_b)]
        pairs = [
            m for m, *n in cv2.BFMatcher().knnMatch(roots[1], roots[0], k=2) if n and m.distance < RATIO * n[0].distance
        ]
        if len(pairs) < 2 * FEWEST:
            return None
        here = (np.array([points_b[m.queryIdx].pt for m in pairs]) + 0.5) * self.after_px - 0.5
        there = (np.array([points_a[m.trainIdx].pt for m in pairs]) + 0.5) * self.before_px - 0.5
        cv2.setRNGSeed(1)
        matrix, inside = cv2.findHomography(
            here, there, cv2.USAC_MAGSAC, 3 * float(self.before_px[0]), maxIters=3000, confidence=0.999
        )
        if matrix is None or int(inside.sum()) < 2 * FEWEST or not _sane(np.asarray(matrix, np.float64), size):
            return None
        back = cv2.perspectiveTransform(there[:, None], np.linalg.inv(np.asarray(matrix, np.float64)))[:, 0]
        middle, reach = ((size[0] - 1) / 2, (size[1] - 1) / 2), max(size) / 2
        basis = np.stack(_lens(*((here - middle) / reach).T), 1)
        near = np.hypot(*(back - here).T) < FAR * max(size)
        terms = _robust(basis[near], (back - here)[near], scale=2 * float(self.after_px[0]))
        flat = Placement(warp=Warp(size=size, steps=(np.asarray(matrix, np.float64),)), kind="homography")
        return flat, replace(flat, kind="lens", bend=Bend(terms=terms, middle=middle, reach=reach))

    def refined(self, flat: Placement, bent: Placement) -> Placement:
        """Both made exact by blocks; the lens field is taken where the blocks ask for one."""
        for _ in range(2):
            flat = self._nudged(flat, plain=True)
        flat, _ = self.judged(flat)
        for _ in range(3):
            bent = self._nudged(bent, plain=False)
        bent, _ = self.judged(bent)
        best = bent if bent.agreed > flat.agreed + 0.05 or bent.error_px < 0.7 * flat.error_px else flat
        if best.agreed < LEAST:
            return replace(best, cannot="less than half of the picture fits any one movement")
        return best

    def _nudged(self, placement: Placement, *, plain: bool) -> Placement:
        moves = self.moves(placement)
        good = moves.alike > ALIKE
        if good.sum() < 2 * FEWEST:
            return placement
        centre = (moves.centre[good] + 0.5) * self.after_px - 0.5
        shift = moves.shift[good] * self.after_px
        size = placement.warp.size
        if plain:
            back = np.stack(placement.warp.back(*centre.T), 1)
            here = centre + shift
            matrix, inside = cv2.findHomography(here, back, cv2.USAC_MAGSAC, float(self.before_px[0]), maxIters=2000)
            if matrix is None or int(inside.sum()) < FEWEST or not _sane(np.asarray(matrix, np.float64), size):
                return placement
            return replace(placement, warp=Warp(size=size, steps=(np.asarray(matrix, np.float64),)))
        middle, reach = ((size[0] - 1) / 2, (size[1] - 1) / 2), max(size) / 2
        # The after's place p + shift shows what the placement looks for at p: at q it must look at q − shift.
        basis = np.stack(_lens(*(((centre + shift) - middle) / reach).T), 1)
        now = 0 if placement.bend is None else basis @ placement.bend.terms
        terms = _robust(basis, now - shift, scale=1.5 * float(self.after_px[0]))
        return replace(placement, kind="lens", bend=Bend(terms=terms, middle=middle, reach=reach))


def _robust(basis: Points, values: Points, scale: float) -> Points:
    """Least squares that outliers do not bend: reweighted by Tukey's biweight, from a wide to a narrow scale. What no
    lens and no turn of the camera does to a picture is held down, so that corners without a block follow the rest."""
    count = basis.shape[1]
    weight = np.ones(len(values))
    prior = (STIFF * _unlike_a_lens() + 1e-6 * np.eye(2 * count)) * len(values)
    found: Points = np.zeros((count, 2))
    for step in range(8):
        weighed = basis * weight[:, None]
        square, side = np.kron(np.eye(2), basis.T @ weighed), (weighed.T @ values).T.ravel()
        found = np.asarray(np.linalg.solve(square + prior, side).reshape(2, count).T, np.float64)
        off = np.hypot(*(values - basis @ found).T)
        wide = (
            max(scale * 2, 4.685 * 1.48 * float(np.median(off)))
            if step < 5
            else max(scale * 2, 3 * float(np.median(off)))
        )
        weight = np.maximum(0, 1 - (off / wide) ** 2) ** 2
    return np.asarray(found)


def _lens(u: NDArray[Any], v: NDArray[Any]) -> list[NDArray[Any]]:
    """A cubic in both directions and, as strong lenses need them, the second, fourth and fifth power of the radius."""
    cubic = [np.ones_like(u), u, v, u * u, u * v, v * v, u * u * u, u * u * v, u * v * v, v * v * v]
    square = u * u + v * v
    radius = np.sqrt(square)
    return [*cubic, *(w * power for power in (radius, radius * square, square * square) for w in (u, v))]


@cache
def _unlike_a_lens() -> Points:
    """32 x 32: takes from the coefficients of `_lens`, across before down, what cameras do: shifts, affine changes,
    perspective, a lens's radial powers, a decentred lens (Brown 1966)."""
    like = (
        *(({i: 1}, {}) for i in range(3)), *(({}, {i: 1}) for i in range(3)),
        ({3: 1}, {4: 1}), ({4: 1}, {5: 1}),  # perspective
        ({6: 1, 8: 1}, {7: 1, 9: 1}), *(({i: 1}, {i + 1: 1}) for i in (10, 12, 14)),  # radial
        ({3: 3, 5: 1}, {4: 2}), ({4: 2}, {3: 1, 5: 3}),  # decentred
    )  # fmt: skip
    rows = np.zeros((len(like), 32))
    for row, (across, down) in zip(rows, like, strict=True):
        for first, terms in ((0, across), (16, down)):
            for i, value in terms.items():
                row[first + i] = value
    axes = np.linalg.qr(rows.T)[0]
    return np.asarray(np.eye(32) - axes @ axes.T)


def _sane(matrix: Matrix, size: tuple[int, int]) -> bool:
    """Whether the frame stays a convex quadrilateral of reasonable size under the homography."""
    w, h = size
    corners = np.array([[[0, 0]], [[w, 0]], [[w, h]], [[0, h]]], np.float64)
    moved_to = cv2.perspectiveTransform(corners, matrix)
    area = abs(float(cv2.contourArea(moved_to.astype(np.float32))))
    return bool(cv2.isContourConvex(moved_to.astype(np.float32))) and 0.02 < area / (w * h) < 400
