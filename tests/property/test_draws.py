from hypothesis import given
from hypothesis import strategies as st

from safelight.domain import Drawn
from safelight.learn import draws


@given(st.sets(st.text(min_size=1, max_size=8), max_size=60), st.integers(0, 8), st.floats(0, 1))
def test_coins_depend_on_seed_task_and_asset_alone(assets, canary, audit):
    once = draws.draw("seed", "exposure", assets, canary=canary, audit=audit)
    again = draws.draw("seed", "exposure", sorted(assets, reverse=True), canary=canary, audit=audit)
    assert once == again
    assert set(once) <= assets
    assert sum(d is Drawn.CANARY for d in once.values()) == min(canary, len(assets))


def test_the_share_of_audits_is_what_was_asked_for():
    assets = [str(i) for i in range(20_000)]
    drawn = draws.draw("seed", "cull", assets, canary=0, audit=0.1)
    assert abs(len(drawn) / len(assets) - 0.1) < 0.01


def test_another_seed_or_task_draws_others():
    assets = [str(i) for i in range(1000)]
    first = set(draws.draw("a", "cull", assets, canary=0, audit=0.1))
    assert first != set(draws.draw("b", "cull", assets, canary=0, audit=0.1))
    assert first != set(draws.draw("a", "exposure", assets, canary=0, audit=0.1))
