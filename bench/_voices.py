"""Conversations made of given recordings: whose turn it is, how many speak, and how much of the time is told right.

Voices are told apart by the names of their recordings (`READER-CHAPTER-PART` of LibriSpeech, else what stands before
the last `_`). Turns of one to two stretches alternate until one voice has no more; every stretch is used once, at one
level, and the whole gets one room and one noise, so that no microphone gives a voice away.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.harness import Result
from safelight import weights
from safelight.media import sound
from safelight.media.runs import joined
from safelight.speech import activity, voices
from safelight.speech.activity import RATE, Samples

LEVEL, STRETCH_S = 0.05, 3.0
ROOM_S, NOISE = 0.4, 0.0028  # reverberation; noise 25 dB below speech
TURN = tuple[float, float, str]


@dataclass(frozen=True, kw_only=True)
class Mix:
    """A made conversation with its turns."""

    samples: Samples
    turns: Sequence[TURN]
    names: tuple[str, ...]


def results(recordings: Iterable[Path]) -> Iterable[Result]:
    """Pairs, single voices and triples."""
    found = _stretches(recordings)
    for what, count in (("one", 1), ("two", 2), ("three", 3)):
        groups = list(itertools.combinations(sorted(found), count))
        told = [_told(_mix(found, names, seed=seed)) for seed, names in enumerate(groups)]
        asked = count == 2
        sure = [t for t in told if t[0] is not None]
        unsure = len(told) - len(sure)
        yield Result(
            name=f"voices.{what}.count", value=sum(t[0] == count for t in told) / len(told), n=len(told), unit="right",
            bar=0.9 if asked else None, want="at least" if asked else None, note=f"{unsure} cannot tell; one room",
        )  # fmt: skip
        yield Result(
            name=f"voices.{what}.time", value=float(np.mean([t[1] for t in sure])) if sure else None, n=len(sure),
            unit="of the speech", bar=0.95 if asked else None, want="at least" if asked else None,
        )  # fmt: skip


def _voice(path: Path) -> str:
    stem = path.stem.removesuffix("_clean")
    return stem.rsplit("-", 2)[0] if "-" in stem else stem.rsplit("_", 1)[0]


def _stretches(recordings: Iterable[Path]) -> dict[str, list[Samples]]:
    found: dict[str, list[Samples]] = {}
    for path in recordings:
        x = sound.read(path, rate=RATE, mono=True).samples[:, 0]
        for a, b in joined(_speech(x), gap=0.3):
            edges = np.linspace(a, b, max(1, round((b - a) / STRETCH_S)) + 1)
            for start, end in itertools.pairwise(edges):
                part = x[int(start * RATE) : int(end * RATE)]
                part = part * np.float32(LEVEL / np.sqrt(np.square(part).mean() + 1e-12))
                found.setdefault(_voice(path), []).append(part)
    return found


def _speech(samples: Samples) -> list[activity.Span]:
    voice = activity.Activity(weights.installed())
    voice.hear(samples)
    return activity.spans(voice.done())


def _mix(found: Mapping[str, Sequence[Samples]], names: tuple[str, ...], *, seed: int) -> Mix:
    rng = np.random.default_rng(seed)
    left = {name: [found[name][i] for i in rng.permutation(len(found[name]))] for name in names}
    parts, turns, at = [np.zeros(RATE // 2, np.float32)], list[TURN](), RATE // 2
    for name in itertools.cycle(rng.permutation(names).tolist()):
        if not left[name]:
            break
        for _ in range(int(rng.integers(1, 3))):
            if left[name]:
                part = left[name].pop()
                gap = np.zeros(int(rng.uniform(0.1, 0.5) * RATE), np.float32)
                turns.append((at / RATE, (at + len(part)) / RATE, name))
                parts += [part, gap]
                at += len(part) + len(gap)
    x: Any = np.concatenate(parts)
    length = int(ROOM_S * RATE)
    room = rng.normal(0, 1, length) * 10 ** (-3 * np.arange(length) / length)
    room *= 0.5 / np.sqrt(np.square(room).sum())
    room[0] = 1
    x = np.convolve(x, room)[: len(x)] + rng.normal(0, NOISE, len(x))
    return Mix(samples=x.astype(np.float32), turns=turns, names=names)


def _told(mix: Mix) -> tuple[int | None, float]:
    """How many voices are told, and the share of the speech that was heard whose voice is right, named at best."""
    heard = voices.tell(
        lambda s: mix.samples[round(s[0] * RATE) : round(s[1] * RATE)], _speech(mix.samples), weights.installed()
    )
    if heard.count is None:
        return None, 0.0
    shared = np.zeros((len(mix.names), max(heard.count, len(mix.names))))
    for a, b, name in mix.turns:
        for turn in heard.turns:
            shared[mix.names.index(name), turn.voice] += max(0.0, min(b, turn.span[1]) - max(a, turn.span[0]))
    ways = itertools.permutations(range(shared.shape[1]), len(mix.names))
    best = max(sum(shared[i, v] for i, v in enumerate(way)) for way in ways)
    return heard.count, float(best / max(shared.sum(), 1e-9))
