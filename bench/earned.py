"""Sixty shoots from pictures: when culling earns its licence, what it lets through, what a broken lens does.

Photographs with faults of known kind go through the probes of the product, each judged by a model that never saw the
photo, and in shoots of bursts through its cull operator, coins, record and licences, in order. A made reviewer decides
what a person is shown, and errs as often as stated. From shoot LENS on a lens is decentred: half of every frame is
out of focus, until all of a shoot has come before the reviewer, who then sends the lens away.
"""

import hashlib
import json
import pickle
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import platformdirs

from bench import _measured
from bench._earned_plot import plot
from bench._measured import Job, Measured, measure_picture
from bench.harness import ROOT, Data, Result
from safelight import plugins
from safelight.domain import Asset, Cull, Drawn, Group, GroupKind, Kind, Measure
from safelight.learn import audit, draws
from safelight.learn.record import Cell, Record, Row, Rules, TaskRules
from safelight.media.image import read
from safelight.media.picture import Picture
from safelight.operators import Subject, Wishes

SHOOTS, BURSTS, FRAMES = 60, 24, 3
LENS = 45  # the shoot, counted from 1, in which the lens breaks
ALPHA, DELTA = 0.02, 0.1  # what this studio asks of culling; the policy that ships asks .005
MISSED, PICKY = 0.05, 0.001  # shares of bad decisions that the reviewer approves, and of good ones that he rejects
KNOWN_BADS = 2  # a shoot
FAULTY = ("blur_gaussian", "blur_defocus", "blur_motion", "over", "under")
GOOD = ("clean", "sharpened", "graded", "film_grain")
SEED = 1


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A picture of a burst: what the probes said, and whether it is fit to be delivered."""

    facts: Mapping[str, Measure]
    good: bool


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The frames of one photograph: fit, faulty, and through the broken lens."""

    good: list[Frame]
    faulty: list[Frame]
    lens: list[Frame]


@dataclass(kw_only=True)
class Shoot:
    """What became of one shoot."""

    number: int
    offered: int = 0
    alone: int = 0
    let_through: int = 0
    state: str = "apprentice"
    events: list[str] = field(default_factory=list)


def run(data: Data) -> Iterable[Result]:
    """Sixty shoots in order."""
    pools = _pools(data)
    shoots, cell = story(pools, lens=LENS)
    calm, _ = story(pools, lens=None)
    yield from _told(shoots, calm, cell)


def _told(shoots: Sequence[Shoot], calm: Sequence[Shoot], cell: Cell) -> Iterable[Result]:
    licensed = next((s.number for s in shoots if s.state == "licensed"), None)
    n = sum(s.offered for s in shoots)
    yield Result(
        name="culling.licensed_from_shoot", value=licensed, n=n, unit="shoots", bar=SHOOTS, want="at most",
        note=f"alpha {ALPHA:g}, delta {DELTA:g}, {cell.drawn} drawn by coin",
    )  # fmt: skip
    for name, some in (
        ("without_a_broken_lens", calm),
        ("before_it_broke", shoots[: LENS - 1]),
        ("all", shoots),
    ):
        alone = sum(s.alone for s in some)
        bad = sum(s.let_through for s in some)
        yield Result(
            name=f"culling.let_through.{name}", value=bad / alone if alone else None, n=alone,
            bar=ALPHA, want="at most", note=f"{bad} bad of {alone} done alone",
        )  # fmt: skip
    told = [s for s in shoots if s.number >= (licensed or SHOOTS)]
    share = sum(s.alone for s in told) / max(1, sum(s.offered for s in told))
    yield Result(name="culling.share_alone_since_licence", value=share, n=sum(s.offered for s in told))
    broken = next(s for s in shoots if s.number == LENS)
    yield Result(
        name="lens.let_through_in_the_shoot", value=broken.let_through, n=broken.offered, unit="photos", bar=0,
        want="at most", note=" ".join(broken.events) or "nothing was noticed",
    )  # fmt: skip
    after = [s for s in shoots if s.number >= LENS]
    found = sum(s.let_through for s in after)
    yield Result(
        name="lens.let_through_until_the_end", value=found, n=sum(s.offered for s in after), unit="photos",
        beside={"printed_exposure_at_5_alpha": audit.exposure(5 * ALPHA, ALPHA, cell.audit)},
        note="; ".join(f"shoot {s.number}: {e}" for s in after for e in s.events),
    )  # fmt: skip
    yield Result(name="reviewer.known_bads_caught", value=cell.caught[1] / max(1, cell.caught[0]), n=cell.caught[0])
    yield Result(name="culling.reject_rate", value=cell.drawn_bad / max(1, cell.drawn), n=cell.drawn, low=cell.rate_low,
                 high=cell.rate_high)  # fmt: skip


