"""Leaning pictures turned upright: how far off the turn is, where it is left alone, and what gets worse.

Recipe `quality` turns photos by a known angle. What is judged is the operator's answer, with a model that never saw
the photo. The recipe's truth leaves out the lean that a photo has by itself, up to a degree, so errors are given three
ways: against the recipe's turn alone; against the turn and what the recipe's own lines said about the photo before; and
against what the clean photo reads here. Keystones are made here, from the clean photos whose lines stand straight.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench._heldout import model_of
from bench.harness import Data, Result, quantile_interval
from safelight.domain import Asset, Kind
from safelight.media.frame import Bytes
from safelight.media.image import read
from safelight.media.picture import Picture, grey, shrink
from safelight.operators import Subject, Wishes
from safelight.operators.straighten import RIGHT, operator
from safelight.probes import tilt

Numbers = NDArray[np.float64]

ERROR, WORSE = 0.4, 0.02  # bars
MADE_WORSE = 0.2  # degrees that a picture may lean more than before
SIDE, REACH = 640, 8.0  # px, long side at which the peers look; degrees to which they do
LINES_SHARE, LINES_LENGTH = 0.35, 0.8  # the recipe's rule for lines that agree
KEYSTONES = (-0.2, -0.1, 0.1, 0.2)  # convergence of uprights, one by long sides


@dataclass(frozen=True, kw_only=True)
class Case:
    """One picture: its true lean, and what is read and done; degrees, counter-clockwise positive.

    `own` is the lean that the recipe's lines saw in the photo before it was turned, 0 where they do not tell.
    """

    source: str
    kind: str
    tellable: bool
    stands: bool  # the recipe's lines agree that the photo stands straight within a degree
    degrees: float
    own: float
    read: float  # nan: abstained
    turned: float  # taken out by the operator; 0 where it leaves the picture alone
    score: float  # the operator's, nan without one
    keystone: bool  # whether the operator would take out a convergence, alone or as an alternative
    peers: Mapping[str, float]

    def worse(self, turned: float, *, own: float) -> bool:
        """Whether the picture leans more after this turn, by more than 0.2 degrees."""
        before = self.degrees + own
        return abs(before - turned) > abs(before) + MADE_WORSE


def run(data: Data) -> Iterable[Result]:
    """Turns, then keystones."""
    folder, table = data.table("quality/truth.csv", recipe="quality")
    rows = [r for r in table if (r["kind"] == "tilt" or r["faulty"] == "no") and "tilt" not in r["own_fault"]]
    cases = [_case(folder, row) for row in rows]
    yield from turn_results(cases)
    yield from keystone_results(folder, [row for row in rows if row["kind"] == "clean" and _stands(row)])


def _case(folder: Path, row: Mapping[str, Any]) -> Case:
    picture = Picture(rgb=read(folder / row["file"]))
    subject = _subject(row["file"], picture, row["source"])
    (suggestion,) = operator.propose([subject], Wishes())
    params, degrees = suggestion.params, subject.number("tilt.degrees")
    every = [p for p in (params, *suggestion.alternatives) if p is not None]
    return Case(
        source=row["source"],
        kind=row["kind"],
        tellable=row["tellable"] == "yes",
        stands=_stands(row),
        degrees=float(json.loads(row["parameters"]).get("deg", 0.0)),
        own=float(json.loads(row["base"])["lines_deg"]) if _stands(row) else 0.0,
        read=float("nan") if degrees is None or params is None else degrees,
        turned=0.0 if params is None else params.angle,
        score=float("nan") if suggestion.score is None else suggestion.score,
        keystone=any(p.vertical or p.horizontal for p in every),
        peers=peers(picture.work),
    )


def _subject(name: str, picture: Picture, source: str) -> Subject:
    facts = {m.name: m for m in tilt.judge(picture, model=model_of("tilt", source) or tilt.MODEL)}
    asset = Asset(id=name, content=None, kind=Kind.PHOTO, format="jpeg", width=picture.width, height=picture.height)
    return Subject(asset=asset, path=name, facts=facts)


def _stands(row: Mapping[str, Any]) -> bool:
    base = json.loads(row["base"])
    return bool(
        abs(base["lines_deg"]) <= 1 and base["lines_share"] > LINES_SHARE and base["lines_length"] > LINES_LENGTH
    )


# ---------------------------------------------------------------- peers


def peers(rgb: Bytes) -> Mapping[str, float]:
    """Lean by two usual recipes: the weighted median angle of all segments, and that of Hough's lines."""
    level = grey(shrink(rgb, SIDE))
    found: Any = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(level)[0]
    hough: Any = cv2.HoughLinesP(
        cv2.Canny(level, 50, 150), 1, np.pi / 1800, 60, minLineLength=0.1 * max(level.shape), maxLineGap=4
    )
    return {"lsd_median": _median_angle(found), "hough_median": _median_angle(hough)}


