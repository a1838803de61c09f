"""Two cameras, a telephone and a recorder of one event, placed by their sound.

Recipe `interview` of the audio-visual set: clocks that drift 10 to 50 ppm, scratch sound that is reverberant, narrow
and noisy, and cameras from another room that must be refused. `false_matches`: a thousand pairs made of different
recordings, no source on both sides. Beside it: the envelope's cross-correlation alone, always answering.
"""

import contextlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import correlate

from bench.harness import Data, MissingData, Result
from safelight.errors import SafelightError
from safelight.media import sound, syncing
from safelight.media.syncing import ENVELOPE, RATE, Heard

RECIPE = "interview/truth.json"
PAIRS = 1000
LONG_S = 600


def run(data: Data) -> Iterable[Result]:
    """All figures."""
    path = data.find(RECIPE)
    if path is None:
        raise MissingData(f"{RECIPE} is not there: run recipe `interview` of av.py first")
    items = json.loads(path.read_text("utf-8"))["items"]
    sounds = {item["file"]: syncing.heard(path.parent / item["file"]) for item in items}
    yield from _placed(items, sounds)
    yield from _unrelated(data)


def _placed(items: list[dict[str, Any]], sounds: dict[str, Heard]) -> Iterator[Result]:
    recorders = {item["set"]: item["file"] for item in items if item["role"] == "recorder"}
    errors, peers, drifts, abstained, wrong = [], [], [], [], 0
    by_set: dict[str, list[float]] = defaultdict(list)
    asked = 0
    for item in items:
        if item["role"] == "recorder":
            continue
        reference, other = sounds[recorders[item["set"]]], sounds[item["file"]]
        found = syncing.match(reference, other)
        if not item["matches"]:
            wrong += found.offset_s is not None
            continue
        asked += 1
        peers.append(abs(_simple(reference, other) - item["offset_s"]))
        if found.offset_s is None or found.drift_ppm is None:
            abstained.append(f"{item['file']}: {found.cannot_tell}")
            continue
        lasts = item["samples"] / item.get("sample_rate", 48000)
        first = found.offset_s - item["offset_s"]
        last = first + (found.drift_ppm - item["drift_ppm"]) * 1e-6 * lasts
        errors.append(1e3 * max(abs(first), abs(last)))
        by_set[item["set"]].append(errors[-1])
        if lasts >= LONG_S:
            drifts.append(abs(found.drift_ppm - item["drift_ppm"]))
    yield Result(
        name="offset.largest_error", value=max(errors, default=None), n=len(errors), unit="ms", bar=1, want="at most",
        beside={"envelope_alone": 1e3 * max(peers)} if peers else {}, note="at both ends of each recording",
    )  # fmt: skip
    yield Result(name="offset.median_error", value=float(np.median(errors)) if errors else None, n=len(errors),
                 unit="ms", beside={"envelope_alone": 1e3 * float(np.median(peers))} if peers else {})  # fmt: skip
    for name, found_errors in sorted(by_set.items()):
        yield Result(name=f"offset.{name}.largest_error", value=max(found_errors), n=len(found_errors), unit="ms",
                     bar=1, want="at most")  # fmt: skip
    yield Result(name="placed", value=len(errors) / max(asked, 1), n=asked, unit="of recordings", bar=1,
                 want="at least", note="; ".join(abstained))  # fmt: skip
    yield Result(name="drift.largest_error", value=max(drifts, default=None), n=len(drifts), unit="ppm", bar=3,
                 want="at most", note=f"recordings of {LONG_S // 60} minutes and more")  # fmt: skip
    others = sum(not i["matches"] for i in items)
    yield Result(name="other_room.placed", value=wrong, n=others, bar=0, want="at most")


def _simple(reference: Heard, other: Heard) -> float:
    """Where the envelopes alone agree best."""
    found = correlate(reference.envelope, other.envelope, mode="full", method="fft")
    return (int(np.argmax(found)) - (len(other.envelope) - 1)) / ENVELOPE


def _sources(data: Data) -> dict[str, NDArray[np.float32]]:
    """All recordings and clips with sound, by name without what tells a noisy copy from a clean one."""
    found: dict[str, NDArray[np.float32]] = {}
    for folder in ("speech", "video", "faces"):
        root = data.find(folder)
        for path in sorted(root.rglob("*")) if root is not None else ():
            name = path.stem.removesuffix("_noisy").removesuffix("_clean")
            if path.is_dir() or path.suffix == ".json" or name in found:
                continue
            with contextlib.suppress(SafelightError):
                wave = sound.read(path, rate=RATE, mono=True).samples[:, 0]
                if len(wave) > RATE and float(np.abs(wave).max()) > 1e-3:
                    found[name] = wave
    return found


def _unrelated(data: Data) -> Iterator[Result]:
    """One or two minutes of some sources against 10 to 40 s of others: no source is on both sides."""
    sources = _sources(data)
    if len(sources) < 6:
        yield Result(name="false_matches", value=None, n=0, note="too few recordings under speech, video, faces")
        return
    rng = np.random.default_rng(1)
    names = sorted(sources)
    false: list[str] = []
    for _ in range(PAIRS):
        order = [names[i] for i in rng.permutation(len(names))]
        half = len(order) // 2
        a = _played([sources[n] for n in order[:half]], rng, float(rng.uniform(60, 120)))
        b = _played([sources[n] for n in order[half:]], rng, float(rng.uniform(10, 40)))
        found = syncing.match(a, b)
        if found.offset_s is not None:
            false.append(f"{found.agreeing} of {found.windows}")
    yield Result(
        name="false_matches", value=len(false) / PAIRS, n=PAIRS, unit="of pairs", bar=0.01, want="at most",
        note="; ".join(false[:5]) or "all abstained",
    )  # fmt: skip


def _played(waves: list[NDArray[np.float32]], rng: np.random.Generator, seconds: float) -> Heard:
    """Sources one after another, from anywhere, at slightly different speeds, with pauses and a little noise."""
    parts: list[NDArray[np.float32]] = []
    while sum(map(len, parts)) < seconds * RATE:
        wave = waves[rng.integers(len(waves))]
        start = int(rng.integers(0, max(len(wave) - RATE, 1)))
        speed = float(rng.uniform(0.97, 1.03))
        piece = wave[start : start + int(rng.uniform(2, 15) * RATE)]
        at = np.arange(0, len(piece) - 1, speed)
        parts += [np.interp(at, np.arange(len(piece)), piece).astype(np.float32),
                  np.zeros(int(rng.uniform(0.1, 1.5) * RATE), np.float32)]  # fmt: skip
    joined = np.concatenate(parts)[: int(seconds * RATE)]
    noisy = joined + rng.normal(0, 0.03 * float(joined.std()), len(joined)).astype(np.float32)
    return syncing.of_blocks([sound.Block(at=Fraction(0), samples=noisy[:, None], rate=RATE)])
