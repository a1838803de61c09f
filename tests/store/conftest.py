"""A library on each engine: SQLite in a folder, PostgreSQL on a server that lives as long as the tests.

The server runs from the system's binaries, listens on a Unix socket only, and is skipped, with the reason, where they
or psycopg are missing. `initdb` refuses root, so under root it runs as the user `postgres` or `nobody`.
"""

import getpass
import importlib.util
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import sqlalchemy as sa

from safelight.store.library import FILE_NAME, Library

ENGINES = ("sqlite", "postgresql")
OWNERS = ("postgres", "nobody")
QUICK = ("fsync=off", "full_page_writes=off", "listen_addresses=", "max_connections=40", "shared_buffers=16MB")


class Server:
    """A throw-away PostgreSQL server; each `database()` is a copy of one that was migrated."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.admin = sa.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        self.numbers = itertools.count(1)

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://keeper@/{name}?host={self.folder}"

    def empty(self) -> str:
        return self.database(template="template0")

    def database(self, *, template: str = "made") -> str:
        name = f"studio{next(self.numbers)}"
        self.create(name, template=template)
        return self.url(name)

    def create(self, name: str, *, template: str, encoding: str = "UTF8") -> None:
        with self.admin.connect() as connection:
            connection.exec_driver_sql(f"create database {name} template {template} encoding '{encoding}'")


@pytest.fixture(scope="session")
def server():
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("psycopg is not installed: pip install 'safelight[postgres]'")
    programs = _programs()
    if programs is None:
        pytest.skip("the programs of a PostgreSQL server are not installed")
    # pytest's own folders are closed to other users, and the path of a socket has to be short.
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        owner = _owner()
        if owner != getpass.getuser():
            shutil.chown(folder, owner, pwd.getpwnam(owner).pw_gid)
        data = str(folder / "data")
        _run(owner, programs / "initdb", "--pgdata", data, "--auth=trust", "--username=keeper", "--encoding=UTF8",
             "--locale=C", "--no-sync", "--no-instructions")  # fmt: skip
        options = " ".join(["-k", str(folder), *(f"-c {setting}" for setting in QUICK)])
        log = str(folder / "log")
        _run(owner, programs / "pg_ctl", "start", "--wait", "--pgdata", data, "--log", log, "--options", options)
        try:
            made = Server(folder)
            made.create("made", template="template0")
            Library.open(made.url("made")).close()
            yield made
        finally:
            _run(owner, programs / "pg_ctl", "stop", "--wait", "--mode=immediate", "--pgdata", data)


@pytest.fixture(scope="session")
def made_file(tmp_path_factory):
    """An SQLite library that was migrated, to be copied."""
    folder = tmp_path_factory.mktemp("made")
    Library.open(folder).close()
    return folder / FILE_NAME


@pytest.fixture
def folder(made_file, tmp_path):
    """The folder of an SQLite library at its newest form."""
    made = tmp_path / "library"
    made.mkdir()
    shutil.copy(made_file, made)
    return made


@pytest.fixture(params=ENGINES)
def place(request):
    """Where a library at its newest form may be opened, by any number of processes."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("folder"))
    return request.getfixturevalue("server").database()


@pytest.fixture(params=ENGINES)
def empty_place(request, tmp_path):
    """Where no library was ever opened."""
    if request.param == "sqlite":
        return str(tmp_path / "library")
    return request.getfixturevalue("server").empty()


@pytest.fixture
def library(place):
    with Library.open(place) as opened:
        yield opened


def _programs() -> Path | None:
    """The folder of the newest server's programs."""
    found = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if shutil.which("pg_config"):
        told = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True).stdout.strip()
        found.append(Path(told))
    whole = [folder for folder in found if all((folder / name).is_file() for name in ("initdb", "pg_ctl", "postgres"))]
    return max(whole, key=lambda folder: (len(str(folder)), str(folder)), default=None)


def _owner() -> str:
    """The user who runs the server: whoever runs the tests, unless that is root."""
    if os.geteuid() != 0:
        return getpass.getuser()
    known = {entry.pw_name for entry in pwd.getpwall()}
    owner = next((name for name in OWNERS if name in known), None)
    if owner is None:
        pytest.skip("a PostgreSQL server does not run as root, and there is no user to run it as")
    return owner


def _run(owner: str, *command: str | Path) -> None:
    """Runs a program as `owner`. Its output goes to a file: a server that stays would keep a pipe open."""
    other = (
        {} if owner == getpass.getuser() else {"user": owner, "group": pwd.getpwnam(owner).pw_gid, "extra_groups": []}
    )
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            command, stdout=said, stderr=said, stdin=subprocess.DEVNULL, cwd="/", check=False, **other
        )
        said.seek(0)
        assert done.returncode == 0, said.read().decode(errors="replace")
