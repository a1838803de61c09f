"""Timecode that is played as sound."""

from fractions import Fraction

import numpy as np
import pytest

from safelight import soundtrack
from safelight.cutting import level
from safelight.media import container, ltc, sound, syncing, timecode
from safelight.media.ltc import Ltc
from safelight.media.sound import Block
from tests import made_talk
from tests.made_clips import make_clip, make_sound, sine
from tests.made_ltc import played

NTSC = Fraction(30000, 1001)
RATES = [
    (Fraction(24000, 1001), False), (Fraction(24), False), (Fraction(25), False), (NTSC, False), (NTSC, True),
    (Fraction(30), False),
]  # fmt: skip


def heard(samples, *, rate=48000, at=Fraction(0)):
    samples = samples.reshape(len(samples), -1).astype(np.float32)
    reader = ltc.Reader()
    for start in range(0, len(samples), rate):
        reader.hear(Block(at=at + Fraction(start, rate), samples=samples[start : start + rate], rate=rate))
    return reader.found()


@pytest.mark.parametrize(("fps", "drop"), RATES)
@pytest.mark.parametrize("rate", [44100, 48000])
def test_every_rate_is_read_to_the_frame(fps, drop, rate):
    first = timecode.frame_of("09:59:58:03", fps, drop=drop)
    found = heard(played(first, 6, fps=fps, drop=drop, rate=rate, into=0.4), rate=rate)
    assert (found.rate, found.drop) == (fps, drop)
    assert found.label == timecode.label_of(first, fps, drop=drop)
    assert found.into_s == pytest.approx(0.4 / float(fps), abs=2e-4)
    assert found.day_s == pytest.approx((first + 0.4) / float(fps), abs=1e-3)
    assert found.share > 0.95


@pytest.mark.parametrize("level", [0.004, 0.05, 0.99])
@pytest.mark.parametrize("polarity", [1, -1])
def test_level_and_polarity_do_not_count(level, polarity):
    assert heard(polarity * played(1000, 4, level=level)).label == "00:00:40:00"


@pytest.mark.parametrize("speed", [0.9998, 0.99995, 1.00005, 1.0002])
def test_a_clock_that_runs_off_is_followed(speed):
    found = heard(played(90000, 20, speed=speed))
    assert (found.label, found.rate) == ("01:00:00:00", Fraction(25))
    assert found.day_s == pytest.approx(3600, abs=1e-3)


@pytest.mark.parametrize("speed", [0.97, 1.012, 1.05])
def test_another_speed_cannot_be_told(speed):
    assert "speed" in heard(played(90000, 6, speed=speed))


def test_noise_hum_and_offset_are_borne():
    rng = np.random.default_rng(0)
    wave = played(90000, 6) + 0.05 + 0.03 * sine(6, 50) / 0.25 + rng.normal(0, 0.02, 6 * 48000)
    found = heard(wave)
    assert found.label == "01:00:00:00"
    assert found.share > 0.9


def test_it_lies_on_one_channel_of_a_pair():
    rng = np.random.default_rng(0)
    found = heard(np.column_stack([rng.normal(0, 0.1, 5 * 48000), played(90000, 5)]))
    assert (found.channel, found.label) == (1, "01:00:00:00")


def test_dropouts_cost_words_and_not_the_label():
    wave = played(90000, 10)
    rng = np.random.default_rng(1)
    for start in rng.integers(0, len(wave) - 5000, 12):
        wave[start : start + int(rng.integers(20, 4000))] = 0
    found = heard(wave)
    assert found.label == "01:00:00:00"
    assert 0.5 < found.share < 1


def test_it_may_begin_late_and_end_early():
    wave = np.concatenate([np.zeros(100_000), played(90000, 5), 0.1 * sine(3, 700)])
    found = heard(wave, at=Fraction(-1, 2))
    assert found.day_s == pytest.approx(3600 - 100_000 / 48000 + 0.5, abs=1e-3)


def test_midnight_is_passed():
    first = timecode.frame_of("23:59:58:00", Fraction(25))
    assert heard(played(first, 6)).label == "23:59:58:00"


def test_a_code_that_jumps_cannot_be_told():
    found = heard(np.concatenate([played(90000, 4), played(500_000, 4)]))
    assert isinstance(found, str)
    assert "jumps" in found


