"""Red eye: pupils that gave a flash back in red become dark and neutral again.

Where the pupils are lies in the params, in pixels of the upright source, so that an edit means the same pixels for
ever. Only what is red inside them changes: the catch-light, the iris about them and lashes across them stay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.domain import Because, Measure
from safelight.media.colour import REC2020_FROM_SRGB, SRGB_FROM_REC2020
from safelight.media.frame import Frame, Pixels
from safelight.operators import Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes
from safelight.params import declare

ACT = 0.7  # chance from which a correction is proposed; the probe names eyes from 0.5 on
REACH = 1.35  # radii that are covered: red bleeds over the rim, most of all in JPEGs with halved colour
FEATHER = 0.35  # radii over which the effect fades out
DARKER = 0.7  # of the light of green and blue that is left: the back of the eye is lit in all colours
RED_FROM, RED_TO = (
    0.3,
    1.2,
)  # stops of red over green and blue between which a pixel begins to count, and counts in full
FAINT = 0.01  # of white, added to channels before their ratio is taken
STILL_RED = 1.0  # stops
LEFT = 0.1  # share of a pupil that may still be red
SPILT = 1e-4  # of white: a change outside the eyes beyond rounding
SPILL = 0.001  # share of the picture outside the eyes that changed, from which that is a fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Pupil:
    """A red pupil, in pixels of the upright source."""

    x: float = declare(0.0, low=0.0, unit="px", help="middle, columns from the left edge's pixel centres")
    y: float = declare(0.0, low=0.0, unit="px", help="middle, rows from the upper edge's pixel centres")
    radius: float = declare(1.0, low=0.5, high=2000.0, unit="px", help="radius of what is red")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedEyeParams:
    """Which pupils, and how much."""

    pupils: tuple[Pupil, ...] = declare((), help="the pupils that are red")
    amount: float = declare(1.0, low=0.0, high=1.0, step=0.05, help="1 takes all of the red out")


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[RedEyeParams]]:  # noqa: ARG001
    """A correction for every photo with red pupils; nothing about the others."""
    return [made for subject in subjects if (made := _suggest(subject)) is not None]


def _suggest(subject: Subject) -> Suggestion[RedEyeParams] | None:
    chance, found = subject.number("red_eye"), subject.facts.get("red_eye.eyes")
    if chance is None or chance < 0.5 or found is None or not isinstance(found.value, Mapping):
        return None
    eyes: Sequence[Any] = found.value["eyes"]  # type: ignore[assignment]
    if chance < ACT:
        text = f"A pupil may be red: {chance:.0%} likely, and {ACT:.0%} would be enough."
        doubt = Because(evidence="red_eye", value=chance, text=text, code="red_eye.undecided")
        return Suggestion(member=subject.asset.id, params=None, cannot_tell=text, because=(doubt,))
    width = float(found.value["width"])  # type: ignore[arg-type]
    scale = (subject.asset.width or width) / width  # a raw's preview may be smaller than the raw
    pupils = tuple(_pupil(eye, scale) for eye in eyes)
    flash = ", and the flash was fired" if subject.asset.capture.flash else ""
    count = f"{len(pupils)} pupils are" if len(pupils) > 1 else "1 pupil is"
    text = f"{count} red ({chance:.0%} sure){flash}."
    return Suggestion(
        member=subject.asset.id,
        params=RedEyeParams(pupils=pupils),
        score=round(chance, 4),
        because=(Because(evidence="red_eye", value=chance, text=text, code="red_eye.red"),),
        alternatives=(RedEyeParams(pupils=pupils, amount=0.6),),
    )


def _pupil(eye: Mapping[str, float], scale: float) -> Pupil:
    x, y = ((eye[name] + 0.5) * scale - 0.5 for name in ("x", "y"))
    return Pupil(x=round(max(x, 0.0), 2), y=round(max(y, 0.0), 2), radius=round(max(eye["radius"] * scale, 0.5), 2))


# ---------------------------------------------------------------- render and check


def render(frame: Frame, params: RedEyeParams, tools: Tools) -> Frame:  # noqa: ARG001 - needs no kept objects
    """Red inside the pupils gives way to the light of green and blue, darkened; all else stays as it is."""
    if not params.pupils or params.amount == 0:
        return frame
    out = frame.pixels.copy()
    for pupil in params.pupils:
        place, away = _away(frame, pupil)
        part = out[place]
        if part.size:
            light = np.asarray(cv2.transform(part, SRGB_FROM_REC2020), np.float32)
            share = params.amount * np.clip((REACH - away) / FEATHER, 0, 1) * _red(light)
            level = np.float32(DARKER) * np.maximum(light[..., 1:].mean(axis=2), 0)
            after = light + share[..., None].astype(np.float32) * (level[..., None] - light)
            out[place] = np.where(share[..., None] > 0, cv2.transform(after, REC2020_FROM_SRGB), part)
    return frame.with_pixels(out)


def _away(frame: Frame, pupil: Pupil) -> tuple[tuple[slice, slice], NDArray[np.float64]]:
    """The part of the frame about a pupil, and how many radii its pixels lie from the middle."""
    back = np.linalg.inv(frame.geometry)
    middle = np.array((pupil.x, pupil.y))
    corners = middle + np.array([(dx, dy) for dx in (-1, 1) for dy in (-1, 1)]) * pupil.radius * REACH
    there = np.column_stack((corners, np.ones(4))) @ frame.geometry.T
    places = there[:, :2] / there[:, 2:]
    low = np.clip(np.floor(places.min(axis=0)), 0, (frame.width, frame.height)).astype(int)
    high = np.clip(np.ceil(places.max(axis=0)) + 1, low, (frame.width, frame.height)).astype(int)
    y, x = np.mgrid[low[1] : high[1], low[0] : high[0]]
    source = np.stack((x, y, np.ones_like(x)), axis=-1) @ back.T
    apart = source[..., :2] / source[..., 2:] - middle
    return (slice(low[1], high[1]), slice(low[0], high[0])), np.hypot(*np.moveaxis(apart, -1, 0)) / pupil.radius


def _stops(light: Pixels) -> Pixels:
    """Stops of red over the larger of green and blue; linear light of sRGB's primaries."""
    red, others = np.maximum(light[..., 0], 0), np.maximum(light[..., 1:].max(axis=2), 0)
    return np.asarray(np.log2((red + FAINT) / (others + FAINT)), np.float32)


