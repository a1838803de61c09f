"""Hues: how much of six colours lies in what stands out and in what surrounds it, and how bright both are.

What a black-and-white conversion has to know: two things that only their colours keep apart turn into one grey. What
stands out is an ellipse about the sharpest structure near the middle; what surrounds it is the border of the frame.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.domain import Measure
from safelight.media.greys import HUES, hue_shares
from safelight.media.picture import TO_LINEAR, Picture, shrink
from safelight.probes import Probe
from safelight.probes.exposure import FEWEST, LUMINANCE, SIDE, places

Vector = NDArray[np.float64]

DARKEST = 2.0**-10  # of white: the colour of darker pixels is noise


def measure(picture: Picture) -> Sequence[Measure]:
    """`hues.subject` and `hues.ground` (share of six hues, by saturation), `hues.apart` (EV between the two)."""
    if picture.height * picture.width < FEWEST:
        reason = f"the picture has only {picture.height * picture.width} pixels"
        return [Measure(name=name, cannot_tell=reason) for name in probe.emits]
    small = shrink(picture.small, SIDE)
    light = np.asarray(TO_LINEAR[small], np.float64)
    shares = hue_shares(light)
    luminance = np.asarray(cv2.transform(light, LUMINANCE.astype(np.float64)), np.float64).reshape(small.shape[:2])
    log = np.log2(np.maximum(luminance, DARKEST))
    seen = luminance > DARKEST
    subject, ground = places(small)
    found = [_mean(shares, part & seen) for part in (subject, ground)]
    apart = float(np.mean(log[subject]) - np.mean(log[ground]))
    return (
        Measure(name="hues.subject", value=found[0], unit=", ".join(HUES)),
        Measure(name="hues.ground", value=found[1], unit=", ".join(HUES)),
        Measure(name="hues.apart", value=round(apart, 3), unit="EV"),
    )


def _mean(shares: Vector, where: NDArray[np.bool_]) -> list[float]:
    if not where.any():
        return [0.0] * len(HUES)
    return [round(float(share), 4) for share in shares[where].mean(axis=0)]


probe = Probe(
    name="hues",
    version=1,
    emits=("hues.subject", "hues.ground", "hues.apart"),
    measure=measure,
    about="Which colours what stands out has, which its surroundings, and how far apart their light is.",
)
