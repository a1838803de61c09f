"""Nobody is told before the answer what a coin drew: in no report, in no explanation, from the library or in words."""

import json
from dataclasses import replace

import pytest
import sqlalchemy as sa

from safelight import blind, explain, ledger, plugins, report, verdicts
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
    row = {"shoot": state.shoot.id, "asset": state.named(path).id, "operator": operator, "drawn": how,
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


# ---------------------------------------------------------------- answers that nobody gave


def say(library, capsys, *arguments):
    from tests.line.test_cli import call

    return call(capsys, "verdict", "--library", library.store.folder, "--by", "ann", *arguments)


def cell(library, task="exposure"):
    known = ledger.record(library.store, ledger.rules(library.store))
    return next(c for c in known.cells if c.task == task and c.current)


def test_a_bundle_leaves_open_what_is_to_be_decided_without_a_suggestion(library, none_drawn, capsys):
    shoot = none_drawn
    blind_one, cull_too = "IMG_0003.JPG", "IMG_0004.JPG"
    coin(library, shoot, blind_one, "exposure")
    coin(library, shoot, cull_too, "cull")
    code, out, _ = say(library, capsys, "--folder", shoot, "--all", "--say", "approve")
    assert code == 1
    assert f"2: {verdicts.NOT_SHOWN}" in out
    assert f"{blind_one}, exposure" in out
    assert f"{cull_too}, cull" in out
    assert "safelight review" in out
    for how in ("approve", "reject"):  # asked again, it is the same
        code, out, _ = say(
            library, capsys, "--folder", shoot, "--all", "--say", how, "--operator", "exposure", "--json"
        )
        assert [(row["path"], row["because"]) for row in json.loads(out)["left"]] == [(blind_one, verdicts.NOT_SHOWN)]
        library.verdict(shoot, list(library.state(shoot).photos), operator="exposure", say="undo", by="ann")
    assert library.state(shoot).photo(blind_one).open_questions() == ["exposure"]
    told = library.explain(shoot / blind_one)["proposals"][0]
    assert (told["state"], told["blind"], told["params"]["ev"]) == ("proposed", True, 0.0)


@pytest.mark.parametrize(
    "answer", [("modify", "--params", '{"ev": 0.7}'), ("reject",), ("escalate",)], ids=["modify", "reject", "escalate"]
)
def test_who_decides_it_alone_is_heard(library, none_drawn, capsys, answer):
    coin(library, none_drawn, "IMG_0003.JPG", "exposure")
    code, out, _ = say(library, capsys, none_drawn / "IMG_0003.JPG", "--operator", "exposure", "--say", *answer)
    assert (code, out) == (0, "1 answered.\n")
    last = library.state(none_drawn).ledger.rows[-1]
    assert (last.drawn, last.bundled, last.shown) == (Drawn.CONTROL, 1, None)


def test_nothing_that_is_measured_comes_from_answers_given_together(library, none_drawn, capsys):
    """Controls, canaries, audits: minutes saved, what reviewers notice, the evidence of a licence."""
    shoot = none_drawn
    paths = sorted(photo.path for photo in library.state(shoot, evidence=False).photos.values())
    for path, how in zip(paths, ("control", "canary", "audit", "audit"), strict=False):
        coin(library, shoot, path, "exposure", how)
    code, out, _ = say(library, capsys, "--folder", shoot, "--all", "--say", "approve", "--operator", "exposure")
    assert code == 1
    assert "A coin had drawn 3 items of these to be looked at one by one." in out
    assert "they count as not looked at" in out
    after = cell(library)
    assert (after.drawn, after.drawn_bad, after.course.n, after.saved, after.caught) == (0, 0, 0, None, (0, 0))
    assert (after.state, after.share_automated, after.curve) == ("apprentice", 0.0, ())
    rows = [v for v in library.state(shoot).ledger.rows if v.operator == "exposure"]
    assert {v.drawn for v in rows if v.bundled == 1} == set()
    assert Drawn.CONTROL not in {v.drawn for v in rows}


def test_a_set_with_one_open_item_is_answered_as_a_set(library, none_drawn, capsys):
    """Whoever says yes to all of a shoot has not looked at the last that was open in it."""
    shoot = none_drawn
    paths = sorted(photo.path for photo in library.state(shoot, evidence=False).photos.values())
    coin(library, shoot, paths[0], "exposure", "audit")
    library.verdict(shoot, paths, operator="cull", say="approve", by="ann")
    library.verdict(shoot, paths[1:], operator="exposure", say="approve", by="ann")
    assert say(library, capsys, "--folder", shoot, "--all", "--say", "approve")[1].startswith("1 answered.")
    last = library.state(shoot).ledger.rows[-1]
    assert last.drawn is Drawn.AUDIT
    assert last.bundled > 1
    assert cell(library).drawn == 0


def test_a_draft_does_not_show_whether_the_machine_would_keep_it(library, none_drawn, tmp_path, monkeypatch):
    from safelight import engine
    from safelight.deliver import Order

    real = engine.engine
    monkeypatch.setattr(engine, "engine", lambda name="process", *, jobs=None: real("inline"))
    coin(library, none_drawn, "IMG_0003.JPG", "cull")
    made = library.deliver(none_drawn, tmp_path / "out", order=Order(to=tmp_path, draft=True))
    names = {file["source"]["path"] for file in made["files"]}
    assert "IMG_0003.JPG" not in names
    assert len(names) == test_earned.PHOTOS - 1
