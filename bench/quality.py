"""Faults of known kind and size in photographs: how well each is told from good pictures, beside simple measures.

Good pictures are the clean ones and the hard negatives. An abstention counts as a tie in AUC and as a miss in recall;
coverage is the share answered where the recipe says that the fault can be told. Bases that have the fault themselves
are left out of it. Intervals are over source photos.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench._measured import PROBES, Job, Row, measure_all, probe_module
from bench._quality_more import burst_results, noise_and_tilt_results, reject_results
from bench.harness import Data, Result, auc, bootstrap

COVERAGE = 0.90  # bar, where it can be told
CALLED = 0.5  # from here on a fault counts as called, for recall and false alarms
BRISQUE_SOURCES = 10  # photos on which the slow peer runs too
STRENGTHS = range(1, 6)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One figure: rows of these `kinds` from strength `start` on against good pictures (or the kinds of `against`).

    `peers` maps a simple measure to the sign with which it speaks for the fault. With `told` only rows that can be
    told are judged.
    """

    name: str
    kinds: tuple[str, ...]
    evidence: str
    peers: Mapping[str, int]
    bar: float | None = None
    start: int = 3
    told: bool = False
    against: tuple[str, ...] = ()


SOFT = {"variance_of_laplacian": -1, "tenengrad": -1, "brisque": 1}
CAST = {"log_mean_cast": 1, "brisque": 1}
FAULTS = (
    Fault(name="blur.gaussian", kinds=("blur_gaussian",), evidence="blur", peers=SOFT, bar=0.97),
    Fault(name="blur.defocus", kinds=("blur_defocus",), evidence="blur", peers=SOFT, bar=0.97),
    Fault(name="blur.motion", kinds=("blur_motion",), evidence="blur", peers=SOFT, bar=0.93),
    Fault(name="blur.gaussian.noisy", kinds=("blur_gaussian_noise",), evidence="blur", peers=SOFT, bar=0.93),
    Fault(name="blur.defocus.noisy", kinds=("blur_defocus_noise",), evidence="blur", peers=SOFT, bar=0.93),
    Fault(name="blur.motion.noisy", kinds=("blur_motion_noise",), evidence="blur", peers=SOFT, bar=0.90),
    Fault(
        name="blur.noisy_vs_noise",
        kinds=("blur_gaussian_noise", "blur_defocus_noise", "blur_motion_noise"),
        evidence="blur",
        peers=SOFT,
        against=("noise",),
    ),
    Fault(
        name="blur.motion_vs_defocus",
        kinds=("blur_motion",),
        evidence="blur.motion",
        peers={},
        bar=0.85,
        against=("blur_defocus", "blur_gaussian"),
    ),
    Fault(
        name="blur.motion_vs_defocus.noisy",
        kinds=("blur_motion_noise",),
        evidence="blur.motion",
        peers={},
        against=("blur_defocus_noise", "blur_gaussian_noise"),
    ),
    Fault(
        name="exposure.over",
        kinds=("over",),
        evidence="exposure.over",
        peers={"mean_luma": 1, "brisque": 1},
        bar=0.96,
        start=2,
    ),
    Fault(
        name="exposure.under",
        kinds=("under",),
        evidence="exposure.under",
        peers={"mean_luma": -1, "brisque": 1},
        bar=0.96,
    ),
    Fault(
        name="noise",
        kinds=("noise",),
        evidence="noise",
        peers={"immerkaer": 1, "variance_of_laplacian": 1, "brisque": 1},
        bar=0.95,
    ),
    Fault(name="cast", kinds=("cast_locus", "cast_tint"), evidence="colour.cast", peers=CAST, bar=0.80, told=True),
    Fault(name="cast.locus", kinds=("cast_locus",), evidence="colour.cast", peers=CAST, told=True),
    Fault(name="cast.tint", kinds=("cast_tint",), evidence="colour.cast", peers=CAST, told=True),
    Fault(name="tilt", kinds=("tilt",), evidence="tilt", peers={"brisque": 1}),
)


