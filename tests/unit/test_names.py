from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.deliver import names
from safelight.errors import UsageError

FACTS = names.Facts(
    path="day/IMG_0042.CR2", captured=datetime(2026, 5, 2, 14, 3, 11, 250_000), sequence=7, jobcode="Anna & Ben",
    camera="Canon EOS 5D", width=6000, height=4000,
)  # fmt: skip


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("$(FILE.NAME)", "IMG_0042.jpg"),
        ("$(EXIF.YEAR)$(EXIF.MONTH)$(EXIF.DAY)-$(EXIF.HOUR)$(EXIF.MINUTE)$(EXIF.SECOND)-$(FILE.NAME)",
         "20260502-140311-IMG_0042.jpg"),
        ("$(SEQUENCE)", "0007.jpg"),
        ("$(SEQUENCE[3,100])", "106.jpg"),
        ("$(EXIF.MSEC)", "250.jpg"),
        ("$(JOBCODE)", "Anna-Ben.jpg"),
        ("$(FILE.NAME,,)", "img_0042.jpg"),
        ("$(FILE.NAME//IMG/P)", "P_0042.jpg"),
        ("$(STARS-none)_$(LABELS+labelled)", "none_.jpg"),
        ("$(WIDTH.EXPORT)x$(HEIGHT.EXPORT)", "6000x4000.jpg"),
        ("äöü ﬁ 写真", "aou-fi.jpg"),
        ("写真", "IMG_0042.jpg"),
        ("../../etc/passwd", "etc-passwd.jpg"),
        ("con", "_con.jpg"),
    ],
)  # fmt: skip
def test_templates(template, expected):
    assert names.name(template, FACTS, ".jpg") == expected


@pytest.mark.parametrize("template", ["$(NOPE)", "$(FILE.NAME", "", "   "])
def test_templates_that_cannot_be_understood_are_refused(template):
    with pytest.raises(UsageError):
        names.validate(template)


def test_a_change_that_does_not_exist_is_refused():
    with pytest.raises(UsageError):
        names.name("$(FILE.NAME!!)", FACTS, ".jpg")


@given(st.lists(st.text(max_size=200), min_size=1, max_size=30))
def test_names_are_safe_short_and_unique_whatever_the_files_are_called(stems):
    made = names.unique(names.name("$(FILE.NAME)", names.Facts(path=s.replace("/", "-") or "x"), ".jpg") for s in stems)
    assert len({m.lower() for m in made}) == len(stems)
    for name in made:
        assert name.endswith(".jpg")
        assert len(name.encode()) <= names.LONGEST
        assert all(c.isascii() and (c.isalnum() or c in "._-") for c in name)
        assert not name.startswith((".", "-"))
