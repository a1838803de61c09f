"""Taking what tells people apart out of a library for good: rows, free pages, the write-ahead log and the copies.

The one exception to "rows are only appended". What lies in a file system's own snapshots, in copies that somebody made
by hand, or in a server's archives cannot be reached from here; the manual says so.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from safelight.domain import Box
from safelight.errors import LibraryError
from safelight.files import json_text
from safelight.store import personal, schema
from safelight.store.library import FILE_NAME, Library, now

NAMES = tuple(table.name for table in schema.erasable)
PATIENCE_S = 20.0  # how long other programs may go on reading before the file cannot be made anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What went: photos whose faces had something, copies that were written anew. `left` names what may still hold
    something, and why."""

    photos: int
    copies: int
    left: tuple[str, ...] = ()


def everything(library: Library, *, by: str) -> Erased:
    """Erases all personal data of a library and turns the switch off."""
    photos = personal.count(library)
    with library.transaction() as connection:
        _overwrite(connection)
        for table in (schema.personal, schema.risk_keys):
            keys = sa.select(table.c.key).distinct()
            connection.execute(sa.delete(schema.measured).where(schema.measured.c.key.in_(keys)))
        for table in schema.erasable:
            connection.execute(sa.delete(table))
        _note(connection, by, "off", "erased")
    return _made_anew(library, photos)


def person(library: Library, number: int, *, by: str) -> Erased:
    """Erases one person: prints of their faces, where they were seen, what was said of them. Their faces stay marked
    as erased by their place in each photo, so that no later run measures them again."""
    said = personal.said(library)
    latest = personal.sightings(library)
    theirs = {
        asset: [s.box for s in faces if s.person is not None and said.one(s.person) == number]
        for asset, faces in latest.items()
    }
    theirs = {asset: boxes for asset, boxes in theirs.items() if boxes}
    everybody = [n for n in {*said.alias, number} if said.one(n) == number]
    with library.transaction() as connection:
        _overwrite(connection)
        for asset, boxes in theirs.items():
            _strip_prints(connection, asset, boxes)
            table = schema.sightings
            connection.execute(sa.delete(table).where(table.c.asset == asset))
            faces = [_tombstone(s) if s.box in boxes else s for s in latest[asset]]
            connection.execute(sa.insert(table), [personal.row_of(asset, faces)])
            connection.execute(sa.delete(schema.risk_keys).where(schema.risk_keys.c.asset == asset))
        table = schema.people_said
        connection.execute(sa.delete(table).where(table.c.person.in_(everybody) | table.c.other.in_(everybody)))
        _note(connection, by, "erased")
    return _made_anew(library, len(theirs))


# ---------------------------------------------------------------- rows


def _overwrite(connection: sa.Connection) -> None:
    """Lets SQLite fill what it frees with zeros; without effect elsewhere."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("pragma secure_delete = on")


def _note(connection: sa.Connection, by: str, *says: str) -> None:
    connection.execute(sa.insert(schema.people_switch), [{"say": say, "by": by, "at": now()} for say in says])


def _strip_prints(connection: sa.Connection, asset: str, boxes: Sequence[Box]) -> None:
    """Takes faces out of every answer about a photo, old ones too."""
    table = schema.personal
    rows = connection.execute(sa.select(table.c.seq, table.c.value).where(table.c.asset == asset)).all()
    for seq, value in rows:
        if value is not None:
            left = json_text(personal.without(json.loads(value), boxes))
            connection.execute(sa.update(table).where(table.c.seq == seq).values(value=left))


def _tombstone(seen: personal.Sighting) -> personal.Sighting:
    return personal.Sighting(box=seen.box, cannot_tell=personal.ERASED)


# ---------------------------------------------------------------- files


def _made_anew(library: Library, photos: int) -> Erased:
    """Writes the database without what was deleted, and the copies without any personal data."""
    if library.folder is None:
        return Erased(photos=photos, copies=0, left=tuple(_tables_anew(library.engine)))
    library.engine.dispose()
    left = list(_trouble(library.folder / FILE_NAME, _compact))
    copies = sorted((library.folder / "backup").glob("*.sqlite"))
    for copy in copies:
        left += _trouble(copy, _stripped)
    return Erased(photos=photos, copies=len(copies), left=tuple(left))


def _trouble(path: Path, work: Callable[[Path], None]) -> Iterable[str]:
    try:
        work(path)
    except (OSError, sqlite3.DatabaseError) as error:
        yield f"{path} ({error})"


def _compact(path: Path) -> None:
    """The file without free pages, and an empty write-ahead log."""
    with closing(sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None)) as database:
        database.execute("pragma secure_delete = on")
        database.execute("vacuum")
        busy = database.execute("pragma wal_checkpoint(truncate)").fetchone()[0]
    if busy:
        raise sqlite3.OperationalError("another program is reading it")


def _stripped(path: Path) -> None:
    """A copy of the library without any personal data, in place of the copy that had it."""
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(part, isolation_level=None)) as new:
            old.backup(new)
            there = {row[0] for row in new.execute("select name from sqlite_master where type = 'table'")}
            new.execute("pragma journal_mode = delete")
            new.execute("pragma secure_delete = on")
            for name in (name for name in NAMES if name in there):
                new.execute(f"delete from {name}")  # noqa: S608 - a name of ours
            new.execute("vacuum")
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink()
        for suffix in ("-wal", "-shm", "-journal"):
            with suppress(OSError):
                path.with_name(path.name + suffix).unlink()


def _tables_anew(engine: sa.Engine) -> Iterable[str]:
    """Rewrites a server's tables, which frees what was deleted at once."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT", reading=True) as connection:
        for name in NAMES:
            try:
                connection.exec_driver_sql(f"vacuum full {name}")
            except sa.exc.DatabaseError as error:
                yield f"table {name} ({error.orig})"


def refused(found: Erased) -> LibraryError:
    """What is said where something may be left."""
    return LibraryError(
        f"What tells people apart was deleted, and may still lie in the free space of: {'; '.join(found.left)}.",
        remedy="End other programs that use the library and erase again; delete a copy that cannot be read yourself.",
    )
