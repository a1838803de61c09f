"""About so many photos, and nothing that is shot for the first time goes missing."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from safelight.domain import Asset, Capture, Kind
from safelight.operators import Subject
from safelight.operators._target import Keeper, shares, surplus, taken_in


def keeper(n, scene, *, strength=0.5, fixed=False):
    at = f"2026-05-02T14:{n // 60:02d}:{n % 60:02d}.000"
    name = f"{n:04d}"
    asset = Asset(
        id=name, content=None, kind=Kind.PHOTO, format="jpeg", width=6, height=4, capture=Capture(at=at)
    )  # fmt: skip
    return Keeper(subject=Subject(asset=asset, path=name, facts={}, scene=scene), strength=strength, fixed=fixed)


parts = st.lists(st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n))), min_size=1)


@given(parts, st.integers(1, 400))
def test_shares_make_the_total_within_their_bounds(rows, total):
    sizes, least = [n for n, _ in rows], [low for _, low in rows]
    found = shares(sizes, least, total)
    assert all(low <= n <= size for n, low, size in zip(found, least, sizes, strict=True))
    assert sum(found) == min(max(total, sum(least)), sum(sizes))


def test_shares_are_in_proportion():
    assert shares([100, 50, 10], [1, 1, 1], 32) == [20, 10, 2]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.floats(0, 1), st.booleans()), min_size=1, max_size=80),
    st.integers(1, 80),
)
def test_every_scene_keeps_one_and_sets_stay_whole(rows, target):
    keepers = [keeper(n, f"s{scene}", strength=s, fixed=f) for n, (scene, s, f) in enumerate(rows)]
    gone = surplus(keepers, target)
    left = [k for k in keepers if k.subject.asset.id not in gone]
    assert {k.subject.scene for k in left} == {k.subject.scene for k in keepers}
    assert not any(k.fixed for k in keepers if k.subject.asset.id in gone)
    least = sum(
        max(1, fixed) for fixed in (
            sum(k.fixed for k in keepers if k.subject.scene == s) for s in {k.subject.scene for k in keepers}
        )
    )  # fmt: skip
    assert len(left) == min(max(target, least), len(keepers))
    stays = {k.subject.asset.id for k in left}
    assert {s.asset.id for s in gone.values()} <= stays


def test_a_dark_scene_is_not_emptied_in_favour_of_a_bright_one():
    keepers = [keeper(n, "lawn", strength=0.9) for n in range(50)]
    keepers += [keeper(n, "hall", strength=0.3) for n in range(50, 100)]
    gone = surplus(keepers, 40)
    left = Counter(k.subject.scene for k in keepers if k.subject.asset.id not in gone)
    assert left == {"lawn": 20, "hall": 20}


def test_each_stretch_of_time_keeps_its_strongest():
    keepers = [keeper(n, "s", strength=(0.9 if n < 10 else 0.2) + n / 1000) for n in range(20)]
    left = {k.subject.path for k in keepers} - set(surplus(keepers, 4))
    assert left == {"0004", "0009", "0014", "0019"}


def test_each_group_gives_one_tie_before_any_gives_two():
    ties = [keeper(n, "s", strength=1 - n / 10) for n in range(4)]
    groups = {"0000": "a", "0001": "a", "0002": "b", "0003": "b"}
    assert list(taken_in(ties, 2, groups=groups)) == ["0000", "0002"]
    assert list(taken_in(ties, 3, groups=groups)) == ["0000", "0002", "0001"]
