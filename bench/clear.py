"""Passers-by on a camera that stands, pasted on a photograph: how near is what is shown to what lies behind them.

Recipe `static_removal` of the audio-visual set keeps the empty place, its light and its camera at each frame, and masks
of object and shadow. Judged on the film as it was encoded, where somebody or his shadow is. Beside it on the same
clips: the clip as it was, and the plain median of all frames in place of every frame.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from bench.harness import Data, Result
from safelight import clearing

RECIPE = "static_removal/truth.json"

Picture = NDArray[np.float32]


def run(data: Data) -> Iterable[Result]:
    """All figures."""
    found = data.every(RECIPE, recipe="static_removal")
    items = [(path.parent, item) for path in found for item in json.loads(path.read_text("utf-8"))["items"]]
    rows = [_row(folder, item, data.work / item["file"]) for folder, item in items]
    for camera, bar in (("tripod", 33.0), ("handheld", None)):
        done = [r for r in rows if r["camera"] == camera and r["ours"] is not None]
        beside = {name: min(r[name] for r in done) for name in ("as_it_was", "median")} if done else {}
        yield Result(name=f"{camera}.least", value=min((r["ours"] for r in done), default=None), n=len(done), bar=bar,
                     want="at least", unit="dB PSNR in the mask", beside=beside)  # fmt: skip
        yield Result(name=f"{camera}.median", value=float(np.median([r["ours"] for r in done])) if done else None,
                     n=len(done), unit="dB PSNR in the mask")  # fmt: skip
    able = [r for r in rows if r["removable"]]
    yield Result(name="cleared", value=sum(r["ours"] is not None for r in able) / max(len(able), 1), n=len(able),
                 unit="of clips whose ground is seen", bar=0.9, want="at least",
                 note="; ".join(f"{r['file']}: {r['why']}" for r in able if r["ours"] is None))  # fmt: skip
    unable = [r for r in rows if not r["removable"]]
    yield Result(name="refused", value=sum(r["ours"] is None for r in unable) / max(len(unable), 1), n=len(unable),
                 unit="of clips that pan or are never free", bar=1, want="at least")  # fmt: skip


def _row(folder: Path, item: dict[str, Any], out: Path) -> dict[str, Any]:
    clip = folder / item["file"]
    done = clearing.clear(clip, out)
    told: dict[str, Any] = {
        "file": item["file"], "camera": item["camera_kind"], "removable": item["removable"], "ours": None,
        "why": done.cannot_tell or done.left_alone,
    }  # fmt: skip
    if not done.changed:
        return told
    truth = list(_truth(folder, item))
    masks = [f > 0 for f in _frames(folder / item["mask_file"], "gray")]
    seen = list(_frames(clip))
    usual = np.median(np.stack(seen[:: max(len(seen) // 60, 1)]), axis=0)
    films = {"ours": _frames(out), "as_it_was": iter(seen), "median": iter([usual] * len(seen))}
    return told | {name: _psnr(film, truth, masks) for name, film in films.items()}


def _psnr(film: Iterator[Any], truth: list[Picture], masks: list[NDArray[np.bool_]]) -> float:
    off = [np.square(f - t)[m] for f, t, m in zip(film, truth, masks, strict=True)]
    return float(10 * np.log10(255**2 / np.concatenate(off).mean()))


def _truth(folder: Path, item: dict[str, Any]) -> Iterator[Picture]:
    empty = np.asarray(cv2.imread(str(folder / item["background_file"])), np.float32)
    height, width = empty.shape[:2]
    for number, light in enumerate(item["light"]):
        picture = empty
        if item["camera"] is not None:
            x, y, angle = item["camera"][number]
            way = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1)
            way[:, 2] -= (x, y)
            picture = np.asarray(cv2.warpAffine(empty, way, (width, height), borderMode=cv2.BORDER_REFLECT_101))
        yield np.clip(picture * np.float32(float(light)), 0, 255)


def _frames(path: Path, pixels: str = "bgr24") -> Iterator[Any]:
    with av.open(str(path)) as source:
        for frame in source.decode(video=0):
            yield frame.to_ndarray(format=pixels)
