"""Which zone a task is in: evidence in, zone out. Pure; a policy can only lower the level that was earned.

Three layers, each of which may only be stricter than the one below: the map that ships with Safelight, the studio's own
file beside its library, and a file that is named for one run. Clients have sections of their own in any of them.
"""

import math
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from safelight.domain import Json, Measure, Zone
from safelight.errors import UsageError

SCHEMA = "safelight.policy/1"
FILE_NAME = "policy.toml"  # beside the library
ORDER = (Zone.AUTO, Zone.REVIEW, Zone.HUMAN, Zone.NEVER_UNREVIEWED)  # from most to least automatic
HIGH, NORMAL = "high", "normal"
NOBODY = "nobody"  # the risk group of pictures that show no face
LEAST_AUDIT = 0.05  # below this, a licence that has gone bad would go on for too long
INSIDE = ("alpha", "delta")  # between 0 and 1, neither of them
SHARES = ("complexity", "cost", "audit", "control", "known_bad")
FLAGS = ("needs_licence", "strict")
PROMISES: Mapping[str, Callable[..., Any]] = {"alpha": min, "delta": min, "audit": max, "canary": max}  # the stricter


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What the policy says about one task; `cap` names evidence whose presence lowers the zone, `groups` evidence that
    splits the task's record, so that each group of pictures has to earn its own licence."""

    zone: Zone
    complexity: float
    cost: float
    alpha: float
    delta: float
    audit: float
    canary: int
    control: float = 0.0
    known_bad: float = 0.0
    strict: bool = False
    needs_licence: bool = True  # false for what changes nothing that a person has seen
    groups: tuple[str, ...] = ()
    cap: Mapping[str, Zone] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What is different for one client: how much is at stake, and tasks with rules of their own."""

    stakes: str = NORMAL
    tasks: Mapping[str, Task] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All tasks, and what holds for those that are not named; clients; evidence that is not used to tell groups of
    pictures apart (`opt_out`)."""

    tasks: Mapping[str, Task]
    default: Task
    clients: Mapping[str, Client] = field(default_factory=dict)
    opt_out: frozenset[str] = frozenset()

    def task(self, name: str, client: str | None = None) -> Task:
        """The rules of a task, for a client if one is named."""
        own = self.clients.get(client or "", Client()).tasks.get(name)
        return own or self.tasks.get(name, self.default)

    def stakes(self, client: str | None, stakes: str = NORMAL) -> str:
        """How much is at stake in a shoot, by itself or because of whose it is."""
        of_client = self.clients.get(client or "", Client()).stakes
        return HIGH if HIGH in (stakes, of_client) else NORMAL

    def zone(
        self, name: str, facts: Mapping[str, Measure], *, licensed: bool, client: str | None = None,
        stakes: str = NORMAL,
    ) -> Zone:  # fmt: skip
        """Where a proposal of task `name` about these facts belongs. Without a licence nothing is above review, and
        where stakes are high a person sees everything."""
        task = self.task(name, client)
        zones = [task.zone, *(cap for evidence, cap in task.cap.items() if present(facts.get(evidence)))]
        if (task.needs_licence and not licensed) or self.stakes(client, stakes) == HIGH:
            zones.append(Zone.REVIEW)
        return max(zones, key=ORDER.index)

    @property
    def splits(self) -> frozenset[str]:
        """The evidence that splits the record of any task, for any client."""
        tasks = [self.default, *self.tasks.values(), *(t for c in self.clients.values() for t in c.tasks.values())]
        return frozenset(name for task in tasks for name in task.groups) - self.opt_out

    def group(self, name: str, facts: Mapping[str, Measure], client: str | None = None) -> str | None:
        """The risk group of a picture in a task: a key of the record and nothing else, never said of a person.

        None is unknown, for which the strictest licence that may apply is asked."""
        keys = self.task(name, client).groups
        if not keys:
            return None
        faces = facts.get("faces")
        if faces is not None and faces.cannot_tell is None and not faces.value:
            return NOBODY
        told = [facts.get(key) for key in keys if key not in self.opt_out]
        known = [f"{m.name}:{m.value}" for m in told if m is not None and isinstance(m.value, str)]
        return "+".join(known) if len(known) == len(keys) else None


