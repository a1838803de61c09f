"""The gallery of failures shows every finding of every detector, with its pictures, and stays small."""

import json
import re

from safelight import plugins
from tests.docs import ROOT, page

FOLDER = ROOT / "docs" / "gallery"


def parts():
    """Each section of the page by its title."""
    pieces = re.split(r"^## (.+)$", page("gallery.md"), flags=re.MULTILINE)[1:]
    return dict(zip(pieces[::2], pieces[1::2], strict=True))


def test_every_finding_has_its_example_and_no_other():
    found = {name: detector.name for detector in plugins.detectors().values() for name in detector.finds}
    shown = parts()
    assert set(shown) - {"Where the pictures come from"} == set(found)
    for name, detector in found.items():
        assert f"detectors/{detector}.md" in shown[name], name
        assert re.search(r"Here: \*\*(fail|look|missed|cannot tell)", shown[name]), name
        for kind in ("before", "after", "heat"):
            assert f"gallery/{name}-{kind}.webp" in shown[name], name


def test_figures_are_those_of_the_kept_run():
    run = json.loads((ROOT / "bench" / "results" / "artefacts.json").read_text("utf-8"))["results"]
    areas = {row["name"].split(".")[0]: row for row in run if row["name"].endswith(".estimated.auc")}
    for name, text in parts().items():
        if "Measured: " in text:
            row = areas.get(name)
            want = "not measured" if row is None else f"AUC {row['value']:.3f} (n = {row['n']})"
            assert f"Measured: {want}" in text, f"{name}: run python docs/_gallery.py"


def test_its_pictures_are_all_shown_and_small():
    files = list(FOLDER.iterdir())
    text = page("gallery.md")
    assert [file.name for file in files if f"gallery/{file.name}" not in text] == []
    assert sum(file.stat().st_size for file in files) < 1_500_000
