"""ASC CDL: slope, offset, power for each channel, then saturation about the luma of Rec. 709; and how it is fitted.

Numbers are display values from 0 to 1 (ASC CDL 1.2, "SOP" and "Sat"). The other order, saturation first, undoes a CDL
that somebody put on; a 3-D table can carry it, a CDL file cannot.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from safelight.media.effects import CDL, Colours

DISTANCE = 0.02  # display values: beyond, a pair of pixels is less and less believed
LOOSE = 0.02  # how strongly numbers are drawn to those that change nothing, for what the pixels do not tell
LOW, HIGH = [0.3] * 3 + [-0.3] * 3 + [0.4] * 3 + [0.2], [3.0] * 3 + [0.3] * 3 + [2.5] * 3 + [3.0]
NEUTRAL = np.array([1.0] * 3 + [0.0] * 3 + [1.0] * 3 + [1.0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """What brings one shot to another: as a CDL, and as the better of both orders for a table."""

    cdl: CDL
    table: CDL


def _of(numbers: NDArray[np.float64], *, reverse: bool) -> CDL:
    s, o, p = (tuple(float(v) for v in numbers[i : i + 3]) for i in (0, 3, 6))
    return CDL(slope=s, offset=o, power=p, saturation=float(numbers[9]), reverse=reverse)  # type: ignore[arg-type]


def fit(source: Colours, wanted: Colours, weight: NDArray[np.float64], *, reverse: bool = False) -> CDL:
    """The CDL that brings `source` nearest to `wanted` (same pixels, N×3), robust against pairs that are not the same
    thing; clipped values say nothing and are left out."""
    inside = ((source > 0.01) & (source < 0.99) & (wanted > 0.01) & (wanted < 0.99)).all(1)
    a, b, w = source[inside], wanted[inside], np.sqrt(weight[inside])[:, None]
    pull = LOOSE * np.sqrt(max(len(a), 1))

    def off(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        residual = (_of(numbers, reverse=reverse)(a) - b) * w / DISTANCE
        return np.concatenate([residual.ravel(), (numbers - NEUTRAL) * pull])

    found = least_squares(off, NEUTRAL, bounds=(LOW, HIGH), loss="soft_l1", max_nfev=60)
    return _of(found.x, reverse=reverse)
