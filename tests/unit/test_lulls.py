"""Pauses in loud rooms: found where no voice is in the noise, shortened to two seconds at least, else a person's."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight import cutting, weights
from safelight.cutting import PACES, Room, Still, Word
from safelight.media import sound
from safelight.speech import activity, lulls

SPEECH = Path(__file__).parents[2].parent / "shared" / "data" / "speech"
LOUD = Room(stills=(), end=Fraction(20), untold=1.0)
LULL = Still(start=Fraction(5), end=Fraction(9), margin_db=6.0)
WORDS = (
    Word(text="bread.", start=Fraction(4), end=Fraction("4.8")),
    Word(text="Salt", start=Fraction("9.2"), end=Fraction(10)),
)


def plan(*, words=WORDS, speech=((Fraction(4), Fraction("4.9")),), pace="balanced", rate=25, found=(LULL,)):
    return cutting.tighten(
        LOUD, pace=PACES[pace], rate=Fraction(rate), length=20 * rate, words=words, speech=speech, lulls=found
    )


@pytest.mark.parametrize("rate", [24, 25, 50])
@pytest.mark.parametrize("pace", PACES)
def test_the_middle_of_a_lull_goes_and_a_second_stays_on_either_side(pace, rate):
    (cut,) = plan(pace=pace, rate=rate).cuts
    assert cut.rule == "pause_in_noise"
    assert cut.start >= 6 * rate
    assert cut.end <= 8 * rate
    assert abs(cut.leaves_s - 2) <= Fraction(1, rate)
    assert dict(cut.evidence)["voice.margin_db"] == 6.0


@given(
    start=st.integers(4900, 5200), end=st.integers(8000, 9190),
    rate=st.sampled_from([Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(50)]),
)  # fmt: skip
def test_two_seconds_stay_within_a_frame_at_every_rate_and_wherever_a_lull_lies(start, end, rate):
    lull = Still(start=Fraction(start, 1000), end=Fraction(end, 1000), margin_db=6.0)
    room = cutting.Room(stills=(), end=Fraction(20), untold=1.0)
    (cut,) = cutting.tighten(
        room, pace=PACES["balanced"], rate=rate, length=int(20 * rate), words=WORDS, speech=(), lulls=(lull,)
    ).cuts
    assert abs(cut.leaves_s - 2) <= 1 / rate
    assert cut.start / rate - lull.start >= 1 - 1 / (2 * rate)
    assert lull.end - cut.end / rate >= 1 - 1 / (2 * rate)


def test_words_in_a_lull_make_it_a_persons_and_without_words_nothing_goes():
    inside = (*WORDS, Word(text="yes", start=Fraction(7), end=Fraction("7.3")))
    found = plan(words=inside)
    assert not found.cuts
    assert "two_witnesses" in {d.rule for d in found.doubts}
    assert not plan(words=None).cuts
    assert not plan(speech=None).cuts
    assert not plan(found=()).cuts


def test_a_pause_that_is_shortened_is_no_doubt_and_the_note_says_what_happens():
    assert "pause_not_still" not in {d.rule for d in plan().doubts}
    assert "pause_not_still" in {d.rule for d in plan(found=()).doubts}
    assert "down to 2 s" in plan().notes[0]
    assert "it stays" in plan(found=None).notes[0]


def test_what_the_level_cuts_is_not_cut_twice():
    room = Room(stills=(Still(start=Fraction(5), end=Fraction(9), margin_db=3.0),), end=Fraction(20), untold=0.5)
    found = cutting.tighten(
        room, pace=PACES["balanced"], rate=Fraction(25), length=500, words=WORDS, speech=(), lulls=(LULL,)
    )
    assert [c.rule for c in found.cuts] == ["pause"]


@pytest.mark.skipif(not SPEECH.exists(), reason="the recordings of speech are not here")
@pytest.mark.skipif(not {activity.NAME, lulls.NAME} <= set(weights.installed()), reason="its weights are not installed")
def test_a_lull_is_found_in_a_pause_under_noise_and_none_in_speech():
    rate, rng = activity.RATE, np.random.default_rng(1)
    said = sound.read(SPEECH / "librivox_0870.wav", rate=rate, mono=True).samples[:, 0]
    said = said * np.float32(0.05 / np.sqrt(np.square(said).mean()))
    pause = np.zeros(5 * rate, np.float32)
    clean = np.concatenate([said, pause, said])
    noisy = clean + rng.normal(0, 0.05 * 10 ** (-10 / 20), len(clean)).astype(np.float32)
    voice = activity.Activity(weights.installed())
    voice.hear(noisy)
    found = lulls.find(
        lambda span: noisy[round(span[0] * rate) : round(span[1] * rate)], len(noisy) / rate, voice.done(),
        weights.installed(),
    )  # fmt: skip
    first, last = len(said) / rate, (len(said) + len(pause)) / rate
    (longest,) = [lull for lull in found if lull.span[1] - lull.span[0] > 2]
    assert first - 0.5 < longest.span[0] < first + 1.5
    assert last - 1 < longest.span[1] < last + 0.6
    assert longest.margin_db > 0
