"""A portrait retouched in steps by hand, with its regions painted: does the heat lie where a step was made?"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.harness import Result
from safelight.checking import Comparison, check
from safelight.detectors import Finding
from safelight.media.frame import Bytes
from safelight.media.image import read

PAINTED = {"forehead": (0, 60), "chin": (80, 125), "nose": (125, 170), "lip": (170, 220), "cheeks": (250, 300)}
SEEN = 14.0  # CIE chroma that paint adds
CELL = 16  # px of the picture: the heat is told by cells of so much


def figures(folder: Path) -> Iterator[Result]:
    """Share of the heat inside the painted region that a step names, how often its hottest place lies there, how much
    of the picture the region is; and whether more smoothing of one region ranks above less of it."""
    steps = sorted(folder.glob("*_step*.jpg"))
    painted = next(iter(folder.glob("*_regions_painted.jpg")), None)
    if len(steps) < 3 or painted is None:
        return
    regions = _regions(read(steps[0]), read(painted))
    shares, hits, areas = [], [], []
    careful: dict[str, float] = {}
    ranked = []
    for before, after in pairwise(steps):
        named = after.stem.split("_")[-1].partition("-w")[0]
        inside = sum(regions[part] for part in named.split("-") if part in regions)
        if isinstance(inside, int):
            continue  # a step that is about the whole picture
        found = _finding(check(before, after))
        if named in careful:  # the second of two steps on one region: both together against the first alone
            more = _finding(check(steps[steps.index(before) - 1], after))
            ranked.append((more.score or 0.0) > careful[named])
        careful[named] = found.score or 0.0
        if found.heat is None:
            continue
        cover = _at(inside, found.heat)
        shares.append(float(found.heat[cover].sum() / found.heat.sum()))
        hits.append(bool(cover.ravel()[int(found.heat.argmax())]))
        areas.append(float(cover.mean()))
    if shares:
        even = {"even": float(np.mean(areas))}
        yield Result(
            name="real.retouch.heat", value=float(np.mean(shares)), n=len(shares), beside=even,
            note="share of the heat of over-smoothing in the painted region that a step names",
        )  # fmt: skip
        yield Result(
            name="real.retouch.pointing", value=float(np.mean(hits)), n=len(hits), beside=even,
            note="hottest place lies in that region",
        )  # fmt: skip
    if ranked:
        yield Result(
            name="real.retouch.more_above_careful", value=float(np.mean(ranked)), n=len(ranked), bar=1.0,
            want="at least", note="more smoothing of a region ranks above less of it",
        )  # fmt: skip


def _finding(found: Comparison) -> Finding:
    return next(f for f in found.findings if f.name == "oversmoothing")


def _regions(plain: Bytes, painted: Bytes) -> dict[str, NDArray[np.uint8]]:
    """Where each region is painted, by the hue of the paint, grown by one cell."""
    a, b = (
        cv2.cvtColor(cv2.GaussianBlur(p, (0, 0), 2).astype(np.float32) / 255, cv2.COLOR_RGB2Lab)[..., 1:]
        for p in (plain, painted)
    )
    paint = b - a
    hue = np.degrees(np.arctan2(paint[..., 1], paint[..., 0])) % 360
    on = np.hypot(paint[..., 0], paint[..., 1]) > SEEN
    grow = np.ones((2 * CELL + 1, 2 * CELL + 1), np.uint8)
    found = {}
    for name, (low, high) in PAINTED.items():
        here = cv2.morphologyEx((on & (hue >= low) & (hue < high)).astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5)))
        found[name] = np.asarray(cv2.dilate(here, grow), np.uint8)
    return found


def _at(region: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The region at the size of a heat map."""
    size = heat.shape[1], heat.shape[0]
    return np.asarray(cv2.resize(np.minimum(region, 1), size, interpolation=cv2.INTER_NEAREST) > 0)
