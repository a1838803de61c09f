"""Judging edits, the queue, batches, deliveries and practice, as a program does it."""

import json
import time

import cv2
import numpy as np
import pytest

from safelight import params, plugins
from safelight.domain import Because, Drawn, Edit, Proposal, Zone
from safelight.media.colour import delta_e
from safelight.store import records
from tests.review.conftest import Program


def propose(library, shoot: str, photo: str, name: str, *, score: float = 0.9, text: str = "", **values) -> None:
    """A proposal of the machine, as a run writes it; `text` is its reason, where it gives one."""
    op = plugins.operator(name)
    edit = Edit(operator=name, version=op.version, params=params.to_json(op.params(**values)))
    made = Proposal(
        id=f"{name}-{photo[:8]}", asset=photo, edit=edit, zone=Zone.REVIEW, score=score,
        because=(Because(evidence="luma.median", value=0.2, text=text),) if text else (),
        alternatives=(Edit(operator=name, version=op.version, params=params.to_json(op.params())),),
    )  # fmt: skip
    records.save_proposals(library.store, shoot, [made], [])


@pytest.fixture
def judged(open_app, library, tmp_path) -> Program:
    """The app on a shoot whose photos have exposures proposed, one of them far from the others."""
    shoot = json.loads((tmp_path / "shoot" / ".safelight" / "shoot.json").read_text())["id"]
    state = library.state(tmp_path / "shoot", evidence=False)
    for photo in sorted(state.photos.values(), key=lambda p: p.path):
        for name in [n for n in photo.proposals if n != "cull"]:
            records.save_proposals(library.store, shoot, [], [photo.proposals[name]])
        ev = 3.0 if photo.path == "IMG_0004.JPG" else 0.3
        propose(library, shoot, photo.id, "exposure", ev=ev, score=0.6 if ev > 1 else 0.95)
    app = open_app(tmp_path / "shoot")
    everybody = [p["id"] for p in app.photos().values()]
    app.post("choices", {"keep": everybody})
    return app


def picture(app: Program, address: str) -> np.ndarray:
    answer = app.client.get(address)
    assert answer.status_code == 200, answer.text
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def one(app: Program, path: str = "IMG_0000.JPG") -> str:
    return app.photos()[path]["id"]


def burst_scene(app: Program) -> dict:
    return max(app.get("scenes"), key=lambda scene: len(scene["photos"]))


class TestViews:
    def test_an_edit_is_seen_before_it_is_said(self, judged):
        photo = one(judged)
        views = [
            judged.post(f"photos/{photo}/view", {"change": {"operator": "exposure", "params": {"ev": ev}}, "side": 800})
            for ev in (0.0, 1.0)
        ]
        dark, bright = (picture(judged, view["image"]) for view in views)
        assert bright.mean() > dark.mean() + 20
        assert views[1]["histogram"]["high"]["any"] >= views[0]["histogram"]["high"]["any"]
        assert judged.get("scenes")  # nothing was written
        assert judged.photos()["IMG_0000.JPG"]["open"] == ["exposure"]

    def test_before_is_as_it_was_taken(self, judged):
        photo = one(judged)
        before = picture(judged, judged.post(f"photos/{photo}/view", {"before": True})["image"])
        proxy = picture(judged, f"/shoots/{judged.shoot}/photos/{photo}/proxy.jpg")
        assert np.abs(before.astype(int) - proxy).mean() < 3

    def test_a_part_at_full_size_says_where_it_lies(self, judged):
        view = judged.post(f"photos/{one(judged)}/view", {"at": [120, 80], "view": [64, 48]})
        assert view["box"] == [88, 56, 152, 104]
        assert view["whole"] == [240, 160]
        assert picture(judged, view["image"]).shape == (48, 64, 3)

    def test_what_an_operator_does_not_take_is_refused_with_its_bounds(self, judged):
        wish = {"change": {"operator": "exposure", "params": {"ev": 99}}}
        told = judged.post(f"photos/{one(judged)}/view", wish, status=400)
        assert "-5 to 5" in told["cause"]

    def test_an_original_that_is_gone_says_so_at_full_size_and_still_shows_its_proxy(self, judged, tmp_path):
        photo = one(judged)
        (tmp_path / "shoot" / "IMG_0000.JPG").unlink()
        told = judged.post(f"photos/{photo}/view", {"at": [10, 10]}, status=422)
        assert "no longer there" in told["cause"]
        judged.post(f"photos/{photo}/view", {"side": 800})

    def test_colours_of_a_view_are_those_of_the_picture(self, judged):
        """A view is sent as sRGB with a profile: what the browser shows is what was rendered."""
        photo = one(judged)
        view = judged.post(f"photos/{photo}/view", {"before": True})
        data = judged.client.get(view["image"]).content
        assert b"ICC_PROFILE" in data
        proxy = picture(judged, f"/shoots/{judged.shoot}/photos/{photo}/proxy.jpg")
        assert float(np.median(delta_e(picture(judged, view["image"]), proxy))) < 1


