"""What waits comes worst first; what a coin mixed in looks like the rest; a spoilt suggestion reaches no delivery."""

import dataclasses

import pytest
import sqlalchemy as sa

from safelight import earned, known_bads, ledger, ledger_builds, queue, verdicts
from safelight.deliver import Order
from safelight.domain import Drawn, Say, State, Zone
from safelight.errors import UsageError
from safelight.store import schema
from safelight.store.objects import ShootFolder
from safelight.verdicts import Saying
from tests.line import test_earned
from tests.line.test_earned import INLINE, answer, drawn, group_of, past

operators, originals, run_before = test_earned.operators, test_earned.originals, test_earned.shoot
ANN = Saying(say=Say.REJECT, by="ann")


@pytest.fixture
def shoot(library, run_before):
    """A shoot in which everything is kept, so that its edits block a delivery."""
    photos = list(library.state(run_before).photos)
    library.verdict(run_before, photos, operator="cull", say="approve", by="ann")
    return run_before


def rules(library, text):
    path = library.store.folder / "policy.toml"
    path.write_text(f'schema = "safelight.policy/1"\n{text}')


def waiting(library, folder, **asked):
    return library.queue(folder, **asked)[1]


def bad_items(found):
    return [item for item in found.items if item.known_bad is not None]


def test_everything_that_blocks_a_delivery_is_in_the_queue_and_mistakes_left_only_fall(library, shoot):
    state = library.state(shoot)
    found = waiting(library, shoot)
    asked = {(p.id, name) for p in state.photos.values() for name in p.open_questions()}
    assert {(i.photo, i.operator) for i in found.items if i.known_bad is None} == asked
    left = [item.left for item in found.items]
    assert left == sorted(left, reverse=True)
    assert left[-1] == 0
    assert found.expected > left[0]


def test_worse_and_dearer_items_come_first(library, shoot):
    """Culling is unsure (.5) and costs more than exposure, of which the machine is sure (.9)."""
    paths = [p.path for p in library.state(shoot).photos.values()]
    library.verdict(shoot, paths[:4], operator="cull", say="undo", by="ann")
    found = waiting(library, shoot).items
    harms = [item.harm for item in found]
    assert harms == sorted(harms, reverse=True)
    honest = [i.operator for i in found if not i.known_bad]
    assert honest[:5] == ["cull"] * 4 + ["exposure"]
    assert waiting(library, shoot, task="cull").items[-1].left == 0


def test_verdicts_move_what_is_expected(library, shoot):
    before = waiting(library, shoot, task="exposure").expected
    past(library, group_of(library, shoot), shoots=10, bad={(s, i) for s in range(10) for i in range(3)})
    assert waiting(library, shoot, task="exposure").expected > 1.2 * before


def test_items_that_a_coin_drew_look_like_the_rest(library, shoot):
    past(library, group_of(library, shoot))
    rules(library, "[task.exposure]\nknown_bad = 0.5\ncontrol = 0.0\n[task.cull]\ncontrol = 0.0\n")
    library.run(shoot, options=INLINE)
    found = waiting(library, shoot, task="exposure").items
    shown = [{f.name for f in dataclasses.fields(i) if getattr(i, f.name) is not None} - {"known_bad"} for i in found]
    assert all(keys == shown[0] for keys in shown)
    assert any(i.known_bad for i in found)
    harms = [item.harm for item in found]
    assert harms == sorted(harms, reverse=True)
    assert all({**i.params} == {"ev": 0.4} for i in found)


def test_canaries_come_early(library, shoot):
    past(library, group_of(library, shoot))
    library.run(shoot, options=INLINE)
    canaries = set(drawn(library, shoot, Drawn.CANARY))
    places = [
        n
        for n, i in enumerate(waiting(library, shoot).items)
        if i.operator == "exposure" and i.photo in canaries and not i.known_bad
    ]
    assert max(places) < 0.7 * len(waiting(library, shoot).items)


def test_a_control_comes_without_a_suggestion(library, shoot):
    found = earned.coins(library.store, library.state(shoot).shoot.id)
    assert Drawn.CONTROL not in {coin.drawn for (_, task), coin in found.items() if coin.lot is not None}
    rules(library, "[task.exposure]\ncontrol = 1.0\n")
    library.run(shoot, options=INLINE)
    controls = drawn(library, shoot, Drawn.CONTROL)
    assert controls
    items = {i.photo: i for i in waiting(library, shoot, task="exposure").items if not i.known_bad}
    assert all((items[c].params, items[c].pictures, items[c].because) == (None, None, ()) for c in controls)
    state = library.state(shoot)
    said = queue.answer(
        library.store, state, items[controls[0]], dataclasses.replace(ANN, say=Say.MODIFY, params={"ev": 1.0})
    )
    assert said[0].drawn is Drawn.CONTROL


@pytest.fixture
def no_controls(library):
    """Nothing comes without a suggestion: a spoilt twin would show what a control must not, and has none."""
    rules(library, "[task.exposure]\ncontrol = 0.0\n[task.cull]\ncontrol = 0.0\n")


