"""What is measured of a shot, on pictures whose camera, light and sharpness are known."""

import weakref
from fractions import Fraction

import cv2
import numpy as np
import pytest

from safelight.media.video import Packed, Still
from safelight.probes import shots
from safelight.probes._shots import facts
from safelight.probes._shots.looks import Looking
from safelight.shotlog import sentences
from tests.conftest import textured

WIDTH, HEIGHT, RATE = 320, 180, 25
SCENE = cv2.cvtColor(cv2.GaussianBlur(textured(3, width=900, height=600), (0, 0), 2), cv2.COLOR_RGB2GRAY)


def seen(x, y, zoom=1.0, scene=SCENE):
    """What a camera sees whose middle lies so many widths right and down of the scene's."""
    centre = (scene.shape[1] / 2 + x * WIDTH, scene.shape[0] / 2 + y * WIDTH)
    matrix = cv2.getRotationMatrix2D(centre, 0, zoom)
    matrix[:, 2] += np.array([WIDTH / 2, HEIGHT / 2]) - centre
    return cv2.warpAffine(scene, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC)


def looked(frames, *, full_range=True):
    looking = Looking(rate=RATE, full_range=full_range, aspect=WIDTH / HEIGHT, count=len(frames))
    grey = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    for index, luma in enumerate(frames):
        rgb = np.repeat(luma[..., None], 3, axis=2)
        still = Still(
            index=index,
            at=Fraction(index, RATE),
            rgb=rgb,
            planes=(luma, grey, grey),
            pack=lambda _, rgb=rgb: Packed(pixels=rgb, opened=lambda pixels: pixels),
        )
        looking.see(still, shots.thumb(luma, grey, grey))
    looking.done()
    return looking


def shaken(amount, seed=1, count=50):
    """The path of a hand, of this root mean square in widths."""
    noise = np.random.default_rng(seed).standard_normal((2, count + 6))
    kernel = np.hanning(9)[1:-1]
    path = np.stack([np.convolve(row, kernel, "valid") for row in noise])
    return path * (amount / np.sqrt(np.square(path - path.mean(axis=1, keepdims=True)).sum(axis=0).mean()))


@pytest.mark.parametrize(("amount", "kind"), [(0.0, "tripod"), (0.003, "handheld"), (0.02, "shaky")])
def test_a_hand_is_told_from_a_tripod_and_its_shake_is_measured(amount, kind):
    path = shaken(amount) if amount else np.zeros((2, 50))
    told = facts.steadiness(looked([seen(x, y) for x, y in path.T]).columns(), RATE)
    assert told["kind"] == kind
    assert told["shake"] == pytest.approx(amount, rel=0.5, abs=1e-4)


@pytest.mark.parametrize(
    ("step", "said"),
    [((0.01, 0), ["pan right"]), ((-0.01, 0), ["pan left"]), ((0, 0.01), ["tilt down"]), ((0, -0.01), ["tilt up"])],
)
def test_a_pan_is_named_as_the_camera_turns(step, said):
    frames = [seen(step[0] * (i - 20), step[1] * (i - 20)) for i in range(40)]
    columns = looked(frames).columns()
    assert facts.motion(columns, RATE)["camera"] == said
    assert facts.steadiness(columns, RATE)["kind"] == "tripod", "a smooth pan is steady"
    turned = facts.motion(columns, RATE, 90)["camera"]
    assert turned != said, "of a clip that is shown turned it is another one"


@pytest.mark.parametrize(("rate", "said"), [(0.008, "zoom in"), (-0.008, "zoom out")])
def test_a_zoom_is_told_with_its_factor(rate, said):
    frames = [seen(0, 0, 1.4 * np.exp(rate * i)) for i in range(40)]
    told = facts.motion(looked(frames).columns(), RATE)
    assert told["camera"] == [said]
    assert told["zoom"] == pytest.approx(np.exp(39 * rate), rel=0.06)


def test_what_moves_in_front_of_a_standing_camera_is_not_the_camera():
    frames = []
    for i in range(40):
        frame = seen(0, 0).copy()
        cv2.circle(frame, (40 + 5 * i, 90), 40, 220, -1)
        frames.append(frame)
    told = facts.motion(looked(frames).columns(), RATE)
    assert told["camera"] == ["static"]


