"""Who speaks when, within one recording: voices are told apart, never recognised.

Wan et al. 2018, the network of Resemblyzer (Apache-2.0): 256 numbers that are close for stretches of the same voice.
It is three layers of LSTM, run here in numpy from the numbers in the package's file, which holds them in plain order
behind a pickle that is never opened. Nothing of a voice is kept: when a recording is finished only labels are left.
"""

import bisect
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from safelight.speech.activity import RATE, Samples, Span

NAME = "voices"
FILE = "voices.bytes"
HIDDEN, LAYERS, MELS = 256, 3, 40
FFT, HOP = 400, 160  # samples
WINDOW, STEP = 160, 80  # frames of 10 ms
LEVEL_DB = -30.0  # to which quiet speech is raised
LONGEST_S, FULL_S = 2.4, 0.9  # of a stretch that is looked at; under the second it joins those that others make
ONE_VOICE, UNSURE = (
    0.375,
    0.02,
)  # cosine distance up to which groups of stretches are one voice; so near it nobody can say
PAUSE_S = 1.0  # that ends a turn
LEAST_S, LEAST_SHARE = 3.0, 0.02  # what a voice speaks at least; who speaks less is counted to the nearest
# Where the tensors lie in the file, in bytes: weights of input and state and both biases of each layer; the last layer.
PLACES = (
    (269_883, 433_723, 5_676_603, 5_680_699),
    (1_482_299, 2_530_875, 5_684_795, 5_688_891),
    (3_579_451, 4_628_027, 5_692_987, 5_697_083),
)
LAST = (7_731, 6_699)

Numbers = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A stretch of speech and whose it is: voices are numbered from 0 in the order in which they are first heard."""

    span: Span
    voice: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Voices:
    """Who speaks when. `count` None: cannot tell, and why."""

    turns: tuple[Turn, ...] = ()
    count: int | None = None
    cannot_tell: str | None = None


def tell(cut: Callable[[Span], Samples], speech: Sequence[Span], weights: Mapping[str, Mapping[str, Path]]) -> Voices:
    """Who speaks when in a recording, by groups of stretches that sound alike. `cut` gives the samples of a span."""
    stretches = [part for span in speech for part in _parted(span)]
    sure = [s for s in stretches if s[1] - s[0] >= FULL_S]
    if sum(b - a for a, b in sure) < LEAST_S:
        return Voices(cannot_tell="there is too little speech to tell voices apart")
    found = np.stack([embed(cut(span), weights) for span in stretches])
    full = np.asarray([s[1] - s[0] >= FULL_S for s in stretches])
    lasts = np.asarray([b - a for a, b in stretches])
    groups, doubtful = _groups(found[full], lasts[full])
    if doubtful:
        return Voices(cannot_tell="some voices are too alike to say whether they are one")
    centres = np.stack([found[full][groups == g].mean(0) for g in range(groups.max() + 1)])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    labels = (found @ centres.T).argmax(1)
    labels[full] = np.where(groups >= 0, groups, labels[full])
    order = {int(g): n for n, g in enumerate(dict.fromkeys(labels.tolist()))}
    turns = [Turn(span=s, voice=order[int(g)]) for s, g in zip(stretches, labels, strict=True)]
    return Voices(turns=tuple(turns), count=len(order))


def turns(told: Voices) -> list[tuple[Span, int]]:
    """Stretches in order, those joined that follow each other in one voice without a pause."""
    found: list[tuple[Span, int]] = []
    for turn in told.turns:
        if found and found[-1][1] == turn.voice and turn.span[0] - found[-1][0][1] < PAUSE_S:
            found[-1] = ((found[-1][0][0], turn.span[1]), turn.voice)
        else:
            found.append((turn.span, turn.voice))
    return found


def label(voice: int) -> str:
    """How a voice is called: by its number in this recording, which says nothing about any other."""
    return f"voice {voice + 1}"


def of_words(spans: Sequence[Span], told: Voices) -> tuple[str, ...]:
    """The voice that speaks most of each word; of a word outside all stretches, the nearest one's."""
    starts = [turn.span[0] for turn in told.turns]
    found = []
    for a, b in spans:
        first = max(bisect.bisect_right(starts, a) - 2, 0)
        near = told.turns[first : bisect.bisect_left(starts, b) + 1] or told.turns[-1:]
        best = max(near, key=lambda t: min(b, t.span[1]) - max(a, t.span[0]))
        found.append(label(best.voice))
    return tuple(found)


def _parted(span: Span) -> list[Span]:
    edges = np.linspace(*span, max(int(np.ceil((span[1] - span[0]) / LONGEST_S)), 1) + 1).tolist()
    return list(itertools.pairwise(edges))


