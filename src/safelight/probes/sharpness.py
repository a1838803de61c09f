"""Sharpness that survives noise and shallow focus, on the faces or the sharpest structure; motion told from defocus.

The sharpest tiles of the picture say, direction by direction, how wide their edges are (`_detail`). `blur` is a
logistic of the widest direction: a sharp photo has narrow edges in all directions, however blurred its ground is;
defocus and motion leave no such place. How much the directions differ tells motion from defocus. Widths count in
proportion to the square root of the picture's long side, for large pictures are seen from less near. Two features,
four numbers: fitted by `bench.fit.sharpness`.

Blur is judged at work size. Larger originals are also read at native resolution where they are sharpest, and that
counts for `sharpness`, which ranks the frames of one group.
"""

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import numpy as np

from safelight.domain import Box, Measure, Where
from safelight.media.frame import Pixels
from safelight.media.picture import WORK_SIDE, Picture, grey
from safelight.probes import Probe
from safelight.probes._detail import MARGIN, Edges, Floats, detail, edges_of, spread_with
from safelight.probes._tiles import TILE, Corner, choose, cut, hotspots

MODEL: Mapping[str, Any] = json.loads((resources.files(__package__) / "sharpness.json").read_text("utf-8"))

ENOUGH = 200  # edge pixels of the sharpest tiles that tell how wide a direction's edges are
FEWEST_DIRECTIONS = 4  # of six, to tell motion from defocus; edges of one direction count in three
NATIVE = 1.3  # native px in a work px from which the native picture shows more
SPOTS = 24  # places read at native resolution
SUBJECT_SHARE = 0.25  # of the structured tiles: the sharpest ones are the subject
SPAN = (0.125, 0.875)  # of the sharpest tiles' places, by which the subject's box is drawn
MATTERS = 0.5  # of the tallest face's height: smaller faces are passers-by
TALL = 96  # native px, height from which a face says whether it is blurred
SOFTER = 0.4  # log width by which lids and lips are softer than a picture's sharpest structure (a dozen portraits)
PERHAPS = 0.8  # most that blurred faces on sharp ground can make of `blur`: they may be meant
NAMES = ("blur", "blur.motion", "blur.defocus", "sharpness", "subject.box")


def measure(picture: Picture) -> Sequence[Measure]:
    """The evidence about one picture."""
    return judge(picture)


def judge(picture: Picture, *, model: Mapping[str, Any] = MODEL) -> tuple[Measure, ...]:
    """The evidence about one picture by a given model: `{"blur": {"bias", "width"}, "motion": {"bias", "range"}}`."""
    found = features(picture)
    if found is None:
        return tuple(Measure(name=name, cannot_tell="nothing in the picture has edges") for name in NAMES)
    box: Box = (int(found["x0"]), int(found["y0"]), int(found["x1"]), int(found["y1"]))
    where = Where(box=box)
    blur = _blur(found["width"], model)
    if "face_width" in found:
        blur = max(blur, min(PERHAPS, _blur(found["face_width"] - SOFTER, model)))
    measures = [
        Measure(name="blur", value=round(blur, 4), where=where),
        Measure(name="sharpness", value=round(found["sharpness"], 4), where=where),
        Measure(name="subject.box", value=list(box), unit="px", where=where),
    ]
    if "range" in found:
        motion = _chance(model["motion"]["bias"] + model["motion"]["range"] * found["range"])
        measures.append(Measure(name="blur.motion", value=round(blur * motion, 4), where=where))
        measures.append(Measure(name="blur.defocus", value=round(blur * (1 - motion), 4), where=where))
    else:
        reason = "edges of too few directions to tell motion from defocus"
        measures += [Measure(name=name, cannot_tell=reason) for name in ("blur.motion", "blur.defocus")]
    return tuple(measures)


def features(picture: Picture) -> dict[str, float] | None:
    """What the model sees, and where: None where there is no structure.

    `width`: log edge spread of the widest direction, in px of a picture of 1600; `range`: log ratio of the widest
    to the narrowest direction, where at least four have edges; `face_width`: `width` of the sharpest face that matters,
    where earlier probes found one; `sharpness`: 0..1; `x0`, `y0`, `x1`, `y1`: subject
    in native px.
    """
    luma = picture.luma
    if min(luma.shape) < TILE:
        return None
    corners = choose(luma)
    edges = edges_of(cut(luma, corners))
    spreads = _widths(edges)
    if spreads is None:
        return None
    widest = float(np.nanmax(spreads)) / _tolerance(max(luma.shape))
    order = _sharpest(edges)
    found = {"width": float(np.log(widest))}
    if np.isfinite(spreads).sum() >= FEWEST_DIRECTIONS:
        found["range"] = float(np.log(np.nanmax(spreads) / np.nanmin(spreads)))
    parts = [detail(widest), *_native_detail(picture, [corners[i] for i in order[:SPOTS]])]
    faces = _faces(picture)
    best = max(faces, key=lambda face: face[1], default=None)
    if best is not None:
        parts.append(best[1])
        if best[0][3] - best[0][1] >= TALL:
            native = _tolerance(max(picture.width, picture.height))
            found["face_width"] = float(np.log(spread_with(best[1]) / native))
    found["sharpness"] = float(np.exp(np.mean(np.log(np.maximum(parts, 1e-6)))))
    box = best[0] if best is not None else _around([corners[i] for i in order], picture)
    return found | dict(zip(("x0", "y0", "x1", "y1"), map(float, box), strict=True))


