"""Black and white is proposed where colours are what is wrong, for few photos, with weights that keep things apart."""

import numpy as np
import pytest

from safelight.contract import check_operator, check_probe
from safelight.domain import Asset, Kind, Measure
from safelight.media import greys
from safelight.media.colour import linear_of_srgb, srgb8
from safelight.media.frame import Frame
from safelight.media.picture import Picture
from safelight.operators import Subject, Wishes
from safelight.operators.black_and_white import BlackAndWhiteParams, check, material, operator, render
from safelight.probes import hues
from safelight.specimens import suite_tools

TONES = [[share, ev] for share, ev in ((0.01, -8.0), (0.05, -6.0), (0.5, -3.0), (0.95, -0.5), (0.99, -0.1))]
MIXED = {"colour.cast": 0.55, "colour.disagreement": 12.0}
QUIET = {"noise": 0.1, "noise.sigma": 1.0}


def told(**others):
    facts = {
        "colour.cast": 0.1, "colour.gains": [1.1, 1.0, 0.8], "colour.mood": 0.2, "colour.confidence": 0.3,
        "colour.disagreement": 2.0, "luma.quantiles": TONES, "hues.subject": [0.3, 0, 0, 0, 0, 0],
        "hues.ground": [0, 0, 0.3, 0, 0, 0], "hues.apart": 0.1, **QUIET, **others,
    }  # fmt: skip
    return {name: Measure(name=name, value=value) for name, value in facts.items()}


def with_names(**given):
    return {name.replace("__", "."): value for name, value in given.items()}


def suggested(*facts):
    assets = [
        Asset(id=f"{i}", content=None, kind=Kind.PHOTO, format="jpeg", width=9, height=9) for i in range(len(facts))
    ]
    subjects = [Subject(asset=a, path=f"{a.id}.jpg", facts=f) for a, f in zip(assets, facts, strict=True)]
    return operator.propose(subjects, Wishes())


def squares(*colours):
    """A picture of vertical bars, 60 x 40 px each."""
    return np.concatenate([np.full((40, 60, 3), colour, np.uint8) for colour in colours], axis=1)


def grey_of(rgb, **given):
    frame = Frame(pixels=linear_of_srgb(rgb))
    return srgb8(render(frame, BlackAndWhiteParams(amount=100.0, **given), suite_tools()).pixels)


def test_operator_and_probe_keep_their_contracts():
    check_operator(operator)
    check_probe(hues.probe)


def test_no_colour_is_left_and_greys_stay():
    rgb = squares((200, 40, 40), (40, 120, 60), (128, 128, 128))
    out = grey_of(rgb, red=50.0, green=-30.0)
    assert np.ptp(out.astype(int), axis=2).max() == 0
    assert out[0, -1].tolist() == [128, 128, 128]


@pytest.mark.parametrize(
    ("name", "colour"), [("red", (200, 40, 40)), ("green", (60, 180, 60)), ("blue", (40, 60, 200))]
)
def test_a_weight_moves_its_hue_alone(name, colour):
    rgb = squares(colour, (150, 150, 150))
    plain, lifted = grey_of(rgb), grey_of(rgb, **{name: 60.0})
    assert lifted[0, 0, 0] > plain[0, 0, 0] + 10
    assert lifted[0, -1, 0] == plain[0, -1, 0]


def test_shares_of_hues_add_up_to_the_saturation():
    light = np.array([[[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.4, 0.4, 0.4], [0.9, 0.45, 0.0]]])
    shares = greys.hue_shares(light)[0]
    assert shares.sum(axis=1) == pytest.approx([1, 1, 0, 1], abs=0.05)
    assert shares[0, greys.HUES.index("red")] > 0.95
    assert shares[1, greys.HUES.index("yellow")] > 0.95
    assert shares[3, :2] == pytest.approx([0.5, 0.5], abs=0.02)


def test_the_probe_sees_what_stands_out_and_its_surroundings():
    rgb = np.full((200, 300, 3), (60, 140, 60), np.uint8)
    rgb[60:140, 100:200] = (190, 40, 40)
    rgb[60:140:4, 100:200] = (170, 30, 30)
    found = {m.name: m.value for m in hues.measure(Picture(rgb=rgb))}
    assert int(np.argmax(found["hues.subject"])) == greys.HUES.index("red")
    assert int(np.argmax(found["hues.ground"])) == greys.HUES.index("green")
    assert found["hues.apart"] < 0


def test_ordinary_photos_get_no_proposal():
    assert list(suggested(told(), told())) == []


def test_mixed_light_and_strong_noise_get_one_with_reasons():
    mixed, noisy = suggested(told(**MIXED))[0], suggested(told(**with_names(noise=0.99, noise__sigma=14.0)))[0]
    assert [b.code for b in mixed.because][:2] == ["black_and_white.light", "black_and_white.structure"]
    assert noisy.because[0].code == "black_and_white.noise"
    assert mixed.params.amount == 100


def test_weights_keep_what_stands_out_apart():
    made = suggested(told(**MIXED))[0]
    assert made.params.red > 0 > made.params.green
    assert made.because[-1].code == "black_and_white.apart"
    assert made.alternatives == (BlackAndWhiteParams(amount=100.0),)
    darker = suggested(told(**MIXED, **with_names(hues__apart=-0.1)))[0]
    assert darker.params.red < 0 < darker.params.green


def test_what_light_keeps_apart_needs_no_weights():
    made = suggested(told(**MIXED, **with_names(hues__apart=2.0)))[0]
    assert made.params == BlackAndWhiteParams(amount=100.0)
    assert made.alternatives == ()


def test_colours_that_carry_the_picture_stay():
    assert list(suggested(told(**MIXED, **with_names(colour__mood=0.9)))) == []


def test_flat_pictures_have_nothing_to_carry_them():
    flat = [[share, ev / 5] for share, ev in TONES]
    assert list(suggested(told(**MIXED, **with_names(luma__quantiles=flat)))) == []


def test_few_of_a_shoot_at_most():
    assert len(suggested(*[told(**MIXED)] * 100)) == 3
    assert len(suggested(*[told(**MIXED)] * 5)) == 1


def test_without_evidence_nothing_is_said():
    assert list(suggested({})) == []


def test_check_sees_a_tint_that_was_not_asked_for():
    before = Frame(pixels=linear_of_srgb(squares((200, 90, 40), (60, 120, 160))))
    given = BlackAndWhiteParams(amount=100.0)
    after = render(before, given, suite_tools())
    tinted = after.with_pixels(after.pixels * np.array((1.2, 1, 0.8), np.float32))

    def colour(result):
        return next(m.value for m in check(before, result, given) if m.name == "black_and_white.colour")

    assert colour(after) < 0.1
    assert colour(tinted) > 0.5


def test_material_changes():
    plain = BlackAndWhiteParams(amount=100.0)
    assert not material(plain, BlackAndWhiteParams(amount=100.0, red=10.0))
    assert material(plain, BlackAndWhiteParams(amount=100.0, red=40.0))
    assert material(plain, BlackAndWhiteParams())