class TestPainting:
    def test_a_mask_is_painted_seen_and_kept_with_the_verdict(self, judged, tmp_path):
        photo = one(judged)
        mark = {"shape": "box", "points": [[0, 0], [120, 160]]}
        painted = judged.post(f"photos/{photo}/masks", {"marks": [mark]})
        assert painted["covers"] == 0.5
        kept = tmp_path / "shoot" / ".safelight" / "kept" / painted["mask"][:2] / painted["mask"]
        assert not kept.exists()
        values = {"ev": 1.5, "mask": painted["mask"]}
        change = {"operator": "painted_light", "params": values}
        lit = picture(judged, judged.post(f"photos/{photo}/view", {"change": change})["image"]).astype(int)
        plain = picture(judged, judged.post(f"photos/{photo}/view", {})["image"]).astype(int)
        assert (lit - plain)[:, :110].mean() > 15
        assert np.abs(lit - plain)[:, 130:].mean() < 2
        judged.post(f"masks/{painted['mask']}")
        assert kept.exists()
        done = judged.post(
            "edits", {"photos": [photo], "say": "modify", "operators": ["painted_light"], "params": values}
        )
        assert done["written"] == 1
        cards = {card["operator"]: card for card in judged.get(f"photos/{photo}/cards")["cards"]}
        assert cards["painted_light"]["params"] == values

    def test_further_strokes_go_on_the_same_mask(self, judged):
        photo = one(judged)
        first = judged.post(f"photos/{photo}/masks", {"marks": [{"shape": "box", "points": [[0, 0], [60, 160]]}]})
        erased = {"shape": "eraser", "points": [[30, 0], [30, 160]], "radius": 200, "hardness": 1}
        second = judged.post(f"photos/{photo}/masks", {"mask": first["mask"], "marks": [erased]})
        assert (first["covers"], second["covers"]) == (0.25, 0)

    def test_a_mask_that_nobody_painted_is_refused(self, judged):
        told = judged.post(f"masks/{'0' * 64}", status=400)
        assert "missing" in told["cause"]


class TestScenes:
    def test_the_frame_that_stands_apart_comes_first_and_says_why(self, judged):
        first = burst_scene(judged)["photos"][0]
        assert first["path"] == "IMG_0004.JPG"
        assert first["stands_apart"]
        assert "middle is +0.3 EV" in first["because"]

    def test_all_but_the_marked_are_approved_at_once_and_undone_at_once(self, judged):
        scene = burst_scene(judged)
        photos = [p["id"] for p in scene["photos"] if p["path"] != "IMG_0004.JPG"]
        done = judged.post("edits", {"photos": photos, "say": "approve", "group": scene["id"]})
        assert done["written"] == len(photos)
        assert [p["path"] for p in burst_scene(judged)["photos"] if p["waits"]] == ["IMG_0004.JPG"]
        judged.post("undo")
        assert burst_scene(judged)["open"] == len(photos) + 1

    def test_bundled_approvals_are_recorded_as_such(self, judged, library, tmp_path):
        scene = burst_scene(judged)
        photos = [p["id"] for p in scene["photos"]]
        judged.post("edits", {"photos": photos, "say": "approve", "group": scene["id"], "seconds": 8})
        rows = [v for v in library.state(tmp_path / "shoot").ledger.rows if v.operator == "exposure"]
        assert {v.bundled for v in rows} == {len(photos)}
        assert sum(v.seconds for v in rows) == pytest.approx(8)

    def test_approving_a_scene_leaves_what_was_answered_before(self, judged):
        scene = burst_scene(judged)
        photos = [p["id"] for p in scene["photos"]]
        change = {"photos": photos[:1], "say": "modify", "operators": ["exposure"], "params": {"ev": -1.0}}
        judged.post("edits", change)
        judged.post("edits", {"photos": photos, "say": "approve"})
        (card,) = (c for c in judged.get(f"photos/{photos[0]}/cards")["cards"] if c["operator"] == "exposure")
        assert (card["state"], card["params"]) == ("modified", {"ev": -1.0})

    def test_one_changed_edit_goes_to_a_whole_scene_and_back(self, judged):
        photos = [p["id"] for p in burst_scene(judged)["photos"]]
        done = judged.post(
            "edits", {"photos": photos, "say": "modify", "operators": ["exposure"], "params": {"ev": 0.5}}
        )
        assert done["written"] == len(photos)
        assert {p["edits"][0]["text"] for p in burst_scene(judged)["photos"]} == {"ev +0.5 EV"}
        judged.post("undo")
        assert burst_scene(judged)["open"] == len(photos)

    def test_a_rejection_carries_its_reason_and_place(self, judged, library, tmp_path):
        body = {"photos": [one(judged)], "say": "reject", "operators": ["exposure"], "reason": "too_bright"}
        judged.post("edits", body | {"note": "here 1,2,30,40"})
        last = library.state(tmp_path / "shoot").ledger.rows[-1]
        assert (last.say, last.reason, last.note) == ("reject", "too_bright", "here 1,2,30,40")


