"""Detectors beside the recipe: real pairs, the same faults on four skins, and time."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import cv2
import numpy as np

from bench import _retouch
from bench._artefacts import ESTIMATED, Told
from bench.harness import Data, Result
from safelight.checking import Comparison, Outcome, check, compare
from safelight.media.frame import Bytes
from safelight.weights import installed

PROXY, LARGE = 2.0, 24.0  # megapixels
BUDGETS = {PROXY: 1.5, LARGE: 6.0}  # seconds on one core

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
    sizes = {PROXY: (1732, 1155), LARGE: (6000, 4000)}
    compare(*[_photo((600, 400))] * 2, weights=installed())  # what a process loads once
    for megapixels, size in sizes.items():
        before = _photo(size)
        after = cv2.LUT(before, (255 * (np.arange(256) / 255) ** 0.9 + 0.5).astype(np.uint8))
        began = time.process_time()
        compare(before, np.asarray(after, np.uint8), weights=installed())
        took = time.process_time() - began
        yield Result(
            name=f"speed.all.{megapixels:g}mp", value=took, n=1, unit="s", bar=BUDGETS[megapixels], want="at most",
            note="CPU time, alignment among it; not the first picture of a process",
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
