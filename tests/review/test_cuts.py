"""Cuts over the app's API: listed, judged one by one, struck by words, undone."""

import pytest

from safelight import interchange
from safelight.line import Options
from safelight.store import schema
from safelight.store.library import now
from tests import made_talk


@pytest.fixture
def app(library, tmp_path, open_app):
    return open_app(made_talk.shoot(library, tmp_path / "shoot"))


@pytest.fixture
def clip(app):
    (row,) = app.get("cuts")
    assert (row["path"], row["waits"]) == ("talk.wav", ["retakes", "tighten"])
    assert row["plays_with_proposed_s"] < row["plays_s"] == 12
    return f"clips/{row['clip']}"


def edit(sheet, operator="tighten"):
    return next(e for e in sheet["edits"] if e["operator"] == operator)


def test_the_list_has_the_evidence_and_the_words_have_times(app, clip):
    sheet = app.get(f"{clip}/cuts")
    assert (sheet["rate"], sheet["frames"], sheet["paces"]) == ("25", 300, ["natural", "balanced", "fast"])
    cut = edit(sheet)["cuts"][0]
    assert cut["seconds"] == [cut["start"] / 25, cut["end"] / 25]
    assert cut["evidence"]["level.margin_db"] > 0
    assert (cut["state"], cut["inside"]) == ("proposed", [])
    assert edit(sheet, "retakes")["cuts"][0]["inside"] == ["We", "begin", "with", "bread."]
    words = app.get(f"{clip}/words")
    assert words["whole"]
    assert [w["text"] for w in words["words"]] == [text for text, *_ in made_talk.SAID]
    assert not any(w["struck"] or w["gone"] for w in words["words"])


def test_single_answers_come_back_in_the_list_and_are_undone(app, clip):
    names = [c["name"] for c in edit(app.get(f"{clip}/cuts"))["cuts"]]
    sheet = app.post(f"{clip}/cuts", {"operator": "tighten", "cuts": [{"name": names[0], "say": "drop"}]})
    assert (edit(sheet)["state"], edit(sheet)["waits"]) == ("modified", True)
    assert [c["state"] for c in edit(sheet)["cuts"]][:2] == ["dropped", "proposed"]
    rest = [{"name": n, "say": "approve"} for n in names[1:]]
    sheet = app.post(f"{clip}/cuts", {"operator": "tighten", "cuts": rest})
    assert not edit(sheet)["waits"]
    assert app.post("undo")["undone"] == "verdict"
    assert edit(app.get(f"{clip}/cuts"))["waits"]
    assert app.post(f"{clip}/cuts", {"operator": "tighten", "cuts": [{"name": "x", "say": "drop"}]}, status=400)
    app.post(f"{clip}/cuts", {"operator": "tighten", "cuts": [{"name": "x", "say": "shorten"}]}, status=422)


def test_whole_verdicts_pace_and_what_is_played(app, clip):
    sheet = app.post(f"{clip}/verdict", {"operator": "retakes", "say": "approve"})
    assert edit(sheet, "retakes")["state"] == "approved"
    sheet = app.post(f"{clip}/pace", {"pace": "fast"})
    assert edit(sheet)["pace"] == "fast"
    played = app.get(f"{clip}/programme")
    assert played["frames"] == sum(b - a for a, b in sheet["kept"])
    assert played["ranges"][1]["at"] == played["ranges"][0]["end"] - played["ranges"][0]["start"]
    app.post(f"{clip}/verdict", {"operator": "exposure", "say": "approve"}, status=400)


def test_struck_words_go_and_come_back(app, clip):
    sheet = app.post(f"{clip}/strike", {"ranges": [[10, 13]]})
    assert (sheet["struck"], sheet["left"]) == ([[10, 13]], [])
    gone = [w["number"] for w in app.get(f"{clip}/words")["words"] if w["gone"]]
    assert gone == [10, 11, 12]
    assert app.post(f"{clip}/strike", {"ranges": [[11, 12]], "back": True})["left"], "it runs into its neighbours"
    assert app.post(f"{clip}/strike", {"ranges": [[0, 13]], "back": True})["struck"] == []
    app.post(f"{clip}/strike", {"ranges": [[0, 99]]}, status=400)
    assert app.post("undo")["undone"] == "verdict"


