"""What must hold of the record whatever the ledger says."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.domain import Zone
from safelight.learn import audit
from safelight.learn.record import Record, Row, Rules, TaskRules
from safelight.learn.rows import columns

RULES = Rules(default=TaskRules(alpha=0.1, delta=0.2))  # a licence within reach of few verdicts
PLAIN = Rules(default=TaskRules())
LEVEL = {"never": 0, "demoted": 1, "apprentice": 1, "licensed": 2}


def row(shoot, i, **said):
    base = Row(
        at=f"2026-{1 + shoot // 28:02d}-{1 + shoot % 28:02d}T10:{i // 60:02d}:{i % 60:02d}.000+00:00", by="ann",
        asset=f"{shoot}/{i}", shoot=f"s{shoot}", operator="exposure", version=1, say="approve", score=0.9,
        drawn="audit",
    )  # fmt: skip
    made = replace(base, **said)
    return replace(made, say="reject") if made.bad and made.say == "approve" else made


def ledger(shoots, *, rate=0.0, seed=1, canary=0, audits=5, start=0, **said):
    rng = np.random.default_rng(seed)
    return [
        row(s, i, bad=bool(rng.random() < rate), drawn="canary" if i < canary else "audit", **said)
        for s in range(start, start + shoots)
        for i in range(canary + audits)
    ]


def only(record, **about):
    (cell,) = [c for c in record.cells if c.current and all(getattr(c, k) == v for k, v in about.items())]
    return cell


ledgers = st.builds(
    lambda shoots, rate, seed, canary: ledger(shoots, rate=rate, seed=seed, canary=canary),
    st.integers(1, 60), st.sampled_from([0.0, 0.02, 0.1, 0.4]), st.integers(0, 10_000), st.sampled_from([0, 2]),
)  # fmt: skip


@settings(max_examples=60)
@given(ledgers, st.sampled_from(["audit", "canary", "review"]))
def test_adding_a_reject_never_promotes(rows, drawn):
    before = only(Record.from_rows(rows, RULES))
    last = int(rows[-1].shoot[1:])
    for shoot in (last, last + 1):
        after = only(Record.from_rows([*rows, row(shoot, 50, bad=True, drawn=drawn)], RULES))
        assert LEVEL[after.state] <= LEVEL[before.state]
        assert after.course.rung <= before.course.rung or after.state != "licensed"


@settings(max_examples=60)
@given(ledgers, st.sampled_from(["audit", "canary", "review"]), st.integers(0, 59))
def test_a_reject_in_an_old_shoot_brings_no_licence(rows, drawn, shoot):
    before = only(Record.from_rows(rows, RULES))
    late = replace(
        row(shoot % (int(rows[-1].shoot[1:]) + 1), 50, bad=True, drawn=drawn), at="2027-01-01T10:00:00.000+00:00"
    )
    after = only(Record.from_rows([*rows, late], RULES))
    assert before.course.licences or not after.course.licences


def test_a_bad_canary_that_is_found_late_hides_no_bad_audits():
    bad = [replace(r, bad=r.shoot == "s3", say="reject" if r.shoot == "s3" else "approve") for r in ledger(32)]
    canary = replace(row(3, 50, bad=True, drawn="canary"), at="2027-01-01T10:00:00.000+00:00")
    in_time = replace(row(3, 50, bad=True, drawn="canary"))
    assert not only(Record.from_rows(bad, PLAIN)).course.licences
    assert not only(Record.from_rows([*bad, canary], PLAIN)).course.licences
    assert only(Record.from_rows([*bad, in_time], PLAIN)).course.licences, "the shoot would have gone to a person"
    after = [*ledger(40), *ledger(2, rate=1.0, start=40), *ledger(1, start=42)]
    gone = only(Record.from_rows(after, PLAIN))
    assert gone.state == "demoted"
    late = [replace(row(s, 50, bad=True, drawn="canary"), at=f"2027-01-0{s - 39}T10:00:00.000+00:00") for s in (40, 41)]
    assert only(Record.from_rows([*after, *late], PLAIN)).state == "demoted"


@settings(max_examples=60)
@given(ledgers, st.integers(0, 10_000), st.booleans())
def test_undo_restores_the_state_exactly(rows, pick, bad):
    before = Record.from_rows(rows, RULES)
    target = rows[pick % len(rows)]
    later = "2027-01-01T00:00:0{}.000+00:00"
    new = replace(target, at=later.format(1), say="reject" if bad else "approve", bad=bad)
    undo = replace(target, at=later.format(2), say="undo", bad=False)
    assert Record.from_rows([*rows, new, undo], RULES) == before
    fresh = row(int(rows[-1].shoot[1:]), 70, bad=bad)
    assert Record.from_rows([*rows, fresh, replace(undo, asset=fresh.asset, shoot=fresh.shoot)], RULES) == before


@settings(max_examples=40)
@given(ledgers, st.integers(0, 10_000))
def test_the_order_inside_a_shoot_does_not_matter_to_what_was_earned(rows, seed):
    rng = np.random.default_rng(seed)
    times = {}
    for r in rows:
        times.setdefault(r.shoot, []).append(r.at)
    shuffled = [
        replace(r, at=times[r.shoot][int(j)])
        for shoot in times
        for r, j in zip([r for r in rows if r.shoot == shoot], rng.permutation(len(times[shoot])).tolist(), strict=True)
    ]
    one, other = (only(Record.from_rows(each, RULES)) for each in (rows, shuffled))
    if one.course.licences <= 1 and not any(e.event == "demoted" for e in (*one.history, *other.history)):
        assert (one.n, one.k, one.state, one.threshold) == (other.n, other.k, other.state, other.threshold)
        assert one.course.log_e == other.course.log_e
    assert (one.drawn, one.drawn_bad, one.curve) == (other.drawn, other.drawn_bad, other.curve)


@settings(max_examples=30)
@given(ledgers)
def test_the_same_rows_in_any_order_of_writing_give_the_same_record(rows):
    assert Record.from_rows(rows[::-1], RULES) == Record.from_rows(rows, RULES)


@pytest.mark.parametrize("same", [True, False])
def test_a_changed_operator_starts_as_apprentice_unless_its_output_is_the_same(same):
    asked = []

    def same_output(task, builds, new, assets):
        asked.append((task, tuple(builds), new, len(assets)))
        return same

    rows = [*ledger(40), *ledger(1, start=40, version=2)]
    cell = only(Record.from_rows(rows, PLAIN, same_output=same_output))
    assert cell.state == ("licensed" if same else "apprentice")
    assert cell.n == (205 if same else 5)
    assert asked == [("exposure", ("1",), "2", 200)], "it is asked about the assets of all kept verdicts"
    assert only(Record.from_rows(rows, PLAIN)).state == "apprentice", "nobody who could tell: no"
    installed = Record.from_rows(ledger(40), PLAIN, running={"exposure": "2"})
    assert not installed.licensed("exposure", "", "", 0.9).auto, "the version that runs has no verdict yet"
    assert only(Record.from_rows(ledger(40, weights="a" * 64), PLAIN, running={"exposure": "1/" + "b" * 64})).n == 0


def test_twelve_shoots_of_five_need_eighty_four_more():
    cell = only(Record.from_rows(ledger(12, canary=5), PLAIN))
    assert (cell.shoots, cell.n, cell.k, cell.needs, cell.state) == (12, 60, 0, 84, "apprentice")
    assert cell.needs_shoots == 17
    assert only(Record.from_rows(ledger(29, canary=5), PLAIN)).state == "licensed"
    strict = Rules(default=TaskRules(strict=True))
    assert only(Record.from_rows(ledger(29, canary=5), strict)).n == 29, "one of each shoot"


def test_only_five_of_a_shoot_count_and_the_coin_says_which():
    rows = ledger(3, audits=40)
    cell = only(Record.from_rows(rows, PLAIN))
    assert (cell.n, cell.drawn) == (15, 120)
    again = only(Record.from_rows([replace(r, say="reject", bad=True) for r in rows], PLAIN))
    assert (again.n, again.k) == (15, 15)


def test_a_shoot_with_a_bad_canary_is_no_evidence():
    rows = [*ledger(10, canary=5), *(replace(r, bad=True, say="reject") for r in ledger(1, canary=5, start=10))]
    cell = only(Record.from_rows(rows, PLAIN))
    assert (cell.n, cell.k) == (50, 0)
    assert cell.drawn_bad == 10, "it is told all the same"


def test_answers_that_nobody_gave_one_by_one_are_no_evidence():
    assert only(Record.from_rows(ledger(80, bundled=30), PLAIN)).n == 0
    assert only(Record.from_rows(ledger(80, by="import:old", imported=True), PLAIN)).n == 0
    turn = [replace(r, drawn="review") for r in ledger(80)]
    assert only(Record.from_rows(turn, PLAIN)).state == "apprentice"
    rule = [replace(r, by="policy:exposure") for r in ledger(80)]
    assert Record.from_rows(rule, PLAIN).cells == ()


def test_a_reviewer_who_approves_everything_is_caught():
    known = [row(s, 90, drawn="known_bad") for s in range(80)]
    cell = only(Record.from_rows([*ledger(80), *known], PLAIN))
    assert (cell.state, cell.caught, cell.sensitivity, cell.needs) == ("apprentice", (80, 0), 0.0, None)
    sharp = [row(s, 90, drawn="known_bad", bad=True) for s in range(80)]
    assert only(Record.from_rows([*ledger(80), *sharp], PLAIN)).state == "licensed"
    two = [replace(r, by="bob") for r in known[:12]]
    assert only(Record.from_rows([*ledger(80), *sharp, *two], PLAIN)).state == "apprentice", (
        "the laxer of the two counts"
    )


def test_groups_are_never_pooled_and_unknown_is_the_strictest():
    rows = [*ledger(40, group="many"), *(replace(r, asset=r.asset + "f") for r in ledger(8, group="few"))]
    record = Record.from_rows(rows, PLAIN)
    assert record.licensed("exposure", "many", "", 0.9).auto
    assert not record.licensed("exposure", "few", "", 0.9).auto
    assert not record.licensed("exposure", "", "", 0.9).auto, "it may be one of the few"
    assert not record.licensed("exposure", "new", "", 0.9).auto
    sure = Record.from_rows(ledger(40, group="many"), PLAIN)
    assert sure.licensed("exposure", "many", "", 0.9).auto
    assert not sure.licensed("exposure", "", "", 0.9).auto, "it may be of a group that nobody has looked at"
    both = [*ledger(40, group="many"), *(replace(r, asset=r.asset + "u") for r in ledger(40))]
    assert Record.from_rows(both, PLAIN).licensed("exposure", "", "", 0.9).auto


def test_a_client_whose_work_is_different_needs_a_licence_of_its_own():
    theirs = [replace(r, asset=r.asset + "x") for r in ledger(20, rate=0.25, client="odd", start=90)]
    rows = [*ledger(90, client="usual"), *theirs]
    record = Record.from_rows(rows, PLAIN)
    split = [c for c in record.cells if c.client]
    assert [c.client for c in split if c.state != "licensed"] == ["odd"]
    assert not record.licensed("exposure", "", "odd", 0.9).auto
    level = {c: record.licensed("exposure", "", c, 0.9).auto for c in ("usual", "odd", "another")}
    coarse = only(record, client="").state == "licensed"
    assert all(coarse or not auto for auto in level.values()), "a split never raises a level"


def test_a_learned_style_whose_work_is_different_needs_a_licence_of_its_own():
    good = ledger(40, style="before")
    same = Record.from_rows([*good, *ledger(20, start=50, style="after")], RULES)
    assert {c.style for c in same.cells} == {""}
    bad = ledger(20, rate=0.5, seed=3, start=50, style="after")
    found = Record.from_columns(columns([*good, *bad]), RULES, styles={"exposure": "after"})
    assert {c.style for c in found.cells} == {"", "before", "after"}
    assert [c.style for c in found.of("exposure")] == ["", "after"]
    assert not found.licensed("exposure", "", "", 0.95).auto


def test_stricter_rules_of_a_client_are_asked_of_the_same_verdicts():
    rules = replace(PLAIN, clients={"bank": {"exposure": TaskRules(alpha=0.005)}})
    record = Record.from_rows([*ledger(40), *ledger(1, client="bank", start=40)], rules)
    assert record.licensed("exposure", "", "", 0.9).auto
    assert not record.licensed("exposure", "", "bank", 0.9).auto


def test_a_person_sees_everything_where_stakes_are_high_or_the_policy_says_so():
    record = Record.from_rows(ledger(40), replace(PLAIN, high_stakes=frozenset({"bank"})))
    assert record.licensed("exposure", "", "", 0.9).auto
    assert not record.licensed("exposure", "", "bank", 0.9).auto
    assert not record.licensed("exposure", "", "", 0.9, high_stakes=True).auto
    for zone in (Zone.REVIEW, Zone.HUMAN, Zone.NEVER_UNREVIEWED):
        held = Record.from_rows(ledger(40), Rules(default=TaskRules(zone=zone)))
        assert not held.licensed("exposure", "", "", 0.9).auto
        assert (held.cells[0].state == "never") == (zone is not Zone.REVIEW)
    unlike = record.licensed("exposure", "", "", 0.9, unfamiliar="New here: 8mm.")
    assert unlike.auto, "unfamiliar is not wrong"
    assert (unlike.audit, unlike.canary) == (0.5, 10)


def test_moved_scores_raise_how_much_is_looked_at_and_take_nothing_away():
    rng = np.random.default_rng(4)

    def scored(shoots, start, low):
        return [replace(r, score=float(rng.uniform(low, 1))) for r in ledger(shoots, start=start)]

    before = scored(120, 0, 0.5)
    calm, moved = ([*before, *scored(60, 120, low)] for low in (0.5, 0.9))
    one, other = (only(Record.from_rows(rows, PLAIN)) for rows in (calm, moved))
    assert one.drift < 0.2 < other.drift
    assert (one.state, other.state) == ("licensed", "licensed")
    assert (one.audit, one.canary) == (0.1, 5)
    assert (other.audit, other.canary) == (0.5, 10)


def test_the_first_items_after_a_licence_are_looked_at_more():
    fresh, settled = (only(Record.from_rows(ledger(shoots), PLAIN)) for shoots in (30, 60))
    assert (fresh.state, fresh.audit) == ("licensed", 0.25)
    assert settled.audit == 0.1


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_thresholds_follow_from_the_first_scores_and_from_no_verdict(seed):
    rng = np.random.default_rng(seed)
    rows = [replace(r, score=float(rng.random())) for r in ledger(30)]
    other = [replace(r, bad=bool(rng.random() < 0.5)) for r in rows]
    later = [replace(r, score=float(rng.random())) for r in ledger(10, start=30)]
    ladders = [only(Record.from_rows(each, PLAIN)).ladder for each in (rows, other, [*rows, *later])]
    assert ladders[0] == ladders[1] == ladders[2]
    assert list(ladders[0][:-1]) == sorted(ladders[0][:-1], reverse=True), "the strictest comes first"


def test_bad_audits_take_the_licence_away_and_it_can_be_earned_anew():
    rows = [*ledger(40), *ledger(8, rate=0.5, start=40, seed=2)]
    cell = only(Record.from_rows(rows, PLAIN))
    assert cell.state == "demoted"
    assert [e.event for e in cell.history] == ["licensed", "demoted"]
    assert "more than 2 % explains" in cell.history[-1].because
    again = only(Record.from_rows([*rows, *ledger(130, start=48)], PLAIN))
    assert (again.state, again.course.licences) == ("licensed", 2)
    assert again.course.delta < PLAIN.default.delta / 4


def test_approvals_together_with_others_are_no_evidence_and_keep_the_alarm_honest():
    """Of 1,000 audits one in a hundred is bad and picked out; half of the rest is approved with one key."""
    rng = np.random.default_rng(3)
    later = ledger(200, rate=0.01, seed=8, start=40)
    together = [r if r.bad or rng.random() < 0.5 else replace(r, bundled=40) for r in later]
    left_out = [r for r in together if r.bundled == 1]
    one, other, without = (only(Record.from_rows([*ledger(40), *rows], PLAIN)) for rows in (later, together, left_out))
    assert (one.state, other.state) == ("licensed", "licensed")
    assert other.drawn == len(left_out) + 200 < one.drawn == 1200
    bad = audit.evidence(np.array([r.bad for r in later]), 0.02).max()
    assert bad < audit.evidence(np.array([r.bad for r in left_out]), 0.02).max(), "left out, the alarm is nearer"
    assert other.n == without.n, "they are no evidence for the next step"
    dropped = [replace(r, bundled=1 if r.bad else 40) for r in ledger(10, rate=0.3, seed=5, start=40)]
    assert only(Record.from_rows([*ledger(40), *dropped], PLAIN)).state == "demoted"


def test_what_a_client_sends_back_counts_at_once():
    rows = ledger(40)
    back = [row(41, i, drawn="review", bad=True, returned=True) for i in range(4)]
    assert only(Record.from_rows(rows, PLAIN)).state == "licensed"
    assert only(Record.from_rows([*rows, *back], PLAIN)).state == "demoted"


def test_canaries_that_fail_again_and_again_take_the_licence_away():
    rows = [*ledger(40, canary=5), *(replace(r, bad=True, say="reject") for r in ledger(6, canary=5, start=40))]
    cell = only(Record.from_rows(rows, PLAIN))
    assert cell.state == "demoted"
    assert sum(e.event == "canary_failed" for e in cell.history) >= 2
    assert "shoots since the licence" in cell.history[-1].because
