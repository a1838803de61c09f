import cv2
import numpy as np
import pytest

from bench import _charts
from safelight.domain import Asset, Capture, Kind, Measure
from safelight.media import rootpoly
from safelight.media.colorchecker import EDITIONS, LABS, LINEAR, balance
from safelight.media.colour import REC2020_FROM_SRGB, SRGB_FROM_REC2020, delta_e_lab, encode, lab_of_linear
from safelight.media.picture import Picture
from safelight.operators import Subject, Wishes, chart_profile, exposure, white_balance
from safelight.probes import chart
from safelight.work import decode
from tests.conftest import textured

TINTED = np.array((1.4, 1.0, 0.55))


def with_chart(seed):
    return _charts.made(textured(seed, width=900, height=600), np.random.default_rng(seed))


def facts_of(rgb, **more):
    return {m.name: m for m in chart.measure(Picture(rgb=rgb, **more))}


def subject(name="a", facts=None, *, capture=None):
    asset = Asset(
        id=name, content=None, kind=Kind.PHOTO, format="jpeg", width=9, height=9, capture=capture or Capture()
    )
    return Subject(asset=asset, path=f"{name}.jpg", facts=facts or {})


def patches_of(linear, clipped=()):
    found = balance(linear, clipped)
    values = {
        "chart": 1.0, "chart.patches": (linear @ REC2020_FROM_SRGB.T).tolist(), "chart.clipped": list(clipped),
        "chart.gains": list(found.gains), "chart.ev": found.ev, "chart.ev.spread": found.doubt,
    }  # fmt: skip
    return {name: Measure(name=name, value=value) for name, value in values.items()}


# ---------------------------------------------------------------- the chart's own numbers


def test_reference_greys_are_grey_and_white_is_bright():
    for linear in EDITIONS.values():
        greys = linear[18:24]
        assert np.abs(np.log(greys / greys.mean(1, keepdims=True)))[1:].max() < 0.05
        assert 0.85 < greys[0, 1] < 0.95
        assert (np.diff(greys[:, 1]) < 0).all()


def test_editions_differ_a_little():
    one, two = LABS.values()
    assert 0.3 < delta_e_lab(one, two).mean() < 1.5


def test_balance_takes_a_light_out_again():
    found = balance(LINEAR / 4 * TINTED, [])
    right = LINEAR / 4 * TINTED * found.gains * 2**found.ev
    np.testing.assert_allclose(right[18:23], LINEAR[18:23], rtol=0.01)
    assert found.doubt < 0.01


def test_clipped_greys_do_not_count():
    seen = np.minimum(LINEAR * 2, 1.0)
    assert abs(balance(seen, [15, 18, 19]).ev + 1) < 0.02
    assert balance(seen, [18, 19, 20, 21]) is None


# ---------------------------------------------------------------- finding it


@pytest.mark.parametrize("seed", range(1, 5))
def test_chart_is_found_where_it_lies(seed):
    made = with_chart(seed)
    found = facts_of(made.rgb)
    assert found["chart"].value > 0.9
    homography = cv2.getPerspectiveTransform(
        chart.CORNERS.astype(np.float32), np.array(found["chart.corners"].value, np.float32)
    )
    ends = np.array([[[0, 0], [5, 0], [5, 3], [0, 3]]], np.float32)
    seen = cv2.perspectiveTransform(ends, homography)[0]
    assert np.abs(seen - made.corners).max() < made.height / 20
    x0, y0, x1, y1 = found["chart"].where.box
    assert (made.corners > (x0 - 1, y0 - 1)).all()
    assert (made.corners < (x1 + 1, y1 + 1)).all()


def test_its_greys_tell_the_light():
    made = with_chart(1)
    gains = np.array(facts_of(made.rgb)["chart.gains"].value)
    right = gains * made.gains
    assert np.degrees(np.arccos(right.sum() / np.linalg.norm(right) / np.sqrt(3))) < 1.5


def test_pictures_without_a_chart_have_none():
    grid = np.full((400, 600, 3), 30, np.uint8)
    rng = np.random.default_rng(3)
    for row in range(4):
        for column in range(6):
            colour = [int(c) for c in rng.integers(40, 255, 3)]
            cv2.rectangle(grid, (60 + 80 * column, 50 + 80 * row), (120 + 80 * column, 110 + 80 * row), colour, -1)
    for rgb in (grid, textured(5, width=900, height=600), np.full((50, 50, 3), 128, np.uint8)):
        assert facts_of(rgb)["chart"].value == 0


def test_mirrored_chart_is_none():
    assert facts_of(np.ascontiguousarray(with_chart(1).rgb[:, ::-1]))["chart"].value == 0


def test_real_raw_is_read_on_its_own_light(shared):
    path = shared / "raw" / "canon_x4_colorchart.dng"
    rgb, is_preview = decode(path)
    found = facts_of(rgb, source=path, is_preview=is_preview)
    x0, y0, x1, y1 = found["chart"].where.box
    assert (x0 < 351, x1 > 628, y0 < 307, y1 > 466) == (True, True, True, True)
    (suggestion,) = chart_profile.propose([subject(facts=found)], Wishes())
    assert suggestion.because[0].value < 2.5
    assert suggestion.because[1].value < 3.2
    red, green, blue = found["chart.gains"].value
    assert red < 0.6 < green < 1.2 < blue


