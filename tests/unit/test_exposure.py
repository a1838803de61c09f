"""The exposure probe tells gain from mood, and the operator corrects alone or within a group."""

import cv2
import numpy as np
import pytest

from safelight.contract import check_operator, check_probe
from safelight.domain import Asset, Group, GroupKind, Kind, Measure
from safelight.media.colour import decode, encode
from safelight.media.frame import Frame
from safelight.media.picture import Picture
from safelight.operators import Subject, Wishes
from safelight.operators.exposure import (
    DEAD_ZONE,
    HEADROOM_SHARE,
    SMALL_STEP,
    ExposureParams,
    check,
    operator,
    render,
    spoil,
)
from safelight.probes import exposure
from safelight.specimens import suite_tools


def scene(seed=0):
    """A made photograph, linear light: sky, ground, texture, a subject, and lights that reach white."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:300, :400] / np.array([300, 400])[:, None, None]
    light = np.where(y < 0.4, 0.55 - 0.3 * y, 0.06 + 0.12 * y)[..., None] * np.array((0.95, 1.0, 1.1))
    light = np.where((np.hypot(x - 0.5, y - 0.6) < 0.15)[..., None], np.array((0.5, 0.3, 0.2)), light)
    soft = cv2.GaussianBlur(rng.normal(0, 1, (300, 400, 3)), (0, 0), 1.5) * 3
    light = light * 2 ** (0.6 * soft)
    for cx, cy in rng.random((12, 2)):
        light[np.hypot(x - cx, y - cy) < 0.012] = 1.0
    return np.clip(light, 0.002, 1)


def picture(light):
    return Picture(rgb=np.asarray(np.clip(encode(np.clip(light, 0, 1)) * 255 + 0.5, 0, 255), np.uint8))


def facts_of(light):
    return {m.name: m for m in exposure.judge(picture(light))}


def subject(name, facts, *groups):
    asset = Asset(id=name, content=None, kind=Kind.PHOTO, format="jpeg", width=400, height=300)
    return Subject(asset=asset, path=f"{name}.jpg", facts=facts, groups=groups, scene="scene")


def group_of(*names, kind=GroupKind.BURST):
    return Group(id="group", kind=kind, members=names, by="test")


def suggested(*subjects):
    return {s.member: s for s in operator.propose(subjects, Wishes())}


def told(ev, spread=0.2, **others):
    values = {"exposure.ev": ev, "exposure.ev.spread": spread, "luma.median": 0.1, "clip.headroom": 3.0, **others}
    return {name: Measure(name=name, value=value) for name, value in values.items()}


# ---------------------------------------------------------------- the probe


def test_the_probe_keeps_its_contract():
    check_probe(exposure.probe)


def test_gain_is_told_in_both_directions():
    good, over, under = (facts_of(scene() * 2.0**ev) for ev in (0, 2, -2.5))
    assert over["exposure.over"].value > 0.8 > good["exposure.over"].value
    assert under["exposure.under"].value > 0.8 > good["exposure.under"].value
    assert over["exposure.under"].value < 0.1
    assert under["exposure.over"].value < 0.1
    assert over["exposure.ev"].value < -0.8
    assert under["exposure.ev"].value > 1.5


def test_a_high_key_without_clipping_is_no_fault():
    light = scene()
    airy = 0.05 + 0.95 * encode(3 * light / (1 + 2 * light))
    assert facts_of(decode(airy))["exposure.over"].value < 0.5


def test_a_lit_subject_in_the_dark_is_no_fault():
    y, x = np.mgrid[:300, :400] / np.array([300, 400])[:, None, None]
    spot = np.clip(1.6 - np.hypot((x - 0.5) / 0.28, (y - 0.6) / 0.36), 0, 1)
    low = scene() * 2.0 ** (-3 * (1 - spot[..., None]))
    assert facts_of(low)["exposure.under"].value < 0.5


def test_clipping_is_counted_at_native_size():
    light = np.full((1200, 1600, 3), 0.2)
    light[::8, ::2] = 1.0  # vanishes by averaging
    found = facts_of(light)
    assert found["clip.high"].value > 0
    assert found["clip.low"].value == 0


def test_headroom_is_the_way_of_the_highlights_to_white():
    light = np.full((100, 100, 3), 0.05)
    light[:10] = 0.25
    assert facts_of(light)["clip.headroom"].value == pytest.approx(2.0, abs=0.05)


def test_quantiles_move_with_the_light():
    brighter, darker = facts_of(scene()), facts_of(scene() / 2)
    shares, before = np.array(brighter["luma.quantiles"].value).T
    _, after = np.array(darker["luma.quantiles"].value).T
    assert np.all(np.diff(before) >= 0)
    middle = (shares > 0.2) & (shares < 0.9)
    assert (before - after)[middle] == pytest.approx(np.ones(middle.sum()), abs=0.05)


def test_a_uniform_picture_cannot_be_told_but_has_tones():
    found = facts_of(np.full((80, 120, 3), 0.18))
    assert "uniform" in found["exposure.ev"].cannot_tell
    assert found["exposure.over"].value is None
    assert found["luma.median"].value == pytest.approx(0.18, abs=0.005)


def test_every_name_is_emitted_once():
    names = [m.name for m in exposure.judge(picture(scene()))]
    assert sorted(names) == sorted(exposure.probe.emits)


def test_features_follow_their_names():
    seen = dict(zip(exposure.FEATURES, exposure.features(picture(scene())), strict=True))
    darker = dict(zip(exposure.FEATURES, exposure.features(picture(scene() / 4)), strict=True))
    assert seen["middle"] - darker["middle"] == pytest.approx(2, abs=0.1)
    assert seen["top"] == pytest.approx(0, abs=0.01)
    assert darker["top"] == pytest.approx(-2, abs=0.05)


def test_wild_features_give_a_bounded_answer():
    ev, spread = exposure.correction(np.full(len(exposure.FEATURES), 1e6), exposure.MODEL)
    assert abs(ev) <= exposure.MOST_EV
    assert 0 < spread <= exposure.MOST_EV


# ---------------------------------------------------------------- a photo alone


def test_the_operator_keeps_its_contract():
    check_operator(operator, also_emitted=("blur",))


def test_within_the_dead_zone_nothing_is_done():
    (made,) = suggested(subject("a", told(DEAD_ZONE - 0.05))).values()
    assert made.params == ExposureParams()
    assert made.alternatives == ()
    assert "right within" in made.because[0].text


def test_a_doubtful_photo_gets_a_small_step_and_the_estimate_as_alternative():
    (made,) = suggested(subject("a", told(-0.7))).values()
    assert made.params == ExposureParams(ev=-SMALL_STEP)
    assert made.alternatives == (ExposureParams(ev=-0.7),)
    assert "no more than 0.45 EV" in made.because[1].text


def test_a_clear_fault_is_followed_in_full():
    (made,) = suggested(subject("a", told(1.52, 0.1))).values()
    assert made.params == ExposureParams(ev=1.5)
    assert made.alternatives == (ExposureParams(ev=1.4), ExposureParams(ev=1.6))
    assert (
        made.because[0].text == "The middle tone lies at 10% of white; the photo is about 1.5 EV too dark (± 0.1 EV)."
    )
    assert made.score > 0.95


def test_a_doubtful_estimate_has_a_lower_score():
    sure, unsure = (suggested(subject("a", told(1.5, s)))["a"].score for s in (0.1, 0.6))
    assert sure > unsure


def test_an_estimate_as_uncertain_as_large_is_an_abstention():
    (made,) = suggested(subject("a", told(-1.2, 1.4))).values()
    assert made.params is None
    assert "uncertain by 1.4 EV" in made.cannot_tell


def test_highlights_hold_a_brightening_back():
    (made,) = suggested(subject("a", told(2.0, **{"clip.headroom": 0.5}))).values()
    assert made.params == ExposureParams(ev=0.6)
    assert any(b.code == "exposure.highlights" and "+2.0 to +0.6 EV" in b.text for b in made.because)
    assert made.score < 0.1


def test_highlights_do_not_hold_a_darkening_back():
    (made,) = suggested(subject("a", told(-2.0, **{"clip.headroom": 0.0}))).values()
    assert made.params == ExposureParams(ev=-2.0)


def test_what_was_not_measured_is_not_proposed():
    nothing = suggested(subject("a", {}))["a"]
    assert nothing.cannot_tell == "The exposure was not measured."
    uniform = suggested(subject("a", facts_of(np.full((80, 120, 3), 0.18))))["a"]
    assert "nearly uniform" in uniform.cannot_tell


# ---------------------------------------------------------------- groups


@pytest.mark.parametrize("ev", [-2.2, -1.2, 1.3, 2.2])
def test_a_badly_exposed_frame_comes_to_its_group(ev):
    group = group_of("a", "b", "c")
    shifts = {"a": 0.05, "b": ev, "c": -0.05}
    frames = [subject(name, facts_of(scene() * 2.0**shift), group) for name, shift in shifts.items()]
    made = suggested(*frames)
    assert made["b"].params.ev == pytest.approx(-ev, abs=0.15)
    assert made["b"].because[0].code == "exposure.scene"
    side = "below" if ev < 0 else "above"
    assert f"EV {side} the group's 2 well-exposed frames" in made["b"].because[0].text
    assert made["a"].params == made["c"].params == ExposureParams()


def test_blurred_frames_are_no_reference_where_sharp_ones_are():
    group = group_of("a", "b", "c")
    blurred = facts_of(scene() * 2**-0.5) | {"blur": Measure(name="blur", value=0.99)}
    frames = [
        subject("a", facts_of(scene()), group),
        subject("b", blurred, group),
        subject("c", facts_of(scene() / 8), group),
    ]
    assert suggested(*frames)["c"].params.ev == pytest.approx(3, abs=0.15)


def test_a_group_without_a_well_exposed_frame_is_judged_frame_by_frame():
    group = group_of("a", "b")
    frames = [subject(name, facts_of(scene() * 2.0**ev), group) for name, ev in (("a", -2.5), ("b", -2.0))]
    made = suggested(*frames)
    assert {s.because[0].code for s in made.values()} == {"exposure.alone"}
    assert all(s.params.ev > 1 for s in made.values())


@pytest.mark.parametrize("kind", [GroupKind.BRACKET, GroupKind.FOCUS_STACK, GroupKind.PANORAMA])
def test_protected_sets_get_no_proposal(kind):
    frames = [subject(name, told(2.0), group_of("a", "b", kind=kind)) for name in ("a", "b")]
    assert suggested(*frames, subject("c", told(2.0))).keys() == {"c"}


def test_frames_without_common_tones_are_judged_alone():
    group = group_of("a", "b")
    dark = facts_of(scene() / 4) | {"clip.high": Measure(name="clip.high", value=0.97)}
    made = suggested(subject("a", facts_of(scene()), group), subject("b", dark, group))
    assert made["b"].because[0].code == "exposure.alone"


# ---------------------------------------------------------------- render and check


def test_render_multiplies_and_clips_nothing():
    frame = Frame(pixels=np.array([[[0.5, 3.0, -0.1]]], np.float32))
    after = render(frame, ExposureParams(ev=1.0), suite_tools())
    np.testing.assert_allclose(after.pixels, [[[1.0, 6.0, -0.2]]], rtol=1e-6)
    assert render(frame, ExposureParams(), suite_tools()) is frame


def faults(before, after, params):
    return {m.name: m.value for m in check(before, after, params)}


def test_check_measures_the_change_and_new_clipping():
    before = Frame(pixels=np.tile(np.linspace(0.01, 0.99, 100, dtype=np.float32)[None, :, None], (4, 1, 3)))
    params = ExposureParams(ev=1.0)
    found = faults(before, render(before, params, suite_tools()), params)
    assert found["exposure.change"] == pytest.approx(1.0, abs=1e-3)
    assert found["exposure.off"] < 0.01
    assert found["exposure.new_clipping"] == pytest.approx(0.5, abs=0.02)
    assert found["exposure.blown"] == 1.0


def test_check_notices_a_spoilt_render_even_in_the_dark():
    before = Frame(pixels=np.full((6, 6, 3), 0.001, np.float32))
    params = ExposureParams(ev=-1.0)
    assert faults(before, spoil(before, params), params)["exposure.off"] == 1.0


def test_a_black_frame_is_no_fault():
    black = Frame(pixels=np.zeros((3, 3, 3), np.float32))
    assert faults(black, black, ExposureParams(ev=2.0))["exposure.off"] == 0


def test_what_counts_as_material():
    assert operator.material(ExposureParams(ev=1.0), ExposureParams(ev=1.2))
    assert not operator.material(ExposureParams(ev=1.0), ExposureParams(ev=1.1))


def test_probe_and_operator_mean_the_same_headroom():
    assert exposure.HEADROOM_SHARE == HEADROOM_SHARE