# ---------------------------------------------------------------- the story


def story(pools: Sequence[Pool], *, lens: int | None) -> tuple[list[Shoot], Cell]:
    """The shoots in order, each under the record of those before it."""
    rng = np.random.default_rng(SEED)
    rules = Rules(default=TaskRules(alpha=ALPHA, delta=DELTA))
    rows: list[Row] = []
    out: list[Shoot] = []
    record = Record.from_rows(rows, rules)
    broken = False
    for number in range(1, SHOOTS + 1):
        broken = broken or number == lens
        shoot, fresh = _shoot(rng, pools, number, record, broken=broken)
        if broken and not shoot.alone:
            broken = False  # the reviewer has seen all of it
            shoot.events.append("The reviewer saw all of it and sent the lens away.")
        rows += fresh
        before = len(_cell(record).history) if record.cells else 0
        record = Record.from_rows(rows, rules)
        shoot.events += [e.because for e in _cell(record).history[before:] if e.event != "canary_failed"]
        out.append(shoot)
    return out, _cell(record)


def _cell(record: Record) -> Cell:
    return record.cells[0]


def _shoot(
    rng: np.random.Generator, pools: Sequence[Pool], number: int, record: Record, *, broken: bool
) -> tuple[Shoot, list[Row]]:
    """One shoot: what is proposed, what the coin draws, what is done alone, what the reviewer says."""
    frames, groups = _bursts(rng, pools, number, broken=broken)
    decided = _culled(frames, groups)
    wrong = {a: _wrong(a, frames, groups, {k: d for k, (d, _) in decided.items()}) for a in decided}
    offered = {a: score for a, (decision, score) in decided.items() if decision is not Cull.UNDECIDED}
    standing = record.licensed("cull", "", "", None)
    drawn = draws.draw(
        f"shoot-{number}", "cull", offered, canary=standing.canary, audit=standing.audit, evidence=draws.EVIDENCE,
        ladder=record.ladder("cull"),
    )  # fmt: skip
    said = {a: _said(rng, bad=wrong[a]) for a in offered}
    shoot = Shoot(number=number, offered=len(offered), state=standing.state)
    canaries = [a for a, kind in drawn.items() if kind is Drawn.CANARY]
    let = {a: record.licensed("cull", "", "", score).auto for a, score in offered.items()}
    if any(said[a] for a in canaries if let[a]):
        shoot.events.append("A canary was bad: all of the shoot went to the reviewer.")
        let = dict.fromkeys(let, False)
    alone = [a for a in offered if let[a] and a not in drawn]
    shoot.alone, shoot.let_through = len(alone), sum(wrong[a] for a in alone)
    rows = []
    for i, (asset, score) in enumerate(offered.items()):
        if asset not in alone:
            kind = drawn.get(asset, Drawn.REVIEW)
            rows.append(_row(number, i, asset, score, kind, bad=said[asset]))
    rows += [
        _row(number, 900 + i, f"{number}/known/{i}", 0.9, Drawn.KNOWN_BAD, bad=bool(rng.random() >= MISSED))
        for i in range(KNOWN_BADS)
    ]
    return shoot, rows


def _row(number: int, i: int, asset: str, score: float, kind: Drawn, *, bad: bool) -> Row:
    return Row(
        at=f"2026-{1 + number // 28:02d}-{1 + number % 28:02d}T10:{i // 60:02d}:{i % 60:02d}", by="ann", asset=asset,
        shoot=f"shoot-{number}", operator="cull", version=1, say="reject" if bad else "approve", bad=bad, score=score,
        drawn=kind,
    )  # fmt: skip


def _said(rng: np.random.Generator, *, bad: bool) -> bool:
    """Whether the reviewer rejects a decision."""
    return bool(rng.random() >= MISSED) if bad else bool(rng.random() < PICKY)


def _bursts(
    rng: np.random.Generator, pools: Sequence[Pool], number: int, *, broken: bool
) -> tuple[dict[str, Frame], list[list[str]]]:
    """Bursts of one photograph each: a fit frame and others, every second of them faulty."""
    frames: dict[str, Frame] = {}
    groups = []
    for burst, which in enumerate(rng.permutation(len(pools))[:BURSTS].tolist()):
        pool = pools[which]
        chosen = [_any(rng, pool.good)]
        chosen += [_any(rng, pool.faulty if rng.random() < 0.5 else pool.good) for _ in range(FRAMES - 1)]
        if broken and pool.lens:
            chosen = [_any(rng, pool.lens) for _ in range(FRAMES)]
        names = [f"{number}/{burst}/{i}" for i in rng.permutation(FRAMES).tolist()]
        frames |= dict(zip(names, chosen, strict=True))
        groups.append(sorted(names))
    return frames, groups


