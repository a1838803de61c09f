"""Clips and sounds through a first pass."""

from fractions import Fraction

import numpy as np
import pytest

from safelight import footage
from safelight.domain import Kind
from safelight.explain import words
from safelight.line import Options
from safelight.workers import Lost, Why
from tests.made_clips import make_clip, make_sound, sine

INLINE = Options(engine="inline")


@pytest.fixture
def folder(tmp_path, make_shoot):
    shoot = make_shoot(2)
    make_clip(shoot / "A001.mov", rate=Fraction(30000, 1001), frames=40, sound_s=1.3, tags={"timecode": "01:00:00;02"})
    make_clip(shoot / "silent.mp4", frames=10)
    make_sound(shoot / "wild.wav", sine(3))
    (shoot / "broken.mp4").write_bytes(make_clip(tmp_path / "w.mp4").read_bytes()[:600])
    return shoot


def test_clips_and_sounds_are_assets_with_evidence(library, folder, mark_times):
    before = mark_times(folder)
    made = library.run(folder, options=INLINE)
    assert made.looked == 6
    state = library.state(folder)
    assert sorted(state.clips) == ["A001.mov", "silent.mp4", "wild.wav"]
    assert len(state.photos) == 2, "photos are as they were"
    assert [f.path for f in state.failed] == ["broken.mp4"]
    assert {a.kind for a in library.assets(folder)} == {Kind.PHOTO, Kind.VIDEO, Kind.AUDIO}
    clip = state.clips["A001.mov"]
    assert clip.asset.duration_s == 40 / Fraction(30000, 1001)
    assert clip.facts["clip.rate"].value == "30000/1001"
    assert clip.facts["clip.timecode"].value == "01:00:00;02"
    assert "no sound" in state.clips["silent.mp4"].facts["loudness"].cannot_tell
    assert list((folder / ".safelight" / "cache").rglob(f"{clip.asset.id}.thumb.jpg"))
    assert mark_times(folder) == before


def test_explained_in_fields_and_in_words(library, folder):
    library.run(folder, options=INLINE)
    entry = library.explain("wild.wav", folder=folder)
    assert (entry["kind"], entry["duration_s"], entry["duration"]) == ("audio", 3.0, "3/1")
    assert entry["loudness"]["integrated_lufs"] == pytest.approx(-15.8, abs=0.5)
    assert (entry["shots"], entry["transcript"]) == (None, None)
    assert entry["faults"] == []
    assert "LUFS" in words(entry)
    clip = library.explain("A001.mov", folder=folder)
    assert [(s["start_frame"], s["end_frame"], s["into"]) for s in clip["shots"]] == [(0, 40, "start")]
    assert "01:00:00;02" in words(library.explain(folder / "A001.mov"))


def test_a_second_run_does_nothing_and_a_new_clip_is_seen(library, folder):
    library.run(folder, options=INLINE)
    again = library.run(folder, options=INLINE)
    assert (again.looked, again.changed) == (0, False)
    make_sound(folder / "later.wav", sine(1))
    (folder / "wild.wav").unlink()
    assert library.run(folder, options=INLINE).looked == 1
    assert sorted(library.state(folder).clips) == ["A001.mov", "later.wav", "silent.mp4"]


def test_a_folder_of_sounds_alone_is_a_shoot(library, tmp_path):
    (tmp_path / "sounds").mkdir()
    make_sound(tmp_path / "sounds" / "a.wav", np.zeros(4800, np.float32))
    made = library.run(tmp_path / "sounds", options=INLINE)
    assert made.looked == 1
    assert "nothing to hear" in library.state(tmp_path / "sounds").clips["a.wav"].facts["loudness"].cannot_tell


def test_workers_look_at_clips(library, folder):
    library.run(folder, options=Options(engine="process", jobs=1))
    assert len(library.state(folder).clips) == 3


def test_a_file_that_ends_early_says_so(library, tmp_path):
    shoot = tmp_path / "shoot"
    shoot.mkdir()
    whole = make_clip(tmp_path / "w.mp4", frames=60, container_options={"movflags": "faststart"}).read_bytes()
    (shoot / "cut.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    library.run(shoot, options=INLINE)
    assert "ends early" in library.state(shoot).clips["cut.mp4"].facts["file.note"].value


def test_a_picture_that_nobody_saw_is_not_called_free_of_faults(folder, tmp_path):
    job = footage.See(asset="a", full=folder / "silent.mp4", place=tmp_path / "a", seconds=1)
    lost = Lost(Why.SLOW, step="shots", told="it took too long")
    for seen, unknown in (
        (footage.see(job), None),
        (footage.lost_picture(job, lost), "looking for shots was cut off: it took too long"),
    ):
        told = {m.name: m.cannot_tell for m in seen.measures if m.name != "shots.facts"}
        assert told == dict.fromkeys(("shots", "faults.picture"), unknown)
