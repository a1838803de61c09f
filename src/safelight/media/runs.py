"""Runs of frames, samples or levels for which something is true."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def runs(flags: NDArray[np.bool_] | Sequence[bool], *, bridge: int = 0) -> list[tuple[int, int]]:
    """Half-open runs of true values; gaps of up to `bridge` are passed over."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], np.asarray(flags, bool), [False]]).astype(np.int8)))
    found: list[tuple[int, int]] = []
    for start, end in edges.reshape(-1, 2).tolist():
        if found and start - found[-1][1] <= bridge:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found
