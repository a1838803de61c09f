"""Two shots of one place, one of them graded off by a known ASC CDL: how near is the other after matching.

Recipe `match` of the audio-visual set keeps a still of the second shot as it was before the shift. Greys have a chroma
below 8 in that still; skin is what lies in the hues and lightness of skin, on shots of faces alone. Beside it on the
same still: the shift left as it is, and mean and spread of each Lab channel carried over (Reinhard 2001).
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.harness import Data, Result
from safelight import matching
from safelight.media import colour
from safelight.media.frame import Bytes

RECIPE = "match/truth.json"
GREY_CHROMA, FEWEST = 8.0, 300


def run(data: Data) -> Iterable[Result]:
    """All figures."""
    found = data.every(RECIPE, recipe="match")
    rows = [_row(path.parent, item) for path in found for item in json.loads(path.read_text("utf-8"))["items"]]
    off = [r for r in rows if r["match"]]
    matched = [r for r in off if r["ours"] is not None]
    for part, bar in (("grey", 1.5), ("skin", 2.0)):
        all_of = [r for r in matched if r[part] is not None]
        after = [r["ours"][part] for r in all_of]
        beside = {n: float(np.median([r[n][part] for r in all_of])) for n in ("as_it_was", "mean_and_spread")}
        yield Result(name=f"{part}.median", value=float(np.median(after)) if after else None, n=len(after), unit="ΔE00",
                     bar=bar, want="at most", beside=beside if after else {})  # fmt: skip
        yield Result(name=f"{part}.largest", value=max(after, default=None), n=len(after), unit="ΔE00", bar=bar,
                     want="at most")  # fmt: skip
    yield Result(name="matched", value=len(matched) / max(len(off), 1), n=len(off), unit="of pairs that differ",
                 note="; ".join(f"{r['name']}: {r['why']}" for r in off if r["ours"] is None))  # fmt: skip
    graded = [r for r in rows if r["ours"] is not None]
    worse = [r["name"] for r in graded if r["ours"]["all"] > r["as_it_was"]["all"] + 0.1]
    beside_worse = sum(r["mean_and_spread"]["all"] > r["as_it_was"]["all"] + 0.1 for r in rows)
    yield Result(name="made_worse", value=len(worse), n=len(rows), unit="pairs", bar=0, want="at most",
                 beside={"mean_and_spread": beside_worse}, note="; ".join(worse))  # fmt: skip
    alike = [r for r in rows if not r["match"]]
    yield Result(name="left_alone", value=sum(r["ours"] is None for r in alike) / max(len(alike), 1), n=len(alike),
                 unit="of pairs alike or of different places", bar=1, want="at least")  # fmt: skip


def _row(folder: Path, item: dict[str, Any]) -> dict[str, Any]:
    found = matching.match(*(matching.look_of(folder / item[f"{which}_file"]) for which in ("hero", "other")))
    truth, shifted = (_still(folder / item[f"{which}_file"]) for which in ("truth", "shifted"))
    hero = matching.look_of(folder / item["hero_file"]).stills[0]
    lab = colour.lab(truth)
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    hue = np.degrees(np.arctan2(lab[..., 2], lab[..., 1]))
    skin = (chroma > 12) & (hue > 25) & (hue < 75) & (lab[..., 0] > 35) & (lab[..., 0] < 85)
    parts = {"grey": chroma < GREY_CHROMA, "skin": skin & (item["footage"] == "face")}
    parts = {name: mask for name, mask in parts.items() if mask.sum() >= FEWEST}

    def errors(picture: Bytes) -> dict[str, float | None]:
        off = colour.delta_e(picture, truth)
        told: dict[str, float | None] = {
            p: float(off[parts[p]].mean()) if p in parts else None for p in ("grey", "skin")
        }
        return told | {"all": float(off.mean())}

    ours = None if found.grade is None else errors(np.round(found.grade.cdl(shifted / 255.0) * 255).astype(np.uint8))
    return {
        "name": item["name"], "match": item["match"], "ours": ours, "why": found.cannot_tell or "taken as alike",
        "as_it_was": errors(shifted), "mean_and_spread": errors(_carried(shifted, hero)),
        "grey": "grey" in parts or None, "skin": "skin" in parts or None,
    }  # fmt: skip


def _still(path: Path) -> Bytes:
    return np.ascontiguousarray(np.asarray(cv2.imread(str(path)), np.uint8)[..., ::-1])


def _carried(picture: Bytes, hero: Bytes) -> Bytes:
    """Mean and spread of each channel of Lab taken over from the hero."""
    one, two = (cv2.cvtColor(p, cv2.COLOR_RGB2LAB).astype(np.float64) for p in (picture, hero))

    def mean_and_spread(lab: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        flat = lab.reshape(-1, 3)
        return flat.mean(0), flat.std(0)

    (a, s), (b, t) = mean_and_spread(one), mean_and_spread(two)
    out = np.clip((one - a) * t / np.maximum(s, 1e-6) + b, 0, 255).round().astype(np.uint8)
    return np.asarray(cv2.cvtColor(out, cv2.COLOR_LAB2RGB))
