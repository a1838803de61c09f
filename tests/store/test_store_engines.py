"""What a library promises on each engine: turns for writers, no waiting for readers, one history of its form."""

import inspect
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import safelight.store
from safelight.errors import LibraryError
from safelight.store import engines, migrate, records, schema
from safelight.store.library import Library, now
from safelight.store.records import Shoot

WRITE = """
import sys
from safelight.domain import Measure, Say, Verdict, Asset, Kind
from safelight.store import records
from safelight.store.library import Library

place, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
with Library.open(place) as library:
    for n in range(count):
        asset = Asset(id=f"shared-{n}", content=None, kind=Kind.PHOTO, format="jpeg", width=1, height=1)
        records.save_assets(library, [asset])
        records.save_evidence(library, [(f"{name}-{n}", name, "k", [Measure(name="n", value=n)])] * 2)
        records.save_verdicts(library, [
            Verdict(at=str(n), by=name, asset="a", shoot="s", operator="cull", version=1, say=Say.APPROVE)
        ])
"""


def run_at_once(program, *arguments):
    """Runs the program once for each tuple of arguments; all begin when the last one has loaded."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    running = [subprocess.Popen([sys.executable, "-c", program, *given], **pipes) for given in arguments]
    ready = [process.stdout.readline() for process in running]
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=120)[1] for process in running]
    assert ready == ["ready\n"] * len(running), errors
    assert [process.returncode for process in running] == [0] * len(running), errors


# ---------------------------------------------------------------- several at once


def test_a_new_library_that_another_process_just_switches_to_its_log_is_waited_for(tmp_path):
    path = tmp_path / "library.sqlite"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    other.execute("create table a (b)")
    opened = []
    opening = threading.Thread(target=lambda: opened.append(engines.sqlite(path).connect()))
    opening.start()
    opening.join(0.2)
    assert opened == []
    other.execute("COMMIT")
    other.close()
    opening.join(30)
    assert opened[0].exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    opened[0].close()


def test_two_processes_that_make_a_library_and_write_at_once_lose_nothing(empty_place):
    count = 25
    run_at_once(WRITE, (empty_place, "ann", str(count)), (empty_place, "ben", str(count)))
    with Library.open(empty_place) as library:
        assert migrate.current(library.engine) == migrate.HEAD
        said = records.ledger(library, "s").rows
        assert len(said) == 2 * count
        for name in ("ann", "ben"):
            assert [v.at for v in said if v.by == name] == [str(n) for n in range(count)]
            assert set(records.facts(library, [f"{name}-{n}" for n in range(count)])) == {
                f"{name}-{n}" for n in range(count)
            }
        assert set(records.assets(library, [f"shared-{n}" for n in range(count)])) == {
            f"shared-{n}" for n in range(count)
        }
        assert [
            row["n"] for row in library.rows(sa.select(sa.func.count().label("n")).select_from(schema.evidence))
        ] == [4 * count]


def test_rows_become_visible_in_the_order_of_their_numbers(place):
    """Of two writers the later one waits, so that nobody sees row 2 before row 1."""
    seen = []
    with Library.open(place) as first, Library.open(place) as second:

        def write_later():
            second.append(schema.surveys, [{"shoot": "s", "key": "later", "at": now()}])
            seen.append("later is written")

        with first.transaction() as connection:
            connection.execute(sa.insert(schema.surveys), [{"shoot": "s", "key": "earlier", "at": now()}])
            waiting = threading.Thread(target=write_later)
            waiting.start()
            waiting.join(0.3)
            assert seen == []
        waiting.join(60)
        assert seen == ["later is written"]
        assert records.survey_key(first, "s") == "later"
        keys = [row["key"] for row in first.rows(sa.select(schema.surveys).order_by(schema.surveys.c.seq))]
        assert keys == ["earlier", "later"]


def test_a_reader_sees_the_old_state_while_another_writes(place):
    shoot = Shoot(id="s", root="/old", name="job")
    with Library.open(place) as writer, Library.open(place) as reader:
        records.save_shoot(writer, shoot)
        with writer.transaction() as connection:
            row = {"id": "s", "root": "/new", "name": "job", "stakes": "normal", "at": now()}
            connection.execute(sa.insert(schema.shoots), [row])
            assert records.shoot_of(reader, "s").root == "/old"
            with Library.open(place) as opened_meanwhile:
                assert records.shoot_of(opened_meanwhile, "s").root == "/old"
        assert records.shoot_of(reader, "s").root == "/new"


def test_a_failed_transaction_leaves_nothing(library):
    def write_halfway():
        with library.transaction() as connection:
            connection.execute(sa.insert(schema.surveys), [{"shoot": "s", "key": "half", "at": now()}])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_halfway()
    assert records.survey_key(library, "s") is None
    library.append(schema.surveys, [{"shoot": "s", "key": "whole", "at": now()}])
    assert records.survey_key(library, "s") == "whole"


KILLED = """
import os, signal, sys
from safelight.store import records
from safelight.store.library import Library
from safelight.store.records import Shoot
library = Library.open(sys.argv[1])
for i in range(20):
    records.save_shoot(library, Shoot(id=str(i), root="/a", name="a"))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no signal that cannot be caught here")
