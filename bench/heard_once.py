"""One event, recorded near and from far away: how well the far camera's words are known when both are looked at
together, beside the far camera alone.

Each event is the given read recordings (their words are known), one after the other in an order of its own. The
recorder lies near. The camera hears a reverberant room, noise at 10, 5 and 0 dB, only 200 to 5,000 Hz, starts seconds
earlier, and its clock drifts.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import wavfile
from scipy.signal import butter, fftconvolve, sosfiltfilt

from bench.harness import Data, MissingData, Result
from bench.speech import edits, plain
from safelight.api import Library
from safelight.domain import Measure
from safelight.line import Options
from safelight.media import sound

TABLE = "speech/transcripts.json"
NOISE = "speech/noise"
RATE = 16_000
NOISES_DB = (10.0, 5.0, 0.0)  # of the voice above the noise, one event each
EARLIER_S, DRIFT = 4.3, 25e-6
ROOM_S, DIRECT = 0.6, 0.25  # time in which the room's echo falls by 60 dB; the voice against the whole echo
BAND_HZ = (200, 5000)
PAUSE_S = (0.7, 1.6)
TONE = 3e-4  # of the room in which the recorder lies, full scale
FAR, NEAR = "camera.wav", "recorder.wav"


@dataclass(frozen=True, kw_only=True)
class Event:
    """What both record, and the words that are said, in order."""

    near: NDArray[np.float64]
    far: NDArray[np.float64]
    words: tuple[str, ...]


def run(data: Data) -> Iterable[Result]:
    """All figures."""
    alone = together = near = said = taken = 0
    own_s = length_s = 0.0
    late: list[float] = []
    for number, noise_db in enumerate(NOISES_DB):
        event = _event(data, number, noise_db)
        lasts = len(event.far) / RATE
        by_itself = _looked_at(data.work / f"alone-{number}", {FAR: event.far})[FAR]
        both = _looked_at(data.work / f"both-{number}", {FAR: event.far, NEAR: event.near})
        errors, errors_alone = (_errors(event.words, found) for found in (both[FAR], by_itself))
        yield Result(
            name=f"far_camera.wer.at_{noise_db:.0f}_db", value=errors / len(event.words), n=len(event.words),
            unit="share", beside={"camera alone": errors_alone / len(event.words)},
        )  # fmt: skip
        said += len(event.words)
        together, alone, near = together + errors, alone + errors_alone, near + _errors(event.words, both[NEAR])
        own_s, length_s = own_s + _own(both[FAR], lasts), length_s + lasts
        shared = _late(both[NEAR], both[FAR])
        late, taken = late + shared, taken + len(shared)
    yield Result(
        name="far_camera.wer", value=together / said, n=said, unit="share", bar=alone / said, want="at most",
        beside={"camera alone": alone / said},
    )  # fmt: skip
    yield Result(name="recorder.wer", value=near / said, n=said, unit="share", note="what is taken is as right as this")
    yield Result(
        name="far_camera.heard_again", value=own_s / length_s, n=len(NOISES_DB), unit="share",
        note="of the camera's sound that its own words are taken from",
    )  # fmt: skip
    yield Result(
        name="shared.late_ms", value=1000 * float(np.median(np.abs(late))) if late else None, n=taken, unit="ms",
        bar=10, want="at most", note="of words that both have, against the clocks as they were made",
    )  # fmt: skip


def _event(data: Data, number: int, noise_db: float) -> Event:
    """The recordings in an order of this event's own, near and far."""
    table, noises = data.find(TABLE), data.find(NOISE)
    if table is None or noises is None:
        raise MissingData(f"{TABLE} or {NOISE} is not there")
    texts = json.loads(table.read_text("utf-8"))["text"]
    named = sorted(n for n in texts if not n.startswith("faces/") and "noisy" not in n)
    rng = np.random.default_rng(number + 1)
    parts, words = [np.zeros(RATE)], list[str]()
    for name in (named[i] for i in rng.permutation(len(named))):
        voice = _samples(table.parent.parent / name)
        parts += [0.1 * voice / np.sqrt((voice**2).mean()), np.zeros(round(RATE * rng.uniform(*PAUSE_S)))]
        words += texts[name].split()
    clean = np.concatenate(parts)
    grounds = sorted(p for p in noises.iterdir() if p.is_file())
    far = _far(clean, _samples(grounds[number % len(grounds)]), noise_db, rng)
    return Event(near=clean + TONE * rng.normal(size=len(clean)), far=far, words=tuple(words))


