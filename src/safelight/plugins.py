"""Which probes, operators, detectors and recognisers there are: entry points in, registries out.

Built-ins come through the same doors as anybody's plug-in (`safelight.probes`, `safelight.operators`,
`safelight.detectors`, `safelight.recognisers`); nothing here names one of them, but the recogniser that listens where
none is named. A plug-in that cannot be used is kept in `broken()` with the reason, and everything else works.
Registries are made once in a process, so that worker processes find their probes by name.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from safelight.errors import UsageError
from safelight.operators import Operator
from safelight.probes import Probe
from safelight.speech import moonshine
from safelight.speech.recogniser import Recogniser

if TYPE_CHECKING:  # they bring a good part of scipy, which whoever only asks for operators need not wait for
    from safelight.detectors import Detector

PROBES = "safelight.probes"
OPERATORS = "safelight.operators"
DETECTORS = "safelight.detectors"
RECOGNISERS = "safelight.recognisers"
RECOGNISER = "SAFELIGHT_RECOGNISER"  # names the one that listens
OURS = "safelight"  # the distribution whose entry points win a clash of names
EXTERNAL = {
    "ingest.failed": "ingest",
    "file.note": "ingest",
    "people": "the grouping of people",
    "words": "listening",
    "speech": "listening",
    "lulls": "listening",
    "quiet": "listening",
    "loudness": "listening",
    "faults.sound": "listening",
    "sound.repaired": "mending",
    "sentences.chosen": "a person's wish for a length",
    "cutaways.offered": "a person's choice of clips to cut away to",
    "shot.matched": "a person's choice of a hero shot",
    "shots": "watching",
    "shots.facts": "watching",
    "clip.picture": "watching",
    "clip.rate": "watching",
    "clip.sounds": "watching",
}  # evidence that no probe emits

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A plug-in, or a promise of one, that does not hold: its name, its group of entry points, what is wrong."""

    name: str
    group: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded(Generic[T]):
    """What one group of entry points came to."""

    found: Mapping[str, T]
    broken: tuple[Broken, ...]


def probes() -> Mapping[str, Probe]:
    """All usable probes by name, in alphabetical order."""
    return _loaded_probes().found


def operators() -> Mapping[str, Operator[Any]]:
    """All usable operators by name, in alphabetical order."""
    return _loaded_operators().found


def detectors() -> "Mapping[str, Detector]":
    """All usable detectors by name, in alphabetical order."""
    return _loaded_detectors().found


def recognisers() -> Mapping[str, Recogniser]:
    """All usable recognisers of speech by name; ours is always among them."""
    return _loaded_recognisers().found


def recogniser() -> Recogniser:
    """The recogniser that listens: ours, or the one that `SAFELIGHT_RECOGNISER` names; UsageError lists those that
    exist."""
    return _named(os.environ.get(RECOGNISER) or recogniser_by_default(), recognisers(), "recogniser")


def recogniser_by_default() -> str:
    """The name of the one that listens where none is named."""
    return moonshine.NAME


def probe(name: str) -> Probe:
    """The probe of this name; UsageError lists those that exist."""
    return _named(name, probes(), "probe")


def operator(name: str) -> Operator[Any]:
    """The operator of this name; UsageError lists those that exist."""
    return _named(name, operators(), "operator")


@cache
def broken() -> tuple[Broken, ...]:
    """Everything that is wrong with the installed plug-ins; empty when all is well."""
    return (
        *_loaded_probes().broken,
        *_loaded_operators().broken,
        *_loaded_detectors().broken,
        *_loaded_recognisers().broken,
        *broken_promises(probes(), operators()),
    )


def ordered_probes(names: Iterable[str] | None = None) -> tuple[Probe, ...]:
    """These probes (default: all) so that whoever emits a name runs before those that need it.

    Ties go by name, so the order is the same everywhere. A need that nobody in the list emits is no obstacle here (the
    evidence may lie in the library already); `broken()` reports needs that nobody emits at all. Probes that wait for
    each other in a circle come last, by name.
    """
    chosen = {name: probe(name) for name in (sorted(probes()) if names is None else names)}
    return tuple(chosen[name] for name in _order(chosen))


