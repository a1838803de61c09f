"""How the camera moved from frame to frame of a shot: a similarity that most of what is seen follows.

Corners are followed by pyramids of optical flow (Lucas and Kanade) forth and back; a robust affine fit (RANSAC, then
least squares on what agrees) gives a shift, a turn and a scale about the middle of the picture. What is left of it,
shear and stretch, tells a picture that bends: a rolling shutter, or things near and far.
"""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from safelight.media import container, video
from safelight.media.container import Contents, PictureStream
from safelight.media.frame import Bytes
from safelight.probes import shots
from safelight.probes.shots import Into, Join, Thumb

SIDE = 640  # px, long side of the frames in which corners are followed
POINTS, APART, CORNER = 300, 10, 0.01  # at most, px between them, and least quality beside that of the best
GRID = (4, 3)  # fields of the picture, each of which gives its own corners: one bright sign is not the place
WINDOW, LEVELS = 21, 4  # px and halvings of the flow
THERE_AND_BACK = 0.5  # px by which a point may miss itself
AGREES = 1.0  # px off the common move, in frames of that size
FEWEST, FIELDS = 20, 5  # points that agree, and fields they lie in, below which a move is not known
STANDS, STANDING = 0.2, 0.4  # px, and share of points that stay within: where others move, things do, not the camera
NAMES = ("across", "down", "grow", "turn", "shear", "stretch", "agree", "known")

