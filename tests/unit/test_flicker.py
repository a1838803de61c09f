"""Flicker is light that swings while all else may move."""

import cv2
import numpy as np
import pytest

from safelight.probes._faults.flicker import flicker
from safelight.probes._faults.light import Light

RATE = 25.0
COUNT = 100
ROWS = np.arange(72)[:, None] / 72


@pytest.fixture(scope="module")
def wide():
    """A textured picture, wide enough to pan over."""
    rng = np.random.default_rng(3)
    parts = [rng.random((n, 3 * n)).astype(np.float32) for n in (4, 12, 40)]
    total = sum(cv2.resize(part, (600, 120), interpolation=cv2.INTER_CUBIC) for part in parts)
    return (40 + 50 * total).clip(25, 220)


def told(gain, *, source, pan=0.0, rate=RATE, count=COUNT, noise=0.6, cut=None):
    """Strongest flicker of a film; `gain(t)` is a number or a column of 72."""
    rng = np.random.default_rng(1)
    light = Light()
    for i in range(count):
        first = round(pan * i) + (200 if cut is not None and i >= cut else 0)
        frame = source[24:96, first : first + 128] * gain(i / rate) + rng.normal(0, noise, (72, 128))
        light.see(np.clip(np.round(frame), 0, 255).astype(np.float32))
    return [span for span, strength in flicker(light.changes(), rate) if strength >= 1]


def sine(hertz, share):
    return lambda t: 1 + share * np.sin(2 * np.pi * hertz * t)


def band(hertz, share, along):
    return lambda t: 1 + share * np.sin(2 * np.pi * (hertz * t + along * ROWS))


@pytest.mark.parametrize(("hertz", "share"), [(1.8, 0.02), (3.3, 0.01), (5.0, 0.02), (9.3, 0.01), (10.9, 0.05)])
def test_a_swing_of_the_whole_picture_is_told(wide, hertz, share):
    assert told(sine(hertz, share), source=wide)


@pytest.mark.parametrize(("hertz", "along"), [(2.2, 0.9), (4.5, 1.3), (7.0, 2.0)])
def test_bands_that_roll_are_told(wide, hertz, along):
    assert told(band(hertz, 0.03, along), source=wide)


def test_it_is_told_while_the_camera_moves_and_across_a_cut(wide):
    assert told(sine(5.3, 0.03), source=wide, pan=1.0)
    assert told(sine(5.3, 0.02), source=wide, cut=50)


def test_it_is_told_where_it_is(wide):
    def later(t):
        return 1 + 0.03 * np.sin(2 * np.pi * 5.3 * t) * (4 <= t < 8)

    ((first, end),) = told(later, source=wide, count=300)
    assert 75 <= first <= 105
    assert 190 <= end <= 225


@pytest.mark.parametrize(
    "gain",
    [
        lambda _: 1.0,
        lambda t: 1 - 0.3 * min(t / 4, 1),  # the exposure is turned down
        lambda t: 1.0 if t < 2 else 0.8,  # a lamp is switched off
        lambda t: min(t / 1.0, 1.0) * 0.9 + 0.1,  # a fade
        lambda t: 1.6 if abs(t - 2) < 0.03 else 1.0,  # somebody takes a photograph
        lambda t: 1 + 0.03 * np.sin(2 * np.pi * 0.2 * t),  # clouds
    ],
)
@pytest.mark.parametrize("pan", [0.0, 1.5])
def test_other_light_is_none(wide, gain, pan):
    assert told(gain, source=wide, pan=pan) == []


def test_motion_is_none(wide):
    def hand(t):
        return 2 + 1.5 * np.sin(2 * np.pi * 2.1 * t)

    light, rng = Light(), np.random.default_rng(2)
    for i in range(150):
        x = round(20 + 20 * hand(i / RATE))
        frame = wide[20 + int(hand(i / RATE)) : 92 + int(hand(i / RATE)), x : x + 128] + rng.normal(0, 0.6, (72, 128))
        light.see(frame.astype(np.float32))
    assert [s for s, strength in flicker(light.changes(), RATE) if strength >= 1] == []


def test_the_pulse_of_an_encoder_is_none(wide):
    parts = np.random.default_rng(4).uniform(0, 2, (9, 16)).astype(np.float32)  # it depends on what is shown there
    each = cv2.resize(parts, (128, 72), interpolation=cv2.INTER_NEAREST)

    def pulse(t):
        return 1 + 0.005 * each * np.sin(2 * np.pi * RATE / 4 * t)

    assert told(pulse, source=wide) == []
    assert told(sine(RATE / 4, 0.03), source=wide)


@pytest.mark.parametrize(("hertz", "share"), [(1.1, 0.02), (1.3, 0.01), (4.3, 0.004), (11.0, 0.005)])
def test_a_slow_or_shallow_swing_is_told_even_where_the_camera_moves(wide, hertz, share):
    assert told(sine(hertz, share), source=wide)
    assert told(sine(hertz, share), source=wide, pan=1.3)


def test_the_gain_of_the_light_is_read_beside_motion(wide):
    light = Light()
    for i in range(40):
        frame = wide[24:96, round(1.4 * i) : round(1.4 * i) + 128] * (1.01 if i >= 20 else 1.0)
        light.see(frame.astype(np.float32))
    whole = light.changes().whole
    assert whole[20] == pytest.approx(0.01, abs=0.002)
    assert np.abs(np.delete(whole, 20)).max() < 0.003


def test_a_step_of_exposure_and_a_ramp_back_are_none(wide):
    def hand(t):
        return 1.06 if 1.0 <= t < 1.6 else 1 + 0.06 * max(0.0, 1 - (t - 1.6) / 0.5) * (t >= 1.6)

    assert told(hand, source=wide) == []


def test_a_card_few_frames_and_slow_rates_are_none(wide):
    even = np.full((120, 600), 150.0)
    assert told(sine(6, 0.03), source=even, noise=0.0) == []
    assert told(sine(5, 0.05), source=wide, count=20) == []
    assert told(sine(2, 0.05), source=wide, rate=5.0) == []
    assert list(flicker(Light().changes(), RATE)) == []


def test_another_size_begins_anew(wide):
    light = Light()
    for i in range(60):
        light.see(wide[: 72 if i < 30 else 60, :128].astype(np.float32))
    assert len(light.changes().whole) == 60
    assert [s for s, strength in flicker(light.changes(), RATE) if strength >= 1] == []
