"""Captions made of words."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.captions import PRESETS, Spoken, check, make
from safelight.captions.making import broken

SCRIPTS = {
    "netflix_ja": "これは とても 古い 町 の 話 です。 昔 ここ には 川 が ありました。",
    "netflix_zh": "这 是 一个 很 老 的 城市。 以前 这里 有 一条 河。",
    "netflix_th": "นี่ คือ เมือง เก่า มาก เมื่อ ก่อน ที่ นี่ มี แม่น้ำ",
    "netflix_ko": "이것은 아주 오래된 마을 이야기입니다. 옛날에는 여기에 강이 있었습니다.",
}
LATIN = [name for name in PRESETS if name not in SCRIPTS]
SENTENCES = (
    "And so my fellow Americans, ask not what your country can do for you. Ask what you can do for your country. "
    "He was not an ill disposed young man, unless to be rather cold hearted and rather selfish is to be ill disposed."
)
TALK = SENTENCES.split()


def spoken(words, *, pace=0.36, pauses=(), speakers=()):
    """Words one after another; `pauses` after these, `speakers` from these on."""
    at, found, speaker = Fraction(0), [], None
    names = dict(speakers)
    for number, word in enumerate(words):
        speaker = names.get(number, speaker)
        length = Fraction(str(pace))
        found.append(Spoken(text=word, start=at, end=at + length, speaker=speaker))
        at += length + (Fraction(2) if number in pauses else 0)
    return found


def hard(made, name, rate, shots=()):
    return [b for b in check(made, PRESETS[name], rate=rate, shots=shots) if not b.soft]


@pytest.mark.parametrize("name", LATIN)
@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25), Fraction(50)], ids=str)
def test_no_rule_is_broken_and_every_word_is_shown_once(name, rate):
    made = make(spoken(TALK * 3, pauses=(21, 60)), PRESETS[name], rate=rate)
    assert hard(made, name, rate) == []
    assert " ".join(line for c in made.cues for line in c.lines).split() == TALK * 3


@pytest.mark.parametrize("name", LATIN)
@pytest.mark.parametrize("shots", [(210, 600), (60, 75, 88, 300, 309), tuple(range(40, 900, 41))], ids=len)
def test_cuts_are_minded(name, shots):
    rate = Fraction(25)
    made = make(spoken(TALK * 2, pace=0.4), PRESETS[name], rate=rate, shots=shots)
    told = {b.rule for b in hard(made, name, rate, shots)}
    # A sentence that a cut runs through in the middle of a word cannot end there.
    assert told <= ({"shot_change"} if name == "bbc" or len(shots) > 2 else set())
    assert all(a.end <= b.start for a, b in itertools.pairwise(made.cues)), "whatever the cuts, none overlaps another"


@pytest.mark.parametrize("name", SCRIPTS)
def test_other_scripts_keep_the_rules_of_theirs_and_are_written_as_they_are(name):
    words = SCRIPTS[name].split()
    pace = max(len(w) for w in words) / PRESETS[name].characters_a_second + 0.2
    made = make(spoken(words, pace=round(pace, 2)), PRESETS[name], rate=Fraction(25))
    assert hard(made, name, Fraction(25)) == []
    text = " ".join(line for c in made.cues for line in c.lines)
    assert text.replace(" ", "") == "".join(words)
    assert all((" " in c.lines[0]) == (name == "netflix_ko" and c.words > 1) for c in made.cues if len(c.lines) == 1)


def test_two_captions_do_not_begin_at_the_same_cut():
    said = [*spoken(["Yes."]), *(Spoken(text=w.text, start=w.start + Fraction(1, 2), end=w.end + 1, speaker="b")
                                 for w in spoken(["No,", "never."]))]  # fmt: skip
    made = make(said, PRESETS["netflix"], rate=Fraction(25), shots=(10,))
    assert all(a.end < b.start for a, b in itertools.pairwise(made.cues))


@settings(max_examples=25)
@given(st.lists(st.sampled_from(TALK), min_size=1, max_size=40), st.floats(0.3, 0.6), st.sets(st.integers(0, 39)))
def test_times_are_in_order_and_words_are_shown_while_they_are_spoken(words, pace, pauses):
    said = spoken(words, pace=round(pace, 3), pauses=pauses)
    made = make(said, PRESETS["plain"], rate=Fraction(25))
    assert all(c.start < c.end for c in made.cues)
    assert all(a.end <= b.start for a, b in itertools.pairwise(made.cues))
    at = 0
    for cue in made.cues:
        inside = said[at : at + cue.words]
        assert cue.start <= inside[0].start + Fraction(1, 25)
        assert cue.end >= inside[-1].end - Fraction(1, 2)
        at += cue.words


def test_a_change_of_speaker_and_a_long_pause_end_a_caption():
    words = ["Do", "you", "see", "it?", "Yes,", "I", "do."]
    two = make(spoken(words, speakers=((0, "voice 1"), (4, "voice 2"))), PRESETS["plain"], rate=Fraction(25))
    assert [c.lines for c in two.cues] == [("Do you see it?",), ("Yes, I do.",)]
    apart = make(spoken(words, pauses=(3,)), PRESETS["plain"], rate=Fraction(25))
    assert len(apart.cues) == 2


WOODS = "she would ride a maying into the woods and fields beside Westminster"


def test_lines_break_at_phrases():
    words = WOODS.split()
    first, second = broken(words, PRESETS["netflix"])
    assert (first, second) == ("she would ride a maying into the woods", "and fields beside Westminster")


def test_who_speaks_too_fast_breaks_a_rule_that_is_told():
    made = make(spoken(TALK * 2, pace=0.12), PRESETS["netflix"], rate=Fraction(25))
    assert {b.rule for b in hard(made, "netflix", Fraction(25))} <= {"reading_speed", "gap", "too_short"}
    assert hard(made, "netflix", Fraction(25))


def test_no_words_no_captions():
    assert make([], PRESETS["netflix"], rate=Fraction(25)).cues == ()
