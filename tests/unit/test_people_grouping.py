"""Who is one person, on made prints: clusters of known spread at known distances."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.people import grouping
from safelight.people.grouping import BETWEEN, DOUBT, MARGIN, RESEMBLES, SURE, Face, crowd, group

BOX = (0, 0, 10, 10)


def centre(number):
    """Persons 0.85 apart, as far as strangers mostly are."""
    at = np.zeros(128)
    at[number] = 0.6
    return at


def faces(person, count, *, spread=0.3, seed=0, prefix="", before=None, held=False):
    """So many faces of a person, each on a photo of its own; `spread` is the distance between two of them."""
    rng = np.random.default_rng([seed, person])
    noise = rng.normal(0, spread / np.sqrt(2 * 128), (count, 128))
    return [
        Face(
            asset=f"{prefix}{person}-{i}", box=BOX, numbers=(centre(person) + n).astype(np.float32), before=before,
            held=held,
        )
        for i, n in enumerate(noise)
    ]  # fmt: skip


def numbers(found):
    return [answer.person for answer in found]


def test_everybody_gets_one_number_largest_first():
    found = numbers(group([*faces(0, 4), *faces(1, 6), *faces(2, 3)], {}, set()))
    assert found == [-2] * 4 + [-1] * 6 + [-3] * 3


def test_nothing_to_group_is_nothing():
    assert group([], {}, set()) == []
    assert numbers(group(faces(0, 1), {}, set())) == [-1]


def test_two_faces_in_one_photo_are_never_one_person():
    one, other = faces(0, 2, spread=0.05)
    beside = Face(asset=one.asset, box=(20, 0, 30, 10), numbers=other.numbers)
    first, second = numbers(group([one, beside], {}, set()))
    assert first != second


def test_a_face_alone_that_resembles_somebody_is_not_told():
    known = faces(0, 5, spread=0.2)
    at = centre(0) + np.eye(128)[50] * (SURE + DOUBT) / 2
    alone = Face(asset="x", box=BOX, numbers=at.astype(np.float32))
    found = group([*known, alone], {}, set())
    assert set(numbers(found[:5])) == {-1}
    assert found[5].person is None
    assert found[5].cannot_tell == RESEMBLES


def test_a_face_between_two_persons_is_not_told():
    middle = (centre(0) + centre(1)) / 2
    between = Face(asset="x", box=BOX, numbers=middle.astype(np.float32))
    found = group([*faces(0, 5, spread=0.1), *faces(1, 5, spread=0.1), between], {}, set())
    assert found[10].person is None
    assert found[10].cannot_tell in (BETWEEN, RESEMBLES)


def test_a_person_of_another_shoot_is_recognised_and_a_stranger_is_not():
    known = {7: crowd((f.asset, f.numbers) for f in faces(0, 5, prefix="other"))}
    assert numbers(group([*faces(0, 3), *faces(1, 3)], known, set())) == [7, 7, 7, -1, -1, -1]


def test_nobody_is_recognised_who_could_be_either_of_two():
    known = {
        7: crowd((f.asset, f.numbers) for f in faces(0, 5, prefix="a", seed=1)),
        8: crowd((f.asset, f.numbers) for f in faces(0, 5, prefix="b", seed=2)),
    }
    found = group(faces(0, 3), known, set())
    assert numbers(found) == [None] * 3
    assert {answer.cannot_tell for answer in found} == {BETWEEN}


def test_numbers_stay_when_photos_come_in():
    before = [*faces(0, 3, before=4), *faces(1, 3, before=2)]
    more = [*before, *faces(0, 9, prefix="new"), *faces(2, 2)]
    assert numbers(group(more, {}, set())) == [4] * 3 + [2] * 3 + [4] * 9 + [-1] * 2


def test_two_that_the_machine_took_apart_may_become_one_but_not_when_somebody_named_both():
    both = [*faces(0, 3, before=4, seed=1), *faces(0, 4, before=5, seed=2, prefix="b")]
    assert numbers(group(both, {}, set())) == [5] * 7
    assert numbers(group(both, {}, {4, 5})) == [4] * 3 + [5] * 4


def test_joined_persons_stay_one_however_far_apart_their_faces_are():
    joined = [*faces(0, 3, before=4), *faces(1, 3, before=4)]
    assert numbers(group(joined, {}, {4})) == [4] * 6
    assert numbers(group(joined, {}, set())) == [4] * 3 + [-1] * 3, "the machine's own mistake is corrected"


def test_faces_that_a_person_parted_stay_where_they_were_put():
    mine, parted = faces(0, 4, before=4), faces(0, 2, before=9, held=True, prefix="p")
    assert numbers(group([*mine, *parted], {}, {4, 9})) == [4] * 4 + [9] * 2


def test_a_face_like_two_that_were_parted_is_not_told():
    mine, parted = faces(0, 4, before=4), faces(0, 4, before=9, held=True, prefix="p")
    fresh = faces(0, 1, prefix="new", seed=3)
    *_, answer = group(
        [*parted, *fresh, *(f for f in mine[:0])], {4: crowd((f.asset, f.numbers) for f in mine)}, {4, 9}
    )
    assert answer.person is None
    assert answer.cannot_tell == BETWEEN


def test_large_shoots_go_block_by_block_to_the_same_end(monkeypatch):
    monkeypatch.setattr(grouping, "MOST", 20)
    many = [face for i in range(8) for person in range(3) for face in faces(person, 2, prefix=f"{i}", seed=i)]
    found = numbers(group(many, {}, set()))
    for person in range(3):
        assert len({n for n, f in zip(found, many, strict=True) if f"{person}-" in f.asset[1:]}) == 1
    assert len(set(found)) == 3


def test_a_crowd_measures_the_distance_of_its_faces():
    one, other = faces(0, 3), faces(1, 4)
    apart = [np.square(a.numbers - b.numbers).sum() for a in one for b in other]
    crowds = [crowd((f.asset, f.numbers) for f in some) for some in (one, other)]
    assert crowds[0].apart(crowds[1]) == pytest.approx(np.sqrt(np.mean(apart)), rel=1e-4)


@given(st.permutations(range(12)), st.integers(0, 5))
@settings(max_examples=30)
def test_the_order_of_faces_does_not_matter_and_no_photo_shows_anybody_twice(order, shared):
    made = [*faces(0, 5, spread=0.5), *faces(1, 4, spread=0.5), *faces(2, 3, spread=0.5)]
    made = [Face(asset=f"p{i % (6 + shared)}", box=(i, 0, i + 5, 5), numbers=f.numbers) for i, f in enumerate(made)]
    plain = {f.box: a for f, a in zip(made, group(made, {}, set()), strict=True)}
    mixed = [made[i] for i in order]
    assert {f.box: a for f, a in zip(mixed, group(mixed, {}, set()), strict=True)} == plain
    told = sorted((f.asset, plain[f.box].person or 0) for f in made if plain[f.box].person is not None)
    assert all(a != b for a, b in pairwise(told))


def test_limits_are_in_order():
    assert 0 < MARGIN < DOUBT - SURE