@pytest.fixture
def spoilt(library, no_controls, shoot):
    rules(library, "[task.exposure]\ncontrol = 0.0\nknown_bad = 1.0\n[task.cull]\ncontrol = 0.0\n")
    library.run(shoot, options=INLINE)
    return shoot


def test_a_spoilt_suggestion_is_shown_once_and_changes_no_photo(library, spoilt):
    items = bad_items(waiting(library, spoilt))
    assert len(items) == test_earned.PHOTOS
    before = {p.id: p.edits(proposed=True) for p in library.state(spoilt).photos.values()}
    state = library.state(spoilt)
    where = ShootFolder.at(spoilt)
    for suffix in (".before.jpg", ".after.jpg"):
        assert where.cached(items[0].pictures).with_suffix(suffix).exists()
    (said,) = queue.answer(library.store, state, items[0], ANN)
    assert (said.drawn, said.bad, said.asset) == (Drawn.KNOWN_BAD, True, items[0].known_bad.id)
    queue.answer(library.store, state, items[1], dataclasses.replace(ANN, say=Say.APPROVE))
    after = library.state(spoilt)
    assert {p.id: p.edits(proposed=True) for p in after.photos.values()} == before
    assert all(p.state("exposure") is State.PROPOSED for p in after.photos.values())
    left = bad_items(waiting(library, spoilt))
    assert len(left) == test_earned.PHOTOS - 2
    assert not {i.known_bad.id for i in left} & {items[0].known_bad.id, items[1].known_bad.id}
    known = ledger.record(library.store, ledger.rules(library.store))
    assert [c.caught for c in known.cells if c.task == "exposure"] in ([], [(2, 1)])
    state = library.state(spoilt)
    queue.answer(library.store, state, items[0], dataclasses.replace(ANN, say=Say.UNDO))
    assert len(bad_items(waiting(library, spoilt))) == test_earned.PHOTOS - 1


def test_no_delivery_can_reach_a_spoilt_suggestion(library, spoilt, tmp_path):
    state = library.state(spoilt)
    for item in bad_items(waiting(library, spoilt))[:5]:
        queue.answer(library.store, state, item, dataclasses.replace(ANN, say=Say.APPROVE))
    library.verdict(spoilt, [p.path for p in state.photos.values()], operator="exposure", say="approve", by="ann")
    made = library.deliver(spoilt, tmp_path / "out", order=Order(to=tmp_path, sign_off="ann", preset="web"))
    ids = {k.id for k in known_bads.of_shoot(library.store, state.shoot.id)}
    assert len(ids) >= test_earned.PHOTOS
    told = str(made)
    assert not [i for i in ids if i in told]
    versions = {row["asset"] for row in library.store.rows(sa.select(schema.versions.c.asset))}
    assert not versions & ids


def test_a_spoilt_suggestion_cannot_be_answered_as_a_photo(library, spoilt):
    state = library.state(spoilt)
    saying = dataclasses.replace(ANN, operators=("exposure",), drawn=Drawn.KNOWN_BAD)
    with pytest.raises(UsageError):
        verdicts.decide(library.store, state, list(state.photos.values())[:1], saying)


def test_known_bads_and_controls_can_be_switched_off(library, shoot):
    rules(library, "[task.exposure]\nknown_bad = 0\ncontrol = 0\n[task.cull]\nknown_bad = 0\ncontrol = 0\n")
    library.run(shoot, options=dataclasses.replace(INLINE, stakes="high"))
    assert bad_items(waiting(library, shoot)) == []


def test_what_may_not_be_done_alone_any_more_is_in_the_queue_at_once(library, shoot):
    past(library, group_of(library, shoot))
    library.run(shoot, options=INLINE)
    answer(library, shoot, drawn(library, shoot, Drawn.CANARY))
    library.run(shoot, options=INLINE)
    before = len(waiting(library, shoot, task="exposure").items)
    assert any(p.proposals["exposure"].zone is Zone.AUTO for p in library.state(shoot).photos.values())
    past(library, group_of(library, shoot), shoots=8, bad={(s, i) for s in range(8) for i in range(5)}, name="later")
    assert len(waiting(library, shoot, task="exposure").items) > before


# ---------------------------------------------------------------- another version of an operator


def another(monkeypatch, ev, *, only=None):
    """The next version of the operator, which lifts by `ev`: all photos, or one."""
    from safelight import plugins

    def lifts(subjects, wishes):
        return [
            dataclasses.replace(s, params=dataclasses.replace(s.params, ev=ev)) if only in (None, s.member) else s
            for s in old.propose(subjects, wishes)
        ]

    old = plugins.operators()["exposure"]
    newer = dataclasses.replace(old, version=old.version + 1, propose=lifts)
    made = {**plugins.operators(), "exposure": newer}
    monkeypatch.setattr(plugins, "operators", lambda: made)
    return newer


def kept(library, shoot):
    """Everything that a coin drew is answered, one by one."""
    coins = {kind: drawn(library, shoot, kind) for kind in (Drawn.CANARY, Drawn.AUDIT)}
    answer(library, shoot, [*coins[Drawn.CANARY], *coins[Drawn.AUDIT]])
    return coins


