"""Where a library may lie, what is said where it may not, and its copies."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

import safelight.api
from safelight.cli import cli
from safelight.domain import Cull
from safelight.errors import LibraryError
from safelight.line import Options
from safelight.store import library as store
from safelight.store import records, schema
from safelight.store.library import FILE_NAME, KEPT_COPIES, Library, now
from safelight.store.objects import ShootFolder
from safelight.store.records import Shoot


def refused(place):
    """The error of opening a library; each has an exit code and a remedy."""
    with pytest.raises(LibraryError) as caught:
        Library.open(place)
    assert caught.value.exit == 5
    assert caught.value.remedy
    return caught.value


# ---------------------------------------------------------------- a whole pass


def test_a_first_pass_and_what_a_person_says_hold_on_each_engine(place, make_shoot):
    shoot = make_shoot(2)
    with safelight.api.Library.open(place) as library:
        assert library.run(shoot, options=Options(engine="inline")).looked == 2
        for say in ({"say": "modify", "params": {"decision": "reject"}}, {"say": "undo"}, {"say": "escalate"}):
            library.verdict(shoot, ["IMG_0000.JPG"], operator="cull", by="ann", **say)
        library.verdict(
            shoot, ["IMG_0001.JPG"], operator="cull", by="ben", say="modify", params={"decision": "keep"}, note="🙂\n\0"
        )
    with safelight.api.Library.open(place) as library:
        state = library.state(shoot)
        assert state.photo("IMG_0000.JPG").standing["cull"].say == "escalate"
        assert state.photo("IMG_0001.JPG").decision is Cull.KEEP
        assert state.photo("IMG_0001.JPG").standing["cull"].note == "🙂\n\0"
        assert state.photo("IMG_0001.JPG").facts
        library.run(shoot, options=Options(engine="inline"))
        assert library.run(shoot, options=Options(engine="inline")).changed is False
    told = CliRunner().invoke(cli, ["status", str(shoot), "--library", place, "--json"])
    assert json.loads(told.output)["schema"] == "safelight.status/1"
    assert list(shoot.rglob("*.sqlite")) == []


# ---------------------------------------------------------------- one file


def test_a_damaged_file_is_told_with_its_remedy(folder):
    (folder / FILE_NAME).write_bytes(b"this was a library once\n" * 1000)
    error = refused(folder)
    assert str(folder) in error.cause
    assert "not a database" in error.cause
    assert "backup" in error.remedy


def test_damage_that_shows_later_is_told_too(folder):
    with Library.open(folder) as library:
        records.save_files(
            library, "s", [records.File(path=f"{n:04d}.jpg", asset=None, size=n, mtime_ns=n) for n in range(5000)]
        )
    spoil(folder / FILE_NAME)
    with Library.open(folder) as library:
        with pytest.raises(LibraryError, match="is damaged") as caught:
            records.files(library, "s")
        assert caught.value.exit == 5
        assert "backup" in caught.value.remedy
        with pytest.raises(LibraryError, match="is damaged"):
            library.backup()
    assert list((folder / "backup").iterdir()) == []


def spoil(path):
    """Writes over the second half of a database whose pages hold rows."""
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("pragma wal_checkpoint(truncate)")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + b"\xff" * (len(data) - len(data) // 2))


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    error = refused(tmp_path / "file" / "library")
    assert "--library" in error.remedy


MOUNTS = rb"""
/dev/sda1 / ext4 rw,relatime 0 0
server:/jobs /mnt/nas nfs4 rw,vers=4.2 0 0
//server/b /mnt/two\040words cifs rw 0 0
/dev/sdb1 /mnt/nas/disk ext4 rw 0 0
server:/x /mnt/tab\011and\134slash fuse.sshfs rw 0 0
/dev/sdc1 /mnt/latin@ vfat rw 0 0
""".replace(b"@", b"\xe9")


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/mnt/nas", "nfs4"), ("/mnt/nas/a/library", "nfs4"), ("/mnt/two words/x", "cifs"), ("/mnt/nas/disk/x", "ext4"),
        ("/mnt/tab\tand\\slash/x", "fuse.sshfs"), ("/mnt/nasty", "ext4"), ("/mnt/latin\udce9/x", "vfat"), ("/", "ext4"),
    ],
)  # fmt: skip
def test_the_file_system_of_a_folder_is_known(monkeypatch, folder, kind):
    monkeypatch.setattr(Path, "read_bytes", lambda _: MOUNTS)
    assert store._file_system(Path(folder)) == kind


def test_a_network_file_system_is_refused_before_anything_is_made(monkeypatch, tmp_path):
    for kind in ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"):
        monkeypatch.setattr(store, "_file_system", lambda _, kind=kind: kind)
        error = refused(tmp_path / "library")
        assert kind in error.cause
        assert "PostgreSQL" in error.remedy
    assert not (tmp_path / "library").exists()


def test_a_system_without_a_list_of_mounts_is_trusted(monkeypatch, tmp_path):
    def fails(_):
        raise FileNotFoundError("/proc/mounts")

    monkeypatch.setattr(Path, "read_bytes", fails)
    assert store._file_system(tmp_path) == ""


# ---------------------------------------------------------------- copies


def days(folder):
    return [path.stem for path in sorted((folder / "backup").iterdir())]


def test_a_copy_is_whole_and_made_once_a_day(folder):
    with Library.open(folder) as library:
        records.save_shoot(library, Shoot(id="s", root="/a", name="a"))
        with library.transaction() as unfinished:
            row = {"id": "half", "root": "/b", "name": "b", "stakes": "normal", "at": now()}
            unfinished.execute(sa.insert(schema.shoots), [row])
            copy = library.backup()
        records.save_shoot(library, Shoot(id="t", root="/b", name="b"))
        before = copy.read_bytes()
        assert library.backup() == copy
        assert copy.read_bytes() == before
    assert days(folder) == [copy.stem]
    assert date.fromisoformat(copy.stem)
    restored = folder.parent / "restored"
    restored.mkdir()
    copy.replace(restored / FILE_NAME)
    with Library.open(restored) as library:
        assert [s.id for s in records.shoots(library)] == ["s"]


def test_the_last_seven_copies_stay(folder):
    (folder / "backup").mkdir()
    for day in range(1, 13):
        (folder / "backup" / f"2026-01-{day:02d}.sqlite").write_bytes(b"old")
    with Library.open(folder) as library:
        newest = library.backup().stem
    assert KEPT_COPIES == 7
    assert days(folder) == [*(f"2026-01-{day:02d}" for day in range(7, 13)), newest]


def test_a_copy_that_cannot_be_written_is_told(folder):
    (folder / "backup").write_bytes(b"a file where the folder should be")
    with Library.open(folder) as library:
        with pytest.raises(LibraryError, match="could not be copied") as caught:
            library.backup()
        assert caught.value.remedy


# ---------------------------------------------------------------- a server


def test_a_server_makes_its_own_copies(server):
    with Library.open(server.database()) as library:
        assert library.folder is None
        assert library.backup() is None


def test_any_spelling_of_the_url_is_understood(server):
    url = server.database()
    for spelling in ("postgresql://", "postgres://", "postgresql+psycopg2://"):
        with Library.open(url.replace("postgresql+psycopg://", spelling)) as library:
            records.save_shoot(library, Shoot(id=spelling, root="/a", name="a"))
    with Library.open(url) as library:
        assert len(records.shoots(library)) == 3


def test_the_place_is_shown_without_its_password(server, folder):
    url = server.database().replace("keeper@", "keeper:hunter2@")
    with Library.open(url) as library:
        assert "hunter2" not in library.place
        assert "keeper" in library.place
    with Library.open(folder) as library:
        assert library.place == str(folder)


def test_a_server_that_cannot_be_reached_is_told_without_the_password(server, tmp_path):
    error = refused(f"postgresql://keeper:hunter2@/studio?host={tmp_path}")
    assert "hunter2" not in str(error)
    assert "studio" in error.cause
    error = refused(server.url("nowhere"))
    assert '"nowhere" does not exist' in error.cause


def test_a_database_that_cannot_hold_every_name_is_refused(server):
    server.create("narrow", template="template0", encoding="LATIN1")
    error = refused(server.url("narrow"))
    assert "LATIN1" in error.cause


def test_a_user_who_may_only_read_is_told_so(server):
    url = server.database()
    with Library.open(url) as library, library.engine.begin() as connection:
        connection.exec_driver_sql("create role guest login")
        connection.exec_driver_sql("grant select on all tables in schema public to guest")
    with Library.open(url.replace("keeper@", "guest@")) as library:
        assert records.shoots(library) == []
        with pytest.raises(LibraryError, match="permission denied") as caught:
            records.save_shoot(library, Shoot(id="s", root="/a", name="a"))
        assert "backup" not in caught.value.remedy
        assert caught.value.exit == 5
    error = refused(server.empty().replace("keeper@", "guest@"))
    assert "permission denied" in error.cause


def test_a_connection_that_the_server_closed_is_replaced(server):
    with Library.open(server.database()) as library:
        records.save_shoot(library, Shoot(id="s", root="/a", name="a"))
        with server.admin.connect() as other:
            other.exec_driver_sql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'keeper' "
                                  "and pid <> pg_backend_pid()")  # fmt: skip
        assert [s.id for s in records.shoots(library)] == ["s"]


@pytest.mark.parametrize("url", ["sqlite:///x.db", "mysql://a@b/c", "postgresql+psycopg://a@b:port/c", "nothing://x"])
def test_a_url_of_another_kind_is_refused(url):
    error = refused(url)
    assert "postgresql://" in error.remedy


def test_without_the_driver_the_remedy_is_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    error = refused("postgresql://ann@server/studio")
    assert "safelight[postgres]" in error.remedy


def test_two_first_runs_agree_on_the_shoots_id(tmp_path):
    (tmp_path / "shoot").mkdir()
    claims = "from pathlib import Path; import sys; from safelight.store.objects import ShootFolder as F\n"
    claims += "sys.stdin.readline(); print(F.at(Path(sys.argv[1])).claim())"
    command = [sys.executable, "-c", claims, str(tmp_path / "shoot")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    runs = [subprocess.Popen(command, **pipes) for _ in range(4)]
    for run in runs:
        run.stdin.write("\n")
        run.stdin.flush()
    said = {run.communicate(timeout=60)[0].strip() for run in runs}
    assert said == {ShootFolder.at(tmp_path / "shoot").shoot_id()}
