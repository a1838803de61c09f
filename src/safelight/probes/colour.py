"""Probe `colour`: whether the white balance is off, and by which light.

Every light that a picture may have been wrongly balanced for is a candidate: a point in the coordinates of
`_illuminants`. A linear model scores the candidates by how well the picture's colours would lie around grey if the
candidate were taken out (histograms of pixels, bright pixels, grey pixels and edges), by the distance to eleven
estimators, and by how far a candidate is from "as shot". Softmax over the candidates gives a distribution: its mean
without "as shot" is the estimate, its width the doubt, its mass away from "as shot" the probability of a cast.
`bench/fit/colour.py` fits the weights.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.domain import Measure
from safelight.media.frame import Pixels
from safelight.media.picture import Picture
from safelight.probes import Probe
from safelight.probes._illuminants import (
    CLASSICAL,
    DEGREES,
    FEWEST,
    LUMINANCE,
    OTHERS,
    correction,
    look,
    point_of,
    points_of_log,
    white_ends,
)

STEP = 1.5  # degrees, width of a histogram bin
REACH = 48  # bins on each side of grey
LOOKS = ("all", "middle", "bright", "grey", "edges")  # histograms
SPREADS = (1.0, 2.0, 4.0, 8.0)  # bins, Gaussian sigma of the neighbourhoods of a candidate
SIDES = {"warm": (8, 0), "cool": (-8, 0), "green": (0, 8), "magenta": (0, -8)}  # bins from a candidate
POINTS = (*CLASSICAL, *OTHERS)
ENDS = ("end_997", "end_9997", "end_top")
PRIOR = ("as_shot", "amber", "green", "distance", "warm")
NAMES = (
    *(f"{name}_{part}" for name in LOOKS for part in (*(f"{s:g}" for s in SPREADS), *SIDES)),
    *(f"near_{name}" for name in (*POINTS, *ENDS)),
    *(f"makes_{name}" for name in ENDS),
    *PRIOR,
)
MOOD_NAMES = ("least_chroma", "neutral", "neutral_middle", "width", "as_shot")
NAMED = 4.5  # degrees from "as shot" beyond which a careful viewer would name a cast
CLOSE = 3.0  # degrees; a result within is called right
FLAT = 0.06  # standard deviation of linear luminance over its mean below which nothing is to be seen


def _candidates() -> NDArray[np.float64]:
    """Lights a picture may have been wrongly balanced for, n x 2: from deep shade to candles, and across that line."""
    amber, green = (v.ravel() for v in np.meshgrid(np.arange(-27, 52, 3.0), np.arange(-30, 31, 3.0)))
    inside = (amber / np.where(amber > 0, 51, 28)) ** 2 + (green / 30) ** 2 <= 1
    return np.asarray(np.stack((amber, green), 1)[inside], np.float64)


CANDIDATES = _candidates()
AS_SHOT = int(np.flatnonzero(~CANDIDATES.any(1))[0])
DISTANCE = np.hypot(*CANDIDATES.T)
EXPOSURES = np.log(2.0) * np.arange(-0.6, 0.61, 0.15)  # log light by which a picture may have been made brighter
END_DOUBT, EXPOSURE_DOUBT = 0.05, 0.25  # log light


def _ends_made() -> NDArray[np.float32]:
    """Log light at which white ends under each candidate and exposure, at most 0: n x exposures x 3."""
    light = np.log([1 / correction(point) for point in CANDIDATES])
    level = np.log(np.exp(light) @ LUMINANCE)[:, None]
    return np.asarray(np.minimum((light - level)[:, None] + EXPOSURES[:, None], 0), np.float32)


ENDS_MADE = _ends_made()
_COLUMNS, _ROWS = (np.rint(CANDIDATES / STEP).astype(int) + REACH).T


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What the model reads: estimators' points (degrees) and one histogram of points for each of `LOOKS`."""

    points: Mapping[str, NDArray[np.float64]]
    ends: Mapping[str, Pixels]  # linear light
    histograms: Pixels  # len(LOOKS) x (2 REACH + 1)², rows green, columns amber, each of sum 1
    contrast: float  # standard deviation of linear luminance over its mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The answer. `point` is the estimated light in degrees, `gains` what takes it out."""

    cast: float  # 0..1
    gains: tuple[float, float, float]  # linear sRGB, a neutral keeps its luminance
    point: tuple[float, float]
    width: float  # degrees, standard deviation of the candidates
    disagreement: float  # degrees, mean distance of the classical estimators from their middle
    mood: float  # 0..1
    confidence: float  # 0..1, chance that the estimate is within 3 degrees


