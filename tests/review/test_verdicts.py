"""What people say in the app is in the ledger, and what they take back is taken back."""

from pathlib import Path

from safelight import sidecars
from safelight.domain import Cull, Say
from safelight.media import xmp
from safelight.store import records
from safelight.store.objects import ShootFolder


def root_of(library):
    """The shoot's folder."""
    return Path(library.shoots()[0].root)


def stack(app):
    """The burst's group, best first."""
    return next(g for g in app.get("photos")["groups"] if g["kind"] in ("burst", "duplicate"))


def test_a_choice_is_an_approval_where_the_machine_said_the_same_and_a_change_where_not(app, library):
    group = stack(app)
    best, other = group["best"], group["members"][-1]
    app.post("choices", {"keep": [best, other], "seconds": 2.0})
    rows = records.ledger(library.store).rows
    assert {(v.asset, v.say) for v in rows} == {(best, Say.APPROVE), (other, Say.MODIFY)}
    assert {v.by for v in rows} == {"Ada"}
    assert len({v.at for v in rows}) == 1
    shown = {p["id"]: p for p in app.get("photos")["photos"]}
    assert all(shown[i]["decision"] == "keep" and shown[i]["decided"] for i in (best, other))


def test_one_approval_answers_a_whole_stack_and_one_undo_takes_it_back(app, library):
    group = stack(app)
    said = app.post("verdicts", {"photos": group["members"], "say": "approve", "group": group["id"]})
    assert said["written"] >= len(group["members"])
    assert {p["id"] for p in said["photos"]} == set(group["members"])
    assert all(not p["open"] for p in said["photos"])
    kept = [p["id"] for p in said["photos"] if p["decision"] == "keep"]
    assert kept == [group["best"]]
    assert app.post("undo")["undone"] == "verdict"
    assert all(p["open"] for p in app.get("photos")["photos"])
    assert app.post("undo")["undone"] == ""


def test_undo_reaches_back_over_a_restart(app, open_app, library):
    photos = app.photos()
    first, second = photos["IMG_0000.JPG"]["id"], photos["IMG_0001.JPG"]["id"]
    app.post("choices", {"reject": [first]})
    app.post("choices", {"reject": [second]})
    folder = root_of(library)
    again = open_app(folder)
    assert [p["id"] for p in again.post("undo")["photos"]] == [second]
    assert [p["id"] for p in again.post("undo")["photos"]] == [first]


def test_undo_leaves_what_somebody_else_has_decided_since(app):
    photo = app.photos()["IMG_0000.JPG"]["id"]
    other = app.photos()["IMG_0001.JPG"]["id"]
    app.post("choices", {"reject": [photo, other]})
    app.post("choices", {"keep": [photo]}, by="Grace")
    done = app.post("undo")
    assert {p["id"] for p in done["photos"]} == {photo, other}
    assert done["left"] == [{"path": "IMG_0000.JPG", "operator": "cull", "because": "what Grace said stands"}]
    assert app.photos()["IMG_0000.JPG"]["decision"] == "keep"


def test_undecided_is_said_too(app):
    photo = app.photos()["IMG_0000.JPG"]["id"]
    app.post("choices", {"keep": [photo]})
    shown = app.post("choices", {"undecided": [photo]})["photos"][0]
    assert (shown["decision"], shown["decided"], shown["open"]) == ("undecided", False, ["cull"])


def test_marks_are_evidence_and_are_undone_in_the_order_in_which_they_were_given(app, library):
    photo = app.photos()["IMG_0000.JPG"]["id"]
    app.post("marks", {"photos": [photo], "rating": 3})
    app.post("choices", {"keep": [photo]})
    app.post("marks", {"photos": [photo], "rating": 5})
    app.post("marks", {"photos": [photo], "label": "Green"})
    facts = records.facts(library.store, [photo])[photo]
    assert (facts["rating"].value, facts["label"].value) == (5, "Green")
    assert records.evidence(library.store, [photo])[photo]["rating"][1] == "review:Ada"
    seen = []
    for _ in range(4):
        done = app.post("undo")
        seen.append((done["undone"], done["photos"][0]["rating"], done["photos"][0]["label"]))
    assert seen == [("mark", 5, ""), ("mark", 3, ""), ("verdict", 3, ""), ("mark", 0, "")]


def test_ratings_given_here_reach_the_sidecar(app, library):
    photo = app.photos()["IMG_0000.JPG"]["id"]
    app.post("choices", {"keep": [photo]})
    app.post("marks", {"photos": [photo], "rating": 4})
    app.post("marks", {"photos": [photo], "label": "Blue"})
    folder = root_of(library)
    state = library.state(folder)
    sidecars.export(library.store, ShootFolder.at(folder), state)
    packet = xmp.Packet.parse((folder / "IMG_0000.JPG.xmp").read_bytes())
    assert (packet.get("xmp:Rating"), packet.get("xmp:Label")) == ("4", "Blue")
    found = sidecars.sync(library.store, ShootFolder.at(folder), library.state(folder), by="Ada")
    assert not found["taken"], "what we wrote ourselves is no news"
    assert not found["conflicts"]


def test_two_sessions_and_the_command_line_see_each_other(app, open_app, library):
    folder = root_of(library)
    other = open_app(folder)
    photo = app.photos()["IMG_0000.JPG"]
    other.post("choices", {"reject": [photo["id"]]}, by="Grace")
    assert app.photos()["IMG_0000.JPG"]["by"] == "Grace"
    library.verdict(folder, ["IMG_0001.JPG"], operator="cull", say=Say.MODIFY, by="cli", params={"decision": "reject"})
    assert app.photos()["IMG_0001.JPG"]["decision"] == Cull.REJECT


def test_a_list_since_a_revision_holds_what_changed(app):
    revision = app.get("photos")["revision"]
    photo = app.photos()["IMG_0001.JPG"]["id"]
    app.post("choices", {"keep": [photo]})
    found = app.get(f"photos?since={revision}")
    assert [p["id"] for p in found["photos"]] == [photo]
    assert found["order"] is None
    assert found["counts"]["kept"] == 1


def test_what_cannot_be_understood_is_refused_before_anything_is_written(app, library):
    photo = app.photos()["IMG_0000.JPG"]["id"]
    for path, body, status in (
        ("choices", {}, 400),
        ("choices", {"keep": [photo], "reject": [photo]}, 400),
        ("choices", {"keep": ["f" * 64]}, 400),
        ("choices", {"keep": ["../../etc/passwd"]}, 422),
        ("verdicts", {"photos": [photo], "say": "approve", "operators": ["nothing_of_this_name"]}, 400),
        ("verdicts", {"photos": [photo], "say": "shout"}, 422),
        ("verdicts", {"photos": [photo], "say": "approve", "more": 1}, 422),
        ("verdicts", {"photos": [photo], "say": "reject", "reason": "none of these"}, 400),
        ("marks", {"photos": [photo], "rating": 6}, 422),
        ("marks", {"photos": [photo]}, 400),
    ):
        told = app.post(path, body, status=status)
        assert told["cause"], body
    assert records.ledger(library.store).rows == []


def test_the_copy_that_travels_with_the_folder_is_written_when_the_app_ends(app, library):
    app.post("choices", {"keep": [app.photos()["IMG_0000.JPG"]["id"]]})
    app.client.__exit__(None, None, None)
    app.client.__enter__()
    record = root_of(library) / ".safelight" / "record.jsonl"
    assert record.read_text().count("\n") == 1
