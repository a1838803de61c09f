import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.errors import UsageError
from safelight.review import histogram, masks
from safelight.review.masks import Shape, Stroke
from safelight.review.shelf import Shelf


def stroke(shape: Shape, *points, **more) -> Stroke:
    return Stroke(shape=shape, points=points, **more)


class TestStrokes:
    def test_a_brush_covers_its_radius_and_not_much_more(self):
        mask = masks.painted(masks.blank(400, 300), stroke(Shape.BRUSH, (100, 100), (250, 100), radius=20, hardness=1))
        assert mask[100, 100:250].min() == 255
        assert mask[115, 150] == 255
        assert mask[130, 150] == 0

    def test_a_soft_brush_fades_without_an_edge(self):
        mask = masks.painted(masks.blank(400, 300), stroke(Shape.BRUSH, (200, 150), radius=60, hardness=0))
        across = mask[150].astype(int)
        assert across[200] > 200
        assert np.abs(np.diff(across)).max() < 12
        assert mask[:, 0].max() == mask[0].max() == 0

    def test_an_eraser_takes_back_what_a_brush_gave(self):
        line = ((50.0, 50.0), (150.0, 90.0))
        painted = masks.painted(masks.blank(200, 150), stroke(Shape.BRUSH, *line, radius=12))
        assert masks.painted(painted, stroke(Shape.ERASER, *line, radius=12)).max() == 0
        assert painted.max() == 255

    def test_a_box_is_a_box_whichever_corner_came_first(self):
        mask = masks.painted(masks.blank(100, 80), stroke(Shape.BOX, (60, 50), (20, 10)))
        assert mask[10:50, 20:60].min() == 255
        assert int(mask.astype(bool).sum()) == 40 * 40

    def test_a_point_takes_what_is_like_it_and_connected(self):
        picture = np.full((200, 300, 3), 40, np.uint8)
        picture[50:100, 50:120] = picture[50:100, 200:280] = (200, 60, 50)
        mask = masks.painted(masks.blank(600, 400), stroke(Shape.POINT, (170, 150)), picture=picture)
        assert mask[120:180, 120:220].mean() > 250
        assert mask[:, 360:].max() == 0

    @pytest.mark.parametrize(
        "bad",
        [
            stroke(Shape.BRUSH),
            stroke(Shape.BOX, (1, 1)),
            stroke(Shape.BOX, (9, 9), (9, 40)),
            stroke(Shape.POINT, (1, 1)),
        ],
    )
    def test_marks_that_say_nothing_are_refused(self, bad):
        with pytest.raises(UsageError):
            masks.painted(masks.blank(50, 50), bad)

    @given(st.floats(-500, 900), st.floats(-500, 900), st.floats(0.5, 300), st.floats(0, 1))
    def test_no_stroke_breaks_a_mask(self, x, y, radius, hardness):
        before = masks.blank(120, 90)
        after = masks.painted(before, stroke(Shape.BRUSH, (x, y), (x + 30, y), radius=radius, hardness=hardness))
        assert after.shape == (90, 120)
        assert before.max() == 0

    def test_is_kept_as_the_same_bytes_and_comes_back(self):
        mask = masks.painted(masks.blank(90, 60), stroke(Shape.BRUSH, (30, 30), radius=9))
        assert np.array_equal(masks.from_png(masks.png(mask)), mask)
        assert masks.png(mask) == masks.png(mask.copy())
        with pytest.raises(UsageError):
            masks.from_png(b"no picture")


class TestShown:
    def test_outside_a_mask_is_grey_and_dim_inside_as_it_was(self):
        rgb = np.full((40, 60, 3), (200, 80, 40), np.uint8)
        mask = np.zeros((40, 60), np.uint8)
        mask[:, 30:] = 255
        shown = masks.shown(rgb, mask)
        assert np.array_equal(shown[:, 30:], rgb[:, 30:])
        assert len({*shown[0, 0].tolist()}) == 1
        assert shown[0, 0, 0] < 60

    def test_what_changed_is_found_where_it_changed(self):
        rgb = np.full((80, 100, 3), 120, np.uint8)
        other = rgb.copy()
        other[20:60, 20:60] = 180
        found = masks.changed(rgb, other)
        assert found[30:50, 30:50].min() == 255
        assert found[:, 80:].max() == 0


@given(st.lists(st.tuples(*[st.integers(-9, 9999)] * 4), max_size=4))
def test_places_come_back_from_a_note(boxes):
    note = masks.here(boxes) + "\nthe shadow is wrong"
    assert masks.places(note if boxes else "the shadow") == boxes


def test_a_note_that_only_begins_like_a_place_is_a_note():
    assert masks.places("here is something, look") == []


class TestHistogram:
    def test_counts_every_pixel_once(self):
        rgb = np.random.default_rng(1).integers(0, 256, (50, 70, 3), np.uint8)
        told = histogram.of(rgb)
        for bins in told["bins"].values():
            assert sum(bins) == pytest.approx(1, abs=1e-3)

    def test_tells_what_is_clipped_in_one_channel_and_in_all(self):
        rgb = np.full((10, 10, 3), 128, np.uint8)
        rgb[0] = 255
        rgb[1, :, 0] = 255
        rgb[2] = 0
        told = histogram.of(rgb)
        assert (told["high"]["any"], told["high"]["all"], told["high"]["red"]) == (0.2, 0.1, 0.2)
        assert told["low"]["all"] == 0.1

    def test_a_large_picture_is_told_alike(self):
        rgb = np.random.default_rng(1).integers(0, 256, (1500, 1200, 3), np.uint8)
        assert histogram.of(rgb)["high"]["red"] == pytest.approx(1 / 256, rel=0.1)

    def test_clipped_pixels_are_marked_by_channel(self):
        rgb = np.full((4, 4, 3), 128, np.uint8)
        rgb[0, 0] = (255, 90, 90)
        marked = histogram.marked(rgb)
        assert marked[0, 0].tolist() == [255, 0, 0]
        assert len({*marked[2, 2].tolist()}) == 1


class TestShelf:
    def test_the_least_recently_used_goes_first(self):
        shelf = Shelf(10)
        for key in "abc":
            shelf.put(key, key, 4)
        assert [shelf.found(key) for key in "abc"] == [None, "b", "c"]
        shelf.found("b")
        shelf.put("d", "d", 4)
        assert [shelf.found(key) for key in "bcd"] == ["b", None, "d"]

    def test_what_does_not_fit_is_made_and_not_kept(self):
        shelf = Shelf(10)
        assert shelf.get("large", lambda: "x", lambda _: 11) == "x"
        assert (shelf.found("large"), shelf.used) == (None, 0)

    def test_what_fails_is_tried_again(self):
        shelf = Shelf(10)
        with pytest.raises(ZeroDivisionError):
            shelf.get("a", lambda: 1 // 0, lambda _: 1)
        assert shelf.get("a", lambda: 2, lambda _: 1) == 2

    @given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 7)), max_size=40))
    def test_is_never_overfull(self, puts):
        shelf = Shelf(15)
        for key, size in puts:
            shelf.put(key, key, size)
            assert 0 <= shelf.used <= 15
