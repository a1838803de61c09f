"""What simple published measures say about a picture, for comparison on the same files."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import cv2
import numpy as np

from safelight.media.frame import Bytes

SIDE_OF_BRISQUE = 640  # px, long side of the copy: about 0.3 MP, because it takes 0.7 s/MP

IMMERKAER = np.array(((1, -2, 1), (-2, 4, -2), (1, -2, 1)), np.float32)


def simple(rgb: Bytes) -> Mapping[str, float]:
    """Variance of Laplacian, Tenengrad, mean luma, Immerkaer's noise sigma and the log-mean cast."""
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    gx, gy = cv2.Sobel(luma, cv2.CV_32F, 1, 0), cv2.Sobel(luma, cv2.CV_32F, 0, 1)
    return {
        "variance_of_laplacian": float(cv2.Laplacian(luma, cv2.CV_32F).var()),
        "tenengrad": float((gx * gx + gy * gy).mean()),
        "mean_luma": float(luma.mean()),
        "immerkaer": float(np.sqrt(np.pi / 2) / 6 * np.abs(cv2.filter2D(luma, -1, IMMERKAER)[1:-1, 1:-1]).mean()),
        "log_mean_cast": _log_mean_cast(rgb),
    }


def brisque(rgb: Bytes) -> float:
    """BRISQUE of a copy of about 0.3 MP; more is worse."""
    height, width = rgb.shape[:2]
    scale = min(1.0, SIDE_OF_BRISQUE / max(height, width))
    size = max(64, round(width * scale)), max(64, round(height * scale))
    return float(np.ravel(_brisque().score(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)))[0])


def _log_mean_cast(rgb: Bytes) -> float:
    """Length of the log ratios of the channels' geometric means to green's."""
    red, green, blue = np.log(np.maximum(rgb.reshape(-1, 3), 1).astype(np.float32)).mean(axis=0)
    return float(np.hypot(red - green, blue - green))


@cache
def _brisque() -> Any:
    from brisque import brisque as package

    scale = package.BRISQUE.scale_features

    def scale_numbers(self: Any, features: Any, *more: Any, **named: Any) -> Any:
        """Features as plain floats: numpy 2.4 does not turn arrays of one element into numbers any more."""
        return scale(self, [float(np.ravel(value)[0]) for value in features], *more, **named)

    package.BRISQUE.scale_features = scale_numbers
    return package.BRISQUE(url=False)
