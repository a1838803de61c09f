"""Repair of sound: what is found is mended, everything else stays as it was."""

from fractions import Fraction

import numpy as np
import pytest

from safelight import sound_repair
from safelight.errors import UsageError
from safelight.media import levelled, sound
from safelight.media.effects import Repairs
from safelight.media.repair import mend
from safelight.media.repair.chain import repaired
from safelight.media.sound import Block

RATE = 48000


def tone(seconds, channels=2):
    time = np.arange(round(seconds * RATE)) / RATE
    wave = 0.2 * np.sin(2 * np.pi * 233 * time) + 0.1 * np.sin(2 * np.pi * 1171 * time)
    return np.repeat(wave[:, None], channels, 1).astype(np.float32)


def blocks(samples):
    for first in range(0, len(samples), RATE):
        yield Block(at=Fraction(first, RATE), samples=samples[first : first + RATE], rate=RATE)


@pytest.mark.parametrize("seconds", [0.3, 20, 47.25])
def test_nothing_to_do_changes_no_sample(seconds):
    samples = tone(seconds)
    made = list(repaired(blocks(samples), Repairs(), model=None))
    assert np.array_equal(np.concatenate([b.samples for b in made]), samples)
    assert [b.at for b in made] == [Fraction(20 * i) for i in range(len(made))]


def test_hum_goes_where_it_is_and_stays_where_it_is_not_named():
    samples = tone(12)
    hummed = samples + (0.05 * np.sin(2 * np.pi * 50 * np.arange(len(samples)) / RATE)).astype(np.float32)[:, None]
    repairs = Repairs(hum=((Fraction(0), Fraction(6), 50.0),))
    (made,) = repaired(blocks(hummed), repairs, model=None)
    left = made.samples - samples
    assert np.abs(left[2 * RATE : 4 * RATE]).max() < 0.005
    assert np.array_equal(made.samples[7 * RATE :], hummed[7 * RATE :])


def test_a_click_is_filled_from_what_surrounds_it():
    samples = tone(1, channels=1)[:, 0]
    clicked = samples.copy()
    clicked[20000:20010] += 0.7
    made = mend.without_clicks(clicked, [(20000, 20010)])
    assert np.abs(made - samples).max() < 0.01
    assert np.array_equal(made[:19990], samples[:19990])


def test_a_file_is_written_beside_and_the_original_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("SAFELIGHT_WEIGHTS", str(tmp_path / "none"))
    path = tmp_path / "a.wav"
    levelled.encode(path, blocks(tone(4)), codec="pcm_s24le")
    bytes_before = path.read_bytes()
    done = sound_repair.repair(path, tmp_path / "b.wav")
    assert path.read_bytes() == bytes_before
    assert sound_repair.NO_WEIGHTS in done.notes
    assert np.array_equal(sound.read(path).samples, sound.read(tmp_path / "b.wav").samples)


def test_the_original_and_unknown_endings_are_refused(tmp_path):
    path = tmp_path / "a.wav"
    levelled.encode(path, blocks(tone(1)), codec="pcm_s24le")
    with pytest.raises(UsageError, match="original"):
        sound_repair.repair(path, path)
    with pytest.raises(UsageError, match="not written"):
        sound_repair.repair(path, tmp_path / "a.txt")
