"""Tones: whether the contrast was flattened or driven, and by how much its tones should move.

A photo that was not treated nearly always has something near black and something near white, thins out towards both
ends, and spreads its tones between them in a way that goes with its colours and its detail. Haze, a lifted black, a
dull white, blocked shadows and hot highlights each leave that. Numbers of the histogram and a few of the picture go
into a quadratic ridge, which says how far each of six tones should move; a logistic of those moves and of what
speaks for a mood (a low key, a high key, coloured light) says whether anything should be done.

Whoever makes the picture brighter first moves its tones as well. So the answer is given for several exposures, each as
if the picture had been made brighter by so much.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight.domain import Measure
from safelight.media.colour import encode
from safelight.media.frame import Bytes
from safelight.media.picture import TO_LINEAR, Picture
from safelight.probes import Probe
from safelight.probes import exposure as light

Vector = NDArray[np.float64]

SHARES = (0.01, 0.1, 0.3, 0.6, 0.9, 0.99)  # of pixels: the tones whose moves are told
EXPOSURES = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)  # EV for which the answer is given
QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)  # of pixels, read by the model
WEAKEST = (1e-3, 0.05, 0.25)  # of native pixels: of their weakest channels
END = 1e-3  # share of native pixels beyond which the ends of the histogram lie
REACH = 3.0  # standard deviations to which features are held, so that the quadratic never runs away
FURTHEST = 0.25  # encoded: the largest move that is told
FEATURES = (
    *(f"tone_{share:g}" for share in QUANTILES),  # encoded luminance
    "floor",  # encoded, the darkest END of the pixels' brightest channel
    "ceiling",  # encoded, the brightest END
    *(f"weakest_{share:g}" for share in WEAKEST),  # encoded, of the weakest channel: haze lifts it in every colour
    "subject",  # encoded, the middle tone about the sharpest structure near the middle
    "border",  # encoded, the middle tone along the border
    "detail",  # log2 of the mean local contrast of log luminance
    "colour",  # 90th percentile of saturation
)

MODEL: Mapping[str, Any] = json.loads((resources.files(__package__) / "tone.json").read_text("utf-8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the model reads: tones in log2 of linear light, 0 at white, and two numbers that exposure leaves alone."""

    tones: Vector  # as the first of `FEATURES` are
    rest: Vector  # detail, colour

    def at(self, ev: float) -> Vector:
        """The numbers of `FEATURES` if the picture were so many stops brighter."""
        return np.concatenate((encode(np.minimum(2.0 ** (self.tones + ev), 1)), self.rest))


def judge(picture: Picture, *, model: Mapping[str, Any] = MODEL) -> Sequence[Measure]:
    """`tone.fault`, `tone.moves` and where the ends of the histogram lie; uniform pictures get the ends alone."""
    found = look(picture)
    if picture.height * picture.width < light.FEWEST:
        return _silent(f"the picture has only {picture.height * picture.width} pixels")
    floor, ceiling = found.tones[len(QUANTILES) : len(QUANTILES) + 2]
    ends = (
        Measure(name="tone.floor", value=round(float(floor), 3), unit="EV from white"),
        Measure(name="tone.ceiling", value=round(float(ceiling), 3), unit="EV from white"),
    )
    contrast = float(found.tones[len(QUANTILES) - 1] - found.tones[0])
    if contrast < light.UNIFORM:
        return (*_silent(f"the picture is nearly uniform: its tones lie within {contrast:.1f} EV")[:2], *ends)
    told = [(ev, *estimate(found.at(ev), model)) for ev in EXPOSURES]
    fault = next(chance for ev, chance, _ in told if ev == 0)
    rows = [[ev, round(chance, 4), *(round(float(m), 4) for m in moves)] for ev, chance, moves in told]
    return (
        Measure(name="tone.fault", value=round(fault, 4), unit="probability"),
        Measure(name="tone.moves", value={"shares": SHARES, "by_ev": rows}, unit="EV, probability, encoded"),
        *ends,
    )


def _silent(reason: str) -> Sequence[Measure]:
    return [Measure(name=name, cannot_tell=reason) for name in EMITS]


def look(picture: Picture) -> Seen:
    """What is seen of a picture's tones."""
    tones = picture.once("exposure.tones", light.look)
    most, least = picture.once("exposure.ends", light.ends_of)
    levels = (*_levels(most, (END, 1 - END)), *_levels(least, WEAKEST))
    ends = np.log2(np.maximum(TO_LINEAR[list(levels)], light.DARKEST))
    named = dict(zip(light.FEATURES, tones.features, strict=True))
    quantiles = np.interp(QUANTILES, light.SHARES, tones.quantiles)
    return Seen(
        tones=np.concatenate((quantiles, ends, (named["subject"], named["border"]))),
        rest=np.array((named["detail"], named["colour"])),
    )


def _levels(plane: Bytes, shares: Sequence[float]) -> list[int]:
    """Levels at which these shares of the pixels are reached."""
    below = np.bincount(plane.ravel(), minlength=256).cumsum()
    return [int(np.searchsorted(below, share * below[-1])) for share in shares]


def estimate(seen: Vector, model: Mapping[str, Any]) -> tuple[float, Vector]:
    """Chance that the tones were treated wrongly, and how far each tone of `SHARES` should move (encoded)."""
    z = light.standardised(seen, model)
    moves = np.clip(light.quadratic(z) @ np.asarray(model["moves"]), -FURTHEST, FURTHEST)
    line = float(fault_terms(z, moves) @ np.asarray(model["fault"]))
    return float(1 / (1 + np.exp(-np.clip(line, -30, 30)))), moves


def fault_terms(z: Vector, moves: Vector) -> Vector:
    """What the log odds of a fault are linear in; last axis."""
    scaled = moves * 20
    return np.concatenate((np.ones((*z.shape[:-1], 1)), z, np.abs(scaled), scaled), axis=-1)


EMITS = ("tone.fault", "tone.moves", "tone.floor", "tone.ceiling")

probe = Probe(
    name="tone",
    version=1,
    emits=EMITS,
    measure=judge,
    about="Whether contrast was flattened or driven, how far tones should move, and where black and white end.",
)
