"""Takes hum, clicks and noise out of a clip's sound, where they were found and a trial has mended them."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from safelight.domain import Because, Json, Measure
from safelight.media.effects import Effect, Repairs
from safelight.media.timeline import Timeline
from safelight.operators import Medium, Operator, Risk, Stage, Subject, Suggestion, Wishes, _effects
from safelight.operators._lifts import DOUBT
from safelight.params import declare
from safelight.words import many

NAME = "sound_repair"
LEAST_DB = 3.0  # by which pauses must become quieter
VOICE_DB = 3.0  # by which more is taken out of loud moments than of quiet ones: as much voice as hum
HARMED = 0.1  # share of the words that may go down with the noise before it is left alone
SHOWN = 5  # words that are named
GENTLER = 0.5  # of the noise, as an alternative
MATERIAL_DB = 3.0
STRANGE = Effect(name=NAME, settings=Repairs(noise_db=30.0))  # what nobody asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Hum:
    """The half-open stretch [start, end) of the medium, in seconds, in which the mains are heard; their frequency."""

    start: Fraction
    end: Fraction
    mains_hz: float = declare(50.0, low=40.0, high=70.0, unit="Hz", help="frequency of the mains")


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """The half-open stretch [start, end) of the medium, in seconds, that is filled from what surrounds it."""

    start: Fraction
    end: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundRepairParams:
    """What is taken out of the sound, and how much; by default nothing."""

    hum: tuple[Hum, ...] = declare((), unit="s", help="where hum is taken out")
    clicks: tuple[Click, ...] = declare((), unit="s", help="clicks that are filled")
    noise_db: float = declare(
        0.0, low=0.0, high=30.0, step=1.0, unit="dB", help="how much noise is turned down at most where somebody speaks"
    )

    def __post_init__(self) -> None:
        spans = [(one.start, one.end) for one in self.hum] + [(one.start, one.end) for one in self.clicks]
        for start, end in spans:
            if not start < end:
                raise ValueError(f"a fault runs forwards, not from {start} to {end}")

    @property
    def effect(self) -> Effect | None:
        """What is to be done; None for nothing."""
        return Effect(name=NAME, settings=self.repairs) if self.repairs != Repairs() else None

    @property
    def repairs(self) -> Repairs:
        """The same as plain values."""
        hum = tuple((one.start, one.end, one.mains_hz) for one in self.hum)
        clicks = tuple((one.start, one.end) for one in self.clicks)
        return Repairs(hum=hum, clicks=clicks, noise_db=self.noise_db)


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[SoundRepairParams]]:  # noqa: ARG001
    """What a trial has mended: clicks that are not heard any more, hum and noise where pauses become quieter and the
    voice does not go with it."""
    found = [_suggest(subject) for subject in subjects]
    return [one for one in found if one is not None]


def _suggest(subject: Subject) -> Suggestion[SoundRepairParams] | None:
    told = subject.facts.get("sound.repaired")
    if told is None:
        return None
    if told.cannot_tell is not None:
        why = f"Its repair could not be tried: {told.cannot_tell}."
        return Suggestion(member=subject.asset.id, params=None, cannot_tell=why)
    value: Any = told.value
    mended = [row for row in value["faults"] if not _why_left(row)]
    noise_db, of_noise = _noise(value["noise"])
    params = _params(mended, noise_db)
    because = (*_mended(mended), *of_noise, *(_left(row) for row in value["faults"] if _why_left(row)))
    if params.effect is None:
        if not because:
            return None
        why = "Nothing that was found can be mended without harm."
        return Suggestion(member=subject.asset.id, params=None, because=because, cannot_tell=why)
    return Suggestion(
        member=subject.asset.id, params=params, because=because, alternatives=tuple(_gentler(params))
    )  # fmt: skip


def of_faults(rows: Sequence[Any]) -> tuple[SoundRepairParams, list[str]]:
    """What of faults is mended without harm, as `mending.tried` found; why others are left, in sentences."""
    return _params([row for row in rows if not _why_left(row)], 0.0), [_why(row) for row in rows if _why_left(row)]


def _params(mended: Sequence[Any], noise_db: float) -> SoundRepairParams:
    return SoundRepairParams(
        hum=tuple(
            Hum(start=Fraction(r["start"]), end=Fraction(r["end"]), mains_hz=float(r["mains_hz"] or 50))
            for r in mended if r["kind"] == "hum"
        ),
        clicks=tuple(
            Click(start=Fraction(r["start"]), end=Fraction(r["end"])) for r in mended if r["kind"] == "click"
        ),
        noise_db=noise_db,
    )  # fmt: skip


def _gentler(params: SoundRepairParams) -> Sequence[SoundRepairParams]:
    if not params.noise_db:
        return ()
    half = SoundRepairParams(hum=params.hum, clicks=params.clicks, noise_db=params.noise_db * GENTLER)
    none = SoundRepairParams(hum=params.hum, clicks=params.clicks)
    return (half, none) if none.effect is not None else (half,)


def _mended(rows: Sequence[Any]) -> Sequence[Because]:
    found = [
        Because(
            evidence="sound.repaired", value=dict(row), code="hum",
            text=f"Hum of {row['mains_hz']:g} Hz {_where(row)}; pauses are {row['lowered_db']:.1f} dB quieter without.",
        )
        for row in rows if row["kind"] == "hum"
    ]  # fmt: skip
    clicks = [float(Fraction(row["start"])) for row in rows if row["kind"] == "click"]
    if clicks:
        at = ", ".join(f"{second:.2f}" for second in clicks[:SHOWN]) + (", …" if len(clicks) > SHOWN else "")
        text = f"{many(len(clicks), 'click')} at {at} s; on trial none is heard."
        found.append(Because(evidence="sound.repaired", value=len(clicks), text=text, code="clicks"))
    return found


def _why_left(row: Any) -> str:
    """Why a fault is not mended; empty where it is."""
    if row["kind"] == "click":
        return "is still heard on trial" if row["heard"] else ""
    if row["voice_db"] > VOICE_DB:
        return f"cannot be taken out without voice: {row['voice_db']:.1f} dB more goes where it is loud"
    return "" if row["lowered_db"] >= LEAST_DB else f"is hardly less on trial: {row['lowered_db']:.1f} dB"


def _where(row: Any) -> str:
    start, end = float(Fraction(row["start"])), float(Fraction(row["end"]))
    return f"from {start:.1f} to {end:.1f} s" if row["kind"] == "hum" else f"at {start:.2f} s"


def _noise(noise: Any) -> tuple[float, Sequence[Because]]:
    """By how much noise is turned down, and why; no more than nothing where words would go with it."""
    if noise is None or noise["lowered_db"] < LEAST_DB:
        return 0.0, ()
    taken, new = noise["taken"], noise["new"]
    text = f"Between words it is {noise['lowered_db']:.1f} dB quieter on trial."
    rows: list[Because] = []
    if len(taken) > HARMED * noise["words"] or new:
        what = f"{many(len(new), 'fault')} would be heard that was not there before"
        if taken:
            what = f"{len(taken)} of {noise['words']} words {_named(taken)}"
        whole = f"Noise is left: {what}."
        value: dict[str, Json] = {"words": noise["words"], "taken": len(taken), "new": len(new)}
        return 0.0, (Because(evidence="sound.repaired", value=value, text=whole, code=DOUBT + "noise"),)
    rows.append(Because(evidence="sound.repaired", value=noise["lowered_db"], text=text, code="noise"))
    rows += [
        Because(
            evidence="words", value={"start": w["start"], "end": w["end"], "by_db": w["by_db"]},
            text=f"“{w['text']}” at {w['start']:.1f} s falls by {w['by_db']:.1f} dB with the noise: listen to it.",
            code=DOUBT + "word",
        )
        for w in taken
    ]  # fmt: skip
    return float(noise["db"]), rows


def _named(taken: Sequence[Any]) -> str:
    some = ", ".join(f"“{w['text']}” ({w['start']:.1f} s)" for w in taken[:SHOWN])
    return f"would go down with it: {some}{', …' if len(taken) > SHOWN else ''}"


def _why(row: Any) -> str:
    what = "Hum" if row["kind"] == "hum" else "A click"
    return f"{what} {_where(row)} {_why_left(row)}. It is left as it is."


def _left(row: Any) -> Because:
    return Because(evidence="sound.repaired", value=dict(row), text=_why(row), code=DOUBT + str(row["kind"]))


def check(before: Timeline, after: Timeline, params: SoundRepairParams) -> Sequence[Measure]:
    """Whether the same plays, and every clip is repaired as was asked. What is still heard is measured on the trial,
    and on the film of a delivery."""
    return _effects.check(before, after, params.effect, NAME)


def spoil(before: Timeline, params: SoundRepairParams) -> Timeline:
    """The last clip is forgotten, or, where nothing was asked, cleaned of all that is not a voice."""
    if params.effect is None:
        return _effects.put(before, STRANGE)
    return _effects.without(_effects.put(before, params.effect), NAME)


def material(one: SoundRepairParams, two: SoundRepairParams) -> bool:
    """Whether other faults are mended, or noise is turned down by 3 dB more or less."""
    return one.hum != two.hum or one.clicks != two.clicks or abs(one.noise_db - two.noise_db) > MATERIAL_DB


operator: Operator[SoundRepairParams] = Operator(
    name=NAME,
    version=2,
    params=SoundRepairParams,
    risk=Risk(complexity=0.4, cost=0.5),
    stage=Stage.EFFECT,
    rank=0,
    medium=Medium.TIMELINE,
    margin=None,
    needs=("sound.repaired",),
    weights=("deepfilter",),
    propose=propose,
    render=_effects.render,
    check=check,
    spoil=spoil,
    material=material,
    material_when="other hum or clicks are mended, or noise is turned down by 3 dB more or less",
    examples=(
        SoundRepairParams(hum=(Hum(start=Fraction(0), end=Fraction(5, 2)),), noise_db=12.0),
        SoundRepairParams(clicks=(Click(start=Fraction(1), end=Fraction(1001, 1000)),)),
    ),
    about="Takes hum, clicks and noise out of a clip's sound, where a trial has mended them.",
)
