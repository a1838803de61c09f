"""A cut that takes a part of a word is told by the sound of its edges and by where words begin and end."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from safelight.cutting import Word, assembly, bites, heard_back, joined
from safelight.cutting.assembly import Material, Piece
from safelight.cutting.speech import Spoken
from safelight.media import container
from safelight.speech import align
from safelight.speech.recogniser import Recogniser, Said
from tests import made_talk

RATE = Fraction(25)
LENGTH = int(made_talk.SECONDS * RATE)
WORDS = tuple(Word(text=t, start=Fraction(str(a)), end=Fraction(str(b))) for t, a, b in made_talk.SAID)
ALIGNER = {align.NAME: {}}


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    path = made_talk.save(tmp_path_factory.mktemp("talk"))
    return Material(path=path, facts=container.contents(path), rate=RATE, length=LENGTH, words=WORDS)


def programme(material, *cuts):
    edges = [0, *(edge for cut in cuts for edge in cut), material.length]
    pieces = [Piece(clip=0, start=a, end=b) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return assembly.assemble([material], pieces, name="talk")


def told(made, weights=None):
    with joined.heard(made, rate=heard_back.RATE) as sound:
        return bites.bites(made, sound, Spoken.of(assembly.programme_words(made)), weights or {})


def test_a_cut_in_a_pause_is_fine_and_one_through_a_word_is_told(material):
    assert told(programme(material, (65, 90))) == []
    (found,) = told(
        programme(replace(material, words=(*WORDS[:3], replace(WORDS[3], end=Fraction(2)), *WORDS[4:])), (50, 90))
    )
    assert (found.at, found.expected, found.bitten) == (50, "bread.", True)
    assert found.text == "“bread.” may not be whole: the cut falls into sound here."
    (found,) = told(
        programme(
            replace(material, words=(*WORDS[:4], replace(WORDS[4], start=Fraction("4.12")), *WORDS[5:])), (65, 103)
        )
    )
    assert found.expected == "We"
    (found,) = told(programme(replace(material, words=()), (50, 90)))
    assert found.text == "The cut falls into sound here."


def test_where_the_room_is_as_loud_as_the_voice_the_level_tells_nothing(tmp_path):
    path = made_talk.make_sound(tmp_path / "loud.wav", made_talk.wave(room=0.03))
    loud = Material(path=path, facts=container.contents(path), rate=RATE, length=LENGTH)
    assert told(programme(loud, (50, 90))) == []


@pytest.mark.parametrize(
    ("here", "uncut", "is_told"),
    [
        ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), False),
        ((-0.2, -0.2, -0.2), (0.0, 0.0, 0.0), True),
        ((-0.2, None, 0.0), (0.0, 0.0, 0.0), True),
        ((None, None, None), (0.0, 0.0, 0.0), False),
        ((-0.2, 0.0, 0.0), (0.0, 0.0, 0.0), False),
        ((-0.2, -0.2, -0.2), (-0.2, -0.2, -0.2), False),
        ((-0.2, None, None), (None, None, None), False),
        ((-0.2, -0.2, None), (None, None, None), True),
    ],
)
def test_a_word_that_ends_early_in_most_stretches_but_not_before_the_cut_is_told(
    material, monkeypatch, here, uncut, is_told
):
    made = programme(material, (65, 90))

    class Around:
        def __init__(self, spoken, place, cut, weights):
            self.answers = dict(zip(bites.REACHES_S, uncut if spoken is material.spoken else here, strict=True))

        def off(self, word, reach, *, ends):
            return self.answers[reach] if ends else 0.0

    monkeypatch.setattr(bites, "_Around", Around)
    assert bool(told(made, ALIGNER)) == is_told


def test_a_word_whose_time_is_estimated_is_not_measured_by_it(material, monkeypatch):
    estimated = tuple(replace(w, estimated=True) for w in WORDS)
    monkeypatch.setattr(bites._Around, "off", lambda *_, **__: 1.0)
    assert told(programme(replace(material, words=estimated), (65, 90)), ALIGNER) == []


def test_words_are_looked_for_where_they_lie_in_the_uncut_sound_too(material, monkeypatch):
    asked = []

    def aligned(samples, words, weights):
        asked.append((len(samples) / heard_back.RATE, tuple(words)))

    monkeypatch.setattr(bites.align, "align", aligned)
    assert told(programme(material, (65, 90)), ALIGNER) == []
    assert all(words for _, words in asked)
    assert asked[0][1][:4] == ("We", "begin", "with", "bread.")
    assert asked[0][0] > asked[1][0], "the cut sound is heard further, since its pause is short"


def test_each_stretch_is_aligned_once_for_both_sides_of_a_join(material, monkeypatch):
    asked = []

    def aligned(samples, words, weights):
        asked.append(samples.tobytes())

    monkeypatch.setattr(bites.align, "align", aligned)
    told(programme(material, (65, 90)), ALIGNER)
    assert asked
    assert len(asked) == len(set(asked))


def test_samples_of_a_clip_are_there_whether_they_are_played_or_not(material):
    made = programme(material, (65, 90))
    whole = programme(material)
    with joined.heard(made, rate=16000) as cut, joined.heard(whole, rate=16000) as uncut:
        span = Fraction(2), Fraction(4)
        assert np.array_equal(cut.source(0, *span), uncut.window(*span))
        assert not cut.source(0, Fraction(-1), Fraction(0)).any()
        assert len(cut.source(0, Fraction(11), Fraction(13))) == 2 * 16000


def test_what_is_bitten_is_told_once_beside_what_is_heard(material):
    words = (*WORDS[:3], replace(WORDS[3], end=Fraction(2)), *WORDS[4:])
    made = programme(replace(material, words=words), (50, 90))

    def says(text):
        said = [Said(text=w, confidence=0.9) for w in text.split()]
        return Recogniser(name="known", version=1, languages=("en",), hear=lambda *_: said)

    with joined.heard(made, rate=heard_back.RATE) as sound:
        all_heard = heard_back.listen(made, sound, says("We begin with bread. We begin with bread and salt."), {})
        lost = heard_back.listen(made, sound, says("We begin We begin with bread and salt."), {})
    assert [d.bitten for d in all_heard.differences] == [True]
    assert [d.bitten for d in lost.differences] == [False]