def test_a_program_that_is_killed_loses_nothing_of_what_it_wrote(place):
    killed = subprocess.run([sys.executable, "-c", KILLED, str(place)], check=False)
    assert killed.returncode == -signal.SIGKILL
    with Library.open(place) as library:
        assert len(records.shoots(library)) == 20


def test_a_delivery_waits_for_the_disk_and_a_verdict_does_not(tmp_path):
    with Library.open(tmp_path) as library:
        levels = {}
        for durable in (True, False):
            with library.transaction(durable=durable) as connection:
                levels[durable] = connection.exec_driver_sql("pragma synchronous").scalar()
    assert levels == {True: 2, False: 1}


def test_a_library_that_stays_locked_is_an_error_that_says_so(place, monkeypatch):
    monkeypatch.setattr(engines, "PATIENCE_S", 0.2)
    row = {"shoot": "s", "key": "k", "at": now()}
    with Library.open(place) as holder, Library.open(place) as other, holder.transaction():
        with pytest.raises(LibraryError, match="could not be written") as caught:
            other.append(schema.surveys, [row])
        assert caught.value.exit == 5
        assert caught.value.remedy
        assert other.rows(sa.select(schema.surveys)) == []


# ---------------------------------------------------------------- the newest row


def test_newest_is_the_last_row_of_each_key_among_those_asked_for(library):
    table = schema.surveys
    for shoot, key in (("s", "1"), ("t", "1"), ("s", "2"), ("t", "0"), ("u", "9")):
        library.append(table, [{"shoot": shoot, "key": key, "at": now()}])
    assert [(r["shoot"], r["key"]) for r in library.newest(table, ["shoot"])] == [("s", "2"), ("t", "0"), ("u", "9")]
    assert [r["key"] for r in library.newest(table, ["shoot"], table.c.shoot == "t")] == ["0"]
    assert [r["key"] for r in library.newest(table, ["shoot"], table.c.key == "1", table.c.shoot != "s")] == ["1"]
    both = library.newest(table, ["shoot", "key"])
    assert [(r["shoot"], r["key"]) for r in both] == [("s", "1"), ("t", "1"), ("s", "2"), ("t", "0"), ("u", "9")]
    assert library.newest(schema.runs, ["shoot"]) == []


def test_appending_nothing_writes_nothing(library):
    library.append(schema.runs, [])
    assert library.rows(sa.select(schema.runs)) == []


# ---------------------------------------------------------------- the form


def test_the_newest_form_is_the_newest_file():
    numbers = sorted(path.name.split("_")[0] for path in (migrate.PLACE / "versions").glob("[0-9]*.py"))
    assert numbers[-1] == migrate.HEAD


def test_revisions_do_not_lean_on_the_tables_of_today():
    for path in (migrate.PLACE / "versions").glob("[0-9]*.py"):
        assert not re.search(r"\bsafelight\b", path.read_text(encoding="utf-8")), path.name


def test_the_revisions_make_what_the_tables_say(empty_place):
    with Library.open(empty_place) as library, library.engine.connect() as connection:
        assert migrate.current(library.engine) == migrate.HEAD
        engine = connection.dialect.name

        def here(item, _name, kind, _reflected, _other):
            return kind != "index" or item.info.get(schema.ONLY, engine) == engine

        options = {"compare_type": True, "compare_server_default": True, "include_object": here}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, schema.metadata) == []


def test_a_library_of_a_newer_program_is_left_alone(place):
    with Library.open(place) as library, library.engine.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(LibraryError, match=r"newer Safelight.*9999") as caught:
        Library.open(place)
    assert caught.value.exit == 5


def test_opening_again_changes_nothing(place):
    with Library.open(place) as library:
        records.save_shoot(library, Shoot(id="s", root="/a", name="a"))
    for _ in range(2):
        with Library.open(place) as library:
            assert [s.id for s in records.shoots(library)] == ["s"]


def test_the_store_only_appends():
    """No code changes or deletes a row, but where what tells people apart is erased."""
    folder = Path(inspect.getfile(safelight.store)).parent.parent
    changing = re.compile(r"\bsa\.(update|delete)\(|\btable\w*\.(update|delete)\(|schema\.\w+\.(update|delete)\(")
    words = re.compile(r"""["'](update \w+ set|delete from|drop table|insert or replace)\b""", re.IGNORECASE)
    sources = [path for path in folder.rglob("*.py") if "migrations" not in path.parts]
    found = [path.name for path in sources if changing.search(text := path.read_text("utf-8")) or words.search(text)]
    assert len(sources) > 20
    assert found == ["erasing.py"]
    erased = re.findall(r"sa\.delete\((schema\.\w+|\w+)\)", (folder / "store" / "erasing.py").read_text("utf-8"))
    assert set(erased) == {"schema.measured", "table"}, "the marks that a face was measured, and erasable tables"
    assert {t.name for t in schema.erasable} == {"personal", "sightings", "people_said", "risk_keys"}
