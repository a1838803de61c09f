"""Two cameras, a telephone and a recorder of one event, placed by their sound.

Recipe `interview` of the audio-visual set: clocks that drift 10 to 50 ppm, scratch sound that is reverberant, narrow
and noisy, and cameras from another room that must be refused. `false_matches`: a thousand pairs of excerpts that hold
nothing of one moment. Beside it: the envelope's cross-correlation alone, always answering.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import correlate

from bench.harness import Data, MissingData, Result
from safelight.media import syncing
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
    yield from _unrelated(items, sounds, path.parent)


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


def _unrelated(items: list[dict[str, Any]], sounds: dict[str, Heard], folder: Path) -> Iterator[Result]:
    """Excerpts of half a minute against one or two minutes of what was recorded elsewhere."""
    del folder
    rng = np.random.default_rng(1)
    rooms: dict[str, list[str]] = defaultdict(list)
    for item in items:
        rooms[item["set"] + ("" if item["matches"] else "/other room")].append(item["file"])
    names = sorted(rooms)
    false, places, shown = 0, [], 0
    while shown < PAIRS:
        one, two = (names[i] for i in rng.choice(len(names), 2, replace=False))
        a = _excerpt(sounds[rng.choice(rooms[one])], rng, float(rng.uniform(60, 120)))
        b = _excerpt(sounds[rng.choice(rooms[two])], rng, float(rng.uniform(10, 40)))
        found = syncing.match(a, b)
        shown += 1
        if found.offset_s is not None:
            false += 1
            places.append(f"{one} and {two}: {found.agreeing} of {found.windows}")
    yield Result(
        name="false_matches", value=false / shown, n=shown, unit="of pairs", bar=0.01, want="at most",
        note="; ".join(places[:5]) or "all abstained",
    )  # fmt: skip


def _excerpt(whole: Heard, rng: np.random.Generator, seconds: float) -> Heard:
    size = min(int(seconds * RATE), len(whole.wave))
    start = int(rng.integers(0, len(whole.wave) - size + 1)) // (RATE // ENVELOPE) * (RATE // ENVELOPE)
    wave = whole.wave[start : start + size]
    first = start // (RATE // ENVELOPE)
    return Heard(wave=wave, envelope=whole.envelope[first : first + size // (RATE // ENVELOPE)])
