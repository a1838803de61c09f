"""The log of clips from the command line, over a real first pass."""

import csv
import json

import pytest

from safelight import footage, report
from safelight.cli import main
from safelight.line import Options
from safelight.store.objects import ShootFolder
from tests.made_clips import make_clip, make_sound, sine


@pytest.fixture
def folder(library, tmp_path):
    shoot = tmp_path / "shoot"
    shoot.mkdir()
    make_clip(shoot / "A001.mov", frames=40, size=(320, 180), tags={"timecode": "10:00:00:00"}, step=0)
    make_clip(shoot / "b & c.mp4", frames=30, size=(320, 180), step=0)
    make_sound(shoot / "wild.wav", sine(1))
    library.run(shoot, options=Options(engine="inline"))
    return shoot


@pytest.fixture
def ran(capsys):
    def call(*arguments, code=0):
        with pytest.raises(SystemExit) as stopped:
            main(["log", *map(str, arguments)])
        text = capsys.readouterr().out
        assert (stopped.value.code or 0) == code, text
        return text

    return call


def test_every_shot_is_a_row_with_its_timecode(folder, ran):
    text = ran(folder)
    assert "10:00:00:00–10:00:01:15" in text
    assert "2 shots in 2 clips." in text
    document = json.loads(ran(folder / "A001.mov", "--json"))
    (row,) = document["shots"]
    assert (document["schema"], row["clip"], row["end_frame"]) == ("safelight.log/1", "A001.mov", 40)
    assert row["steadiness"]["kind"] == "tripod"
    assert row["said"]["motion"] == "The camera stands."


def test_no_such_shot_is_an_answer_and_says_what_was_not_searched(folder, ran):
    text = ran(folder, "--find", "wedding cake", code=1)
    assert "No such shot among 2." in text
    assert json.loads(ran(folder, "--find", "A001", "--json"))["shots"][0]["clip"] == "A001.mov"
    assert json.loads(ran(folder, "--steady", "--json"))["of"] == 2


@pytest.mark.parametrize("program", ["plain", "resolve", "premiere"])
def test_a_table_is_written_and_a_second_time_left_alone(folder, ran, tmp_path, program):
    path = tmp_path / "log.csv"
    ran(folder, "--csv", path, "--for", program)
    before = path.stat().st_mtime_ns
    rows = list(csv.reader(path.read_text("utf-8").splitlines()))
    assert len(rows) == (2 if program == "premiere" else 3)
    assert len({len(row) for row in rows}) == 1
    ran(folder, "--csv", path, "--for", program)
    assert path.stat().st_mtime_ns == before


def test_a_clip_is_never_written_over_by_a_table(folder, ran):
    before = (folder / "A001.mov").read_bytes()
    ran(folder, "--csv", folder / "A001.mov", code=2)
    assert (folder / "A001.mov").read_bytes() == before


def test_sidecars_are_written_once_and_keywords_in_them_are_tags(folder, ran, mark_times):
    assert "written" in ran(folder, "--xmp")
    before = mark_times(folder)
    assert ran(folder, "--xmp").count("unchanged") == 2
    assert mark_times(folder) == before
    path = folder / "A001.xmp"
    path.write_bytes(path.read_bytes().replace(b"<xmpDM:Tracks", (
        b'<dc:subject xmlns:dc="http://purl.org/dc/elements/1.1/"><rdf:Bag><rdf:li>bride</rdf:li></rdf:Bag></dc:subject>'
        b"<xmpDM:Tracks"
    ), 1))  # fmt: skip
    assert json.loads(ran(folder, "--find", "bride", "--json"))["shots"][0]["tags"] == ["bride"]


def test_the_report_shows_each_shot_and_can_be_narrowed_down(library, folder):
    state = library.state(folder)
    where = ShootFolder.at(folder)
    page = report.page(library, state, where)
    assert page.count("data-about=") == 2
    assert "b &amp; c.mp4" in page
    assert 'id="sought"' in page
    place = where.cached(state.clips["A001.mov"].asset.id)
    shown = state.clips["A001.mov"].facts["shots.facts"].value[0]["key_frame"]
    assert footage.key_frame(place.with_name(place.name + footage.KEYS), shown).is_file()


def test_key_frames_of_an_earlier_look_go(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", frames=30, size=(320, 180))
    cache = tmp_path / "cache"
    job = footage.See(asset="a", full=clip, place=cache / "aa" / "a", seconds=1)
    made = footage.see(job)
    folder = job.place.with_name(f"a{footage.KEYS}")
    (kept,) = folder.iterdir()
    (folder / "0009999.jpg").write_bytes(kept.read_bytes())
    again = footage.see(job)
    assert list(folder.iterdir()) == [kept]
    assert again.measures == made.measures, "the same, whenever it is looked at"
    assert not [p for p in cache.rglob("*") if p.is_file() and p != kept], "nothing waits in the cache"