def with_card(light):
    rgb = textured(5, width=900, height=600)
    corners = np.add(((0, 10), (300, 0), (290, 200), (5, 195)), (260, 190))
    cv2.fillConvexPoly(rgb, corners.astype(np.int32), [int(v) for v in np.rint(encode(np.array(light)) * 255)])
    return rgb


def test_grey_card_tells_the_light():
    found = facts_of(with_card((0.25, 0.18, 0.12)))
    assert found["chart"].value == 0
    right = np.array(found["card.gains"].value) * (0.25, 0.18, 0.12)
    np.testing.assert_allclose(right / right.mean(), 1, atol=0.02)
    x0, y0, x1, y1 = found["card.gains"].where.box
    assert (250 < x0 < 275, 180 < y0 < 205, 545 < x1 < 570, 375 < y1 < 400) == (True, True, True, True)


@pytest.mark.parametrize("light", [(0.9, 0.9, 0.9), (0.02, 0.02, 0.02), (0.05, 0.3, 0.1), (0.5, 0.2, 0.04)])
def test_paper_and_coloured_boxes_are_no_cards(light):
    assert "card.gains" not in facts_of(with_card(light))


# ---------------------------------------------------------------- using it


def test_white_balance_follows_the_chart_and_its_scene_too():
    facts = patches_of(LINEAR * TINTED / 2)
    own, other = white_balance.propose([subject("a", facts), subject("b")], Wishes())
    assert own.params == other.params
    right = white_balance.gains_of(own.params) * TINTED
    np.testing.assert_allclose(right / right.mean(), 1, atol=0.02)
    assert (own.because[0].code, "a.jpg" in other.because[0].text) == ("white_balance.chart", True)


@pytest.mark.parametrize(("near", "acts"), [(True, True), (False, False)])
def test_card_counts_where_the_picture_does_not_contradict(near, acts):
    card = (0.75, 1.0, 1.5)
    estimate = {"gains": (0.8, 1.0, 1.3) if near else (1.6, 1.0, 0.6), "cast": 0.2, "mood": 0.1, "confidence": 0.5}
    facts = {"card.gains": Measure(name="card.gains", value=list(card))}
    for name, value in {**estimate, "disagreement": 3.0}.items():
        facts[f"colour.{name}"] = Measure(name=name, value=value)
    (found,) = white_balance.propose([subject(facts=facts)], Wishes())
    assert (found.params.mired > 10) is acts
    assert ("seems a grey card" in found.because[0].text) is acts


def test_another_body_does_not_follow_the_chart():
    facts = patches_of(LINEAR * TINTED)
    _, other = white_balance.propose(
        [subject("a", facts, capture=Capture(camera="One")), subject("b", capture=Capture(camera="Two"))], Wishes()
    )
    assert other.params is None


def test_exposure_follows_the_chart_and_the_settings():
    facts = patches_of(LINEAR / 2)
    slow, fast = (Capture(seconds=s, f_number=4.0, iso=100) for s in (0.01, 0.005))
    own, other, unknown = exposure.propose(
        [subject("a", facts, capture=slow), subject("b", capture=fast), subject("c")], Wishes()
    )
    assert (own.params.ev, other.params.ev, unknown.params) == (1.0, 2.0, None)
    assert other.because[1].text == "The chart is in a.jpg; this frame's settings let in 1.0 EV less light."


def camera(linear):
    mixed = linear @ np.array(((0.8, 0.25, -0.05), (0.1, 0.8, 0.1), (0.02, 0.2, 0.78))).T
    return np.maximum(mixed, 1e-4)


def test_profile_takes_a_cameras_colours_out():
    (found,) = chart_profile.propose([subject(facts=patches_of(camera(LINEAR) * TINTED / 3))], Wishes())
    fitted, left_out = (b.value for b in found.because)
    assert fitted < 1.0
    assert left_out < 1.5


def test_profile_of_right_colours_is_not_proposed():
    (found,) = chart_profile.propose([subject(facts=patches_of(LINEAR / 2))], Wishes())
    assert (found.params, "asks for little" in found.cannot_tell) == (None, True)


def test_root_polynomial_scales_with_light_and_keeps_grey():
    light = camera(LINEAR) @ REC2020_FROM_SRGB.T
    coefficients = rootpoly.fit(light, LABS["since November 2014"])
    pixels = light.astype(np.float32)[None]
    np.testing.assert_allclose(
        rootpoly.apply(pixels * 3, coefficients), rootpoly.apply(pixels, coefficients) * 3, atol=1e-5
    )
    grey = rootpoly.apply(np.full((1, 1, 3), 0.3, np.float32), coefficients)
    np.testing.assert_allclose(grey, 0.3, atol=1e-5)
    np.testing.assert_allclose(
        rootpoly.apply(pixels, coefficients)[0], rootpoly.corrected(light, coefficients), atol=1e-5
    )


def test_fit_without_a_patch_still_meets_it():
    light = camera(LINEAR) @ REC2020_FROM_SRGB.T
    wanted = LABS["since November 2014"]
    left_out = rootpoly.fit(light, wanted, but=7, start=rootpoly.fit(light, wanted))
    seen = lab_of_linear(rootpoly.corrected(light[[7]], left_out) @ SRGB_FROM_REC2020.T)
    assert delta_e_lab(seen, wanted[[7]])[0] < 3
