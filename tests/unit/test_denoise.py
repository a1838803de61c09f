"""Noise is modelled by light and by frequency, and taken out as strongly as it was measured."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import simplejpeg

from bench import _noise
from bench.denoise import Case, known_noise, proposed, treated
from safelight.contract import check_operator, check_probe
from safelight.domain import Asset, Capture, Group, GroupKind, Kind, Measure
from safelight.media.colour import linear_of_srgb
from safelight.media.frame import Frame, scaling
from safelight.media.noise import MIX, UNMIX, NoiseModel, mixed, stable, unbiased, unstable, variances_of
from safelight.media.picture import Picture
from safelight.operators import Subject, Wishes
from safelight.operators import denoise as operator_module
from safelight.operators._shrink import SIDE, Effort, clean
from safelight.operators.denoise import (
    CHROMA,
    GRAIN,
    LUMA,
    MARGIN,
    DenoiseParams,
    Quality,
    check,
    operator,
    propose,
    render,
    spoil,
)
from safelight.probes import noise_model, raw_noise
from safelight.specimens import suite_tools
from tests.made_files import make_dng

TOOLS = suite_tools()
EXAMPLE = operator.examples[0]


def photo(size=(384, 512), seed=1):
    """Coloured discs on a soft ground with some fine texture, sRGB bytes."""
    rng = np.random.default_rng(seed)
    picture = cv2.resize(rng.uniform(60, 180, (6, 8, 3)).astype(np.float32), size[::-1], interpolation=cv2.INTER_CUBIC)
    for _ in range(20):
        centre = int(rng.integers(size[1])), int(rng.integers(size[0]))
        cv2.circle(picture, centre, int(rng.integers(8, 40)), rng.uniform(40, 200, 3).tolist(), -1, cv2.LINE_AA)
    texture = cv2.GaussianBlur(rng.standard_normal(size).astype(np.float32), (0, 0), 0.8) * 25
    picture[: size[0] // 3] += texture[: size[0] // 3, :, None]
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)


def noisy(iso, *, correlated=False, size=(384, 512)):
    return _noise.add(photo(size), iso, seed=(3, iso), correlated=correlated)


def model_of(rgb):
    found = {m.name: m for m in noise_model.measured(noise_model.tiles(rgb))}
    return found["noise.model"].value, found["noise.level"].value


def subject(name, facts, *, capture=None, groups=()):
    asset = Asset(
        id=name, content=None, kind=Kind.PHOTO, format="jpeg", width=512, height=384, capture=capture or Capture()
    )
    return Subject(asset=asset, path=f"{name}.jpg", facts=facts, groups=groups, scene="scene")


def facts(level=9.0, *, noise=0.9, offset=0.01, times=1.0):
    value = {
        "slope": [times * v for v in (0.003, 0.0015, 0.002)],
        "offset": offset,
        "density": [[0.002] * 7, [0.004] * 7, [0.002] * 7],
    }
    return {
        "noise": Measure(name="noise", value=noise),
        "noise.model": Measure(name="noise.model", value=value),
        "noise.level": Measure(name="noise.level", value=level),
    }


# ---------------------------------------------------------------- the stable scale


def test_the_stable_scale_goes_there_and_back():
    light = np.array([[[-0.2, 0.0, 0.3]], [[1.0, 40.0, 1e-7]]], np.float32)
    assert unstable(stable(light, 0.02), 0.02) == pytest.approx(light, abs=2e-5, rel=1e-5)


@pytest.mark.parametrize("light", [0.02, 0.2, 0.7])
def test_noise_is_as_strong_everywhere_on_the_stable_scale(light):
    slope, offset = 2e-3, 0.01
    grain = np.random.default_rng(1).standard_normal(40_000)
    seen = light + np.sqrt(slope * (light + offset)) * grain
    assert stable(seen.astype(np.float32), offset).std() == pytest.approx(slope**0.5, rel=0.06)


@pytest.mark.parametrize("light", [0.0, 0.005, 0.05, 0.5])
def test_the_mean_of_what_is_cut_off_at_black_comes_back(light):
    slope, offset = 4e-3, 0.02
    grain = np.random.default_rng(2).standard_normal(100_000)
    seen = np.maximum(light + np.sqrt(slope * (light + offset)) * grain, 0).astype(np.float32)
    mean = np.array([stable(seen, offset).mean()], np.float32)
    assert unbiased(mean, offset, slope)[0] == pytest.approx(light, abs=1.5e-3)


def test_mixing_is_undone():
    values = np.random.default_rng(3).random((4, 5, 3)).astype(np.float32)
    assert np.stack(mixed(np.stack(mixed(values, MIX), -1), UNMIX), -1) == pytest.approx(values, abs=1e-6)


def test_white_noise_has_the_same_variance_in_every_coefficient_and_less_in_a_smaller_picture():
    assert variances_of([0.3] * 7, SIDE) == pytest.approx(0.3)
    assert variances_of([0.3] * 7, SIDE, scale=0.5) == pytest.approx(0.3 / 4)


# ---------------------------------------------------------------- the model


@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize("iso", [3200, 12800])
def test_the_noise_is_found_on_the_noisy_photo(iso, correlated):
    _, level = model_of(noisy(iso, correlated=correlated).picture)
    electrons = 40_000 * 100 / iso
    truth = np.sqrt(0.18 / electrons + (3 / electrons) ** 2) * 1.055 / 2.4 * 0.18 ** (1 / 2.4 - 1) * 255
    assert level == pytest.approx(truth, rel=0.3)


def test_correlated_noise_is_found_to_be_coarser():
    steep = [model_of(noisy(6400, correlated=c).picture)[0]["density"][2] for c in (False, True)]
    assert steep[0][6] / steep[0][4] > 0.7
    assert steep[1][6] / steep[1][4] < 0.4


def test_luma_is_heard_where_a_jpeg_has_halved_the_colour():
    made = noisy(6400, correlated=True).picture
    halved = simplejpeg.decode_jpeg(simplejpeg.encode_jpeg(made, quality=92, colorsubsampling="420"))
    whole, less = (model_of(rgb)[0]["density"] for rgb in (made, halved))
    assert less[2][5] < 0.4 * whole[2][5]
    assert less[0][5] > 0.6 * whole[0][5]


def test_a_picture_without_noise_is_not_modelled():
    picture = Picture(rgb=photo())
    picture.facts = {"noise.sigma": Measure(name="noise.sigma", value=0.4)}
    assert noise_model.judge(picture) == ()


def test_why_nothing_is_told():
    unheard = noise_model.judge(Picture(rgb=photo()))
    assert {m.cannot_tell for m in unheard} == {"the noise was not measured"}
    black = noise_model.measured(np.zeros((64, 32, 32, 3), np.uint8))
    assert "black or white" in black[0].cannot_tell
    assert "too small" in noise_model.measured(np.zeros((9, 32, 32, 3), np.uint8))[0].cannot_tell
    seen = Picture(rgb=photo(), is_preview=True, facts={"noise.sigma": Measure(name="noise.sigma", value=5.0)})
    assert noise_model.judge(seen) == ()


def test_the_model_is_no_louder_than_what_is_heard_in_the_whole_picture():
    cut = noise_model.tiles(noisy(6400).picture)
    loud, held = (
        {m.name: m.value for m in noise_model.measured(cut, sigma=sigma)}["noise.level"] for sigma in (None, 1.0)
    )
    assert loud > 4
    assert held == pytest.approx(noise_model.LOUDER, rel=0.01)


def test_a_noisy_raw_is_developed_and_measured(tmp_path):
    path = make_dng(tmp_path / "one.dng")
    loud = Picture(rgb=noisy(12800).picture, is_preview=True, source=path)
    assert {m.name for m in raw_noise.judge(loud)} == set(raw_noise.probe.emits)
    assert raw_noise.judge(Picture(rgb=photo(), is_preview=True, source=path)) == ()
    assert raw_noise.judge(Picture(rgb=noisy(12800).picture, source=path)) == ()
    path.write_bytes(path.read_bytes()[:4000])
    assert all("developed" in m.cannot_tell for m in raw_noise.judge(loud))


def test_tiles_are_spread_over_large_pictures_and_all_of_small_ones():
    y, x = np.mgrid[:2048, :3072]
    cut = noise_model.tiles(np.stack([x // 32, y // 32, x * 0], -1).astype(np.uint8))
    assert 200 <= len(cut) <= 300
    assert np.ptp(cut[..., 0]) > 88
    assert np.ptp(cut[..., 1]) > 56
    assert len(noise_model.tiles(np.zeros((64, 96, 3), np.uint8))) == 6
    assert len(noise_model.tiles(np.zeros((8, 96, 3), np.uint8))) == 0


# ---------------------------------------------------------------- what is done


@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize("quality", list(Quality))
def test_it_is_nearer_to_the_clean_photo_and_keeps_its_texture(correlated, quality):
    made = noisy(6400, correlated=correlated)
    params = replace(proposed(made.picture), quality=quality)
    before, after = (_noise.judged(made.clean, rgb[made.part]) for rgb in (made.picture, treated(made.picture, params)))
    assert after["psnr"] > before["psnr"] + 3
    assert after["ssim"] > before["ssim"] + 0.02
    assert after["texture"] > before["texture"]
    assert after["share"] > 0.6


def test_it_is_nearer_than_non_local_means_and_bayes_shrink():
    made = noisy(6400, correlated=True)
    part = np.ascontiguousarray(made.picture[made.part])
    mine = _noise.judged(made.clean, treated(part, proposed(made.picture)))
    others = [_noise.nlm(part, h) for h in (4, 8, 12)] + [_noise.bayes_shrink(part)]
    assert all(mine["psnr"] > _noise.judged(made.clean, other)["psnr"] for other in others)


def test_colour_is_treated_more_strongly_and_grain_stays():
    made = noisy(12800)
    left = mixed(linear_of_srgb(treated(made.picture, proposed(made.picture))) - linear_of_srgb(photo()), MIX)
    was = mixed(linear_of_srgb(made.picture) - linear_of_srgb(photo()), MIX)
    flat = slice(200, None)
    grey, orange, _ = (float(a[flat].std() / b[flat].std()) for a, b in zip(left, was, strict=True))
    assert orange < grey
    params = proposed(made.picture)
    grain, none = (treated(made.picture, replace(params, grain=g)).astype(float) for g in (0.3, 0.0))
    assert np.square(np.diff(grain, axis=1)).mean() > 1.2 * np.square(np.diff(none, axis=1)).mean()


def test_twice_the_strength_takes_more_and_none_takes_nothing():
    light = linear_of_srgb(noisy(6400).picture)
    frame = Frame(pixels=light)
    params = proposed(noisy(6400).picture)
    taken = [
        float(np.abs(render(frame, replace(params, luma=s, chroma=s), TOOLS).pixels - light).mean())
        for s in (0.0, 0.5, 1.0, 2.0)
    ]
    assert taken[0] == 0
    assert taken == sorted(taken)


def test_one_strength_alone_works():
    frame = Frame(pixels=linear_of_srgb(noisy(6400).picture))
    params = proposed(noisy(6400).picture)
    for only in ({"luma": 0.0}, {"chroma": 0.0}):
        assert not np.array_equal(render(frame, replace(params, **only), TOOLS).pixels, frame.pixels)


def test_a_smaller_picture_is_treated_for_the_noise_that_is_left_in_it():
    made = noisy(12800, size=(640, 960))
    params = proposed(made.picture)
    small, truth = (
        cv2.resize(linear_of_srgb(rgb), (480, 320), interpolation=cv2.INTER_AREA)
        for rgb in (made.picture, photo((640, 960)))
    )
    told = Frame(pixels=small, geometry=scaling(0.5, 0.5))
    error = [
        float(np.square(render(frame, replace(params, grain=0.0), TOOLS).pixels - truth).mean())
        for frame in (told, Frame(pixels=small))
    ]
    assert error[0] < error[1]
    assert error[0] < 0.6 * float(np.square(small - truth).mean())


def test_a_plane_without_noise_stays():
    plane = cv2.resize(np.random.default_rng(1).random((6, 6)).astype(np.float32), (64, 64))
    nothing = [np.full((SIDE, SIDE), 1e-12)] * 2
    done = clean(plane, nothing, Effort(first=4, second=16, sizes=2, threshold=2.7))
    assert done[16:-16, 16:-16] == pytest.approx(plane[16:-16, 16:-16], abs=1e-4)


def test_wide_pictures_are_worked_on_in_parts_that_leave_no_seam(monkeypatch):
    frame = Frame(pixels=linear_of_srgb(noisy(6400, size=(96, 700)).picture))
    whole = render(frame, EXAMPLE, TOOLS).pixels
    monkeypatch.setattr(operator_module, "WIDE", 288)
    assert render(frame, EXAMPLE, TOOLS).pixels == pytest.approx(whole, abs=1e-5)


def test_the_margin_covers_what_is_reached():
    for luma, chroma in operator_module.EFFORTS.values():
        assert luma.reach + 2 * operator_module.RADIUS + chroma.reach <= MARGIN


# ---------------------------------------------------------------- proposals


def test_a_noisy_photo_gets_a_proposal_with_its_numbers():
    (made,) = propose([subject("a", facts(10.5), capture=Capture(iso=6400))], Wishes())
    assert (made.params.luma, made.params.chroma, made.params.grain) == (LUMA[1], CHROMA[1], GRAIN)
    assert made.params.slope == (0.003, 0.0015, 0.002)
    assert made.because[0].text == (
        "Noise of about 4.1% of white in the mid-tones, at ISO 6,400; it is seen at the size of a screen."
    )
    assert made.score == 0.9


def test_little_noise_is_treated_less_strongly():
    (little,), (much,) = (propose([subject("a", facts(level))], Wishes()) for level in (2.0, 9.0))
    assert little.params.luma < much.params.luma
    assert little.params.chroma < much.params.chroma


def test_nothing_is_proposed_where_no_noise_is_seen():
    assert propose([subject("a", facts(2.0, noise=0.1)), subject("b", facts(3.9, noise=0.49))], Wishes()) == []


def test_noise_that_is_seen_at_full_size_alone_is_enough():
    (made,) = propose([subject("a", facts(6.0, noise=0.1))], Wishes())
    assert made.because[0].text.endswith("it is seen at full size.")
    assert made.score == 0.5


def test_the_raw_is_believed_before_its_preview():
    of_raw = {f"raw.{name}": measure for name, measure in facts(8.0, offset=0.2).items() if name != "noise"}
    (made,) = propose([subject("a", {"noise": Measure(name="noise", value=0.01), **of_raw})], Wishes())
    assert made.params.offset == 0.2


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ({}, "The noise was not measured."),
        (
            {"noise": Measure(name="noise", cannot_tell="the picture has no colour")},
            "The noise cannot be told: the picture has no colour.",
        ),
        (
            {
                "noise": Measure(name="noise", value=0.9),
                "noise.model": Measure(name="noise.model", cannot_tell="nothing is smooth"),
            },
            "The noise cannot be told: nothing is smooth.",
        ),
    ],
)
def test_it_abstains_and_says_why(found, why):
    (made,) = propose([subject("a", found)], Wishes())
    assert made.params is None
    assert made.cannot_tell == why


def test_one_camera_at_one_sensitivity_gets_the_same_in_a_scene():
    one, other = (Capture(camera="Maker Model", serial="1", iso=iso) for iso in (6400, 3200))
    made = propose(
        [
            subject("a", facts(offset=0.01), capture=one),
            subject("b", facts(offset=0.03), capture=one),
            subject("c", facts(offset=0.05), capture=other),
            subject("d", facts(offset=0.07)),
        ],
        Wishes(),
    )
    assert [s.params.offset for s in made] == [0.02, 0.02, 0.05, 0.07]
    assert "the middle of 2 photos" in made[0].because[0].text


def test_a_noisy_photo_without_a_smooth_place_takes_what_the_others_have():
    camera = Capture(camera="Maker Model", iso=6400)
    textured = {
        "noise": Measure(name="noise", value=0.8),
        "noise.model": Measure(name="noise.model", cannot_tell="nothing is smooth"),
    }
    photos = [subject("a", facts(), capture=camera), subject("b", textured, capture=camera)]
    assert [s.params is None for s in propose(photos, Wishes())] == [False, False]
    assert [s.params is None for s in propose(photos[1:], Wishes())] == [True]


def test_a_photo_with_clearly_less_noise_is_not_treated_for_that_of_others():
    camera = Capture(camera="Maker Model", iso=6400)
    noisy = [subject(name, facts(8.0), capture=camera) for name in "abc"]
    grainy, clean = (
        subject("d", facts(4.5, times=0.3), capture=camera),
        subject("e", facts(1.5, noise=0.01, times=0.1), capture=camera),
    )
    made = {s.member: s.params for s in propose([*noisy, grainy, clean], Wishes())}
    assert made.keys() == {"a", "b", "c", "d"}
    assert made["d"].slope < made["a"].slope


def test_a_scene_that_is_mostly_not_seen_to_be_noisy_is_left_alone():
    camera = Capture(camera="Maker Model", iso=800)
    quiet = [subject(name, facts(1.5, noise=0.1), capture=camera) for name in "abc"]
    assert propose([*quiet, subject("d", facts(4.5, noise=0.1), capture=camera)], Wishes()) == []


def test_frames_of_a_bracket_are_left_alone():
    bracket = Group(id="g", kind=GroupKind.BRACKET, members=("a", "b"), by="groups@1")
    assert propose([subject("a", facts(), groups=(bracket,))], Wishes()) == []


def test_params_refuse_a_density_of_another_shape():
    with pytest.raises(ValueError, match="three rows"):
        DenoiseParams(density=((0.1,), (0.1,), (0.1,)))


# ---------------------------------------------------------------- checks


def test_an_honest_render_passes_and_a_smooth_one_does_not():
    made = noisy(6400)
    frame, params = Frame(pixels=linear_of_srgb(made.picture)), proposed(made.picture)
    honest = {m.name: m.value for m in check(frame, render(frame, params, TOOLS), params) if m.unit == "fault"}
    assert max(honest.values()) < 0.5
    smooth = {m.name: m.value for m in check(frame, spoil(frame, params), params)}
    assert smooth["denoise.oversmoothed"] >= 0.5


def test_moved_colour_is_a_fault():
    made = noisy(6400)
    frame, params = Frame(pixels=linear_of_srgb(made.picture)), proposed(made.picture)
    warm = frame.with_pixels(frame.pixels * np.float32((1.08, 1.0, 0.92)))
    assert {m.name: m.value for m in check(frame, warm, params)}["denoise.colour_moved"] >= 0.5


def test_overshoot_is_a_fault():
    made = noisy(6400)
    frame, params = Frame(pixels=linear_of_srgb(made.picture)), proposed(made.picture)
    soft = cv2.GaussianBlur(frame.pixels, (0, 0), 3)
    halo = frame.with_pixels(np.maximum(frame.pixels + 3 * (frame.pixels - soft), 0).astype(np.float32))
    assert {m.name: m.value for m in check(frame, halo, params)}["denoise.halo"] >= 0.5


def test_a_touch_is_not_material():
    assert not operator.material(EXAMPLE, replace(EXAMPLE, luma=LUMA[1] + 0.1))
    assert operator.material(EXAMPLE, replace(EXAMPLE, luma=0.3))
    assert operator.material(EXAMPLE, replace(EXAMPLE, grain=0.5))


def test_a_model_tells_its_deviation():
    model = NoiseModel(slope=(0.002, 0.001, 0.0016), offset=0.01, density=((0.0,) * 7,) * 3)
    assert model.deviation(0.18) == pytest.approx((0.001 * 0.19) ** 0.5)


@pytest.mark.parametrize(
    "promise",
    [lambda: check_operator(operator), lambda: check_probe(noise_model.probe), lambda: check_probe(raw_noise.probe)],
)
def test_contract(promise):
    promise()


# ---------------------------------------------------------------- the bench


def test_the_bench_names_its_figures_and_sets_the_better_peer_as_the_bar():
    figures = {
        way: {"psnr": value, "ssim": 0.9, "share": 0.8, "texture": 0.8}
        for way, value in (
            ("final", 33.0), ("preview", 32.0), ("no_grain", 33.1), ("noisy", 27.0), ("bayes_shrink", 31.0),
            ("nlm 4", 30.0), ("nlm 8", 32.5),
        )
    }  # fmt: skip
    some = [Case(iso=6400, correlated=flag, told=True, figures=figures) for flag in (False, True)]
    results = {r.name: r for r in known_noise(some)}
    assert results["denoise.coverage"].value == 1
    assert results["denoise.psnr"].bar == 32.5
    assert results["denoise.psnr"].held
    assert results["denoise.iso6400.psnr"].beside["preview"] == 32.0
    assert results["denoise.share"].bar is None
