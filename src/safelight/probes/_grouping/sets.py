"""Runs of one framing in quick succession: brackets, focus stacks and bursts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from safelight.domain import GroupKind
from safelight.media.frame import Matrix
from safelight.probes._grouping.shoot import Shoot, Whole

BURST_GAP_S = 1.0
RUN_GAP_S = 2.0  # between frames of a bracket or a stack, plus what the exposure itself takes
FRAMED = 0.5  # likeness from which two frames in succession may have one framing, however they are exposed
STILL = 0.8  # likeness of frames from a tripod or a steady hand at one exposure
STEP_EV = 0.3  # least step of a bracket; cameras go down to a third
PLAIN_STEP_EV = 0.6  # least step where neither the bias nor the bracketing flag speaks for a bracket
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
    """A bracket or stack among look-alikes without times, if their exposures or distances say so as a whole."""
    level = _level(shoot, rows)
    ordered = [rows[i] for i in np.argsort(level, kind="stable")]
    return _bracket(shoot, ordered)


# ---------------------------------------------------------------- runs


def _runs(shoot: Shoot) -> Iterator[list[int]]:
    """Frames of one body, each framed as the one before and taken right after it."""
    for body in np.unique(shoot.body):
        rows = np.flatnonzero((shoot.body == body) & shoot.timed)
        if len(rows) < 2:
            continue
        rows = rows[np.lexsort((rows, shoot.time[rows]))]
        gap = np.diff(shoot.time[rows])
        took = 1.5 * np.nan_to_num(shoot.seconds[rows[:-1]])
        goes_on = (gap <= RUN_GAP_S + took) & (shoot.likeness(rows[1:], rows[:-1]) >= FRAMED)
        for piece in np.split(rows, np.flatnonzero(~goes_on) + 1):
            if len(piece) > 1:
                yield [int(row) for row in piece]


def _sets(shoot: Shoot, run: list[int]) -> list[Found]:
    brackets, rest = _brackets(shoot, run)
    found = list(brackets)
    for part in rest:
        stack = _stack(shoot, part)
        found.extend([stack] if stack else _bursts(shoot, part))
    return found


# ---------------------------------------------------------------- brackets


def _brackets(shoot: Shoot, run: list[int]) -> tuple[list[Found], list[list[int]]]:
    """Brackets of a run, and the stretches between them."""
    found: list[Found] = []
    rest: list[list[int]] = [[]]
    for piece in _by_level(shoot, run):
        bracket = _bracket(shoot, piece)
        if bracket is None:
            rest[-1].extend(piece)
        else:
            found.append(bracket)
            rest.append([])
    if any(rest) and not _told(shoot, [row for one in found for row in one.rows]):
        return [], [run]  # exposures that wander in a burst may look evenly spaced for a while
    return found, [part for part in rest if len(part) > 1]


def _by_level(shoot: Shoot, run: list[int]) -> Iterator[list[int]]:
    """Cuts a run where an exposure comes back, where the flag changes, or after the frame left the framing."""
    levels = dict(zip(run, _level(shoot, run), strict=True))
    piece: list[int] = []
    for row in run:
        known = [levels[other] for other in piece]
        new = all(abs(levels[row] - other) >= STEP_EV for other in known)
        same_mode = not piece or shoot.bracketed[piece[0]] == shoot.bracketed[row]
        if piece and not (new and same_mode):
            yield piece
            piece = []
        piece.append(row)
    yield piece


def _level(shoot: Shoot, rows: Sequence[int]) -> Matrix:
    """The exposures that may step: the bias where it changes, else what shutter, aperture and ISO let in."""
    bias = shoot.bias[list(rows)]
    if np.isfinite(bias).all() and np.ptp(bias) >= STEP_EV:
        return bias
    return np.nan_to_num(shoot.exposure[list(rows)])


def _told(shoot: Shoot, rows: list[int]) -> bool:
    """Whether the camera itself says that frames were bracketed."""
    if not rows:
        return False
    bias = shoot.bias[rows]
    return bool(shoot.bracketed[rows].all() or (np.isfinite(bias).all() and np.ptp(bias) >= STEP_EV))


def _bracket(shoot: Shoot, rows: Sequence[int]) -> Found | None:
    rows = list(rows)
    level = np.sort(_level(shoot, rows))
    told = _told(shoot, rows)
    if len(rows) < (2 if shoot.bracketed[rows].all() else LEAST):
        return None
    steps = np.diff(level)
    if steps.min() < (STEP_EV - 0.05 if told else PLAIN_STEP_EV) or np.ptp(steps) > EVEN_EV:
        return None
    says = "the camera says that it bracketed" if shoot.bracketed[rows].all() else "nothing else changed"
    return Found(
        kind=GroupKind.BRACKET, rows=tuple(rows),
        because=f"{len(rows)} frames of one framing, {steps.mean():.1f} EV apart; {says}.",
    )  # fmt: skip


# ---------------------------------------------------------------- stacks


def _stack(shoot: Shoot, run: list[int]) -> Found | None:
    if len(run) < LEAST or _least(shoot, run) < STILL or np.ptp(np.nan_to_num(shoot.exposure[run])) > STACK_EV:
        return None
    distance = shoot.distance[run]
    steps = np.diff(distance)
    travelled = _travel(shoot, run)
    if (steps > 0).all() or (steps < 0).all():
        if travelled is not None and travelled < AGREES:
            return None  # autofocus that follows a subject changes the distance too
        because = f"{len(run)} frames of one framing, focused from {distance[0]:.2g} m to {distance[-1]:.2g} m."
    elif not np.isfinite(distance).any() and travelled is not None and travelled >= TRAVEL:
        because = f"{len(run)} frames of one framing in which the sharp area travels across the picture."
    else:
        return None
    return Found(kind=GroupKind.FOCUS_STACK, rows=tuple(run), because=because)


def _travel(shoot: Shoot, run: list[int]) -> float | None:
    """How steadily the sharp area moves on: correlation between the number of the frame in which a cell is sharpest
    and the cell's place along the best straight line. None if detail hardly changes."""
    maps = shoot.details(run)
    if maps is None:
        return None
    flat = maps.reshape(len(run), -1)
    clear = np.ptp(flat, axis=0) >= DOUBLING
    if clear.mean() < CLEAR:
        return None
    sharpest = flat[:, clear].argmax(axis=0).astype(np.float64)
    y, x = np.divmod(np.flatnonzero(clear), maps.shape[2])
    places = np.column_stack((x, y, np.ones(len(x))))
    fit = places @ np.linalg.lstsq(places, sharpest, rcond=None)[0]
    return 0.0 if np.ptp(fit) < 1e-6 else float(np.corrcoef(fit, sharpest)[0, 1])


def _least(shoot: Shoot, rows: Sequence[int]) -> float:
    look = shoot.look[list(rows)]
    return float((look @ look.T).min())


# ---------------------------------------------------------------- bursts


def _bursts(shoot: Shoot, run: list[int]) -> list[Found]:
    """Stretches without a pause of more than a second, cut where the picture has become another one."""
    out = []
    part: list[int] = []
    for row in run:
        held = part and shoot.time[row] - shoot.time[part[-1]] <= BURST_GAP_S
        if part and not (held and float((shoot.look[part] @ shoot.look[row]).min()) >= FRAMED):
            out.append(part)
            part = []
        part.append(row)
    out.append(part)
    return [_burst(shoot, rows) for rows in out if len(rows) > 1]


def _burst(shoot: Shoot, rows: list[int]) -> Found:
    took = float(shoot.time[rows[-1]] - shoot.time[rows[0]])
    return Found(
        kind=GroupKind.BURST, rows=tuple(rows),
        because=f"{len(rows)} frames of the same thing within {took:.1f} s.",
    )  # fmt: skip


def rows_of(found: Sequence[Found]) -> Whole:
    """All rows that are taken."""
    return np.array([row for one in found for row in one.rows], dtype=np.intp)