def _red(light: Pixels) -> Pixels:
    """How far pixels count as red, 0..1, smoothly."""
    share = np.clip((_stops(light) - RED_FROM) / (RED_TO - RED_FROM), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def check(before: Frame, after: Frame, params: RedEyeParams) -> Sequence[Measure]:
    """How much of the pupils is still red, and whether anything changed outside them."""
    inside = np.zeros(before.pixels.shape[:2], np.bool_)
    left = 0.0
    for pupil in params.pupils:
        place, away = _away(before, pupil)
        inside[place] |= away < REACH
        core = away <= 1
        if core.any():
            light = np.asarray(cv2.transform(after.pixels[place], SRGB_FROM_REC2020), np.float32)
            left = max(left, float((_stops(light)[core] > STILL_RED).mean()))
    changed = np.abs(after.pixels - before.pixels).max(axis=2) > SPILT
    spilt = float((changed & ~inside).mean())
    return (
        Measure(name="red_eye.left", value=min(1.0, params.amount**4 * left / LEFT / 2), unit="fault"),
        Measure(name="red_eye.spilt", value=min(1.0, spilt / SPILL / 2), unit="fault"),
    )


def spoil(before: Frame, params: RedEyeParams) -> Frame:  # noqa: ARG001
    """Green light over the whole picture."""
    return before.with_pixels(before.pixels * np.array((0.5, 1.6, 0.5), np.float32))


def material(before: RedEyeParams, after: RedEyeParams) -> bool:
    """Whether other pupils are meant, or one moved by half a radius, or much more or less is taken out."""
    if len(before.pupils) != len(after.pupils) or abs(before.amount - after.amount) >= 0.25:
        return True
    pairs = zip(before.pupils, after.pupils, strict=True)
    return any(
        np.hypot(a.x - b.x, a.y - b.y) > a.radius / 2 or not 0.67 <= b.radius / a.radius <= 1.5 for a, b in pairs
    )


operator: Operator[RedEyeParams] = Operator(
    name="red_eye",
    version=1,
    params=RedEyeParams,
    risk=Risk(complexity=0.2, cost=0.3),
    stage=Stage.LOCAL,
    needs=("red_eye", "red_eye.eyes"),
    propose=propose,
    render=render,
    check=check,
    spoil=spoil,
    material=material,
    material_when="other pupils are meant, one moves by half its radius or grows by half, or the amount by 0.25",
    examples=(
        RedEyeParams(pupils=(Pupil(x=16.0, y=14.0, radius=4.0), Pupil(x=30.0, y=13.5, radius=4.5))),
        RedEyeParams(pupils=(Pupil(x=24.0, y=18.0, radius=7.0),), amount=0.5),
    ),
    artefacts=("seam", "clipping", "hue_twist", "identity"),
    about="Takes the red of a flash out of pupils and leaves the catch-light.",
)
