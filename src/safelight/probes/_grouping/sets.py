"""Runs of one framing in quick succession: brackets, focus stacks and bursts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from safelight.domain import GroupKind
from safelight.probes._grouping.shoot import Shoot, Whole, neighbours

BURST_GAP_S = 1.0
RUN_GAP_S = 2.0  # between frames of a bracket or a stack, plus what the exposure itself takes
FRAMED = 0.5  # likeness from which two frames in succession may have one framing, however they are exposed
STILL = 0.8  # likeness of frames from a tripod or a steady hand at one exposure
STEP_EV = 0.3  # least step of a bracket; cameras go down to a third
PLAIN_STEP_EV = 0.6  # least step where neither the bias nor the bracketing flag speaks for a bracket
SLACK_EV = 0.05  # thirds are written as 0.33 or 0.3
EVEN_EV = 0.2  # by how much the steps of one bracket differ
STACK_EV = 0.5  # exposures of a stack differ by less
LEAST = 3  # frames of a stack, and of a bracket that only its exposures show
TRAVEL = 0.88  # correlation that tells a travelling focus by itself; stacks reach 0.92, damaged bursts 0.79
AGREES = 0.5  # correlation that a stack with recorded distances must not fall below
CLEAR = 0.1  # share of cells whose detail changes clearly, without which nothing can be said
DOUBLING = 0.5  # of a doubling of detail is a clear change


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Rows that belong together, in order of time, and why."""

    kind: GroupKind
    rows: tuple[int, ...]
    because: str


def of_runs(shoot: Shoot) -> list[Found]:
    """Brackets, stacks and bursts of every body."""
    return [found for run in _runs(shoot) for found in _sets(shoot, run)]


def by_exposure(shoot: Shoot, rows: Sequence[int]) -> Found | None:
    """The bracket that look-alikes without times are, if their exposures say so as a whole."""
    run = np.array(rows)
    exposures = _Exposures.of(shoot, run)
    order = sorted(range(len(rows)), key=lambda k: exposures.level[k])
    return _bracket(run, exposures, order)


# ---------------------------------------------------------------- runs


def _runs(shoot: Shoot) -> Iterator[Whole]:
    """Frames of one body, each framed as the one before and taken right after it."""
    for body in np.unique(shoot.body):
        rows = np.flatnonzero((shoot.body == body) & shoot.timed)
        if len(rows) < 2:
            continue
        rows = rows[np.lexsort((rows, shoot.time[rows]))]
        gap = np.diff(shoot.time[rows])
        took = 1.5 * np.nan_to_num(shoot.seconds[rows[:-1]])
        goes_on = (gap <= RUN_GAP_S + took) & (neighbours(shoot.look[rows]) >= FRAMED)
        edges = np.flatnonzero(np.diff(np.concatenate(([False], goes_on, [False])).astype(np.int8)))
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            yield rows[start : end + 1]


def _sets(shoot: Shoot, run: Whole) -> list[Found]:
    found, rest = _brackets(shoot, run)
    for part in rest:
        stack = _stack(shoot, part)
        found.extend([stack] if stack else _bursts(shoot, part))
    return found


# ---------------------------------------------------------------- brackets


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exposures:
    """What may step in a run: the bias where it changes, else what shutter, aperture and ISO let in (EV)."""

    level: list[float]
    flagged: list[bool]
    biased: bool

    @classmethod
    def of(cls, shoot: Shoot, run: Whole) -> "_Exposures":
        bias = shoot.bias[run].tolist()
        biased = all(value == value for value in bias) and max(bias) - min(bias) >= STEP_EV  # noqa: PLR0124 - NaN
        level = bias if biased else shoot.exposure[run].tolist()
        return cls(level=level, flagged=shoot.bracketed[run].tolist(), biased=biased)

    def told(self, frames: Sequence[int]) -> bool:
        """Whether the camera itself says that these frames were bracketed."""
        return self.biased or all(self.flagged[k] for k in frames)


def _brackets(shoot: Shoot, run: Whole) -> tuple[list[Found], list[Whole]]:
    """Brackets of a run, and the stretches between them."""
    exposures = _Exposures.of(shoot, run)
    if max(exposures.level) - min(exposures.level) < STEP_EV:
        return [], [run]
    found: list[Found] = []
    rest: list[list[int]] = [[]]
    for piece in _by_level(exposures):
        bracket = _bracket(run, exposures, piece)
        if bracket is None:
            rest[-1].extend(piece)
        else:
            found.append(bracket)
            rest.append([])
    left = [part for part in rest if part]
    if left and not exposures.told([k for k in range(len(run)) if not any(k in part for part in left)]):
        return [], [run]  # exposures that wander in a burst may look evenly spaced for a while
    return found, [run[part] for part in left if len(part) > 1]


