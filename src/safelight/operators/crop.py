"""Crops, and turns where a person asks for it, with one resampling at most.

A crop is taste. It is proposed where a ratio was wished for, or where something clear speaks for it: much emptiness
above the heads, a passer-by cut by the edge, a subject that is small before blur. A person always looks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from safelight.domain import Because, Measure
from safelight.media.frame import Frame, Matrix, moving
from safelight.media.warp import Warp, apply
from safelight.operators import Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes
from safelight.operators import _composition as composition
from safelight.operators._composition import SCALES, TOUCHES, Box, Scene
from safelight.operators._framing import aspect, misplaced, upside_down
from safelight.params import declare
from safelight.words import many

WHOLE = (0.0, 0.0, 1.0, 1.0)
RATIOS = ("2:3", "4:5", "1:1", "16:9", "5:7")  # of prints and screens; each lies or stands as the photo does
HIGH = 0.38  # of the height above the heads, from which it is too much if it is empty
EMPTY = 0.35  # of the detail that an equal share of the picture would hold
SMALL_FACE = 0.06  # of the height: smaller people belong to a landscape
SQUARE = 1.05  # long side over short side up to which a photo neither lies nor stands
JUST_SEEN = 0.005  # share of the area below which nobody misses anything
LEAST_WIDTH = 0.75  # share of the width that a crop must leave to lose a passer-by


@dataclass(frozen=True, slots=True, kw_only=True)
class CropParams:
    """The part that stays, and how far the picture turns.

    The picture turns about the centre of the box. Where a corner of the box would then lie outside the picture, the
    box shrinks about its centre until all of it is filled; its aspect stays.
    """

    box: tuple[float, float, float, float] = declare(
        WHOLE, low=0.0, high=1.0, step=0.001, help="left, top, right, bottom as shares of the picture as it comes"
    )
    angle: float = declare(
        0.0, low=-45.0, high=45.0, step=0.1, unit="degrees", help="how far the picture turns, clockwise is positive"
    )
    ratio: str = declare("", help="width to height that the result must have, such as 3:2; empty for free")

    def __post_init__(self) -> None:
        left, top, right, bottom = self.box
        if not (left < right and top < bottom):
            raise ValueError(f"the box runs from left to right and from top to bottom, not {self.box}")
        if self.ratio:
            aspect(self.ratio)


# ---------------------------------------------------------------- propose


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[CropParams]]:
    """A crop to the ratio that was wished for, else one that something clear speaks for; none for most photos."""
    found = []
    for subject in subjects:
        seen = composition.scene(subject)
        if seen is None or any(group.protected for group in subject.groups):
            continue
        found.append(_to_ratio(subject, seen, wishes.ratio) if wishes.ratio else _composed(subject, seen))
    return [suggestion for suggestion in found if suggestion is not None]


def _to_ratio(subject: Subject, seen: Scene, ratio: str) -> Suggestion[CropParams]:
    """The best box of a ratio, which lies or stands as the photo does; the other way round is an alternative."""
    lying = _as_it_lies(ratio, seen)
    if _has(seen, lying):
        return Suggestion(member=subject.asset.id, params=CropParams(), because=(_already(lying),))
    found = [p for p in (_best(seen, lying), _best(seen, _turned(lying))) if p is not None]
    if not found:
        why = f"Every crop to {lying} or {_turned(lying)} would cut a head."
        return Suggestion(member=subject.asset.id, params=None, cannot_tell=why)
    return Suggestion(
        member=subject.asset.id, params=found[0], alternatives=tuple(found[1:]),
        because=(_ratio_in_words(found[0]), _heads_in_words(subject, seen)),
    )  # fmt: skip


def _composed(subject: Subject, seen: Scene) -> Suggestion[CropParams] | None:
    """A crop in the photo's own ratio where there is clearly too much of something; named ratios as alternatives."""
    reason = _empty_above(seen) or _cut_passer_by(seen) or _small_subject(seen)
    if reason is None:
        return None
    because, box = reason
    own = CropParams(box=box)
    others = [p for p in (_best(seen, _as_it_lies(ratio, seen), scales=SCALES) for ratio in RATIOS) if p is not None]
    return Suggestion(
        member=subject.asset.id, params=own, because=(because, _heads_in_words(subject, seen)),
        alternatives=tuple(p for p in others if p.box != own.box),
    )  # fmt: skip


