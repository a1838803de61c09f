"""What is done to a clip when it is rendered: what repair, loudness, grades and the like have in common.

Nothing is heard or seen here: a render puts a value on every clip of the timeline, and whoever makes a film does what
it says. So it costs nothing to change or to take back.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Protocol

from safelight.domain import Measure
from safelight.media.effects import CDL, Clear, Effect, Level, Repairs, Steady
from safelight.media.timeline import Chapter, Clip, Cutaway, Split, Timeline
from safelight.operators import Operator, Stage, Tools
from safelight.words import many

NOTHING = "nothing is changed"
ONE = Timeline(clips=(Clip(source="", start=Fraction(0), end=Fraction(1), rate=Fraction(25)),))


class Asks(Protocol):
    """Params that ask for an effect, or for none."""

    @property
    def effect(self) -> Effect | None:
        """What is asked for."""


def render(timeline: Timeline, params: Asks, tools: Tools) -> Timeline:  # noqa: ARG001 - needs no kept objects
    """The timeline whose clips carry the effect; what plays is the same."""
    return timeline if params.effect is None else put(timeline, params.effect)


def put(timeline: Timeline, effect: Effect) -> Timeline:
    """The timeline with this effect on all clips, in the place of one by the same name."""
    return replace(timeline, clips=tuple(_with(clip, effect) for clip in timeline.clips))


def without(timeline: Timeline, name: str) -> Timeline:
    """The timeline without an effect of this name on its last clip: what `spoil` makes."""
    *rest, last = timeline.clips
    bare = replace(last, effects=tuple(e for e in last.effects if e.name != name))
    return replace(timeline, clips=(*rest, bare))


def _with(clip: Clip, effect: Effect) -> Clip:
    others = tuple(e for e in clip.effects if e.name != effect.name)
    return replace(clip, effects=(*others, effect))


def check(before: Timeline, after: Timeline, wanted: Effect | None, name: str) -> Sequence[Measure]:
    """Whether the same plays as before, every clip has this effect once and no other has changed. `wanted` None: no
    clip may have come to one of this name."""
    meant = before if wanted is None else put(before, wanted)
    plays = [replace(clip, effects=()) for clip in after.clips] == [replace(c, effects=()) for c in before.clips]
    return (
        Measure(name=f"{name}.wrong_content", value=float(not plays or after.texts != before.texts), unit="fault"),
        Measure(name=f"{name}.wrong_effect", value=float(after.clips != meant.clips), unit="fault"),
    )


def is_whole(operator: Operator[Any]) -> bool:
    """Whether its edits of clips cut nothing and are answered as a whole: effects, and marks such as chapters."""
    return operator.stage in (Stage.EFFECT, Stage.MARK)


def words(operator: Operator[Any], params: Any) -> str:
    """What an edit of such an operator does to a clip, in words."""
    made: Timeline = operator.render(ONE, params, Tools(kept=_nothing, weights={}))
    done = [said(effect) for effect in made.clips[0].effects]
    done += [", ".join(f"{_clock(c.at)} “{c.title}”" for c in made.chapters)] if made.chapters else []
    done += [_rolled(split) for split in made.splits] + [_over(cutaway) for cutaway in made.cutaways]
    return "; ".join(done) or NOTHING


def called(mark: Chapter | Split | Cutaway) -> str:
    """What a mark is called beside others."""
    if isinstance(mark, Chapter):
        return f"“{mark.title}”"
    kind = "cutaway" if isinstance(mark, Cutaway) else "J cut" if mark.by > 0 else "L cut"
    return f"the {kind} at {_clock(mark.at)}"


def _rolled(split: Split) -> str:
    how = "after its sound (J cut)" if split.by > 0 else "before its sound (L cut)"
    return f"at {_clock(split.at)} the picture comes {float(abs(split.by)):.2f} s {how}"


def _over(cutaway: Cutaway) -> str:
    return f"{cutaway.title or cutaway.source[:12]} from {_clock(cutaway.at)} on for {float(cutaway.length):.1f} s"


def _clock(at: Fraction) -> str:
    return f"{int(at) // 60}:{int(at) % 60:02d}"


def _nothing(digest: str) -> bytes:
    raise KeyError(digest)


def said(effect: Effect) -> str:
    """An effect in words."""
    done = effect.settings
    if isinstance(done, Level):
        whose = "its dialogue to" if done.dialogue else "to"
        how = f"{done.gain_db:+.1f} dB" if done.lufs is None else f"{whose} {done.lufs:g} LUFS"
        return f"{how}, below {done.ceiling_dbtp:g} dBTP"
    if isinstance(done, Repairs):
        return _mended(done)
    if isinstance(done, CDL):
        numbers = [" ".join(f"{v:.3f}" for v in row) for row in (done.slope, done.offset, done.power)]
        return f"slope {numbers[0]}, offset {numbers[1]}, power {numbers[2]}, saturation {done.saturation:.3f}"
    return _cleared(done) if isinstance(done, Clear) else _steadied(done)


def _steadied(steady: Steady) -> str:
    also = ", also where the camera is meant to move" if steady.anyway else ""
    return f"shake taken out over {steady.strength_s:g} s, at most {steady.crop:.0%} of the width cut off{also}"


def _cleared(clear: Clear) -> str:
    where = "" if clear.where is None else f" within {', '.join(str(edge) for edge in clear.where)} px"
    return f"who passes taken out{where}"


def _mended(repairs: Repairs) -> str:
    told = [f"hum of {hertz:g} Hz from {float(a):.1f} to {float(b):.1f} s" for a, b, hertz in repairs.hum]
    told += [many(len(repairs.clicks), "click")] if repairs.clicks else []
    told += [f"noise by at most {repairs.noise_db:g} dB"] if repairs.noise_db else []
    return f"{', '.join(told)} taken out"
