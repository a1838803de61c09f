import cv2
import numpy as np
import pytest

from safelight.domain import Measure
from safelight.media.picture import Picture
from safelight.probes._detail import MARGIN, SCALES, detail, edges_of, sharpness_of, spread_with, white_share
from safelight.probes._tiles import STRUCTURED, TILE, choose, cut
from safelight.probes.sharpness import MODEL, features, judge, probe

SIZE = (960, 1280)


def leaves(seed=1, size=SIZE):
    """Overlapping discs of all sizes and tones: edges of all directions, like a photograph's."""
    rng = np.random.default_rng(seed)
    picture = np.full(size, 0.5, np.float32)
    for radius in np.geomspace(180, 6, 500):
        centre = int(rng.integers(size[1])), int(rng.integers(size[0]))
        cv2.circle(picture, centre, int(radius), float(rng.uniform(0.1, 0.9)), -1, cv2.LINE_AA)
    return picture


def motion(picture, length, degrees):
    reach = length // 2 + 2
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    kernel = np.clip(length / 2 + 0.5 - abs(x * c - y * s), 0, 1) * np.clip(1 - abs(x * s + y * c), 0, 1)
    return cv2.filter2D(picture, -1, (kernel / kernel.sum()).astype(np.float32), borderType=cv2.BORDER_REFLECT_101)


def noisy(picture, sigma, *, correlated=0.0, seed=2):
    noise = np.random.default_rng(seed).standard_normal(picture.shape).astype(np.float32)
    if correlated:
        noise = cv2.GaussianBlur(noise, (0, 0), correlated)
        noise /= noise.std()
    return picture + np.float32(sigma) * noise


def shown(luma, **facts):
    grey = (np.clip(luma, 0, 1) * 255 + 0.5).astype(np.uint8)
    return Picture(rgb=np.repeat(grey[..., None], 3, axis=2), facts=facts)


def found(luma, **facts):
    return {m.name: m for m in judge(shown(luma, **facts))}


def padded(luma):
    return cv2.copyMakeBorder(luma, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REFLECT_101)[None]


# ---------------------------------------------------------------- the measure


@pytest.mark.parametrize("sigma", [0.8, 1.2, 2.0, 3.0])
def test_a_step_edge_tells_its_width(sigma):
    step = np.zeros((96, 96), np.float32) + 0.2
    step[:, 48:] = 0.8
    edges = edges_of(padded(cv2.GaussianBlur(step, (0, 0), sigma)), noise=0.0)
    assert np.nanmax(edges.spreads(pixels=40)) == pytest.approx(
        np.hypot(sigma, 0.7), abs=0.1
    )  # a pixel has a width too


def test_contrast_does_not_change_the_width():
    blurred = cv2.GaussianBlur(leaves(), (0, 0), 1.5)
    full, half = (edges_of(padded(0.3 + (blurred - 0.3) * k), noise=0.0).spreads(pixels=400) for k in (1.0, 0.5))
    assert np.allclose(full, half, rtol=0.1)


@pytest.mark.parametrize("correlated", [0.0, 0.6])
def test_noise_does_not_pass_for_sharpness(correlated):
    blurred = cv2.GaussianBlur(leaves(), (0, 0), 2.5)
    clean, grainy = features(shown(blurred)), features(shown(noisy(blurred, 0.03, correlated=correlated)))
    assert grainy["width"] == pytest.approx(clean["width"], abs=0.35)


def test_noise_is_heard_at_its_strength():
    flat = noisy(np.full((400, 400), 0.5, np.float32), 0.02)
    edges = edges_of(cut(flat, choose(flat)))
    assert edges.noise == pytest.approx(0.02 * np.sqrt(white_share()[0, 0]), rel=0.25)


def test_noise_alone_has_no_edges():
    assert features(shown(noisy(np.full(SIZE, 0.5, np.float32), 0.03))) is None


def test_white_noise_weakens_with_the_scale():
    assert (np.diff(np.diag(white_share())) < 0).all()
    assert white_share().shape == (len(SCALES), len(SCALES))


def test_detail_is_one_half_at_its_width():
    assert detail(0.0) == 1
    assert detail(1.4) == pytest.approx(0.5)
    assert detail(spread_with(0.3)) == pytest.approx(0.3)


def test_a_patch_is_sharper_than_its_blurred_self():
    patch = leaves()[100:260, 100:260]
    values = [sharpness_of(cv2.GaussianBlur(patch, (0, 0), s)) for s in (0.3, 1.0, 2.0, 4.0)]
    assert values == sorted(values, reverse=True)
    assert 0 < values[-1] < values[0] < 1


@pytest.mark.parametrize("patch", [np.full((80, 80), 0.4, np.float32), np.zeros((3, 3), np.float32)])
def test_a_patch_without_structure_has_no_sharpness(patch):
    assert sharpness_of(patch) is None


# ---------------------------------------------------------------- where it looks


