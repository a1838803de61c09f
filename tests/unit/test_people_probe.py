"""Prints of faces: what is looked at, what is refused, and that one person lies nearer than two."""

import cv2
import numpy as np
import pytest

from safelight import weights
from safelight.domain import Measure
from safelight.media.picture import Picture
from safelight.people.faces import EVIDENCE, unpacked
from safelight.people.grouping import SURE
from safelight.probes import _identity, faces, people
from tests.conftest import textured

FRONTAL = [[60.0, 60.0], [110.0, 60.0], [85.0, 90.0], [65.0, 118.0], [105.0, 118.0]]


@pytest.fixture
def installed():
    found = weights.installed()
    if not {"face_identity", "yunet", "face_landmarker"} <= set(found):
        pytest.skip("the weights of faces are not installed; face_identity is fetched by name")
    return found


def face(**changes):
    return {"box": [40, 30, 130, 140], "yaw": 3.0, "landmarks": FRONTAL} | changes


def picture(*listed, rgb=None, weights=()):
    facts = {"faces": Measure(name="faces", value=list(listed))}
    return Picture(rgb=textured(3) if rgb is None else rgb, facts=facts, weights=dict(weights))


def answer(shown):
    (measure,) = people.probe.measure(shown)
    assert measure.name == EVIDENCE == people.EVIDENCE
    return measure


def test_without_weights_it_says_how_to_fetch_them():
    assert "safelight models fetch face_identity" in answer(picture(face())).cannot_tell


def test_where_no_faces_were_looked_for_it_says_why(installed):
    facts = {"faces": Measure(name="faces", cannot_tell="no weights for faces are installed")}
    for given, reason in ((facts, "no weights for faces"), ({}, "no faces were looked for")):
        assert reason in answer(Picture(rgb=textured(1), facts=given, weights=installed)).cannot_tell


def test_a_picture_without_faces_has_no_prints(installed):
    assert answer(picture(weights=installed)).value == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"yaw": None}, "turned away or partly hidden"),
        ({"yaw": -41.0}, "turned aside by 41°"),
        ({"landmarks": (0.3 * np.array(FRONTAL)).tolist()}, "the eyes are 15 px apart"),
    ],
)
def test_what_cannot_be_seen_well_enough_has_a_reason(installed, changes, reason):
    (found,) = answer(picture(face(**changes), weights=installed)).value
    assert reason in found["cannot_tell"]
    assert "print" not in found


def test_a_blurred_face_is_not_told(installed):
    soft = cv2.GaussianBlur(textured(3), (0, 0), 6)
    sharp, blurred = (answer(picture(face(), rgb=rgb, weights=installed)).value[0] for rgb in (textured(3), soft))
    assert "print" in sharp
    assert "blurred" in blurred["cannot_tell"]


def test_a_print_survives_as_text():
    numbers = np.random.default_rng(2).normal(0, 0.1, 128).astype(np.float32)
    assert np.abs(unpacked(people.packed(numbers)) - numbers).max() < 2e-4


@pytest.mark.parametrize("turn", [0.0, 0.4, -1.2])
@pytest.mark.parametrize("scale", [0.4, 1.0, 4.0])
def test_the_chip_has_the_face_upright_whatever_its_turn_and_size(turn, scale):
    mean = (_identity.MEAN_FACE + _identity.AROUND) / (1 + 2 * _identity.AROUND)
    size = round(260 * scale)
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = (mean - 0.5) @ spin.T * 150 * scale + size / 2
    rgb = np.zeros((size, size, 3), np.uint8)
    for x, y in points:
        cv2.circle(rgb, (round(x * 16), round(y * 16)), round(3 * scale * 16), (255, 255, 255), -1, cv2.LINE_AA, 4)
    made = _identity.chip(rgb, points)
    assert made.shape == (150, 150, 3)
    for x, y in mean * 150:
        near = made[round(y) - 8 : round(y) + 9, round(x) - 8 : round(x) + 9, 0].astype(float)
        rows, columns = np.mgrid[-8:9, -8:9]
        assert abs((near * columns).sum() / near.sum() + round(x) - x) < 0.8
        assert abs((near * rows).sum() / near.sum() + round(y) - y) < 0.8


def test_a_face_at_the_edge_of_the_picture_makes_a_chip():
    assert _identity.chip(textured(4, width=60, height=50), np.array(FRONTAL) - 55).shape == (150, 150, 3)


@pytest.mark.parametrize("spread", [2.0, 3.0, 5.0])
def test_the_width_of_edges_is_told(spread):
    step = np.zeros((150, 150), np.float32)
    step[35:60, 40:70] = step[35:60, 95:125] = 200
    soft = cv2.GaussianBlur(step, (0, 0), spread)
    chip = np.repeat(np.clip(soft + 20, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    assert people.edge_spread(chip) == pytest.approx(spread, abs=1.0)


def test_numbers_that_do_not_fit_their_list_are_refused(tmp_path):
    (tmp_path / "list.json").write_text('[{"weights": [{"name": "fc", "shape": [2], "dtype": "float32"}]}]')
    (tmp_path / "numbers.bytes").write_bytes(b"\0" * 12)
    with pytest.raises(ValueError, match="12 bytes, its list 8"):
        _identity._load(tmp_path / "list.json", tmp_path / "numbers.bytes")


def test_one_person_lies_nearer_than_two(installed, shared):
    found = {}
    for path in sorted((shared / "faces").glob("*.mpg")):
        film = cv2.VideoCapture(str(path))
        frames = [film.read()[1] for _ in range(41)]
        film.release()
        for frame in (frames[0], frames[40]):
            facts: dict[str, Measure] = {}
            seen = Picture(rgb=np.ascontiguousarray(frame[:, :, ::-1]), facts=facts, weights=installed)
            facts |= {m.name: m for m in faces.probe.measure(seen)}
            found.setdefault(path.stem, []).append(unpacked(answer(seen).value[0]["print"]))
    if len(found) < 2:
        pytest.skip("no talking heads are here")
    own = [np.linalg.norm(one - other) for one, other in found.values()]
    apart = [
        np.linalg.norm(one - other) for a in found for b in found if a < b for one in found[a] for other in found[b]
    ]
    assert max(own) < SURE < min(apart)


def test_a_face_that_was_not_looked_at_closely_says_so(installed):
    (found,) = answer(picture(face(yaw=None, eyes_reason="only the 24 largest faces"), weights=installed)).value
    assert found["cannot_tell"] == "only the 24 largest faces"
