"""The ledger's rows for the reducer, from the library's tables or from a file that somebody hands over.

What cannot be read is set aside, with its line and the reason, and never dropped in silence. From the library only
verdicts that a coin drew are read: they alone count, and a ledger of a million rows answers at once.
"""

import csv
import io
import json
import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from safelight import ledger_kept
from safelight.collecting import uncollected
from safelight.domain import Drawn, Say
from safelight.errors import UsageError
from safelight.learn.cells import Ints
from safelight.learn.rows import POLICY, SKIP, Coded, Columns, Row, build, coded_texts, of_lists
from safelight.store import schema, sound
from safelight.store.library import Library

RETURNED = schema.RETURNED
IMPORTED = schema.IMPORTED
SAYS = frozenset({*sound.SAYS, SKIP})
DRAWN = sound.DRAWN
NEEDED = ("at", "by", "asset", "shoot", "operator", "version", "verdict")
STYLE = 12  # letters of a style's id that name it
LAST = "\U0010ffff"  # behind every style's name
UNREADABLE = sound.UNREADABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """A row that could not be read: its line (of a file) or number (in the library), and why."""

    line: int
    because: str


# ---------------------------------------------------------------- from the library


def of_library(library: Library) -> tuple[Columns, list[Aside]]:
    """What counts of the whole ledger, in columns. Names that no database takes as text are told apart as they are
    kept, which is all that is asked of them here.

    What was read before is kept beside the library (`ledger_kept`), so that only what came since is read."""
    with library.transaction(reading=True) as connection, uncollected():
        mark, before = ledger_kept.load(library.folder, connection)
        fresh, aside, newest = _read(connection, after=mark)
        if (
            before is not None and fresh.at and before.at and fresh.at[0] < before.at[-1]
        ):  # said earlier, and written late
            before, (fresh, aside, newest) = None, _read(connection, after=None)
        coded = fresh if before is None else before.then(fresh)
        clients, styles = _clients(connection), _styles(connection)
        if library.folder is not None and not aside and len(fresh.at) >= ledger_kept.WORTH:
            ledger_kept.save(library.folder, connection, newest, coded)
    shoots = [clients.get(shoot, "") for shoot in coded.names["shoot"]]
    coded.names["client"], of_shoot = coded_texts(shoots)
    coded.names["style"], coded.codes["style"] = _in_style(coded, styles)
    coded.codes["client"] = of_shoot[coded.codes["shoot"]] if len(of_shoot) else coded.codes["shoot"]
    return coded.standing(), aside


def _read(connection: sa.Connection, *, after: int | None) -> tuple[Coded, list[Aside], int]:
    """The rows that count behind number `after`, those that cannot be read, and the highest number."""
    t = schema.verdicts.c
    wanted = (
        t.seq, t.at, t.by, t.asset, t.shoot, t.operator, t.version, t.weights, t.group, t.score, t.verdict, t.drawn,
        t.bundled, t.seconds, t.reason, t.material,
    )  # fmt: skip
    statement = sa.select(*wanted).where(sa.text(f"({schema.COUNTED})")).order_by(t.at, t.seq)
    if after is not None:  # few and last, so that the rows themselves are looked through and no index
        statement = statement.with_hint(schema.verdicts, "not indexed", "sqlite").where(sa.text(f"seq > {after:d}"))
    plain = str(statement.compile(dialect=connection.dialect))
    rows: list[Any] = list(sound.fetched(connection, lambda: connection.exec_driver_sql(plain).fetchall()))
    newest = max((row[0] for row in rows), default=after or 0)
    listed = _listed(rows, len(wanted))
    aside: list[Aside] = []
    if not _all_sound(listed):
        troubles = [(row, _trouble(row)) for row in rows]
        aside = [Aside(line=row[0], because=trouble) for row, trouble in troubles if trouble]
        listed = _listed([row for row, trouble in troubles if not trouble], len(wanted))
    (_, at, by, asset, shoot, operator, version, weights, group, score, say, drawn, bundled, seconds, reason,
     material) = listed  # fmt: skip
    builds = list(zip(version, weights, strict=True))
    known = {each: build(*each) for each in set(builds)}
    answers = list(zip(say, material, strict=True))
    bad = {each: is_bad(*each) for each in set(answers)}
    imports = {name: name.startswith(IMPORTED) for name in set(by)}
    made = of_lists(
        at=at, say=say,
        texts={
            "by": by, "asset": asset, "shoot": shoot, "task": operator, "group": [g or "" for g in group],
            "build": list(map(known.__getitem__, builds)),
        },
        score=score, bad=list(map(bad.__getitem__, answers)), drawn=drawn, bundled=bundled, seconds=seconds,
        imported=list(map(imports.__getitem__, by)), returned=[r == RETURNED for r in reason],
    )  # fmt: skip
    return made, aside, newest