@pytest.fixture
def doubtful(library, tmp_path, open_app):
    """A talk in which a word is heard where it is quiet: the pause around it is in doubt."""
    made_talk.save(tmp_path / "talk", "talk.wav")
    library.run(tmp_path / "talk", options=Options(engine="inline", only=("cull",)))
    said = (*made_talk.SAID[:4], ("Ghost.", 2.9, 3.3), *made_talk.SAID[4:])
    made_talk.known(library, tmp_path / "talk", said=said)
    return open_app(tmp_path / "talk")


def test_a_doubt_is_left_as_it_is_on_the_record(doubtful):
    (row,) = doubtful.get("cuts")
    clip = f"clips/{row['clip']}"
    assert row["doubts"] == 1
    found = edit(doubtful.get(f"{clip}/cuts"))
    (doubt,) = found["doubts"]
    assert not doubt["stays"]
    leave = {"operator": "tighten", "cuts": [{"name": doubt["name"], "say": "leave"}]}
    left = edit(doubtful.post(f"{clip}/cuts", leave))
    assert left["doubts"][0]["stays"]
    assert (left["waits"], [c["state"] for c in left["cuts"]]) == (True, [c["state"] for c in found["cuts"]])
    assert doubtful.get("cuts")[0]["doubts"] == 0
    done = edit(doubtful.post(f"{clip}/verdict", {"operator": "tighten", "say": "approve"}))
    assert (done["waits"], done["doubts"][0]["stays"]) == (False, True), "approving all forgets nothing of it"
    doubtful.post("undo")
    doubtful.post("undo")
    assert not edit(doubtful.get(f"{clip}/cuts"))["doubts"][0]["stays"]
    cut = {"name": doubt["name"], "say": "move", "start": doubt["start"], "end": doubt["end"]}
    doubtful.post(f"{clip}/cuts", leave)
    after_all = edit(doubtful.post(f"{clip}/cuts", {"operator": "tighten", "cuts": [cut]}))
    assert not after_all["doubts"][0]["stays"]
    nowhere = {"operator": "tighten", "cuts": [{"name": "pause-1", "say": "leave"}]}
    assert "no doubt" in doubtful.post(f"{clip}/cuts", nowhere, status=400)["cause"]


def test_the_cut_is_sent_as_a_timeline_for_another_program(app, clip, tmp_path):
    app.post(f"{clip}/verdict", {"operator": "retakes", "say": "approve"})
    played = app.get(f"{clip}/programme")
    answer = app.client.get(f"/api/shoots/{app.shoot}/{clip}/timeline.otio")
    assert answer.status_code == 200
    opened = interchange.read(saved(tmp_path / "cut.otio", answer.content))
    assert opened.programme.length == played["frames"]
    lossy = app.client.get(f"/api/shoots/{app.shoot}/{clip}/timeline.mlt?proposed=true")
    assert "markers" in lossy.headers["X-Safelight-Losses"]
    assert app.client.get(f"/api/shoots/{app.shoot}/{clip}/timeline.avi").status_code == 422


def saved(path, data):
    path.write_bytes(data)
    return path


@pytest.fixture
def control(app, clip, library, tmp_path, open_app):
    """The same, where a coin drew the pauses to be judged without a suggestion."""
    state = library.state(tmp_path / "shoot", evidence=False)
    row = {
        "shoot": state.shoot.id, "asset": clip.removeprefix("clips/"), "operator": "tighten", "drawn": "control",
        "seed": state.shoot.id, "share": 0.05, "lot": None, "at": now(),
    }  # fmt: skip
    library.store.append(schema.draws, [row])
    return open_app(tmp_path / "shoot")


