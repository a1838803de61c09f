"""Fit of the probe `colour`: `python -m bench.fit.colour --data DIR [--cache FILE]`.

Learns from photographs with casts made here in linear light, along the Planckian locus and across it, and from the
same photographs without a cast at several exposures and contrasts. Writes the shipped model, and beside this file
models that never saw the photos of one fold, for benches on the same photos.
"""

import argparse
import csv
import io
import json
import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from scipy.optimize import minimize

from bench.harness import DEFAULT_DATA, ROOT
from safelight.media.picture import TO_LINEAR, Picture, shrink
from safelight.operators.white_balance import WhiteBalanceParams, gains_of
from safelight.probes import colour
from safelight.probes._illuminants import point_of

SIDE = 1000  # px
FOLDS = 7
COLOURED = 11.0  # least chroma of a photo that is coloured on purpose
MOOD_TAGS = ("sunset", "dusk", "night", "candle", "stage")
MORE = (  # photographs outside the table whose balance is right by eye
    "faces/biden_official.jpg", "faces/obama_official.jpg", "faces/old_man_hat.jpg", "pairs/skin/nikki_before.jpg",
    "pairs/looks/dot_original.jpg", "pairs/noise/cup_denoised_by_profile.jpg", "pairs/lens/building_corrected.jpg",
    "near_duplicates/aero1.jpg", "near_duplicates/graf1.png", "near_duplicates/leuvenA.jpg",
    "near_duplicates/rubberwhale1.png", "metadata/c2pa/A.jpg", "metadata/orientation/landscape_1.jpg",
    "metadata/exif/gps_DSCN0010.jpg", "metadata/exif/gps_DSCN0021.jpg", "metadata/exif/gps_DSCN0027.jpg",
    "metadata/exif/gps_DSCN0042.jpg", "mattes/beach.png", "mattes/lemur.png", "metadata/formats/ultra_hdr_subway.jpg",
)  # fmt: skip
UNCAST, CASTS = 7, 17  # versions of each photo
BLUR = 2.0  # degrees, width of the target around the true light
RIDGE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One version of a photo; `point` is the cast that was put in."""

    source: str
    point: NDArray[np.float64]
    cast: bool
    mood: bool
    features: colour.Features


# ---------------------------------------------------------------- samples


def samples(data: Path) -> Iterator[Sample]:
    """Every photo in several versions, from one seed."""
    with (data / "photo_tags.csv").open(newline="", encoding="utf-8") as file:
        photos = [(row["file"], row["tags"]) for row in csv.DictReader(file)]
    for index, (name, tags) in enumerate([*photos, *((name, "") for name in MORE)]):
        rgb = shrink(np.asarray(ImageOps.exif_transpose(Image.open(data / name)).convert("RGB")), SIDE)
        mood = least_chroma(rgb) > COLOURED or any(word in tags for word in MOOD_TAGS)
        rng = np.random.default_rng((1, index))
        for version in range(UNCAST + CASTS):
            gains = _draw_cast(rng) if version >= UNCAST else np.ones(3)
            made = _made(rgb, gains, plain=version == 0, rng=rng)
            point = point_of(gains) if version >= UNCAST else np.zeros(2)
            found = colour.features(Picture(rgb=made))
            yield Sample(source=name, point=point, cast=version >= UNCAST, mood=mood, features=found)


def least_chroma(rgb: NDArray[np.uint8]) -> float:
    """20th percentile of CIE chroma over pixels with L* above 25."""
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    seen = lab[..., 0] > 25
    return float(np.percentile(np.hypot(lab[..., 1], lab[..., 2])[seen], 20)) if seen.any() else 0.0


def _draw_cast(rng: np.random.Generator) -> NDArray[np.float64]:
    """Gains of a cast: 15 to 185 mired warm or 0.55 of that cool, or Duv .006 to .05 to either side."""
    if rng.random() < 0.5:
        mired = float(np.exp(rng.uniform(*np.log((15, 185)))))
        light = WhiteBalanceParams(mired=mired if rng.random() < 0.5 else -0.55 * mired, tint=rng.uniform(-2, 2))
    else:
        side = float(rng.choice((-1, 1)))
        light = WhiteBalanceParams(mired=rng.uniform(-20, 20), tint=side * float(np.exp(rng.uniform(*np.log((6, 50))))))
    return np.asarray(1 / gains_of(light), np.float64)


def _made(rgb: NDArray[np.uint8], gains: NDArray[np.float64], *, plain: bool, rng: np.random.Generator) -> Any:
    """The photo under a cast, at another exposure, contrast and saturation, clipped, as a JPEG gives it back."""
    light = TO_LINEAR[rgb] * (gains / (gains @ (0.2126, 0.7152, 0.0722))).astype(np.float32)
    if not plain:
        light = light * np.float32(2.0 ** (rng.uniform(-0.7, 0.6) * rng.integers(2)))
    x = np.clip(light, 0, 1)
    x = np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-6) ** np.float32(1 / 2.4) - 0.055)
    if not plain:
        x = x + np.float32(rng.uniform(-0.1, 0.3)) * (x - 0.5) * (1 - np.abs(2 * x - 1))
        level = x.mean(2, keepdims=True)
        x = level + np.float32(rng.uniform(0.75, 1.15)) * (x - level)
    out = io.BytesIO()
    Image.fromarray((np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)).save(out, "JPEG", quality=95, subsampling=0)
    return np.asarray(Image.open(out))


# ---------------------------------------------------------------- the fit


def fit_middles(some: Sequence[Sample]) -> dict[str, list[float]]:
    """Where each estimator lies on the median picture whose light is neutral."""
    return {
        name: np.median([s.features.points[name] - s.point for s in some], 0).round(3).tolist()
        for name in colour.POINTS
    }


def fit_weights(some: Sequence[Sample], middles: Mapping[str, Sequence[float]]) -> NDArray[np.float64]:
    """Conditional logit over the candidates with a ridge; half of the weight lies on pictures without a cast."""
    columns = np.stack([colour.rows(s.features, middles) for s in some])
    targets = np.stack([_target(s) for s in some]).astype(np.float32)
    cast = np.array([s.cast for s in some])
    weight = (np.where(cast, 0.5 / cast.sum(), 0.5 / (~cast).sum()) * len(some)).astype(np.float32)
    scale = columns.std((0, 1)) + 1e-6
    columns /= scale
    flat = columns.reshape(-1, columns.shape[2])
    wanted = (targets * weight[:, None]).ravel() @ flat

    def loss(b: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = (flat @ b.astype(np.float32)).reshape(len(some), -1)
        top = scores.max(1, keepdims=True)
        shares = np.exp(scores - top)
        total = shares.sum(1, keepdims=True)
        value = float((weight * (np.log(total) + top)[:, 0]).sum() - wanted @ b + RIDGE * b @ b)
        slope = (shares / total * weight[:, None]).ravel() @ flat - wanted + 2 * RIDGE * b
        return value, np.asarray(slope, np.float64)

    start = np.zeros(columns.shape[2])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 80})
    return np.asarray(found.x / scale, np.float64)


def _target(sample: Sample) -> NDArray[np.float64]:
    if not sample.cast:
        return np.asarray(colour.DISTANCE == 0, np.float64)
    away = ((colour.CANDIDATES - sample.point) ** 2).sum(1)
    share = np.exp(-away / (2 * BLUR**2)) * (colour.DISTANCE > 0)
    return np.asarray(share / share.sum(), np.float64)


def fit_logistic(x: NDArray[np.float64], y: NDArray[np.bool_], ridge: float = 0.5) -> NDArray[np.float64]:
    """Weights and, last, the offset of a logistic regression on columns of unit deviation."""
    scale = x.std(0) + 1e-9
    middle = x.mean(0)
    ones = np.column_stack(((x - middle) / scale, np.ones(len(x))))

    def loss(b: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = ones @ b
        value = float((np.logaddexp(0, z) - y * z).sum() + ridge * b[:-1] @ b[:-1])
        return value, ones.T @ (1 / (1 + np.exp(-z)) - y) + 2 * ridge * np.append(b[:-1], 0)

    b = minimize(loss, np.zeros(ones.shape[1]), jac=True, method="L-BFGS-B").x
    return np.append(b[:-1] / scale, b[-1] - (b[:-1] * middle / scale).sum())


def fit(every: Sequence[Sample]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The shipped model and the fold models. Mood and confidence are fitted to what models say of unseen photos."""
    sources = np.random.default_rng(0).permutation(sorted({s.source for s in every}))
    parts = [set(sources[k::FOLDS].tolist()) for k in range(FOLDS)]
    models = [_core([s for s in every if s.source not in part]) for part in parts]
    heard = [_heard(s, next(m for m, part in zip(models, parts, strict=True) if s.source in part)) for s in every]
    folds = []
    for part, model in zip(parts, models, strict=True):
        rest = [(s, h) for s, h in zip(every, heard, strict=True) if s.source not in part]
        folds.append({"sources": sorted(part), "model": model | _second(rest, model["middles"])})
    shipped = _core(every)
    return shipped | _second(list(zip(every, heard, strict=True)), shipped["middles"]), folds


