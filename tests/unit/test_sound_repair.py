"""Repair of sound: what is found is mended, everything else stays as it was."""

from fractions import Fraction

import numpy as np
import pytest

from safelight import mending, sound_repair
from safelight.domain import Asset, Kind, Measure
from safelight.errors import UsageError
from safelight.media import levelled, sound
from safelight.media.effects import Repairs
from safelight.media.repair import mend, quieter
from safelight.media.repair.chain import repaired
from safelight.media.repair.quieter import Quieter
from safelight.media.sound import Block
from safelight.operators import Subject, Wishes
from safelight.operators.sound_repair import operator
from safelight.probes._faults.spans import Fault

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
    made = list(repaired(blocks(samples), Repairs()))
    assert np.array_equal(np.concatenate([b.samples for b in made]), samples)
    assert [b.at for b in made] == [Fraction(20 * i) for i in range(len(made))]


def test_hum_goes_where_it_is_and_stays_where_it_is_not_named():
    samples = tone(12)
    hummed = samples + (0.05 * np.sin(2 * np.pi * 50 * np.arange(len(samples)) / RATE)).astype(np.float32)[:, None]
    repairs = Repairs(hum=((Fraction(0), Fraction(6), 50.0),))
    (made,) = repaired(blocks(hummed), repairs)
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


def test_pauses_belong_to_what_is_said_unless_something_else_sounds_in_them():
    """Noise that comes back between two sentences is heard as breathing; music between them is to stay."""
    level = np.full(1500, 0.01)  # thirty seconds of a room
    for first, end in ((100, 300), (380, 600), (900, 1100), (1400, 1480)):
        level[first:end] = 0.1
    spans = [(100, 300), (380, 600), (900, 1100), (1400, 1480)]
    assert quieter._with_pauses(spans, level) == [(0, 1500)], "a room that is the same all along"
    level[650:850] = 0.05
    assert quieter._with_pauses(spans, level) == [(0, 600), (900, 1500)], "music is left alone"
    level[300:380] = 0.05
    assert quieter._with_pauses(spans, level)[0] == (0, 600), "a breath is no music"
    assert quieter._with_pauses([], level) == []


class Kept:
    """A model that keeps what a function of samples says."""

    def __init__(self, keeps):
        self.keeps, self.asked = keeps, 0

    def voice(self, samples):
        self.asked += 1
        return self.keeps(samples).astype(np.float32)


def talk(seconds, *, noise=0.02, seed=3):
    """Syllables, and the noise around them."""
    time = np.arange(round(seconds * RATE)) / RATE
    syllables = np.clip(np.sin(2 * np.pi * 2 * time), 0, None) * np.sin(2 * np.pi * 220 * time) * 0.3
    return syllables.astype(np.float32), (noise * np.random.default_rng(seed).standard_normal(len(time))).astype("f4")


def quieted(samples, model, limit_db=12.0):
    made = repaired(blocks(samples), Repairs(), quieter=Quieter(model, limit_db))
    return np.concatenate([b.samples for b in made])


@pytest.mark.parametrize("channels", [1, 2])
def test_noise_goes_down_by_what_was_asked_and_each_sound_is_heard_once(channels):
    voice, noise = talk(30)
    model = Kept(lambda x: voice[: len(x)] if len(x) > 20 * RATE else x)
    noisy = np.repeat((voice + noise)[: 22 * RATE, None], channels, 1)
    made = quieted(noisy, model)
    left = made[5 * RATE : 15 * RATE, 0] - voice[5 * RATE : 15 * RATE]
    assert 20 * np.log10(np.std(noise[5 * RATE : 15 * RATE]) / np.std(left)) == pytest.approx(12, abs=0.1)
    assert model.asked == 1, "alike channels are one sound"


@pytest.mark.parametrize("kept", [0.0, 0.4])
def test_a_model_that_takes_what_is_heard_for_noise_is_not_followed(kept):
    """Music, a voice that it does not know, a crowd: the loud moments are what the sound is about."""
    voice, noise = talk(20)
    noisy = (voice + noise)[:, None]
    assert np.array_equal(quieted(noisy, Kept(lambda x: kept * voice[: len(x)])), noisy)


def test_what_is_taken_away_goes_over_from_stretch_to_stretch():
    """A model that keeps half a voice from 20 s on: noise comes back within half a second, not at once."""
    voice, noise = talk(40)
    parts = iter([(0, 1.0), (17, 0.47)])

    def keeps(samples):
        since, share = next(parts)
        return share * voice[since * RATE :][: len(samples)]

    noisy = (voice + noise)[:, None]
    gone = (noisy - quieted(noisy, Kept(keeps)))[:, 0]
    share = []
    for at in (19.95, 20.0, 20.25, 20.6, 30):
        here = slice(round(at * RATE), round((at + 0.02) * RATE))
        taken = noisy[here, 0] - (1.0 if at < 20 else 0.47) * voice[here]
        share.append(float(gone[here] @ taken / (taken @ taken)))
    full = 1 - 10 ** (-12 / 20)
    assert share[0] == pytest.approx(full, abs=0.01)
    assert share[1] == pytest.approx(full, abs=0.03)
    assert full > share[2] + 0.1 > share[3] + 0.2
    assert share[4] == pytest.approx(share[3], abs=0.01)


