import cv2
import numpy as np
import pytest
import tifffile

from safelight import plugins, specimens
from safelight.domain import Edit
from safelight.media import profiles, write
from safelight.media.decoded import P3
from safelight.media.frame import LinearWords
from safelight.media.image import frame_of, read_frame
from safelight.media.picture import shrink
from safelight.params import to_json
from safelight.render import order, render_bytes
from safelight.review import preview
from safelight.review.preview import Previews, Source
from tests.conftest import textured

TOOLS = specimens.suite_tools()
DOT = {"operator": "painted_light", "params": {"ev": 1.0, "mask": "ab" * 32}}


def edit(name: str, **params) -> Edit:
    op = plugins.operator(name)
    return Edit(operator=name, version=op.version, params=to_json(op.params(**params)))


EXPOSURE, TONE, TILT = (
    edit("exposure", ev=0.4),
    edit("tone", shadows=30.0, contrast=20.0),
    edit("straighten", angle=2.0),
)
CROP = edit("crop", box=(0.1, 0.1, 0.8, 0.9))
NOISE = edit("denoise", luma=1.0, chroma=1.0, slope=(0.002, 0.002, 0.002), offset=0.001)
SHARP = edit("output_sharpening", amount=0.6, radius=1.0)


@pytest.fixture
def source(tmp_path):
    rgb = textured(3, width=1000, height=700)
    path = tmp_path / "a.jpg"
    path.write_bytes(write.jpeg(rgb, quality=97))
    return Source(id="a" * 64, original=path, proxy=tmp_path / "none.jpg", width=1000, height=700, is_raw=False)


def pixels(source):
    return preview.work.decode(source.original)[0]


def close(one, other, *, most: int, usual: float):
    apart = np.abs(one.astype(int) - other.astype(int))
    assert one.shape == other.shape
    assert apart.mean() <= usual
    assert np.quantile(apart, 0.999) <= most


class TestFitted:
    def test_without_edits_is_the_picture(self, source):
        assert np.array_equal(Previews().fitted(source, (), TOOLS, side=1600), pixels(source))

    @pytest.mark.parametrize("changed", ["exposure", "tone", "straighten", "denoise", "crop", "white_balance"])
    def test_what_is_kept_below_the_changed_edit_changes_nothing(self, source, changed):
        edits = (EXPOSURE, TONE, TILT, NOISE, CROP)
        whole = Previews().fitted(source, edits, TOOLS, side=480)
        close(Previews().fitted(source, edits, TOOLS, side=480, changed=changed), whole, most=2, usual=0.5)

    def test_the_next_position_renders_only_what_changed(self, source, monkeypatch):
        previews = Previews()
        calls = []
        original = preview.render.render
        monkeypatch.setattr(preview.render, "render", lambda *a: calls.append(a[1]) or original(*a))
        for ev in (0.1, 0.2, 0.3):
            edits = (NOISE, edit("exposure", ev=ev))
            previews.fitted(source, edits, TOOLS, side=480, changed="exposure")
        assert calls == [(NOISE,)]

    def test_a_missing_proxy_comes_from_the_original_and_a_missing_original_says_so(self, source):
        assert max(Previews().base(source, 480).shape) == 480
        source.original.unlink()
        with pytest.raises(Exception, match=r"a\.jpg|No such file"):
            Previews().base(source, 480)

    def test_a_mask_lies_where_it_was_painted_at_every_size(self, source):
        mask = np.zeros((700, 1000), np.uint8)
        mask[350:, 500:] = 255
        data = cv2.imencode(".png", mask)[1].tobytes()
        tools = preview.Tools(kept=lambda _: data, weights={})
        lit = edit("painted_light", ev=1.0, mask="cd" * 32)
        after = Previews().fitted(source, (lit,), tools, side=480).astype(int)
        before = Previews().fitted(source, (), tools, side=480).astype(int)
        half = after.shape[0] // 2 + 2, after.shape[1] // 2 + 2
        assert (after[half[0] :, half[1] :] - before[half[0] :, half[1] :]).mean() > 10
        assert np.array_equal(after[: half[0] - 4], before[: half[0] - 4])


