"""What tells faces apart: 128 numbers of each face that can be seen well enough, and the reason of each that cannot.

Asked only where grouping of people is switched on (`safelight people on`); needs the weights `face_identity`, which are
fetched by name. What it answers is kept apart from all other evidence and can be erased (`safelight people erase`).
Which faces are one person is decided over the whole shoot, not here.

Nothing is said of a face turned aside by more than 30°, of eyes less than 20 px apart, or of a blurred one. Those
limits are where faces that were shrunk and blurred on purpose drifted from what their sharp original gave.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from safelight.domain import Json, Measure
from safelight.media.frame import Bytes
from safelight.media.picture import Picture, grey
from safelight.probes import Probe
from safelight.probes._identity import NAME, Floats, Network, Points, chip, embed, network

EVIDENCE = "people.prints"
LARGEST_YAW = 30.0  # degrees
NEAREST_EYES = 20.0  # px between the pupils, in the native picture
BLURRED = 4.0  # px of the chip (standard deviation): with wider edges, one person in two was lost
EYES = (slice(28, 72), slice(25, 125))  # rows and columns of the chip about both eyes
FINE, COARSE = 1.5, 3.0  # px: Gaussians whose gradients are compared to tell how wide edges are
STEEPEST = 0.2  # share of the pixels about the eyes that count as edges


def measure(picture: Picture) -> Sequence[Measure]:
    """`people.prints`: for each face its box with a print (base64 of 128 float16) or the reason why there is none."""
    net = network(picture.weights)
    if net is None:
        reason = f"no weights that tell people apart are installed; `safelight models fetch {NAME}`"
        return (Measure(name=EVIDENCE, cannot_tell=reason),)
    found = picture.facts.get("faces")
    if found is None or not isinstance(found.value, list):
        reason = (found.cannot_tell if found else None) or "no faces were looked for"
        return (Measure(name=EVIDENCE, cannot_tell=reason),)
    return (Measure(name=EVIDENCE, value=[_print(picture, face, net) for face in found.value]),)


def _print(picture: Picture, face: Mapping[str, Any], net: Network) -> Json:
    points = np.asarray(face["landmarks"], np.float64)
    reason = _turned_or_small(face, points)
    if reason is None:
        square = chip(picture.rgb, points)
        reason = _blurred(square)
        if reason is None:
            return {"box": face["box"], "print": packed(embed(square, net))}
    return {"box": face["box"], "cannot_tell": reason}


def _turned_or_small(face: Mapping[str, Any], points: Points) -> str | None:
    yaw = face.get("yaw")
    if yaw is None:
        return face.get("eyes_reason") or "the face is turned away or partly hidden"
    if abs(yaw) > LARGEST_YAW:
        return f"the face is turned aside by {abs(yaw):.0f}°; up to {LARGEST_YAW:.0f}° can be told"
    apart = float(np.linalg.norm(points[1] - points[0]))
    if apart < NEAREST_EYES:
        return f"the eyes are {apart:.0f} px apart; {NEAREST_EYES:.0f} px are needed"
    return None


def _blurred(square: Bytes) -> str | None:
    wide = edge_spread(square)
    return f"the face is blurred ({wide:.1f} px; {BLURRED:.0f} px at most)" if wide > BLURRED else None


def edge_spread(square: Bytes) -> float:
    """How wide edges about the eyes are in a chip, px (standard deviation), in the direction in which they are wider.

    The gradient of an edge of spread s, smoothed by σ, falls as 1 / sqrt(s² + σ²); two σ give s (Elder and Zucker
    1998)."""
    luma = grey(square).astype(np.float32)
    fine, coarse = (np.asarray(cv2.GaussianBlur(luma, (0, 0), sigma), np.float32) for sigma in (FINE, COARSE))
    return max(_spread(fine, coarse, across) for across in (1, 0))


def _spread(fine: Floats, coarse: Floats, across: int) -> float:
    sharp, soft = (
        np.square(cv2.Sobel(level, cv2.CV_32F, across, 1 - across, ksize=1)[EYES]) for level in (fine, coarse)
    )
    steep = soft >= np.quantile(soft, 1 - STEEPEST)
    ratio = float(sharp[steep].sum() / max(float(soft[steep].sum()), 1e-9))
    ratio = float(np.clip(ratio, 1.001, (COARSE / FINE) ** 2))
    return float(np.sqrt((COARSE**2 - ratio * FINE**2) / (ratio - 1)))


def packed(numbers: Floats) -> str:
    """A print as text: base64 of float16, little-endian."""
    return base64.b64encode(numbers.astype("<f2").tobytes()).decode("ascii")


probe = Probe(
    name="people",
    version=1,
    emits=(EVIDENCE,),
    needs=("faces",),
    weights=(NAME,),
    personal=True,
    measure=measure,
    about="What tells faces apart, where grouping of people is switched on.",
)