@pytest.fixture
def plain(library, shoot):
    rules(library, "[task.exposure]\ncontrol = 0.0\nknown_bad = 0.0\n[task.cull]\ncontrol = 0.0\nknown_bad = 0.0\n")
    library.run(shoot, options=INLINE)
    return shoot


def current(library):
    known = ledger.record(library.store, ledger.rules(library.store))
    (cell,) = [c for c in known.cells if c.task == "exposure" and c.current]
    return cell


def test_a_version_that_suggests_the_same_keeps_what_was_earned(library, plain, monkeypatch):
    coins = kept(library, plain)
    another(monkeypatch, 0.45)  # a twentieth of a stop from what was suggested: less than the written threshold
    library.run(plain, options=INLINE)
    assert not bad_items(waiting(library, plain))
    assert len(current(library).builds) == 2
    assert current(library).drawn == sum(map(len, coins.values()))


def test_a_version_inherits_only_if_it_says_the_same_of_what_no_coin_drew_too(library, plain, monkeypatch):
    coins = kept(library, plain)
    by_coin = {asset for some in coins.values() for asset in some}
    item = next(i for i in waiting(library, plain, task="exposure").items if i.photo not in by_coin)
    queue.answer(library.store, library.state(plain), item, dataclasses.replace(ANN, say=Say.APPROVE))
    another(monkeypatch, 1.2, only=item.photo)
    library.run(plain, options=INLINE)
    assert len(current(library).builds) == 1


def test_a_version_that_says_something_else_of_what_a_coin_drew_is_not_held_against_all_verdicts(
    library, plain, monkeypatch
):
    coins = kept(library, plain)
    builds = current(library).builds
    another(monkeypatch, 1.2)
    library.run(plain, options=INLINE)
    by_coin = sorted({asset for some in coins.values() for asset in some})
    monkeypatch.setattr(ledger_builds, "_reviewed", lambda *_: pytest.fail("a ledger of a million rows was read"))
    assert not ledger_builds.same_output(library.store, "exposure", builds, current(library).builds[-1], by_coin)


def test_known_bads_do_not_keep_a_version_from_inheriting(library, spoilt, monkeypatch):
    kept(library, spoilt)
    queue.answer(library.store, library.state(spoilt), bad_items(waiting(library, spoilt))[0], ANN)
    another(monkeypatch, 0.45)
    library.run(spoilt, options=INLINE)
    assert len(current(library).builds) == 2


def test_a_version_that_suggests_something_else_is_shown_what_was_kept_and_asked_anew(library, plain, monkeypatch):
    coins = kept(library, plain)
    before = {p.id: p.edits() for p in library.state(plain).photos.values()}
    newer = another(monkeypatch, 1.2)
    library.run(plain, options=INLINE)
    assert current(library).drawn == 0, "it starts as an apprentice"
    items = bad_items(waiting(library, plain, task="exposure"))
    assert {i.photo for i in items} == {asset for some in coins.values() for asset in some}
    assert all(i.params["ev"] == 1.2 and i.known_bad.again for i in items)
    where = ShootFolder.at(plain)
    shown = [where.cached(i.pictures).with_suffix(".after.jpg").read_bytes() for i in items]
    assert len(set(shown)) == len(items)
    state = library.state(plain)
    first, second, *rest = items
    (said,) = queue.answer(library.store, state, first, ANN)
    assert (said.version, said.bad, said.asset) == (newer.version, True, first.known_bad.id)
    assert said.drawn in (Drawn.CANARY, Drawn.AUDIT)
    for i, item in enumerate((second, *rest)):  # at moments of their own: what is said at one is undone at once
        at = f"2030-01-01T00:00:{i:02d}.000+00:00"
        queue.answer(library.store, state, item, dataclasses.replace(ANN, say=Say.APPROVE, at=at))
    assert (current(library).drawn, current(library).drawn_bad) == (len(items), 1), "evidence for what runs now"
    assert {p.id: p.edits() for p in library.state(plain).photos.values()} == before, "what was approved stays"
    assert not bad_items(waiting(library, plain))
    library.run(plain, options=dataclasses.replace(INLINE, stakes="high"))
    assert not bad_items(waiting(library, plain)), "asked once"
    state = library.state(plain)
    verdicts.undo_last(library.store, state, by="ann")
    (back,) = bad_items(waiting(library, plain))
    assert back.known_bad.again
    assert {p.id: p.edits() for p in library.state(plain).photos.values()} == before, "the undo was about that alone"


def test_what_is_asked_anew_is_shown_as_it_would_be_done(library, plain, monkeypatch):
    kept(library, plain)
    another(monkeypatch, 1.2)
    library.run(plain, options=INLINE)
    item = bad_items(waiting(library, plain))[0]
    (edit,) = [e for e in item.known_bad.upon if e.operator == "exposure"]
    assert edit.params["ev"] == 1.2
    assert known_bads.shown_params(item.known_bad)["ev"] == 1.2
