"""Photos of every format go all the way from the folder to a delivery."""

import json

import numpy as np
import pytest

from safelight import explain
from safelight.deliver import Order
from safelight.line import Options
from safelight.media.capture import facts
from safelight.media.xmp import Packet, embedded
from tests.made_files import photo
from tests.made_formats import every, made_dngs


@pytest.fixture
def shoot(tmp_path):
    folder = tmp_path / "shoot"
    folder.mkdir()
    picture = np.repeat(np.repeat(photo(), 4, 0), 4, 1)
    for number, (name, make) in enumerate(every(picture).items()):
        (folder / f"{number:02d} {name}").write_bytes(make())
    made_dngs(folder)
    return folder


def test_what_of_a_file_is_not_looked_at_is_said(library, tmp_path):
    folder = tmp_path / "shoot"
    folder.mkdir()
    (folder / "a.psd").write_bytes(every()["plain.psd"]())
    library.run(folder, options=Options(engine="inline"))
    assert "Layers are not looked at" in explain.words(library.explain(folder / "a.psd"))


def test_every_format_is_run_kept_and_delivered(library, shoot, tmp_path):
    library.run(shoot, options=Options(engine="inline"))
    state = library.state(shoot)
    assert [(f.path, f.error) for f in state.failed] == []
    names = sorted(p.name for p in shoot.iterdir() if p.is_file())
    assert sorted(state.by_path) == names
    library.verdict(shoot, names, operator="cull", say="modify", params={"decision": "keep"}, by="ann")
    for preset, suffix in (("jpeg", "jpg"), ("tiff16", "tif")):
        made = library.deliver(shoot, tmp_path / preset, order=Order(to=tmp_path, draft=True, preset=preset))
        assert made["failed"] == []
        assert len(made["files"]) == len(names)
        assert len(list((tmp_path / preset).glob(f"*.{suffix}"))) == len(names)
    files = json.loads((tmp_path / "jpeg" / "manifest.json").read_text("utf-8"))["files"]
    by_source = {f["source"]["path"]: tmp_path / "jpeg" / f["name"] for f in files}
    for name in names:
        if "plain" in name and not name.endswith("png"):
            assert facts(by_source[name]).camera == "Canon EOS R5", name
            assert Packet.parse(embedded(by_source[name])).number("xmp:Rating") == 4, name
