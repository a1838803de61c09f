"""Loudness: how near the meter comes to signals that are exact by construction, and a levelled file to its target.

Recipe `sound` of the audio-visual set: cases in the manner of EBU Tech 3341 and 3342, true-peak cases, speech and pink
noise set with a reference meter. `level.*`: the same files brought to targets and encoded; what counts is measured on
the encoded file. `repair.*`, `left_alone.*`: noise reduction (`bench/_sound_repair.py`). Beside the meter: pyloudnorm,
which measures integrated loudness alone.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from bench import _sound_repair
from bench.harness import Data, MissingData, Result
from safelight.media import container, levelled, loudness, sound
from safelight.media.loudness import TARGETS

RECIPE = "sound/truth.json"
KINDS = ("integrated_lufs", "short_term_max_lufs", "momentary_max_lufs", "range_lu", "true_peak_dbtp")
CEILINGS = {"integrated_lufs": 0.1, "short_term_max_lufs": 0.1, "momentary_max_lufs": 0.1, "range_lu": 0.1}
ENDINGS = (".wav", ".flac", ".m4a", ".mp3", ".opus")


def run(data: Data) -> Iterable[Result]:
    """All figures."""
    path = data.find(RECIPE)
    if path is None:
        raise MissingData(f"{RECIPE} is not there: run recipe `sound` of av.py first")
    items = json.loads(path.read_text("utf-8"))["items"]
    yield from _meter(path.parent, [i for i in items if i["kind"] == "loudness"])
    yield from _level(path.parent, items, data.work)
    yield from _sound_repair.run(path.parent, items)


def _meter(folder: Path, items: list[dict[str, Any]]) -> Iterable[Result]:
    off: dict[str, list[float]] = defaultdict(list)
    within: list[bool] = []
    peer: list[float] = []
    for item in items:
        found = loudness.measure(folder / item["file"], fine=True)
        for kind in KINDS:
            if kind not in item["expected"]:
                continue
            value = getattr(found, kind)
            error = float("inf") if value is None else value - item["expected"][kind]
            off[kind].append(error)
            allowed = item["tolerance"]
            below, above = (allowed[0], allowed[1]) if isinstance(allowed, list) else (allowed, allowed)
            within.append(-below <= error <= above)
            if kind == "integrated_lufs":
                theirs = _pyloudnorm(folder / item["file"])
                peer += [] if theirs is None else [abs(theirs - item["expected"][kind])]
    for kind, errors in off.items():
        beside = {"pyloudnorm": max(peer)} if kind == "integrated_lufs" and peer else {}
        yield Result(
            name=f"meter.{kind.rsplit('_', 1)[0]}.largest_error", value=float(np.abs(errors).max()), n=len(errors),
            unit=kind.rsplit("_", 1)[1], bar=CEILINGS.get(kind, 0.4), want="at most", beside=beside,
        )  # fmt: skip
    yield Result(name="meter.within_tolerance", value=float(np.mean(within)), n=len(within), bar=1, want="at least")


def _pyloudnorm(path: Path) -> float | None:
    try:
        import pyloudnorm
    except ImportError:
        return None
    block = sound.read(path)
    if block.samples.shape[1] > 5:
        return None
    return float(pyloudnorm.Meter(block.rate).integrated_loudness(block.samples.astype(float)))


def _level(folder: Path, items: list[dict[str, Any]], work: Path) -> Iterable[Result]:
    """Speech, music and noise of the recipe to three targets, in every format; silence."""
    chosen = [i for i in items if i["kind"] != "loudness" or "pink" in i["case"]]
    loud, over, kept, rates = [], [], [], []
    silent = passed = 0
    for n, item in enumerate(chosen):
        path = folder / item["file"]
        ending = ENDINGS[n % len(ENDINGS)]
        target = TARGETS[("podcast", "ebu_r128", "streaming")[n % 3]]
        out = work / f"{n}{ending}"
        done = levelled.level(path, out, target)
        if done.before.integrated_lufs is None:
            silent += 1
            passed += done.passed_through
            continue
        assert done.after.integrated_lufs is not None
        assert done.after.true_peak_dbtp is not None
        if done.limited_db <= levelled.MOST_LIMITED_DB:
            loud.append(abs(done.after.integrated_lufs - target.lufs))
        over.append(done.after.true_peak_dbtp - target.ceiling_dbtp)
        if ending == ".flac" and done.limited_db == 0:
            before, after = sound.read(path).samples, sound.read(out).samples
            kept.append(float(np.abs(after - before * 10 ** (done.gain_db / 20)).max()))
        if ending != ".opus":
            rates.append(container.contents(path).sounds[0].rate == container.contents(out).sounds[0].rate)
        out.unlink()
    yield Result(
        name="level.largest_error", value=max(loud), n=len(loud), unit="LU", bar=0.1, want="at most",
        note=f"{len(over) - len(loud)} of {len(over)} would need more than {levelled.MOST_LIMITED_DB:g} dB of limiting",
    )  # fmt: skip
    yield Result(name="level.peak_over_ceiling", value=max(over), n=len(over), unit="dB", bar=0, want="at most")
    yield Result(name="level.rate_kept", value=float(np.mean(rates)), n=len(rates), bar=1, want="at least")
    if kept:
        yield Result(name="level.dynamics_changed", value=max(kept), n=len(kept), unit="of full scale", bar=1e-3,
                     want="at most")  # fmt: skip
    if silent:
        yield Result(name="level.silence_passed", value=passed / silent, n=silent, bar=1, want="at least")
