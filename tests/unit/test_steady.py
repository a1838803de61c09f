"""A shot without its shake: what is seen of the camera, what is left alone, and the film that is written."""

import json
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight import steady
from safelight.cli_steady import steady as command
from safelight.errors import UsageError
from safelight.media import container, video
from safelight.steady.film import _matrix
from safelight.steady.plan import _needed, shake_of
from tests.made_clips import encoded, sine

RATE = 25
SIZE = (320, 180)
FRAMES = 50


def place(seed=3, *, size=(480, 300)):
    """A picture full of corners, larger than what is seen of it."""
    rng = np.random.default_rng(seed)
    rgb = np.full((size[1], size[0], 3), 90, np.uint8)
    for _ in range(260):
        at = rng.integers((0, 0), size)
        cv2.rectangle(rgb, at.tolist(), (at + rng.integers(6, 40, 2)).tolist(), rng.integers(30, 230, 3).tolist(), -1)
    return cv2.GaussianBlur(rgb, (0, 0), 0.8)


def hand(much=0.008, *, seed=1, frames=FRAMES):
    """The path of a hand that shakes: across, down, scale, turn of what is seen, as steps are added up."""
    rng = np.random.default_rng(seed)
    at = np.arange(frames) / RATE
    waves = sum(np.sin(2 * np.pi * (f * at[:, None] + rng.random(4))) / 2 for f in rng.uniform(1.5, 5, 6))
    return waves * much * np.array([1, 1, 0.4, 0.4])


def seen(rgb, path):
    """What is seen of a place along a path, in frames of SIZE."""
    wide, high = SIZE
    middle = np.array(rgb.shape[1::-1]) / 2 - 0.5
    for across, down, grow, turn in path:
        scale = np.exp(grow)
        way = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        shift = np.array([wide / 2 - 0.5 + across * wide, high / 2 - 0.5 + down * wide]) - way @ middle
        yield cv2.warpAffine(rgb, np.column_stack((way, shift)), SIZE, flags=cv2.INTER_CUBIC)


def write(file, frames, *, pixels="yuv420p", pts=None, rotation=0, aspect=None, sound_s=None):
    """A clip of these frames, 40 ms each unless `pts`, in ms, say otherwise."""
    with av.open(str(file), "w") as out:
        stream = out.add_stream("libx264", rate=RATE, options={"crf": "14", "preset": "veryfast"})
        stream.pix_fmt, stream.codec_context.time_base = pixels, Fraction(1, 1000)
        context = stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = context.color_range = 1
        if aspect:
            context.sample_aspect_ratio = aspect
        if rotation:
            stream.set_display_rotation(rotation)
        heard = out.add_stream("aac", rate=48000, layout="mono") if sound_s else None
        wide, stream.height = round(SIZE[0] / (aspect or 1) / 2) * 2, SIZE[1]
        stream.width = wide
        for number, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
            frame = frame.reformat(width=wide, format=pixels, dst_colorspace="ITU709")
            frame.pts, frame.time_base = pts[number] if pts else number * 40, Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if heard is not None:
            for packet in encoded(heard, sine(sound_s)):
                out.mux(packet)
    return file


def packets(file, index):
    with av.open(str(file)) as source:
        return [(p.pts * p.time_base, bytes(p)) for p in source.demux(source.streams[index]) if p.size]


def means(file):
    return np.mean([frame.rgb.mean((0, 1)) for frame in video.frames(file)], axis=0)


def test_the_path_of_a_hand_is_found(tmp_path):
    path = hand()
    found = steady.track(write(tmp_path / "hand.mkv", seen(place(), path)))
    assert len(found) == FRAMES
    assert found.known.all()
    apart = found.path - (path - path[0])
    apart -= apart.mean(axis=0)
    assert np.sqrt(np.square(apart).mean(axis=0)).max() < 0.0007  # widths: a fifth of a pixel
    assert shake_of(found.path, found.rate) == pytest.approx(shake_of(path, RATE), rel=0.05)


