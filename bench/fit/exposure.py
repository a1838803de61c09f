"""Fits `exposure.json`: `python -m bench.fit.exposure --data DIR --data DIR …`, DIRs as recipe `quality` writes them.

The correction is a ridge on the quadratic terms of the features. Everything after it stands on predictions for photos
that the ridge never saw: the spread (a ridge on the log of the error, scaled so that 68 % of errors lie within it) and
the two logistics. The shipped model was fitted on the shared photos with seeds 1, 2 and 3, and with seed 1 on other
photos that no bench uses, in a folder laid out alike; `exposure.folds.json` names them all. Faults that a viewer
cannot tell teach the correction, but not the probabilities.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench._heldout import fit_and_write
from bench.harness import Data
from safelight.media.image import read
from safelight.media.picture import Picture
from safelight.probes.exposure import MOST_EV, features, quadratic, spread_terms, standardised

Vector = NDArray[np.float64]

RIDGE = 60.0
SPREAD_RIDGE = 30.0
GOOD_COUNTS = 1.5  # times as much as a faulty picture
FAULT = 0.9  # EV from which a viewer can tell, as the recipe has it
LEAST_ERROR = 0.03  # EV, keeps the logarithm finite
COVERED = 0.68  # share of errors within the spread
FAULTS = {"", "exposure.over", "exposure.under"}  # of the pictures that are used


@dataclass(frozen=True, kw_only=True)
class Row:
    """One picture: the photo it was made from, its features, and the stops by which it should become brighter."""

    source: str
    seen: Vector
    ev: float


def main() -> None:
    """Reads the tables, measures, fits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, action="append", required=True)
    rows = [row for root in parser.parse_args().data for row in read_rows(root)]
    fit_and_write("exposure", rows, lambda row: row.source, fit)


def read_rows(root: Path) -> list[Row]:
    """The good and the badly exposed pictures of one folder."""
    folder, table = Data(roots=(root,), work=Path()).table("quality/truth.csv", recipe="quality")
    return [
        Row(
            source=row["source"],
            seen=features(Picture(rgb=read(folder / row["file"]))),
            ev=-float(json.loads(row["parameters"])["ev"]) if row["faults"] else 0.0,
        )
        for row in table
        if row["faults"] in FAULTS
    ]


def fit(rows: Sequence[Row]) -> dict[str, Any]:
    """The model; see the module's text."""
    seen, ev = np.stack([row.seen for row in rows]), np.array([row.ev for row in rows])
    scaling = {"mean": _short(seen.mean(axis=0)), "scale": _short(seen.std(axis=0) + 1e-6)}
    z = standardised(seen, scaling)
    weights = np.where(ev == 0, GOOD_COUNTS, 1.0)
    said = np.clip(_left_out(quadratic(z), ev, weights, [row.source for row in rows]), -MOST_EV, MOST_EV)
    good, over, under = ev == 0, ev <= -FAULT, ev >= FAULT
    return scaling | {
        "ev": _short(_ridge(quadratic(z), ev, weights, RIDGE)),
        "spread": _short(_spread(spread_terms(z, said), np.abs(said - ev), weights)),
        "over": _short(_logistic(-said, over, good | under)),
        "under": _short(_logistic(said, under, good | over)),
    }


def _left_out(terms: Vector, ev: Vector, weights: Vector, sources: Sequence[str]) -> Vector:
    """What the ridge says of each photo when fitted without it."""
    left, right = terms.T @ (terms * weights[:, None]), terms.T @ (weights * ev)
    names, said = np.array(sources), np.zeros_like(ev)
    for name in np.unique(names):
        own = names == name
        some = terms[own] * weights[own][:, None]
        said[own] = terms[own] @ _solve(left - terms[own].T @ some, right - some.T @ ev[own], RIDGE)
    return said


def _ridge(terms: Vector, target: Vector, weights: Vector, strength: float) -> Vector:
    return _solve(terms.T @ (terms * weights[:, None]), terms.T @ (weights * target), strength)


def _solve(left: Vector, right: Vector, strength: float) -> Vector:
    penalty = np.full(len(right), strength)
    penalty[0] = 0  # the constant is free
    return np.asarray(np.linalg.solve(left + np.diag(penalty), right), np.float64)


def _spread(terms: Vector, errors: Vector, weights: Vector) -> Vector:
    found = _ridge(terms, np.log(errors + LEAST_ERROR), weights, SPREAD_RIDGE)
    found[0] += np.log(np.quantile(errors / np.exp(terms @ found), COVERED))
    return found


def _logistic(x: Vector, bad: NDArray[np.bool_], good: NDArray[np.bool_]) -> Vector:
    """Constant and slope by Newton's method, both classes weighted alike; a small ridge holds the slope."""
    weights = bad / bad.sum() + good / good.sum()
    terms, line = np.column_stack((np.ones_like(x), x)), np.zeros(2)
    penalty = np.array((0.0, 1e-3))
    for _ in range(50):
        chance = 1 / (1 + np.exp(-terms @ line))
        slope = terms.T @ (weights * (chance - bad)) + penalty * line
        curve = terms.T @ (terms * (weights * chance * (1 - chance))[:, None]) + np.diag(penalty + 1e-9)
        line -= np.linalg.solve(curve, slope)
    return line


def _short(values: Vector) -> list[float]:
    return [float(f"{value:.5g}") for value in values]


if __name__ == "__main__":
    main()
