"""A decoded original as probes see it: several sizes, each made once, on demand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.domain import Capture, Measure
from safelight.media.frame import Bytes, Pixels

Found = TypeVar("Found")

WORK_SIDE = 1600  # px, long side of the size at which most probes look
SMALL_SIDE = 400  # px
NEARLY_ONE = 1.04  # px, side of a cell up to which one linear sample weighs pixels as its area does
NEARLY_TWO = 1.7  # px, side of a cell from which on linear samples average as the area does


@dataclass(kw_only=True)
class Picture:
    """An upright picture in sRGB bytes with its capture facts and what earlier probes found.

    `rgb` is H x W x 3 uint8, sRGB-encoded, at native resolution (for a raw: its embedded preview). `facts` holds the
    measures of probes that ran before on this picture, by name. `weights` maps a manifest's name to its files; a name
    that is missing there is not installed. All derived arrays are read-only by convention.
    """

    rgb: Bytes
    capture: Capture = field(default_factory=Capture)
    facts: Mapping[str, Measure] = field(default_factory=dict)
    weights: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)
    is_preview: bool = False  # a raw's embedded preview stands in for the raw
    source: Path | None = None  # the original, for the few probes that need more than the picture
    found: dict[str, Any] = field(default_factory=dict, repr=False)  # what `once` keeps

    @property
    def height(self) -> int:
        """Rows of the native picture."""
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        """Columns of the native picture."""
        return int(self.rgb.shape[1])

    @cached_property
    def work(self) -> Bytes:
        """SRGB bytes with a long side of at most 1600 px, by area averaging."""
        return shrink(self.rgb, WORK_SIDE)

    @cached_property
    def small(self) -> Bytes:
        """SRGB bytes with a long side of at most 400 px."""
        return shrink(self.work, SMALL_SIDE)

    @cached_property
    def grey(self) -> Bytes:
        """Rec.601 luma of `work`, one byte a pixel, sRGB-encoded."""
        return grey(self.work)

    @cached_property
    def luma(self) -> Pixels:
        """`grey` as float32 0..1."""
        return self.grey.astype(np.float32) / np.float32(255)

    @cached_property
    def linear_small(self) -> Pixels:
        """`small` in linear light, float32 0..1."""
        return np.asarray(cv2.LUT(self.small, TO_LINEAR), np.float32)

    @property
    def work_scale(self) -> float:
        """Length of a `work` pixel in native pixels, at least 1."""
        return float(self.width / self.work.shape[1])

    def once(self, name: str, look: Callable[["Picture"], Found]) -> Found:
        """What `look` finds in this picture; several probes ask for it, under one name, and it is looked once."""
        if name not in self.found:
            self.found[name] = look(self)
        found: Found = self.found[name]
        return found

    def value(self, name: str, default: object = None) -> object:
        """The value of an earlier measure, or `default` where there is none."""
        found = self.facts.get(name)
        return default if found is None or found.value is None else found.value


def shrink(pixels: Bytes, long_side: int) -> Bytes:
    """The picture (H x W x 3, or one plane) reduced, never enlarged, to `long_side` px by area averaging.

    Halving is an order of magnitude faster than any other area average, so a large picture is halved as long as that
    leaves enough; an odd last row or column is left out. Where cells of nearly two pixels remain, four linear samples
    a quarter of a cell from its middle weigh pixels as the area does, to within 0.035; they are taken by halving a
    linear enlargement. Cells of hardly more than one pixel weigh as a single linear sample does, to within 0.04.
    """
    while max(pixels.shape) >= 2 * long_side and min(pixels.shape[:2]) >= 2:
        pixels = halved(pixels)
    height, width = pixels.shape[:2]
    scale = long_side / max(height, width)
    if scale >= 1:
        return pixels
    columns, rows = max(1, round(width * scale)), max(1, round(height * scale))
    if scale * NEARLY_TWO > 1 or min(height, width) < 2:
        how = cv2.INTER_LINEAR if scale * NEARLY_ONE > 1 else cv2.INTER_AREA
        return np.asarray(cv2.resize(pixels, (columns, rows), interpolation=how), np.uint8)
    return halved(np.asarray(cv2.resize(pixels, (2 * columns, 2 * rows), interpolation=cv2.INTER_LINEAR), np.uint8))


def halved(pixels: Bytes) -> Bytes:
    """The means of 2 x 2 pixels; an odd last row or column is left out."""
    height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
    even = pixels[: 2 * height, : 2 * width]
    return np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def planes(rgb: Bytes, *, step: int = 1) -> tuple[Bytes, Bytes, Bytes]:
    """Red, green and blue of every `step`-th pixel and row, each on its own."""
    red, green, blue = (np.ascontiguousarray(rgb[::step, ::step, channel]) for channel in range(3))
    return red, green, blue


def grey(rgb: Bytes) -> Bytes:
    """Rec.601 luma of sRGB bytes, as uint8."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)


def _linear_table() -> NDArray[np.float32]:
    x = np.arange(256) / 255
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4).astype(np.float32)


TO_LINEAR = _linear_table()  # linear light of an sRGB byte, IEC 61966-2-1
