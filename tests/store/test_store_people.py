"""What tells people apart comes back as it went in, and is gone when it is erased: on each engine, in every file."""

import shutil
import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa

from safelight.domain import Measure
from safelight.errors import LibraryError
from safelight.people import acts
from safelight.store import erasing, personal, records, schema
from safelight.store.library import FILE_NAME, Library
from safelight.store.personal import ERASED, Sighting

BOXES = [(0, 0, 40, 50), (60, 0, 100, 50)]
MARK = "UHJpbnQtb2YtYS1mYWNl"  # stands for a print, and is looked for in files


def answer(*marks):
    return Measure(
        name="people.prints", value=[{"box": list(b), "print": m} for b, m in zip(BOXES, marks, strict=False)]
    )


def fill(library, photos=40):
    """Photos with two faces each: person 1 is on all, person 2 on all, and both were spoken of."""
    assets = [f"photo{i}" for i in range(photos)]
    personal.turn(library, "on", by="ann")
    found = [(a, "people@1", f"key{a}", [answer(MARK + a, f"other-{MARK}")]) for a in assets]
    personal.save(library, found)
    personal.save_sightings(library, {a: [Sighting(box=b, person=-i - 1) for i, b in enumerate(BOXES)] for a in assets})
    personal.say(library, "name", 1, name="Zebedee Quill", by="ann")
    personal.say(library, "name", 2, name="Ottoline Moss", by="ann")
    return assets


def test_the_switch_is_off_until_somebody_turns_it(library):
    assert not personal.switch(library).on
    personal.turn(library, "on", by="ann")
    assert personal.switch(library).on
    assert personal.switch(library).by == "ann"
    personal.turn(library, "off", by="ben")
    personal.turn(library, "erased", by="ben")
    assert personal.switch(library).on is False


def test_prints_come_back_and_count_as_measured(library):
    assets = fill(library, 2)
    found = personal.prints(library, "people.prints")
    assert [p.text for p in found["photo1"]] == [MARK + "photo1", f"other-{MARK}"]
    assert [p.box for p in found["photo1"]] == BOXES
    assert records.measured(library, assets) == {(a, f"key{a}") for a in assets}
    assert records.evidence(library, assets) == {}, "nothing of it lies among other evidence"
    personal.save(library, [("photo1", "people@1", "k", [Measure(name="people.prints", cannot_tell="no weights")])])
    assert personal.untold(library, assets) == {"photo1": "no weights"}


def test_new_persons_get_numbers_that_nobody_has(library):
    fill(library, 2)
    given = personal.save_sightings(
        library, {"x": [Sighting(box=BOXES[0], person=-1), Sighting(box=BOXES[1], person=2)]}
    )
    assert given == {-1: 3}
    assert [s.person for s in personal.sightings(library, ["x"])["x"]] == [3, 2]


def test_what_was_said_last_holds(library):
    fill(library, 2)
    personal.say(library, "name", 1, name="Zeb", by="ann")
    personal.say(library, "join", 2, other=1, by="ann")
    said = personal.said(library)
    assert said.names == {2: "Ottoline Moss"}
    assert said.one(1) == 2
    personal.say(library, "part", 5, other=1, faces=[("photo0", BOXES[0])], by="ann")
    personal.say(library, "join", 2, other=5, by="ann")
    said = personal.said(library)
    assert said.parted == {("photo0", BOXES[0]): 5}
    assert said.one(5) == 2
    assert {2, 5} <= said.firm


def in_files(library, word):
    """The files of a library that hold a word, open or not."""
    return [p.name for p in sorted(library.folder.rglob("*")) if p.is_file() and word.encode() in p.read_bytes()]


def test_everything_goes_from_every_file(folder):
    with Library.open(folder) as library:
        fill(library)
        library.backup()
        shutil.copy(library.backup(), folder / "backup" / "2026-01-01.sqlite")
        fill(library, 3)
        assert in_files(library, MARK)
        assert in_files(library, "Zebedee")
        done = erasing.everything(library, by="ben")
        assert done == erasing.Erased(photos=40, copies=2)
        for word in (MARK, "Zebedee", "Ottoline"):
            assert in_files(library, word) == []
        for name in ("2026-01-01.sqlite",):
            with closing(sqlite3.connect(folder / "backup" / name)) as copy:
                assert copy.execute("select count(*) from shoots").fetchone() == (0,)
                assert copy.execute("pragma quick_check").fetchone() == ("ok",)


def test_everything_goes_and_the_switch_is_off(library):
    assets = fill(library, 3)
    acts.erase(library, [], by="ben")
    assert personal.switch(library) == personal.Switch(on=False, by="ben", at=personal.switch(library).at)
    for table in schema.erasable:
        assert library.rows(sa.select(table)) == []
    assert records.measured(library, assets) == set(), "switched on again, it is measured again"
    assert [row["say"] for row in library.rows(sa.select(schema.people_switch))] == ["on", "off", "erased"]


def test_one_person_goes_and_the_others_stay(library):
    fill(library, 3)
    acts.erase(library, [1], by="ben")
    found = personal.prints(library, "people.prints")
    assert [(p.text, p.cannot_tell) for p in found["photo2"]] == [(None, ERASED), (f"other-{MARK}", None)]
    assert [(s.person, s.cannot_tell) for s in personal.sightings(library)["photo2"]] == [(None, ERASED), (2, None)]
    assert personal.said(library).names == {2: "Ottoline Moss"}
    if library.folder is not None:
        assert in_files(library, MARK + "photo") == []
        assert in_files(library, "Zebedee") == []
        assert in_files(library, "Ottoline")


def test_whoever_was_erased_is_not_measured_again(library):
    fill(library, 3)
    acts.erase(library, [1], by="ben")
    moved = Measure(
        name="people.prints", value=[{"box": [1, 1, 41, 51], "print": MARK}, {"box": [200, 0, 240, 50], "print": "x"}]
    )
    personal.save(library, [("photo2", "people@2", "newer", [moved])])
    again = personal.prints(library, "people.prints")["photo2"]
    assert [(p.text, p.cannot_tell) for p in again] == [(None, ERASED), ("x", None)]


def test_a_library_that_another_program_reads_says_what_may_be_left(folder, monkeypatch):
    monkeypatch.setattr(erasing, "PATIENCE_S", 0.1)
    with Library.open(folder) as library:
        fill(library, 3)
        reader = sqlite3.connect(folder / FILE_NAME, isolation_level=None)
        reader.execute("begin")
        reader.execute("select count(*) from personal").fetchone()
        with pytest.raises(LibraryError, match="may still lie") as caught:
            acts.erase(library, [], by="ben")
        assert "again" in caught.value.remedy
        reader.close()
        acts.erase(library, [], by="ben")
        assert in_files(library, MARK) == []


def test_a_copy_that_cannot_be_read_is_named(folder):
    with Library.open(folder) as library:
        fill(library, 3)
        (folder / "backup").mkdir()
        (folder / "backup" / "2026-01-01.sqlite").write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 40)
        with pytest.raises(LibraryError, match=r"2026-01-01\.sqlite"):
            acts.erase(library, [], by="ben")
        assert in_files(library, MARK) == []