def _blur(width: float, model: Mapping[str, Any]) -> float:
    return _chance(model["blur"]["bias"] + model["blur"]["width"] * width)


def _chance(logit: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(logit, -30, 30))))


def _tolerance(side: int) -> float:
    """How much wider an edge may be in a picture of this long side than in one of 1600 px."""
    return float(np.sqrt(side / WORK_SIDE))


def _widths(edges: Edges) -> Floats | None:
    """Edge spread by direction; with fewer edge pixels where there are not enough, None where there are hardly any."""
    for share in (1, 2, 4):
        spreads = edges.spreads(pixels=ENOUGH / share)
        if np.isfinite(spreads).any():
            return spreads
    return None


def _sharpest(edges: Edges) -> list[int]:
    """The sharpest quarter of the tiles that have edges, sharpest first."""
    ratio, error, count = edges.ratio, edges.error, edges.count
    weight = np.where(np.isfinite(ratio), count, 0.0)
    total = weight.sum(axis=1)
    there = np.flatnonzero(total > 0)
    sure = (np.nan_to_num(ratio - error) * weight).sum(axis=1)[there] / total[there]
    firm = total[there] / (total[there] + ENOUGH / 4)  # a tile with a few lucky pixels is not the subject
    order = there[np.argsort(-sure * firm, kind="stable")]
    return [int(i) for i in order[: max(4, round(len(order) * SUBJECT_SHARE))]]


def _native_detail(picture: Picture, corners: Sequence[Corner]) -> list[float]:
    """Detail 0..1 of the native picture where work tiles are sharpest; empty if it is hardly larger than `work`."""
    if picture.work_scale < NATIVE:
        return []
    half, places = TILE // 2, hotspots(picture.luma, corners)
    spots = [
        (
            min(max(round(x * picture.work_scale), half), picture.width - half) - half,
            min(max(round(y * picture.work_scale), half), picture.height - half) - half,
        )
        for x, y in places
    ]
    spreads = _widths(edges_of(_native_tiles(picture, spots)))
    if spreads is None:
        return []
    return [detail(float(np.nanmax(spreads)) / _tolerance(max(picture.width, picture.height)))]


def _native_tiles(picture: Picture, corners: Sequence[Corner]) -> Pixels:
    """Native luma of tiles with their surroundings, moved inwards at the border, so that no whole frame is copied."""
    reach = TILE + 2 * MARGIN
    tiles = []
    for x, y in corners:
        left = min(max(x - MARGIN, 0), picture.width - reach)
        top = min(max(y - MARGIN, 0), picture.height - reach)
        tiles.append(grey(np.ascontiguousarray(picture.rgb[top : top + reach, left : left + reach])))
    return np.stack(tiles).astype(np.float32) / np.float32(255)


def _faces(picture: Picture) -> list[tuple[Box, float]]:
    """Box and sharpness of the faces that matter: at least half as tall as the tallest."""
    listed = picture.value("faces", [])
    faces = [face for face in listed if isinstance(face, Mapping)] if isinstance(listed, list | tuple) else []
    told = [
        ((int(x0), int(y0), int(x1), int(y1)), float(face["sharpness"]))
        for face in faces
        if face.get("sharpness") is not None
        for x0, y0, x1, y1 in [face["box"]]
    ]
    tallest = max((box[3] - box[1] for box, _ in told), default=0)
    return [(box, value) for box, value in told if box[3] - box[1] >= MATTERS * tallest]


def _around(corners: Sequence[Corner], picture: Picture) -> Box:
    """Native box around the middle three quarters of the tiles in each direction."""
    x, y = np.array(corners, float).T + TILE / 2
    (left, right), (top, bottom) = np.quantile(x, SPAN), np.quantile(y, SPAN)
    half = TILE / 2
    scale = picture.work_scale
    return (
        max(0, int((left - half) * scale)),
        max(0, int((top - half) * scale)),
        min(picture.width, int(np.ceil((right + half) * scale))),
        min(picture.height, int(np.ceil((bottom + half) * scale))),
    )


probe = Probe(
    name="sharpness",
    version=1,
    emits=("blur", "blur.motion", "blur.defocus", "sharpness", "subject.box"),
    needs=("faces",),
    measure=measure,
    about="How wide the edges of the sharpest places are, by direction, with noise taken out.",
)
