"""What was put on a picture, and what colour a part of it has: borders, rows of lettering, pixels near a swatch."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.channels.ground import Mask
from safelight.media.colour import delta_e_lab, lab
from safelight.media.frame import Bytes

EVEN = 10  # levels within which a line of pixels is of one colour
WIDEST = 0.12  # of the shorter side: a border is no wider
SIDE = 900  # px, long side at which swatches are looked for
WHITE = 255
UNEVEN_PX, UNEVEN = 2, 0.1  # px, or share of its width, by which a drawn border differs at most between sides
FEWEST = 4  # marks that make a row of lettering


@dataclass(frozen=True, kw_only=True)
class Patch:
    """Pixels near a colour: where, their share of the picture, their middle colour and how far it is off (ΔE00)."""

    mask: Mask
    share: float
    hex: str
    delta_e: float


@dataclass(frozen=True, kw_only=True)
class Band:
    """An even band around a picture: its narrowest width in px, and whether it may as well be the ground on which a
    rectangular thing stands: it is white, or not equally wide on all sides."""

    px: int
    ground: bool


def band(rgb: Bytes) -> Band | None:
    """The even band around the whole picture; None where there is none.

    A band ends on all four sides at once, along nearly their whole length; most plain grounds do not."""
    height, width = rgb.shape[:2]
    most = int(WIDEST * min(height, width))
    rim = np.concatenate((rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]))
    colour = np.median(rim, axis=0)
    if (np.abs(rim - colour).max(-1) <= EVEN).mean() < 0.97:
        return None
    even = np.abs(rgb.astype(np.int16) - colour.astype(np.int16)).max(-1) <= EVEN
    sides = (even, even[::-1], even.T, even.T[::-1])
    ends = [_end(side[: most + 4]) for side in sides]
    found = [end for end in ends if end is not None]
    if len(found) < len(ends) or not 1 <= min(found) <= max(found) <= most:
        return None
    uneven = max(found) - min(found) > max(UNEVEN_PX, UNEVEN * min(found))
    return Band(px=min(found), ground=uneven or bool((colour >= WHITE - EVEN).all()))


def _end(lines: Mask) -> int | None:
    """The line at which evenness ends at once; None where it ends bit by bit, or not at all."""
    inner = lines[:, lines.shape[1] // 8 : -(lines.shape[1] // 8) or None]
    share = inner.mean(1)
    over = np.flatnonzero(share < 0.97)
    if not len(over):
        return None
    first = int(over[0])
    after = share[first : first + 4]
    return first if len(after) and after.min() < 0.25 else None


def lettering(subject: Mask) -> Mask | None:
    """The marks beside the largest piece that stand in a row like letters, H x W; None where none do."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(subject.astype(np.uint8), connectivity=8)
    if count <= FEWEST:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    tall, wide = subject.shape
    small = [
        i for i in range(1, count)
        if i != largest and 0.006 * tall <= stats[i, cv2.CC_STAT_HEIGHT] <= 0.15 * tall
        and stats[i, cv2.CC_STAT_WIDTH] <= 0.15 * wide
    ]  # fmt: skip
    for i in small:
        row = [j for j in small if _same_row(stats[i], stats[j])]
        row.sort(key=lambda j: stats[j, cv2.CC_STAT_LEFT])
        if len(row) >= FEWEST and _close(stats[row]):
            return np.asarray(np.isin(labels, row))
    return None


def _same_row(one: NDArray[Any], other: NDArray[Any]) -> bool:
    height, other_height = int(one[cv2.CC_STAT_HEIGHT]), int(other[cv2.CC_STAT_HEIGHT])
    foot = int(one[cv2.CC_STAT_TOP]) + height
    other_foot = int(other[cv2.CC_STAT_TOP]) + other_height
    return 0.5 <= other_height / height <= 2 and abs(foot - other_foot) <= 0.35 * height


def _close(row: NDArray[Any]) -> bool:
    """Whether marks follow each other as letters and words do."""
    left, width = row[:, cv2.CC_STAT_LEFT], row[:, cv2.CC_STAT_WIDTH]
    gaps = left[1:] - (left + width)[:-1]
    return bool(np.median(gaps) <= 1.2 * np.median(row[:, cv2.CC_STAT_HEIGHT]))


def nearest_to(rgb: Bytes, colour: tuple[int, int, int], *, search: float) -> Patch | None:
    """The pixels within `search` (ΔE00) of a colour, and how far their middle is off; None where there are none."""
    scale = SIDE / max(rgb.shape[:2])
    small = rgb if scale >= 1 else np.asarray(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    seen = lab(np.asarray(small, np.uint8))
    wanted = lab(np.array([[colour]], np.uint8))
    mask = delta_e_lab(seen, np.broadcast_to(wanted, seen.shape)) <= search
    mask &= cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if not mask.any():
        return None
    middle = np.median(seen[mask], axis=0)
    off = float(delta_e_lab(middle[None, None], wanted)[0, 0])
    shown = np.median(small[mask], axis=0).astype(int)
    large = cv2.resize(mask.astype(np.uint8), (rgb.shape[1], rgb.shape[0]), interpolation=cv2.INTER_NEAREST) > 0
    return Patch(
        mask=np.asarray(large), share=float(mask.mean()), hex="#{:02X}{:02X}{:02X}".format(*shown), delta_e=off
    )
