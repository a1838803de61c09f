"""Saved too small: the steps that a JPEG of low quality leaves in every block of 8 x 8 px.

On the after's own pixels, without any reference: where its block grid lies is found from second differences across
columns and rows; there the cosine coefficients of luma bunch at multiples of the quantisation step, and the largest
step that they bunch at says how much was thrown away. The before's own steps, if it lies in the same pixels, are not
held against the edit.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors.answers import cannot, said
from safelight.media.frame import Bytes

LEAST = 64  # px
MOST = 896  # px, side of the part that is looked at
FLAT = 3  # levels between the least and the largest value
CLEAN = 0.05  # how far edges of blocks stand out at most where nothing was saved small
COEFFICIENTS = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (2, 2), (0, 3), (3, 0))
STEPS = np.array([*range(3, 24), *range(24, 48, 2), *range(48, 84, 4)])  # levels


def detect(pair: Pair) -> list[Finding]:
    """One finding, `jpeg`."""
    why = _unfit(pair)
    if why:
        return [cannot("jpeg", why)]
    blocked, step = traces(pair.after)
    if (blocked > CLEAN or step > 0) and pair.placement.still and pair.before.shape == pair.after.shape:
        own_blocked, own_step = traces(pair.before)
        blocked, step = blocked - max(0.0, own_blocked), step - 0.9 * min(own_step, 8.0)
    return [said(pair, "jpeg", _score(blocked, step), _words(step))]


def alone(pair: Pair) -> list[Finding]:
    """The same of a picture by itself: steps that it always had count as well."""
    why = _unfit(pair)
    if why:
        return [cannot("jpeg", why)]
    blocked, step = traces(pair.after)
    return [said(pair, "jpeg", _score(blocked, step), _words(step), alone=True)]


def _unfit(pair: Pair) -> str | None:
    if pair.too_small or min(pair.after.shape[:2]) < LEAST:
        return "the picture is too small to have enough blocks"
    return "the picture is too plain to have traces of blocks" if int(np.ptp(pair.after)) < FLAT else None


def _score(blocked: float, step: float) -> float:
    return max(0.0, step) / 10 + max(0.0, blocked)


def _words(step: float) -> str:
    return f"Blocks of 8 px show; details are rounded to steps of about {max(0.0, step):.0f} levels."


def traces(rgb: Bytes) -> tuple[float, float]:
    """How far the edges of blocks stand out (0: not at all), and the step of the coefficients in levels (0: none)."""
    height, width = rgb.shape[:2]
    top, left = max(0, (height - MOST) // 2) // 8 * 8, max(0, (width - MOST) // 2) // 8 * 8
    part = rgb[top : top + MOST, left : left + MOST]
    y = cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2YCrCb)[..., 0].astype(np.float32)
    phases = [_phase(y), _phase(np.ascontiguousarray(y.T))]
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


def _phase(y: NDArray[np.float32]) -> tuple[int, float]:
    """Where blocks begin along the columns, and how much more second difference lies there than elsewhere."""
    bend = np.abs(
        y[:, :-3] - y[:, 1:-2] * 3 + y[:, 2:-1] * 3 - y[:, 3:]
    )  # the step between columns 1 and 2 less the slopes
    profile = np.minimum(bend, 24).mean(0)
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
    name="jpeg", version=1, finds=("jpeg",), detect=detect, alone=alone, about="Blocks and mosquitoes of a small JPEG."
)
