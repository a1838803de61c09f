"""Fits `tilt.json`: `python -m bench.fit.tilt --data DIR`, DIR as recipe `quality` writes it.

One logistic: whether the lines are right within 1.2 degrees, from the length that agrees and the size of the turn.
Rows are the clean bases and their turned versions; bases tagged as tilted are left out.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench._heldout import fit_and_write
from bench.harness import Data
from safelight.media.image import read
from safelight.media.picture import Picture
from safelight.probes.tilt import lines

RIGHT = 1.2  # degrees: up to 1 that a base leans by itself is not in the truth, and the estimate errs too
RIDGE = 1e-3


@dataclass(frozen=True, kw_only=True)
class Row:
    """One picture: its photo, what its lines agree on, and whether that is right."""

    source: str
    agreed: float
    degrees: float
    right: bool


def main() -> None:
    """Reads the table, measures, fits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data = Data(roots=(parser.parse_args().data,), work=Path())
    folder, table = data.table("quality/truth.csv", recipe="quality")
    rows = []
    for row in table:
        if row["kind"] not in ("clean", "tilt") or "tilt" in row["own_fault"]:
            continue
        found = lines(Picture(rgb=read(folder / row["file"])))
        if found is not None:
            true = json.loads(row["parameters"]).get("deg", 0.0)
            right = abs(found.degrees - true) <= RIGHT
            rows.append(Row(source=row["source"], agreed=found.agreed, degrees=found.degrees, right=right))
    fit_and_write("tilt", rows, lambda row: row.source, fit)


def fit(rows: Sequence[Row]) -> dict[str, float]:
    """The three constants of the logistic, by Newton's method."""
    design = np.array([(np.log(r.agreed + 0.05), abs(r.degrees), 1.0) for r in rows])
    truth, w = np.array([r.right for r in rows], float), np.zeros(3)
    penalty = np.array((RIDGE, RIDGE, 0.0))
    for _ in range(60):
        p = 1 / (1 + np.exp(-design @ w))
        gradient = design.T @ (p - truth) / len(rows) + penalty * w
        hessian = design.T @ (design * (p * (1 - p))[:, None]) / len(rows) + np.diag(penalty + 1e-9)
        w -= np.linalg.solve(hessian, gradient)
    return {name: round(float(value), 4) for name, value in zip(("agreed", "degrees", "offset"), w, strict=True)}


if __name__ == "__main__":
    main()
