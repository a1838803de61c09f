"""Every command line that is shown can be typed, and the tutorial leads where it says."""

import json
import re
import shlex
import shutil

import click
import pytest

from safelight import cli
from tests.docs import ROOT, commands, page

KNOWN = dict(commands())
TUTORIAL = "tutorial/first-shoot.md"


def shell_blocks(text):
    """Lines of the shell blocks of a page, as a shell would split them."""
    for block in re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


def inline(text):
    """Commands that are named within sentences."""
    outside = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for found in re.findall(r"`(safelight [^`]+)`", outside):
        yield shlex.split(found)


def shown():
    """The words of every command, and whether it stands there to be typed as it is."""
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))):
        text = path.read_text("utf-8")
        for words, whole in [(w, True) for w in shell_blocks(text)] + [(w, False) for w in inline(text)]:
            if words[0] == "safelight":
                yield pytest.param(words[1:], whole, id=f"{path.relative_to(ROOT)}: {' '.join(words)}")


SHOWN = list(shown())


def test_commands_are_found():
    assert len(SHOWN) >= 40


@pytest.mark.parametrize(("words", "whole"), SHOWN)
def test_what_is_shown_can_be_typed(words, whole):
    if words == ["COMMAND", "--help"]:
        return
    length = next((n for n in (2, 1) if tuple(words[:n]) in KNOWN), None)
    assert length is not None, f"there is no command {words[0]}"
    try:
        KNOWN[tuple(words[:length])].make_context(words[0], words[length:])
    except (click.MissingParameter, click.BadOptionUsage):
        assert not whole, "a sentence may name a command or option without its value, a block may not"


def call(capsys, words):
    with pytest.raises(SystemExit) as left:
        cli.main(words)
    out = capsys.readouterr()
    return left.value.code, out.out, out.err


@pytest.fixture
def at_home(make_shoot, tmp_path, monkeypatch):
    """The folder in which the tutorial's commands are typed."""
    make_shoot(3, burst=3)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGNAME", "ann")
    return tmp_path


def test_the_tutorial_leads_to_a_delivery(at_home, capsys):
    lines = [words[1:] for words in shell_blocks(page(TUTORIAL))]
    assert [words[0] for words in lines] == [
        "run", "explain", "explain", "verdict", "verdict", "verdict", "verdict", "verdict", "sync", "status", "deliver",
        "deliver",
    ]  # fmt: skip
    for words in lines:
        engine = ["--engine", "inline"] if words[0] == "run" else []
        code, out, err = call(capsys, [*words, *engine])
        assert code == 0, (words, out, err)
    drafted = json.loads((at_home / "draft" / "manifest.json").read_text("utf-8"))
    final = json.loads((at_home / "out" / "manifest.json").read_text("utf-8"))
    assert (drafted["draft"], final["draft"]) == (True, False)
    assert (final["open"], final["signed_off_by"]) == ([], "Your Name")
    assert [f["name"] for f in final["files"]][:2] == ["20260502-0001.jpg", "20260502-0002.jpg"]
    assert len(final["files"]) == 4, "three single photos and the best of the burst"


def test_the_readme_leads_there_too(at_home, capsys, monkeypatch):
    shutil.move(at_home / "shoot", at_home / "home" / "shoots" / "2026-05-02")
    (at_home / "home" / "shoots" / "2026-05-02" / "IMG_0002.JPG").rename(
        at_home / "home" / "shoots" / "2026-05-02" / "IMG_0014.JPG"
    )
    monkeypatch.setenv("HOME", str(at_home / "home"))
    block = next(b for b in re.findall(r"```sh\n(.*?)```", page("../README.md"), flags=re.DOTALL) if "deliver" in b)
    for line in block.splitlines():
        words = shlex.split(line.replace("~", str(at_home / "home")), comments=True)[1:]
        if words[0] == "review":  # it stays open until it is interrupted; tests/browser types it
            continue
        engine = ["--engine", "inline"] if words[0] == "run" else []
        code, out, err = call(capsys, [*words, *engine])
        assert code == 0, (words, out, err)
    assert (at_home / "home" / "out" / "2026-05-02" / "manifest.json").is_file()


def test_the_python_that_is_shown_runs(at_home, capsys):
    code = re.search(r"```python\n(.*?)```", page("index.md"), flags=re.DOTALL)[1]
    exec(compile(code.replace('run("shoot")', 'run("shoot", engine="inline")'), "index.md", "exec"), {})  # noqa: S102
    assert "IMG_0000.JPG" in capsys.readouterr().out
    assert (at_home / "out" / "manifest.json").is_file()
