"""Marks: small places that can be found again in another photo of the same thing, each with its colour.

Two frames of one scene show the same wall, coat or face under the same light; how much brighter or warmer it is in one
of them is what the camera did differently. Marks are ORB keypoints (Rublee et al., ICCV 2011) of the picture at 400
px: place, 256-bit description, and the mean linear light around.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.domain import Json, Measure
from safelight.media.frame import Bytes
from safelight.media.picture import Picture, grey
from safelight.probes import Probe

MOST = 160
LEVELS, FAST = 4, 8  # scales of ORB, and grey levels from which a corner is one
BITS = 32  # bytes of a description
AROUND = 9  # px, side of the square whose mean light counts
CLIPPED = 245  # of 255: from here on a channel counts as clipped, and the mark as white
LEAST_SIDE = 64  # px
EDGE = 16  # px next to the border without marks
LOG_STEP, DARKEST = 1 / 2048, -14.0  # of a colour's log2 light
_RECORD = np.dtype([("x", "<u2"), ("y", "<u2"), ("bits", "u1", BITS), ("light", "<u2", 3)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """n marks: `place` n x 2 in px at 400 px, `bits` n x 32 bytes, `light` n x 3 log2 linear sRGB (0 is white)."""

    place: NDArray[np.float32]
    bits: Bytes
    light: NDArray[np.float64]


def measure(picture: Picture) -> Sequence[Measure]:
    """`light.marks`, about 9 kB of text; few or none where a picture has no corners."""
    small = picture.small
    if min(small.shape[:2]) < LEAST_SIDE:
        return (Measure(name="light.marks", cannot_tell="the picture is too small"),)
    orb = cv2.ORB.create(nfeatures=MOST, nlevels=LEVELS, edgeThreshold=EDGE, patchSize=2 * EDGE - 1, fastThreshold=FAST)
    points, bits = orb.detectAndCompute(grey(small), None)
    found = np.zeros(len(points), _RECORD)
    if len(points):
        place = np.array([p.pt for p in points], np.float32)
        soft = cv2.blur(picture.linear_small, (AROUND, AROUND))
        x, y = np.rint(place).astype(int).T
        log = np.log2(np.maximum(np.asarray(soft)[y, x], 2.0**DARKEST))
        log[_clips(small)[y, x]] = 0.0
        found["x"], found["y"] = np.rint(place.T * 16)
        found["bits"] = bits
        found["light"] = np.rint((log - DARKEST) / LOG_STEP)
    return (Measure(name="light.marks", value=base64.b64encode(found.tobytes()).decode("ascii")),)


def _clips(small: Bytes) -> NDArray[np.bool_]:
    """Where some pixel around has a channel next to white, so that the mean is no colour."""
    return np.asarray(cv2.dilate(small, np.ones((AROUND, AROUND), np.uint8)).max(2) >= CLIPPED)


def unpack(value: Json) -> Marks:
    """The marks of a `light.marks`; ValueError where it is none."""
    if not isinstance(value, str):
        raise TypeError(f"marks are a text, not {type(value).__name__}")
    found = np.frombuffer(binascii.a2b_base64(value), _RECORD)
    return Marks(
        place=np.stack((found["x"], found["y"]), 1).astype(np.float32) / np.float32(16),
        bits=np.ascontiguousarray(found["bits"]),
        light=found["light"].astype(np.float64) * LOG_STEP + DARKEST,
    )


probe = Probe(
    name="marks",
    version=1,
    emits=("light.marks",),
    measure=measure,
    about="Places that can be found again in other photos of the scene, with their colours.",
)
