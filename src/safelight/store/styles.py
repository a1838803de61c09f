"""What a studio has taught the machine: rows that are appended, the newest of a task counts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from safelight.files import json_text
from safelight.store import schema
from safelight.store.library import Library, now


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Something learned for a task: `body` is what the operator is given, `report` what held-out shoots said of it.
    `used` is whether runs use it, which a style that is no better than the built-in one is not."""

    id: str
    task: str
    body: Mapping[str, Any]
    report: Mapping[str, Any]
    used: bool
    by: str
    at: str = ""


def styles(library: Library, task: str | None = None) -> list[Style]:
    """Everything that was learned, for one task or for all, oldest first."""
    table = schema.styles
    statement = sa.select(table).order_by(table.c.seq)
    if task is not None:
        statement = statement.where(table.c.task == task)
    return [
        Style(
            id=row["id"], task=row["task"], body=json.loads(row["body"]), report=json.loads(row["report"]),
            used=row["used"], by=row["by"], at=row["at"],
        )
        for row in library.rows(statement)
    ]  # fmt: skip


def save_style(library: Library, style: Style) -> None:
    """Appends a style; from now on it is the newest of its task."""
    row = {
        "id": style.id, "task": style.task, "body": json_text(style.body), "report": json_text(style.report),
        "used": style.used, "by": style.by, "at": now(),
    }  # fmt: skip
    library.append(schema.styles, [row])
