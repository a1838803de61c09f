"""Ways around the gate that are closed: what could not be checked, or is not what was checked, does not leave."""

import cv2
import numpy as np
import pytest
from PIL import Image

from safelight import checking
from safelight.deliver import judge, presets, write
from safelight.deliver.accept import Word, accept
from safelight.deliver.gate import Held
from safelight.detectors import Detector, Finding
from safelight.domain import Say
from safelight.errors import Refused, UsageError
from safelight.files import PART
from safelight.media import image
from safelight.verdicts import Saying, decide
from tests.conftest import save_jpeg
from tests.line.test_gate import ANN, detectors, say, send, shoot, told  # noqa: F401 - fixtures

FIRST, SECOND = "IMG_0000.JPG", "IMG_0001.JPG"


def breaking(error):
    def detect(pair):
        raise error

    return Detector(name="broken", version=1, finds=("clipping",), detect=detect, about="Breaks.")


def test_a_file_that_could_not_be_checked_stays_behind(shoot, library, tmp_path, detectors, monkeypatch):  # noqa: F811
    detectors["clipping"] = told("clipping", 0.01)
    real = write.judge.judge

    def judged(file, original, *rest, **more):
        if original.name == FIRST:
            raise MemoryError
        return real(file, original, *rest, **more)

    monkeypatch.setattr(write.judge, "judge", judged)
    for draft in (False, True):
        out = tmp_path / f"out-{draft}"
        made = send(library, shoot, out, draft=draft, sidecars=True)
        assert [f["path"] for f in made["failed"]] == [FIRST]
        assert [f["source"]["path"] for f in made["files"]] == [SECOND]
        there = {p.name for p in out.iterdir() if p.suffix.lower() in (".jpg", ".xmp")}
        assert there == {made["files"][0]["name"], made["files"][0]["sidecar"]}, "nothing unchecked lies among them"
        assert not list(out.glob(f"{PART}*"))


@pytest.mark.parametrize("error", [RuntimeError("no model"), MemoryError(), ZeroDivisionError()])
def test_a_detector_that_breaks_down_is_no_pass(shoot, library, tmp_path, detectors, error):  # noqa: F811
    detectors["halo"], detectors["broken"] = told("halo", 0.01), breaking(error)
    with pytest.raises(Refused, match=rf"{FIRST}: clipping, look\. The detector failed: {type(error).__name__}"):
        send(library, shoot, tmp_path / "out")
    made = send(library, shoot, tmp_path / "out", sign_off="lea")
    entry = next(f for f in made["files"] if f["source"]["path"] == FIRST)
    assert entry["gate"]["answered"][0] | {"at": None} == {
        "finding": "clipping", "by": "lea", "reason": "signed_off", "note": "", "at": None,
    }  # fmt: skip


def test_an_answer_that_is_no_number_is_none():
    picture = np.full((40, 40, 3), 99, np.uint8)

    def detect(pair):
        return (Finding(name="a", score=1.0, probability=float("nan")), Finding(name="c", score=0.0, probability=0.0))

    broken = Detector(name="broken", version=1, finds=("a", "b", "c"), detect=detect)
    found = checking.compare(picture, picture, detectors=[broken, told("halo", 0.01)])
    assert found.verdict is checking.Outcome.LOOK
    assert found.failed == {"a", "b"}
    assert {f.name for f in found.findings if f.cannot_tell} == {"a", "b"}
    assert {f.name for f in found.findings if not f.cannot_tell} == {"c", "halo"}, "others answer all the same"


def test_where_nobody_can_look_nothing_passes(shoot, library, tmp_path, detectors):  # noqa: F811
    with pytest.raises(Refused, match=rf"{FIRST}: measured, look\. None of the detectors") as refused:
        send(library, shoot, tmp_path / "out")
    assert SECOND not in refused.value.cause, "a photo as it was shot has nothing to be checked for"


def test_an_original_that_was_exchanged_does_not_leave(shoot, library, tmp_path, detectors):  # noqa: F811
    detectors["clipping"] = told("clipping", 0.01)
    rgb = image.read(shoot / FIRST)
    other = shoot / SECOND
    other.write_bytes(other.read_bytes()[:2] + b"\xff\xfe\x00\x06note" + other.read_bytes()[2:])
    save_jpeg(shoot / FIRST, np.ascontiguousarray(rgb[::-1]))
    made = send(library, shoot, tmp_path / "out")
    assert [f["source"]["path"] for f in made["files"]] == [SECOND], "a comment beside the picture changes nothing"
    assert "its picture has changed" in made["failed"][0]["cause"]


@pytest.mark.parametrize("name", ["", "  ", "policy:standing", " policy:x"])
def test_only_a_person_signs(shoot, library, tmp_path, detectors, name):  # noqa: F811
    detectors["clipping"] = told("clipping", 0.6)
    with pytest.raises(UsageError, match="not a person's name"):
        send(library, shoot, tmp_path / "out", sign_off=name)
    with pytest.raises(UsageError, match="taken on a name"):
        accept(library.store, library.state(shoot), [], [], Word(by=name, reason="no_fault"))
    assert not (tmp_path / "out").exists()