@pytest.mark.parametrize(
    "kind",
    [{}, {"pixels": "yuv422p10le"}, {"rotation": 90}, {"aspect": Fraction(4, 3)},
     {"pts": [40 * n + (17 if n % 3 else 0) for n in range(FRAMES)]}],
    ids=["plain", "deep", "turned", "oblong", "variable"],
)  # fmt: skip
def test_the_film_is_steadier_and_else_the_same(tmp_path, kind):
    clip = write(tmp_path / "hand.mp4", seen(place(), hand()), sound_s=2, **kind)
    was = clip.read_bytes()
    done = steady.steady(clip, tmp_path / "calm.mp4")
    assert done.after < 0.25 * done.plan.shake
    assert 0 < done.plan.crop <= 0.1
    assert clip.read_bytes() == was
    before, after = container.contents(clip), container.contents(tmp_path / "calm.mp4")
    for name in ("pixels", "width", "height", "rotation", "aspect", "primaries", "transfer", "matrix", "levels"):
        assert getattr(after.picture, name) == getattr(before.picture, name), name
    times = [container.timing(f) for f in (clip, tmp_path / "calm.mp4")]
    assert [times[0].at(n) for n in range(FRAMES)] == [times[1].at(n) for n in range(FRAMES)]
    shift = after.picture.first_pts * after.picture.time_base - before.picture.first_pts * before.picture.time_base
    sounds = [packets(f, c.sounds[0].index) for f, c in ((clip, before), (tmp_path / "calm.mp4", after))]
    assert [data for _, data in sounds[0]] == [data for _, data in sounds[1]]
    assert abs(sounds[1][0][0] - sounds[0][0][0] - shift) < Fraction(1, 1000)
    assert np.abs(means(clip) - means(tmp_path / "calm.mp4")).max() < 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["calm.mp4", "hand.mp4"]


def test_more_crop_is_never_taken_than_may_be(tmp_path):
    found = steady.track(write(tmp_path / "hand.mkv", seen(place(), hand(0.02))))
    free, bound = (steady.plan(found, crop=crop) for crop in (0.3, 0.05))
    assert free.crop > 0.06
    assert bound.crop <= 0.05
    assert free.left < bound.left < bound.shake


def pan():
    path = hand(0.001)
    path[:, 0] -= np.linspace(-0.12, 0.12, FRAMES)
    return seen(place(), path)


def two_ways():
    """Half of what is seen goes its own way, as a crowd does."""
    for one, other in zip(seen(place(), hand(0.012, seed=1)), seen(place(7), hand(0.012, seed=2)), strict=True):
        one[:, 160:] = other[:, 160:]
        yield one


def bent():
    """Rows are read one after another while the camera jerks."""
    path = hand(0.006)
    for frame, off in zip(seen(place(), path), 30 * np.sin(np.arange(FRAMES)), strict=True):
        yield cv2.warpAffine(frame, np.array([[1, off / SIZE[1], -off / 2], [0, 1, 0]]), SIZE)


