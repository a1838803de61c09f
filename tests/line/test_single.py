"""Files that single commands make of clips: proposals, drafts, and final ones that somebody signed for."""

import json

import pytest
from click.testing import CliRunner

from safelight import verdicts
from safelight.checking import Outcome
from safelight.cli import cli
from safelight.deliver import gate, single
from safelight.domain import Say
from safelight.errors import Refused, UsageError
from safelight.verdicts import Saying
from tests import made_talk


@pytest.fixture
def folder(library, tmp_path):
    return made_talk.shoot(library, tmp_path / "talk", "talk.mov")


def call(library, *arguments):
    return CliRunner().invoke(cli, [*map(str, arguments), "--library", str(library.store.folder)])


def paper(path):
    return json.loads(path.with_name(path.name + single.PAPER).read_text("utf-8"))


def test_a_cut_that_nobody_has_answered_is_a_draft_and_cannot_be_signed(library, folder, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    asked = ("cut", folder / "talk.mov", "--no-listen", "--captions", out / "cut.srt")
    done = call(library, *asked, "--to", out / "cut.otio")
    assert done.exit_code == 0, done.output
    assert "cut.draft.srt is a draft" in done.output
    assert not (out / "cut.srt").exists()
    assert paper(out / "cut.draft.srt")["kind"] == "draft"
    assert paper(out / "cut.draft.srt")["gate"]["open"] == ["heard_back"]
    assert (paper(out / "cut.otio")["kind"], paper(out / "cut.otio")["gate"]) == ("proposal", None)
    refused = call(library, *asked, "--sign-off", "Ada")
    assert isinstance(refused.exception, Refused)
    assert "tighten" in refused.exception.cause
    assert "--sign-off" in refused.exception.remedy
    assert not (out / "cut.srt").exists()


def test_an_answered_cut_is_final_on_a_name(library, folder, tmp_path):
    state = library.state(folder)
    verdicts.decide(library.store, state, list(state.footage.values()), Saying(say=Say.APPROVE, by="Ada"))
    to = tmp_path / "cut.srt"
    done = call(library, "cut", folder / "talk.mov", "--no-listen", "--captions", to, "--sign-off", "Ada")
    assert done.exit_code == 0, done.output
    assert to.is_file()
    assert not single.draft_of(to).exists()
    told = paper(to)
    assert (told["kind"], told["signed_off_by"], told["gate"]["open"]) == ("final", "Ada", [])
    assert [a["finding"] for a in told["gate"]["answered"]] == ["heard_back"]
    assert told["sources"][0]["name"] == "talk.mov"


def test_captions_of_a_clip_are_a_draft(library, folder, tmp_path):
    done = call(library, "captions", "make", folder / "talk.mov", "--to", tmp_path / "talk.srt")
    assert "talk.draft.srt is a draft" in done.output
    assert paper(tmp_path / "talk.draft.srt")["kind"] == "draft"


def test_what_fails_stays_a_draft_whoever_signs(tmp_path):
    source = tmp_path / "a.mov"
    source.write_bytes(b"clip")
    made = single.begin(tmp_path / "film.mp4", [source], sign_off="Ada")
    made.path.write_bytes(b"film")
    broken = single.Found(
        name="web_video.loudness", outcome=Outcome.FAIL, text="It is too loud.", remedy="Turn it down."
    )
    with pytest.raises(gate.Held, match="too loud"):
        single.settle([made], [broken])
    assert not made.to.exists()
    assert made.path.read_bytes() == b"film"
    assert (paper(made.path)["kind"], paper(made.path)["signed_off_by"]) == ("draft", None)
    made.path.with_name("film.draft.mp4.xmp").write_bytes(b"origin")
    assert single.settle([made]) == (made.to,)
    assert (tmp_path / "film.mp4.xmp").read_bytes() == b"origin"


def test_names_of_rules_and_originals_are_refused(tmp_path):
    source = tmp_path / "a.mov"
    source.write_bytes(b"clip")
    with pytest.raises(UsageError, match="person"):
        single.begin(tmp_path / "b.mov", [source], sign_off="policy:default")
    with pytest.raises(UsageError, match="original"):
        single.begin(source, [source], sign_off="Ada")
    draft = source.rename(tmp_path / "a.draft.mov")
    with pytest.raises(UsageError, match="original"):
        single.begin(source, [draft], sign_off="Ada")
    with pytest.raises(UsageError, match="name of a draft"):
        single.begin(tmp_path / "b.draft.mov", [source], sign_off="Ada")
    assert single.draft_of(tmp_path / "a.draft.mov") == tmp_path / "a.draft.mov"
