"""The figures of bench `quality` that are no AUC: sigma and degrees, order within bursts, wrong rejects."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from bench._best import subject
from bench._measured import Job, Row, measure_all
from bench.harness import Data, MissingData, Result, quantile_interval
from safelight.operators._ranking import rank
from safelight.operators.cull import technical_faults

HARD = ("shallow_focus", "low_key", "high_key", "mood", "film_grain")  # good pictures that look like faults


def noise_and_tilt_results(rows: Sequence[Row]) -> Iterator[Result]:
    """How far sigma and degrees are off where they are given and can be told."""
    told = [r for r in rows if r.tellable and r.kind in ("noise", "tilt") and not r.has_itself(r.kind)]
    sigma = [
        (r, abs(r.measured.score("noise.sigma") / _true(r, "sigma_mid_8bit") - 1)) for r in told if r.kind == "noise"
    ]
    yield _median("noise.sigma.error", sigma, unit="of sigma")
    turned = [(r, abs(r.measured.score("tilt.degrees") - _true(r, "deg"))) for r in told if r.kind == "tilt"]
    yield _median("tilt.degrees.error", turned, unit="degrees")
    yield _median("tilt.degrees.error.p90", turned, unit="degrees", q=0.9)
    clean = {r.source: r.measured.score("tilt.degrees") for r in rows if r.kind == "clean"}
    own = [(r, abs(r.measured.score("tilt.degrees") - clean[r.source] - _true(r, "deg"))) for r, _ in turned]
    yield _median("tilt.turn.error", own, unit="degrees", about="against what the clean base itself reads")


def burst_results(data: Data) -> Iterator[Result]:
    """Whether damaged frames rank below all undamaged frames of their burst, by the cull operator's own order."""
    try:
        folder, table = data.table("groups/truth.csv", recipe="groups")
    except MissingData as missing:
        yield Result(name="burst.damaged_below", value=None, n=0, bar=0.97, want="at least", note=str(missing))
        return
    for kind, bar in (("burst", 0.97), ("near_duplicate", None)):
        frames = [row for row in table if row["kind"] == kind]
        measured = measure_all([Job(path=folder / r["file"], source=r["source"], simple=False) for r in frames])
        order: dict[str, list[int]] = {}
        for i, row in enumerate(frames):
            order.setdefault(row["group"], []).append(i)
        below = []
        for members in order.values():
            ranked = rank([subject(frames[i]["file"], measured[i]) for i in members])
            if not any(np.isfinite(r.values).any() for r in ranked):
                continue  # no probe said anything that frames are ranked by
            place = {r.subject.path: k for k, r in enumerate(ranked)}
            whole = [place[frames[i]["file"]] for i in members if not frames[i]["faults"]]
            below += [
                (frames[i]["faults"], place[frames[i]["file"]] > max(whole)) for i in members if frames[i]["faults"]
            ]
        yield _below(f"{kind}.damaged_below", below, bar=bar)
        for root in ("blur", "exposure"):
            yield _below(f"{kind}.damaged_below.{root}", [b for b in below if b[0].startswith(root)])


def reject_results(rows: Sequence[Row]) -> Iterator[Result]:
    """Share of good pictures that the cull operator would call faulty, bases with an own fault left out."""
    good = [r for r in rows if r.good and not r.has_itself("blur") and not r.has_itself("exposure")]
    hard = [r for r in good if r.kind in HARD]
    for name, some, bar in (("reject.wrong", hard, 0.02), ("reject.wrong.all_good", good, None)):
        wrong = [r for r in some if technical_faults(r.measured.facts)]
        kinds = ", ".join(f"{kind} {n}" for kind, n in sorted(Counter(r.kind for r in wrong).items()))
        value = len(wrong) / len(some) if some else None
        yield Result(name=name, value=value, n=len(some), bar=bar, want="at most" if bar else None, note=kinds)


def _true(row: Row, name: str) -> float:
    return float(json.loads(row.truth["parameters"])[name])


def _median(name: str, errors: Sequence[tuple[Row, float]], *, unit: str, q: float = 0.5, about: str = "") -> Result:
    given = [(row.source, error) for row, error in errors if np.isfinite(error)]
    note = f"{len(errors) - len(given)} without an answer" + (f"; {about}" if about else "")
    if not given:
        return Result(name=name, value=None, n=0, unit=unit, note=note)
    values = np.array([error for _, error in given])
    low, high = quantile_interval(values, [source for source, _ in given], q=q)
    return Result(
        name=name, value=float(np.quantile(values, q)), n=len(given), unit=unit, low=low, high=high, note=note
    )


def _below(name: str, frames: Sequence[tuple[str, bool]], *, bar: float | None = None) -> Result:
    value = sum(hit for _, hit in frames) / len(frames) if frames else None
    return Result(name=name, value=value, n=len(frames), bar=bar, want="at least" if bar else None)
