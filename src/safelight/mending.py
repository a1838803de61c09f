"""What worker processes do to try a repair of a sound, before anybody is asked about it: nothing is written.

    faults, words ─▶ the repair, in memory ─▶ heard again ─▶ `sound.repaired`

Clicks count as mended where they are not told any more; hum where pauses become quieter and hardly more is taken out of
loud moments than of quiet ones, for mains hum alike in both, and what is more is voice. Noise is turned down on trial,
and each word is measured before and after: one that goes down with the noise is named.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight import headway, limits, weights
from safelight.domain import Json, Measure, digest_of, exact
from safelight.media import sound
from safelight.media.effects import Repairs
from safelight.media.repair.chain import repaired
from safelight.media.repair.deepfilter import WEIGHTS, Model
from safelight.media.repair.quieter import CLEAN_DB, Quieter
from safelight.media.sound import Block
from safelight.probes._faults.sound import Listening
from safelight.probes._faults.spans import Fault, told
from safelight.work import refusal
from safelight.workers import Lost

MENDED, NAME = "mended@3", "sound.repaired"
NEEDS = ("faults.sound", "sound.floor", "words", "clip.ltc")
NOISE_DB = 12.0
KINDS = ("hum", "click")
FRAME_S = 0.01
LOUD = 1 / 3  # share of a word's frames that tell how loud it is
TAKEN_DB = 5.0  # by which a word falls: of stretches whose voice was lowered by 6 dB, 44 of 48 do
BESIDE_S = 0.1  # around a word, which does not count as pause
PAUSE_S = 1.0  # between two words; what is longer may lie where nothing is cleaned
NEAR_S = Fraction(1, 100)  # between a fault and itself, heard again
STEP_S = 0.04  # two periods of the mains
QUARTER = 0.25  # of the steps: the loudest, and the quietest
FAULTS = 0.2  # of a trial that turns noise down as well
S_A_SECOND = 1.0  # what a second of sound may compute

Floats = NDArray[np.float64]
Said = tuple[str, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """Asks what a repair of a sound would do. `faults`: rows of what listening found; `words`: text, start and end in
    seconds of each, of hours no more than a few megabytes; `noisy`: noise is near enough to the voice to be turned
    down; `partial`: some of its words are still to be heard."""

    asset: str
    full: Path
    seconds: float
    faults: tuple[Mapping[str, Any], ...] = ()
    words: tuple[Said, ...] = ()
    noisy: bool = False
    partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What it did; `again`: it was cut off, or not all was known, so that it is to be asked again."""

    asset: str
    measure: Measure
    again: bool = False


def key(heard: str) -> str:
    """What an answer depends on, among it the key of what was heard."""
    return digest_of([MENDED, heard, weights.digests().get(WEIGHTS)])[:24]


def asked(asset: str, full: Path, seconds: float, facts: Mapping[str, Measure]) -> Mend | None:
    """The job for a clip of which this is known; None where there is nothing to mend."""
    rows = [row for row in _rows(facts, "faults.sound") if row["kind"] in KINDS]
    heard, floor = facts.get("words"), facts.get("sound.floor")
    value: Any = heard.value if heard is not None else None
    words = value["words"] if isinstance(value, dict) and value["whole"] else []
    level: Any = floor.value if floor is not None and isinstance(floor.value, dict) else {}
    speech, room = level.get("speech_db"), level.get("floor_db")
    code = facts.get("clip.ltc")
    plays_code = code is not None and code.value is not None  # which would be taken for the voice
    near = speech is not None and room is not None and speech - room < CLEAN_DB[1]
    noisy = bool(words) and near and not plays_code and WEIGHTS in weights.installed()
    if not rows and not noisy:
        return None
    partial = isinstance(value, dict) and not value["whole"]
    return Mend(
        asset=asset, full=full, seconds=seconds, faults=tuple(rows), noisy=noisy, partial=partial,
        words=tuple((w["text"], w["start"], w["end"]) for w in words),
    )  # fmt: skip