def load(group: str, kind: type[T], points: Iterable[EntryPoint]) -> Loaded[T]:
    """Imports entry points that must each yield a `kind` called like the entry point; failures become `Broken`."""
    found: dict[str, T] = {}
    failed: list[Broken] = []
    for point in sorted(points, key=lambda p: (_owner(p) != OURS, _owner(p), p.name, p.value)):
        try:
            value = point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plug-in throws is its own fault, not ours
            failed.append(Broken(name=point.name, group=group, error=f"{type(error).__name__}: {error}"))
            continue
        problem = _problem(point, value, kind, taken=point.name in found)
        if problem:
            failed.append(Broken(name=point.name, group=group, error=problem))
        else:
            found[point.name] = value
    return Loaded(found=MappingProxyType(dict(sorted(found.items()))), broken=tuple(failed))


def broken_promises(
    some_probes: Mapping[str, Probe], some_operators: Mapping[str, Operator[Any]]
) -> tuple[Broken, ...]:
    """Contracts between plug-ins that do not hold: needs nobody emits, names emitted twice, circles of needs."""
    wrong: list[Broken] = []
    emitters = dict(EXTERNAL)
    for item in some_probes.values():
        for name in item.emits:
            if name in emitters:
                error = f"emits {name!r}, which {emitters[name]} emits already"
                wrong.append(Broken(name=item.name, group=PROBES, error=error))
            else:
                emitters[name] = item.name
    for group, items in ((PROBES, some_probes), (OPERATORS, some_operators)):
        for needy in items.values():
            wrong += [
                Broken(name=needy.name, group=group, error=f"needs {name!r}, which no probe emits")
                for name in needy.needs
                if name not in emitters
            ]
    circle = _circle(some_probes)
    if circle:
        wrong.append(Broken(name=circle[0], group=PROBES, error="needs itself: " + " → ".join(circle)))
    return tuple(wrong)


@cache
def _loaded_probes() -> Loaded[Probe]:
    return load(PROBES, Probe, entry_points(group=PROBES))


@cache
def _loaded_operators() -> Loaded[Operator[Any]]:
    return load(OPERATORS, Operator, entry_points(group=OPERATORS))


@cache
def _loaded_detectors() -> "Loaded[Detector]":
    from safelight.detectors import Detector

    return load(DETECTORS, Detector, entry_points(group=DETECTORS))


@cache
def _loaded_recognisers() -> Loaded[Recogniser]:
    loaded = load(RECOGNISERS, Recogniser, entry_points(group=RECOGNISERS))
    return Loaded(found={**loaded.found, moonshine.NAME: moonshine.recogniser}, broken=loaded.broken)


def _owner(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else ""


def _problem(point: EntryPoint, value: object, kind: type[Any], *, taken: bool) -> str:
    if not isinstance(value, kind):
        return f"{point.value} is {type(value).__name__}, not {kind.__name__}"
    name = getattr(value, "name", "")
    if name != point.name:
        return f"{point.value} calls itself {name!r}"
    if taken:
        return f"{point.value} of {_owner(point) or 'an unknown package'} has a name that is taken; it is left out"
    return ""


def _named(name: str, items: Mapping[str, T], word: str) -> T:
    try:
        return items[name]
    except KeyError:
        remedy = f"There are: {', '.join(items) or 'none'}. `safelight doctor` lists what could not be loaded."
        raise UsageError(f"There is no {word} {name!r}.", remedy=remedy) from None


def _graph(items: Mapping[str, Probe]) -> dict[str, set[str]]:
    by_evidence: dict[str, str] = {}
    for item in items.values():
        for evidence in item.emits:
            by_evidence.setdefault(evidence, item.name)
    return {
        item.name: {by_evidence[need] for need in item.needs if need in by_evidence} - {item.name}
        for item in items.values()
    }


def _order(items: Mapping[str, Probe]) -> list[str]:
    graph = _graph(items)
    done: list[str] = []
    waiting = sorted(graph)
    while waiting:
        ready = [name for name in waiting if graph[name] <= set(done)]
        if not ready:
            return done + waiting
        done += ready
        waiting = [name for name in waiting if name not in ready]
    return done


def _circle(items: Mapping[str, Probe]) -> list[str]:
    try:
        TopologicalSorter(_graph(items)).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []
