import cv2
import numpy as np
import pytest

from safelight.media.picture import Picture
from safelight.probes import noise


def scene(*, seed=1, size=(480, 640)):
    """Coloured discs on a soft ground, 0..255 float."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(60, 180, (6, 8, 3)).astype(np.float32)
    picture = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
    for _ in range(25):
        centre = int(rng.integers(size[1])), int(rng.integers(size[0]))
        cv2.circle(picture, centre, int(rng.integers(8, 40)), rng.uniform(40, 200, 3).tolist(), -1, cv2.LINE_AA)
    return picture


def judged(pixels, **options):
    return {m.name: m for m in noise.judge(Picture(rgb=np.clip(pixels + 0.5, 0, 255).astype(np.uint8)), **options)}


def sensor(sigma, *, correlated=False, size=(480, 640)):
    grain = np.random.default_rng(7).standard_normal((*size, 3)).astype(np.float32)
    if correlated:
        grain = cv2.GaussianBlur(grain, (0, 0), 0.6)
        grain /= grain.std()
    return grain * sigma * np.sqrt(np.float32((2.0, 1.0, 1.6)))


def test_a_clean_picture_is_not_noisy():
    assert judged(scene())["noise"].value < 0.05


@pytest.mark.parametrize("correlated", [False, True])
def test_strong_sensor_noise_is_noisy_and_its_size_is_found(correlated):
    found = judged(scene() + sensor(6, correlated=correlated))
    assert found["noise"].value > 0.95
    assert found["noise.sigma"].value == pytest.approx(6, rel=0.35)


def test_more_noise_scores_higher():
    scores = [judged(scene() + sensor(s))["noise.sigma"].value for s in (0.5, 2, 4, 8)]
    assert scores == sorted(scores)
    assert scores[0] < scores[-1] / 4


def test_grain_without_colour_is_not_noise():
    grain = cv2.GaussianBlur(np.random.default_rng(3).standard_normal((480, 640)).astype(np.float32), (0, 0), 0.9)
    assert judged(scene() + (grain / grain.std() * 8)[..., None])["noise"].value < 0.1


def test_sharpening_is_not_noise():
    picture = scene()
    luma = picture @ np.float32((0.299, 0.587, 0.114))
    assert judged(picture + (luma - cv2.GaussianBlur(luma, (0, 0), 0.8))[..., None])["noise"].value < 0.1


def test_fine_grey_texture_is_not_noise():
    y, x = np.mgrid[:480, :640]
    assert judged(scene() + (20 * np.sin(2.3 * x) * np.sin(2.1 * y))[..., None])["noise"].value < 0.1


def test_a_grey_picture_with_grain_cannot_be_told():
    grain = np.random.default_rng(3).standard_normal((480, 640, 1)).astype(np.float32) * 8
    found = judged(np.repeat(scene()[..., :1] + grain, 3, axis=2))
    assert "film grain" in found["noise"].cannot_tell
    assert found["noise.sigma"].value is None


def test_a_smooth_grey_picture_is_not_noisy():
    found = judged(np.repeat(scene()[..., :1], 3, axis=2))
    assert found["noise"].value == 0
    assert found["noise.sigma"].cannot_tell


@pytest.mark.parametrize("level", [0, 255])
def test_black_and_white_frames_cannot_be_told(level):
    assert judged(np.full((200, 300, 3), level, np.float32))["noise"].cannot_tell


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (40, 2000), (97, 131), (333, 517)])
def test_any_size_gets_an_answer_or_a_reason(size):
    found = judged(scene(size=(480, 640))[: size[0], : size[1]])
    assert set(found) == set(noise.probe.emits)


def test_the_model_can_be_another():
    strict = dict(noise.MODEL) | {"middle": 5.0}
    assert judged(scene() + sensor(6), model=strict)["noise"].value < 0.5


def test_the_same_picture_gives_the_same_answer():
    assert judged(scene() + sensor(3)) == judged(scene() + sensor(3))
