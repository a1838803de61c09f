"""The verdict ledger of a studio: what it says each task has earned, and the ledger itself for others to check.

The document is made from the ledger alone. It is kept, for as long as nothing was added, so that asking again costs
nothing; `rebuilt` makes it anew.
"""

import csv
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from safelight import ledger_builds, plugins, policy, weights
from safelight.domain import Say, Verdict, digest_of
from safelight.errors import UsageError
from safelight.files import json_text, write_atomic
from safelight.learn import audit, cells, replay
from safelight.learn.record import Cell, Record, Rules, TaskRules
from safelight.learn.rows import POLICY, Columns, build, columns
from safelight.ledger_rows import odd, of_file, of_library, styles_in_use
from safelight.policy import Policy
from safelight.store import carried, records, schema
from safelight.store.library import Library, now
from safelight.words import many

SCHEMA = "safelight.trust/1"
LICENCES = "licences"  # beside it, where what the ledger says is kept
WORSE = 5  # times α: the jump in quality of which it is told how many bad items pass before a licence is withdrawn
YEAR_WEEKS = 365.25 / 7
FEW_SHOOTS = 5  # of a group that is about people: below, its rate says more of who came than of the machine
NOT_LISTED = "Kinds of skin that are not listed were not measured: a person sees everything of them."
EVENTS = 8  # of a replay, the newest, that a terminal is told
CHECK = "check."  # before the name of a finding, where else a task is named


# ---------------------------------------------------------------- the record


def rules(library: Library, path: Path | None = None) -> Policy:
    """The policy that the record is judged by: a file laid over the studio's own."""
    return policy.load(path, studio=studio_file(library), tasks=tuple(plugins.operators()))


def studio_file(library: Library) -> Path | None:
    """Where a studio's own policy lies; None for a library on a server, whose runs name theirs."""
    return None if library.folder is None else library.folder / policy.FILE_NAME


def rules_of(asked: Policy) -> Rules:
    """A policy as the reducer needs it."""
    return Rules(
        tasks={name: _rules(task) for name, task in asked.tasks.items()},
        default=_rules(asked.default),
        clients={
            name: {task: _rules(row) for task, row in client.tasks.items()} for name, client in asked.clients.items()
        },
        high_stakes=frozenset(name for name in asked.clients if asked.stakes(name) == policy.HIGH),
    )


def _rules(task: policy.Task) -> TaskRules:
    return TaskRules(
        zone=task.zone, alpha=task.alpha, delta=task.delta, audit=task.audit, canary=task.canary, strict=task.strict,
        needs_licence=task.needs_licence,
    )  # fmt: skip


def record(library: Library, asked: Policy) -> Record:
    """Where every task stands, from the ledger alone."""
    ledger, _ = of_library(library)
    return _reduced(library, ledger, asked)


def licences(library: Library, asked: Policy, read: Callable[[], Record]) -> list[Any]:
    """Every licence as it stands, for comparing. They are kept for as long as nothing was added that they depend on;
    else they are taken from the record, which `read` reads."""
    key = _key(library, asked)
    kept = library.newest(schema.trust, ["name"], schema.trust.c.name == LICENCES)
    if kept and kept[0]["key"] == key:
        found: list[Any] = json.loads(kept[0]["body"])
        return found
    made = [[c.task, c.group, c.client, c.builds, c.state, c.threshold] for c in read().cells if c.current]
    library.append(schema.trust, [{"name": LICENCES, "key": key, "body": json_text(made), "at": now()}])
    return made


def _reduced(library: Library, ledger: Columns, asked: Policy) -> Record:
    return Record.from_columns(
        ledger.without_groups(asked.opt_out),
        rules_of(asked),
        same_output=partial(ledger_builds.same_output, library),
        running=running(_answered(library)),
        styles=styles_in_use(library),
    )


