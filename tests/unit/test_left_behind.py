"""A shadow or a reflection without its thing is found; a clean removal is not called one."""

import cv2
import numpy as np
import pytest

from safelight.checking import compare
from safelight.detectors.left_behind import detector

SIZE = 600, 800
THING = np.s_[200:360, 320:440]


def ground():
    rng = np.random.default_rng(4)
    light = np.linspace(150, 185, SIZE[1], dtype=np.float32)[None, :, None] * np.array((1.0, 0.96, 0.9))
    grain = cv2.GaussianBlur(rng.normal(0, 6, (*SIZE, 1)).astype(np.float32), (0, 0), 1.5)[..., None]
    return np.broadcast_to(light, (*SIZE, 3)) + grain


def thing():
    rng = np.random.default_rng(5)
    coarse = rng.uniform(20, 235, (10, 8, 3)).astype(np.float32)
    return cv2.resize(coarse, (120, 160), interpolation=cv2.INTER_CUBIC)


def shadowed(picture):
    dark = np.zeros(SIZE, np.float32)
    cv2.ellipse(dark, (445, 330), (75, 34), 0, 0, 360, 1.0, -1)
    return picture * (1 - 0.45 * cv2.GaussianBlur(dark, (0, 0), 4)[..., None])


def mirrored(picture):
    out = picture.copy()
    out[360:520, 320:440] = 0.7 * out[360:520, 320:440] + 0.3 * thing()[::-1]
    return out


def scores(left):
    lit, spoilt = ground(), left(ground())
    before, after = spoilt.copy(), spoilt.copy()
    before[THING], after[THING] = thing(), lit[THING]
    mask = np.zeros(SIZE, np.uint8)
    mask[THING] = 255
    pictures = (np.clip(p + 0.5, 0, 255).astype(np.uint8) for p in (before, after))
    return {f.name: f for f in compare(*pictures, mask, detectors=[detector]).findings}


@pytest.mark.parametrize(("left", "name"), [(shadowed, "shadow_left"), (mirrored, "reflection_left")])
def test_what_was_left_is_found_where_it_lies(left, name):
    found, clean = scores(left)[name], scores(lambda picture: picture)[name]
    assert found.score > 2 * max(0.1, clean.score)
    assert found.probability > clean.probability
    x0, y0, x1, y1 = found.where
    assert x1 > 300
    assert y1 > 250
    assert x0 < 540
    assert y0 < 520


def test_where_nothing_was_taken_out_there_is_nothing_to_tell():
    picture = np.clip(ground(), 0, 255).astype(np.uint8)
    mask = np.zeros(SIZE, np.uint8)
    mask[THING] = 255
    assert all(f.cannot_tell for f in compare(picture, picture.copy(), mask, detectors=[detector]).findings)