@pytest.mark.parametrize(
    "wave",
    [
        np.zeros(5 * 48000), np.random.default_rng(0).normal(0, 0.2, 5 * 48000), sine(5, 1000), sine(5, 2000),
        np.sign(sine(5, 1200)), np.sign(sine(5, 1000)) * 0.3, np.full(5 * 48000, np.nan), played(90000, 0.2),
    ],
)  # fmt: skip
def test_what_is_none_is_none(wave):
    assert heard(wave) == ltc.NONE


def test_steps_of_which_none_is_the_usual_one_are_no_bits():
    steps = [10] * 72 + [100] * 5 + [1000] * 5
    wave = np.concatenate([np.full(n, 0.5 * (-1) ** i) for i, n in enumerate([200, *steps, 200])])
    assert heard(wave) == ltc.NONE


def test_a_file_of_several_streams_and_codecs(tmp_path):
    for name, codec in (("a.wav", "pcm_s16le"), ("a.m4a", "aac"), ("a.mp3", "libmp3lame")):
        path = make_sound(tmp_path / name, played(90000, 6, level=0.3), codec=codec)
        _, found = syncing.heard_at_once(path)
        assert isinstance(found, Ltc), name
        assert found.day_s == pytest.approx(3600, abs=0.002), name


def test_two_files_lie_apart_by_their_labels():
    one, two = heard(played(90000, 4)), heard(played(90000 + 50, 4))
    assert ltc.apart(one, two) == pytest.approx(2, abs=1e-3)
    assert ltc.apart(two, one) == pytest.approx(-2, abs=1e-3)
    late, early = heard(played(86399 * 25, 3)), heard(played(25, 3))
    assert ltc.apart(late, early) == pytest.approx(2, abs=1e-3)


@pytest.mark.parametrize(
    ("tags", "words", "off"),
    [
        ({}, "plays timecode: 01:00:00:00 at 25 frames a second.", None),
        ({"timecode": "01:00:00:00"}, "as the file says", 0.0),
        ({"timecode": "01:00:02:00"}, "the file says 01:00:02:00, +2.000 s", 2.0),
    ],
)
def test_a_clip_tells_it_beside_its_own(tmp_path, tags, words, off):
    path = make_clip(tmp_path / "a.mov", frames=100, heard=played(90000, 4), tags=tags)
    told = {m.name: m for m in soundtrack.read(path, container.contents(path), tmp_path / "heard").measures}
    assert told["clip.ltc"].value["label"] == "01:00:00:00"
    assert told["clip.ltc"].value["embedded_off_s"] == (off if off is None else pytest.approx(off, abs=1e-3))
    assert words in told["sound.note"].value


def told(path, folder):
    return {m.name: m for m in soundtrack.read(path, container.contents(path), folder / "heard").measures}


def test_a_clip_without_it_says_nothing(tmp_path):
    assert not {"clip.ltc", "sound.note"} & set(told(make_sound(tmp_path / "a.wav", sine(2)), tmp_path))


def test_a_code_that_cannot_be_placed_says_why(tmp_path):
    wave = np.concatenate([played(90000, 4), played(500_000, 4)])
    assert "jumps" in told(make_sound(tmp_path / "a.wav", wave), tmp_path)["clip.ltc"].cannot_tell


def test_the_square_wave_is_no_clipping(tmp_path):
    wave = played(90000, 4, level=1.0, rise=1).clip(-0.999, 0.999)
    assert told(make_sound(tmp_path / "a.wav", wave), tmp_path)["faults.sound"].value == []


def test_a_channel_that_plays_timecode_is_not_loud(tmp_path):
    """Beside a voice on the other channel: as loud, and as still between its words, as that voice alone."""
    voice = made_talk.wave()
    code = played(90_000, made_talk.SECONDS)[: len(voice)]
    files = {}
    for name, other in (("with", code), ("without", np.zeros_like(voice))):
        path = make_sound(tmp_path / f"{name}.wav", np.stack([voice, other], axis=1), codec="pcm_f32le")
        read = soundtrack.read(path, container.contents(path), tmp_path / name)
        files[name] = {m.name: m for m in read.measures}, level.room(read.levels).json
    (with_, still), (without, same) = files["with"], files["without"]
    assert with_["clip.ltc"].value["channel"] == 2
    assert with_["loudness"].value["integrated_lufs"] == pytest.approx(without["loudness"].value["integrated_lufs"])
    assert still == same
    alone = make_sound(tmp_path / "alone.wav", code, codec="pcm_f32le")
    read = soundtrack.read(alone, container.contents(alone), tmp_path / "alone")
    assert "timecode" in next(m for m in read.measures if m.name == "loudness").cannot_tell


