"""The command line as a user or a script meets it: streams, exit codes, documents."""

import json
import subprocess
import sys

import pytest

from safelight import cli


def safelight(*arguments, **more):
    command = [sys.executable, "-m", "safelight", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **more)


def call(capsys, *arguments):
    """The program in this process: exit code, standard output, standard error."""
    with pytest.raises(SystemExit) as left:
        cli.main([str(a) for a in arguments])
    out = capsys.readouterr()
    return left.value.code, out.out, out.err


def test_results_go_to_standard_output_and_progress_to_standard_error(make_shoot):
    folder = make_shoot(2)
    done = safelight("run", folder, "--engine", "inline", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "safelight.status/1"
    assert document["photos"] == 2
    assert "look 2 of 2" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_words_fit_twelve_lines(capsys, make_shoot):
    folder = make_shoot(3, burst=3)
    code, out, _ = call(capsys, "run", folder, "--engine", "inline")
    assert code == 0
    assert len(out.strip().splitlines()) <= 12
    assert "Report:" in out
    assert f"Next: safelight review {folder}" in out


def test_exit_codes(capsys, make_shoot, tmp_path):
    (tmp_path / "empty").mkdir()
    assert call(capsys, "run", tmp_path / "empty")[0] == 3
    assert call(capsys, "run", tmp_path / "nowhere")[0] == 2
    assert call(capsys, "run")[0] == 2
    assert call(capsys, "status", tmp_path / "empty")[0] == 2
    folder = make_shoot(1)
    (folder / "broken.jpg").write_bytes(b"text, not a picture")
    assert call(capsys, "run", folder, "--engine", "inline")[0] == 1
    code, _, err = call(capsys, "deliver", folder, "--to", tmp_path / "out")
    assert code == 4
    assert "--draft" in err
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "library.sqlite").write_bytes(b"not a database, " * 400)
    assert call(capsys, "run", folder, "--library", damaged)[0] == 5


def test_explain_names_every_reason(capsys, make_shoot):
    folder = make_shoot(2)
    (folder / "broken.jpg").write_bytes(b"")
    call(capsys, "run", folder, "--engine", "inline")
    code, out, _ = call(capsys, "explain", folder, "--json")
    assert code == 0
    document = json.loads(out)
    assert document["schema"] == "safelight.explain/1"
    entries = {e["path"]: e for e in document["assets"]}
    good, bad = entries["IMG_0000.JPG"], entries["broken.jpg"]
    assert len(good["id"]) == 64
    assert good["cull"]["decision"] in {"keep", "reject", "undecided"}
    assert good["cull"]["reasons"][0]["text"]
    assert {e["name"] for e in good["evidence"]} >= {"embedding"}
    assert all((e["value"] is None) != (e["cannot_tell"] is None) for e in good["evidence"])
    assert bad["error"]["remedy"]
    assert call(capsys, "explain", folder / "IMG_0000.JPG")[1].startswith("IMG_0000.JPG")


def test_verdicts_by_command(capsys, make_shoot):
    folder = make_shoot(2)
    call(capsys, "run", folder, "--engine", "inline")
    photo = folder / "IMG_0000.JPG"
    modify = ("--operator", "cull", "--say", "modify", "--params", '{"decision": "reject"}', "--by", "ann")
    assert call(capsys, "verdict", photo, *modify)[0] == 0
    assert json.loads(call(capsys, "status", folder, "--json")[1])["decisions"]["reject"] == 1
    assert call(capsys, "verdict", photo, "--operator", "cull", "--say", "undo")[0] == 0
    assert json.loads(call(capsys, "status", folder, "--json")[1])["decisions"]["reject"] == 0
    assert call(capsys, "verdict", photo, "--operator", "nope", "--say", "approve")[0] == 2
    assert call(capsys, "verdict", photo, "--operator", "cull", "--say", "modify", "--params", "{")[0] == 2
    assert (
        call(capsys, "verdict", photo, "--operator", "cull", "--say", "modify", "--params", '{"decision": "maybe"}')[0]
        == 2
    )
    assert call(capsys, "verdict", photo, "--all", "--say", "approve")[0] == 2
    assert call(capsys, "verdict", photo, "--say", "approve", "--reason", "because")[0] == 2


@pytest.mark.parametrize(
    ("command", "schema"), [("doctor", "doctor"), ("settings", "settings"), ("models list", "models")]
)
def test_documents_about_the_machine(capsys, command, schema):
    code, out, _ = call(capsys, *command.split(), "--json")
    assert code == 0
    assert json.loads(out)["schema"] == f"safelight.{schema}/1"
    assert call(capsys, *command.split())[1].strip()
