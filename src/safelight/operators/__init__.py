"""Operators: evidence in, proposals out; then pixels or a timeline; then evidence about the result.

One module each; the module *is* the operator; an extension is a value, not a subclass. `template.py` is a complete
small operator and the tutorial.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from safelight.domain import Asset, Because, Genre, Group, Measure, Scope
from safelight.errors import UsageError
from safelight.media.frame import Frame
from safelight.media.timeline import Timeline
from safelight.media.warp import Warp
from safelight.operators._framing import aspect

P = TypeVar("P")

FINDING = 0.5  # a fault of a check from here on is a finding


class Medium(StrEnum):
    """What an operator works on: light, time, or the choice which assets stay."""

    FRAME = "frame"
    TIMELINE = "timeline"
    CHOICE = "choice"


class Stage(IntEnum):
    """Where an edit stands in a version, whatever order people approved it in. Light first, then framing."""

    REPAIR = 5  # what sensor and lens did to the light: noise, vignetting; on light as decoded
    LIGHT = 10  # scene-linear, per pixel: white balance, then exposure
    BASE = 15  # a raw's light as its camera showed it; its preview has this already
    LOOK = 20  # tones and colours, a person's or the studio's
    LOCAL = 30  # masks and retouch, in source geometry
    FRAMING = 40  # lens, straighten, crop: where pixels go; all of them one resampling
    RETURNED = 43  # a finished picture that a person brought back, in its own size; takes the place of all before it
    OUTPUT = 45  # sharpening for a medium, at the size that is delivered
    TIME = 50  # what of a clip plays
    EFFECT = 55  # what is done to the sound and the picture of what plays
    MARK = 57  # what stands beside it: where chapters begin, what is seen meanwhile
    CHOICE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """The two axes of the reliability map, 0 (none) to 1: how much judgement a task takes, what a mistake costs."""

    complexity: float
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One asset before an operator: its groups (not scenes), its scene, and every measure of it by name."""

    asset: Asset
    path: str
    facts: Mapping[str, Measure]
    groups: tuple[Group, ...] = ()
    scene: str | None = None

    def number(self, name: str) -> float | None:
        """A numeric measure; None where it is missing or cannot tell."""
        found = self.facts.get(name)
        if found is None or found.value is None or not isinstance(found.value, int | float):
            return None
        return float(found.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """What was learned from a studio's own decisions about a task: an id that is a digest of it, and weights by
    name."""

    id: str
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a person asked of this run; every field has an effect or does not exist."""

    target: int | None = None  # keep about so many
    genre: Genre | None = None
    ratio: str | None = None  # width to height of every keeper, such as 4:5; lies or stands as each photo does
    taste: Taste | None = None  # of culling: what the studio's own picks say

    def __post_init__(self) -> None:
        if self.ratio is not None:
            try:
                aspect(self.ratio)
            except ValueError as error:
                raise UsageError(f"{self.ratio!r} is no ratio.", remedy=f"{error}.".capitalize()) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion(Generic[P]):
    """What an operator suggests for one member of a set. With `cannot_tell` it abstains and says why."""

    member: str  # asset id
    params: P | None
    score: float | None = None  # 0..1: chance that a person would approve, as far as known
    because: tuple[Because, ...] = ()
    alternatives: tuple[P, ...] = ()
    cannot_tell: str | None = None


def always() -> None:
    """Somebody waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a render may use besides its input: kept objects by digest. No other I/O.

    `go_on` is called between the parts of a render that takes long; it raises where nobody waits for the result any
    more."""

    kept: Callable[[str], bytes]
    weights: Mapping[str, Mapping[str, Any]]
    go_on: Callable[[], None] = always


@dataclass(frozen=True, slots=True, kw_only=True)
class Learns:
    """What a choice can learn from people's picks: quantities by name, each with what it weighs before anybody has
    picked (log odds), and the function that reads them: photos x quantities in the order of `prior`, more is better,
    NaN where unknown."""

    prior: Mapping[str, float]
    values: Callable[[Sequence[Subject]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator(Generic[P]):
    """A named way to change something.

    `params` is a frozen dataclass whose defaults are the identity; JSON, command line, form and manual page derive
    from it. `rank` orders operators of one stage, lower first, then by name. `pointwise` promises that a pixel's
    result depends on that pixel alone, so that neighbours in a version fuse into one table. `gain` says, for
    columns and rows of the upright source, by how much light is multiplied there, where that is all that `render`
    does. `margin` promises that a tile with so many more pixels on each side renders as the whole does; None asks
    for the whole picture. `warp` says, for a picture of this width and height, where each pixel of the result comes
    from; operators of stage FRAMING have one, and it is all that their `render` does, so that a version is
    resampled once however often it was framed. `spoil` makes a deliberately bad render from (before, params), which
    `check` must notice. `material` is true where a person's change of params is large enough to count as a reject;
    `material_when` says so in words, with the unit. `learns`, of a choice, is what its taste can be learned from;
    `propose` finds what was learned in `Wishes.taste`. `artefacts` names the findings of detectors that its render
    could cause, so that the gate need not look for others; None: not known, all are looked for. `draft`, of an operator
    that takes long, turns params into some whose render looks the same several times as soon: what a view shows while
    a slider moves. `examples` are params that change something: the contract suite renders them, the manual page shows
    them.
    """

    name: str
    version: int
    params: type[P]
    risk: Risk
    stage: Stage
    rank: int = 0
    needs: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    scope: Scope = Scope.ASSET
    medium: Medium = Medium.FRAME
    pointwise: bool = False
    margin: int | None = 0
    propose: Callable[[Sequence[Subject], Wishes], Sequence[Suggestion[P]]]
    render: Callable[[Any, P, Tools], Any]  # Frame -> Frame or Timeline -> Timeline, as `medium` says
    check: Callable[[Any, Any, P], Sequence[Measure]]
    warp: Callable[[int, int, P], Warp] | None = None
    gain: Callable[[NDArray[Any], NDArray[Any], P], NDArray[Any]] | None = None
    spoil: Callable[[Any, P], Any] | None = None
    material: Callable[[P, P], bool] | None = None
    material_when: str = ""
    examples: tuple[P, ...] = ()
    learns: Learns | None = None
    artefacts: tuple[str, ...] | None = None
    draft: Callable[[P], P] | None = None
    about: str = ""

    @property
    def label(self) -> str:
        """`exposure@1`."""
        return f"{self.name}@{self.version}"


def faults(measures: Sequence[Measure]) -> dict[str, float]:
    """Those of a check's measures that are faults: unit `fault` or `probability`, or true and false."""
    return {
        measure.name: float(measure.value)
        for measure in measures
        if isinstance(measure.value, bool)
        or (isinstance(measure.value, int | float) and measure.unit in ("fault", "probability"))
    }


__all__ = [
    "FINDING", "Frame", "Genre", "Learns", "Medium", "Operator", "Risk", "Stage", "Subject", "Suggestion", "Taste",
    "Timeline", "Tools", "Warp", "Wishes", "always", "faults",
]  # fmt: skip