class TestRegion:
    @pytest.mark.parametrize(
        "edits",
        [(), (EXPOSURE, TONE), (TILT,), (EXPOSURE, TILT, CROP), (NOISE, EXPOSURE, TILT, CROP, SHARP)],
        ids=["none", "tones", "turned", "framed", "everything"],
    )
    def test_is_that_part_of_the_whole(self, source, edits):
        found = Previews().region(source, edits, TOOLS, at=(640, 300), view=(200, 150))
        whole = render_bytes(pixels(source), order(edits), TOOLS)
        x0, y0, x1, y1 = found.box
        assert found.size == (whole.shape[1], whole.shape[0])
        assert (x1 - x0, y1 - y0) == (200, 150)
        close(found.pixels, whole[y0:y1, x0:x1], most=6, usual=0.4)

    def test_shows_the_place_that_was_asked_for(self, source):
        """A dot in the original is in the middle of the view, whatever the framing."""
        rgb = np.zeros((700, 1000, 3), np.uint8)
        cv2.circle(rgb, (620, 280), 6, (255, 255, 255), -1)
        source.original.write_bytes(write.jpeg(rgb, quality=97))
        found = Previews().region(source, (TILT, CROP), TOOLS, at=(620, 280), view=(101, 101))
        ys, xs = np.nonzero(found.pixels[..., 1] > 128)
        assert (xs.mean(), ys.mean()) == pytest.approx((50, 50), abs=1.0)

    def test_at_the_border_stays_inside(self, source):
        found = Previews().region(source, (EXPOSURE,), TOOLS, at=(0, 699), view=(300, 200))
        assert found.box == (0, 500, 300, 700)

    def test_is_never_larger_than_the_picture(self, source):
        found = Previews().region(source, (CROP,), TOOLS, at=(500, 350), view=(4000, 4000))
        assert found.pixels.shape[:2] == (found.size[1], found.size[0])

    def test_an_operator_that_needs_the_whole_gets_it(self, source, monkeypatch):
        monkeypatch.setattr(preview, "_margin", lambda edits: None if edits else 0)
        found = Previews().region(source, (EXPOSURE,), TOOLS, at=(640, 300), view=(200, 150))
        x0, y0, x1, y1 = found.box
        close(found.pixels, render_bytes(pixels(source), (EXPOSURE,), TOOLS)[y0:y1, x0:x1], most=1, usual=0.1)

    def test_a_raw_is_developed_as_for_delivery(self, source, monkeypatch):
        words = np.random.default_rng(1).integers(0, 65535, (700, 1000, 3), np.uint16)
        made = LinearWords(words=words, top=1.0)
        monkeypatch.setattr(preview.originals.raw, "linear_words", lambda path: made)
        source = preview.replace(source, is_raw=True)
        found = Previews().region(source, (EXPOSURE,), TOOLS, at=(500, 350), view=(64, 64))
        x0, y0, x1, y1 = found.box
        whole = render_bytes(made, (EXPOSURE,), TOOLS)
        assert np.array_equal(found.pixels, whole[y0:y1, x0:x1])


