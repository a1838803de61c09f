"""Faults of picture and sound on programmes with one kind each (recipe `faults` of the audio-visual set), on legal
look-alikes, and on the clips of the data.

`recall.KIND`: events found, near them in time, over every made set that is given; the note lists what was missed.
`false`: spans told where nothing was done, in ten minutes, over look-alikes and clean programmes, and by kind. Voices
come from real recordings, and some of these hum: the note says how many false spans of hum lie in programmes of such
(a line of their mains stands over its surroundings in the mean spectrum of the whole recording). `real.spans`: what is
told on real clips, whose own faults nobody has listed. A frame that a source itself shows twice counts as false, for
the truth lists only what was made. Beside: FFmpeg's detectors with the thresholds that are usual.
"""

import json
import re
import shutil
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import welch

from bench.harness import Data, Result
from safelight.media import container, sound, video
from safelight.probes._faults import picture
from safelight.probes._faults.frames import Measuring
from safelight.probes._faults.sound import Listening
from safelight.probes._faults.spans import Fault, told

RECIPE = "faults/truth.json"
PICTURE = ("black", "freeze", "duplicate", "dropped", "flashing", "flicker", "colour_jump", "comb", "blocky",
           "levels")  # fmt: skip
SOUND = ("clipping", "hum", "click", "dead_channel", "inverted_phase", "dropout", "dc_offset", "silence")
ALIKE = {"freeze": ("freeze", "duplicate"), "duplicate": ("freeze", "duplicate")}  # one frame or many: both are told
NEAR = Fraction(1, 10)
PEERS = {"black": "blackdetect=d=0.01:pic_th=0.98:pix_th=0.1", "freeze": "freezedetect=n=-60dB:d=0.1",
         "silence": "silencedetect=n=-60dB:d=0.4"}  # fmt: skip
SAID = re.compile(r"(black|freeze|silence)_start: ?([\d.]+)")


def run(data: Data) -> Iterable[Result]:
    """All figures."""
    items = [
        (path.parent, item)
        for path in data.every(RECIPE, recipe="faults")
        for item in json.loads(path.read_text("utf-8"))["items"]
    ]
    yield from _medium(data, [i for i in items if i[1]["media"] == "picture"], PICTURE, "picture")
    yield from _medium(data, [i for i in items if i[1]["media"] == "sound"], SOUND, "sound")
    clips = data.find("video/shots.json")
    if clips is not None:
        spans, seconds = Counter[str](), 0.0
        for clip in sorted(p for p in clips.parent.iterdir() if p.suffix in (".mp4", ".webm")):
            found, lasts, _ = _seen(clip)
            spans.update(f.kind for f in told(found))
            seconds += lasts
        yield Result(
            name="real.spans", value=sum(spans.values()) * 600 / seconds, n=sum(spans.values()), unit="in 10 min",
            note=", ".join(f"{kind} {count}" for kind, count in sorted(spans.items())),
        )  # fmt: skip


