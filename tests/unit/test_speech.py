"""Words, silences and what surrounds them, on made sound; the recogniser itself where its weights are installed."""

import itertools
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight import hearing, listening, plugins, weights
from safelight.cutting import level
from safelight.media import sound
from safelight.speech import activity, align, chunks, fillers, letters, levels, tracks
from safelight.speech.recogniser import Recogniser, Said
from tests.made_clips import make_sound

SPEECH = Path(__file__).parents[2].parent / "shared" / "data" / "speech"


def said(text: str) -> list[Said]:
    return [Said(text=word, confidence=0.9) for word in text.split()]


def test_a_loop_of_the_recogniser_is_cut_after_its_first_turn():
    assert len(chunks.unlooped(said("please call stella now please call stella now please call stella now"))) == 4
    assert len(chunks.unlooped(said("no no no no no no"))) == 1


def test_what_people_repeat_stays():
    kept = said("very very good it is what it is")
    assert chunks.unlooped(kept) == kept


BREAD = ("we", "begin", "with", "bread")


@pytest.mark.parametrize(("times", "heard"), [(1, 1), (2, 2), (3, 3)])
def test_what_is_said_again_stays_where_each_turn_has_a_sound_of_its_own(monkeypatch, times, heard):
    """The recogniser writes three turns, whatever is said; the sound has `times` of them."""
    turn = np.sin(np.arange(16_000) * 0.3).astype(np.float32)
    samples = np.concatenate([np.where(n < times, 1, 1e-4) * turn for n in range(3)]).astype(np.float32)
    spans = [(n * 0.25, (n + 1) * 0.25) for n in range(12)]
    monkeypatch.setattr(align, "align", lambda _, words, __: spans[: len(words)])

    def hear(samples, _):
        if len(samples) > 40_000:
            return said(" ".join(BREAD * 3))
        return said(" ".join(BREAD)) if np.abs(samples).mean() > 0.3 else said("oh")

    english = Recogniser(name="r", version=1, languages=("en",), hear=hear)
    found = chunks.hear(samples, [(0.0, 3.0)], english, {align.NAME: {}})
    assert [w.text for w in found] == list(BREAD * heard)


def test_a_loop_that_nothing_can_be_aligned_with_is_cut(monkeypatch):
    monkeypatch.setattr(align, "align", lambda *_: None)
    looping = Recogniser(name="r", version=1, languages=("en",), hear=lambda *_: said(" ".join(BREAD * 5)))
    found = chunks.hear(np.full(48_000, 0.5, np.float32), [(0.0, 3.0)], looping, {align.NAME: {}})
    assert [w.text for w in found] == list(BREAD)


@pytest.mark.skipif(not SPEECH.exists(), reason="the recordings of speech are not here")
@pytest.mark.skipif(
    not {align.NAME, "moonshine_tiny_en"} <= set(weights.installed()), reason="the weights of speech are not installed"
)
@pytest.mark.parametrize("times", [2, 3])
def test_a_sentence_that_is_said_again_is_written_again(times):
    once = sound.read(SPEECH / "librivox_0880.wav", rate=16_000, mono=True).samples[:, 0]
    samples = np.concatenate([once] * times)
    found = chunks.hear(samples, [(0.0, len(samples) / 16_000)], plugins.recogniser(), weights.installed())
    assert " ".join(w.text.lower().strip(".,") for w in found).count("young man") == times


@pytest.mark.skipif(not SPEECH.exists(), reason="the recordings of speech are not here")
@pytest.mark.skipif(align.NAME not in weights.installed(), reason="the weights of speech are not installed")
def test_what_was_heard_before_moves_no_word():
    said = sound.read(SPEECH / "librivox_0880.wav", rate=16_000, mono=True).samples[:, 0]
    hiss, loud = (np.random.default_rng(1).normal(0, level, 64_000).astype(np.float32) for level in (0.01, 0.2))
    heard = align.decoder(weights.installed()[align.NAME]["mdef.bytes"].parent)

    def spans(samples):
        heard.set_align_text("not an extraordinary")
        return align.spans(heard, samples, align.DITHERS[0])

    in_a_room = said + hiss[: len(said)]
    first = spans(in_a_room)
    assert len(first) == 3
    for before in (loud, in_a_room, said, hiss):
        spans(before)
        assert spans(in_a_room) == first


def test_numbers_are_said_and_unknown_words_have_sounds():
    assert align.spelt("1,250-odd") == ("one", "thousand", "two", "hundred", "fifty", "odd")
    assert align.spelt("007") == ("zero", "zero", "seven")
    assert letters.sounds("tilney") == ["T", "IH", "L", "N", "IY"]


