import cv2
import numpy as np
import pytest

from bench import crop
from bench.straighten import Case, keystoned, peers, turn_results
from safelight.probes import _lines


def case(degrees=0.0, *, read=float("nan"), turned=0.0, own=0.0, kind="tilt", tellable=True, stands=True, source="a"):
    return Case(
        source=source, kind=kind, tellable=tellable, stands=stands, degrees=degrees, own=own, read=read, turned=turned,
        score=0.8, keystone=False, peers={"median": 0.0},
    )  # fmt: skip


def windows(turned=0.0):
    picture = np.full((420, 640, 3), 150, np.uint8)
    for x in range(40, 600, 90):
        for y in range(40, 380, 90):
            cv2.rectangle(picture, (x, y), (x + 45, y + 50), (60, 70, 80), -1)
    matrix = cv2.getRotationMatrix2D((320, 210), turned, 1)
    return cv2.warpAffine(picture, matrix, (640, 420), borderMode=cv2.BORDER_REPLICATE)


def figures(cases):
    return {r.name.removeprefix("straighten."): r for r in turn_results(cases)}


def test_errors_are_of_answers_and_silence_is_coverage():
    clean = case(read=0.3, kind="clean")
    found = figures([clean, case(2.0, read=2.4, turned=2.4), case(-3.0)])
    assert found["error"].value == pytest.approx(0.4)
    assert found["error"].n == 1
    assert found["error.turn"].value == pytest.approx(0.1)
    assert found["coverage"].value == 0.5


def test_the_lean_that_a_photo_had_before_is_part_of_the_truth_of_one_figure():
    found = figures([case(kind="clean"), case(2.0, own=0.5, read=2.4, turned=2.4)])
    assert found["error"].value == pytest.approx(0.4)
    assert found["error.own_lean_known"].value == pytest.approx(0.1)


def test_worse_is_what_leans_more_than_before():
    assert not case(2.0).worse(2.1, own=0.0)
    assert not case(0.0).worse(0.15, own=0.0)
    assert case(0.0).worse(0.6, own=0.0)
    assert not case(0.0).worse(0.6, own=0.5)
    assert case(-1.0).worse(1.0, own=0.0)
    found = figures([case(kind="clean", turned=0.6, read=0.6), case(2.0, turned=2.0, read=2.0)])
    assert found["made_worse"].value == 0.5
    assert "worse: a" in found["made_worse"].note


@pytest.mark.parametrize("degrees", [-3.0, 0.0, 2.0])
def test_peers_read_plain_lines(degrees):
    assert peers(windows(degrees))["lsd_median"] == pytest.approx(degrees, abs=0.3)
    slope = np.tan(np.radians(degrees))
    horizon = np.full((400, 600, 3), 200, np.uint8)
    points = np.array(((0, 200 + 300 * slope), (600, 200 - 300 * slope), (600, 400), (0, 400)))
    cv2.fillPoly(horizon, [np.round(points * 16).astype(np.int32)], (40, 60, 90), cv2.LINE_AA, 4)
    assert peers(horizon)["hough_median"] == pytest.approx(degrees, abs=0.5)


def test_peers_of_a_flat_picture_say_straight():
    assert set(peers(np.full((90, 120, 3), 128, np.uint8)).values()) == {0.0}


@pytest.mark.parametrize("convergence", [-0.2, 0.2])
def test_keystones_are_made_as_they_are_measured(convergence):
    made, scale = keystoned(windows(), convergence)
    assert made.min() > 0  # nothing empty
    lines = _lines.find(cv2.cvtColor(made, cv2.COLOR_RGB2GRAY))
    assert _lines.fan(lines, upright=True).convergence / scale == pytest.approx(convergence, abs=0.02)


@pytest.mark.parametrize(("ratio", "size"), [("1:1", (400, 400)), ("16:9", (600, 338)), ("2:3", (267, 400))])
def test_the_middle_crop_is_the_largest_of_its_ratio(ratio, size):
    x0, y0, x1, y1 = crop._middle(np.zeros((400, 600, 3), np.uint8), ratio)
    assert (x1 - x0, y1 - y0) == size
    assert abs((x0 + x1) / 2 - 300) <= 0.5
    assert abs((y0 + y1) / 2 - 200) <= 0.5


def test_framings_keep_three_fifths_of_each_side():
    rng = np.random.default_rng(3)
    for _ in range(20):
        height, width, _ = crop._framed(np.zeros((100, 200, 3), np.uint8), rng).shape
        assert height >= 60
        assert width >= 120


def test_faces_are_counted_once_they_are_whole():
    made = crop.Case(source="a", kept=True, middle_kept=False, off_px=0.4, room=0.1)
    lost = crop.Case(source="b", kept=False, middle_kept=False, off_px=0.2, room=0.6)
    declined = crop.Case(source="b", kept=None, middle_kept=True, off_px=0.0, room=float("nan"))
    found = {r.name: r for r in crop.ratio_results([made, lost, declined])}
    assert found["crop.faces_whole"].value == 0.5
    assert found["crop.ratio.off"].value == 0.4
    assert found["crop.declined"].beside == {"middle_would_have_been_whole": 1.0}
    assert found["crop.headroom"].value == 0.5