def _by_level(exposures: _Exposures) -> Iterator[list[int]]:
    """Cuts a run where an exposure comes back or the bracketing flag changes."""
    piece: list[int] = []
    for k, level in enumerate(exposures.level):
        new = all(abs(level - exposures.level[other]) >= STEP_EV - SLACK_EV for other in piece)
        if piece and not (new and exposures.flagged[piece[0]] == exposures.flagged[k]):
            yield piece
            piece = []
        piece.append(k)
    yield piece


def _bracket(run: Whole, exposures: _Exposures, frames: Sequence[int]) -> Found | None:
    flagged = all(exposures.flagged[k] for k in frames)
    if len(frames) < (2 if flagged else LEAST):
        return None
    level = sorted(exposures.level[k] for k in frames)
    steps = [after - before for before, after in pairwise(level)]
    least = STEP_EV if exposures.told(frames) else PLAIN_STEP_EV
    if min(steps) < least - SLACK_EV or max(steps) - min(steps) > EVEN_EV:
        return None
    says = "the camera says that it bracketed" if flagged else "nothing else changed"
    return Found(
        kind=GroupKind.BRACKET, rows=tuple(run[list(frames)].tolist()),
        because=f"{len(frames)} frames of one framing, {(level[-1] - level[0]) / len(steps):.1f} EV apart; {says}.",
    )  # fmt: skip


# ---------------------------------------------------------------- stacks


def _stack(shoot: Shoot, run: Whole) -> Found | None:
    if len(run) < LEAST or np.ptp(shoot.exposure[run]) > STACK_EV:
        return None
    distance = shoot.distance[run].tolist()
    steps = [after - before for before, after in pairwise(distance)]
    moves_on = all(step > 0 for step in steps) or all(step < 0 for step in steps)
    if not moves_on and any(value == value for value in distance):  # noqa: PLR0124 - NaN
        return None
    travelled = _travel(shoot, run)
    if moves_on:
        if travelled is not None and travelled < AGREES:
            return None  # autofocus that follows a subject changes the distance too
        because = f"{len(run)} frames of one framing, focused from {distance[0]:.2g} m to {distance[-1]:.2g} m."
    elif travelled is not None and travelled >= TRAVEL:
        because = f"{len(run)} frames of one framing in which the sharp area travels across the picture."
    else:
        return None
    look = shoot.look[run]
    if (look @ look.T).min() < STILL:
        return None
    return Found(kind=GroupKind.FOCUS_STACK, rows=tuple(run.tolist()), because=because)


def _travel(shoot: Shoot, run: Whole) -> float | None:
    """How steadily the sharp area moves on; None if detail hardly changes.

    Every cell has a frame in which it is sharpest. The number of that frame is fitted as a plane over the cell's
    place: the multiple correlation of this fit.
    """
    maps = shoot.detail[run]
    flat = maps.reshape(len(run), -1)
    clear = np.flatnonzero(flat.max(axis=0) - flat.min(axis=0) >= DOUBLING)
    if len(clear) < CLEAR * flat.shape[1]:
        return None
    sharpest = flat[:, clear].argmax(axis=0).astype(np.float64)
    sharpest -= sharpest.sum() / len(clear)
    places = np.array(np.divmod(clear, maps.shape[2]), dtype=np.float64)
    places -= places.sum(axis=1, keepdims=True) / len(clear)
    spread, common, whole = places @ places.T, places @ sharpest, float(sharpest @ sharpest)
    determinant = float(spread[0, 0] * spread[1, 1] - spread[0, 1] ** 2)
    if whole <= 0 or determinant <= 0:
        return 0.0
    y, x = common.tolist()
    explained = (y * y * spread[1, 1] - 2 * x * y * spread[0, 1] + x * x * spread[0, 0]) / determinant
    return float(np.sqrt(max(explained, 0) / whole))


# ---------------------------------------------------------------- bursts


def _bursts(shoot: Shoot, run: Whole) -> list[Found]:
    """Stretches without a pause of more than a second, cut where the picture has become another one."""
    time, look = shoot.time[run].tolist(), shoot.look[run]
    alike = (look @ look.T >= FRAMED).tolist()
    parts = [[0]]
    for k in range(1, len(run)):
        if time[k] - time[k - 1] <= BURST_GAP_S and all(alike[k][other] for other in parts[-1]):
            parts[-1].append(k)
        else:
            parts.append([k])
    return [
        Found(
            kind=GroupKind.BURST, rows=tuple(run[part].tolist()),
            because=f"{len(part)} frames of the same thing within {time[part[-1]] - time[part[0]]:.1f} s.",
        )
        for part in parts
        if len(part) > 1
    ]  # fmt: skip


def rows_of(found: Sequence[Found]) -> Whole:
    """All rows that are taken."""
    return np.array([row for one in found for row in one.rows], dtype=np.intp)
