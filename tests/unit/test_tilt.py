import cv2
import numpy as np
import pytest

from safelight.media.picture import Picture
from safelight.probes import tilt


def facade(degrees=0.0, *, lean=0.0, size=(420, 640)):
    """Windows and ledges turned counter-clockwise; `lean` in degrees per picture width fans the uprights out."""
    height, width = size
    picture = np.full((height * 2, width * 2, 3), 150, np.uint8)
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array(((c, s), (-s, c)))  # image rows grow downwards
    for i in range(-4, 5):
        for j in range(-3, 4):
            x, y = i * 110, j * 90
            fan = np.tan(np.radians(lean * i * 110 / width))
            corners = np.array(((-35, -30), (35, -30), (35, 30), (-35, 30)), float) + np.array((x, y))
            corners[:, 0] -= corners[:, 1] * fan
            points = (corners @ turn.T + (width / 2, height / 2)) * 2
            cv2.fillPoly(picture, [np.round(points * 16).astype(np.int32)], (40 + 8 * abs(i), 50, 70), cv2.LINE_AA, 4)
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def judged(pixels, **options):
    return {m.name: m for m in tilt.judge(Picture(rgb=pixels), **options)}


@pytest.mark.parametrize("degrees", [-5.0, -2.2, -0.7, 0.0, 1.3, 3.6])
def test_the_turn_is_found_with_its_sign(degrees):
    assert judged(facade(degrees))["tilt.degrees"].value == pytest.approx(degrees, abs=0.15)


def test_only_a_turn_that_people_see_is_a_tilt():
    straight, slight, turned = (judged(facade(d))["tilt"].value for d in (0, 0.5, 3))
    assert straight < 0.1
    assert slight < 0.2
    assert turned > 0.6
    assert turned < 1


def test_uprights_that_fan_out_are_a_view_from_below_not_a_tilt():
    assert judged(facade(lean=8))["tilt.degrees"].value == pytest.approx(0, abs=0.3)
    assert judged(facade(2, lean=8))["tilt.degrees"].value == pytest.approx(2, abs=0.5)


def test_a_horizon_alone_is_enough_to_measure():
    picture = np.full((400, 600, 3), 200, np.uint8)
    slope = np.tan(np.radians(2.0))
    points = np.array(((0, 200 + 300 * slope), (600, 200 - 300 * slope), (600, 400), (0, 400)))
    cv2.fillPoly(picture, [np.round(points * 16).astype(np.int32)], (40, 60, 90), cv2.LINE_AA, 4)
    found = tilt.lines(Picture(rgb=picture))
    assert found.degrees == pytest.approx(2.0, abs=0.15)


def test_a_flat_picture_cannot_be_told():
    found = judged(np.full((300, 400, 3), 128, np.uint8))
    assert found["tilt"].cannot_tell == "no straight lines"
    assert found["tilt.degrees"].value is None


@pytest.mark.parametrize("seed", [0, 1, 2, 6])
def test_lines_in_all_directions_are_no_tilt(seed):
    rng = np.random.default_rng(seed)
    picture = np.full((400, 600, 3), 128, np.uint8)
    for _ in range(60):
        angle = rng.uniform(0, np.pi)
        middle = rng.uniform((0, 0), (600, 400))
        step = 22 * np.array((np.cos(angle), np.sin(angle)))
        ends = [tuple(int(v * 16) for v in middle + sign * step) for sign in (-1, 1)]
        cv2.line(picture, *ends, (20, 20, 20), 2, cv2.LINE_AA, 4)
    tilted = judged(picture)["tilt"].value
    assert tilted is None or tilted < 0.3


def test_a_single_short_line_cannot_be_told():
    picture = np.full((400, 600, 3), 128, np.uint8)
    cv2.line(picture, (300, 180), (303, 212), (20, 20, 20), 2, cv2.LINE_AA)
    assert judged(picture)["tilt"].cannot_tell == "straight lines do not agree"


