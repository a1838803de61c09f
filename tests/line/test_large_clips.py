"""Large files are looked at before all their bytes are read, and never under a wrong name."""

from fractions import Fraction

import pytest
import sqlalchemy as sa

from safelight import footage, reel
from safelight.line import Options
from safelight.store import schema
from tests.made_clips import make_clip, make_sound, sine

INLINE = Options(engine="inline")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(reel, "LARGE", 1)
    (tmp_path / "shoot").mkdir()
    make_clip(tmp_path / "shoot" / "a.mov", frames=40, rate=Fraction(30000, 1001), sound_s=1.3)
    make_sound(tmp_path / "shoot" / "b.wav", sine(2.0))
    return tmp_path / "shoot"


def names(library):
    """Every text of the library that is the name of a place, not of bytes."""
    found = set()
    with library.store.transaction(reading=True) as connection:
        for table in schema.metadata.sorted_tables:
            for row in connection.execute(sa.select(table)):
                found |= {v for v in row if isinstance(v, str) and footage.PLACE in v}
    return found


def left(folder):
    return [p.name for p in (folder / ".safelight" / "cache").rglob(f"{footage.PLACE}*")]


def facts(library, folder):
    return {
        path: (clip.asset, {name: m.value for name, m in clip.facts.items()})
        for path, clip in library.state(folder).clips.items()
    }


def test_it_ends_as_if_they_had_been_read_first(library, folder, monkeypatch):
    seen = []
    watch = footage.watch

    def spy(job):
        seen.append((job.path, job.quick is not None))
        return watch(job)

    monkeypatch.setattr(reel.footage, "watch", spy)
    assert library.run(folder, options=INLINE).looked == 2
    assert sorted(seen) == [("a.mov", False), ("a.mov", True), ("b.wav", False), ("b.wav", True)]
    quick = facts(library, folder)
    assert (names(library), left(folder)) == (set(), [])
    place = folder / ".safelight" / "cache"
    assert list(place.rglob(f"{quick['a.mov'][0].id}.shots/*.jpg"))
    assert list(place.rglob(f"{quick['b.wav'][0].id}.thumb.jpg"))
    assert not library.run(folder, options=INLINE).changed
    monkeypatch.setattr(reel, "LARGE", 1 << 40)
    for path in folder.iterdir():
        if path.is_file():
            (folder.parent / "other").mkdir(exist_ok=True)
            (folder.parent / "other" / path.name).write_bytes(path.read_bytes())
    library.run(folder.parent / "other", options=INLINE)
    assert facts(library, folder.parent / "other") == quick


def test_workers_read_the_bytes_meanwhile(library, folder):
    library.run(folder, options=Options(engine="process", jobs=2))
    assert sorted(library.state(folder).clips) == ["a.mov", "b.wav"]
    assert (names(library), left(folder)) == (set(), [])


def test_what_is_known_or_may_be_a_copy_is_read_first(library, folder, monkeypatch):
    (folder / "copy.wav").write_bytes((folder / "b.wav").read_bytes())
    library.run(folder, options=INLINE)
    (folder / "again.mov").write_bytes((folder / "a.mov").read_bytes())
    monkeypatch.setattr(reel.footage, "still_is", None)  # nothing is named by its place
    library.run(folder, options=INLINE)
    clips = library.state(folder).clips
    assert clips["again.mov"].asset == clips["a.mov"].asset
    assert clips["copy.wav"].asset == clips["b.wav"].asset


def test_files_that_differ_where_the_quick_digest_does_not_look_are_two(library, folder, monkeypatch):
    monkeypatch.setattr(footage.digest, "CHUNK", 64)
    monkeypatch.setattr(reel.Reel, "_large", lambda self: {s.path for s in self.plan.clips})
    data = bytearray((folder / "b.wav").read_bytes())
    place = len(data) // 4
    data[place : place + 2000] = bytes(2000)
    (folder / "c.wav").write_bytes(data)
    assert footage.digest.quick(folder / "b.wav") == footage.digest.quick(folder / "c.wav")
    library.run(folder, options=INLINE)
    clips = library.state(folder).clips
    assert clips["b.wav"].asset.id != clips["c.wav"].asset.id
    said = [[f["kind"] for f in clips[name].facts["faults.sound"].value] for name in ("b.wav", "c.wav")]
    assert said[0] != said[1]
    assert names(library) == set()


