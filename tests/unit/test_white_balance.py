import numpy as np
import pytest

from safelight.contract import check_operator
from safelight.domain import Asset, Kind, Measure
from safelight.media.colour import LUMINANCE_709
from safelight.media.frame import Frame
from safelight.operators import Subject, Tools, Wishes
from safelight.operators import white_balance as wb
from safelight.operators.white_balance import WhiteBalanceParams, gains_of, params_of

TOOLS = Tools(kept=lambda digest: b"", weights={})
WARM = WhiteBalanceParams(mired=80.0)


def subject(name, params=None, *, cast=0.95, mood=0.05, confidence=0.6, reason=None):
    names = ("colour.cast", "colour.gains", "colour.mood", "colour.confidence", "colour.disagreement")
    if reason is not None:
        found = [Measure(name=n, cannot_tell=reason) for n in names]
    else:
        gains = gains_of(params or WhiteBalanceParams()).tolist()
        values = (cast, gains, mood, confidence, 4.0)
        found = [Measure(name=n, value=v) for n, v in zip(names, values, strict=True)]
    asset = Asset(id=name, content=None, kind=Kind.PHOTO, format="jpeg", width=60, height=40)
    return Subject(asset=asset, path=f"{name}.jpg", facts={m.name: m for m in found})


def suggest(*subjects):
    return wb.propose(subjects, Wishes())


# ---------------------------------------------------------------- params and gains


def test_defaults_are_the_identity():
    assert gains_of(WhiteBalanceParams()) == pytest.approx((1, 1, 1))
    frame = Frame(pixels=np.random.default_rng(0).random((4, 5, 3), np.float32))
    assert wb.render(frame, WhiteBalanceParams(), TOOLS) is frame


@pytest.mark.parametrize(("mired", "tint"), [(100, 0), (-50, 5), (184, -2), (10, 40), (-20, -50), (0, 0), (-100, 0)])
def test_params_come_back_from_their_gains(mired, tint):
    params = WhiteBalanceParams(mired=float(mired), tint=float(tint))
    assert params_of(gains_of(params)) == params


def test_a_warm_light_loses_red_and_a_green_light_green():
    red, _green, blue = gains_of(WARM)
    assert red < 1 < blue
    red, green, blue = gains_of(WhiteBalanceParams(tint=20.0))
    assert green < min(red, blue)


def test_gains_keep_the_luminance_of_a_neutral():
    for params in (WARM, WhiteBalanceParams(mired=-40.0, tint=-12.0)):
        assert gains_of(params) @ LUMINANCE_709 == pytest.approx(1)


def test_extreme_gains_give_params_within_bounds():
    params = params_of((0.2, 1.0, 9.0))
    assert -105 <= params.mired <= 300
    assert -60 <= params.tint <= 60


# ---------------------------------------------------------------- render and check


def test_render_is_diagonal_in_linear_srgb_and_clips_nothing():
    srgb = np.random.default_rng(1).uniform(0, 1.5, (6, 7, 3))
    frame = Frame(pixels=(srgb @ np.linalg.inv(wb.SRGB_OF_2020).T).astype(np.float32))
    after = wb.render(frame, WARM, TOOLS).pixels @ wb.SRGB_OF_2020.T
    assert after == pytest.approx(srgb * gains_of(WARM), abs=2e-5)
    assert after.max() > 1


def test_check_tells_new_clipping_and_a_neutral_in_the_wrong_place():
    bright = Frame(pixels=np.full((10, 10, 3), 0.9, np.float32))
    clipped = {m.name: m.value for m in wb.check(bright, wb.render(bright, WARM, TOOLS), WARM)}
    assert clipped["white_balance.clipped"] == 1
    assert clipped["white_balance.off"] < 0.01
    dim = Frame(pixels=np.full((10, 10, 3), 0.2, np.float32))
    left = {m.name: m.value for m in wb.check(dim, dim, WARM)}
    assert left["white_balance.off"] == 1
    assert left["white_balance.clipped"] == 0


def test_material_is_what_a_careful_viewer_names():
    assert wb.material(WARM, WhiteBalanceParams(mired=110.0))
    assert not wb.material(WARM, WhiteBalanceParams(mired=84.0))


def test_the_contract_holds():
    check_operator(wb.operator, also_emitted=wb.operator.needs)


# ---------------------------------------------------------------- propose


def test_a_clear_cast_is_corrected_with_reasons_in_numbers():
    (said,) = suggest(subject("a", WARM))
    assert said.params == WARM
    assert said.score == pytest.approx(0.6)
    assert "Too warm" in said.because[0].text
    assert "95%" in said.because[1].text
    half, as_shot = said.alternatives
    assert half == WhiteBalanceParams(mired=40.0)
    assert as_shot == WhiteBalanceParams()


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (WhiteBalanceParams(mired=-50.0), "Too cool"),
        (WhiteBalanceParams(tint=20.0), "Too green"),
        (WhiteBalanceParams(tint=-20.0), "Too magenta"),
    ],
)
def test_each_side_has_its_words(params, words):
    (said,) = suggest(subject("a", params))
    assert said.because[0].text.startswith(words)


def test_a_right_picture_and_a_small_cast_stay_as_they_are():
    for one in (subject("a", WARM, cast=0.2), subject("a", WhiteBalanceParams(mired=6.0))):
        (said,) = suggest(one)
        assert said.params == WhiteBalanceParams()


def test_mood_is_not_touched_and_doubt_abstains():
    mood, doubt = subject("a", WARM, cast=0.8, mood=0.9), subject("a", WARM, cast=0.6, mood=0.4)
    for one, code in ((mood, "mood"), (doubt, "undecided")):
        (said,) = suggest(one)
        assert said.params is None
        assert said.cannot_tell
        assert said.because[0].code == f"white_balance.{code}"


def test_what_the_probe_cannot_tell_is_passed_on():
    (said,) = suggest(subject("a", reason="the picture is black and white"))
    assert "black and white" in said.cannot_tell
    asset = Asset(id="b", content=None, kind=Kind.PHOTO, format="jpeg", width=6, height=4)
    (nothing,) = suggest(Subject(asset=asset, path="b.jpg", facts={}))
    assert "nobody measured it" in nothing.cannot_tell


def test_frames_in_the_same_light_get_the_same_correction():
    scene = [subject(str(m), WhiteBalanceParams(mired=float(m))) for m in (70, 80, 85)]
    said = suggest(*scene)
    assert {s.params for s in said} == {WARM}
    assert [s.member for s in said] == ["70", "80", "85"]
    assert "3 frames" in said[0].because[-1].text


def test_a_frame_in_other_light_is_judged_alone():
    cool = WhiteBalanceParams(mired=-60.0)
    said = suggest(subject("a", WARM), subject("b", WARM), subject("c", WARM), subject("d", cool))
    assert [s.params for s in said] == [WARM, WARM, WARM, cool]


def test_one_unsure_frame_follows_its_scene():
    said = suggest(subject("a", WARM), subject("b", WARM, cast=0.6), subject("c", WARM))
    assert [s.params for s in said] == [WARM] * 3
