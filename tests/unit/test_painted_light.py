import hashlib

import cv2
import numpy as np
import pytest

from safelight import plugins
from safelight.domain import Edit
from safelight.errors import SafelightError
from safelight.media.frame import Frame, scaling
from safelight.operators import Tools, crop, faults, painted_light
from safelight.operators.painted_light import PaintedLightParams, check, render, spoil
from safelight.render import render as render_all
from safelight.render import tile

HEIGHT, WIDTH = 160, 240
DISC = (150, 60, 20)  # x, y, radius in source pixels: what the person painted over


class Kept(dict):
    """Kept objects by digest, as a shoot holds them."""

    def keep(self, mask):
        data = bytes(cv2.imencode(".png", mask)[1])
        digest = hashlib.sha256(data).hexdigest()
        self[digest] = data
        return digest

    @property
    def tools(self):
        return Tools(kept=self.__getitem__, weights={})

    __hash__ = object.__hash__


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def frame():
    rng = np.random.default_rng(8)
    picture = cv2.resize(rng.random((8, 12, 3)), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return Frame(pixels=np.clip(picture, 0.1, 1).astype(np.float32))


def painted():
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(mask, DISC[:2], DISC[2], 255, -1)
    return mask


def lit(before, after):
    """Where a render is brighter than another one, in stops."""
    return np.log2(after.pixels / before.pixels).mean(axis=2)


def test_light_falls_where_the_mask_is_and_nowhere_else(frame, kept):
    after = render(frame, PaintedLightParams(ev=1, mask=kept.keep(painted())), kept.tools)
    assert np.allclose(lit(frame, after), painted() / 255, atol=1e-5)


def test_grey_masks_light_in_proportion_in_stops(frame, kept):
    digest = kept.keep(np.full((HEIGHT, WIDTH), 51, np.uint8))
    after = render(frame, PaintedLightParams(ev=-2, mask=digest), kept.tools)
    assert np.allclose(lit(frame, after), -0.4, atol=1e-5)


@pytest.mark.parametrize(
    "framing",
    [{"box": [0.25, 0.125, 1.0, 0.75]}, {"angle": 7.0}, {"box": [0.4, 0.1, 0.9, 0.7], "angle": -12.0}],
    ids=["crop", "straighten", "both"],
)
def test_mask_stays_on_the_same_scene_content_when_the_crop_comes_later(frame, kept, framing, monkeypatch):
    both = {"crop": crop.operator, "painted_light": painted_light.operator}
    monkeypatch.setattr(plugins, "operators", lambda: both)
    light = Edit(operator="painted_light", version=1, params={"ev": 1.0, "mask": kept.keep(painted())})
    later = Edit(operator="crop", version=1, params=framing)
    unlit = render_all(frame, [later], kept.tools)
    after = render_all(frame, [light, later], kept.tools)

    stops = lit(unlit, after)
    y, x = np.mgrid[: after.height, : after.width]
    source = np.linalg.inv(after.geometry) @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    distance = np.hypot(source[0] - DISC[0], source[1] - DISC[1]).reshape(stops.shape)
    inside, outside = distance < DISC[2] - 3, distance > DISC[2] + 3
    assert inside.sum() > 500
    assert np.allclose(stops[inside], 1, atol=0.02)
    assert np.allclose(stops[outside], 0, atol=0.02)

    same = render_all(frame, [later, light], kept.tools)  # approved the other way round
    assert np.array_equal(same.pixels, after.pixels)


@pytest.mark.parametrize("angle", [0.0, 9.0])
def test_mask_finds_its_place_on_a_frame_that_was_cropped_before(frame, kept, angle):
    params = PaintedLightParams(ev=1, mask=kept.keep(cv2.GaussianBlur(painted(), (0, 0), 3)))
    framing = crop.CropParams(box=(0.3, 0.1, 0.9, 0.9), angle=angle)
    cut_first = render(crop.render(frame, framing, kept.tools), params, kept.tools)
    lit_first = crop.render(render(frame, params, kept.tools), framing, kept.tools)
    assert np.abs(np.log2(cut_first.pixels / lit_first.pixels)).max() < 0.05


def test_mask_lands_on_a_smaller_render(kept):
    half = Frame(
        pixels=np.full((HEIGHT // 2, WIDTH // 2, 3), 0.5, np.float32),
        geometry=scaling(0.5, 0.5),
    )
    after = render(half, PaintedLightParams(ev=1, mask=kept.keep(painted())), kept.tools)
    y, x = np.nonzero(after.pixels[..., 0] > 0.75)
    assert np.allclose((x.mean(), y.mean()), ((DISC[0] - 0.5) / 2, (DISC[1] - 0.5) / 2), atol=0.3)


def test_tiles_of_a_turned_frame_equal_the_whole(frame, kept):
    params = PaintedLightParams(ev=1, mask=kept.keep(painted()))
    turned = crop.render(frame, crop.CropParams(angle=9.0), kept.tools)
    whole = render(turned, params, kept.tools)
    part = render(tile(turned, slice(30, 70), slice(40, 110)), params, kept.tools)
    assert np.abs(lit(tile(whole, slice(30, 70), slice(40, 110)), part)).max() < 0.1  # positions round to 1/32 px


@pytest.mark.parametrize("params", [PaintedLightParams(), PaintedLightParams(ev=1), PaintedLightParams(mask="ab" * 32)])
def test_nothing_is_loaded_where_nothing_changes(frame, params):
    assert render(frame, params, Tools(kept=None, weights={})) is frame


@pytest.mark.parametrize("data", [b"", b"no picture at all"])
def test_mask_that_is_no_picture(frame, data):
    with pytest.raises(SafelightError, match="is no PNG"):
        render(frame, PaintedLightParams(ev=1, mask="cd" * 32), Tools(kept=lambda digest: data, weights={}))


def test_check_tells_wrong_light(frame, kept):
    params = PaintedLightParams(ev=1, mask=kept.keep(painted()))
    honest = faults(check(frame, render(frame, params, kept.tools), params))
    assert honest == {"painted_light.wrong_gain": 0.0}
    assert faults(check(frame, spoil(frame, params), params)) == {"painted_light.wrong_gain": 1.0}


def test_check_cannot_tell_on_black():
    black = Frame(pixels=np.zeros((4, 4, 3), np.float32))
    (measure,) = check(black, black, PaintedLightParams(ev=1, mask="ab" * 32))
    assert measure.cannot_tell == "The picture is black."
