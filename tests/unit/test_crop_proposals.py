import numpy as np
import pytest

from safelight.domain import Asset, Group, GroupKind, Kind, Measure
from safelight.operators import Subject, Wishes
from safelight.operators import _composition as composition
from safelight.operators.crop import RATIOS, WHOLE, CropParams, operator, propose
from safelight.probes.layout import pack_detail

SIZE = (6000, 4000)


def face(x, y, side, *, nose=0.0, size=SIZE):
    """A face whose middle lies at these shares, `side` of the height tall; `nose` widths to the right of its eyes."""
    tall = side * size[1]
    wide = 0.75 * tall
    cx, cy = x * size[0], y * size[1]
    eyes = [[cx - 0.2 * wide, cy - 0.1 * tall], [cx + 0.2 * wide, cy - 0.1 * tall]]
    return {
        "box": [round(v) for v in (cx - wide / 2, cy - tall / 2, cx + wide / 2, cy + tall / 2)],
        "landmarks": [*eyes, [cx + nose * wide, cy + 0.1 * tall]],
    }


def spread(*, inside=None, empty_above=0.0):
    """A map of detail: even, or all of it in the cells `inside` (y0, y1, x0, x1), or none above a share."""
    cells = np.full((12, 12), 2.0, np.float32)
    cells[: round(12 * empty_above)] = -6
    if inside is not None:
        cells[:] = -6
        y0, y1, x0, x1 = inside
        cells[y0:y1, x0:x1] = 4
    return pack_detail(cells)


def subject(*faces, size=SIZE, detail=None, looked=True, groups=()):
    facts = {}
    if looked:
        facts["faces"] = Measure(name="faces", value=list(faces))
    if detail is not None:
        facts["layout.detail"] = Measure(name="layout.detail", value=detail)
    asset = Asset(id="a", content=None, kind=Kind.PHOTO, format="jpeg", width=size[0], height=size[1])
    return Subject(asset=asset, path="a.jpg", facts=facts, groups=groups)


def suggested(*faces, ratio=None, **more):
    found = propose([subject(*faces, **more)], Wishes(ratio=ratio))
    return found[0] if found else None


def texts(found):
    return " ".join(b.text for b in found.because)


def aspect(params, size=SIZE):
    x0, y0, x1, y1 = params.box
    return (x1 - x0) * size[0] / ((y1 - y0) * size[1])


# ---------------------------------------------------------------- nothing without a reason


@pytest.mark.parametrize(
    "faces", [(), (face(0.5, 0.3, 0.15),), (face(0.3, 0.25, 0.1), face(0.6, 0.3, 0.1))], ids=["none", "one", "two"]
)
def test_most_photos_get_no_question(faces):
    assert suggested(*faces, detail=spread()) is None


def test_a_photo_of_unknown_size_gets_none():
    assert propose([subject(size=(None, None))], Wishes(ratio="4:5")) == []


def test_frames_of_a_panorama_get_none():
    group = Group(id="g", kind=GroupKind.PANORAMA, members=("a", "b"), by="test")
    assert suggested(ratio="1:1", groups=(group,)) is None


# ---------------------------------------------------------------- a wished ratio


@pytest.mark.parametrize("ratio", [*RATIOS, "3:2", "2.39:1"])
@pytest.mark.parametrize("size", [(6000, 4000), (4000, 6000), (5000, 5000)])
def test_a_wished_ratio_is_exact_and_lies_as_the_photo_does(ratio, size):
    found = suggested(face(0.5, 0.4, 0.1, size=size), ratio=ratio, size=size, detail=spread())
    width, _, height = found.params.ratio.partition(":") if found.params.ratio else ratio.partition(":")
    if found.params == CropParams():
        assert "already" in texts(found)
        return
    assert aspect(found.params, size) == pytest.approx(float(width) / float(height), rel=1e-3)
    if size[0] != size[1] and width != height:
        assert (float(width) >= float(height)) == (size[0] > size[1])
    assert {p.ratio for p in found.alternatives} <= {f"{height}:{width}"}


def test_a_photo_that_has_the_ratio_is_left_alone():
    assert suggested(ratio="2:3").params == CropParams()


def test_no_head_is_cut_even_where_the_middle_would_cut_it():
    found = suggested(face(0.08, 0.4, 0.3), ratio="1:1", detail=spread())
    x0, _, x1, _ = face(0.08, 0.4, 0.3)["box"]
    assert found.params.box[0] * 6000 <= x0
    assert found.params.box[2] * 6000 >= x1
    assert "1 face found; none is cut." in texts(found)


def test_the_other_way_round_where_the_first_would_cut_a_head():
    found = suggested(face(0.5, 0.5, 0.75, size=(4000, 4000)), ratio="5:4", size=(4000, 4000))
    assert found.params.ratio == "4:5"