def present(measure: Measure | None) -> bool:
    """Whether evidence speaks: a value that is neither empty, false nor zero. What cannot be told counts as present."""
    return measure is not None and (measure.cannot_tell is not None or bool(measure.value))


@cache
def default() -> Policy:
    """The policy that ships with Safelight: the map of `policy.toml`."""
    return parse(files("safelight").joinpath("policy.toml").read_text(encoding="utf-8"), "the built-in policy")


def load(path: Path | None, *, studio: Path | None = None, tasks: Collection[str] = ()) -> Policy:
    """A policy file laid over the studio's own (where there is one) and that over the built-in one. `tasks` are those
    that may be named besides the built-in ones. The first of the two says what is promised, the other may only promise
    more. Raises UsageError with the line that cannot be understood, and for a file that would let the machine do
    more."""
    made = default()
    for each in (studio if studio is not None and studio.is_file() else None, path):
        if each is None:
            continue
        try:
            text = each.read_text(encoding="utf-8")
        except OSError as error:
            raise UsageError(f"The policy {each} cannot be read ({error.strerror}).") from error
        except UnicodeDecodeError as error:
            raise UsageError(f"The policy {each} is no UTF-8 text: {error}.", remedy="Save it as UTF-8.") from error
        made = parse(text, str(each), base=made, tasks=tasks, promised=made is not default())
    return made


def parse(
    text: str, name: str, *, base: Policy | None = None, tasks: Collection[str] = (), promised: bool = False
) -> Policy:  # fmt: skip
    """A policy from TOML; what it does not name comes from `base`, and no level may be higher than there. Where
    `promised`, nothing may be promised less and looked at less than there either."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"{name} is not valid TOML: {error}.", remedy="Mend that line; the manual shows an example."
        ) from error
    file = _File(name=name, text=text, promised=promised)
    if data.get("schema") != SCHEMA:
        raise file.error((), "schema", f"the schema is {data.get('schema')!r}", f'Write schema = "{SCHEMA}" first.')
    for section in set(data) - {"schema", "default", "task", "client", "opt_out"}:
        raise file.error((section,), None, f"{section!r} is no section", "Use [default], [task.NAME], [client.NAME].")
    under = base.default if base else None
    ground = _task(data.get("default", {}), file, ("default",), under, floor=under)
    known = {*base.tasks, *tasks} if base else None
    found = dict(base.tasks) if base else {}
    found |= _tasks(data.get("task", {}), file, ("task",), known, lambda task: found.get(task, ground), free=not base)
    made = Policy(tasks=found, default=ground, clients=base.clients if base else {})
    clients = dict(made.clients)
    for client, row in _table(data.get("client", {}), file, ("client",)).items():
        below = base.clients.get(client, Client()) if base else Client()
        own = _table(row, file, ("client", client))
        clients[client] = _client(own, file, client, below, floor=base or made, made=made, known=known)
    opt_out = data.get("opt_out", [])
    if not isinstance(opt_out, list) or not all(isinstance(item, str) for item in opt_out):
        raise file.error((), "opt_out", "opt_out is no list of names", 'For example opt_out = ["skin_tone"].')
    return replace(made, clients=clients, opt_out=frozenset(opt_out) | (base.opt_out if base else frozenset()))


# ---------------------------------------------------------------- sections


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A policy's text, to name the line that a complaint is about; `promised` where the layer below has said what is
    promised, which this one may not take back."""

    name: str
    text: str
    promised: bool = False

    def error(self, section: tuple[str, ...], key: str | None, cause: str, remedy: str) -> UsageError:
        line = self.line(section, key)
        return UsageError(f"{self.name}{f', line {line}' if line else ''}: {cause}.", remedy=remedy)

    def line(self, section: tuple[str, ...], key: str | None) -> int | None:
        """The line of a key in a section, or of the section; None where it is written in a way that is not looked
        for (inline tables)."""
        here: tuple[str, ...] = ()
        head = None
        for number, line in enumerate(self.text.splitlines(), 1):
            text = line.strip()
            if header := re.match(r"\[\s*([^\[\]]+?)\s*\]", text):
                here = _dotted(header[1])
                head = number if head is None and here[: len(section)] == section else head
            elif (assigned := re.match(r"([^=#]+?)\s*=", text)) and key is not None:
                if here + _dotted(assigned[1]) == (*section, key):
                    return number
                head = number if head is None and (here + _dotted(assigned[1]))[: len(section)] == section else head
        return head if section else None


