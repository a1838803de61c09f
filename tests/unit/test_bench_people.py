"""The figures of the bench of people, on answers that are written down here."""

import numpy as np
import pytest

from bench.people import Seen, _exact, bcubed, chained, pairs, sitter_of
from safelight.people.grouping import Answer

SITTERS = ["a", "a", "a", "b", "b"]


def said(*numbers):
    return [Answer(person=n) if n else Answer(cannot_tell="not told") for n in numbers]


def ratios(found):
    return [float(part.sum() / whole.sum()) for part, whole in found]


@pytest.mark.parametrize(
    ("numbers", "of_pairs", "of_faces"),
    [
        ((1, 1, 1, 2, 2), [1, 1], [1, 1]),
        ((1, 1, 1, 1, 1), [4 / 10, 1], [(3 * 3 / 5 + 2 * 2 / 5) / 5, 1]),
        ((1, 1, 2, 3, 3), [1, 2 / 4], [1, (2 / 3 + 2 / 3 + 1 / 3 + 2) / 5]),
        ((1, 1, None, 2, 2), [1, 2 / 4], [1, (2 / 3 + 2 / 3 + 1 / 3 + 2) / 5]),
    ],
    ids=["right", "all one", "split", "one not told"],
)
def test_pairs_and_faces_are_counted(numbers, of_pairs, of_faces):
    assert ratios(pairs(SITTERS, said(*numbers))) == pytest.approx(of_pairs)
    assert ratios(bcubed(SITTERS, said(*numbers))) == pytest.approx(of_faces)


def test_the_peer_goes_along_the_chain():
    line = [Seen(sitter=str(i), numbers=np.eye(128, dtype=np.float32)[0] * i / 2) for i in range(3)]
    assert len({answer.person for answer in chained(line)}) == 1


def test_recipes_and_tables_name_one_sitter_alike():
    assert sitter_of("pairs/skin/nikki_step0_base-crop.jpg") == sitter_of("pairs/skin/nikki_before.jpg")
    assert sitter_of("faces/curies_bw.jpg") == "faces/curies_bw.jpg"


def test_no_mistake_in_few_is_no_promise():
    assert _exact(0, 78)[1] == pytest.approx(1 - 0.05 ** (1 / 78))
    assert _exact(8, 8) == (pytest.approx(0.05 ** (1 / 8)), 1.0)
