"""Which parts of a picture flash: changes of relative luminance from one extreme to the next, tile by tile, saturated
red apart (WCAG 2.3.1, BT.1702)."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight.media.frame import Bytes

CHUNK = 64  # frames that are judged together
FLASH, DARKER = 0.1, 0.8  # of relative luminance: least change; the darker state lies below
RED_SHARE, RED_STEP = 0.8, 20.0  # saturated red, and least change of (R − G − B) · 320
SRGB = np.arange(256) / 255
LINEAR = np.where(SRGB <= 0.04045, SRGB / 12.92, ((SRGB + 0.055) / 1.055) ** 2.4).astype(np.float32)
OF_LINEAR = np.array([(0.2126, 320, 1), (0.7152, -320, 1), (0.0722, -320, 1)], np.float32)  # luminance, red, sum


@dataclass(slots=True)
class Flashes:
    """Reads tiles of frames one after another; `shares` gives a row a frame."""

    low: Any = None  # of each tile since its last extreme, as the three below
    high: Any = None
    red_low: Any = None
    red_high: Any = None
    waiting: list[Bytes] = field(default_factory=list)
    done: list[NDArray[np.float32]] = field(default_factory=list)

    def see(self, tiles: Bytes) -> None:
        """One more frame: mean red, green and blue of its tiles, H×W×3."""
        self.waiting.append(tiles)
        if len(self.waiting) == CHUNK:
            self._judge()

    def shares(self) -> NDArray[np.float64]:
        """Of each frame, the shares of the picture that turned lighter, turned darker, turned to or from red since
        their last extreme."""
        if self.waiting:
            self._judge()
        return np.concatenate([np.zeros((0, 3), np.float32), *self.done]).astype(float)

    def _judge(self) -> None:
        linear = LINEAR[np.array(self.waiting)].reshape(len(self.waiting), -1, 3)
        self.waiting = []
        light, red, total = np.moveaxis(linear @ OF_LINEAR, -1, 0)
        pure = (linear[..., 0] >= RED_SHARE * np.maximum(total, 1e-3)) & (linear[..., 0] > 0.05)
        red = np.maximum(red, 0) * pure
        if self.low is None:
            self.low, self.high, self.red_low, self.red_high = light[0], light[0], red[0], red[0]
        found = np.zeros((len(light), 3), np.float32)
        lows = [np.minimum(a, b.min(0)) for a, b in ((self.low, light), (self.red_low, red))]
        highs = [np.maximum(a, b.max(0)) for a, b in ((self.high, light), (self.red_high, red))]
        if (highs[0] - lows[0] < FLASH).all() and (highs[1] - lows[1] <= RED_STEP).all():  # nothing can have turned
            (self.low, self.red_low), (self.high, self.red_high) = lows, highs
        else:
            for n in range(len(light)):
                found[n] = [np.count_nonzero(turned) / turned.size for turned in self._turned(light[n], red[n])]
        self.done.append(found)

    def _turned(self, light: Any, red: Any) -> tuple[Any, Any, Any]:
        """Which tiles turn lighter, darker, to or from red."""
        up = (light - self.low >= FLASH) & (self.low < DARKER)
        down = (self.high - light >= FLASH) & (light < DARKER)
        self.low = np.where(up | (light < self.low), light, self.low)
        self.high = np.where(down | (light > self.high), light, self.high)
        self.low, self.high = np.where(down, light, self.low), np.where(up, light, self.high)
        turned = (red - self.red_low > RED_STEP) | (self.red_high - red > RED_STEP)
        self.red_low = np.where(turned, red, np.minimum(self.red_low, red))
        self.red_high = np.where(turned, red, np.maximum(self.red_high, red))
        return up, down, turned
