"""White balance: what is left of casts of known size, and what is done to pictures that were right.

Reproduction angular error in linear light: the angle to grey of a grey that went through the cast and the correction;
each base counts as neutral. One picture at a time, through probe and operator, with the model that never saw its photo;
beside it the classical estimators at 400 px (edges after a blur of 1 px, Minkowski p = 6), which always correct, and
`none`, which never does.
"""

import json
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench._heldout import model_of
from bench.harness import Data, MissingData, Result, quantile_interval
from safelight.domain import Asset, Kind
from safelight.media.image import read
from safelight.media.picture import SMALL_SIDE, Picture
from safelight.operators import Subject, Suggestion, Wishes
from safelight.operators.white_balance import WhiteBalanceParams, gains_of, propose
from safelight.probes import colour
from safelight.probes._illuminants import CLASSICAL, correction, look, reproduction_error

PROCESSES = 2
BETTER = 0.9  # of the best single estimator's median: the bar
MOVED = 2.0  # degrees
HARM, TOUCHED = 0.10, 0.05  # bars
RIGHT = 3.0  # degrees; what the operator's score promises
OURS = "safelight"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One picture, its source, and the gains that a cast put on it (1, 1, 1 where it has none)."""

    path: Path
    source: str
    kind: str
    tellable: bool
    gains: tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What each method leaves of the cast, degrees; whether the operator acted, and its score."""

    case: Case
    errors: Mapping[str, float]
    acted: bool
    score: float | None
    amber: float  # log gain of red over blue


def run(data: Data) -> Iterable[Result]:
    """Figures on casts, on good pictures, on mood-lit ones, and on real wrong balances."""
    folder, table = data.table("quality/truth.csv", recipe="quality")
    done = _all([_case(folder, r) for r in table if r["kind"].startswith("cast_") or int(r["strength"]) == 0])
    yield from cast_results([o for o in done if o.case.kind.startswith("cast_")])
    yield from good_results(done)
    yield from real_results(data)


def _case(folder: Path, row: Mapping[str, Any]) -> Case:
    red, green, blue = json.loads(row["parameters"]).get("gains", (1.0, 1.0, 1.0))
    return Case(
        path=folder / row["file"],
        source=row["source"],
        kind=row["kind"],
        tellable=row["tellable"] == "yes",
        gains=(red, green, blue),
    )


def cast_results(casts: Sequence[Outcome]) -> Iterator[Result]:
    """Median and mean beside the estimators', and how often the operator acts and makes it worse."""
    sources = [o.case.source for o in casts]
    ours = np.array([o.errors[OURS] for o in casts])
    medians = _beside(casts, lambda errors, _none: float(np.median(errors)))
    best = min(medians[name] for name in CLASSICAL)
    low, high = quantile_interval(ours, sources)
    yield Result(
        name="white_balance.median", value=float(np.median(ours)), n=len(casts), unit="degrees", bar=BETTER * best,
        want="at most", low=low, high=high, beside=medians, note="all strengths",
    )  # fmt: skip
    means = _beside(casts, lambda errors, _none: float(errors.mean()))
    yield Result(
        name="white_balance.mean", value=float(ours.mean()), n=len(casts), unit="degrees", bar=means["none"],
        want="at most", beside=means,
    )  # fmt: skip
    clear = [o for o in casts if o.case.tellable]
    yield Result(
        name="white_balance.tellable_median", value=float(np.median([o.errors[OURS] for o in clear])), n=len(clear),
        unit="degrees", beside=_beside(clear, lambda errors, _none: float(np.median(errors))),
    )  # fmt: skip
    worse = _beside(casts, lambda errors, none: float((errors > none + MOVED).mean()))
    none = np.array([o.errors["none"] for o in casts])
    yield Result(
        name="white_balance.cast_worse_2deg", value=float((ours > none + MOVED).mean()), n=len(casts), unit="share",
        bar=HARM, want="at most", beside=worse,
    )  # fmt: skip
    yield Result(
        name="white_balance.acted", value=float(np.mean([o.acted for o in clear])), n=len(clear), unit="share",
        note="casts that can be told for which a correction is proposed",
    )  # fmt: skip
    scored = [o for o in casts if o.acted and o.score is not None]
    hit = np.array([o.errors[OURS] <= RIGHT for o in scored])
    promised = np.array([o.score for o in scored], np.float64)
    if scored:
        yield Result(
            name="white_balance.within_3deg", value=float(hit.mean()), n=len(scored), unit="share",
            beside={"promised": float(promised.mean())}, note="of the corrections proposed, beside their mean score",
        )  # fmt: skip