@pytest.mark.parametrize("kept", [0.0, 1.0])
def test_a_single_file_says_for_how_long_noise_was_turned_down_or_why_not(tmp_path, monkeypatch, kept):
    voice, noise = talk(12)
    path = tmp_path / "a.wav"
    levelled.encode(path, blocks((voice + noise)[:, None]), codec="pcm_s24le")
    monkeypatch.setattr(sound_repair.weights, "installed", lambda: {sound_repair.WEIGHTS: {}})
    monkeypatch.setattr(sound_repair, "Model", lambda _: Kept(lambda x: kept * voice[: len(x)]))
    done = sound_repair.repair(path, tmp_path / "b.wav", keep=("hum", "clicks"))
    same = np.array_equal(sound.read(path).samples, sound.read(tmp_path / "b.wav").samples)
    if kept:
        assert not same
        assert "Noise turned down by at most 12 dB in 12.0 s, where somebody speaks." in done.notes
    else:
        assert same
        assert done.notes[0] == sound_repair.LEFT


# ---------------------------------------------------------------- as an edit of a clip


def suggested(value=None, *, cannot_tell=None):
    told = Measure(name="sound.repaired", value=value, cannot_tell=cannot_tell)
    asset = Asset(id="a", content=None, kind=Kind.AUDIO, format="wav", width=None, height=None)
    subject = Subject(asset=asset, path="a.wav", facts={"sound.repaired": told})
    found = operator.propose([subject], Wishes())
    return found[0] if found else None


def hum(*, lowered=9.0, voice=1.0):
    return {"kind": "hum", "start": "0/1", "end": "4/1", "mains_hz": 50.0, "lowered_db": lowered, "voice_db": voice}


def noise(*, lowered=9.0, taken=0, words=40, new=()):
    rows = [{"text": "so", "start": float(n), "end": n + 0.3, "by_db": 6.0} for n in range(taken)]
    return {"db": 12.0, "lowered_db": lowered, "words": words, "taken": rows, "new": list(new)}


def test_what_a_trial_mended_is_offered_with_what_it_did():
    click = {"kind": "click", "start": "1/1", "end": "1001/1000", "mains_hz": None, "heard": False}
    found = suggested({"faults": [hum(), click, click | {"start": "2/1", "heard": True}], "noise": noise(taken=2)})
    assert (len(found.params.hum), len(found.params.clicks), found.params.noise_db) == (1, 1, 12.0)
    assert [one.noise_db for one in found.alternatives] == [6.0, 0.0]
    codes = [b.code for b in found.because]
    assert codes == ["hum", "clicks", "noise", "doubt.word", "doubt.word", "doubt.click"]
    assert "9.0 dB quieter" in found.because[0].text


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"faults": [hum(voice=6.0)], "noise": None}, "cannot be taken out without voice"),
        ({"faults": [hum(lowered=1.0)], "noise": None}, "is hardly less on trial"),
        ({"faults": [], "noise": noise(taken=5)}, "5 of 40 words would go down with it"),
        ({"faults": [], "noise": noise(new=[{"kind": "click", "start": "1/1", "end": "2/1"}])}, "was not there before"),
    ],
)
def test_what_would_harm_is_left_and_named(value, why):
    found = suggested(value)
    assert found.params is None
    assert found.cannot_tell == "Nothing that was found can be mended without harm."
    assert why in found.because[0].text


def test_where_nothing_was_gained_nothing_is_said():
    assert suggested({"faults": [], "noise": noise(lowered=2.0)}) is None
    assert "could not be tried" in suggested(cannot_tell="it was cut off").cannot_tell


def of_mains(path, *, sung):
    """Twelve seconds of mains hum, or of a voice at its pitch with a little of it."""
    time = np.arange(12 * RATE) / RATE
    mains = 0.02 * sum(np.sin(2 * np.pi * 50 * n * time) / n for n in range(1, 6))
    syllables = (np.sin(2 * np.pi * 3 * time) > 0) * (np.sin(2 * np.pi * 0.5 * time) > 0)
    voice = 0.3 * syllables * np.sin(2 * np.pi * (100 + 3 * np.sin(2 * np.pi * 2 * time)) * time)
    samples = (0.1 * mains + voice if sung else mains).astype(np.float32)[:, None]
    levelled.encode(path, blocks(samples), codec="pcm_s24le")
    return path


def test_a_trial_tells_hum_from_voice(tmp_path):
    told = {}
    for name in ("alone", "sung"):
        path = of_mains(tmp_path / f"{name}.wav", sung=name == "sung")
        row = {"kind": "hum", "start": "0/1", "end": "12/1", "mains_hz": 50.0}
        value = mending.mend(mending.Mend(asset="a", full=path, seconds=12.0, faults=(row,))).measure.value
        told[name] = value["faults"][0]
    assert told["alone"]["lowered_db"] > 12
    assert told["alone"]["voice_db"] < 1
    assert told["sung"]["voice_db"] > 3


@pytest.mark.parametrize("sung", [False, True])
def test_a_single_file_is_mended_only_where_a_trial_harms_no_voice(tmp_path, monkeypatch, sung):
    monkeypatch.setenv("SAFELIGHT_WEIGHTS", str(tmp_path / "none"))
    path = of_mains(tmp_path / "a.wav", sung=sung)
    hum = Fault(kind="hum", start=Fraction(0), end=Fraction(12), strength=9.0, hertz=50.0)
    monkeypatch.setattr(sound_repair, "heard", lambda _: [hum])
    done = sound_repair.repair(path, tmp_path / "b.wav", keep=("noise",))
    assert bool(done.repairs.hum) is not sung
    text = " ".join(done.notes)
    assert ("cannot be taken out without voice" in text, "It was written as it is." in text) == (sung, sung)