def run(data: Data) -> Iterable[Result]:
    """Figures for each fault, then noise and tilt in their units, bursts, and wrong rejects."""
    folder, table = data.table("quality/truth.csv", recipe="quality")
    rows = measured_rows(folder, table)
    for name in PROBES:
        if probe_module(name) is None:
            yield Result(name=f"{name}.probe", value=None, n=0, note="this probe is not there")
    for fault in FAULTS:
        yield from fault_results(fault, rows)
    yield from noise_and_tilt_results(rows)
    yield from burst_results(data)
    yield from reject_results(rows)


def measured_rows(folder: Path, table: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The table with every file measured once."""
    sources = sorted({row["source"] for row in table})
    slow = set(random.Random(1).sample(sources, min(BRISQUE_SOURCES, len(sources))))  # noqa: S311 - no secret
    jobs = [Job(path=folder / r["file"], source=r["source"], brisque=r["source"] in slow) for r in table]
    return [Row(truth=truth, measured=m) for truth, m in zip(table, measure_all(jobs), strict=True)]


def fault_results(fault: Fault, rows: Sequence[Row]) -> Iterator[Result]:
    """AUC with its bar, coverage, recall, false alarms, and AUC by strength."""
    usable = [row for row in rows if not row.has_itself(fault.evidence)]
    good = [r for r in usable if (r.kind in fault.against and r.strength >= fault.start if fault.against else r.good)]
    bad = [r for r in usable if r.kind in fault.kinds and (r.tellable or not fault.told)]
    judged = [r for r in bad if r.strength >= fault.start]
    yield _auc(f"{fault.name}.auc", fault, judged, good, bar=fault.bar)
    clear = [r for r in judged if r.tellable]
    scores = np.array([_score(r, fault) for r in clear])
    if len(scores) and _known(fault, rows):
        yield _share(f"{fault.name}.coverage", ~np.isnan(scores), bar=COVERAGE if fault.bar else None)
        yield _share(f"{fault.name}.recall", scores >= CALLED)
    if good and not fault.against and _known(fault, rows):
        yield _share(f"{fault.name}.false", np.array([_score(r, fault) for r in good]) >= CALLED)
    for strength in STRENGTHS:
        some = [r for r in bad if r.strength == strength]
        if some:
            yield _auc(f"{fault.name}.s{strength}.auc", fault, some, good)


def _auc(name: str, fault: Fault, bad: Sequence[Row], good: Sequence[Row], *, bar: float | None = None) -> Result:
    want = "at least" if bar is not None else None
    if not bad or not good or not _known(fault, [*bad, *good]):
        return Result(name=name, value=None, n=len(bad), bar=bar, want=want)
    triples = [(r.source, is_bad, _score(r, fault)) for is_bad, some in ((True, bad), (False, good)) for r in some]
    low, high = bootstrap(triples)
    return Result(
        name=name,
        value=auc([s for _, is_bad, s in triples if is_bad], [s for _, is_bad, s in triples if not is_bad]),
        n=len(bad),
        bar=bar,
        want=want,
        low=low,
        high=high,
        beside=_beside(fault, bad, good),
        note=f"against {len(good)}" + (_reach_of_brisque([*bad, *good]) if "brisque" in fault.peers else ""),
    )


def _beside(fault: Fault, bad: Sequence[Row], good: Sequence[Row]) -> dict[str, float]:
    """The peers' AUC on the same files; BRISQUE's on those of its photos."""
    out = {}
    for peer, sign in fault.peers.items():
        ours, theirs = (
            [sign * r.measured.peers[peer] for r in rows if peer in r.measured.peers] for rows in (bad, good)
        )
        if ours and theirs:
            out[peer] = auc(ours, theirs)
    return out


def _reach_of_brisque(rows: Sequence[Row]) -> str:
    seen = {r.source for r in rows if "brisque" in r.measured.peers}
    every = {r.source for r in rows}
    return "" if seen == every else f"; BRISQUE on {len(seen)} of {len(every)} photos, copies of 0.3 MP"


def _score(row: Row, fault: Fault) -> float:
    return row.measured.score(fault.evidence)


def _known(fault: Fault, rows: Sequence[Row]) -> bool:
    """Whether any probe said anything under this name, if only that it cannot tell."""
    return any(fault.evidence in row.measured.facts for row in rows)


def _share(name: str, hits: NDArray[np.bool_], *, bar: float | None = None) -> Result:
    want = "at least" if bar is not None else None
    return Result(name=name, value=float(hits.mean()), n=len(hits), bar=bar, want=want)
