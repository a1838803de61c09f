"""Fits `sharpness.json`: `python -m bench.fit.sharpness --data DIR`, DIR as recipe `quality` writes it.

Two logistics of one feature each. `blur`: all tellable blur against everything that is not blurred, which includes
shallow focus, grain, noise and wrong exposure, as if one photo in seven were blurred, as in a shoot.
`motion`: motion against defocus at strengths from 2, as if both were as frequent.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench._heldout import fit_and_write
from bench.harness import Data
from safelight.media.image import read
from safelight.media.picture import Picture
from safelight.probes.sharpness import features

TELLABLE_MOTION = 2  # strength from which the path of a motion is longer than edges are wide
BLURRED_SHARE = 0.15  # of the photos of a shoot, by assumption
RIDGE = 0.001  # on the slope, for photos softer than these are to come: a wrong reject costs more than a missed one
NOT_BLURRED = ("noise", "over", "under")  # faults that are no blur


@dataclass(frozen=True, kw_only=True)
class Row:
    """One picture: its photo, its features, whether it is blurred and, if that can be told, whether by motion."""

    source: str
    width: float
    range: float | None
    blurred: bool
    motion: bool | None


def main() -> None:
    """Reads the table, measures, fits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    folder, table = Data(roots=(parser.parse_args().data,), work=Path()).table("quality/truth.csv", recipe="quality")
    rows = []
    for row in table:
        blurred = "blur" in row["faults"]
        counts = row["tellable"] == "yes" if blurred else row["faulty"] == "no" or row["kind"] in NOT_BLURRED
        if "blur" in row["own_fault"] or not counts:
            continue
        found = features(Picture(rgb=read(folder / row["file"])))
        if found is not None:
            tells = blurred and int(row["strength"]) >= TELLABLE_MOTION
            rows.append(
                Row(
                    source=row["source"],
                    width=found["width"],
                    range=found.get("range"),
                    blurred=blurred,
                    motion="motion" in row["kind"] if tells else None,
                )
            )
    fit_and_write("sharpness", rows, lambda row: row.source, fit)


def fit(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """The four constants of the model."""
    bias, width = _logistic([r.width for r in rows], [r.blurred for r in rows], share=BLURRED_SHARE)
    pairs = [(r.range, r.motion) for r in rows if r.motion is not None and r.range is not None]
    motion_bias, by_range = _logistic([x for x, _ in pairs], [truth for _, truth in pairs], share=0.5)
    return {"blur": {"bias": bias, "width": width}, "motion": {"bias": motion_bias, "range": by_range}}


def _logistic(values: Sequence[float], truth: Sequence[bool], *, share: float) -> tuple[float, float]:
    """Bias and slope of a logistic by Newton's method, as if this share of the rows were true.

    A small ridge holds the slope.
    """
    y = np.asarray(truth, float)
    design = np.column_stack((np.ones(len(y)), np.asarray(values, float)))
    weight = np.where(y > 0, share / y.mean(), (1 - share) / (1 - y.mean())) / len(y)
    penalty = np.array((0.0, RIDGE))
    w = np.zeros(2)
    for _ in range(40):
        p = 1 / (1 + np.exp(-np.clip(design @ w, -30, 30)))
        hessian = design.T @ (design * (weight * p * (1 - p))[:, None]) + np.diag(penalty + 1e-9)
        w -= np.linalg.solve(hessian, design.T @ (weight * (p - y)) + penalty * w)
    return round(float(w[0]), 4), round(float(w[1]), 4)


if __name__ == "__main__":
    main()
