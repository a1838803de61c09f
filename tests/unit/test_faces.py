import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from safelight import weights
from safelight.media.image import read
from safelight.media.picture import Picture
from safelight.probes import _eyes, faces
from safelight.probes._eyes import LEFT, RIGHT, Lids, closedness, edge_spreads, hidden, judge, unreadable
from safelight.probes._mesh import Found, Mesh

MODEL = {"blink": {"middle": 0.4, "half_gap": 0.15}, "opening": {"middle": 0.15, "half_gap": 0.07}}
DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "faces"


# ---------------------------------------------------------------- made meshes


def mesh(*, opening=0.3, blink=0.05, presence=1.0, turned=0.0, eye=40.0, crop=None):
    """A face whose eyes are `eye` px wide, at (80, 100) and (170, 100) of both picture and crop."""
    points = np.zeros((478, 3))
    points[:, :2] = 128
    for centre, (outer, inner, one, other), under, cheek, side in (
        (80, RIGHT, _eyes.UNDER[0], _eyes.CHEEKS[0], -1),
        (170, LEFT, _eyes.UNDER[1], _eyes.CHEEKS[1], 1),
    ):
        points[outer, :2], points[inner, :2] = (centre + side * eye / 2, 100), (centre - side * eye / 2, 100)
        for (upper, lower), x in ((one, centre - 5), (other, centre + 5)):
            points[upper, :2], points[lower, :2] = (x, 100 - opening * eye / 2), (x, 100 + opening * eye / 2)
        for i, index in enumerate(under):
            points[index, :2] = centre - 20 + 40 * (i % 5) / 4, 118 if i < 5 else 130
        points[cheek, :2] = centre, 170
    points[234], points[454] = (40, 128, 0), (210, 128, 170 * np.tan(np.radians(turned)))
    moves = np.zeros(52)
    moves[[9, 10]] = blink
    crop = np.full((256, 256, 3), 128, np.uint8) if crop is None else crop
    return Mesh(points=points[:, :2].copy(), inner=points, crop=crop, presence=presence, moves=moves)


def found(box=(40.0, 40.0, 210.0, 230.0), *, eyes=((80, 100), (170, 100))):
    return Found(box=box, points=np.array([*eyes, (125, 140), (90, 180), (160, 180)], float), score=0.9)


def picture(width=256, height=256, **more):
    return Picture(rgb=np.full((height, width, 3), 128, np.uint8), **more)


def portrait():
    """A crop with eyes that can be seen: dark, sharp ellipses on skin."""
    crop = np.full((256, 256, 3), 150, np.uint8)
    for x in (80, 170):
        cv2.ellipse(crop, (x, 100), (20, 8), 0, 0, 360, (240, 240, 240), -1)
        cv2.circle(crop, (x, 100), 7, (30, 30, 30), -1)
    return crop


# ---------------------------------------------------------------- judging


def test_open_and_closed_eyes_are_told_when_both_measures_agree():
    assert judge(Lids(blink=(0.05, 0.1), opening=(0.3, 0.32)), MODEL).state == "open"
    shut = judge(Lids(blink=(0.7, 0.6), opening=(0.03, 0.04)), MODEL)
    assert shut.state == "closed"
    assert shut.closed > 0.9


@pytest.mark.parametrize(
    ("lids", "reason"),
    [
        (Lids(blink=(0.05, 0.7), opening=(0.3, 0.03)), "one eye"),
        (Lids(blink=(0.7, 0.7), opening=(0.3, 0.3)), "do not agree"),
        (Lids(blink=(0.4, 0.38), opening=(0.15, 0.16)), "half closed"),
    ],
)
def test_nothing_is_said_about_eyes_between_open_and_closed(lids, reason):
    said = judge(lids, MODEL)
    assert said.state == "cannot_tell"
    assert said.closed is None
    assert reason in said.reason


def test_closedness_rises_with_blink_and_falls_with_opening():
    low, high = (closedness(Lids(blink=(b, b), opening=(o, o)), MODEL) for b, o in ((0.2, 0.3), (0.6, 0.05)))
    assert (low < high).all()


def test_lids_are_measured_from_the_mesh():
    lids = _eyes.lids_of(mesh(opening=0.25, blink=0.6))
    assert lids.opening == pytest.approx((0.25, 0.25))
    assert lids.blink == pytest.approx((0.6, 0.6))


@pytest.mark.parametrize(
    ("changes", "face", "reason"),
    [
        ({"presence": 0.3}, found(), "turned away"),
        ({"turned": 45.0}, found(), "turned aside by 45°"),
        ({"eye": 14.0}, found(), "14 px wide"),
        ({}, found(eyes=((80, 70), (170, 70))), "agree where the eyes are"),
    ],
)
def test_a_mesh_that_may_be_wrong_is_not_read(changes, face, reason):
    assert reason in unreadable(picture(), face, mesh(**changes))


def test_eyes_outside_the_picture_are_not_read():
    assert "outside the picture" in unreadable(picture(width=150), found(), mesh())


def test_a_good_mesh_may_be_read():
    assert unreadable(picture(), found(), mesh(turned=20.0)) is None


def test_clear_eyes_are_not_hidden():
    assert hidden(mesh(crop=portrait())) is None


def test_blurred_eyes_are_hidden_and_their_edges_wide():
    soft = cv2.GaussianBlur(portrait(), (0, 0), 7)
    assert hidden(mesh(crop=soft)) == "the eyes are blurred"
    sharp = edge_spreads(portrait()[..., 0], mesh())
    assert all(s < b for s, b in zip(sharp, edge_spreads(soft[..., 0], mesh()), strict=True))


