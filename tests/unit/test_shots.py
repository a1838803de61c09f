from fractions import Fraction

import cv2
import numpy as np
import pytest

from safelight.media import video
from safelight.probes import shots
from tests.conftest import textured


def pan(seed, count):
    """A camera that moves slowly across a scene."""
    scene = textured(seed, width=360, height=240)
    return [scene[i // 2 : i // 2 + 144, i : i + 256] for i in range(count)]


def joins(frames):
    return shots.find(map(small, frames), Fraction(25))


def small(rgb):
    planes = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2YUV_I420)
    height, width = rgb.shape[:2]
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    return shots.thumb(planes[:height], chroma[0], chroma[1])


def mixed(one, two, parts):
    return [cv2.addWeighted(a, 1 - p, b, p, 0) for a, b, p in zip(one, two, parts, strict=True)]


def test_cuts_are_found_to_the_frame():
    found = joins([*pan(1, 30), *pan(2, 25), *pan(3, 30)])
    assert [(j.into, j.frame) for j in found] == [("cut", 30), ("cut", 55)]
    assert all(0 < j.score <= 1 for j in found)


def test_a_grey_clip_is_no_obstacle():
    frames = [np.repeat(f.mean(2, keepdims=True).astype(np.uint8), 3, 2) for f in (*pan(1, 30), *pan(2, 25))]
    assert [j.frame for j in joins(frames)] == [30]


def test_light_and_flashes_are_no_cuts():
    frames = pan(4, 60)
    frames[30] = np.full_like(frames[30], 250)
    frames[31] = cv2.addWeighted(frames[31], 0.4, np.full_like(frames[31], 255), 0.6, 0)
    frames[45:] = [cv2.convertScaleAbs(f, alpha=0.55) for f in frames[45:]]
    assert [j for j in joins(frames) if j.into == "cut"] == []


@pytest.mark.parametrize("length", [10, 20])
def test_dissolves_are_found_where_they_lie(length):
    one, two = pan(5, 40 + length), pan(6, 40 + length)
    parts = (np.arange(length) + 1) / (length + 1)
    found = joins([*one[:40], *mixed(one[40:], two[:length], parts), *two[length:]])
    assert [j.into for j in found] == ["dissolve"]
    assert found[0].start <= 40 + length / 2 <= found[0].frame


def test_a_fade_through_black_is_one_join():
    one, two = pan(7, 40), pan(8, 40)
    out = [cv2.convertScaleAbs(f, alpha=a) for f, a in zip(one[30:], np.linspace(1, 0, 10), strict=True)]
    into = [cv2.convertScaleAbs(f, alpha=a) for f, a in zip(two[:10], np.linspace(0, 1, 10), strict=True)]
    found = joins([*one[:30], *out, *into, *two[10:]])
    assert [j.into for j in found] == ["fade"]
    assert 28 <= found[0].start <= 40 <= found[0].frame <= 52


def test_one_shot_has_no_joins():
    assert joins(pan(9, 70)) == []
    assert joins([]) == []


def test_given_clips(shared):
    path = shared / "synthetic" / "shots" / "reel_dev.mp4"
    found = shots.find((shots.thumb(p.luma, p.cb, p.cr) for p in video.planes(path)), Fraction(25))
    assert [j.frame for j in found if j.into == "cut"] == [60, 131, 201, 301, 319, 369]
    assert [j.into for j in found if j.into != "cut"] == ["dissolve", "fade"]
