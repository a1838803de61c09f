"""Straighten: turns a leaning picture upright and, where asked, takes out the convergence of lines.

Proposed only where long straight lines agree; a lean that nobody sees is left alone, and one beyond six and a half
degrees is taken for intended. Converging uprights are corrected by four fifths at most, since a building without any
looks top heavy, and only within moderate limits: who looks up steeply means it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from safelight.domain import Because, Measure
from safelight.media.colour import srgb8
from safelight.media.frame import Frame, Matrix
from safelight.media.picture import grey, shrink
from safelight.media.warp import Warp, apply
from safelight.operators import Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes
from safelight.operators._framing import misplaced, sources, upside_down
from safelight.params import declare
from safelight.probes._lines import SIDE, Turn, find, turn

LEAST, MOST = 0.5, 6.5  # degrees: below nobody sees a lean, above nobody holds a camera by mistake
DOUBTS = 1.5  # spreads that a lean must exceed
RIGHT = 0.5  # degrees of error that a person leaves alone
STEP = 0.05  # degrees
LEAST_KEYSTONE, MOST_KEYSTONE = (
    0.06,
    0.25,
)  # convergence: uprights at the sides of a wide picture lean by 1.7 to 7 degrees
LEAST_LEVELS, MOST_LEVELS = 0.06, 0.12  # the same of level lines: a steeper wall is seen aslant
KEYSTONE_DOUBTS = 3.0  # spreads that a convergence must exceed
KEYSTONE_STEP = 0.01
PART = 0.8  # of a convergence is taken out
WANTED = 0.5  # chance that somebody who looks up at a building wants it parallel: nobody has measured it
LARGE_FACE = 0.2  # of the height: faces from here on would be seen to change their shape
EDGE = 0.75  # px that a corner may lie outside the source, where its edge is repeated
WORSE = 0.2  # degrees by which lines may lean more than before
FEWEST = 1.0  # long sides of agreeing lines from which a check trusts them


@dataclass(frozen=True, slots=True, kw_only=True)
class StraightenParams:
    """How far the picture turns, and which convergence of lines is taken out.

    The result is the largest picture of the same shape that the turned one fills, at the scale it has in the middle.
    A convergence is one by the distance, in long sides, of the point at which lines meet.
    """

    angle: float = declare(
        0.0, low=-15.0, high=15.0, step=STEP, unit="degrees", help="how far the picture turns, clockwise is positive"
    )
    vertical: float = declare(
        0.0, low=-0.5, high=0.5, step=KEYSTONE_STEP, unit="per long side",
        help="convergence of uprights; positive where they meet above the picture",
    )  # fmt: skip
    horizontal: float = declare(
        0.0, low=-0.5, high=0.5, step=KEYSTONE_STEP, unit="per long side",
        help="convergence of level lines; positive where they meet on the right",
    )  # fmt: skip
    amount: float = declare(1.0, low=0.0, high=1.0, step=0.05, help="share of the convergence that is taken out")


# ---------------------------------------------------------------- propose


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[StraightenParams]]:  # noqa: ARG001
    """One suggestion for each photo that is no part of a bracket, focus stack or panorama."""
    return [_suggest(s) for s in subjects if not any(group.protected for group in s.groups)]


def _suggest(subject: Subject) -> Suggestion[StraightenParams]:
    degrees, spread = subject.number("tilt.degrees"), subject.number("tilt.degrees.spread")
    right, count = subject.number("tilt.right"), subject.number("tilt.lines")
    if degrees is None or spread is None or right is None or count is None:
        return Suggestion(member=subject.asset.id, params=None, cannot_tell=_why_not(subject))
    straight = abs(degrees) < max(LEAST, DOUBTS * spread)
    angle = 0.0 if straight or abs(degrees) > MOST else round(round(degrees / STEP) * STEP, 2) + 0.0
    seen = Because(evidence="tilt.degrees", value=degrees, text=_seen(degrees, spread, count), code="straighten.turn")
    keystone = _keystone(subject)
    chance = right * math.erf(RIGHT / (spread * math.sqrt(2)))
    params, because = StraightenParams(angle=angle), [seen]
    others: tuple[StraightenParams, ...] = ()
    if keystone is not None and angle == 0:
        params, chance = _with(0.0, keystone), chance * WANTED
        because = [_leaning(subject, keystone), _loss(subject, params), seen]
    elif angle != 0:
        because.append(_loss(subject, params))
        if keystone is not None:
            because.append(_leaning(subject, keystone))
            others = (_with(angle, keystone),)
    return Suggestion(
        member=subject.asset.id, params=params, score=round(chance, 3), because=tuple(because), alternatives=others
    )


def _why_not(subject: Subject) -> str:
    found = subject.facts.get("tilt.degrees")
    if found is None or found.cannot_tell is None:
        return "Lines were not measured."
    return f"A lean cannot be told: {found.cannot_tell}."


def _seen(degrees: float, spread: float, count: float) -> str:
    """What the lines say, in a sentence."""
    if abs(degrees) > MOST:
        return f"{count:.0f} long lines agree on {abs(degrees):.1f}°, too much to be a mistake; it is left as it is."
    if abs(degrees) < max(LEAST, DOUBTS * spread):
        return f"{count:.0f} long lines agree: the picture stands straight within {max(abs(degrees), spread):.1f}°."
    side = "left" if degrees > 0 else "right"
    return f"{count:.0f} long lines agree: the picture leans {abs(degrees):.1f}° to the {side} (± {spread:.1f}°)."


def _loss(subject: Subject, params: StraightenParams) -> Because:
    """What the corners cost."""
    width, height = subject.asset.width or 3000, subject.asset.height or 2000
    size = placement(width, height, params)[1]
    share = 1 - size[0] * size[1] / (width * height)
    text = f"{share:.0%} of the area is cut off so that no corner stays empty."
    return Because(evidence="tilt.degrees", value=round(share, 3), text=text, code="straighten.loss")


def _keystone(subject: Subject) -> tuple[float, float] | None:
    """Convergence of uprights and of level lines that is worth taking out, or None; never beside a large face."""
    height = subject.asset.height or 0
    faces = subject.facts.get("faces")
    listed = faces.value if faces is not None and isinstance(faces.value, list) else []
    if any(isinstance(f, dict) and f["box"][3] - f["box"][1] > LARGE_FACE * height for f in listed):
        return None
    vertical = _clear(subject, "keystone.vertical", LEAST_KEYSTONE, MOST_KEYSTONE)
    horizontal = _clear(subject, "keystone.horizontal", LEAST_LEVELS, MOST_LEVELS)
    return (vertical, horizontal) if vertical or horizontal else None


def _clear(subject: Subject, name: str, least: float, most: float) -> float:
    found, spread = subject.number(name), subject.number(f"{name}.spread")
    if found is None or spread is None or not least <= abs(found) <= most or abs(found) < KEYSTONE_DOUBTS * spread:
        return 0.0
    return round(round(found / KEYSTONE_STEP) * KEYSTONE_STEP, 2) + 0.0


def _with(angle: float, keystone: tuple[float, float]) -> StraightenParams:
    return StraightenParams(angle=angle, vertical=keystone[0], horizontal=keystone[1], amount=PART)


def _leaning(subject: Subject, keystone: tuple[float, float]) -> Because:
    width, height = subject.asset.width or 3000, subject.asset.height or 2000
    vertical, horizontal = keystone
    if vertical:
        lean = math.degrees(math.atan(abs(vertical) / 2 * width / max(width, height)))
        ends = "upwards" if vertical > 0 else "downwards"
        text = f"Uprights run together {ends}: at the sides they lean {lean:.1f}°. {PART:.0%} of it can be taken out."
        return Because(evidence="keystone.vertical", value=vertical, text=text, code="straighten.keystone")
    lean = math.degrees(math.atan(abs(horizontal) / 2 * height / max(width, height)))
    ends = "to the right" if horizontal > 0 else "to the left"
    text = f"Level lines run together {ends}: by {lean:.1f}° at the top and the foot. {PART:.0%} can be taken out."
    return Because(evidence="keystone.horizontal", value=horizontal, text=text, code="straighten.keystone")


# ---------------------------------------------------------------- render


def render(frame: Frame, params: StraightenParams, tools: Tools) -> Frame:  # noqa: ARG001 - needs no kept objects
    """The picture turned and its lines made parallel, resampled once."""
    if not (params.angle or params.amount * params.vertical or params.amount * params.horizontal):
        return frame
    return apply(frame, warp(frame.width, frame.height, params))


def warp(width: int, height: int, params: StraightenParams) -> Warp:
    """Where the result's pixels come from in a picture of this size."""
    back, size = placement(width, height, params)
    return Warp(size=size, steps=(back,))


