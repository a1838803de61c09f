"""A plug-in that crashes, hangs or takes too much memory costs its own answer: the run ends well and names it."""

import json
import os
import subprocess
import sys

import pytest
from PIL import Image

from safelight.api import Library
from tests.conftest import save_jpeg, textured

PLUGIN = """
import os
from safelight import limits
from safelight.domain import Measure
from safelight.probes import Probe

def measure(picture):
    if "bad" in picture.source.name:
        {does}
    return (Measure(name="hostile.value", value=1.0),)

probe = Probe(name="hostile", version=3, emits=("hostile.value",), measure=measure, about="Misbehaves.")
"""
DEEDS = {
    "crash": "os.abort()",
    "hang": "limits.begin('hostile@3', seconds=1); exec('while True: pass')",
    "memory": "import numpy; numpy.ones(6 << 30, numpy.uint8)",
}


@pytest.fixture
def hostile(tmp_path):
    """Runs the program with a plug-in that does something bad to photos whose names say so."""

    def run(deed, folder, **environment):
        place = tmp_path / f"plugin-{deed}"
        info = place / "hostile-1.0.dist-info"
        info.mkdir(parents=True)
        (place / "hostile_plugin.py").write_text(PLUGIN.format(does=DEEDS[deed]))
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hostile\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[safelight.probes]\nhostile = hostile_plugin:probe\n")
        command = [sys.executable, "-m", "safelight", "run", str(folder), "--jobs", "2", "--json"]
        done = subprocess.run(
            command, env=os.environ | {"PYTHONPATH": str(place)} | environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize(
    ("deed", "environment"),
    [("crash", {}), ("hang", {}), ("memory", {"SAFELIGHT_MEMORY": "3000"})],
)
def test_a_plugin_that_misbehaves_costs_its_own_answer(hostile, tmp_path, deed, environment):
    folder = tmp_path / "shoot"
    for i in range(10):
        save_jpeg(folder / f"{i}-{'bad' if i in (3, 6, 9) else 'good'}.jpg", textured(i))
    found = hostile(deed, folder, **environment)
    assert any("hostile@3" in trouble and "bad" in trouble for trouble in found["troubles"])
    with Library.open() as library:
        photos = library.state(folder).by_path
        assert len(photos) == 10
        for path, photo in photos.items():
            answer = photo.facts["hostile.value"]
            assert (answer.value is None) == ("bad" in path)
            assert answer.value is not None or "hostile@3" in answer.cannot_tell
        theirs = {p: [m for m in photo.facts.values() if m.name != "hostile.value"] for p, photo in photos.items()}
    with Library.open(tmp_path / "other") as library:
        library.run(folder, cache=tmp_path / "cache")
        state = library.state(folder, cache=tmp_path / "cache")
        ours = {p: list(photo.facts.values()) for p, photo in state.by_path.items()}
    assert [(p, one, two) for p in ours for one, two in zip(theirs[p], ours[p], strict=True) if one != two] == []


def test_a_plugin_that_misbehaves_often_is_left_out_and_named(hostile, tmp_path):
    folder = tmp_path / "shoot"
    for i in range(20):
        save_jpeg(folder / f"bad{i:02d}.jpg", textured(i))
    found = hostile("crash", folder)
    assert any("left out for the rest of this run" in trouble for trouble in found["troubles"])
    assert len(found["troubles"]) == 20


DECODER = """
import os
from safelight.media import image
image._DECODERS["webp"] = lambda data, path: {does}
"""


@pytest.mark.parametrize(
    ("does", "code", "environment"),
    [
        ("os.abort()", "media-crashed", {}),
        ("[0 for _ in iter(int, 1)]", "media-too-large", {"SAFELIGHT_MEMORY": "700"}),
        ("next(i for i in iter(int, 1) if i)", "media-too-slow", {"SAFELIGHT_PATIENCE": "0.3"}),
    ],
)
def test_a_decoder_that_misbehaves_costs_its_own_file(tmp_path, does, code, environment):
    folder, place = tmp_path / "shoot", tmp_path / "place"
    for i in range(4):
        save_jpeg(folder / f"{i}.jpg", textured(i))
    Image.fromarray(textured(9)).save(folder / "2b.webp")
    place.mkdir()
    (place / "sitecustomize.py").write_text(DECODER.format(does=does))
    command = [sys.executable, "-m", "safelight", "run", str(folder), "--jobs", "2", "--json"]
    surroundings = os.environ | {"PYTHONPATH": str(place)} | environment
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert [(f["path"], f["code"]) for f in found["failed"]] == [("2b.webp", code)]
    assert "2b.webp" in found["failed"][0]["cause"]
    assert found["photos"] == 4
    again = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
    assert json.loads(again.stdout)["photos"] == 5, "with a decoder that works the file is tried again"
