"""Two pictures on one grid, with what all detectors need, each made once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.detectors._align import Placement
from safelight.media.colour import LUMINANCE_709
from safelight.media.frame import Bytes
from safelight.media.picture import shrink

Plane = NDArray[np.float32]
Colours = NDArray[np.float32]

SIDE = 1600  # px, long side of the common grid
LUMA = LUMINANCE_709.astype(np.float32)  # weights, here of encoded values


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A picture before and after an edit.

    `before` and `after` are upright sRGB bytes, H x W x 3, each in its own size. `mask` says where the edit was meant to act
    (for a cut-out: the matte), float32 0..1 in the after's size, or None. `placement` leads from the after to the before.
    Derived planes lie on the after's grid reduced to a long side of 1600 px, `scale` native px a pixel; they are float32, sRGB-
    encoded, 0..1, and read-only by convention.
    """

    before: Bytes
    after: Bytes
    placement: Placement
    mask: Plane | None = None
    before_bits: int = 8
    after_bits: int = 8
    weights: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)

    # ------------------------------------------------------------ the grid

    @property
    def scale(self) -> float:
        """Length of a pixel of the common grid in px of the after, at least 1."""
        return float(self.after.shape[1] / self.after_work.shape[1])

    @property
    def unit(self) -> float:
        """Px of the common grid for one px at a long side of 1024."""
        return max(self.after_work.shape[:2]) / 1024

    @cached_property
    def _after_bytes(self) -> Bytes:
        return shrink(self.after, SIDE)

    @cached_property
    def after_work(self) -> Colours:
        """The after on the common grid, H x W x 3."""
        return _unit(self._after_bytes)

    @cached_property
    def _placed(self) -> tuple[Colours, Plane]:
        shape = self.after_work.shape[:2]
        if self.placement.still and self.before.shape == self.after.shape:
            return _unit(shrink(self.before, SIDE)), np.ones(shape, np.float32)
        # Reduced by areas first, to about the size it has on the grid, so that nothing is skipped.
        zoom = self._before_per_pixel
        long_side = round(max(self.before.shape[:2]) / max(1.0, zoom))
        small = shrink(self.before, max(8, long_side))
        out, valid = self.placement.onto(small, shape, self.scale, self.before.shape[1] / small.shape[1])
        return _unit(out), cv2.erode(valid, np.ones((5, 5), np.uint8), borderValue=1.0)

    @cached_property
    def _before_per_pixel(self) -> float:
        """Length of a pixel of the grid in px of the before, in the middle."""
        x, y = self.after.shape[1] / 2, self.after.shape[0] / 2
        u, v = self.placement.back(np.array([x, x + 8, x]), np.array([y, y, y + 8]))
        area = abs((u[1] - u[0]) * (v[2] - v[0]) - (u[2] - u[0]) * (v[1] - v[0])) / 64
        return float(np.sqrt(max(area, 1e-6)) * self.scale)

    @property
    def before_work(self) -> Colours:
        """The before on the common grid, H x W x 3; replicated at the rim where it has no pixels."""
        return self._placed[0]

    @property
    def valid(self) -> Plane:
        """1 where both pictures have pixels, else 0."""
        return self._placed[1]

    @cached_property
    def mask_work(self) -> Plane | None:
        """The mask on the common grid."""
        if self.mask is None:
            return None
        size = self.after_work.shape[1], self.after_work.shape[0]
        return np.asarray(cv2.resize(self.mask, size, interpolation=cv2.INTER_AREA), np.float32)

    @cached_property
    def level_before(self) -> Plane:
        """Luma of the before (Rec.709 weights on encoded values)."""
        return np.asarray(cv2.transform(self.before_work, LUMA[None]), np.float32)

    @cached_property
    def level_after(self) -> Plane:
        """Luma of the after."""
        return np.asarray(cv2.transform(self.after_work, LUMA[None]), np.float32)


def _unit(rgb: Bytes) -> Colours:
    return np.multiply(rgb, np.float32(1 / 255), dtype=np.float32)
