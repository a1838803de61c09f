"""Fits `tone.json`: `python -m bench.fit.tone --data DIR --data DIR …`, DIRs as recipe `quality` writes them.

Clean photos, as they are and a little too bright or dark, are put through the curves of `bench._tones`; the target is
how far six tones should move back. Good pictures of the recipe (low key, high key, coloured light, strong grades …)
should not move. A ridge on quadratic terms gives the moves; a logistic on what it says of photos that it never saw
gives the chance of a fault. What a viewer could not name without the original teaches the moves, not the chance. The
shipped model was fitted on the shared photos with seeds 1 and 2, at 900 px.
"""

import argparse
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench._heldout import fit_and_write
from bench._tones import DISTORTIONS, STRENGTHS, Curve, distorted, tones
from bench.harness import Data
from safelight.media.colour import decode, encode
from safelight.media.frame import Bytes
from safelight.media.image import read
from safelight.media.picture import Picture, shrink
from safelight.probes.exposure import quadratic, standardised
from safelight.probes.tone import SHARES, fault_terms, look

Vector = NDArray[np.float64]

FOLDS = 8
RIDGE = 600.0
FAULT_RIDGE = 20.0
SIDE = 500  # px
SHIFTS = (-0.35, 0.0, 0.35)  # EV that a clean photo may be off before its tones are treated
GOOD_COUNTS = 6.0  # times as much as a treated picture: there are fewer
TOLD = 0.035  # encoded: a tone moved by this much is seen
UNTOLD = ("blocked", "hot")  # a photo may well be so: these teach the moves, not the chance
KEPT = ("clean", "mood", "low_key", "high_key", "film_grain", "sharpened", "graded", "shallow_focus")
FINAL = 0.0  # EV assumed of the exposure


@dataclass(frozen=True, kw_only=True)
class Row:
    """One picture: its photo, its features, and how far its tones should move."""

    source: str
    seen: Vector
    moves: Vector
    told: bool  # whether a viewer could tell that something was done


def main() -> None:
    """Reads the tables, distorts, measures, fits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, action="append", required=True)
    rows = [row for number, root in enumerate(parser.parse_args().data) for row in read_rows(root, number)]
    fit_and_write("tone", rows, lambda row: row.source, fit, folds=FOLDS)


def read_rows(root: Path, seed: int) -> Iterator[Row]:
    """Clean pictures put through curves, and good ones as they are."""
    folder, table = Data(roots=(root,), work=Path()).table("quality/truth.csv", recipe="quality")
    for row in table:
        if row["kind"] not in KEPT:
            continue
        rgb = shrink(read(folder / row["file"]), SIDE)
        yield _good(row["source"], rgb)
        if row["kind"] == "clean":
            yield from _treated(rgb, row["source"], seed)


def _treated(rgb: Bytes, source: str, seed: int) -> Iterator[Row]:
    for ev in SHIFTS:
        start = distorted(rgb, _gain(ev)) if ev else rgb
        if ev:
            yield _good(source, start)
        for name, make in DISTORTIONS.items():
            for strength in STRENGTHS:
                key = zlib.crc32(f"{source} {name} {strength} {ev}".encode())
                bad = distorted(start, make(strength, np.random.default_rng((seed, key))))
                moves = tones(start, SHARES) - tones(bad, SHARES)
                told = name not in UNTOLD and float(np.abs(moves).max()) >= TOLD
                yield Row(source=source, seen=_seen(bad), moves=moves, told=told)


def _gain(ev: float) -> Curve:
    return lambda u: np.asarray(encode(np.minimum(decode(u) * 2.0**ev, 1)))


def _good(source: str, rgb: Bytes) -> Row:
    return Row(source=source, seen=_seen(rgb), moves=np.zeros(len(SHARES)), told=False)


def _seen(rgb: Bytes) -> Vector:
    return look(Picture(rgb=rgb)).at(FINAL)


def fit(rows: Sequence[Row]) -> dict[str, Any]:
    """The model; see the module's text."""
    seen, moves = np.stack([row.seen for row in rows]), np.stack([row.moves for row in rows])
    scaling = {"mean": _short(seen.mean(axis=0)), "scale": _short(seen.std(axis=0) + 1e-6)}
    z = standardised(seen, scaling)
    good = np.asarray(~moves.any(axis=1))
    weights = np.where(good, GOOD_COUNTS, 1.0)
    terms = quadratic(z)
    said = _left_out(terms, moves, weights, [row.source for row in rows])
    bad = np.array([row.told for row in rows])
    return scaling | {
        "moves": [_short(row) for row in _ridge(terms, moves, weights)],
        "fault": _short(_logistic(fault_terms(z, said), bad, good)),
    }


def _left_out(terms: Vector, target: Vector, weights: Vector, sources: Sequence[str]) -> Vector:
    """What the ridge says of each photo when fitted without it."""
    left, right = terms.T @ (terms * weights[:, None]), terms.T @ (weights[:, None] * target)
    names, said = np.array(sources), np.zeros_like(target)
    for name in np.unique(names):
        own = names == name
        some = terms[own] * weights[own][:, None]
        said[own] = terms[own] @ _solve(left - terms[own].T @ some, right - some.T @ target[own])
    return said


def _ridge(terms: Vector, target: Vector, weights: Vector) -> Vector:
    return _solve(terms.T @ (terms * weights[:, None]), terms.T @ (weights[:, None] * target))


def _solve(left: Vector, right: Vector) -> Vector:
    penalty = np.full(len(right), RIDGE)
    penalty[0] = 0  # the constant is free
    return np.asarray(np.linalg.solve(left + np.diag(penalty), right), np.float64)


def _logistic(terms: Vector, bad: NDArray[np.bool_], good: NDArray[np.bool_]) -> Vector:
    """Weights by Newton's method, both classes weighted alike; a ridge holds all but the constant."""
    weights = 300 * (bad / max(bad.sum(), 1) + good / max(good.sum(), 1))
    line = np.zeros(terms.shape[1])
    penalty = np.full(len(line), FAULT_RIDGE)
    penalty[0] = 0
    for _ in range(40):
        chance = 1 / (1 + np.exp(-np.clip(terms @ line, -30, 30)))
        slope = terms.T @ (weights * (chance - bad)) + penalty * line
        curve = terms.T @ (terms * (weights * chance * (1 - chance))[:, None]) + np.diag(penalty + 1e-9)
        line -= np.linalg.solve(curve, slope)
    return line


def _short(values: Vector) -> list[float]:
    return [float(f"{value:.4g}") for value in values]


if __name__ == "__main__":
    main()