def _any(rng: np.random.Generator, some: Sequence[Frame]) -> Frame:
    return some[int(rng.integers(len(some)))]


def _culled(frames: Mapping[str, Frame], groups: Sequence[Sequence[str]]) -> dict[str, tuple[Cull, float]]:
    """What the product's own operator decides."""
    subjects = []
    for members in groups:
        group = Group(id=members[0], kind=GroupKind.BURST, members=tuple(members), by="bench")
        for name in members:
            asset = Asset(id=name, content=None, kind=Kind.PHOTO, format="jpeg", width=1024, height=683)
            subjects.append(Subject(asset=asset, path=name, facts=frames[name].facts, groups=(group,), scene=None))
    found = plugins.operator("cull").propose(subjects, Wishes())
    return {s.member: (s.params.decision, float(s.score or 0.0)) for s in found if s.params is not None}


def _wrong(
    name: str, frames: Mapping[str, Frame], groups: Sequence[Sequence[str]], decided: Mapping[str, Cull]
) -> bool:
    """Whether a decision is bad: an unfit frame is kept, or a fit one goes though no fit one of its burst stays."""
    burst = next(members for members in groups if name in members)
    if decided[name] is Cull.KEEP:
        return not frames[name].good
    kept = any(frames[m].good and decided[m] is not Cull.REJECT for m in burst)
    return decided[name] is Cull.REJECT and frames[name].good and not kept


# ---------------------------------------------------------------- pictures


def _pools(data: Data) -> list[Pool]:
    """Frames by photograph, measured once and kept, for as long as probes and pictures are the same."""
    folder, rows = data.table("quality/truth.csv", recipe="quality")
    rows = [r for r in rows if not r["own_fault"] and (r["kind"] in GOOD or _is_fault(r))]
    keys = [p.label for p in plugins.ordered_probes() if p.name in _measured.PROBES]
    digest = hashlib.sha256(json.dumps([keys, [r["file"] for r in rows], str(folder)]).encode()).hexdigest()[:16]
    kept = Path(platformdirs.user_cache_dir("safelight-bench")) / f"earned-{digest}.pickle"
    if kept.is_file():
        found: dict[str, Measured] = pickle.loads(kept.read_bytes())  # noqa: S301 - written below, on this machine
    else:
        found = _looked(folder, rows)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(pickle.dumps(found))
    pools: dict[str, Pool] = {}
    for row in rows:
        pool = pools.setdefault(row["source"], Pool(good=[], faulty=[], lens=[]))
        is_good = row["kind"] in GOOD
        (pool.good if is_good else pool.faulty).append(Frame(facts=found[row["file"]].facts, good=is_good))
        if "lens/" + row["file"] in found:
            pool.lens.append(Frame(facts=found["lens/" + row["file"]].facts, good=False))
    return [pool for pool in pools.values() if pool.good and pool.faulty]


def _is_fault(row: Mapping[str, Any]) -> bool:
    return row["kind"] in FAULTY and row["tellable"] == "yes" and int(row["strength"]) >= 3


def _looked(folder: Path, rows: Sequence[Mapping[str, Any]]) -> dict[str, Measured]:
    jobs = [Job(path=folder / r["file"], source=r["source"], simple=False) for r in rows]
    found = {r["file"]: m for r, m in zip(rows, _measured.measure_all(jobs), strict=True)}
    for row in rows:
        if row["kind"] in GOOD:
            picture = Picture(rgb=decentred(read(folder / row["file"])))
            found["lens/" + row["file"]] = Measured(facts=measure_picture(picture, row["source"]))
    return found


def decentred(rgb: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A frame through a decentred lens: sharp on the left, out of focus towards the right edge, in linear light."""
    linear = (rgb.astype(np.float32) / 255) ** 2.2
    wide = rgb.shape[1]
    soft = cv2.GaussianBlur(linear, (0, 0), 0.006 * max(rgb.shape))
    weight = np.clip((np.arange(wide, dtype=np.float32) / wide - 0.35) / 0.3, 0, 1)[None, :, None]
    mixed = linear * (1 - weight) + soft * weight
    return np.asarray(np.rint(255 * np.clip(mixed, 0, 1) ** (1 / 2.2)), np.uint8)


if __name__ == "__main__":  # python -m bench.earned DIR: draws the plot of the manual
    made, _ = story(_pools(Data(roots=tuple(Path(p) for p in sys.argv[1:]), work=ROOT)), lens=LENS)
    (ROOT / "docs" / "images" / "earned.svg").write_text(plot(made, lens=LENS, alpha=ALPHA), encoding="utf-8")