def test_a_clip_that_is_judged_without_a_suggestion_shows_none_until_all_of_it_is_cut(control, clip):
    pauses = edit(control.get(f"{clip}/cuts"))
    assert (pauses["blind"], pauses["waits"], pauses["cuts"], pauses["doubts"], pauses["notes"]) == (
        True,
        True,
        [],
        [],
        [],
    )
    (row,) = control.get("cuts")
    assert (row["waits"], row["open"], row["cuts"]) == (["retakes", "tighten"], 1, 1), "the retake is shown"
    item = next(i for i in control.get("queue")["items"] if i["operator"] == "tighten")
    assert (item["blind"], item["because"]) == (True, [])
    control.post(f"{clip}/verdict", {"operator": "tighten", "say": "approve"}, status=400)
    control.post(f"{clip}/pace", {"pace": "fast"}, status=400)
    own = {"operator": "tighten", "cuts": [{"name": "own-60", "say": "move", "start": 60, "end": 90}]}
    begun = edit(control.post(f"{clip}/cuts", own))
    assert (begun["blind"], begun["waits"], [c["state"] for c in begun["cuts"]]) == (True, True, ["added"])
    dropped = edit(control.post(f"{clip}/cuts", {"operator": "tighten", "cuts": [{"name": "own-60", "say": "drop"}]}))
    assert (dropped["blind"], dropped["cuts"]) == (True, [])
    control.post("undo")
    told = edit(control.post(f"{clip}/verdict", {"operator": "tighten", "say": "approve", "seconds": 1e6}))
    assert (told["blind"], told["waits"]) == (False, False)
    assert sorted(c["state"] for c in told["cuts"]) == ["added", "dropped", "dropped", "dropped"], "now it is told"
    control.post("undo")
    assert edit(control.get(f"{clip}/cuts"))["blind"]
    left = edit(control.post(f"{clip}/verdict", {"operator": "tighten", "say": "reject"}))
    assert (left["blind"], left["waits"]) == (False, False)


def test_a_clip_that_is_not_there(app):
    answer = app.client.get(f"/api/shoots/{app.shoot}/clips/{'0' * 64}/cuts")
    assert (answer.status_code, "no such clip" in answer.json()["cause"]) == (400, True)


def test_what_is_done_to_the_sound_is_listed_answered_and_taken_back(app, clip):
    assert app.get(f"{clip}/cuts")["effects"] == []
    sheet = app.post(f"{clip}/effect", {"operator": "loudness", "params": {"target": "podcast"}})
    (row,) = sheet["effects"]
    assert (row["operator"], row["state"], row["waits"], row["text"]) == (
        "loudness", "modified", False, "to -16 LUFS, below -1 dBTP",
    )  # fmt: skip
    assert sheet["kept"] == [[0, 300]], "the same plays"
    assert app.post("undo")["undone"] == "verdict"
    assert app.get(f"{clip}/cuts")["effects"] == []
    assert app.post(f"{clip}/effect", {"operator": "tighten", "params": {}}, status=400)
    assert app.post(f"{clip}/effect", {"operator": "loudness", "params": {"gain_db": 400}}, status=400)


def test_a_person_sets_cutaways_and_a_timeline_has_them(tmp_path, with_hands):
    app, _, ids, clip = with_hands
    marks = [
        {"name": f"own-{at}", "at": f"{at}/1", "length": "1/1", "source": ids["hands.mov"], "start": "1/1",
         "title": "hands.mov"}
        for at in (1, 3)
    ]  # fmt: skip
    sheet = app.post(f"{clip}/effect", {"operator": "cutaways", "params": {"marks": marks}})
    (one,) = [e for e in sheet["effects"] if e["operator"] == "cutaways"]
    assert one["text"] == "hands.mov from 0:01 on for 1.0 s; hands.mov from 0:03 on for 1.0 s"
    assert [c["text"] for c in one["choices"]] == ["without the cutaway at 0:01", "without the cutaway at 0:03"]
    wrong = {"marks": [{"name": "a", "at": "1/1", "by": "0/1"}]}
    app.post(f"{clip}/effect", {"operator": "split", "params": wrong}, status=400)
    app.post(f"{clip}/effect", {"operator": "cutaways", "params": one["choices"][1]["params"]})
    answer = app.client.get(f"/api/shoots/{app.shoot}/{clip}/timeline.otio")
    above = interchange.read(saved(tmp_path / "cut.otio", answer.content)).programme.tracks[1]
    assert [(c.name, c.length, c.source, c.enabled) for c in above.items if hasattr(c, "name")] == [
        ("hands", 25, 25, True)
    ]  # fmt: skip
