"""Banding: a gentle gradient that has become stairs.

On the after's own pixels, in parts where the before changes gently: the share of the change along rows and columns
that happens in jumps of three levels and more between runs of equal values. The before's own share is taken off where
it lies in the same pixels.
"""

import cv2
import numpy as np

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._planes import Flags, Plane
from safelight.detectors.answers import cannot, said
from safelight.media.frame import Bytes
from safelight.media.picture import grey

RUN = 3  # equal neighbours in a row on each side of a step
JUMP = 3  # levels
ROUGH = 2.2  # levels: mean deviation from the surroundings up to which ground is gentle
ENOUGH = 0.01  # share of the picture


def detect(pair: Pair) -> list[Finding]:
    """One finding, `banding`."""
    if min(pair.after.shape[:2]) < 32:
        return [cannot("banding", "the picture is smaller than 32 px")]
    after = grey(pair.after)
    gentle = _gentle(after)
    if float(gentle.mean()) < ENOUGH:
        return [cannot("banding", "there is no gentle gradient")]
    share, stairs = _stairs(pair.after, gentle)
    if pair.placement.still and pair.before.shape == pair.after.shape:
        before = _gentle(grey(pair.before))
        if float(before.mean()) >= ENOUGH:
            share -= _stairs(pair.before, before)[0]
    text = f"{100 * max(0.0, share):.0f} % of the change in gentle gradients comes in visible steps."
    return [said(pair, "banding", share, text, heat=stairs)]


def _gentle(luma: Bytes) -> Flags:
    """Where the picture hardly differs from its surroundings, away from its ends."""
    level = luma.astype(np.float32)
    rough = cv2.blur(np.abs(level - cv2.GaussianBlur(level, (0, 0), 2.5)), (13, 13))
    return np.asarray((rough < ROUGH) & (luma > 6) & (luma < 249))


def _stairs(rgb: Bytes, gentle: Flags) -> tuple[float, Plane]:
    """The share of change that comes in steps, and where they lie."""
    heat: Plane = np.zeros(gentle.shape, np.float32)
    steps = total = 0.0
    for channel in range(3):
        plane = rgb[..., channel].astype(np.int16)
        for turned in (False, True):
            values, here = (plane.T, gentle.T) if turned else (plane, gentle)
            change = np.abs(np.diff(values, axis=1))
            here = here[:, 1:] & here[:, :-1]
            still = change == 0
            run = still[:, :-2] & still[:, 1:-1] & still[:, 2:]  # RUN of them, from each place on
            jump = np.zeros(change.shape, bool)
            jump[:, RUN:-RUN] = (change[:, RUN:-RUN] >= JUMP) & run[:, : -RUN - 1] & run[:, RUN + 1 :]
            jump &= here
            steps += float(change[jump].sum())
            total += float(change[here].sum())
            if turned:
                heat[:-1] += jump.T
            else:
                heat[:, :-1] += jump
    return steps / max(total, 0.02 * gentle.sum()), heat


detector = Detector(name="banding", version=1, finds=("banding",), detect=detect, about="Gradients that became stairs.")
