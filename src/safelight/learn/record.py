"""The record: from the ledger's rows and a studio's rules to where each task stands. Same rows, same record.

    record = Record.from_rows(rows, rules)
    record.licensed("exposure", group="", client="", score=0.97).auto

A cell is a task and a risk group (and a client, where its work proved different or its rules are stricter) in one
version of the operator. Verdicts that people made item by item, drawn by coin, are its evidence; see `course`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from safelight.domain import Zone
from safelight.learn import audit, cells
from safelight.learn.cells import Cell, Event
from safelight.learn.draws import reaches
from safelight.learn.rows import Columns, Row, columns
from safelight.learn.rules import Rules, TaskRules

__all__ = ["Cell", "Columns", "Event", "Record", "Row", "Rules", "SameOutput", "Standing", "TaskRules"]

SameOutput = cells.SameOutput


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What may happen to one item now: done alone or shown to a person, how much of its kind is audited, how many
    canaries its shoot needs first, and why."""

    auto: bool
    state: str  # apprentice, licensed, demoted, never
    threshold: float | None  # None: everything, or no licence
    audit: float
    canary: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Where every cell stands."""

    cells: tuple[Cell, ...]
    rules: Rules = field(default_factory=Rules)
    styles: Mapping[str, str] = field(default_factory=dict)  # the learned style in use, by task

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[Row],
        rules: Rules,
        *,
        same_output: SameOutput | None = None,
        running: Mapping[str, str] | None = None,
    ) -> "Record":
        """The record of a ledger. `running` names the build (`rows.build`) of each task that is installed; without it
        the highest version in the ledger is the one that counts."""
        return cls.from_columns(columns(rows), rules, same_output=same_output, running=running)

    @classmethod
    def from_columns(
        cls,
        ledger: Columns,
        rules: Rules,
        *,
        same_output: SameOutput | None = None,
        running: Mapping[str, str] | None = None,
        styles: Mapping[str, str] | None = None,
    ) -> "Record":
        """The same from columns. `styles` names the learned style that is in use of each task that has one."""
        made = cells.reduce(ledger, rules, same_output=same_output, running=running or {})
        return cls(cells=made, rules=rules, styles=styles or {})

    def of(self, task: str, group: str = "", client: str = "") -> list[Cell]:
        """The cells whose licences an item needs, all of them: those of its group, or of every group of the task where
        its group is unknown; those of the client and of the style in use among them where there are any. None where
        nothing was ever said of such a group, or of items whose group is unknown: they may be of one that was never
        looked at."""
        style = self.styles.get(task, "")
        there = [c for c in self.cells if c.current and c.task == task]
        own = [c for c in there if c.client in ("", client) and c.style in ("", style)]
        same = [c for c in own if c.group == group]
        return same if group or not same else own

    def licensed(
        self,
        task: str,
        group: str,
        client: str,
        score: float | None,
        *,
        high_stakes: bool = False,
        unfamiliar: str = "",
    ) -> Standing:
        """Whether an item may be done alone: only if every cell it needs says so, at the strictest threshold.
        `unfamiliar` says in what its shoot is unlike those before (a new lens): more is looked at then."""
        rules = self.rules.task(task, client)
        needed = self.of(task, group, client)
        share = max((c.audit for c in needed), default=rules.audit)
        canary = max((c.canary for c in needed), default=rules.canary)
        if unfamiliar:
            share, canary = max(share, audit.DRIFT_SHARE), max(canary, audit.DRIFT_CANARY)
        open_ = [c for c in needed if c.state != "licensed"]
        state = "licensed" if needed and not open_ else open_[0].state if open_ else "apprentice"
        above = [c.threshold for c in needed if c.threshold is not None]
        threshold = max(above, default=None) if state == "licensed" else None
        why = self._why_not(rules, needed, client, high_stakes=high_stakes)
        if not why and not reaches(score, threshold):
            why = f"Its score {'is not known' if score is None else f'of {score:.3g}'}; from {threshold:.3g} it holds."
        return Standing(
            auto=not why, state=state, threshold=threshold, audit=share, canary=canary,
            why=why or " ".join(c.because for c in needed),
        )  # fmt: skip

    def _why_not(self, rules: TaskRules, needed: Sequence[Cell], client: str, *, high_stakes: bool) -> str:
        """Why nothing of this kind is done alone; empty if it may be."""
        if high_stakes or client in self.rules.high_stakes:
            return "The stakes are high: a person sees everything."
        if rules.zone is not Zone.AUTO:
            return f"The policy holds it at {rules.zone.value.replace('_', ' ')}."
        if not needed:
            return "Nobody has said anything about this kind of item yet."
        return next((c.because for c in needed if c.state != "licensed"), "")

    def ladder(self, task: str, group: str = "", client: str = "") -> tuple[float | None, ...]:
        """The thresholds that the next shoot draws evidence for, strictest first; (None,) while they are not fixed."""
        found = [c.ladder for c in self.of(task, group, client) if c.ladder_fixed]
        return found[0] if found else (None,)
