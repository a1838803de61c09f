import math

import numpy as np
import pytest

from safelight.learn import audit, bound, drift, licence, prior, saved, sensitivity
from safelight.learn.licence import Bet

ALPHA, DELTA = 0.02, 0.1


def test_the_table_of_n_and_k_is_the_one_that_studios_are_shown():
    assert licence.table(ALPHA, DELTA) == [144, 284, 391, 487, 662, 903]
    assert licence.table(ALPHA, 0.05) == [184, 328, 439, 538, 718, 964]
    assert licence.needed(60, 0, ALPHA, DELTA) == 84
    assert licence.needed(144, 0, ALPHA, DELTA) == 0


@pytest.mark.parametrize(("n", "k"), [(1_000_000, 900_000), (10, 10), (10_000_000, 0), (0, 0)])
def test_no_number_of_verdicts_breaks_the_arithmetic(n, k):
    found = float(licence.log_e(n, k, ALPHA))
    assert not math.isnan(found)
    assert (found > 100) == (k == 0 and n > 0)
    assert float(licence.log_e(n, k, 0.0)) == -math.inf


def test_the_chance_of_ever_being_licensed_falsely_is_exact_for_short_looks():
    """By dynamic programming over (n, k) with a true rate of alpha, not by drawing."""
    alive = {0: 1.0}
    ever = 0.0
    for n in range(1, 900):
        after: dict[int, float] = {}
        for k, chance in alive.items():
            after[k] = after.get(k, 0.0) + chance * (1 - ALPHA)
            after[k + 1] = after.get(k + 1, 0.0) + chance * ALPHA
        counts = np.array(sorted(after))
        done = licence.reached(np.full(len(counts), n), counts, np.full(len(counts), ALPHA), DELTA)
        ever += sum(after[k] for k in counts[done].tolist())
        alive = {k: after[k] for k in counts[~done].tolist() if after[k] > 1e-12}
    assert 0.03 < ever <= DELTA


def test_a_later_licence_spends_less_and_all_of_them_together_little():
    later = [licence.spent(DELTA, attempt) for attempt in range(2, 2000)]
    assert licence.spent(DELTA, 1) == DELTA
    assert sum(later) < 0.4 * DELTA
    assert later == sorted(later, reverse=True)


def test_a_looser_threshold_waits_for_the_stricter_ones():
    rungs = [np.array([False, False, True, False]), np.array([True, True, True, True]), np.array([False] * 4)]
    assert licence.certified(rungs) == [2, 2, None]
    assert licence.certified(rungs[::-1]) == [None, None, None]


def test_counts_and_e_values_agree_on_when_a_licence_is_there():
    rng = np.random.default_rng(2)
    n = np.arange(1, 3000)
    k = np.cumsum(rng.random(len(n)) < 0.008)
    by_value = licence.log_e(n, k, ALPHA) >= -math.log(DELTA)
    assert (licence.reached(n, k, np.full(len(n), ALPHA), DELTA) == by_value).all()


def test_the_alarm_hears_a_jump_and_sleeps_through_good_work():
    rng = np.random.default_rng(3)
    calm = rng.random(600) < 0.005
    assert audit.alarm(calm, ALPHA) is None
    at = audit.alarm(np.concatenate([calm, rng.random(600) < 0.3]), ALPHA)
    assert at is not None
    assert 600 <= at < 660
    assert audit.exposure(0.1, ALPHA, 0.1) == pytest.approx(71.07, abs=0.01)
    assert audit.exposure(0.1, ALPHA, 0.2) == pytest.approx(71.07 / 2, abs=0.01)


def test_the_bound_of_a_delivery_covers_every_number_of_bad_items():
    lot, looked = 120, 24
    most = [bound.at_most(lot, looked, found) for found in range(looked + 1)]
    for bad in range(lot + 1):
        first = next((k for k, m in enumerate(most) if m >= bad), looked + 1)
        missed = bound.chance_of_so_few(lot, bad, looked, first - 1) if first else 0.0
        assert missed <= 1 - bound.LEVEL + 1e-12, bad
    assert bound.at_most(600, 60, 0) == 27
    assert bound.at_most(10, 10, 2) == 2, "whoever looked at all knows"
    with pytest.raises(ValueError, match="cannot be"):
        bound.at_most(10, 11, 0)


def test_a_sample_is_as_small_as_can_be_and_goes_on_where_it_stopped():
    assert bound.plan(2000, 0.05) == 59
    assert bound.plan(10, 0.05) == 10, "a small lot is looked at whole"
    items = [f"photo-{i}" for i in range(2000)]
    first = bound.sample("seed", items, 59)
    assert first == bound.sample("seed", reversed(items), 59)
    assert bound.sample("seed", items, 59, seen=first[:20]) == first[20:]
    assert bound.sample("other", items, 59) != first


def test_a_lot_is_told_in_plain_words():
    told = bound.Lot(unseen=600, audited=60, bad=0).words()
    assert "at most 27 of the others" in told
    assert "A person looked at everything" in bound.Lot(unseen=0, audited=0, bad=0).words()
    assert bound.Lot(unseen=600, audited=60, bad=3).left_at_most == bound.at_most(600, 60, 3) - 3


def test_the_bet_is_learned_from_other_cells_and_not_from_few():
    assert prior.fit([(400, 2)]) == licence.PLAIN
    learned = prior.fit([(400, 2), (300, 1), (500, 3), (200, 1)])
    assert 0.002 < learned.a / (learned.a + learned.b) < 0.02
    assert licence.needed(0, 2, ALPHA, DELTA, bet=learned) < licence.needed(0, 2, ALPHA, DELTA)
    assert licence.needed(0, 0, ALPHA, DELTA, bet=Bet(a=30, b=70)) > 144, "a wrong bet costs time and no more"


def test_what_reviewers_miss_lowers_the_level():
    assert float(sensitivity.at_least(0, 0)) == 1.0, "nothing is known yet"
    assert float(sensitivity.at_least(9, 9)) == 1.0
    assert float(sensitivity.at_least(1, 0)) == 0.0
    assert 0.7 < float(sensitivity.at_least(10, 10)) < 0.85
    assert float(sensitivity.at_least(100, 80)) < 0.8
    assert float(sensitivity.at_least(50, 0)) == 0.0


def test_scores_that_have_moved_are_noticed():
    rng = np.random.default_rng(5)
    before = rng.random(500)
    same = drift.psi(before, rng.random(500))
    moved = drift.psi(before, rng.random(500) ** 3)
    assert same is not None
    assert moved is not None
    assert same < drift.SHIFTED < moved
    assert drift.psi(before, before[:10]) is None
    assert drift.unfamiliar({"50mm"}, {"50mm", "8mm fisheye"}) == "New here: 8mm fisheye."
    assert drift.unfamiliar(set(), {"50mm"}) == "", "the first shoot is unlike nothing"


def test_time_saved_is_a_difference_with_an_interval_or_not_measured():
    rng = np.random.default_rng(6)
    found = saved.saved(rng.normal(6, 1, 80), rng.normal(2, 1, 400))
    assert found is not None
    assert found.low < 4 < found.high
    assert found.high - found.low < 1
    assert saved.saved([6.0] * 3, [2.0] * 400) is None
    even = saved.saved([6.0] * 20, [2.0] * 20)
    assert even is not None
    assert (even.low, even.seconds, even.high) == (4, 4, 4)