def _groups(found: Numbers, lasts: NDArray[np.float64]) -> tuple[NDArray[np.int64], bool]:
    """The group of each stretch (-1: of those who speak too little), and whether two large ones are nearly one."""
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(found) == 1:
        return np.zeros(1, np.int64), False
    tree = linkage(found, "average", "cosine")
    least = max(LEAST_S, LEAST_SHARE * float(lasts.sum()))
    told = np.full(len(found), -1)

    def large(height: float) -> list[NDArray[np.bool_]]:
        marks = fcluster(tree, height, "distance")
        return [marks == m for m in np.unique(marks) if lasts[marks == m].sum() >= least]

    counts = {len(large(ONE_VOICE + by)) for by in (-UNSURE, 0.0, UNSURE)}
    kept = large(ONE_VOICE) or [np.ones(len(found), bool)]
    for number, members in enumerate(kept):
        told[members] = number
    return told, len(counts) > 1


def embed(samples: Samples, weights: Mapping[str, Mapping[str, Path]]) -> Numbers:
    """A voice's numbers for a stretch of speech, of length 1: the mean over windows of 1.6 s, half of which they
    share. A stretch under 0.4 s says little."""
    mels = _mels(_raised(samples))
    starts = range(0, max(len(mels) - WINDOW, 0) + 1, STEP)
    mean = _forward(np.stack([mels[s : s + WINDOW] for s in starts]), _net(weights[NAME][FILE])).mean(0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)


@dataclass(frozen=True, slots=True)
class _Layer:
    inputs: Numbers  # in × 4·256
    state: Numbers
    bias: Numbers


@dataclass(frozen=True, slots=True)
class _Net:
    layers: tuple[_Layer, ...]
    last: Numbers
    last_bias: Numbers


@cache
def _net(path: Path) -> _Net:
    held = np.memmap(path, np.uint8, "r")

    def part(at: int, *shape: int) -> Numbers:
        size = 4 * int(np.prod(shape))
        return np.frombuffer(held[at : at + size].tobytes(), "<f4").reshape(shape).astype(np.float32)

    layers = []
    for number, (inputs, state, one, other) in enumerate(PLACES):
        width = MELS if number == 0 else HIDDEN
        layers.append(_Layer(
            np.ascontiguousarray(part(inputs, 4 * HIDDEN, width).T),
            np.ascontiguousarray(part(state, 4 * HIDDEN, HIDDEN).T), part(one, 4 * HIDDEN) + part(other, 4 * HIDDEN),
        ))  # fmt: skip
    return _Net(tuple(layers), np.ascontiguousarray(part(LAST[0], HIDDEN, HIDDEN).T), part(LAST[1], HIDDEN))


def _forward(mels: Numbers, net: _Net) -> Numbers:
    """Windows × frames × 40 to windows × 256, each of length 1."""
    x = mels
    for layer in net.layers:
        driven = x @ layer.inputs + layer.bias
        h = np.zeros((len(x), HIDDEN), np.float32)
        c = np.zeros_like(h)
        out = np.empty((*x.shape[:2], HIDDEN), np.float32)
        for t in range(x.shape[1]):
            gates = driven[:, t] + h @ layer.state
            gate = expit(gates)
            c = gate[:, HIDDEN : 2 * HIDDEN] * c + gate[:, :HIDDEN] * np.tanh(gates[:, 2 * HIDDEN : 3 * HIDDEN])
            h = gate[:, 3 * HIDDEN :] * np.tanh(c)
            out[:, t] = h
        x = out
    raw = np.maximum(x[:, -1] @ net.last + net.last_bias, 0)
    return np.asarray(raw / np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-9), np.float32)


def _raised(samples: Samples) -> Samples:
    power = float(np.square(samples).mean()) if len(samples) else 0.0
    gain = LEVEL_DB - 10 * np.log10(power + 1e-12)
    return samples * np.float32(10 ** (gain / 20)) if gain > 0 else samples


def _mels(samples: Samples) -> Numbers:
    """Power in 40 bands every 10 ms, frames × 40."""
    padded = np.pad(samples, FFT // 2)
    count = max((len(padded) - FFT) // HOP + 1, 1)
    padded = np.pad(padded, (0, max(FFT + (count - 1) * HOP - len(padded), 0)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP][:count]
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)).astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(frames * window, axis=1)))
    return np.asarray(power @ _bands(), np.float32)


@cache
def _bands() -> Numbers:
    """Slaney's mel filters, of equal area: bins × 40."""

    def mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(hz < 1000, hz * 3 / 200, 15 + np.log(np.maximum(hz, 1) / 1000) / (np.log(6.4) / 27))

    def hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * np.log(6.4) / 27))

    ends = mel(np.asarray([0.0, RATE / 2]))
    edges = hertz(np.linspace(ends[0], ends[1], MELS + 2))
    bins = np.linspace(0, RATE / 2, FFT // 2 + 1)
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    return np.asarray(np.clip(np.minimum(rising, falling), 0, None) * 2 / (edges[2:] - edges[:-2]), np.float32)
