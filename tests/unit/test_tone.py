"""The tone probe tells treated tones from moods; the operator answers with a curve that the frame can take."""

import itertools

import cv2
import numpy as np
import pytest

from bench._tones import DISTORTIONS, distorted
from safelight.contract import check_operator, check_probe
from safelight.domain import Asset, Group, GroupKind, Kind, Measure
from safelight.media import tone as curves
from safelight.media.colour import SRGB_FROM_REC2020, encode, linear_of_srgb, srgb8
from safelight.media.frame import Frame
from safelight.media.picture import Picture
from safelight.operators import Subject, Wishes
from safelight.operators._sliders import SLIDERS, Limits, curve, hold, solve
from safelight.operators.tone import ToneParams, check, material, operator, render, spoil
from safelight.probes import tone
from safelight.specimens import suite_tools

WITHOUT_LIMITS = Limits(top=0.8, floor=0.1, noise=None, eight_bits=False)
SHARES = (0.01, 0.1, 0.3, 0.6, 0.9, 0.99)
TONES = ((0.01, -6.0), (0.1, -4.5), (0.3, -3.0), (0.6, -2.0), (0.9, -1.0), (0.99, -0.4))


def params(**given):
    return ToneParams(**{name: float(value) for name, value in given.items()})


def told(fault=0.95, moves=(-0.09, -0.07, -0.05, -0.02, 0.0, 0.0), *, tones=TONES, headroom=0.4, **others):
    facts = {
        "tone.fault": fault,
        "tone.moves": {"shares": SHARES, "by_ev": [[ev, fault, *moves] for ev in (-2.0, 0.0, 2.0)]},
        "luma.quantiles": [list(pair) for pair in tones],
        "clip.headroom": headroom,
        **others,
    }
    return {name: Measure(name=name, value=value) for name, value in facts.items()}


def subject(name, facts, *groups, format_="jpeg"):
    asset = Asset(id=name, content=None, kind=Kind.PHOTO, format=format_, width=400, height=300)
    return Subject(asset=asset, path=f"{name}.jpg", facts=facts, groups=groups, scene="scene")


def suggested(*subjects):
    return {s.member: s for s in operator.propose(subjects, Wishes())}


def photo(seed=0):
    """A made photograph in sRGB bytes: soft colours, texture, tones from near black to near white."""
    rng = np.random.default_rng(seed)
    soft = cv2.resize(rng.random((5, 7, 3)), (420, 300), interpolation=cv2.INTER_CUBIC)
    soft = 0.06 + 0.75 * (soft - soft.min()) / np.ptp(soft) + rng.normal(0, 0.03, soft.shape)
    soft[:40] *= 0.15
    soft[-20:, -60:] = 0.97
    return np.asarray(np.clip(soft * 255, 0, 255), np.uint8)


# ---------------------------------------------------------------- the curve


def test_every_setting_of_all_sliders_rises():
    values = np.linspace(0, 1.6, 1601)
    for setting in itertools.product((-100, 0, 100), repeat=len(SLIDERS)):
        assert (np.diff(curve(values, np.array(setting, float))) >= 0).all(), setting


@pytest.mark.parametrize("name", SLIDERS)
@pytest.mark.parametrize("setting", [-100, -30, 30, 100])
def test_a_slider_keeps_black_and_moves_its_tones_its_way(name, setting):
    after = curve(np.array([0.0, 0.1, 0.25, 0.75]), np.array([setting * (name == other) for other in SLIDERS], float))
    assert after[0] == pytest.approx(0, abs=1e-9)
    place = {"highlights": 3, "shadows": 1, "whites": 3, "blacks": 1, "contrast": 3}[name]
    assert np.sign(after[place] - (0.1, 0.25, 0.75)[place - 1]) == np.sign(setting)


def test_a_full_shadow_slider_is_one_stop():
    light = np.full((1, 1, 3), 2.0**-8, np.float32)
    assert render(Frame(pixels=light), params(shadows=100), suite_tools()).pixels[0, 0, 0] / light[0, 0, 0] == (
        pytest.approx(2, rel=0.01)
    )


