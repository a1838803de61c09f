import numpy as np
import pytest

from safelight.domain import Measure
from safelight.media.picture import TO_LINEAR, Picture
from safelight.probes import _illuminants as illuminants
from safelight.probes import colour


def encoded(light):
    x = np.clip(light, 0, 1)
    return (np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-6) ** (1 / 2.4) - 0.055) * 255 + 0.5).astype(
        np.uint8
    )


def street(seed=0, gains=(1.0, 1.0, 1.0)):
    """Grey walls, brick, foliage, sky and a clipped lamp, with texture."""
    rng = np.random.default_rng(seed)
    light = np.empty((240, 360, 3))
    light[:] = (0.35, 0.35, 0.35)
    light[:70] = (0.35, 0.45, 0.62)
    light[150:, :120] = (0.10, 0.16, 0.05)
    light[120:200, 250:] = (0.30, 0.14, 0.09)
    light[200:] = (0.16, 0.16, 0.16)
    light *= rng.uniform(0.6, 1.4, light.shape[:2])[..., None]
    light[75:95, 150:190] = 2.0
    return encoded(np.clip(light, 0, 1) * gains)


def facts(rgb):
    return {m.name: m for m in colour.judge(Picture(rgb=rgb))}


def test_a_cast_is_a_shift_of_every_point():
    cast = illuminants.colour_at((9.0, -4.0))
    colours = np.random.default_rng(1).uniform(0.05, 0.9, (5, 3))
    for rgb in colours:
        moved = illuminants.point_of(rgb * cast) - illuminants.point_of(rgb)
        assert moved == pytest.approx((9.0, -4.0), abs=1e-6)


def test_points_and_colours_are_inverse_and_near_degrees():
    assert illuminants.point_of(illuminants.colour_at((12.0, 5.0))) == pytest.approx((12.0, 5.0))
    small = illuminants.colour_at((1.8, -2.4))
    assert illuminants.reproduction_error(small, np.ones(3)) == pytest.approx(3.0, abs=0.1)


def test_correction_takes_the_light_out_and_keeps_luminance():
    gains = illuminants.correction((15.0, 3.0))
    assert illuminants.reproduction_error(illuminants.colour_at((15.0, 3.0)), gains) < 1e-4
    assert gains @ illuminants.LUMINANCE == pytest.approx(1)


@pytest.mark.parametrize("name", [*illuminants.CLASSICAL, *illuminants.OTHERS])
def test_estimators_follow_the_light(name):
    cast = np.array((1.0, 0.87, 0.7))
    estimate = (illuminants.CLASSICAL | illuminants.OTHERS)[name]
    without, with_cast = (estimate(illuminants.look(street(gains=g))) for g in ((1, 1, 1), cast))
    assert with_cast - without == pytest.approx(illuminants.point_of(cast), abs=2.0)


def test_clipped_white_ends_below_white_in_the_weakened_channel():
    ends = illuminants.white_ends(street(gains=(1.0, 0.9, 0.7)))
    assert ends["end_9997"] == pytest.approx((1.0, 0.9, 0.7), abs=0.02)
    neutral = illuminants.white_ends(street())
    assert neutral["end_top"] == pytest.approx((1, 1, 1), abs=0.01)


def test_estimators_ignore_clipped_pixels():
    rgb = street()
    rgb[:60] = (255, 120, 30)
    plain = street()
    plain[:60] = 0
    seen, expected = illuminants.look(rgb), illuminants.look(plain)
    assert illuminants.grey_world(seen) == pytest.approx(illuminants.grey_world(expected), abs=0.3)


def test_a_street_is_right_and_a_cast_is_seen_with_its_gains():
    right = facts(street())
    assert right["colour.cast"].value < 0.5
    for gains in ((0.8, 1.0, 1.45), (1.35, 0.95, 0.42), (1.1, 0.85, 1.2)):
        wrong = facts(street(gains=gains))
        assert wrong["colour.cast"].value > 0.8
        left = illuminants.reproduction_error(np.array(gains), np.array(wrong["colour.gains"].value))
        assert left < illuminants.reproduction_error(np.array(gains), np.ones(3)) / 2


def test_probabilities_are_probabilities_and_gains_keep_luminance():
    for seed in range(3):
        found = facts(street(seed, gains=np.random.default_rng(seed).uniform(0.7, 1.2, 3)))
        for name in ("colour.cast", "colour.mood", "colour.confidence"):
            assert 0 <= found[name].value <= 1
        assert np.array(found["colour.gains"].value) @ illuminants.LUMINANCE == pytest.approx(1, abs=1e-3)
        assert set(found) == set(colour.probe.emits)


def test_an_even_surface_and_black_and_white_cannot_be_told():
    even = np.full((120, 160, 3), (180, 120, 90), np.uint8)
    grey = np.repeat(street().mean(2).astype(np.uint8)[..., None], 3, 2)
    for rgb, word in ((even, "even surface"), (grey, "black and white")):
        for measure in colour.judge(Picture(rgb=rgb)):
            assert isinstance(measure, Measure)
            assert word in measure.cannot_tell


def test_a_picture_of_a_few_pixels_cannot_be_told():
    for shape in ((1, 1, 3), (1, 300, 3)):
        assert all("pixels" in m.cannot_tell for m in colour.judge(Picture(rgb=np.zeros(shape, np.uint8))))


def test_another_model_gives_another_answer():
    model = dict(colour.shipped())
    model["weights"] = [0.0] * len(colour.NAMES)
    found = {m.name: m.value for m in colour.judge(Picture(rgb=street()), model=model)}
    flat = (colour.DISTANCE > colour.NAMED).mean()
    assert found["colour.cast"] == pytest.approx(flat, abs=1e-4)


def test_candidates_hold_as_shot_once_and_columns_match_their_names():
    assert (colour.DISTANCE == 0).sum() == 1
    found = colour.features(Picture(rgb=street()))
    columns = colour.rows(found, colour.shipped()["middles"])
    assert columns.shape == (len(colour.CANDIDATES), len(colour.NAMES))
    assert np.isfinite(columns).all()
    assert found.histograms.sum((1, 2)) == pytest.approx(np.ones(len(colour.LOOKS)), abs=1e-4)


def test_linear_table_and_log_table_agree():
    assert illuminants.TO_LOG[200] == pytest.approx(np.log(TO_LINEAR[200]) * illuminants.DEGREES, rel=1e-5)
