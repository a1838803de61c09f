"""The same artefacts and the same legal edits on the faces of recipe `skin`, by the skin that they were given."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from bench.harness import Data, MissingData, Result, auc
from safelight import plugins
from safelight.checking import compare
from safelight.media.frame import Bytes
from safelight.media.image import read
from safelight.weights import installed

GAP = 0.03  # of the area between skins
MADE = ("halo", "oversmoothing", "warp", "skin_lightening", "hue_twist", "clipping", "jpeg", "seam", "ghosting")
Colours = NDArray[np.float32]
Edit = tuple[str, Bytes, NDArray[np.float32] | None]  # finding or nothing, after, mask


def buckets(data: Data) -> Iterator[Result]:
    """Area of each finding by skin, how many of the pairs that have it get a score, and the gap between the skins."""
    try:
        folder, rows = data.table("skin/truth.csv", recipe="skin")
    except MissingData:
        return
    areas: dict[str, dict[str, float]] = defaultdict(dict)
    faces = [row for row in rows if row["kind"] == "clean"]
    for bucket in sorted({row["bucket"] for row in faces}):
        bad, good, asked = _both_sides(folder, [row for row in faces if row["bucket"] == bucket])
        for name in MADE:
            if asked[name]:
                share = len(bad[name]) / asked[name]
                told = bool(bad[name] and good[name])
                yield Result(
                    name=f"skin.{bucket}.{name}.auc", value=auc(bad[name], good[name]) if told else None,
                    n=len(bad[name]) + len(good[name]), note=f"told of {100 * share:.0f} % of the pairs that have it",
                )  # fmt: skip
                if told:
                    areas[name][bucket] = auc(bad[name], good[name])
    for name, by_bucket in areas.items():
        gap = max(by_bucket.values()) - min(by_bucket.values())
        yield Result(name=f"skin.gap.{name}", value=gap, n=len(by_bucket), bar=GAP, want="at most")


def _both_sides(
    folder: Path, faces: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, list[float]], dict[str, list[float]], dict[str, int]]:
    """Scores by finding, where it was made and after legal edits, and how many pairs have it."""
    bad: dict[str, list[float]] = defaultdict(list)
    good: dict[str, list[float]] = defaultdict(list)
    asked: dict[str, int] = defaultdict(int)
    for row in faces:
        before = read(folder / row["file"])
        for name, after, mask in _edits(folder, row):
            asked[name] += 1
            for found in _findings(before, after, mask, name):
                if found.score is not None and name in ("", found.name):
                    (bad if name else good)[found.name].append(found.score)
    return bad, good, asked


def _findings(before: Bytes, after: Bytes, mask: NDArray[np.float32] | None, name: str) -> Sequence[Any]:
    chosen = [d for d in plugins.detectors().values() if (name in d.finds if name else set(d.finds) & set(MADE))]
    still = {"type": "identity"}
    return compare(before, after, mask, transform=still, detectors=chosen, weights=installed()).findings


def _edits(folder: Path, row: Mapping[str, Any]) -> Iterator[Edit]:
    """Everything that is done to a clean face."""
    rgb = np.asarray(read(folder / row["file"]), np.float32)
    cover = cv2.resize(read(folder / row["skin_mask"])[..., 0], (rgb.shape[1], rgb.shape[0]))
    skin: NDArray[np.float32] = np.asarray(cover / np.float32(255), np.float32)
    yield from _spoilt_skin(rgb, skin)
    yield from _spoilt_whole(rgb, skin)
    yield from _legal(rgb, skin, len(row["file"]))


def _spoilt_skin(rgb: Colours, skin: NDArray[np.float32]) -> Iterator[Edit]:
    cover = skin[..., None]
    lab = cv2.cvtColor(rgb / 255, cv2.COLOR_RGB2Lab)
    for sigma in (1.2, 2.0, 3.5):
        yield "oversmoothing", _done(rgb + cover * (cv2.GaussianBlur(rgb, (0, 0), sigma) - rgb)), skin
    for lift in (3.0, 6.0, 10.0):
        lighter = lab + lift * cover * np.array((1, 0, 0), np.float32)
        yield "skin_lightening", _done(255 * cv2.cvtColor(lighter, cv2.COLOR_Lab2RGB)), skin
    for degrees in (9, 18, 32):
        turn = np.radians(degrees) * np.clip((lab[..., 0] - 50) / 15, 0, 1)
        across = lab[..., 1] * np.cos(turn) - lab[..., 2] * np.sin(turn)
        down = lab[..., 1] * np.sin(turn) + lab[..., 2] * np.cos(turn)
        turned = np.asarray(np.stack((lab[..., 0], across, down), -1), np.float32)
        yield "hue_twist", _done(255 * cv2.cvtColor(turned, cv2.COLOR_Lab2RGB)), None
    part = np.asarray(np.maximum(0, 1 - np.abs(np.linspace(-1, 1, rgb.shape[1], dtype=np.float32)) * 2), np.float32)
    half = np.asarray((part > 0.1)[None].repeat(len(rgb), 0), np.float32)
    for stops in (0.15, 0.3, 0.6):
        yield "seam", _done(rgb * (1 + half[..., None] * (2 ** (stops / 2.2) - 1))), half


def _spoilt_whole(rgb: Colours, skin: NDArray[np.float32]) -> Iterator[Edit]:
    luma = _luma(rgb)
    for amount in (0.35, 0.6, 0.9):
        yield "halo", _done(rgb + amount * (luma - cv2.GaussianBlur(luma, (0, 0), 12))[..., None]), None
    y, x = np.mgrid[: rgb.shape[0], : rgb.shape[1]].astype(np.float32)
    cx, cy = 0.5 * rgb.shape[1], 0.5 * rgb.shape[0]
    for push in (3.0, 6.0, 10.0):
        bump = push * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * 45.0**2))
        yield "warp", _done(cv2.remap(rgb, x - bump, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)), None
    for share in (0.02, 0.06, 0.15):  # of the skin
        edge = float(np.quantile(rgb.max(2)[skin > 0.5], 1 - share))
        yield "clipping", _done(rgb * (255 / max(edge, 60.0))), None
    for quality in (10, 18, 28):
        saved = simplejpeg.encode_jpeg(_done(rgb), quality=quality, colorspace="RGB")
        yield "jpeg", np.asarray(simplejpeg.decode_jpeg(saved), np.uint8), None
    for shift in (5, 9, 14):
        yield "ghosting", _done(0.7 * rgb + 0.3 * np.roll(rgb, (shift // 2, shift), (0, 1))), None


def _legal(rgb: Colours, skin: NDArray[np.float32], seed: int) -> Iterator[Edit]:
    luma = _luma(rgb)
    yield "", _done(255 * (rgb / 255) ** 0.8), None
    yield "", _done(rgb * np.array((1.06, 1.0, 0.9), np.float32)), None
    yield "", _done(rgb + 0.7 * (luma - cv2.GaussianBlur(luma, (0, 0), 0.8))[..., None]), None
    yield "", _done(rgb + np.random.default_rng(seed).normal(0, 3, luma.shape)[..., None]), None
    low = cv2.GaussianBlur(rgb, (0, 0), 2.5) - cv2.GaussianBlur(rgb, (0, 0), 10)
    yield "", _done(rgb - 0.4 * skin[..., None] * low), skin


def _luma(rgb: Colours) -> NDArray[np.float32]:
    return np.asarray(rgb @ np.array((0.2126, 0.7152, 0.0722), np.float32), np.float32)


def _done(values: NDArray[Any]) -> Bytes:
    return np.asarray(np.clip(values + 0.5, 0, 255), np.uint8)
