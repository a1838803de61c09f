"""What is handed out: the wheel's contents, one version, and no trace of the machine it was made on."""

import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version

import pytest

import safelight
from tests.docs import ROOT, page

TEXTS = {".py", ".md", ".toml", ".yml", ".yaml", ".json", ".html", ".txt", ".lock", ".mako", ".cfg", ".in", ""}
# One letter of each in brackets, so that this file does not find itself.
TRACES = re.compile(r"/[w]ork/|/[t]mp/w\b|/[r]oot/|/[h]ome/\w|index[-]url|[p]ypi\.org|[p]ythonhosted")


def tracked():
    """The files of the project; without git, those in its folders."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        return [ROOT / name for name in listed.split("\0") if name]
    folders = ("src", "docs", "tests", "bench", "tools")
    found = [*ROOT.glob("*"), *(p for folder in folders for p in (ROOT / folder).rglob("*"))]
    return [p for p in found if p.is_file() and "__pycache__" not in p.parts]


def test_no_text_names_a_machine_or_a_registry():
    found = []
    for path in tracked():
        if path.suffix not in TEXTS or not path.is_file():
            continue
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
            if TRACES.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert found == []


def test_there_is_one_version():
    assert tomllib.loads(page("../pyproject.toml"))["project"]["version"] == safelight.__version__
    assert f"## {safelight.__version__}" in page("../CHANGELOG.md")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel's files, built from a copy of what the project tracks, without a network."""
    if not all(importlib.util.find_spec(name) for name in ("build", "setuptools")):
        pytest.skip("build or setuptools is not installed")
    if int(version("setuptools").split(".")[0]) < 80:
        pytest.skip(f"setuptools {version('setuptools')} is older than the lock file says")
    copy = tmp_path_factory.mktemp("project")
    for path in tracked():
        inside = path.relative_to(ROOT)
        if inside.parts[0] in {"src", "bench", "tests"} or inside.name in {"pyproject.toml", "README.md", "LICENSE"}:
            (copy / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy / inside)
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--skip-dependency-check", "--outdir", out]
    built = subprocess.run([*map(str, command), str(copy)], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    return zipfile.ZipFile(next(out.glob("*.whl")))


def test_the_wheel_has_what_a_run_needs(wheel):
    names = set(wheel.namelist())
    source = ROOT / "src"
    needed = [
        p.relative_to(source).as_posix()
        for p in tracked()
        if p.is_relative_to(source) and p.suffix in {".py", ".toml", ".json", ".html", ".mako", ".typed"}
    ]
    assert [name for name in needed if name not in names] == []
    for name in ("policy.toml", "py.typed", "report/report.html", "store/migrations/versions/0001_first.py"):
        assert f"safelight/{name}" in names
    assert any(re.fullmatch(r"safelight/probes/\w+\.json", name) for name in names)
    assert any(re.fullmatch(r"safelight/weights/manifests/\w+\.toml", name) for name in names)


def test_the_wheel_has_nothing_else(wheel):
    roots = {name.split("/")[0] for name in wheel.namelist()}
    assert roots == {"safelight", f"safelight-{safelight.__version__}.dist-info"}
    assert not [name for name in wheel.namelist() if name.endswith((".pyc", ".onnx", ".tflite"))]


def test_the_wheel_says_who_it_is(wheel):
    info = f"safelight-{safelight.__version__}.dist-info"
    metadata = wheel.read(f"{info}/METADATA").decode()
    assert "License-Expression: Apache-2.0" in metadata
    assert "Requires-Python: >=3.11" in metadata
    points = wheel.read(f"{info}/entry_points.txt").decode()
    assert "safelight = safelight.cli:main" in points
    for group in ("probes", "operators", "deliveries"):
        assert f"[safelight.{group}]" in points