def placement(width: int, height: int, params: StraightenParams) -> tuple[Matrix, tuple[int, int]]:
    """The matrix from pixel centres of the result to those of a picture of this size, and the result's size in px."""
    side = max(width, height)
    onto = np.array([[1 / side, 0, (0.5 - width / 2) / side], [0, -1 / side, (height / 2 - 0.5) / side], [0, 0, 1]])
    c, s = math.cos(math.radians(params.angle)), math.sin(math.radians(params.angle))
    parallel = np.eye(3)
    parallel[2, :2] = -params.amount * params.horizontal, -params.amount * params.vertical
    upright = parallel @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    half = np.array([width, height]) / (2 * side)
    corners = upright @ np.array([(half[0] * i, half[1] * j, 1) for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))]).T
    centre, share = _largest(np.asarray((corners[:2] / corners[2]).T, np.float64), half)
    size = max(1, math.floor(share * width + 1e-6)), max(1, math.floor(share * height + 1e-6))
    from_result = np.array(
        [
            [1 / side, 0, centre[0] + (0.5 - size[0] / 2) / side],
            [0, -1 / side, centre[1] + (size[1] / 2 - 0.5) / side],
            [0, 0, 1],
        ]
    )
    return np.asarray(np.linalg.inv(onto) @ np.linalg.inv(upright) @ from_result, np.float64), size


