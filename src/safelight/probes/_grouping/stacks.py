"""Focus stacks: one framing and one exposure, while the focus travels through the scene."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from safelight.media.frame import Matrix, Pixels
from safelight.probes._grouping.shoot import Shoot, Whole

LEAST = 3  # frames
STILL = 0.8  # likeness of frames from a tripod or a steady hand at one exposure
STACK_EV = 0.5  # exposures of a stack differ by less
TRAVEL = 0.88  # correlation that tells a travelling focus by itself; stacks reach 0.92, damaged bursts 0.79
AGREES = 0.5  # correlation that a stack with recorded distances must not fall below
CLEAR = 0.1  # share of cells whose detail changes clearly, without which nothing can be said
DOUBLING = 0.5  # of a doubling of detail is a clear change


def reasons(shoot: Shoot, runs: Sequence[Whole]) -> list[str | None]:
    """Why each run of frames in succession is a focus stack; None where it is none."""
    moves = {k: moved for k, run in enumerate(runs) if (moved := _may_be(shoot, run)) is not None}
    travelled = dict(zip(moves, travel(shoot, [runs[k] for k in moves]), strict=True))
    return [_reason(shoot, run, moves[k], travelled[k]) if k in moves else None for k, run in enumerate(runs)]


def _may_be(shoot: Shoot, run: Whole) -> bool | None:
    """Whether the recorded distance moves on (True) or was not recorded (False); None if this can be no stack."""
    if len(run) < LEAST:
        return None
    exposure, distance = shoot.exposure[run].tolist(), shoot.distance[run].tolist()
    if max(exposure) - min(exposure) > STACK_EV:
        return None
    steps = [after - before for before, after in pairwise(distance)]
    if all(step > 0 for step in steps) or all(step < 0 for step in steps):
        return True
    return None if any(value == value for value in distance) else False  # noqa: PLR0124 - NaN


def _reason(shoot: Shoot, run: Whole, moves_on: bool, travelled: float) -> str | None:
    """`travelled` is NaN where detail hardly changes."""
    if moves_on and travelled < AGREES:
        return None  # autofocus that follows a subject changes the distance too
    if not moves_on and not travelled >= TRAVEL:
        return None
    look = shoot.look[run]
    if (look @ look.T).min() < STILL:
        return None
    if not moves_on:
        return f"{len(run)} frames of one framing in which the sharp area travels across the picture."
    near, far = shoot.distance[run[[0, -1]]].tolist()
    return f"{len(run)} frames of one framing, focused from {near:.2g} m to {far:.2g} m."


def travel(shoot: Shoot, runs: Sequence[Whole]) -> list[float]:
    """How steadily the sharp area of each run moves on, 0..1; NaN where detail hardly changes.

    Every cell has a frame in which it is sharpest. The number of that frame is fitted as a plane over the cell's
    place: the multiple correlation of this fit.
    """
    by_length: dict[int, list[int]] = defaultdict(list)
    for k, run in enumerate(runs):
        by_length[len(run)].append(k)
    out = np.full(len(runs), np.nan)
    for same in by_length.values():
        maps = shoot.detail(row for k in same for row in runs[k].tolist())
        out[same] = _correlations(maps.reshape(len(same), -1, *maps.shape[1:]))
    return [float(value) for value in out]


def _correlations(maps: Pixels) -> Matrix:
    """Runs x frames x rows x columns in, one number a run out."""
    rows, columns = maps.shape[2:]
    flat = maps.reshape(*maps.shape[:2], rows * columns)
    clear = flat.max(axis=1) - flat.min(axis=1) >= DOUBLING
    count = np.maximum(clear.sum(axis=1), 1)
    weight = clear / count[:, None]
    y, x = (place.ravel().astype(np.float64) for place in np.indices((rows, columns)))
    sharpest = flat.argmax(axis=1).astype(np.float64)

    def common(a: Matrix, b: Matrix) -> Matrix:
        return np.asarray((weight * a * b).sum(axis=1) - (weight * a).sum(axis=1) * (weight * b).sum(axis=1))

    xx, xy, yy, whole = common(x, x), common(x, y), common(y, y), common(sharpest, sharpest)
    xs, ys = common(x, sharpest), common(y, sharpest)
    scale = np.maximum((xx * yy - xy**2) * whole, 1e-9)
    explained = (xs**2 * yy - 2 * xs * ys * xy + ys**2 * xx) / scale
    return np.where(count < CLEAR * rows * columns, np.nan, np.sqrt(np.clip(explained, 0, 1)))
