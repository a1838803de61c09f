"""Takes passers-by out of what plays of a clip whose camera stands, where a person asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from safelight.domain import Measure
from safelight.media.effects import Clear, Effect
from safelight.media.timeline import Timeline
from safelight.operators import Medium, Operator, Risk, Stage, Subject, Suggestion, Wishes, _effects
from safelight.params import declare

NAME = "clear"


class Who(StrEnum):
    """Who is taken out."""

    NOBODY = "nobody"
    PASSERS_BY = "passers_by"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearParams:
    """Who is taken out, and where; by default nobody."""

    who: Who = declare(  # noqa: RUF009 - members of an enumeration never change
        Who.NOBODY, help="who is replaced by what lies behind, seen in other frames of the clip"
    )
    where: tuple[int, int, int, int] | None = declare(
        None, low=0, unit="px", help="only there: left, top, right, bottom of the upright picture, ends exclusive"
    )

    def __post_init__(self) -> None:
        if self.where is not None and not (self.where[0] < self.where[2] and self.where[1] < self.where[3]):
            raise ValueError(f"a box runs from left to right and from top to bottom, not {list(self.where)}")

    @property
    def effect(self) -> Effect | None:
        """What is to be done; None for nothing."""
        return None if self.who is Who.NOBODY else Effect(name=NAME, settings=Clear(where=self.where))


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[ClearParams]]:  # noqa: ARG001
    """Nothing: who belongs to the picture is a person's to say."""
    return ()


def check(before: Timeline, after: Timeline, params: ClearParams) -> Sequence[Measure]:
    """Whether the same plays, and every clip is to be cleared as was asked. Whether it could be is told with the film,
    which a person looks at."""
    return _effects.check(before, after, params.effect, NAME)


def spoil(before: Timeline, params: ClearParams) -> Timeline:
    """The last clip is forgotten, or, where nothing was asked, cleared."""
    if params.effect is None:
        return _effects.put(before, Effect(name=NAME, settings=Clear()))
    return _effects.without(_effects.put(before, params.effect), NAME)


def material(one: ClearParams, two: ClearParams) -> bool:
    """Whether somebody else is taken out, or in another place."""
    return one.effect != two.effect


operator: Operator[ClearParams] = Operator(
    name=NAME,
    version=1,
    params=ClearParams,
    risk=Risk(complexity=0.8, cost=0.8),
    stage=Stage.EFFECT,
    rank=2,
    medium=Medium.TIMELINE,
    margin=None,
    propose=propose,
    render=_effects.render,
    check=check,
    spoil=spoil,
    material=material,
    material_when="others are taken out, or in another place",
    examples=(ClearParams(who=Who.PASSERS_BY), ClearParams(who=Who.PASSERS_BY, where=(0, 100, 640, 480))),
    about="Takes passers-by out of what plays of a clip whose camera stands, where a person asks for it.",
)
