"""How the camera moves from frame to frame: shift, scale and turn of what stands still, read from small grey pictures.

Gauss and Newton's steps on a similarity of four numbers, after Lucas and Kanade in Baker and Matthews' inverse form
(IJCV 2004): the gradients are those of the earlier frame, so that one step is one warp and one product. A shift found
by phase correlation comes first where frames lie far apart. Pixels that do not follow weigh little (Tukey), and where
a good part of the picture stands still the camera does: things may move, the world does not.
"""

from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from safelight.probes._shots.frames import HEIGHT, WIDTH

Floats = npt.NDArray[np.float32]
Grey = npt.NDArray[np.uint8]

SOFT = 1.0  # px: what is thinned out shimmers, and slopes reach further
STEPS, SETTLED = 3, 1e-4  # of Gauss and Newton; widths and radians by which the last one may still move
FAR = 6.0  # code values of mean difference from which phase correlation is asked first
TAIL = 4.0  # medians of the residuals beyond which a pixel does not count
LEAST = 1.5  # code values: residuals below are noise
CELL = 6  # px, side of the cells that are asked whether they stand still
STRUCTURE = 4.0  # mean squared gradient of a cell, code values a px, from which it can tell
STANDS = 0.4  # share of the cells that can tell, from which the camera stands
STAYS, NOISE = 1.15, 0.05  # times, and mean square of code values, by which a cell that stands may fit a move better
SHORT = 0.3  # px: a cell that has moved further is seen to have, whether or not the move was found
FEWEST = 8  # cells that can tell, below which nothing is said
RING, IN_RING = 2, 2  # cells from the edge, and how many must tell at two of the left, the right and the top
SHOULDERS = 3  # rows of cells at the bottom in which a subject may reach the sides
BAR = 24  # code values: rows and columns that never rise above are bars beside the picture
DIAGONAL = np.diag_indices(4)
EXPLAINED = 0.5  # of the difference between two frames: what a move must leave less of to be believed


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """From one frame to the next: `across` and `down` in widths of the picture (what is seen moves right and down),
    `grow` as the logarithm of the scale, `turn` in radians; `known` is False where frames are too plain or too unlike
    to tell."""

    across: float = 0.0
    down: float = 0.0
    grow: float = 0.0
    turn: float = 0.0
    known: bool = True


STILL = Move()
UNKNOWN = Move(known=False)


@dataclass(slots=True)
class Camera:
    """Reads frames one after another. `aspect`: width of the picture to its height, as the frames are coded."""

    aspect: float
    last: Grey | None = None
    base: "_Base | None" = None
    window: Floats = field(default_factory=lambda: cv2.createHanningWindow((WIDTH, HEIGHT), cv2.CV_32F))  # type: ignore[arg-type, return-value]

    def see(self, grey: Grey) -> Move:
        """How the camera moved from the frame before to this one, of HEIGHT×WIDTH; the first one stands."""
        before, self.last = self.base, grey
        now = np.asarray(cv2.GaussianBlur(grey.astype(np.float32), (0, 0), SOFT), np.float32)
        self.base = _Base.of(now, self.aspect)
        if before is None:
            return STILL
        return self._between(before, now)

    def _between(self, before: "_Base", now: Floats) -> Move:
        if before.tell.sum() < FEWEST:
            return UNKNOWN
        apart = now - before.grey
        apart -= _middle(apart[::3, ::3])  # the light may change
        stays = before.cells(apart)
        if float((stays <= NOISE)[before.tell].mean()) >= STANDS:  # no move can fit these better
            return STILL
        size = float(np.abs(apart).mean())
        at = np.zeros(4, np.float32)
        if size > FAR:
            (x, y), _ = cv2.phaseCorrelate(
                before.grey.copy(), now.copy(), self.window
            )  # it writes into what it is given
            if abs(x) < WIDTH / 2 and abs(y) < HEIGHT / 2:
                at[:2] = x / WIDTH, y / (HEIGHT * self.aspect)
        left = apart
        for _ in range(STEPS):
            left = before.left(now, at)
            change = before.step(left)
            at = at + change
            if float(np.abs(change).max()) < SETTLED:
                break
        else:
            left = before.left(now, at)
        goes = before.cells(left)
        stands = (stays <= STAYS * goes + NOISE) & (stays <= SHORT**2 * before.structure + NOISE)
        if float(stands[before.tell].mean()) >= STANDS:
            return STILL
        apart_still = size > LEAST and goes[before.tell].sum() > EXPLAINED * stays[before.tell].sum()
        if apart_still or not before.surrounds():
            return UNKNOWN
        across, down, grow, turn = (float(v) for v in at)
        return Move(across=across, down=down, grow=grow, turn=turn)


