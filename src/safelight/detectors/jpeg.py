"""Saved too small: the steps that a JPEG of low quality leaves in every block of 8 x 8 px.

On the after's own pixels, without any reference: where its block grid lies is found from second differences across
columns and rows; there the cosine coefficients of luma bunch at multiples of the quantisation step, and the largest
step that they bunch at says how much was thrown away. The before's own steps, if it lies in the same pixels, are not
held against the edit. Where the damage shows is where the edges of blocks stand out from what lies inside them.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.detectors import HEAT_SIDE, Detector, Finding, Pair
from safelight.detectors._planes import Plane, reduced, resized
from safelight.detectors.answers import cannot, said
from safelight.media.frame import Bytes

LEAST = 64  # px
MOST = 896  # px, side of the part that is looked at
FLAT = 3  # levels between the least and the largest value
CLEAN = 0.05  # how far edges of blocks stand out at most where nothing was saved small
COEFFICIENTS = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (2, 2), (0, 3), (3, 0))
STEPS = np.array([*range(3, 24), *range(24, 48, 2), *range(48, 84, 4)])  # levels
EDGE = np.array(((1, -3, 3, -1),), np.float32)  # the step between two pixels less the slopes beside it
SHARP = 24  # levels, above which a step is the picture's own
STRIP = 512  # rows at a time of the heat map, a multiple of 8: what is worked on stays small, whatever the picture
AROUND = 1.5  # px of the heat map, Gaussian sigma: one block by itself says little


def detect(pair: Pair) -> list[Finding]:
    """One finding, `jpeg`."""
    why = _unfit(pair)
    if why:
        return [cannot("jpeg", why)]
    blocked, step = traces(pair.after)
    if (blocked > CLEAN or step > 0) and pair.placement.still and pair.before.shape == pair.after.shape:
        own_blocked, own_step = traces(pair.before)
        blocked, step = blocked - max(0.0, own_blocked), step - 0.9 * min(own_step, 8.0)
    return [_said(pair, blocked, step)]


def alone(pair: Pair) -> list[Finding]:
    """The same of a picture by itself: steps that it always had count as well."""
    why = _unfit(pair)
    if why:
        return [cannot("jpeg", why)]
    return [_said(pair, *traces(pair.after), alone=True)]


def _unfit(pair: Pair) -> str | None:
    if pair.too_small or min(pair.after.shape[:2]) < LEAST:
        return "the picture is too small to have enough blocks"
    return "the picture is too plain to have traces of blocks" if int(np.ptp(pair.after)) < FLAT else None


def _said(pair: Pair, blocked: float, step: float, *, alone: bool = False) -> Finding:
    score = max(0.0, step) / 10 + max(0.0, blocked)
    if score <= CLEAN:
        return said(pair, "jpeg", score, "No blocks show.", alone=alone)
    text = "Blocks of 8 px show"
    if step > 0:
        text += f"; details are rounded to steps of about {step:.0f} levels"
    return said(pair, "jpeg", score, f"{text}.", heat=standing_out(pair.after), alone=alone)


def traces(rgb: Bytes) -> tuple[float, float]:
    """How far the edges of blocks stand out (0: not at all), and the step of the coefficients in levels (0: none)."""
    y, phases = _looked_at(rgb)
    blocked = float(np.mean([strength for _, strength in phases]))
    column, row = phases[0][0], phases[1][0]
    y = y[row:, column:]
    rows, columns = y.shape[0] // 8, y.shape[1] // 8
    if rows < 4 or columns < 4:
        return blocked, 0.0
    blocks = y[: rows * 8, : columns * 8].reshape(rows, 8, columns, 8).transpose(0, 2, 1, 3).reshape(-1, 8, 8)
    blocks = blocks[np.ptp(blocks.reshape(len(blocks), -1), axis=1) > 3][:3000]
    if len(blocks) < 40:
        return blocked, 0.0
    basis = _cosines()
    coefficients = np.einsum("ui,nij,vj->nuv", basis, blocks - 128, basis, optimize=True)
    steps = [_step(coefficients[:, u, v]) for u, v in COEFFICIENTS]
    return blocked, float(np.median(steps))


def standing_out(rgb: Bytes) -> Plane:
    """Levels by which the edges of blocks stand out from what lies inside them, a heat map of the whole picture."""
    _, ((column, _), (row, _)) = _looked_at(rgb)
    height = rgb.shape[0]
    columns, rows = reduced(rgb, HEAT_SIDE)
    found: Plane = np.empty((height, columns), np.float32)
    for top in range(0, height, STRIP):
        first, last = max(0, top - 8), min(height, top + STRIP + 8)
        y = cv2.cvtColor(np.ascontiguousarray(rgb[first:last]), cv2.COLOR_RGB2YCrCb)[..., 0].astype(np.float32)
        out = _excess(y, column) + _excess(np.ascontiguousarray(y.T), row - first).T
        found[top : top + STRIP] = resized(out, (columns, last - first))[top - first : top - first + STRIP]
    heat = cv2.GaussianBlur(resized(found, (columns, rows)), (0, 0), AROUND)
    return np.maximum(heat, np.float32(0))


def _excess(y: NDArray[np.float32], first: int) -> Plane:
    """For every column at which a block begins, how much its edge stands out; 0 elsewhere in the mean of a block."""
    bend = np.minimum(np.abs(cv2.filter2D(y, -1, EDGE, anchor=(2, 0))), SHARP)  # at x: between x − 1 and x
    out = bend * np.float32(-1 / 7)
    out[:, first % 8 :: 8] = bend[:, first % 8 :: 8]
    return np.asarray(out, np.float32)


def _looked_at(rgb: Bytes) -> tuple[Plane, tuple[tuple[int, float], tuple[int, float]]]:
    """Luma of the middle of a picture, and its `_phase` along columns and rows; the middle begins on a multiple of
    eight, so that the phase is that of the whole."""
    height, width = rgb.shape[:2]
    top, left = max(0, (height - MOST) // 2) // 8 * 8, max(0, (width - MOST) // 2) // 8 * 8
    part = np.ascontiguousarray(rgb[top : top + MOST, left : left + MOST])
    y = cv2.cvtColor(part, cv2.COLOR_RGB2YCrCb)[..., 0].astype(np.float32)
    return y, (_phase(y), _phase(np.ascontiguousarray(y.T)))


def _phase(y: NDArray[np.float32]) -> tuple[int, float]:
    """Where blocks begin along the columns, and how much more second difference lies there than elsewhere."""
    bend = np.abs(
        y[:, :-3] - y[:, 1:-2] * 3 + y[:, 2:-1] * 3 - y[:, 3:]
    )  # the step between columns 1 and 2 less the slopes
    profile = np.minimum(bend, SHARP).mean(0)
    count = len(profile) // 8 * 8
    by_phase = profile[:count].reshape(-1, 8).mean(0)
    best = int(by_phase.argmax())
    others = np.delete(by_phase, best)
    return (best + 2) % 8, float(by_phase[best] / max(float(np.median(others)), 0.05) - 1)


def _step(values: NDArray[np.float32]) -> float:
    """The largest step at whose multiples the values bunch; 0 for none."""
    size = np.abs(values)
    away = (size[None] > 0.6 * STEPS[:, None]) & (size < 12 * STEPS[:, None])
    count = away.sum(1)
    bunched = (np.cos(2 * np.pi * values[None] / STEPS[:, None]) * away).sum(1) / np.maximum(count, 1)
    good = np.flatnonzero((count >= 24) & (bunched > np.maximum(0.4, 4 / np.sqrt(2 * np.maximum(count, 1)))))
    if not len(good):
        return 0.0
    best = good[bunched[good] > 0.75 * bunched[good].max()]
    return float(STEPS[best[-1]])


def _cosines() -> NDArray[np.float32]:
    n = np.arange(8)
    basis = np.cos(np.pi * (2 * n[None] + 1) * n[:, None] / 16) / 2
    basis[0] /= np.sqrt(2)
    return basis.astype(np.float32)


detector = Detector(
    name="jpeg", version=2, finds=("jpeg",), detect=detect, alone=alone, about="Blocks and mosquitoes of a small JPEG."
)
