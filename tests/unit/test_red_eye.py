"""Red pupils are found in open eyes and made dark; catch-lights, irises and all else stay."""

from pathlib import Path

import numpy as np
import pytest

from safelight.contract import check_operator, check_probe
from safelight.domain import Asset, Capture, Kind, Measure
from safelight.media.colour import linear_of_srgb, srgb8
from safelight.media.frame import Frame, moving, scaling
from safelight.media.picture import Picture
from safelight.operators import Subject, Wishes
from safelight.operators.red_eye import Pupil, RedEyeParams, check, material, operator, render, spoil
from safelight.probes import faces, red_eye
from safelight.probes._mesh import networks
from safelight.specimens import suite_tools
from safelight.weights import installed

PUPIL = Pupil(x=30.0, y=20.0, radius=8.0)
PARAMS = RedEyeParams(pupils=(PUPIL,))


def eye(*, red=(190, 40, 40)):
    """A made eye, 60 x 40 px: white, brown iris, a pupil of this colour, a catch-light."""
    y, x = np.mgrid[:40, :60]
    away = np.hypot(x - 30, y - 20)
    rgb = np.full((40, 60, 3), (205, 198, 190), np.uint8)
    rgb[away < 14] = (95, 62, 42)
    rgb[away < 8] = red
    rgb[np.hypot(x - 27, y - 17) < 2] = 250
    return rgb


def rendered(rgb, params):
    return srgb8(render(Frame(pixels=linear_of_srgb(rgb)), params, suite_tools()).pixels).astype(int)


def told(chance=0.98, width=60):
    eyes = [{"x": 30.0, "y": 20.0, "radius": 8.0, "chance": chance}]
    return {
        "red_eye": Measure(name="red_eye", value=chance),
        "red_eye.eyes": Measure(name="red_eye.eyes", value={"width": width, "eyes": eyes}),
    }


def suggested(facts, *, width=60, flash=True):
    asset = Asset(
        id="a", content=None, kind=Kind.PHOTO, format="jpeg", width=width, height=40, capture=Capture(flash=flash)
    )
    return operator.propose([Subject(asset=asset, path="a.jpg", facts=facts)], Wishes())


def test_operator_and_probe_keep_their_contracts():
    check_operator(operator)
    check_probe(red_eye.probe)


# ---------------------------------------------------------------- render


def test_a_red_pupil_becomes_dark_and_neutral():
    after = rendered(eye(), PARAMS)
    assert np.ptp(after[20, 34]) < 12
    assert after[20, 34].max() < 60


def test_catch_light_iris_and_the_rest_stay():
    before, after = eye().astype(int), rendered(eye(), PARAMS)
    assert np.abs(after[17, 27] - before[17, 27]).max() <= 1
    away = np.hypot(*(np.mgrid[:40, :60] - np.array((20, 30))[:, None, None]))
    assert np.abs(after - before)[away > 11].max() == 0
    assert np.abs(after - before)[(away > 8.5) & (away < 14)].mean() < 12


def test_half_the_amount_is_half_way():
    before, whole = eye().astype(int), rendered(eye(), PARAMS)
    half = rendered(eye(), RedEyeParams(pupils=(PUPIL,), amount=0.5))
    assert whole[20, 34, 0] < half[20, 34, 0] < before[20, 34, 0]


def test_pupils_are_found_again_in_a_smaller_or_moved_frame():
    rgb = eye()
    small = Frame(pixels=linear_of_srgb(rgb[::2, ::2]), geometry=scaling(0.5, 0.5))
    moved = Frame(pixels=linear_of_srgb(rgb[5:, 8:]), geometry=moving(-8, -5))
    for frame, place in ((small, (10, 17)), (moved, (15, 26))):
        assert np.ptp(srgb8(render(frame, PARAMS, suite_tools()).pixels)[place].astype(int)) < 14


def test_a_pupil_outside_the_frame_changes_nothing():
    frame = Frame(pixels=linear_of_srgb(eye()))
    far = RedEyeParams(pupils=(Pupil(x=500.0, y=500.0, radius=9.0),))
    assert np.array_equal(render(frame, far, suite_tools()).pixels, frame.pixels)


