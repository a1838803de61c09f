"""Tone curves made of five sliders, and how they are laid on colours.

Each slider is a smooth, rising curve over sRGB-encoded values, whatever its setting; one is applied after the other, so
that all together rise too. Zero stays zero; light above white goes on with the slope that the curve has at white. A
colour keeps its hue and its place in the range: what was inside white stays inside as long as the curve does.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.colour import REC2020_FROM_SRGB, SRGB_FROM_REC2020, brightest, decode, dimmest, encode
from safelight.media.frame import Pixels

Vector = NDArray[np.float64]

FULL = 100.0  # a slider's end
BLACKS_DOWN, TOE = 0.25, 0.02  # encoded: the tone that goes to black at -100, and how softly tones end there
BLACKS_UP, BLACKS_AT = 0.05, 0.08  # encoded: by how much +100 lifts, and where most
WHITES = 0.3  # encoded: by how much +100 lifts white
SHADOWS, SHADOWS_AT, SHADOWS_WIDE = 1.0, -4.0, 0.6  # EV: of +100, from white, and the width of the transition
HIGHLIGHTS_UP, HIGHLIGHTS_DOWN = 0.08, 0.16  # encoded, where they act most: at three quarters of the range
HIGHLIGHTS_FROM = 0.3  # encoded: darker tones stay
CONTRAST = 0.5  # of the slope at the middle: 1.5 at +100
KNOTS = 4097  # of the table; between them the curve is off by less than a tenth of a level
NEARLY_GREY = 1e-7  # of white, between channels: closer ones have no hue
DARKEST = 1e-7  # of white: below, one gain for all


def curve(
    values: Vector, *, highlights: float, shadows: float, whites: float, blacks: float, contrast: float
) -> Vector:
    """Encoded values after the sliders (-100..100 each); `values` is encoded, not below 0, and may exceed 1."""
    found = np.asarray(values, np.float64)
    for step, slider in (
        (_blacks, blacks), (_whites, whites), (_shadows, shadows), (_highlights, highlights), (_contrast, contrast),
    ):  # fmt: skip
        if slider:
            found = step(found, slider / FULL)
    return found


def _blacks(u: Vector, share: float) -> Vector:
    """Deepens: what lies below a tone ends softly in black. Lifts: darkest tones rise, black itself stays."""
    if share > 0:
        return np.asarray(u + share * BLACKS_UP * (u / BLACKS_AT) * np.exp(1 - u / BLACKS_AT))
    ends = -share * BLACKS_DOWN

    def soft(x: Vector | float) -> Vector:
        return np.asarray(TOE * np.logaddexp(0.0, (np.asarray(x) - ends) / TOE))

    return np.asarray((soft(u) - soft(0.0)) / (soft(1.0) - soft(0.0)))


def _whites(u: Vector, share: float) -> Vector:
    """Moves white, and tones below the less the darker they are."""
    by = share * WHITES
    return np.where(u <= 1, u + by * u * u, 1 + by + (1 + 2 * by) * (u - 1))


def _shadows(u: Vector, share: float) -> Vector:
    """A gain of so many stops for tones more than about five stops below white, nearly gone at mid-grey."""
    light = decode(u)
    stops = np.log2(np.maximum(light, DARKEST))
    reached, at_white = (1 / (1 + np.exp((np.minimum(v, 0) - SHADOWS_AT) / SHADOWS_WIDE)) for v in (stops, 0.0))
    weight = (reached - at_white) / (1 - at_white)
    return np.asarray(encode(light * 2.0 ** (share * SHADOWS * weight)))


def _highlights(u: Vector, share: float) -> Vector:
    """Moves tones around three quarters of the range; what is much darker, and white, stay."""
    by = share * (HIGHLIGHTS_UP if share > 0 else HIGHLIGHTS_DOWN) * 27 / 4
    x = np.clip((u - HIGHLIGHTS_FROM) / (1 - HIGHLIGHTS_FROM), 0, 1)
    slope = 1 - by / (1 - HIGHLIGHTS_FROM)
    return np.where(u <= 1, u + by * x * x * (1 - x), 1 + slope * (u - 1))


def _contrast(u: Vector, share: float) -> Vector:
    """Steeper about the middle and flatter at the ends, or the other way; black, middle and white stay."""
    by = share * CONTRAST
    return np.where(u <= 1, u - by * np.sin(2 * np.pi * np.minimum(u, 1)) / (2 * np.pi), 1 + (1 - by) * (u - 1))


# ---------------------------------------------------------------- on colours


def apply(pixels: Pixels, table: Vector) -> Pixels:
    """Linear Rec.2020 after a curve given as `table_of` makes it; nothing is clipped.

    As the DNG SDK applies tone curves (`RefBaselineRGBTone`), on sRGB's primaries: the largest and the smallest channel
    go through the curve, the third keeps its place between them, and with it the hue.
    """
    light = cv2.transform(pixels, SRGB_FROM_REC2020).astype(np.float64)
    most, least = brightest(light), dimmest(light)
    most_after, least_after = through(most, table), through(least, table)
    apart = most - least
    scale = np.where(apart > NEARLY_GREY, (most_after - least_after) / np.maximum(apart, NEARLY_GREY), 1.0)
    after = least_after[..., None] + (light - least[..., None]) * scale[..., None]
    return np.asarray(cv2.transform(after, REC2020_FROM_SRGB), np.float32)


def table_of(**sliders: float) -> Vector:
    """The curve as linear light, at KNOTS equal distances of the square root of linear light from 0 to 1."""
    return np.asarray(decode(curve(encode(np.linspace(0, 1, KNOTS) ** 2), **sliders)))


def through(light: NDArray[np.floating], table: Vector) -> NDArray[np.floating]:
    """Linear light through the curve, in the precision in which it is given: straight through zero below black, at the
    encoded slope of white above it."""
    values = table.astype(light.dtype, copy=False)
    rises = np.diff(values)
    root = np.sqrt(np.clip(light, 0, 1)) * light.dtype.type(KNOTS - 1)
    below = np.minimum(root.astype(np.int32), KNOTS - 2)
    after = values.take(below) + rises.take(below) * np.subtract(root, below, dtype=light.dtype)
    if (under := light < 0).any():
        after[under] = light[under] * (table[1] * (KNOTS - 1) ** 2)
    if (over := light > 1).any():
        ends = encode(table[-2:])
        slope = (ends[1] - ends[0]) / (1 - float(encode(np.array([(1 - 1 / (KNOTS - 1)) ** 2]))[0]))
        after[over] = decode(ends[1] + slope * (encode(light[over]) - 1))
    return np.asarray(after)
