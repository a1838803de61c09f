"""Detectors of artefacts on the pairs of recipe `artefacts`: 15 artefacts against 16 legal edits.

Every spoilt pair is measured and of each legal edit a seeded draw; `run(data, most=None)` measures all. Two columns:
the transform known, and estimated. Chances are those of calibrations that never saw the photo (five folds by source,
fitted by `bench.fit.artefacts`); families are left out of the calibration in turn. Beside the areas stand plain
comparisons of the two pictures: ΔE, 1 − SSIM, the change in the variance of the Laplacian. Then real pairs, four
skins, and time.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import _alone
from bench._artefact_reality import real_pairs, speed
from bench._artefacts import COLUMNS, ESTIMATED, KNOWN, MOST, Told, drawn, measure, peers
from bench._heldout import model_of
from bench._skins import buckets
from bench.fit.artefacts import PARTS, scores, tables
from bench.harness import Data, Result, auc, bootstrap
from safelight.detectors.calibration import at, calibrated

BARS = {
    "halo": 0.95, "oversmoothing": 0.94, "warp": 0.95, "bent_lines": 0.95, "seam": 0.95, "fringe": 0.95, "holes": 0.95,
    "clipping": 0.97, "hue_twist": 0.97, "banding": 0.97, "ghosting": 0.95, "jpeg": 0.97, "fill_repeat": 0.92,
    "fill_blur": 0.95, "skin_lightening": 0.97,
}  # fmt: skip
ON_SKIN = 0.97  # over-smoothing of faces
WARP_ESTIMATED, WARP_FROM = 0.93, 3.0  # bar; px of displacement from which the bar for warp counts
COVERAGE, CALIBRATION, FAMILY = 0.8, 0.05, 0.05
FALSE = 0.05
ROUNDS = 300  # of pairs drawn anew, for the error that true chances show
PEER_NAMES = ("delta_e", "ssim", "laplacian")
PEERS = 2  # pairs of each kind and strength on which the peers are asked


def run(data: Data, *, most: int | None = MOST) -> Iterable[Result]:
    """All figures; at most `most` pairs of each legal edit, None for all."""
    folder, rows = data.table("artefacts/truth.csv", recipe="artefacts")
    rows = drawn(rows, most)
    told = measure(folder, rows)
    beside = {row["after"]: peers(folder, row) for row in _few(rows)}
    yield from figures(told, beside)
    yield from _alone.figures(folder, rows)
    yield from speed(told)
    yield from buckets(data)
    yield from real_pairs(data)


def figures(told: Sequence[Told], beside: Mapping[str, Mapping[str, float]]) -> Iterator[Result]:
    """What the scores of a whole table come to."""
    for name, bar in BARS.items():
        for column in COLUMNS:
            here = [t for t in told if t.column == column]
            yield from _areas(name, column, here, bar, beside)
        estimated = [t for t in told if t.column == ESTIMATED]
        yield from _calibration(name, estimated)
        yield from _families(name, estimated)


def _few(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    kept: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        kept[row["kind"], row["strength"]].append(row)
    return [row for same in kept.values() for row in same[:: max(1, len(same) // PEERS)]]


# ---------------------------------------------------------------- areas, recall, coverage


def _areas(
    name: str, column: str, told: Sequence[Told], bar: float, beside: Mapping[str, Mapping[str, float]]
) -> Iterator[Result]:
    bad = [t for t in told if t.row["finding"] == name and t.row["tellable"] == "yes"]
    good = [t for t in told if not t.spoilt]
    legal = [s for t in good if (s := t.scores.get(name)) is not None]
    found = _told(bad, name)
    if not found or not legal:
        yield Result(name=f"{name}.{column}.auc", value=None, n=0, note="no such pairs")
        return
    counted = _counted(name, bad)
    low, high = bootstrap(
        [(t.row["source"], t.spoilt, s) for t in (*counted, *good) if (s := t.scores.get(name)) is not None]
    )
    yield Result(
        name=f"{name}.{column}.auc", value=auc(_told(counted, name), legal), n=len(counted) + len(legal),
        bar=WARP_ESTIMATED if (name, column) == ("warp", ESTIMATED) else bar, want="at least", low=low, high=high,
        beside=_peers(counted, good, beside) if column == KNOWN else {},
        note=f"from {WARP_FROM:g} px" if name == "warp" else "",
    )  # fmt: skip
    skin = [t for t in bad if t.row["region"] == "skin"]
    if name == "oversmoothing" and skin:
        faces = [s for t in good if t.row["region"] == "skin" and (s := t.scores.get(name)) is not None]
        yield Result(
            name=f"{name}.{column}.skin.auc", value=auc(_told(skin, name), faces), n=len(skin) + len(faces),
            bar=ON_SKIN, want="at least",
        )  # fmt: skip
    for strength in ("1", "2", "3"):
        one = [t for t in bad if t.row["strength"] == strength]
        if one:
            yield Result(name=f"{name}.{column}.auc.{strength}", value=auc(_told(one, name), legal), n=len(one))
    for kind in sorted({t.row["kind"] for t in good}):
        same = [s for t in good if t.row["kind"] == kind and (s := t.scores.get(name)) is not None]
        if same:
            line = float(np.quantile(same, 1 - FALSE))
            share = float(np.mean([s > line for s in _told(counted, name)]))
            yield Result(name=f"{name}.{column}.recall.{kind}", value=share, n=len(same), note="at 5 % false alarms")
    line = float(np.quantile(legal, 1 - FALSE))
    yield Result(
        name=f"{name}.{column}.recall", value=float(np.mean([s > line for s in _told(counted, name)])),
        n=len(counted), note="at 5 % false alarms of all legal edits",
    )  # fmt: skip
    yield Result(
        name=f"{name}.{column}.coverage", value=len(found) / len(bad), n=len(bad), bar=COVERAGE, want="at least",
        note=f"of legal edits {len(legal) / len(good):.2f}",
    )  # fmt: skip
    hits = [t.hit for t in counted if t.hit is not None]
    if hits:
        yield Result(name=f"{name}.{column}.box", value=float(np.mean(hits)), n=len(hits), note="touches the artefact")


def _told(told: Sequence[Told], name: str) -> list[float]:
    return [s for t in told if (s := t.scores.get(name)) is not None]


def _counted(name: str, bad: Sequence[Told]) -> list[Told]:
    """The pairs for which the bar counts: all, but of warps those from 3 px of displacement."""
    if name != "warp":
        return list(bad)
    return [t for t in bad if json.loads(t.row["parameters"])["largest_px"] >= WARP_FROM]


def _peers(bad: Sequence[Told], good: Sequence[Told], beside: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    both = [[beside[t.row["after"]] for t in side if t.row["after"] in beside] for side in (bad, good)]
    if not all(both):
        return {}
    return {peer: auc([b[peer] for b in both[0]], [b[peer] for b in both[1]]) for peer in PEER_NAMES}


# ---------------------------------------------------------------- chances


def _calibration(name: str, told: Sequence[Told]) -> Iterator[Result]:
    """The error of the chances that a calibration without the photo gives, in ten bins; a drawn legal edit counts for
    all that it stands for, or chances would be held against another share of artefacts than there is. The note says
    what chances that are true would show on so few pairs."""
    pairs = []
    for t in told:
        score = t.scores.get(name)
        if score is None or (t.spoilt and (t.row["finding"] != name or t.row["tellable"] != "yes")):
            continue
        tables_of = model_of("artefacts", t.row["source"]) or calibrated()
        if name in tables_of:
            pairs.append((at(tables_of[name], score), float(t.spoilt), float(t.row.get("stands_for", 1))))
    if not pairs:
        return
    p, y, w = np.array(pairs).T
    rng = np.random.default_rng(1)
    chance = float(np.mean([_error(p, (rng.random(len(p)) < p).astype(float), w) for _ in range(ROUNDS)]))
    yield Result(
        name=f"{name}.ece", value=_error(p, y, w), n=len(pairs), bar=CALIBRATION, want="at most",
        note=f"true chances would show {chance:.3f}",
    )  # fmt: skip


def _error(chances: NDArray[np.float64], spoilt: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    bins = np.minimum((chances * 10).astype(int), 9)
    off = weights * (chances - spoilt)
    return float(sum(abs(off[bins == i].sum()) for i in range(10)) / weights.sum())


def _families(name: str, told: Sequence[Told]) -> Iterator[Result]:
    """What each family of the artefact loses by not being in the calibration.

    Families are the variants of an artefact, or its strengths where it has one variant. For each, and for each fifth
    of the sources, the curve and its threshold are fitted anew on the other sources, with and without the family; then
    the family's pairs that are found (a look or more) less the legal edits that are, on the fifth that was left out.
    """
    column = (
        "variant"
        if len({t.row["variant"] for t in told if t.spoilt and t.row["finding"] == name}) > 1
        else ("strength")
    )
    families = sorted({t.row[column] for t in told if t.spoilt and t.row["finding"] == name})
    sources = sorted({t.row["source"] for t in told})
    gained: dict[str, list[tuple[float, float, int]]] = defaultdict(list)
    for part in range(PARTS):
        left = set(sources[part::PARTS])
        fitted, shown = ([t for t in told if (t.row["source"] in left) is out] for out in (False, True))
        whole = tables(fitted, only=name).get(name)
        for family in families:
            without = tables(fitted, only=name, without=(column, family)).get(name)
            bad, good, stand = scores([t for t in shown if not t.spoilt or t.row[column] == family], name)
            if whole and without and bad and good:
                gained[family].append((_gain(whole, bad, good, stand), _gain(without, bad, good, stand), len(bad)))
    losses = {}
    for family, folds in gained.items():
        with_it, without_it, count = np.array(folds).T
        losses[family] = float(np.average(with_it - without_it, weights=count))
        yield Result(
            name=f"{name}.left_out.{family}", value=losses[family], n=int(count.sum()), bar=FAMILY, want="at most",
            beside={"with it": float(np.average(with_it, weights=count))}, note=f"{column} left out of the calibration",
        )  # fmt: skip
    if losses:
        worst = max(losses, key=lambda f: losses[f])
        yield Result(
            name=f"{name}.left_out", value=losses[worst], n=len(losses), bar=FAMILY, want="at most",
            note=f"most by {column} {worst}",
        )  # fmt: skip


def _gain(table: Mapping[str, Any], bad: Sequence[float], good: Sequence[float], stand: Sequence[float]) -> float:
    """The share of spoilt pairs that a table asks a look for, less that of legal edits."""
    asked = [[at(table, s) >= table["look"] for s in side] for side in (bad, good)]
    return float(np.mean(asked[0]) - np.average(asked[1], weights=stand))