def test_dark_glasses_hide_the_eyes():
    crop = portrait()
    for x in (80, 170):
        cv2.ellipse(crop, (x, 105), (38, 32), 0, 0, 360, (25, 25, 25), -1)
        cv2.ellipse(crop, (x, 100), (20, 8), 0, 0, 360, (60, 60, 60), -1)
    assert "dark covers the eyes" in hidden(mesh(crop=crop))


# ---------------------------------------------------------------- the measures


def test_without_weights_everything_says_how_to_get_them():
    said = faces.measure(picture())
    assert [m.name for m in said] == list(faces.probe.emits)
    assert all("safelight models fetch yunet" in m.cannot_tell for m in said)


def test_only_missing_weights_are_named():
    said = faces.measure(picture(weights={"yunet": {}}))
    assert "face_landmarker" in said[0].cannot_tell
    assert "yunet" not in said[0].cannot_tell


@pytest.mark.parametrize(
    ("box", "expected"),
    [((100.0, 100.0, 200.0, 220.0), 0.0), ((0.0, 100.0, 100.0, 220.0), 1.0), ((100.0, -30.0, 200.0, 90.0), 1.0)],
)
def test_a_face_at_the_frame_is_cut(box, expected):
    assert faces.cut(found(box), picture(400, 400)) == expected


def face(closed=None, *, size=100.0, smile=0.0, mouth=0.0, reason="the eyes are blurred"):
    box = (150.0, 150.0, 150.0 + size, 150.0 + size)
    eyes = _eyes.Eyes(state="open" if closed is not None else "cannot_tell", closed=closed, reason=reason)
    return faces.Face(
        found=found(box), box=tuple(map(int, box)), eyes=eyes, sharpness=0.5, smile=smile, mouth_open=mouth
    )


def told(monkeypatch, *people):
    monkeypatch.setattr(faces, "look", lambda picture, model: list(people))
    said = faces.measure(picture(400, 400, weights={"yunet": {}, "face_landmarker": {}}))
    return {m.name: m for m in said}


def test_the_most_closed_eyes_of_those_who_matter_count(monkeypatch):
    said = told(monkeypatch, face(0.1, size=120.0), face(0.9), face(1.0, size=30.0))
    assert said["eyes.closed"].value == 0.9
    assert said["eyes.closed"].where.box == (150, 150, 250, 250)
    assert len(said["faces"].value) == 3


def test_a_face_that_cannot_be_judged_leaves_the_word_to_others(monkeypatch):
    assert told(monkeypatch, face(None, size=120.0), face(0.2))["eyes.closed"].value == 0.2
    assert told(monkeypatch, face(None))["eyes.closed"].cannot_tell == "the eyes are blurred"


def test_an_open_mouth_is_mid_word_unless_it_smiles(monkeypatch):
    assert told(monkeypatch, face(0.1, mouth=0.3))["mouth.speaking"].value == 1.0
    assert told(monkeypatch, face(0.1, mouth=0.3, smile=0.9))["mouth.speaking"].value == pytest.approx(0.1)
    assert told(monkeypatch, face(0.1, mouth=0.02))["mouth.speaking"].value == 0.0


def test_a_picture_without_faces_says_so(monkeypatch):
    said = told(monkeypatch)
    assert said["faces"].value == []
    assert all(said[name].cannot_tell == "no face was found" for name in faces.EMITS[1:])


# ---------------------------------------------------------------- with the weights, on real faces


@pytest.fixture
def installed():
    found = weights.installed()
    if not {"yunet", "face_landmarker"} <= set(found):
        pytest.skip("the weights yunet and face_landmarker are not installed")
    return found


@pytest.fixture
def real(installed):
    if not DATA.is_dir():
        pytest.skip("shared/data/faces is not beside this folder")
    return lambda name: Picture(rgb=read(DATA / name), weights=installed)


def values(picture):
    return {m.name: m for m in faces.measure(picture)}


def test_a_portrait_with_open_eyes(real):
    said = values(real("obama_official.jpg"))
    (only,) = said["faces"].value
    assert only["eyes"] == "open"
    assert said["eyes.closed"].value < 0.25
    assert said["smile"].value > 0.5
    assert said["subject.cut"].value == 0.0
    x0, y0, x1, y1 = only["box"]
    assert all(x0 < x < x1 and y0 < y < y1 for x, y in only["landmarks"])
    assert json.loads(json.dumps(only)) == only


def test_nothing_is_guessed_about_a_profile(real):
    said = values(real("old_man_hat.jpg"))
    assert [f["eyes"] for f in said["faces"].value] == ["cannot_tell"]
    assert said["eyes.closed"].cannot_tell


def test_a_face_that_the_frame_cuts(real):
    whole = real("obama_official.jpg")
    x0, _, x1, _ = values(whole)["faces"].value[0]["box"]
    half = Picture(rgb=np.ascontiguousarray(whole.rgb[:, (x0 * 3 + x1) // 4 :]), weights=whole.weights)
    assert values(half)["subject.cut"].value > 0.5


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (10, 1500), (1500, 10), (320, 320)])
def test_odd_shapes_without_faces(installed, shape):
    said = values(Picture(rgb=np.full((*shape, 3), 255, np.uint8), weights=installed))
    assert said["faces"].value == []
