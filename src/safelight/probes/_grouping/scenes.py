"""Scenes: stretches of a shoot at one place in one light.

Going through the photos in time, signs of a change add up: a pause, another brightness of the scene itself (what the
picture shows less what shutter, aperture and ISO let in), another look.
"""

from collections.abc import Sequence

import numpy as np

from safelight.media.frame import Matrix
from safelight.probes._grouping.shoot import Shoot, Whole, likeness

PAUSE_S = 600.0  # a pause that alone makes a new scene
LIGHT_EV = 3.0  # a change of the scene's brightness that alone makes a new scene
LOOK = 1.0  # share of a change that a wholly different look adds
SPAN = 3  # photos on either side whose median brightness counts
BACK = 4  # photos back among which a like one is looked for
SAME = 0.55  # likeness from which photos without times share a scene


def scenes(shoot: Shoot, sets: Sequence[Sequence[int]]) -> list[list[int]]:
    """A partition of all rows; the rows of one set stay together."""
    timed = np.flatnonzero(shoot.timed)
    timed = timed[np.lexsort((timed, shoot.time[timed]))]
    scene = np.full(len(shoot), -1, dtype=np.intp)
    if len(timed):
        scene[timed] = np.concatenate(([0], np.cumsum(_change(shoot, timed) >= 1)))
    _unite(scene, sets)
    _place_untimed(shoot, scene)
    order = np.argsort(scene, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(scene[order])) + 1)
    return [[int(row) for row in part] for part in parts if len(part)]


def _change(shoot: Shoot, rows: Whole) -> Matrix:
    """Signs of a new scene before each photo but the first."""
    if len(rows) < 2:
        return np.empty(0)
    pause = np.diff(shoot.time[rows]) / PAUSE_S
    return np.asarray(
        pause
        + _light_change(shoot.light[rows]) / LIGHT_EV
        + LOOK * _strangeness(shoot, rows) * np.minimum(pause * 10, 0.5)
    )


def _light_change(light: Matrix) -> Matrix:
    """Difference of the median brightness of the photos before and after, EV; 0 where it is unknown.

    It counts only at the largest step of the neighbourhood: the medians around one step differ at several places.
    """
    padded = np.concatenate((np.full(SPAN - 1, np.nan), light, np.full(SPAN - 1, np.nan)))
    medians = _nan_median(np.lib.stride_tricks.sliding_window_view(padded, SPAN))
    before, after = medians[: len(light) - 1], medians[SPAN : SPAN + len(light) - 1]
    step = np.abs(np.nan_to_num(np.diff(light)))
    nearby = np.lib.stride_tricks.sliding_window_view(np.pad(step, SPAN - 1), 2 * SPAN - 1)
    return np.where(step >= nearby.max(axis=1), np.abs(np.nan_to_num(after - before)), 0.0)


def _nan_median(windows: Matrix) -> Matrix:
    """Median of each row's known numbers; NaN without any."""
    ordered = np.sort(windows, axis=1)  # NaN last
    known = np.isfinite(ordered).sum(axis=1)
    every = np.arange(len(ordered))
    low, high = np.maximum((known - 1) // 2, 0), np.maximum(known // 2, 0)
    return np.asarray(ordered[every, low] + ordered[every, np.minimum(high, ordered.shape[1] - 1)]) / 2


def _strangeness(shoot: Shoot, rows: Whole) -> Matrix:
    """1 - the best likeness with one of the photos just before, 0..1."""
    best = np.full(len(rows) - 1, -1.0, np.float32)
    for lag in range(1, min(BACK, len(rows) - 1) + 1):
        best[lag - 1 :] = np.maximum(best[lag - 1 :], likeness(shoot.look, rows[lag:], rows[:-lag]))
    return np.clip(1 - best, 0, 1).astype(np.float64)


def _unite(scene: Whole, sets: Sequence[Sequence[int]]) -> None:
    """Gives a set the first scene of its rows, and one of its own if no row has any."""
    if not sets:
        return
    lengths = np.array([len(rows) for rows in sets])
    rows = np.concatenate([np.asarray(one) for one in sets])
    none = len(scene)
    known = np.where(scene[rows] >= 0, scene[rows], none)
    first = np.minimum.reduceat(known, np.concatenate(([0], np.cumsum(lengths)[:-1])))
    new = first == none
    first[new] = scene.max() + 1 + np.arange(new.sum())
    scene[rows] = np.repeat(first, lengths)


def _place_untimed(shoot: Shoot, scene: Whole) -> None:
    """Photos without times join the scene of the most alike placed photo, or make one of their own."""
    for row in np.flatnonzero(scene < 0):
        placed = np.flatnonzero(scene >= 0)
        if len(placed):
            alike = shoot.look[placed] @ shoot.look[row]
            nearest = int(alike.argmax())
            if alike[nearest] >= SAME:
                scene[row] = scene[placed[nearest]]
                continue
        scene[row] = scene.max() + 1
