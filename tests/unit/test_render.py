import tracemalloc
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest

from safelight import plugins, specimens
from safelight.domain import Edit
from safelight.errors import UsageError
from safelight.media.colour import REC2020_FROM_SRGB, decode, linear_of_srgb, srgb8, srgb16
from safelight.media.frame import Frame, LinearWords, moving
from safelight.media.gains import places
from safelight.media.timeline import Clip, Timeline
from safelight.media.warp import Warp
from safelight.operators import Medium, Operator, Risk, Stage, crop, template, trim
from safelight.params import to_json
from safelight.render import order, render, render_bytes, render_timeline, render_words, steps

TOOLS = specimens.suite_tools()


@dataclass(frozen=True, kw_only=True)
class Gains:
    red: float = 1.0
    green: float = 1.0
    blue: float = 1.0


def _gain(frame, params, tools):
    return frame.with_pixels(frame.pixels * np.array([params.red, params.green, params.blue], np.float32))


def _blur(frame, params, tools):
    return frame.with_pixels((frame.pixels + np.roll(frame.pixels, 1, axis=0)) / 2)


def _soften(frame, params, tools):
    return frame.with_pixels(cv2.GaussianBlur(frame.pixels, (5, 5), 1, borderType=cv2.BORDER_REPLICATE))


def _falloff(x, y, params):
    return 1 + params.red * (((x - 30) / 100) ** 2 + ((y - 40) / 300) ** 2)


def _falls(frame, params, tools):
    return frame.with_pixels(frame.pixels * _falloff(*places(frame), params)[..., None].astype(np.float32))


@dataclass(frozen=True, kw_only=True)
class Turn:
    degrees: float = 0.0


def _turn(width, height, params):
    cos, sin = np.cos(np.radians(params.degrees)), np.sin(np.radians(params.degrees))
    x, y = (width - 1) / 2, (height - 1) / 2
    about = moving(x, y) @ np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) @ moving(-x, -y)
    return Warp.forward(about, (width, height))


def made(name, render, **others):
    return Operator(
        **{
            "name": name, "version": 1, "params": Gains, "risk": Risk(complexity=0, cost=0), "stage": Stage.LIGHT,
            "propose": lambda subjects, wishes: (), "render": render, "check": lambda before, after, params: (),
            "about": "Made.",
        } | others
    )  # fmt: skip


OPERATORS = (
    made("gain", _gain, pointwise=True),
    made("late_gain", _gain, pointwise=True, rank=-1, stage=Stage.LOOK),
    made("blur", _blur, margin=None, stage=Stage.LOCAL),
    made("soften", _soften, margin=2, stage=Stage.REPAIR),
    made("turn", lambda frame, params, tools: frame, params=Turn, warp=_turn, stage=Stage.FRAMING, rank=30),
    made("falloff", _falls, gain=_falloff, stage=Stage.REPAIR),
    made("choose", _gain, stage=Stage.CHOICE, medium=Medium.CHOICE),
    template.operator,
    crop.operator,
    trim.operator,
)


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    monkeypatch.setattr(plugins, "operators", lambda: {operator.name: operator for operator in OPERATORS})


def edit(operator, **params):
    return Edit(operator=operator, version=1, params=params)


def gain(ev=0.0, red=1.0, blue=1.0):
    return edit("gain", red=red * 2**ev, green=2**ev, blue=blue * 2**ev)


CONTRAST = edit("template", strength=0.6)
CROP = edit("crop", box=[0.25, 0.0, 1.0, 0.5])


# ---------------------------------------------------------------- order


def test_edits_are_rendered_by_stage_rank_and_name():
    given = [CROP, CONTRAST, edit("late_gain"), gain(1), edit("blur")]
    assert [e.operator for e in order(given)] == ["gain", "late_gain", "template", "blur", "crop"]


def test_edits_of_one_operator_keep_their_order():
    one, two = gain(1), gain(-1)
    assert order([CROP, two, one]) == (two, one, CROP)


