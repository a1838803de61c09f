"""Grouping of people from the command line: off until switched on, corrected by people, erased without a trace."""

import json
import re
from collections import defaultdict
from datetime import timedelta

import cv2
import numpy as np
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from safelight import line, weights
from safelight.cli import cli
from safelight.domain import Measure
from safelight.line import Options
from safelight.people.faces import EVIDENCE, group_shoot
from safelight.probes.people import packed
from safelight.report import path_of
from safelight.store import personal, schema
from safelight.store.objects import ShootFolder
from tests.conftest import START, save_jpeg

BOXES = [(10, 10, 60, 70), (120, 10, 170, 70)]


def call(*arguments):
    """What a command prints; errors come as they are."""
    done = CliRunner().invoke(cli, [str(a) for a in arguments], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.output


def rows(library, table):
    return len(library.store.rows(sa.select(table.c.seq)))


def some_print(person, seed):
    numbers = np.random.default_rng(seed).normal(0, 0.02, 128)
    numbers[person] += 0.6
    return packed(numbers.astype(np.float32))


@pytest.fixture
def peopled(library, make_shoot):
    """A shoot of six photos that was run, with people on: person 0 on all, person 1 on three, all without a fault."""
    folder = make_shoot(6)
    call("people", "on", "--by", "ann")
    library.run(folder, options=Options(engine="inline"))
    state = library.state(folder)
    for i, photo in enumerate(sorted(state.photos.values(), key=lambda p: p.path)):
        faces = [{"box": list(BOXES[0]), "print": some_print(0, i)}]
        if i in (0, 1, 4):
            faces.append({"box": list(BOXES[1]), "print": some_print(1, 50 + i)})
        found = Measure(name=EVIDENCE, value=faces)
        personal.save(library.store, [(photo.id, "people@1", f"made{i}", [found])])
    group_shoot(library.store, set(state.photos))
    return folder


def test_off_means_that_nothing_is_measured_or_kept(library, make_shoot):
    folder = make_shoot(2)
    library.run(folder, options=Options(engine="inline"))
    for table in (*schema.erasable, schema.people_switch):
        assert rows(library, table) == 0
    assert "people" not in line.probe_keys()
    assert "people" in line.probe_keys(about_people={"people"})
    assert "off" in call("people", "status")
    assert all("people" not in photo.facts for photo in library.state(folder).photos.values())


def test_on_without_weights_says_how_to_fetch_them(library, make_shoot, monkeypatch, tmp_path):
    monkeypatch.setenv("SAFELIGHT_WEIGHTS", str(tmp_path / "none"))
    folder = make_shoot(2)
    assert "safelight models fetch face_identity" in call("people", "on")
    library.run(folder, options=Options(engine="inline"))
    for photo in library.state(folder).photos.values():
        assert "safelight models fetch face_identity" in photo.facts["people"].cannot_tell
    assert "safelight models fetch face_identity" in call("people", "status")


def test_switched_on_later_the_next_run_measures_and_switched_off_it_shows_nothing(library, make_shoot):
    folder = make_shoot(2)
    assert library.run(folder, options=Options(engine="inline")).looked == 2
    assert not library.run(folder, options=Options(engine="inline")).changed
    call("people", "on")
    assert library.run(folder, options=Options(engine="inline")).looked == 2
    assert rows(library, schema.personal) == 2
    call("people", "off")
    assert "not used while the switch is off" in call("people", "status")
    assert all("people" not in photo.facts for photo in library.state(folder).photos.values())
    library.run(folder, options=Options(engine="inline"))
    assert rows(library, schema.personal) == 2


def test_who_switched_it_and_when_is_kept(library):
    call("people", "on", "--by", "ann")
    call("people", "on", "--by", "ben")
    found = json.loads(call("people", "status", "--json"))
    assert found["schema"] == "safelight.people/1"
    assert (found["on"], found["by"]) == (True, "ann")
    assert rows(library, schema.people_switch) == 1


def test_the_list_names_numbers_and_photos(peopled):
    found = json.loads(call("people", "list", "--json"))["people"]
    assert [(p["person"], p["photos"], p["name"]) for p in found] == [(1, 6, None), (2, 3, None)]
    assert found[1]["shown"][0].endswith(".JPG")
    assert "person 2: 3 photos" in call("people", "list")


def test_explain_says_who_is_there(peopled):
    call("people", "name", 2, "Anna")
    (entry,) = json.loads(call("explain", peopled / "IMG_0004.JPG", "--json"))["assets"]
    told = next(e for e in entry["evidence"] if e["name"] == "people")
    assert [(f["box"], f["person"]) for f in told["value"]] == [(list(BOXES[0]), 1), (list(BOXES[1]), 2)]
    assert not any(e["name"] == EVIDENCE for e in entry["evidence"]), "prints are shown to nobody"


def test_corrections_outlive_another_run(library, peopled):
    call("people", "name", 1, "Anna")
    assert "person 3" in call("people", "part", 1, peopled / "IMG_0000.JPG", peopled / "IMG_0001.JPG")
    group_shoot(library.store, set(library.state(peopled).photos))
    found = {p["person"]: p for p in json.loads(call("people", "list", "--json"))["people"]}
    assert {n: p["photos"] for n, p in found.items()} == {1: 4, 2: 3, 3: 2}
    call("people", "join", 1, 3)
    group_shoot(library.store, set(library.state(peopled).photos))
    found = {p["person"]: p for p in json.loads(call("people", "list", "--json"))["people"]}
    assert {n: p["photos"] for n, p in found.items()} == {1: 6, 2: 3}
    assert found[1]["name"] == "Anna"


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (("join", 1, 2), "never one person"),
        (("join", 1, 1), "that person already"),
        (("name", 9, "Anna"), "no person 9"),
        (("name", 1, "  "), "at least one letter"),
        (("part", 2, "IMG_0002.JPG"), "on none of these"),
        (("part", 2, ""), "all the photos"),
        (("erase",), "what is to be erased"),
        (("erase", 1, "--all"), "what is to be erased"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(peopled, arguments, cause):
    if arguments[0] == "part":
        arguments = (*arguments[:2], peopled / arguments[2])
    with pytest.raises(Exception, match=cause) as caught:
        call("people", *arguments)
    assert caught.value.remedy


def test_a_target_keeps_everybody_and_no_reason_written_down_names_anybody(library, peopled):
    call("people", "name", 2, "Zebedee")
    library.run(peopled, options=Options(engine="inline", wishes=line.Wishes(target=1)))
    said = call("explain", peopled)
    state = library.state(peopled)
    kept = {p.path for p in state.photos.values() if p.decision.value == "keep"}
    assert kept & {f"IMG_000{i}.JPG" for i in (0, 1, 4)}
    written = [b.text for p in state.photos.values() for b in p.proposals["cull"].because if b.code == "people.only"]
    assert set(written) == {"The only kept photo with one of the people."}
    assert "The only kept photo with person 2 (Zebedee)." in said
    report = path_of(ShootFolder.at(peopled)).read_text("utf-8")
    assert "Zebedee" not in report
    assert not re.search(r"person \d", report)


def test_nothing_of_it_travels_with_the_folder(library, peopled):
    call("people", "name", 2, "Zebedee")
    call("verdict", "--folder", peopled, "--all", "--say", "approve")
    library.run(peopled, options=Options(engine="inline"))
    mark = some_print(0, 0)[:40]
    for path in (peopled / ".safelight").rglob("*"):
        if path.is_file():
            held = path.read_bytes()
            assert b"Zebedee" not in held, path
            assert mark.encode() not in held, path
            assert b"people.prints" not in held, path


def test_erased_everything_is_off_and_gone_from_every_file(library, peopled):
    call("people", "name", 2, "Zebedee")
    library.store.backup()
    mark = some_print(0, 0)[:40].encode()
    place = library.store.folder

    def holding(word):
        return [p.name for p in place.rglob("*") if p.is_file() and word in p.read_bytes()]

    assert holding(mark)
    said = call("people", "erase", "--all", "--by", "ben")
    assert "Photos that had something: 6" in said
    for word in (mark, b"Zebedee", b"people.prints"):
        assert holding(word) == []
    assert "off, by ben" in call("people", "status")
    assert library.run(peopled, options=Options(engine="inline")).changed
    assert rows(library, schema.personal) == 0


def test_an_erased_person_does_not_come_back_and_the_others_stay(library, peopled):
    call("people", "erase", 2)
    group_shoot(library.store, set(library.state(peopled).photos))
    found = json.loads(call("people", "list", "--json"))["people"]
    assert [(p["person"], p["photos"]) for p in found] == [(1, 6)]


def test_talking_heads_are_told_apart_from_files_to_numbers(library, shared, tmp_path):
    if "face_identity" not in weights.installed() or "yunet" not in weights.installed():
        pytest.skip("the weights of faces are not installed; face_identity is fetched by name")
    folder = tmp_path / "heads"
    for i, path in enumerate(sorted((shared / "faces").glob("*.mpg"))):
        film = cv2.VideoCapture(str(path))
        frames = [film.read()[1] for _ in range(61)]
        film.release()
        for j in (0, 30, 60):
            rgb = np.ascontiguousarray(frames[j][:, :, ::-1])
            save_jpeg(folder / f"{path.stem}-{j}.jpg", rgb, taken=START + timedelta(minutes=10 * i, seconds=j))
    call("people", "on")
    library.run(folder, options=Options(engine="inline"))
    who = defaultdict(set)
    for photo in library.state(folder).photos.values():
        who[photo.path.split("-")[0]] |= {face["person"] for face in photo.facts["people"].value}
    assert all(len(numbers) == 1 for numbers in who.values())
    assert len(set.union(*who.values())) == len(who)
