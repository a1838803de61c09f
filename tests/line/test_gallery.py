"""What people rejected and what checks found is shown at full scale, with what was done instead."""

import json

import pytest
from PIL import Image

from safelight.domain import Input, Measure, Version
from safelight.report import gallery
from safelight.store import records
from safelight.store.objects import ShootFolder
from tests.line import test_earned

operators, originals, shoot = test_earned.operators, test_earned.originals, test_earned.shoot


def made(library, shoot, to):
    state = library.state(shoot)
    return gallery.make(library.store, state, ShootFolder.at(shoot), to, jobs=1, tell=lambda progress: None)


def test_a_shoot_without_failures_says_so(library, shoot, tmp_path):
    found = made(library, shoot, tmp_path / "gallery")
    assert found["kinds"] == {}
    assert "Nothing was rejected" in (tmp_path / "gallery" / "index.html").read_text()


@pytest.fixture
def failed(library, shoot):
    first, second, third, fourth = list(library.state(shoot).photos)[:4]
    library.verdict(shoot, [first], operator="exposure", say="reject", by="ann", reason="too_bright", note="<no>")
    library.verdict(shoot, [second], operator="exposure", say="modify", params={"ev": 1.5}, by="ann")
    library.verdict(shoot, [third], operator="exposure", say="modify", params={"ev": 0.45}, by="ann")  # a touch
    library.verdict(shoot, [fourth], operator="cull", say="modify", params={"decision": "reject"}, by="ann")
    return shoot


def test_rejects_and_changes_are_shown_before_and_after(library, failed, tmp_path):
    found = made(library, failed, tmp_path / "gallery")
    assert found["kinds"] == {"cull: changed": 1, "exposure: changed": 1, "exposure: too bright": 1}
    rejected = next(c for c in found["cases"] if c["kind"] == "exposure: too bright")
    assert set(rejected["pictures"]) == {"before", "after"}
    assert rejected["evidence"] == ["Dark.", "“<no>”"]
    changed = next(c for c in found["cases"] if c["kind"] == "exposure: changed")
    assert changed["instead"] == "A person set ev 0.4 → 1.5."
    sums = {part: sum(Image.open(tmp_path / "gallery" / file).convert("L").histogram()[200:])
            for part, file in changed["pictures"].items()}  # fmt: skip
    assert sums["before"] < sums["after"] < sums["instead"]
    choice = next(c for c in found["cases"] if c["operator"] == "cull")
    assert set(choice["pictures"]) == {"before"}
    page = (tmp_path / "gallery" / "index.html").read_text()
    assert "&lt;no&gt;" in page
    assert all(file in page for case in found["cases"] for file in case["pictures"].values())
    assert json.loads(json.dumps(found)) == found


def test_what_was_taken_back_is_no_failure(library, failed, tmp_path):
    first = next(iter(library.state(failed).photos))
    library.verdict(failed, [first], operator="exposure", say="undo", by="ann")
    assert "exposure: too bright" not in made(library, failed, tmp_path / "gallery")["kinds"]


def test_a_check_that_found_a_fault_is_a_case(library, shoot, tmp_path):
    state = library.state(shoot)
    photo = next(iter(state.photos.values()))
    version = photo.edits(proposed=True)
    name = Version(inputs=(Input(id=photo.id),), edits=version).id
    fault = Measure(name="exposure.blown", value=0.9, unit="fault")
    records.save_evidence(library.store, [(name, "exposure@1", "again", (fault,))])
    (case,) = gallery.collect(library.store, library.state(shoot))
    assert (case.kind, case.evidence[0]) == (
        "exposure: check found blown", "exposure.blown is 0.90 (0 none, 1 certain).",
    )  # fmt: skip
    assert case.instead == "It waits for a person, and says so."


def test_a_photo_that_cannot_be_opened_is_told_without_a_picture(library, failed, tmp_path):
    for file in failed.glob("*.JPG"):
        file.write_bytes(b"gone")
    found = made(library, failed, tmp_path / "gallery")
    assert all(case["error"] and not case["pictures"] for case in found["cases"])
