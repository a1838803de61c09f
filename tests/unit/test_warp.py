import math

import cv2
import numpy as np
import pytest

from safelight.media.frame import Frame, moving, scaling
from safelight.media.warp import Radial, Warp, apply, resample

BEND = Radial(centre=(119.5, 79.5), unit=144.0, polynomial=((0.97, 0.0, 0.04),))
FRINGE = Radial(centre=(119.5, 79.5), unit=144.0, polynomial=((1.002,), (1.0,), (0.998,)))


def picture(width=240, height=160, dtype=np.uint8):
    soft = cv2.resize(np.random.default_rng(4).random((9, 13, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
    return (np.clip(soft, 0.02, 0.98) * (np.iinfo(dtype).max if dtype != np.float32 else 1)).astype(dtype)


def turned(degrees, size=(240, 160)):
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    about = moving(119.5, 79.5) @ np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) @ moving(-119.5, -79.5)
    return Warp.forward(about, size)


def tilted():
    return Warp.forward(np.array([[1.0, 0.05, -3.0], [0.01, 1.02, 2.0], [1e-4, 2e-4, 1.0]]), (230, 150))


def exactly(warp, x, y, channel=1):
    """Place by place, without the grid between."""
    return warp.back(np.asarray(x, float), np.asarray(y, float), channel)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_nothing_and_whole_steps_copy_pixels(dtype):
    pixels = picture(dtype=dtype)
    assert np.array_equal(resample(pixels, Warp(size=(240, 160))), pixels)
    assert np.array_equal(resample(pixels, Warp.forward(moving(-12, -7), (100, 90))), pixels[7:97, 12:112])
    assert resample(pixels, turned(3)).dtype == dtype


@pytest.mark.parametrize("warp", [turned(2), tilted(), Warp(size=(240, 160), steps=(BEND,))], ids=str)
def test_what_lies_between_computed_places_is_near_enough(warp):
    width, height = warp.size
    across, down = warp.maps(slice(0, height))
    x, y = exactly(warp, *np.meshgrid(np.arange(width), np.arange(height)))
    assert across.shape == down.shape == (height, width)
    assert np.hypot(across - x, down - y).max() < 0.02


def test_strips_of_maps_meet():
    warp = tilted()
    whole = warp.maps(slice(0, 150))[1]
    assert np.allclose(np.vstack([warp.maps(slice(0, 70))[1], warp.maps(slice(70, 150))[1]]), whole, atol=1e-3)


def test_two_edits_are_one_warp():
    first, later = turned(4), Warp.forward(scaling(0.5, 0.5) @ moving(-20, -10), (90, 60))
    both = first.then(later)
    x, y = np.meshgrid(np.arange(90.0), np.arange(60.0))
    assert both.size == (90, 60)
    assert np.allclose(both.back(x, y), first.back(*later.back(x, y)))
    assert np.allclose(both.matrix, later.matrix @ first.matrix)


def test_one_resampling_keeps_more_than_two():
    fine = np.random.default_rng(1).random((160, 240, 3)).astype(np.float32)
    there, back = turned(5), turned(-5)
    inside = slice(30, 130), slice(30, 210)
    once = resample(fine, there.then(back))[inside]
    twice = resample(resample(fine, there), back)[inside]
    assert np.abs(once - fine[inside]).max() < 1e-6
    assert np.abs(twice - fine[inside]).max() > 0.05


def test_a_bend_moves_along_the_radius():
    warp = Warp(size=(240, 160), steps=(BEND,))
    assert np.allclose(exactly(warp, 119.5, 79.5), (119.5, 79.5))
    x, y = exactly(warp, 119.5 + 144, 79.5)
    assert (x, y) == pytest.approx((119.5 + 144 * 1.01, 79.5))


def test_colours_come_from_their_own_places():
    warp = Warp(size=(240, 160), steps=(FRINGE,))
    pixels = picture(dtype=np.float32)
    after = resample(pixels, warp)
    assert np.allclose(after[..., 1], pixels[..., 1], atol=1e-5)
    for channel in (0, 2):
        alone = Radial(centre=FRINGE.centre, unit=FRINGE.unit, polynomial=(FRINGE.polynomial[channel],))
        expected = resample(pixels, Warp(size=(240, 160), steps=(alone,)))[..., channel]
        assert np.allclose(after[..., channel], expected, atol=1e-5)


@pytest.mark.parametrize("steps", [(BEND,), (np.linalg.inv(tilted().matrix), BEND)], ids=["bend", "both"])
def test_inverse_leads_to_the_result(steps):
    warp = Warp(size=(240, 160), steps=steps)
    x, y = np.meshgrid(np.arange(20.0, 220, 25), np.arange(20.0, 140, 20))
    assert np.allclose(warp.inverse(*warp.back(x, y)), (x, y), atol=1e-3)


def test_geometry_follows_and_alpha_comes_along():
    alpha = np.linspace(0, 1, 240, dtype=np.float32) * np.ones((160, 1), np.float32)
    frame = Frame(pixels=picture(dtype=np.float32), alpha=alpha, geometry=scaling(0.5, 0.5))
    after = apply(frame, turned(6, size=(200, 120)))
    assert after.pixels.shape == (120, 200, 3)
    assert after.alpha.shape == (120, 200)
    assert np.allclose(after.geometry, turned(6).matrix @ frame.geometry)


@pytest.mark.parametrize("wrong", [{"unit": 0.0}, {"polynomial": ()}, {"polynomial": ((1.0,), (1.0,))}])
def test_a_bend_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match="positive unit"):
        Radial(**({"centre": (0.0, 0.0), "unit": 1.0, "polynomial": ((1.0,),)} | wrong))


@pytest.mark.parametrize(
    "warp",
    [
        turned(3, (100, 60)), tilted(), Warp(size=(240, 160), steps=(BEND, FRINGE)),
        turned(2).then(Warp.forward(moving(-90, -70), (60, 40))), Warp.forward(moving(-400, 30), (20, 20)),
    ],
    ids=str,
)  # fmt: skip
def test_the_part_that_a_result_reaches_is_all_it_needs(warp):
    pixels = picture()
    rows, columns = warp.reach(240, 160)
    part = warp.of_part(columns.start, rows.start)
    apart = np.abs(resample(pixels[rows, columns], part).astype(int) - resample(pixels, warp))
    assert apart.max() <= 1  # places are sums of single precision
    assert (apart > 0).mean() < 0.001
    assert part.matrix @ moving(-columns.start, -rows.start) == pytest.approx(warp.matrix)


def test_what_is_cut_away_is_not_reached():
    rows, columns = Warp.forward(moving(-90, -70), (60, 40)).reach(240, 160, margin=5)
    assert (rows.start, rows.stop) == (62, 118)
    assert (columns.start, columns.stop) == (82, 158)
