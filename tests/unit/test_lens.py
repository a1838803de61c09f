"""Chains of edges, bends, and what probe and operator make of a lens."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from safelight.domain import Asset, Capture, Kind, Measure
from safelight.media import bends, image
from safelight.media.chains import chains
from safelight.media.corrections import Corrections
from safelight.media.frame import Frame
from safelight.media.picture import Picture, grey
from safelight.operators import Subject, Wishes, lens
from safelight.probes import lens as probe
from safelight.specimens import suite_tools
from tests.lens_pictures import seen_through, shelves

KNOWN = Capture(camera="Canon EOS 5D Mark III", lens="EF24-105mm f/4L IS USM", focal_mm=24.0, f_number=4.0)
PROFILE = (1.031981, 0.0, -0.160043, 0.1011443)  # of that lens there
BARREL = (1.0, 0.0, -0.06)


@pytest.fixture(scope="module")
def straight():
    return shelves()


@pytest.fixture(scope="module")
def bent(straight):
    return seen_through(straight, PROFILE)


def judged(rgb, capture=KNOWN, **options):
    return {m.name: m for m in probe.judge(Picture(rgb=rgb, capture=capture, **options))}


def said(monkeypatch, **told):
    """The probe as if the file said this."""
    monkeypatch.setattr(probe, "corrections", lambda _: Corrections(**told))
    return {"source": Path("photo.jpg")}


def suggested(facts, capture=KNOWN, *, size=(1200, 800)):
    asset = Asset(
        id="a" * 64, content=None, kind=Kind.PHOTO, format="jpeg", width=size[0], height=size[1], capture=capture
    )
    (suggestion,) = lens.operator.propose([Subject(asset=asset, path="a.jpg", facts=facts)], Wishes())
    return suggestion


# ---------------------------------------------------------------- bends


def test_undoing_a_bend_brings_every_point_back():
    rng = np.random.default_rng(3)
    there = rng.uniform(-0.7, 0.7, (500, 2))
    source = there * bends.at(PROFILE, np.hypot(*there.T))[:, None]
    assert source + bends.undoing(PROFILE)(source) == pytest.approx(there, abs=1e-5)


def test_one_polynomial_after_another():
    r = np.linspace(0, 1, 9)
    inner = r * bends.at(PROFILE, r)
    assert r * bends.at(bends.both(PROFILE, (1.001, 0.0, -0.002)), r) == pytest.approx(
        inner * bends.at((1.001, 0.0, -0.002), inner), abs=1e-12
    )


@pytest.mark.parametrize("aspect", [1.5, 2 / 3, 4 / 3])
@pytest.mark.parametrize("polynomial", [PROFILE, (1.0, 0.0, 0.08), (1.0, 0.0, -0.08)])
def test_the_filled_picture_touches_its_border_and_no_more(polynomial, aspect):
    scale = bends.filling([polynomial], aspect)
    half = np.array([aspect, 1]) / np.hypot(aspect, 1)
    run = np.linspace(-1, 1, 201)[:, None]
    border = np.concatenate([run * [half[0], 0] + [0, half[1]], run * [0, half[1]] + [half[0], 0]]) / scale
    share = np.abs(border * bends.at(polynomial, np.hypot(*border.T))[:, None]) / half
    assert share.max() == pytest.approx(1, abs=2e-3)


def test_a_straight_lens_bends_nothing():
    assert bends.bend((1.2,), 1.5) == pytest.approx(0, abs=1e-12)
    assert bends.bend(BARREL, 1.5) == pytest.approx(bends.bend((1.0, 0.0, 0.06), 1.5), rel=1e-6)
    assert bends.apart((1.001,)) == pytest.approx(0.0005)


# ---------------------------------------------------------------- lines


@pytest.mark.parametrize("k", [-0.1, -0.06, -0.03, 0.0, 0.05])
def test_long_edges_tell_the_bend(straight, k):
    there = (1.0, 0.0, k)
    guess = probe.estimate(chains(grey(seen_through(straight, there))))
    r = np.linspace(0.1, 1, 10)
    off = bends.at(guess.polynomial, r) / bends.at(there, r)
    assert np.ptp(off) < 0.012
    assert bends.bend(guess.polynomial, 1.5) == pytest.approx(bends.bend(there, 1.5), rel=0.15, abs=0.0005)
    assert (guess.gain > probe.FOUND) == (k != 0)


def test_an_edge_that_is_broken_is_followed_across_its_gaps():
    picture = np.full((400, 600), 60, np.uint8)
    picture[200:] = 190
    picture[:, 150:162] = picture[:, 330:345] = picture[:, 470:480] = 120
    longest = chains(picture).length.max() * np.hypot(600, 400) / 2
    assert longest > 500


def test_a_ring_of_edges_ends_somewhere():
    y, x = np.mgrid[:500, :500]
    disc = np.where(np.hypot(x - 250, y - 250) < 200, 200, 50).astype(np.uint8)
    assert len(chains(disc)) < 3  # arcs are too round to be chains


def test_arcs_do_not_pass_for_a_bend():
    y, x = np.mgrid[:600, :900]
    rings = ((np.hypot(x - 200, y - 150) // 37 + np.hypot(x - 700, y - 500) // 41) % 2 * 120 + 60).astype(np.uint8)
    found = judged(np.repeat(rings[..., None], 3, axis=2), Capture())
    assert found["lens.lines"].value is None


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (40, 40)])
def test_a_picture_without_room_for_edges_has_none(shape):
    assert len(chains(np.full(shape, 90, np.uint8))) == 0


# ---------------------------------------------------------------- probe


def test_an_unknown_lens_says_so_and_its_lines_speak(straight):
    found = judged(seen_through(straight, BARREL), Capture(camera="Made One", focal_mm=20.0))
    assert found["lens.profile"].cannot_tell == "lens unknown: the Made One is not in the database"
    assert found["lens.lines"].value["bend"] == pytest.approx(bends.bend(BARREL, 1.5), abs=0.001)
    assert found["lens.guess"].value is True


def test_straight_lines_make_no_guess(straight):
    found = judged(straight, Capture())
    assert found["lens.lines"].value is None
    assert "lens.guess" not in found


def test_a_raw_needs_no_lines(bent):
    found = judged(bent, is_preview=True)
    assert found["lens.already"].value["lines"] is False
    assert found["lens.bend"].value == pytest.approx(0.0078, abs=0.0005)
    assert found["lens.falloff"].value == pytest.approx(2.77, abs=0.02)
    assert "lens.guess" not in found


def test_lines_tell_whether_a_photo_was_corrected_already(straight, bent):
    before, after = judged(bent)["lens.already"].value, judged(straight)["lens.already"].value
    assert (before["lines"], after["lines"]) == (False, True)
    assert before["by"] == after["by"] == "its lines"
    assert judged(np.full((800, 1200, 3), 128, np.uint8))["lens.already"].cannot_tell


@pytest.mark.parametrize("share", [0.5, 2.2])
def test_things_bent_otherwise_than_by_the_lens_tell_nothing(straight, bent, share):
    profile = judged(bent)["lens.profile"].value["distortion"]
    curved = seen_through(straight, [float(n == 0) + share * (p - (n == 0)) for n, p in enumerate(profile)])
    assert "its lines do not tell" in judged(curved)["lens.already"].cannot_tell


def test_what_the_file_says_goes_before_its_lines(bent, monkeypatch):
    source = said(monkeypatch, lines=True, fringes=True, corners=True, by="darktable")
    assert judged(bent, **source)["lens.already"].value["by"] == "darktable"


def test_the_makers_polynomials_go_before_the_database(bent, monkeypatch):
    green = (1.02, 0.0, -0.05, 0.0, 0.01)
    source = said(monkeypatch, lines=False, by="raw", warp=((1.021, *green[1:]), green, green))
    value = judged(bent, Capture(), **source)["lens.profile"].value
    assert value["match"] == "file"
    assert tuple(value["distortion"]) == green
    assert value["red"][0] == pytest.approx(1.021 / 1.02, abs=1e-5)
    assert value["blue"] == pytest.approx([1, 0, 0, 0, 0])


# ---------------------------------------------------------------- operator


def test_a_raw_of_a_known_lens_gets_the_whole_profile(bent):
    suggestion = suggested(judged(bent, is_preview=True))
    assert suggestion.params.distortion == PROFILE
    assert suggestion.params.red != lens.NONE
    assert suggestion.params.scale == pytest.approx(1, abs=0.005)
    assert "Canon EF 24-105mm f/4L IS USM at 24 mm: straight lines bend by up to 0.8%" in suggestion.because[0].text
    assert {(a.distortion == lens.NONE, a.red == lens.NONE) for a in suggestion.alternatives} == {
        (True, False), (False, True),
    }  # fmt: skip


def test_nothing_is_done_twice(bent, straight, monkeypatch):
    assert suggested(judged(straight)).params == lens.LensParams()
    source = said(monkeypatch, lines=True, fringes=True, corners=True, by="Lightroom")
    suggestion = suggested(judged(bent, **source))
    assert suggestion.params == lens.LensParams()
    assert "corrected already, by Lightroom" in suggestion.because[0].text


def test_what_nobody_says_and_lines_do_not_tell_is_left_to_people():
    suggestion = suggested(judged(np.full((800, 1200, 3), 128, np.uint8)))
    assert suggestion.params is None
    assert "does not say whether its lens was corrected" in suggestion.cannot_tell
    assert suggestion.alternatives[0].distortion == PROFILE


def test_a_guess_is_worth_less_and_says_so(straight):
    suggestion = suggested(judged(seen_through(straight, BARREL), Capture(camera="Made One", focal_mm=20.0)))
    assert suggestion.score == lens.GUESSED
    assert "this is a guess" in suggestion.because[0].text
    assert "Lens unknown: the Made One" in suggestion.because[1].text


def test_the_lens_comes_off_the_picture(straight, bent):
    params = replace(lens.LensParams(), distortion=PROFILE)
    after = lens.render(image.frame_of(bent), params, suite_tools())
    before = image.frame_of(straight)
    inside = np.abs(np.sqrt(np.clip(after.pixels - 0, 0, 1)) - np.sqrt(before.pixels))[80:-80, 120:-120]
    assert inside.mean() < 0.02  # two cubics apart
    checks = {m.name: m for m in lens.check(image.frame_of(bent), after, params)}
    assert checks["lens.misplaced"].value < 0.1
    assert checks["lens.bent"].value == 0
    assert checks["lens.empty"].value < 0.5


def test_check_sees_lines_that_became_less_straight(straight):
    before = image.frame_of(straight)
    params = lens.LensParams(distortion=(1.0, 0.0, -0.06), scale=1.0)
    after = lens.render(before, params, suite_tools())
    assert {m.name: m for m in lens.check(before, after, params)}["lens.bent"].value >= 0.5


def test_check_sees_corners_without_picture():
    frame = Frame(pixels=np.random.default_rng(1).random((80, 120, 3)).astype(np.float32))
    params = lens.LensParams(distortion=(1.0, 0.0, 0.2))
    measures = {m.name: m for m in lens.check(frame, lens.render(frame, params, suite_tools()), params)}
    assert measures["lens.empty"].value >= 0.5


def test_material_is_told_by_where_points_go():
    one = lens.LensParams(distortion=(1.0, 0.0, -0.06))
    assert not lens.material(one, replace(one, distortion=(1.0, 0.0, -0.061), profile="other words"))
    assert lens.material(one, replace(one, distortion=(1.0, 0.0, -0.07)))
    assert lens.material(one, replace(one, scale=1.02))


def test_params_need_a_coefficient():
    with pytest.raises(ValueError, match="distortion needs one"):
        lens.LensParams(distortion=())


def test_the_real_pair(shared):
    """Long lines of the real building are straight once the profile is applied."""
    folder = shared / "pairs" / "lens"
    rgb = image.read(folder / "building_distorted.jpg")
    capture = Capture(camera="Sony ILCE-7M3", lens="FE 16-35mm F2.8 GM", focal_mm=16.0, f_number=8.0)
    found = judged(rgb, capture, source=folder / "building_distorted.jpg")
    params = suggested(found, capture, size=(1200, 799)).params
    before, after = (chains(grey(picture)) for picture in (rgb, lens_rendered(rgb, params)))
    bent, straight = (np.median(seen.bend[seen.length > 0.25] ** 2) ** 0.5 for seen in (before, after))
    assert straight < 0.65 * bent
    assert (
        straight < 0.0006
    )  # half diagonals, 0.4 of a pixel over edges followed across gaps; the photographer: 0.00032


def lens_rendered(rgb, params):
    from safelight.media.write import to_srgb8

    return to_srgb8(lens.render(image.frame_of(rgb), params, suite_tools()))


def test_facts_that_are_missing_are_told(bent):
    assert suggested({}).cannot_tell == "The lens was not looked up."
    facts = judged(bent, is_preview=True)
    facts["lens.already"] = Measure(name="lens.already", cannot_tell="not told in this test")
    assert suggested(facts).params is None
