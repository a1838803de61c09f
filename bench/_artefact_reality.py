"""Detectors beside the recipe: real pairs, the same faults on four skins, and time."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench import _retouch
from bench._artefacts import ESTIMATED, Told
from bench.harness import Data, MissingData, Result, auc
from safelight import plugins
from safelight.checking import Comparison, Outcome, check, compare
from safelight.media.frame import Bytes
from safelight.media.image import read
from safelight.weights import installed

GAP = 0.03  # of the area between skins
PROXY, LARGE = 2.0, 24.0  # megapixels
BUDGETS = {PROXY: 1.5, LARGE: 6.0}  # seconds on one core
ON_FACES = ("halo", "oversmoothing", "warp", "skin_lightening", "hue_twist", "clipping", "jpeg")

# ---------------------------------------------------------------- time


def speed(told: Sequence[Told]) -> Iterator[Result]:
    """Milliseconds a megapixel of every detector, and seconds of all together on made enlargements."""
    spent: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for t in told:
        if t.column == ESTIMATED:
            for name, seconds in t.seconds.items():
                spent[name].append((seconds, t.megapixels))
    for name, both in sorted(spent.items()):
        per = 1000 * sum(s for s, _ in both) / max(sum(m for _, m in both), 1e-9)
        yield Result(name=f"speed.{name}", value=per, n=len(both), unit="ms/MP", note="CPU time")
    import time

    sizes = {PROXY: (1732, 1155), LARGE: (6000, 4000)}
    for megapixels, size in sizes.items():
        before = _photo(size)
        after = cv2.LUT(before, (255 * (np.arange(256) / 255) ** 0.9 + 0.5).astype(np.uint8))
        began = time.process_time()
        compare(before, np.asarray(after, np.uint8), weights=installed())
        took = time.process_time() - began
        yield Result(
            name=f"speed.all.{megapixels:g}mp", value=took, n=1, unit="s", bar=BUDGETS[megapixels], want="at most",
            note="CPU time, alignment among it",
        )  # fmt: skip


def _photo(size: tuple[int, int]) -> Bytes:
    """A made picture with structure at every scale."""
    rng = np.random.default_rng(3)
    out = np.zeros((size[1], size[0], 3), np.float32)
    for cells in (6, 40, 240, 1200):
        shape = (max(2, cells * size[1] // size[0]), cells, 3)
        out += (
            0.5 * cv2.resize(rng.random(shape, np.float32), size, interpolation=cv2.INTER_CUBIC) / (1 + cells**0.5 / 6)
        )
    return np.asarray(np.clip(255 * (out - out.min()) / np.ptp(out), 0, 255), np.uint8)


# ---------------------------------------------------------------- skins


def buckets(data: Data) -> Iterator[Result]:
    """The same artefacts and the same legal edits on the faces of recipe `skin`, by skin: the gap between the best and
    the worst area of each finding."""
    try:
        folder, rows = data.table("skin/truth.csv", recipe="skin")
    except MissingData:
        return
    areas: dict[str, dict[str, float]] = defaultdict(dict)
    faces = [row for row in rows if row["kind"] == "clean"]
    for bucket in sorted({row["bucket"] for row in faces}):
        bad, good = _both_sides(folder, [row for row in faces if row["bucket"] == bucket])
        for name in ON_FACES:
            if bad[name] and good[name]:
                areas[name][bucket] = auc(bad[name], good[name])
    for name, by_bucket in areas.items():
        for bucket, area in by_bucket.items():
            yield Result(name=f"skin.{bucket}.{name}.auc", value=area, n=len(faces))
        gap = max(by_bucket.values()) - min(by_bucket.values())
        yield Result(name=f"skin.gap.{name}", value=gap, n=len(by_bucket), bar=GAP, want="at most")


def _both_sides(
    folder: Path, faces: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Scores by finding: where it was made, and after legal edits."""
    bad: dict[str, list[float]] = defaultdict(list)
    good: dict[str, list[float]] = defaultdict(list)
    for row in faces:
        before = read(folder / row["file"])
        for name, after, mask in _edits(folder, row):
            for found in _asked(before, after, mask, name):
                if found.score is not None and name in ("", found.name):
                    (bad if name else good)[found.name].append(found.score)
    return bad, good


def _asked(before: Bytes, after: Bytes, mask: NDArray[np.float32] | None, name: str) -> Sequence[Any]:
    asked = [d for d in plugins.detectors().values() if (name in d.finds if name else set(d.finds) & set(ON_FACES))]
    return compare(before, after, mask, detectors=asked, weights=installed()).findings


