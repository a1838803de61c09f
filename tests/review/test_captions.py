"""Captions corrected over the API: tried, set, taken back; they follow their words and are written with the cut."""

from fractions import Fraction

import pytest
from click.testing import CliRunner

from safelight import captions, overlaid, rough
from safelight.cli import cli
from tests import made_talk


@pytest.fixture
def app(library, tmp_path, open_app):
    return open_app(made_talk.shoot(library, tmp_path / "shoot"))


@pytest.fixture
def place(app):
    (row,) = app.get("cuts")
    return f"clips/{row['clip']}"


def about(cue, **more):
    return {k: cue[k] for k in ("first", "last", "lines", "start", "end")} | {"proposed": False} | more


def test_a_caption_is_tried_set_and_taken_back(app, place):
    found = app.get(f"{place}/captions?proposed=false")
    first, *rest = found["cues"]
    assert (first["first"], first["last"], first["own"], found["own"]) == (0, 4, False, 0)
    long = about(first, lines=["We begin, as we have always begun in this house, with bread", "and", "salt"])
    tried = app.post(f"{place}/captions/tried", long)
    assert {b["rule"] for b in tried["cues"][0]["breaches"]} >= {"line length", "line count"}
    assert app.get(f"{place}/captions?proposed=false") == found, "trying keeps nothing"
    said = app.post(f"{place}/captions", about(first, lines=["We begin with bread!"], start=0.6, end=2.4))
    cue = said["cues"][0]
    assert (cue["lines"], cue["start"], cue["end"], cue["own"]) == (["We begin with bread!"], 0.6, 2.4, True)
    assert [c["lines"] for c in said["cues"][1:]] == [c["lines"] for c in rest]
    assert said["own"] == 1
    back = app.post(f"{place}/captions", about(cue, back=True))
    assert back["cues"] == found["cues"]
    assert app.post("undo")["undone"] == "verdict"
    assert app.get(f"{place}/captions?proposed=false")["cues"][0]["own"]
    app.post("undo")
    assert app.get(f"{place}/captions?proposed=false") == found


def test_a_caption_follows_its_words_through_cuts(app, place, library, tmp_path):
    whole = app.get(f"{place}/captions?proposed=false")["cues"]
    last = whole[-1]
    app.post(f"{place}/captions", about(last, lines=["Then comes WATER."], start=last["start"] - 0.2))
    sheet = app.post(f"{place}/verdict", {"operator": "retakes", "say": "approve"})
    gone = sum(b - a for a, b in sheet["kept"])
    assert gone < sheet["frames"]
    cut = app.get(f"{place}/captions?proposed=false")["cues"][-1]
    assert (cut["lines"], cut["own"]) == (["Then comes WATER."], True)
    assert last["start"] - 0.2 - cut["start"] == pytest.approx((sheet["frames"] - gone) / 25)
    state = library.state(tmp_path / "shoot")
    (clip,) = state.footage.values()
    made = rough.cut([(tmp_path / "shoot" / "talk.wav", clip)], rough.Wanted(decided=True), listen=False)
    written, _ = rough.captioned(made, captions.PRESETS["netflix"])
    assert written.cues[-1].lines == ("Then comes WATER.",)
    assert float(written.cues[-1].start) == cut["start"]
    asked = ["captions", "make", str(tmp_path / "shoot" / "talk.wav"), "--to", str(tmp_path / "t.srt")]
    CliRunner().invoke(cli, [*asked, "--library", str(tmp_path / "library")], catch_exceptions=False)
    assert "Then comes WATER." in (tmp_path / "t.draft.srt").read_text("utf-8")


def test_one_whose_words_are_struck_waits_for_them(app, place):
    first = app.get(f"{place}/captions?proposed=false")["cues"][0]
    app.post(f"{place}/captions", about(first, lines=["We begin with bread!"]))
    app.post(f"{place}/strike", {"ranges": [[0, 4]]})
    assert app.get(f"{place}/captions?proposed=false")["own"] == 0
    app.post(f"{place}/strike", {"ranges": [[0, 2]], "back": True})
    cue = app.get(f"{place}/captions?proposed=false")["cues"][0]
    assert (cue["own"], cue["first"], cue["last"], cue["lines"]) == (True, 0, 2, ["We begin with bread!"])


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"lines": ["  "]}, 400), ({"start": 2.0, "end": 1.0}, 400), ({"first": 90, "last": 99}, 400),
        ({"preset": "none"}, 400), ({"lines": ["a\x1bb"]}, 422), ({"lines": ["x"] * 9}, 422),
        ({"lines": ["x" * 501]}, 422), ({"start": -1}, 422),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(app, place, more, status):
    cue = app.get(f"{place}/captions?proposed=false")["cues"][0]
    app.post(f"{place}/captions", about(cue, **more), status=status)
    assert app.get(f"{place}/captions?proposed=false")["own"] == 0


def test_captions_beside_one_that_was_set_give_way(app, place):
    found = app.get(f"{place}/captions?proposed=false")["cues"]
    two = found[1]
    said = app.post(f"{place}/captions", about(two, start=found[0]["end"] - 0.2))
    first, second = said["cues"][:2]
    assert second["own"]
    assert Fraction(str(first["end"])) <= Fraction(str(second["start"]))


def test_captions_keep_to_the_changes_of_picture_that_the_cut_has(library, with_hands):
    """A cutaway begins and ends beside captions: they move as those that are written with the cut."""
    app, place, ids, clip = with_hands
    before = app.get(f"{clip}/captions?proposed=false")["cues"]
    ends = Fraction(round(before[0]["end"] * 25) + 4, 25)
    mark = {"name": "own", "at": str(ends - 2), "length": "2/1", "source": ids["hands.mov"], "start": "1/1"}
    app.post(f"{clip}/effect", {"operator": "cutaways", "params": {"marks": [mark]}})
    found = app.get(f"{clip}/captions?proposed=false")["cues"]
    assert found != before
    state = library.state(place)
    beside = {one.id: overlaid.other(place / one.path, one) for one in state.footage.values()}
    talk = next(one for one in state.footage.values() if one.path == "talk.mov")
    made = rough.cut([(place / "talk.mov", talk)], rough.Wanted(decided=True, beside=beside), listen=False)
    written, _ = rough.captioned(made, captions.PRESETS["netflix"])
    assert [(c["start"], c["end"]) for c in found] == [(float(c.start), float(c.end)) for c in written.cues]
