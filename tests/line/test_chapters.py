"""Chapters of a talk: proposed from its words, judged whole or one by one, markers of what plays, undone."""

import pytest

from safelight import cuts, effects, rough
from safelight.domain import Say, State, Zone
from safelight.explain import words
from tests import judged, made_talk
from tests.judged import the_clip
from tests.made_clips import make_sound

SAID = (
    ("Good", 0.5, 0.8), ("morning.", 0.9, 1.4), ("Salt", 40.0, 40.4), ("is", 40.5, 40.6), ("old.", 40.7, 41.2),
    ("Now", 64.0, 64.3), ("bread.", 64.4, 65.0), ("Then", 66.0, 66.3), ("water", 66.4, 67.0),
    ("At", 68.0, 68.2), ("last", 68.3, 68.6), ("wine.", 68.7, 69.2),
)  # fmt: skip
SECONDS = 70.0


@pytest.fixture
def folder(library, tmp_path, in_process):
    """A shoot with a talk of more than a minute, heard."""
    place = tmp_path / "talk"
    place.mkdir()
    make_sound(place / "talk.wav", made_talk.wave(seconds=SECONDS, said=SAID))
    library.run(place, options=made_talk.PASS)
    made_talk.known(library, place, said=SAID, seconds=SECONDS)
    return place


def say(library, folder, what=Say.APPROVE, *, operator="chapters", **more):
    judged.say(library, folder, operator, what, **more)


def marked(library, folder, **more):
    """The chapters of a cut: seconds of it, and titles."""
    cut = rough.cut([(folder / "talk.wav", the_clip(library, folder))], rough.Wanted(**more), listen=False)
    programme = cut.made.programme
    return [(float(m.at / programme.rate), m.comment) for m in programme.markers if m.name == "chapter"]


def test_chapters_are_proposed_judged_one_by_one_and_undone(library, folder):
    clip = the_clip(library, folder)
    assert clip.proposals["chapters"].zone is Zone.REVIEW
    assert "chapters" in clip.open_questions()
    (listed,) = [one for one in effects.listed(clip) if one.operator == "chapters"]
    assert listed.state is State.PROPOSED
    assert listed.text == "0:00 “Good morning. Salt is old. Now”, 1:04 “Now bread. Then water At last”"
    assert listed.because[2] == "“Now bread. Then water At last” at 64.0 s follows a pause of 22.8 s."
    assert [c.text for c in listed.choices] == [
        "without “Good morning. Salt is old. Now”", "without “Now bread. Then water At last”",
    ]  # fmt: skip
    assert "chapters: proposed." in words(library.explain("talk.wav", folder=folder))
    for operator in ("tighten", "retakes", "loudness"):
        if operator in clip.proposals:
            say(library, folder, Say.REJECT, operator=operator, reason="taste")
    assert marked(library, folder) == [
        (0.48, "Good morning. Salt is old. Now"), (64.0, "Now bread. Then water At last"),
    ]  # fmt: skip
    assert marked(library, folder, decided=True) == [], "they wait"

    say(library, folder)
    assert "chapters, said by Ada: 0:00 “Good" in words(library.explain("talk.wav", folder=folder))
    assert len(marked(library, folder, decided=True)) == 2
    say(library, folder, Say.MODIFY, params=dict(listed.choices[0].params))
    assert marked(library, folder, decided=True) == [(64.0, "Now bread. Then water At last")]
    named = [{"name": "own", "at": "40/1", "title": "Salt"}]
    say(library, folder, Say.MODIFY, params={"marks": named})
    assert [c.title for c in cuts.chapters(the_clip(library, folder))] == ["Salt"]
    for _ in range(3):
        say(library, folder, Say.UNDO)
    assert the_clip(library, folder).state("chapters") is State.PROPOSED
    say(library, folder, Say.REJECT, reason="taste")
    assert marked(library, folder) == []


def test_a_chapter_whose_first_words_are_cut_begins_with_what_is_left_of_it(library, folder):
    say(library, folder)
    gone = [{"name": "a", "start": "60/1", "end": "66/1"}]
    say(library, folder, Say.MODIFY, operator="tighten", params={"cuts": gone})
    if "retakes" in the_clip(library, folder).proposals:
        say(library, folder, Say.REJECT, operator="retakes", reason="taste")
    assert marked(library, folder, decided=True)[1] == (60.0, "Now bread. Then water At last")
    gone = [{"name": "a", "start": "60/1", "end": "69/1"}]
    say(library, folder, Say.MODIFY, operator="tighten", params={"cuts": gone})
    assert [at for at, _ in marked(library, folder, decided=True)] == [0.48, 60.0], "a second of it is left"


def test_cuts_are_listened_to_without_regard_to_chapters(library, folder):
    before = the_clip(library, folder).cut(proposed=True)
    say(library, folder)
    assert the_clip(library, folder).cut(proposed=True) == before