@given(st.integers(1, 40), st.lists(st.tuples(st.floats(0.05, 3), st.floats(0.05, 3)), min_size=1, max_size=6))
def test_estimated_words_follow_each_other_within_the_speech(count, lengths):
    at, speech = 0.0, []
    for gap, length in lengths:
        speech.append((at + gap, at + gap + length))
        at += gap + length
    found = chunks.spread(count, speech)
    assert len(found) == count
    assert all(a <= b for a, b in found)
    assert all(a[1] <= b[0] + 1e-9 for a, b in itertools.pairwise(found))
    assert found[0][0] == pytest.approx(speech[0][0])
    assert found[-1][1] == pytest.approx(speech[-1][1])


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0.1, 40)), max_size=8))
def test_chunks_hold_all_speech_in_order_and_none_is_long(lengths):
    at, speech = 0.0, []
    for gap, length in lengths:
        speech.append((at + gap, at + gap + length))
        at += gap + length
    found = chunks.chunks(speech, np.zeros(int(at * 100) + 60, np.float32))
    assert all(b - a <= chunks.LONGEST_S + 1e-6 for a, b in found)
    assert all(a[1] <= b[0] + 1e-9 for a, b in itertools.pairwise(found))
    for start, end in speech:
        assert sum(max(min(b, end) - max(a, start), 0) for a, b in found) == pytest.approx(end - start, abs=1e-6)


def test_silence_lies_below_the_rooms_own_floor():
    rng = np.random.default_rng(1)
    room = rng.normal(0, 0.003, 16000 * 4).astype(np.float32)
    room[16000:32000] += rng.normal(0, 0.1, 16000).astype(np.float32)
    level = levels.levels(room[:, None], 16000)
    found = levels.silences(level, [(1.0, 2.0)], levels.floor(level, [(1.0, 2.0)]))
    assert [(round(a, 2), round(b, 2)) for a, b, _ in found] == [(0.0, 1.0), (2.0, 4.0)]


def test_a_long_word_is_suspect():
    word = chunks.Word(text="store", start=0, end=2.2, confidence=0.9, timed="aligned")
    assert word.suspect
    assert not chunks.Word(text="store", start=0, end=0.6, confidence=0.9, timed="aligned").suspect


def test_unsure_words_leave_the_language_open():
    one = Recogniser(name="r", version=1, languages=("en",), hear=lambda *_: [])
    assert chunks.language([{"confidence": 0.3}] * 10, one)[0] is None
    assert chunks.language([{"confidence": 0.9}] * 10, one)[0] == "en"


def test_times_are_exact_fractions():
    assert listening.spans_of([{"start": 1.234}]) == [{"start": 1.234, "at": "617/500"}]
    assert Fraction("617/500") == Fraction(1234, 1000)


def test_without_weights_silences_are_found_and_the_rest_says_what_is_missing(tmp_path, monkeypatch):
    wave = pytest.importorskip("wave")
    monkeypatch.setenv("SAFELIGHT_WEIGHTS", str(tmp_path / "none"))
    path = tmp_path / "tone.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        tone = 8000 * np.sin(np.arange(16000) * 0.1)
        file.writeframes(np.concatenate([np.zeros(16000), tone, np.zeros(16000)]).astype("<i2").tobytes())
    made = hearing.prepare(hearing.Listen(asset="a", full=path, place=tmp_path / "heard", seconds=3))
    found = {m.name: m for m in made.measures}
    assert "models fetch" in (found["words"].cannot_tell or "")
    assert [round(s["start"]) for s in found["silences"].value] == [0, 2]
    assert made.pieces == ()


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (44_100, 1)])
def test_one_reading_finds_the_still_stretches_that_cutting_finds(tmp_path, monkeypatch, rate, channels):
    monkeypatch.setenv("SAFELIGHT_WEIGHTS", str(tmp_path / "none"))
    rng, t = np.random.default_rng(1), np.arange(6 * rate) / rate
    voice = np.where((t % 2 > 0.5) & (t % 2 < 1.4), 0.2 * np.sin(1500 * t), 0)[:, None] * np.ones(channels)
    path = make_sound(tmp_path / "a.wav", (voice + rng.normal(0, 1e-3, voice.shape)).astype(np.float32), rate=rate)
    made = hearing.prepare(hearing.Listen(asset="a", full=path, place=tmp_path / "heard", seconds=6))
    found = next(m.value for m in made.measures if m.name == "quiet")
    assert found == level.room(level.measure(path)).json
    assert len(found["rows"]) >= 3


