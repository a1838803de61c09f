"""What the page of a clip asks: how it is played, waveform, words in parts, captions of the cut; clips in the queue."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.line import Options
from safelight.media import waveform
from safelight.media.sound import Block
from safelight.review.peaks import Measured
from tests import made_talk
from tests.made_clips import make_clip


@pytest.fixture
def app(library, tmp_path, open_app):
    made_talk.save(tmp_path / "shoot")
    make_clip(tmp_path / "shoot" / "old.avi", frames=20, sound_s=1)
    make_clip(tmp_path / "shoot" / "mute.mp4", frames=10)
    library.run(tmp_path / "shoot", options=Options(engine="inline", only=("cull",)))
    made_talk.known(library, tmp_path / "shoot")
    return open_app(tmp_path / "shoot")


def clip(app, path):
    return next(row["clip"] for row in app.get("cuts") if row["path"] == path)


def soon(ask, wanted, *, seconds=60):
    """What `ask` says once it is as wanted."""
    until = time.monotonic() + seconds
    while not wanted(said := ask()):
        assert time.monotonic() < until, said
        time.sleep(0.05)
    return said


def test_the_list_has_all_clips_and_says_why_one_has_no_cuts(app):
    rows = {row["path"]: row for row in app.get("cuts")}
    assert set(rows) == {"talk.wav", "old.avi", "mute.mp4"}
    assert (rows["talk.wav"]["open"], rows["talk.wav"]["because"]) == (4, "")
    page = app.client.get(f"/shoots/{app.shoot}/cut")
    assert page.status_code == 200
    assert "Clips" in app.client.get(f"/shoots/{app.shoot}/cull").text
    assert app.client.get("/?from=here").text.count(f"/shoots/{app.shoot}/cut") == 1
    assert app.client.get(f"/shoots/{app.shoot}/cut/{'0' * 64}", headers={"Accept": "text/html"}).status_code == 400


def test_the_original_is_played_else_a_copy_that_is_asked_for(app, tmp_path):
    found = app.get(f"clips/{clip(app, 'talk.wav')}/player")
    assert (found["state"], found["kind"], found["copied"]) == ("ready", "audio", False)
    old = clip(app, "old.avi")
    assert app.get(f"clips/{old}/player")["state"] == "strange"
    address = f"/shoots/{app.shoot}/clips/{old}/copy.mp4"
    assert app.client.get(address).status_code == 404
    assert app.post(f"clips/{old}/copy")["state"] in ("making", "ready")
    found = soon(lambda: app.get(f"clips/{old}/player"), lambda said: said["state"] != "making")
    assert (found["state"], found["address"], found["copied"]) == ("ready", address, True)
    part = app.client.get(address, headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    (tmp_path / "shoot" / "talk.wav").unlink()
    gone = app.get(f"clips/{clip(app, 'talk.wav')}/player")
    assert (gone["state"], "Bring the file back" in gone["why"]) == ("gone", True)
    assert app.post(f"clips/{clip(app, 'talk.wav')}/copy")["state"] == "gone"


def test_what_nobody_has_looked_at_is_not_cut_yet(app):
    place = f"clips/{clip(app, 'talk.wav')}"
    cut = next(e for e in app.get(f"{place}/cuts")["edits"] if e["operator"] == "tighten")["cuts"][0]
    sheet = app.post(f"{place}/cuts", {"operator": "tighten", "cuts": [{"name": cut["name"], "say": "approve"}]})
    assert sheet["kept"] == [[0, cut["start"]], [cut["end"], 300]]
    assert len(sheet["kept_with_proposed"]) > 2
    mute = f"clips/{clip(app, 'mute.mp4')}"
    own = {"operator": "tighten", "cuts": [{"name": "own-2", "say": "move", "start": 2, "end": 5}]}
    assert app.post(f"{mute}/cuts", own)["kept"] == [[0, 2], [5, 10]]
    own["cuts"][0]["say"] = "drop"
    app.post(f"clips/{clip(app, 'old.avi')}/cuts", own, status=400)


def test_the_waveform_of_any_range(app):
    place = f"clips/{clip(app, 'talk.wav')}/waveform"

    def asked(start, end, columns):
        return app.get(f"{place}?start={start}&end={end}&columns={columns}")

    soon(lambda: asked(0, 12, 1), lambda said: said["whole"])
    found = asked(0, 16, 160)  # beyond its end it is silent
    assert len(found["low"]) == len(found["high"]) == 160
    loud = [h > 1000 for h in found["high"]]
    assert [loud[int(10 * t)] for t in (0.2, 0.6, 3.0, 4.5, 8.0, 9.7, 13.0)] == [False, True, False, True, False, True,
                                                                                 False]  # fmt: skip
    fine = asked(4.3, 4.8, 50)
    assert min(fine["high"]) > 1000 > -1000 > max(fine["low"])
    soon(lambda: app.get(f"clips/{clip(app, 'mute.mp4')}/waveform?start=0&end=1&columns=4"),
         lambda said: said["cannot_tell"] == "It has no sound.")  # fmt: skip
    for wrong, status in (("start=2&end=1&columns=4", 400), ("start=0&end=1&columns=0", 422)):
        assert app.client.get(f"/api/shoots/{app.shoot}/{place}?{wrong}").status_code == status


def test_words_come_in_parts(app):
    place = f"clips/{clip(app, 'talk.wav')}"
    app.post(f"{place}/strike", {"ranges": [[10, 13]]})
    whole = app.get(f"{place}/words")["words"]
    parts = [w for n in (0, 5, 10, 15) for w in app.get(f"{place}/words?first={n}&most=5")["words"]]
    assert parts == whole
    assert [w["number"] for w in whole if w["gone"]] == [10, 11, 12]


def test_captions_are_those_of_the_cut(app):
    place = f"clips/{clip(app, 'talk.wav')}"
    found = app.get(f"{place}/captions?proposed=false")
    assert [" ".join(c["lines"]) for c in found["cues"]] == [
        "We begin with bread.", "We begin with bread and salt.", "Then comes water.",
    ]  # fmt: skip
    assert [c["at"] for c in found["cues"]] == [12, 100, 225]
    assert "--decided" in found["command"]
    cut = app.get(f"{place}/captions")
    said = " ".join(line for c in cut["cues"] for line in c["lines"])
    assert said == "We begin with bread and salt. Then comes water.", "the first take goes"
    assert cut["cues"][0]["at"] == 100
    assert cut["cues"][0]["start"] < 100 / 25, "in the time of the cut"
    strict = app.get(f"{place}/captions?preset=netflix_ja&proposed=false")
    assert strict["hard"] == sum(not b["soft"] for c in strict["cues"] for b in c["breaches"]) > 0
    assert app.client.get(f"/api/shoots/{app.shoot}/{place}/captions?preset=none").status_code == 400
    mute = app.get(f"clips/{clip(app, 'mute.mp4')}/captions")
    assert mute["cues"] or mute["cannot_tell"]


def test_cuts_stand_in_the_queue_and_are_answered_there(app):
    items = [i for i in app.get("queue")["items"] if i["clip"] and i["path"] == "talk.wav"]
    assert {i["operator"] for i in items} == {"tighten", "retakes"}
    assert not any(i["picture"] or i["blind"] for i in items)
    token = next(i["token"] for i in items if i["operator"] == "retakes")
    before = app.get("photos?since=0")["revision"]
    assert app.post("queue", {"tokens": [token], "say": "reject", "reason": ""})["written"] == 1
    assert app.get("photos?since=0")["revision"] > before, "other browsers look again"
    left = [i["operator"] for i in app.get("queue")["items"] if i["path"] == "talk.wav"]
    assert left == ["tighten"]


@given(st.integers(1, 900), st.floats(0, 8), st.floats(0.01, 8), st.integers(1, 64))
def test_a_range_of_the_waveform_misses_no_peak(count, start, length, columns):
    rng = np.random.default_rng(count)
    made = waveform.Peaks()
    made.hear(Block(at=0, samples=rng.uniform(-1, 1, (count * 10, 1)).astype(np.float32), rate=1000))
    rows = made.rows[: made.count]
    found = Measured(made=made).between(start, start + length, columns)
    first, last = int(start * 100 + 1), int((start + length) * 100)
    inside = rows[first:last]
    if len(inside):
        assert found[:, 0].min() <= inside[:, 0].min()
        assert found[:, 1].max() >= inside[:, 1].max()
    assert found.shape == (columns, 2)
