from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight import dialogue
from safelight.errors import NotMedia, UsageError
from safelight.media import container, levelled, loudness, sound
from safelight.media.loudness import TARGETS
from safelight.media.sound import Block
from tests.made_clips import make_clip, make_sound, sine

RATE = 48000


def tone(*parts, rate=RATE, hertz=1000.0, channels=2):
    """Stretches of a sine, (dBFS, seconds) each, alike in all channels."""
    length = sum(seconds for _, seconds in parts)
    gain = np.concatenate([np.full(round(s * rate), 10 ** (db / 20)) for db, s in parts])
    wave = np.sin(2 * np.pi * hertz * np.arange(round(length * rate)) / rate) * gain[: round(length * rate)]
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def blocks(samples, rate=RATE):
    for start in range(0, len(samples), rate):
        yield Block(at=Fraction(start, rate), samples=samples[start : start + rate], rate=rate)


def measured(samples, **asked):
    return loudness.measure_blocks(blocks(samples), **asked)


@pytest.mark.parametrize(
    ("parts", "integrated"),
    [
        ([(-23, 20)], -23),
        ([(-33, 20)], -33),
        ([(-36, 10), (-23, 60), (-36, 10)], -23),
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23),
        ([(-26, 20), (-20, 20.1), (-26, 20)], -23),
    ],
)
def test_integrated_loudness_of_tech_3341(parts, integrated):
    assert measured(tone(*parts)).integrated_lufs == pytest.approx(integrated, abs=0.1)


def test_surround_channels_weigh_more():
    levels = [-28, -28, -24, -30, -30]  # case 6: L R C Ls Rs
    wave = np.stack([tone((db, 20), channels=1)[:, 0] for db in levels], axis=1)
    assert measured(wave).integrated_lufs == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize(("quiet", "loud", "spread"), [(-30, -20, 10), (-20, -15, 5), (-40, -20, 20)])
def test_loudness_range_of_tech_3342(quiet, loud, spread):
    assert measured(tone((quiet, 40), (loud, 40))).range_lu == pytest.approx(spread, abs=0.1)


def test_a_short_programme_has_no_range():
    assert measured(tone((-20, 29))).range_lu is None


def test_true_peak_lies_between_samples():
    wave = 0.5 * np.sin(2 * np.pi * 12000 * np.arange(RATE) / RATE + np.pi / 4)  # a quarter of the rate
    wave *= np.minimum(1, np.minimum(np.arange(RATE), np.arange(RATE)[::-1]) / 2000)  # an abrupt end would ring
    found = measured(np.repeat(wave[:, None], 2, 1).astype(np.float32))
    assert 20 * np.log10(np.abs(wave).max()) == pytest.approx(-9.03, abs=0.01)
    assert -6.22 < found.true_peak_dbtp < -5.62


@pytest.mark.parametrize("at", [0, 40, 130, 190])
def test_a_fine_momentary_maximum_misses_no_burst(at):
    burst = tone((-120, 0.3 + at / 1000), (-23, 0.4), (-120, 1))
    assert measured(burst, fine=True).momentary_max_lufs == pytest.approx(-23, abs=0.1)


def test_silence_has_no_loudness():
    found = measured(np.zeros((RATE * 3, 2), np.float32))
    assert found.integrated_lufs is None
    assert found.true_peak_dbtp is None
    assert found.seconds == 3
    assert loudness.measure_blocks(()).integrated_lufs is None


def test_a_clip_without_sound_is_told(tmp_path):
    with pytest.raises(NotMedia, match="no sound"):
        loudness.measure(make_clip(tmp_path / "a.mp4"))


# ---------------------------------------------------------------- dialogue

SPOKEN = ((5.0, 12.5), (20.25, 26.0))


def said_among_music():
    """Somebody at -31, music at -16 before, between and after."""
    return tone((-16, 5), (-31, 7.5), (-16, 7.75), (-31, 5.75), (-16, 4))


def test_the_loudness_of_dialogue_is_that_of_where_somebody_speaks():
    found = measured(said_among_music(), speech=SPOKEN)
    assert found.dialogue_lufs == pytest.approx(-31, abs=0.1)
    assert found.integrated_lufs == measured(said_among_music()).integrated_lufs > -18
    assert measured(said_among_music()).dialogue_lufs is None
    assert measured(said_among_music(), speech=()).dialogue_lufs is None


