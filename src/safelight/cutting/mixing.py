"""The sound of a programme: its pieces one after another, with what is done to their clips: repairs, gains, a ceiling.

A gain is measured on what plays of a clip. Where one is asked for, the sound is laid beside first, encoded alone and
measured, until loudness and ceiling hold there; the film then gets exactly what held.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from safelight.cutting.assembly import Assembly, Material, Piece
from safelight.cutting.joined import FADE_S
from safelight.domain import Measure
from safelight.errors import UsageError
from safelight.media import loudness, sound
from safelight.media.effects import Level, Repairs
from safelight.media.levelled import Levelled, Limiter, Search
from safelight.media.loudness import Loudness, Speech
from safelight.media.repair.chain import repaired
from safelight.media.repair.deepfilter import Model
from safelight.media.repair.quieter import Quieter
from safelight.media.sound import Block, Samples
from safelight.words import many

PART_S = 10  # seconds of a piece that are held at once
TOLD_DB = 0.1  # of limiting; below, nobody need know
MISSED_LU = 1.0  # from the loudness that was asked for: what the widest of common tolerances allows
SILENT = Loudness(
    integrated_lufs=None, range_lu=None, true_peak_dbtp=None, momentary_max_lufs=None, short_term_max_lufs=None,
    seconds=Fraction(0),
)  # fmt: skip
Settings = TypeVar("Settings", Level, Repairs)
Hears = Callable[[Iterable[Block]], Speech]  # where somebody speaks in a sound


def deaf(_: Iterable[Block]) -> Speech:
    """Whoever renders without a detector of voices. Raises UsageError."""
    raise UsageError("The loudness of dialogue is asked for, and nothing here hears where somebody speaks.")


def of_kind(material: Material, kind: type[Settings]) -> Settings | None:
    """What of this kind is done to a clip that has sound."""
    return material.asked(kind) if material.facts.sounds else None


def asked(made: Assembly, kind: type[Settings]) -> dict[int, Settings]:
    """The same by the numbers of the clips that play."""
    found = ((n, of_kind(made.materials[n], kind)) for n in sorted({p.clip for p in made.pieces}))
    return {n: settings for n, settings in found if settings is not None}


def cleaner(made: Assembly, files: Mapping[str, Path] | None) -> Model | None:
    """What turns noise down, where that is asked for. Raises UsageError where its weights are not here."""
    if not any(repairs.noise_db > 0 for repairs in asked(made, Repairs).values()):
        return None
    if files is None:
        raise UsageError(
            "Noise is to be turned down, but the weights for it are not on this machine.",
            remedy="Fetch them: safelight models fetch deepfilter. Or take the repair of noise back.",
        )
    return Model(files)


# ---------------------------------------------------------------- as it plays


def samples(made: Assembly, *, rate: int, channels: int, model: Model | None) -> Iterator[tuple[int, Samples]]:
    """The sound of each piece in parts, with the number of its clip: repaired, faded where it does not go on from the
    one before, exactly as long as its frames."""
    edges = [round(at / made.programme.rate * rate) for at in (*made.places, made.programme.length)]
    fade = int(FADE_S * rate)
    reader: _Listener | None = None
    for n, piece in enumerate(made.pieces):
        material, length = made.materials[piece.clip], edges[n + 1] - edges[n]
        first = round(piece.start / material.rate * rate)
        begins = n > 0 and not goes_on(made.pieces, n - 1)
        ends = n + 1 < len(made.pieces) and not goes_on(made.pieces, n)
        for at in range(0, length, PART_S * rate):
            count = min(PART_S * rate, length - at)
            if not material.facts.sounds:
                yield piece.clip, np.zeros((count, channels), np.float32)
                continue
            if reader is None or reader.material is not material or first + at < reader.first:
                reader = _Listener(material, rate, model)
            part = _in_channels(reader.read(first + at, count), channels)
            yield piece.clip, part * _faded(at, count, length, fade, begins=begins, ends=ends)[:, None]


def _faded(at: int, count: int, length: int, fade: int, *, begins: bool, ends: bool) -> NDArray[np.float32]:
    """What of a part of a piece is heard: it comes in where it `begins`, and goes out where it `ends`."""
    share, place, steps = np.ones(count, np.float32), np.arange(at, at + count), min(fade, length) - 1
    if begins and steps > 0:
        share = np.minimum(share, place / steps)
    if ends and steps > 0:
        share = np.minimum(share, (length - 1 - place) / steps)
    return np.asarray(share, np.float32)


def goes_on(pieces: Sequence[Piece], n: int) -> bool:
    """Whether a piece is followed by what follows it in its clip."""
    return pieces[n].clip == pieces[n + 1].clip and pieces[n].end == pieces[n + 1].start


class _Listener:
    """Samples of a clip in order, read on."""

    def __init__(self, material: Material, rate: int, model: Model | None) -> None:
        self.material = material
        self.blocks = sound.blocks(material.path, rate=rate, facts=material.facts)
        repairs = of_kind(material, Repairs)
        if repairs is not None:
            quieter = Quieter(model, repairs.noise_db) if model is not None and repairs.noise_db > 0 else None
            self.blocks = repaired(self.blocks, repairs, quieter=quieter)
        self.rate = rate
        self.first = -rate * 3600  # the earliest sample that is still at hand
        self.held: list[tuple[int, Samples]] = []

    def read(self, first: int, length: int) -> Samples:
        """`length` samples from `first` on; where there are none, silence."""
        last = first + length
        while not self.held or self.held[-1][0] + len(self.held[-1][1]) < last:
            block = next(self.blocks, None)
            if block is None:
                break
            self.held.append((round(block.at * self.rate), block.samples))
        self.held = [(at, s) for at, s in self.held if at + len(s) > first]
        self.first = first
        width = self.held[0][1].shape[1] if self.held else self.material.facts.sounds[0].channels
        out = np.zeros((length, width), np.float32)
        for at, part in self.held:
            low, high = max(at, first), min(at + len(part), last)
            if low < high:
                out[low - first : high - first] = part[low - at : high - at]
        return out


def _in_channels(part: Samples, channels: int) -> Samples:
    if part.shape[1] == channels:
        return part
    return np.repeat(part.mean(1, keepdims=True), channels, 1).astype(np.float32)


# ---------------------------------------------------------------- as loud as it is to be


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixed:
    """A programme's sound at the loudness that was asked for. `gains_db` by number of a clip; `lufs`: what all of it,
    or its `dialogue`, was to come to, None where clips differ; `speech`: where somebody speaks, if that
    counts anywhere; `ceiling_dbtp` is what was asked; `done.after` is what was encoded."""

    blocks: Callable[[], Iterator[Block]]
    gains_db: Mapping[int, float]
    lufs: float | None
    dialogue: bool
    speech: Speech | None
    ceiling_dbtp: float
    done: Levelled


def said(made: Assembly, mixed: Mixed, after: Loudness) -> list[str]:
    """What was done, in words."""
    notes = [f"{made.materials[n].path.name}: gain {gain:+.1f} dB." for n, gain in mixed.gains_db.items()]
    if mixed.done.limited_db >= TOLD_DB:
        notes.append(f"Peaks were turned down by up to {mixed.done.limited_db:.1f} dB to stay below the ceiling.")
    loud = after.counted(dialogue=mixed.dialogue)
    if loud is None:
        return [*notes, "Nobody is heard to speak." if mixed.dialogue else "There is nothing to hear."]
    what = "its dialogue, by an estimate of where somebody speaks," if mixed.dialogue else "it"
    aim = "" if mixed.lufs is None else f", and was to come to {mixed.lufs:g}"
    peak = -99.0 if after.true_peak_dbtp is None else after.true_peak_dbtp
    return [*notes, f"As encoded {what} is at {loud:.1f} LUFS{aim}; true peak {peak:.1f} dBTP."]


def mended(made: Assembly) -> list[str]:
    """What is repaired, in words."""
    found = []
    for n, repairs in asked(made, Repairs).items():
        told = [many(len(repairs.hum), "stretch", "stretches") + " of hum"] if repairs.hum else []
        told += [many(len(repairs.clicks), "click")] if repairs.clicks else []
        told += [f"noise by at most {repairs.noise_db:g} dB"] if repairs.noise_db else []
        found.append(f"{made.materials[n].path.name}: taken out are {', '.join(told)}.")
    return found


def measures(mixed: Mixed, after: Loudness) -> tuple[Measure, ...]:
    """What the file came to: faults where it passes its ceiling, or misses its loudness by more than can be heard."""
    peak, loud = after.true_peak_dbtp, after.counted(dialogue=mixed.dialogue)
    over = peak is not None and peak > mixed.ceiling_dbtp
    missed = 0.0 if mixed.lufs is None or loud is None else loud - mixed.lufs
    return (
        Measure(name="loudness.over_ceiling", value=float(over), unit="fault"),
        Measure(name="loudness.missed", value=float(abs(missed) > MISSED_LU), unit="fault"),
        Measure(name="loudness.off", value=round(missed, 2), unit="LU"),
    )


def mixed(
    made: Assembly, parts: Iterable[tuple[int, Samples]], *, rate: int, channels: int, folder: Path,
    encode: Callable[[Iterator[Block]], Path], hears: Hears,
) -> Mixed:  # fmt: skip
    """The parts of a programme with the gains that its clips ask for. They lie in `folder` meanwhile; `encode` writes
    blocks as the film will have them, to be measured; `hears` says where somebody speaks."""
    laid = _Laid.down(parts, rate=rate, channels=channels, place=folder / "sound.f32")
    levels = asked(made, Level)
    gains = {n: _gain_db(level, partial(laid.of_clip, n), hears) for n, level in levels.items()}
    heard = {p.clip for p in made.pieces if made.materials[p.clip].facts.sounds}
    wanted = {(levels[n].lufs, levels[n].dialogue) if n in levels else (None, False) for n in heard}
    lufs, dialogue = wanted.pop() if len(wanted) == 1 else (None, False)
    speech = hears(laid.all()) if any(level.dialogue for level in levels.values()) else None
    ceiling = min(level.ceiling_dbtp for level in levels.values())

    def blocks(offset: float, most: float, limiter: Limiter) -> Iterator[Block]:
        limiter.ceiling = 10 ** (most / 20)
        return limiter.limit(laid.louder({n: gain + offset for n, gain in gains.items()}))

    def tried(offset: float, most: float) -> Levelled:
        limiter = Limiter(most)
        after = loudness.measure(encode(blocks(offset, most, limiter)), speech=speech)
        last.update(offset=offset, most=most)
        return Levelled(gain_db=offset, limited_db=limiter.most_db, before=SILENT, after=after)

    last: dict[str, float] = {}
    search = Search(lufs=lufs, ceiling_dbtp=ceiling, gain=0.0, dialogue=dialogue)
    done = search.settled(tried, name=made.programme.name)
    return Mixed(
        blocks=lambda: blocks(last["offset"], last["most"], Limiter(last["most"])), lufs=lufs, ceiling_dbtp=ceiling,
        dialogue=dialogue, speech=speech, gains_db={n: gain + done.gain_db for n, gain in gains.items()}, done=done,
    )  # fmt: skip


def _gain_db(level: Level, plays: Callable[[], Iterator[Block]], hears: Hears) -> float:
    """The gain that a clip asks for, of which this plays; none where there is nothing to measure it on."""
    if level.lufs is None:
        return level.gain_db
    speech = hears(plays()) if level.dialogue else None
    loud = loudness.measure_blocks(plays(), speech=speech).counted(dialogue=level.dialogue)
    return 0.0 if loud is None else level.lufs - loud


@dataclass(frozen=True, slots=True, kw_only=True)
class _Laid:
    """Sound that lies on the disk as it plays, and which samples [first, last) are of which clip."""

    place: Path
    rate: int
    channels: int
    spans: tuple[tuple[int, int, int], ...]  # first, last, clip

    @classmethod
    def down(cls, parts: Iterable[tuple[int, Samples]], *, rate: int, channels: int, place: Path) -> "_Laid":
        spans: list[tuple[int, int, int]] = []
        at = 0
        with place.open("wb") as file:
            for clip, part in parts:
                np.ascontiguousarray(part, np.float32).tofile(file)
                if spans and spans[-1][2] == clip:
                    spans[-1] = spans[-1][0], at + len(part), clip
                else:
                    spans.append((at, at + len(part), clip))
                at += len(part)
        return cls(place=place, rate=rate, channels=channels, spans=tuple(spans))

    def read(self, first: int, last: int) -> Iterator[Block]:
        with self.place.open("rb") as file:
            file.seek(first * self.channels * 4)
            for at in range(first, last, self.rate):
                count = min(self.rate, last - at) * self.channels
                part = np.fromfile(file, np.float32, count).reshape(-1, self.channels)
                yield Block(at=Fraction(at, self.rate), samples=part, rate=self.rate)

    def all(self) -> Iterator[Block]:
        return self.read(0, self.spans[-1][1] if self.spans else 0)

    def of_clip(self, clip: int) -> Iterator[Block]:
        for first, last, number in self.spans:
            if number == clip:
                yield from self.read(first, last)

    def louder(self, gains_db: Mapping[int, float]) -> Iterator[Block]:
        """All of it, each clip with its gain."""
        for block in self.all():
            at = round(block.at * self.rate)
            gain = np.ones(len(block.samples), np.float32)
            for first, last, clip in self.spans:
                gain[max(first - at, 0) : max(last - at, 0)] = np.float32(10 ** (gains_db.get(clip, 0.0) / 20))
            yield replace(block, samples=block.samples * gain[:, None])


__all__ = [
    "Hears", "Mixed", "asked", "cleaner", "deaf", "goes_on", "measures", "mended", "mixed", "of_kind", "said",
    "samples",
]  # fmt: skip
