"""The verdict ledger of a studio: counted task by task, and written out for others to check."""

import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safelight import policy
from safelight.domain import Drawn, Say, Verdict
from safelight.errors import UsageError
from safelight.files import json_text, write_atomic
from safelight.state import POLICY
from safelight.store import carried, records
from safelight.store.library import Library

SCHEMA = "safelight.trust/1"
EVIDENCE = (Drawn.CANARY, Drawn.AUDIT)  # drawn by coin before anything was shown; the rest came by its turn


def document(library: Library) -> dict[str, Any]:
    """`safelight.trust/1`: for each task what people said, and its zone. No task is licensed: all are apprentices."""
    by_task: dict[tuple[str, int], list[Verdict]] = defaultdict(list)
    for shoot in records.shoots(library):
        for verdict in records.ledger(library, shoot.id).standing.values():
            if not verdict.by.startswith(POLICY):
                by_task[verdict.operator, verdict.version].append(verdict)
    cells = [_cell(task, version, rows) for (task, version), rows in sorted(by_task.items())]
    return {"schema": SCHEMA, "cells": cells, "deliveries": [], "set_aside": []}


def _cell(task: str, version: int, rows: Sequence[Verdict]) -> dict[str, Any]:
    rules = policy.default().task(task)
    drawn = [v for v in rows if v.drawn in EVIDENCE]
    rejected = sum(v.say in (Say.REJECT, Say.MODIFY) for v in rows)
    return {
        "task": task, "style": None, "group": None, "version": f"{task}@{version}", "zone": rules.zone.value,
        "state": "apprentice", "shoots": len({v.shoot for v in rows}), "n": len(rows), "k": rejected,
        "drawn": len(drawn), "drawn_k": sum(v.say in (Say.REJECT, Say.MODIFY) for v in drawn),
        "alpha": rules.alpha, "delta": rules.delta,
        "reject_rate": {"value": rejected / len(rows), "low": None, "high": None, "level": None},
    }  # fmt: skip


def words(found: dict[str, Any]) -> str:
    """The counts for a terminal."""
    if not found["cells"]:
        return "Nobody has decided anything yet."
    lines = []
    for cell in found["cells"]:
        rate = f"{cell['reject_rate']['value']:.1%}"
        lines.append(
            f"{cell['task']}: {cell['n']:,} answered in {cell['shoots']:,} shoots, {cell['k']:,} changed or rejected "
            f"({rate}); {cell['drawn']:,} were drawn by coin."
        )
    lines.append("Nothing is done alone yet: every task waits for a person.")
    return "\n".join(lines)


def export(library: Library, path: Path) -> None:
    """Writes the whole ledger, one row a verdict. Raises UsageError for a name that says neither CSV nor JSON Lines."""
    rows = records.ledger(library).rows
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
