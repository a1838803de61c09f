"""Sizes of a picture: shrinking is area averaging, however it is done."""

import cv2
import numpy as np
import pytest

from safelight.media.picture import Picture, grey, halved, planes, shrink


def grainy(height, width, *, seed=0):
    """Soft shapes with noise: smooth parts, edges and the finest detail."""
    rng = np.random.default_rng(seed)
    shapes = cv2.resize(rng.uniform(40, 215, (9, 13, 3)).astype(np.float32), (width, height))
    return np.clip(shapes + rng.normal(0, 12, shapes.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("side", [1000, 985, 799, 640, 571, 535, 505, 500, 250])
def test_shrinking_averages_areas(side):
    picture = grainy(668, 1000)
    small = shrink(picture, side)
    averaged = cv2.resize(picture, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    apart = small.astype(np.float32) - averaged
    assert max(small.shape[:2]) == side
    assert np.sqrt((apart**2).mean()) < 1.2  # levels; the noise has twelve
    assert abs(apart.mean()) < 0.3
    assert small.std() == pytest.approx(averaged.std(), rel=0.01)


def test_shrinking_keeps_the_strength_of_noise():
    noise = np.random.default_rng(1).normal(128, 20, (600, 900, 3)).clip(0, 255).astype(np.uint8)
    for side in (890, 525, 500):
        small = shrink(noise, side)
        averaged = cv2.resize(noise, small.shape[1::-1], interpolation=cv2.INTER_AREA)
        assert small.std() == pytest.approx(averaged.std(), rel=0.05)


def test_nothing_is_enlarged_and_one_plane_shrinks_as_three_do():
    picture = grainy(60, 90)
    assert shrink(picture, 200) is picture
    assert np.array_equal(shrink(picture[..., 0], 50), shrink(picture, 50)[..., 0])


@pytest.mark.parametrize("shape", [(1, 1), (1, 901), (901, 1), (2, 901), (3, 500)])
@pytest.mark.parametrize("side", [890, 500, 300, 7])
def test_thin_pictures_shrink(shape, side):
    small = shrink(np.full((*shape, 3), 90, np.uint8), side)
    assert max(small.shape[:2]) == min(side, max(shape))
    assert (small == 90).all()


def test_halves_leave_out_an_odd_row_and_column():
    assert halved(np.arange(15, dtype=np.uint8).reshape(3, 5)).shape == (1, 2)


def test_planes_are_every_nth_pixel():
    picture = grainy(50, 70)
    for channel, plane in enumerate(planes(picture, step=7)):
        assert np.array_equal(plane, picture[::7, ::7, channel])


def test_luma_is_the_grey_of_the_work_size():
    picture = Picture(rgb=grainy(90, 120))
    assert np.array_equal(picture.grey, grey(picture.work))
    assert np.array_equal(np.rint(picture.luma * 255), picture.grey)
