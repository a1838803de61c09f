"""What is done to the sound of clips: proposed, judged, undone, applied where a film is made and there alone."""

from fractions import Fraction

import numpy as np
import pytest

from safelight import deliver, effects, rough, weights
from safelight.cutting import render
from safelight.domain import Say, State, Zone
from safelight.errors import UsageError
from safelight.explain import words
from safelight.media import film_xmp, loudness
from safelight.media.effects import Level, Repairs
from safelight.sound_repair import heard
from tests import made_talk
from tests.judged import say, the_clip
from tests.made_clips import make_sound

RATE = made_talk.RATE
HUM = (50.0, 100.0, 150.0, 200.0)


pytestmark = pytest.mark.usefixtures("in_process")


def shoot(library, folder, samples):
    """A shoot of one sound in which the made talk is heard."""
    folder.mkdir()
    make_sound(folder / "talk.wav", samples.astype(np.float32))
    library.run(folder, options=made_talk.PASS)
    made_talk.known(library, folder)
    return folder


def rendered(library, folder, out, *, decided=True):
    """What of the clip plays, with what was decided about it, as a sound."""
    cut = cut_of(library, folder, decided=decided)
    return cut, render.render(cut.made, out)


def cut_of(library, folder, *, decided=True):
    """The clip with what was decided about it."""
    clip = the_clip(library, folder)
    return rough.cut([(folder / "talk.wav", clip)], rough.Wanted(decided=decided), listen=False)


def test_a_soft_talk_is_offered_the_loudness_of_speech_and_gets_it_in_a_film_alone(library, tmp_path, mark_times):
    folder = shoot(library, tmp_path / "soft", 0.05 * made_talk.wave())
    before = mark_times(folder)
    clip = the_clip(library, folder)
    assert clip.proposals["loudness"].zone is Zone.REVIEW
    assert "loudness" in clip.open_questions()
    (listed,) = effects.listed(clip)
    assert (listed.operator, listed.state, listed.text) == ("loudness", State.PROPOSED, "to -18 LUFS, below -1 dBTP")
    assert "softer than any delivery asks for" in listed.because[0]
    assert [c.text for c in listed.choices] == [
        "to -16 LUFS, below -1 dBTP", "to -14 LUFS, below -1 dBTP", "to -23 LUFS, below -1 dBTP",
    ]  # fmt: skip
    assert "loudness: proposed." in words(library.explain("talk.wav", folder=folder))
    was = loudness.measure(folder / "talk.wav").integrated_lufs
    for operator in ("tighten", "retakes"):
        say(library, folder, operator, Say.REJECT, reason="taste")
    rendered(library, folder, tmp_path / "waits.wav")
    assert loudness.measure(tmp_path / "waits.wav").integrated_lufs == pytest.approx(was, abs=0.05), "it waits"

    say(library, folder, "loudness")
    assert "loudness, said by Ada: to -18 LUFS, below -1 dBTP" in words(library.explain("talk.wav", folder=folder))
    cut, done = rendered(library, folder, tmp_path / "loud.wav")
    found = loudness.measure(tmp_path / "loud.wav")
    assert found.integrated_lufs == pytest.approx(-18, abs=0.1)
    assert found.true_peak_dbtp <= -1
    assert {m.name: m.value for m in done.measures if m.unit == "fault"} == {
        "loudness.over_ceiling": 0.0, "loudness.missed": 0.0,
    }  # fmt: skip
    assert any("gain +" in note for note in done.notes)
    assert "sounds as it was recorded here" in effects.lost(cut.made)[0]
    assert b"algorithmicallyEnhanced" in (film_xmp.read(tmp_path / "loud.wav") or b"")

    say(library, folder, "loudness", Say.MODIFY, params={"target": "none", "gain_db": 6.0})
    assert effects.of(the_clip(library, folder))[0].settings == Level(gain_db=6.0)
    rendered(library, folder, tmp_path / "six.wav")
    assert loudness.measure(tmp_path / "six.wav").integrated_lufs == pytest.approx(was + 6, abs=0.1)
    say(library, folder, "loudness", Say.UNDO)
    say(library, folder, "loudness", Say.UNDO)
    assert effects.of(the_clip(library, folder)) == ()
    rendered(library, folder, tmp_path / "again.wav")
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "waits.wav").read_bytes()
    assert mark_times(folder) == before, "originals are only read"


def test_talks_as_loud_as_deliveries_are_left_alone(library, tmp_path):
    folder = shoot(library, tmp_path / "usual", made_talk.wave())
    assert set(the_clip(library, folder).proposals) == {"tighten", "retakes"}


def test_a_ceiling_holds_once_it_is_encoded(library, tmp_path):
    folder = shoot(library, tmp_path / "peaks", _with_peaks(made_talk.wave()))
    for operator in ("tighten", "retakes"):
        say(library, folder, operator, Say.REJECT, reason="taste")
    say(library, folder, "loudness", Say.MODIFY, params={"target": "streaming", "ceiling_dbtp": -2.0})
    _, done = rendered(library, folder, tmp_path / "peaks.m4a")
    found = loudness.measure(tmp_path / "peaks.m4a")
    assert found.true_peak_dbtp <= -2
    assert found.integrated_lufs == pytest.approx(-14, abs=0.3)
    assert any("turned down by up to" in note for note in done.notes)


def _with_peaks(samples):
    samples = samples.copy()
    samples[5 * RATE : 5 * RATE + 40] *= 6
    return samples