def test_order_of_approval_changes_nothing():
    given = [CROP, CONTRAST, gain(1)]
    picture = specimens.scene()
    assert np.array_equal(render_bytes(picture, given, TOOLS), render_bytes(picture, given[::-1], TOOLS))


def test_unknown_operator_is_named():
    with pytest.raises(UsageError, match="'nothing'"):
        order([edit("nothing")])


def test_edit_of_another_version_is_refused():
    with pytest.raises(UsageError, match=r"gain@2, but gain@1 is installed"):
        steps([replace(gain(1), version=2)])


def test_edits_of_other_media_do_not_touch_the_frame():
    picture = specimens.scene()
    assert render_bytes(picture, [edit("choose", red=9.0), edit("trim")], TOOLS) is picture


# ---------------------------------------------------------------- float light


def test_render_leaves_the_given_frame_alone():
    frame = Frame(pixels=linear_of_srgb(specimens.scene()), meta={"kept": True})
    before = frame.pixels.copy()
    after = render(frame, [gain(1), edit("blur")], TOOLS)
    assert np.array_equal(frame.pixels, before)
    assert after.meta == {"kept": True}
    assert not np.array_equal(after.pixels, before)


def test_strips_equal_the_whole():
    picture = np.random.default_rng(1).integers(0, 256, (700, 30, 3), dtype=np.uint8)
    frame = Frame(pixels=linear_of_srgb(picture))
    whole = template.render(_gain(frame, Gains(red=1.4), TOOLS), template.TemplateParams(strength=0.6), TOOLS)
    assert np.array_equal(render(frame, [gain(red=1.4), CONTRAST], TOOLS).pixels, whole.pixels)


def test_operator_between_that_cannot_tile_sees_the_whole():
    picture = np.random.default_rng(1).integers(0, 256, (700, 30, 3), dtype=np.uint8)
    frame = Frame(pixels=linear_of_srgb(picture))
    found = render(frame, [gain(1), edit("blur"), CROP], TOOLS)
    blurred = _blur(_gain(frame, Gains(red=2, green=2, blue=2), TOOLS), None, TOOLS)
    expected = crop.render(blurred, crop.CropParams(box=(0.25, 0, 1, 0.5)), TOOLS)
    assert np.array_equal(found.pixels, expected.pixels)
    assert np.array_equal(found.geometry, expected.geometry)


# ---------------------------------------------------------------- bytes at once


RUNS = {
    "plus 2 EV": [gain(2)],
    "minus 2 EV": [gain(-2)],
    "white balance": [gain(red=1.6, blue=0.6)],
    "white balance and exposure": [gain(1, red=1.3, blue=0.8), edit("late_gain", red=1.1)],
    "contrast": [CONTRAST],
    "less contrast": [edit("template", strength=-1.0)],
    "all": [gain(0.7, red=1.1, blue=0.9), CONTRAST],
}


@pytest.mark.parametrize("edits", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("picture", [specimens.scene(), specimens.ramps()], ids=["scene", "ramps"])
def test_fused_run_is_within_two_levels_of_float_light(edits, picture):
    slow = srgb8(render(Frame(pixels=linear_of_srgb(picture)), edits, TOOLS).pixels)
    apart = np.abs(render_bytes(picture, edits, TOOLS).astype(int) - slow.astype(int))
    assert apart.max() <= 2
    assert apart.mean() < 0.3


def test_linear_run_is_exact_to_rounding():
    picture = np.random.default_rng(2).integers(0, 256, (64, 64, 3), dtype=np.uint8)  # with every wild colour
    edits = [gain(1.5, red=2.0, blue=0.5)]
    slow = srgb8(render(Frame(pixels=linear_of_srgb(picture)), edits, TOOLS).pixels)
    apart = np.abs(render_bytes(picture, edits, TOOLS).astype(int) - slow.astype(int))
    assert apart.max() <= 1
    assert (apart > 0).mean() < 0.01


def test_channels_keep_their_places():
    red = np.full((4, 4, 3), (200, 40, 90), np.uint8)
    brighter = render_bytes(red, [CONTRAST], TOOLS)[0, 0].astype(int)
    assert brighter[0] > brighter[2] > brighter[1]


def test_clipping_happens_after_the_last_step_only():
    ramp = specimens.ramps()
    there_and_back = render_bytes(ramp, [gain(4), edit("late_gain", red=1 / 16, green=1 / 16, blue=1 / 16)], TOOLS)
    assert np.abs(there_and_back.astype(int) - ramp).max() <= 1


@pytest.mark.parametrize("strides", ["rows", "columns"])
def test_picture_need_not_be_contiguous(strides):
    picture = specimens.scene()
    part = picture[:, ::-1] if strides == "columns" else picture[::2]
    assert np.array_equal(render_bytes(part, [gain(1)], TOOLS), render_bytes(part.copy(), [gain(1)], TOOLS))


def test_no_edits_give_the_same_bytes():
    picture = specimens.ramps()
    assert render_bytes(picture, [], TOOLS) is picture
    assert np.array_equal(render_bytes(picture, [gain(0)], TOOLS), picture)
    assert np.array_equal(render_bytes(picture, [edit("template")], TOOLS), picture)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 1), (257, 3)])
