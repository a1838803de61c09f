"""An approval stands on what was shown below it: a later change sends it back, unless its checks pass."""

import pytest

from safelight.deliver import Order
from safelight.domain import Edit, Say, Verdict
from safelight.errors import Refused
from safelight.line import Options
from safelight.standing import below, moved, passed

INLINE = Options(engine="inline", only=("cull", "white_balance", "exposure"))
PHOTO = "IMG_0000.JPG"
LIFT, STRONG = {"ev": 0.3}, {"ev": 2.4}


def edit(operator, **params):
    return Edit(operator=operator, version=1, params=params)


def approved(*upon):
    return Verdict(
        at="1", by="ann", asset="a", shoot="s", operator="crop", version=1, say=Say.APPROVE, params={}, upon=upon
    )


# ---------------------------------------------------------------- what counts as a change


def test_below_are_those_that_are_rendered_before():
    edits = (edit("white_balance"), edit("exposure"), edit("crop"), edit("painted_light"))
    assert [e.operator for e in below(edits, "painted_light")] == ["white_balance", "exposure"]
    assert below(edits, "white_balance") == ()
    assert below(edits, "not installed") == ()


def test_small_changes_and_changes_above_leave_an_approval_alone():
    assert moved(approved(edit("exposure", ev=0.5)), (edit("exposure", ev=0.55), edit("crop", angle=3.0))) == []


def test_material_new_and_withdrawn_edits_below_are_named():
    assert moved(approved(edit("exposure", ev=0.5)), (edit("exposure", ev=1.5),)) == ["exposure"]
    assert moved(approved(), (edit("exposure", ev=1.5),)) == ["exposure"]
    assert moved(approved(edit("exposure", ev=1.5)), ()) == ["exposure"]


def test_verdicts_that_do_not_say_what_they_rest_on_are_left_alone():
    old = Verdict(at="1", by="ann", asset="a", shoot="s", operator="crop", version=1, say=Say.APPROVE, params={})
    assert moved(old, (edit("exposure", ev=1.5),)) == []


def test_what_was_never_tried_has_not_passed():
    assert not passed(approved(), None)


# ---------------------------------------------------------------- through the line


@pytest.fixture
def shoot(library, make_shoot):
    """One kept photo with a white balance below an exposure that somebody approved."""
    folder = make_shoot(1)
    library.run(folder, options=INLINE)
    for operator, params in (("cull", {"decision": "keep"}), ("white_balance", {"mired": 10.0}), ("exposure", LIFT)):
        library.verdict(folder, [PHOTO], operator=operator, say="modify", params=params, by="ann")
    return folder


def change(library, folder, mired):
    library.verdict(folder, [PHOTO], operator="white_balance", say="modify", params={"mired": mired}, by="ann")


def test_an_approval_returns_to_review_and_says_why(library, shoot):
    assert library.state(shoot).photo(PHOTO).open_questions() == []
    change(library, shoot, 11.0)
    assert library.state(shoot).photo(PHOTO).shaken == {}
    change(library, shoot, 90.0)
    photo = library.state(shoot).photo(PHOTO)
    assert photo.open_questions() == ["exposure"]
    assert photo.shaken["exposure"].startswith("White balance changed after exposure was approved")


def test_checks_that_pass_bring_it_back(library, shoot, tmp_path):
    change(library, shoot, 60.0)
    library.run(shoot, options=INLINE)
    assert library.state(shoot).photo(PHOTO).open_questions() == []
    change(library, shoot, -60.0)
    made = library.deliver(shoot, tmp_path / "out", order=Order(to=tmp_path, sign_off="ann"))  # checks by itself
    assert made["open"] == []


def test_checks_that_fail_leave_it_with_a_person(library, shoot, tmp_path, monkeypatch):
    monkeypatch.setattr("safelight.state.standing.passed", lambda verdict, checked: False)
    change(library, shoot, 90.0)
    with pytest.raises(Refused):
        library.deliver(shoot, tmp_path / "out", order=Order(to=tmp_path, sign_off="ann"))
    said = library.verdict(shoot, [PHOTO], operator=None, say=Say.APPROVE, by="ann")
    assert [(v.operator, v.params["ev"]) for v in said] == [("exposure", LIFT["ev"])]
    assert library.state(shoot).photo(PHOTO).open_questions() == []


def test_what_a_verdict_rests_on_travels_with_the_folder(library, shoot, tmp_path):
    from safelight.api import Library

    library.run(shoot, options=INLINE)
    with Library.open(tmp_path / "other") as other:
        other.run(shoot, options=INLINE)
        verdict = other.state(shoot).photo(PHOTO).standing["exposure"]
        assert [(e.operator, e.params["mired"]) for e in verdict.upon] == [("white_balance", 10.0)]