def cut():
    yield from list(seen(place(), hand(0.006)))[:25]
    yield from list(seen(place(9) // 2, hand(0.006)))[25:]


@pytest.mark.parametrize(
    ("frames", "reason"),
    [(lambda: seen(place(), hand(0.0001)), "steady as on a tripod"), (pan, "pans or follows"),
     (two_ways, "in more ways than one"), (bent, "bends in itself"), (cut, "there is a cut at 1.00 s"),
     (lambda: (np.full((180, 320, 3), 90 + n % 2, np.uint8) for n in range(FRAMES)), "too little to hold on to"),
     (lambda: list(seen(place(), hand()))[:5], "too short")],
    ids=["tripod", "pan", "two ways", "bent", "cut", "plain", "short"],
)  # fmt: skip
def test_what_is_left_alone_gives_no_film_and_a_reason(tmp_path, frames, reason):
    clip = write(tmp_path / "clip.mkv", frames())
    done = CliRunner().invoke(command, [str(clip), "--to", str(tmp_path / "calm.mkv"), "--json"])
    told = json.loads(done.stdout)
    assert done.exit_code == 1
    assert reason in (told["cannot_tell"] or told["left_alone"])
    assert told["film"] is told["after"] is None
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mkv"]


def test_a_pan_that_is_asked_for_keeps_its_way(tmp_path):
    path = hand(0.004)
    path[:, 0] -= np.linspace(-0.12, 0.12, FRAMES)
    clip = write(tmp_path / "pan.mkv", seen(place(), path))
    done = CliRunner().invoke(command, [str(clip), "--to", str(tmp_path / "calm.mkv"), "--anyway"])
    assert done.exit_code == 0, done.output
    assert "of shake became" in done.output
    ways = [steady.track(f).path[-1, 0] for f in (clip, tmp_path / "calm.draft.mkv")]
    assert ways[1] == pytest.approx(ways[0], rel=0.2)


def test_a_film_that_is_no_steadier_does_not_appear(tmp_path, monkeypatch):
    monkeypatch.setattr("safelight.steady.film.WORTH", 0.0)
    clip = write(tmp_path / "hand.mkv", seen(place(), hand()))
    done = CliRunner().invoke(command, [str(clip), "--to", str(tmp_path / "calm.mkv")])
    assert done.exit_code == 1
    assert "would stay within this crop" in done.output
    assert [p.name for p in tmp_path.iterdir()] == ["hand.mkv"]


@pytest.mark.parametrize("name", ["calm.webm", "calm", "hand.mkv"])
def test_what_cannot_be_written_is_said_before_anything_is_read(tmp_path, name):
    clip = write(tmp_path / "hand.mkv", list(seen(place(), hand()))[:3])
    with pytest.raises(UsageError) as refused:
        steady.steady(clip, tmp_path / name)
    assert refused.value.remedy


def test_sound_that_does_not_fit_the_file_is_a_clear_error(tmp_path):
    clip = tmp_path / "hand.mov"
    with av.open(str(clip), "w") as out:
        shown, heard = out.add_stream("libx264", rate=RATE), out.add_stream("pcm_mulaw", rate=48000, layout="mono")
        shown.width, shown.height = SIZE
        for rgb in seen(place(), hand()):
            out.mux(shown.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        out.mux(shown.encode(None))
        for packet in encoded(heard, sine(2)):
            out.mux(packet)
    with pytest.raises(UsageError, match=r"does not go into a \.mp4"):
        steady.steady(clip, tmp_path / "calm.mp4")
    assert [p.name for p in tmp_path.iterdir()] == ["hand.mov"]
    assert steady.steady(clip, tmp_path / "calm.mov").after is not None


@settings(max_examples=60)
@given(
    move=st.tuples(*[st.floats(-0.08, 0.08)] * 4), height=st.sampled_from([90, 160, 240]),
    aspect=st.sampled_from([1.0, 0.75, 4 / 3]),
)  # fmt: skip
def test_no_edge_comes_into_sight(move, height, aspect):
    """With the zoom that is said to be needed, each corner of the film comes from inside the frame."""
    size = (160, height)
    moves = np.array([move])
    zoom = float(_needed(moves, height / (160 * aspect))[0])
    matrix = _matrix(moves[0], zoom, size, size, aspect)
    corners = np.array([(x, y, 1) for x in (-0.5, size[0] - 0.5) for y in (-0.5, height - 0.5)]) @ matrix.T
    assert (corners >= -0.5 - 1e-6).all()
    assert (corners <= np.array(size) - 0.5 + 1e-6).all()
    assert np.isclose(np.min(np.hstack((corners + 0.5, np.array(size) - 0.5 - corners))), 0, atol=1e-6)
