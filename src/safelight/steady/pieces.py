"""What is to be taken out of the pieces of a clip that play: each has a path of its own, which ends where it is cut.

Pieces of one shot share a zoom, so that the picture does not change its size from one to the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from safelight.media.effects import Steady
from safelight.media.runs import joined
from safelight.steady.plan import plan
from safelight.steady.track import Track

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Frames [first, end) of one shot that play; how much they shake, in widths; `why` they are left as they are."""

    first: int
    end: int
    shake: float | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calm:
    """For every frame of a clip the move to lay on it, N×4 as in `Track.steps`, and the zoom that keeps its edge out of
    sight. Frames that do not play, or are left as they are, do not move."""

    moves: Floats
    zooms: Floats
    spans: tuple[Span, ...]

    @property
    def steadied(self) -> tuple[Span, ...]:
        """Those that are moved."""
        return tuple(span for span in self.spans if span.why is None)

    @property
    def left(self) -> tuple[Span, ...]:
        """Those that are left as they are."""
        return tuple(span for span in self.spans if span.why is not None)

    @property
    def crop(self) -> float:
        """Share of the width that is cut off where most is."""
        return float(1 - 1 / self.zooms.max(initial=1.0))


def calm(seen: Track, played: Sequence[tuple[int, int]], asked: Steady) -> Calm:
    """How the frames [first, end) that play are moved."""
    moves, zooms, spans = np.zeros((len(seen), 4)), np.ones(len(seen)), list[Span]()
    starts, ends = [0, *(j.frame for j in seen.joins)], [*(j.start for j in seen.joins), len(seen)]
    for first, end in zip(starts, ends, strict=True):
        parts = [(max(a, first), min(b, end)) for a, b in joined(played) if a < end and b > first]
        plans = [
            plan(seen.part(a, b), strength_s=asked.strength_s, crop=asked.crop, anyway=asked.anyway) for a, b in parts
        ]  # fmt: skip
        zoom = max((p.zoom for p in plans if p.moves is not None), default=1.0)
        for (a, b), planned in zip(parts, plans, strict=True):
            zooms[a:b] = zoom
            if planned.moves is not None:
                moves[a:b] = planned.moves
            why = planned.cannot_tell or planned.left_alone
            spans.append(Span(first=a, end=b, shake=planned.shake, why=why))
    for join in seen.joins:
        _led_over(moves, join.start, join.frame)
        _led_over(zooms[:, None], join.start, join.frame)
    return Calm(moves=moves, zooms=zooms, spans=tuple(spans))


def _led_over(rows: Floats, start: int, end: int) -> None:
    """Leads the frames of a dissolve from what is before it to what is after."""
    if 0 < start < end < len(rows):
        share = (np.arange(1, end - start + 1) / (end - start + 1))[:, None]
        rows[start:end] = (1 - share) * rows[start - 1] + share * rows[end]