class TestDeep:
    """An original of 16 bits under a wide profile, some of it transparent."""

    @pytest.fixture
    def deep(self, tmp_path):
        path = tmp_path / "a.tif"
        words = textured(5, width=900, height=600).astype(np.uint16) * 257 + 31
        profile = profiles.of_primaries("P3", P3)
        tifffile.imwrite(path, words, photometric="rgb", iccprofile=profile, extratags=[(274, 3, 1, 6, True)])
        return Source(id="d" * 64, original=path, proxy=tmp_path / "none.jpg", width=600, height=900, is_raw=False)

    @pytest.mark.parametrize("edits", [(), (EXPOSURE, TONE), (EXPOSURE, TILT, CROP)], ids=["none", "tones", "framed"])
    def test_a_part_is_what_a_delivery_makes_of_it(self, deep, edits):
        found = Previews().region(deep, edits, TOOLS, at=(300, 400), view=(160, 120))
        x0, y0, x1, y1 = found.box
        whole = render_bytes(read_frame(deep.original), order(edits), TOOLS)
        close(found.pixels, whole[y0:y1, x0:x1], most=2, usual=0.2)

    def test_a_gradient_has_no_steps_that_are_not_there(self, deep):
        ramp = np.linspace(9000, 9000 + 256 * 40, 900).astype(np.uint16)[None, :, None].repeat(600, 0).repeat(3, 2)
        tifffile.imwrite(deep.original, ramp, photometric="rgb", iccprofile=profiles.of_primaries("P3", P3))
        source = preview.replace(deep, width=900, height=600)
        found = Previews().region(source, (edit("exposure", ev=1.0),), TOOLS, at=(450, 300), view=(900, 100))
        steps = np.diff(np.unique(found.pixels[50, :, 1]).astype(int))
        assert steps.max() == 1  # bytes made twice as bright leave every second level out

    def test_what_is_transparent_lies_on_white(self, deep):
        planes = np.zeros((600, 900, 4), np.uint16)
        planes[..., 3] = 65535 * (np.arange(900) < 450)
        tifffile.imwrite(deep.original, planes, photometric="rgb", extrasamples=["unassalpha"])
        source = preview.replace(deep, width=900, height=600)
        found = Previews().region(source, (), TOOLS, at=(450, 300), view=(100, 100)).pixels
        assert (found[50, 10], found[50, 90]) == (pytest.approx([0, 0, 0]), pytest.approx([255, 255, 255]))


class TestChangedAt100:
    @pytest.mark.parametrize("changed", ["exposure", "denoise", "tone", "straighten", "output_sharpening"])
    def test_what_is_kept_below_the_changed_edit_changes_nothing(self, source, changed):
        edits = (NOISE, EXPOSURE, TONE, TILT, CROP, SHARP)
        views = [
            Previews().region(source, edits, TOOLS, at=(500, 350), view=(200, 150), changed=c) for c in (None, changed)
        ]
        close(views[1].pixels, views[0].pixels, most=2, usual=0.5)

    def test_the_next_position_renders_only_what_changed(self, source, monkeypatch):
        previews, calls = Previews(), []
        original = preview.render.render
        monkeypatch.setattr(preview.render, "render", lambda *a: calls.append(a[1]) or original(*a))
        for ev in (0.1, 0.2, 0.3):
            edits = (NOISE, edit("exposure", ev=ev), TILT)
            previews.region(source, edits, TOOLS, at=(500, 350), view=(200, 150), changed="exposure")
        assert calls == [(NOISE,)]


def test_a_part_of_a_mask_is_that_part(source):
    mask = np.zeros((700, 1000), np.uint8)
    cv2.circle(mask, (600, 300), 150, 255, -1)
    framing = (TILT, CROP)
    whole = Previews().framed(mask, framing)
    part = Previews().framed(mask, framing, (150, 100, 600, 400))
    assert np.abs(part.astype(int) - whole[100:400, 150:600]).max() <= 2


def test_a_render_is_given_up_where_nobody_waits(source):
    class Gone(Exception):
        pass

    def gone() -> None:
        raise Gone

    tools = preview.Tools(kept=TOOLS.kept, weights={}, go_on=gone)
    with pytest.raises(Gone):
        Previews().region(source, (NOISE, SHARP), tools, at=(500, 350), view=(200, 150))


def test_rendering_with_a_geometry_is_rendering_a_frame_that_has_it(source):
    rgb = shrink(pixels(source), 500)
    geometry = preview.scaling(rgb.shape[1] / 1000, rgb.shape[0] / 700)
    vignette = edit("vignetting", k1=-0.5, size=(1000, 700))
    frame = frame_of(rgb)
    frame = frame.moved(frame.pixels, geometry)
    one = render_bytes(rgb, (vignette,), TOOLS, geometry=geometry)
    close(one, render_bytes(frame, (vignette,), TOOLS), most=1, usual=0.1)
    assert not np.array_equal(one, render_bytes(rgb, (vignette,), TOOLS))