Floats = npt.NDArray[np.float64]
Points = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What was seen of a clip. `steps` N×4: across and down in widths of the picture as it is coded, logarithm of the
    scale, and turn in radians, from the frame before to each frame; `bends` N×2: shear and stretch beyond that;
    `agree`, the share of points that follow; `known`, whether a move could be told. `height` is in widths too."""

    picture: PictureStream
    rate: float
    height: float
    steps: Floats
    bends: Floats
    agree: Floats
    known: npt.NDArray[np.bool_]
    joins: tuple[Join, ...]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def path(self) -> Floats:
        """Steps added up; where a move is not known it goes on as around there."""
        return self._summed(self.steps)

    @property
    def bending(self) -> Floats:
        """Bends added up, likewise."""
        return self._summed(self.bends)

    def part(self, first: int, end: int) -> "Track":
        """What was seen of the frames [first, end), which hold no join."""
        rows = {name: getattr(self, name)[first:end] for name in ("steps", "bends", "agree", "known")}
        return replace(self, joins=(), **rows)

    def _summed(self, values: Floats) -> Floats:
        at = np.arange(len(values))
        return np.stack([np.interp(at, at[self.known], c[self.known]) for c in values.T], axis=1).cumsum(axis=0)


def track(path: Path, *, facts: Contents | None = None, tell: Callable[[int], None] = lambda _: None) -> Track:
    """Reads a clip once, small; nothing of it is held but a few numbers a frame. `tell` is told how many frames were
    read. Raises MediaError where there is no picture."""
    facts = facts or container.contents(path)
    trouble = video.Trouble(sizes=set())
    camera = _Camera()
    times = [Fraction(0), Fraction(0)]

    def seen() -> Iterator[Thumb]:
        for number, frame in enumerate(video.planes(path, facts=facts, trouble=trouble), start=1):
            camera.see(small(frame.luma, facts.picture))
            times[1] = frame.at
            tell(number)
            yield shots.thumb(frame.luma, frame.cb, frame.cr)

    picture = facts.picture
    joins = shots.find(seen(), picture.rate if picture else None)
    assert picture is not None  # or reading it had been refused
    rows = np.frombuffer(camera.rows, np.float32).reshape(-1, len(NAMES)).astype(float)
    span = float(times[1] - times[0])
    width, height = _square(picture)
    return Track(
        picture=picture, rate=(len(rows) - 1) / span if span > 0 else float(picture.rate or 25),
        height=float(height / width), steps=rows[:, :4], bends=rows[:, 4:6], agree=rows[:, 6], known=rows[:, 7] > 0,
        joins=tuple(j for j in joins if j.into is not Into.START), notes=tuple(trouble.notes()),
    )  # fmt: skip


def _square(picture: PictureStream) -> tuple[Fraction, Fraction]:
    """Width and height of a frame as it is coded, if its pixels were square."""
    wide, high = picture.width * picture.aspect, Fraction(picture.height)
    return (high, wide) if picture.rotation % 180 else (wide, high)


def small(luma: Bytes, picture: PictureStream | None) -> Bytes:
    """A frame in square pixels, of the size in which corners are followed."""
    assert picture is not None
    width, height = _square(picture)
    scale = min(Fraction(1), SIDE / max(width, height))
    size = max(round(width * scale), 16), max(round(height * scale), 16)
    return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)


@dataclass(slots=True)
class _Camera:
    """Reads small frames one after another."""

    rows: "array[float]" = field(default_factory=lambda: array("f"))  # `NAMES` of each frame
    last: Bytes | None = None

    def see(self, grey: Bytes) -> None:
        before, self.last = self.last, grey
        self.rows.extend((0, 0, 0, 0, 0, 0, 1, 1) if before is None else between(before, grey))


def between(before: Bytes, now: Bytes) -> tuple[float, ...]:
    """`NAMES` of the move from one small frame to another."""
    unknown = (0.0,) * len(NAMES)
    here = _corners(before)
    if len(here) < FEWEST:
        return unknown
    here, there = _followed(before, now, here)
    if len(here) < FEWEST:
        return unknown
    height, width = before.shape
    middle = np.array([(width - 1) / 2, (height - 1) / 2], np.float32)
    here, there = here - middle, there - middle
    _, agreeing = cv2.estimateAffine2D(
        here,
        there,
        method=cv2.RANSAC,
        ransacReprojThreshold=AGREES * max(before.shape) / SIDE,
        maxIters=500,
        confidence=0.995,
    )
    inside = np.asarray(agreeing, bool).ravel() if agreeing is not None else np.zeros(len(here), bool)
    stands = np.hypot(*(there - here).T) < STANDS
    if stands.mean() >= STANDING and inside[stands].mean() < 0.5:
        return (0.0,) * 6 + (float(stands.mean()), 1.0)
    if inside.sum() < FEWEST or len(np.unique(_fields(here[inside] + middle, before.shape))) < FIELDS:
        return unknown
    return (*_fit(here[inside] / width, there[inside] / width), float(inside.mean()), 1.0)


def _corners(grey: Bytes) -> Points:
    """Corners of each field of the picture."""
    height, width = grey.shape
    found = []
    most = POINTS // (GRID[0] * GRID[1])
    for row in range(GRID[1]):
        for column in range(GRID[0]):
            left, right = column * width // GRID[0], (column + 1) * width // GRID[0]
            top, bottom = row * height // GRID[1], (row + 1) * height // GRID[1]
            corners = cv2.goodFeaturesToTrack(grey[top:bottom, left:right], most, CORNER, APART)
            if corners is not None:
                found.append(corners.reshape(-1, 2) + np.array([left, top], np.float32))
    return np.concatenate(found).astype(np.float32) if found else np.empty((0, 2), np.float32)


def _fields(points: Points, shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    column = np.clip(points[:, 0] * GRID[0] // shape[1], 0, GRID[0] - 1)
    row = np.clip(points[:, 1] * GRID[1] // shape[0], 0, GRID[1] - 1)
    return np.asarray(row * GRID[0] + column, np.int64)


def _followed(before: Bytes, now: Bytes, here: Points) -> tuple[Points, Points]:
    """Points that come back to where they were."""
    flow = partial(cv2.calcOpticalFlowPyrLK, winSize=(WINDOW, WINDOW), maxLevel=LEVELS)
    there, met, _ = flow(before, now, here, np.empty_like(here))
    back, met_back, _ = flow(now, before, there, np.empty_like(here))
    kept = (met.ravel() > 0) & (met_back.ravel() > 0) & (np.abs(back - here).max(axis=1) < THERE_AND_BACK)
    return here[kept], there[kept]


def _fit(here: Points, there: Points) -> tuple[float, ...]:
    """The affine move by least squares: the similarity in it, and the shear and stretch beyond that."""
    x, y = here.T.astype(float)
    ones = np.ones_like(x)
    (right, across), (down, lower) = (
        (found[:2], found[2])
        for found in np.linalg.lstsq(np.column_stack((x, y, ones)), there.astype(float), rcond=None)[0].T
    )
    shear, stretch = (right[1] + down[0]) / 2, (right[0] - down[1]) / 2
    grown, turned = (right[0] + down[1]) / 2, (down[0] - right[1]) / 2
    return across, lower, float(np.log(np.hypot(grown, turned))), float(np.arctan2(turned, grown)), shear, stretch
