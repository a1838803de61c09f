"""Small image operations with the types that detectors pass around: float32 planes, H x W."""

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Plane: TypeAlias = NDArray[np.float32]
Flags: TypeAlias = NDArray[np.bool_]
Points: TypeAlias = NDArray[np.float64]


WIDE = 3.0  # px: sigmas of twice this and more are blurred on a reduced plane, as sigmas of about this


def blurred(plane: NDArray[Any], sigma: float) -> Plane:
    """A Gaussian of `sigma` px; a wide one to within half a hundredth of the plane's own deviation, in a time that does
    not grow with it."""
    step = int(sigma / WIDE)
    height, width = plane.shape[:2]
    if step < 2 or min(height, width) < 2 * step:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)
    size = width // step, height // step
    # Averaging over squares and drawing lines between them blur too: a twelfth and a sixth of a square in variance.
    across, down = (
        float(np.sqrt(sigma**2 - (px**2 - 1) / 12 - px**2 / 6) / px) for px in (width / size[0], height / size[1])
    )
    small = cv2.GaussianBlur(
        resized(plane, size),
        (0, 0),
        across,
        sigmaY=down,
        borderType=cv2.BORDER_REFLECT,  # at the rim, not at the middle of the last square
    )
    return resized(small, (width, height), how=cv2.INTER_LINEAR)


def band(plane: NDArray[Any], fine: float, coarse: float) -> Plane:
    """The difference of two Gaussians; a fine sigma of 0 leaves the plane as it is."""
    sharp = blurred(plane, fine) if fine > 0 else plane
    return np.asarray(sharp - blurred(plane, coarse), np.float32)


def resized(plane: NDArray[Any], size: tuple[int, int], *, how: int = cv2.INTER_AREA) -> Plane:
    """A plane (or flags, or colours) at `size` = (width, height), by areas unless told otherwise."""
    return np.asarray(cv2.resize(np.asarray(plane, np.float32), size, interpolation=how), np.float32)


def upsized(flags: Flags, size: tuple[int, int]) -> Flags:
    """Flags at another size, by the nearest."""
    return np.asarray(cv2.resize(flags.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0)


def reduced(plane: NDArray[Any], side: int) -> tuple[int, int]:
    """(width, height) of a plane reduced, never enlarged, to a long side of `side` px."""
    height, width = plane.shape[:2]
    zoom = min(1.0, side / max(height, width))
    return max(1, round(width * zoom)), max(1, round(height * zoom))


def grown(flags: Flags, side: int) -> Flags:
    """Flags that also hold within a square of `side` px about them."""
    return np.asarray(cv2.dilate(flags.astype(np.uint8), np.ones((side, side), np.uint8)) > 0)
