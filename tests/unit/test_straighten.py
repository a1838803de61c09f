import cv2
import numpy as np
import pytest

from safelight import specimens
from safelight.contract import faults
from safelight.domain import Asset, Group, GroupKind, Kind, Measure
from safelight.media.colour import linear_of_srgb
from safelight.media.frame import Frame
from safelight.media.warp import apply
from safelight.operators import Subject, Wishes, crop
from safelight.operators.straighten import StraightenParams, check, operator, placement, propose, render, spoil, warp

TOOLS = specimens.suite_tools()
SIZES = [(600, 400), (400, 600), (500, 500), (601, 33)]
EXAMPLES = [*operator.examples, StraightenParams(angle=15, vertical=0.5, horizontal=-0.5)]


def subject(*, faces=None, groups=(), **values):
    """A photo whose lines agree on what is given; `degrees=None` for one whose lines do not."""
    told = {"degrees": 1.8, "spread": 0.2, "lines": 12, "right": 0.9} | values
    names = {
        "degrees": "tilt.degrees", "spread": "tilt.degrees.spread", "lines": "tilt.lines", "right": "tilt.right",
        "vertical": "keystone.vertical", "horizontal": "keystone.horizontal",
    }  # fmt: skip
    facts = {
        names[k]: Measure(name=names[k], value=v, cannot_tell="straight lines hardly agree" if v is None else None)
        for k, v in told.items()
    }
    for name in ("keystone.vertical", "keystone.horizontal"):
        if name in facts:
            facts[f"{name}.spread"] = Measure(name=f"{name}.spread", value=0.02)
    if faces is not None:
        facts["faces"] = Measure(name="faces", value=[{"box": list(box)} for box in faces])
    asset = Asset(id="a", content=None, kind=Kind.PHOTO, format="jpeg", width=6000, height=4000)
    return Subject(asset=asset, path="a.jpg", facts=facts, groups=groups)


def suggested(**values):
    (found,) = propose([subject(**values)], Wishes())
    return found


def texts(found):
    return " ".join(b.text for b in found.because)


def facade(width=640, height=420):
    picture = np.full((height, width, 3), 150, np.uint8)
    for x in range(30, width - 60, 90):
        for y in range(30, height - 60, 90):
            cv2.rectangle(picture, (x, y), (x + 45, y + 50), (60, 70, 80), -1)
    return Frame(pixels=linear_of_srgb(picture))


# ---------------------------------------------------------------- propose


def test_a_lean_is_turned_back_with_its_numbers():
    found = suggested()
    assert found.params == StraightenParams(angle=1.8)
    assert "12 long lines agree: the picture leans 1.8° to the left (± 0.2°)." in texts(found)
    assert "9% of the area is cut off" in texts(found)
    assert 0.8 < found.score < 0.9


@pytest.mark.parametrize(("degrees", "spread"), [(0.4, 0.2), (-0.45, 0.2), (0.9, 0.7)])
def test_what_nobody_sees_or_nobody_knows_is_left_alone(degrees, spread):
    found = suggested(degrees=degrees, spread=spread)
    assert found.params == StraightenParams()
    assert "stands straight within" in texts(found)


def test_a_lean_to_the_right_turns_the_other_way():
    found = suggested(degrees=-2.31)
    assert found.params.angle == pytest.approx(-2.3)
    assert "to the right" in texts(found)


def test_a_large_lean_is_meant():
    found = suggested(degrees=8.6)
    assert found.params == StraightenParams()
    assert "too much to be a mistake" in texts(found)


def test_lines_that_do_not_agree_are_no_reason():
    found = suggested(degrees=None)
    assert found.params is None
    assert found.cannot_tell == "A lean cannot be told: straight lines hardly agree."
    (unmeasured,) = propose(specimens.subjects(1, {}), Wishes())
    assert unmeasured.cannot_tell == "Lines were not measured."


def test_converging_uprights_are_an_alternative_to_a_turn():
    found = suggested(vertical=0.12)
    assert found.params == StraightenParams(angle=1.8)
    assert found.alternatives == (StraightenParams(angle=1.8, vertical=0.12, amount=0.8),)
    assert "Uprights run together upwards: at the sides they lean 3.4°." in texts(found)


def test_converging_uprights_alone_are_proposed_with_less_hope():
    found = suggested(degrees=0.1, vertical=-0.12)
    assert found.params == StraightenParams(vertical=-0.12, amount=0.8)
    assert found.score < 0.5


@pytest.mark.parametrize("vertical", [0.03, 0.3])
def test_little_is_not_seen_and_much_is_meant(vertical):
    assert suggested(degrees=0.1, vertical=vertical).params == StraightenParams()


def test_large_faces_keep_their_shape():
    assert suggested(vertical=0.12, faces=[(0, 0, 900, 1000)]).alternatives == ()
    assert suggested(vertical=0.12, faces=[(0, 0, 300, 400)]).alternatives != ()


def test_frames_of_a_panorama_are_left_alone():
    group = Group(id="g", kind=GroupKind.PANORAMA, members=("a", "b"), by="test")
    assert propose([subject(groups=(group,))], Wishes()) == []


