"""Black and white: whether the weights keep apart what plain luminance does not, and how few photos it is proposed for.

On clean pictures of recipe `quality`, as if each had been asked for. `apart` is the distance in L* between what stands
out and its surroundings, on the photos where plain luminance leaves less than ten; `contrast` the share of pairs of
pixels that are told apart in colour (ΔE76 of 15 and more) and still are in grey (Lu, Xu and Jia 2012). Beside: plain
luminance, and OpenCV's contrast-preserving `decolor`, which looks at the picture itself. The shares of photos that get
a proposal are over all good and all faulty pictures of the recipe, each set taken as one shoot.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench._heldout import model_of
from bench.harness import Data, Result
from safelight import specimens
from safelight.domain import Asset, Kind, Measure
from safelight.media.colour import lab, linear_of_srgb, srgb8
from safelight.media.frame import Bytes, Frame
from safelight.media.image import read
from safelight.media.picture import Picture, shrink
from safelight.operators import Subject, Wishes
from safelight.operators.black_and_white import BlackAndWhiteParams, operator, weights_for
from safelight.probes import colour, exposure, hues, noise

SIDE = 200  # px
TOGETHER = 10.0  # L* between subject and surroundings, in plain grey: below, weights are worth having
TOLD_APART = 15.0  # ΔE76
PAIRS = 20_000
PROPOSED = 0.03  # bar

Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One photo: L* between what stands out and its surroundings, and the share of pairs kept, by conversion."""

    apart: Mapping[str, float]
    kept: Mapping[str, float]
    weighted: bool


def run(data: Data) -> Iterable[Result]:
    """Separation, pairs, and proposals."""
    folder, table = data.table("quality/truth.csv", recipe="quality")
    clean = [row for row in table if row["kind"] == "clean"]
    yield from _separation([_case(shrink(read(folder / row["file"]), 2 * SIDE)) for row in clean])
    for name, rows in (("good", [r for r in table if r["faulty"] == "no"]), ("noise", _strong(table, "noise"))):
        if rows:
            yield _proposed(f"black_and_white.proposed.{name}", folder, rows)


def _strong(table: Sequence[Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    return [row for row in table if row["kind"] == kind and int(row["strength"]) == 5]


def _case(rgb: Bytes) -> Case:
    facts = {m.name: m for m in hues.measure(Picture(rgb=rgb))}
    weights, _ = weights_for(_subject("a", facts))
    small = shrink(rgb, SIDE)
    greys = {"weights": _grey(small, weights), "luminance": _grey(small, {}), "decolor": _decolor(small)}
    inside, outside = exposure.places(small)
    levels = {name: lab(grey)[..., 0] for name, grey in greys.items()}
    rng = np.random.default_rng(11)
    one, other = rng.integers(0, small.shape[0] * small.shape[1], (2, PAIRS))
    colours = lab(small).reshape(-1, 3)
    far = np.linalg.norm(colours[one] - colours[other], axis=1) >= TOLD_APART
    return Case(
        apart={name: abs(float(level[inside].mean() - level[outside].mean())) for name, level in levels.items()},
        kept={name: _kept(level.ravel(), one[far], other[far]) for name, level in levels.items()},
        weighted=bool(weights),
    )


def _kept(level: Vector, one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    return float((np.abs(level[one] - level[other]) >= TOLD_APART).mean()) if len(one) else 1.0


def _grey(rgb: Bytes, weights: Mapping[str, float]) -> Bytes:
    params = BlackAndWhiteParams(amount=100.0, **weights)
    return srgb8(operator.render(Frame(pixels=linear_of_srgb(rgb)), params, specimens.suite_tools()).pixels)


def _decolor(rgb: Bytes) -> Bytes:
    grey, _ = cv2.decolor(np.ascontiguousarray(rgb[..., ::-1]))
    return np.repeat(np.asarray(grey, np.uint8)[..., None], 3, axis=2)


def _separation(cases: Sequence[Case]) -> Iterator[Result]:
    close = [c for c in cases if c.weighted and c.apart["luminance"] < TOGETHER]
    for name, some, pick in (("apart", close, _apart), ("contrast", cases, _contrast)):
        means = {way: float(np.mean([pick(c)[way] for c in some])) if some else None for way in cases[0].apart}
        yield Result(
            name=f"black_and_white.{name}", value=means.pop("weights"), n=len(some),
            unit="L*" if name == "apart" else "of the pairs", beside={k: v for k, v in means.items() if v is not None},
        )  # fmt: skip


def _apart(case: Case) -> Mapping[str, float]:
    return case.apart


def _contrast(case: Case) -> Mapping[str, float]:
    return case.kept


def _proposed(name: str, folder: Path, rows: Sequence[Mapping[str, Any]]) -> Result:
    subjects = [_subject(row["file"], _facts(read(folder / row["file"]), row["source"])) for row in rows]
    made = operator.propose(subjects, Wishes())
    return Result(
        name=name, value=len(made) / len(rows), n=len(rows), unit="of the pictures", bar=PROPOSED, want="at most",
        note="; ".join(sorted({b.code.removeprefix("black_and_white.") for s in made for b in s.because})),
    )  # fmt: skip


def _facts(rgb: Bytes, source: str) -> dict[str, Measure]:
    picture = Picture(rgb=rgb)
    found = list(hues.measure(picture))
    for name, probe in (("exposure", exposure), ("noise", noise), ("colour", colour)):
        model = model_of(name, source)
        judge: Callable[..., Sequence[Measure]] = probe.judge
        found += judge(picture) if model is None else judge(picture, model=model)
    return {m.name: m for m in found}


def _subject(name: str, facts: Mapping[str, Measure]) -> Subject:
    asset = Asset(id=name, content=None, kind=Kind.PHOTO, format="jpeg", width=SIDE, height=SIDE)
    return Subject(asset=asset, path=name, facts=facts)
