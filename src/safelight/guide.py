"""Before a task is switched on for a client: the advice of the checklist with the record beside it, which decides what
may be done alone in any case.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit
import tomlkit.exceptions
from tomlkit.items import Table

from safelight import ledger, plugins, policy
from safelight.checklist import QUESTIONS, Advice, advise, reasons
from safelight.domain import Zone
from safelight.errors import UsageError
from safelight.files import write_atomic
from safelight.policy import ORDER, Policy
from safelight.store.library import Library, now

SCHEMA = "safelight.guide/1"


ZONES = {Advice.ADOPT: Zone.AUTO, Advice.CALIBRATE: Zone.REVIEW, Advice.RESIST: Zone.HUMAN}


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
    """Raises UsageError for a task that is neither installed nor on the map."""
    tasks = sorted({*plugins.operators(), *policy.default().tasks})
    if task not in tasks:
        raise UsageError(f"{task!r} is no task here.", remedy=f"Tasks are {', '.join(tasks)}.")


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
