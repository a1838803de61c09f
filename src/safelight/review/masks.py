"""Masks that people paint, and how they are shown: strokes of brush and eraser, a box, the surroundings of a point.

A mask is 8-bit grey in pixels of the upright original, 255 is the full effect; it is kept as a PNG by its digest.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from safelight.errors import UsageError
from safelight.media.colour import delta_e
from safelight.media.frame import Bytes, Matrix

MOST_POINTS = 20_000  # of one stroke
SPREAD = 12  # levels by which neighbours of a point may differ from it, in each channel, and still belong to it
FINE = 800  # px, long side of the picture on which the surroundings of a point are looked for
COARSE = 480  # px, long side at which two pictures are compared
FADE = 0.35  # how bright stays what lies outside a mask that is shown
SEEN = 2.0  # ΔE00 from which on a change is shown; below, most people see none
CLEAR = 12.0  # ΔE00 that is shown in full


class Shape(StrEnum):
    """How a mark says where."""

    BRUSH = "brush"
    ERASER = "eraser"
    BOX = "box"
    POINT = "point"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """One mark of a person. `points` are pixels of the upright original: the way of a brush, two corners of a box, or
    one place; `radius` px; `hardness` 0 (fades from the middle) to 1 (a sharp edge); `flow` 0 to 1."""

    shape: Shape
    points: tuple[tuple[float, float], ...]
    radius: float = 40.0
    hardness: float = 0.5
    flow: float = 1.0


def blank(width: int, height: int) -> Bytes:
    """A mask of nothing."""
    return np.zeros((height, width), np.uint8)


def painted(mask: Bytes, stroke: Stroke, *, picture: Bytes | None = None) -> Bytes:
    """The mask with one more stroke; the one given stays. A point needs the upright `picture`, of any size: what is
    like it and connected with it belongs to it. Raises UsageError for strokes that say nothing."""
    if not stroke.points or len(stroke.points) > MOST_POINTS:
        raise UsageError(f"A stroke of {len(stroke.points)} points cannot be painted.", remedy="Paint it again.")
    if stroke.shape is Shape.BOX:
        return _box(mask, stroke)
    if stroke.shape is Shape.POINT:
        if picture is None:
            raise UsageError("Where a point leads to needs the picture.", remedy="Paint with the brush instead.")
        return _around(mask, stroke, picture)
    return _brushed(mask, stroke)


def png(mask: Bytes) -> bytes:
    """The mask as it is kept; equal masks give equal bytes."""
    done, data = cv2.imencode(".png", mask, (cv2.IMWRITE_PNG_COMPRESSION, 1))
    assert done
    return bytes(data)


def digest(data: bytes) -> str:
    """The name under which kept work of these bytes is found."""
    return hashlib.sha256(data).hexdigest()


def from_png(data: bytes) -> Bytes:
    """A kept mask. Raises UsageError where the bytes are no picture."""
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
    if found is None:
        raise UsageError("The mask is no PNG.", remedy="Paint it again.")
    return np.asarray(found, np.uint8)


def placed(mask: Bytes, geometry: Matrix, size: tuple[int, int]) -> Bytes:
    """The mask on a picture of this size (width, height) to which `geometry` leads from the original."""
    found = cv2.warpPerspective(mask, geometry, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(found, np.uint8)


# ---------------------------------------------------------------- strokes


def _brushed(mask: Bytes, stroke: Stroke) -> Bytes:
    """A line of round dabs: full up to `hardness` of the radius, then fading to nothing. It is drawn on the part of the
    mask that it touches, large brushes on fewer pixels: they have no detail."""
    points = np.asarray(stroke.points, np.float64)
    reach = stroke.radius + 2
    height, width = mask.shape
    x0, y0 = (max(0, int(np.floor(v - reach))) for v in points.min(0))
    x1, y1 = (min(most, int(np.ceil(v + reach)) + 1) for v, most in zip(points.max(0), (width, height), strict=True))
    if x0 >= x1 or y0 >= y1:
        return mask
    scale = min(1.0, 32 / max(stroke.radius, 1.0))
    margin = 2 + int(np.ceil(reach * scale))  # so that a way beyond the border is drawn too
    size = tuple(max(1, round(length * scale)) + 2 * margin for length in (x1 - x0, y1 - y0))
    way = np.full((size[1], size[0]), 255, np.uint8)
    places = np.rint(((points - (x0, y0)) * scale + margin) * 16).astype(np.int32)
    places = np.concatenate((places, places[-1:]))  # a single place is a line too
    cv2.polylines(way, [places[:, None]], isClosed=False, color=0, thickness=1, lineType=cv2.LINE_8, shift=4)
    far = np.minimum(cv2.distanceTransform(way, cv2.DIST_L2, 5), 1e6)  # what is drawn outside leaves no distance
    far = far[margin : size[1] - margin, margin : size[0] - margin] / scale
    fade = max(stroke.radius * (1 - stroke.hardness), 1 / scale)
    share = np.clip((stroke.radius - far) / fade, 0, 1)
    ink = np.rint(share * share * (3 - 2 * share) * 255).astype(np.uint8)
    full = cv2.resize(ink, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
    return _laid(mask, np.asarray(full, np.uint8), (x0, y0), stroke)


def _box(mask: Bytes, stroke: Stroke) -> Bytes:
    if len(stroke.points) != 2:
        raise UsageError("A box has two corners.", remedy="Draw it again.")
    corners = np.asarray(stroke.points, np.float64)
    height, width = mask.shape
    (x0, y0), (x1, y1) = np.clip(np.rint(corners.min(0)), 0, (width, height)).astype(int), np.clip(
        np.rint(corners.max(0)), 0, (width, height)
    ).astype(int)  # fmt: skip
    if x1 <= x0 or y1 <= y0:
        raise UsageError("The box is empty.", remedy="Draw it again.")
    return _laid(mask, np.full((y1 - y0, x1 - x0), 255, np.uint8), (int(x0), int(y0)), stroke)


def _around(mask: Bytes, stroke: Stroke, picture: Bytes) -> Bytes:
    """What is like a point and connected with it, with edges as soft as the reduction."""
    scale = min(1.0, FINE / max(picture.shape))
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    small = cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB)
    small = cv2.medianBlur(small, 3)
    height, width = mask.shape
    x, y = stroke.points[0]
    at = int(np.clip(x * size[0] / width, 0, size[0] - 1)), int(np.clip(y * size[1] / height, 0, size[1] - 1))
    found = np.zeros((size[1] + 2, size[0] + 2), np.uint8)
    flags = 8 | (255 << 8) | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE
    cv2.floodFill(small, found, at, 0, (2.5 * SPREAD, SPREAD, SPREAD), (2.5 * SPREAD, SPREAD, SPREAD), flags)
    found = cv2.morphologyEx(found[1:-1, 1:-1], cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    full = cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR)
    return _laid(mask, np.asarray(full, np.uint8), (0, 0), stroke)


def _laid(mask: Bytes, ink: Bytes, at: tuple[int, int], stroke: Stroke) -> Bytes:
    out = mask.copy()
    x, y = at
    part = out[y : y + ink.shape[0], x : x + ink.shape[1]]
    if stroke.flow < 1:
        ink = np.asarray(cv2.convertScaleAbs(ink, alpha=stroke.flow), np.uint8)
    if stroke.shape is Shape.ERASER:
        part[:] = cv2.subtract(part, ink)
    else:
        part[:] = cv2.max(part, ink)
    return out


# ---------------------------------------------------------------- shown


def shown(rgb: Bytes, mask: Bytes) -> Bytes:
    """The picture in colour under the mask and in dim grey outside it: no tint that could be taken for a colour of the
    picture. Mask H x W, 0..255."""
    share = (mask.astype(np.float32) / 255)[..., None]
    dim = cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB).astype(np.float32) * FADE
    return np.rint(rgb * share + dim * (1 - share)).astype(np.uint8)


def changed(before: Bytes, after: Bytes) -> Bytes:
    """Where two pictures of one size differ to the eye: 0 below 2 ΔE00, 255 from 12 on, H x W."""
    scale = min(1.0, COARSE / max(before.shape))
    size = max(1, round(before.shape[1] * scale)), max(1, round(before.shape[0] * scale))
    one, other = (np.asarray(cv2.resize(p, size, interpolation=cv2.INTER_AREA), np.uint8) for p in (before, after))
    apart = np.clip((delta_e(one, other) - SEEN) / (CLEAR - SEEN), 0, 1)
    levels = np.rint(apart * 255).astype(np.uint8)
    return np.asarray(cv2.resize(levels, (before.shape[1], before.shape[0]), interpolation=cv2.INTER_LINEAR), np.uint8)


# ---------------------------------------------------------------- here


def here(boxes: Sequence[tuple[int, int, int, int]]) -> str:
    """Places that a person pointed at, as the first line of a verdict's note: pixels of the upright original."""
    return "here " + "; ".join(",".join(str(v) for v in box) for box in boxes) if boxes else ""


def places(note: str) -> list[tuple[int, int, int, int]]:
    """The places in a verdict's note; none where it names none."""
    first = note.splitlines()[0] if note else ""
    if not first.startswith("here "):
        return []
    found = []
    for part in first.removeprefix("here ").split(";"):
        numbers = part.strip().split(",")
        if len(numbers) == 4 and all(n.strip().lstrip("-").isdigit() for n in numbers):
            x0, y0, x1, y1 = (int(n) for n in numbers)
            found.append((x0, y0, x1, y1))
    return found
