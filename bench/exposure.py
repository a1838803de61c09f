"""Corrections of exposure against known shifts: photos alone, and frames of a group with well-exposed ones.

Alone: pictures that recipe `quality` made too bright or too dark should go back by what was done to them, and good
ones, low and high key included, should stay. Scene: a badly exposed frame of recipe `groups` should come to the middle
of its group's undamaged frames. What is judged is the operator's proposal; an abstention changes nothing. Models never
saw the photo. Intervals are over source photos.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench._heldout import model_of
from bench.harness import Data, Result, quantile_interval
from safelight.domain import Asset, Group, GroupKind, Kind, Measure
from safelight.media.image import read
from safelight.media.picture import Picture
from safelight.operators import Subject, Suggestion, Wishes
from safelight.operators.exposure import APPROVED, ExposureParams, operator
from safelight.probes import exposure, sharpness

Vector = NDArray[np.float64]

ALONE, SCENE, GOOD_MOVED = 0.45, 0.15, 0.08  # bars
MOVED = 0.5  # EV
MID_GREY = 0.18
MIDDLE = 0.214  # linear light of an sRGB value in the middle
STRENGTHS = range(1, 6)
KINDS = {"burst": GroupKind.BURST, "near_duplicate": GroupKind.DUPLICATE}
FAULTS = {"", "exposure.over", "exposure.under"}  # of the pictures that are used


@dataclass(frozen=True, kw_only=True)
class Case:
    """One picture: what should be done, what is proposed, and what simple rules would do; stops."""

    source: str
    kind: str
    strength: int
    wanted: float
    proposed: float
    abstained: bool
    score: float
    estimate: float  # of the probe; nan where it cannot tell
    spread: float
    mean_to_grey: float
    median_to_middle: float

    @property
    def good(self) -> bool:
        """Whether nothing should be done."""
        return self.wanted == 0


def run(data: Data) -> Iterable[Result]:
    """Photos alone, then frames of groups."""
    folder, table = data.table("quality/truth.csv", recipe="quality")
    yield from alone_results([_case(folder, row) for row in table if row["faults"] in FAULTS])
    folder, table = data.table("groups/truth.csv", recipe="groups")
    yield from scene_results(folder, [row for row in table if row["kind"] in KINDS])


# ---------------------------------------------------------------- alone


def _case(folder: Path, row: Mapping[str, Any]) -> Case:
    picture = Picture(rgb=read(folder / row["file"]))
    subject = _subject(row["file"], _judged(exposure.judge, exposure.MODEL, "exposure", picture, row["source"]))
    (suggestion,) = operator.propose([subject], Wishes())
    light = picture.linear_small @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    return Case(
        source=row["source"],
        kind=row["kind"],
        strength=int(row["strength"]),
        wanted=-float(json.loads(row["parameters"])["ev"]) if row["faults"] else 0.0,
        proposed=_ev(suggestion),
        abstained=suggestion.params is None,
        score=float("nan") if suggestion.score is None else suggestion.score,
        estimate=_number(subject, "exposure.ev"),
        spread=_number(subject, "exposure.ev.spread"),
        mean_to_grey=float(np.log2(MID_GREY / max(float(light.mean()), 1e-4))),
        median_to_middle=float(np.log2(MIDDLE / max(float(np.median(light)), 1e-4))),
    )


def alone_results(cases: Sequence[Case]) -> Iterator[Result]:
    """Errors on known shifts, in all and by strength; good pictures that would be moved; what the doubt is worth."""
    bad, good = [c for c in cases if not c.good], [c for c in cases if c.good]
    yield _median_error("exposure.alone.median_error", bad, bar=ALONE)
    for kind in ("over", "under"):
        for strength in STRENGTHS:
            some = [c for c in bad if (c.kind, c.strength) == (kind, strength)]
            if some:
                yield _median_error(f"exposure.alone.{kind}.s{strength}.median_error", some)
    yield _moved("exposure.good_moved", good, bar=GOOD_MOVED)
    for kind in sorted({c.kind for c in good}):
        yield _moved(f"exposure.good_moved.{kind}", [c for c in good if c.kind == kind])
    yield Result(
        name="exposure.alone.coverage", value=float(np.mean([not c.abstained for c in cases])), n=len(cases),
        note="share of photos without an abstention",
    )  # fmt: skip
    told = [c for c in cases if np.isfinite(c.estimate)]
    yield Result(
        name="exposure.ev.within_spread", n=len(told), note="0.68 if the doubt is told rightly",
        value=float(np.mean([abs(c.estimate - c.wanted) <= c.spread for c in told])),
    )  # fmt: skip
    moved = [c for c in cases if c.proposed != 0]
    yield Result(
        name="exposure.alone.approved", n=len(moved), beside={"mean_score": float(np.mean([c.score for c in moved]))},
        value=float(np.mean([abs(c.proposed - c.wanted) <= APPROVED for c in moved])),
        note=f"share of proposals within {APPROVED} EV; the score should say as much",
    )  # fmt: skip


def _median_error(name: str, cases: Sequence[Case], *, bar: float | None = None) -> Result:
    wanted = np.array([c.wanted for c in cases])
    errors = np.abs(np.array([c.proposed for c in cases]) - wanted)
    beside = {
        "nothing": float(np.median(np.abs(wanted))),
        "mean_to_grey": float(np.median(np.abs([c.mean_to_grey - c.wanted for c in cases]))),
        "median_to_middle": float(np.median(np.abs([c.median_to_middle - c.wanted for c in cases]))),
    }
    return _error_result(name, errors, [c.source for c in cases], bar=bar, beside=beside)


def _error_result(
    name: str, errors: Vector, sources: Sequence[str], *, bar: float | None, beside: Mapping[str, float]
) -> Result:
    low, high = quantile_interval(errors, sources)
    want = None if bar is None else "at most"
    return Result(
        name=name, value=float(np.median(errors)), n=len(errors), unit="EV", bar=bar, want=want, low=low, high=high,
        beside=beside,
    )  # fmt: skip


def _moved(name: str, cases: Sequence[Case], *, bar: float | None = None) -> Result:
    far = np.array([abs(c.proposed) > MOVED for c in cases], float)
    low, high = _share_interval(far, [c.source for c in cases])
    beside = {
        "mean_to_grey": float(np.mean([abs(c.mean_to_grey) > MOVED for c in cases])),
        "median_to_middle": float(np.mean([abs(c.median_to_middle) > MOVED for c in cases])),
    }
    return Result(
        name=name, value=float(far.mean()), n=len(far), bar=bar, want=None if bar is None else "at most", low=low,
        high=high, beside=beside,
    )  # fmt: skip


def _share_interval(values: Vector, sources: Sequence[str], *, rounds: int = 400, seed: int = 1) -> tuple[float, float]:
    """90 % interval of a mean over sources."""
    rng = np.random.default_rng(seed)
    names = np.array(sources)
    each = [values[names == name] for name in np.unique(names)]
    draws = [np.concatenate([each[i] for i in rng.integers(len(each), size=len(each))]).mean() for _ in range(rounds)]
    low, high = np.quantile(draws, [0.05, 0.95])
    return float(low), float(high)


# ---------------------------------------------------------------- groups


def scene_results(folder: Path, table: Sequence[Mapping[str, Any]]) -> Iterator[Result]:
    """Errors of badly exposed frames, by burst and near-duplicate; the undamaged frames beside."""
    facts = [_light_and_blur(folder / row["file"], row["source"]) for row in table]
    by_group: dict[str, list[int]] = {}
    for place, row in enumerate(table):
        by_group.setdefault(row["group"], []).append(place)
    frames = [frame for places in by_group.values() for frame in _frames([(table[i], facts[i]) for i in places])]
    off = [f for f in frames if f.damage in {"over", "under"}]
    yield _scene_error("exposure.scene.median_error", off, bar=SCENE)
    for kind in KINDS:
        yield _scene_error(f"exposure.scene.{kind}.median_error", [f for f in off if f.kind == kind])
    yield _scene_error("exposure.scene.undamaged.median_error", [f for f in frames if not f.damage])
    yield Result(
        name="exposure.scene.coverage", value=float(np.mean([f.aligned for f in off])), n=len(off),
        note="share of badly exposed frames that are brought to others",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One frame of a group: what would bring it to the undamaged frames, what is proposed, and what would be alone."""

    source: str
    kind: str
    damage: str
    wanted: float
    proposed: float
    alone: float
    aligned: bool


