"""One page for the client: everything on it stands in the manifest, and the PDF says the same."""

import pytest

from safelight import policy
from safelight.deliver import job_record


def made(**changed):
    file = {
        "name": "a.jpg", "edits": [{"operator": "exposure@1", "params": {"ev": 0.3}}], "output": [],
        "checks": [
            {"by": "exposure@1", "name": "exposure.off", "value": 0.1, "unit": "fault", "cannot_tell": None},
            {"by": "exposure@1", "name": "exposure.blown", "value": 0.7, "unit": "fault", "cannot_tell": None},
        ],
        "verdicts": [
            {"operator": "cull", "by": "ann", "say": "approve"}, {"operator": "tone", "by": "ben", "say": "modify"},
            {"operator": "exposure", "by": "policy:exposure", "say": "approve"},
            {"operator": "crop", "by": "ann", "say": "reject"},
            {"operator": "camera_look", "by": "policy:camera_look", "say": "approve"},
        ],
    }  # fmt: skip
    return {
        "shoot": {"name": "Hochzeit <Müller>", "client": "Ada & Co"}, "draft": False, "signed_off_by": "ann",
        "made_at": "2026-05-02T10:00:00.000+00:00", "files": [file] * 3, "failed": [], "open": [],
        "made_with": {"program": "safelight 1", "weights": {}}, "unseen": {"text": "Bound of what nobody saw."},
    } | changed  # fmt: skip


def said(document):
    return {head: " ".join(lines) for head, lines in job_record.of(document, policy.default()).sections}


def test_it_tells_machine_and_people_apart():
    found = said(made())
    assert "approved by a person: cull 3" in found["What the machine did"]
    assert "Done alone, as the studio's own record allows: exposure 3" in found["What the machine did"]
    assert "as the camera showed it: camera look 3" in found["What the machine did"]
    assert found["What people did"].startswith("Decided by ann, ben. Changed by hand: tone 3.")
    assert "crop 3" in found["What people did"]


def test_it_says_what_was_checked_and_found_and_what_was_used():
    found = said(made())
    assert "6 checks" in found["What was checked, and how"]
    assert "3 findings" in found["What was checked, and how"]
    assert found["What nobody looked at"] == "Bound of what nobody saw."
    assert "exposure@1: Makes a photo brighter" in found["Disclosure"]


def test_a_page_is_escaped_and_a_pdf_is_one_page_and_the_same_every_time():
    record = job_record.of(made(), policy.default())
    assert "Hochzeit &lt;Müller&gt; for Ada &amp; Co" in job_record.page(record)
    first, second = (job_record.pdf(record, at=made()["made_at"]) for _ in range(2))
    assert first == second
    assert first.startswith(b"%PDF")
    assert first.count(b"/Type /Page\n") == 1


@pytest.mark.parametrize("fonts", [(), job_record.FONTS])
def test_letters_that_no_font_has_do_not_stop_a_delivery(fonts, monkeypatch):
    monkeypatch.setattr(job_record, "FONTS", fonts)
    record = job_record.of(made(shoot={"name": "結婚 \udcff 𝕏 " + "long " * 60, "client": None}), policy.default())
    assert job_record.pdf(record, at=made()["made_at"]).startswith(b"%PDF")
