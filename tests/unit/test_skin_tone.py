"""A bucket of how skin is rendered, and the many cases in which it cannot be told."""

import numpy as np
import pytest

from safelight import plugins
from safelight.domain import Measure
from safelight.media.colour import decode, encode
from safelight.media.picture import Picture
from safelight.probes import Probe, skin_tone

LIGHT, MEDIUM, DARK = (72, 12, 16), (54, 14, 21), (34, 11, 14)
GROUND = (128, 128, 128)


def rgb_of(lab):
    """A colour as sRGB bytes; lightness by its own formula, so that the test does not lean on the code it tests."""
    f = (lab[0] + 16) / 116
    xyz = np.array([f + lab[1] / 500, f, f - lab[2] / 200])
    xyz = np.where(xyz > 6 / 29, xyz**3, 3 * (6 / 29) ** 2 * (xyz - 4 / 29)) * (0.9505, 1.0, 1.0891)
    to_rgb = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
    return np.rint(encode(np.clip(to_rgb @ xyz, 0, 1)) * 255).astype(np.uint8)


def face(x, *, size=120, yaw=0.0):
    """A face whose five points lie as they do in an upright one."""
    at = [(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)]
    return {
        "box": [x, 0, x + size, size], "yaw": yaw, "eyes_reason": None,
        "landmarks": [[x + a * size, b * size] for a, b in at],
    }  # fmt: skip


def picture(*skins, size=120, yaw=0.0, **facts):
    pixels = np.full((size, max(1, len(skins)) * size, 3), GROUND, np.uint8)
    for i, skin in enumerate(skins):
        pixels[:, i * size : (i + 1) * size] = rgb_of(skin)
    known = {
        "faces": [face(i * size, size=size, yaw=yaw) for i in range(len(skins))], "colour.cast": 0.1,
        "colour.mood": 0.5, "colour.confidence": 0.7, "colour.gains": [1.0, 1.0, 1.0], "exposure.over": 0.1,
        "exposure.under": 0.1,
    } | {name.replace("__", "."): value for name, value in facts.items()}  # fmt: skip
    measures = {n: Measure(name=n, value=v) for n, v in known.items() if v is not None}
    return Picture(rgb=pixels, facts=measures)


def said(*skins, **how):
    (found,) = skin_tone.measure(picture(*skins, **how))
    return found.value or found.cannot_tell


@pytest.mark.parametrize(("skin", "wanted"), [(LIGHT, "light"), (MEDIUM, "medium"), (DARK, "dark")])
def test_each_tone_has_its_bucket(skin, wanted):
    assert said(skin) == wanted
    assert said(skin, skin) == wanted


def test_people_of_several_tones_are_a_bucket_of_their_own():
    assert said(LIGHT, DARK) == "mixed"


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"faces": None}, "no faces were looked for"),
        ({"faces": []}, "no face was found"),
        ({"colour__cast": None}, "nobody could judge the light"),
        ({"exposure__over": None}, "nobody could judge the light"),
        ({"colour__mood": 0.95}, "may be meant so"),
        ({"exposure__under": 0.6}, "the exposure is off"),
        ({"exposure__over": 0.6}, "the exposure is off"),
        ({"colour__cast": 0.8, "colour__confidence": 0.2}, "nobody knows by how much"),
        ({"size": 40}, "px are needed"),
        ({"yaw": 55.0}, "turned away"),
        ({"yaw": None}, "turned away"),
    ],
)
def test_what_hides_a_tone_is_named(how, reason):
    assert reason in said(MEDIUM, **how)


@pytest.mark.parametrize("skin", [(60, 0, 0), (50, 5, -30), (60, -30, 30)], ids=["grey", "blue", "green"])
def test_what_is_no_skin_has_no_tone(skin):
    assert "not skin" in said(skin)


def test_between_two_buckets_nothing_is_said():
    assert "between" in said((61, 14, 21))  # 28 degrees
    assert "between" in said((40, 12, 17))  # -30 degrees


def test_one_person_who_cannot_be_told_leaves_the_picture_unknown():
    assert "not skin" in said(DARK, (60, 0, 0))


def test_a_cast_that_is_known_is_taken_out_first():
    gains = [0.5, 1.0, 2.0]
    shown = picture(MEDIUM, colour__cast=0.9, colour__gains=gains)
    shown.rgb = np.rint(encode(np.clip(decode(shown.rgb / 255) / np.array(gains), 0, 1)) * 255).astype(np.uint8)
    assert skin_tone.measure(shown)[0].value == "medium"


def test_the_probe_is_about_people_and_only_splits_records():
    found = plugins.probes()["skin_tone"]
    assert found.personal
    assert found.splits
    with pytest.raises(ValueError, match="personal"):
        Probe(name="other", version=1, emits=("other",), splits=True, measure=skin_tone.measure)
