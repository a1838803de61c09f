"""From a detector's score to the chance that a careful person would call it the artefact.

A table of (score, chance) per finding, written by `bench.fit.artefacts`, `.left_behind` and `.alone` from labelled
pairs: a logistic curve of the score, so the chance rises where the score does, whatever the damage is. Between entries
the chance is interpolated, beyond them it stays.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

TABLES = ("calibration.json", "calibration_removal.json")
ALONE = "calibration_alone.json"  # of scores for which no before was looked at
SET_BY_HAND = frozenset(("identity", "perspective"))  # from published figures: the recipes hold no such case
UNCERTAIN = {"scores": [0.0, 1.0], "chances": [0.01, 0.5]}  # a finding that was never calibrated cannot reach certainty


@cache
def calibrated() -> Mapping[str, Mapping[str, Any]]:
    """The shipped table of every finding."""
    found: dict[str, dict[str, Any]] = {}
    for name in TABLES:
        found |= json.loads(files("safelight.detectors").joinpath(name).read_text("utf-8"))
    return found


@cache
def calibrated_alone() -> Mapping[str, Mapping[str, Any]]:
    """The shipped table of every finding that a picture by itself can have."""
    found: dict[str, dict[str, Any]] = json.loads(files("safelight.detectors").joinpath(ALONE).read_text("utf-8"))
    return found


def chance(name: str, score: float, *, alone: bool = False) -> float:
    """The calibrated probability of a score of this finding; `alone`: of one for which no before was looked at."""
    return at((calibrated_alone() if alone else calibrated()).get(name, UNCERTAIN), score)


def at(table: Mapping[str, Any], score: float) -> float:
    """The probability of a score in one table."""
    return float(np.interp(score, table["scores"], table["chances"]))
