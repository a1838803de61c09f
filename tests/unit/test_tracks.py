"""Which of several microphones is listened to."""

import itertools

import numpy as np
import pytest

from safelight.speech.levels import Floor
from safelight.speech.tracks import Scan, Stream, Track, choose, tracks


@pytest.fixture
def stream(tmp_path):
    return lambda number, channels=1: Stream(number=number, channels=channels, path=tmp_path / f"{number}.16k")


def scan(track, spans, *, voice=-20.0, room=-60.0, seconds=20):
    level = np.full(seconds * 100, room, np.float32)
    for a, b in spans:
        level[round(a * 100) : round(b * 100)] = voice
    loud = voice if spans else None
    return Scan(
        track=track, speech=tuple(spans), levels=level, room=Floor(floor_db=room, speech_db=loud, below_db=room + 10)
    )


def test_one_track_is_heard_as_it_is(stream):
    spans = [(1.0, 2.0), (2.1, 3.0), (9.0, 9.5)]
    assert choose([scan(Track(stream=stream(0)), spans)]) == [(0, spans)]


def test_nobody_on_any_track(stream):
    assert choose([scan(Track(stream=stream(n)), []) for n in range(2)]) == []


def test_the_clear_microphone_is_heard_and_the_scratch_sound_is_not(stream):
    spans = [(1.0, 4.0), (6.0, 9.0)]
    found = choose([
        scan(Track(stream=stream(0)), spans, voice=-40, room=-50), scan(Track(stream=stream(1)), spans),
    ])  # fmt: skip
    assert found == [(1, spans)]


def test_two_people_on_two_tracks_are_each_heard_from_their_own(stream):
    mine, yours = [(1.0, 4.0), (8.0, 9.0)], [(5.0, 7.0)]
    found = choose([scan(Track(stream=stream(0)), mine), scan(Track(stream=stream(1)), yours)])
    assert found == [(0, [mine[0]]), (1, yours), (0, [mine[1]])]
    times = [span for _, spans in found for span in spans]
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(times)), "nothing is heard twice"


def test_a_track_in_which_a_voice_is_faint_does_not_add_words(stream):
    found = choose(
        [scan(Track(stream=stream(0)), [(1.0, 4.0)]), scan(Track(stream=stream(1)), [(10.0, 12.0)], voice=-55)]
    )
    assert [n for n, _ in found] == [0]


def test_channels_are_told_apart_where_they_are_not_alike(stream):
    alike = np.full((1000, 2), -20, np.float32)
    split = alike.copy()
    split[:500, 1] = split[500:, 0] = -60
    assert [t.channel for t in tracks([(stream(0, 2), alike)])] == [None]
    assert [t.channel for t in tracks([(stream(0, 2), split)])] == [None, 0, 1]


def test_samples_of_a_channel_and_of_all(stream):
    one = stream(0, 2)
    np.array([[8192, 0], [16384, 16384]], "<i2").tofile(one.path)
    assert Track(stream=one, channel=1).cut((0, 1)).tolist() == [0, 0.5]
    assert Track(stream=one).cut((0, 1)).tolist() == [0.125, 0.5]