def _far(clean: NDArray[np.float64], ground: NDArray[np.float64], noise_db: float, rng: Any) -> NDArray[np.float64]:
    """What a camera at the other end of the room hears, from a few seconds earlier on, by its own clock."""
    count = round(EARLIER_S * RATE)
    echo = rng.normal(size=round(ROOM_S * RATE)) * 10 ** (-3 * np.arange(round(ROOM_S * RATE)) / (ROOM_S * RATE))
    echo *= np.sqrt((1 - DIRECT) / DIRECT / (echo**2).sum())
    echo[0] = 1.0
    heard = fftconvolve(np.concatenate((np.zeros(count), clean)), echo)[: count + len(clean)]
    noise = np.resize(ground, len(heard))
    loud = np.sqrt((heard[count:] ** 2).mean() / (noise**2).mean())
    heard = heard + noise * loud * 10 ** (-noise_db / 20)
    heard = sosfiltfilt(butter(4, BAND_HZ, "bandpass", fs=RATE, output="sos"), heard)
    own_clock = np.arange(int(len(heard) / (1 + DRIFT))) * (1 + DRIFT)
    heard = np.interp(own_clock, np.arange(len(heard)), heard)
    return np.asarray(0.5 * heard / np.abs(heard).max())


def _samples(path: Path) -> NDArray[np.float64]:
    blocks = [block.samples[:, 0] for block in sound.blocks(path, rate=RATE, mono=True)]
    return np.concatenate(blocks).astype(np.float64)


def _looked_at(folder: Path, sounds: dict[str, NDArray[np.float64]]) -> dict[str, dict[str, Measure]]:
    """What a run says about the recordings, by name."""
    for name, samples in sounds.items():
        (folder / "shoot").mkdir(parents=True, exist_ok=True)
        wavfile.write(folder / "shoot" / name, RATE, np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16))
    with Library.open(folder / "library") as library:
        library.run(folder / "shoot", options=Options(jobs=2))
        clips = library.state(folder / "shoot").clips
        return {clip.path: dict(clip.facts) for clip in clips.values()}


def _transcript(found: dict[str, Measure]) -> dict[str, Any]:
    value = found["words"].value if "words" in found else None
    return value if isinstance(value, dict) else {}


def _rows(found: dict[str, Measure]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = _transcript(found).get("words", [])
    return rows


def _errors(truth: Sequence[str], found: dict[str, Measure]) -> int:
    return edits(plain(truth), plain([row["text"] for row in _rows(found)]))[0]


def _own(found: dict[str, Measure], lasts: float) -> float:
    """Seconds of its sound that were listened to."""
    rows = _transcript(found).get("heard_from", [])
    return lasts - sum(float(row["seconds"]) for row in rows if row.get("recording"))


def _late(near: dict[str, Measure], far: dict[str, Measure]) -> list[float]:
    """By how many seconds words of the camera that the recorder has too come late, clocks as they were made."""
    found = []
    theirs = [(row["text"], float(row["start"])) for row in _rows(near)]
    for row in _rows(far):
        at = float(row["start"]) * (1 + DRIFT) - EARLIER_S
        text, start = min(theirs, key=lambda t: abs(t[1] - at), default=("", np.inf))
        if text == row["text"] and abs(start - at) < 0.5:
            found.append(at - start)
    return found
