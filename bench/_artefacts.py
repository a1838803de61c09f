"""Scores of every detector on the pairs of recipe `artefacts`, with the transform known and estimated.

A spoilt pair is looked at by the detector of its own finding, a legal edit by all. Rows of sources go to processes; a
row whose estimated geometry is none, as is its true one, is measured once for both columns. What was measured is kept
beside the code until a detector changes, so that a run which was stopped goes on where it stood.
"""

import hashlib
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.harness import ROOT
from safelight import detectors, plugins
from safelight.checking import as_mask
from safelight.detectors import Box, Finding, Pair, known, place
from safelight.media.image import read
from safelight.media.picture import grey, shrink
from safelight.weights import installed

KEPT = ROOT / ".safelight" / "bench"
KNOWN, ESTIMATED = "known", "estimated"
COLUMNS = (KNOWN, ESTIMATED)
MOST = 12  # pairs of each legal edit that are measured; they count for all that they stand for
SEED = 1  # of the draw among legal edits
WHOLE = ("good_cutout",)  # never drawn from: the only legal edits by which mattes can be told


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was said of one pair in one column: a score by finding (None: cannot tell), boxes, seconds by detector."""

    row: Mapping[str, Any]
    column: str
    scores: Mapping[str, float | None]
    boxes: Mapping[str, Box | None]
    seconds: Mapping[str, float]
    megapixels: float
    cannot: str | None

    @property
    def spoilt(self) -> bool:
        """Whether the pair has an artefact."""
        return bool(self.row["artefact"] == "yes")

    @property
    def hit(self) -> bool | None:
        """Whether the box of the pair's own finding touches where the artefact is; None without either."""
        box, truth = self.boxes.get(self.row["finding"]), self.row["where"]
        if box is None or not truth:
            return None
        x0, y0, x1, y1 = json.loads(truth)
        return bool(min(box[2], x1) > max(box[0], x0) and min(box[3], y1) > max(box[1], y0))


def drawn(rows: Sequence[dict[str, Any]], most: int | None) -> list[dict[str, Any]]:
    """All spoilt pairs, and of each kind of legal edit on photos and on skin up to `most`, by a seeded draw that goes
    round the sources, so that none of them is drawn twice before all are drawn once."""
    legal: dict[tuple[str, str], dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["artefact"] == "no":
            legal[row["kind"], row["region"]][row["source"]].append(row)
    kept = [row for row in rows if row["artefact"] == "yes"]
    rng = np.random.default_rng(SEED)
    for (kind, _), by_source in legal.items():
        piles = [[pile[i] for i in rng.permutation(len(pile))] for _, pile in sorted(by_source.items())]
        piles = [piles[i] for i in rng.permutation(len(piles))]
        turns = [pile[i] for i in range(max(map(len, piles))) for pile in piles if i < len(pile)]
        taken = turns if kind in WHOLE else turns[:most]
        kept += [row | {"stands_for": len(turns) / len(taken)} for row in taken]
    return kept


def measure(
    folder: Path, rows: Sequence[Mapping[str, Any]], *, columns: Sequence[str] = COLUMNS, jobs: int | None = None,
    only: Iterable[str] = (),
) -> list[Told]:  # fmt: skip
    """Every row in every column; `only` names detectors, default all."""
    chosen = tuple(only) or tuple(plugins.detectors())
    kept = _Kept(folder, columns, chosen)
    missing = [row for row in rows if row["after"] not in kept.lines]
    work = partial(_told, folder, columns, chosen)
    context = get_context("spawn")  # a fork would copy the locks of OpenCV's threads, and wait for them
    with ProcessPoolExecutor(jobs or os.cpu_count(), mp_context=context, initializer=_alone) as pool:
        for row, both in zip(missing, pool.map(work, missing, chunksize=4), strict=True):
            kept.add(row["after"], both)
    return [Told(row=row, **told) for row in rows for told in kept.lines[row["after"]]]


class _Kept:
    """What was measured of a table by these very detectors: a line a row, added as soon as it is known."""

    def __init__(self, folder: Path, columns: Sequence[str], chosen: Sequence[str]) -> None:
        said = hashlib.sha256(repr((str(folder), tuple(columns), tuple(chosen))).encode())
        said.update((folder / "truth.csv").read_bytes())
        for module in sorted(Path(detectors.__file__).parent.glob("*.py")):
            said.update(module.read_bytes())
        self.path = KEPT / f"artefacts-{said.hexdigest()[:16]}.jsonl"
        self.lines: dict[str, list[dict[str, Any]]] = {}
        if self.path.is_file():
            whole, _, rest = self.path.read_text("utf-8").rpartition("\n")
            if rest:  # a run that was killed left half a line
                self.path.write_text(whole + "\n", encoding="utf-8")
            self.lines = dict(json.loads(line) for line in whole.splitlines())

    def add(self, after: str, both: Sequence[Told]) -> None:
        """Keeps what was told of one row."""
        plain = [{k: v for k, v in asdict(told).items() if k != "row"} for told in both]
        self.lines[after] = plain
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([after, plain], default=float) + "\n")


