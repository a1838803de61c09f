"""Passers-by: what lies behind them is shown, the rest of the frame stays, and what cannot be told is left alone."""

import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from safelight import clearing
from safelight.clearing import plate
from safelight.cli_clear import clear as command
from safelight.errors import UsageError
from safelight.media import container, film_xmp, video
from tests.unit.test_steady import SIZE, place, write

FRAMES = 40


def street(
    *, who=lambda k: 8 * k - 40, light=lambda _: 1.0, camera=lambda _: (0, 0), frames=FRAMES, rows=np.s_[60:130]
):
    """A place before which a green block walks: `who` says where its left edge is, `camera` what it looks at."""
    rgb, rng = place(), np.random.default_rng(4)
    for k in range(frames):
        x, y = np.round(camera(k)).astype(int) + 40
        empty = rgb[y : y + SIZE[1], x : x + SIZE[0]].astype(float)
        seen = empty.copy()
        left = round(who(k))
        seen[rows, max(left, 0) : max(left + 30, 0)] = (20, 200, 40)
        grain = rng.normal(0, 1.5, seen.shape)
        yield [np.clip(p * light(k) + g, 0, 255).astype(np.uint8) for p, g in ((seen, grain), (empty, 0))]


def with_a_foot(pairs):
    """The block has a foot without a leg, as bright as the ground all in all."""
    pattern = np.where(np.indices((8, 10)).sum(0) // 2 % 2, 70.0, -70.0)[..., None]
    for k, (seen, empty) in enumerate(pairs):
        left = 8 * k - 30
        if 0 <= left < SIZE[0] - 10:
            seen[140:148, left : left + 10] = np.clip(empty[140:148, left : left + 10] + pattern, 0, 255)
        yield seen, empty


def written(path, pairs, **more):
    write(path, [seen for seen, _ in pairs], **more)
    return path


def off(film, pairs, part=np.s_[50:140, :]):
    """Root mean square difference of greys from the empty place, code values of 8 bits."""
    frames = [s.rgb for s in video.frames(film, long_side=None)]
    assert len(frames) == len(pairs)
    return float(np.sqrt(np.mean([(f[part].mean(-1) - e[part].mean(-1)) ** 2 for f, (_, e) in zip(frames, pairs)])))  # noqa: B905


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("walks", {}),
        ("rests", {"who": lambda k: np.interp(k, [0, 12, 26, 39], [-40, 120, 120, 330])}),
        ("light", {"light": lambda k: 1 + 0.05 * np.sin(k / 6)}),
        ("hand", {"camera": lambda k: (2 * np.sin(k / 5), 2 * np.cos(k / 4))}),
    ],
)
def test_what_lies_behind_is_shown(tmp_path, kind, more):
    pairs = list(street(**more))
    clip = written(tmp_path / "a.mp4", pairs)
    before = off(clip, pairs)
    done = clearing.clear(clip, tmp_path / "out.mp4")
    assert (done.cannot_tell, done.frames) == (None, FRAMES)
    assert 25 <= done.changed <= FRAMES
    assert 0.02 < done.largest < 0.15
    assert off(tmp_path / "out.mp4", pairs) < 6 < before


def test_a_foot_goes_with_who_it_belongs_to(tmp_path):
    pairs = list(with_a_foot(street()))
    clip = written(tmp_path / "a.mp4", pairs)
    before = off(clip, pairs, np.s_[138:150, :])
    clearing.clear(clip, tmp_path / "out.mp4")
    assert off(tmp_path / "out.mp4", pairs, np.s_[138:150, :]) < 5 < before


def test_who_comes_in_and_leaves_goes_to_the_last_sliver(tmp_path):
    pairs = list(street(who=lambda k: np.interp(k, [0, 10, 29, 39], [-29, -27, 316, 319]), rows=np.s_[60:66]))
    clip = written(tmp_path / "a.mp4", pairs)
    edges = (np.s_[60:66, :3], np.s_[60:66, -4:])
    before = [off(clip, pairs, edge) for edge in edges]
    clearing.clear(clip, tmp_path / "out.mp4")
    after = [off(tmp_path / "out.mp4", pairs, edge) for edge in edges]
    assert max(after) < 6, "grain and what the encoder makes of it"
    assert min(before) > 8


