"""Where every pixel of a result comes from: homographies and radial bends, composed and resampled once.

A `Warp` leads from pixel centres of the result back to pixel centres of the source, which is the way resampling goes.
However many geometric edits a picture has, `Warp.then` makes one warp of them and the picture is sampled once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.frame import Frame, Matrix, Pixels

CELL = 16  # px between places that are computed; bends are smooth, so what lies between is interpolated (< 0.01 px off)
SMALL_CELL, SMALL = 4, 2000  # the same in a result whose long side is below so many px, where a bend is as strong
ROWS = 128  # a strip of so many rows of maps stays in the cache
CHANNELS = 3
TAPS = 3  # px beside a place that its cubic reads, and one for rounding
FEW = 32  # places a side inside a result where it is looked how far it reaches

Array = TypeVar("Array", bound=NDArray[Any])
Places: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Radial:
    """A bend about `centre`: a pixel at centre + d comes from centre + d * f(|d| / unit), f(r) = p0 + p1 r + p2 r² ….

    `polynomial` holds one row of coefficients, or one each for red, green and blue (lateral chromatic aberration).
    Centre and unit are in pixels of the picture that the bend applies to.
    """

    centre: tuple[float, float]
    unit: float
    polynomial: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        if self.unit <= 0 or len(self.polynomial) not in (1, CHANNELS):
            raise ValueError(f"a bend has a positive unit and one or three rows of coefficients, not {self}")

    def back(self, x: Places, y: Places, channel: int) -> tuple[Places, Places]:
        """Where these places come from, in one colour."""
        row = self.polynomial[channel if len(self.polynomial) == CHANNELS else 0]
        dx, dy = x - self.centre[0], y - self.centre[1]
        share = np.polynomial.polynomial.polyval(np.hypot(dx, dy) / self.unit, row)
        return self.centre[0] + dx * share, self.centre[1] + dy * share


Step: TypeAlias = Matrix | Radial


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Warp:
    """`steps` are applied in order to pixel centres of the result, `size` = (width, height), and lead to the source.

    A step is a 3 x 3 homography or a `Radial`.
    """

    size: tuple[int, int]
    steps: tuple[Step, ...] = ()

    @classmethod
    def forward(cls, matrix: Matrix, size: tuple[int, int]) -> "Warp":
        """The warp of a homography given the other way, from source to result."""
        return cls(size=size, steps=(np.asarray(np.linalg.inv(matrix), np.float64),))

    def then(self, later: "Warp") -> "Warp":
        """This warp and, on its result, a later one: sampled once."""
        return Warp(size=later.size, steps=later.steps + self.steps)

    @property
    def matrix(self) -> Matrix:
        """The 3 x 3 matrix from source to result, without its bends."""
        flat = [step for step in self.steps if not isinstance(step, Radial)]
        return np.asarray(np.linalg.inv(reduce(lambda done, step: step @ done, flat, np.eye(3))), np.float64)

    @property
    def shift(self) -> tuple[int, int] | None:
        """(x, y) of the source pixel that becomes the first one, where nothing is resampled; None otherwise."""
        if any(isinstance(step, Radial) for step in self.steps):
            return None
        back = np.linalg.inv(self.matrix)
        moved = back - np.eye(3)
        x, y = round(float(moved[0, 2])), round(float(moved[1, 2]))
        moved[:2, 2] -= x, y
        return (x, y) if float(np.abs(moved).max()) < 1e-9 else None

    @property
    def by_channel(self) -> bool:
        """Whether the colours come from different places."""
        return any(isinstance(step, Radial) and len(step.polynomial) == CHANNELS for step in self.steps)

    def back(self, x: Places, y: Places, channel: int = 1) -> tuple[Places, Places]:
        """Where places of the result come from in the source, in one colour (0 red, 1 green, 2 blue)."""
        for step in self.steps:
            if isinstance(step, Radial):
                x, y = step.back(x, y, channel)
            else:
                x, y = _moved(step, x, y)
        return x, y

    def inverse(self, x: Places, y: Places, channel: int = 1, *, rounds: int = 12) -> tuple[Places, Places]:
        """Where places of the source go to in the result, by fixed-point iteration; exact for homographies alone."""
        to = self.matrix
        guess_x, guess_y = _moved(to, x, y)
        if not any(isinstance(step, Radial) for step in self.steps):
            return guess_x, guess_y
        for _ in range(rounds):
            back_x, back_y = self.back(guess_x, guess_y, channel)
            want_x, want_y = _moved(to, x, y)
            have_x, have_y = _moved(to, back_x, back_y)
            guess_x, guess_y = guess_x + want_x - have_x, guess_y + want_y - have_y
        return guess_x, guess_y

    def reach(self, width: int, height: int, *, margin: int = 0) -> tuple[slice, slice]:
        """Rows and columns of a source of this size that the result is made of, and `margin` more on each side.

        A picture that is not folded lies inside the outline that its border is moved to.
        """
        across, down = (np.linspace(0, side - 1, side // CELL + 2) for side in self.size)
        x = np.concatenate([across, across, np.zeros(len(down)), np.full(len(down), self.size[0] - 1.0)])
        y = np.concatenate([np.zeros(len(across)), np.full(len(across), self.size[1] - 1.0), down, down])
        inner = np.meshgrid(across[:: len(across) // FEW + 1], down[:: len(down) // FEW + 1])
        x, y = np.concatenate([x, inner[0].ravel()]), np.concatenate([y, inner[1].ravel()])
        places = [self.back(x, y, channel) for channel in (range(CHANNELS) if self.by_channel else (1,))]
        return tuple(  # type: ignore[return-value]
            slice(
                min(max(0, int(np.floor(min(place[i].min() for place in places))) - TAPS - margin), side - 1),
                max(min(side, int(np.ceil(max(place[i].max() for place in places))) + TAPS + margin + 1), 1),
            )
            for i, side in ((1, height), (0, width))
        )

    def of_part(self, x: int, y: int) -> "Warp":
        """The same warp of a part of its source, which begins at column x and row y."""
        return Warp(size=self.size, steps=(*self.steps, np.array([[1.0, 0.0, -x], [0.0, 1.0, -y], [0.0, 0.0, 1.0]])))

    def maps(self, rows: slice, channel: int = 1) -> tuple[Pixels, Pixels]:
        """For these rows of the result, the source's column and row of every pixel, float32."""
        width, start, stop = self.size[0], rows.start, rows.stop
        cell = cell_of(*self.size)
        columns = np.arange(-1, (width - 1) // cell + 2) * cell + (cell - 1) / 2
        lines = np.arange(-1, (stop - start - 1) // cell + 2) * cell + (cell - 1) / 2 + start
        across, down = np.meshgrid(columns, lines)
        x, y = self.back(across, down, channel)
        full = len(columns) * cell, len(lines) * cell
        inside = slice(cell, cell + stop - start), slice(cell, cell + width)
        return tuple(  # type: ignore[return-value]
            cv2.resize(places.astype(np.float32), full, interpolation=cv2.INTER_LINEAR)[inside] for places in (x, y)
        )


def cell_of(width: int, height: int) -> int:
    """The distance in px of places that are computed in a picture of this size."""
    return CELL if max(width, height) >= SMALL else SMALL_CELL


def _moved(matrix: Matrix, x: Places, y: Places) -> tuple[Places, Places]:
    scale = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
    return (
        (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]) / scale,
        (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]) / scale,
    )


