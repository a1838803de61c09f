import cv2
import numpy as np
import pytest

from safelight import specimens
from safelight.deliver import presets
from safelight.media.colour import encode, linear_of_srgb, srgb8
from safelight.media.frame import Frame
from safelight.operators import faults
from safelight.operators.output_sharpening import (
    OVERSHOOT,
    QUIET,
    OutputSharpeningParams,
    check,
    operator,
    render,
    spoil,
)

TOOLS = specimens.suite_tools()
STRONG = OutputSharpeningParams(amount=2.0, radius=1.0)


def edge(low=70, high=180):
    rows = np.full((40, 60), low, np.uint8)
    rows[:, 30:] = high
    soft = cv2.GaussianBlur(rows, (0, 0), 0.8)
    return Frame(pixels=linear_of_srgb(np.repeat(soft[..., None], 3, 2)))


def luma(frame):
    return encode(frame.pixels[..., 1].astype(np.float64))


def test_an_edge_gets_steeper_and_keeps_its_ends():
    before, after = luma(edge()), luma(render(edge(), STRONG, TOOLS))
    assert np.abs(np.diff(after[20])).max() > 1.1 * np.abs(np.diff(before[20])).max()
    assert np.allclose(after[20, [0, -1]], before[20, [0, -1]], atol=1e-4)


def test_nothing_leaves_its_neighbours_by_more_than_the_limit():
    after = luma(render(edge(), STRONG, TOOLS))
    assert after.max() <= 180 / 255 + OVERSHOOT + 0.005
    assert after.min() >= 70 / 255 - OVERSHOOT - 0.005


def test_grain_below_the_floor_is_left_alone():
    rng = np.random.default_rng(3)
    grey = np.clip(0.5 + rng.normal(0, QUIET / 8, (60, 60, 1)).repeat(3, 2), 0, 1)
    frame = Frame(pixels=linear_of_srgb((grey * 65535).astype(np.uint16)))
    assert luma(render(frame, STRONG, TOOLS)).std() < 1.02 * luma(frame).std()


def test_colours_stay():
    frame = Frame(pixels=linear_of_srgb(cv2.resize(specimens.scene(), (96, 72), interpolation=cv2.INTER_CUBIC)))
    after = render(frame, STRONG, TOOLS).pixels
    assert np.allclose(
        after / after.sum(2, keepdims=True), frame.pixels / frame.pixels.sum(2, keepdims=True), atol=1e-3
    )


@pytest.mark.parametrize("params", operator.examples, ids=str)
def test_check_tells_a_halo_from_sharpening(params):
    frame = edge()
    assert max(faults(check(frame, render(frame, params, TOOLS), params)).values()) < 0.1
    assert max(faults(check(frame, spoil(frame, params), params)).values()) > 0.5


def test_presets_that_sharpen_change_edges_alone():
    assert presets.JPEG.output == presets.TIFF16.output == ()
    (edit,) = presets.find("print").output
    params = OutputSharpeningParams(**edit.params)
    flat = Frame(pixels=np.full((30, 30, 3), 0.3, np.float32))
    assert np.array_equal(srgb8(render(flat, params, TOOLS).pixels), srgb8(flat.pixels))


def test_preset_file_says_for_which_medium(tmp_path):
    (tmp_path / "lab.toml").write_text('sharpen = "screen"\nlong_side = 1200\n')
    assert presets.find(str(tmp_path / "lab.toml")).sharpen is presets.Sharpen.SCREEN
    (tmp_path / "bad.toml").write_text('sharpen = "everything"\n')
    with pytest.raises(presets.UsageError, match="everything"):
        presets.find(str(tmp_path / "bad.toml"))
