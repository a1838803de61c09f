import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from safelight.media import colour, profiles

SHARMA = [  # L a b, L a b, ΔE00: Sharma, Wu & Dalal 2005, table 1
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((50, 2.5, 0), (50, 3.1736, 0.5854), 1.0),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
    ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("one", "two", "expected"), SHARMA)
def test_difference_is_the_published_one(monkeypatch, one, two, expected):
    monkeypatch.setattr(colour, "lab", lambda value: np.asarray(value, float))
    assert colour.delta_e([one], [two])[0] == pytest.approx(expected, abs=1e-4)


def test_matrices_are_the_standards():
    np.testing.assert_allclose(
        colour.to_xyz(colour.REC709), [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]],
        atol=1e-4,
    )  # fmt: skip
    np.testing.assert_allclose(
        colour.REC2020_FROM_SRGB, [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]],
        atol=1e-4,
    )  # fmt: skip


def test_curve_and_its_inverse_are_odd_and_exact():
    values = np.linspace(-2, 3, 1001)
    np.testing.assert_allclose(colour.decode(colour.encode(values)), values, atol=1e-9)
    assert np.array_equal(colour.encode(-values), -colour.encode(values))


def test_every_word_of_grey_comes_back():
    words = np.repeat(np.arange(65536, dtype=np.uint16)[:, None, None], 3, 2).reshape(256, 256, 3)
    assert np.array_equal(colour.srgb16(colour.linear_of_srgb(words)), words)


def test_saturated_words_come_back():
    words = np.random.default_rng(0).choice([0, 1, 40, 65000, 65535], (200, 200, 3)).astype(np.uint16)
    assert np.abs(colour.srgb16(colour.linear_of_srgb(words)).astype(int) - words).max() <= 1


def test_lab_of_the_connection_space_meets_srgb():
    white_and_grey = np.array([[[100.0, 0, 0], [53.585, 0, 0]]], np.float32)
    light = colour.linear_of_lab50(white_and_grey)
    np.testing.assert_allclose(light[0, 0], 1, atol=2e-4)
    np.testing.assert_allclose(light[0, 1], 0.2159, atol=2e-4)


def test_own_srgb_profile_equals_littlecms():
    assert profiles.is_srgb(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert not profiles.is_srgb(profiles.adobe_rgb())
    for icc in (profiles.srgb(), profiles.adobe_rgb()):
        opened = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        assert opened.profile.version == pytest.approx(2.1)
        np.testing.assert_allclose(opened.profile.media_white_point[0], (0.9642, 1.0, 0.8249), atol=1e-4)
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, 2)
    assert np.array_equal(profiles.to_srgb8(ramp, profiles.srgb()), np.asarray(Image.fromarray(ramp)))