def running(tasks: Mapping[str, Any]) -> dict[str, str]:
    """The build that is installed of each of these tasks, as the ledger names it."""
    known = plugins.operators()
    return {name: build(known[name].version, weights.used(known[name].weights)) for name in tasks if name in known}


# ---------------------------------------------------------------- the document


def document(library: Library, asked: Policy | None = None) -> dict[str, Any]:
    """`safelight.trust/1`: where each task stands, what deliveries can at most hold, which rows could not be read."""
    chosen = asked or rules(library)
    key = _key(library, chosen)
    kept = library.newest(schema.trust, ["name"], schema.trust.c.name == SCHEMA)
    if kept and kept[0]["key"] == key:
        found: dict[str, Any] = json.loads(kept[0]["body"])
        return found
    made = rebuilt(library, chosen)
    library.append(schema.trust, [{"name": SCHEMA, "key": key, "body": json_text(made), "at": now()}])
    return made


def rebuilt(library: Library, asked: Policy) -> dict[str, Any]:
    """The same document, made from the ledger alone."""
    ledger, aside = of_library(library)
    answered = _answered(library)
    found = _reduced(library, ledger, asked)
    return {
        "schema": SCHEMA,
        "cells": [_cell(cell, asked, answered) for cell in found.cells],
        "deliveries": _deliveries(library),
        "set_aside": [asdict(row) for row in sorted({*aside, *odd(library)}, key=lambda row: row.line)],
    }


def replayed(path: Path, asked: Policy) -> dict[str, Any]:
    """The same document for a ledger in a file, with what would have happened under this policy."""
    rows, aside = of_file(path)
    ledger = columns(rows)
    ledger = ledger.without_groups(asked.opt_out)
    found = Record.from_columns(ledger, rules_of(asked))
    answered: dict[str, int] = {}
    for code in ledger.task.tolist():
        answered[ledger.names["task"][code]] = answered.get(ledger.names["task"][code], 0) + 1
    made = []
    for cell in found.cells:
        would = replay.would_have(ledger, cell)
        row = {"items": would.items, "automated": would.automated, "bad_let_through": would.bad_let_through}
        made.append(_cell(cell, asked, answered) | {"would_have": row})
    return {"schema": SCHEMA, "cells": made, "deliveries": [], "set_aside": [asdict(row) for row in aside]}


def _key(library: Library, asked: Policy) -> str:
    """What the document depends on: how far the ledger goes, the rules, what is installed."""
    with library.transaction(reading=True) as connection:
        newest = [
            connection.execute(sa.select(sa.func.max(table.c.seq))).scalar()
            for table in (
                schema.verdicts,
                schema.deliveries,
                schema.proposals,
                schema.shoots,
                schema.draws,
                schema.styles,
            )
        ]
        touched = sa.select(sa.func.max(schema.trust.c.seq)).where(schema.trust.c.name == schema.TOUCHED)
        newest.append(connection.execute(touched).scalar())
    builds = running(plugins.operators())
    said = asdict(asked) | {"opt_out": sorted(asked.opt_out)}
    return digest_of([newest, builds, version("safelight"), said])


def _answered(library: Library) -> dict[str, int]:
    """How many answers people gave in each task."""
    table = schema.verdicts.c
    statement = (
        sa.select(table.operator, sa.func.count().label("count"))
        .where(table.verdict != Say.UNDO.value, ~table.by.startswith(POLICY))
        .group_by(table.operator)
    )
    return {str(row["operator"]): int(row["count"]) for row in library.rows(statement)}