def test_hues_stay_and_what_was_inside_stays_inside():
    light = np.random.default_rng(2).random((30, 30, 3)).astype(np.float32)
    frame = Frame(pixels=cv2.transform(light, np.linalg.inv(SRGB_FROM_REC2020)).astype(np.float32))
    after = cv2.transform(
        render(frame, params(shadows=80, contrast=60, blacks=-40), suite_tools()).pixels, SRGB_FROM_REC2020
    )
    assert after.min() > -1e-5
    assert after.max() < 1 + 1e-5

    def place(rgb):
        low, middle, high = np.moveaxis(np.sort(rgb, axis=2), 2, 0)
        return (middle - low) / (high - low)

    assert place(after) == pytest.approx(place(light), abs=2e-3)
    assert np.array_equal(after.argsort(axis=2), light.argsort(axis=2))


def test_light_above_white_goes_on_rising():
    ramp = np.repeat(np.linspace(0.5, 4, 64, dtype=np.float32)[None, :, None], 3, axis=2)
    after = render(Frame(pixels=ramp), params(whites=-50, contrast=40), suite_tools()).pixels[0, :, 0]
    assert (np.diff(after) > 0).all()


# ---------------------------------------------------------------- solving and holding


@pytest.mark.parametrize(
    "sliders", [(0, 0, 0, -40, 0), (-50, 0, 0, 0, 0), (0, 60, 0, 0, 0), (0, 0, 25, -30, 0), (0, 0, 0, 0, -40)]
)
def test_moves_that_sliders_make_are_found_again(sliders):
    tones = np.array((0.06, 0.14, 0.3, 0.5, 0.75, 0.9))
    wanted = curve(tones, np.array(sliders, float)) - tones
    assert curve(tones, solve(tones, wanted)) - tones == pytest.approx(wanted, abs=0.012)


def test_highlights_hold_whites_back_and_say_by_how_much():
    kept, held = hold(np.array((0.0, 0.0, 60.0, 0.0, 0.0)), Limits(top=0.95, floor=0.02, noise=None, eight_bits=False))
    assert 0 < kept[2] < 60
    assert curve(np.array([0.95]), kept)[0] <= 1
    assert [(item.by, item.amount > 0.1) for item in held] == [("highlights", True)]


def test_noise_holds_shadows_back():
    asked = np.array((0.0, 100.0, 0.0, 0.0, 0.0))
    quiet, _ = hold(asked, Limits(top=0.9, floor=0.02, noise=1.0, eight_bits=False))
    noisy, held = hold(asked, Limits(top=0.9, floor=0.02, noise=5.0, eight_bits=False))
    assert quiet[1] == 100
    assert noisy[1] < 70
    assert [item.by for item in held] == ["noise"]


def test_eight_bits_hold_a_steep_curve_back():
    asked = np.array((0.0, 0.0, 100.0, -100.0, 100.0))
    free, _ = hold(asked, Limits(top=0.65, floor=0.5, noise=None, eight_bits=False))
    kept, held = hold(asked, Limits(top=0.65, floor=0.5, noise=None, eight_bits=True))
    assert np.abs(kept).max() < np.abs(free).max()
    assert held[-1].by == "levels"


def test_what_is_allowed_is_not_touched():
    asked = np.array((-10.0, 5.0, 0.0, -5.0, 0.0))
    kept, held = hold(asked, WITHOUT_LIMITS)
    assert np.array_equal(kept, asked)
    assert held == []


# ---------------------------------------------------------------- the probe


def test_the_probe_keeps_its_contract():
    check_probe(tone.probe)


@pytest.mark.parametrize("kind", ["flat", "veil", "faded"])
def test_strong_haze_is_told_and_the_photo_itself_is_not(kind):
    def fault(rgb):
        return next(m.value for m in tone.judge(Picture(rgb=rgb)) if m.name == "tone.fault")

    good = photo()
    bad = distorted(good, DISTORTIONS[kind](5, np.random.default_rng(0)))
    assert fault(bad) > 0.8
    assert fault(bad) > fault(good)


def test_uniform_pictures_cannot_be_told_but_end_somewhere():
    found = {m.name: m for m in tone.judge(Picture(rgb=np.full((90, 120, 3), 99, np.uint8)))}
    assert "uniform" in found["tone.moves"].cannot_tell
    assert found["tone.floor"].value == found["tone.ceiling"].value < -1


# ---------------------------------------------------------------- proposals


def test_the_operator_keeps_its_contract():
    check_operator(operator)


def test_haze_gets_a_deeper_black_and_a_reason():
    made = suggested(subject("a", told()))["a"]
    assert made.params.blacks < -5
    assert made.because[0].code.startswith("tone.")
    assert any(b.code == "tone.sure" and "95%" in b.text for b in made.because)
    assert any(other.blacks == round(made.params.blacks / 2) for other in made.alternatives)


