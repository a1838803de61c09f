from fractions import Fraction

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from safelight.media import syncing
from safelight.media.sound import Block
from safelight.media.syncing import RATE, match
from tests.made_clips import make_sound

FULL = 16000


def event(seconds, *, seed=1):
    """Noise in bursts of uneven length and level, as speech is."""
    rng = np.random.default_rng(seed)
    edges = np.cumsum(rng.uniform(0.05, 0.6, int(seconds * 6)))
    levels = np.repeat(rng.uniform(0, 1, len(edges)) ** 3, 1)
    at = np.searchsorted(edges, np.arange(int(seconds * FULL)) / FULL).clip(0, len(levels) - 1)
    return rng.normal(0, 0.2, int(seconds * FULL)) * levels[at]


def recorded(sound, *, start, seconds, ppm=0.0, noise=0.0, seed=2, low=False):
    """What a device hears from `start` on, on a clock of its own: its time t is `start + t (1 + ppm / 10⁶)`."""
    rng = np.random.default_rng(seed)
    t = start + np.arange(int(seconds * RATE)) / RATE * (1 + ppm * 1e-6)
    wave = np.interp(t, np.arange(len(sound)) / FULL, sound)
    if low:
        wave = sosfilt(butter(4, 2500, fs=RATE, output="sos"), np.tanh(4 * wave))
    wave = (wave + rng.normal(0, noise, len(wave))).astype(np.float32)
    return syncing.of_blocks(
        Block(at=Fraction(i), samples=wave[i * RATE : (i + 1) * RATE, None], rate=RATE) for i in range(int(seconds))
    )


@pytest.mark.parametrize("ppm", [-45.0, 0.0, 30.0])
@pytest.mark.parametrize("low", [False, True])
def test_offset_and_drift_are_found(ppm, low):
    sound = event(120)
    found = match(
        recorded(sound, start=0, seconds=110, seed=5), recorded(sound, start=23.4567, seconds=70, ppm=ppm, low=low)
    )
    assert found.cannot_tell is None
    delay = 0.0006 if low else 0.0  # of the filter
    assert found.offset_s == pytest.approx(23.4567, abs=0.0002 + delay)
    assert found.drift_ppm == pytest.approx(ppm, abs=5)
    assert found.agreeing > 0.8 * found.windows
    assert found.spread_ms < 0.2


def test_the_other_may_begin_before_and_end_after():
    sound = event(100)
    found = match(recorded(sound, start=30, seconds=40), recorded(sound, start=5.25, seconds=90))
    assert found.offset_s == pytest.approx(-24.75, abs=0.0003)


def test_noise_as_loud_as_the_sound_is_no_obstacle():
    sound = event(100)
    level = float(np.sqrt(np.mean(sound**2)))
    found = match(recorded(sound, start=0, seconds=90), recorded(sound, start=11.1, seconds=60, noise=level))
    assert found.offset_s == pytest.approx(11.1, abs=0.001)


@pytest.mark.parametrize("seed", range(8))
def test_other_events_are_refused(seed):
    one = recorded(event(80, seed=seed), start=0, seconds=70)
    two = recorded(event(80, seed=seed + 100), start=0, seconds=30, seed=seed)
    found = match(one, two)
    assert found.offset_s is None
    assert "agree" in found.cannot_tell


def test_silence_and_snippets_are_refused():
    sound = event(40)
    one = recorded(sound, start=0, seconds=30)
    assert "silent" in match(one, recorded(sound * 0, start=0, seconds=20)).cannot_tell
    assert "lasts" in match(one, recorded(sound, start=0, seconds=3)).cannot_tell


def test_files_are_compared_from_their_own_zero(tmp_path):
    sound = event(60).astype(np.float32)
    one = make_sound(tmp_path / "a.wav", sound[: 50 * FULL], rate=FULL)
    two = make_sound(tmp_path / "b.wav", sound[12 * FULL : 42 * FULL], rate=FULL)
    assert match(syncing.heard(one), syncing.heard(two)).offset_s == pytest.approx(12, abs=1e-4)