def test_what_was_taken_does_not_cover_what_is_much_worse(shoot, library, tmp_path, detectors):  # noqa: F811
    detectors["clipping"] = told("clipping", 0.6)
    with pytest.raises(Refused):
        send(library, shoot, tmp_path / "out")
    state = library.state(shoot)
    accept(library.store, state, [state.photo(FIRST)], ["clipping"], ANN)
    detectors["clipping"] = told("clipping", 0.99)
    with pytest.raises(Refused, match="clipping, fail"):
        send(library, shoot, tmp_path / "out")
    state = library.state(shoot)
    accept(library.store, state, [state.photo(FIRST)], ["clipping"], ANN)
    assert send(library, shoot, tmp_path / "out")["files"]


def test_an_answer_does_not_outlive_the_edit_and_comes_back_with_it(shoot, library, tmp_path, detectors):  # noqa: F811
    detectors["clipping"] = told("clipping", 0.99)
    with pytest.raises(Refused):
        send(library, shoot, tmp_path / "out")
    state = library.state(shoot)
    accept(library.store, state, [state.photo(FIRST)], ["clipping"], ANN)
    say(library, state, state.photo(FIRST), "exposure", {"ev": 0.21})
    with pytest.raises(Refused, match="clipping, fail"):
        send(library, shoot, tmp_path / "out")
    state = library.state(shoot)
    decide(library.store, state, [state.photo(FIRST)], Saying(say=Say.UNDO, by="ann", operators=("exposure",)))
    assert send(library, shoot, tmp_path / "out")["files"]


def test_a_coarse_preset_is_looked_at_for_its_blocks(tmp_path):
    assert "jpeg" in judge.could_cause((), jpeg_quality=60)
    coarse = tmp_path / "coarse.toml"
    coarse.write_text('quality = 60\nsharpen = "print"\n', "utf-8")
    names = judge.could_cause(presets.find(str(coarse)).output, jpeg_quality=60)
    assert names is None or {"jpeg", "halo"} <= names


def test_a_tiny_file_of_an_edit_that_wants_detail_does_not_pass(shoot, library, tmp_path, monkeypatch):  # noqa: F811
    from safelight import plugins
    from safelight.plugins import _loaded_detectors

    monkeypatch.setattr(plugins, "detectors", lambda: _loaded_detectors().found)
    thumb = tmp_path / "thumb.toml"
    thumb.write_text("long_side = 24\n", "utf-8")
    made = send(library, shoot, tmp_path / "out", preset=str(thumb), draft=True)
    entry = next(f for f in made["files"] if f["source"]["path"] == FIRST)
    told_ = [f for f in entry["gate"]["findings"] if f["cannot_tell"] is None]
    assert told_ or entry["gate"]["verdict"] == "look"
    assert cv2.imread(str(tmp_path / "out" / entry["name"])).shape[:2] == (entry["height"], entry["width"])


# ---------------------------------------------------------------- a client's rules, at delivery


CLIENT = """
schema = "safelight.client/1"
client = "Acme"
forbidden = ["exposure"]

[background]
colour = [255, 255, 255]
share = 0.99

[margins]
least = 0.05
centred = 0.04

[swatch.red]
colour = "#C8102E"

[disclosure]
always = true
"""


def catalogue(*, ground=255, off=0, red=(0xC8, 0x10, 0x2E)):
    """A box of the client's red on a plain ground, with some structure in it."""
    picture = np.full((300, 300, 3), ground, np.uint8)
    picture[60:240, 60 + off : 240 + off] = red
    for row in range(70, 232, 12):
        picture[row : row + 3, 70 + off : 230 + off] = (40, 40, 44)
    return picture


@pytest.mark.parametrize(
    ("made", "ev", "broken"),
    [
        ({}, None, {"Acme.disclosure"}),
        ({"ground": 248}, None, {"Acme.background", "Acme.disclosure"}),
        ({"off": 40}, None, {"Acme.margins", "Acme.disclosure"}),
        ({"red": (0xB8, 0x30, 0x40)}, None, {"Acme.swatch.red", "Acme.disclosure"}),
        ({}, 0.02, {"Acme.forbidden"}),
    ],
)
def test_every_rule_of_a_client_holds_a_delivery_back(library, tmp_path, detectors, in_process, made, ev, broken):  # noqa: F811
    detectors["clipping"] = told("clipping", 0.01)
    folder = tmp_path / "shoot"
    folder.mkdir()
    Image.fromarray(catalogue(**made)).save(folder / "A-1.png")
    library.run(folder)
    state = library.state(folder)
    (photo,) = state.photos.values()
    say(library, state, photo, "cull", {"decision": "keep"})
    for name in photo.open_questions():
        decide(library.store, state, [photo], Saying(say=Say.REJECT, by="ann", operators=(name,)))
    if ev is not None:
        say(library, state, photo, "exposure", {"ev": ev})
    (folder / "client.toml").write_text(CLIENT, "utf-8")
    with pytest.raises(Held) as refused:
        send(library, folder, tmp_path / "out", preset=str(_best(tmp_path)))
    assert {m.name for m in refused.value.waiting} == broken
    assert all(m.remedy for m in refused.value.waiting)
    state = library.state(folder)
    accept(library.store, state, list(state.photos.values()), sorted(broken), Word(by="lea", reason="wanted"))
    files = send(library, folder, tmp_path / "out", preset=str(_best(tmp_path)))["files"]
    assert {a["finding"] for a in files[0]["gate"]["answered"]} == broken


def _best(folder):
    path = folder / "best.toml"
    path.write_text('quality = 100\nsubsampling = "444"\n', "utf-8")
    return path