def _empty_above(seen: Scene) -> tuple[Because, Box] | None:
    """People who stand low in the picture, under much that is empty."""
    if not seen.main:
        return None
    top, tall = min(f.head[1] for f in seen.main), max(f.height for f in seen.main)
    above = composition.held(seen, (0.0, 0.0, 1.0, top)) if top > 0 else None
    if top < HIGH or tall < SMALL_FACE or above is None or above > EMPTY * top:
        return None
    box = composition.best(seen, seen.width / seen.height, scales=SCALES)
    if box is None or box[1] < HIGH / 2:
        return None
    text = f"{top:.0%} of the height lies empty above the heads."
    return Because(evidence="faces", value=round(top, 3), text=text, code="crop.headroom"), box


def _cut_passer_by(seen: Scene) -> tuple[Because, Box] | None:
    """Somebody beside the people whom the picture is of, cut by its edge."""
    cut = [f for f in seen.faces if not f.main and (f.box[0] <= TOUCHES or f.box[2] >= 1 - TOUCHES)]
    if not cut:
        return None
    left = max((f.head[2] for f in cut if f.box[0] <= TOUCHES), default=0.0)
    right = min((f.head[0] for f in cut if f.box[2] >= 1 - TOUCHES), default=1.0)
    if right - left < LEAST_WIDTH:
        return None
    box = composition.best(seen, seen.width / seen.height, scales=SCALES, across=(left, right))
    if box is None:
        return None
    text = f"{many(len(cut), 'face', 'faces')} at the edge cut by the frame."
    return Because(evidence="faces", value=len(cut), text=text, code="crop.passer_by"), box


def _small_subject(seen: Scene) -> tuple[Because, Box] | None:
    """All fine detail in one small place of a picture without people: an animal far off, before blur."""
    if seen.faces or seen.detail is None:
        return None
    found = composition.spot(seen)
    if found is None:
        return None
    box = composition.around(found, seen)
    share = (found[2] - found[0]) * (found[3] - found[1])
    text = f"Nearly all that is sharp lies in {share:.0%} of the picture."
    return Because(evidence="layout.detail", value=round(share, 3), text=text, code="crop.small_subject"), box


def _best(seen: Scene, ratio: str, *, scales: Sequence[float] = (1.0,)) -> CropParams | None:
    box = composition.best(seen, aspect(ratio), scales=scales)
    return None if box is None else CropParams(box=box, ratio=ratio)


def _as_it_lies(ratio: str, seen: Scene) -> str:
    """The ratio, turned so that it lies or stands as the photo does; as it is written for one that is nearly square."""
    if max(seen.width, seen.height) <= SQUARE * min(seen.width, seen.height):
        return ratio
    return ratio if (aspect(ratio) >= 1) == (seen.width >= seen.height) else _turned(ratio)


def _turned(ratio: str) -> str:
    width, _, height = ratio.partition(":")
    return f"{height}:{width}"


def _has(seen: Scene, ratio: str) -> bool:
    """Whether a photo has this ratio, to the pixel that a crop could not do better."""
    width, height = composition.largest(seen, aspect(ratio))
    return (1 - width) * seen.width < 1 and (1 - height) * seen.height < 1


def _already(ratio: str) -> Because:
    return Because(evidence="faces", value=0.0, text=f"The photo is {ratio} already.", code="crop.ratio")


def _ratio_in_words(params: CropParams) -> Because:
    lost = 1 - (params.box[2] - params.box[0]) * (params.box[3] - params.box[1])
    share = f"{lost:.0%}" if lost >= JUST_SEEN else "next to nothing"
    text = f"The largest {params.ratio} takes {share} of the area away."
    return Because(evidence="faces", value=round(lost, 3), text=text, code="crop.ratio")


def _heads_in_words(subject: Subject, seen: Scene) -> Because:
    """Whether faces were minded."""
    found = subject.facts.get("faces")
    if found is None or found.value is None:
        text = "Faces were not looked for; look whether one is cut."
    elif seen.faces:
        text = f"{many(len(seen.faces), 'face', 'faces')} found; none is cut."
    else:
        text = "No face was found; the fine detail decides what stays."
    return Because(evidence="faces", value=len(seen.faces), text=text, code="crop.heads")