def test_a_camera_that_stands_is_told_from_one_that_is_held(tmp_path):
    rng = np.random.default_rng(2)
    ground = cv2.GaussianBlur(rng.uniform(0, 255, (200, 300)).astype(np.float32), (0, 0), 1.5)
    shifts = rng.integers(-3, 4, (12, 2)) * (np.arange(12) > 0)[:, None]
    moves = np.zeros((12, 4))
    moves[:, :2] = -shifts / np.array([240, 240])

    def frames(at):
        """As the camera sees them, in a light that changes."""
        for k, (x, y) in enumerate(at):
            seen = ground[20 + y : 160 + y, 20 + x : 260 + x] * (1 + 0.02 * k) + rng.normal(0, 1, (140, 240))
            yield np.repeat(seen[..., None], 3, 2).astype(np.float32)

    assert not plate.stands(list(frames(shifts)), moves, 1.0)
    assert plate.stands(list(frames(np.zeros_like(shifts))), moves / 4, 1.0)


def test_what_does_not_pass_stays_as_it_was_and_the_film_says_what_was_done(tmp_path):
    pairs = list(street())
    clip = written(tmp_path / "a.mp4", pairs, sound_s=1.6)
    done = clearing.clear(clip, tmp_path / "out.mp4", where=(0, 0, 160, 180))
    frames = [s.rgb for s in video.frames(tmp_path / "out.mp4", long_side=None)]
    late = frames[32].astype(float)  # the block is in the right half, where nobody was asked to look
    assert np.abs(late[60:130, 218:244] - (20, 200, 40)).mean() < 12
    assert off(tmp_path / "out.mp4", pairs, np.s_[:, :120]) < 6
    assert container.contents(tmp_path / "out.mp4").sounds
    assert b"compositeCapture" in film_xmp.read(tmp_path / "out.mp4")
    assert "compositeCapture" in done.notes[-1]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"who": lambda k: 120 + 12 * np.sin(k)}, "moves on one spot all the time"),
        ({"camera": lambda k: (2 * k, 0)}, "camera moves"),
        ({"frames": 10}, "fewer than"),
    ],
)
def test_what_cannot_be_told_is_left_alone(tmp_path, more, why):
    clip = written(tmp_path / "a.mp4", list(street(**more)))
    done = clearing.clear(clip, tmp_path / "out.mp4")
    assert why in done.cannot_tell
    assert not (tmp_path / "out.mp4").exists()


def test_where_nobody_passes_there_is_no_film(tmp_path):
    clip = written(tmp_path / "a.mp4", list(street(who=lambda _: -40)))
    found = CliRunner().invoke(command, [str(clip), "--to", str(tmp_path / "out.mp4"), "--json"])
    told = json.loads(found.stdout)
    assert (found.exit_code, told["left_alone"], told["film"]) == (1, "nobody passes", None)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mp4"]


def test_wrong_usage_is_told(tmp_path):
    clip = written(tmp_path / "a.mp4", list(street(frames=20)))
    with pytest.raises(UsageError, match="original"):
        clearing.clear(clip, clip)
    with pytest.raises(UsageError, match="not in the picture"):
        clearing.clear(clip, tmp_path / "out.mp4", where=(0, 0, 999, 10))
    found = CliRunner().invoke(command, [str(clip), "--to", str(tmp_path / "out.mp4"), "--where", "1,2"])
    assert isinstance(found.exception, UsageError)


def test_a_picture_laid_over_another_comes_back():
    rng = np.random.default_rng(1)
    soft = cv2.GaussianBlur(rng.uniform(0, 255, (90, 160, 3)).astype(np.float32), (0, 0), 4)
    move = np.array([0.02, -0.01, 0.01, 0.02])
    again = plate.laid(plate.laid(soft, move, 1.5), move, 1.5, back=True)
    assert np.abs(again - soft)[12:-12, 12:-12].max() < 2