def _frames(rows: Sequence[tuple[Mapping[str, Any], Mapping[str, Measure]]]) -> Iterator[Frame]:
    parameters = [json.loads(row["parameters"]) for row, _ in rows]
    target = float(np.median([p["ev"] for p in parameters if not p["damage"]]))
    kind = rows[0][0]["kind"]
    group = Group(id=rows[0][0]["group"], kind=KINDS[kind], members=tuple(row["file"] for row, _ in rows), by="truth")
    made = operator.propose([_subject(row["file"], facts, group) for row, facts in rows], Wishes())
    for (row, facts), truth, suggestion in zip(rows, parameters, made, strict=True):
        (single,) = operator.propose([_subject(row["file"], facts)], Wishes())
        yield Frame(
            source=row["source"], kind=kind, damage=truth["damage"], wanted=target - truth["ev"],
            proposed=_ev(suggestion), alone=_ev(single),
            aligned=any(b.code == "exposure.scene" for b in suggestion.because),
        )  # fmt: skip


def _scene_error(name: str, frames: Sequence[Frame], *, bar: float | None = None) -> Result:
    wanted = np.array([f.wanted for f in frames])
    beside = {
        "nothing": float(np.median(np.abs(wanted))),
        "alone": float(np.median(np.abs(np.array([f.alone for f in frames]) - wanted))),
    }
    errors = np.abs(np.array([f.proposed for f in frames]) - wanted)
    return _error_result(name, errors, [f.source for f in frames], bar=bar, beside=beside)


# ---------------------------------------------------------------- both


def _light_and_blur(path: Path, source: str) -> Mapping[str, Measure]:
    picture = Picture(rgb=read(path))
    blur = _judged(sharpness.judge, sharpness.MODEL, "sharpness", picture, source)
    return {**blur, **_judged(exposure.judge, exposure.MODEL, "exposure", picture, source)}


def _judged(
    judge: Callable[..., Sequence[Measure]], shipped: Mapping[str, Any], name: str, picture: Picture, source: str
) -> dict[str, Measure]:
    """What a probe says with the model that never saw the photo."""
    return {m.name: m for m in judge(picture, model=model_of(name, source) or shipped)}


def _subject(name: str, facts: Mapping[str, Measure], *groups: Group) -> Subject:
    asset = Asset(id=name, content=None, kind=Kind.PHOTO, format="jpeg", width=None, height=None)
    return Subject(asset=asset, path=name, facts=facts, groups=groups)


def _number(subject: Subject, name: str) -> float:
    found = subject.number(name)
    return float("nan") if found is None else found


def _ev(suggestion: Suggestion[ExposureParams]) -> float:
    return 0.0 if suggestion.params is None else suggestion.params.ev
