import numpy as np
import pytest

from safelight.review import flaws
from tests.conftest import textured


@pytest.mark.parametrize("kind", list(flaws.KINDS))
class TestKinds:
    def test_changes_the_picture_there_the_same_way_for_the_same_seed(self, kind):
        rgb = textured(5, width=480, height=320)
        one, again = (flaws.plant(rgb, kind, 7) for _ in range(2))
        assert np.array_equal(one.rgb, again.rgb)
        assert one.rgb.shape == rgb.shape
        assert one.rgb.dtype == np.uint8
        x0, y0, x1, y1 = one.box
        assert 0 <= x0 < x1 <= 480
        assert 0 <= y0 < y1 <= 320
        apart = np.abs(one.rgb.astype(int) - rgb.astype(int)).mean(-1)
        inside = apart[y0:y1, x0:x1].mean()
        assert inside > 0.5
        assert inside >= 0.9 * apart.mean()

    def test_another_seed_makes_another_one(self, kind):
        rgb = textured(5, width=480, height=320)
        assert not np.array_equal(flaws.plant(rgb, kind, 1).rgb, flaws.plant(rgb, kind, 2).rgb)


def test_no_flaw_is_the_picture_itself():
    rgb = textured(5)
    assert flaws.plant(rgb, None, 3).rgb is rgb


def test_a_round_holds_twenty_flaws_of_all_kinds_and_some_good_pictures():
    lesson = flaws.lesson(11, 7)
    kinds = [kind for _, kind, _ in lesson]
    assert len(lesson) == 24
    assert kinds.count(None) == 4
    assert {*kinds} - {None} == {*flaws.KINDS}
    assert {which for which, _, _ in lesson} == {*range(7)}
    assert lesson == flaws.lesson(11, 7)
    assert lesson != flaws.lesson(12, 7)