def _cell(cell: Cell, asked: Policy, answered: Mapping[str, int]) -> dict[str, Any]:
    task = asked.task(cell.task, cell.client or None)
    course = cell.course
    return {
        "task": cell.task, "style": cell.style or None, "client": cell.client or None, "group": cell.group or None,
        "version": label(cell), "current": cell.current, "zone": cell.zone.value, "complexity": task.complexity,
        "cost": task.cost, "state": cell.state, "because": cell.because,
        "answered": answered.get(cell.task, 0), "shoots": cell.shoots, "n": cell.n, "k": cell.k,
        "drawn": cell.drawn, "drawn_bad": cell.drawn_bad,
        "reject_rate": {
            "value": _rounded(cell.drawn_bad / cell.drawn) if cell.drawn else None, "low": _rounded(cell.rate_low),
            "high": _rounded(cell.rate_high), "level": cells.LEVEL,
        },
        "alpha": cell.alpha, "delta": cell.delta, "e_value": _rounded(math.exp(min(course.log_e, 600.0))),
        "threshold": _rounded(cell.threshold), "share_automated": _rounded(cell.share_automated),
        "audit": cell.audit, "canary": cell.canary,
        "needs": {
            "verdicts_if_none_bad": cell.needs, "shoots": cell.needs_shoots, "weeks": _weeks(cell),
            "for": _next_step(cell),
        },
        "seconds_saved": None if cell.saved is None else _rounded(cell.saved.seconds),
        "saved": None if cell.saved is None else {k: _rounded(v) for k, v in asdict(cell.saved).items()},
        "reviewers": {
            "known_bads": cell.caught[0], "caught": cell.caught[1], "at_least": _rounded(cell.sensitivity),
        },
        "exposure": {
            "rate": WORSE * cell.alpha,
            "bad_before_stopped": _rounded(audit.exposure(WORSE * cell.alpha, cell.alpha, cell.audit)),
        },
        "drift": _rounded(cell.drift),
        "history": [{"at": e.at, "event": e.event, "because": e.because} for e in cell.history],
        "curve": [list(point) for point in cell.curve],
    }  # fmt: skip


def label(cell: Cell) -> str:
    """`exposure@2`, with the digest of weights where it used any."""
    number, _, papers = cell.builds[-1].partition("/")
    return f"{cell.task}@{number}" + (f"/{papers}" if papers else "")


def _next_step(cell: Cell) -> str | None:
    """What the next verdicts are for: a licence, or the share that the next threshold would let through."""
    if cell.state == "never" or (cell.needs == 0 and cell.state == "licensed"):
        return None
    rung = min(cell.course.rung, len(cell.course.shares) - 1)
    return f"{percent(cell.course.shares[rung])} % of the work"


def _weeks(cell: Cell) -> float | None:
    if cell.needs_shoots is None or not cell.per_year:
        return None
    return round(cell.needs_shoots / cell.per_year * YEAR_WEEKS, 1)


def _rounded(value: float | None) -> float | None:
    if value is None or isinstance(value, int):
        return value
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _deliveries(library: Library) -> list[dict[str, Any]]:
    """What nobody looked at in each delivery, as its manifest says."""
    table = schema.deliveries.c
    text: Any = table.manifest
    kind = sa.type_coerce(text, sa.JSON) if library.engine.dialect.name == "sqlite" else sa.cast(text, sa.JSON)
    rows = library.rows(
        sa.select(table.id, table.at, table.shoot, kind["unseen"].label("unseen"))
        .where(table.draft.is_(False))
        .order_by(table.seq)
    )
    return [
        {
            "id": row["id"], "at": row["at"], "shoot": row["shoot"], "unseen": said.get("photos", 0),
            "audited": said.get("audited", 0), "bad_found": said.get("bad_found", 0),
            "bad_at_most": said.get("bad_at_most"), "level": said.get("level"),
        }
        for row in rows if (said := row["unseen"] or {}) is not None
    ]  # fmt: skip


# ---------------------------------------------------------------- words


