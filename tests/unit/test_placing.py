"""Cameras and recorders of one event are put in step by their sound; others are not."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from safelight import placing
from safelight.engine import InProcess
from safelight.media import syncing
from safelight.media.sound import Block
from safelight.placing import Placed, Recording
from tests.made_clips import make_sound
from tests.unit.test_syncing import FULL, event

START = datetime(2026, 5, 2, 14)


@pytest.fixture
def of(tmp_path):
    def made(name, sound, start, seconds, **more):
        path = make_sound(tmp_path / f"{name}.wav", sound[int(start * FULL) : int((start + seconds) * FULL)], rate=FULL)
        return Recording(asset=name, full=path, seconds=seconds, wave=tmp_path / f"{name}.compared", **more)

    return made


def place(recordings):
    return placing.place(InProcess(), 1, recordings)


def events(found):
    return {one.event for one in found.placed.values()}


def test_the_longest_is_the_reference_and_strangers_stay_out(of):
    sound = event(70).astype(np.float32)
    recorder, camera = of("recorder", sound, 0, 60), of("camera", sound, 21.5, 25)
    stranger = of("stranger", event(40, seed=9).astype(np.float32), 0, 30)
    found = place([camera, stranger, recorder])
    assert events(found) == {"recorder"}
    assert found.placed["recorder"].match is None
    assert found.placed["camera"].match.offset_s == pytest.approx(21.5, abs=1e-3)
    assert found.placed["camera"].in_event(3.0) == pytest.approx(24.5, abs=1e-3)
    assert "agree" in found.told["stranger"]
    assert found.compared == {"camera", "recorder", "stranger"}


def test_a_clear_recorder_is_a_better_reference_than_a_longer_camera(of):
    sound = event(70).astype(np.float32)
    found = place([of("camera", sound, 0, 60, clear_db=8.0), of("recorder", sound, 5, 45, clear_db=40.0)])
    assert events(found) == {"recorder"}


def test_what_evidence_keeps_is_read_back(of):
    sound = event(70).astype(np.float32)
    found = place([of("recorder", sound, 0, 60), of("camera", sound, 21.5, 25)])
    told = dict(found.measures({"recorder": "digest"}))
    assert Placed.of("digest", told["digest"][0]) == Placed(asset="digest", event="digest")
    back = Placed.of("camera", told["camera"][0])
    assert back.event == "digest"
    assert back.in_event(3.0) == pytest.approx(found.placed["camera"].in_event(3.0), abs=1e-5)
    assert np.ravel(back.agrees) == pytest.approx(np.ravel(found.placed["camera"].agrees), abs=1e-3)
    assert Placed.of("x", None) is None


def test_only_new_recordings_are_compared_and_known_events_come_first(of):
    sound = event(70).astype(np.float32)
    known = of("known", sound, 10, 40, fresh=False, event="known")
    old = of("old", sound, 0, 50, fresh=False, event="known")
    found = place([known, of("long", sound, 0, 60), old])
    assert found.placed["long"].event == "known"
    assert "old" not in found.placed


def test_a_recording_that_was_alone_before_is_noted_as_the_reference_of_a_new_one(of):
    sound = event(70).astype(np.float32)
    found = place([of("alone", sound, 0, 60, fresh=False), of("new", sound, 21.5, 25)])
    told = dict(found.measures({}))
    assert told["alone"][0].value["event"] == told["new"][0].value["event"] == "alone"


def test_what_follows_in_an_event_is_no_reference_of_another(of):
    sound = event(70).astype(np.float32)
    found = place([of("old", sound, 0, 60, fresh=False, event="elsewhere"), of("new", sound, 21.5, 25)])
    assert not found.placed


def test_clips_of_one_camera_that_ran_one_after_another_are_not_compared(of, monkeypatch):
    sound = event(70).astype(np.float32)
    one = of("one", sound, 0, 20, camera="Sony A7", at=START)
    two = of("two", sound, 30, 20, camera="Sony A7", at=START + timedelta(seconds=30))
    monkeypatch.setattr(placing, "compare", lambda _: pytest.fail("they cannot have run at once"))
    assert not place([one, two]).placed


def test_a_sound_that_cannot_be_read_is_told_and_costs_itself_alone(of, tmp_path):
    sound = event(70).astype(np.float32)
    broken = Recording(asset="broken", full=tmp_path / "none.wav", seconds=30, wave=tmp_path / "none.compared")
    found = place([of("recorder", sound, 0, 60), of("camera", sound, 21.5, 25), broken])
    assert "camera" in found.placed
    assert "none.wav cannot be compared" in found.told["broken"]


def test_a_kept_recording_is_compared_as_one_in_memory(tmp_path):
    sound = event(60)

    def blocks(start, seconds):
        part = sound[int(start * FULL) : int((start + seconds) * FULL) : 2].astype(np.float32)
        rate = syncing.RATE
        return [Block(at=3 + n, samples=part[n * rate : (n + 1) * rate, None], rate=rate) for n in range(seconds)]

    kept = []
    for name, start, seconds in (("a", 0, 50), ("b", 17.25, 30)):
        syncing.keep(blocks(start, seconds), tmp_path / name)
        kept.append(syncing.kept(tmp_path / name))
    plain = [syncing.of_blocks(blocks(0, 50)), syncing.of_blocks(blocks(17.25, 30))]
    assert isinstance(kept[0].wave, np.memmap)
    one, two = syncing.match(*kept), syncing.match(*plain)
    assert one.offset_s == pytest.approx(two.offset_s, abs=2e-5)
    assert np.ravel(one.agrees) == pytest.approx(np.ravel(two.agrees))
    assert not list(tmp_path.glob("a?*")), "no other file is left"


def test_where_one_was_paused_the_rest_is_not_called_sure():
    sound = event(420)
    rate = syncing.RATE

    def of_part(wave):
        return syncing.of_blocks(
            Block(at=n, samples=wave[n * rate : (n + 1) * rate, None].astype(np.float32), rate=rate)
            for n in range(len(wave) // rate)
        )

    plain = sound[::2]
    paused = np.concatenate([plain[: 200 * rate], plain[260 * rate :]])
    found = syncing.match(of_part(plain), of_part(paused))
    (span,) = found.agrees
    assert span[0] < 10
    assert 180 < span[1] <= 202, "up to the pause, and no further"