@dataclass(slots=True)
class _Base:
    """A frame with what its gradients say: `slopes` across and down; `structure`, their mean square in each cell;
    `tell`, which cells have enough of it; `ways` 4×N, once they are asked for: how each pixel changes by each number
    of a move."""

    grey: Floats
    slopes: tuple[Floats, Floats]
    structure: Floats
    tell: npt.NDArray[np.bool_]
    aspect: float
    ways: Floats | None = None

    @classmethod
    def of(cls, grey: Floats, aspect: float) -> "_Base":
        across = np.asarray(cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8), np.float32)
        down = np.asarray(cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8), np.float32)
        lit = _lit(grey)
        if lit is not None:
            across, down = across * lit, down * lit
        structure = _means(across * across + down * down)
        tell = structure > STRUCTURE
        if lit is not None:
            tell &= _means(lit) > 1 - 1e-3
        return cls(grey, (across, down), structure, tell, aspect)

    def surrounds(self) -> bool:
        """Whether there is something to hold on to around a subject: before a plain ground only the subject is seen to
        move."""
        upper = self.tell[:-SHOULDERS]
        sides = upper[:, :RING], upper[:, -RING:], upper[:RING]
        return sum(bool(side.sum() >= IN_RING) for side in sides) >= 2

    def left(self, now: Floats, at: Floats) -> Floats:
        """What a move leaves of the difference, with the change of light taken out."""
        tall = HEIGHT * self.aspect
        grown, turned = np.exp(at[2]) * np.cos(at[3]), np.exp(at[2]) * np.sin(at[3])
        cx, cy = (WIDTH - 1) / 2, (HEIGHT - 1) / 2
        skew = WIDTH / tall  # a turn mixes sides of unlike px
        matrix = np.array([[grown, -turned * skew, 0], [turned / skew, grown, 0]], np.float32)
        matrix[0, 2] = cx - matrix[0, 0] * cx - matrix[0, 1] * cy + at[0] * WIDTH
        matrix[1, 2] = cy - matrix[1, 0] * cx - matrix[1, 1] * cy + at[1] * tall
        moved = cv2.warpAffine(now, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                               borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
        left = np.asarray(moved - self.grey, np.float32)
        left -= _middle(left[::3, ::3])
        return left

    def step(self, left: Floats) -> Floats:
        """The change of a move that explains what is left, by weighted least squares."""
        if self.ways is None:
            self.ways = self._ways()
        flat = left.ravel()
        weight = np.abs(flat)
        weight /= TAIL * max(float(_middle(weight)), LEAST)
        weight *= weight
        np.subtract(1, weight, out=weight)
        np.maximum(weight, 0, out=weight)
        weight *= weight
        weighed = self.ways * weight
        normal = weighed @ self.ways.T
        normal[DIAGONAL] += np.float32(1e-3) * normal[DIAGONAL] + np.float32(1)
        return np.asarray(-np.linalg.solve(normal, weighed @ flat), np.float32)

    def _ways(self) -> Floats:
        across, down = self.slopes
        x, y = _places(self.aspect)
        ways = np.empty((4, HEIGHT, WIDTH), np.float32)
        np.multiply(across, WIDTH, out=ways[0])
        np.multiply(down, HEIGHT * self.aspect, out=ways[1])  # px in a width, down
        np.add(ways[0] * x, ways[1] * y, out=ways[2])
        np.subtract(ways[1] * x, ways[0] * y, out=ways[3])
        return ways.reshape(4, -1)

    def cells(self, left: Floats) -> Floats:
        """Mean squares in cells."""
        return _means(left * left)


def _lit(grey: Floats) -> Floats | None:
    """1 inside the picture, 0 in bars beside it and at their edges; None where there are none."""
    seen = grey.max(axis=1) > BAR, grey.max(axis=0) > BAR
    if all(side[0] and side[-1] for side in seen):
        return None
    lit = np.ones_like(grey)
    for axis in (0, 1):
        places = np.flatnonzero(seen[axis])
        first, last = (places[0], places[-1] + 1) if len(places) else (0, 0)
        side = lit if axis == 0 else lit.T
        side[: first + 2 if first else 0] = 0
        side[last - 2 if last < len(side) else last :] = 0
    return lit


def _middle(values: Floats) -> np.float32:
    """The median; of an even number the upper one of the two in the middle, at a third of the time of NumPy's."""
    flat = values.ravel()
    middle = len(flat) // 2
    return np.float32(np.partition(flat, middle)[middle])


def _means(values: Floats) -> Floats:
    return np.asarray(cv2.resize(values, (WIDTH // CELL, HEIGHT // CELL), interpolation=cv2.INTER_AREA), np.float32)


@cache
def _places(aspect: float) -> tuple[Floats, Floats]:
    """Of each column and row, from the middle, in widths."""
    x = (np.arange(WIDTH, dtype=np.float32) - (WIDTH - 1) / 2) / WIDTH
    y = (np.arange(HEIGHT, dtype=np.float32) - (HEIGHT - 1) / 2) / (HEIGHT * aspect)
    return np.asarray(x, np.float32), np.asarray(y, np.float32)[:, None]
