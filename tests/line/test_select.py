"""What a length chose is an edit of each clip: judged sentence by sentence, undone, followed by every later export."""

import pytest
from click.testing import CliRunner

from safelight import cuts, deliver, verdicts
from safelight.cli import cli
from safelight.cuts import Answer
from safelight.domain import Say
from safelight.explain import words
from safelight.interchange import read
from safelight.verdicts import Saying
from tests import made_talk

pytestmark = pytest.mark.usefixtures("in_process")


@pytest.fixture
def folder(library, tmp_path):
    """A shoot of one talk whose pauses and takes stay as they are."""
    place = made_talk.shoot(library, tmp_path / "talk")
    for operator in ("tighten", "retakes"):
        say(library, place, Saying(say=Say.REJECT, by="Ada", operators=(operator,), reason="taste"))
    return place


def the_clip(library, folder):
    return library.state(folder).clips["talk.wav"]


def say(library, folder, saying):
    state = library.state(folder)
    assert verdicts.decide(library.store, state, [state.clips["talk.wav"]], saying).verdicts


def cut(library, folder, to, *options):
    named = ["cut", str(folder), "--to", str(to), "--no-listen", "--library", str(library.store.folder), *options]
    done = CliRunner().invoke(cli, named)
    assert done.exit_code == 0, done.output
    return done.output, read(to).programme.length


def selection(clip):
    return next(one for one in cuts.listed(clip) if one.operator == "select")


def test_a_choice_is_proposed_changed_followed_and_undone(library, folder, tmp_path):
    said, asked = cut(library, folder, tmp_path / "asked.otio", "--length", "5s")
    assert "on the record of 1 clip" in said
    assert asked <= 5 * 25
    clip = the_clip(library, folder)
    assert clip.open_questions() == ["select"]
    listed = selection(clip)
    assert listed.cuts
    assert all(c.rule == "sentence" and c.text.startswith("“") and "heard" in c.evidence for c in listed.cuts)
    assert "sentences stay in a cut of 5 s" in listed.notes[0]
    entry = library.explain("talk.wav", folder=folder)
    assert "select: proposed" in words(entry)
    assert cut(library, folder, tmp_path / "proposed.otio")[1] == asked, "what is proposed is followed"
    assert cut(library, folder, tmp_path / "whole.otio", "--decided")[1] == 300, "nothing goes before somebody says so"

    first, *rest = listed.cuts
    answers = [Answer(name=first.name, say="drop"), *(Answer(name=c.name, say="approve") for c in rest)]
    say(library, folder, cuts.answered(clip, "select", answers, Saying(say=Say.MODIFY, by="Ada")))
    taken_in = cut(library, folder, tmp_path / "changed.otio", "--decided")[1]
    assert taken_in == asked + first.end - first.start
    made = library.deliver(folder, tmp_path / "out", order=deliver.Order(to=tmp_path / "out", sign_off="Ada"))
    assert read(tmp_path / "out" / "talk.otio").programme.length == taken_in
    assert [e["operator"] for e in made["files"][0]["edits"]] == ["select@1"]

    longer = cut(library, folder, tmp_path / "longer.otio", "--length", "11s")[1]
    assert longer > taken_in, "another length chooses among all sentences"
    assert selection(the_clip(library, folder)).state == "modified", "what a person decided stands"
    say(library, folder, Saying(say=Say.UNDO, by="Ada", operators=("select",)))
    assert the_clip(library, folder).open_questions() in ([], ["select"])
    assert cut(library, folder, tmp_path / "undone.otio", "--decided")[1] == 300


def test_a_clip_of_which_all_is_left_out_leaves_nothing_behind(library, folder, tmp_path):
    everything = {"cuts": [{"name": "all", "start": "0/1", "end": "12/1"}]}
    say(library, folder, Saying(say=Say.MODIFY, by="Ada", operators=("select",), params=everything))
    made = library.deliver(folder, tmp_path / "out", order=deliver.Order(to=tmp_path / "out", sign_off="Ada"))
    assert [f["name"] for f in made["files"]] == []
