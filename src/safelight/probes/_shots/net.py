"""A small network over time that tells joins from what only looks like one. Fitted by `bench.fit.shots`."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from safelight.probes._shots.distances import COLOURS, KINDS, LAGS

CLASSES = ("none", "cut", "dissolve", "fade", "wipe")

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A convolution over time: `weight` is taps × in × out, its taps `dilation` frames apart."""

    weight: Floats
    bias: Floats
    dilation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Net:
    """`first` reads a row, `between` are added to what came before them, `last` gives one number for each class."""

    mean: Floats
    spread: Floats
    first: Layer
    between: tuple[Layer, ...]
    last: Layer

    def __call__(self, rows: Floats, *, coloured: bool) -> Floats:
        """N×5 probabilities from the rows of `distances`. Footage without colour says so, else it seems to agree."""
        seen = (np.sqrt(np.maximum(rows, 0)) - self.mean) / self.spread
        if not coloured:
            at = [KINDS * n + COLOURS for n in range(len(LAGS))]
            seen[:, at] = 0
        hidden = np.maximum(_over_time(seen, self.first), 0)
        for layer in self.between:
            hidden = hidden + np.maximum(_over_time(hidden, layer), 0)
        score = _over_time(hidden, self.last)
        score = np.exp(score - score.max(axis=1, keepdims=True))
        return score / score.sum(axis=1, keepdims=True)


def _over_time(rows: Floats, layer: Layer) -> Floats:
    """Rows before the first and after the last count as zero, as they did when it was fitted."""
    taps = len(layer.weight)
    reach = taps // 2 * layer.dilation
    wide = np.pad(rows, ((reach, reach), (0, 0)))
    out = np.broadcast_to(layer.bias, (len(rows), layer.bias.size)).copy()
    for tap in range(taps):
        out += wide[tap * layer.dilation : tap * layer.dilation + len(rows)] @ layer.weight[tap]
    return out


@cache
def fitted() -> Net:
    """The network that ships."""
    return read(files("safelight.probes").joinpath("shots.json").read_text("utf-8"))


def read(text: str) -> Net:
    """A network from its JSON."""
    data = json.loads(text)
    layers = [
        Layer(
            weight=np.array(layer["weight"], np.float32).reshape(layer["shape"]),
            bias=np.array(layer["bias"], np.float32),
            dilation=layer["dilation"],
        )
        for layer in data["layers"]
    ]
    return Net(
        mean=np.array(data["mean"], np.float32), spread=np.array(data["spread"], np.float32),
        first=layers[0], between=tuple(layers[1:-1]), last=layers[-1],
    )  # fmt: skip
