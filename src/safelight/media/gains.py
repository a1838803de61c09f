"""What light is multiplied by at each place of a picture, computed on a coarse grid and interpolated between."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.frame import Frame, Matrix, Pixels
from safelight.media.warp import cell_of

Places: TypeAlias = NDArray[np.float64]
Gain: TypeAlias = Callable[[Places, Places], NDArray[np.floating]]  # columns, rows of the upright source -> factors


def places(frame: Frame) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Columns and rows of the upright source where the pixels lie: a row and a column where nothing is turned."""
    back = np.linalg.inv(frame.geometry).tolist()  # plain floats keep what follows in single precision
    x, y = np.arange(frame.width, dtype=np.float32), np.arange(frame.height, dtype=np.float32)[:, None]
    if not (back[0][1] or back[1][0] or back[2][0] or back[2][1]):
        return back[0][0] * x + back[0][2], back[1][1] * y + back[1][2]
    across, down, depth = (row[0] * x + row[1] * y + row[2] for row in back)
    return across / depth, down / depth


@dataclass(frozen=True, kw_only=True, eq=False)
class Gains:
    """The product of gains in a picture `width` px wide. `grid` holds its values at the middles of cells, of which the
    first row and column lie outside; `start` is the picture's row to which 0 leads."""

    grid: Pixels
    cell: int
    width: int
    start: int = 0

    @classmethod
    def over(cls, gains: Sequence[Gain], geometry: Matrix, width: int, height: int) -> "Gains":
        """Gains of a picture to whose pixel centres `geometry` leads from those of the upright source."""
        cell = cell_of(width, height)
        x, y = (np.arange(-1, (side - 1) // cell + 2) * cell + (cell - 1) / 2 for side in (width, height))
        back = np.linalg.inv(geometry)
        across, down, depth = (row[0] * x + row[1] * y[:, None] + row[2] for row in back)
        product = np.ones((len(y), len(x)), np.float32)
        for gain in gains:
            product *= np.asarray(gain(across / depth, down / depth), np.float32)
        return cls(grid=product, cell=cell, width=width)

    @property
    def most(self) -> float:
        """The largest."""
        return float(self.grid.max())

    def below(self, row: int) -> "Gains":
        """The same, with rows counted from this one."""
        return replace(self, start=self.start + row)

    def root(self, degree: float) -> "Gains":
        """The roots of these gains."""
        return self if degree == 1 else replace(self, grid=self.grid ** np.float32(1 / degree))

    def __call__(self, rows: slice) -> Pixels:
        """The gains of these rows, rows x width."""
        places = (np.arange(rows.start, rows.stop) + self.start - (self.cell - 1) / 2) / self.cell + 1
        above = np.minimum(places.astype(np.intp), len(self.grid) - 2)
        share = (places - above).astype(np.float32)[:, None]
        coarse = self.grid[above] * (1 - share) + self.grid[above + 1] * share
        whole = cv2.resize(coarse, (coarse.shape[1] * self.cell, len(coarse)), interpolation=cv2.INTER_LINEAR)
        return np.ascontiguousarray(whole[:, self.cell : self.cell + self.width])
