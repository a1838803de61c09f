"""The studio library: one database for all shoots of a studio, with the tables of `schema`."""

import os
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import platformdirs
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from safelight.errors import LibraryError
from safelight.store import engines, migrate, schema, sound

NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "fuse.sshfs", "ncpfs", "davfs"})
FILE_NAME = "library.sqlite"
KEPT_COPIES = 7


class Library:
    """An open studio library. Each method is one short transaction, so several processes may write at once."""

    def __init__(self, engine: sa.Engine, folder: Path | None) -> None:
        self.engine = engine
        self.folder = folder

    @classmethod
    def open(cls, path: Path | str | None = None) -> "Library":
        """Opens the library in folder `path` (default: `SAFELIGHT_LIBRARY` or the user's data folder), making it if
        it is not there. A team's library is named by a database URL (`postgresql://…`).

        Raises LibraryError if it lies on a network file system, is damaged, or cannot be reached or written.
        """
        place = str(path or os.environ.get("SAFELIGHT_LIBRARY") or default_folder())
        if "://" in place:
            return cls._open_shared(place)
        folder = Path(place).expanduser().resolve()
        _refuse_network(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return cls(_migrated(engines.sqlite(folder / FILE_NAME)), folder)
        except (OSError, DatabaseError, sqlite3.DatabaseError) as error:
            raise LibraryError(
                f"The library in {folder} cannot be used: {_short(error)}.",
                remedy="Check that the folder can be written and the disk is not full, or name another with --library; "
                "a damaged library can be brought back from its newest copy in the folder `backup`.",
            ) from error

    @classmethod
    def _open_shared(cls, place: str) -> "Library":
        try:
            engine = engines.postgresql(place)
        except (ArgumentError, ValueError) as error:
            raise LibraryError(
                "The library's URL cannot be understood.", remedy="Write postgresql://USER@HOST/DATABASE."
            ) from error
        except ImportError as error:
            raise LibraryError(
                "A PostgreSQL library needs a package that is not installed.",
                remedy="pip install 'safelight[postgres]'",
            ) from error
        try:
            return cls(_migrated(engine), None)
        except DatabaseError as error:
            raise LibraryError(
                f"The library at {cls(engine, None).place} cannot be used: {_short(error)}.",
                remedy="Check that the server runs, and that this user may make tables in that database.",
            ) from error

    @property
    def place(self) -> str:
        """Where the library lies, as one may show it: a folder, or a URL without its password."""
        return str(self.folder or self.engine.url.render_as_string(hide_password=True))

    # ------------------------------------------------------------ plain reading and writing

    @contextmanager
    def transaction(self, *, reading: bool = False, durable: bool = False) -> Iterator[sa.Connection]:
        """One short transaction; a library that stays locked for a minute is an error that says so. A `durable` one
        waits until it, and all before it, would outlive a power cut."""
        try:
            with self.engine.connect() as plain, plain.execution_options(reading=reading, durable=durable).begin():
                yield plain
        except OperationalError as error:
            raise LibraryError(
                f"The library could not be {'read' if reading else 'written'}: {_short(error)}.",
                remedy="Free disk space or end the program that holds it, then run the same command again."
                if self.folder
                else "Check that the server can be reached, then run the same command again.",
            ) from error
        except DatabaseError as error:
            if self.folder is None:
                raise LibraryError(
                    f"The library's server refused this: {_short(error)}.",
                    remedy="Check that this user may read the tables and add to them; the server's log says more.",
                ) from error
            raise _damaged(error) from error

    def append(self, table: sa.Table, rows: Iterable[Mapping[str, Any]], *, durable: bool = False) -> None:
        """Appends rows; columns that hold JSON are given as text already."""
        listed = [dict(row) for row in rows]
        if listed:
            with self.transaction(durable=durable) as connection:
                connection.execute(sa.insert(table), listed)

    def rows(self, statement: sa.Select[Any], **binds: Any) -> Sequence[sa.RowMapping]:
        """All rows of a query."""
        with self.transaction(reading=True) as connection:
            return sound.fetched(connection, lambda: connection.execute(statement, binds).mappings().all())

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
        """A consistent copy beside the library, at most one a day and the last seven kept; None for a library on a
        server. Raises LibraryError where it cannot be written, and where it turns out that the library is damaged: a
        damaged copy never takes the place of a good one."""
        if self.folder is None:
            return None
        target = self.folder / "backup" / f"{datetime.now(UTC):%Y-%m-%d}.sqlite"
        if target.exists():
            return target
        part = target.with_suffix(f".{os.getpid()}.part")
        try:
            target.parent.mkdir(exist_ok=True)
            _copy(self.folder / FILE_NAME, part)
            part.replace(target)
            for old in sorted(target.parent.glob("*.sqlite"))[:-KEPT_COPIES]:
                old.unlink(missing_ok=True)
        except (OSError, sqlite3.OperationalError) as error:
            raise LibraryError(
                f"The library could not be copied to {target.parent}: {_short(error)}.",
                remedy="Make room on the disk and check that the folder can be written; what was decided is kept.",
            ) from error
        except sqlite3.DatabaseError as error:
            raise _damaged(error) from error
        finally:
            with suppress(OSError):
                part.unlink()
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


def _copy(source: Path, target: Path) -> None:
    """A whole copy of an SQLite file, made while others write. Raises sqlite3.DatabaseError if it is damaged."""
    with closing(sqlite3.connect(source)) as library, closing(sqlite3.connect(target)) as copy:
        library.backup(copy)
        said = copy.execute("pragma quick_check(1)").fetchone()[0]
        if said != "ok":
            raise sqlite3.DatabaseError(said)


def _migrated(engine: sa.Engine) -> sa.Engine:
    try:
        migrate.upgrade(engine, schema.metadata)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _damaged(error: BaseException) -> LibraryError:
    return LibraryError(
        f"The library is damaged: {_short(error)}.", remedy="Bring back the newest copy from its folder `backup`."
    )


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
        mounts = os.fsdecode(Path("/proc/mounts").read_bytes()).split("\n")
    except OSError:
        return ""
    best, kind = "", ""
    for line in filter(None, mounts):
        _, place, name, *_ = line.split(" ")
        place = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), place)  # as the kernel writes blanks
        if (folder == Path(place) or Path(place) in folder.parents) and len(place) >= len(best):
            best, kind = place, name
    return kind


def _short(error: BaseException) -> str:
    lines = str(getattr(error, "orig", None) or getattr(error, "strerror", None) or error).splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
