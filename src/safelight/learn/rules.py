"""What a studio asks of a task before it is done alone, as the reducer needs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from safelight.domain import Zone

LADDER = (0.35, 0.4, 0.45, *(step / 50 for step in range(25, 41)), 0.85, 0.9, 0.95, 1.0)
"""Shares of the work that the thresholds of a ladder let through, the safest first. Fine steps cost nothing
where the next one is certified by the same verdicts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRules:
    """The promise of one task: of what is done alone at most a share `alpha` is bad; the method that says so is wrong
    with a chance of at most `delta`."""

    zone: Zone = Zone.AUTO  # the most that it can ever earn
    alpha: float = 0.02
    delta: float = 0.1
    audit: float = 0.10  # share of what is done alone that a person is shown all the same
    canary: int = 5  # items of each new shoot that are shown before any of its kind is done alone
    evidence: int | None = 5  # verdicts of one shoot that count; None: all
    ladder: tuple[float, ...] = LADDER  # shares of the work that thresholds let through, strictest first
    strict: bool = False  # one verdict a shoot, which is exact whatever happens inside a shoot
    needs_licence: bool = True

    @property
    def cap(self) -> int | None:
        """How many verdicts of one shoot count as evidence."""
        return 1 if self.strict else self.evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules of all tasks. `clients` holds what is stricter for one client, by client and task; of the clients in
    `high_stakes` a person sees everything."""

    tasks: Mapping[str, TaskRules] = field(default_factory=dict)
    default: TaskRules = field(default_factory=TaskRules)
    clients: Mapping[str, Mapping[str, TaskRules]] = field(default_factory=dict)
    high_stakes: frozenset[str] = frozenset()

    def task(self, name: str, client: str = "") -> TaskRules:
        """What holds for a task and client."""
        own = self.clients.get(client, {}).get(name)
        return own or self.tasks.get(name, self.default)
