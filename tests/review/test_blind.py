"""Nothing in the queue tells a planted item from an honest one before it is answered; none ever reaches a delivery."""

import json

import numpy as np
import pytest

from safelight import known_bads
from safelight.domain import Drawn, Say
from safelight.policy import parse
from tests.review.test_judging import judged, picture  # noqa: F401 - a fixture

RULES = """schema = "safelight.policy/1"
[task.exposure]
known_bad = 1.0
"""


@pytest.fixture
def planted(judged, library, tmp_path, monkeypatch):  # noqa: F811
    """The app on a shoot of seven exposures, of which four have a spoilt twin in the queue."""
    from safelight import ledger
    from safelight.store.objects import ShootFolder

    rules = parse(RULES, "test", base=ledger.rules(library.store))
    monkeypatch.setattr(ledger, "rules", lambda *_: rules)
    folder = ShootFolder.at(tmp_path / "shoot")
    state = library.state(tmp_path / "shoot")
    known_bads.make(library.store, state, rules)
    for job in known_bads.trials(library.store, state, folder)[:4]:
        assert known_bads.spoil(job) is None
    return judged


def spoilt(library, tmp_path) -> dict[str, str]:
    """Photos by the ids of what was spoilt."""
    state = library.state(tmp_path / "shoot")
    return {bad.id: bad.asset for bad in known_bads.of_shoot(library.store, state.shoot.id)}


def items(planted) -> dict[str, dict]:
    """Items of the queue by photo."""
    return {item["photo"]: item for item in planted.get("queue")["items"]}


def twice(planted, ask):
    """What `ask` says of each item that was spoilt, and of the honest one that comes after it."""
    found = []
    for item in list(items(planted).values()):
        before = ask(item)
        if planted.post("queue", {"tokens": [item["token"]], "say": "reject", "reason": "too_bright"})["planted"]:
            found.append((before, ask(items(planted)[item["photo"]])))
        else:
            planted.post("undo")
    assert len(found) == 4
    return found


def test_every_item_comes_once_with_the_same_fields_and_none_says_what_it_is(planted, library, tmp_path):
    told = planted.get("queue")
    assert told["count"] == len(items(planted)) == 7
    assert len({tuple(sorted(item)) for item in told["items"]}) == 1
    assert not any(bad in json.dumps(told) for bad in spoilt(library, tmp_path))
    assert told["count"] == planted.get("photos")["counts"]["open"], "nor does the running count"


def test_the_honest_one_comes_with_the_same_card_after_the_spoilt_one(planted):
    assert all(one == two for one, two in twice(planted, lambda item: planted.get(f"queue/{item['token']}/cards")))


def test_the_spoilt_one_looks_spoilt_and_the_honest_one_does_not(planted):
    def view(item):
        made = planted.post(f"queue/{item['token']}/view", {"side": 480})
        assert set(made) == {"image", "width", "height", "whole", "box", "histogram", "draft", "milliseconds"}
        return picture(planted, made["image"]).astype(int)

    assert all(np.abs(one - two).mean() > 5 for one, two in twice(planted, view))


def test_the_same_part_is_shown_at_full_size(planted):
    def view(item):
        made = planted.post(f"queue/{item['token']}/view", {"at": [120, 80], "view": [64, 48]})
        return made["box"], made["whole"], picture(planted, made["image"]).shape

    assert all(one == two for one, two in twice(planted, view))


def test_rejecting_the_spoilt_one_says_so_and_leaves_the_photo_as_it_was(planted, library, tmp_path):
    for item in items(planted).values():
        done = planted.post("queue", {"tokens": [item["token"]], "say": "reject", "reason": "too_bright"})
        if done["planted"]:
            break
        planted.post("undo")
    else:
        pytest.fail("no planted item was in the queue")
    last = library.state(tmp_path / "shoot").ledger.rows[-1]
    assert (last.drawn, last.say) == (Drawn.KNOWN_BAD, Say.REJECT)
    assert last.asset in spoilt(library, tmp_path)
    again = items(planted)
    assert len(again) == 7
    assert again[item["photo"]]["token"] != item["token"], "the honest one has come in its place"
    planted.post("undo")
    assert items(planted)[item["photo"]]["token"] == item["token"]


def test_no_delivery_holds_one(planted, library, tmp_path):
    """Several answered together: the honest ones behind are answered too, all at once, and taken back at once."""
    tokens = [item["token"] for item in planted.get("queue", params={"task": "exposure"})["items"]]
    planted.post("queue", {"tokens": tokens, "say": "approve"})
    assert planted.get("queue")["count"] == 0
    said = [v for v in library.state(tmp_path / "shoot").ledger.rows if v.operator == "exposure"]
    assert [v.bundled for v in said] == [7] * 11
    assert len({v.at for v in said}) == 1
    planted.post("undo")
    assert planted.get("queue")["count"] == 7
    planted.post("queue", {"tokens": tokens, "say": "approve"})
    told = planted.post("checklist", {"to": str(tmp_path / "out"), "sign_off": "Ada"})
    assert told["count"] == 7
    state = library.state(tmp_path / "shoot")
    bad = set(spoilt(library, tmp_path))
    assert not bad & {v.proposal for photo in state.photos.values() for v in photo.standing.values()}
    edits = {
        edit.params["ev"] for photo in state.photos.values() for edit in photo.edits() if edit.operator == "exposure"
    }
    assert edits == {0.3, 3.0}