# ---------------------------------------------------------------- check


def test_check_sees_red_that_is_left_and_change_elsewhere():
    before = Frame(pixels=linear_of_srgb(eye()))

    def found(after):
        return {m.name: m.value for m in check(before, after, PARAMS)}

    honest = found(render(before, PARAMS, suite_tools()))
    assert max(honest.values()) < 0.5
    assert found(before)["red_eye.left"] > 0.5
    assert found(spoil(before, PARAMS))["red_eye.spilt"] == 1


def test_material_changes():
    near = RedEyeParams(pupils=(Pupil(x=31.0, y=20.0, radius=8.5),))
    assert not material(PARAMS, near)
    assert material(PARAMS, RedEyeParams())
    assert material(PARAMS, RedEyeParams(pupils=(Pupil(x=40.0, y=20.0, radius=8.0),)))


# ---------------------------------------------------------------- proposals


def test_red_pupils_are_proposed_with_their_reason():
    (made,) = suggested(told())
    assert made.params == PARAMS
    assert made.because[0].text == "1 pupil is red (98% sure), and the flash was fired."
    assert made.alternatives[0].amount == 0.6


def test_places_in_a_preview_become_places_in_the_original():
    (made,) = suggested(told(width=60), width=180)
    assert made.params.pupils[0] == Pupil(x=91.0, y=61.0, radius=24.0)


def test_doubt_is_said_and_no_red_is_nothing():
    (doubtful,) = suggested(told(chance=0.6))
    assert "60%" in doubtful.cannot_tell
    assert list(suggested(told(chance=0.1))) == []
    assert list(suggested({})) == []


# ---------------------------------------------------------------- the probe


def test_without_faces_weights_or_flash_it_says_why():
    rgb = np.full((200, 200, 3), 90, np.uint8)
    face = {"faces": Measure(name="faces", value=[{"eyes": "open"}])}
    none = {"faces": Measure(name="faces", value=[])}

    def reason(**given):
        return red_eye.measure(Picture(rgb=rgb, **given))[0].cannot_tell

    assert reason() == "no faces were looked for"
    assert reason(facts=face) == "no weights for faces are installed"
    assert reason(facts=face, capture=Capture(flash=False)) == "no flash was fired"
    if networks(installed()) is not None:
        assert reason(facts=none, weights=installed()) == "no face was found"


def test_redness_is_of_red_and_not_of_brown_or_white():
    light = np.array([[[0.4, 0.03, 0.03], [0.10, 0.045, 0.025], [0.6, 0.6, 0.6], [0.0, 0.0, 0.0]]], np.float32)
    red, brown, white, black = red_eye.redness(light)[0]
    assert red > 3
    assert 0.5 < brown < 1.3
    assert white == pytest.approx(0, abs=1e-6)
    assert black == 0


@pytest.fixture
def portrait(shared: Path) -> Picture:
    """A real portrait with open eyes, and the networks; skips where either is missing."""
    weights = installed()
    if networks(weights) is None:
        pytest.skip("the weights for faces are not installed")
    from safelight.media.image import read

    return Picture(rgb=read(shared / "faces" / "obama_official.jpg"), weights=weights)


def test_painted_pupils_are_found_and_plain_ones_are_not(portrait):
    from bench.red_eye import irises, paint

    rgb, rng = portrait.rgb, np.random.default_rng(4)
    places = irises(portrait, portrait.weights)
    pupils = []
    for iris in places:
        rgb, pupil = paint(rgb, iris, rng)
        pupils.append(pupil)

    def looked(pixels):
        picture = Picture(rgb=pixels, weights=portrait.weights)
        picture.facts = {m.name: m for m in faces.measure(picture)}
        return {m.name: m for m in red_eye.measure(picture)}

    plain, painted = looked(portrait.rgb), looked(rgb)
    assert plain["red_eye"].value < 0.3
    assert painted["red_eye"].value > 0.9
    eyes = painted["red_eye.eyes"].value["eyes"]
    assert len(eyes) == len(pupils) == 2
    for found, pupil in zip(eyes, pupils, strict=True):
        assert np.hypot(found["x"] - pupil.x, found["y"] - pupil.y) < 0.4 * pupil.radius