def test_a_square_photo_takes_the_ratio_as_it_is_written():
    assert suggested(ratio="4:5", size=(4000, 4000)).params.ratio == "4:5"
    assert suggested(ratio="5:4", size=(4000, 4000)).params.ratio == "5:4"


def test_a_ratio_that_cuts_every_way_is_declined():
    found = suggested(face(0.12, 0.3, 0.2), face(0.88, 0.3, 0.2), ratio="1:1")
    assert found.params is None
    assert "would cut a head" in found.cannot_tell


def test_passers_by_are_whole_or_gone():
    people = (face(0.4, 0.4, 0.3), face(0.85, 0.4, 0.08))
    box = suggested(*people, ratio="1:1").params.box
    x0, _, x1, _ = (v / 6000 for v in people[1]["box"])
    assert box[2] <= x0 or box[2] >= x1


def test_unseen_faces_are_said_to_be_unseen():
    assert "Faces were not looked for" in texts(suggested(ratio="1:1", looked=False))


@pytest.mark.parametrize(("nose", "place"), [(0.3, 0.4), (-0.3, 0.6), (0.0, 0.5)])
def test_there_is_room_before_the_eyes(nose, place):
    box = suggested(face(0.5, 0.4, 0.12, nose=nose), ratio="1:1").params.box
    assert (0.5 - box[0]) / (box[2] - box[0]) == pytest.approx(place, abs=0.03)


def test_detail_decides_where_nobody_is():
    box = suggested(ratio="1:1", detail=spread(inside=(4, 8, 9, 12))).params.box
    assert box[2] == pytest.approx(1)


# ---------------------------------------------------------------- composition


def test_emptiness_above_heads_goes():
    found = suggested(face(0.5, 0.62, 0.1), detail=spread(empty_above=0.5))
    assert "of the height lies empty above the heads." in texts(found)
    assert found.params.box[1] > 0.2
    assert aspect(found.params) == pytest.approx(1.5, rel=1e-3)
    assert {p.ratio for p in found.alternatives} <= {"3:2", "5:4", "1:1", "16:9", "7:5"}
    assert len(found.alternatives) >= 3


def test_a_scene_above_heads_stays():
    assert suggested(face(0.5, 0.62, 0.1), detail=spread()) is None


def test_a_face_cut_by_the_edge_goes():
    stranger = face(0.0, 0.4, 0.1)
    stranger["box"][0] = 0
    found = suggested(face(0.6, 0.35, 0.22), stranger, detail=spread())
    assert "1 face at the edge cut by the frame." in texts(found)
    assert found.params.box[0] * 6000 >= stranger["box"][2]


def test_a_small_subject_before_blur_comes_nearer():
    found = suggested(detail=spread(inside=(5, 7, 3, 5)))
    assert "sharp lies in 3% of the picture" in texts(found)
    x0, y0, x1, y1 = found.params.box
    assert (x1 - x0) * (y1 - y0) < 0.5
    assert x0 < 3 / 12
    assert y0 < 5 / 12
    assert x1 > 5 / 12
    assert y1 > 7 / 12


def test_a_subject_at_the_edge_is_left_as_it_was_framed():
    assert suggested(detail=spread(inside=(5, 7, 0, 2))) is None


def test_every_suggestion_can_be_rendered():
    people = [(face(0.08, 0.4, 0.3),), (face(0.5, 0.62, 0.1),), ()]
    for faces in people:
        for ratio in (None, *RATIOS):
            found = suggested(*faces, ratio=ratio, detail=spread(empty_above=0.5))
            for params in () if found is None else (found.params, *found.alternatives):
                if params is not None and params.box != WHOLE:
                    width, height = operator.warp(*SIZE, params).size
                    if params.ratio:
                        across, _, down = params.ratio.partition(":")
                        assert (
                            min(
                                abs(width - height * float(across) / float(down)),
                                abs(height - width * float(down) / float(across)),
                            )
                            <= 0.5
                        )


# ---------------------------------------------------------------- the scene


def test_looks_come_from_the_nose():
    given = [face(0.2, 0.4, 0.1, nose=0.3), face(0.5, 0.4, 0.1, nose=-0.3), face(0.8, 0.4, 0.1, nose=0.02)]
    assert [f.looks for f in composition.scene(subject(*given)).faces] == [1, -1, 0]


def test_small_faces_are_passers_by():
    found = composition.scene(subject(face(0.3, 0.4, 0.2), face(0.7, 0.4, 0.08)))
    assert [f.main for f in found.faces] == [True, False]


def test_held_is_the_share_of_detail_inside():
    found = composition.scene(subject(detail=spread(inside=(0, 6, 0, 12))))
    assert composition.held(found, (0.0, 0.0, 1.0, 0.5)) == pytest.approx(1.0)
    assert composition.held(found, (0.0, 0.25, 0.5, 1.0)) == pytest.approx(0.25)
    assert composition.held(composition.scene(subject()), WHOLE) is None
