"""Before a task is switched on for a client: what a careful studio asks, and what follows from the answers.

Adopt what is rule-bound, harmless and has gone well; calibrate (suggest, and let a person say yes) where one of these
is not so; resist where a task is creative, where a mistake would do damage that nobody would see before it leaves, or
where nobody could do it by hand. The record stands beside the answers, and decides what may be done alone in any case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import tomlkit
import tomlkit.exceptions
from tomlkit.items import Table

from safelight import ledger, plugins, policy
from safelight.domain import Zone
from safelight.errors import UsageError
from safelight.files import write_atomic
from safelight.policy import ORDER, Policy
from safelight.store.library import Library, now

SCHEMA = "safelight.guide/1"


class Advice(StrEnum):
    """What to do with a task."""

    ADOPT = "adopt"
    CALIBRATE = "calibrate"
    RESIST = "resist"


ZONES = {Advice.ADOPT: Zone.AUTO, Advice.CALIBRATE: Zone.REVIEW, Advice.RESIST: Zone.HUMAN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One line of the checklist: `good` is what follows from yes, `bad` from no."""

    name: str
    text: str
    good: str
    bad: str


QUESTIONS = (
    Question(
        name="repetitive", text="Is it repetitive: the same rule for every photo?",
        good="It follows a rule.", bad="It is creative: taste, story or brand decide, not a rule.",
    ),
    Question(
        name="harmless", text="Would a small mistake be harmless, seen by nobody or easily forgiven?",
        good="A small mistake would do no harm.", bad="A small mistake would be seen, or do damage.",
    ),
    Question(
        name="examples", text="Are there past examples to learn from and to compare with?",
        good="There are examples.", bad="There are no examples to compare with.",
    ),
    Question(
        name="went_well", text="Has it gone well before, for work like this?",
        good="It has gone well before.", bad="It has not gone well before, or nobody knows.",
    ),
    Question(
        name="looked_at", text="Will a person look before it is delivered?",
        good="A person looks before it leaves.", bad="Nobody looks before it leaves.",
    ),
    Question(
        name="fallback", text="Could a person do it by hand if the machine fails?",
        good="A person can do it by hand.", bad="There is no way to do it by hand.",
    ),
)  # fmt: skip


def advise(answers: Mapping[str, bool]) -> Advice:
    """What follows from the answers, by question."""
    creative, risky = not answers["repetitive"], not answers["harmless"]
    if creative or not answers["fallback"] or (risky and not answers["looked_at"]):
        return Advice.RESIST
    return Advice.ADOPT if not risky and answers["examples"] and answers["went_well"] else Advice.CALIBRATE


def reasons(answers: Mapping[str, bool], advice: Advice) -> list[str]:
    """What speaks for the advice, the weightiest first."""
    if advice is Advice.ADOPT:
        return [q.good for q in QUESTIONS]
    return [q.bad for q in QUESTIONS if not answers[q.name]] or ["Nothing speaks against it."]


def beside(library: Library, task: str, client: str | None) -> list[str]:
    """What the record says of a task, for a client where its work stands apart."""
    found = ledger.document(library)
    cells = [c for c in found["cells"] if c["current"] and c["task"] == task and c["client"] in (None, client)]
    if not cells:
        return ["Nothing is on record yet: nobody has answered a suggestion of this task."]
    return ledger.words({**found, "cells": cells, "set_aside": []}).splitlines()


def document(
    library: Library, task: str, answers: Mapping[str, bool], *, client: str | None, by: str
) -> dict[str, Any]:  # fmt: skip
    """`safelight.guide/1`: the answers, the advice, why, and the record beside it; nothing is written."""
    rules = ledger.rules(library)
    known(task)
    advice = advise(answers)
    zone = _zone(rules, task, advice, client)
    return {
        "schema": SCHEMA, "task": task, "client": client, "by": by, "at": now(), "answers": dict(answers),
        "advice": advice.value, "because": reasons(answers, advice), "zone": zone.value,
        "record": beside(library, task, client), "written": None,
    }  # fmt: skip


def known(task: str) -> None:
    """Raises UsageError for a task that is not installed."""
    if task not in plugins.operators():
        raise UsageError(f"{task!r} is no task here.", remedy=f"Tasks are {', '.join(plugins.operators())}.")


def _zone(rules: Policy, task: str, advice: Advice, client: str | None) -> Zone:
    """The zone that goes into the policy: what was advised, and never above what the map allows."""
    ceiling = policy.default().task(task) if client is None else rules.task(task)
    return max(ZONES[advice], ceiling.zone, key=ORDER.index)


def write(library: Library, found: dict[str, Any], path: Path | None) -> Path:
    """Writes the task's zone into the studio's policy, with date, name and answers beside it; what else stands there
    stays, comments too. Raises UsageError where the file cannot be understood, and where a library on a server has no
    place for one and none is named."""
    target = path or ledger.studio_file(library)
    if target is None:
        raise UsageError("A library on a server has no folder for a policy.", remedy="Name a file with --policy.")
    document_ = _opened(target)
    section = _section(document_, found["task"], found["client"])
    said = ", ".join(f"{q.name} {'yes' if found['answers'][q.name] else 'no'}" for q in QUESTIONS)
    section["zone"] = found["zone"]
    section["zone"].comment(f"{found['advice']}, {found['at'][:10]}, {found['by']}: {said}")
    text = tomlkit.dumps(document_)
    policy.parse(text, str(target), base=policy.default(), tasks=tuple(plugins.operators()))
    write_atomic(target, text.encode())
    return target


def _opened(path: Path) -> tomlkit.TOMLDocument:
    if not path.is_file():
        made = tomlkit.document()
        made["schema"] = policy.SCHEMA
        return made
    try:
        text = path.read_text(encoding="utf-8")
        policy.parse(text, str(path), base=policy.default(), tasks=tuple(plugins.operators()))
        return tomlkit.parse(text)
    except (OSError, UnicodeDecodeError, tomlkit.exceptions.ParseError) as error:
        raise UsageError(f"The policy {path} cannot be read ({error}).", remedy="Mend it, or name another.") from error


def _section(document_: tomlkit.TOMLDocument, task: str, client: str | None) -> Table:
    """The section of a task, made where it is not there."""
    here: Any = document_
    for key in (*(("client", client) if client is not None else ()), "task", task):
        if key not in here:
            here.add(key, tomlkit.table(is_super_table=key in ("client", "task")))
        here = here[key]
    return here  # type: ignore[no-any-return]


def words(found: Mapping[str, Any]) -> str:
    """The advice for a terminal."""
    what = found["task"].replace("_", " ") + (f" for {found['client']}" if found["client"] else "")
    lines = [f"{found['advice'].capitalize()}: {what}. {MEANING[Advice(found['advice'])]}"]
    lines += [f"  {reason}" for reason in found["because"]]
    lines.append("The record:")
    lines += [f"  {line}" for line in found["record"]]
    lines.append(
        f"Written to {found['written']}: zone = {found['zone']}."
        if found["written"]
        else f"Nothing was written; the policy would say zone = {found['zone']}."
    )
    return "\n".join(lines)


MEANING = {
    Advice.ADOPT: "It may be done alone as far as its record allows, and not before.",
    Advice.CALIBRATE: "It is suggested, and a person says yes or no.",
    Advice.RESIST: "It is prepared for a person at most, and never applied by the machine.",
}

__all__: Sequence[str] = ("QUESTIONS", "Advice", "advise", "beside", "document", "known", "words", "write")
