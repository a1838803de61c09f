"""Words of speech: how many are wrong, when they begin, how well confidence ranks them, what is heard in noise, who
speaks, fillers, what it costs.

The recordings that `speech/transcripts.json` and `synthetic/speech/mixes.csv` of the data name; sentences spoken by
espeak-ng, which says when each word begins; recipe `talks`. Errors are counted over words in lower case without
punctuation, numbers said. Beside the chain: pocketsphinx as a recogniser, a gate of the level as speech activity.
"""

import csv
import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench import _heard, _voices
from bench.harness import Data, MissingData, Result, auc
from safelight import weights
from safelight.media import sound
from safelight.speech import activity, align, chunks, fillers, levels, moonshine, voices
from safelight.speech.activity import RATE, Samples
from safelight.speech.chunks import Word

TABLE, MIXES = "speech/transcripts.json", "synthetic/speech/mixes.csv"
BARS = {"read": 0.06, "mixes": 0.20}
SAME = {"mr": "mister", "mrs": "missus"}


def run(data: Data) -> Iterable[Result]:
    """All figures."""
    needed = {activity.NAME, moonshine.NAME, align.NAME}
    if not needed <= set(weights.installed()):
        raise MissingData(f"weights are missing: safelight models fetch {' '.join(sorted(needed))}")
    sets = _sets(data)
    right: list[float] = []
    wrong: list[float] = []
    words = aligned = 0
    seconds = heard_s = 0.0
    for name, items in sets.items():
        errors = theirs = count = 0
        for path, text in items:
            x = sound.read(path, rate=RATE, mono=True).samples[:, 0]
            began = time.process_time()
            found = heard(x)
            seconds += time.process_time() - began
            heard_s += len(x) / RATE
            truth = plain(text.split())
            said = [(p, w.confidence) for w in found for p in plain([w.text])]
            distance, matched = edits(truth, [p for p, _ in said])
            errors, count = errors + distance, count + len(truth)
            for (_, confidence), ok in zip(said, matched, strict=True):
                (right if ok else wrong).append(confidence)
            words, aligned = words + len(found), aligned + sum(w.timed == "aligned" for w in found)
            theirs += edits(truth, plain(_pocketsphinx(x)))[0]
        yield Result(
            name=f"{name}.wer", value=errors / count, n=count, bar=BARS.get(name),
            beside={"pocketsphinx": theirs / count}, want="at most" if name in BARS else None,
        )  # fmt: skip
    yield Result(name="confidence.auc", value=auc(right, wrong), n=len(right) + len(wrong), bar=0.82, want="at least",
                 note=f"{len(wrong)} wrong words")  # fmt: skip
    yield Result(name="times.aligned", value=aligned / words, n=words, note="the rest is marked as estimated")
    yield Result(name="cost", value=seconds / heard_s, n=round(heard_s), unit="CPU s a second", bar=0.3, want="at most",
                 note="speech activity, words, their times, fillers, voices")  # fmt: skip
    yield from _nobody()
    yield from _heard.starts([text for items in sets.values() for _, text in items], data.work)
    clean = [path for name in ("read", "pairs") for path, _ in sets.get(name, ())]
    yield from _heard.speech(clean, _noises(data))
    yield from _voices.results(p for p in clean if "noisy" not in p.stem)
    yield from _heard.fillers(data)
    yield from _heard.memory(clean)


def heard(x: Samples) -> list[Word]:
    """The words of a whole recording, as a first pass hears it."""
    installed = weights.installed()
    voice = activity.Activity(installed)
    voice.hear(x)
    speech = activity.spans(voice.done())
    found: list[Word] = []
    room = levels.floor(levels.levels(x[:, None], RATE), speech)
    clear = room.speech_db is not None and room.speech_db - room.floor_db >= fillers.CLEAR_DB
    for span in chunks.chunks(speech, levels.levels(x[:, None], RATE)):
        inside = [(max(a - span[0], 0.0), b - span[0]) for a, b in speech if b > span[0] and a < span[1]]
        part = chunks.cut(x, span)
        words = chunks.hear(part, inside, moonshine.recogniser, installed)
        if clear:
            fillers.told(part, words, installed)
        found += words
    if voices.NAME in installed:
        voices.tell(lambda span: chunks.cut(x, span), speech, installed)
    return found


def _noises(data: Data) -> list[Path]:
    folder = data.find("speech/noise")
    return sorted(p for p in folder.iterdir() if p.suffix in {".wav", ".flac", ".ogg", ".mp3"}) if folder else []


def _sets(data: Data) -> dict[str, list[tuple[Path, str]]]:
    table = data.find(TABLE)
    if table is None:
        raise MissingData(f"{TABLE} is not there")
    root = table.parent.parent
    texts = json.loads(table.read_text("utf-8"))["text"]
    found: dict[str, list[tuple[Path, str]]] = {}
    for name, text in texts.items():
        kind = "pairs" if "pairs/" in name else "short" if name.startswith("faces/") else "read"
        found.setdefault(kind, []).append((root / name, text))
    mixes = data.find(MIXES)
    if mixes is not None:
        with mixes.open(newline="", encoding="utf-8") as file:
            rows = [(mixes.parent / r["noisy"], texts[r["speech"]]) for r in csv.DictReader(file)]
        found["mixes"] = rows
    return found


def _nobody() -> Iterable[Result]:
    """Noise, digital silence and a chord, half a minute each: nothing may be written down."""
    rng, t = np.random.default_rng(1), np.arange(30 * RATE) / RATE
    made: list[Any] = [
        np.zeros(len(t)),
        rng.normal(0, 0.05, len(t)),
        sum(0.1 * np.sin(2 * np.pi * f * t) for f in (220, 277, 330)),
    ]
    words = sum(len(heard(x.astype(np.float32))) for x in made)
    yield Result(name="nobody.words", value=words, n=len(made), unit="words", bar=0, want="at most")


def plain(words: Sequence[str]) -> list[str]:
    """Words as they are compared."""
    parts = [p.replace("'", "") for w in words for p in align.spelt(w)]
    return [SAME.get(p, p) for p in parts]


def edits(truth: Sequence[str], said: Sequence[str]) -> tuple[int, list[bool]]:
    """The least number of words changed, left out or added, and which of those said are right."""
    cost = np.zeros((len(truth) + 1, len(said) + 1), int)
    cost[:, 0], cost[0] = range(len(truth) + 1), range(len(said) + 1)
    for i, a in enumerate(truth, 1):
        for j, b in enumerate(said, 1):
            cost[i, j] = min(cost[i - 1, j - 1] + (a != b), cost[i - 1, j] + 1, cost[i, j - 1] + 1)
    i, j, right = len(truth), len(said), [False] * len(said)
    while i and j:
        if cost[i, j] == cost[i - 1, j - 1] + (truth[i - 1] != said[j - 1]):
            right[j - 1] = truth[i - 1] == said[j - 1]
            i, j = i - 1, j - 1
        elif cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
        else:
            j -= 1
    return int(cost[-1, -1]), right


def _pocketsphinx(x: Samples) -> list[str]:
    from pocketsphinx import Decoder

    decoder = Decoder(samprate=16000, loglevel="FATAL")
    decoder.start_utt()
    decoder.process_raw((np.clip(x, -1, 1) * 32767).astype("<i2").tobytes(), full_utt=True)
    decoder.end_utt()
    hypothesis = decoder.hyp()
    return hypothesis.hypstr.split() if hypothesis else []
