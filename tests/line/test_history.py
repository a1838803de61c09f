"""Decisions of an old catalogue about a shoot that is in the library: taken once, and never as evidence."""

import json
import shutil
from contextlib import closing
from datetime import timedelta
from sqlite3 import connect

import pytest
from click.testing import CliRunner

from safelight import history, ledger
from safelight.api import Library, silent
from safelight.cli import cli
from safelight.domain import Cull
from safelight.ledger_rows import IMPORTED
from safelight.line import Options
from safelight.store import records
from tests.conftest import START, save_jpeg, textured
from tests.made_catalogue import catalogue

INLINE = Options(engine="inline")
WHERE = "2019/Wedding/"
PHOTOS = [
    (WHERE, "IMG_0000", "JPG", 1.0, None),  # flagged
    (WHERE, "IMG_0001", "JPG", -1.0, 4.0),  # rejected, whatever its stars
    (WHERE, "img_0002", "jpg", 0.0, 3.0),  # stars alone; a disk that does not tell case apart
    (WHERE, "IMG_0003", "JPG", 0.0, None),  # says nothing
    (WHERE, "IMG_0004", "JPG", -1.0, None),  # was decided here since
    ("2018/Elsewhere/", "IMG_0000", "JPG", -1.0, None),  # never run
]  # fmt: skip


SIDECAR = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" {}/></rdf:RDF></x:xmpmeta>"""


@pytest.fixture
def folder(library, make_shoot):
    """A shoot in the library, of which one photo is decided."""
    made = make_shoot(5, name="Wedding")
    library.run(made, options=INLINE)
    library.verdict(made, ["IMG_0004.JPG"], operator="cull", say="modify", params={"decision": "keep"}, by="ben")
    return made


def said(library, folder):
    """Every decision on whether a photo stays: by whom and what."""
    state = library.state(folder)
    rows = records.ledger(library.store, state.shoot.id)
    found = {p.path: rows.standing.get((p.id, "cull")) for p in state.photos.values()}
    return {path: (v.by, v.params["decision"]) for path, v in found.items() if v is not None}


def counted(library):
    """How many rows the ledger has."""
    return len(library.store.rows(records.schema.verdicts.select()))


def test_a_catalogue_decides_what_nobody_has_decided_and_only_once(library, folder, tmp_path, mark_times):
    path = catalogue(tmp_path / "old.lrcat", PHOTOS)
    before, untouched = path.read_bytes(), mark_times(folder)
    told = []
    taken = history.take(library.store, path, by="ann", tell=told.append)
    assert (told[-1].stage, told[-1].done, told[-1].total) == ("take in", 4, 4)
    assert (taken.taken, taken.unknown) == (3, 1)
    assert "3 earlier decisions were taken" in taken.words()
    assert "1 is about photos that were never run" in taken.words()
    held = {
        "IMG_0000.JPG": (f"{IMPORTED}ann", "keep"), "IMG_0001.JPG": (f"{IMPORTED}ann", "reject"),
        "IMG_0002.JPG": (f"{IMPORTED}ann", "keep"), "IMG_0004.JPG": ("ben", "keep"),
    }  # fmt: skip
    assert said(library, folder) == held
    rows = counted(library)

    again = history.take(library.store, path, by="ann", tell=silent)
    assert (again.taken, again.unknown, again.left) == (0, 1, 4)
    assert (said(library, folder), counted(library)) == (held, rows)
    assert path.read_bytes() == before
    assert mark_times(folder) == untouched


def test_what_was_taken_is_no_evidence_and_holds_in_the_next_run(library, folder, tmp_path):
    def evidence():
        cells = [c for c in ledger.document(library.store)["cells"] if c["task"] == "cull"]
        return {(c["group"], c["client"]): (c["n"], c["k"], c["drawn"], c["e_value"], c["state"]) for c in cells}

    before = evidence()
    assert before, "Ben's own decision is there"
    history.take(library.store, catalogue(tmp_path / "old.lrcat", PHOTOS), by="ann", tell=silent)
    assert evidence() == before
    library.run(folder, options=INLINE)
    assert library.state(folder).photo("IMG_0001.JPG").decision is Cull.REJECT
    assert not library.run(folder, options=INLINE).changed


def test_a_changed_catalogue_adds_what_is_new_and_overrules_nobody(library, folder, tmp_path):
    path = catalogue(tmp_path / "old.lrcat", PHOTOS)
    history.take(library.store, path, by="ann", tell=silent)
    held = said(library, folder)
    with closing(connect(path)) as opened, opened:
        opened.execute("update Adobe_images set pick = 1 where rootFile in (1, 3, 4) and masterImage is null")
    assert history.take(library.store, path, by="ann", tell=silent).taken == 1
    assert said(library, folder) == held | {"IMG_0003.JPG": (f"{IMPORTED}ann", "keep")}


