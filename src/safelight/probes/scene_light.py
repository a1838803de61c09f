"""How differently the frames of a scene show the same things: a joint solution over all photos that share content.

Photos that one body took near in time are compared by their `marks`: places that lie alike under one similarity are
the same things, and the median of their log ratios is what one frame has more of red, green and blue. All pairs of a
connected set are then solved together, robustly, so that one wrong pair moves nothing. What comes out is relative: a
set's middle is 0.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, eye_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from safelight.domain import Findings, Json, Measure, Scope, digest_of
from safelight.media.colour import LUMINANCE_709, MIDDLE_GREY, delta_e_lab, lab_of_linear
from safelight.probes import Member, Probe
from safelight.probes.marks import Marks, unpack

Floats = NDArray[np.float64]

LAGS = (1, 2, 4)  # photos apart that are compared
PAUSE_S = 600.0  # photos further apart are not
CLOSE_BITS = 70  # of 256 that may differ
FEWEST = 8  # marks that must lie alike and tell a colour
NEAR = 4.0  # px at 400 px
BRIGHT, DARK = -0.6, -6.5  # log2 light between which a mark's colour is trusted
UNEVEN = 0.45  # log2 units: marks that spread more were lit differently, not exposed differently
LEAST_DOUBT = 0.01  # log2 units, of a pair
ROUNDS = 6
TETHER = 1e-4  # weight that ties every photo to 0, since pairs tell differences alone
STRAY = 0.1  # log2 units from which a pair counts by its size, not its square (Huber)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """`step` is the log2 light of frame `two` over that of frame `one`, in red, green and blue."""

    one: int
    two: int
    step: Floats
    doubt: float


def survey(members: Sequence[Member]) -> Findings:
    """`light.relative` of every photo that shares content with others, and how far its set spreads."""
    order = sorted(members, key=lambda m: (m.asset.capture.body or "", _moment(m), m.path, m.asset.id))
    marks = [_marks(member.facts) for member in order]
    bodies, moments = [member.asset.capture.body for member in order], [_moment(member) for member in order]
    pairs = [
        pair
        for later in range(len(order))
        for lag in LAGS
        if later >= lag and bodies[later] == bodies[later - lag] and moments[later] - moments[later - lag] <= PAUSE_S
        for pair in _compared(later - lag, marks[later - lag], later, marks[later])
    ]
    measures = {}
    for rows, light, doubt in solved(pairs, len(order)):
        name = digest_of(sorted(order[row].asset.id for row in rows))[:12]
        spread_ev, spread_de = spread(light)
        for row, own, unsure in zip(rows, light, doubt, strict=True):
            value: Json = {"set": name, "light": [round(float(v), 4) for v in own], "doubt": round(float(unsure), 4)}
            measures[order[row].asset.id] = [
                Measure(name="light.relative", value=value, unit="log2"),
                Measure(name="scene.spread.ev", value=round(spread_ev, 3), unit="EV"),
                Measure(name="scene.spread.de00", value=round(spread_de, 2), unit="ΔE00"),
            ]
    return Findings(measures=measures)


def _moment(member: Member) -> float:
    """Seconds since 1970 by the camera's own clock; 0 where there is no time, so that paths say what is near."""
    at = member.asset.capture.at
    return 0.0 if at is None else datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()


def _marks(facts: Mapping[str, Measure]) -> Marks | None:
    found = facts.get("light.marks")
    if found is None or found.value is None:
        return None
    marks = unpack(found.value)
    return marks if len(marks.bits) >= FEWEST else None


# ---------------------------------------------------------------- two photos


def _compared(one: int, first: Marks | None, two: int, second: Marks | None) -> Iterator[Pair]:
    if first is None or second is None:
        return
    found = step_between(first, second)
    if found is not None:
        yield Pair(one=one, two=two, step=found[0], doubt=found[1])


