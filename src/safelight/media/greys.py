"""Grey of coloured light, with six hues that may come out brighter or darker."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.colour import SRGB_FROM_REC2020, brightest, dimmest, luminance
from safelight.media.frame import Pixels

Vector = NDArray[np.float64]

HUES = ("red", "yellow", "green", "cyan", "blue", "magenta")  # 60 degrees apart
DIM = 0.01  # of white: the saturation of darker light counts less, for it is mostly noise


def hue_shares(srgb: NDArray[Any]) -> Vector:
    """How much of each of `HUES` is in linear light of sRGB's primaries, H x W x 3 to H x W x 6.

    The shares of a pixel add up to its saturation, 0 for a grey; a hue between two of the six is split among them.
    """
    light = np.asarray(srgb, np.float64)
    most, least = brightest(light), np.maximum(dimmest(light), 0)
    spread = np.maximum(most - least, 0)
    saturation = spread / (np.abs(most) + DIM)
    safe = np.maximum(spread, 1e-12)
    red, green, blue = np.moveaxis(light, 2, 0)
    turn = np.where(
        most == red, (green - blue) / safe, np.where(most == green, 2 + (blue - red) / safe, 4 + (red - green) / safe)
    )
    apart = np.abs((turn[..., None] - np.arange(6) + 3) % 6 - 3)
    return np.asarray(np.clip(1 - apart, 0, 1) * np.minimum(saturation, 1)[..., None])


def grey(pixels: Pixels, stops: Vector) -> Pixels:
    """Luminance of linear Rec.2020, H x W, with `stops` (EV) for each of `HUES` at full saturation."""
    light = luminance(pixels)
    if not stops.any():
        return light
    shares = hue_shares(cv2.transform(pixels, SRGB_FROM_REC2020))
    return np.asarray(light * np.exp2(shares @ stops), np.float32)
