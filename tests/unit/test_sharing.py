"""Recordings of one event are heard once, and nothing that only one of them hears is lost."""

from pathlib import Path

import pytest

from safelight import sharing
from safelight.domain import Measure
from safelight.hearing import Part
from safelight.media.syncing import Match
from safelight.placing import Placed
from safelight.sharing import Voice
from safelight.speech.tracks import Stream, Track

SPEECH = ((10.0, 20.0), (30.0, 40.0), (100.0, 110.0))


def voice(asset, *, clear_db=30.0, speech=SPEECH, clear=()):
    return Voice(asset=asset, path=f"{asset}.wav", speech=speech, clear_db=clear_db, clear=clear)


def placed(asset, *, offset=5.0, ppm=0.0, agrees=((0.0, 200.0),)):
    return Placed(asset=asset, event="a", match=Match(offset_s=offset, drift_ppm=ppm, agrees=agrees))


def share(*, other=None, voices=None):
    other = other or placed("b")
    known = voices or {"a": voice("a"), "b": voice("b", clear_db=20.0)}
    return sharing.plan([Placed(asset="a", event="a"), other], known)["b"]


def holds(share, span, speech, *, voiced=None, clear_db=20.0, offset=0.0):
    track = Track(stream=Stream(number=0, channels=1, path=Path("none")))
    part = Part(
        span=span, speech=tuple(speech), track=track, clear_db=clear_db,
        voiced=tuple(speech if voiced is None else voiced),
    )  # fmt: skip
    return share.holds(part, offset)


def test_the_clearest_recording_of_an_event_leads():
    everybody = [Placed(asset="a", event="a"), placed("b"), placed("c")]
    clear = {"a": voice("a", clear_db=10.0), "b": voice("b", clear_db=40.0), "c": voice("c", clear_db=20.0)}
    found = sharing.plan(everybody, clear)
    assert {name: s.leader.asset for name, s in found.items()} == {"a": "b", "c": "b"}


def test_those_of_other_events_and_those_in_which_nobody_speaks_do_not_follow():
    other = Placed(asset="d", event="d")
    assert not sharing.plan([Placed(asset="a", event="a"), other], {"a": voice("a"), "d": voice("d")})
    assert not sharing.plan([Placed(asset="a", event="a"), placed("b")], {"a": voice("a")})


@pytest.mark.parametrize("ppm", [0.0, 40.0])
def test_times_are_those_of_the_recording_itself(ppm):
    found = share(other=placed("b", offset=5.0, ppm=ppm))
    (row,) = found.rows([{"text": "salt", "start": 31.0, "end": 31.5}])
    assert row["start"] == pytest.approx((31.0 - 5.0) / (1 + ppm * 1e-6), abs=1e-3)
    assert row["text"] == "salt"
    assert found.there(found.here(77.0)) == pytest.approx(77.0)


def test_speech_that_both_hear_is_left_to_the_leader():
    found = share()
    assert holds(found, (4.9, 15.1), [(5.0, 15.0)])


def test_speech_that_the_leader_does_not_hear_is_heard_here():
    found = share()
    assert not holds(found, (50.0, 60.0), [(51.0, 59.0)]), "nobody speaks near the leader then"
    assert not holds(found, (5.0, 20.0), [(5.0, 15.0), (17.0, 19.0)]), "a part of it"


def test_a_room_that_rings_on_is_no_speech_of_its_own():
    found = share()
    assert holds(found, (4.9, 19.0), [(5.0, 19.0)], voiced=[(5.0, 15.2)])
    assert not holds(found, (4.9, 19.0), [(5.0, 19.0)], voiced=[(5.0, 15.2), (17.0, 18.0)]), "another voice"
    assert not holds(found, (14.0, 24.0), [(14.0, 24.0)], voiced=[]), "most of it is not heard there at all"


def test_a_sound_that_begins_later_than_its_picture_is_read_at_the_times_of_the_clip():
    assert holds(share(), (2.9, 13.1), [(3.0, 13.0)], offset=2.0)
    assert not holds(share(), (2.9, 13.1), [(3.0, 13.0)], offset=6.0)


def test_nothing_is_taken_where_their_sound_does_not_agree():
    found = share(other=placed("b", agrees=((0.0, 60.0),)))
    assert not holds(found, (94.0, 106.0), [(95.0, 105.0)])
    assert not found.rows([{"text": "late", "start": 101.0, "end": 102.0}])


def test_who_stands_nearer_is_heard_there():
    near = voice("a", clear=(((9.0, 21.0), 12.0), ((29.0, 41.0), 30.0)))
    found = share(voices={"a": near, "b": voice("b", clear_db=20.0)})
    assert not holds(found, (5.0, 15.0), [(5.0, 15.0)]), "the leader hears this stretch 8 dB worse"
    assert holds(found, (25.0, 35.0), [(25.0, 35.0)])


def test_words_beside_what_is_heard_here_come_from_the_leader_and_none_twice():
    found = share()
    told = [{"text": t, "start": s, "end": s + 0.4} for t, s in (("one", 11.0), ("two", 12.0), ("three", 33.0))]
    there = found.rows(told, own=[(5.5, 6.8)])
    assert [w["text"] for w in there] == ["two", "three"]
    own = [{"text": "one", "start": 6.0, "end": 6.4}, {"text": "two", "start": 7.05, "end": 7.4}]
    assert [w["text"] for w in sharing.merged(own, there)] == ["one", "two", "three"]


def test_a_voice_is_read_from_evidence():
    facts = {
        "speech": Measure(name="speech", value=[{"start": 1.0, "end": 2.0}]),
        "sound.floor": Measure(name="sound.floor", value={"floor_db": -60.0, "below_db": -50.0, "speech_db": -25.0}),
    }
    found = Voice.of("a", "a.wav", facts)
    assert (found.speech, found.clear_db) == (((1.0, 2.0),), 35.0)
    assert Voice.of("a", "a.wav", {}) is None
    silent = facts | {"speech": Measure(name="speech", value=[])}
    assert Voice.of("a", "a.wav", silent) is None
