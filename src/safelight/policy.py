"""Which zone a task is in: evidence in, zone out. Pure; a policy can only lower the level that was earned."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from safelight.domain import Measure, Zone
from safelight.errors import UsageError

SCHEMA = "safelight.policy/1"
ORDER = (Zone.AUTO, Zone.REVIEW, Zone.HUMAN, Zone.NEVER_UNREVIEWED)  # from most to least automatic


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What the policy says about one task; `cap` names evidence whose presence lowers the zone."""

    zone: Zone
    complexity: float
    cost: float
    alpha: float
    delta: float
    audit: float
    canary: int
    needs_licence: bool = True  # false for what changes nothing that a person has seen
    cap: Mapping[str, Zone] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All tasks, and what holds for those that are not named."""

    tasks: Mapping[str, Task]
    default: Task

    def task(self, name: str) -> Task:
        """The rules of a task."""
        return self.tasks.get(name, self.default)

    def zone(self, name: str, facts: Mapping[str, Measure], *, licensed: bool) -> Zone:
        """Where a proposal of task `name` about these facts belongs. Without a licence nothing is above review."""
        task = self.task(name)
        zones = [task.zone, *(cap for evidence, cap in task.cap.items() if present(facts.get(evidence)))]
        if task.needs_licence and not licensed:
            zones.append(Zone.REVIEW)
        return max(zones, key=ORDER.index)


def present(measure: Measure | None) -> bool:
    """Whether evidence speaks: a value that is neither empty, false nor zero. What cannot be told counts as present."""
    return measure is not None and (measure.cannot_tell is not None or bool(measure.value))


@cache
def default() -> Policy:
    """The policy that ships with Safelight: the map of `policy.toml`."""
    return parse(files("safelight").joinpath("policy.toml").read_text(encoding="utf-8"), "the built-in policy")


def load(path: Path | None) -> Policy:
    """A studio's policy file laid over the built-in one; raises UsageError with the line that cannot be understood."""
    if path is None:
        return default()
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"The policy {path} cannot be read ({error.strerror}).") from error
    return parse(text, str(path), base=default())


def parse(text: str, name: str, *, base: Policy | None = None) -> Policy:
    """A policy from TOML; what it does not name comes from `base`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name} is not valid TOML: {error}.") from error
    if data.get("schema") != SCHEMA:
        raise UsageError(
            f"{name} has schema {data.get('schema')!r}.", remedy=f'Its first line must be schema = "{SCHEMA}".'
        )
    unknown = set(data) - {"schema", "default", "task"}
    if unknown:
        raise UsageError(f"{name} has an unknown section {min(unknown)!r}.", remedy="Use [default] and [task.NAME].")
    ground = _task(data.get("default", {}), name, "default", base.default if base else None)
    tasks = dict(base.tasks) if base else {}
    for task, row in data.get("task", {}).items():
        tasks[task] = _task(row, name, task, tasks.get(task, ground))
    return Policy(tasks=tasks, default=ground)


def _task(row: Mapping[str, Any], name: str, task: str, base: Task | None) -> Task:
    known = set(Task.__slots__)
    if unknown := set(row) - known:
        raise UsageError(
            f"{name}, task {task}: {min(unknown)!r} is not a rule.",
            remedy=f"Rules are {', '.join(sorted(known))}.",
        )
    values: dict[str, Any] = {key: getattr(base, key) for key in known} if base else {"cap": {}, "needs_licence": True}
    values |= row
    try:
        values["zone"] = Zone(values["zone"])
        values["cap"] = {evidence: Zone(zone) for evidence, zone in values["cap"].items()}
        numbers = {key: float(values[key]) for key in ("complexity", "cost", "alpha", "delta", "audit")}
        made = Task(**(values | numbers | {"canary": int(values["canary"])}))
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"{name}, task {task}: {error}.", remedy=f"Zones are {', '.join(z.value for z in ORDER)}."
        ) from error
    for key, value in numbers.items():
        if not 0 <= value <= 1:
            raise UsageError(f"{name}, task {task}: {key} is {value}.", remedy="Shares lie between 0 and 1.")
    return made
