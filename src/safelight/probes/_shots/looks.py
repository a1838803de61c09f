"""What each frame of a clip says about its shot, in the pass that looks for joins: light, detail, the camera's move;
and the frames that a shot may be shown by, put aside as they come because nobody knows yet where shots end.
"""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import simplejpeg

from safelight.files import nameless
from safelight.media.frame import Bytes
from safelight.media.video import Packed, Still
from safelight.probes._shots.frames import Thumb
from safelight.probes._shots.motion import Camera, Move

NAMES = ("across", "down", "grow", "turn", "known", "median", "light", "white", "black", "detail", "mean")
SAMPLES = 20_000  # pixels of stored luma from which light is read
NEAR = 4  # code values: what was clipped comes so near to white and black out of an encoder
BAR = 24  # code values: rows and columns that never rise above are bars beside the picture
TILE, TILES = 64, (4, 3)  # px, and how many of them: native pixels from which detail is read
EVERY_S = 1.0  # seconds for which one frame is put aside, …
MOST = 1200  # … longer where a clip would give more frames than this
SHORTEST = 3  # frames for which one is put aside at least
JUMP, ABOVE = 10.0, 1.5  # code values of mean difference, times that of the frame before: a new shot, perhaps
LARGE = 1280  # px, long side of frames put aside
QUALITY, SUBSAMPLING = 92, {"RGB": "420", "GRAY": "444"}
TOGETHER, HELD = 16, 16e6  # frames that wait at most, and their pixels
SWIFT = 0.01  # widths a frame: a camera that moves so fast halves what a frame is worth
DARK = 0.02  # of the range: the median of a frame that shows nothing

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """A frame that was put aside: its number, what it is worth, where its JPEG lies in the file, how that is coded, and
    what makes the frame of it."""

    frame: int
    worth: float
    place: int
    size: int
    colours: str
    opened: Callable[[Bytes], Bytes]


class _Waiting(NamedTuple):
    """A frame until the camera is followed to it."""

    thumb: Thumb
    light: tuple[float, float, float, float]
    detail: float
    damaged: bool
    pack: Callable[[int], Packed] | None


@dataclass(slots=True)
class Looking:
    """Reads frames one after another, and follows the camera some frames at a time: between two frames of a decoder
    what that needs has left the processor's caches. `full_range`: whether luma uses all code values. Frames put aside
    wait in an unnamed file in `room`, in memory where there is none."""

    rate: float
    full_range: bool
    aspect: float
    count: int
    room: Path | None = None
    rows: "array[float]" = field(default_factory=lambda: array("f"))  # `NAMES` of each frame: hours stay small
    aside: list[Aside] = field(default_factory=list)
    camera: Camera = field(init=False)
    file: IO[bytes] = field(init=False)
    best: tuple[int, float, Callable[[int], Packed]] | None = None
    waiting: list[_Waiting] = field(default_factory=list)
    began: int = 0
    last: Thumb | None = None
    apart: float = 0.0

    def __post_init__(self) -> None:
        self.camera = Camera(self.aspect)
        self.file = nameless(self.room)

    @property
    def seen(self) -> int:
        """How many frames were followed."""
        return len(self.rows) // len(NAMES)

    def see(self, still: Still, thumb: Thumb) -> None:
        """One more frame, with its planes."""
        assert still.planes is not None
        luma = still.planes[0]
        light, detail = _light(luma, thumb, full_range=self.full_range), _detail(luma)
        self.waiting.append(_Waiting(thumb, light, detail, still.damaged, still.pack))
        if len(self.waiting) >= min(TOGETHER, HELD / luma.size):
            self._follow()

    def _follow(self) -> None:
        waiting, self.waiting = self.waiting, []
        for one in waiting:
            move = self.camera.see(one.thumb.grey)
            self.rows.extend((
                move.across, move.down, move.grow, move.turn, float(move.known), *one.light, one.detail,
                cv2.norm(one.thumb.grey, cv2.NORM_L1) / one.thumb.grey.size,
            ))  # fmt: skip
            self._consider(one, _worth(one.detail, move, one.light[0], damaged=one.damaged))

    def _consider(self, one: _Waiting, worth: float) -> None:
        index, thumb = self.seen - 1, one.thumb
        long = max(self.rate * EVERY_S, self.count / MOST)
        apart = _apart(thumb, self.last) if self.last is not None else 0.0
        jump = apart > max(JUMP, ABOVE * self.apart)
        self.last, self.apart = thumb, apart
        if index - self.began >= long or (jump and index - self.began >= SHORTEST):
            self._put_aside()
            self.began = index
        if one.pack is not None and (self.best is None or worth > self.best[1]):
            self.best = index, worth, one.pack

    def _put_aside(self) -> None:
        if self.best is None:
            return
        frame, worth, pack = self.best
        packed = pack(LARGE)
        pixels, colours = (packed.pixels, "RGB") if packed.pixels.ndim == 3 else (packed.pixels[..., None], "GRAY")
        data = simplejpeg.encode_jpeg(
            pixels, quality=QUALITY, colorspace=colours, colorsubsampling=SUBSAMPLING[colours]
        )
        self.aside.append(
            Aside(
                frame=frame, worth=worth, place=self.file.tell(), size=len(data), colours=colours, opened=packed.opened
            )
        )
        self.file.write(data)
        self.best = None

    def done(self) -> None:
        """No more frames."""
        self._follow()
        self._put_aside()

    def picture(self, aside: Aside) -> Bytes:
        """A frame that was put aside, H×W×3."""
        self.file.seek(aside.place)
        pixels = np.asarray(simplejpeg.decode_jpeg(self.file.read(aside.size), colorspace=aside.colours), np.uint8)
        return aside.opened(pixels if aside.colours == "RGB" else pixels[..., 0])

    def close(self) -> None:
        """Gives the file back."""
        self.file.close()

    def columns(self) -> "Columns":
        """What was read of all frames."""
        return Columns(np.asarray(self.rows, np.float64).reshape(-1, len(NAMES)))


