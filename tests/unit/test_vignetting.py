"""Light given back towards the corners."""

import numpy as np
import pytest

from safelight.domain import Asset, Capture, Kind, Measure
from safelight.media.frame import Frame, scaling
from safelight.operators import Subject, Wishes, vignetting
from safelight.render import tile
from safelight.specimens import suite_tools

PARAMS = vignetting.VignettingParams(k1=-0.55, k2=-0.2, k3=-0.1, size=(301, 201))


def frame():
    return Frame(pixels=np.full((201, 301, 3), 0.2, np.float32))


def suggested(*, already, light=(-0.5, -0.2, -0.1), size=(6000, 4000)):
    profile = {"lens": "Canon EF 35mm f/1.4L USM", "focal_mm": 35.0, "match": "exact", "light": light}
    facts = {
        "lens.profile": Measure(name="lens.profile", value=profile),
        "lens.falloff": Measure(name="lens.falloff", value=round(-np.log2(1 + sum(light)), 3), unit="EV"),
        "lens.already": already,
    }
    asset = Asset(id="a", content=None, kind=Kind.PHOTO, format="dng", width=size[0], height=size[1],
                  capture=Capture(f_number=2.8))  # fmt: skip
    (suggestion,) = vignetting.operator.propose([Subject(asset=asset, path="a", facts=facts)], Wishes())
    return suggestion


def state(corners, by="raw"):
    return Measure(name="lens.already", value={"corners": corners, "by": by})


def test_the_middle_stays_and_the_corner_gets_what_it_lost():
    after = vignetting.render(frame(), PARAMS, suite_tools()).pixels
    assert after[100, 150] == pytest.approx(0.2)
    assert after[0, 0, 0] == pytest.approx(0.2 / (1 - 0.85 * 0.994), rel=0.05)
    assert after[0, 0, 0] == after[-1, -1, 0] == after[0, -1, 2]


def test_a_tile_and_a_reduced_copy_get_the_light_of_their_place():
    whole = vignetting.over(frame(), PARAMS)
    part = vignetting.over(tile(frame(), slice(120, 201), slice(200, 301)), PARAMS)
    assert part == pytest.approx(whole[120:, 200:], rel=1e-5)
    small = Frame(pixels=np.zeros((67, 100, 3), np.float32))
    small = small.moved(small.pixels, scaling(100 / 301, 67 / 201))
    assert vignetting.over(small, PARAMS)[33, 2] == pytest.approx(whole[100, 7], rel=0.02)


def test_half_the_amount_is_half_the_stops():
    half = vignetting.VignettingParams(k1=-0.55, k2=-0.2, k3=-0.1, size=(301, 201), amount=0.5)
    assert vignetting.over(frame(), half) ** 2 == pytest.approx(vignetting.over(frame(), PARAMS), rel=1e-4)


def test_no_corner_is_brightened_without_end():
    params = vignetting.VignettingParams(k1=-2.0, size=(301, 201))
    assert vignetting.over(frame(), params).max() <= 1 / vignetting.DARKEST + 1e-3


def test_coefficients_need_the_size_they_are_about():
    with pytest.raises(ValueError, match="size of the source"):
        vignetting.VignettingParams(k1=-0.5)


def test_a_raw_is_corrected_and_half_as_much_is_offered():
    suggestion = suggested(already=state(False))
    assert suggestion.params.size == (6000, 4000)
    assert "the corners are 2.3 EV darker than the middle" in suggestion.because[0].text
    assert suggestion.alternatives[0].amount == 0.5


def test_what_the_camera_did_or_may_have_done_is_left_alone():
    assert suggested(already=state(True, "camera")).params == vignetting.VignettingParams()
    assert suggested(already=state(None)).params is None
    silent = Measure(name="lens.already", cannot_tell="not told")
    assert "does not say whether the camera" in suggested(already=silent).cannot_tell


def test_corners_that_are_hardly_darker_are_left_alone():
    assert suggested(already=state(False), light=(-0.04, 0.0, 0.0)).params == vignetting.VignettingParams()


def test_material_is_a_seventh_of_a_stop_in_the_corner():
    other = vignetting.VignettingParams(k1=-0.55, k2=-0.2, k3=-0.1, size=(301, 201), amount=0.9)
    assert vignetting.operator.material(PARAMS, other)
    assert not vignetting.operator.material(PARAMS, PARAMS)