def odd(library: Library) -> list[Aside]:
    """Rows that say nothing that can be said, among those too that do not count and were not read."""
    t = schema.verdicts.c
    statement = sa.select(t.seq, t.verdict).where(t.verdict.not_in(SAYS)).order_by(t.seq)
    return [Aside(line=row["seq"], because=f"its verdict is {row['verdict']!r}") for row in library.rows(statement)]


def _listed(rows: Sequence[Sequence[Any]], width: int) -> tuple[tuple[Any, ...], ...]:
    """Rows as columns, without those of policy rules."""
    policies = {by for by in {row[2] for row in rows} if str(by).startswith(POLICY)}
    people = [row for row in rows if row[2] not in policies] if policies else rows
    return tuple(zip(*people, strict=True)) if people else ((),) * width


def is_bad(say: str, material: bool | int | None) -> bool:
    """Whether a verdict says that the machine was wrong. A change counts unless it is known to be a touch."""
    return say in (Say.REJECT, Say.ESCALATE, SKIP) or (say == Say.MODIFY and (material is None or bool(material)))


def _clients(connection: sa.Connection) -> dict[str, str]:
    """The client of each shoot that has one, as last said."""
    table = schema.shoots.c
    rows = connection.execute(sa.select(table.id, table.client).order_by(table.seq))
    return {shoot: client for shoot, client in rows if client}


Styles = Mapping[str, Sequence[tuple[str, str]]]  # by task: (since when, the style in use; empty: none), oldest first


def _styles(connection: sa.Connection) -> Styles:
    """Which learned style each task used, and from when on."""
    table = schema.styles.c
    found: dict[str, list[tuple[str, str]]] = {}
    for task, at, id_, used in connection.execute(
        sa.select(table.task, table.at, table.id, table.used).order_by(table.at, table.seq)
    ):
        found.setdefault(task, []).append((at, id_[:STYLE] if used else ""))
    return found


def styles_in_use(library: Library) -> dict[str, str]:
    """The learned style that each task uses now."""
    with library.transaction(reading=True) as connection:
        return {task: since[-1][1] for task, since in _styles(connection).items()}


def _in_style(coded: Coded, styles: Styles) -> tuple[list[str], Ints]:
    """Under which learned style each verdict was said: the one that was in use at its time."""
    names, codes = [""], np.zeros(len(coded.at), np.int64)
    for task, since in styles.items():
        if task not in coded.names["task"]:
            continue
        first = len(names)
        names += [style for _, style in since]
        rows = np.flatnonzero(coded.codes["task"] == coded.names["task"].index(task))
        place = np.array([bisect_right(since, (coded.at[i], LAST)) for i in rows.tolist()], np.int64)
        codes[rows] = np.where(place > 0, first + place - 1, 0)
    known, again = coded_texts(names)  # a style taken up again is the same one
    return known, again[codes]


def _all_sound(listed: tuple[tuple[Any, ...], ...]) -> bool:
    """Whether every row can be taken for a verdict, column by column, which is quick."""
    _, at, by, asset, shoot, operator, version, weights, group, score, say, drawn, bundled, seconds, _, _ = listed
    named = (by, asset, shoot, operator)
    return (
        set(say) <= SAYS
        and set(drawn) <= DRAWN
        and all(map(all, named))
        and {type(text) for texts in (*named, weights) for text in texts} <= {str}
        and not any(UNREADABLE in text for texts in named for text in set(texts))
        and set(map(type, group)) <= {str, type(None)}
        and not {math.inf, -math.inf} & {*score, *seconds}
        and {*map(type, version), *map(type, bundled)} <= {int}
        and {*map(type, score), *map(type, seconds)} <= {int, float, type(None)}
        and set(map(type, at)) <= {str}
        and all(x.isdigit() for x in {x[:4] for x in at})
    )


def _trouble(row: Sequence[Any]) -> str:
    """Why a row of the table cannot be taken for a verdict."""
    _, at, by, asset, shoot, operator, version, weights, group, score, say, drawn, bundled, seconds, _, _ = row
    return sound.trouble(
        at=at, named=(by, asset, shoot, operator), texts=(weights, group), version=version, bundled=bundled,
        score=score, seconds=seconds, say=say, drawn=drawn, says=SAYS,
    )  # fmt: skip


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
    lines = csv.reader(line.replace("\0", UNREADABLE) for line in io.StringIO(text, newline=""))
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
