"""Noise: whether a viewer would call the picture noisy, and how strong the noise is.

Sensor noise is drawn for each channel alone, so it shows in the *difference* of red and green. Detail, film grain and
sharpening move the channels together and vanish there. The difference is taken two pixels wide, along diagonals, where
pictures have least, in the smoothest twentieth of the blocks. What has lost its colour is not seen: noise that the
camera has made grey looks like grain, and a small JPEG with halved colour at everyday quality keeps little of it.
"""

import json
from collections.abc import Mapping, Sequence
from importlib import resources

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.domain import Measure
from safelight.media.frame import Bytes, Pixels
from safelight.media.picture import Picture, grey, halved, planes
from safelight.probes import Probe

BLOCK = 8  # cells of 4 x 4 px on a side: blocks of 32 px
LEAST_BLOCKS = 12  # blocks that are neither black nor white, for an answer
SMOOTHEST = 0.05  # share of blocks that the estimate stands on
CLIPPED = 0.1  # share of a block's cells that may touch black or white
GREY = 1.5  # levels between the largest and the smallest channel, 99th percentile of blocks: a picture without colour
QUIET = 2.0  # levels of the luma's diagonal difference below which a grey picture has no noise worth the name
FLOOR = 0.02  # squared levels, below what 8 bits can say; keeps the logarithm finite

MODEL: Mapping[str, float] = json.loads((resources.files(__package__) / "noise.json").read_text("utf-8"))


def judge(picture: Picture, *, model: Mapping[str, float] = MODEL) -> Sequence[Measure]:
    """`noise` (0..1) and `noise.sigma`, the deviation of green at mid-grey in 8-bit levels at 1600 px."""
    colour, luma, colourless = differences(picture.work)
    if colour is None or luma is None:
        return _silent("nearly all of the picture is black or white")
    if colourless:
        if luma > QUIET:
            return _silent("the picture has no colour, and without colour noise looks like film grain")
        return Measure(name="noise", value=0.0), _silent("the picture has no colour")[1]
    log_sigma = model["sigma_slope"] * np.log(colour) + model["sigma_offset"]
    chance = 1 / (1 + np.exp(-model["slope"] * (log_sigma - model["middle"])))
    return (
        Measure(name="noise", value=round(float(chance), 4)),
        Measure(name="noise.sigma", value=round(float(np.exp(log_sigma)), 3), unit="levels of 255"),
    )


def differences(rgb: Bytes) -> tuple[float | None, float | None, bool]:
    """Diagonal differences of 2 px means in levels: of red minus green, of luma; and whether the picture is grey.

    Both are root mean squares of the block at the `SMOOTHEST` quantile; None where too few blocks are unclipped.
    """
    side = 4 * BLOCK
    whole = rgb[: rgb.shape[0] // side * side, : rgb.shape[1] // side * side]
    if whole.size < LEAST_BLOCKS * side * side:
        return None, None, False
    half = whole.shape[1] // 2, whole.shape[0] // 2
    red, green, _ = planes(whole)
    apart = cv2.subtract(red, green, dtype=cv2.CV_16S) * np.int16(4)
    colour = np.asarray(cv2.resize(apart, half, interpolation=cv2.INTER_AREA), np.float32) / np.float32(4)
    small = halved(whole)
    luma = grey(small).astype(np.float32)
    red, green, blue = planes(small, step=2)
    light, dark = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    seen = _blocks(((light > 250) | (dark < 4)).astype(np.float32)) <= CLIPPED
    if np.count_nonzero(seen) < LEAST_BLOCKS:
        return None, None, False
    colourless = bool(np.quantile(_blocks((light - dark).astype(np.float32)), 0.99) < GREY)
    return _floor(colour, seen), _floor(luma, seen), colourless


def _floor(plane: Pixels, seen: NDArray[np.bool_]) -> float:
    diagonal = (plane[::2, ::2] - plane[::2, 1::2] - plane[1::2, ::2] + plane[1::2, 1::2]) / np.float32(2)
    return float(np.sqrt(np.quantile(_blocks(diagonal * diagonal)[seen], SMOOTHEST) + FLOOR))


def _blocks(cells: Pixels) -> Pixels:
    size = cells.shape[1] // BLOCK, cells.shape[0] // BLOCK
    return np.asarray(cv2.resize(cells, size, interpolation=cv2.INTER_AREA), np.float32)


def _silent(why: str) -> tuple[Measure, Measure]:
    return Measure(name="noise", cannot_tell=why), Measure(name="noise.sigma", cannot_tell=why)


probe = Probe(
    name="noise",
    version=1,
    emits=("noise", "noise.sigma"),
    measure=judge,
    about="Sensor noise by its colour: what red and green do not share in the smoothest blocks.",
)