@lru_cache(maxsize=1)
def shipped() -> dict[str, Any]:
    """The fitted model that lies beside this module."""
    found: dict[str, Any] = json.loads(resources.files("safelight.probes").joinpath("colour.json").read_text("utf-8"))
    return found


def features(picture: Picture) -> Features:
    """Estimators and histograms of a picture; no model involved."""
    seen = look(picture.small)
    points = {name: classical(seen) for name, classical in (CLASSICAL | OTHERS).items()}
    bins = _bin(points_of_log(seen.log))
    level = seen.light @ LUMINANCE
    middle, bright = (float(v) for v in np.quantile(level, (0.5, 0.9)))
    edge_bins = _bin(points_of_log(cv2.log(seen.slope + np.float32(1e-5)) * np.float32(DEGREES)))
    histograms = (
        _histogram(bins),
        _histogram(bins[level >= middle]),
        _histogram(bins[level >= bright]),
        _histogram(bins, seen.greyness),
        _histogram(edge_bins, seen.slope @ np.ones(3, np.float32)),
    )
    mean = max(float(level.mean()), 1e-6)
    return Features(
        points=points,
        ends=white_ends(picture.work),
        histograms=np.stack(histograms),
        contrast=float(level.std()) / mean,
    )


def _bin(points: Pixels) -> NDArray[np.int64]:
    """Index of the histogram's bin for each point."""
    near = np.clip(np.rint(points * np.float32(1 / STEP)), -REACH, REACH)
    return np.asarray(near @ np.array((1, 2 * REACH + 1), np.float32) + 2 * REACH * (REACH + 1), np.int64)


def _histogram(bins: NDArray[np.int64], weights: Pixels | None = None) -> Pixels:
    side = 2 * REACH + 1
    counts = np.bincount(bins, weights, side * side).reshape(side, side)
    return np.asarray(counts / max(float(counts.sum()), 1e-9), np.float32)


def rows(found: Features, middles: Mapping[str, Sequence[float]]) -> NDArray[np.float32]:
    """The model's columns `NAMES` for every candidate; `middles` is where an estimator lies on neutral pictures."""
    columns = [column for histogram in found.histograms for column in _around(histogram)]
    points = {name: found.points[name] - np.asarray(middles[name]) for name in POINTS}
    points |= {name: point_of(found.ends[name] + 1e-4) for name in ENDS}
    for point in points.values():
        off = (CANDIDATES - point) / (4.0, 3.0)
        columns.append(-np.sqrt(1 + (off * off).sum(1)))
    columns += [_makes(found.ends[name]) for name in ENDS]
    amber, green = CANDIDATES.T
    columns += [DISTANCE == 0, -np.abs(amber) / 10, -np.abs(green) / 10, -DISTANCE / 10, np.maximum(amber, 0) / 10]
    return np.stack(columns, 1).astype(np.float32)


def _makes(end: Pixels) -> NDArray[np.float32]:
    """How well each candidate explains where white ends, at its best exposure; what ends at white may go beyond."""
    off = (ENDS_MADE - np.log(np.maximum(end, 1e-3))) / np.float32(END_DOUBT)
    cost = (off * off).sum(2) + ((EXPOSURES / EXPOSURE_DOUBT) ** 2).astype(np.float32)
    return np.asarray(-np.sqrt(1 + cost.min(1)), np.float32)


def _around(histogram: Pixels) -> list[Pixels]:
    """Log share of colours near each candidate at four reaches, and on its four sides."""
    soft = {s: _soft(histogram, s) for s in SPREADS}
    near = [np.log(soft[s][_ROWS, _COLUMNS] * np.float32(2 * np.pi * s * s) + np.float32(0.01)) for s in SPREADS]
    last = 2 * REACH
    sides = [
        np.log(soft[4.0][np.clip(_ROWS + down, 0, last), np.clip(_COLUMNS + right, 0, last)] * 100 + np.float32(0.02))
        for right, down in SIDES.values()
    ]
    return near + sides


def _soft(histogram: Pixels, sigma: float) -> Pixels:
    return np.asarray(cv2.GaussianBlur(histogram, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT), np.float32)


def posterior(columns: NDArray[np.float32], weights: Sequence[float]) -> NDArray[np.float64]:
    """Probability of each candidate."""
    scores = columns.astype(np.float64) @ np.asarray(weights)
    shares = np.exp(scores - scores.max())
    return np.asarray(shares / shares.sum(), np.float64)


