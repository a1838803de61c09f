"""Grades of clips: proposed by the choice of a hero, judged, carried by lists, applied where a film is made."""

import json
from fractions import Fraction
from functools import partial

import av
import numpy as np
import pytest
from click.testing import CliRunner

from safelight import effects, interchange, matching, rough
from safelight.cli import cli
from safelight.cutting import grading, render
from safelight.domain import Say, State
from safelight.matching import CDL, Matched
from safelight.matching.cdl import Grade
from safelight.media import container, film_xmp
from tests import judged, made_talk
from tests.made_clips import make_clip

WARM = CDL(slope=(1.2, 1.0, 0.8), offset=(0.02, 0.0, -0.01), power=(0.9, 1.0, 1.1), saturation=0.7)


pytestmark = pytest.mark.usefixtures("in_process")


@pytest.fixture
def folder(library, tmp_path):
    """A shoot of two short clips."""
    place = tmp_path / "shots"
    place.mkdir()
    for name in ("hero.mov", "other.mov"):
        make_clip(place / name, frames=25, options={"g": "12"})
    library.run(place, options=made_talk.PASS)
    return place


def matched(library, folder, monkeypatch, found):
    """What the command says of the other clip, where this is found."""
    monkeypatch.setattr(matching, "look_of", lambda path: path)
    monkeypatch.setattr(matching, "match", lambda hero, other: found)
    named = [str(folder / "hero.mov"), str(folder / "other.mov"), "--library", str(library.store.folder)]
    return CliRunner().invoke(cli, ["match", *named])


the_clip = partial(judged.the_clip, path="other.mov")


def say(library, folder, what=Say.APPROVE, **more):
    judged.say(library, folder, "grade", what, path="other.mov", **more)


def cut_of(library, folder, **more):
    return rough.cut(
        [(folder / "other.mov", the_clip(library, folder))], rough.Wanted(decided=True, **more), listen=False
    )


def colour(path):
    """Mean display values of a film's first frame."""
    with av.open(str(path)) as source:
        return next(source.decode(video=0)).to_ndarray(format="rgb24").mean((0, 1)) / 255


def test_the_choice_of_a_hero_is_a_grade_that_is_judged_carried_and_undone(library, folder, tmp_path, monkeypatch):
    found = Matched(grade=Grade(cdl=WARM, table=WARM), before=8.0, after=1.0, share=0.6)
    done = matched(library, folder, monkeypatch, found)
    assert (done.exit_code, "1 grade on the record" in done.output) == (0, True), done.output
    clip = the_clip(library, folder)
    assert clip.open_questions() == ["grade"]
    (listed,) = effects.listed(clip)
    assert "Beside hero.mov: ΔE00 8.0 becomes 1.0" in listed.because[0]
    plain = render.render(cut_of(library, folder).made, tmp_path / "plain.mov")
    assert plain.copied or plain.encoded

    say(library, folder)
    assert the_clip(library, folder).state("grade") is State.APPROVED
    library.run(folder, options=made_talk.PASS)
    assert the_clip(library, folder).proposals["grade"].offers, "another run does not withdraw it"
    made = cut_of(library, folder).made
    for ending, kept in (("otio", WARM), ("edl", WARM), ("fcpxml", None), ("xml", None)):
        written = interchange.write(tmp_path / f"cut.{ending}", made.programme)
        back = interchange.read(tmp_path / f"cut.{ending}", rate=Fraction(25)).programme
        assert back.tracks[0].items[0].grade == kept, ending
        assert any("ASC CDL" in loss for loss in written.losses) == (kept is None), ending
    told = json.loads((tmp_path / "cut.otio").read_text())["tracks"]["children"][0]["children"][0]["metadata"]["cdl"]
    assert told["asc_sop"]["slope"] == [1.2, 1.0, 0.8]
    graded = render.render(made, tmp_path / "graded.mov")
    assert (graded.copied, len(graded.encoded)) == ((), 1)
    before, after = colour(tmp_path / "plain.mov"), colour(tmp_path / "graded.mov")
    assert after == pytest.approx(_mean(tmp_path / "plain.mov"), abs=0.02)
    assert after[0] - after[2] > before[0] - before[2]
    assert b"algorithmicallyEnhanced" in (film_xmp.read(tmp_path / "graded.mov") or b"")

    say(library, folder, Say.UNDO)
    say(library, folder, Say.REJECT, reason="taste")
    assert effects.of(the_clip(library, folder)) == ()
    assert cut_of(library, folder).made.programme.tracks[0].items[0].grade is None


def _mean(path):
    with av.open(str(path)) as source:
        rgb = next(source.decode(video=0)).to_ndarray(format="rgb24") / 255
    return WARM(rgb).mean((0, 1))


def test_what_cannot_be_matched_abstains_and_what_is_alike_proposes_nothing(library, folder, monkeypatch):
    done = matched(library, folder, monkeypatch, Matched(cannot_tell="they show too little in common"))
    assert done.exit_code == 1
    assert the_clip(library, folder).state("grade") is State.ABSTAINED
    matched(library, folder, monkeypatch, Matched(alike=True, before=0.2, after=0.2))
    assert "grade" not in the_clip(library, folder).proposals


def test_a_grade_that_changes_nothing_changes_no_sample(folder):
    facts = container.contents(folder / "other.mov")
    with av.open(str(folder / "other.mov")) as source:
        frame = next(source.decode(video=0))
        made = grading.graded(frame, CDL(), facts.picture)
        assert made.format.name == frame.format.name
        one, two = (f.to_ndarray(format=frame.format.name).astype(int) for f in (frame, made))
    assert np.array_equal(one, two)