def words(found: Mapping[str, Any]) -> str:
    """The document for a terminal."""
    lines: list[str] = []
    shown = [cell for cell in found["cells"] if cell["current"]]
    if not shown:
        lines.append("Nobody has decided anything yet.")
    for cell in shown:
        lines += _cell_words(cell)
    if shown and not any(cell["state"] == "licensed" and cell["zone"] == "auto" for cell in shown):
        lines.append("Nothing is done alone yet: every task waits for a person.")
    if any(map(is_of_people, shown)):
        lines.append(NOT_LISTED)
    for row in found["set_aside"][:5]:
        lines.append(f"Set aside, line {row['line']:,}: {row['because']}.")
    if len(found["set_aside"]) > 5:
        lines.append(f"… and {len(found['set_aside']) - 5:,} more rows that could not be read.")
    return "\n".join(lines)


def _cell_words(cell: Mapping[str, Any]) -> list[str]:
    name = name_of(cell)
    lines = [f"{name}: {cell['state']}. {rate_words(cell)}"]
    if cell["state"] == "licensed":
        held = "" if cell["zone"] == "auto" else f" The policy holds it at {cell['zone'].replace('_', ' ')}."
        from_ = "whatever its score" if cell["threshold"] is None else f"from a score of {cell['threshold']:.3g}"
        lines.append(
            f"  Of what is done alone, {from_}, at most {percent(cell['alpha'])} % is bad; the method is wrong less "
            f"than 1 time in {1 / cell['delta']:.0f}.{held}"
        )
    elif cell["state"] != "never":
        lines.append(f"  {needs_words(cell['needs'])}")
    if (would := cell.get("would_have")) is not None:
        lines.append(
            f"  It would have done {would['automated']:,} of {would['items']:,} alone, and let "
            f"{would['bad_let_through']:,} bad ones through."
        )
        lines += _what_happened(cell["history"])
    if (noticed := reviewer_words(cell)) and cell["state"] != "never":
        lines.append(f"  {noticed}")
    saved = cell["saved"]
    if saved is not None:
        lines.append(
            f"  A suggestion saves {saved['seconds']:.1f} s ({saved['low']:.1f} to {saved['high']:.1f}, from "
            f"{saved['controls']:,} without one): {minutes_words(saved, 1000)} in 1,000."
        )
    else:
        lines.append("  Time saved: not measured.")
    return lines


def _what_happened(history: Sequence[Mapping[str, str]]) -> list[str]:
    """When a licence would have come, grown and gone, for a terminal; shoots that canaries stopped are counted."""
    told = [event for event in history if event["event"] != "canary_failed"]
    stopped = len(history) - len(told)
    lines = [f"    {event['at'][:10]} {event['event']}: {event['because']}" for event in told[-EVENTS:]]
    if len(told) > EVENTS:
        lines.insert(0, f"    … {many(len(told) - EVENTS, 'earlier event', 'earlier events')}")
    if stopped:
        lines.append(f"    {many(stopped, 'shoot', 'shoots')} would have gone to a person, since a canary was bad.")
    return lines


def _parts(cell: Mapping[str, Any]) -> tuple[str | None, ...]:
    """What a cell is about, part by part."""
    style = cell["style"] and f"style {cell['style']}"
    return task_words(cell["task"]), group_words(cell["group"]), cell["client"], style


def group_words(group: str | None) -> str | None:
    """A risk group as people read it."""
    if group == policy.NOBODY:
        return "no faces"
    return group and group.replace("+", ", ").replace(":", " ").replace("_", " ")


def task_words(task: str) -> str:
    """A task by its name. What people say of a check's findings is a task too, of which nothing is done alone."""
    kind, _, name = task.rpartition(".")
    words = name.replace("_", " ")
    return f"findings of {words}" if f"{kind}." == CHECK else words


def name_of(cell: Mapping[str, Any]) -> str:
    """A cell by its name, as people read it."""
    return " · ".join(str(part) for part in _parts(cell) if part)


