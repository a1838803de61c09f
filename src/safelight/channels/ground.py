"""The plain ground of a product picture and what stands on it, found from the rim inwards.

What is told apart is the ground from the rest; whether it has the colour that a channel wants is for the rules.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.frame import Bytes

NEAR = 22  # levels of 255 in the worst channel: so far a ground may drift from its own colour
PLAIN = 0.55  # share of the rim that must have one colour for the ground to be called plain
SPECK = 2e-4  # of the picture's area: smaller pieces are dust, not the subject
RIM = 2  # px beside the subject whose colours are a mix of both

Mask = NDArray[np.bool_]
Box = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The ground: its commonest colour at the rim, its share there, where it is, and where the subject stands.

    `plain` is False where the rim has no one colour: then nothing is known of a subject. `box` is half-open, None
    where nothing stands on the ground. `edges` names the sides that the subject touches.
    """

    colour: tuple[int, int, int]
    plain: bool
    mask: Mask
    subject: Mask
    box: Box | None
    edges: tuple[str, ...]

    @property
    def inner(self) -> Mask:
        """All that is not the subject, dust on the ground included, without the pixels beside the subject, which are a
        mix of both."""
        return ~_grown(self.subject, RIM)


def ground_of(rgb: Bytes) -> Ground:
    """The ground of a picture in sRGB bytes, H x W x 3."""
    rim = _rim(rgb)
    colour = _commonest(rim)
    plain = float((apart(rim[None], colour) <= NEAR).mean()) >= PLAIN
    near = (apart(rgb, colour) <= NEAR).astype(np.uint8)
    mask = _from_rim(near) if plain else np.zeros(near.shape, bool)
    subject = _pieces(~mask) if plain else np.zeros(near.shape, bool)
    return Ground(colour=colour, plain=plain, mask=mask, subject=subject, box=box_of(subject), edges=_edges(subject))


def box_of(mask: Mask) -> Box | None:
    """The half-open box around all that is true; None where nothing is."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def apart(rgb: Bytes, colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    """How far each pixel is from a colour, in levels of its worst channel."""
    most = np.zeros(rgb.shape[:2], np.uint8)
    for channel, level in enumerate(colour):
        plane = rgb[..., channel]
        most = np.maximum(most, np.where(plane > level, plane - np.uint8(level), np.uint8(level) - plane))
    return most


def rim_of(shape: tuple[int, ...]) -> Mask:
    """The outermost pixels of a picture."""
    mask = np.ones(shape[:2], bool)
    mask[1:-1, 1:-1] = False
    return mask


def _rim(rgb: Bytes) -> Bytes:
    return np.concatenate((rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]))


def _commonest(colours: Bytes) -> tuple[int, int, int]:
    """The median of the fullest of coarse cells of colour."""
    cells = (colours // 16).astype(np.int32)
    keys = cells[:, 0] * 256 + cells[:, 1] * 16 + cells[:, 2]
    fullest = np.bincount(keys, minlength=4096).argmax()
    r, g, b = (int(v) for v in np.median(colours[keys == fullest], axis=0))
    return r, g, b


def _from_rim(near: NDArray[np.uint8]) -> Mask:
    """Those parts of `near` that reach the rim."""
    _, labels = cv2.connectedComponents(near, connectivity=4)
    rim = np.unique(labels[rim_of(labels.shape)])
    return np.asarray(np.isin(labels, rim[rim > 0]))


def _pieces(mask: Mask) -> Mask:
    """The mask without specks."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    large = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] >= max(4.0, SPECK * mask.size)]
    return np.asarray(np.isin(labels, large))


def _edges(subject: Mask) -> tuple[str, ...]:
    sides = {"top": subject[0], "bottom": subject[-1], "left": subject[:, 0], "right": subject[:, -1]}
    return tuple(name for name, line in sides.items() if line.any())


def _grown(mask: Mask, by: int) -> Mask:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((2 * by + 1, 2 * by + 1), np.uint8)) > 0)
