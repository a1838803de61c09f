import cv2
import numpy as np
import pytest

from safelight import specimens
from safelight.errors import UsageError
from safelight.media.colour import linear_of_srgb
from safelight.media.frame import Frame, scaling
from safelight.operators import Wishes, faults
from safelight.operators.crop import CropParams, check, operator, placement, propose, render, spoil

TOOLS = specimens.suite_tools()


def smooth(width=240, height=160, seed=4):
    rng = np.random.default_rng(seed)
    picture = cv2.resize(rng.random((9, 13, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
    return Frame(pixels=np.clip(picture, 0.02, 1).astype(np.float32))


def cropped(frame, **params):
    return render(frame, CropParams(**params), TOOLS)


def place(frame, x, y):
    point = frame.geometry @ (x, y, 1)
    return point[:2] / point[2]


def test_crop_alone_is_an_exact_slice():
    frame = smooth()
    after = cropped(frame, box=(0.25, 0.5, 0.75, 1.0))
    assert np.array_equal(after.pixels, frame.pixels[80:, 60:180])
    assert np.array_equal(place(after, 60, 80), (0, 0))


@pytest.mark.parametrize("box", [(0.0, 0.0, 1e-6, 1e-6), (0.9999, 0.9999, 1.0, 1.0)])
def test_at_least_one_pixel_stays(box):
    assert cropped(smooth(), box=box).pixels.shape == (1, 1, 3)


@pytest.mark.parametrize("angle", [-30.0, -3.0, 0.5, 12.0, 45.0])
@pytest.mark.parametrize("box", [(0.0, 0.0, 1.0, 1.0), (0.1, 0.3, 0.6, 0.9), (0.0, 0.0, 0.3, 0.2)])
def test_turned_box_is_filled_and_keeps_its_aspect(angle, box):
    frame = smooth()
    after = cropped(frame, box=box, angle=angle)
    corners = np.array([(x, y, 1) for x in (-0.5, after.width - 0.5) for y in (-0.5, after.height - 0.5)]).T
    source = (np.linalg.inv(after.geometry) @ corners)[:2]
    assert source.min() >= -0.5 - 1e-6
    assert (source[0] <= frame.width - 0.5 + 1e-6).all()
    assert (source[1] <= frame.height - 0.5 + 1e-6).all()
    wanted = (box[2] - box[0]) * 240 / ((box[3] - box[1]) * 160)
    assert after.width / after.height == pytest.approx(wanted, rel=2 / after.height + 2 / after.width)


def test_positive_angle_turns_the_picture_clockwise():
    dots = np.zeros((101, 101, 3), np.float32)
    dots[48:53, 78:83] = 1  # right of the centre
    after = cropped(Frame(pixels=dots), angle=20)
    y, x = np.array(np.nonzero(after.pixels[..., 0] > 0.5)).mean(axis=1)
    assert y > (after.height - 1) / 2 + 5  # went down
    assert np.allclose((x, y), place(after, 80, 50), atol=0.3)


@pytest.mark.parametrize(("angle", "box"), [(4.0, (0.0, 0.0, 1.0, 1.0)), (-17.0, (0.2, 0.1, 0.9, 0.8))])
def test_pixels_lie_where_the_geometry_says(angle, box):
    frame = smooth()
    after = cropped(frame, angle=angle, box=box)
    x, y = np.meshgrid(np.arange(after.width), np.arange(after.height))
    back = (np.linalg.inv(after.geometry) @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)]))[:2]
    there = cv2.remap(frame.pixels, *back.astype(np.float32).reshape(2, 1, -1), cv2.INTER_LINEAR)
    assert np.abs(after.pixels.reshape(-1, 3) - there[0]).max() < 0.02


def test_crop_of_a_crop_multiplies_geometry():
    after = cropped(cropped(smooth(), box=(0.5, 0.0, 1.0, 1.0)), box=(0.5, 0.5, 1.0, 1.0))
    assert np.array_equal(place(after, 180, 80), (0, 0))


def test_same_share_of_a_smaller_render():
    small = Frame(pixels=smooth(120, 80).pixels, geometry=scaling(0.5, 0.5))
    large = cropped(smooth(240, 160), box=(0.25, 0.25, 0.75, 0.75), angle=5)
    after = cropped(small, box=(0.25, 0.25, 0.75, 0.75), angle=5)
    assert abs(after.width * 2 - large.width) <= 2
    assert np.allclose(place(after, 120, 80), (place(large, 120, 80) - 0.5) / 2, atol=0.6)


def test_alpha_is_cropped_along():
    frame = smooth()
    alpha = np.linspace(0, 1, frame.width, dtype=np.float32) * np.ones((frame.height, 1), np.float32)
    with_alpha = Frame(pixels=frame.pixels, alpha=alpha)
    assert np.array_equal(cropped(with_alpha, box=(0.5, 0.0, 1.0, 1.0)).alpha, alpha[:, 120:])
    turned = cropped(with_alpha, angle=3)
    assert turned.alpha.shape == turned.pixels.shape[:2]


@pytest.mark.parametrize("box", [(0.5, 0.0, 0.5, 1.0), (0.0, 0.9, 1.0, 0.1)])
def test_box_without_inside_is_refused(box):
    with pytest.raises(ValueError, match="left to right"):
        CropParams(box=box)


@pytest.mark.parametrize("ratio", ["wide", "3", "3:2:1", "0:2", "-3:2", "3:0"])
def test_ratio_that_is_none_is_refused(ratio):
    with pytest.raises(ValueError, match="looks like 3:2"):
        CropParams(ratio=ratio)


def found(before, after, params):
    return faults(check(before, after, params))


def test_check_is_content_with_honest_renders():
    frame = smooth()
    for params in operator.examples:
        assert max(found(frame, render(frame, params, TOOLS), params).values()) < 0.1


def test_check_tells_size_place_and_ratio():
    frame = smooth()
    params = CropParams(box=(0.0, 0.0, 0.5, 1.0), ratio="3:2")
    assert found(frame, render(frame, params, TOOLS), params)["crop.wrong_ratio"] == 1.0
    assert found(frame, frame, params)["crop.wrong_size"] == 1.0
    assert found(frame, spoil(frame, params), params)["crop.misplaced"] > 0.5
    square = CropParams(box=(0.0, 0.0, 2 / 3, 1.0), ratio="1:1")
    assert found(frame, render(frame, square, TOOLS), square)["crop.wrong_ratio"] == 0.0


def test_check_cannot_tell_on_flat_pictures():
    frame = Frame(pixels=linear_of_srgb(np.full((20, 30, 3), 90, np.uint8)))
    (measure,) = (m for m in check(frame, frame, CropParams()) if m.name == "crop.misplaced")
    assert measure.cannot_tell


def test_nothing_is_proposed_without_a_reason():
    assert propose(specimens.subjects(3, {}), Wishes()) == []


@pytest.mark.parametrize("ratio", ["wide", "4:0", "1e400:1"])
def test_a_wish_that_is_no_ratio_is_refused(ratio):
    with pytest.raises(UsageError, match="is no ratio"):
        Wishes(ratio=ratio)


def test_placement_of_the_identity():
    matrix, size = placement(CropParams(), 240, 160)
    assert np.array_equal(matrix, np.eye(3))
    assert size == (240, 160)
