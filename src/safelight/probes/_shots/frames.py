"""What the shot detector keeps of each frame: a grey picture of 96 × 54 and colours of 16 × 9."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from safelight.media.picture import halved

WIDTH, HEIGHT = 96, 54
COLOUR = (16, 9)
MANY = 6  # pixels across for each of the small picture from which halving first is worth it

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumb:
    """One frame, small: `grey` H×W and `colour` 9×16×2 (Cb and Cr around 128), both uint8 as they were coded."""

    grey: Bytes
    colour: Bytes


def thumb(luma: Bytes, cb: Bytes, cr: Bytes) -> Thumb:
    """Shrinks the planes of a frame by averaging; large planes are thinned out first, for averaging every pixel of
    a 4K frame would cost more than decoding it."""
    small = [cv2.resize(_thinned(p, COLOUR[0]), COLOUR, interpolation=cv2.INTER_AREA) for p in (cb, cr)]
    thin = _thinned(luma, WIDTH)
    if thin.shape[1] >= MANY * WIDTH:  # to a size that is no whole part of it, averaging costs four times halving
        thin = halved(thin)
    grey = cv2.resize(thin, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return Thumb(grey=np.asarray(grey, np.uint8), colour=np.asarray(np.dstack(small), np.uint8))


def _thinned(plane: Bytes, width: int) -> Bytes:
    """Every nth pixel of a plane, so that at least four are left for each pixel of the small one."""
    step = max(1, plane.shape[1] // (4 * width))
    return plane if step == 1 else np.ascontiguousarray(plane[::step, ::step])
