"""The ledger's rows for the reducer, from the library's tables or from a file that somebody hands over.

What cannot be read is set aside, with its line and the reason, and never dropped in silence. From the library only
verdicts that a coin drew are read: they alone count, and a ledger of a million rows answers at once.
"""

import csv
import gc
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from safelight.domain import Drawn, Say
from safelight.errors import UsageError
from safelight.learn.rows import POLICY, SKIP, Columns, Row, build, of_lists
from safelight.store import schema
from safelight.store.library import Library

RETURNED = schema.RETURNED
IMPORTED = schema.IMPORTED
SAYS = frozenset({*(s.value for s in Say), SKIP})
DRAWN = frozenset(d.value for d in Drawn)
NEEDED = ("at", "by", "asset", "shoot", "operator", "version", "verdict")
UNREADABLE = "\ufffd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """A row that could not be read: its line (of a file) or number (in the library), and why."""

    line: int
    because: str


# ---------------------------------------------------------------- from the library


def of_library(library: Library) -> tuple[Columns, list[Aside]]:
    """What counts of the whole ledger, in columns. Names that no database takes as text are told apart as they are
    kept, which is all that is asked of them here."""
    t = schema.verdicts.c
    wanted = (
        t.seq, t.at, t.by, t.asset, t.shoot, t.operator, t.version, t.weights, t.group, t.score, t.verdict, t.drawn,
        t.bundled, t.seconds, t.reason, t.material,
    )  # fmt: skip
    statement = sa.select(*wanted).where(sa.text(schema.COUNTED)).order_by(t.at, t.seq)
    with library.transaction(reading=True) as connection, _without_pauses():
        plain = str(statement.compile(dialect=connection.dialect))
        rows: list[Any] = list(connection.exec_driver_sql(plain).fetchall())
        clients = _clients(connection)
    listed = _listed(rows, len(wanted))
    aside: list[Aside] = []
    if not _all_sound(listed):
        troubles = [(row, _trouble(row)) for row in rows]
        aside = [Aside(line=row[0], because=trouble) for row, trouble in troubles if trouble]
        listed = _listed([row for row, trouble in troubles if not trouble], len(wanted))
    (_, at, by, asset, shoot, operator, version, weights, group, score, say, drawn, bundled, seconds, reason,
     material) = listed  # fmt: skip
    made = of_lists(
        at=at, say=say,
        texts={
            "by": by, "asset": asset, "shoot": shoot, "client": [clients.get(s, "") for s in shoot],
            "style": [""] * len(at), "task": operator, "group": [g or "" for g in group],
            "build": [build(v, w) for v, w in zip(version, weights, strict=True)],
        },
        score=score, bad=[s != Say.APPROVE and is_bad(s, m) for s, m in zip(say, material, strict=True)], drawn=drawn,
        bundled=bundled, seconds=seconds, imported=[b.startswith(IMPORTED) for b in by],
        returned=[r == RETURNED for r in reason],
    )  # fmt: skip
    return made, aside


@contextmanager
def _without_pauses() -> Iterator[None]:
    """No search for garbage while hundreds of thousands of rows are made, none of which is any: that would be a quarter
    of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _listed(rows: Sequence[Sequence[Any]], width: int) -> tuple[tuple[Any, ...], ...]:
    """Rows as columns, without those of policy rules."""
    people = [row for row in rows if not str(row[2]).startswith(POLICY)]
    return tuple(zip(*people, strict=True)) if people else ((),) * width


def is_bad(say: str, material: bool | int | None) -> bool:
    """Whether a verdict says that the machine was wrong. A change counts unless it is known to be a touch."""
    return say in (Say.REJECT, Say.ESCALATE, SKIP) or (say == Say.MODIFY and (material is None or bool(material)))


def _clients(connection: sa.Connection) -> dict[str, str]:
    """The client of each shoot that has one, as last said."""
    table = schema.shoots.c
    rows = connection.execute(sa.select(table.id, table.client).order_by(table.seq))
    return {shoot: client for shoot, client in rows if client}


def _all_sound(listed: tuple[tuple[Any, ...], ...]) -> bool:
    """Whether every row can be taken for a verdict, column by column, which is quick."""
    _, at, by, asset, shoot, operator, version, _, _, score, say, drawn, bundled, seconds, _, _ = listed
    return (
        set(say) <= SAYS
        and set(drawn) <= DRAWN
        and all(map(all, (by, asset, shoot, operator)))
        and {*map(type, version), *map(type, bundled)} <= {int}
        and {*map(type, score), *map(type, seconds)} <= {int, float, type(None)}
        and set(map(type, at)) <= {str}
        and all(x[:4].isdigit() for x in at)
    )


