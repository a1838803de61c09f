"""Eyes open, closed, or not to be told from a face's mesh.

Two measures of each eye have to agree: what the network says about the blink, and how far the lids stand apart in the
mesh (eye aspect ratio, Soukupova and Cech 2016). Both come from one network, so the mesh itself is checked against
what else is known: the detector's own eye points, the blur of the eyes, the light on them. Each check that fails is a
reason why nothing is said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.picture import TO_LINEAR, Picture, grey
from safelight.probes._mesh import BLINK, SURE, Found, Mesh, Points

State = Literal["open", "closed", "cannot_tell"]

LARGEST_YAW = 30.0  # degrees
NARROWEST = 20.0  # px, width of the wider eye in the native picture
APART = 0.3  # of the distance between the eyes: detector and mesh put an eye this far apart when the mesh is wrong
# Edges wider than this (standard deviation, by an eye's width; across, and up and down) hide how far the lids stand
# apart: beyond it, open eyes of the talking heads, blurred by focus or motion, began to be called closed.
BLURRED = (0.12, 0.10)
FINE, COARSE = 0.04, 0.08  # of an eye's width: Gaussians whose gradients are compared to tell how wide edges are
STEEPEST = 0.2  # share of the pixels about the eyes that count as edges
COVERED = 1 / 3  # of the cheek's light: no more comes back from behind dark glasses (ISO 12312-1, categories 2 to 4)
SURELY = 0.75  # how closed both measures together must be to say closed; 1 less this to say open

# Points of the mesh: outer and inner corner, two pairs on upper and lower lid; then the skin under the eye, the cheek.
RIGHT = (33, 133, (160, 144), (158, 153))  # on the picture's left
LEFT = (263, 362, (387, 373), (385, 380))
UNDER = ((228, 229, 230, 231, 232, 121, 120, 119, 118, 117), (448, 449, 450, 451, 452, 350, 349, 348, 347, 346))
CHEEKS = (205, 425)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lids:
    """What is measured of the two eyes, the one on the picture's left first: blink 0..1, opening by width."""

    blink: tuple[float, float]
    opening: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Eyes:
    """The verdict on one face's eyes. `closed` 0..1 where there is one, otherwise `reason`."""

    state: State
    closed: float | None = None
    reason: str | None = None


def lids_of(mesh: Mesh) -> Lids:
    """Blink and opening of both eyes."""
    inner = mesh.inner[:, :2]
    left, right = (float(np.clip(mesh.moves[i], 0, 1)) for i in BLINK)
    return Lids(blink=(right, left), opening=(_opening(inner, RIGHT), _opening(inner, LEFT)))


def unreadable(picture: Picture, face: Found, mesh: Mesh) -> str | None:
    """Why nothing may be read from this mesh; None where it may."""
    if mesh.presence < SURE:
        return "the face is turned away or partly hidden"
    if abs(mesh.yaw) > LARGEST_YAW:
        return f"the face is turned aside by {abs(mesh.yaw):.0f}°; up to {LARGEST_YAW:.0f}° can be told"
    wide = max(_distance(mesh.points, eye[0], eye[1]) for eye in (RIGHT, LEFT))
    if wide < NARROWEST:
        return f"the eyes are {wide:.0f} px wide; {NARROWEST:.0f} px are needed"
    centres = np.array([mesh.points[[eye[0], eye[1]]].mean(axis=0) for eye in (RIGHT, LEFT)])
    if (centres < 0).any() or (centres > [picture.width, picture.height]).any():
        return "the eyes lie outside the picture"
    gap = np.linalg.norm(face.points[:2] - centres, axis=1).max() / np.linalg.norm(centres[1] - centres[0])
    if gap > APART:
        return "two networks do not agree where the eyes are"
    return None


def hidden(mesh: Mesh) -> str | None:
    """Why the lids cannot be seen although the face can; None where they can."""
    luma = grey(mesh.crop)
    if any(spread > limit for spread, limit in zip(edge_spreads(luma, mesh), BLURRED, strict=True)):
        return "the eyes are blurred"
    if _under_eye_light(luma, mesh.inner[:, :2]) < COVERED:
        return "something dark covers the eyes, or they lie in deep shadow"
    return None