def step_between(first: Marks, second: Marks) -> tuple[Floats, float] | None:
    """Log2 light of the second photo over the first, and its doubt; None where they share too little."""
    matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(first.bits, second.bits)
    a, b = (np.array([getattr(m, side) for m in matches if m.distance <= CLOSE_BITS], int) for side in _SIDES)
    if len(a) < FEWEST:
        return None
    cv2.setRNGSeed(1)
    _, inside = cv2.estimateAffinePartial2D(
        first.place[a], second.place[b], method=cv2.RANSAC, ransacReprojThreshold=NEAR
    )
    if inside is None:
        return None
    alike = inside.ravel().astype(bool)
    one, other = first.light[a[alike]], second.light[b[alike]]
    told = ((one < BRIGHT) & (one > DARK) & (other < BRIGHT) & (other > DARK)).all(1)
    if told.sum() < FEWEST:
        return None
    steps = (other - one)[told]
    middle = np.median(steps, 0)
    scatter = float(1.4826 * np.median(np.abs(steps - middle)))
    if scatter > UNEVEN:
        return None
    return middle, max(LEAST_DOUBT, 1.2533 * scatter / float(np.sqrt(told.sum())))


_SIDES = ("queryIdx", "trainIdx")


# ---------------------------------------------------------------- all photos


def solved(pairs: Sequence[Pair], count: int) -> Iterator[tuple[NDArray[np.intp], Floats, Floats]]:
    """Rows, log2 light relative to the set's median (n x 3) and its doubt (n), for every set of linked photos."""
    if not pairs:
        return
    one, two = (np.array([getattr(pair, side) for pair in pairs]) for side in ("one", "two"))
    graph = coo_array((np.ones(len(pairs), np.int8), (one, two)), shape=(count, count))
    _, label = connected_components(graph, directed=False)
    for name in np.unique(label[one]):
        rows = np.flatnonzero(label == name)
        inside = [pair for pair in pairs if label[pair.one] == name]
        yield rows, *_solution(rows, inside)


def _solution(rows: NDArray[np.intp], pairs: Sequence[Pair]) -> tuple[Floats, Floats]:
    """Weighted least squares over the pairs, with Huber weights; sparse, since a photo has few neighbours."""
    place = {int(row): i for i, row in enumerate(rows)}
    ends = np.array([(place[pair.one], place[pair.two]) for pair in pairs]).T
    count, index = len(rows), np.arange(len(pairs))
    signs = np.repeat((-1.0, 1.0), len(pairs))
    design = coo_array((signs, (np.tile(index, 2), ends.ravel())), shape=(len(pairs), count)).tocsr()
    steps = np.array([pair.step for pair in pairs])
    base = 1 / np.array([pair.doubt for pair in pairs]) ** 2
    weight = base.copy()
    light: Floats = np.zeros((count, 3))
    for _ in range(ROUNDS):
        weighted = design.T.multiply(weight).tocsr()
        normal = (weighted @ design + TETHER * eye_array(count)).tocsc()
        light = np.asarray(splu(normal).solve(weighted @ steps), np.float64)
        off = np.abs(steps - design @ light).max(1)
        weight = base / np.maximum(1, off / STRAY) ** 2
    doubt = np.sqrt(1 / np.maximum(abs(design).T @ weight, 1e-9))
    return np.asarray(light - np.median(light, 0), np.float64), np.asarray(doubt, np.float64)


def spread(light: Floats) -> tuple[float, float]:
    """How far relative lights (n x 3, log2) lie apart in level and in colour.

    Standard deviation of the level in EV; and mean ΔE00, at one level, of a grey of 18 % to that in the set's middle.
    """
    seen = 2**light
    level = seen @ LUMINANCE_709
    tinted = MIDDLE_GREY * seen / level[:, None]
    middle = np.tile(np.exp(np.median(np.log(tinted), 0)), (len(tinted), 1))
    return float(np.log2(level).std()), float(delta_e_lab(lab_of_linear(tinted), lab_of_linear(middle)).mean())


probe = Probe(
    name="scene_light",
    version=1,
    emits=("light.relative", "scene.spread.ev", "scene.spread.de00"),
    needs=("light.marks",),
    scope=Scope.SHOOT,
    survey=survey,
    about="How much more red, green and blue each photo has than others that show the same things.",
)
