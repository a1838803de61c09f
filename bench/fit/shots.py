"""Fits the networks of the shot probe: `python -m bench.fit.shots --data DIR --data DIR …`, DIRs as recipe `reels`
writes them with different seeds; `--kept DIR` keeps what is read of the films for another time.

Three networks on each fold of sources, and three on both, which ship. What those of one fold say of the other gives the
logistics that turn outputs into chances, and from which chance a join of each kind is told: where false ones are rare.
"""

import argparse
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from bench._heldout import FOLDS, SHIPPED
from bench.fit import _over_time
from safelight.media import container, video
from safelight.probes._shots import distances, joins, net
from safelight.probes._shots.frames import thumb
from safelight.probes._shots.joins import Into, Join, Trust

TRUTH = "reels/truth.json"
NETS = 3
CLASS_OF = {"cut": 1, "dissolve": 2, "fade_black": 3, "fade_white": 3, "wipe": 4, "whip_pan": 4}
SOFT, SOFTLY = 2, 0.2  # frames to either side of the ends of something gradual, and how much they count
FALSE = 0.3  # gradual joins of a kind that may be told wrongly in ten minutes
LEAST = 0.5  # lowest chance at which anything is told
RIDGE = 0.02  # on the slope's distance from 1: few outputs are wrong

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Reel:
    """A film with its truth and the descriptors of its frames."""

    said: Mapping[str, Any]
    described: Mapping[str, Floats]

    @property
    def minutes(self) -> float:
        """How long it is."""
        return float(len(self.described["level"]) / Fraction(self.said["fps"]) / 60)


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """A candidate and whether it is a join."""

    join: Join
    right: bool


