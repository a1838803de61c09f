"""Detectors asked about the after by itself, on a seeded draw from recipe `artefacts`.

A spoilt picture is shown to the detector of its own finding, one after a legal edit to all that have such a form. Faces
are asked for over-smoothing alone, for its form without a before knows only skin.
"""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench._artefacts import SEED
from bench._heldout import model_of
from bench.harness import Result, auc, bootstrap
from safelight import plugins
from safelight.checking import inspect
from safelight.detectors.calibration import at, calibrated_alone
from safelight.media.image import read
from safelight.weights import installed

FINDINGS = ("banding", "clipping", "fill_repeat", "jpeg", "oversmoothing")
SPOILT, LEGAL = 36, 5  # pictures of each finding, and of each legal edit
REGIONS = {"oversmoothing": "skin"}  # where a finding can be told without a before, if not everywhere
CUT = ("good_cutout",)  # another ground than the photo's: nothing to ask these detectors about


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was said of a picture: the score of one finding, and whether it has it."""

    source: str
    finding: str
    spoilt: bool
    score: float


def measured(folder: Path, rows: Sequence[Mapping[str, Any]]) -> list[Seen]:
    """A draw of the table, every picture asked."""
    context = get_context("spawn")  # a fork would copy the locks of OpenCV's threads, and wait for them
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context, initializer=_one_thread) as pool:
        return [one for told in pool.map(partial(_asked, folder), _drawn(rows), chunksize=4) for one in told]


def figures(folder: Path, rows: Sequence[Mapping[str, Any]]) -> Iterator[Result]:
    """Area and calibration error of each finding, chances of tables that never saw the photo."""
    seen = measured(folder, rows)
    for name in FINDINGS:
        here = [one for one in seen if one.finding == name]
        bad, good = ([one.score for one in here if one.spoilt is spoilt] for spoilt in (True, False))
        if not bad or not good:
            continue
        low, high = bootstrap([(one.source, one.spoilt, one.score) for one in here])
        yield Result(
            name=f"{name}.alone.auc", value=auc(bad, good), n=len(here), low=low, high=high, note="without a before"
        )
        limits = calibrated_alone()[name]
        chances = [
            (at((model_of("artefacts_alone", one.source) or calibrated_alone())[name], one.score), one.spoilt)
            for one in here
        ]
        p, y = np.array(chances, float).T
        bins = np.minimum((p * 10).astype(int), 9)
        error = sum(abs((p - y)[bins == i].sum()) for i in range(10)) / len(p)
        yield Result(name=f"{name}.alone.ece", value=float(error), n=len(here))
        false = float(np.mean([at(limits, score) >= limits["fail"] for score in good]))
        yield Result(name=f"{name}.alone.false_fails", value=false, n=len(good), note="share of legal edits")


def _one_thread() -> None:
    cv2.setNumThreads(1)


def _drawn(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    piles: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["artefact"] == "no" and row["kind"] not in CUT:
            piles[row["kind"], row["region"]].append(row)
        elif (
            row["finding"] in FINDINGS
            and row["tellable"] == "yes"
            and row["region"] == REGIONS.get(row["finding"], row["region"])
        ):
            piles[row["finding"], ""].append(row)
    rng = np.random.default_rng(SEED)
    most = dict.fromkeys(FINDINGS, SPOILT)
    return [
        pile[i]
        for (name, _), pile in sorted(piles.items())
        for i in rng.permutation(len(pile))[: most.get(name, LEGAL)]
    ]


def _asked(folder: Path, row: Mapping[str, Any]) -> list[Seen]:
    spoilt = row["artefact"] == "yes"
    asked = [d for d in plugins.detectors().values() if d.alone and (not spoilt or row["finding"] in d.finds)]
    found = inspect(read(folder / row["after"]), detectors=asked, weights=installed()).findings
    return [
        Seen(source=row["source"], finding=f.name, spoilt=spoilt, score=f.score) for f in found if f.score is not None
    ]