def rate_words(cell: Mapping[str, Any]) -> str:
    """*"About 2 % wrong (1–4 %, from 310 looked at in 62 shoots)."*, or that it is not measured."""
    rate = cell["reject_rate"]
    if rate["value"] is None:
        return f"Not measured: {many(cell['answered'], 'answer')}, none drawn by coin and answered one by one."
    if is_of_people(cell) and cell["shoots"] < FEW_SHOOTS:
        seen = f"{cell['drawn']:,} looked at in {many(cell['shoots'], 'shoot')}, {cell['drawn_bad']:,} of them wrong"
        return f"Not measured: {seen}. So few people say nothing of others."
    found = f"About {percent(rate['value'])} % wrong" if cell["drawn_bad"] else "None wrong so far"
    return (
        f"{found} ({percent(rate['low'])}–{percent(rate['high'])} %, from {cell['drawn']:,} looked at in "
        f"{many(cell['shoots'], 'shoot')})."
    )


def is_of_people(cell: Mapping[str, Any]) -> bool:
    """Whether a cell's group is about how people look."""
    return any(name in (cell["group"] or "") for name in carried.SENSITIVE)


def percent(share: float) -> str:
    """A share in hundredths, with two figures below ten; nothing finer than a tenth."""
    if 0 < share < 0.001:
        return "<0.1"
    return f"{100 * share:.0f}" if share >= 0.0995 else f"{100 * share:.2g}"


def reviewer_words(cell: Mapping[str, Any]) -> str:
    """How much of what was spoilt on purpose was noticed, and what that does to the promise; empty where none was
    shown."""
    told = cell["reviewers"]
    if not told["known_bads"]:
        return ""
    text = f"Of {told['known_bads']:,} suggestions that were spoilt on purpose {told['caught']:,} were noticed"
    if told["at_least"] >= 1:
        return f"{text}."
    return (
        f"{text}, so a licence is tested at {percent(cell['alpha'] * told['at_least'])} % bad instead of "
        f"{percent(cell['alpha'])} %."
    )


def minutes_words(saved: Mapping[str, Any], items: float) -> str:
    """The minutes that suggestions save in so many items, with their interval."""
    value, low, high = (items * saved[key] / 60 for key in ("seconds", "low", "high"))
    return f"{value:,.0f} min ({low:,.0f} to {high:,.0f})"


def needs_words(needs: Mapping[str, Any]) -> str:
    """What is missing for the next step, in a sentence."""
    if needs["verdicts_if_none_bad"] is None:
        return "No number of verdicts would earn a licence now."
    text = f"{needs['verdicts_if_none_bad']:,} more looked at, none bad"
    if needs["shoots"]:
        text += f": about {many(needs['shoots'], 'shoot', 'shoots')}"
    if not needs["weeks"]:
        return f"{text}."
    long = needs["weeks"] / YEAR_WEEKS
    return (
        f"{text}, {long:.0f} years at this pace." if long >= 2 else f"{text}, {needs['weeks']:.0f} weeks at this pace."
    )


# ---------------------------------------------------------------- in and out


def export(library: Library, path: Path, *, groups: bool = False) -> None:
    """Writes the whole ledger, one row a verdict; groups that are about people only if `groups` asks for them. Raises
    UsageError for a name that says neither CSV nor JSON Lines."""
    rows = [row if groups else carried.plain(row) for row in records.ledger(library).rows]
    if path.suffix == ".jsonl":
        write_atomic(path, carried.lines(rows))
    elif path.suffix == ".csv":
        write_atomic(path, _csv(rows))
    else:
        raise UsageError(f"{path.name} says neither CSV nor JSON Lines.", remedy="Name a .csv or a .jsonl file.")


def _csv(rows: Sequence[Verdict]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, [*carried.COLUMNS, *carried.MORE])
    writer.writeheader()
    for verdict in rows:
        fields = carried.row(verdict)
        texts = {name: "" if (v := fields[name]) is None else json_text(v) for name in carried.TEXTS}
        writer.writerow(fields | texts)
    return out.getvalue().encode()