def _medium(
    data: Data, items: list[tuple[Path, dict[str, Any]]], kinds: tuple[str, ...], name: str
) -> Iterator[Result]:
    hits, events, wrong, humming = Counter[str](), Counter[str](), Counter[str](), 0
    missed: defaultdict[str, list[str]] = defaultdict(list)
    peers, seconds, spent, frames = Counter[str](), 0.0, 0.0, 0
    for folder, item in items:
        found, lasts, (took, count) = (_seen if name == "picture" else _listened)(folder / item["file"])
        spoken = told(found)
        seconds, spent, frames = seconds + lasts, spent + took, frames + count
        truths = [(e["kind"], Fraction(e["start"]), Fraction(e["end"])) for e in item["events"]]
        for event, (kind, start, end) in zip(item["events"], truths, strict=True):
            events[kind] += 1
            if any(f.kind in ALIKE.get(kind, (kind,)) and _near(f, start, end) for f in spoken):
                hits[kind] += 1
            else:
                missed[kind].append(" ".join(f"{k} {v:.3g}" for k, v in event["strength"].items() if _is_number(v)))
        false = [f for f in spoken if not any(_near(f, start, end) for _, start, end in truths)]
        wrong.update(f.kind for f in false)
        if any(f.kind == "hum" for f in false):
            own = [path for source in item["sources"] if (path := data.find(source)) is not None]
            humming += sum(f.kind == "hum" and any(_hums(path, f.hertz or 50) for path in own) for f in false)
        for kind in {k for k, _, _ in truths} & set(PEERS):
            starts = _peer(folder / item["file"], kind)
            peers[kind] += sum(any(s - NEAR <= at <= e + NEAR for at in starts) for k, s, e in truths if k == kind)
    for kind in kinds:
        beside = {"ffmpeg": peers[kind] / events[kind]} if kind in PEERS and events[kind] else {}
        if events[kind]:
            yield Result(name=f"{name}.recall.{kind}", value=hits[kind] / events[kind], n=events[kind], bar=0.95,
                         want="at least", beside=beside, note=_listed(missed[kind]))  # fmt: skip
        yield Result(name=f"{name}.false.{kind}", value=wrong[kind] * 600 / seconds, n=wrong[kind], unit="in 10 min",
                     bar=1, want="at most", note=f"{humming} of recordings that hum" * (kind == "hum" and humming > 0),
                     )  # fmt: skip
    if frames:
        yield Result(name="picture.ms_a_frame", value=spent / frames * 1e3, n=frames, unit="ms", bar=1, want="at most")
    else:
        yield Result(name="sound.cpu", value=spent / seconds, n=len(items), unit="s a second")


def _listed(missed: list[str]) -> str:
    return "missed: " + "; ".join(missed) if missed else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _hums(path: Path, mains: float) -> bool:
    """Whether a line of the mains stands 10 dB over its surroundings in the mean spectrum of a recording."""
    blocks = list(sound.blocks(path))
    samples, rate = np.concatenate([block.samples.mean(1) for block in blocks]), blocks[0].rate
    hertz, power = welch(samples, rate, nperseg=min(2 * rate, len(samples)))
    for harmonic in mains * np.arange(1, 5):
        away = np.abs(hertz - harmonic)
        if power[away < 1].max() > 10 * np.median(power[(away > 3) & (away < 12)]):
            return True
    return False


def _near(fault: Fault, start: Fraction, end: Fraction) -> bool:
    return fault.start < end + NEAR and fault.end > start - NEAR


def _seen(path: Path) -> tuple[list[Fault], float, tuple[float, int]]:
    """Faults of the picture, seconds, and what looking cost beyond decoding."""
    facts = container.contents(path)
    shown = facts.picture
    assert shown is not None
    measuring = Measuring(interlaced=shown.fields is not None, full_range=shown.levels == "full")
    took = 0.0
    for still in video.frames(path, long_side=256, facts=facts, luma=True):
        began = time.process_time()
        measuring.see(still)
        took += time.process_time() - began
    began = time.process_time()
    found = picture.found(measuring.rows, rate=shown.rate)
    took += time.process_time() - began
    at = measuring.rows.at
    return found, float(at[-1]) if at else 0.0, (took, len(at))


def _listened(path: Path) -> tuple[list[Fault], float, tuple[float, int]]:
    listening, seconds, took = Listening(), 0.0, 0.0
    for block in sound.blocks(path):
        began = time.process_time()
        listening.hear(block)
        took += time.process_time() - began
        seconds += len(block.samples) / block.rate
    return listening.done(), seconds, (took, 0)


def _peer(path: Path, kind: str) -> list[Fraction]:
    """Where FFmpeg's detector says that one begins; nothing where there is no such program."""
    if shutil.which("ffmpeg") is None:
        return []
    which = "-af" if kind == "silence" else "-vf"
    command = ["ffmpeg", "-hide_banner", "-nostdin", "-i", str(path), which, PEERS[kind], "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    return [Fraction(at) for name, at in SAID.findall(said) if name == kind]