def _trouble(row: Sequence[Any]) -> str:
    """Why a row of the table cannot be taken for a verdict; a database keeps what other programs write into it."""
    _, at, by, asset, shoot, operator, version, _, _, score, say, drawn, bundled, seconds, _, _ = row
    if say not in SAYS:
        return f"its verdict is {say!r}"
    if drawn not in DRAWN:
        return f"it was drawn as {drawn!r}"
    if not (by and asset and shoot and operator and isinstance(version, int) and isinstance(bundled, int)):
        return "it does not say what it is about"
    if any(x is not None and not isinstance(x, int | float) for x in (score, seconds)):
        return f"its score is {score!r} and its seconds are {seconds!r}"
    return "" if isinstance(at, str) and at[:4].isdigit() else f"its time is {at!r}"


# ---------------------------------------------------------------- from a file


def of_file(path: Path) -> tuple[list[Row], list[Aside]]:
    """The rows of a ledger in CSV or JSON Lines, and what could not be read. Raises UsageError for a file that is
    neither, or has not the ledger's columns."""
    reader = {".jsonl": _json_lines, ".csv": _csv_lines}.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"{path.name} says neither CSV nor JSON Lines.", remedy="Name a .csv or a .jsonl file.")
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise UsageError(f"The ledger {path} cannot be read ({error.strerror}).") from error
    rows, aside = [], []
    for line, fields in reader(text, path.name):
        try:
            rows.append(_row(fields()))
        except (ValueError, TypeError, KeyError) as error:
            aside.append(Aside(line=line, because=_why(error)))
    return rows, aside


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"it is not whole JSON: {error.msg} at character {error.pos}"
    return f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)


Fields = Callable[[], Mapping[str, Any]]  # raises ValueError where the line is broken


def _json_lines(text: str, name: str) -> Iterator[tuple[int, Fields]]:  # noqa: ARG001
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, partial(_object, line)


def _object(line: str) -> Mapping[str, Any]:
    found = json.loads(line)
    if not isinstance(found, dict):
        raise TypeError(f"it is {type(found).__name__}, not an object")
    return found


def _csv_lines(text: str, name: str) -> Iterator[tuple[int, Fields]]:
    csv.field_size_limit(1 << 24)
    lines = csv.reader(line.replace("\0", UNREADABLE) for line in text.splitlines(keepends=True))
    head = next(lines, None) or []
    if missing := [column for column in NEEDED if column not in head]:
        raise UsageError(
            f"{name} has no column {missing[0]!r}.", remedy=f"A ledger has the columns {', '.join(NEEDED)}, …"
        )
    before = lines.line_num
    while True:
        try:
            fields = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            yield before + 1, partial(_broken, str(error))
            continue
        line, before = before + 1, lines.line_num
        if fields:
            yield line, partial(_named, head, fields)


def _broken(text: str) -> Mapping[str, Any]:
    raise ValueError(text)


def _named(head: Sequence[str], fields: Sequence[str]) -> Mapping[str, Any]:
    if len(fields) != len(head):
        raise ValueError(f"it has {len(fields)} columns of {len(head)}")
    return {name: value for name, value in zip(head, fields, strict=True) if value}


def _row(fields: Mapping[str, Any]) -> Row:
    """A row from its columns as text or JSON values. Raises ValueError or KeyError saying what is wrong."""
    say, drawn = str(fields["verdict"]), str(fields.get("drawn") or Drawn.REVIEW)
    if say not in SAYS:
        raise ValueError(f"its verdict is {say!r}")
    if drawn not in DRAWN:
        raise ValueError(f"it was drawn as {drawn!r}")
    texts = {name: _text(fields, name) for name in ("at", "by", "asset", "shoot", "operator")}
    texts["at"] = _moment(texts["at"])
    return Row(
        **texts, version=_whole(fields, "version"), say=say, drawn=drawn,
        client=str(fields.get("client") or ""), style=str(fields.get("style") or ""),
        weights=str(fields.get("weights") or ""), group=str(fields.get("group") or ""),
        score=_number(fields, "score"), seconds=_number(fields, "seconds"),
        bundled=_whole(fields, "bundled") if fields.get("bundled") is not None else 1,
        bad=is_bad(say, _flag(fields, "material")), returned=fields.get("reason") == RETURNED,
        imported=texts["by"].startswith(IMPORTED),
    )  # fmt: skip


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str) or not value:
        raise ValueError(f"its {name} is {value!r}")
    if UNREADABLE in value:
        raise ValueError(f"its {name} is not UTF-8 text")
    return value


def _moment(text: str) -> str:
    """A time in UTC, so that times from anywhere sort as text; one without a zone is taken for UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"its time is {text!r}") from None
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="milliseconds")


def _whole(fields: Mapping[str, Any], name: str) -> int:
    try:
        value = int(fields[name])
    except ValueError:
        value = -1
    if value < 0 or isinstance(fields[name], bool | float):
        raise ValueError(f"its {name} is {fields[name]!r}")
    return value


def _number(fields: Mapping[str, Any], name: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found) or isinstance(value, bool):
        raise ValueError(f"its {name} is {value!r}")
    return found


def _flag(fields: Mapping[str, Any], name: str) -> bool | None:
    value = fields.get(name)
    if value is None or isinstance(value, bool):
        return value
    if str(value).lower() not in ("true", "false", "0", "1"):
        raise ValueError(f"its {name} is {value!r}")
    return str(value).lower() in ("true", "1")
