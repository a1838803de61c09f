"""Probes: subject in, evidence out. One module each; the module *is* the probe; an extension is a value.

A probe over one asset sees a `Picture`; a probe over a shoot sees the evidence of all its members at once.
`template.py` is a complete small probe and the tutorial.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from safelight.domain import Asset, Findings, Measure, Scope
from safelight.media.picture import Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One asset of a shoot as a probe over the shoot sees it: capture facts, path and evidence by name."""

    asset: Asset
    path: str
    facts: Mapping[str, Measure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A named way to measure.

    `emits` lists every evidence name that `measure` or `survey` may return; `needs` the names it reads from probes
    that ran before; `weights` the model manifests it uses if they are there: without them it answers "cannot tell".
    Exactly one of `measure` (scope ASSET; runs in a worker process, no I/O but the picture) and `survey` (scope
    SHOOT; runs once, in the main process) is set. Same input, same output.

    `personal` marks a probe whose answers tell people apart: it is asked only where grouping of people is switched on,
    and its answers are kept where they can be erased. No operator and no report sees them. One that `splits` tells
    groups of pictures apart, not people: it is asked where the policy keeps records apart by its evidence.

    `of_raws` marks a probe that opens the raw behind its preview: culling does not wait for it, and it is asked only of
    raws that stay.
    """

    name: str
    version: int
    emits: tuple[str, ...]
    needs: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    scope: Scope = Scope.ASSET
    of_raws: bool = False
    personal: bool = False
    splits: bool = False
    measure: Callable[[Picture], Sequence[Measure]] | None = None
    survey: Callable[[Sequence[Member]], Findings] | None = None
    about: str = ""

    def __post_init__(self) -> None:
        if (self.measure is None) == (self.survey is None):
            raise ValueError(f"probe {self.name!r} needs either measure or survey")
        if self.personal and (self.scope is not Scope.ASSET or self.of_raws):
            raise ValueError(f"probe {self.name!r} is personal and looks at one picture at a time, at first sight")
        if self.splits and not self.personal:
            raise ValueError(f"probe {self.name!r} splits records by what is about people, and that is personal")

    @property
    def label(self) -> str:
        """`sharpness@1`."""
        return f"{self.name}@{self.version}"


__all__ = ["Findings", "Member", "Probe"]
