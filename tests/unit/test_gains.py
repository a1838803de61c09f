"""Gains of light by place: a coarse grid and what is interpolated between."""

import numpy as np
import pytest

from safelight.media.frame import Frame, moving, scaling
from safelight.media.gains import Gains, places


def hill(x, y):
    return 1 + ((x - 150) ** 2 + (y - 90) ** 2) / 200_000


def slope(x, y):
    return 0.5 + x / 900 + 0 * y


TURNED = moving(150, 90) @ np.array([[0.9, -0.2, 0.0], [0.2, 0.9, 0.0], [1e-4, 0.0, 1.0]]) @ moving(-140, -80)


@pytest.mark.parametrize("geometry", [np.eye(3), moving(-31, 12), scaling(0.5, 0.5), TURNED], ids=str)
@pytest.mark.parametrize("size", [(301, 201), (2100, 33), (1, 1), (5, 90)], ids=str)
def test_what_lies_between_is_near_the_formula(geometry, size):
    width, height = size
    gains = Gains.over([hill, slope], geometry, width, height)
    x, y = places(Frame(pixels=np.zeros((height, width, 3), np.float32), geometry=geometry))
    exact = np.broadcast_to(hill(x, y) * slope(x, y), (height, width))
    assert gains(slice(0, height)) == pytest.approx(exact, rel=6e-3)
    assert gains.most >= exact.max() * (1 - 1e-6)


def test_strips_meet_and_roots_are_roots():
    gains = Gains.over([hill], np.eye(3), 64, 70)
    whole = gains(slice(0, 70))
    assert np.array_equal(np.vstack([gains(slice(0, 33)), gains.below(33)(slice(0, 37))]), whole)
    assert gains.root(3.0)(slice(0, 70)) ** 3 == pytest.approx(whole, rel=1e-4)
