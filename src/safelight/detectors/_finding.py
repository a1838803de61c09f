"""What a detector says."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HEAT_SIDE = 160  # px, most of a heat map's long side

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a detector says about one artefact in one pair.

    `score` is the detector's own measure, higher is worse; `probability` (0..1) that a careful person would call it
    this artefact, from the bench's calibration until a studio's verdicts replace it. Both are None where
    `cannot_tell` gives the reason. `where` is a half-open box x0, y0, x1, y1 in px of the after. `heat` covers the
    whole after at a small size, float32 0..1, row by row. `text` is one sentence for people.
    """

    name: str
    score: float | None = None
    probability: float | None = None
    cannot_tell: str | None = None
    where: Box | None = None
    heat: NDArray[np.float32] | None = None
    text: str = ""

    def __post_init__(self) -> None:
        if (self.score is None) != (self.probability is None) or (self.score is None) == (self.cannot_tell is None):
            raise ValueError(f"finding {self.name!r} has a score and a probability, or a reason why it has none")