def _edits(folder: Path, row: Mapping[str, Any]) -> Iterator[tuple[str, Bytes, NDArray[np.float32] | None]]:
    """(finding or nothing, after, mask) of a clean face."""
    rgb = np.asarray(read(folder / row["file"]), np.float32)
    cover = cv2.resize(read(folder / row["skin_mask"])[..., 0], (rgb.shape[1], rgb.shape[0]))
    skin: NDArray[np.float32] = np.asarray(cover / np.float32(255), np.float32)
    luma = rgb @ np.array((0.2126, 0.7152, 0.0722), np.float32)
    rng = np.random.default_rng(len(row["file"]))

    def done(values: NDArray[Any]) -> Bytes:
        return np.asarray(np.clip(values + 0.5, 0, 255), np.uint8)

    for sigma in (1.2, 2.0, 3.5):
        yield "oversmoothing", done(rgb + skin[..., None] * (cv2.GaussianBlur(rgb, (0, 0), sigma) - rgb)), skin
    for amount in (0.35, 0.6, 0.9):
        yield "halo", done(rgb + amount * (luma - cv2.GaussianBlur(luma, (0, 0), 12))[..., None]), None
    for lift in (3.0, 6.0, 10.0):
        lab = cv2.cvtColor(rgb / 255, cv2.COLOR_RGB2Lab)
        lab[..., 0] = lab[..., 0] + lift * skin
        yield "skin_lightening", done(255 * cv2.cvtColor(lab, cv2.COLOR_Lab2RGB)), skin
    y, x = np.mgrid[: rgb.shape[0], : rgb.shape[1]].astype(np.float32)
    cx, cy = 0.5 * rgb.shape[1], 0.5 * rgb.shape[0]
    for push in (3.0, 6.0, 10.0):
        bump = push * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * 45.0**2))
        yield "warp", done(cv2.remap(rgb, x - bump, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)), None
    curve = 255 * (np.arange(256) / 255) ** 0.8
    for legal in (
        np.interp(rgb, np.arange(256), curve),
        rgb * np.array((1.06, 1.0, 0.9), np.float32),
        rgb + 0.7 * (luma - cv2.GaussianBlur(luma, (0, 0), 0.8))[..., None],
        rgb + rng.normal(0, 3, luma.shape)[..., None],
    ):
        yield "", done(np.asarray(legal)), None
    low = cv2.GaussianBlur(rgb, (0, 0), 2.5) - cv2.GaussianBlur(rgb, (0, 0), 10)
    yield "", done(rgb - 0.4 * skin[..., None] * low), skin


# ---------------------------------------------------------------- real pairs


def real_pairs(data: Data) -> Iterator[Result]:
    """Looks of real films and a real lens correction raise no fail; of a real retouch the smoothed steps rank by how
    much was smoothed, and the heat lies where the names say."""
    folder = data.find("pairs")
    if folder is None:
        return
    looks = sorted((folder / "looks").glob("*.jpg"))
    originals = [p for p in looks if p.stem.endswith("_original")]
    for original in originals:
        others = [p for p in looks if p.stem.split("_")[0] == original.stem.split("_")[0] and p != original]
        found = {p.stem: check(original, p) for p in others}
        yield _fails("real.looks.fails", found)
    corrected = {
        p.stem: check(p.with_name(p.name.replace("corrected", "distorted")), p)
        for p in (folder / "lens").glob("*_corrected.jpg")
    }
    if corrected:
        yield _fails("real.lens.fails", corrected)
    steps = sorted((folder / "skin").glob("*_step*.jpg"))
    if len(steps) > 2:
        scores = [_score(check(steps[0], step), "oversmoothing") for step in steps[1:]]
        rank = np.argsort(np.argsort(scores))
        order = float(np.corrcoef(rank, np.arange(len(rank)))[0, 1])
        yield Result(
            name="real.retouch.order",
            value=order,
            n=len(scores),
            unit="rank correlation",
            note="steps smoothed more and more",
        )
    yield from _retouch.figures(folder / "skin")


def _fails(name: str, found: Mapping[str, Comparison]) -> Result:
    failed = [
        f"{pair}: {finding.name}"
        for pair, c in found.items()
        for finding in c.findings
        if c.outcome(finding) is Outcome.FAIL
    ]
    return Result(
        name=name,
        value=float(sum(c.verdict is Outcome.FAIL for c in found.values())),
        n=len(found),
        bar=0,
        want="at most",
        note="; ".join(failed),
    )


def _score(comparison: Comparison, name: str) -> float:
    return next((f.score for f in comparison.findings if f.name == name and f.score is not None), 0.0)
