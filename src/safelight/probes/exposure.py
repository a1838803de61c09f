"""Exposure: how far the light is off, how sure that is, and what is clipped.

Over-exposure by gain drives highlights into white: channels clip one after another and pile up at 255, while a high key
compresses them and lifts its blacks. Under-exposure leaves the upper range empty, while a low key has a lit subject in
the dark. Eleven numbers say so; a quadratic ridge turns them into the correction in stops, a linear one into its
spread, and two logistics of the correction into probabilities of a fault of at least 0.9 EV (good photos as frequent
as faulty ones).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.domain import Measure
from safelight.media.frame import Bytes, Pixels
from safelight.media.picture import TO_LINEAR, Picture, planes, shrink
from safelight.probes import Probe

Vector = NDArray[np.float64]

SIDE = 200  # px, long side at which tones are looked at
CLIP_SIDE = 800  # px, about: clipping is counted on every n-th native pixel, since averaging would hide it
LUMINANCE = np.array([[0.2126, 0.7152, 0.0722]], np.float32)  # of linear sRGB, ITU-R BT.709
WHITE, BLACK = 253, 2  # levels from and up to which a JPEG's value counts as clipped
DARKEST = 2.0**-12  # of white: below what 8 bits tell
SHARES = (0.01, 0.02, *(n / 20 for n in range(1, 20)), 0.98, 0.99)  # of pixels, for `luma.quantiles`
UNIFORM = 0.3  # EV between the 1st and 99th percentile: below, there is no picture to judge
FEWEST = 64  # px
REACH = 3.0  # standard deviations to which features are held, so that the quadratic never runs away
MOST_EV = 4.0
HEADROOM_SHARE = 0.005  # of pixels that may clip anew

FEATURES = (
    "middle",  # log2 of the median luminance
    "top",  # log2 of the brightest channel's 99.9th percentile
    "white",  # log2 share of pixels with a channel at 255
    "partly",  # log2 share with one or two channels clipped
    "wholly",  # log2 share with all channels clipped
    "near",  # log2 share with the brightest channel in 235..249
    "subject",  # log2 of the median luminance around the sharpest structure near the middle
    "border",  # log2 of the median luminance along the border
    "detail",  # log2 of the mean local contrast of log luminance
    "colour",  # 90th percentile of saturation
    "lift",  # 5th percentile of the weakest channel, in 32 levels
)

MODEL: Mapping[str, Any] = json.loads((resources.files(__package__) / "exposure.json").read_text("utf-8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tones:
    """What is seen of a picture's light. Logs are log2 of linear light, 0 at white; shares are of pixels."""

    quantiles: Vector  # of luminance, at `SHARES`
    log_mean: float
    clipped_high: float  # any channel
    clipped_low: float  # all channels
    headroom: float  # stops until `HEADROOM_SHARE` more of the brightest channel's pixels reach white
    features: Vector  # in the order of `FEATURES`


def judge(picture: Picture, *, model: Mapping[str, Any] = MODEL) -> Sequence[Measure]:
    """Faults, correction and spread in EV, tones and clipping; uniform pictures get tones and clipping alone."""
    tones = picture.once("exposure.tones", look)
    median = 2.0 ** float(tones.quantiles[SHARES.index(0.5)])
    return (
        *_verdict(picture, tones, model),
        Measure(name="luma.median", value=round(median, 5), unit="of white, linear"),
        Measure(name="luma.log_mean", value=round(2.0**tones.log_mean, 5), unit="of white, linear"),
        Measure(name="luma.quantiles", value=_pairs(tones.quantiles), unit="share, EV from white"),
        Measure(name="clip.high", value=round(tones.clipped_high, 5), unit="share"),
        Measure(name="clip.low", value=round(tones.clipped_low, 5), unit="share"),
        Measure(name="clip.headroom", value=round(tones.headroom, 3), unit="EV"),
    )


def features(picture: Picture) -> Vector:
    """The numbers of `FEATURES`, in their order."""
    return look(picture).features


def _pairs(quantiles: Vector) -> list[list[float]]:
    """Each share with its tone, so that readers need not know the shares."""
    return [[round(share, 2), round(float(tone), 4)] for share, tone in zip(SHARES, quantiles, strict=True)]


def _verdict(picture: Picture, tones: Tones, model: Mapping[str, Any]) -> Sequence[Measure]:
    contrast = float(tones.quantiles[-1] - tones.quantiles[0])
    why = ""
    if picture.height * picture.width < FEWEST:
        why = f"the picture has only {picture.height * picture.width} pixels"
    elif contrast < UNIFORM:
        why = f"the picture is nearly uniform: its tones lie within {contrast:.1f} EV"
    if why:
        return [Measure(name=name, cannot_tell=why) for name in VERDICTS]
    ev, spread = correction(tones.features, model)
    values = (_logistic(model["over"], -ev), _logistic(model["under"], ev), ev, spread)
    return [
        Measure(name=name, value=round(value, 4), unit=unit)
        for name, value, unit in zip(VERDICTS, values, ("probability", "probability", "EV", "EV"), strict=True)
    ]


VERDICTS = ("exposure.over", "exposure.under", "exposure.ev", "exposure.ev.spread")


# ---------------------------------------------------------------- the model


def correction(seen: Vector, model: Mapping[str, Any]) -> tuple[float, float]:
    """The stops by which the picture should become brighter, and their standard error, from `features`."""
    z = standardised(seen, model)
    ev = float(np.clip(quadratic(z) @ np.asarray(model["ev"]), -MOST_EV, MOST_EV))
    spread = float(np.exp(spread_terms(z, np.asarray(ev)) @ np.asarray(model["spread"])))
    return ev, min(spread, MOST_EV)