class TestCards:
    def test_a_card_holds_the_form_the_words_and_the_alternatives(self, judged):
        (card,) = (c for c in judged.get(f"photos/{one(judged)}/cards")["cards"] if c["operator"] == "exposure")
        assert card["said"] == "ev +0.3 EV"
        assert card["waits"]
        assert card["alternatives"] == [{"params": {"ev": 0.0}, "text": "as it is"}]
        (field,) = card["form"]
        assert (field["kind"], field["low"], field["high"], field["step"], field["unit"]) == (
            "slider",
            -5,
            5,
            0.05,
            "EV",
        )
        assert "estimate" in card["sure"]

    def test_what_nobody_proposed_can_be_added(self, judged):
        told = judged.get(f"photos/{one(judged)}/cards")
        assert "painted_light" in {other["operator"] for other in told["others"]}
        assert judged.get(f"photos/{one(judged)}/cards/tone")["state"] is None


ORDER = {"preset": "jpeg", "sign_off": "Ada"}


class TestDelivering:
    def test_the_checklist_says_what_is_missing_and_what_would_be_written(self, judged, tmp_path):
        order = ORDER | {"to": str(tmp_path / "out")}
        told = judged.post("checklist", order)
        assert not told["ready"]
        assert told["missing"] == ["7 kept photos have edits that nobody has answered."]
        assert told["unanswered"][0]["operator"] == "exposure"
        assert [f["name"] for f in told["files"]][:2] == ["IMG_0000.jpg", "IMG_0001.jpg"]
        assert not (tmp_path / "out").exists()

    def test_it_is_refused_for_exactly_what_the_checklist_says(self, judged, tmp_path):
        order = ORDER | {"to": str(tmp_path / "out")}
        told = judged.post("deliveries", order, status=409)
        assert judged.post("checklist", order)["missing"][0].rstrip(".") in told["cause"]
        assert not (tmp_path / "out").exists()

    def test_a_final_delivery_needs_a_name(self, judged, tmp_path):
        told = judged.post("deliveries", {"to": str(tmp_path / "out")}, status=400)
        assert "signed off" in told["cause"]

    def test_nobody_signs_for_somebody_else(self, judged, tmp_path):
        order = ORDER | {"to": str(tmp_path / "out")}
        assert judged.post("checklist", order, by="Ada")["unsigned"] is None
        told = judged.post("checklist", order, by="Grace")["unsigned"]
        assert "Grace sits at this browser, and Ada is to sign" in told["cause"]
        assert judged.post("deliveries", order, by="Grace", status=400)["cause"] == told["cause"]
        for draft in ({"draft": True}, {"draft": True, "sign_off": ""}):
            found = judged.post("checklist", order | draft, by="Grace")["unsigned"]
            assert (found is None) == (draft.get("sign_off") == "")

    def test_it_is_written_once_everything_is_answered(self, judged, tmp_path):
        burnt = {"photos": [one(judged, "IMG_0004.JPG")], "operators": ["exposure"], "reason": "too_bright"}
        judged.post("edits", burnt | {"say": "reject"})
        judged.post("edits", {"photos": [p["id"] for p in judged.photos().values()], "say": "approve"})
        order = ORDER | {"to": str(tmp_path / "out")}
        assert judged.post("checklist", order)["ready"]
        judged.post("deliveries", order, status=202)
        for _ in range(300):
            told = judged.get("deliveries")
            if not told["running"]:
                break
            time.sleep(0.1)
        assert told["trouble"] is None
        made = json.loads((tmp_path / "out" / "manifest.json").read_text())
        assert (len(made["files"]), made["signed_off_by"]) == (7, "Ada")


