"""Fits `noise.json`: `python -m bench.fit.noise --data DIR`, DIR as recipe `quality` writes it.

Two steps, each with two constants: log sigma is linear in the log of the colour difference (least squares on noise
that can be told), and the chance that a viewer can tell is a logistic of log sigma (truth: sigma at least 2.5).
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
from safelight.media.picture import WORK_SIDE, shrink
from safelight.probes.noise import differences

TELLABLE = 2.5  # levels of 255 at mid-grey, as the recipe has it
RIDGE = 0.02  # on the logistic's slope: clean pictures are separable


@dataclass(frozen=True, kw_only=True)
class Row:
    """One picture: its photo, its log colour difference, and the true sigma (0 on good pictures)."""

    source: str
    colour: float
    sigma: float


def main() -> None:
    """Reads the table, measures, fits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data = Data(roots=(parser.parse_args().data,), work=Path())
    folder, table = data.table("quality/truth.csv", recipe="quality")
    rows = []
    for row in table:
        sigma = json.loads(row["parameters"]).get("sigma_mid_8bit", 0.0)
        if row["faulty"] == "yes" and not sigma:
            continue
        colour, _, grey = differences(shrink(read(folder / row["file"]), WORK_SIDE))
        if colour is not None and not grey:
            rows.append(Row(source=row["source"], colour=float(np.log(colour)), sigma=sigma))
    fit_and_write("noise", rows, lambda row: row.source, fit)


def fit(rows: Sequence[Row]) -> dict[str, float]:
    """The four constants of the model."""
    colour, sigma = np.array([r.colour for r in rows]), np.array([r.sigma for r in rows])
    strong = sigma > 1.5
    slope, offset = np.polyfit(colour[strong], np.log(sigma[strong]), 1)
    steep, middle = _logistic(slope * colour + offset, sigma >= TELLABLE)
    return {
        "sigma_slope": round(float(slope), 4),
        "sigma_offset": round(float(offset), 4),
        "slope": round(steep, 3),
        "middle": round(middle, 4),
    }


def _logistic(x: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Slope and middle of a logistic by Newton's method, both classes weighted alike, slope held by a small ridge."""
    weight = np.where(truth, 0.5 / truth.mean(), 0.5 / (1 - truth.mean())) / len(x)
    design, w = np.column_stack((x, np.ones_like(x))), np.zeros(2)
    penalty = np.array((RIDGE / 100, 0.0))
    for _ in range(60):
        p = 1 / (1 + np.exp(-design @ w))
        gradient = design.T @ (weight * (p - truth)) + penalty * w
        hessian = design.T @ (design * (weight * p * (1 - p))[:, None]) + np.diag(penalty + 1e-9)
        w -= np.linalg.solve(hessian, gradient)
    return float(w[0]), float(-w[1] / w[0])


if __name__ == "__main__":
    main()
