"""Where shots of a clip join: cuts, dissolves, fades. One pass over small frames, two seconds of them in memory.

A cut is a jump of the histograms of colour or level (Bhattacharyya, median of four quarters) above what is usual
around it, confirmed where the frame before, moved along its optical flow (DIS; Kroeger et al., 2016), does not resemble
the one after. Resemblance is correlation without mean, so light that jumps is no cut; and what looks again as before
within some frames was a flash. A dissolve is a frame that is a mixture of frames before and after, which themselves
differ, while the part of the later one grows. A fade is a stretch of black or white between two shots.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.frame import Bytes
from safelight.media.video import Still

WIDTH, HEIGHT = 128, 72
JUMP, USUAL, FLOOR = 0.16, 2.2, 0.03  # least distance; how many times what is usual around, and a little
AROUND = 8  # frames to either side that say what is usual
ALIKE, BIG, ALIKE_BIG = 0.7, 0.5, 0.85  # correlation after flow of one shot; what it must be after a big jump
FLASH = 3  # frames after which a flash is over
REACHES = (6, 12, 24)  # frames to either side of a dissolve's middle
MIXED, BOTH, WHOLE, DIFFERENT = 0.9, 0.25, 0.2, 0.6  # explained share, least part of each, how near their sum is to 1,
# highest resemblance of the ends
EVEN = 4.0  # standard deviation of a frame of one level
RING = 2 * max(REACHES) + 8
SHORTEST = 3  # frames between joins


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """A change of shot: the new one is seen alone from `frame` on; a gradual one begins at `start`. `score` runs from
    0 to 1 and is no probability: it has not been calibrated."""

    kind: str  # "cut", "dissolve", "fade"
    start: int
    frame: int
    score: float


@dataclass(slots=True)
class _Small:
    index: int
    grey: Bytes
    histograms: NDArray[np.float32]


def joins(stills: Iterable[Still]) -> list[Join]:
    """All joins of frames that follow each other, in order."""
    return sorted(_settled(list(Finder().find(stills))), key=lambda j: j.frame)


class Finder:
    """Reads frames one after another."""

    def __init__(self) -> None:
        self.ring: deque[_Small] = deque(maxlen=RING)
        self.distances: deque[tuple[int, float]] = deque(maxlen=2 * AROUND + 1)
        self.flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self.even: int | None = None  # where a stretch of one level began

    def find(self, stills: Iterable[Still]) -> Iterator[Join]:
        """Joins as they become certain, some frames late."""
        last = None
        for still in stills:
            small = _shrunk(still)
            distance = _distance(last.histograms, small.histograms) if last else 0.0
            self.ring.append(small)
            self.distances.append((small.index, distance))
            yield from self._cut(len(self.distances) - 1 - AROUND)
            yield from self._gradual()
            yield from self._fade(small)
            last = small
        for place in range(max(len(self.distances) - AROUND, 0), len(self.distances)):
            yield from self._cut(place)

    def _cut(self, place: int) -> Iterator[Join]:
        if place < 1:
            return
        index, distance = self.distances[place]
        if distance < JUMP:
            return
        near = [d for i, (_, d) in enumerate(self.distances) if i != place and abs(i - place) <= AROUND]
        beside = [d for i, (_, d) in enumerate(self.distances) if abs(i - place) == 1]
        if distance < max(beside, default=0.0) or distance < USUAL * float(np.median(near)) + FLOOR:
            return
        before, after = self._frame(index - 1), self._frame(index)
        limit = ALIKE if distance < BIG else ALIKE_BIG
        if before is None or after is None or (alike := self._alike(before, after)) >= limit:
            return
        later = self._frame(index + FLASH)
        if later is not None and self._alike(before, later) >= ALIKE:
            return
        yield Join(kind="cut", start=index, frame=index, score=round(float(np.clip(1 - alike, 0, 1)), 3))

    def _frame(self, index: int) -> Bytes | None:
        back = self.ring[-1].index - index
        return self.ring[-1 - back].grey if 0 <= back < len(self.ring) else None

    def _alike(self, one: Bytes, two: Bytes) -> float:
        """Correlation of one frame, moved along the flow, with the other."""
        moved = self.flow.calc(two, one, np.zeros((HEIGHT, WIDTH, 2), np.float32))
        ys, xs = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
        warped = cv2.remap(
            one, xs + moved[..., 0], ys + moved[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return max(_correlation(warped, two), _correlation(one, two))

    def _gradual(self) -> Iterator[Join]:
        """A mixture in the middle of the ring."""
        newest = self.ring[-1].index
        for reach in REACHES:
            middle = newest - reach
            if middle % 2:
                continue
            a, m, b = (self._frame(i) for i in (middle - reach, middle, newest))
            if a is None or m is None or b is None or _correlation(a, b) > DIFFERENT:
                continue
            share, parts = _mixture(a, m, b)
            if share < MIXED or min(parts) < BOTH or abs(sum(parts) - 1) > WHOLE or self._alike(a, b) > DIFFERENT:
                continue
            early, late = (self._frame(i) for i in (middle - reach // 2, middle + reach // 2))
            if early is None or late is None:
                continue
            if _mixture(a, early, b)[1][1] < parts[1] < _mixture(a, late, b)[1][1]:
                yield Join(kind="dissolve", start=middle - reach, frame=middle + reach, score=round(share, 3))

    def _fade(self, small: _Small) -> Iterator[Join]:
        even = float(small.grey.std()) < EVEN and (small.grey.mean() < 24 or small.grey.mean() > 232)
        if even:
            self.even = small.index if self.even is None else self.even
            return
        if self.even:
            yield Join(kind="fade", start=self.even, frame=small.index, score=1.0)
        self.even = None


def _shrunk(still: Still) -> _Small:
    rgb = cv2.resize(still.rgb, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
    found = []
    for ys in (slice(0, HEIGHT // 2), slice(HEIGHT // 2, HEIGHT)):
        for xs in (slice(0, WIDTH // 2), slice(WIDTH // 2, WIDTH)):
            colour = cv2.calcHist(
                [np.ascontiguousarray(hsv[ys, xs])], [0, 1, 2], None, [8, 4, 4], [0, 180, 0, 256, 0, 256]
            ).ravel()
            level = cv2.calcHist([np.ascontiguousarray(grey[ys, xs])], [0], None, [32], [0, 256]).ravel()
            found.append(np.concatenate([colour / colour.sum(), level / level.sum()]))
    return _Small(index=still.index, grey=grey, histograms=np.sqrt(np.array(found, np.float32)))


def _distance(one: NDArray[np.float32], two: NDArray[np.float32]) -> float:
    """The larger of the distances of colour and of level, each the median of the quarters."""
    product = one * two
    likeness = np.stack([product[:, :128].sum(1), product[:, 128:].sum(1)])
    return float(np.median(np.sqrt(np.maximum(1 - likeness, 0)), axis=1).max())


def _correlation(one: Any, two: Any) -> float:
    a, b = one.astype(np.float32) - one.mean(), two.astype(np.float32) - two.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 1 else 1.0


def _mixture(a: Bytes, m: Bytes, b: Bytes) -> tuple[float, tuple[float, float]]:
    """How much of a frame two others explain, and the part of each (least squares, without mean)."""
    first, middle, last = (
        cv2.GaussianBlur(f.astype(np.float32), (0, 0), 3) for f in (a, m, b)
    )  # what moves a little stays in place
    columns = np.stack([first.ravel(), last.ravel()], axis=1)
    columns -= columns.mean(0)
    wanted = middle.ravel() - middle.mean()
    total = float((wanted**2).sum())
    if total < 1:
        return 0.0, (0.0, 0.0)
    parts, *_ = np.linalg.lstsq(columns, wanted, rcond=None)
    left = float(((wanted - columns @ parts) ** 2).sum())
    return 1 - left / total, (float(parts[0]), float(parts[1]))


def _settled(found: list[Join]) -> list[Join]:
    """Joins that do not lie over each other: fades and cuts first, of dissolves one in a place, the surest."""
    fades = [j for j in found if j.kind == "fade"]
    cuts: list[Join] = []
    for cut in sorted((j for j in found if j.kind == "cut"), key=lambda j: (-j.score, j.frame)):
        apart = all(f.start - SHORTEST > cut.frame or cut.frame > f.frame + SHORTEST for f in fades)
        if apart and all(abs(cut.frame - other.frame) > SHORTEST for other in cuts):
            cuts.append(cut)
    kept: list[Join] = fades + cuts
    dissolves = sorted((j for j in found if j.kind == "dissolve"), key=lambda j: (-j.score, j.frame))
    for join in dissolves:
        if not any(join.start < other.frame + 1 and other.start - 1 < join.frame for other in kept):
            kept.append(join)
    return kept
