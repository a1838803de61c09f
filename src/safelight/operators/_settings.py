"""What a camera's settings say about a scene's exposure: frames in one light need what their settings left out.

A frame's own estimate of its error, added to the light that its settings let in, is the same number for all frames of
one light but for the estimates' own errors. Where those numbers agree, each estimate is drawn towards what all of them
say, as far as its doubt and their scatter ask for (empirical Bayes); where they do not, the light was not one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from safelight.operators import Subject

FEWEST = 4  # frames of one body
LEAST_SCATTER, MOST_SCATTER = 0.4, 0.7  # EV: less is not believed, and beyond it was not one light


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A frame's correction as it and the scene together say, EV; `count` frames spoke."""

    ev: float
    spread: float
    count: int


def let_in(subject: Subject) -> float | None:
    """Log2 of the light that shutter, aperture and ISO let in; None where one is unknown or a flash fired."""
    capture = subject.asset.capture
    if not (capture.seconds and capture.f_number and capture.iso) or capture.flash:
        return None
    return math.log2(capture.seconds * capture.iso / 100 / capture.f_number**2)


def shared(subjects: Sequence[Subject]) -> dict[str, Shared]:
    """By asset, for frames of a scene whose settings are known; nothing where they do not agree about the light."""
    found: dict[str, Shared] = {}
    for body in sorted({s.asset.capture.body or "" for s in subjects}):
        known = [
            (s.asset.id, ev, spread, light)
            for s in subjects
            if (s.asset.capture.body or "") == body
            and (ev := s.number("exposure.ev")) is not None
            and (spread := s.number("exposure.ev.spread")) is not None
            and (light := let_in(s)) is not None
        ]
        if len(known) < FEWEST:
            continue
        evs, spreads, lights = (np.array([row[k] for row in known], np.float64) for k in (1, 2, 3))
        middle = float(np.median(evs + lights))
        scatter = 1.4826 * float(np.median(np.abs(evs + lights - middle)))
        if scatter > MOST_SCATTER:
            continue
        own, scene = 1 / np.maximum(spreads, 0.05) ** 2, 1 / max(scatter, LEAST_SCATTER) ** 2
        together = (evs * own + (middle - lights) * scene) / (own + scene)
        doubt = np.sqrt(1 / (own + scene))
        for (asset, *_), ev, spread in zip(known, together, doubt, strict=True):
            found[asset] = Shared(ev=float(ev), spread=float(spread), count=len(known))
    return found