def edge_spreads(luma: NDArray[np.uint8], mesh: Mesh) -> tuple[float, float]:
    """How wide the edges about the eyes are across and up and down (standard deviation by an eye's width).

    The gradient of an edge of spread s, smoothed by σ, falls as 1 / sqrt(s² + σ²); two σ give s (Elder and
    Zucker 1998).
    """
    wide = max(_distance(mesh.inner, eye[0], eye[1]) for eye in (RIGHT, LEFT))
    points = mesh.inner[[*_all(RIGHT), *_all(LEFT)], :2]
    reach = np.array([0.3, 0.5]) * wide
    low = np.clip(points.min(axis=0) - reach, 0, luma.shape[0] - 2).astype(int)
    high = np.clip(points.max(axis=0) + reach, low + 2, luma.shape[0]).astype(int)
    levels = [cv2.GaussianBlur(luma.astype(np.float32), (0, 0), part * wide) for part in (FINE, COARSE)]
    spreads = []
    for across, down in ((1, 0), (0, 1)):
        fine, coarse = (
            np.square(cv2.Sobel(level, cv2.CV_32F, across, down, ksize=1)[low[1] : high[1], low[0] : high[0]])
            for level in levels
        )
        steep = coarse >= np.quantile(coarse, 1 - STEEPEST)
        ratio = float(fine[steep].sum() / max(coarse[steep].sum(), 1e-9))
        ratio = float(np.clip(ratio, 1.001, (COARSE / FINE) ** 2))
        spreads.append(float(np.sqrt((COARSE**2 - ratio * FINE**2) / (ratio - 1))))
    return spreads[0], spreads[1]


def closedness(lids: Lids, model: Mapping[str, Mapping[str, float]]) -> NDArray[np.float64]:
    """How closed each eye is by each measure, 0..1: two rows (blink, opening), two eyes."""
    rows = []
    for values, part, sign in ((lids.blink, model["blink"], 1), (lids.opening, model["opening"], -1)):
        x = sign * (np.asarray(values) - part["middle"]) / part["half_gap"]
        rows.append(1 / (1 + np.exp(-2 * x)))
    return np.array(rows)


def judge(lids: Lids, model: Mapping[str, Mapping[str, float]]) -> Eyes:
    """Open, closed or cannot tell from eyes that can be seen."""
    parts = closedness(lids, model)
    whole = float(parts.mean())
    if whole >= SURELY and (parts > 0.5).all():
        return Eyes(state="closed", closed=whole)
    if whole <= 1 - SURELY and (parts < 0.5).all():
        return Eyes(state="open", closed=whole)
    if (np.ptp(parts, axis=1) > 0.5).any():
        return Eyes(state="cannot_tell", reason="one eye looks open and one closed")
    if abs(parts[0].mean() - parts[1].mean()) > 0.5:
        return Eyes(state="cannot_tell", reason="blink and opening of the lids do not agree")
    return Eyes(state="cannot_tell", reason="the eyes are half closed")


def _opening(points: Points, eye: tuple[int, int, tuple[int, int], tuple[int, int]]) -> float:
    outer, inner, one, other = eye
    return (_distance(points, *one) + _distance(points, *other)) / (2 * _distance(points, outer, inner))


def _distance(points: Points, one: int, other: int) -> float:
    return float(np.linalg.norm(points[one, :2] - points[other, :2]))


def _all(eye: tuple[int, int, tuple[int, int], tuple[int, int]]) -> tuple[int, ...]:
    return (eye[0], eye[1], *eye[2], *eye[3])


def _under_eye_light(luma: NDArray[np.uint8], points: Points) -> float:
    """Light under the better lit eye, by that of the cheek below it (linear)."""
    light = TO_LINEAR[luma]
    found = []
    for under, cheek in zip(UNDER, CHEEKS, strict=True):
        mask = np.zeros(luma.shape, np.uint8)
        cv2.fillConvexPoly(mask, cv2.convexHull(np.round(points[list(under)]).astype(np.int32)), 1)
        x, y = np.clip(np.round(points[cheek]).astype(int), 6, luma.shape[0] - 7)
        if mask.any():
            lit = float(np.median(light[y - 6 : y + 7, x - 6 : x + 7]))
            found.append(float(np.median(light[mask > 0])) / max(lit, 1e-3))
    return max(found, default=0.0)
