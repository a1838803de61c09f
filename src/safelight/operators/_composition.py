"""Where a crop may lie: heads whole, some room above them and before their eyes, and no more taken away than helps.

Everything is in shares of the upright picture, x0, y0, x1, y1, as the box of a crop is. Faces are what the probe
`faces` found; where there are none, the finest detail (`layout.detail`) says what the picture is about.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from safelight.domain import Json
from safelight.operators import Subject
from safelight.probes.layout import unpack_detail

Box: TypeAlias = tuple[float, float, float, float]
Boxes: TypeAlias = NDArray[np.float64]

HAIR, EARS, CHIN = 0.45, 0.2, 0.25  # of a face's box: what a head has beyond it, above, aside and below
NECK = 0.6  # of a face's height below the chin: an edge nearer than this cuts at the neck
MAIN = 0.5  # of the largest face's side: smaller faces are passers-by
TOUCHES = 0.01  # shares within which a face lies at the edge of the picture
LOOKS = 0.12  # of a face's width that the nose lies beside the middle of the eyes when somebody looks aside
LEADING = 0.4  # where somebody who looks to the right stands, from the left
PLACES = 25  # positions tried, each way
SCALES = (1.0, 0.92, 0.84, 0.76, 0.68, 0.6)  # of the largest box of an aspect
ROOM = 0.08, 0.15  # above the head, of the crop's height: for a face that fills a quarter of it, and for a small one
ROOM_SLACK = 0.05
MOST_OF_IT = 0.85  # of the detail that must lie in the spot
SPOT = 0.08  # of the area that a spot takes at most
SPOT_BECOMES = 0.2  # of the crop's area
LEAST_LEFT = 0.35  # of the area that a crop leaves
COSTS = {"area": 0.6, "room": 2.0, "aside": 1.0, "lost": 3.0, "middle": 0.1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A face: its box; `looks` -1 to the left, 1 to the right, 0 at the camera or unknown; whether it is a main one."""

    box: Box
    looks: int = 0
    main: bool = True

    @property
    def height(self) -> float:
        """Of its box."""
        return self.box[3] - self.box[1]

    @property
    def head(self) -> Box:
        """The box with hair, ears and chin, inside the picture."""
        x0, y0, x1, y1 = self.box
        aside, tall = EARS * (x1 - x0), y1 - y0
        return max(0.0, x0 - aside), max(0.0, y0 - HAIR * tall), min(1.0, x1 + aside), min(1.0, y1 + CHIN * tall)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a crop has to mind. `detail` is 12 x 12, sums to 1, or None where it was not measured."""

    width: int
    height: int
    faces: tuple[Face, ...] = ()
    detail: Boxes | None = None

    @property
    def main(self) -> tuple[Face, ...]:
        """The faces that the picture is of."""
        return tuple(face for face in self.faces if face.main)


def scene(subject: Subject) -> Scene | None:
    """What was found in a photo; None where its size is not known."""
    width, height = subject.asset.width, subject.asset.height
    if not width or not height:
        return None
    found = subject.facts.get("faces")
    listed = found.value if found is not None and isinstance(found.value, list) else []
    detail = subject.facts.get("layout.detail")
    cells = None if detail is None or not isinstance(detail.value, str) else _energy(detail.value)
    return Scene(width=width, height=height, faces=_faces(listed, width, height), detail=cells)


def _energy(text: str) -> Boxes | None:
    """How the fine detail is spread, less what lies everywhere."""
    found = 2.0 ** unpack_detail([text])[0].reshape(-1).astype(np.float64)
    side = round(len(found) ** 0.5)
    found = np.maximum(found - np.quantile(found, 0.25), 0)
    total = float(found.sum())
    return None if total <= 0 else np.asarray((found / total).reshape(side, side), np.float64)


def _faces(listed: Sequence[Json], width: int, height: int) -> tuple[Face, ...]:
    given = [f for f in listed if isinstance(f, dict) and isinstance(f.get("box"), list)]
    boxes = np.array([f["box"] for f in given], np.float64).reshape(-1, 4)
    if not len(boxes):
        return ()
    sides = np.sqrt((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
    shares = boxes / (width, height, width, height)
    return tuple(
        Face(
            box=(float(box[0]), float(box[1]), float(box[2]), float(box[3])),
            looks=_looks(f.get("landmarks"), float(wide)),
            main=bool(side >= MAIN * sides.max()),
        )
        for f, box, side, wide in zip(given, shares, sides, boxes[:, 2] - boxes[:, 0], strict=True)
    )


def _looks(landmarks: Json, width: float) -> int:
    """To which side the nose lies from the middle of the eyes; eyes come first among the landmarks, then the nose."""
    if not isinstance(landmarks, list) or len(landmarks) < 3:
        return 0
    points = np.array(landmarks[:3], np.float64)
    aside = (points[2, 0] - points[:2, 0].mean()) / max(width, 1e-9)
    return 0 if abs(aside) < LOOKS else int(np.sign(aside))


# ---------------------------------------------------------------- the best box


def best(
    of: Scene, aspect: float, *, scales: Sequence[float] = SCALES[:1], across: tuple[float, float] = (0.0, 1.0)
) -> Box | None:
    """The best box whose pixels have this width to height; None where every one would cut a face.

    `scales` are those of the largest such box that are tried; `across` is what of the width may stay.
    """
    candidates = _candidates(of, aspect, scales)
    candidates = candidates[(candidates[:, 0] >= across[0]) & (candidates[:, 2] <= across[1])]
    candidates = candidates[_whole(of.faces, candidates)]
    if not len(candidates):
        return None
    x0, y0, x1, y1 = candidates[int(np.argmin(_cost(of, candidates)))]
    return on_pixels((float(x0), float(y0), float(x1), float(y1)), of)


def on_pixels(box: Box, of: Scene) -> Box:
    """A box moved to whole pixels, so that rounding both of its ends cannot change its shape."""
    size = np.array([of.width, of.height])
    low = np.rint(np.array(box[:2]) * size)
    high = low + np.maximum(1, np.rint((np.array(box[2:]) - box[:2]) * size))
    over = np.maximum(0, high - size)
    x0, y0 = (round(float(v), 6) for v in (low - over) / size)
    x1, y1 = (round(float(v), 6) for v in (high - over) / size)
    return x0, y0, x1, y1


def largest(of: Scene, aspect: float) -> tuple[float, float]:
    """Width and height of the largest box of an aspect, as shares."""
    relative = aspect * of.height / of.width
    return min(1.0, relative), min(1.0, 1 / relative)


def _candidates(of: Scene, aspect: float, scales: Sequence[float]) -> Boxes:
    whole = largest(of, aspect)
    found = []
    for scale in scales:
        width, height = scale * whole[0], scale * whole[1]
        x = np.linspace(0, 1 - width, PLACES if width < 1 else 1)
        y = np.linspace(0, 1 - height, PLACES if height < 1 else 1)
        left, top = (v.ravel() for v in np.meshgrid(x, y))
        found.append(np.stack([left, top, left + width, top + height], axis=1))
    return np.concatenate(found)


def _whole(faces: Sequence[Face], boxes: Boxes) -> NDArray[np.bool_]:
    """Which boxes cut no face: main ones are inside with head and neck, others inside or outside."""
    good = np.ones(len(boxes), bool)
    for face in faces:
        x0, y0, x1, y1 = face.head
        inside = (boxes[:, 0] <= x0 + 1e-9) & (boxes[:, 1] <= y0 + 1e-9)
        inside &= (boxes[:, 2] >= x1 - 1e-9) & (boxes[:, 3] >= y1 - 1e-9)
        if face.main:
            shoulders = min(1.0, face.box[3] + NECK * face.height)
            good &= inside & (boxes[:, 3] >= shoulders - 1e-9)
        else:
            outside = (boxes[:, 0] >= x1) | (boxes[:, 1] >= y1) | (boxes[:, 2] <= x0) | (boxes[:, 3] <= y0)
            good &= inside | outside
    return good


def _cost(of: Scene, boxes: Boxes) -> Boxes:
    """What speaks against each box: area taken away, heads too low or too high, people at odd places, detail lost."""
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    area = width * height
    cost = COSTS["area"] * (1 - area / area.max())
    if of.main:
        top, tall = min(f.head[1] for f in of.main), max(f.height for f in of.main)
        share = np.clip(tall / height / 0.25, 0, 1)
        wanted = share * ROOM[0] + (1 - share) * ROOM[1]
        off = np.abs((top - boxes[:, 1]) / height - wanted)
        cost = cost + COSTS["room"] * np.maximum(0, off - ROOM_SLACK) + COSTS["aside"] * _aside(of, boxes)
    elif of.detail is not None:
        cost = cost + COSTS["lost"] * (1 - _held(of.detail, boxes))
    middle = np.abs(boxes[:, [0, 1]] + boxes[:, [2, 3]] - 1).sum(axis=1)
    return np.asarray(cost + COSTS["middle"] * middle, np.float64)


def _aside(of: Scene, boxes: Boxes) -> Boxes:
    """How far the people stand from where they should: thirds or middle, with room before their eyes."""
    x = [(f.box[0] + f.box[2]) / 2 for f in of.main]
    middle = (min(x) + max(x)) / 2
    place = (middle - boxes[:, 0]) / (boxes[:, 2] - boxes[:, 0])
    looks = int(np.sign(sum(f.looks for f in of.main)))
    if looks:
        return np.asarray(np.abs(place - (LEADING if looks > 0 else 1 - LEADING)), np.float64)
    return np.asarray(np.min([np.abs(place - third) for third in (1 / 3, 0.5, 2 / 3)], axis=0), np.float64)


def _held(detail: Boxes, boxes: Boxes) -> Boxes:
    """The share of the detail inside each box."""
    rows, columns = detail.shape
    ends_x, ends_y = np.linspace(0, 1, columns + 1), np.linspace(0, 1, rows + 1)

    def covered(low: Boxes, high: Boxes, ends: Boxes) -> Boxes:
        width = np.minimum(high[:, None], ends[1:]) - np.maximum(low[:, None], ends[:-1])
        return np.asarray(np.clip(width, 0, None) * (len(ends) - 1), np.float64)

    x, y = covered(boxes[:, 0], boxes[:, 2], ends_x), covered(boxes[:, 1], boxes[:, 3], ends_y)
    return np.asarray(np.einsum("ni,ij,nj->n", y, detail, x), np.float64)


def held(of: Scene, box: Box) -> float | None:
    """The share of the fine detail inside a box; None where it was not measured."""
    return None if of.detail is None else float(_held(of.detail, np.array([box]))[0])


# ---------------------------------------------------------------- a small subject


def spot(of: Scene) -> Box | None:
    """The cells that hold nearly all the detail, where they are one small place away from the edges."""
    if of.detail is None:
        return None
    order = np.argsort(-of.detail.ravel(), kind="stable")
    count = int(np.searchsorted(np.cumsum(of.detail.ravel()[order]), MOST_OF_IT)) + 1
    rows, columns = np.unravel_index(order[:count], of.detail.shape)
    down, across = of.detail.shape
    x0, y0 = float(columns.min() / across), float(rows.min() / down)
    x1, y1 = float((columns.max() + 1) / across), float((rows.max() + 1) / down)
    inside = min(x0, y0, 1 - x1, 1 - y1) > 0
    return (x0, y0, x1, y1) if inside and (x1 - x0) * (y1 - y0) <= SPOT else None


def around(found: Box, of: Scene) -> Box:
    """A box in the picture's own ratio in which the spot stands larger, off the middle as it stood before."""
    size = np.array([found[2] - found[0], found[3] - found[1]])
    side = float(np.clip(np.sqrt(size.prod() / SPOT_BECOMES), np.sqrt(LEAST_LEFT), 1))
    side = max(side, 1.3 * float(size.max()))
    centre = np.array([(found[0] + found[2]) / 2, (found[1] + found[3]) / 2])
    place = np.clip(centre, 1 / 3, 2 / 3)  # of the box: never further aside than a third
    x0, y0 = np.clip(centre - place * side, 0, 1 - side)
    return on_pixels((float(x0), float(y0), float(x0 + side), float(y0 + side)), of)
