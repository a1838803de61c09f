"""Banding: a gentle gradient that has become stairs.

On the after's own pixels, in parts where the before changes gently: the share of the change along rows and columns
that happens in jumps of three levels and more between runs of equal values. The before's own share is taken off where
it lies in the same pixels.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.detectors import HEAT_SIDE, Detector, Finding, Pair
from safelight.detectors._planes import Plane, reduced, resized
from safelight.detectors.answers import cannot, said
from safelight.media.colour import Words
from safelight.media.frame import Bytes
from safelight.media.picture import grey

RUN = 3  # equal neighbours in a row on each side of a step
JUMP = 3  # levels
WORD = 257  # a level, in words
ROUGH = 2.2  # levels: mean deviation from the surroundings up to which ground is gentle
SOFT, WINDOW = 2.5, 13  # px: sigma of the surroundings, side of the square over which the deviation is averaged
ENOUGH = 0.01  # share of the picture
STRIP = 128  # rows at a time: what is worked on stays small enough for the processor's cache, whatever the picture
OVERLAP = 20  # rows above and below that the answer for a row may depend on: 10 of the blur, 6 of the window, RUN + 1


@dataclass(frozen=True, kw_only=True)
class Steps:
    """What was counted in a picture: the share of it that is gentle, the share of the change there that comes in
    steps, whether anything changes there at all, and where the steps lie (all rows, as many columns as a heat map
    has)."""

    gentle: float
    share: float
    changes: bool
    heat: Plane


def detect(pair: Pair) -> list[Finding]:
    """One finding, `banding`."""
    if pair.too_small:
        return [cannot("banding", pair.too_small)]
    after = steps(pair.after, pair.after_words if pair.fine else None)
    if after.gentle < ENOUGH or not after.changes:
        return [cannot("banding", "there is no gentle gradient")]
    share = after.share
    if pair.placement.still and pair.before.shape == pair.after.shape:
        before = steps(pair.before, pair.before_words if pair.fine else None)
        if before.gentle >= ENOUGH:
            share -= before.share
    text = f"{100 * max(0.0, share):.0f} % of the change in gentle gradients comes in visible steps."
    return [said(pair, "banding", share, text, heat=after.heat)]


def alone(pair: Pair) -> list[Finding]:
    """The same of a picture by itself: steps that it always had count as well."""
    if pair.too_small:
        return [cannot("banding", pair.too_small)]
    found = steps(pair.after, pair.after_words if pair.fine else None)
    if found.gentle < ENOUGH or not found.changes:
        return [cannot("banding", "there is no gentle gradient")]
    text = f"{100 * found.share:.0f} % of the change in gentle gradients comes in visible steps."
    return [said(pair, "banding", found.share, text, heat=found.heat, alone=True)]


def steps(rgb: Bytes, words: Words | None = None, *, strip: int = STRIP) -> Steps:
    """Counts the steps of a picture, `strip` rows at a time; the answer does not depend on how many. In `words`, the
    same picture with sixteen bits a channel, neighbours are equal that are so within a quarter of a level."""
    height, width = rgb.shape[:2]
    columns = reduced(rgb, HEAT_SIDE)[0]
    heat: Plane = np.empty((height, columns), np.float32)
    gentle = 0
    stepped = changed = 0.0
    level = 1 if words is None else WORD
    for top in range(0, height, strip):
        bottom = min(top + strip, height)
        first, last = max(0, top - OVERLAP), min(height, bottom + OVERLAP)
        part = rgb[first:last]
        flat = _gentle(part)
        own = slice(top - first, bottom - first)
        gentle += cv2.countNonZero(flat[own])
        there: Bytes = np.zeros(flat.shape, np.uint8)  # steps that begin at each pixel
        for plane in cv2.split(part if words is None else words[first:last]):
            for down in (False, True):
                change, jump = _jumps(plane, flat, down=down)
                changed += float(change[own].sum()) / level
                stepped += float((change * jump)[own].sum()) / level
                there[: jump.shape[0], : jump.shape[1]] += jump
        heat[top:bottom] = resized(there[own], (columns, bottom - top))
    share = stepped / max(changed, 0.02 * gentle, 1.0)
    return Steps(gentle=gentle / (height * width), share=share, changes=changed > 0, heat=heat)


def _gentle(rgb: Bytes) -> Bytes:
    """255 where the luma hardly differs from its surroundings, away from its ends."""
    luma = grey(rgb)
    level = luma.astype(np.float32)
    rough = cv2.blur(cv2.absdiff(level, cv2.GaussianBlur(level, (0, 0), SOFT)), (WINDOW, WINDOW))
    flat = (rough < ROUGH) & (luma > 6) & (luma < 249)
    return np.where(flat, np.uint8(255), np.uint8(0))


def _jumps(plane: NDArray[Any], flat: Bytes, *, down: bool) -> tuple[NDArray[Any], Bytes]:
    """On gentle ground, the change of each pixel of bytes or words towards the one on its right (or below it), and 1
    where it is a step between two runs."""
    flags: Bytes = np.zeros(plane.shape, np.uint8)
    # Views with the direction of looking along the rows: nothing is turned in memory.
    values, ground, jump = (p.T if down else p for p in (plane, flat, flags))
    ahead, behind = values[:, 1:], values[:, :-1]
    change = np.maximum(ahead, behind) - np.minimum(ahead, behind)
    level = 1 if plane.dtype == np.uint8 else WORD
    still = change <= level // 4
    change *= (ground[:, 1:] & ground[:, :-1]) >> 7
    run = still[:, :-2] & still[:, 1:-1] & still[:, 2:]  # RUN of them, from each place on
    jump = jump[:, :-1]
    jump[:, RUN:-RUN] = (change[:, RUN:-RUN] >= JUMP * level) & run[:, : -RUN - 1] & run[:, RUN + 1 :]
    return (change.T, jump.T) if down else (change, jump)


detector = Detector(
    name="banding", version=1, finds=("banding",), detect=detect, alone=alone, about="Gradients that became stairs."
)
