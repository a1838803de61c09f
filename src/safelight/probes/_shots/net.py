"""A small network over time that tells joins from what only looks like one. Fitted by `bench.fit.shots`."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from safelight.probes._shots.distances import COLOURS, KINDS, LAGS

CLASSES = ("none", "cut", "dissolve", "fade", "wipe")
COLOURED = [KINDS * n + COLOURS for n in range(len(LAGS))]  # columns that need colour
DILATIONS = (1, 2, 4, 8, 16, 4)  # frames between the taps of each layer
TAPS = 3
REACH = sum(DILATIONS)  # frames to either side that the network sees

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Net:
    """`first` reads a row, `between` look along time and are added to what came before them, `last` gives one number
    for each class. Each is a weight (in × out; those between have their taps one below the other) and a bias."""

    mean: Floats
    spread: Floats
    first: tuple[Floats, Floats]
    between: tuple[tuple[Floats, Floats], ...]
    last: tuple[Floats, Floats]

    def __call__(self, rows: Floats, *, coloured: bool) -> Floats:
        """N×5 probabilities from the rows of `distances`. Footage without colour says so, else it seems to agree."""
        seen = normal(rows, self.mean, self.spread)
        if not coloured:
            seen[:, COLOURED] = 0
        hidden = np.maximum(seen @ self.first[0] + self.first[1], 0)
        for (weight, bias), dilation in zip(self.between, DILATIONS, strict=True):
            hidden = hidden + np.maximum(beside(hidden, dilation) @ weight + bias, 0)
        return softmax(hidden @ self.last[0] + self.last[1])


def normal(rows: Floats, mean: Floats, spread: Floats) -> Floats:
    """Rows as the network reads them: roots, for distances are skew, with mean 0 and spread 1."""
    return np.asarray((np.sqrt(np.maximum(rows, 0)) - mean) / spread, np.float32)


def beside(hidden: Floats, dilation: int) -> Floats:
    """…×N×3C: each frame's numbers behind those of the frames before and after; beyond the ends there are zeros."""
    wide = np.zeros((*hidden.shape[:-1], TAPS * hidden.shape[-1]), np.float32)
    size = hidden.shape[-1]
    wide[..., dilation:, :size] = hidden[..., :-dilation, :]
    wide[..., size : 2 * size] = hidden
    wide[..., :-dilation, 2 * size :] = hidden[..., dilation:, :]
    return wide


def softmax(score: Floats) -> Floats:
    """Scores as shares of 1."""
    grown = np.exp(score - score.max(axis=-1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=-1, keepdims=True), np.float32)


@cache
def fitted() -> tuple[Net, ...]:
    """The networks that ship; their mean is the answer."""
    return read(files("safelight.probes").joinpath("shots.npz").read_bytes())


def read(data: bytes) -> tuple[Net, ...]:
    """Networks from the bytes of their file."""
    with np.load(io.BytesIO(data), allow_pickle=False) as held:
        values = {name: np.asarray(held[name], np.float32) for name in held.files}
    count = 1 + max(int(name.split(".")[0]) for name in values)
    return tuple(from_arrays({k.split(".", 1)[1]: v for k, v in values.items() if k.startswith(f"{n}.")})
                 for n in range(count))  # fmt: skip


def from_arrays(held: Mapping[str, Floats]) -> Net:
    """A network from named arrays."""
    return Net(
        mean=held["mean"], spread=held["spread"], first=(held["first.weight"], held["first.bias"]),
        between=tuple((held[f"{n}.weight"], held[f"{n}.bias"]) for n in range(len(DILATIONS))),
        last=(held["last.weight"], held["last.bias"]),
    )  # fmt: skip
