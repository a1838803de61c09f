"""Parts of the bench of speech: when words begin, where somebody speaks, fillers, memory."""

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import _spoken
from bench.harness import Data, MissingData, Result
from safelight import weights
from safelight.media import sound
from safelight.media.runs import joined
from safelight.speech import activity, align, chunks, levels, moonshine
from safelight.speech import fillers as said_between
from safelight.speech.activity import RATE, Samples, Span

LONGEST = 14  # words of a spoken sentence
FRAME_S = 0.01
FRAME = round(RATE * FRAME_S)
GATE_DB = 15.0  # above the quietest tenth: what a gate of the level calls speech
TALKS = "talks/truth.json"
WORDS = 135  # of clean speech, in which false fillers are counted


def starts(texts: Iterable[str], work: Path) -> Iterable[Result]:
    """Starts of words in sentences of synthetic voices, when the words are known, against the voice's own events."""
    if not _spoken.available():
        return
    parts = [w[i : i + LONGEST] for t in sorted(set(texts)) for w in [t.split()] for i in range(0, len(w), LONGEST)]
    listed = work / "texts.json"
    listed.write_text(json.dumps([" ".join(part) for part in parts if len(part) >= 3]))
    subprocess.run([sys.executable, "-m", "bench._spoken", str(work), str(listed)], check=True)
    off: list[float] = []
    count = 0
    for item in json.loads((work / "truth.json").read_text()):
        rows = [row for row in item["words"] if row["text"]]
        x = sound.read(work / item["file"], rate=RATE, mono=True).samples[:, 0]
        found = align.align(x, [row["text"] for row in rows], weights.installed())
        count += len(rows)
        if found is not None:
            off += [abs(span[0] - row["start"]) for span, row in zip(found, rows, strict=True)]
    yield Result(name="starts.mean", value=1000 * float(np.mean(off)), n=len(off), unit="ms", bar=25, want="at most",
                 note="words given, synthetic voices")  # fmt: skip
    yield Result(name="starts.p90", value=1000 * float(np.quantile(off, 0.9)), n=len(off), unit="ms", bar=60,
                 want="at most")  # fmt: skip
    yield Result(name="starts.aligned", value=len(off) / count, n=count, unit="of the words")


