"""Along the border of a mask: inside and outside made comparable, ring by ring."""

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.detectors._planes import Plane


def distance(mask: Plane, level: float = 0.5) -> Plane:
    """Signed distance in px from the border of a mask, positive inside."""
    inside = (mask > level).astype(np.uint8)
    into = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    out = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    return np.asarray(np.where(inside > 0, into - 0.5, 0.5 - out), np.float32)


def nearest(values: Plane, known: NDArray[np.bool_]) -> Plane:
    """Each place's value, or that of the nearest place where it is known; values may have channels."""
    _, labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    shape = (int(labels.max()) + 1, *values.shape[2:])
    table = np.zeros(shape, np.float32)
    table[labels[known]] = values[known]
    return np.asarray(table[labels], np.float32)