# ---------------------------------------------------------------- resampling


def apply(frame: Frame, warp: Warp) -> Frame:
    """The frame resampled once; its geometry follows, by the warp's matrix."""
    alpha = None if frame.alpha is None else resample(frame.alpha, warp, how=cv2.INTER_LINEAR)
    return frame.moved(resample(frame.pixels, warp), warp.matrix, alpha=alpha)


def resample(pixels: Array, warp: Warp, *, how: int = cv2.INTER_CUBIC) -> Array:
    """H x W or H x W x 3 pixels (uint8, uint16 or float32) as the warp says, by a cubic unless told otherwise.

    Where nothing is resampled, pixels are copied. Places outside the source repeat its edge. Strips keep memory flat.
    """
    width, height = warp.size
    shift = warp.shift
    if shift is not None and _inside(shift, warp.size, pixels):
        x, y = shift
        return np.ascontiguousarray(pixels[y : y + height, x : x + width])  # type: ignore[return-value]
    out = np.empty((height, width, *pixels.shape[2:]), pixels.dtype)
    split = warp.by_channel and pixels.ndim == CHANNELS
    planes = [np.ascontiguousarray(pixels[..., channel]) for channel in range(CHANNELS)] if split else []
    for rows in _strips(height):
        if not split:
            out[rows] = _sampled(pixels, warp.maps(rows), how)
        for channel, plane in enumerate(planes):
            out[rows, :, channel] = _sampled(plane, warp.maps(rows, channel), how)
    return out  # type: ignore[return-value]


def _sampled(pixels: NDArray[Any], maps: tuple[Pixels, Pixels], how: int) -> NDArray[Any]:
    return np.asarray(cv2.remap(pixels, maps[0], maps[1], how, borderMode=cv2.BORDER_REPLICATE))


def _inside(shift: tuple[int, int], size: tuple[int, int], pixels: NDArray[Any]) -> bool:
    return (
        min(shift) >= 0 and shift[0] + size[0] <= pixels.shape[1] and shift[1] + size[1] <= pixels.shape[0]
    )  # fmt: skip


def _strips(height: int) -> Iterator[slice]:
    return (slice(start, min(start + ROWS, height)) for start in range(0, height, ROWS))