def speech(recordings: Sequence[Path], noises: Sequence[Path]) -> Iterable[Result]:
    """Frames of 10 ms with speech, against the level of the clean recordings, laid into one track with pauses."""
    rng = np.random.default_rng(1)
    parts: list[Samples] = []
    marks: list[NDArray[np.bool_]] = []
    for path in (p for p in recordings if "noisy" not in p.stem):
        x = sound.read(path, rate=RATE, mono=True).samples[:, 0]
        x = x[: len(x) // FRAME * FRAME]
        pause = np.zeros(round(rng.uniform(0.4, 2) / FRAME_S) * FRAME, np.float32)
        parts += [x * np.float32(0.05 / np.sqrt(np.square(x).mean())), pause]
        marks += [_active(x), np.zeros(len(pause) // FRAME, bool)]
    clean, truth = np.concatenate(parts), np.concatenate(marks)
    power = float(np.square(clean[np.repeat(truth, FRAME)]).mean())
    noisy = {f"{p.stem}_0db": _noise(p, len(clean)) for p in noises}
    noisy["white_0db"] = rng.normal(0, 1, len(clean)).astype(np.float32)
    for name, noise, bar in (("clean", None, 0.93), *((n, x, 0.91) for n, x in noisy.items())):
        mixed = clean if noise is None else clean + noise * np.float32(np.sqrt(power / np.square(noise).mean()))
        voice = activity.Activity(weights.installed())
        voice.hear(mixed)
        ours = _marks(activity.spans(voice.done()), len(truth))
        level = levels.levels(mixed[:, None], RATE)[: len(truth)]
        gate = level > np.percentile(level[level > levels.DIGITAL_DB], 10) + GATE_DB
        voices_around = "voices" in name
        yield Result(
            name=f"speech.{name}.f1", value=_f1(ours, truth), n=len(truth), unit="of frames",
            bar=None if voices_around else bar, want=None if voices_around else "at least",
            beside={"gate": _f1(gate, truth)}, note="other people speak in the noise" if voices_around else "",
        )  # fmt: skip


def _noise(path: Path, length: int) -> Samples:
    x = sound.read(path, rate=RATE, mono=True).samples[:, 0]
    return np.resize(x, length)


def _active(clean: Samples) -> NDArray[np.bool_]:
    """Speech by the level of a clean recording, as recipe `talks` has it: above its room and within 35 dB of its loud
    parts; gaps under 0.1 s closed, runs under 0.06 s none."""
    level = levels.levels(clean[:, None], RATE)
    quiet, loud = np.percentile(level, (5, 95))
    marks = level > min(max(loud - 35, quiet + 10), loud - 20)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marks.astype(int), [0]])))
    spans = [(a * FRAME_S, b * FRAME_S) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return _marks([s for s in joined(spans, gap=0.1) if s[1] - s[0] >= 0.06], len(marks))


def _marks(spans: Sequence[Span], count: int) -> NDArray[np.bool_]:
    marks = np.zeros(count, bool)
    for a, b in spans:
        marks[round(a / FRAME_S) : round(b / FRAME_S)] = True
    return marks


def _f1(said: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return float(2 * (said & truth).sum() / max(said.sum() + truth.sum(), 1))


def fillers(data: Data) -> Iterable[Result]:
    """Fillers that were put into talks in quiet rooms, and what is taken for one in talks without."""
    try:
        paths = data.every(TALKS, recipe="talks")
    except MissingData:
        return
    made = found = false = words = 0
    for path in paths:
        for item in json.loads(path.read_text("utf-8"))["items"]:
            lasts = float(Fraction(item["duration"]))
            if item["noise"] is not None or lasts > 600:
                continue
            told, count = _told(path.parent / item["file"])
            truth = [(float(Fraction(f["start"])), float(Fraction(f["end"]))) for f in item["fillers"]]
            made, words = made + len(truth), words + count
            found += sum(any(_meet(t, f) for f in told) for t in truth)
            false += sum(not any(_meet(t, f) for t in truth) for f in told)
    yield Result(name="fillers.found", value=found / max(made, 1), n=made, bar=0.9, want="at least",
                 note="made data only: espeak-ng in real talks, voice 24 dB and more above the room")  # fmt: skip
    yield Result(name="fillers.false", value=WORDS * false / max(words, 1), n=words, unit=f"in {WORDS} words", bar=4,
                 want="at most", note="words of the same talks")  # fmt: skip


def _meet(one: Span, other: Span) -> bool:
    return min(one[1], other[1]) > max(one[0], other[0])


def _told(path: Path) -> tuple[list[Span], int]:
    x = sound.read(path, rate=RATE, mono=True).samples[:, 0]
    installed = weights.installed()
    voice = activity.Activity(installed)
    voice.hear(x)
    spans = activity.spans(voice.done())
    found: list[Span] = []
    count = 0
    for span in chunks.chunks(spans, levels.levels(x[:, None], RATE)):
        inside = [(max(a - span[0], 0.0), b - span[0]) for a, b in spans if b > span[0] and a < span[1]]
        part = chunks.cut(x, span)
        words = chunks.hear(part, inside, moonshine.recogniser, installed)
        count += len(words)
        found += [(span[0] + f.start, span[0] + f.end) for f in said_between.told(part, words, installed)]
    return found, count


MEMORY = """
import resource, sys
from pathlib import Path
from bench.speech import heard
from safelight.media import sound
for name in sys.argv[1:]:
    heard(sound.read(Path(name), rate=16000, mono=True).samples[:, 0])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def memory(recordings: Sequence[Path]) -> Iterable[Result]:
    """The most that a process holds which hears all recordings, one after another."""
    told = subprocess.run(
        [sys.executable, "-c", MEMORY, *map(str, recordings)], check=True, capture_output=True, text=True
    )
    yield Result(name="memory", value=int(told.stdout) / 1024, n=len(recordings), unit="MB", bar=700, want="at most")
