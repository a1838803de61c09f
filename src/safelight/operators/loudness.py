"""Brings a clip to a loudness by one gain, measured on what of it plays when it is rendered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from safelight.domain import Because, Measure
from safelight.media.effects import Effect, Level
from safelight.media.loudness import TARGETS, Target
from safelight.media.timeline import Timeline
from safelight.operators import Medium, Operator, Risk, Stage, Subject, Suggestion, Wishes, _effects
from safelight.params import declare

NAME = "loudness"
MATERIAL_DB = 2.0
USUAL = "speech"  # for a talk of which nobody has said where it goes
OTHERS = ("podcast", "streaming", "ebu_r128")
WHOLE = [t for t in TARGETS.values() if not t.dialogue]  # those that can be compared with how loud a clip is
LOWEST = min(t.lufs - t.tolerance_lu for t in WHOLE)
HIGHEST = max(t.lufs + t.tolerance_lu for t in WHOLE)


class Aim(StrEnum):
    """Where a clip is delivered; `none` of these."""

    NONE = "none"
    EBU_R128 = "ebu_r128"
    EBU_R128_S1 = "ebu_r128_s1"
    ATSC_A85 = "atsc_a85"
    NETFLIX = "netflix"
    STREAMING = "streaming"
    PODCAST = "podcast"
    PODCAST_MONO = "podcast_mono"
    SPEECH = "speech"
    MUSIC = "music"


LUFS: Mapping[Aim, float | None] = MappingProxyType(
    {aim: TARGETS[aim.value].lufs if aim is not Aim.NONE else None for aim in Aim}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoudnessParams:
    """A target, or a gain of one's own; by default neither, and it stays as loud as it was recorded."""

    target: Aim = declare(  # noqa: RUF009 - members of an enumeration never change
        Aim.NONE, help="whose loudness it is brought to; the gain is measured on what plays"
    )
    gain_db: float = declare(0.0, low=-40.0, high=40.0, step=0.5, unit="dB", help="gain, where no target is named")
    ceiling_dbtp: float = declare(
        -1.0, low=-12.0, high=0.0, step=0.5, unit="dBTP", help="true peak that the encoded file stays below"
    )

    def __post_init__(self) -> None:
        if self.target is not Aim.NONE and self.gain_db:
            raise ValueError("a target finds its own gain, so that gain_db is 0 beside it")

    @property
    def effect(self) -> Effect | None:
        """What is to be done; None for nothing."""
        if self.target is Aim.NONE and not self.gain_db:
            return None
        dialogue = self.target is not Aim.NONE and TARGETS[self.target.value].dialogue
        level = Level(
            lufs=LUFS[self.target], dialogue=dialogue, gain_db=self.gain_db, ceiling_dbtp=self.ceiling_dbtp
        )  # fmt: skip
        return Effect(name=NAME, settings=level)


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[LoudnessParams]]:  # noqa: ARG001
    """The loudness of speech, for every clip in which somebody speaks more softly, or louder, than any place asks that
    clips are delivered to. Others stay as they are: how loud they are to be is said by where they go."""
    found = [_suggest(subject) for subject in subjects]
    return [one for one in found if one is not None]


def _suggest(subject: Subject) -> Suggestion[LoudnessParams] | None:
    speech, told = subject.facts.get("speech"), subject.facts.get("loudness")
    if speech is None or not speech.value or told is None or not isinstance(told.value, dict):
        return None
    value: Any = told.value
    loud, peak = value["integrated_lufs"], value["true_peak_dbtp"]
    if LOWEST <= loud <= HIGHEST:
        return None
    target = TARGETS[USUAL]
    how = f"softer than any delivery asks for ({LOWEST:g}" if loud < LOWEST else f"louder than any ({HIGHEST:g}"
    because = [
        Because(evidence="loudness", value=loud, text=f"{loud:.1f} LUFS, {how} LUFS)."),
        Because(
            evidence="loudness", value=round(target.lufs - loud, 2),
            text=f"{target.lufs - loud:+.1f} dB bring all of it to {target.lufs:g} LUFS ({target.about}).",
        ),
    ]  # fmt: skip
    over = None if peak is None else peak + target.lufs - loud - target.ceiling_dbtp
    if over is not None and over > 0:
        text = f"Its highest peaks would pass {target.ceiling_dbtp:g} dBTP by {over:.1f} dB; just they are turned down."
        because.append(Because(evidence="loudness", value=peak, text=text))
    return Suggestion(
        member=subject.asset.id, params=params_of(USUAL), because=tuple(because),
        alternatives=tuple(params_of(name) for name in OTHERS),
    )  # fmt: skip


def params_of(name: str) -> LoudnessParams:
    """A target of that name with its own ceiling."""
    target: Target = TARGETS[name]
    return LoudnessParams(target=Aim(name), ceiling_dbtp=float(target.ceiling_dbtp))


def check(before: Timeline, after: Timeline, params: LoudnessParams) -> Sequence[Measure]:
    """Whether the same plays, and every clip is to be as loud as was asked. How loud it came out is measured on the
    encoded file of a delivery."""
    return _effects.check(before, after, params.effect, NAME)


def spoil(before: Timeline, params: LoudnessParams) -> Timeline:
    """The last clip is forgotten, or, where nothing was asked, made louder."""
    if params.effect is None:
        return _effects.put(before, Effect(name=NAME, settings=Level(gain_db=6.0)))
    return _effects.without(_effects.put(before, params.effect), NAME)


def material(one: LoudnessParams, two: LoudnessParams) -> bool:
    """Whether one of them is louder by more than 2 dB, as far as that is known before it is measured."""
    known, other = LUFS[one.target], LUFS[two.target]
    if (known is None) != (other is None):
        return True
    first, second = (one.gain_db, two.gain_db) if known is None or other is None else (known, other)
    return abs(first - second) > MATERIAL_DB


operator: Operator[LoudnessParams] = Operator(
    name=NAME,
    version=1,
    params=LoudnessParams,
    risk=Risk(complexity=0.2, cost=0.3),
    stage=Stage.EFFECT,
    rank=1,
    medium=Medium.TIMELINE,
    margin=None,
    needs=("speech", "loudness"),
    propose=propose,
    render=_effects.render,
    check=check,
    spoil=spoil,
    material=material,
    material_when="loudness or gain differs by more than 2 dB, or one has a target and the other none",
    examples=(params_of("podcast"), LoudnessParams(gain_db=6.0, ceiling_dbtp=-3.0)),
    about="Brings a clip to a loudness by one gain, measured on what of it plays.",
)