def test_odd_sizes(size):
    picture = np.full((*size, 3), 100, np.uint8)
    assert render_bytes(picture, [gain(1)], TOOLS).shape == (*size, 3)
    assert render_words(picture, [gain(1)], TOOLS).shape == (*size, 3)


def test_framing_shrinks_the_bytes():
    picture = specimens.scene()
    assert np.array_equal(render_bytes(picture, [CROP], TOOLS), picture[:18, 12:])


@pytest.mark.parametrize("edits", RUNS.values(), ids=RUNS)
def test_linear_words_are_within_two_levels_of_float_light(edits):
    light = decode(np.random.default_rng(5).random((90, 400, 3))) @ REC2020_FROM_SRGB.T
    developed = LinearWords(words=(light / 1.6 * 65535).astype(np.uint16), top=1.6)
    slow = srgb8(render(developed.frame(), edits, TOOLS).pixels)
    apart = np.abs(render_bytes(developed, edits, TOOLS).astype(int) - slow.astype(int))
    assert np.quantile(apart, 0.999) <= 2
    assert apart.mean() < 0.3


def test_table_after_other_light_is_within_a_level_of_float_light():
    picture = np.random.default_rng(1).integers(0, 256, (700, 30, 3), dtype=np.uint8)
    edits = [edit("late_gain", red=1.4), edit("soften"), edit("template", strength=0.4)]
    slow = srgb8(render(Frame(pixels=linear_of_srgb(picture)), edits, TOOLS).pixels)
    apart = np.abs(render_bytes(picture, edits, TOOLS).astype(int) - slow.astype(int))
    assert apart.max() <= 2
    assert apart.mean() < 0.3


def test_margins_are_handed_out():
    picture = np.random.default_rng(1).integers(0, 256, (700, 30, 3), dtype=np.uint8)
    frame = Frame(pixels=linear_of_srgb(picture))
    edits = [edit("soften"), edit("soften", red=1.1)]
    assert np.allclose(render(frame, edits, TOOLS).pixels, _soften(_soften(frame, None, None), None, None).pixels)
    assert np.array_equal(render_bytes(picture, edits, TOOLS), srgb8(render(frame, edits, TOOLS).pixels))