def mend(job: Mend) -> Mended:
    """Tries the repair."""
    limits.begin(MENDED, seconds=limits.opening(0) + S_A_SECOND * job.seconds)
    try:
        value = _tried(job)
    except Exception as error:  # noqa: BLE001 - a sound that cannot be read again is evidence, not a crash
        return Mended(asset=job.asset, measure=Measure(name=NAME, cannot_tell=refusal(job.full, error)["cause"]))
    return Mended(asset=job.asset, measure=Measure(name=NAME, value=value), again=job.partial)


def lost(job: Mend, lost: Lost) -> Mended:
    """A sound whose worker was lost while its repair was tried."""
    measure = Measure(name=NAME, cannot_tell=f"trying its repair was cut off: {lost.told}")
    return Mended(asset=job.asset, measure=measure, again=True)


def _rows(facts: Mapping[str, Measure], name: str) -> list[Any]:
    found = facts.get(name)
    return list(found.value) if found is not None and isinstance(found.value, list) else []


# ---------------------------------------------------------------- the trial


def _tried(job: Mend) -> dict[str, Json]:
    repairs = _of(job.faults)
    with headway.within(0, FAULTS if job.noisy else 1):
        faults = tried(_blocks(job), job.faults)
    with headway.within(FAULTS, 1):
        return {"faults": faults, "noise": _noise(job, repairs) if job.noisy else None}


def tried(blocks: Iterator[Block], faults: Sequence[Mapping[str, Any]]) -> list[Json]:
    """What taking out these hums and clicks does to a sound, a row each."""
    beside = _Beside()
    left = _heard(beside.after(repaired(beside.before(blocks), _of(faults))))
    rows = [_plain(row) | beside.told(*_span(row)) for row in faults if row["kind"] == "hum"]
    rows += [
        _plain(row) | {"heard": any(_same(row, fault) for fault in left)} for row in faults if row["kind"] == "click"
    ]
    return list[Json](rows)


def _blocks(job: Mend) -> Iterator[Block]:
    return headway.along(sound.blocks(job.full), job.seconds)


def _of(faults: Sequence[Mapping[str, Any]]) -> Repairs:
    return Repairs(
        hum=tuple((*_span(row), float(row.get("mains_hz") or 50)) for row in faults if row["kind"] == "hum"),
        clicks=tuple(_span(row) for row in faults if row["kind"] == "click"),
    )


def _span(row: Mapping[str, Any]) -> tuple[Fraction, Fraction]:
    return Fraction(row["start"]), Fraction(row["end"])


def _heard(blocks: Iterator[Block]) -> list[Fault]:
    listening = Listening()
    for block in blocks:
        listening.hear(block)
    return told(listening.done())


def _same(row: Mapping[str, Any], fault: Fault) -> bool:
    start, end = _span(row)
    return row["kind"] == fault.kind and fault.start < end + NEAR_S and fault.end > start - NEAR_S


def _plain(row: Mapping[str, Any]) -> dict[str, Json]:
    start, end = _span(row)
    return {"kind": row["kind"], "start": exact(start), "end": exact(end), "mains_hz": row.get("mains_hz")}


@dataclass(slots=True)
class _Beside:
    """A sound and what became of it, step by step: their power, and that of what was taken out."""

    waiting: list[NDArray[np.float32]] = field(default_factory=list)
    rows: list[Floats] = field(default_factory=list)  # steps × (before, after, taken)
    at: Fraction | None = None

    def before(self, blocks: Iterator[Block]) -> Iterator[Block]:
        for block in blocks:
            self.at = block.at if self.at is None else self.at
            self.waiting.append(block.samples.mean(1))
            yield block

    def after(self, blocks: Iterator[Block]) -> Iterator[Block]:
        for block in blocks:
            was, now, size = np.concatenate(self.waiting), block.samples.mean(1), round(block.rate * STEP_S)
            self.waiting = [was[len(now) :]]
            whole = len(now) // size * size
            parts = (was[:whole], now[:whole], was[:whole] - now[:whole])
            self.rows.append(np.stack([(p.reshape(-1, size).astype(np.float64) ** 2).mean(1) for p in parts], 1))
            yield block

    def told(self, start: Fraction, end: Fraction) -> dict[str, Json]:
        """By how many dB the quiet quarter of a stretch became quieter, and how many dB more was taken out of its loud
        quarter than of that."""
        zero = float(self.at or 0)
        first, last = (round((float(at) - zero) / STEP_S) for at in (start, end))
        rows = np.concatenate([*self.rows, np.zeros((0, 3))])[max(first, 0) : last] + 1e-14
        if len(rows) < 1 / QUARTER:
            return {"lowered_db": 0.0, "voice_db": 0.0}
        order, count = np.argsort(rows[:, 0]), round(len(rows) * QUARTER)
        quiet, loud = rows[order[:count]].mean(0), rows[order[-count:]].mean(0)
        return {
            "lowered_db": round(10 * float(np.log10(quiet[0] / quiet[1])), 1),
            "voice_db": round(10 * float(np.log10(loud[2] / quiet[2])), 1),
        }


