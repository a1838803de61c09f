"""The record: carried along with a folder, exported for others, never lost."""

import csv
import json
import shutil
from dataclasses import replace

import pytest

from safelight import ledger
from safelight.api import Library
from safelight.domain import Cull
from safelight.errors import UsageError
from safelight.line import Options
from safelight.store import carried, records

INLINE = Options(engine="inline")


@pytest.fixture
def folder(library, make_shoot):
    made = make_shoot(2)
    library.run(made, options=INLINE)
    for decision in ("reject", "keep"):
        library.verdict(made, ["IMG_0000.JPG"], operator="cull", say="modify", params={"decision": decision}, by="ann",
                        reason="moment", note="the look, the light")  # fmt: skip
    return made


def test_a_folder_carried_to_another_machine_brings_its_history(folder, tmp_path):
    elsewhere = tmp_path / "usb" / "shoot"
    shutil.copytree(folder, elsewhere)
    with Library.open(tmp_path / "another") as other:
        other.run(elsewhere, options=INLINE)
        photo = other.state(elsewhere).photo("IMG_0000.JPG")
        assert photo.decision is Cull.KEEP
        assert photo.standing["cull"].note == "the look, the light"


def test_a_copy_cut_off_in_the_middle_brings_what_is_whole(folder, tmp_path):
    path = folder / ".safelight" / "record.jsonl"
    path.write_bytes(path.read_bytes()[:-30])
    with Library.open(tmp_path / "another") as other:
        other.run(folder, options=INLINE)
        assert other.state(folder).photo("IMG_0000.JPG").decision is Cull.REJECT


def test_a_spoilt_line_of_a_copy_is_set_aside_and_takes_no_other_along(library, folder, tmp_path):
    note = "kept:\u2028the \x85look"  # what some programs take for ends of lines
    library.verdict(folder, ["IMG_0001.JPG"], operator="cull", say="modify", params={"decision": "reject"}, by="ann",
                    note=note)  # fmt: skip
    path = folder / ".safelight" / "record.jsonl"
    first, second, last = path.read_text().split("\n")[:3]
    fields = json.loads(first)
    foreign = [json.dumps(fields | {"shoot": f"other-{i}", "drawn": "audit"}) for i in range(3)]
    odd = [json.dumps(fields | {"score": "high"}), json.dumps(fields | {"params": []}), "[]", '{"at": ', "{}"]
    path.write_text("\n".join([first, *odd, *foreign, second, last, ""]))
    with Library.open(tmp_path / "another") as other:
        done = other.run(folder, options=INLINE)
        state = other.state(folder)
        assert state.photo("IMG_0000.JPG").decision is Cull.KEEP
        assert state.photo("IMG_0001.JPG").standing["cull"].note == note
        assert len(records.ledger(other.store).rows) == 3, "a folder speaks of its own shoot and of no other"
    told = [trouble for trouble in done.troubles if "record.jsonl" in trouble]
    assert [int(trouble.split()[1]) for trouble in told] == list(range(2, 10))
    aside = (folder / ".safelight" / "log" / carried.ASIDE).read_text().splitlines()
    assert aside == [*odd, *foreign]


def test_the_ledger_leaves_with_its_columns(library, folder, tmp_path):
    ledger.export(library.store, tmp_path / "ledger.csv")
    with (tmp_path / "ledger.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert set(carried.COLUMNS) <= set(rows[0])
    assert [r["verdict"] for r in rows if r["by"] == "ann"] == ["modify", "modify"]
    assert json.loads(rows[-1]["params"])["decision"] == "keep"
    ledger.export(library.store, tmp_path / "ledger.jsonl")
    lines = (tmp_path / "ledger.jsonl").read_text().splitlines()
    assert [json.loads(line)["drawn"] for line in lines] == [r["drawn"] for r in rows]
    with pytest.raises(UsageError):
        ledger.export(library.store, tmp_path / "ledger.xls")


def test_every_item_was_drawn_before_it_was_shown(library, folder):
    import sqlalchemy as sa

    from safelight.store import schema

    rows = library.store.rows(sa.select(schema.draws).where(schema.draws.c.operator == "cull"))
    assert len(rows) == 2
    assert {r["drawn"] for r in rows} <= {"canary", "audit", "review"}
    assert any(r["drawn"] == "canary" for r in rows), "the first items of a shoot are canaries"


def test_counts_are_told_and_nothing_is_promised(library, folder):
    found = ledger.document(library.store)
    (cell,) = [c for c in found["cells"] if c["task"] == "cull"]
    assert (cell["answered"], cell["n"], cell["state"]) == (2, 0, "apprentice"), "a canary that was answered twice"
    assert "every task waits for a person" in ledger.words(found)


def test_groups_that_are_about_people_stay_in_the_library(library, folder):
    state = library.state(folder)
    one = state.ledger.rows[-1]
    records.save_verdicts(library.store, [replace(one, group="skin_tone:8-10"), replace(one, group="nobody")])
    library.carry(library.state(folder))
    copy = (folder / ".safelight" / "record.jsonl").read_text()
    assert "skin_tone" not in copy
    assert '"nobody"' in copy
    assert [v.group for v in records.ledger(library.store).rows[-2:]] == ["skin_tone:8-10", "nobody"]