def _median_angle(segments: Any) -> float:
    """Weighted by length, of those within 8 degrees of upright or level; 0 without any."""
    if segments is None:
        return 0.0
    x0, y0, x1, y1 = np.asarray(segments, np.float64).reshape(-1, 4).T
    off = (np.degrees(np.arctan2(y0 - y1, x1 - x0)) + 45) % 90 - 45
    near = np.abs(off) <= REACH
    if not near.any():
        return 0.0
    order = np.argsort(off[near])
    length = np.hypot(x1 - x0, y1 - y0)[near][order].cumsum()
    return float(off[near][order][np.searchsorted(length, length[-1] / 2)])


# ---------------------------------------------------------------- turns


def turn_results(cases: Sequence[Case]) -> Iterator[Result]:
    """Errors, coverage, and what gets worse."""
    tilted = [c for c in cases if c.kind == "tilt"]
    tellable = [c for c in tilted if c.tellable]
    yield _error("straighten.error", tellable, np.zeros(len(tellable)), bar=ERROR)
    yield _error("straighten.error.p90", tellable, np.zeros(len(tellable)), q=0.9)
    own = np.array([c.own for c in tellable])
    yield _error("straighten.error.own_lean_known", tellable, own, note="the lean that the recipe's lines saw before")
    clean = {c.source: c.read for c in cases if c.kind == "clean"}
    yield _error(
        "straighten.error.turn", tellable, np.array([clean[c.source] for c in tellable]),
        note="against what the clean photo reads",
    )  # fmt: skip
    rest = [c for c in tilted if not c.tellable]
    yield _error("straighten.error.elsewhere", rest, np.zeros(len(rest)), note="where nobody may be able to tell")
    yield _share("straighten.coverage", [not np.isnan(c.read) for c in tellable], note="answered, where it can be told")
    blank = [c for c in cases if not c.stands]
    yield _share(
        "straighten.answered_elsewhere", [not np.isnan(c.read) for c in blank],
        note="of pictures whose lines do not say that they stand straight",
    )  # fmt: skip
    yield _made_worse("straighten.made_worse", cases, bar=WORSE)
    yield _made_worse("straighten.made_worse.hard", [c for c in cases if c.kind not in ("clean", "tilt")])
    moved = [c for c in cases if c.turned and c.stands]
    better = [abs(c.degrees + c.own - c.turned) < abs(c.degrees + c.own) for c in moved]
    yield _share("straighten.made_better", better, note="of the turns proposed on photos that stood straight before")
    if moved:
        yield Result(
            name="straighten.right", n=len(moved), beside={"mean_score": float(np.mean([c.score for c in moved]))},
            value=float(np.mean([abs(c.degrees + c.own - c.turned) <= RIGHT for c in moved])),
            note=f"of the same turns within {RIGHT} degrees; the score should say as much",
        )  # fmt: skip
    whole = [c for c in cases if c.kind == "clean"]
    yield _share("straighten.keystone.offered", [c.keystone for c in whole], note="of clean photos as they are")


def _error(
    name: str, cases: Sequence[Case], own: Numbers, *, bar: float | None = None, q: float = 0.5, note: str = ""
) -> Result:
    true = np.array([c.degrees for c in cases]) + own
    off = np.abs(np.array([c.read for c in cases]) - true)
    told = np.isfinite(off)
    silent = f"{(~told).sum()} without an answer" + (f"; {note}" if note else "")
    if not told.any():
        return Result(name=name, value=None, n=0, unit="degrees", bar=bar, want="at most" if bar else None, note=silent)
    sources = [c.source for c, t in zip(cases, told, strict=True) if t]
    low, high = quantile_interval(off[told], sources, q=q)
    beside = {"nothing": float(np.quantile(np.abs(true[told]), q))}
    for peer in cases[0].peers:
        theirs = np.abs(np.array([c.peers[peer] for c in cases]) - true)[told]
        beside[peer] = float(np.quantile(theirs, q))
    return Result(
        name=name, value=float(np.quantile(off[told], q)), n=int(told.sum()), unit="degrees", bar=bar,
        want="at most" if bar else None, low=low, high=high, beside=beside, note=silent,
    )  # fmt: skip


