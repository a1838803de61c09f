"""Pairs for the detector of what was left behind, from recipe `removal`: things taken out with and without theirs.

The recipe's truth is the perfect fill. Left: the thing is taken out and its shadow stays; or a reflection is drawn
below the thing and stays. Clean: thing and shadow are gone, whatever the ground; half of all are graded.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.detectors import Pair, place
from safelight.detectors.left_behind import NAMES, detect
from safelight.media.frame import Bytes
from safelight.media.image import read

OBJECT = 255
STRENGTHS = (0.15, 0.3, 0.5)  # of a reflection
TELLABLE = 8  # levels by which what is left differs from the ground, at its 90th percentile


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A pair that was scored: what was left (nothing: clean), on which ground, how visible."""

    source: str
    left: str  # the finding, empty where nothing was left
    ground: str
    scores: Mapping[str, float | None]
    visible: float


def measured(folder: Path, rows: Sequence[Mapping[str, Any]]) -> Iterator[Left]:
    """All pairs of the table that are about things."""
    for number, row in enumerate(r for r in rows if r["kind"].startswith("object")):
        before, truth = read(folder / row["file"]), read(folder / row["truth"])
        mask = read(folder / row["mask"])[..., 0]
        thing = np.asarray(cv2.dilate((mask == OBJECT).astype(np.uint8), np.ones((5, 5), np.uint8)), np.uint8)
        for left, shown, after, visible in _made(before, truth, thing, row):
            graded = _graded(after) if number % 2 else after
            yield _scored(row, left, shown, graded, thing, visible)


def _made(
    before: Bytes, truth: Bytes, thing: NDArray[np.uint8], row: Mapping[str, Any]
) -> Iterator[tuple[str, Bytes, Bytes, float]]:
    """(what was left, before, after, how visible in levels)."""
    yield "", before, _filled(truth, truth, thing), 0.0
    if row["shadow"] == "yes":
        after = _filled(before, truth, thing)
        beside = thing == 0
        change = np.abs(after.astype(np.float32) - truth)[beside].max(axis=-1)
        seen = change[change > 2]
        yield NAMES[0], before, after, float(np.quantile(seen, 0.9)) if len(seen) > 200 else 0.0
        return
    for strength in STRENGTHS:
        mirrored, visible = _mirrored(before, thing, strength)
        if mirrored is not None:
            yield NAMES[1], mirrored, _filled(mirrored, truth, thing), visible


def _filled(ground: Bytes, truth: Bytes, thing: NDArray[np.uint8]) -> Bytes:
    alpha = cv2.GaussianBlur(thing.astype(np.float32), (0, 0), 1.2)[..., None]
    return np.asarray(np.clip(ground * (1 - alpha) + truth * alpha + 0.5, 0, 255), np.uint8)


def _mirrored(before: Bytes, thing: NDArray[np.uint8], strength: float) -> tuple[Bytes | None, float]:
    """The before with the thing's reflection drawn below it, fading with its height."""
    x0, y0, wide, tall = cv2.boundingRect(thing)
    foot = y0 + tall
    room = min(tall, before.shape[0] - foot)
    if room < 0.4 * tall:
        return None, 0.0
    part = before[foot - room : foot, x0 : x0 + wide][::-1].astype(np.float32)
    here = thing[foot - room : foot, x0 : x0 + wide][::-1].astype(np.float32)
    alpha = (strength * here * np.linspace(1, 0.3, room, dtype=np.float32)[:, None])[..., None]
    out = before.astype(np.float32)
    ground = out[foot : foot + room, x0 : x0 + wide].copy()
    out[foot : foot + room, x0 : x0 + wide] = ground * (1 - alpha) + part * alpha
    change = np.abs(out[foot : foot + room, x0 : x0 + wide] - ground).max(-1)[here > 0]
    made = np.asarray(np.clip(cv2.GaussianBlur(out, (0, 0), 0.6) + 0.5, 0, 255), np.uint8)
    mixed = before.copy()
    mixed[foot : foot + room, x0 : x0 + wide] = made[foot : foot + room, x0 : x0 + wide]
    return mixed, float(np.quantile(change, 0.9)) if len(change) else 0.0


def _graded(rgb: Bytes) -> Bytes:
    levels = np.arange(256) / 255
    table = np.stack([255 * levels**gamma for gamma in (0.85, 0.9, 0.98)], -1)
    return np.asarray(cv2.LUT(rgb, np.asarray(table + 0.5, np.uint8)[:, None]), np.uint8)


def _scored(
    row: Mapping[str, Any], left: str, before: Bytes, after: Bytes, thing: NDArray[np.uint8], visible: float
) -> Left:
    pair = Pair(before=before, after=after, placement=place(before, after), mask=thing.astype(np.float32))
    scores = {f.name: f.score for f in detect(pair)}
    return Left(source=row["source"], left=left, ground=row["ground"], scores=scores, visible=visible)