def _core(some: Sequence[Sample]) -> dict[str, Any]:
    middles = fit_middles(some)
    return {"middles": middles, "weights": [float(f"{w:.5g}") for w in fit_weights(some, middles)]}


def _heard(sample: Sample, model: Mapping[str, Any]) -> NDArray[np.float64]:
    return colour.posterior(colour.rows(sample.features, model["middles"]), model["weights"])


def _second(
    heard: Sequence[tuple[Sample, NDArray[np.float64]]], middles: Mapping[str, Sequence[float]]
) -> dict[str, Any]:
    moods = np.stack([colour.mood_row(s.features, chances) for s, chances in heard])
    mood = fit_logistic(moods, np.array([s.mood for s, _ in heard]), ridge=5.0)
    called = [(s, chances) for s, chances in heard if colour.cast_chance(chances) > 0.5]
    signs = np.stack([colour.confidence_row(s.features, chances, middles) for s, chances in called])
    errors = [np.hypot(*(s.point - colour.estimate(chances))) for s, chances in called]
    sure = fit_logistic(signs, np.array(errors) <= colour.CLOSE, ridge=2.0)
    return {"mood": [float(f"{w:.5g}") for w in mood], "confidence": [float(f"{w:.5g}") for w in sure]}


def main() -> None:
    """Fits and writes both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--cache", type=Path, help="keep the samples' features here")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    if options.cache and options.cache.exists():
        every = pickle.loads(options.cache.read_bytes())  # noqa: S301 - written by this script
    else:
        every = list(samples(options.data))
        if options.cache:
            options.cache.write_bytes(pickle.dumps(every))
    model, folds = fit(every)
    target = ROOT / "src" / "safelight" / "probes" / "colour.json"
    target.write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")
    (Path(__file__).parent / "colour.folds.json").write_text(json.dumps({"folds": folds}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