def test_before_a_plain_ground_nothing_is_said_of_the_camera():
    subject = np.kron(np.random.default_rng(2).integers(60, 220, (7, 7), np.uint8), np.ones((10, 10), np.uint8))
    frames = []
    for i in range(30):
        frame = np.full((HEIGHT, WIDTH), 120, np.uint8)
        left = 110 + round(8 * np.sin(i))
        frame[60:130, left : left + 70] = subject
        frames.append(frame)
    columns = looked(frames).columns()
    for told in (facts.steadiness(columns, RATE), facts.motion(columns, RATE)):
        assert "too little to hold on to" in told["cannot_tell"]
    assert sentences({"motion": told})["motion"].startswith("Cannot tell motion: there is too little")


def test_a_shot_of_a_few_frames_is_too_short_for_its_camera():
    columns = looked([seen(0, 0)] * 5).columns()
    assert facts.steadiness(columns, RATE) == {"cannot_tell": "the shot is too short"}
    assert facts.exposure(columns, None)["kind"] == "normal"


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda f: f, "normal"),
        (lambda f: np.clip(f.astype(int) * 2 + 60, 0, 255), "bright"),
        (lambda f: f // 12, "dark"),
        (lambda f: np.where(np.arange(HEIGHT)[:, None] < 30, 255, f), "clipped"),
    ],
)
def test_exposure_is_that_of_most_frames(change, kind):
    frames = [change(seen(0, 0)).astype(np.uint8)] * 12 + [np.full((HEIGHT, WIDTH), 255, np.uint8)]
    told = facts.exposure(looked(frames).columns(), None)
    assert told["kind"] == kind
    assert "HDR" in facts.exposure(looked(frames).columns(), "pq")["cannot_tell"]


def test_bars_beside_the_picture_are_not_black():
    frame = seen(0, 0)
    frame[:24], frame[-24:] = 0, 0
    told = facts.exposure(looked([frame] * 3).columns(), None)
    assert told["black"] < 0.01


def test_the_key_frame_is_sharp_and_away_from_the_joins():
    blurred = [cv2.GaussianBlur(seen(0.001 * i, 0), (0, 0), 4) for i in range(40)]
    frames = [seen(0.001 * i, 0) if 18 <= i < 22 else blurred[i] for i in range(40)]
    ((told, picture),) = facts.of_shots(looked(frames), [(0, 40)], hdr=None, turned=0, weights={})
    assert 18 <= told["key_frame"] < 22
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert "no weights" in told["faces"]["cannot_tell"]


def test_every_shot_has_its_own_key_frame_and_a_blurred_one_says_so():
    blocks = np.kron(np.random.default_rng(4).integers(40, 220, (30, 45), np.uint8), np.ones((20, 20), np.uint8))
    other = cv2.GaussianBlur(blocks[::-1].copy(), (0, 0), 6)
    frames = [seen(0, 0, scene=blocks)] * 30 + [seen(0, 0, scene=other)] * 30
    (one, _), (two, _) = facts.of_shots(looked(frames), [(0, 30), (30, 60)], hdr=None, turned=0, weights={})
    assert [one["key_frame"] < 30, two["key_frame"] >= 30] == [True, True]
    assert two["sharpness"]["blur"] > one["sharpness"]["blur"]


def test_key_frames_are_held_one_at_a_time_however_many_shots_there_are():
    looking, spans = looked([seen(0, 0)] * 300), [(25 * i, 25 * i + 25) for i in range(12)]
    held = []
    for _, picture in facts.of_shots(looking, spans, hdr=None, turned=0, weights={}):
        if picture is not None:
            held.append(weakref.ref(picture))
            del picture
            assert sum(one() is not None for one in held) <= 2
    assert len(held) > 5


def test_every_fact_has_a_sentence():
    ((told, _),) = facts.of_shots(looked([seen(0, 0)] * 30), [(0, 30)], hdr=None, turned=0, weights={})
    found = sentences(told)
    assert list(found) == ["steadiness", "motion", "sharpness", "exposure", "faces"]
    assert all(text.endswith(".") for text in found.values())
