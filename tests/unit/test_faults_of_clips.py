"""Faults of picture and sound on made cases, each with its honest look-alike."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from safelight.media.runs import runs
from safelight.media.sound import Block
from safelight.media.video import Still
from safelight.probes._faults import picture
from safelight.probes._faults.frames import Measuring
from safelight.probes._faults.sound import Listening
from safelight.probes._faults.spans import Fault, told

RATE = Fraction(25)
SOUND = 48000


def pan(count=100, step=4):
    """A picture with detail moving sideways, H×W×3 bytes a frame."""
    rng = np.random.default_rng(3)
    wide = np.kron(rng.integers(40, 200, (12, 120)), np.ones((12, 12))).astype(np.uint8)
    return [np.repeat(wide[:, i * step : i * step + 256, None], 3, 2).copy() for i in range(count)]


def faults_of(frames):
    measuring = Measuring()
    for i, rgb in enumerate(frames):
        luma = (16 + rgb[..., 1] * 0.85).astype(np.uint8)
        measuring.see(Still(index=i, at=i / RATE, rgb=rgb, luma=luma))
    return told(picture.found(measuring.rows, rate=RATE))


def test_an_honest_pan_has_no_fault():
    assert faults_of(pan()) == []


def held(frames):
    return [f.frames for f in faults_of(frames) if f.kind in ("freeze", "duplicate")]


def test_a_part_that_comes_and_goes_repeats_nothing():
    still = pan(count=1)[0]
    lit = still.copy()
    lit[20:70, 40:120] = 235
    pattern = [0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0]
    assert held([(still, lit)[pattern[i % 12] ^ (i % 7 == 3)] for i in range(90)]) == []


def test_a_plain_card_cannot_be_told_held():
    frames = pan()
    for i in range(40, 60):
        frames[i] = np.full_like(frames[i], 120)
    assert held(frames) == []


def test_a_rhythm_may_be_as_short_as_its_shot():
    frames = pan(step=1)
    other = [255 - frame[::-1] for frame in frames]
    beats = [other[i - (i % 4 == 2)] for i in range(50, 70)]
    assert held(frames[:50] + beats + frames[70:]) == []
    once = [other[i - (i == 60)] for i in range(50, 70)]
    assert held(frames[:50] + once + frames[70:]) == [(60, 61)]


def test_what_comes_to_rest_and_starts_slowly_is_not_frozen():
    wide = pan(count=1)[0].shape[1]
    speed = np.r_[np.full(40, 4), np.linspace(4, 0, 5), np.zeros(16), np.linspace(0, 4, 24), np.full(8, 4)]
    everything = np.concatenate(pan(count=4, step=256), axis=1)
    places = np.cumsum(speed).round().astype(int)
    assert held([everything[:, x : x + wide].copy() for x in places]) == []


def test_black_inside_is_a_fault_and_at_the_ends_is_none():
    frames = pan()
    for i in (0, 1, 2, 50, 51, 98, 99):
        frames[i][:] = 0
    found = [f for f in faults_of(frames) if f.kind == "black"]
    assert [(f.frames, f.start, f.end) for f in found] == [((50, 52), Fraction(2), Fraction(52, 25))]


def test_a_held_picture_is_found_to_the_frame():
    frames = pan()
    for i in range(40, 52):
        frames[i] = frames[39]
    assert [f.frames for f in faults_of(frames) if f.kind == "freeze"] == [(40, 52)]


def test_a_missing_frame_is_found_where_the_motion_goes_on():
    frames = pan(step=2)
    for missing in (1, 3):
        found = [f for f in faults_of(frames[:50] + frames[50 + missing :]) if f.kind == "dropped"]
        assert [f.frames for f in found] == [(50, 51)]


def test_a_hand_that_jolts_and_comes_back_drops_nothing():
    frames = pan(step=2)
    jolted = [*frames[:50], frames[54], frames[51], frames[55], *frames[53:]]
    assert not any(f.kind == "dropped" for f in faults_of(jolted))


def test_blocks_are_seen_around_the_only_detail_of_a_plain_picture():
    rng = np.random.default_rng(5)
    frames = [np.full((144, 256, 3), 120, np.uint8) for _ in range(60)]
    detail = rng.integers(60, 200, (24, 64, 1)).astype(np.uint8)
    for n, frame in enumerate(frames):
        frame[100:124, 130:194] = np.roll(detail, n // 12, axis=1)
        if 30 <= n < 34:
            frame[:] = cv2.imdecode(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 3])[1], cv2.IMREAD_COLOR)
    assert [f.frames for f in faults_of(frames) if f.kind == "blocky"] == [(30, 34)]


def test_flashing_is_judged_by_its_rate():
    for hertz, expected in ((6, True), (2, False)):
        frames = pan()
        for i in range(20, 70):
            frames[i][:] = 235 if int(2 * hertz * i / 25) % 2 else 20
        assert any(f.kind == "flashing" for f in faults_of(frames)) is expected


def tinted(frame, red, green, blue, *, gain=1.0):
    return np.clip(frame * (gain * np.array([red, green, blue])), 0, 255).astype(np.uint8)


def turned(frames):
    return [f.frames for f in faults_of(frames) if f.kind == "colour_jump"]


def test_a_colour_that_jumps_and_comes_back_is_found_to_the_frame():
    frames = pan(step=2)
    for i in range(40, 60):
        frames[i] = tinted(frames[i], 1.03, 1.0, 0.96)
    assert turned(frames) == [(40, 60)]


def test_a_colour_that_stays_is_told_where_it_begins():
    frames = pan(step=2)
    assert turned(frames[:40] + [tinted(f, 0.9, 1.05, 1.02) for f in frames[40:]]) == [(40, 41)]


def test_a_flash_an_exposure_a_fade_and_another_picture_are_no_jumps_of_colour():
    frames = pan(step=2)
    flash = [*frames[:40], *(tinted(f, 1.2, 1.1, 0.9) for f in frames[40:43]), *frames[43:]]
    set_lighter = frames[:40] + [tinted(f, 1.01, 1.0, 0.98, gain=1.2) for f in frames[40:]]
    shares = np.clip((np.arange(len(frames)) - 40) / 12, 0, 1)
    fades = [tinted(f, 1 + 0.15 * s, 1, 1 - 0.15 * s) for f, s in zip(frames, shares, strict=True)]
    other = frames[:40] + [tinted(f[::-1, ::-1], 1.1, 1.0, 0.9) for f in frames[40:]]
    assert [turned(case) for case in (flash, set_lighter, fades, other)] == [[], [], [], []]


def test_a_lit_corner_turns_no_colour():
    frames = pan(step=2)
    for i in range(40, 70):
        frames[i][72:, :160] = tinted(frames[i][72:, :160], 1.3, 1.0, 0.7)
    assert turned(frames) == []


def test_a_still_picture_after_a_flash_is_not_frozen():
    still = pan(count=1)[0]
    other = [frame[::-1] for frame in pan()]
    flash = [np.clip(still + np.float32(add), 0, 255).astype(np.uint8) for add in (108, 72, 41)]
    assert held([*other[:20], *[still] * 2, *flash, *[still] * 21, *other[20:40]]) == []


def test_a_shot_that_begins_with_one_picture_twice_doubles_no_frame():
    frames = pan()
    other = [255 - frame[::-1] for frame in frames]
    assert held([*frames[:40], other[40], *other[40:80]]) == []


def test_where_a_jolt_begins_nothing_is_missing():
    wide = np.concatenate(pan(count=4, step=256), axis=1)
    speed = np.r_[np.full(40, 1), 12, 9, 7, 5, 3, 2, np.full(40, 1)]
    frames = [wide[:, x : x + 256].copy() for x in np.cumsum(speed).round().astype(int)]
    assert not any(f.kind == "dropped" for f in faults_of(frames))


def speech(seconds=6, seed=1):
    """Noise that swings as syllables do, left and right nearly alike."""
    rng = np.random.default_rng(seed)
    count = seconds * SOUND
    swing = 0.5 + 0.5 * np.sin(2 * np.pi * 3 * np.arange(count) / SOUND)
    voice = np.convolve(rng.standard_normal(count), np.ones(24) / 24, "same") * 0.3 * swing**2
    room = rng.standard_normal((count, 2)) * 5e-4
    return (voice[:, None] + room).astype(np.float32)


def heard(samples):
    listening = Listening()
    for first in range(0, len(samples), SOUND):
        part = samples[first : first + SOUND]
        listening.hear(Block(at=Fraction(first, SOUND), samples=part, rate=SOUND))
    return told(listening.done())


def test_an_honest_sound_has_no_fault():
    assert heard(speech()) == []


def clip(x):
    x *= 3
    np.clip(x, -0.6, 0.6, out=x)


def hum(x):
    x += (0.02 * sum(np.sin(2 * np.pi * 50 * n * np.arange(len(x)) / SOUND) / n for n in (1, 2, 3, 4)))[:, None]


def click(x):
    x[3 * SOUND + 500 : 3 * SOUND + 504] += np.array([[0.8], [-0.6], [0.4], [-0.2]])


def kill(x):
    x[SOUND : 4 * SOUND, 1] = 0


def turn(x):
    x[SOUND : 4 * SOUND, 1] *= -1


def drop(x):
    x[3 * SOUND + 4000 : 3 * SOUND + 6000] = 0


def silence(x):
    x[2 * SOUND : 3 * SOUND] = 0


def push(x):
    x += 0.03


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [(clip, "clipping"), (hum, "hum"), (click, "click"), (kill, "dead_channel"), (turn, "inverted_phase"),
     (drop, "dropout"), (silence, "silence"), (push, "dc_offset")],
)  # fmt: skip
def test_each_fault_of_sound_is_named(spoil, kind):
    samples = speech()
    spoil(samples)
    assert kind in {f.kind for f in heard(samples)}


def test_a_lopsided_voice_is_not_off_centre():
    samples = speech(seconds=10) * 3
    samples += 2 * samples**2  # its mean lies above zero where it is loud, and nowhere else
    assert abs(samples.mean()) > 0.006
    assert not any(f.kind == "dc_offset" for f in heard(samples))


def test_a_voice_that_passes_through_the_mains_is_no_hum():
    samples = speech(seconds=8)
    pitch = 100 + 4 * np.sin(2 * np.pi * 0.7 * np.arange(len(samples)) / SOUND)
    phase = 2 * np.pi * np.cumsum(pitch) / SOUND
    samples += 0.05 * sum(np.sin(n * phase) / n for n in (1, 2, 3, 4)).astype(np.float32)[:, None]
    assert not any(f.kind == "hum" for f in heard(samples))


def test_hum_far_under_a_voice_is_told_with_its_mains_and_near_its_span():
    samples = speech(seconds=12)
    time = np.arange(4 * SOUND, 9 * SOUND) / SOUND
    tone = sum(np.sin(2 * np.pi * 60 * n * time + n) / n for n in (1, 2, 3, 4))
    samples[4 * SOUND : 9 * SOUND] += (8e-3 * tone).astype(np.float32)[:, None]
    (found,) = [f for f in heard(samples) if f.kind == "hum"]
    assert found.hertz == 60
    assert abs(found.start - 4) < 1.5
    assert abs(found.end - 9) < 1.5


def test_silence_and_dropout_lie_where_they_were_made():
    samples = speech()
    silence(samples)
    (found,) = [f for f in heard(samples) if f.kind == "silence"]
    assert (found.start, found.end) == (2, 3)


def test_runs_are_half_open_and_bridged():
    assert runs(np.array([0, 1, 1, 0, 1, 0, 0, 0, 1], bool), bridge=1) == [(1, 5), (8, 9)]


def test_a_strength_of_one_is_as_likely_as_not():
    one = Fault(kind="nothing known", start=Fraction(0), end=Fraction(1), strength=1.0)
    assert one.probability == 0.5
