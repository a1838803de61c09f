"""The studio library: one database for all shoots of a studio, with the tables of `schema`."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import platformdirs
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, OperationalError

from safelight.errors import LibraryError
from safelight.store import migrate, schema

NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "fuse.sshfs", "ncpfs", "davfs"})
FILE_NAME = "library.sqlite"


class Library:
    """An open studio library. Each method is one short transaction, so several processes may write at once."""

    def __init__(self, engine: sa.Engine, folder: Path | None) -> None:
        self.engine = engine
        self.folder = folder

    @classmethod
    def open(cls, path: Path | str | None = None) -> "Library":
        """Opens the library in folder `path` (default: `SAFELIGHT_LIBRARY` or the user's data folder), making it if
        it is not there. A database URL (`postgresql+psycopg://…`) is taken as it is.

        Raises LibraryError if it lies on a network file system, is damaged, or cannot be written.
        """
        place = str(path or os.environ.get("SAFELIGHT_LIBRARY") or default_folder())
        if "://" in place:
            return cls(_migrated(sa.create_engine(place)), None)
        folder = Path(place).expanduser().resolve()
        _refuse_network(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            engine = _sqlite(folder / FILE_NAME)
            return cls(_migrated(engine), folder)
        except (OSError, DatabaseError, sqlite3.DatabaseError) as error:
            raise LibraryError(
                f"The library in {folder} cannot be used: {_short(error)}.",
                remedy="Check that the folder can be written and the disk is not full, or name another with --library; "
                "a damaged library can be brought back from its newest copy in the folder `backup`.",
            ) from error

    # ------------------------------------------------------------ plain reading and writing

    @contextmanager
    def transaction(self, *, reading: bool = False) -> Iterator[sa.Connection]:
        """One short transaction; a library that stays locked for a minute is an error that says so."""
        try:
            with self.engine.connect() as plain, plain.execution_options(reading=reading).begin():
                yield plain
        except OperationalError as error:
            raise LibraryError(
                f"The library could not be written: {_short(error)}.",
                remedy="Free disk space or end the program that holds it, then run the same command again.",
            ) from error
        except DatabaseError as error:
            raise LibraryError(
                f"The library is damaged: {_short(error)}.",
                remedy="Bring back the newest copy from its folder `backup`.",
            ) from error

    def append(self, table: sa.Table, rows: Iterable[Mapping[str, Any]]) -> None:
        """Appends rows; columns that hold JSON are given as text already."""
        listed = [dict(row) for row in rows]
        if listed:
            with self.transaction() as connection:
                connection.execute(sa.insert(table), listed)

    def rows(self, statement: sa.Select[Any], **binds: Any) -> Sequence[sa.RowMapping]:
        """All rows of a query."""
        with self.transaction(reading=True) as connection:
            return connection.execute(statement, binds).mappings().all()

    def newest(self, table: sa.Table, keys: Sequence[str], *where: sa.ColumnElement[bool]) -> Sequence[sa.RowMapping]:
        """The current state of a table: of the rows that satisfy `where`, the newest for each value of `keys`."""
        last = (
            sa.select(sa.func.max(table.c.seq).label("seq"))
            .where(*where)
            .group_by(*(table.c[key] for key in keys))
            .subquery()
        )
        return self.rows(sa.select(table).join(last, table.c.seq == last.c.seq).order_by(table.c.seq))

    def backup(self) -> Path | None:
        """A consistent copy beside the library, at most one a day and the last seven kept; None for other engines."""
        if self.folder is None:
            return None
        target = self.folder / "backup" / f"{datetime.now(UTC):%Y-%m-%d}.sqlite"
        if target.exists():
            return target
        target.parent.mkdir(exist_ok=True)
        part = target.with_suffix(f".{os.getpid()}.part")
        source, copy = sqlite3.connect(self.folder / FILE_NAME), sqlite3.connect(part)
        with source, copy:
            source.backup(copy)
        source.close()
        copy.close()
        part.replace(target)
        for old in sorted(target.parent.glob("*.sqlite"))[:-7]:
            old.unlink(missing_ok=True)
        return target

    def close(self) -> None:
        """Gives the connections back."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def default_folder() -> Path:
    """The user's data folder for Safelight."""
    return Path(platformdirs.user_data_dir("safelight", appauthor=False))


def now() -> str:
    """This moment, ISO 8601 in UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _sqlite(path: Path) -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 60})

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # SQLAlchemy begins transactions itself, below
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # A transaction that turns from reading to writing halfway is refused at once when another has written, without
        # any waiting; one that takes the write lock first waits for its turn.
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _migrated(engine: sa.Engine) -> sa.Engine:
    migrate.upgrade(engine, schema.metadata)
    return engine


def _refuse_network(folder: Path) -> None:
    """SQLite's locks do not hold on network file systems; a library there would be damaged sooner or later."""
    kind = _file_system(folder)
    if kind in NETWORK_FILE_SYSTEMS:
        raise LibraryError(
            f"The library would lie on a network file system ({kind}): {folder}.",
            remedy="Name a folder on a local disk with --library; a team shares a PostgreSQL library instead.",
        )


def _file_system(folder: Path) -> str:
    """Type of the file system that holds `folder`, as the system names it; empty where the system does not say."""
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    for line in mounts:
        _, place, name, *_ = line.split(" ")
        place = place.replace("\\040", " ")
        if (folder == Path(place) or Path(place) in folder.parents) and len(place) >= len(best):
            best, kind = place, name
    return kind


def _short(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
