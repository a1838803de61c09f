"""Fits `detectors/calibration.json`: `python -m bench.fit.artefacts --data DIR --data DIR …`, DIRs as recipe
`artefacts` writes them with one seed or another.

For each finding, a logistic curve of "has this artefact" over the score, on pairs that a careful viewer could tell and
all legal edits, estimated geometry. Two numbers a finding, on the score itself or on a scale that is linear near 0 and
logarithmic beyond (the inverse hyperbolic sine), whichever is likelier: the chance rises wherever the score does, also
for damage that the fit has not seen. Between honest edits and the mildest spoilt pair of a table lies damage that the
table does not show; a few made scores there keep the curve from rising only where the table happens to begin.

Beside the shipped tables, one for each fifth of the sources that never saw it: what the bench says of a photo's chances
comes from the one that never saw that photo, whatever was done to it. What is measured here is what the bench measures,
and is kept for it.
"""

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from bench._artefacts import ESTIMATED, MOST, Told, drawn, measure
from bench.harness import ROOT, Data

SHIPPED = ROOT / "src" / "safelight" / "detectors" / "calibration.json"
FOLDS = ROOT / "bench" / "fit" / "artefacts.folds.json"
PARTS = 5
FEWEST = 4  # pairs that have the artefact, without which nothing is fitted
SOFT = 0.25  # of the score that nine in ten spoilt pairs reach: where the scale turns from linear to logarithmic
MILD, MILD_WEIGHT = (0.1, 0.3, 0.5), 0.3  # of the way from honest edits to each spoilt pair; what they weigh together
MILD_FROM = 0.02  # share of legal edits that score above the place where honest edits are taken to end
RIDGE = 1.0  # on the logarithm of the slope: pairs that part without overlap would ask for an endless one
ODDS = np.linspace(-6, 6, 25)  # log odds at which the curve is tabulated; it stays level beyond
LOOK_AT, FAIL_AT = 0.05, 0.005  # share of legal edits that may want a look, that may fail
LOOKS, FAILS = (0.25, 0.6), (0.92, 0.97)  # probabilities between which the two thresholds lie

# Not measured here: dlib's network takes two photographs for two people from a distance of 0.6 on, as published; the
# turn of lines against each other that is seen at all is about half a degree.
PUBLISHED = {
    "identity": {"scores": [0.25, 0.45, 0.6, 0.8], "chances": [0.01, 0.2, 0.6, 0.95], "look": 0.4, "fail": 0.9},
    "perspective": {"scores": [0.3, 1.0, 3.0], "chances": [0.01, 0.2, 0.6], "look": 0.5, "fail": 0.9},
}


def main() -> None:
    """Reads the tables, measures, fits, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, action="append", required=True)
    told = []
    for root in parser.parse_args().data:
        folder, table = Data(roots=(root,), work=Path()).table("artefacts/truth.csv", recipe="artefacts")
        told += [t for t in measure(folder, drawn(table, MOST)) if t.column == ESTIMATED]
    write(told)


def write(told: Sequence[Told]) -> None:
    """Writes the shipped tables and those of the folds."""
    sources = sorted({t.row["source"] for t in told})
    _write(SHIPPED, tables(told) | PUBLISHED)
    folds = []
    for part in range(PARTS):
        left = sources[part::PARTS]
        folds.append({"sources": left, "model": tables([t for t in told if t.row["source"] not in left])})
    _write(FOLDS, {"folds": folds})


def tables(
    told: Sequence[Told], *, only: str | None = None, without: tuple[str, str] | None = None
) -> dict[str, dict[str, Any]]:
    """A table for each finding, or for one. `without` leaves out one family: (column of the table, its value). Those
    that stay stand for it too: how its pairs look is unknown then, not how often pairs are spoilt."""
    found = {}
    for name in [only] if only else sorted({t.row["finding"] for t in told if t.spoilt}):
        kept = [t for t in told if without is None or not t.spoilt or t.row[without[0]] != without[1]]
        (every, _, _), (bad, good, stand) = scores(told, name), scores(kept, name)
        if len(bad) >= FEWEST and good:
            found[name] = logistic(bad, good, stand, each=len(every) / len(bad))
    return found


def scores(told: Iterable[Told], name: str) -> tuple[list[float], list[float], list[float]]:
    """Scores of a finding: of pairs that have it and could be told, and of legal edits, each with how many of them it
    stands for."""
    bad, good, stand = [], [], []
    for t in told:
        score = t.scores.get(name)
        if score is None:
            continue
        if not t.spoilt:
            good.append(score)
            stand.append(float(t.row.get("stands_for", 1)))
        elif t.row["finding"] == name and t.row["tellable"] == "yes":
            bad.append(score)
    return bad, good, stand


def logistic(
    bad: Sequence[float], good: Sequence[float], stand: Sequence[float] = (), *, each: float = 1.0
) -> dict[str, Any]:
    """The table of one finding and its two thresholds (Platt 1999, by penalised likelihood); `stand` weighs the legal
    edits, `each` the spoilt pairs."""
    mild = _milder(bad, _quantile(good, stand, 1 - MILD_FROM))
    x = np.concatenate((bad, mild, good))
    weight = np.concatenate(
        (np.full(len(bad), each), np.full(len(mild), each * MILD_WEIGHT / len(MILD)), stand or np.ones(len(good)))
    )
    sign = np.concatenate((np.ones(len(bad) + len(mild)), -np.ones(len(good))))
    soft = SOFT * float(np.quantile(np.abs(bad), 0.1)) + 1e-6
    best, scores = np.inf, x
    for bend, straighten in ((np.arcsinh, np.sinh), (np.positive, np.positive)):
        u = bend(x / soft)

        def cost(w: NDArray[np.float64], u: NDArray[np.float64] = u) -> float:
            return float((weight * np.logaddexp(0, -sign * (w[0] + np.exp(w[1]) * u))).sum() + RIDGE * w[1] ** 2)

        found = optimize.minimize(cost, (-2.0, 0.0), method="BFGS")
        if found.fun < best:
            best, scores = found.fun, soft * straighten((ODDS - found.x[0]) / np.exp(found.x[1]))
    chances = 1 / (1 + np.exp(-ODDS))
    lines = [float(np.interp(_quantile(good, stand, 1 - share), scores, chances)) for share in (LOOK_AT, FAIL_AT)]
    return {
        "scores": [float(f"{v:.5g}") for v in scores],
        "chances": [round(float(v), 4) for v in chances],
        "look": round(float(np.clip(lines[0], *LOOKS)), 3),
        "fail": round(float(np.clip(lines[1] + 0.02, *FAILS)), 3),
    }


def _milder(bad: Sequence[float], honest: float) -> NDArray[np.float64]:
    """Scores of milder damage than was seen: on the way to each spoilt pair from where honest edits end."""
    beyond = np.asarray([score - honest for score in bad if score > honest])
    return np.asarray([honest + share * far for share in MILD for far in beyond], np.float64)


def _quantile(values: Sequence[float], weights: Sequence[float], share: float) -> float:
    """A weighted quantile, between values by straight lines; all weigh the same where no weights are given."""
    order = np.argsort(values)
    weight = np.asarray(weights or np.ones(len(values)), float)[order]
    middle = np.cumsum(weight) - weight / 2
    return float(np.interp(share * weight.sum(), middle, np.asarray(values)[order]))


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
