"""How the tones of a picture are spread, and how much of it is lost at either end."""

from typing import Any

import cv2
import numpy as np

from safelight.media.frame import Bytes

BINS = 128
DARKEST, BRIGHTEST = 0, 255  # a channel there has lost what lay beyond
ENOUGH = 400_000  # pixels tell how tones are spread
CHANNELS = ("red", "green", "blue")


def of(rgb: Bytes) -> dict[str, Any]:
    """Shares of the pixels in 128 bins by channel, and what is clipped: where any channel is at its end (`any`), where
    all three are (`all`), and by channel; shares of the picture. sRGB bytes, H x W x 3; of a large picture every
    second or third pixel and row is counted."""
    rgb = _thinned(rgb)
    counts = [cv2.calcHist([rgb], [channel], None, [256], [0, 256]).ravel() for channel in range(3)]
    total = float(rgb.shape[0] * rgb.shape[1])
    binned = {name: (each.reshape(BINS, -1).sum(1) / total) for name, each in zip(CHANNELS, counts, strict=True)}
    low, high = (_ends(rgb, end) for end in (DARKEST, BRIGHTEST))
    return {
        "bins": {name: [round(float(v), 6) for v in values] for name, values in binned.items()},
        "low": low
        | {name: round(float(each[DARKEST]) / total, 6) for name, each in zip(CHANNELS, counts, strict=True)},
        "high": high
        | {name: round(float(each[BRIGHTEST]) / total, 6) for name, each in zip(CHANNELS, counts, strict=True)},
    }


def clipped(rgb: Bytes) -> tuple[Bytes, Bytes]:
    """Where a channel is at black and where one is at white, H x W each, 0 or 255."""
    return _any(rgb, DARKEST), _any(rgb, BRIGHTEST)


def marked(rgb: Bytes) -> Bytes:
    """The picture in dim grey with what is clipped in its own colours: pure ones at white, their opposites at black,
    so that the channel is seen."""
    dim = cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB) // 3 + 40
    low, high = (rgb == DARKEST, rgb == BRIGHTEST)
    out = np.where(high.any(-1, keepdims=True), np.where(high, 255, 0), dim)
    return np.where(low.any(-1, keepdims=True), np.where(low, 0, 200), out).astype(np.uint8)


def _any(rgb: Bytes, end: int) -> Bytes:
    at_end = rgb == end
    found = at_end[..., 0] | at_end[..., 1] | at_end[..., 2]
    return np.asarray(found * np.uint8(255), np.uint8)


def _thinned(rgb: Bytes) -> Bytes:
    step = max(1, int((rgb.shape[0] * rgb.shape[1] / ENOUGH) ** 0.5))
    return np.ascontiguousarray(rgb[::step, ::step])


def _ends(rgb: Bytes, end: int) -> dict[str, float]:
    everywhere = cv2.inRange(rgb, (end, end, end), (end, end, end))
    total = rgb.shape[0] * rgb.shape[1]
    return {
        "any": round(cv2.countNonZero(_any(rgb, end)) / total, 6),
        "all": round(cv2.countNonZero(everywhere) / total, 6),
    }
