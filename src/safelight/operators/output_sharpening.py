"""Output sharpening: what scaling and a medium take from fine edges is given back, at the size that is delivered.

Luma alone is sharpened, so that no coloured seams appear; differences as small as noise are left alone; and no value
leaves the range of its neighbours by more than a little, so that no halos appear. Delivery presets ask for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from safelight.domain import Measure
from safelight.media.colour import decode, encode, luminance
from safelight.media.frame import Frame, Pixels
from safelight.operators import Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes
from safelight.params import declare

WIDEST = 3.0  # px: largest radius
MARGIN = 10  # px: three times the largest radius, and a neighbour
QUIET = 0.012  # of encoded luma, 3 levels of 255: differences below are grain and noise
OVERSHOOT = 0.03  # of encoded luma by which a value may leave the range of its neighbours
MOST_GAIN = 4.0  # of a pixel's light, either way
HALO = 0.06  # of encoded luma: overshoot that people see as a halo
SEEN = 0.002  # share of pixels with such an overshoot that is a fault


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSharpeningParams:
    """How much, and at which width."""

    amount: float = declare(0.0, low=0.0, high=2.0, step=0.05, help="0 leaves the picture as it is, 1 is strong")
    radius: float = declare(0.6, low=0.3, high=WIDEST, step=0.1, unit="px", help="width of the edges, delivered px")


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[OutputSharpeningParams]]:  # noqa: ARG001
    """Nothing: the form of a delivery asks for it."""
    return ()


def render(frame: Frame, params: OutputSharpeningParams, tools: Tools) -> Frame:  # noqa: ARG001 - needs no kept objects
    """An unsharp mask on encoded luma with a floor and a ceiling; the three colours of a pixel share one gain."""
    if params.amount == 0:
        return frame
    luma = _luma(frame.pixels)
    detail = luma - cv2.GaussianBlur(luma, (0, 0), params.radius, borderType=cv2.BORDER_REPLICATE)
    detail = np.copysign(np.maximum(np.abs(detail) - np.float32(QUIET / 2), 0), detail)
    sharper = luma + np.float32(params.amount) * detail
    around = np.ones((3, 3), np.uint8)
    low, high = cv2.erode(luma, around), cv2.dilate(luma, around)
    sharper = np.clip(sharper, low - np.float32(OVERSHOOT), high + np.float32(OVERSHOOT))
    gain = _light(sharper) / np.maximum(_light(luma), np.float32(1e-4))
    gain = np.where(luma > 0, np.clip(gain, np.float32(1 / MOST_GAIN), np.float32(MOST_GAIN)), np.float32(1))
    return frame.with_pixels(frame.pixels * gain.astype(np.float32)[..., None])


def _luma(pixels: Pixels) -> Pixels:
    return np.asarray(encode(luminance(pixels)), np.float32)


def _light(luma: Pixels) -> Pixels:
    return np.asarray(decode(np.maximum(luma, 0)), np.float32)


def check(before: Frame, after: Frame, params: OutputSharpeningParams) -> Sequence[Measure]:  # noqa: ARG001
    """Halos: the share of pixels that leave the range of what was around them by more than people overlook."""
    around = np.ones((3, 3), np.uint8)
    was, now = _luma(before.pixels), _luma(after.pixels)
    over = np.maximum(now - cv2.dilate(was, around), cv2.erode(was, around) - now)
    share = float((over > HALO).mean())
    return (
        Measure(name="output_sharpening.halo", value=float(np.clip(share / SEEN / 2, 0, 1)), unit="fault"),
        Measure(name="output_sharpening.overshoot", value=round(float(max(over.max(), 0.0)), 4), unit="share"),
    )


def spoil(before: Frame, params: OutputSharpeningParams) -> Frame:  # noqa: ARG001
    """An unsharp mask without floor or ceiling, far too wide and strong."""
    soft = cv2.GaussianBlur(before.pixels, (0, 0), 2 * WIDEST, borderType=cv2.BORDER_REPLICATE)
    return before.with_pixels(before.pixels + np.float32(4) * (before.pixels - soft))


operator: Operator[OutputSharpeningParams] = Operator(
    name="output_sharpening",
    version=1,
    params=OutputSharpeningParams,
    risk=Risk(complexity=0.1, cost=0.2),
    stage=Stage.OUTPUT,
    margin=MARGIN,
    propose=propose,
    render=render,
    check=check,
    spoil=spoil,
    material=lambda before, after: abs(before.amount - after.amount) >= 0.3 or abs(before.radius - after.radius) >= 0.4,
    material_when="the amount differs by 0.3 or more, or the radius by 0.4 px or more",
    examples=(OutputSharpeningParams(amount=0.5), OutputSharpeningParams(amount=0.9, radius=1.1)),
    artefacts=("halo", "clipping", "banding"),
    about="Sharpens for a screen or for print, at the size that is delivered.",
)
