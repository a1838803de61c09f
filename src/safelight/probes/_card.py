"""A grey card held into the picture: a large, wholly even, four-sided surface of a colour that light can have.

Only evenness tells a card from a wall or a box, so nearly everything is asked of it: four straight sides well inside
the picture, no texture and hardly any fall-off, grey enough for a light between candles and shade, and neither bright
as paper nor dark.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.frame import Bytes
from safelight.media.picture import TO_LINEAR
from safelight.probes._chart import Parts
from safelight.probes._illuminants import point_of

Floats = NDArray[np.float64]

LEAST, MOST = 0.02, 0.35  # share of the picture
FULL = 0.94  # of the quadrilateral that is the surface
CORNER = 0.03  # of the outline's length: how far it may stray from four straight sides
LONGEST = 2.2  # side over opposite or neighbouring side
EVEN, FALL = 0.1, 0.25  # log2 light: texture, and fall-off from side to side, that a card may show
DARKEST, BRIGHTEST = 0.03, 0.6  # linear light
WARMEST, COOLEST, GREENEST = 32.0, -18.0, 9.0  # degrees from neutral that a light may be off
STEP = 0.35  # log2 light: least step from the card to what lies around it, for half of the outline


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """`corners` in px of the picture given, 4 x 2; `light` its mean linear sRGB."""

    corners: Floats
    light: Floats


def find(rgb: Bytes, looks: Sequence[Parts]) -> Card | None:
    """The largest surface that can be a grey card in a picture of about 400 px, given with its even parts."""
    found = [card for look in looks for card in _cards(rgb, look)]
    return max(found, key=lambda card: _area(card.corners), default=None)


def _cards(rgb: Bytes, look: Parts) -> list[Card]:
    height, width = look.labels.shape
    area = look.stats[:, 4]
    found = []
    for label in np.flatnonzero((area >= LEAST * look.labels.size) & (area <= MOST * look.labels.size)):
        x, y, wide, high, pixels = (int(v) for v in look.stats[label])
        if label == 0 or x < 2 or y < 2 or x + wide > width - 2 or y + high > height - 2:
            continue
        corners = _quadrilateral((look.labels == label).astype(np.uint8), pixels)
        light = None if corners is None else _light(rgb, corners)
        if corners is not None and light is not None and _stands_out(rgb, corners, light):
            found.append(Card(corners=corners, light=light))
    return found


def _quadrilateral(mask: Bytes, area: int) -> Floats | None:
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=len)
    corners = cv2.approxPolyDP(outline, CORNER * cv2.arcLength(outline, closed=True), closed=True).reshape(-1, 2)
    if len(corners) != 4 or not cv2.isContourConvex(corners):
        return None
    quadrilateral = corners.astype(np.float64)
    sides = np.hypot(*(np.roll(quadrilateral, -1, 0) - quadrilateral).T)
    if area < FULL * _area(quadrilateral) or sides.max() > LONGEST * sides.min():
        return None
    return quadrilateral


def _area(corners: Floats) -> float:
    return abs(float(cv2.contourArea(corners.astype(np.float32))))


def _light(rgb: Bytes, corners: Floats) -> Floats | None:
    """The mean light of the inside; None where it is not even, not grey, too dark or too bright."""
    middle = corners.mean(0)
    mask = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, np.rint(middle + (corners - middle) * 0.85).astype(np.int32), 1)
    y, x = np.nonzero(mask)
    light = TO_LINEAR[rgb[y, x]].astype(np.float64)
    mean = np.asarray(light.mean(0), np.float64)
    if mean.max() > BRIGHTEST or mean.min() < DARKEST:
        return None
    place = np.stack((np.ones(len(x)), x / rgb.shape[1], y / rgb.shape[0]), 1)
    log = np.log2(np.maximum(light, 1e-4))
    plane, *_ = np.linalg.lstsq(place, log, rcond=None)
    fall = np.ptp(place @ plane, axis=0).max()
    if (log - place @ plane).std(0).max() > EVEN or fall > FALL:
        return None
    amber, green = point_of(mean)
    inside = COOLEST < amber < WARMEST and abs(green) < GREENEST
    return mean if inside else None


def _stands_out(rgb: Bytes, corners: Floats, light: Floats) -> bool:
    """Whether most of what lies around the outline differs clearly, as behind a card that is held up."""
    middle = corners.mean(0)
    sides = np.concatenate([np.linspace(a, b, 24) for a, b in zip(corners, np.roll(corners, -1, 0), strict=True)])
    outside = middle + (sides - middle) * 1.12
    x, y = np.clip(np.rint(outside), 0, np.array(rgb.shape[1::-1]) - 1).astype(int).T
    away = np.abs(np.log2(np.maximum(TO_LINEAR[rgb[y, x]], 1e-3) / light)).max(1)
    return bool((away > STEP).mean() > 0.6)