SOURCES = {
    "bytes": lambda picture: picture,
    "words": lambda picture: LinearWords(words=(linear_of_srgb(picture) * 40000).astype(np.uint16), top=1.6),
    "light": lambda picture: Frame(pixels=linear_of_srgb(picture)),
}
LIGHT = {
    "gain alone": [edit("falloff", red=1.5)],
    "gain before a matrix": [edit("falloff", red=1.5), gain(0.5, red=1.2)],
    "gains before a table": [edit("falloff", red=1.5), edit("falloff", red=0.3), gain(-0.5), CONTRAST],
    "after other light": [edit("soften"), edit("falloff", red=1.5), gain(-0.5, blue=0.9), CONTRAST],
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("edits", LIGHT.values(), ids=LIGHT)
def test_gains_are_within_two_levels_of_float_light(edits, source):
    picture = source(cv2.resize(specimens.scene(), (120, 310)))
    frame = picture if isinstance(picture, Frame) else None
    frame = frame or (picture.frame() if isinstance(picture, LinearWords) else Frame(pixels=linear_of_srgb(picture)))
    slow = srgb8(render(frame, edits, TOOLS).pixels)
    apart = np.abs(render_bytes(picture, edits, TOOLS).astype(int) - slow.astype(int))
    assert apart.max() <= 2
    assert apart.mean() < 0.3


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("edits", LIGHT.values(), ids=LIGHT)
def test_only_what_stays_is_worked_on_and_nothing_differs(edits, source):
    picture = source(cv2.resize(specimens.scene(), (120, 310)))
    framed = edit("crop", box=[0.3, 0.4, 0.9, 0.8], angle=3.0)
    for give, level in ((render_bytes, 1), (render_words, 257)):
        all_at_once = give(give(picture, edits, TOOLS), [framed], TOOLS)
        apart = np.abs(give(picture, [*edits, framed], TOOLS).astype(int) - all_at_once) / level
        assert apart.max() <= 2  # places are rounded to 1/32 px
        assert apart.mean() < 0.1


def test_two_framings_are_one_resampling():
    picture = np.random.default_rng(1).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    there, back = edit("crop", angle=4.0), edit("turn", degrees=-4.0)
    once = render_bytes(picture, [there, back], TOOLS)
    assert np.abs(once[20:-20, 20:-20].astype(int) - centre_of(picture, once.shape)[20:-20, 20:-20]).mean() < 1


def centre_of(picture, shape):
    y, x = (picture.shape[0] - shape[0]) // 2, (picture.shape[1] - shape[1]) // 2
    return picture[y : y + shape[0], x : x + shape[1]].astype(int)


# ---------------------------------------------------------------- words


def test_words_without_edits_are_exact():
    picture = specimens.ramps()
    assert np.array_equal(render_words(picture, [], TOOLS), picture.astype(int) * 257)
    words = np.random.default_rng(3).integers(0, 65536, (9, 9, 3)).astype(np.uint16)
    assert np.array_equal(render_words(words, [], TOOLS), words)


@pytest.mark.parametrize("edits", [[gain(0)], [CONTRAST], [edit("blur")]], ids=["gain", "contrast", "blur"])
def test_words_equal_float_light(edits):
    words = np.random.default_rng(3).integers(0, 65536, (300, 9, 3)).astype(np.uint16)
    slow = srgb16(render(Frame(pixels=linear_of_srgb(words)), edits, TOOLS).pixels)
    assert np.array_equal(render_words(words, edits, TOOLS), slow)


@pytest.mark.parametrize("edits", [[], [gain(1), CONTRAST], [CONTRAST, edit("blur")]], ids=["none", "strips", "whole"])
def test_light_goes_to_bytes_and_words_in_strips(edits):
    frame = Frame(pixels=np.random.default_rng(3).random((300, 9, 3)).astype(np.float32))
    pixels = render(frame, edits, TOOLS).pixels
    assert np.array_equal(render_bytes(frame, edits, TOOLS), srgb8(pixels))
    assert np.array_equal(render_words(frame, edits, TOOLS), srgb16(pixels))


def test_memory_is_flat_in_picture_size():
    def beyond_output(rows):
        words = np.full((rows, 64, 3), 30000, np.uint16)
        tracemalloc.start()
        out = render_words(words, [gain(1), CONTRAST], TOOLS)
        peak = tracemalloc.get_traced_memory()[1] - out.nbytes
        tracemalloc.stop()
        return peak

    assert beyond_output(8192) < 1.2 * beyond_output(1024)


# ---------------------------------------------------------------- time


def test_timeline_is_rendered_by_its_own_edits():
    clip = Clip(source="a", start=0, end=10, rate=25)
    params = to_json(trim.operator.examples[0])
    cut = render_timeline(Timeline(clips=(clip,)), [CROP, edit("trim", **params)], TOOLS)
    assert cut.duration == 1.5