def mood_row(found: Features, chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns `MOOD_NAMES`: whether anything would be neutral after the best correction, and how sure that one is."""
    point, width = _mean(chances)
    column, row = np.clip(np.rint(point / STEP).astype(int) + REACH, 0, 2 * REACH)
    neutral, middle = (float(_soft(found.histograms[i], 2.0)[row, column]) * 8 * np.pi for i in (0, 1))
    green, amber = np.mgrid[-REACH : REACH + 1, -REACH : REACH + 1] * STEP
    distance = np.hypot(amber - point[0], green - point[1]).ravel()
    order = np.argsort(distance, kind="stable")
    upto = np.cumsum(found.histograms[1].ravel()[order])
    least = float(distance[order][min(int(np.searchsorted(upto, 0.2 * upto[-1])), len(order) - 1)])
    return np.array((np.log1p(least), np.log(neutral + 0.01), np.log(middle + 0.01), width / 10, chances[AS_SHOT]))


def estimate(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean light if there is a cast; how likely there is none is another measure."""
    others = np.where(np.arange(len(chances)) == AS_SHOT, 0.0, chances)
    return np.asarray(others @ CANDIDATES / max(float(others.sum()), 1e-9), np.float64)


def _mean(chances: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    point = chances @ CANDIDATES
    return point, float(np.sqrt(chances @ ((CANDIDATES - point) ** 2).sum(1)))


def confidence_row(found: Features, chances: NDArray[np.float64], middles: Mapping[str, Any]) -> NDArray[np.float64]:
    """What tells a close estimate: candidates near it and away from "as shot", and how estimators agree."""
    away = np.hypot(*(CANDIDATES - estimate(chances)).T)
    near = float(chances @ np.clip((2 * CLOSE - away) / CLOSE, 0, 1))
    return np.array((_log_odds(near), _log_odds(cast_chance(chances)), disagreement(found, middles) / 10))


def cast_chance(chances: NDArray[np.float64]) -> float:
    """Probability of a light further from "as shot" than a careful viewer would let pass."""
    return float(chances[DISTANCE > NAMED].sum())


def disagreement(found: Features, middles: Mapping[str, Any]) -> float:
    """Mean distance of the classical estimators from their middle, in degrees."""
    estimates = np.array([found.points[name] - np.asarray(middles[name]) for name in CLASSICAL])
    return float(np.hypot(*(estimates - np.median(estimates, 0)).T).mean())


def _log_odds(chance: float) -> float:
    inside = float(np.clip(chance, 0.01, 0.99))
    return float(np.log(inside / (1 - inside)))


def answer(found: Features, model: Mapping[str, Any]) -> Judgement:
    """What the model says to these features."""
    chances = posterior(rows(found, model["middles"]), model["weights"])
    point, width = estimate(chances), _mean(chances)[1]
    red, green, blue = correction(point)
    return Judgement(
        cast=cast_chance(chances),
        gains=(float(red), float(green), float(blue)),
        point=(float(point[0]), float(point[1])),
        width=width,
        disagreement=disagreement(found, model["middles"]),
        mood=_logistic(mood_row(found, chances), model["mood"]),
        confidence=_logistic(confidence_row(found, chances, model["middles"]), model["confidence"]),
    )


def _logistic(row: NDArray[np.float64], weights: Sequence[float]) -> float:
    return float(1 / (1 + np.exp(-np.clip(row @ np.asarray(weights[:-1]) + weights[-1], -30, 30))))


def judge(picture: Picture, *, model: Mapping[str, Any] | None = None) -> list[Measure]:
    """Evidence of one picture, by this model or the shipped one."""
    seen = picture.small.shape[0] * picture.small.shape[1]
    if seen < FEWEST:
        return _silent(f"the picture has only {seen} pixels")
    found = features(picture)
    if reason := _blind(found):
        return _silent(reason)
    said = answer(found, model or shipped())
    return [
        Measure(name="colour.cast", value=round(said.cast, 4), unit="probability"),
        Measure(name="colour.gains", value=[round(g, 4) for g in said.gains], unit="linear sRGB"),
        Measure(name="colour.disagreement", value=round(said.disagreement, 2), unit="degrees"),
        Measure(name="colour.mood", value=round(said.mood, 4), unit="probability"),
        Measure(name="colour.confidence", value=round(said.confidence, 4), unit="probability"),
    ]


def _silent(reason: str) -> list[Measure]:
    return [Measure(name=name, cannot_tell=reason) for name in probe.emits]


def _blind(found: Features) -> str:
    """Why nothing can be told: a picture without contrast or without colours."""
    if found.contrast < FLAT:
        return "the picture is one even surface"
    if found.histograms[0][REACH, REACH] > 0.995:
        return "the picture is black and white"
    return ""


probe = Probe(
    name="colour",
    version=1,
    emits=("colour.cast", "colour.gains", "colour.disagreement", "colour.mood", "colour.confidence"),
    measure=judge,
    about="Whether the white balance is off, the gains that would correct it, and whether the light is meant coloured.",
)
