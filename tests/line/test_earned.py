"""A licence earned in the ledger lets the next shoot do items alone: canaries first, audits by coin, and back again."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa

from safelight import earned, ledger, line, lots, plugins
from safelight.api import Library
from safelight.deliver import Order
from safelight.domain import Because, Drawn, Say, State, Verdict, Zone
from safelight.errors import UsageError
from safelight.learn import bound, draws
from safelight.learn.rows import build
from safelight.line import Options
from safelight.operators import Suggestion
from safelight.store import records, schema
from safelight.store.objects import ShootFolder
from safelight.verdicts import Saying, decide

INLINE = Options(engine="inline", only=("cull", "exposure"))
PHOTOS = 24
GOOD = 0.9  # a score far above every threshold


def keeps(subjects, wishes):
    op = CULL
    return [Suggestion(member=s.asset.id, params=op.params(decision="keep"), score=0.5) for s in subjects]


def lifts(subjects, wishes):
    because = (Because(evidence="luma.median", value=0.1, text="Dark."),)
    return [
        Suggestion(member=s.asset.id, params=EXPOSURE.params(ev=0.4), score=GOOD, because=because) for s in subjects
    ]


CULL, EXPOSURE = (plugins.operators()[name] for name in ("cull", "exposure"))


@pytest.fixture(autouse=True)
def operators(monkeypatch):
    """Culling that keeps everything, and an exposure that is always sure."""
    made = {"cull": replace(CULL, propose=keeps), "exposure": replace(EXPOSURE, propose=lifts)}
    monkeypatch.setattr(plugins, "operators", lambda: made)


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    from tests.conftest import save_jpeg, textured

    folder = tmp_path_factory.mktemp("originals")
    for i in range(PHOTOS):  # no smaller: the gate looks for rims as wide as a hundredth of a picture
        save_jpeg(folder / f"IMG_{i:04d}.JPG", textured(i, width=192, height=128))
    return folder


@pytest.fixture
def shoot(library, originals, tmp_path):
    """A shoot that was run while everybody was an apprentice."""
    import shutil

    folder = tmp_path / "shoot"
    shutil.copytree(originals, folder)
    library.run(folder, options=INLINE)
    return folder


def group_of(library, shoot):
    return next(iter(library.state(shoot).photos.values())).proposals["exposure"].group


def past(library, group, *, shoots=120, bad=(), name="past", year=2025):
    """A made ledger: of each shoot five audits answered one by one, their scores spread alike in all."""
    score = np.random.default_rng(0).uniform(0.3, 0.8, (shoots, 5))
    records.save_verdicts(
        library.store,
        [
            Verdict(
                at=f"{year}-01-01T{s // 60:02d}:{s % 60:02d}:{i:02d}.000+00:00", by="ann", asset=f"{name}-{s}-{i}",
                shoot=f"{name}-{s}", operator="exposure", version=EXPOSURE.version,
                say=Say.REJECT if (s, i) in bad else Say.APPROVE, group=group, score=float(score[s, i]),
                drawn=Drawn.AUDIT,
            )
            for s in range(shoots) for i in range(5)
        ],
    )  # fmt: skip


def zones(library, shoot):
    photos = library.state(shoot).photos.values()
    return Counter((p.proposals["exposure"].zone, p.state("exposure")) for p in photos)


def drawn(library, shoot, kind):
    state = library.state(shoot)
    found = earned.coins(library.store, state.shoot.id)
    return sorted(a for (a, task), coin in found.items() if task == "exposure" and coin.drawn is kind)


def answer(library, shoot, assets, say="approve"):
    for asset in assets:
        library.verdict(shoot, [asset], operator="exposure", say=say, by="ann")


def test_an_apprentice_does_nothing_alone(library, shoot):
    assert set(zones(library, shoot)) == {(Zone.REVIEW, State.PROPOSED)}
    assert len(drawn(library, shoot, Drawn.CANARY)) == 5
    assert len(drawn(library, shoot, Drawn.AUDIT)) >= 5, "evidence for a licence is drawn from the first shoot on"


def test_coins_are_tossed_once(library, shoot):
    def logged():
        return library.store.rows(sa.select(schema.draws).order_by(schema.draws.c.seq))

    before = logged()
    assert len(before) == 2 * PHOTOS
    library.run(shoot, options=replace(INLINE, stakes="high"))
    assert logged() == before


def test_a_licence_waits_for_the_canaries_then_does_the_rest_alone(library, shoot):
    past(library, group_of(library, shoot))
    library.run(shoot, options=INLINE)
    assert set(zones(library, shoot)) == {(Zone.REVIEW, State.PROPOSED)}, "canaries come first"
    canaries = drawn(library, shoot, Drawn.CANARY)
    answer(library, shoot, canaries)
    library.run(shoot, options=INLINE)
    audits = drawn(library, shoot, Drawn.AUDIT)
    found = zones(library, shoot)
    assert found == {
        (Zone.AUTO, State.APPLIED): PHOTOS - len(canaries) - len(audits),
        (Zone.REVIEW, State.APPROVED): len(canaries),
        (Zone.REVIEW, State.PROPOSED): len(audits),
    }
    assert len(audits) >= 0.1 * (PHOTOS - len(canaries))
    lots = {r["lot"] for r in library.store.rows(sa.select(schema.draws.c.lot).where(schema.draws.c.lot.is_not(None)))}
    assert len(lots) == 1
    applied = next(p for p in library.state(shoot).photos.values() if p.state("exposure") is State.APPLIED)
    assert applied.standing["exposure"].by == "policy:exposure"


def test_a_bad_canary_sends_the_whole_shoot_to_a_person(library, shoot):
    past(library, group_of(library, shoot))
    library.run(shoot, options=INLINE)
    canaries = drawn(library, shoot, Drawn.CANARY)
    answer(library, shoot, canaries[1:])
    answer(library, shoot, canaries[:1], say="reject")
    library.run(shoot, options=INLINE)
    assert State.APPLIED not in {state for _, state in zones(library, shoot)}


def test_canaries_approved_in_a_bundle_were_not_looked_at(library, shoot):
    past(library, group_of(library, shoot))
    library.run(shoot, options=INLINE)
    library.verdict(shoot, drawn(library, shoot, Drawn.CANARY), operator="exposure", say="approve", by="ann")
    library.run(shoot, options=INLINE)
    assert State.APPLIED not in {state for _, state in zones(library, shoot)}


@pytest.mark.parametrize("by", ["import:ann", "ann"])
def test_decisions_of_before_are_nobodys_look_at_a_canary_or_an_audit(library, shoot, by):
    def said(kind, hour):
        state = library.state(shoot)
        for i, asset in enumerate(drawn(library, shoot, kind)):  # each at its own moment: together they were no look
            saying = Saying(
                say=Say.MODIFY,
                by=by,
                operators=("exposure",),
                params={"ev": 0.4},
                at=f"2027-01-01T{hour}:00:{i:02d}.000",
            )
            decide(library.store, state, [state.photos[asset]], saying)

    past(library, group_of(library, shoot))
    library.run(shoot, options=INLINE)
    said(Drawn.CANARY, 10)
    library.run(shoot, options=INLINE)
    assert (State.APPLIED in {state for _, state in zones(library, shoot)}) == (by == "ann")
    answer(library, shoot, drawn(library, shoot, Drawn.CANARY))
    library.run(shoot, options=INLINE)
    said(Drawn.AUDIT, 11)
    state = library.state(shoot)
    (part,) = lots.parts(state, earned.coins(library.store, state.shoot.id), set(state.photos))
    assert part.passed_over == (0 if by == "ann" else len(part.drawn))


def licensed_and_applied(library, shoot):
    past(library, group_of(library, shoot))
    library.run(shoot, options=INLINE)
    answer(library, shoot, drawn(library, shoot, Drawn.CANARY))
    library.run(shoot, options=INLINE)
    assert (Zone.AUTO, State.APPLIED) in zones(library, shoot)


def test_a_lost_licence_takes_back_what_was_not_delivered(library, shoot):
    licensed_and_applied(library, shoot)
    bad = {(s, i) for s in range(8) for i in range(5)}
    past(library, group_of(library, shoot), shoots=8, bad=bad, name="later", year=2027)
    state = library.state(shoot)
    gone = earned.settle(library.store, state, ledger.rules(library.store))
    assert gone
    assert {v.say for v in gone} == {Say.UNDO}
    assert State.APPLIED not in {state for _, state in zones(library, shoot)}
    library.run(shoot, options=INLINE)
    assert {zone for zone, _ in zones(library, shoot)} == {Zone.REVIEW}


def test_what_a_client_sends_back_takes_a_licence_away_at_once(library, shoot):
    licensed_and_applied(library, shoot)
    alone = [p.id for p in library.state(shoot).photos.values() if p.state("exposure") is State.APPLIED]
    with pytest.raises(UsageError, match="sent back"):
        library.verdict(shoot, alone[:1], operator="exposure", say="approve", by="ann", reason="client_return")
    for asset in alone[:4]:
        library.verdict(shoot, [asset], operator="exposure", say="reject", by="ann", reason="client_return")
    (cell,) = [c for c in ledger.document(library.store)["cells"] if c["task"] == "exposure" and c["current"]]
    assert cell["state"] == "demoted"
    assert earned.settle(library.store, library.state(shoot), ledger.rules(library.store))


def test_a_delivery_says_how_much_of_what_nobody_saw_can_be_bad(library, shoot, tmp_path):
    licensed_and_applied(library, shoot)
    paths = [p.path for p in library.state(shoot).photos.values()]
    library.verdict(shoot, paths, operator="cull", say="approve", by="ann")
    first, *rest = drawn(library, shoot, Drawn.AUDIT)
    answer(library, shoot, rest)
    answer(library, shoot, [first], say="reject")
    library.run(shoot, options=INLINE)
    alone = sum(p.state("exposure") is State.APPLIED for p in library.state(shoot).photos.values())
    made = library.deliver(shoot, tmp_path / "out", order=Order(to=tmp_path, preset="web", sign_off="ann"))
    told, (lot,) = made["unseen"], made["unseen"]["lots"]
    audited = len(drawn(library, shoot, Drawn.AUDIT))
    assert (told["photos"], told["audited"], told["bad_found"]) == (alone, audited, 1)
    assert told["bad_at_most"] == bound.at_most(alone + audited, audited, 1) - 1
    assert 0 < told["bad_at_most"] <= alone
    page = (tmp_path / "out" / "report.html").read_text()
    assert lot["text"].split(".")[0] in page
    assert library.store.rows(sa.select(schema.deliveries))[0]["id"] == made["id"]
    library.run(shoot, options=replace(INLINE, stakes="high"))
    kept = [p.state("exposure") for p in library.state(shoot).photos.values()]
    assert kept.count(State.APPLIED) == alone, "what was delivered stays as it was delivered"


def test_what_was_approved_with_one_key_was_not_looked_at(library, shoot):
    licensed_and_applied(library, shoot)
    state = library.state(shoot)
    audits = drawn(library, shoot, Drawn.AUDIT)
    answer(library, shoot, audits[:1], say="reject")
    library.verdict(shoot, audits[1:], operator="exposure", say="approve", by="ann")
    rules, coins = ledger.rules(library.store), earned.coins(library.store, state.shoot.id)
    state = library.state(shoot)
    (part,) = lots.parts(state, coins, set(state.photos))
    assert (part.looked, part.bad, part.passed_over) == (1, 1, len(audits) - 1)
    told = lots.told(library.store, state, rules, list(state.photos.values()))
    left = bound.at_most(part.size, len(audits), len(audits)) - len(audits)
    assert (told["audited"], told["bad_found"], told["bad_at_most"]) == (1, 1, left)
    assert f"{len(audits) - 1} not looked at one by one" in told["text"]
    one_by_one = bound.at_most(part.size, len(audits), 1) - 1
    assert left > one_by_one, "the bound is the worse for it"


def test_what_needs_no_licence_is_caught_up_without_reading_the_record(library, shoot, monkeypatch):
    licensed_and_applied(library, shoot)
    before = zones(library, shoot)

    def read(*_):
        raise AssertionError("the whole ledger was read")

    monkeypatch.setattr(ledger, "of_library", read)
    where, state = ShootFolder.at(shoot), library.state(shoot)
    state = line.catch_up(library.store, where, state, jobs=1, tell=lambda _: None)
    assert set(state.photos) == set(library.state(shoot).photos)
    assert zones(library, shoot) == before, "nothing else moved"


def test_a_sample_is_drawn_by_the_same_coin_and_goes_on_where_it_stopped(library, shoot):
    licensed_and_applied(library, shoot)
    state = library.state(shoot)
    before = set(drawn(library, shoot, Drawn.AUDIT))
    (part,) = lots.parts(state, earned.coins(library.store, state.shoot.id), set(state.photos))
    wanted = {share: bound.plan(part.size, share) for share in np.arange(0.05, 0.9, 0.01)}
    share = next(s for s, n in wanted.items() if len(before) < n < part.size - 1)
    (plan,) = lots.sample(library.store, state, ledger.rules(library.store), share=share)
    after = drawn(library, shoot, Drawn.AUDIT)
    assert before < set(after)
    assert plan.look_at == len(after) == bound.plan(plan.of, share)
    found = {p.id: p.state("exposure") for p in library.state(shoot).photos.values()}
    assert {found[a] for a in after} == {State.PROPOSED}
    answer(library, shoot, after[:4])
    (again,) = lots.sample(library.store, library.state(shoot), ledger.rules(library.store), share=share)
    assert (again.drawn, again.looked, again.bad) == (plan.drawn, 4, 0)
    assert again.bad_at_most < plan.bad_at_most
    coins = sorted(draws.coin(state.shoot.id, "exposure", a) for a in found)
    canaries = len(drawn(library, shoot, Drawn.CANARY))
    assert max(draws.coin(state.shoot.id, "exposure", a) for a in after) == coins[canaries + len(after) - 1]


def test_high_stakes_lower_everything_at_once_and_stay(library, shoot):
    licensed_and_applied(library, shoot)
    library.run(shoot, options=replace(INLINE, stakes="high"))
    assert State.APPLIED not in {state for _, state in zones(library, shoot)}
    library.run(shoot, options=INLINE)
    assert library.state(shoot).shoot.stakes == "high"
    assert State.APPLIED not in {state for _, state in zones(library, shoot)}
    library.run(shoot, options=replace(INLINE, stakes="normal"))
    assert (Zone.AUTO, State.APPLIED) in zones(library, shoot)


def test_a_client_of_high_stakes_needs_no_word_on_the_shoot(library, shoot, tmp_path):
    licensed_and_applied(library, shoot)
    rules = library.store.folder / "policy.toml"
    rules.write_text('schema = "safelight.policy/1"\n[client."Ada & Co"]\nstakes = "high"\n')
    library.run(shoot, options=replace(INLINE, client="Ada & Co"))
    assert State.APPLIED not in {state for _, state in zones(library, shoot)}


def test_another_build_starts_as_an_apprentice(library, shoot, monkeypatch):
    past(library, group_of(library, shoot))
    newer = replace(plugins.operators()["exposure"], version=EXPOSURE.version + 1)
    made = {**plugins.operators(), "exposure": newer}
    monkeypatch.setattr(plugins, "operators", lambda: made)
    known = ledger.record(library.store, ledger.rules(library.store))
    assert ledger.running(["exposure"])["exposure"] == build(newer.version, "")
    assert not known.licensed("exposure", group_of(library, shoot) or "", "", GOOD).auto


def test_a_change_counts_as_a_reject_from_the_written_threshold_on(library, shoot):
    first, second, *_ = library.state(shoot).photos
    for asset, ev in ((first, 0.5), (second, 0.9)):
        library.verdict(shoot, [asset], operator="exposure", say="modify", params={"ev": ev}, by="ann")
    touched, changed = (library.state(shoot).photos[a].standing["exposure"] for a in (first, second))
    assert (touched.material, touched.bad) == (False, False)
    assert (changed.material, changed.bad) == (True, True)
    assert changed.shown["because"] == [["luma.median", 0.1]]
    assert changed.group == group_of(library, shoot)


def test_two_reviewers_at_once_lose_nothing(library, shoot):
    paths = [p.path for p in library.state(shoot).photos.values()]
    before = len(records.ledger(library.store).rows)

    def review(name, say):
        with Library.open(library.store.folder) as own:
            for path in paths:
                own.verdict(shoot, [path], operator="exposure", say=say, by=name)

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(review, "ann", "approve"), pool.submit(review, "ben", "reject")]:
            done.result()
    rows = records.ledger(library.store).rows[before:]
    assert Counter((v.by, v.asset) for v in rows) == Counter(
        (name, asset) for name in ("ann", "ben") for asset in library.state(shoot).photos
    )
    newest = {v.asset: v for v in rows}
    standing = library.state(shoot).photos.values()
    assert all(p.standing["exposure"] == newest[p.id] for p in standing), "the newest answer stands"


def test_what_was_drawn_is_kept_with_the_verdict(library, shoot):
    (canary, *_), (audit, *_) = (drawn(library, shoot, kind) for kind in (Drawn.CANARY, Drawn.AUDIT))
    answer(library, shoot, [canary, audit])
    standing = {a: p.standing["exposure"].drawn for a, p in library.state(shoot).photos.items() if p.standing}
    assert standing == {canary: Drawn.CANARY, audit: Drawn.AUDIT}
