"""The statistics of picks: what is put in comes out again, in whatever order it was put in."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from safelight.learn import preference
from safelight.learn.preference import Choice

TRUE = np.array([4.0, -1.0, 2.0, 0.0])
PRIOR = np.zeros(4)


def choice(values, pick, *, shoot="s", group="g"):
    others = [j for j in range(len(values)) if j != pick]
    pairs = tuple((pick, j) for j in others)
    return Choice(shoot=shoot, group=group, values=values, better=pairs, picks=frozenset({pick}))


def simulated(shoots, groups, *, true=TRUE, seed=1, frames=5):
    """Groups in which somebody of this taste picked, by Luce's rule."""
    rng = np.random.default_rng(seed)
    out = []
    for s in range(shoots):
        for g in range(groups):
            values = rng.uniform(size=(frames, len(true)))
            pick = int(rng.choice(frames, p=preference.chances(values @ true)))
            out.append(choice(values, pick, shoot=f"s{s}", group=f"s{s}/g{g}"))
    return out


def test_weights_that_made_the_picks_are_found_again():
    found = preference.fit(simulated(10, 200), PRIOR, strength=0.01)
    assert found == pytest.approx(TRUE, abs=0.5)


def test_few_picks_stay_near_the_prior_and_many_leave_it():
    prior = np.array([1.0, 1.0, 1.0, 1.0])
    choices = simulated(4, 50)
    away = [np.linalg.norm(preference.fit(choices[:n], prior, strength=1.0) - prior) for n in (0, 5, 50, 200)]
    assert away[0] == 0
    assert away[0] < away[1] < away[2] < away[3]


def test_a_stronger_penalty_holds_closer_to_the_prior():
    choices = simulated(4, 50)
    away = [np.linalg.norm(preference.fit(choices, PRIOR, strength=s)) for s in preference.STRENGTHS]
    assert all(a >= b for a, b in pairwise(away))
    assert away[0] > 2 * away[-1]


def test_the_order_of_groups_shoots_and_frames_is_no_evidence():
    choices = simulated(4, 12)
    learned = preference.learn(choices, PRIOR)
    turned = [
        replace(
            c, values=c.values[::-1], picks=frozenset(len(c.values) - 1 - p for p in c.picks),
            better=tuple((len(c.values) - 1 - i, len(c.values) - 1 - j) for i, j in reversed(c.better)),
        )
        for c in reversed(choices)
    ]  # fmt: skip
    again = preference.learn(turned, PRIOR)
    assert again.weights == pytest.approx(learned.weights, abs=1e-6)
    assert again.strength == learned.strength
    assert again.report.hits["learned"].top1 == pytest.approx(learned.report.hits["learned"].top1)


def test_a_taste_unlike_the_prior_is_told_from_it_on_shoots_that_were_left_out():
    learned = preference.learn(simulated(8, 40), np.array([0.0, 3.0, 0.0, 0.0]))
    report = learned.report
    assert report.better
    assert report.lead[0] > 0.1
    assert report.hits["learned"].top1 > report.hits["prior"].top1 + 0.2
    assert report.hits["learned"].top2 > report.hits["learned"].top1
    assert report.hits["random"].top1 == pytest.approx(1 / 5)
    assert report.hits["random"].top2 == pytest.approx(2 / 5)
    assert report.claimed == pytest.approx(report.hits["learned"].top1, abs=0.06), "chances are neither bold nor shy"


def test_picks_without_a_taste_do_not_replace_the_prior():
    replaced = 0
    for seed in range(10):
        choices = simulated(6, 15, true=np.zeros(4), seed=seed)
        replaced += preference.learn(choices, TRUE).report.better
    assert replaced <= 2


def test_picks_that_follow_the_prior_do_not_replace_it():
    assert not preference.learn(simulated(6, 40), TRUE).report.better


def test_two_shoots_are_too_few_to_believe():
    report = preference.learn(simulated(2, 200), np.array([0.0, 3.0, 0.0, 0.0])).report
    assert report.lead[0] > 0
    assert not report.better


def test_nothing_to_learn_from_gives_the_prior():
    learned = preference.learn([], TRUE)
    assert learned.weights == pytest.approx(TRUE)
    assert not learned.report.better


matrices = st.integers(1, 6).flatmap(
    lambda n: arrays(np.float64, (n, 4), elements=st.none().map(lambda _: np.nan) | st.floats(0, 1))
)


@given(matrices)
def test_contributions_add_up_and_unknowns_add_nothing(values):
    parts = preference.contributions(values, TRUE)
    assert np.isfinite(parts).all()
    assert (parts[~np.isfinite(values)] == 0).all()
    assert parts.sum(axis=1) == pytest.approx(preference.scores(values, TRUE))
    assert parts.sum() == pytest.approx(0, abs=1e-9), "scores are against the average of the group"
    assert preference.chances(preference.scores(values, TRUE)).sum() == pytest.approx(1)


@given(matrices, st.integers(0, 3))
def test_a_reason_that_is_taken_away_changes_the_score_by_what_it_said(values, k):
    hidden = values.copy()
    hidden[:, k] = np.nan
    told = preference.contributions(values, TRUE)[:, k]
    assert preference.scores(values, TRUE) - preference.scores(hidden, TRUE) == pytest.approx(told)


@given(arrays(np.float64, (4, 4), elements=st.floats(0, 1)), st.integers(0, 3), st.floats(0, 1))
def test_more_of_what_counts_never_lowers_a_frame(values, frame, more):
    raised = values.copy()
    raised[frame, 0] = max(values[frame, 0], more)
    before = preference.chances(preference.scores(values, TRUE))[frame]
    after = preference.chances(preference.scores(raised, TRUE))[frame]
    assert after >= before - 1e-12


@given(arrays(np.float64, (5, 4), elements=st.floats(0, 1)))
def test_without_unknowns_scores_differ_as_the_frames_do(values):
    gaps = preference.scores(values, TRUE)[:, None] - preference.scores(values, TRUE)[None]
    assert gaps == pytest.approx((values @ TRUE)[:, None] - (values @ TRUE)[None], abs=1e-9)


def test_equal_frames_share_a_hit():
    values = np.array([[1.0], [1.0], [0.0]])
    hits = preference.hits([choice(values, 0)], [values[:, 0]])
    assert (hits.top1, hits.top2) == (0.5, 1.0)
    hits = preference.hits([choice(values, 2)], [values[:, 0]])
    assert (hits.top1, hits.top2) == (0.0, 0.0)
    hits = preference.hits([choice(values, 2)], [np.array([1.0, 0.5, 0.5])])
    assert (hits.top1, hits.top2) == (0.0, 0.5)


def test_a_group_of_many_frames_is_not_many_groups():
    many = choice(np.random.default_rng(1).uniform(size=(12, 4)), 0)
    assert many.weight * len(many.better) == 11
    both = Choice(
        shoot="s", group="g", values=many.values[:4], better=((0, 2), (0, 3), (1, 2), (1, 3)), picks=frozenset({0, 1})
    )
    assert both.weight * len(both.better) == 3


def test_an_interval_of_few_shoots_is_wider_than_of_many_groups_in_one():
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.uniform(size=30) + shift for shift in (0.0, 0.5, 1.0, 1.5)])
    by_shoot = preference.interval(values, [f"s{i // 30}" for i in range(120)])
    as_one = preference.interval(values, ["s"] * 120)
    assert by_shoot[0] < as_one[0] < values.mean() < as_one[1] < by_shoot[1]