def test_longer_agreement_is_trusted_more_and_larger_turns_less():
    few, many = tilt.Turn(degrees=2, agreed=0.3), tilt.Turn(degrees=2, agreed=6)
    assert tilt.confidence(few, tilt.MODEL) < tilt.confidence(many, tilt.MODEL)
    assert tilt.confidence(tilt.Turn(degrees=-7, agreed=6), tilt.MODEL) < tilt.confidence(many, tilt.MODEL)


def test_the_model_can_be_another():
    silent = {"agreed": 0.0, "degrees": 0.0, "offset": -9.0}
    assert judged(facade(3), model=silent)["tilt"].cannot_tell


def test_degrees_are_kept_back_where_lines_hardly_agree():
    weak = {"agreed": 0.0, "degrees": 0.0, "offset": -1.2}  # a chance of 0.23
    found = judged(facade(3), model=weak)
    assert found["tilt"].value < 0.25
    assert found["tilt.degrees"].cannot_tell == "straight lines hardly agree"


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (17, 23), (900, 80)])
def test_any_size_gets_an_answer_or_a_reason(size):
    pixels = np.random.default_rng(1).integers(0, 255, (*size, 3), dtype=np.uint8)
    assert set(judged(pixels)) == set(tilt.probe.emits)


def test_the_same_picture_gives_the_same_answer():
    assert judged(facade(1.7)) == judged(facade(1.7))


def keystoned(pixels, convergence):
    """The picture with uprights that meet above (positive), 1 / convergence long sides from the middle."""
    height, width = pixels.shape[:2]
    side = max(height, width)
    onto = np.array([[1 / side, 0, -width / 2 / side], [0, -1 / side, height / 2 / side], [0, 0, 1]])
    matrix = np.linalg.inv(onto) @ np.array([[1, 0, 0], [0, 1, 0], [0, convergence, 1]]) @ onto
    return cv2.warpPerspective(pixels, matrix, (width, height), borderValue=(150, 150, 150))


@pytest.mark.parametrize("convergence", [-0.2, -0.1, 0.1, 0.2])
@pytest.mark.parametrize("degrees", [0.0, 2.0])
def test_uprights_that_run_together_are_measured_beside_the_turn(convergence, degrees):
    matrix = cv2.getRotationMatrix2D((320, 210), degrees, 1)
    upright = keystoned(facade(), convergence)
    found = judged(cv2.warpAffine(upright, matrix, (640, 420), borderValue=(150, 150, 150)))
    assert found["keystone.vertical"].value == pytest.approx(convergence, abs=0.03)
    assert found["tilt.degrees"].value == pytest.approx(degrees, abs=0.3)


def test_level_lines_that_run_together_are_measured_too():
    turned = keystoned(np.ascontiguousarray(np.rot90(facade(size=(640, 420)))), 0.1)  # rot90 turns it to 420 x 640
    found = judged(np.ascontiguousarray(np.rot90(turned, -1)))
    assert found["keystone.horizontal"].value == pytest.approx(0.1, abs=0.03)
    assert found["keystone.vertical"].value == pytest.approx(0, abs=0.03)


def test_parallel_lines_have_no_convergence():
    found = judged(facade(1.0))
    assert found["keystone.vertical"].value == pytest.approx(0, abs=0.02)
    assert found["keystone.horizontal"].value == pytest.approx(0, abs=0.02)


def test_uprights_on_one_side_tell_no_convergence():
    picture = facade()
    picture[:, 260:] = 150
    assert judged(picture)["keystone.vertical"].cannot_tell == "too few upright lines run together"


def test_degrees_come_with_their_doubt_and_the_lines_that_agree():
    found = judged(facade(1.7))
    assert found["tilt.degrees.spread"].value >= 0.2
    assert found["tilt.lines"].value > 40
    assert 0.5 < found["tilt.right"].value < 1