def test_the_command_takes_a_catalogue_twice_and_doubles_nothing(library, folder, tmp_path):
    path = catalogue(tmp_path / "old.lrcat", PHOTOS)
    library.store.close()
    shutil.copytree(library.store.folder, tmp_path / "copy")
    asked = ["trust", "--library", str(tmp_path / "copy"), "--import", str(path), "--by", "ann", "--json"]
    first, second = (CliRunner().invoke(cli, asked) for _ in range(2))
    assert "3 earlier decisions" in first.stderr
    assert "0 earlier decisions" in second.stderr
    cells = [[c for c in json.loads(shown.stdout)["cells"] if c["task"] == "cull"] for shown in (first, second)]
    assert cells[0] == cells[1]
    assert cells[0][0]["answered"] == 4
    with Library.open(tmp_path / "copy") as opened:
        assert len(said(opened, folder)) == 4


def two_shoots(library, tmp_path, taken):
    """Two shoots that have a photo of the same name in a folder of the same name."""
    made = [tmp_path / name for name in ("Ada", "Ben")]
    for i, folder in enumerate(made):
        save_jpeg(folder / "raw" / "IMG_0000.JPG", textured(i), taken=taken + timedelta(days=i))
        library.run(folder, options=INLINE)
    return made


def decisions(library, folders):
    return [said(library, folder).get("raw/IMG_0000.JPG", ("", None))[1] for folder in folders]


def test_a_name_that_many_shoots_have_decides_about_no_photo_of_another(library, tmp_path):
    folders = two_shoots(library, tmp_path, START)
    rows = [
        (f"{name}/raw/", "IMG_0000", "JPG", pick, None) for name, pick in (("Ada", 1.0), ("Ben", -1.0), ("Cy", -1.0))
    ]
    taken = history.take(library.store, catalogue(tmp_path / "old.lrcat", rows), by="ann", tell=silent)
    assert decisions(library, folders) == ["keep", "reject"]
    assert (taken.taken, taken.unknown + taken.unclear) == (2, 1)


def test_photos_of_folders_that_were_renamed_are_told_apart_by_when_they_were_taken(library, tmp_path):
    folders = two_shoots(library, tmp_path, START)
    at = [f"{START + timedelta(days=day):%Y-%m-%dT%H:%M:%S}.25" for day in (1, 0, 9)]
    rows = [(f"old{i}/raw/", "IMG_0000", "JPG", (-1.0, 1.0, -1.0)[i], None, at[i]) for i in range(3)]
    taken = history.take(library.store, catalogue(tmp_path / "old.lrcat", rows), by="ann", tell=silent)
    assert decisions(library, folders) == ["keep", "reject"]
    assert (taken.taken, taken.unknown) == (2, 1)
    twice = [("copy1/", "IMG_0000", "JPG", 1.0, None, at[0]), ("copy2/", "IMG_0000", "JPG", -1.0, None, at[0])]
    unclear = history.take(library.store, catalogue(tmp_path / "twice.lrcat", twice), by="ann", tell=silent)
    assert (unclear.taken, unclear.unclear) == (0, 2)
    assert "could be about several photos" in unclear.words()


def test_sidecars_of_before_answer_nothing_that_was_decided_here(library, folder):
    library.verdict(folder, ["IMG_0001.JPG"], operator="exposure", say="modify", params={"ev": 0.5}, by="ben")
    library.verdict(folder, ["IMG_0001.JPG"], operator="cull", say="modify", params={"decision": "keep"}, by="ben")
    for name, says in (("IMG_0001", 'xmp:Rating="-1" crs:Exposure2012="+1.00"'), ("IMG_0002", 'xmp:Rating="4"')):
        (folder / f"{name}.JPG.xmp").write_text(SIDECAR.format(says))
    (folder / "IMG_0003.JPG.xmp").write_text("no packet")
    taken = history.take(library.store, folder, by="ann", tell=silent)
    assert said(library, folder) == {
        "IMG_0001.JPG": ("ben", "keep"), "IMG_0002.JPG": (f"{IMPORTED}ann", "keep"), "IMG_0004.JPG": ("ben", "keep"),
    }  # fmt: skip
    exposure = library.state(folder).photo("IMG_0001.JPG").standing["exposure"]
    assert (exposure.by, exposure.params["ev"]) == ("ben", 0.5)
    assert (taken.taken, taken.left) == (1, 1)
    assert "IMG_0003.JPG.xmp" in taken.words()