def main() -> None:
    """Reads, fits, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--kept", type=Path)
    given = parser.parse_args()
    reels = list(_reels(given.data, given.kept))
    of = {fold: [reel for reel in reels if reel.said["fold"] == fold] for fold in "ab"}
    alone = {fold: [_over_time.fit(_clips(of[fold]), seed=n) for n in range(NETS)] for fold in "ab"}
    others = {"a": "b", "b": "a"}
    weighed = {fold: list(_weighed(alone[fold], of[others[fold]])) for fold in "ab"}
    minutes = {fold: sum(reel.minutes for reel in of[fold]) for fold in "ab"}
    folds = [
        {"fold": fold, "sources": _sources(reels, others[fold]),
         "trust": _trust(weighed[others[fold]], minutes[fold])}
        for fold in "ab"
    ]  # fmt: skip
    _write(FOLDS / "shots.folds.npz", [*alone["a"], *alone["b"]])
    (FOLDS / "shots.folds.json").write_text(json.dumps({"folds": folds}, indent=1) + "\n", "utf-8")
    both = [_over_time.fit(_clips(reels), seed=n) for n in range(NETS)]
    digest = _write(SHIPPED / "shots.npz", both)
    manifest = {
        "weights": {"file": "shots.npz", "sha256": digest, "licence": "Apache-2.0", "made_by": "bench.fit.shots"},
        "fitted_on": {"recipe": "reels", "films": len(reels), "minutes": round(sum(minutes.values())),
                      "footage": "openly licensed", "sources": sorted(_sources(reels, "a") + _sources(reels, "b"))},
        "trust": _trust([*weighed["a"], *weighed["b"]], sum(minutes.values())),
    }  # fmt: skip
    (SHIPPED / "shots.json").write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")


def _reels(folders: Iterable[Path], kept: Path | None) -> Iterator[Reel]:
    for folder in folders:
        for said in json.loads((folder / TRUTH).read_text("utf-8"))["items"]:
            place = kept / f"{folder.name}-{said['file']}.npz" if kept else None
            if place is None or not place.exists():
                halves = {
                    k: v.astype(np.float16) for k, v in _described((folder / TRUTH).parent / said["file"]).items()
                }
                if place is not None:
                    np.savez(place, allow_pickle=False, **halves)
            else:
                with np.load(place) as held:
                    halves = {name: held[name] for name in held.files}
            yield Reel(said=said, described={name: values.astype(np.float32) for name, values in halves.items()})


def _described(path: Path) -> dict[str, Floats]:
    shown = video.planes(path, facts=container.contents(path))
    return distances.describe([thumb(one.luma, one.cb, one.cr) for one in shown])


def _clips(reels: Sequence[Reel]) -> list[_over_time.Clip]:
    """Each film as it is, then each backwards: the joins of both are joins."""
    return [_clip(reel, turned=turned) for turned in (False, True) for reel in reels]


def _clip(reel: Reel, *, turned: bool) -> _over_time.Clip:
    count = len(reel.described["level"])
    classes, counts = np.zeros(count, np.int64), np.ones(count, np.float32)
    for join in reel.said["joins"]:
        if join["kind"] == "cut":
            classes[count - join["frame"] if turned else join["frame"]] = CLASS_OF["cut"]
            continue
        start, end = join["start_frame"], join["end_frame"]
        start, end = (count - end, count - start) if turned else (start, end)
        classes[start:end] = CLASS_OF[join["kind"]]
        for at in (start, end):
            counts[max(at - SOFT, 0) : at + SOFT] = SOFTLY
    described = {name: values[:: -1 if turned else 1] for name, values in reel.described.items()}
    return _over_time.Clip(rows=distances.rows(described), classes=classes, counts=counts)


def _weighed(nets: Sequence[dict[str, Floats]], reels: Iterable[Reel]) -> Iterator[Weighed]:
    """The candidates in films that the networks have not seen."""
    ready = [net.from_arrays(arrays) for arrays in nets]
    for reel in reels:
        cuts = [j["frame"] for j in reel.said["joins"] if j["kind"] == "cut"]
        spans = [(j["start_frame"], j["end_frame"]) for j in reel.said["joins"] if j["kind"] != "cut"]
        for join in joins.candidates([joins.seen(reel.described, ready)]):
            within = any(join.start <= end and start <= join.frame for start, end in spans)
            near = join.into is Into.CUT and any(abs(join.frame - cut) <= 1 for cut in cuts)
            yield Weighed(join=join, right=within or near)


def _trust(weighed: Sequence[Weighed], minutes: float) -> dict[str, dict[str, float]]:
    """For each kind a logistic, and the least chance from which on false joins are as rare as they must
    be; cuts are told when they are likelier than not."""
    found = {}
    for kind in (Into.CUT, Into.DISSOLVE, Into.FADE, Into.WIPE):
        outputs = np.array([w.join.score for w in weighed if w.join.into is kind])
        right = np.array([w.right for w in weighed if w.join.into is kind])
        bias, slope = _logistic(np.clip(outputs, 1e-6, 1 - 1e-6), right)
        trust = Trust(bias=round(bias, 4), slope=round(slope, 4), least=LEAST)
        wrong = sorted((trust.chance(o) for o in outputs[~right]), reverse=True)
        may = int(FALSE * minutes / 10)
        rare = wrong[may] + 0.001 if kind is not Into.CUT and len(wrong) > may else 0.0
        least = max(LEAST, rare)
        found[kind.value] = {"bias": trust.bias, "slope": trust.slope, "least": round(least, 3)}
    return found


def _logistic(outputs: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Bias and slope over the logit; a ridge draws to the output as it is. One imagined right and one wrong candidate
    keep certainty away."""
    logits = np.concatenate((np.log(outputs / (1 - outputs)), (2.0, 2.0)))
    sign = np.where(np.concatenate((right, (True, False))), 1.0, -1.0)

    def loss(at: npt.NDArray[np.float64]) -> float:
        wrong = np.logaddexp(0, -sign * (at[0] + at[1] * logits)).mean()
        return float(wrong + RIDGE * (at[0] ** 2 + (at[1] - 1) ** 2) / 2)

    found = minimize(loss, np.array((0.0, 1.0)), method="BFGS").x
    return float(found[0]), float(found[1])


def _sources(reels: Iterable[Reel], fold: str) -> list[str]:
    return sorted({source for reel in reels if reel.said["fold"] == fold for source in reel.said["sources"]})


def _write(path: Path, nets: Sequence[dict[str, Floats]]) -> str:
    """Writes the arrays in half precision; gives their SHA-256."""
    arrays = {f"{n}.{name}": values.astype(np.float16) for n, held in enumerate(nets) for name, values in held.items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    path.write_bytes(buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


if __name__ == "__main__":
    main()
