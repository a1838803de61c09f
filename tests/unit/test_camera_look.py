import numpy as np
import pytest

from safelight.domain import Asset, Kind, Measure
from safelight.media import raw
from safelight.media.colour import REC2020_FROM_SRGB, SRGB_FROM_REC2020, decode, delta_e, encode, srgb8
from safelight.media.frame import Frame
from safelight.media.look import KNOTS, NO_CURVE, NO_MATRIX, PLACES, TOP, apply_look, fit_look
from safelight.media.picture import Picture
from safelight.operators import Subject, Wishes
from safelight.operators.camera_look import CameraLookParams, operator
from safelight.probes.camera_look import measure, probe
from tests.made_files import make_dng, photo

MATRIX = np.array([[1.2, -0.15, -0.05], [-0.08, 1.14, -0.06], [-0.02, -0.2, 1.22]])


def contrast(code):
    return code + 0.2 * (code - 0.5) * (1 - np.abs(2 * np.clip(code, 0, 1) - 1))


@pytest.fixture
def light():
    return np.random.default_rng(2).uniform(0.001, 0.7, (1500, 3)) ** 1.7


def shown_by(light):
    return np.clip(contrast(encode(light @ MATRIX.T)), 0, 1)


def test_neutral_look_changes_nothing(light):
    pixels = light.astype(np.float32).reshape(50, 30, 3) * 3 - 0.2
    np.testing.assert_allclose(apply_look(pixels, NO_MATRIX, NO_CURVE), pixels, atol=2e-5)


def test_fit_finds_matrix_and_curve_again(light):
    matrix, curve = fit_look(light, shown_by(light), np.ones(len(light)))
    found = apply_look((light @ REC2020_FROM_SRGB.T).astype(np.float32)[None], matrix, curve)[0]
    assert np.abs(np.clip(encode(found @ SRGB_FROM_REC2020.T), 0, 1) - shown_by(light)).mean() < 0.002
    np.testing.assert_allclose(np.reshape(matrix, (3, 3)), MATRIX, atol=0.02)
    np.testing.assert_allclose(np.sum(np.reshape(matrix, (3, 3)), axis=1), 1, atol=1e-5)


def test_fit_ignores_outliers(light):
    shown = shown_by(light)
    shown[::12] = np.random.default_rng(3).random((len(shown[::12]), 3))
    matrix, curve = fit_look(light, shown, np.ones(len(light)))
    inner = (PLACES > 0.15) & (PLACES < 0.9)
    np.testing.assert_allclose(np.array(curve)[inner], contrast(PLACES[inner]), atol=0.03)
    np.testing.assert_allclose(np.reshape(matrix, (3, 3)), MATRIX, atol=0.1)


def test_clipped_highlights_do_not_bend_the_curve():
    light = np.repeat(np.linspace(0, 1.4, 1200)[:, None], 3, 1)
    _, curve = fit_look(light, np.clip(encode(light), 0, 1), np.ones(len(light)))
    np.testing.assert_allclose(np.array(curve)[PLACES < 0.95], PLACES[PLACES < 0.95], atol=0.01)
    assert curve[-1] >= 1


def test_curve_never_falls(light):
    _, curve = fit_look(light, shown_by(light)[::-1], np.ones(len(light)))
    assert np.all(np.diff(curve) >= 0)


def test_probe_brings_the_raw_close_to_its_preview(tmp_path):
    path = make_dng(tmp_path / "a.dng", orientation=6)
    preview = raw.preview(path)
    look, error = measure(Picture(rgb=preview, is_preview=True, source=path))
    frame = raw.develop(path)
    bare = delta_e(srgb8(frame.pixels), preview).mean()
    rendered = operator.render(frame, CameraLookParams(**{k: tuple(v) for k, v in look.value.items()}), None)
    assert error.value < 1.5
    assert delta_e(srgb8(rendered.pixels), preview).mean() < 2 < bare


def test_probe_says_nothing_about_other_files(tmp_path):
    assert measure(Picture(rgb=photo())) == ()
    assert measure(Picture(rgb=photo(), source=tmp_path / "a.jpg")) == ()


def test_probe_abstains_on_a_preview_of_something_else(tmp_path):
    path = make_dng(tmp_path / "a.dng")
    noise = np.random.default_rng(1).integers(0, 256, (160, 240, 3), dtype=np.uint8)
    for strange in (noise, np.full((160, 240, 3), 90, np.uint8), noise[:, :100]):
        answers = measure(Picture(rgb=strange, is_preview=True, source=path))
        assert [m.name for m in answers] == list(probe.emits)
        assert all(m.cannot_tell for m in answers)


def test_probe_abstains_on_a_truncated_raw(tmp_path):
    path = make_dng(tmp_path / "a.dng")
    preview = raw.preview(path)
    path.write_bytes(path.read_bytes()[:-1000])
    answers = measure(Picture(rgb=preview, is_preview=True, source=path))
    assert "ends early" in answers[0].cannot_tell


def subject(**facts):
    asset = Asset(id="a" * 64, content=None, kind=Kind.PHOTO, format="dng", width=1, height=1)
    return Subject(asset=asset, path="a.dng", facts=facts)


def test_operator_proposes_what_was_fitted():
    value = {"matrix": NO_MATRIX, "curve": [min(1.0, x * 1.1) for x in NO_CURVE]}
    facts = {"raw.look": Measure(name="raw.look", value=value), "raw.look.error": Measure(name="e", value=1.2)}
    (suggestion,) = operator.propose([subject(**facts)], Wishes())
    assert suggestion.params.curve[3] == pytest.approx(1.1 * NO_CURVE[3])
    assert "1.2" in suggestion.because[0].text
    assert suggestion.score > 0.9


def test_operator_abstains_with_the_probes_reason_and_skips_other_files():
    facts = {name: Measure(name=name, cannot_tell="No preview.") for name in probe.emits}
    (suggestion,) = operator.propose([subject(**facts)], Wishes())
    assert suggestion.cannot_tell == "No preview."
    assert operator.propose([subject()], Wishes()) == []


def test_params_refuse_wrong_lengths_and_falling_curves():
    with pytest.raises(ValueError, match="9 matrix"):
        CameraLookParams(matrix=(1.0,))
    with pytest.raises(ValueError, match="fall"):
        CameraLookParams(curve=(0.5, *NO_CURVE[1:]))


def test_light_beyond_the_curve_goes_on_rising():
    grey = decode(np.array([0.9, 1.0, TOP, TOP + 0.1, TOP + 0.5]))
    pixels = np.repeat(grey[None, :, None], 3, 2).astype(np.float32)
    pixels = (pixels.reshape(-1, 3) @ np.linalg.inv(SRGB_FROM_REC2020).T).reshape(pixels.shape).astype(np.float32)
    curve = tuple(round(float(x), 6) for x in np.minimum(np.linspace(0, 1.6, KNOTS), 1.0))
    after = operator.render(Frame(pixels=pixels), CameraLookParams(curve=curve), None).pixels[0, :, 0]
    assert np.all(np.diff(after) > -1e-6)
    assert after[-1] > after[-2] > after[-3]