@given(st.lists(st.floats(0, 8), min_size=2, max_size=8, unique=True), st.integers(100, 9000))
def test_what_is_measured_of_dialogue_are_exactly_its_spans(edges, size):
    edges = sorted(edges)[: len(edges) // 2 * 2]
    spans = list(zip(edges[::2], edges[1::2], strict=True))
    heard = []
    meter = SimpleNamespace(add=lambda block: heard.append(block.samples[:, 0]))
    measured_alone = loudness._Dialogue(spans, meter)
    samples = np.arange(8000, dtype=np.float32)[:, None]
    for first in range(0, len(samples), size):
        measured_alone.add(Block(at=Fraction(first, 1000), samples=samples[first : first + size], rate=1000))
    expected = [samples[round(a * 1000) : round(b * 1000), 0] for a, b in spans]
    assert np.array_equal(np.concatenate([*heard, np.zeros(0)]), np.concatenate(expected))


@pytest.mark.parametrize("ending", [".wav", ".m4a"])
def test_a_target_of_dialogue_is_reached_where_somebody_speaks(tmp_path, ending):
    path = make_sound(tmp_path / "in.wav", said_among_music(), codec="pcm_s24le")
    target, out = TARGETS["netflix"], tmp_path / f"out{ending}"
    done = levelled.level(path, out, target, speech=SPOKEN)
    assert done.after.dialogue_lufs == pytest.approx(target.lufs, abs=0.1)
    assert done.gain_db == pytest.approx(4, abs=0.3)
    assert loudness.measure(out).true_peak_dbtp <= target.ceiling_dbtp
    assert any("estimate" in note for note in done.notes(target))


def test_without_somebody_who_speaks_a_target_of_dialogue_is_refused(tmp_path):
    path = make_sound(tmp_path / "in.wav", noisy(2), codec="pcm_s24le")
    with pytest.raises(UsageError, match="nobody is heard to speak"):
        levelled.level(path, tmp_path / "out.wav", TARGETS["netflix"], speech=())
    assert not (tmp_path / "out.wav").exists()


def test_without_its_weights_dialogue_is_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr("safelight.weights.installed", dict)
    path = make_sound(tmp_path / "in.wav", noisy(2))
    assert dialogue.of(path, None) is dialogue.of(path, TARGETS["podcast"]) is None
    with pytest.raises(UsageError, match="models fetch silero_vad"):
        dialogue.of(path, TARGETS["netflix"])


# ---------------------------------------------------------------- levelling


def noisy(seconds, *, seed=1, level=0.05, rate=RATE):
    rng = np.random.default_rng(seed)
    wave = rng.normal(0, level, (int(seconds * rate), 2)) * (1 + np.sin(np.arange(int(seconds * rate)) / 9000))[:, None]
    return np.clip(wave, -1, 1).astype(np.float32)


@pytest.mark.parametrize("ending", [".wav", ".flac", ".m4a", ".mp3", ".opus"])
def test_a_measured_gain_reaches_the_target_below_the_ceiling_after_encoding(tmp_path, ending):
    path = make_sound(tmp_path / "in.wav", noisy(6), codec="pcm_s24le")
    target = TARGETS["podcast"]
    done = levelled.level(path, tmp_path / f"out{ending}", target)
    again = loudness.measure(tmp_path / f"out{ending}")
    assert again.integrated_lufs == pytest.approx(target.lufs, abs=0.1)
    assert again.true_peak_dbtp <= target.ceiling_dbtp
    assert done.after == again
    assert list(tmp_path.glob(".part-*")) == []


def test_dynamics_rate_and_channels_are_kept(tmp_path):
    path = make_sound(tmp_path / "in.wav", noisy(5, rate=44100), rate=44100, codec="pcm_s24le")
    done = levelled.level(path, tmp_path / "out.wav", TARGETS["ebu_r128"])
    before, after = sound.read(path), sound.read(tmp_path / "out.wav")
    assert container.contents(tmp_path / "out.wav").sounds[0].rate == 44100
    assert done.limited_db == 0
    assert before.samples.shape == after.samples.shape
    assert np.abs(after.samples - before.samples * 10 ** (done.gain_db / 20)).max() < 1e-6


def test_silence_is_passed_through(tmp_path):
    path = make_sound(tmp_path / "in.wav", np.zeros((RATE, 2), np.float32))
    done = levelled.level(path, tmp_path / "out.wav", TARGETS["podcast"])
    assert done.passed_through
    assert "passed through" in done.notes(TARGETS["podcast"])[0]
    assert not sound.read(tmp_path / "out.wav").samples.any()


def test_the_original_is_never_written_to(tmp_path):
    path = make_sound(tmp_path / "in.wav", sine(1))
    with pytest.raises(UsageError, match="original"):
        levelled.level(path, path, TARGETS["podcast"])
    with pytest.raises(UsageError, match="not written"):
        levelled.level(path, tmp_path / "out.doc", TARGETS["podcast"])


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.floats(-12, -0.5), st.integers(300, 9000))
def test_the_limiter_keeps_its_ceiling_and_what_lies_below(seed, ceiling, size):
    rng = np.random.default_rng(seed)
    samples = (rng.normal(0, 0.2, (size * 3, 2)) * (rng.random((size * 3, 1)) > 0.3)).astype(np.float32)
    parts = [
        Block(at=Fraction(i * size, 8000), samples=samples[i * size : (i + 1) * size], rate=8000) for i in range(3)
    ]
    limiter = levelled.Limiter(ceiling)
    out = np.concatenate([b.samples for b in limiter.limit(iter(parts))])
    assert out.shape == samples.shape
    assert np.abs(out).max() <= 10 ** (ceiling / 20) + 1e-6
    assert (np.abs(out) <= np.abs(samples) + 1e-9).all()
    if np.abs(samples).max() < 0.3 * 10 ** (ceiling / 20):
        assert np.array_equal(out, samples)
        assert limiter.most_db == 0
