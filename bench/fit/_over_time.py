"""Fits the network of `safelight.probes._shots.net` in numpy: forwards, backwards, Adam with decay, one cycle."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from safelight.probes._shots import net
from safelight.probes._shots.distances import WIDTH_OF_ROW

HIDDEN = 32
WEIGHTS = np.array([1, 6, 2, 2, 2], np.float32)  # of the classes: a cut is one frame among hundreds
LENGTH, BATCH = 320, 16  # frames of a stretch, stretches of a step
STEPS, RATE, DECAY = 1400, 6e-3, 1e-2
DROPPED_ROWS, DROPPED = 0.1, 0.15  # shares set to zero before the first and the other layers
GREY = 0.25  # share of stretches that show no colour
LOUDER = 0.15  # half of the stretches are scaled by up to so much
WARM = 0.3  # share of the steps in which the rate grows

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """Rows N×D, the class of each frame, and how much each frame counts."""

    rows: Floats
    classes: npt.NDArray[np.int64]
    counts: Floats


@dataclass(slots=True)
class _Adam:
    held: dict[str, Floats]
    first: dict[str, Floats] = field(default_factory=dict)
    second: dict[str, Floats] = field(default_factory=dict)

    def step(self, slopes: dict[str, Floats], number: int, rate: float) -> None:
        length = float(np.sqrt(sum(float((s * s).sum()) for s in slopes.values())))
        for name, whole in slopes.items():
            slope = whole * np.float32(min(1.0, 1.0 / (length + 1e-9)))
            self.first[name] = 0.9 * self.first.get(name, np.float32(0)) + 0.1 * slope
            self.second[name] = 0.999 * self.second.get(name, np.float32(0)) + 0.001 * slope * slope
            mean = self.first[name] / (1 - 0.9**number)
            square = self.second[name] / (1 - 0.999**number)
            self.held[name] *= np.float32(1 - rate * DECAY)
            self.held[name] -= np.float32(rate) * mean / (np.sqrt(square) + np.float32(1e-8))


def fit(clips: Sequence[Clip], *, seed: int, steps: int = STEPS) -> dict[str, Floats]:
    """The arrays of a network (`net.from_arrays`) that tells the classes of these clips."""
    rng = np.random.default_rng(seed)
    everything = np.sqrt(np.maximum(np.concatenate([clip.rows for clip in clips]), 0))
    mean, spread = everything.mean(0), everything.std(0) + np.float32(1e-3)
    held = _start(rng)
    adam = _Adam(held)
    stretches = _stretches(clips, rng, mean, spread)
    for number in range(1, steps + 1):
        seen, classes, counts = next(stretches)
        adam.step(_slopes(held, seen, classes, counts, rng), number, RATE * _cycle(number / steps))
    return {"mean": mean, "spread": spread} | held


def _cycle(part: float) -> float:
    """From 1/25 up to 1 and down to nothing, along cosines."""
    if part < WARM:
        return 0.04 + 0.96 * (1 - float(np.cos(np.pi * part / WARM))) / 2
    return (1 + float(np.cos(np.pi * (part - WARM) / (1 - WARM)))) / 2


def _start(rng: np.random.Generator) -> dict[str, Floats]:
    sizes = {"first": (WIDTH_OF_ROW, HIDDEN)}
    sizes |= {str(n): (net.TAPS * HIDDEN, HIDDEN) for n in range(len(net.DILATIONS))}
    sizes["last"] = (HIDDEN, len(net.CLASSES))
    held: dict[str, Floats] = {}
    for name, (inwards, outwards) in sizes.items():
        bound = 1 / np.sqrt(inwards)
        held[f"{name}.weight"] = rng.uniform(-bound, bound, (inwards, outwards)).astype(np.float32)
        held[f"{name}.bias"] = np.zeros(outwards, np.float32)
    return held


def _stretches(clips: Sequence[Clip], rng: np.random.Generator, mean: Floats, spread: Floats) -> Iterator[Any]:
    lengths = np.array([len(clip.rows) for clip in clips], float)
    while True:
        seen = np.zeros((BATCH, LENGTH, WIDTH_OF_ROW), np.float32)
        classes, counts = np.zeros((BATCH, LENGTH), np.int64), np.zeros((BATCH, LENGTH), np.float32)
        for n, chosen in enumerate(rng.choice(len(clips), BATCH, p=lengths / lengths.sum())):
            clip = clips[chosen]
            first = int(rng.integers(0, max(1, len(clip.rows) - LENGTH)))
            part = slice(first, first + LENGTH)
            values = net.normal(clip.rows[part], mean, spread)
            if rng.random() < GREY:
                values[:, net.COLOURED] = 0
            if rng.random() < 0.5:
                values = values * np.float32(rng.uniform(1 - LOUDER, 1 + LOUDER))
            seen[n, : len(values)] = values
            classes[n, : len(values)], counts[n, : len(values)] = clip.classes[part], clip.counts[part]
        yield seen, classes, counts


def _slopes(
    held: dict[str, Floats], seen: Floats, classes: npt.NDArray[np.int64], counts: Floats, rng: np.random.Generator
) -> dict[str, Floats]:
    """The slopes of the mean loss in all weights."""
    seen = seen * _kept(rng, seen.shape, DROPPED_ROWS)
    hidden = [np.maximum(seen @ held["first.weight"] + held["first.bias"], 0)]
    kept, grown = [], []
    for n, dilation in enumerate(net.DILATIONS):
        kept.append(_kept(rng, hidden[-1].shape, DROPPED))
        wide = net.beside(hidden[-1] * kept[-1], dilation)
        grown.append((wide, np.maximum(wide @ held[f"{n}.weight"] + held[f"{n}.bias"], 0)))
        hidden.append(hidden[-1] + grown[-1][1])
    share = net.softmax(hidden[-1] @ held["last.weight"] + held["last.bias"])
    wanted = np.eye(len(net.CLASSES), dtype=np.float32)[classes]
    back = (share - wanted) * (WEIGHTS[classes] * counts)[..., None] / np.float32(classes.size)
    slopes = _of("last", hidden[-1], back)
    back = back @ held["last.weight"].T
    for n in reversed(range(len(net.DILATIONS))):
        wide, out = grown[n]
        through = back * (out > 0)
        slopes |= _of(str(n), wide, through)
        back = back + _gathered(through @ held[f"{n}.weight"].T, net.DILATIONS[n]) * kept[n]
    return slopes | _of("first", seen, back * (hidden[0] > 0))


def _kept(rng: np.random.Generator, shape: tuple[int, ...], dropped: float) -> Floats:
    return (rng.random(shape, np.float32) >= dropped).astype(np.float32) / np.float32(1 - dropped)


def _of(name: str, inwards: Floats, back: npt.NDArray[Any]) -> dict[str, Floats]:
    flat = back.reshape(-1, back.shape[-1])
    return {f"{name}.weight": inwards.reshape(-1, inwards.shape[-1]).T @ flat, f"{name}.bias": flat.sum(0)}


def _gathered(wide: Floats, dilation: int) -> Floats:
    """The reverse of `net.beside`."""
    size = wide.shape[-1] // net.TAPS
    out = wide[..., size : 2 * size].copy()
    out[..., :-dilation, :] += wide[..., dilation:, :size]
    out[..., dilation:, :] += wide[..., :-dilation, 2 * size :]
    return out
