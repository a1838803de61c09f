"""What worker processes do to hear a recording: silences, speech, words. In pieces, so that a long one shows its first
minutes early and goes on where it was cut off.

`prepare` decodes the sound once, in blocks, to 16 kHz in the shoot's cache, and finds speech and silences; `hear`
writes down the words of one piece and keeps them in the cache. What lies there can be made again.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from safelight import engine, limits, weights
from safelight.domain import Json, Measure, digest_of, exact
from safelight.files import write_atomic
from safelight.media import container, sound
from safelight.speech import activity, align, chunks, levels, moonshine
from safelight.speech.activity import RATE, Span
from safelight.work import refusal
from safelight.workers import Lost

HEARD = "heard@1"
PIECE_S = 60.0  # of speech
BATCH_S = 7200.0  # recordings are prepared until there is so much to hear: what waits lies on the disk
S_A_SECOND = 0.3  # what preparing, and hearing, may compute for a second
HELP = "its weights are not installed; safelight models fetch "


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Asks what is heard in a file. `place`: where its pieces lie, in the cache."""

    asset: str
    full: Path
    place: Path
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Asks for the words of some chunks, (chunk, the speech in it) in seconds of the sound."""

    asset: str
    number: int
    place: Path
    parts: tuple[tuple[Span, tuple[Span, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Speech and silences of a file, and the pieces that are to be heard. `offset`: of the sound's first sample."""

    asset: str
    measures: tuple[Measure, ...] = ()
    pieces: tuple[Piece, ...] = ()
    offset: Fraction = Fraction(0)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Words of a piece, with times of the sound; or why there are none."""

    asset: str
    number: int
    words: tuple[dict[str, Json], ...] = ()
    trouble: str | None = None


def key() -> str:
    """What an answer depends on: another version or other weights mean listening again."""
    papers = weights.digests()
    used = [n for n in (activity.NAME, moonshine.NAME, align.NAME) if n in papers]
    return digest_of([HEARD, moonshine.recogniser.label, [[n, papers[n]] for n in used]])[:24]


def prepare(job: Listen) -> Prepared:
    """Decodes the sound of a file, says where it is silent, and plans what is to be heard."""
    limits.begin("sound", seconds=limits.opening(0) + S_A_SECOND * job.seconds)
    installed = weights.installed()
    heard = activity.Activity(installed) if activity.NAME in installed else None
    found: list[levels.Levels] = []
    offset: Fraction | None = None
    job.place.mkdir(parents=True, exist_ok=True)
    try:
        facts = container.contents(job.full)
        if not facts.sounds:
            return Prepared(asset=job.asset, measures=_nothing("it has no sound"))
        waiting = job.place / "sound.part"
        with waiting.open("wb") as file:
            for block in sound.blocks(job.full, rate=RATE, facts=facts):
                offset = block.at if offset is None else offset
                found.append(levels.levels(block.samples, RATE))
                mono = _one(block.samples)
                (np.clip(mono, -1, 1) * 32767).astype("<i2").tofile(file)
                if heard is not None:
                    heard.hear(mono)
        waiting.replace(job.place / "sound.16k")
    except Exception as error:  # noqa: BLE001 - a sound that cannot be decoded is evidence, not a crash
        return Prepared(asset=job.asset, measures=_nothing(refusal(job.full, error)["cause"]))
    level = np.concatenate(found) if found else np.zeros(0, np.float32)
    speech = activity.spans(heard.done()) if heard is not None else []
    offset = offset or Fraction(0)
    return Prepared(
        asset=job.asset, measures=_silent(level, speech, offset, told=heard is not None), offset=offset,
        seconds=len(level) * levels.FRAME_S, pieces=_pieces(job, level, speech),
    )  # fmt: skip


def hear(job: Piece) -> Heard:
    """The words of a piece, from the cache where it was heard before."""
    kept = job.place / f"{job.number:05d}.{key()}.json"
    if kept.exists():
        return Heard(asset=job.asset, number=job.number, words=tuple(json.loads(kept.read_text("utf-8"))))
    limits.begin(HEARD, seconds=limits.opening(0) + 20 * S_A_SECOND * PIECE_S)
    try:
        words = _heard(job)
    except Exception as error:  # noqa: BLE001 - what breaks while words are heard costs a part, not the run
        told = f"a part was not heard: {type(error).__name__}: {error}"
        return Heard(asset=job.asset, number=job.number, trouble=told)
    write_atomic(kept, json.dumps(words, ensure_ascii=False).encode())
    return Heard(asset=job.asset, number=job.number, words=tuple(words))


def _heard(job: Piece) -> list[dict[str, Json]]:
    installed, path = weights.installed(), job.place / "sound.16k"
    samples: Any = np.memmap(path, "<i2", "r")
    words: list[dict[str, Json]] = []
    for span, speech in job.parts:
        part = chunks.cut(samples, span).astype(np.float32) / np.float32(32768)
        inside = [(max(a - span[0], 0.0), b - span[0]) for a, b in speech]
        for word in chunks.hear(part, inside, moonshine.recogniser, installed):
            row = word.json
            row |= {"start": round(span[0] + word.start, 3), "end": round(span[0] + word.end, 3)}
            words.append(row)
    return words


def lost_sound(job: Listen, lost: Lost) -> Prepared:
    """A file whose worker was lost while its sound was decoded."""
    return Prepared(asset=job.asset, measures=_nothing(f"listening was cut off: {lost.told}"))


def lost_piece(job: Piece, lost: Lost) -> Heard:
    """A piece whose worker was lost: its words are missing, and that is said."""
    return Heard(asset=job.asset, number=job.number, trouble=f"a part was given up: {lost.told}")


def listen(
    executor: Executor, width: int, jobs: Sequence[Listen], save: Callable[[str, Sequence[Measure]], None],
    step: Callable[[], None],
) -> None:  # fmt: skip
    """Hears recordings, some hours at a time; `save` gets each one's measures, the words again whenever those that were
    heard have doubled, and `step` a call for each finished recording."""
    for batch in _batches(jobs):
        known: dict[str, _Growing] = {}
        for made in engine.stream(executor, width, iter([(prepare, j) for j in batch]), rescue=lost_sound):
            save(made.asset, made.measures)
            known[made.asset] = _Growing(made, save)
            if not made.pieces:
                step()
        pieces = [(hear, p) for j in batch for p in known[j.asset].prepared.pieces]
        for found in engine.stream(executor, width, iter(pieces), rescue=lost_piece):
            if known[found.asset].add(found):
                step()
        for job in batch:
            (job.place / "sound.16k").unlink(missing_ok=True)


class _Growing:
    """The words of one recording as its pieces come."""

    def __init__(self, prepared: Prepared, save: Callable[[str, Sequence[Measure]], None]) -> None:
        self.prepared, self.save, self.found, self.told = prepared, save, dict[int, Heard](), 0

    def add(self, piece: Heard) -> bool:
        """Takes a piece; whether it was the last. Words are written when they have doubled, up to the first gap."""
        self.found[piece.number] = piece
        count, total = 0, len(self.prepared.pieces)
        while count in self.found:
            count += 1
        if count and (count >= 2 * self.told or count == total):
            self.told = count
            self.save(self.prepared.asset, [self._words(count, whole=count == total)])
        return count == total

    def _words(self, count: int, *, whole: bool) -> Measure:
        pieces = [self.found[n] for n in range(count)]
        words = [_moved(w, self.prepared.offset) for p in pieces for w in p.words]
        language, because = chunks.language(words, moonshine.recogniser)
        until = self.prepared.seconds if whole else self.prepared.pieces[count - 1].parts[-1][0][1]
        value: dict[str, Json] = {
            "language": language, "language_because": because, "recogniser": moonshine.recogniser.label,
            "heard_s": round(until + float(self.prepared.offset), 3), "whole": whole, "words": words,
            "troubles": [p.trouble for p in pieces if p.trouble],
        }  # fmt: skip
        return Measure(name="words", value=value)


def _batches(jobs: Sequence[Listen]) -> Iterator[list[Listen]]:
    batch: list[Listen] = []
    for job in jobs:
        batch.append(job)
        if sum(j.seconds for j in batch) >= BATCH_S:
            yield batch
            batch = []
    if batch:
        yield batch


def _one(samples: sound.Samples) -> activity.Samples:
    """Mono: the mean of the channels, or the louder one where they cancel each other."""
    mean = samples.mean(1)
    if samples.shape[1] == 1 or np.square(mean).mean() >= np.square(samples).mean() / 16:
        return np.ascontiguousarray(mean, np.float32)
    return np.ascontiguousarray(samples[:, int(np.square(samples).mean(0).argmax())], np.float32)


def _pieces(job: Listen, level: levels.Levels, speech: Sequence[Span]) -> tuple[Piece, ...]:
    """Chunks of about a minute of speech each; none where the recogniser is not installed."""
    if moonshine.NAME not in weights.installed():
        return ()
    groups: list[list[tuple[Span, tuple[Span, ...]]]] = []
    filled = PIECE_S
    for span in chunks.chunks(speech, level):
        if filled >= PIECE_S:
            groups.append([])
            filled = 0.0
        groups[-1].append((span, tuple(s for s in speech if s[1] > span[0] and s[0] < span[1])))
        filled += span[1] - span[0]
    return tuple(
        Piece(asset=job.asset, number=n, place=job.place, parts=tuple(group)) for n, group in enumerate(groups)
    )


def _silent(level: levels.Levels, speech: list[Span], offset: Fraction, *, told: bool) -> tuple[Measure, ...]:
    """`sound.floor`, `silences`, `speech`, and `words` where there is nothing to hear or nobody to do it."""
    bound = levels.floor(level, speech)
    rows: list[Json] = [
        _span(a, b, offset) | {"level_db": round(db, 1)} for a, b, db in levels.silences(level, speech, bound)
    ]
    floor: dict[str, Json] = {
        "floor_db": round(bound.floor_db, 1), "below_db": round(bound.below_db, 1),
        "speech_db": None if bound.speech_db is None else round(bound.speech_db, 1),
    }  # fmt: skip
    found = [Measure(name="sound.floor", value=floor, unit="dB"), Measure(name="silences", value=rows)]
    missing = [n for n in (activity.NAME, moonshine.NAME) if n not in weights.installed()]
    if not told:
        found.append(Measure(name="speech", cannot_tell=HELP + activity.NAME))
    else:
        found.append(Measure(name="speech", value=[_span(a, b, offset) for a, b in speech]))
    if missing:
        found.append(Measure(name="words", cannot_tell=HELP + " ".join(missing)))
    elif not speech:
        found.append(Measure(name="words", cannot_tell="nobody speaks"))
    return tuple(found)


def _nothing(because: str) -> tuple[Measure, ...]:
    return tuple(Measure(name=name, cannot_tell=because) for name in ("silences", "speech", "words"))


def _span(start: float, end: float, offset: Fraction) -> dict[str, Json]:
    return {"start": round(start + float(offset), 3), "end": round(end + float(offset), 3)}


def _moved(word: Mapping[str, Json], offset: Fraction) -> dict[str, Json]:
    start, end = float(word["start"]), float(word["end"])  # type: ignore[arg-type]
    return {**word, **_span(start, end, offset)}


def spans_of(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of evidence with `at`, their start as a fraction: times lie on a grid of a millisecond."""
    return [{**row, "at": exact(Fraction(round(row["start"] * 1000), 1000))} for row in rows]