@pytest.mark.skipif(not SPEECH.exists(), reason="the recordings of speech are not here")
@pytest.mark.skipif(
    not {activity.NAME, align.NAME, "moonshine_tiny_en"} <= set(weights.installed()),
    reason="the weights of speech are not installed",
)
def test_a_recording_is_written_down_once_and_then_remembered(tmp_path):
    job = hearing.Listen(asset="a", full=SPEECH / "librivox_0880.wav", place=tmp_path, seconds=3)
    made = hearing.prepare(job)
    heard = [hearing.hear(piece) for piece in made.pieces]
    assert "not an" in " ".join(str(w["text"]) for h in heard for w in h.words)
    assert all(w["timed"] == "aligned" for h in heard for w in h.words)
    made.pieces[0].kept.write_text(json.dumps({"words": [{"text": "kept"}], "fillers": [], "listened": True}))
    assert hearing.hear(made.pieces[0]).words == ({"text": "kept"},)


@pytest.mark.parametrize(
    ("timed", "confidence", "known"), [("aligned", 0.9, True), ("aligned", 0.3, False), ("estimated", 0.9, False)]
)
def test_fillers_are_looked_for_only_between_words_that_are_known(monkeypatch, timed, confidence, known):
    um = fillers.Filler(text="um", start=0.6, end=0.9, heard="alignment")
    monkeypatch.setattr(fillers, "find", lambda *_: [um])
    said = [
        chunks.Word(text=text, start=at, end=at + 0.5, confidence=confidence, timed=timed)
        for text, at in (("so", 0.0), ("far", 1.0))
    ]
    assert fillers.told(np.zeros(1600, np.float32), said, {}) == [um] * known


@pytest.mark.parametrize(("listened", "told"), [(False, "its words are unsure"), (True, None)])
def test_a_recording_in_which_nobody_listened_for_fillers_says_so(tmp_path, listened, told):
    saved = []
    track = tracks.Track(stream=tracks.Stream(number=0, channels=1, path=tmp_path / "0.16k"))
    part = hearing.Part(span=(0.0, 1.0), speech=((0.0, 1.0),), track=track, quiet=True)
    piece = hearing.Piece(asset="a", number=0, place=tmp_path, parts=(part,))
    prepared = hearing.Prepared(asset="a", pieces=(piece,))
    one = listening._Growing(prepared, lambda _, measures, __: saved.extend(measures), None)
    one.add(hearing.Heard(asset="a", number=0, listened=listened))
    one.end(hearing.Finished(asset="a", speakers=(), cannot_tell="nobody speaks"))
    assert next(m.cannot_tell for m in saved if m.name == "fillers") == told


def test_a_recogniser_of_another_language_keeps_its_own_times_and_a_broken_one_costs_its_words(tmp_path, monkeypatch):
    samples = np.full(16000, 0.5, np.float32)
    german = Recogniser(
        name="r", version=1, languages=("de",), hear=lambda *_: [Said(text="ja", confidence=0.9, start=0.2, end=0.5)]
    )
    (word,) = chunks.hear(samples, [(0.0, 1.0)], german, {})
    assert (word.start, word.end, word.timed) == (0.2, 0.5, "recognised")

    def broken(*_):
        raise ValueError("no model")

    monkeypatch.setattr(plugins, "recogniser", lambda: replace(german, hear=broken))
    stream = tracks.Stream(number=0, channels=1, path=tmp_path / "0.16k")
    (samples * 32767).astype("<i2").tofile(stream.path)
    part = hearing.Part(span=(0.0, 1.0), speech=((0.0, 1.0),), track=tracks.Track(stream=stream))
    heard = hearing.hear(hearing.Piece(asset="a", number=0, place=tmp_path, parts=(part,)))
    assert (heard.words, heard.trouble) == ((), "r@1 failed: ValueError: no model")


def test_what_breaks_while_a_piece_is_heard_costs_that_piece_and_is_not_kept(tmp_path):
    track = tracks.Track(stream=tracks.Stream(number=0, channels=1, path=tmp_path / "gone.16k"))
    part = hearing.Part(span=(0.0, 1.0), speech=((0.0, 1.0),), track=track)
    heard = hearing.hear(hearing.Piece(asset="a", number=0, place=tmp_path, parts=(part,)))
    assert heard.words == ()
    assert "FileNotFoundError" in heard.trouble
    assert list(tmp_path.iterdir()) == []
