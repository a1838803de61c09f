"""How detectors put an answer: heat maps, boxes, calibrated chances."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.detectors._finding import HEAT_SIDE, Box, Finding
from safelight.detectors._pair import Pair
from safelight.detectors._planes import Plane
from safelight.detectors.calibration import chance

PLAIN = "the picture is too plain to see what was changed in it"
HOT = 0.5  # of the hottest: what the box encloses


def cannot(name: str, because: str) -> Finding:
    """No answer, and why."""
    return Finding(name=name, cannot_tell=because)


def said(
    pair: Pair, name: str, score: float, text: str, *, heat: NDArray[Any] | None = None, alone: bool = False
) -> Finding:
    """An answer. `heat` is any non-negative plane over the whole after, of any size; it is scaled to 0..1 by its own
    top, and the box encloses its hottest connected part. `alone` says that no before was looked at: such scores have
    chances of their own."""
    score = float(score)
    likely = chance(name, score, alone=alone)
    if heat is None or not np.isfinite(heat).all() or float(heat.max(initial=0.0)) <= 0:
        return Finding(name=name, score=score, probability=likely, text=text)
    small = _small(np.asarray(heat, np.float32), pair)
    return Finding(name=name, score=score, probability=likely, text=text, heat=small, where=_box(small, pair))


def _small(heat: Plane, pair: Pair) -> Plane:
    height, width = pair.after.shape[:2]
    zoom = min(1.0, HEAT_SIDE / max(height, width))
    size = max(1, round(width * zoom)), max(1, round(height * zoom))
    small = np.asarray(cv2.resize(heat, size, interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray(np.clip(small / max(float(small.max()), 1e-12), 0, 1), np.float32)


def _box(heat: Plane, pair: Pair) -> Box:
    count, labels, stats, _ = cv2.connectedComponentsWithStats((heat >= HOT).astype(np.uint8))
    mass = np.bincount(labels.ravel(), weights=heat.ravel(), minlength=count)
    mass[0] = -1
    x, y, w, h = (int(v) for v in stats[int(mass.argmax())][:4])
    across, down = pair.after.shape[1] / heat.shape[1], pair.after.shape[0] / heat.shape[0]
    x0, y0 = int(x * across), int(y * down)
    x1, y1 = (
        min(pair.after.shape[1], int(np.ceil((x + w) * across))),
        min(pair.after.shape[0], int(np.ceil((y + h) * down))),
    )
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)