def test_small_sharp_subject_is_among_the_tiles():
    picture = cv2.GaussianBlur(leaves(size=(1200, 1600)), (0, 0), 12)
    picture[600:640, 900:940] = np.indices((40, 40)).sum(0) // 5 % 2
    corners = choose(picture)
    assert any(x <= 920 < x + TILE and y <= 620 < y + TILE for x, y in corners[: STRUCTURED // 2])


def test_tiles_lie_inside_and_do_not_repeat():
    corners = choose(leaves(size=(333, 517)))
    assert len(corners) == len(set(corners))
    assert all(0 <= x <= 517 - TILE and 0 <= y <= 333 - TILE for x, y in corners)


# ---------------------------------------------------------------- the evidence


def test_a_sharp_picture_is_not_blurred():
    assert found(leaves())["blur"].value < 0.2


def test_defocus_is_blur_and_not_motion():
    measures = found(cv2.GaussianBlur(leaves(), (0, 0), 3))
    assert measures["blur"].value > 0.9
    assert measures["blur.defocus"].value > 0.8
    assert measures["blur.motion"].value < 0.2


@pytest.mark.parametrize("degrees", [0, 37, 90, 130])
def test_motion_is_blur_at_any_angle_and_not_defocus(degrees):
    measures = found(motion(leaves(), 15, degrees))
    assert measures["blur"].value > 0.9
    assert measures["blur.motion"].value > 0.8
    assert measures["blur.defocus"].value < 0.2


def test_motion_is_told_under_noise():
    measures = found(noisy(motion(leaves(), 15, 60), 0.02))
    assert measures["blur.motion"].value > measures["blur.defocus"].value


def test_a_blurred_ground_does_not_make_a_sharp_subject_blurred():
    sharp = leaves()
    picture = cv2.GaussianBlur(sharp, (0, 0), 6)
    picture[320:660, 440:860] = sharp[320:660, 440:860]
    measures = found(picture)
    assert measures["blur"].value < 0.3
    x0, y0, x1, y1 = measures["subject.box"].value
    assert x0 >= 340
    assert y0 >= 220
    assert x1 <= 960
    assert y1 <= 760


@pytest.mark.parametrize("shape", [SIZE, (40, 40)])
def test_a_picture_without_structure_cannot_be_told(shape):
    measures = found(np.full(shape, 0.5, np.float32))
    assert set(measures) == set(probe.emits)
    assert all(m.cannot_tell for m in measures.values())


def test_edges_of_one_direction_cannot_tell_motion():
    stripes = np.full(SIZE, 0.2, np.float32)
    stripes[:, 300:400] = 0.8
    measures = found(stripes)
    assert measures["blur"].value is not None
    assert measures["blur.motion"].cannot_tell
    assert measures["blur.defocus"].cannot_tell


def test_blurred_twin_ranks_below():
    sharp = leaves()
    values = [found(p)["sharpness"].value for p in (sharp, cv2.GaussianBlur(sharp, (0, 0), 1.5), motion(sharp, 9, 20))]
    assert values[0] > max(values[1:])


def test_native_pixels_tell_frames_apart_that_look_alike_when_small():
    sharp = leaves(size=(2400, 3200))
    a, b = found(sharp), found(cv2.GaussianBlur(sharp, (0, 0), 1.5))
    assert a["sharpness"].value > b["sharpness"].value * 1.05


def test_the_sharpest_face_that_matters_is_the_subject():
    faces = [
        {"box": [100, 100, 260, 280], "sharpness": 0.2},
        {"box": [300, 100, 440, 250], "sharpness": 0.6},
        {"box": [500, 20, 530, 50], "sharpness": 0.9},
        {"box": [20, 20, 220, 240], "sharpness": None},
    ]
    measures = found(leaves(), faces=Measure(name="faces", value=faces))
    assert measures["subject.box"].value == [300, 100, 440, 250]


def test_a_blurred_face_lowers_the_sharpness_of_the_picture():
    values = [
        found(leaves(), faces=Measure(name="faces", value=[{"box": [300, 100, 440, 250], "sharpness": s}]))[
            "sharpness"
        ].value
        for s in (0.1, 0.6)
    ]
    assert values[0] < values[1]


@pytest.mark.parametrize(("sharpness", "bounds"), [(0.7, (0, 0.2)), (0.05, (0.5, 0.8))])
def test_a_blurred_face_on_sharp_ground_is_perhaps_blur(sharpness, bounds):
    face = {"box": [200, 100, 440, 380], "sharpness": sharpness}
    blur = found(leaves(), faces=Measure(name="faces", value=[face]))["blur"].value
    assert bounds[0] <= blur <= bounds[1]


def test_a_small_blurred_face_is_not():
    face = {"box": [200, 100, 260, 160], "sharpness": 0.05}
    assert found(leaves(), faces=Measure(name="faces", value=[face]))["blur"].value < 0.2


def test_another_model_gives_another_chance():
    picture = shown(leaves())
    (sure,) = (m for m in judge(picture, model={**MODEL, "blur": {"bias": 30, "width": 0}}) if m.name == "blur")
    assert sure.value == 1


def test_the_probe_says_what_it_emits_and_repeats_itself():
    picture = leaves()
    first, second = probe.measure(shown(picture)), probe.measure(shown(picture))
    assert list(first) == list(second)
    assert {m.name for m in first} == set(probe.emits)
