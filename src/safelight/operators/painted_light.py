"""Brightens or darkens under a mask that a person painted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from safelight.domain import Measure
from safelight.errors import SafelightError
from safelight.media.colour import brightest
from safelight.media.frame import Bytes, Frame, Pixels
from safelight.operators import Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes
from safelight.params import declare

DARK = 1e-3  # of display white: below, a gain cannot be told from rounding
SLACK = 0.02  # relative deviation of a gain that counts as none


@dataclass(frozen=True, slots=True, kw_only=True)
class PaintedLightParams:
    """How much light, and where.

    The mask is an 8-bit grey PNG in pixels of the upright source, kept by its digest; 255 is the full effect. It
    follows every later crop, since a frame knows its geometry.
    """

    ev: float = declare(0.0, low=-5.0, high=5.0, step=0.05, unit="EV", help="brightness in stops under the mask")
    mask: str = declare("", help="digest of the painted mask; empty for nowhere")


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[PaintedLightParams]]:  # noqa: ARG001
    """Nothing: people paint."""
    return ()


def render(frame: Frame, params: PaintedLightParams, tools: Tools) -> Frame:
    """The frame with `ev` stops more light where the mask is white, in proportion in stops where it is grey.

    Raises SafelightError where the mask is no PNG.
    """
    if params.ev == 0 or not params.mask:
        return frame
    share = on_frame(mask_of(tools.kept, params.mask), frame)
    return frame.with_pixels(frame.pixels * np.exp2(share * np.float32(params.ev))[..., None])


@lru_cache(maxsize=2)
def mask_of(kept: Callable[[str], bytes], digest: str) -> Bytes:
    """The painted mask of this digest, H x W uint8 in source pixels. The last two are remembered for further tiles."""
    data = np.frombuffer(kept(digest), np.uint8)
    mask = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if data.size else None
    if mask is None:
        raise SafelightError(f"Kept work {digest[:12]} is no PNG.", remedy="Paint the mask again.")
    return np.asarray(mask, np.uint8)


def on_frame(mask: Bytes, frame: Frame) -> Pixels:
    """The mask in pixels of the frame, 0..1; nothing is painted outside the source."""
    size = frame.width, frame.height
    placed = cv2.warpPerspective(mask, frame.geometry, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(placed, np.float32) / np.float32(255)


def check(before: Frame, after: Frame, params: PaintedLightParams) -> Sequence[Measure]:
    """Which share of the picture got more light than asked for, or the other way, and what was newly lost in white."""
    name = "painted_light.wrong_gain"
    light, lit = brightest(before.pixels), brightest(after.pixels)
    seen = light > DARK
    if not seen.any():
        return (Measure(name=name, unit="fault", cannot_tell="The picture is black."),)
    gain = lit[seen] / light[seen]
    ends = sorted((1.0, 2.0**params.ev))
    wrong = (gain < ends[0] * (1 - SLACK)) | (gain > ends[1] * (1 + SLACK))
    lost = float((lit >= 1).mean() - (light >= 1).mean())
    return (
        Measure(name=name, value=min(1.0, 10 * float(wrong.mean())), unit="fault"),
        Measure(name="painted_light.clipped", value=float(np.clip(lost, 0, 1)), unit="share"),
    )


def spoil(before: Frame, params: PaintedLightParams) -> Frame:
    """One stop too much, the wrong way, over the whole picture."""
    return before.with_pixels(before.pixels * np.float32(0.5 if params.ev >= 0 else 2.0))


operator: Operator[PaintedLightParams] = Operator(
    name="painted_light",
    version=1,
    params=PaintedLightParams,
    risk=Risk(complexity=0.4, cost=0.3),
    stage=Stage.LOCAL,
    propose=propose,
    render=render,
    check=check,
    spoil=spoil,
    material=lambda before, after: before.mask != after.mask or abs(before.ev - after.ev) >= 0.15,
    material_when="the mask is another, or the light differs by 0.15 EV or more",
    examples=(PaintedLightParams(ev=1.0, mask="ab" * 32), PaintedLightParams(ev=-1.5, mask="ab" * 32)),
    artefacts=("halo", "seam", "clipping", "hue_twist", "banding"),
    about="Brightens or darkens under a mask that a person painted.",
)
