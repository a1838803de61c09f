"""One page for the client: everything on it stands in the manifest, and the PDF says the same."""

import sys
from io import BytesIO

import pytest
from fontTools.ttLib import TTFont
from pypdf import PdfReader

from safelight import policy
from safelight.deliver import fonts, job_record


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
        "gate": {"open": [], "answered": []},
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


def test_it_says_what_was_found_in_the_written_files_and_who_took_it_on_their_name():
    assert "3 of 3 had nothing to answer" in said(made())["What was checked, and how"]
    one = made()["files"][0]
    gates = [
        {"open": [], "answered": []}, {"open": [], "answered": [{"finding": "halo", "by": "ben"}]},
        {"open": ["seam", "halo"], "answered": []},
    ]  # fmt: skip
    found = said(made(files=[one | {"gate": gate} for gate in gates]))["What was checked, and how"]
    assert "1 of 3 had nothing to answer" in found
    assert "took on their name: ben 1" in found
    assert "1 file has findings that nobody has answered" in found


def test_a_page_is_escaped_and_a_pdf_is_one_page_and_the_same_every_time():
    record = job_record.of(made(), policy.default())
    assert "Hochzeit &lt;Müller&gt; for Ada &amp; Co" in job_record.page(record)
    first, second = (job_record.pdf(record, at=made()["made_at"]) for _ in range(2))
    assert first == second
    assert first.startswith(b"%PDF")
    assert first.count(b"/Type /Page\n") == 1


def written(name, client=None):
    """What a PDF about a shoot of this name says, read back with other eyes; lines are joined."""
    record = job_record.of(made(shoot={"name": name, "client": client}), policy.default())
    data = job_record.pdf(record, at=made()["made_at"])
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(data)).pages).split())


@pytest.mark.parametrize(
    "name", ["Γάμος Δάφνης", "ἀρχή", "Свадьба Їжак", "Ђорђе", "Łódź Šimůnek", "Đặng Nguyễn", "a → b"]
)
def test_names_in_latin_greek_and_cyrillic_need_no_font_of_the_system(name, monkeypatch):
    monkeypatch.setattr(fonts, "of_system", lambda letters: [])
    said = written(name)
    assert said.startswith(f"{name} ")
    assert "[U+" not in said


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("חתונה של דנה", ["חתונה", "של", "דנה"]), ("زفاف ليلى وعمر", ["زفاف", "ليلى", "وعمر"]),
        ("عروسی می‌خواهم", ["عروسی"]), ("شادی کی تقریب", ["شادی", "تقریب"]), ("งานแต่ง", ["งานแต่ง"]),
        ("ქორწილი", ["ქორწილი"]), ("Hochzeit ليلى Müller", ["Hochzeit", "ليلى", "Müller"]),
    ],
)  # fmt: skip
def test_names_that_are_turned_or_joined_are_written_as_they_are_read(name, words, monkeypatch):
    monkeypatch.setattr(fonts, "of_system", lambda letters: [])
    said = written(name, "Ben")
    assert "[U+" not in said
    for word in words:
        assert word in said, "a word that is not turned reads backwards"
    assert " for Ben Delivery of" in said, "the page itself runs from left to right"
    again = (job_record.pdf(job_record.of(made(shoot={"name": name, "client": None}), policy.default()),
                            at=made()["made_at"]) for _ in range(2))  # fmt: skip
    assert next(again) == next(again)


def test_arabic_letters_are_joined(monkeypatch):
    """Ain has four forms; of three in a word the PDF draws more than one glyph, unjoined it would draw one thrice."""
    monkeypatch.setattr(fonts, "of_system", lambda letters: [])
    record = job_record.Record(title="ععع", under="x", sections=())
    data = job_record.pdf(record, at=made()["made_at"])
    (arabic,) = [f for f in PdfReader(BytesIO(data)).pages[0]["/Resources"]["/Font"].values()
                 if "FiraGO" in f.get_object()["/BaseFont"]]  # fmt: skip
    widths = arabic.get_object()["/DescendantFonts"][0].get_object()["/W"]
    glyphs = sum(len(part) for part in (each.get_object() for each in widths) if isinstance(part, list))
    assert glyphs >= 3


@pytest.mark.parametrize("name", ["結婚", "김민지", "婚礼"])
def test_names_in_chinese_japanese_and_korean_take_a_font_of_the_system(name):
    found = {letter for face in fonts.of_system({ord(letter) for letter in name}) for letter in face.letters}
    if not found >= {ord(letter) for letter in name}:
        pytest.skip("this system has no font for these letters")
    said = written(f"Ada {name}", "Ben")
    assert said.startswith(f"Ada {name} for Ben")
    assert "[U+" not in said


def test_a_letter_that_no_font_has_is_its_number_and_the_page_says_so(monkeypatch):
    monkeypatch.setattr(fonts, "of_system", lambda letters: [])
    said = written("結婚 \udcff ܫܠܡܐ " + "long " * 60)
    assert said.startswith("[U+7D50][U+5A5A] [U+DCFF] [U+072B]")
    assert said.endswith(job_record.LEFT_OUT)
    assert "?" not in said


def test_a_font_that_is_broken_or_may_not_be_embedded_is_passed_over(tmp_path, monkeypatch):
    (tmp_path / "NotoSansCJK-Regular.ttc").write_bytes(b"ttcf" + bytes(40))
    whole = tmp_path / "wqy-closed.ttf"
    (face,) = fonts.own(tmp_path, {ord("a")})
    closed = TTFont(face.path)
    closed["OS/2"].fsType = 2
    closed.save(whole)
    monkeypatch.setattr(fonts, "FOLDERS", {sys.platform: (str(tmp_path),)})
    monkeypatch.setattr(fonts, "_listed", lambda letter: [])
    assert fonts.of_system({ord("a")}) == []
    closed["OS/2"].fsType = 0
    closed.save(whole)
    assert [found.path for found in fonts.of_system({ord("a"), 0x10FFFF})] == [whole]


def test_a_font_that_is_gone_once_it_is_needed_does_not_stop_a_delivery(tmp_path, monkeypatch):
    gone = fonts.Face(path=tmp_path / "gone.ttf", number=0, letters=frozenset({ord("結")}))
    monkeypatch.setattr(fonts, "of_system", lambda letters: [gone])
    assert written("結").startswith("[U+7D50]")
