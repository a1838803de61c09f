"""Nobody is told before the answer what a coin drew: in no report, in no explanation, from the library or in words."""

import json
from dataclasses import replace

import pytest
import sqlalchemy as sa

from safelight import blind, explain, plugins, report
from safelight.domain import Drawn, State
from safelight.operators import Suggestion
from safelight.report import path_of
from safelight.store import schema
from safelight.store.library import now
from safelight.store.objects import ShootFolder
from tests.line import test_earned
from tests.line.test_earned import CULL, INLINE, drawn, group_of, past

operators, originals, shoot = test_earned.operators, test_earned.originals, test_earned.shoot


def coin(library, folder, path, operator, how="control"):
    """Draws an item by hand."""
    state = library.state(folder, evidence=False)
    row = {"shoot": state.shoot.id, "asset": state.photo(path).id, "operator": operator, "drawn": how,
           "seed": state.shoot.id, "share": 0.05, "lot": None, "at": now()}  # fmt: skip
    library.store.append(schema.draws, [row])


@pytest.fixture
def none_drawn(library, shoot):
    """The shoot without the controls that its own coins drew."""
    with library.store.transaction() as connection:
        connection.execute(sa.delete(schema.draws))
    return shoot


def page(library, folder):
    report.write(library.store, library.state(folder), ShootFolder.at(folder))
    return path_of(ShootFolder.at(folder)).read_text("utf-8")


def test_explain_and_the_report_hold_a_suggestion_back_until_it_is_decided(library, none_drawn):
    shoot = none_drawn
    path = shoot / "IMG_0003.JPG"
    told = library.explain(path)
    assert ("+0.40" in explain.words(told), told["cull"]["decision"]) == (True, "keep")
    whole = page(library, shoot)
    coin(library, shoot, path.name, "exposure")
    coin(library, shoot, path.name, "cull")
    told = library.explain(path)
    (edit,) = told["proposals"]
    assert (edit["params"]["ev"], edit["score"], edit["alternatives"], edit["blind"]) == (0.0, None, [], True)
    assert [b["text"] for b in edit["because"]] == [blind.TEXT]
    assert (told["cull"]["decision"], told["cull"]["score"]) == ("undecided", None)
    assert "0.4" not in json.dumps(told["proposals"])
    assert "Dark." not in explain.words(told)
    assert blind.TEXT in explain.words(told)
    other = library.explain(shoot / "IMG_0004.JPG")
    assert (other["proposals"][0]["params"]["ev"], other["cull"]["blind"]) == (0.4, False)
    veiled = page(library, shoot)
    assert (blind.TEXT in whole, blind.TEXT in veiled) == (False, True)
    assert veiled.count("Dark.") == whole.count("Dark.") - 1
    for name, say, values in (("cull", "modify", {"decision": "keep"}), ("exposure", "modify", {"ev": 0.7})):
        library.verdict(shoot, [path.name], operator=name, say=say, by="ann", params=values)
    told = library.explain(path)
    assert (told["proposals"][0]["params"]["ev"], told["proposals"][0]["score"]) == (0.7, test_earned.GOOD)
    assert blind.TEXT not in page(library, shoot)


def test_the_best_of_a_group_is_not_told_by_its_fellows(library, originals, tmp_path, monkeypatch):
    """A stack of two whose best is judged blind: neither is called the best, no reason names the hidden one."""
    from safelight.domain import Because
    from tests.conftest import START, save_jpeg, textured

    def choose(subjects, wishes):
        first, *rest = sorted(subjects, key=lambda s: s.path)
        best = Because(evidence="sharpness", value=1.0, text="The sharpest of its group.", code="best")
        out = [Suggestion(member=first.asset.id, params=CULL.params(decision="keep"), score=0.8, because=(best,))]
        for other in rest:
            because = (Because(evidence="sharpness", value=0.5, text=f"Frame {first.path} is sharper.", code="softer"),)
            out.append(
                Suggestion(member=other.asset.id, params=CULL.params(decision="reject"), score=0.8, because=because)
            )
        return out

    monkeypatch.setattr(plugins, "operators", lambda: {"cull": replace(CULL, propose=choose)})
    folder = tmp_path / "pair"
    for i in range(2):
        save_jpeg(folder / f"P_{i}.JPG", textured(300), taken=START)
    (folder / "P_1.JPG").write_bytes((folder / "P_1.JPG").read_bytes() + b"\0")
    library.run(folder, options=replace(INLINE, only=("cull",)))
    with library.store.transaction() as connection:
        connection.execute(sa.delete(schema.draws))
    assert library.explain(folder / "P_0.JPG")["group"]["best"]
    coin(library, folder, "P_0.JPG", "cull")
    first, second = (library.explain(folder / f"P_{i}.JPG") for i in range(2))
    assert not first["group"]["best"]
    assert "P_0" not in json.dumps(second["cull"])
    assert second["cull"]["decision"] == "reject"


def test_what_a_coin_drew_among_the_sure_waits_with_the_face_of_the_rest(library, shoot):
    """Canaries and audits: of a task that is done alone here nobody is told how sure the machine is of what waits, and
    is told once it is answered. Nothing else about such an item differs from one that waits anyway."""
    past(library, group_of(library, shoot))
    photos = list(library.state(shoot).photos)
    library.verdict(shoot, photos, operator="cull", say="approve", by="ann")
    library.run(shoot, options=INLINE)
    names = {photo.id: photo.path for photo in library.state(shoot).photos.values()}
    canaries = drawn(library, shoot, Drawn.CANARY)
    assert canaries
    waits = [i for i, photo in library.state(shoot).photos.items() if photo.state("exposure") is State.PROPOSED]
    told = {i: library.explain(shoot / names[i])["proposals"][0] for i in waits}
    faces = {tuple((key, str(value)) for key, value in sorted(row.items()) if key != "checks") for row in told.values()}
    assert len(faces) == 1
    assert {row["score"] for row in told.values()} == {None}
    assert f"about {round(100 * test_earned.GOOD)} % sure" not in page(library, shoot)
    library.verdict(shoot, [names[canaries[0]]], operator="exposure", say="approve", by="ann")
    assert library.explain(shoot / names[canaries[0]])["proposals"][0]["score"] == test_earned.GOOD


def test_the_rule_holds_when_it_is_applied_again(library, none_drawn):
    """The app veils a photo before it is explained, which veils it once more."""
    shoot = none_drawn
    coin(library, shoot, "IMG_0003.JPG", "exposure")
    state = library.state(shoot)
    veil = blind.veil(library.store, state.shoot.id)
    once = blind.seen_state(state, veil)
    assert blind.seen_state(once, veil) == once
    assert blind.hidden(once.photo("IMG_0003.JPG")) == ["exposure"]