@pytest.mark.parametrize("plays", [False, True])
def test_what_is_compared_is_the_same_when_it_is_read_once_more(tmp_path, plays):
    """A run that goes on after it was cut off reads it again, and places it to the sample where it would have been."""
    voice = np.random.default_rng(3).normal(0, 0.1, 4 * 44100).astype(np.float32)
    other = played(90000, 4, rate=44100) if plays else voice[::-1]
    path = make_sound(tmp_path / "a.mka", np.stack([voice, other[: len(voice)]], axis=1), rate=44100, codec="aac")
    soundtrack.read(path, container.contents(path), tmp_path / "heard", compared=tmp_path / "first" / "wave")
    soundtrack.keep_compared(path, tmp_path / "then" / "wave")
    assert (tmp_path / "first" / "wave").read_bytes() == (tmp_path / "then" / "wave").read_bytes()
    assert len(syncing.kept(tmp_path / "then" / "wave").wave) > 3 * syncing.RATE
    assert [p.name for p in (tmp_path / "then").iterdir()] == ["wave"]


@pytest.fixture
def read_of(monkeypatch):
    """How often each stream of a file is decoded."""
    counted = []
    blocks = sound.blocks

    def counting(path, **asked):
        counted.append((path.name, asked.get("stream")))
        return blocks(path, **asked)

    monkeypatch.setattr(sound, "blocks", counting)
    return counted


def test_a_run_decodes_it_once(tmp_path, read_of):
    """Where it plays from the beginning; where it comes late, or what began as one is none, it is asked again."""
    voice = sine(9, level=0.1)
    code = played(90_000, 9)[: len(voice)]
    late = np.concatenate([np.zeros(5 * 48000, np.float32), code])[: len(voice)]
    jumps = np.concatenate([code[: 5 * 48000], played(500_000, 4)])[: len(voice)]
    measured = {}
    for name, other in (("code", code), ("late", late), ("none", np.zeros_like(code))):
        path = make_sound(tmp_path / f"{name}.wav", np.stack([voice, other], axis=1), codec="pcm_f32le")
        read = soundtrack.read(path, container.contents(path), tmp_path / name)
        measured[name] = next(m.value for m in read.measures if m.name == "loudness"), level.room(read.levels).json
    assert [name for name, _ in read_of] == ["code.wav", "late.wav", "late.wav", "none.wav"]
    assert measured["code"] == measured["late"] == measured["none"]
    path = make_sound(tmp_path / "jumps.wav", np.stack([voice, jumps], axis=1), codec="pcm_f32le")
    read_of.clear()
    read = {m.name: m.value for m in soundtrack.read(path, container.contents(path), tmp_path / "jumps").measures}
    assert read["loudness"]["integrated_lufs"] > measured["none"][0]["integrated_lufs"] + 3, "what is no code is loud"
    assert len(read_of) == 2


def test_align_decodes_it_once(tmp_path, read_of):
    voice = np.random.default_rng(4).normal(0, 0.1, 9 * 48000).astype(np.float32)
    code = played(90_000, 9)[: len(voice)]
    path = make_sound(tmp_path / "a.wav", np.stack([code, voice], axis=1), codec="pcm_f32le")
    plain = make_sound(tmp_path / "b.wav", np.stack([voice, voice / 2], axis=1), codec="pcm_f32le")
    one, found = syncing.heard_at_once(path)
    two, none = syncing.heard_at_once(plain)
    assert (found.channel, none) == (0, None)
    assert len(read_of) == 2
    for once, twice in ((one, syncing.heard(path, code=found)), (two, syncing.heard(plain))):
        assert once.at == twice.at
        assert np.allclose(once.wave, twice.wave, atol=1e-6)
        assert np.allclose(once.envelope, twice.envelope, atol=1e-3)
