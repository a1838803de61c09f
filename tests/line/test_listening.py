"""What a run did not hear is asked by the next one, and nothing else is."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from safelight import hearing, plugins
from safelight.cutting import PACES, Talk
from safelight.line import Options
from safelight.speech import activity, levels
from safelight.speech.recogniser import Recogniser, Said
from safelight.speech.tracks import Scan, Track
from safelight.workers import Lost
from tests.made_clips import make_sound

INLINE = Options(engine="inline", only=("cull",))
WORDS = ("one", "two", "three", "four")
SAID = [(1.0 + 11 * n, 9.0 + 11 * n) for n in range(len(WORDS))]  # where somebody speaks, seconds


class Ear:
    """A recogniser that tells the stretches apart by how loud they are, and breaks where it is told to."""

    def __init__(self):
        self.asked, self.breaks = [], {}

    def hear(self, samples, _):
        number = round(np.abs(samples).mean() / 0.06) - 1
        self.asked.append(WORDS[number])
        if number in self.breaks:
            raise self.breaks[number]
        return [Said(text=WORDS[number], confidence=0.9, start=0.5, end=1.0)]


@pytest.fixture
def ear(monkeypatch):
    found = Ear()
    monkeypatch.setattr(hearing.weights, "installed", lambda: {activity.NAME: {}})
    recogniser = Recogniser(name="ear", version=1, languages=("de",), hear=found.hear)
    monkeypatch.setattr(plugins, "recogniser", lambda: recogniser)
    monkeypatch.setattr(hearing, "PIECE_S", 5.0)  # each stretch is a piece

    def scans(read):
        (stream, level), *_ = read.streams
        loud = level.max(1)
        return [Scan(track=Track(stream=stream), speech=tuple(SAID), levels=loud, room=levels.floor(loud, SAID))]

    monkeypatch.setattr(hearing, "_scans", scans)
    monkeypatch.setattr(hearing.chunks, "PEAK", 1.0)  # chunks are scaled to it: their mean tells which one it is
    return found


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "talk"
    place.mkdir()
    t = np.arange(46 * 48_000) / 48_000
    wave = np.random.default_rng(1).normal(0, 1e-3, len(t))
    for n, (start, end) in enumerate(SAID):
        inside = (t >= start) & (t < end) & (t % 0.01 < 0.001 * (n + 1))
        wave[inside] = 0.5 * np.sin(2 * np.pi * 3000 * t[inside])
    make_sound(place / "talk.wav", wave.astype(np.float32))
    return place


def words(library, folder):
    (clip,) = library.state(folder).footage.values()
    return clip.facts["words"].value


def test_a_part_that_was_not_heard_is_asked_again_alone(library, folder, ear):
    ear.breaks = {2: ValueError("no model")}
    library.run(folder, options=INLINE)
    found = words(library, folder)
    assert [w["text"] for w in found["words"]] == ["one", "two", "four"]
    assert found["whole"]
    assert found["troubles"] == ["ear@1 failed: ValueError: no model"]
    ((start, end),) = [(s["start"], s["end"]) for s in found["missing"]]
    assert start < SAID[2][0] < SAID[2][1] < end < SAID[3][0]

    assert library.run(folder, options=INLINE).changed, "it is asked though nothing else is new"
    assert ear.asked == [*WORDS, "three"], "and still breaks"
    ear.breaks = {}
    assert library.run(folder, options=INLINE).changed
    found = words(library, folder)
    assert [w["text"] for w in found["words"]] == list(WORDS)
    assert (found["missing"], found["troubles"]) == ([], [])
    assert ear.asked == [*WORDS, "three", "three"]

    assert not library.run(folder, options=INLINE).changed, "nothing is missing, nothing is done"
    assert ear.asked == [*WORDS, "three", "three"]


def test_a_run_that_was_killed_goes_on_where_it_was_and_loses_no_word(library, folder, ear):
    ear.breaks = {3: KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        library.run(folder, options=INLINE)
    found = words(library, folder)
    assert [w["text"] for w in found["words"]] == ["one", "two"], "words are written as they double"
    assert not found["whole"]
    with pytest.raises(KeyboardInterrupt):
        library.run(folder, options=INLINE)
    assert words(library, folder) == found, "what is known is not taken back"
    ear.breaks = {}
    library.run(folder, options=INLINE)
    assert [w["text"] for w in words(library, folder)["words"]] == list(WORDS)
    assert ear.asked == [*WORDS, "four", "four"]
    assert not library.run(folder, options=INLINE).changed


@pytest.mark.parametrize("step", ["prepare", "finish"])
def test_a_worker_that_was_given_up_is_asked_again(library, folder, ear, monkeypatch, step):
    lost = {"prepare": hearing.lost_sound, "finish": hearing.lost_finish}[step]
    with monkeypatch.context() as once:
        once.setattr(
            f"safelight.listening.{step}", lambda job: lost(job, Lost("time", step="sound", told="it took too long"))
        )
        library.run(folder, options=INLINE)
    assert library.run(folder, options=INLINE).changed
    assert [w["text"] for w in words(library, folder)["words"]] == list(WORDS)
    assert ear.asked == list(WORDS)
    assert not library.run(folder, options=INLINE).changed


def test_nothing_is_cut_where_words_are_not_known_yet(library, folder, ear):
    ear.breaks = {2: ValueError("no model")}
    library.run(folder, options=INLINE)
    (clip,) = library.state(folder).footage.values()
    talk = Talk.of(clip.facts, clip.asset.duration_s)
    assert isinstance(talk, Talk)
    (span,) = talk.unheard
    whole = replace(talk, unheard=((Fraction(0), Fraction(46)),)).tightened(PACES["fast"])
    assert not whole.cuts
    assert {d.rule for d in whole.doubts} >= {"not_heard"}
    assert talk.tightened(PACES["fast"]).cuts
    assert all(not (c.start / talk.rate < span[1] and c.end / talk.rate > span[0]) for c in
               talk.tightened(PACES["fast"]).cuts)  # fmt: skip
