"""Runs of one framing in quick succession: brackets, focus stacks and bursts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from safelight.domain import GroupKind
from safelight.media.runs import runs
from safelight.probes._grouping import stacks
from safelight.probes._grouping.shoot import Shoot, Whole, likeness

BURST_GAP_S = 1.0
RUN_GAP_S = 2.0  # between frames of a bracket or a stack, plus what the exposure itself takes
FRAMED = 0.5  # likeness from which two frames in succession may have one framing, however they are exposed
STEP_EV = 0.3  # least step of a bracket; cameras go down to a third
PLAIN_STEP_EV = 0.6  # least step where neither the bias nor the bracketing flag speaks for a bracket
SLACK_EV = 0.05  # thirds are written as 0.33 or 0.3
EVEN_EV = 0.2  # by how much the steps of one bracket differ
LEAST = 3  # frames of a bracket that only its exposures show


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Rows that belong together, in order of time, and why."""

    kind: GroupKind
    rows: tuple[int, ...]
    because: str


def of_runs(shoot: Shoot) -> list[Found]:
    """Brackets, stacks and bursts of every body."""
    found: list[Found] = []
    parts: list[Whole] = []
    for run in _runs(shoot):
        brackets, rest = _brackets(shoot, run)
        found.extend(brackets)
        parts.extend(rest)
    for part, because in zip(parts, stacks.reasons(shoot, parts), strict=True):
        if because is None:
            found.extend(_bursts(shoot, part))
        else:
            found.append(Found(kind=GroupKind.FOCUS_STACK, rows=tuple(part.tolist()), because=because))
    return found


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
        goes_on = (gap <= RUN_GAP_S + took) & (likeness(shoot.look, rows[1:], rows[:-1]) >= FRAMED)
        for start, end in runs(goes_on):
            yield rows[start : end + 1]


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