# ---------------------------------------------------------------- geometry


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("params", EXAMPLES)
def test_no_corner_is_empty_and_the_shape_stays(size, params):
    back, (width, height) = placement(*size, params)
    corners = np.array([(x, y, 1) for x in (-0.5, width - 0.5) for y in (-0.5, height - 0.5)]).T
    places = back @ corners
    x, y = places[:2] / places[2]
    assert x.min() >= -0.5 - 1e-6
    assert y.min() >= -0.5 - 1e-6
    assert x.max() <= size[0] - 0.5 + 1e-6
    assert y.max() <= size[1] - 0.5 + 1e-6
    assert width / height == pytest.approx(size[0] / size[1], rel=1 / height + 1 / width)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("params", EXAMPLES)
def test_no_larger_picture_would_fit(size, params):
    back, (width, height) = placement(*size, params)
    grow = np.diag((1 + 4 / width, 1 + 4 / height, 1.0))  # two pixels on each side
    grow[:2, 2] = -2 + 2 / width, -2 + 2 / height
    places = back @ grow @ np.array([(x, y, 1) for x in (-0.5, width - 0.5) for y in (-0.5, height - 0.5)]).T
    x, y = places[:2] / places[2]
    assert min(x.min(), y.min(), size[0] - 1 - x.max(), size[1] - 1 - y.max()) < -0.5


def test_a_turn_alone_is_the_crops_turn():
    ours = warp(600, 400, StraightenParams(angle=3.5))
    crops = crop.warp(600, 400, crop.CropParams(angle=3.5))
    assert ours.size == crops.size
    assert np.allclose(ours.matrix, crops.matrix, atol=1e-9)


def test_taking_out_a_convergence_makes_lines_parallel():
    params = StraightenParams(angle=2.0, vertical=0.2)
    done = warp(600, 400, params)
    c, s = np.cos(np.radians(2)), np.sin(np.radians(2))
    far = np.array((0, 5.0))  # uprights meet here in the upright picture, in long sides
    meeting = np.array((c * far[0] - s * far[1], s * far[0] + c * far[1])) * (600, -600) + (299.5, 199.5)
    for x, y in ((100.0, 300.0), (450.0, 80.0)):
        half = np.array((x, y)) + 0.3 * (meeting - (x, y))
        ends_x, _ = done.inverse(np.array((x, half[0])), np.array((y, half[1])))
        assert ends_x[0] == pytest.approx(ends_x[1], abs=1e-6)


def test_half_the_amount_is_half_the_convergence():
    half = warp(600, 400, StraightenParams(vertical=0.2, amount=0.5))
    assert np.allclose(half.matrix, warp(600, 400, StraightenParams(vertical=0.1)).matrix)


def test_with_no_amount_a_picture_stays_as_it_is():
    frame = facade()
    assert render(frame, StraightenParams(vertical=0.2, amount=0.0), TOOLS) is frame


def test_a_crop_after_it_is_one_resampling():
    frame = facade()
    turned, cut = StraightenParams(angle=2.0), crop.CropParams(box=(0.1, 0.1, 0.9, 0.9))
    first = warp(frame.width, frame.height, turned)
    once = apply(frame, first.then(crop.warp(*first.size, cut)))
    twice = crop.render(render(frame, turned, TOOLS), cut, TOOLS)
    assert once.pixels.shape == twice.pixels.shape
    assert np.allclose(once.geometry, twice.geometry)
    assert np.abs(once.pixels - twice.pixels).max() < 0.02  # places are computed on a grid


# ---------------------------------------------------------------- check


def found(before, after, params):
    return faults(check(before, after, params))


@pytest.mark.parametrize("params", operator.examples)
def test_check_is_content_with_honest_renders(params):
    leaning = render(facade(), StraightenParams(angle=-params.angle), TOOLS)
    assert max(found(leaning, render(leaning, params, TOOLS), params).values()) < 0.3


def test_check_says_when_lines_lean_more():
    params = StraightenParams(angle=2.0)
    after = render(facade(), params, TOOLS)
    assert found(facade(), after, params)["straighten.leans_more"] == 1.0


def test_check_finds_empty_corners_and_wrong_pixels():
    frame, params = facade(), StraightenParams(angle=4.0)
    assert found(frame, spoil(frame, params), params)["straighten.misplaced"] > 0.5
    matrix = cv2.getRotationMatrix2D((319.5, 209.5), -4.0, 1)
    whole = frame.moved(cv2.warpAffine(frame.pixels, matrix, (640, 420)), np.vstack([matrix, (0, 0, 1)]))
    assert found(frame, whole, params)["straighten.empty_corners"] == 1.0
    assert found(frame, whole, params)["straighten.wrong_size"] == 1.0


def test_check_cannot_tell_where_there_are_no_lines():
    frame = Frame(pixels=np.full((80, 120, 3), 0.4, np.float32))
    told = {
        m.name: m for m in check(frame, render(frame, StraightenParams(angle=3.0), TOOLS), StraightenParams(angle=3.0))
    }
    assert told["straighten.leans_more"].cannot_tell
    assert told["straighten.misplaced"].cannot_tell


def test_small_changes_by_a_person_are_no_reject():
    ours = StraightenParams(angle=1.8)
    assert not operator.material(ours, StraightenParams(angle=2.0))
    assert operator.material(ours, StraightenParams(angle=1.4))
    assert operator.material(ours, StraightenParams(angle=1.8, vertical=0.1))
    assert not operator.material(ours, StraightenParams(angle=1.8, vertical=0.1, amount=0.2))