class TestPractice:
    def test_a_round_is_scored_and_leaves_no_trace(self, judged, library, tmp_path):
        before = len(library.state(tmp_path / "shoot").ledger.rows)
        told = judged.get("practice/5")
        assert told["count"] == 24
        seen = judged.post("practice/5/0", {"kind": None})
        assert seen["seen"] == (seen["kind"] is None)
        flawed = picture(judged, f"/shoots/{judged.shoot}/practice/5/0.jpg")
        clean = picture(judged, f"/shoots/{judged.shoot}/practice/5/0.jpg?without=flaw")
        assert flawed.shape == clean.shape
        assert len(library.state(tmp_path / "shoot").ledger.rows) == before

    def test_a_round_stays_as_it_is_whatever_is_decided_meanwhile(self, judged):
        addresses = [f"/shoots/{judged.shoot}/practice/5/{n}.jpg?without=flaw" for n in range(4)]
        before = [picture(judged, address) for address in addresses]
        ids = [p["id"] for p in judged.photos().values()]
        judged.post("choices", {"keep": ids[-1:], "reject": ids[:-1]})
        assert all(np.array_equal(b, picture(judged, a)) for a, b in zip(addresses, before, strict=True))
        others = [picture(judged, address.replace("/5/", "/6/")) for address in addresses]
        assert all(np.array_equal(others[0], other) for other in others), "the next is of what stays"

    def test_what_is_wrong_is_not_told_before_the_answer(self, judged):
        assert "box" not in str(judged.get("practice/5"))

    def test_no_such_picture_or_kind(self, judged):
        judged.post("practice/5/99", {"kind": None}, status=400)
        judged.post("practice/5/0", {"kind": "nonsense"}, status=400)


class TestQueue:
    def test_worst_first_and_answered_by_token(self, judged):
        told = judged.get("queue")
        assert told["count"] == 7
        assert told["tasks"] == {"exposure": 7}
        first = told["items"][0]
        assert first["path"] == "IMG_0004.JPG"
        done = judged.post("queue", {"tokens": [first["token"]], "say": "reject", "reason": "too_bright"})
        assert done["written"] == 1
        assert judged.get("queue")["count"] == 6

    def test_several_at_once_are_one_bundled_decision(self, judged, library, tmp_path):
        tokens = [item["token"] for item in judged.get("queue", params={"task": "exposure"})["items"]]
        assert judged.post("queue", {"tokens": tokens, "say": "approve"})["written"] == 7
        rows = [v for v in library.state(tmp_path / "shoot").ledger.rows if v.operator == "exposure"]
        assert {v.bundled for v in rows} == {7}
        judged.post("undo")
        assert judged.get("queue")["count"] == 7

    def test_a_token_of_nobody_is_refused(self, judged):
        judged.post("queue", {"tokens": ["nonsense"], "say": "approve"}, status=400)

    def test_nothing_about_how_an_item_was_drawn_goes_out(self, judged):
        told = json.dumps(judged.get("queue"))
        for word in (*(drawn.value for drawn in Drawn), "drawn", "score", "coin", "spoil"):
            assert word not in told.replace(judged.shoot, "")