def good_results(done: Sequence[Outcome]) -> Iterator[Result]:
    """How often pictures that were right are moved by more than 2 degrees."""
    good = [o for o in done if not o.case.kind.startswith("cast_") and o.case.kind != "mood"]
    mood = [o for o in done if o.case.kind == "mood"]
    clean = [o for o in good if o.case.kind == "clean"]
    for name, some, bar in (
        ("good_worse_2deg", good, HARM),
        ("clean_worse_2deg", clean, None),
        ("mood_touched", mood, TOUCHED),
    ):
        if not some:
            continue
        moved = _beside(some, lambda errors, _none: float((errors > MOVED).mean()))
        yield Result(
            name=f"white_balance.{name}", value=float(np.mean([o.errors[OURS] > MOVED for o in some])), n=len(some),
            unit="share", bar=bar, want="at most" if bar else None, beside=moved,
        )  # fmt: skip


def real_results(data: Data) -> Iterator[Result]:
    """Whether real wrong balances are moved to the right side; the truth is a word, not a number."""
    try:
        folder, table = data.table("photo_faults/photo_faults.csv", recipe="shared data")
    except MissingData:
        return
    words = {"too cool": 1, "too warm": -1}
    wanted = {r["file"]: sign for r in table for word, sign in words.items() if word in r["fault"]}
    cases = [
        Case(path=folder / f, source=f"photo_faults/{f}", kind="real", tellable=True, gains=(1.0, 1.0, 1.0))
        for f in wanted
    ]
    done = _all(cases)
    right = [o.acted and o.amber * wanted[o.case.path.name] > 0 for o in done]
    wrong = sum(o.acted for o in done) - sum(right)
    yield Result(
        name="white_balance.real_right_side", value=float(np.mean(right)), n=len(done), unit="share",
        note=f"{wrong} to the wrong side, {sum(not o.acted for o in done)} left alone",
    )  # fmt: skip


def _beside(
    some: Sequence[Outcome], figure: Callable[[NDArray[np.float64], NDArray[np.float64]], float]
) -> dict[str, float]:
    none = np.array([o.errors["none"] for o in some])
    return {name: figure(np.array([o.errors[name] for o in some]), none) for name in ("none", *CLASSICAL)}


# ---------------------------------------------------------------- one picture


def _all(cases: Sequence[Case]) -> list[Outcome]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=_one_thread) as pool:
        return list(pool.map(outcome, cases, chunksize=8))


def _one_thread() -> None:
    cv2.setNumThreads(1)


def outcome(case: Case) -> Outcome:
    """One picture through every method."""
    picture = Picture(rgb=read(case.path))
    said = _suggestion(picture, case.source)
    params = said.params or WhiteBalanceParams()
    seen = look(picture.small, side=SMALL_SIDE, blur=1.0)
    gains = {name: correction(estimate(seen)) for name, estimate in CLASSICAL.items()}
    gains |= {"none": np.ones(3), OURS: gains_of(params)}
    errors = {name: reproduction_error(np.asarray(case.gains), g) for name, g in gains.items()}
    amber = float(np.log(gains[OURS][0] / gains[OURS][2]))
    return Outcome(case=case, errors=errors, acted=params != WhiteBalanceParams(), score=said.score, amber=amber)


def _suggestion(picture: Picture, source: str) -> Suggestion[WhiteBalanceParams]:
    facts = {m.name: m for m in colour.judge(picture, model=model_of("colour", source))}
    asset = Asset(id="0", content=None, kind=Kind.PHOTO, format="jpeg", width=picture.width, height=picture.height)
    return propose([Subject(asset=asset, path="0", facts=facts)], Wishes())[0]
