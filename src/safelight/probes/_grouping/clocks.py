"""How far one camera's clock runs ahead of another's, from moments that both saw.

Every look-alike across two bodies votes for a difference of their clocks. Pictures of the same thing at different
moments vote for anything; moments that both saw vote for one value. A value is believed when so many separate moments
agree on it that chance would hardly do it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import pdtrc

from safelight.media.frame import Matrix
from safelight.probes._grouping.shoot import Shoot, Whole, likeness

ALIKE = 0.72  # likeness of two views of one moment, as for near-duplicates
AGREE_S = 1.0  # votes for one value lie within this of each other
NEAR_S = 60.0  # votes within this of a value show how many would agree on it by accident
CHANCE = 1e-3  # of so much agreement without a common moment, at most
MOST = 1500  # moments of one body that are compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """How many seconds `body` runs ahead of `reference`; None with the reason why it cannot be told."""

    body: int
    reference: int
    seconds: float | None
    moments: int
    because: str


def offsets(shoot: Shoot) -> list[Offset]:
    """One for every body but the one with most photos, which is the reference."""
    counts = np.bincount(shoot.body[(shoot.body >= 0) & shoot.timed], minlength=len(shoot.bodies))
    if (counts > 0).sum() < 2:
        return []
    reference = int(np.argmax(counts))
    return [_offset(shoot, body, reference) for body in range(len(counts)) if counts[body] and body != reference]


def aligned(shoot: Shoot, found: list[Offset]) -> Shoot:
    """The shoot by the clock of the reference; a body whose offset is unknown keeps its own time."""
    time = shoot.time.copy()
    for offset in found:
        if offset.seconds is not None:
            time[shoot.body == offset.body] -= offset.seconds
    return shoot.with_time(time)


def _offset(shoot: Shoot, body: int, reference: int) -> Offset:
    there, here = _moments(shoot, body), _moments(shoot, reference)
    alike = shoot.look[there] @ shoot.look[here].T >= ALIKE
    rows, columns = np.nonzero(alike)
    seen = np.unique(rows)
    if not len(rows):
        return Offset(
            body=body, reference=reference, seconds=None, moments=0,
            because="no two pictures of the two cameras show the same thing",
        )  # fmt: skip
    ahead = shoot.time[there[rows]] - shoot.time[here[columns]]
    best, inside = _densest(ahead, rows, columns)
    span = float(np.ptp(shoot.time[there]) + np.ptp(shoot.time[here])) + 2 * AGREE_S
    near = np.count_nonzero(np.abs(ahead - np.median(ahead[inside])) <= NEAR_S) - len(inside)
    rate = max(len(ahead) * 2 * AGREE_S / span, near * AGREE_S / NEAR_S)
    if best < 2 or len(ahead) * float(pdtrc(best - 2, rate)) > CHANCE:
        return Offset(
            body=body, reference=reference, seconds=None, moments=best,
            because=f"{len(seen)} pictures resemble one of the other camera, "
            f"but only {best} agree{'s' if best == 1 else ''} on a difference",
        )  # fmt: skip
    seconds = float(np.median(ahead[inside]))
    return Offset(
        body=body, reference=reference, seconds=round(seconds, 2), moments=best,
        because=f"{best} moments that both cameras saw agree within {np.ptp(ahead[inside]):.1f} s",
    )  # fmt: skip


def _moments(shoot: Shoot, body: int) -> Whole:
    """The first picture of every moment of one body, evenly thinned where there are very many."""
    rows = np.flatnonzero((shoot.body == body) & shoot.timed)
    rows = rows[np.argsort(shoot.time[rows], kind="stable")]
    fresh = np.ones(len(rows), bool)
    close = np.diff(shoot.time[rows]) < AGREE_S
    fresh[1:] = ~(close & (likeness(shoot.look, rows[1:], rows[:-1]) >= ALIKE))
    rows = rows[fresh]
    return rows if len(rows) <= MOST else rows[np.linspace(0, len(rows) - 1, MOST).astype(np.intp)]


def _densest(ahead: Matrix, rows: Whole, columns: Whole) -> tuple[int, NDArray[np.intp]]:
    """Most separate moments within one window of differences, and the votes in it."""
    order = np.argsort(ahead, kind="stable")
    ends = np.searchsorted(ahead[order], ahead[order] + AGREE_S, "right")
    best, found = 0, order[:0]
    for start in np.argsort(np.arange(len(order)) - ends, kind="stable"):
        window = order[start : ends[start]]
        if len(window) <= best:
            break
        count = min(len(np.unique(rows[window])), len(np.unique(columns[window])))
        if count > best:
            best, found = count, window
    return best, found
