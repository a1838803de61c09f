"""Leaves out words that a person struck from the transcript: picture and sound follow the text."""

from collections.abc import Sequence
from dataclasses import dataclass

from safelight.operators import Medium, Operator, Risk, Stage, Subject, Suggestion, Wishes, _lifts
from safelight.operators._lifts import Lift
from safelight.params import declare


@dataclass(frozen=True, slots=True, kw_only=True)
class StrikeParams:
    """Where the struck words lie; each cut is called by the numbers of its words, `12-19` for those from 12 to 18."""

    cuts: tuple[Lift, ...] = declare((), unit="s", help="stretches of the clip that go, in order")
    stays: tuple[str, ...] = declare((), help="names of doubts that somebody looked at and left as they are")

    def __post_init__(self) -> None:
        _lifts.in_order(self.cuts)


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[StrikeParams]]:  # noqa: ARG001
    """Nothing: people say which words go."""
    return ()


operator: Operator[StrikeParams] = Operator(
    name="strike",
    version=1,
    params=StrikeParams,
    risk=Risk(complexity=0.9, cost=0.6),
    stage=Stage.TIME,
    rank=2,
    medium=Medium.TIMELINE,
    margin=None,
    propose=propose,
    render=_lifts.render,
    check=_lifts.check,
    spoil=_lifts.spoil,
    material=_lifts.material,
    material_when=_lifts.MATERIAL,
    examples=tuple(StrikeParams(cuts=cuts) for cuts in _lifts.EXAMPLES),
    about="Leaves out words that a person struck from the transcript.",
)
