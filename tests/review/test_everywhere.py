"""One queue over all shoots: worst first, filtered by task and shoot, answered and taken back across shoots."""

import pytest

from safelight.line import Options
from tests.conftest import START, save_jpeg, textured
from tests.review.conftest import Program
from tests.review.test_judging import judged, propose  # noqa: F401 - a fixture


@pytest.fixture
def both(judged, library, tmp_path) -> Program:  # noqa: F811
    """The app on a library with a second shoot: its two photos are kept, one exposure is the least sure of all."""
    folder = tmp_path / "other"
    for i in range(2):
        save_jpeg(folder / f"B_{i}.JPG", textured(70 + i), taken=START)
    library.run(folder, options=Options(engine="inline", only=("cull",)))
    state = library.state(folder)
    for i in range(2):
        propose(library, state.shoot.id, state.photo(f"B_{i}.JPG").id, "exposure", ev=0.5, score=(0.1, 0.8)[i])
    keep = {"decision": "keep", "tie_with": ""}
    library.verdict(folder, list(state.photos), operator="cull", say="modify", by="Bob", params=keep)
    judged.other = state.shoot.id
    return judged


def queue(app, **asked):
    answer = app.client.get("/api/queue", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def send(app, path, body=None, *, status=200):
    answer = app.client.post(path, json=body or {}, headers={"X-Safelight-Reviewer": "Ada"})
    assert answer.status_code == status, answer.text
    return answer.json()


def test_it_is_one_list_worst_first_whatever_the_shoot(both):
    told = queue(both)
    assert told["count"] == len(told["items"]) == 9
    harms = [item["harm"] for item in told["items"]]
    assert harms == sorted(harms, reverse=True)
    assert (told["items"][0]["path"], told["items"][0]["harm"]) == ("B_0.JPG", 1.0)
    assert [item["path"] for item in told["items"]].index("B_1.JPG") not in (1, 8), "shoots are not one after the other"
    assert told["expected"] == pytest.approx(sum(row["expected"] for row in told["shoots"]), abs=0.2)
    assert {item["shoot"] for item in told["items"]} == {both.shoot, both.other}


def test_it_can_be_filtered_by_task_and_by_shoot(both):
    send(both, f"/api/shoots/{both.shoot}/undo")  # seven photos are undecided again
    whole = queue(both)
    assert whole["tasks"] == {"cull": 7, "exposure": 2}
    assert {row["id"]: row["count"] for row in whole["shoots"]} == {both.shoot: 7, both.other: 2}
    assert {item["operator"] for item in queue(both, task="cull")["items"]} == {"cull"}
    own = queue(both, shoot=both.other)
    assert ({item["shoot"] for item in own["items"]}, own["tasks"]) == ({both.other}, {"exposure": 2})
    assert queue(both, shoot=both.shoot, task="exposure")["count"] == 0
    assert queue(both, most=3)["count"] == 9
    assert len(queue(both, most=3)["items"]) == 3


def test_one_answer_over_two_shoots_is_one_decision_and_taken_back_at_once(both, library, tmp_path):
    tokens = [item["token"] for item in queue(both)["items"]]
    assert send(both, "/api/queue", {"tokens": tokens, "say": "approve"})["written"] == 9
    assert queue(both)["count"] == 0
    for folder, count in (("shoot", 7), ("other", 2)):
        rows = library.state(tmp_path / folder).ledger.rows
        said = [v for v in rows if v.operator == "exposure" and v.by == "Ada"]
        assert [v.bundled for v in said] == [9] * count
    assert send(both, "/api/undo")["undone"]
    assert queue(both)["count"] == 9


def test_the_newest_word_is_taken_back_in_whatever_shoot_it_was_said(both):
    first, second = (next(i for i in queue(both)["items"] if i["shoot"] == s) for s in (both.other, both.shoot))
    for item in (first, second):
        send(both, "/api/queue", {"tokens": [item["token"]], "say": "approve"})
    for left, item in ((8, second), (9, first)):
        assert send(both, "/api/undo")["undone"]
        found = queue(both)
        assert found["count"] == left
        assert item["photo"] in {one["photo"] for one in found["items"]}
    send(both, "/api/undo")  # what was kept
    assert send(both, "/api/undo") == {"undone": False, "left": []}


def test_answers_that_cannot_be_meant_are_refused(both):
    send(both, f"/api/shoots/{both.shoot}/undo")
    cull, exposure = (queue(both, task=task)["items"][0]["token"] for task in ("cull", "exposure"))
    assert "one task" in send(both, "/api/queue", {"tokens": [cull, exposure], "say": "approve"}, status=400)["cause"]
    assert "not in the queue" in send(both, "/api/queue", {"tokens": ["x"], "say": "approve"}, status=400)["cause"]
    other = {"tokens": [exposure], "say": "approve"}
    assert "not in the queue" in send(both, f"/api/shoots/{both.shoot}/queue", other, status=400)["cause"]


def test_the_page_opens_without_a_shoot(both):
    answer = both.client.get("/queue", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "<sl-queue>" in answer.text