class TestRefusals:
    """A delivery that did not pass: each finding is shown, taken on a name or called a fault, and then it goes out."""

    def delivered(self, app, order):
        app.post("deliveries", order, status=202)
        for _ in range(600):
            told = app.get("deliveries")
            if not told["running"]:
                return told
            time.sleep(0.05)
        raise AssertionError("the delivery does not end")

    def test_a_broken_rule_is_named_taken_on_a_name_and_told_in_the_manifest(self, judged, library, tmp_path):
        judged.post("edits", {"photos": [p["id"] for p in judged.photos().values()], "say": "approve"})
        rules = tmp_path / "shop.toml"
        rules.write_text('schema = "safelight.channel/1"\n[size]\nlong_least = 10000\n')
        order = {"to": str(tmp_path / "out"), "channels": [str(rules)], "sign_off": "Ada"}
        assert [r["name"] for r in judged.post("checklist", order)["rules"]] == ["shop"]
        told = self.delivered(judged, order)
        assert not (tmp_path / "out" / "manifest.json").exists()
        assert "7 files do not pass" in told["trouble"]["cause"]
        held = [row for row in told["held"] if row["finding"].startswith("shop.")]
        assert len({row["photo"] for row in held}) == 7
        assert all(row["text"] and row["taken_by"] is None for row in held)
        for finding in {row["finding"] for row in told["held"]}:  # one decision for each rule
            photos = [row["photo"] for row in told["held"] if row["finding"] == finding]
            said = {"photos": photos, "finding": finding, "reason": "wanted", "note": "Agreed"}
            assert judged.post("findings", said, by="Grace")["written"] == len(photos)
            ledger = library.state(tmp_path / "shoot").ledger.rows
            rows = [v for v in ledger if v.operator == f"check.{finding}" and v.say == "reject"]
            assert {(v.bundled, v.at, v.by) for v in rows} == {(len(photos), rows[0].at, "Grace")}
            assert judged.post("undo", by="Grace")["undone"] == "verdict"
            assert {r["taken_by"] for r in judged.get("deliveries")["held"] if r["finding"] == finding} == {None}
            judged.post("findings", said, by="Grace")
        assert {row["taken_by"] for row in judged.get("deliveries")["held"]} == {"Grace"}
        told = self.delivered(judged, order)
        assert (told["trouble"], told["held"]) == (None, [])
        made = json.loads((tmp_path / "out" / "manifest.json").read_text())
        answered = [a for f in made["files"] for a in f["gate"]["answered"] if a["finding"].startswith("shop.")]
        assert {(a["by"], a["reason"], a["note"]) for a in answered} == {("Grace", "wanted", "Agreed")}

    def test_a_finding_about_which_people_differ_is_not_taken(self, judged, tmp_path):
        """Both words are kept; the file is held back until they agree, or a lead says what counts."""
        judged.post("edits", {"photos": [p["id"] for p in judged.photos().values()], "say": "approve"})
        rules = tmp_path / "shop.toml"
        rules.write_text('schema = "safelight.channel/1"\n[size]\nlong_least = 10000\n')
        order = {"to": str(tmp_path / "out"), "channels": [str(rules)], "sign_off": "Ada"}
        row = next(r for r in self.delivered(judged, order)["held"] if r["finding"].startswith("shop."))
        said = {"photos": [row["photo"]], "finding": row["finding"], "reason": "wanted"}
        for by, fault, taken in (("Ada", False, "Ada"), ("Grace", True, None), ("Ada", False, None)):
            judged.post("findings", said | {"fault": fault}, by=by)
            held = next(r for r in judged.get("deliveries")["held"] if r["photo"] == row["photo"])
            assert held["taken_by"] == taken, by
        assert judged.get("queue")["count"] == 0, "no edit waits for it"
        judged.client.post(
            "/api/reviewers", json={"name": "Grace", "lead": True}, headers={"X-Safelight-Reviewer": "Grace"}
        )
        judged.post("findings", said, by="Grace")
        held = next(r for r in judged.get("deliveries")["held"] if r["photo"] == row["photo"])
        assert held["taken_by"] == "Grace"

    def test_a_finding_that_nobody_raised_and_a_channel_that_is_not_are_refused(self, judged, tmp_path):
        said = {"photos": [one(judged)], "finding": "halo", "reason": "wanted"}
        assert "has not said" in judged.post("findings", said, status=400)["cause"]
        told = judged.post("checklist", {"to": str(tmp_path / "out"), "channels": ["nowhere"]}, status=400)
        assert "nowhere" in told["cause"]
        assert judged.client.get(f"/shoots/{judged.shoot}/findings/0.jpg").status_code == 422