def _largest(quad: Matrix, half: Matrix) -> tuple[Matrix, float]:
    """Centre and scale of the largest rectangle with half sides in the proportion of `half` inside a convex quad.

    Of several the one nearest to the middle of the picture. Each side of the quad is a half plane; where the rectangle
    cannot grow, three of them hold it.
    """
    sides = np.roll(quad, -1, axis=0) - quad
    normals = np.stack([sides[:, 1], -sides[:, 0]], axis=1)  # outwards, as the corners run counter-clockwise
    normals /= np.hypot(normals[:, 0], normals[:, 1])[:, None]
    reach = np.abs(normals) @ half
    limits = (normals * quad).sum(axis=1)
    planes = np.column_stack([normals, reach])
    found = []
    for left_out in range(4):
        three = [i for i in range(4) if i != left_out]
        if abs(np.linalg.det(planes[three])) > 1e-9:
            corner = np.linalg.solve(planes[three], limits[three])
            if (planes @ corner <= limits + 1e-9).all():
                found.append(corner)
    most = max(corner[2] for corner in found)
    ends = [corner[:2] for corner in found if corner[2] > most - 1e-9]
    one, other = ends[0], ends[-1]
    along = other - one
    part = float(np.clip(-(one @ along) / max(float(along @ along), 1e-18), 0, 1))
    return np.asarray(one + part * along, np.float64), float(most)


# ---------------------------------------------------------------- check


def check(before: Frame, after: Frame, params: StraightenParams) -> Sequence[Measure]:
    """Whether the size is as asked, corners are filled, pixels lie where they should, and lines lean less."""
    size = placement(*_size(before), params)[1]
    lost = 1 - after.width * after.height / (before.width * before.height)
    return (
        Measure(name="straighten.lost", value=round(lost, 4), unit="share"),
        Measure(name="straighten.wrong_size", value=float(_size(after) != size), unit="fault"),
        Measure(name="straighten.empty_corners", value=_empty(before, after), unit="fault"),
        misplaced("straighten.misplaced", before, after),
        _leans_more(before, after),
    )


def _size(frame: Frame) -> tuple[int, int]:
    return frame.width, frame.height


def _empty(before: Frame, after: Frame) -> float:
    """1 where a corner of the result lies outside the picture it comes from."""
    x, y = (np.array(v, np.float64) for v in ((0, after.width - 1) * 2, (0, 0, after.height - 1, after.height - 1)))
    there_x, there_y = sources(before, after, x, y)
    outside = max(-there_x.min(), there_x.max() - before.width + 1, -there_y.min(), there_y.max() - before.height + 1)
    return float(outside > EDGE)


def _leans_more(before: Frame, after: Frame) -> Measure:
    """Whether the lines lean more than they did; half a fault at 0.2 degrees."""
    name = "straighten.leans_more"
    was = _turn(before)
    now = None if was is None else _turn(after)
    if was is None or now is None:
        return Measure(name=name, unit="fault", cannot_tell="Too few straight lines agree.")
    more = abs(now.degrees) - abs(was.degrees)
    return Measure(name=name, value=float(np.clip(more / WORSE / 2, 0, 1)), unit="fault")


def _turn(frame: Frame) -> Turn | None:
    """What the lines of a frame say, where enough of them agree."""
    factor = SIDE / max(frame.width, frame.height)
    size = max(1, round(frame.width * factor)), max(1, round(frame.height * factor))
    light = cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA) if factor < 1 else frame.pixels
    segments = find(grey(shrink(srgb8(np.asarray(light, np.float32)), SIDE)))
    found = None if segments is None else turn(segments)
    return found if found is not None and found.agreed >= FEWEST else None


def spoil(before: Frame, params: StraightenParams) -> Frame:
    """The right size and geometry over a picture that stands on its head."""
    return upside_down(before, warp(before.width, before.height, params))


operator: Operator[StraightenParams] = Operator(
    name="straighten",
    version=1,
    params=StraightenParams,
    risk=Risk(complexity=0.4, cost=0.3),
    stage=Stage.FRAMING,
    rank=10,  # after the lens, before the crop
    needs=(
        "tilt.degrees", "tilt.degrees.spread", "tilt.lines", "tilt.right",
        "keystone.vertical", "keystone.vertical.spread", "keystone.horizontal", "keystone.horizontal.spread", "faces",
    ),
    margin=None,
    propose=propose,
    render=render,
    warp=warp,
    check=check,
    spoil=spoil,
    material_when="the angle differs by 0.3 degrees or more, or a keystone by 0.03 or more of full correction",
    material=lambda before, after: (
        abs(before.angle - after.angle) >= 0.3
        or abs(before.amount * before.vertical - after.amount * after.vertical) >= 0.03
        or abs(before.amount * before.horizontal - after.amount * after.horizontal) >= 0.03
    ),
    examples=(
        StraightenParams(angle=1.8),
        StraightenParams(angle=-6.5),
        StraightenParams(vertical=0.2, amount=0.8),
        StraightenParams(angle=-2.0, vertical=-0.1, horizontal=0.1),
    ),
    about="Turns a leaning picture upright and takes out converging lines.",
)  # fmt: skip