def _dotted(text: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^.]+", text))


def _table(value: Json, file: _File, section: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise file.error(section[:-1], section[-1], f"{'.'.join(section)} is no table", "Write it as a [section].")
    return value


def _client(
    row: Mapping[str, Any], file: _File, client: str, before: Client, *, floor: Policy, made: Policy,
    known: Collection[str] | None,
) -> Client:  # fmt: skip
    """A client's section: it may not raise what the layer below says, and where the studio's own rules or promises in
    the same file are stricter, those hold."""
    section = ("client", client)
    for key in set(row) - {"stakes", "task"}:
        raise file.error(section, key, f"{key!r} is no rule of a client", "Rules are stakes and task.NAME.")
    stakes = row.get("stakes", before.stakes)
    if stakes not in (NORMAL, HIGH):
        raise file.error(section, "stakes", f"stakes are {stakes!r}", "Stakes are normal or high.")
    if before.stakes == HIGH and stakes != HIGH:
        raise file.error(section, "stakes", "stakes are high already, and a policy only lowers", "Leave it out.")
    place = (*section, "task")
    own = _tasks(
        row.get("task", {}), file, place, known, lambda task: before.tasks.get(task, made.task(task)),
        floor=lambda task: before.tasks.get(task, floor.task(task)),
    )  # fmt: skip
    return Client(
        stakes=stakes, tasks={name: _stricter(task, made.task(name)) for name, task in {**before.tasks, **own}.items()}
    )


def _stricter(task: Task, studio: Task) -> Task:
    """A client's rules where the studio's are stricter: the lower zone, all caps, each at its lowest, the greater
    promise, the more that is looked at."""
    caps = {name: max(task.cap.get(name, zone), zone, key=ORDER.index) for name, zone in studio.cap.items()}
    return replace(
        task, zone=max(task.zone, studio.zone, key=ORDER.index), cap={**task.cap, **caps},
        strict=task.strict or studio.strict, needs_licence=task.needs_licence or studio.needs_licence,
        **{key: least(getattr(task, key), getattr(studio, key)) for key, least in PROMISES.items()},
    )  # fmt: skip


def _tasks(
    rows: Json, file: _File, section: tuple[str, ...], known: Collection[str] | None, base: Callable[[str], Task],
    *, free: bool = False, floor: Callable[[str], Task] | None = None,
) -> dict[str, Task]:  # fmt: skip
    out = {}
    for task, row in _table(rows, file, section).items():
        if known is not None and task not in known:
            raise file.error(
                (*section, task), None, f"{task!r} is no task here", f"Tasks are {', '.join(sorted(known))}."
            )
        place = (*section, task)
        least = None if free else (floor or base)(task)
        out[task] = _task(_table(row, file, place), file, place, base(task), floor=least)
    return out


def _task(
    row: Mapping[str, Any], file: _File, section: tuple[str, ...], base: Task | None, *, floor: Task | None
) -> Task:
    """The rules of a section over those of `base`; they may not let the machine do more than `floor` does."""
    known = set(Task.__slots__)
    for key in sorted(set(row) - known):
        raise file.error(section, key, f"{key!r} is no rule of a task", f"Rules are {', '.join(sorted(known))}.")
    values: dict[str, Any] = {key: getattr(base, key) for key in known} if base else {}
    for key, value in row.items():
        values[key] = _value(key, value, file, section)
    if base is not None:
        if floor is not None:
            _caps_only_lower(values["cap"], floor.cap, file, section)
        values["cap"] = {**base.cap, **values["cap"]}
    try:
        made = Task(**values)
    except TypeError as error:
        raise file.error(section, None, str(error), "Name every rule.") from error
    if floor is not None:
        _only_lower(made, floor, file, section)
    if made.needs_licence and made.audit < LEAST_AUDIT:
        raise file.error(
            section,
            "audit",
            f"audit is {made.audit:g}",
            f"At least {LEAST_AUDIT:g} of what is done alone is looked at.",
        )
    return made


def _value(key: str, value: Any, file: _File, section: tuple[str, ...]) -> Any:
    """A rule's value as it is kept; raises UsageError for anything else."""
    if key == "zone":
        return _zone(value, file, section, key)
    if key == "cap":
        place = (*section, key)
        return {name: _zone(zone, file, place, name) for name, zone in _table(value, file, place).items()}
    if key == "groups":
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise file.error(section, key, f"groups are {value!r}", 'A list of evidence, such as ["skin_tone"].')
        return tuple(value)
    if key in FLAGS:
        if not isinstance(value, bool):
            raise file.error(section, key, f"{key} is {value!r}", "It is true or false.")
        return value
    return _number(key, value, file, section)


def _number(key: str, value: Any, file: _File, section: tuple[str, ...]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise file.error(section, key, f"{key} is {value!r}", "It is a number, such as 0.02.")
    if key == "canary":
        if not 1 <= value < math.inf or value != int(value):
            raise file.error(section, key, f"canary is {value}", "At least 1 item of each new shoot is shown first.")
        return int(value)
    if (key in INSIDE and not 0 < value < 1) or (key in SHARES and not 0 <= value <= 1):
        raise file.error(section, key, f"{key} is {value}", "It is a share between 0 and 1, such as 0.02.")
    return float(value)


def _zone(text: Any, file: _File, section: tuple[str, ...], key: str) -> Zone:
    """A zone by its name, written with a hyphen or an underscore."""
    try:
        return Zone(str(text).replace("-", "_"))
    except ValueError as error:
        known = ", ".join(zone.value for zone in ORDER)
        raise file.error(section, key, f"{text!r} is no zone", f"Zones are {known}.") from error


def _caps_only_lower(
    new: Mapping[str, Zone], old: Mapping[str, Zone], file: _File, section: tuple[str, ...]
) -> None:  # fmt: skip
    """Raises UsageError for a cap that would raise one of the layer below."""
    for evidence, zone in new.items():
        if evidence in old and ORDER.index(zone) < ORDER.index(old[evidence]):
            cause = f"{evidence} caps at {old[evidence].value}; {zone.value} would raise that"
            raise file.error((*section, "cap"), evidence, cause, LOWER)


LOWER = "A policy can only lower what a task may do: choose the same or something stricter, or leave the line out."


def _only_lower(made: Task, base: Task, file: _File, section: tuple[str, ...]) -> None:
    """Raises UsageError where a section lets the machine do more than what it is laid over."""
    name = section[-1]
    if ORDER.index(made.zone) < ORDER.index(base.zone):
        cause = f"{name} is at most {base.zone.value}; {made.zone.value} would raise it"
        raise file.error(section, "zone", cause, LOWER)
    if base.needs_licence and not made.needs_licence:
        raise file.error(section, "needs_licence", f"{name} needs a licence", LOWER)
    if base.strict and not made.strict:
        raise file.error(section, "strict", f"{name} is strict already", LOWER)
    for key, stricter in PROMISES.items() if file.promised else ():
        mine, below = getattr(made, key), getattr(base, key)
        if stricter(mine, below) != mine:
            raise file.error(section, key, f"{name} has {key} {below:g}; {mine:g} would promise less", LOWER)
    if missing := set(base.groups) - set(made.groups):
        cause = f"{name} keeps records apart by {min(missing)}, which would be pooled"
        raise file.error(section, "groups", cause, f"{LOWER} To leave that evidence out of use, see opt_out.")