def test_right_tones_are_left_alone_and_doubtful_ones_to_a_person():
    made = suggested(subject("right", told(fault=0.2)))["right"]
    assert made.params == ToneParams()
    assert made.because[0].code == "tone.right"
    doubtful = suggested(subject("doubtful", told(fault=0.7)))["doubtful"]
    assert doubtful.params is None
    assert "meant so" in doubtful.cannot_tell


def test_frames_of_a_scene_share_a_curve_and_an_outlier_has_its_own():
    moves = np.array((-0.09, -0.07, -0.05, -0.02, 0.0, 0.0))
    alike = [
        subject(f"f{i}", told(moves=tuple(moves + 0.004 * i), tones=[(s, ev + 0.1 * i) for s, ev in TONES], headroom=i))
        for i in range(4)
    ]
    made = suggested(*alike, subject("other", told(moves=tuple(-moves))))
    assert len({made[f"f{i}"].params for i in range(4)}) == 1
    assert any(b.code == "tone.scene" for b in made["f0"].because)
    assert made["other"].params != made["f0"].params


def test_held_back_is_said_in_stops():
    facts = told(moves=(0.0, 0.0, 0.0, 0.05, 0.15, 0.2), headroom=0.02)
    made = suggested(subject("a", facts))["a"]
    texts = [b.text for b in made.because if b.code == "tone.held_highlights"]
    assert texts
    assert texts[0].startswith("Held 0.")
    assert "EV back: highlights" in texts[0]


def test_the_exposure_that_is_proposed_is_counted_in():
    facts = told(**{"exposure.ev": 1.0, "exposure.ev.spread": 0.2, "luma.median": 0.05}, headroom=2.0)
    made = suggested(subject("a", facts))["a"]
    assert any(b.code == "tone.exposure" and "+1.0 EV" in b.text for b in made.because)


def test_brackets_are_left_alone():
    bracket = Group(id="b", kind=GroupKind.BRACKET, members=("a",), by="test")
    assert suggested(subject("a", told(), bracket)) == {}


def test_without_evidence_it_says_why_not():
    made = suggested(subject("a", {}))["a"]
    assert made.cannot_tell == "The tones were not measured."


# ---------------------------------------------------------------- check


def measured(before, after, given):
    return {m.name: m.value for m in check(before, after, given)}


def test_check_measures_new_clipping_hue_and_torn_levels():
    before = Frame(pixels=linear_of_srgb(photo()))
    given = params(whites=10, blacks=-15)
    after = render(before, given, suite_tools())
    honest = measured(before, after, given)
    assert max(honest[n] for n in ("tone.off", "tone.blown", "tone.buried", "tone.hue", "tone.torn")) < 0.5
    blown = measured(before, before.with_pixels(before.pixels * np.float32(3)), given)
    assert blown["tone.blown"] == 1
    twisted = measured(before, before.with_pixels(before.pixels * np.array((1.4, 1, 0.7), np.float32)), given)
    assert twisted["tone.hue"] > 0.5
    few = (srgb8(after.pixels) // 24 * 24).astype(np.uint8)
    assert measured(before, Frame(pixels=linear_of_srgb(few)), given)["tone.torn"] > 0.5
    assert measured(before, spoil(before, given), given)["tone.buried"] == 1


def test_material_is_what_a_careful_viewer_sees():
    assert not material(params(shadows=10), params(shadows=13))
    assert material(params(shadows=10), params(shadows=60))
    assert material(params(), params(blacks=-30))


def test_the_table_is_as_good_as_the_curve():
    values = np.linspace(0, 1, 40_001)
    given = {"highlights": -80.0, "shadows": 90.0, "whites": 20.0, "blacks": -60.0, "contrast": 30.0}
    light = curves.through(values, curves.table_of(**given))
    exact = curves.curve(encode(values), **given)
    assert np.abs(encode(light) - exact).max() * 255 < 0.1


def test_light_beyond_the_range_goes_straight_on():
    table = curves.table_of(highlights=0.0, shadows=50.0, whites=-40.0, blacks=0.0, contrast=0.0)
    light = np.array([-0.01, -0.001, 0.0, 0.999, 1.0, 1.001, 4.0])
    after = curves.through(light, table)
    assert (np.diff(after) > 0).all()
    assert after[0] / after[1] == pytest.approx(10)
    assert after[5] - after[4] == pytest.approx(after[4] - after[3], rel=0.02)
