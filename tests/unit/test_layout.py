import json

import cv2
import numpy as np
import pytest

from safelight.media.picture import Picture, shrink
from safelight.probes import layout


def scene(seed, height=400, width=600):
    """A made picture: soft light of several colours with a few hard-edged things in it."""
    rng = np.random.default_rng(seed)
    soft = cv2.resize(rng.random((5, 7, 3)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    rgb = (np.clip(soft, 0, 1) * 200 + 20).astype(np.uint8)
    for _ in range(14):
        centre = int(rng.integers(width)), int(rng.integers(height))
        axes = int(rng.integers(10, 90)), int(rng.integers(10, 90))
        colour = [int(c) for c in rng.integers(0, 255, 3)]
        cv2.ellipse(rgb, centre, axes, float(rng.integers(180)), 0, 360, colour, -1)
    return rgb


def seen(rgb):
    return {m.name: m.value for m in layout.measure(Picture(rgb=rgb))}


def likeness(a, b):
    first, second = layout.unpack([seen(a)["embedding"], seen(b)["embedding"]])
    return float(first @ second)


def lit(rgb, ev=0.0, gains=(1.0, 1.0, 1.0)):
    linear = (rgb / 255.0) ** 2.2 * 2**ev * np.array(gains)
    return (np.clip(linear, 0, 1) ** (1 / 2.2) * 255).round().astype(np.uint8)


def reframed(rgb, corner, cut, seed=1):
    height, width = rgb.shape[:2]
    rng = np.random.default_rng(seed)
    inset = cut + rng.uniform(0, corner, (4, 2))
    inward = np.array(((1, 1), (-1, 1), (-1, -1), (1, -1)))
    corners = (np.array(((0, 0), (1, 0), (1, 1), (0, 1))) + inset * inward) * (width - 1, height - 1)
    frame = np.array(((0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)), np.float32)
    return cv2.warpPerspective(rgb, cv2.getPerspectiveTransform(corners.astype(np.float32), frame), (width, height))


def test_an_embedding_is_480_bytes_that_decode_to_unit_length():
    text = seen(scene(1))["embedding"]
    assert len(text) == 640
    row = layout.unpack([text])
    assert row.shape == (1, 480)
    assert row.dtype == np.float32
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-4)


def test_packing_loses_next_to_nothing():
    vector = np.random.default_rng(3).normal(size=480).astype(np.float32)
    vector /= np.linalg.norm(vector)
    assert float(layout.unpack([layout.pack(vector)])[0] @ vector) > 0.999


def test_many_embeddings_decode_in_order():
    texts = [seen(scene(k))["embedding"] for k in range(3)]
    assert np.allclose(layout.unpack(texts)[2], layout.unpack(texts[2:])[0])


@pytest.mark.parametrize("text", ["", "AAAA", "A" * 644])
def test_an_embedding_of_another_length_is_refused(text):
    with pytest.raises(ValueError, match="640 letters"):
        layout.unpack([text])


@pytest.mark.parametrize("ev", [-0.7, 0.7])
def test_exposure_does_not_change_the_look(ev):
    assert likeness(scene(1), lit(scene(1), ev)) > 0.9


def test_white_balance_does_not_change_the_look():
    assert likeness(scene(1), lit(scene(1), gains=(0.82, 1, 1.2))) > 0.9


@pytest.mark.parametrize("seed", range(4))
def test_another_stand_and_a_crop_keep_the_look(seed):
    assert likeness(scene(seed), lit(reframed(scene(seed), 0.03, 0.06), 0.7, (0.9, 1, 1.1))) > 0.72


def test_other_scenes_look_different():
    rows = layout.unpack([seen(scene(seed))["embedding"] for seed in range(12)])
    apart = rows @ rows.T
    assert (apart[np.triu_indices(12, 1)] < 0.6).all()


def test_a_smaller_copy_has_nearly_the_same_hash():
    ours, theirs = (int(seen(rgb)["hash.perceptual"], 16) for rgb in (scene(2), shrink(scene(2), 300)))
    assert (ours ^ theirs).bit_count() <= 4


def test_other_scenes_have_other_hashes():
    ours, theirs = (int(seen(scene(seed))["hash.perceptual"], 16) for seed in (2, 3))
    assert (ours ^ theirs).bit_count() > 16


@pytest.mark.parametrize(("height", "width", "shape"), [(400, 600, (64, 96)), (600, 400, (96, 64))])
def test_a_thumb_keeps_the_shape_of_the_picture(height, width, shape):
    assert layout.unpack_thumb(seen(scene(1, height, width))["layout.thumb"]).shape == shape


def test_a_thumb_that_is_none_is_refused():
    with pytest.raises(TypeError, match="width, height and luma"):
        layout.unpack_thumb("AAAA")


def test_the_detail_map_shows_where_the_picture_is_blurred():
    rgb = np.random.default_rng(5).integers(0, 255, (480, 720, 3), dtype=np.uint8)
    rgb[:, :360] = cv2.GaussianBlur(rgb, (0, 0), 4)[:, :360]
    (cells,) = layout.unpack_detail([seen(rgb)["layout.detail"]])
    assert cells.shape == (12, 12)
    assert cells[:, :5].max() < cells[:, 7:].min() - 2


def test_detail_survives_packing_to_a_sixteenth():
    cells = np.linspace(-8, 7.9, 144, dtype=np.float32).reshape(12, 12)
    (back,) = layout.unpack_detail([layout.pack_detail(cells)])
    assert np.abs(back - cells).max() <= 1 / 32 + 1e-6


def test_light_is_the_exposure_in_stops():
    dark, bright = seen(lit(scene(1), -1))["layout.light"], seen(scene(1))["layout.light"]
    assert 0.6 < bright[0] - dark[0] < 1.1


def test_everything_together_is_small_and_plain_json():
    assert len(json.dumps(seen(scene(1)))) < 12_000


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 900, 3), (50, 50, 3)])
def test_plain_and_tiny_pictures_have_finite_numbers(shape):
    found = seen(np.full(shape, 128, np.uint8))
    assert np.isfinite(layout.unpack([found["embedding"]])).all()
    assert np.isfinite(found["layout.light"]).all()


def test_the_probe_returns_what_it_promises():
    assert tuple(m.name for m in layout.measure(Picture(rgb=scene(1)))) == layout.probe.emits