@dataclass(frozen=True, slots=True)
class Columns:
    """One row a frame, by `NAMES`."""

    values: Floats

    def __getitem__(self, name: str) -> Floats:
        return self.values[:, NAMES.index(name)]

    def of(self, first: int, end: int) -> "Columns":
        """Frames [first, end)."""
        return Columns(self.values[first:end])

    def __len__(self) -> int:
        return len(self.values)


def _apart(one: Thumb, other: Thumb) -> float:
    """Mean difference, code values."""
    return cv2.norm(one.grey, other.grey, cv2.NORM_L1) / one.grey.size


def _light(luma: Bytes, thumb: Thumb, *, full_range: bool) -> tuple[float, float, float, float]:
    """Median and 98th percentile of the luma as shares of its range, and the shares of the picture at white or beyond
    and at black; bars beside the picture do not count."""
    top, bottom, left, right = _inside(thumb, luma.shape)
    inside = luma[top:bottom, left:right]
    step = max(1, int(np.sqrt(inside.size / SAMPLES)))
    thin = np.ascontiguousarray(inside[::step, ::step])
    counts = cv2.calcHist([thin], [0], None, [256], [0, 256]).ravel()
    below, total = np.cumsum(counts, dtype=np.float64), max(thin.size, 1)
    low, high = (0, 255) if full_range else (16, 235)
    median, light = (
        min(max((float(place) - low) / (high - low), 0.0), 1.0)
        for place in np.searchsorted(below, (total * 0.5, total * 0.98))
    )
    return median, light, 1 - float(below[high - NEAR - 1]) / total, float(below[low + NEAR]) / total


def _inside(thumb: Thumb, shape: Sequence[int]) -> tuple[int, int, int, int]:
    found = []
    for axis, side in ((1, shape[0]), (0, shape[1])):
        lit = np.flatnonzero(thumb.grey.max(axis=axis) > BAR)
        many = thumb.grey.shape[1 - axis]
        first, last = (int(lit[0]), int(lit[-1]) + 1) if len(lit) else (0, many)
        found += [-(-first * side // many), max(last * side // many, 1)]
    return found[0], found[1], found[2], found[3]


def _detail(luma: Bytes) -> float:
    """Mean square of the Laplacian over tiles of native pixels: frames of one shot compare by it."""
    height, width = luma.shape
    if height < 2 * TILE or width < 2 * TILE:
        tiles: Any = luma
    else:
        tops, lefts = _places(height, TILES[1]), _places(width, TILES[0])
        tiles = cv2.hconcat([luma[y : y + TILE, x : x + TILE] for y in tops for x in lefts])
    found = cv2.Laplacian(tiles, cv2.CV_16S)
    return float(cv2.norm(found, cv2.NORM_L2SQR) / found.size)


@cache
def _places(side: int, count: int) -> list[int]:
    """Where tiles begin along a side, px."""
    return [int(share * (side - TILE)) for share in np.linspace(0.15, 0.85, count)]


def _worth(detail: float, move: Move, median: float, *, damaged: bool) -> float:
    """How well a frame shows its shot, against others of it."""
    if damaged:
        return 0.0
    speed = float(np.hypot(move.across, move.down)) if move.known else SWIFT
    return (detail + 1e-3) / (1 + (speed / SWIFT)) * (1.0 if median > DARK else 0.1)
