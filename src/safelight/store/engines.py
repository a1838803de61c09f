"""The databases a library can lie in: one SQLite file, or one database on a PostgreSQL server. Writers take turns."""

import sqlite3
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from safelight.errors import LibraryError

PATIENCE_S = 60.0  # how long a transaction waits for its turn to write
TURN = 0x5AFE_1167  # the number of the advisory lock that writers of a PostgreSQL library take one after the other


def sqlite(path: Path) -> sa.Engine:
    """One file, in WAL mode: readers never wait, and a program that is killed loses nothing.

    A commit waits for the disk only if it is `durable`, which takes everything before it along: without, a power cut
    may take the last moments back, and leaves the file whole."""
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": PATIENCE_S})

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # SQLAlchemy begins transactions itself, below
        _write_ahead(connection)
        connection.execute("PRAGMA foreign_keys=ON")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # A transaction that turns from reading to writing halfway is refused at once when another has written, without
        # any waiting; one that takes the write lock first waits for its turn.
        asked = connection.get_execution_options()
        connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if asked.get('durable') else 'NORMAL'}")
        connection.exec_driver_sql("BEGIN" if asked.get("reading") else "BEGIN IMMEDIATE")

    return engine


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Turns WAL mode on. While another process does the same with a new file, or folds the log of one that it closes,
    SQLite refuses this at once, whatever the connection's patience: so it is asked again here."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def postgresql(place: str) -> sa.Engine:
    """A database on a team's server. The driver is always psycopg, whatever the URL says behind `postgresql`.

    Raises ArgumentError for a URL of another kind; the first connection raises LibraryError where the database cannot
    hold every text."""
    url = sa.make_url(place)
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        raise ArgumentError(f"no library lies on {url.get_backend_name()}")
    # A connection that the server has closed meanwhile, for example overnight, is replaced before it is used.
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True)

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: object) -> None:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise LibraryError(
                f"The database's encoding is {encoding}, which cannot hold every name.",
                remedy="Make the database anew: create database NAME encoding 'UTF8' template template0.",
            )
        connection.execute(f"set lock_timeout = {PATIENCE_S * 1000:.0f}")
        connection.commit()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # Writers take turns, as with SQLite: `seq` is then the order in which rows become visible, and what a
        # transaction looked up before it writes is still so when it does. Readers never wait.
        if not connection.get_execution_options().get("reading", False):
            connection.exec_driver_sql(f"select pg_advisory_xact_lock({TURN})")

    return engine
