"""Links lead somewhere, generated pages are as the code is, the site builds without anything from elsewhere."""

import importlib.util
import json
import re
import subprocess
import sys

import pytest

from tests.docs import ROOT, page

PAGES = (*ROOT.glob("*.md"), *(ROOT / "changelog.d").glob("*.md"), *(ROOT / "docs").rglob("*.md"))


def anchor(title):
    """The anchor of a title, as the site makes it."""
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower())


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(path):
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:href|src)="([^"]+)"', text)
    for target in targets:
        if "://" in target or target.startswith("#"):
            continue
        file, _, section = target.partition("#")
        there = (path.parent / file).resolve()
        assert there.exists(), target
        if section:
            titles = re.findall(r"^#+ (.+)$", there.read_text("utf-8"), flags=re.MULTILINE)
            assert section in {anchor(title) for title in titles}, target


def module(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.mark.parametrize("name", ["_reference", "_results"])
def test_generated_pages_are_as_the_code_is(name, capsys):
    assert module(name).main(["--check"]) == 0, capsys.readouterr().err


def test_pages_of_operators_and_probes_are_as_the_code_is(capsys):
    assert module("_generate").main(["--check"]) == 0, capsys.readouterr().err


MADE = {
    "bench": "made", "at": "2026-11-24", "seconds": 1.0, "machine": {"cores": 2, "cpu": "One", "python": "3.11"},
    "results": [
        {"name": "good", "value": 0.98, "unit": "", "n": 9, "bar": 0.9, "want": "at least", "held": True,
         "beside": {"simple": 0.8, "poor": 0.6}},
        {"name": "bad", "value": 0.51, "unit": "", "n": 9, "bar": 0.9, "want": "at least", "held": False},
        {"name": "error", "value": 2.0, "unit": "px", "n": 9, "bar": 3.0, "want": "at most", "held": True,
         "beside": {"simple": 5.0}},
        {"name": "unknown", "value": None, "unit": "", "n": 0, "bar": 0.9, "want": "at least"},
        {"name": "aside", "value": 3.0, "unit": "s", "n": 9, "beside": {"another_program": 7.0}},
    ],
}  # fmt: skip


def test_the_readme_has_every_bar_that_is_missed_and_ratios_only():
    results = module("_results")
    shown = results.block([MADE])
    assert "2 of 4 bars are held." in shown
    assert "`bad` | 0.57 |" in shown
    assert "`unknown` | not measured" in shown
    assert "| 2 | 10 | 2.5 | `error` | simple |" in shown
    assert "aside" not in shown
    assert "0.98" not in shown
    assert results.readme(f"before\n{results.BEGIN}\nold\n{results.END}\nafter", []).count("Not measured") == 1


def test_the_page_of_a_bench_has_every_figure_and_a_plot():
    results = module("_results")
    assert "another program 7" in results.page(MADE)
    assert "made.svg" in results.page(MADE)
    picture = module("_plots").plot(MADE["results"])
    assert picture.count('r="4"') == 3
    assert picture.count('r="3.5"') == 3
    assert module("_plots").plot(MADE["results"][3:]) is None


def test_the_kept_runs_are_whole():
    for path in (ROOT / "bench" / "results").glob("*.json"):
        run = json.loads(path.read_text("utf-8"))
        assert run["schema"] == "safelight.bench/1"
        assert run["bench"] == path.stem
        assert run["results"]


def test_the_site_builds_and_fetches_nothing(tmp_path):
    pytest.importorskip("mkdocs", reason="mkdocs is not installed")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    made = list((tmp_path / "site").rglob("*.html"))
    assert len(made) >= len(list((ROOT / "docs").rglob("*.md")))
    for file in made:
        text = file.read_text("utf-8")
        assert re.findall(r'<(?:script|img|iframe)[^>]+src="(?:https?:)?//[^"]+', text) == [], file
        assert re.findall(r'<link[^>]+href="(?:https?:)?//[^"]+', text) == [], file
    assert not list((tmp_path / "site").rglob("*.py"))


def test_the_picture_of_the_readme_is_small():
    picture = ROOT / "docs" / "images" / "report.png"
    assert "docs/images/report.png" in page("../README.md")
    assert 20_000 < picture.stat().st_size < 400_000


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pages_speak_plainly(path):
    text = re.sub(r"```.*?```|`[^`]*`|<!--.*?-->|!\[", "", path.read_text("utf-8"), flags=re.DOTALL)
    sold = r"\bAI\b|\b(?:smart|magic\w*|seamless\w*|powerful|effortless\w*|revolution\w*|simply|just works)\b|[a-z]!"
    assert re.findall(sold, text) == []
    american = r"\b(?:colors?|gray|behavior|center(?:ed)?|favorite|(?:recogn|organ|normal|summar)iz\w+)\b"
    assert re.findall(american, text, flags=re.IGNORECASE) == []