def _noise(job: Mend, repairs: Repairs) -> dict[str, Json]:
    """What turning noise down does to pauses and to words."""
    model = Model(weights.installed()[WEIGHTS])
    before, after = _Levels(), _Levels()
    mended = repaired(_blocks(job), repairs)
    cleaned = repaired(before.passing(mended), Repairs(), quieter=Quieter(model, NOISE_DB))
    new = [f for f in _heard(after.passing(cleaned)) if not any(_same(row, f) for row in job.faults)]
    was, now = before.levels(), after.levels()
    falls = [_fall(was, now, *before.frames(start, end, within=len(was))) for _, start, end in job.words]
    return {
        "db": NOISE_DB, "lowered_db": round(_pauses(was, now, before, job.words), 1), "words": len(job.words),
        "taken": [
            {"text": text, "start": start, "end": end, "by_db": round(fall, 1)}
            for (text, start, end), fall in zip(job.words, falls, strict=True) if fall > TAKEN_DB
        ],
        "new": [{"kind": f.kind, "start": exact(f.start), "end": exact(f.end)} for f in new if f.kind in KINDS],
    }  # fmt: skip


@dataclass(slots=True)
class _Levels:
    """The power of a sound in steps of 10 ms, as it passes."""

    found: list[Floats] = field(default_factory=list)
    at: Fraction | None = None
    rest: Floats = field(default_factory=lambda: np.zeros(0))
    size: int = 480

    def passing(self, blocks: Iterator[Block]) -> Iterator[Block]:
        for block in blocks:
            if self.at is None:
                self.at, self.size = block.at, round(block.rate * FRAME_S)
            mono = np.concatenate([self.rest, block.samples.mean(1, dtype=np.float64)])
            whole = len(mono) // self.size * self.size
            self.found.append((mono[:whole].reshape(-1, self.size) ** 2).mean(1))
            self.rest = mono[whole:]
            yield block

    def levels(self) -> Floats:
        return np.concatenate([*self.found, np.zeros(0)]) + 1e-12

    def frames(self, start: float, end: float, *, within: int) -> tuple[int, int]:
        """The steps that hold these seconds."""
        first, last = (round((at - float(self.at or 0)) / FRAME_S) for at in (start, end))
        return min(max(first, 0), within), min(max(last, 0), within)


def _fall(was: Floats, now: Floats, first: int, end: int) -> float:
    """By how many dB the loud parts of a word fall."""
    if end <= first:
        return 0.0
    part = was[first:end]
    loud = np.argsort(part)[-max(round(len(part) * LOUD), 1) :]
    return 10 * float(np.log10(part[loud].sum() / now[first:end][loud].sum()))


def _pauses(was: Floats, now: Floats, levels: _Levels, words: Sequence[Said]) -> float:
    """By how many dB it is quieter between words."""
    between = np.zeros(len(was), bool)
    for (_, _, ended), (_, begun, _) in pairwise(words):
        if begun - ended <= PAUSE_S:
            first, end = levels.frames(ended + BESIDE_S, begun - BESIDE_S, within=len(was))
            between[first:end] = True
    if not between.any():
        return 0.0
    return 10 * float(np.log10(np.median(was[between]) / np.median(now[between])))