@pytest.fixture
def drawn(judged, library, tmp_path, open_app):  # noqa: F811
    """The app on the same shoot, where the exposure of one photo and the choice of another were drawn as controls."""
    from safelight.store import schema
    from safelight.store.library import now

    state = library.state(tmp_path / "shoot", evidence=False)
    rows = []
    for path, operator in (("IMG_0001.JPG", "exposure"), ("IMG_0005.JPG", "cull")):
        photo = state.photos[path if path in state.photos else state.photo(path).id]
        rows.append(
            {"shoot": state.shoot.id, "asset": photo.id, "operator": operator, "drawn": "control",
             "seed": state.shoot.id, "share": 0.05, "lot": None, "at": now()}
        )  # fmt: skip
    library.store.append(schema.draws, rows)
    judged.post("undo")  # nothing is decided
    return open_app(tmp_path / "shoot")


def test_a_control_is_shown_nowhere_with_its_suggestion(drawn):
    photos = drawn.photos()
    photo, other = photos["IMG_0001.JPG"]["id"], photos["IMG_0000.JPG"]["id"]
    drawn.post("choices", {"keep": [photo, other]})
    assert (drawn.photos()["IMG_0001.JPG"]["blind"], photos["IMG_0000.JPG"]["blind"]) == (["exposure"], [])
    cell = next(p for scene in drawn.get("scenes") for p in scene["photos"] if p["id"] == photo)
    assert (cell["waits"], cell["blind"]) == (["exposure"], ["exposure"])
    assert [e["text"] for e in cell["edits"]] == ["without a suggestion"]
    told = [
        drawn.get(f"photos/{photo}"),
        drawn.get(f"photos/{photo}/cards"),
        drawn.get(f"photos/{photo}/cards/exposure"),
        drawn.get(f"photos/{photo}/cards/exposure/turning"),
        [i for i in drawn.get("queue")["items"] if i["photo"] == photo],
    ]
    assert '"ev": 0.3' not in json.dumps(told)
    assert '"ev": 0.3' in json.dumps(drawn.get(f"photos/{other}"))
    card = told[2]
    assert (card["blind"], card["params"]["ev"], card["alternatives"], card["score"]) == (True, 0.0, [], None)
    assert told[3] == []
    before, after = (
        picture(drawn, drawn.post(f"photos/{photo}/view", {"before": b, "side": 480})["image"]) for b in (True, False)
    )
    assert np.abs(before.astype(int) - after).max() == 0
    small = picture(drawn, f"/shoots/{drawn.shoot}/photos/{photo}/after.jpg?side=480")
    assert np.abs(before.astype(int) - small).mean() < 1


def test_a_control_is_not_approved_with_the_rest_and_is_decided_like_any_other(drawn):
    photos = drawn.photos()
    ids = [photos[f"IMG_000{i}.JPG"]["id"] for i in range(2)]
    drawn.post("choices", {"keep": ids})
    done = drawn.post("edits", {"photos": ids, "say": "approve"})
    assert (done["written"], [left["operator"] for left in done["left"]]) == (1, ["exposure"])
    assert "without a suggestion" in done["left"][0]["because"]
    drawn.post("edits", {"photos": [ids[1]], "say": "modify", "operators": ["exposure"], "params": {"ev": 0.5}})
    shown = drawn.photos()["IMG_0001.JPG"]
    assert (shown["open"], shown["blind"]) == ([], [])
    drawn.post("undo")
    assert drawn.photos()["IMG_0001.JPG"]["blind"] == ["exposure"]


def test_a_stack_says_nothing_of_the_frame_that_is_judged_blind(drawn):
    found = drawn.get("photos")
    photos = {p["path"]: p for p in found["photos"]}
    blind = photos["IMG_0005.JPG"]
    assert (blind["decision"], blind["proposed"], blind["score"], blind["blind"]) == (
        "undecided", "undecided", None, ["cull"],
    )  # fmt: skip
    stack = next(g for g in found["groups"] if blind["id"] in g["members"] and g["kind"] != "scene")
    assert stack["best"] != blind["id"]
    for path, photo in photos.items():
        told = json.dumps(drawn.get(f"photos/{photo['id']}")["cull"])
        assert path == "IMG_0005.JPG" or "IMG_0005" not in told
        assert photo["tie"] != blind["id"]
    done = drawn.post("verdicts", {"photos": stack["members"], "say": "approve", "operators": ["cull"]})
    assert blind["path"] in [left["path"] for left in done["left"]]
    done = drawn.post("choices", {"reject": [blind["id"]]})
    assert done["groups"] is not None
    assert drawn.photos()["IMG_0005.JPG"]["blind"] == []