def standardised(seen: Vector, model: Mapping[str, Any]) -> Vector:
    """Features in standard deviations of the photos the model was fitted on, held to `REACH`; last axis features."""
    return np.asarray(np.clip((seen - np.asarray(model["mean"])) / np.asarray(model["scale"]), -REACH, REACH))


def quadratic(z: Vector) -> Vector:
    """One, the values, and all their products; last axis."""
    i, j = np.triu_indices(z.shape[-1])
    return np.concatenate((np.ones((*z.shape[:-1], 1)), z, z[..., i] * z[..., j]), axis=-1)


def spread_terms(z: Vector, ev: Vector) -> Vector:
    """What the log of the spread is linear in: one, the values, the size of a darkening and of a brightening."""
    darker, brighter = np.maximum(-ev, 0)[..., None], np.maximum(ev, 0)[..., None]
    return np.concatenate((np.ones((*z.shape[:-1], 1)), z, darker, brighter), axis=-1)


def _logistic(line: Sequence[float], x: float) -> float:
    return float(1 / (1 + np.exp(-(line[0] + line[1] * x))))


# ---------------------------------------------------------------- what is seen


def look(picture: Picture) -> Tones:
    """Tones of the small picture, and clipping of the native one."""
    small = shrink(picture.small, SIDE)
    light = cv2.transform(TO_LINEAR[small], LUMINANCE).reshape(small.shape[:2])
    log = np.log2(np.maximum(light, np.float32(DARKEST)))
    quantiles = np.quantile(np.sort(log, axis=None), SHARES).astype(np.float64)  # sorted, its many ranks come cheaply
    bright, weak = _histograms(picture)
    some, every = float(bright[WHITE:].sum()), float(weak[WHITE:].sum())
    most, least = (TO_LINEAR[plane] for plane in _extremes(small))
    colour = (most - least) / np.maximum(most, np.float32(1e-3))
    detail = np.abs(log - cv2.blur(log, (15, 15), borderType=cv2.BORDER_REFLECT_101)).mean()
    subject, border = _places(small, log)
    seen = (
        quantiles[SHARES.index(0.5)],
        _log_level(bright, 0.999),
        _log_share(float(bright[255])),
        _log_share(some - every),
        _log_share(every),
        _log_share(float(bright[235:250].sum())),
        subject,
        border,
        np.log2(detail + 1e-4),
        np.quantile(colour, 0.9),
        _level(weak, 0.05) / 32,
    )
    return Tones(
        quantiles=quantiles,
        log_mean=float(log.mean()),
        clipped_high=some,
        clipped_low=float(bright[: BLACK + 1].sum()),
        headroom=-_log_level(bright, 1 - HEADROOM_SHARE),
        features=np.array(seen, np.float64),
    )


def _histograms(picture: Picture) -> tuple[Vector, Vector]:
    """Shares of the levels of each pixel's brightest and weakest channel."""
    ends = picture.once("exposure.ends", ends_of)
    bright, weak = (cv2.calcHist([plane], [0], None, [256], [0, 256]).ravel() / plane.size for plane in ends)
    return bright.astype(np.float64), weak.astype(np.float64)


def ends_of(picture: Picture) -> tuple[Bytes, Bytes]:
    """The brightest and weakest channel of some native pixels."""
    return _extremes(picture.rgb, step=max(1, max(picture.rgb.shape[:2]) // CLIP_SIDE))


def _extremes(rgb: Bytes, *, step: int = 1) -> tuple[Bytes, Bytes]:
    """The brightest and weakest channel of every `step`-th pixel and row."""
    red, green, blue = planes(rgb, step=step)
    most, least = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    return np.asarray(most, np.uint8), np.asarray(least, np.uint8)


def _level(histogram: Vector, share: float) -> int:
    return min(255, int(np.searchsorted(histogram.cumsum(), share)))


def _log_level(histogram: Vector, share: float) -> float:
    return float(np.log2(TO_LINEAR[max(1, _level(histogram, share))]))


def _log_share(share: float) -> float:
    return float(np.log2(max(share, 0.0) + 1e-4))


def _places(small: Bytes, log: Pixels) -> tuple[float, float]:
    """Median log luminance of what stands out, and of the border."""
    inside, outside = places(small)
    return float(np.median(log[inside])), float(np.median(log[outside]))


def places(small: Bytes) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """What stands out (an ellipse around the sharpest structure near the middle) and the border, as masks."""
    height, width = small.shape[:2]
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255)
    dx, dy = cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=1 / 8)
    edges = cv2.GaussianBlur(np.minimum(dx * dx + dy * dy, np.float32(0.01)), (0, 0), 0.08 * max(height, width))
    x, y = (np.arange(width) + 0.5) / width, (np.arange(height)[:, None] + 0.5) / height
    near_middle = np.exp(-8 * ((x - 0.5) ** 2 + (y - 0.5) ** 2))
    row, column = divmod(int(np.argmax(edges * near_middle)), width)
    inside = np.hypot((x - x[column]) / 0.2, (y - y[row]) / 0.24) < 1
    from_edge = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
    return np.asarray(inside), np.asarray(from_edge <= max(0.1, float(from_edge.min())))


probe = Probe(
    name="exposure",
    version=1,
    emits=(*VERDICTS, "luma.median", "luma.log_mean", "luma.quantiles", "clip.high", "clip.low", "clip.headroom"),
    measure=judge,
    about="How many stops the light is off and how sure that is, tones in linear light, and what is clipped.",
)
