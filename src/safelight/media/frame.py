"""A picture while it is being worked on."""

from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.float32]
Bytes: TypeAlias = NDArray[np.uint8]
Matrix: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Scene-linear light, float32, H x W x 3, in linear Rec.2020 (ITU-R BT.2020 primaries, D65), 1.0 = display white.

    Values may lie above 1 and, for colours outside the gamut, below 0; nothing clips them silently. `alpha` is
    H x W in 0..1 or None. `geometry` is the 3x3 matrix from pixel centres of the upright source to pixel centres of
    this frame, so that a mask drawn on the source finds its place after any crop; operators that move pixels
    multiply it from the left. `meta` travels unchanged.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    geometry: Matrix = field(default_factory=lambda: np.eye(3))
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.float32 or self.pixels.ndim != 3 or self.pixels.shape[2] != 3:
            raise ValueError(f"a Frame holds float32 H x W x 3, not {self.pixels.dtype} {self.pixels.shape}")

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[1])

    def with_pixels(self, pixels: Pixels) -> "Frame":
        """The same frame with other light; shape must stay."""
        if pixels.shape != self.pixels.shape:
            raise ValueError(f"shape changed from {self.pixels.shape} to {pixels.shape}; use moved()")
        return replace(self, pixels=pixels)

    def moved(self, pixels: Pixels, matrix: Matrix, *, alpha: Pixels | None = None) -> "Frame":
        """The frame after `matrix` (old pixel centres to new ones) has been applied to its pixels."""
        return replace(self, pixels=pixels, alpha=alpha, geometry=matrix @ self.geometry)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearWords:
    """Scene-linear Rec.2020 as a raw converter gives it: uint16, H x W x 3, of which 65535 is light `top`.

    A quarter of the memory of a `Frame`; made one, rows at a time, where light is worked on.
    """

    words: NDArray[np.uint16]
    top: float

    def frame(self, rows: slice = slice(None)) -> Frame:
        """These rows as light; the frame's geometry leads from the whole picture."""
        light = np.multiply(self.words[rows], np.float32(self.top / 65535), dtype=np.float32)
        return Frame(pixels=light, geometry=moving(0, -(rows.start or 0)))


def moving(x: float, y: float) -> Matrix:
    """The matrix that moves every pixel centre by x columns and y rows."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def scaling(x: float, y: float) -> Matrix:
    """The matrix from the pixel centres of a picture to those of the same picture resized by these factors."""
    return np.array([[x, 0.0, (x - 1) / 2], [0.0, y, (y - 1) / 2], [0.0, 0.0, 1.0]])
