import numpy as np
import pytest

from safelight.learn.doubt import Doubts
from safelight.learn.rows import Row, columns


def rows(scores, bad):
    return columns(
        Row(at=f"2026-01-01T00:00:{i:05d}", by="ann", asset=str(i), shoot="s", operator="tone", version=1,
            say="reject" if b else "approve", score=s, bad=b, drawn="audit")
        for i, (s, b) in enumerate(zip(scores, bad, strict=True))
    )  # fmt: skip


def test_without_verdicts_the_score_is_believed():
    assert Doubts().chance("tone", 0.9) == pytest.approx(0.1)
    assert Doubts().chance("tone", None) == 0.5


def test_many_verdicts_make_the_mean_chance_the_share_that_was_bad():
    rng = np.random.default_rng(1)
    scores = rng.uniform(0.5, 0.99, 4000)
    bad = rng.random(4000) < 0.3 * (1 - scores)
    found = Doubts.of(rows(scores.tolist(), bad.tolist()))
    assert np.mean([found.chance("tone", s) for s in scores]) == pytest.approx(bad.mean(), abs=0.005)


def test_few_verdicts_move_little():
    found = Doubts.of(rows([0.9], [True]))
    assert 0.1 < found.chance("tone", 0.9) < 0.25


def test_items_without_a_score_have_the_tasks_rate():
    found = Doubts.of(rows([None] * 8, [True] * 2 + [False] * 6))
    assert found.chance("tone", None) == pytest.approx(0.3)
