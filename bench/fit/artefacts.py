"""Fits `detectors/calibration.json`: `python -m bench.fit.artefacts --data DIR`, DIR as recipe `artefacts` writes it.

For each finding, isotonic regression of "has this artefact" on the score, over pairs that a careful viewer could tell
and all legal edits, estimated geometry. Blocks are merged until each holds enough pairs, and drawn a little towards
doubt. Beside the shipped tables, one for each fifth of the sources that never saw it.
"""

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench._artefacts import ESTIMATED, Told, measure
from bench.harness import ROOT, Data

SHIPPED = ROOT / "src" / "safelight" / "detectors" / "calibration.json"
FOLDS = ROOT / "bench" / "fit" / "artefacts.folds.json"
PARTS = 5
LEAST = 10  # pairs in a block
DOUBT = 0.4  # of a pair, added to each side of every block
LOOK_AT, FAIL_AT = 0.05, 0.005  # share of legal edits that may want a look, that may fail
LOOKS, FAILS = (0.25, 0.6), (0.92, 0.97)  # probabilities between which the two thresholds lie

# Not measured here: dlib's network takes two photographs for two people from a distance of 0.6 on, as published; the
# turn of lines against each other that is seen at all is about half a degree.
PUBLISHED = {
    "identity": {"scores": [0.25, 0.45, 0.6, 0.8], "chances": [0.01, 0.2, 0.6, 0.95], "look": 0.4, "fail": 0.9},
    "perspective": {"scores": [0.3, 1.0, 3.0], "chances": [0.01, 0.2, 0.6], "look": 0.5, "fail": 0.9},
}


def main() -> None:
    """Reads the table, measures, fits, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data = Data(roots=(parser.parse_args().data,), work=Path())
    folder, table = data.table("artefacts/truth.csv", recipe="artefacts")
    write(measure(folder, table, columns=(ESTIMATED,)))


def write(told: Sequence[Told]) -> None:
    """Writes the shipped tables and those of the folds."""
    sources = sorted({t.row["source"] for t in told})
    _write(SHIPPED, tables(told) | PUBLISHED)
    folds = []
    for part in range(PARTS):
        left = sources[part::PARTS]
        folds.append({"sources": left, "model": tables([t for t in told if t.row["source"] not in left])})
    _write(FOLDS, {"folds": folds})


def tables(told: Sequence[Told], *, without: tuple[str, str, str] | None = None) -> dict[str, dict[str, Any]]:
    """A table for each finding. `without` leaves out one family: (finding, column of the table, its value)."""
    found = {}
    for name in sorted({t.row["finding"] for t in told if t.spoilt}):
        kept = [t for t in told if without is None or without[0] != name or t.row[without[1]] != without[2]]
        bad, good = scores(kept, name)
        if bad and good:
            found[name] = isotonic(bad, good)
    return found


def scores(told: Iterable[Told], name: str) -> tuple[list[float], list[float]]:
    """Scores of a finding: of pairs that have it and could be told, and of legal edits."""
    bad, good = [], []
    for t in told:
        score = t.scores.get(name)
        if score is None:
            continue
        if not t.spoilt:
            good.append(score)
        elif t.row["finding"] == name and t.row["tellable"] == "yes":
            bad.append(score)
    return bad, good


def isotonic(bad: Sequence[float], good: Sequence[float]) -> dict[str, Any]:
    """The table of one finding and its two thresholds (pool adjacent violators, Barlow et al. 1972)."""
    x = np.concatenate((bad, good))
    y = np.concatenate((np.ones(len(bad)), np.zeros(len(good))))
    order = np.lexsort((y, x))
    x, y = x[order], y[order]
    blocks: list[list[float]] = []  # pairs, artefacts, sum of scores
    for value in np.unique(x):
        here = x == value
        blocks.append([float(here.sum()), float(y[here].sum()), float(x[here].sum())])
        while len(blocks) > 1 and (blocks[-2][1] / blocks[-2][0] >= blocks[-1][1] / blocks[-1][0]):
            last = blocks.pop()
            blocks[-1] = [a + b for a, b in zip(blocks[-1], last, strict=True)]
    merged: list[list[float]] = []
    for block in blocks:
        if merged and merged[-1][0] < LEAST:
            merged[-1] = [a + b for a, b in zip(merged[-1], block, strict=True)]
        else:
            merged.append(block)
    if len(merged) > 1 and merged[-1][0] < LEAST:
        last = merged.pop()
        merged[-1] = [a + b for a, b in zip(merged[-1], last, strict=True)]
    middles = [block[2] / block[0] for block in merged]
    chances = np.maximum.accumulate([(block[1] + DOUBT) / (block[0] + 2 * DOUBT) for block in merged])
    lines = [float(np.interp(np.quantile(good, 1 - share), middles, chances)) for share in (LOOK_AT, FAIL_AT)]
    return {
        "scores": [float(f"{v:.5g}") for v in middles],
        "chances": [round(float(v), 4) for v in chances],
        "look": round(float(np.clip(lines[0], *LOOKS)), 3),
        "fail": round(float(np.clip(lines[1] + 0.02, *FAILS)), 3),
    }


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