def test_the_loudness_of_dialogue_is_measured_where_somebody_speaks(library, tmp_path):
    folder = shoot(library, tmp_path / "soft", 0.05 * made_talk.wave())
    for operator in ("tighten", "retakes"):
        say(library, folder, operator, Say.REJECT, reason="taste")
    say(library, folder, "loudness", Say.MODIFY, params={"target": "netflix", "ceiling_dbtp": -2.0})
    assert "its dialogue to -27 LUFS" in words(library.explain("talk.wav", folder=folder))
    cut, out, speech = cut_of(library, folder), tmp_path / "loud.m4a", ((0.0, 4.0), (6.0, 8.0))
    done = render.render(cut.made, out, hears=lambda _: speech)
    assert loudness.measure(out, speech=speech).dialogue_lufs == pytest.approx(-27, abs=0.1)
    assert any("its dialogue, by an estimate" in note for note in done.notes)
    assert not any(m.value for m in done.measures if m.unit == "fault")
    with pytest.raises(UsageError, match="hears where somebody speaks"):
        render.render(cut.made, tmp_path / "deaf.wav")
    done = render.render(cut.made, tmp_path / "nobody.wav", hears=lambda _: ())
    assert any("Nobody is heard to speak" in note for note in done.notes)


def test_a_loudness_leaves_what_is_heard_at_joins_as_it_was(library, tmp_path):
    folder = shoot(library, tmp_path / "soft", 0.05 * made_talk.wave())
    before = the_clip(library, folder).cut(proposed=True).id
    say(library, folder, "loudness")
    assert the_clip(library, folder).cut(proposed=True).id == before


# ---------------------------------------------------------------- repair


def hummed():
    """The talk over mains that hum all along, with clicks in two pauses."""
    samples = made_talk.wave().astype(np.float64)
    t = np.arange(len(samples)) / RATE
    samples += sum(0.01 / n * np.sin(2 * np.pi * hertz * t) for n, hertz in enumerate(HUM, 1))
    for second in (3.0, 8.0):
        samples[int(second * RATE) : int(second * RATE) + 6] += 0.5
    return samples


def test_hum_and_clicks_are_offered_as_a_trial_mended_them(library, tmp_path, monkeypatch):
    monkeypatch.setenv("SAFELIGHT_WEIGHTS", str(tmp_path / "none"))
    folder = shoot(library, tmp_path / "hum", hummed())
    assert {f.kind for f in heard(folder / "talk.wav")} >= {"hum", "click"}
    clip = the_clip(library, folder)
    assert clip.proposals["sound_repair"].offers, clip.facts["sound.repaired"]
    (listed,) = [one for one in effects.listed(clip) if one.operator == "sound_repair"]
    assert any(text.startswith("Hum of 50 Hz") for text in listed.because)
    say(library, folder, "sound_repair")
    (effect,) = effects.of(the_clip(library, folder))
    assert isinstance(effect.settings, Repairs)
    assert effect.settings.hum[0][2] == 50
    for operator in ("tighten", "retakes"):
        say(library, folder, operator, Say.REJECT, reason="taste")
    _, done = rendered(library, folder, tmp_path / "mended.wav")
    assert any("of hum" in note and "taken out" in note for note in done.notes)
    assert not {f.kind for f in heard(tmp_path / "mended.wav")} & {"hum", "click"}
    order = deliver.Order(to=tmp_path / "out", films="broadcast_eu", draft=True)
    made = library.deliver(folder, tmp_path / "out", order=order)
    row = next(file for file in made["files"] if file["kind"] == "film")
    found = {c["name"]: c["value"] for c in row["checks"]}
    assert found["sound_repair.still_heard"] < 0.5
    assert found["sound_repair.wrong_effect"] == 0
    assert "sound_repair.still_heard" not in row["gate"]["open"]
    losses = next(file for file in made["files"] if file["kind"] == "timeline")["losses"]
    assert any("hum of 50 Hz" in loss and "sounds as it was recorded here" in loss for loss in losses)
    say(library, folder, "sound_repair", Say.UNDO)
    rendered(library, folder, tmp_path / "back.wav")
    assert "hum" in {f.kind for f in heard(tmp_path / "back.wav")}


def test_noise_is_not_turned_down_without_its_weights(library, tmp_path, monkeypatch):
    folder = shoot(library, tmp_path / "usual", made_talk.wave())
    say(library, folder, "sound_repair", Say.MODIFY, params={"noise_db": 12.0})
    monkeypatch.setattr(weights, "installed", dict)
    with pytest.raises(UsageError, match="weights for it are not on this machine"):
        rendered(library, folder, tmp_path / "clean.wav")
    assert not (tmp_path / "clean.wav").exists()


def test_the_gain_of_a_cut_is_measured_on_what_plays(library, tmp_path):
    samples = made_talk.wave()
    samples[: 4 * RATE] *= 8  # a loud beginning, which is cut out
    folder = shoot(library, tmp_path / "loud", 0.05 * samples)
    say(library, folder, "tighten", Say.MODIFY, params={"cuts": [{"name": "own", "start": "0/1", "end": "4/1"}]})
    say(library, folder, "retakes", Say.REJECT, reason="taste")
    say(library, folder, "loudness", Say.MODIFY, params={"target": "speech"})
    _, done = rendered(library, folder, tmp_path / "cut.wav")
    assert Fraction(done.samples, RATE) == 8
    assert loudness.measure(tmp_path / "cut.wav").integrated_lufs == pytest.approx(-18, abs=0.1)