# ---------------------------------------------------------------- render


def render(frame: Frame, params: CropParams, tools: Tools) -> Frame:  # noqa: ARG001 - needs no kept objects
    """The box, cut out exactly where nothing turns, else resampled once."""
    return frame if params == CropParams() else apply(frame, warp(frame.width, frame.height, params))


def warp(width: int, height: int, params: CropParams) -> Warp:
    """Where the result's pixels come from in a picture of this size."""
    return Warp.forward(*placement(params, width, height))


def placement(params: CropParams, width: int, height: int) -> tuple[Matrix, tuple[int, int]]:
    """The matrix from pixel centres of a picture of this size to those of the result, and the result's size in px."""
    if params.angle == 0:
        x0, y0, x1, y1 = _whole_pixels(params, width, height)
        return moving(-x0, -y0), (x1 - x0, y1 - y0)
    left, top, right, bottom = params.box
    centre = np.array([(left + right) / 2 * width, (top + bottom) / 2 * height])
    half = np.array([(right - left) / 2 * width, (bottom - top) / 2 * height])
    cos, sin = math.cos(math.radians(params.angle)), math.sin(math.radians(params.angle))
    reach = np.array([abs(cos) * half[0] + abs(sin) * half[1], abs(sin) * half[0] + abs(cos) * half[1]])
    room = np.minimum(centre, np.array([width, height]) - centre)
    half = half * min(1.0, float((room / reach).min()))
    size = max(1, math.floor(2 * half[0] + 1e-6)), max(1, math.floor(2 * half[1] + 1e-6))
    turn = np.array([[cos, -sin], [sin, cos]])
    offset = np.array([size[0] / 2, size[1] / 2]) - 0.5 - turn @ (centre - 0.5)  # edges to pixel centres
    return np.vstack([np.column_stack([turn, offset]), [0.0, 0.0, 1.0]]), size


def _whole_pixels(params: CropParams, width: int, height: int) -> tuple[int, int, int, int]:
    left, top, right, bottom = params.box
    x0, y0 = min(round(left * width), width - 1), min(round(top * height), height - 1)
    return x0, y0, max(x0 + 1, round(right * width)), max(y0 + 1, round(bottom * height))


# ---------------------------------------------------------------- check


def check(before: Frame, after: Frame, params: CropParams) -> Sequence[Measure]:
    """Whether size and ratio are as asked, and whether the result shows what its geometry says."""
    _, size = placement(params, before.width, before.height)
    measures = [
        Measure(name="crop.wrong_size", value=float((after.width, after.height) != size), unit="fault"),
        misplaced("crop.misplaced", before, after),
    ]
    if params.ratio:
        width = aspect(params.ratio) * after.height
        off = abs(after.width - width) / max(2.0, 0.01 * width)  # one per cent or two pixels
        measures.append(Measure(name="crop.wrong_ratio", value=min(1.0, off / 2), unit="fault"))
    return measures


def spoil(before: Frame, params: CropParams) -> Frame:
    """The right size and geometry over the wrong pixels: the picture is turned by 180 degrees inside."""
    return upside_down(before, warp(before.width, before.height, params))


operator: Operator[CropParams] = Operator(
    name="crop",
    version=1,
    params=CropParams,
    risk=Risk(complexity=0.5, cost=0.4),
    stage=Stage.FRAMING,
    rank=20,
    needs=("faces", "layout.detail"),
    margin=None,
    propose=propose,
    render=render,
    warp=warp,
    check=check,
    spoil=spoil,
    material_when="the angle differs by 0.5 degrees or more, or an edge by 2 % of the picture or more",
    material=lambda before, after: (
        abs(before.angle - after.angle) >= 0.5
        or any(abs(a - b) >= 0.02 for a, b in zip(before.box, after.box, strict=True))
    ),
    examples=(
        CropParams(box=(0.1, 0.2, 0.9, 0.8)),
        CropParams(angle=2.5),
        CropParams(box=(0.0, 0.0, 0.6, 1.0), angle=-7.0),
    ),
    about="Cuts a picture to a box or a ratio, turned where asked; masks drawn before keep their place.",
)