def _alone() -> None:
    cv2.setNumThreads(1)


def _told(folder: Path, columns: Sequence[str], chosen: Sequence[str], row: Mapping[str, Any]) -> list[Told]:
    before, after = (read(folder / row[name]) for name in ("before", "after"))
    size = after.shape[1], after.shape[0]
    mask = as_mask(read(folder / row["mask"])[..., 0], after.shape[:2]) if row["mask"] else None
    found: list[Told] = []
    for column in columns:
        began = time.process_time()
        placement = known(json.loads(row["transform"]), size) if column == KNOWN else place(before, after)
        took = time.process_time() - began
        if (
            found
            and placement.still
            and found[0].column == KNOWN
            and json.loads(row["transform"])["type"] == "identity"
        ):
            scores = found[0]
            found.append(
                Told(row=row, column=column, scores=scores.scores, boxes=scores.boxes, cannot=None,
                     seconds=dict(scores.seconds) | {"alignment": took}, megapixels=scores.megapixels)
            )  # fmt: skip
            continue
        pair = Pair(before=before, after=after, placement=placement, mask=mask, weights=installed())
        found.append(_asked(row, column, pair, chosen, took))
    return found


def _asked(row: Mapping[str, Any], column: str, pair: Pair, chosen: Sequence[str], took: float) -> Told:
    seconds = {"alignment": took}
    began = time.process_time()
    _ = pair.stayed, pair.residual
    seconds["planes"] = time.process_time() - began
    findings: list[Finding] = []
    for name in chosen:
        detector = plugins.detectors()[name]
        if row["artefact"] == "yes" and row["finding"] not in detector.finds:
            continue
        began = time.process_time()
        findings += detector.detect(pair)
        seconds[name] = time.process_time() - began
    return Told(
        row=row, column=column, scores={f.name: f.score for f in findings}, boxes={f.name: f.where for f in findings},
        seconds=seconds, megapixels=pair.after.shape[0] * pair.after.shape[1] / 1e6, cannot=pair.placement.cannot,
    )  # fmt: skip


def peers(folder: Path, row: Mapping[str, Any]) -> dict[str, float]:
    """What a plain comparison says of a pair at 800 px: mean ΔE, 1 − SSIM, how much the variance of the Laplacian
    changed (as a logarithm); sizes made equal."""
    from skimage import metrics

    likeness: Any = metrics.structural_similarity

    before, after = (shrink(read(folder / row[name]), 800) for name in ("before", "after"))
    size = after.shape[1], after.shape[0]
    before = np.asarray(cv2.resize(before, size, interpolation=cv2.INTER_AREA), np.uint8)
    a, b = (cv2.cvtColor(p.astype(np.float32) / 255, cv2.COLOR_RGB2Lab) for p in (before, after))
    level = [grey(p) for p in (before, after)]
    sharp = [float(cv2.Laplacian(p, cv2.CV_32F).var()) for p in level]
    return {
        "delta_e": float(np.sqrt(((a - b) ** 2).sum(axis=2)).mean()),
        "laplacian": abs(float(np.log((sharp[1] + 1) / (sharp[0] + 1)))),
        "ssim": 1 - float(likeness(*level)) if min(level[0].shape) >= 7 else float("nan"),
    }