@pytest.mark.parametrize("stage", ["see", "name"])
def test_a_run_that_is_killed_leaves_no_name_of_a_place_and_goes_on(library, folder, monkeypatch, stage):
    def killed(self):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(reel.Reel, stage, killed)
        patch.setattr(reel.Reel, "_read", lambda self, name: None)
        with pytest.raises(KeyboardInterrupt):
            library.run(folder, options=INLINE)
    assert names(library) == set()
    assert library.state(folder).clips == {}
    kept = {p.name for p in (folder / ".safelight" / "cache").rglob("*.heard")}
    assert kept
    library.run(folder, options=INLINE)
    assert sorted(library.state(folder).clips) == ["a.mov", "b.wav"]
    assert (names(library), left(folder)) == (set(), [])


def test_a_run_that_is_killed_between_two_names_moves_the_cache_next_time(library, folder, monkeypatch):
    rename = reel.Reel._rename
    calls = []

    def once(self):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        rename(self)

    monkeypatch.setattr(reel.Reel, "_rename", once)
    with pytest.raises(KeyboardInterrupt):
        library.run(folder, options=INLINE)
    assert left(folder)
    library.run(folder, options=INLINE)
    assert left(folder) == []
    one = library.state(folder).clips["b.wav"].asset.id
    assert list((folder / ".safelight" / "cache").rglob(f"{one}.jpg"))


@pytest.mark.parametrize("stage", ["listen", "see"])
def test_a_file_that_changes_meanwhile_is_looked_at_anew(library, folder, monkeypatch, stage):
    done = getattr(reel.Reel, stage)
    other = make_sound(folder.parent / "o.wav", sine(2.0, 880.0))

    def changing(self):
        places = done(self)
        (folder / "b.wav").write_bytes(other.read_bytes())
        return places

    with monkeypatch.context() as patch:
        patch.setattr(reel.Reel, stage, changing)
        patch.setattr(reel.Reel, "_read", lambda self, name: None)
        made = library.run(folder, options=INLINE)
    assert any("changed" in trouble for trouble in made.troubles)
    assert sorted(library.state(folder).clips) == ["a.mov"]
    assert library.run(folder, options=INLINE).looked == 1
    assert sorted(library.state(folder).clips) == ["a.mov", "b.wav"]


def test_a_file_that_vanishes_meanwhile_is_an_error_of_that_file(library, folder, monkeypatch):
    see = footage.see

    def vanish(job):
        (folder / "b.wav").unlink()
        return see(job)

    monkeypatch.setattr(reel.footage, "see", vanish)
    monkeypatch.setattr(reel.Reel, "_read", lambda self, name: None)
    library.run(folder, options=INLINE)
    state = library.state(folder)
    assert sorted(state.clips) == ["a.mov"]
    assert [(f.path, f.error["code"]) for f in state.failed] == [("b.wav", "media-unreadable")]
    assert names(library) == set()


def test_the_quick_digest_sees_size_ends_and_middle(tmp_path, monkeypatch):
    monkeypatch.setattr(footage.digest, "CHUNK", 8)
    path = tmp_path / "a"
    told = set()
    for place in (None, 2, 50, 97, 20, 70):
        data = bytearray(100)
        if place is not None:
            data[place] = 1
        path.write_bytes(data)
        told.add(footage.digest.quick(path))
    path.write_bytes(bytes(101))
    assert len(told) == 4
    assert footage.digest.quick(path) not in told
    path.write_bytes(b"")
    assert footage.digest.quick(path)
