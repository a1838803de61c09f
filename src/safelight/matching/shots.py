"""The same things in two shots, pixel on pixel: what a grade is fitted on, and what says whether it helped.

Frames are brought over one another by their features, whatever their colour; where too few agree, the shots show
different places, and no grade is better than a guessed one.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.detectors._blocks import even_contrast
from safelight.matching.cdl import Grade, fit
from safelight.media import colour, container, video
from safelight.media.effects import CDL, Colours
from safelight.media.frame import Bytes
from safelight.media.picture import grey

SIDE = 640  # px, long side in which shots are compared
STILLS = 4  # frames of each, spread over the shot
FEATURES = 1000
RATIO, NEAR_PX = 0.8, 3.0  # of features (Lowe 2004), and how far they may lie from their place
FEWEST, LEAST = 24, 0.3  # features that agree, and their share, below which places differ
FLAT = 12.0  # grey levels between neighbours from which a pixel is an edge, and tells little about colour
CELL = 6  # px that are averaged to one colour
ENOUGH = 200  # features that agree: no other frames are tried
SAME = 0.3  # ΔE00: nobody sees it
ALIKE = 1.5  # ΔE00: so near, shots whose difference no grade lessens are alike
HELPS = 0.75  # share of the difference that may be left for a grade to be proposed
PLAIN = 0.02  # spread of display values below which a picture says nothing about a grade
CHANGED = 12.0  # ΔE00 after a grade from which a pair of cells is not the same thing


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Stills of one shot, sRGB bytes."""

    name: str
    stills: tuple[Bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """`grade` brings the other shot to the hero; None with a reason in `cannot_tell`, or where they are `alike`.
    ΔE00 medians over what both show, on cells that the fit did not use."""

    grade: Grade | None = None
    cannot_tell: str | None = None
    alike: bool = False
    before: float | None = None
    after: float | None = None
    share: float = 0.0  # of the other's picture that both show


def look_of(path: Path) -> Look:
    """Frames spread over a clip; read once. Raises MediaError where there is no picture."""
    facts = container.contents(path)
    seconds = facts.duration_s or Fraction(1)
    wanted = [seconds * (2 * i + 1) / (2 * STILLS) for i in range(STILLS)]
    stills: list[Bytes] = []
    for still in video.frames(path, long_side=SIDE, facts=facts):
        if len(stills) < STILLS and still.at >= wanted[len(stills)]:
            stills.append(still.rgb)
        last = still.rgb
    return Look(name=path.name, stills=tuple(stills) or (last,))


def match(hero: Look, other: Look) -> Matched:
    """What brings `other` to the look of `hero`."""
    best = _best(hero, other)
    if best is None or best.agreed < FEWEST or best.share < LEAST:
        agreed = best.agreed if best else 0
        return Matched(cannot_tell=f"they show too little in common: {agreed} features agree")
    source, wanted, weight = _cells(best)
    if len(source) < FEWEST or float(source.std(0).max()) < PLAIN:
        return Matched(cannot_tell="what they have in common is too dark, too plain or all edges")
    learn = np.arange(len(source)) % 3 > 0
    before = float(np.median(_off(source[~learn], wanted[~learn])))
    share = len(source) * CELL * CELL / best.other[..., 0].size
    cdl, reverse = (_fitted(source[learn], wanted[learn], weight[learn], reverse=r) for r in (False, True))
    after = {g: float(np.median(_off(g(source[~learn]), wanted[~learn]))) for g in (cdl, reverse)}
    if after[cdl] > HELPS * before or before < SAME:
        if before <= ALIKE:
            return Matched(alike=True, before=before, after=before, share=share)
        return Matched(cannot_tell="no grade brings them nearer: they differ in more than colour", before=before)
    table = min((cdl, reverse), key=lambda g: after[g])
    return Matched(grade=Grade(cdl=cdl, table=table), before=before, after=after[cdl], share=share)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    hero: Bytes
    other: Bytes
    matrix: NDArray[np.float64]
    agreed: int
    share: float


_Features = tuple[NDArray[np.float32], NDArray[np.float32]]


def _best(hero: Look, other: Look) -> _Placed | None:
    """The two frames that have most in common; frames from the same part of the shots first."""
    features = [[_features(still) for still in look.stills] for look in (hero, other)]
    order = sorted(np.ndindex(len(hero.stills), len(other.stills)), key=lambda ij: (abs(ij[0] - ij[1]), ij))
    best = None
    for i, j in order:
        placed = _placed(hero.stills[i], other.stills[j], features[0][i], features[1][j])
        if placed is not None and (best is None or placed.agreed > best.agreed):
            best = placed
        if best is not None and best.agreed >= ENOUGH:
            break
    return best


def _placed(hero: Bytes, other: Bytes, one: _Features, two: _Features) -> _Placed | None:
    """The hero's frame brought over the other's by what both show."""
    (points, described), (others, described_too) = one, two
    if min(len(points), len(others)) < FEWEST:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(described, described_too, k=2)
    good = [p[0] for p in pairs if len(p) == 2 and p[0].distance < RATIO * p[1].distance]
    if len(good) < FEWEST:
        return None
    a = np.array([points[m.queryIdx] for m in good], np.float32)
    b = np.array([others[m.trainIdx] for m in good], np.float32)
    matrix, inside = cv2.estimateAffinePartial2D(a, b, ransacReprojThreshold=NEAR_PX, maxIters=2000, confidence=0.999)
    if not np.any(inside):
        return None
    whole = np.vstack([matrix, [0, 0, 1]])
    return _Placed(hero=hero, other=other, matrix=whole, agreed=int(inside.sum()), share=float(inside.mean()))


def _features(rgb: Bytes) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Places and descriptions, of even contrast so that exposure and colour do not matter."""
    even = np.clip(128 + 48 * even_contrast(np.asarray(grey(rgb), np.float32)), 0, 255).astype(np.uint8)
    found, described = cv2.SIFT_create(nfeatures=FEATURES).detectAndCompute(even, None)  # type: ignore[attr-defined]
    if described is None:
        return np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32)
    return np.array([k.pt for k in found], np.float32), described


def _cells(placed: _Placed) -> tuple[Colours, Colours, NDArray[np.float64]]:
    """Mean colours of flat cells in the other and in the hero (display values), with a weight: rare colours count as
    much as common ones."""
    height, width = placed.other.shape[:2]
    size = (width, height)
    hero: Bytes = np.asarray(cv2.warpAffine(placed.hero, placed.matrix[:2], size, flags=cv2.INTER_AREA), np.uint8)
    seen = cv2.warpAffine(np.full(placed.hero.shape[:2], 255, np.uint8), placed.matrix[:2], size)
    edges = [cv2.morphologyEx(cv2.GaussianBlur(np.asarray(grey(p), np.uint8), (3, 3), 0), cv2.MORPH_GRADIENT,
                              np.ones((3, 3), np.uint8)) for p in (placed.other, hero)]  # fmt: skip
    good = ((seen == 255) & (edges[0] < FLAT) & (edges[1] < FLAT)).astype(np.float32)
    cells = (width // CELL, height // CELL)
    share = cv2.resize(good, cells, interpolation=cv2.INTER_AREA)
    flat = share > 0.7
    one, two = (
        cv2.resize(np.asarray(p, np.float32) / 255, cells, interpolation=cv2.INTER_AREA)[flat].astype(np.float64)
        for p in (placed.other, hero)
    )
    order = np.random.default_rng(0).permutation(len(one))
    one, two = one[order], two[order]
    if not len(one):
        return one, two, np.zeros(0)
    boxes = (one * 12).astype(int) @ np.array([1, 16, 256])
    _, index, counts = np.unique(boxes, return_inverse=True, return_counts=True)
    weight = 1 / np.sqrt(counts[index])
    return one, two, weight / weight.mean()


def _fitted(source: Colours, wanted: Colours, weight: NDArray[np.float64], *, reverse: bool) -> CDL:
    """Fitted, then again without what is not the same thing in both (somebody moved)."""
    first = fit(source, wanted, weight, reverse=reverse)
    off = _off(first(source), wanted)
    same = off < min(CHANGED, 3 * float(np.median(off)) + 1)
    return fit(source[same], wanted[same], weight[same], reverse=reverse)


def _off(one: Colours, two: Colours) -> NDArray[np.float64]:
    """ΔE00 of colours, row by row."""
    as_bytes = [np.round(c * 255).astype(np.uint8)[:, None] for c in (one, two)]
    return np.asarray(colour.delta_e(as_bytes[0], as_bytes[1])).ravel()