def _share(name: str, hits: Sequence[bool], *, note: str = "") -> Result:
    return Result(name=name, value=float(np.mean(hits)) if hits else None, n=len(hits), note=note)


def _made_worse(name: str, cases: Sequence[Case], *, bar: float | None = None) -> Result:
    """Share of all pictures that lean more afterwards; the peers turn every picture."""
    if not cases:
        return Result(name=name, value=None, n=0, bar=bar, want="at most" if bar else None)
    worse = [c for c in cases if c.worse(c.turned, own=c.own)]
    beside = {peer: float(np.mean([c.worse(c.peers[peer], own=c.own) for c in cases])) for peer in cases[0].peers}
    beside["counting_own_lean_as_straight"] = float(np.mean([c.worse(c.turned, own=0.0) for c in cases]))
    names = ", ".join(sorted({Path(c.source).stem for c in worse}))
    return Result(
        name=name, value=len(worse) / len(cases), n=len(cases), bar=bar, want="at most" if bar else None, beside=beside,
        note=f"{sum(c.turned != 0 for c in cases)} turned" + (f"; worse: {names}" if names else ""),
    )  # fmt: skip


# ---------------------------------------------------------------- keystones


def keystone_results(folder: Path, rows: Sequence[Mapping[str, Any]]) -> Iterator[Result]:
    """Convergences made in photos whose lines stand straight, against what the photo itself reads and against none."""
    off, alone, told, sources = [], [], [], []
    for row in rows:
        rgb = shrink(read(folder / row["file"]), 1600)
        clean = _subject(row["file"], Picture(rgb=rgb), row["source"]).number("keystone.vertical")
        for convergence in KEYSTONES:
            made, scale = keystoned(rgb, convergence)
            found = _subject(row["file"], Picture(rgb=made), row["source"]).number("keystone.vertical")
            told.append(found is not None)
            if found is not None:
                sources.append(row["source"])
                alone.append(abs(found / scale - convergence))
                off.append(abs(found / scale - convergence - clean) if clean is not None else float("nan"))
    yield _share("straighten.keystone.coverage", told, note="of keystones of 0.1 and 0.2 made in photos that stand")
    for name, values, note in (
        ("straighten.keystone.error", alone, "the photo's own convergence counts as an error"),
        ("straighten.keystone.error.turn", off, "against what the photo itself reads"),
    ):
        known = np.array(values)[np.isfinite(values)]
        by = [s for s, v in zip(sources, values, strict=True) if np.isfinite(v)]
        low, high = quantile_interval(known, by) if len(known) else (None, None)
        yield Result(
            name=name, value=float(np.median(known)) if len(known) else None, n=len(known), unit="per long side",
            low=low, high=high, beside={"nothing": 0.15}, note=note,
        )  # fmt: skip


def keystoned(rgb: Bytes, convergence: float) -> tuple[Bytes, float]:
    """A picture whose uprights run together, cut to what is filled, and its long side as a share of the original's."""
    height, width = rgb.shape[:2]
    side = max(height, width)
    onto = np.array([[1 / side, 0, -width / 2 / side], [0, -1 / side, height / 2 / side], [0, 0, 1]])
    matrix = np.linalg.inv(onto) @ np.array([[1, 0, 0], [0, 1, 0], [0, convergence, 1]]) @ onto
    turned = cv2.warpPerspective(rgb, matrix, (width, height), flags=cv2.INTER_AREA)
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]]) @ matrix.T
    x, y = np.abs(corners[:, :2] / corners[:, 2:] - (width / 2, height / 2)).min(axis=0)
    left, top = max(0, int(np.ceil(width / 2 - x))), max(0, int(np.ceil(height / 2 - y)))
    kept = np.ascontiguousarray(turned[top : height - top, left : width - left])
    return np.asarray(kept, np.uint8), max(kept.shape) / side
