"""Alignment, the legal fit, and each detector on a made picture: silent for what is honest, loud for what is not."""

import cv2
import numpy as np
import pytest
import simplejpeg

from safelight import checking, plugins
from safelight.checking import Outcome, Thresholds, compare
from safelight.contract_detectors import picture
from safelight.detectors import Detector, Finding, Pair, banding, known, place
from safelight.detectors.calibration import at
from safelight.media.warp import Warp

SIZE = (360, 270)


@pytest.fixture(scope="module")
def before():
    return cv2.resize(picture(), (720, 540), interpolation=cv2.INTER_CUBIC)


def score(name, before, after, mask=None, **more):
    detectors = [d for d in plugins.detectors().values() if name in d.finds]
    found = compare(before, after, mask, detectors=detectors, **more).findings
    return next(f for f in found if f.name == name)


def disc(shape, x, y, radius):
    return cv2.circle(np.zeros(shape[:2], np.uint8), (x, y), radius, 255, -1)


def mixed(before, inside, mask):
    return np.where(mask[..., None] > 0, inside, before).astype(np.uint8)


def worst_error(placement, matrix, size):
    x, y = np.meshgrid(np.linspace(0, size[0] - 1, 7), np.linspace(0, size[1] - 1, 7))
    exact = Warp.forward(matrix, size).back(x, y)
    return float(np.abs(np.array(placement.back(x, y)) - np.array(exact)).max())


# ---------------------------------------------------------------- alignment


def test_same_pixels_are_not_moved_even_where_a_part_was(before):
    y, x = np.mgrid[:540, :720].astype(np.float32)
    bump = 6 * np.exp(-((x - 500) ** 2 + (y - 180) ** 2) / (2 * 30**2))
    after = cv2.remap(before, x - bump, y, cv2.INTER_CUBIC)
    assert place(before, after).kind == "identity"


@pytest.mark.parametrize(
    "matrix",
    [
        [[1, 0, -30], [0, 1, -22], [0, 0, 1]],
        [[0.995, -0.03, 8], [0.03, 0.995, -9], [0, 0, 1]],
        [[1.02, 0.01, -6], [0.0, 1.03, -8], [3e-5, -2e-5, 1]],
    ],
)
def test_crops_turns_and_keystones_are_found_to_a_fraction_of_a_pixel(before, matrix):
    matrix, size = np.array(matrix, float), (680, 500)
    after = cv2.warpPerspective(before, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    found = place(before, cv2.LUT(after, np.clip(np.arange(256) * 0.8 + 12, 0, 255).astype(np.uint8)))
    assert found.cannot is None
    assert worst_error(found, matrix, size) < 0.5


def test_a_lens_field_is_found(before):
    given = known(
        {"type": "radial", "k1": 0.03, "scale": 1.0, "centre": [359.5, 269.5], "corner_px": 449.3}, (720, 540)
    )
    after, _ = given.onto(before, (540, 720), 1.0, 1.0)
    found = place(before, after)
    x, y = np.meshgrid(np.linspace(60, 660, 7), np.linspace(60, 480, 7))
    assert np.abs(np.array(found.back(x, y)) - np.array(given.back(x, y))).max() < 0.7


def test_a_tiny_crop_that_was_turned_finds_its_place(before):
    turned = np.rot90(cv2.resize(before[60:420, 200:560], (112, 112), interpolation=cv2.INTER_AREA))
    after = cv2.LUT(np.ascontiguousarray(turned), (255 * (np.arange(256) / 255) ** 0.8).astype(np.uint8))
    found = place(before, after)
    share = 112 / 360
    matrix = np.array([[0, share, -60 * share], [-share, 0, 111 + 200 * share], [0, 0, 1]])
    assert found.cannot is None
    assert worst_error(found, matrix, (112, 112)) < 1 / share


def test_pictures_of_other_things_cannot_be_aligned(before):
    other = np.random.default_rng(4).integers(0, 256, (500, 500, 3), dtype=np.uint8)
    found = compare(before, other)
    assert found.placement.cannot
    assert found.verdict is not Outcome.PASS


def test_unknown_transforms_are_refused():
    with pytest.raises(ValueError, match="identity, homography or radial"):
        known({"type": "affine"}, SIZE)


def test_a_reduced_before_lies_on_a_reduced_after_in_both_axes():
    ramp = (np.arange(341) % 200 + 20).astype(np.uint8)  # reduced to 1600 x 266, a pixel is longer down than across
    rgb = np.broadcast_to(ramp[:, None, None], (341, 2003, 3)).copy()
    crop = known({"type": "homography", "matrix": [[1, 0, -3], [0, 1, -8], [0, 0, 1]]}, (2000, 333))
    pair = Pair(before=rgb, after=np.ascontiguousarray(rgb[8:, 3:]), placement=crop)
    before, after = (p[-40:-8, 800, 1] * 255 for p in (pair.before_work, pair.after_work))
    assert abs(float((before - after).mean() / np.gradient(after).mean())) < 0.3  # px of the grid


# ---------------------------------------------------------------- the legal edit


def test_tone_and_clarity_are_explained_and_a_lighter_part_is_not(before):
    after = cv2.LUT(before, (255 * (np.arange(256) / 255) ** 0.7).astype(np.uint8))
    pair = Pair(before=before, after=after, placement=known({"type": "identity"}, (720, 540)))
    assert np.abs(pair.residual[pair.usable]).mean() < 0.01
    part = mixed(after, np.clip(after.astype(int) + 20, 0, 255), disc(after.shape, 200, 400, 60))
    pair = Pair(before=before, after=part, placement=known({"type": "identity"}, (720, 540)))
    assert pair.residual[400, 200] > 0.05
    assert abs(pair.residual[60, 400]) < 0.02


def test_a_replaced_ground_is_recognised(before):
    mask = disc(before.shape, 500, 180, 120)
    after = mixed(np.ascontiguousarray(before[::-1, ::-1]), before, mask)
    pair = Pair(
        before=before, after=after, mask=mask / np.float32(255), placement=known({"type": "identity"}, (720, 540))
    )
    assert pair.ground_changed
    assert not pair.stayed[500, 100]
    assert pair.stayed[180, 500]


# ---------------------------------------------------------------- detectors


def spoilt(before):
    """(finding, after, mask) of damage that anybody would see."""
    level = before.astype(np.float32)
    luma = level @ np.array((0.2126, 0.7152, 0.0722), np.float32)
    leaves, y = disc(before.shape, 500, 180, 70), np.mgrid[:540, :720].astype(np.float32)
    push = 9 * np.exp(-((y[1] - 500) ** 2 + (y[0] - 180) ** 2) / (2 * 30**2))
    bend = 8 * np.exp(-((y[1] - 230) ** 2) / (2 * 50**2) - ((y[0] - 64) ** 2) / (2 * 30**2))

    def done(values):
        return np.clip(values + 0.5, 0, 255).astype(np.uint8)

    yield "halo", done(level + 0.9 * (luma - cv2.GaussianBlur(luma, (0, 0), 10))[..., None]), None
    yield "oversmoothing", mixed(before, cv2.GaussianBlur(before, (0, 0), 3), leaves), leaves
    yield "warp", cv2.remap(before, y[1] - push, y[0], cv2.INTER_CUBIC), None
    yield "bent_lines", cv2.remap(before, y[1], y[0] - bend, cv2.INTER_CUBIC), None
    yield "seam", mixed(before, done(level * 1.18), leaves), leaves
    yield "clipping", done(level * 1.6), None
    yield "ghosting", done(0.65 * level + 0.35 * np.roll(level, (9, 12), (0, 1))), None
    yield "jpeg", simplejpeg.decode_jpeg(simplejpeg.encode_jpeg(before, quality=15)), None
    patch = np.tile(before[150:182, 480:512], (18, 24, 1))[:540, :720]
    yield "fill_repeat", mixed(before, patch, leaves), leaves
    yield "fill_blur", mixed(before, cv2.GaussianBlur(before, (0, 0), 25), leaves), leaves
    calm = cv2.GaussianBlur(level, (0, 0), 4)
    yield "banding", done(np.round(calm / 10) * 10), None


def test_damage_scores_above_every_honest_edit(before):
    curve = (255 * (np.arange(256) / 255) ** 0.85).astype(np.uint8)
    honest = [before.copy(), cv2.LUT(before, curve), cv2.resize(before, (540, 405), interpolation=cv2.INTER_AREA)]
    for name, after, mask in spoilt(before):
        bad = score(name, before, after, mask)
        assert bad.cannot_tell is None, (name, bad.cannot_tell)
        assert bad.where is not None, name
        assert bad.heat is not None, name
        for good in honest:
            fine = score(name, before, good)
            assert fine.score is None or bad.score > fine.score + 0.01, (name, bad.score, fine.score)


@pytest.mark.parametrize("size", [(37, 41), (211, 137), (333, 517), (401, 255)])
@pytest.mark.parametrize("step", [1, 9])
def test_steps_are_the_same_however_many_rows_are_worked_on_at_once(before, size, step):
    calm = cv2.GaussianBlur(cv2.resize(before, size), (0, 0), 4)
    rgb = np.minimum(np.round(calm / step) * step, 255).astype(np.uint8)
    whole = banding.steps(rgb, strip=10_000)
    assert (whole.share > 0.2) == (step > 1)
    for strip in (5, 64, banding.STRIP):
        parts = banding.steps(rgb, strip=strip)
        assert abs(parts.share - whole.share) < 1e-6
        assert abs(parts.gentle - whole.gentle) < 1e-6
        assert np.abs(parts.heat - whole.heat).max() < 1e-6


def test_the_box_lies_where_the_damage_is(before):
    leaves = disc(before.shape, 500, 180, 70)
    found = score("oversmoothing", before, mixed(before, cv2.GaussianBlur(before, (0, 0), 3), leaves), leaves)
    x0, y0, x1, y1 = found.where
    assert x0 < 500 < x1
    assert y0 < 180 < y1


def test_blocks_are_shown_where_they_are_and_nowhere_else(before):
    small = simplejpeg.decode_jpeg(simplejpeg.encode_jpeg(before, quality=12))
    for top in (0, 3):  # blocks that begin within a block of the whole, as after a crop
        after = before.copy()
        after[200:540, :300] = small[200:540, :300]
        found = score("jpeg", before[top:], np.ascontiguousarray(after[top:]))
        x0, y0, x1, _ = found.where
        assert (x0 < 100, y0 > 180, x1 < 320) == (True, True, True), found.where
        assert found.heat[:, int(found.heat.shape[1] * 0.45) :].max() < 0.3
    clean = score("jpeg", before, before)
    assert clean.where is None
    assert clean.text == "No blocks show."


def test_one_channel_at_its_end_wants_a_look_at_most_and_all_of_them_fail(before):
    level = before.astype(np.float32)
    reds = level.copy()
    reds[..., 0] *= 255 / np.quantile(level[..., 0], 0.8)
    alone, whole = (score("clipping", before, np.clip(p, 0, 255).astype(np.uint8)) for p in (reds, level * 1.6))
    assert "one colour channel" in alone.text
    assert "one colour channel" not in whole.text
    limits = checking.thresholds()["clipping"]
    assert alone.probability < limits.fail <= whole.probability


def test_a_patch_that_stands_twice_is_seen_without_a_before_and_a_repeating_pattern_is_not():
    rng = np.random.default_rng(5)
    brick = cv2.GaussianBlur(rng.random((30, 40), np.float32), (0, 0), 2.5, borderType=cv2.BORDER_REFLECT_101)
    bricks = np.tile(60 + 150 * brick[..., None], (18, 18, 3))
    wall = np.clip(bricks + rng.normal(0, 6, bricks.shape), 0, 255).astype(np.uint8)
    copied = wall.copy()
    copied[300:420, 420:540] = wall[290:410, 300:420]
    honest, twice = (next(f for f in checking.inspect(p).findings if f.name == "fill_repeat") for p in (wall, copied))
    assert honest.score < 0.05
    assert twice.score > 0.5
    assert twice.probability > honest.probability
    assert "pixel for pixel" in twice.text


def cut_out(before, *, kept):
    """An object on a new ground, its rim with so much of the old one; before, after and matte."""
    rng = np.random.default_rng(6)
    alpha = cv2.GaussianBlur(disc(before.shape, 360, 270, 120).astype(np.float32) / 255, (0, 0), 2.5)[..., None]
    thing = np.array((150, 90, 70)) + 12 * rng.standard_normal((*before.shape[:2], 1))
    old = alpha * thing + (1 - alpha) * np.array((30, 150, 50)) + rng.normal(0, 1.5, before.shape)
    rim = (1 - kept) * thing + kept * old
    new = alpha * rim + (1 - alpha) * before
    return (np.clip(p + 0.5, 0, 255).astype(np.uint8) for p in (old, new, 255 * alpha[..., 0]))


def test_a_rim_of_the_old_ground_is_a_fringe_and_a_clean_one_is_not(before):
    clean, dirty = (score("fringe", *cut_out(before, kept=kept)).score for kept in (0.0, 1.0))
    assert clean < 0.2
    assert dirty > 0.5


def test_a_hole_that_shows_the_old_ground_is_found(before):
    old, new, mask = cut_out(before, kept=0.0)
    gap = disc(old.shape, 360, 270, 24) > 0
    true = np.where(gap, 0, mask).astype(np.uint8)
    seen = np.where(gap[..., None], (30, 150, 50), old).astype(np.uint8)
    honest = np.where(gap[..., None], before, new).astype(np.uint8)
    missed = np.where(gap[..., None], (30, 150, 50), new).astype(np.uint8)
    assert score("holes", seen, missed, true).score > score("holes", seen, honest, true).score + 0.5


def test_a_hole_is_found_where_the_old_ground_has_levels_that_the_object_has_not(before):
    rng = np.random.default_rng(6)
    mask = disc(before.shape, 360, 270, 120)
    gap = disc(before.shape, 360, 270, 20) > 0
    thing = np.array((150, 140, 130)) + 8 * rng.standard_normal((*before.shape[:2], 1))
    whole, true = mask > 0, np.where(gap, 0, mask).astype(np.uint8)
    old = np.clip(np.where(whole[..., None] & ~gap[..., None], thing, (25, 60, 235)), 0, 255).astype(np.uint8)
    graded = cv2.LUT(np.where(whole[..., None], old, before), (255 * (np.arange(256) / 255) ** 0.75).astype(np.uint8))
    honest = cv2.LUT(
        np.where(true[..., None] > 0, old, before), (255 * (np.arange(256) / 255) ** 0.75).astype(np.uint8)
    )
    missed, none = (score("holes", old, p, true) for p in (graded, honest))
    assert missed.score > none.score + 1.5
    assert missed.where is not None
    assert missed.where[0] < 360 < missed.where[2]


def test_fine_texture_that_a_gain_drives_over_the_end_is_clipped_and_sharpened_edges_are_not(before):
    speckled = np.random.default_rng(2).integers(60, 240, (300, 400, 3), np.uint8)
    gained = np.clip(speckled * 1.2, 0, 255).astype(np.uint8)
    assert score("clipping", speckled, gained).score > 3
    level = before.astype(np.float32)
    crisp = np.clip(level + 0.7 * (level - cv2.GaussianBlur(level, (0, 0), 0.8)) + 0.5, 0, 255).astype(np.uint8)
    assert score("clipping", before, crisp).score < 1


def test_an_evened_part_has_no_seam_and_a_soft_one_has(before):
    part = disc(before.shape, 500, 180, 70)
    level = before.astype(np.float32)
    blotches = cv2.GaussianBlur(level, (0, 0), 1.5) - cv2.GaussianBlur(level, (0, 0), 6)
    evened, soft = level - 0.55 * blotches, cv2.GaussianBlur(level, (0, 0), 0.9)
    found = [score("seam", before, mixed(before, np.clip(p + 0.5, 0, 255), part), part) for p in (evened, soft)]
    assert found[0].score < 0.2
    assert found[1].score > 0.4


def test_a_push_in_a_small_picture_is_found(before):
    small = cv2.resize(before, SIZE, interpolation=cv2.INTER_AREA)
    y, x = np.mgrid[: SIZE[1], : SIZE[0]].astype(np.float32)
    push = 3 * np.exp(-((x - 250) ** 2 + (y - 90) ** 2) / (2 * 15**2))
    assert score("warp", small, cv2.remap(small, x - push, y, cv2.INTER_CUBIC)).score > 2
    assert score("warp", small, small.copy()).score < 0.1


def test_noise_that_was_taken_away_turns_no_hue(before):
    level = cv2.resize(before, SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
    level[:, 180:] *= (1.3, 1.0, 0.5)
    noisy = level + np.random.default_rng(3).normal(0, 12, level.shape)
    lab = cv2.cvtColor(level / 255, cv2.COLOR_RGB2Lab)
    lab[:, 180:, 1:] = lab[:, 180:, 1:] @ np.array(((0.9, 0.44), (-0.44, 0.9)), np.float32)
    turned = 255 * cv2.cvtColor(lab, cv2.COLOR_Lab2RGB)
    clean, noisy, turned = (np.clip(p, 0, 255).astype(np.uint8) for p in (level, noisy, turned))
    honest, twisted = (score("hue_twist", *pair) for pair in ((noisy, clean), (clean, turned)))
    assert honest.score < 1.5 < twisted.score


def test_matte_detectors_cannot_tell_without_a_matte(before):
    for name in ("fringe", "holes"):
        assert score(name, before, before.copy()).cannot_tell == "no matte was given"


# ---------------------------------------------------------------- answers


def test_verdict_follows_the_worst_finding(before):
    def saying(chance):
        finding = Finding(name="made", score=1.0, probability=chance, text="So it is.")
        return Detector(name="made", version=1, finds=("made",), detect=lambda pair: [finding], about="Made.")

    limits = {"made": Thresholds(look=0.4, fail=0.8)}
    said = [compare(before, before, detectors=[saying(c)], limits=limits).verdict for c in (0.1, 0.5, 0.9)]
    assert said == [Outcome.PASS, Outcome.LOOK, Outcome.FAIL]


def test_a_finding_is_a_number_or_a_reason():
    with pytest.raises(ValueError, match="reason"):
        Finding(name="halo", score=0.3)
    with pytest.raises(ValueError, match="reason"):
        Finding(name="halo", score=0.3, probability=0.5, cannot_tell="it is dark")


def test_chances_never_fall_where_scores_rise():
    for name, limit in checking.thresholds().items():
        table = checking.calibrated()[name]
        assert table["scores"] == sorted(table["scores"])
        chances = [at(table, s) for s in np.linspace(-1, 20, 60)]
        assert chances == sorted(chances)
        assert 0 < limit.look < limit.fail < 1


def test_pictures_and_masks_of_another_form_are_refused(before):
    with pytest.raises(ValueError, match="H x W x 3"):
        compare(before[..., 0], before)
    with pytest.raises(ValueError, match="H x W"):
        compare(before, before, before)


def test_files_are_compared_by_path(tmp_path, before):
    import safelight

    cv2.imwrite(str(tmp_path / "a.png"), before)
    cv2.imwrite(str(tmp_path / "b.png"), before)
    found = safelight.check(tmp_path / "a.png", tmp_path / "b.png")
    assert found.verdict is Outcome.PASS
    assert {"halo", "identity"} <= {f.name for f in found.findings}


# ---------------------------------------------------------------- what cannot be told, sixteen bits, one picture


@pytest.mark.parametrize("size", [(96, 64), (128, 128), (2000, 20), (3, 900), (1, 1)])
def test_pictures_that_are_too_small_are_not_scored_and_want_a_look(before, size):
    small = cv2.resize(before, size, interpolation=cv2.INTER_AREA)
    found = compare(small, 255 - small, transform={"type": "identity"})
    assert [f.name for f in found.findings if f.score is not None] == []
    assert found.verdict is Outcome.LOOK


def test_of_a_flat_picture_nothing_is_told_but_that_nothing_clipped():
    flat = np.full((400, 600, 3), 128, np.uint8)
    for mask in (None, np.full((400, 600), 255, np.uint8)):
        found = compare(flat, flat, mask).findings
        assert {f.name for f in found if f.score is not None} == {"clipping"}


def test_noise_is_compared_with_itself_and_not_with_other_noise():
    one, other = (np.random.default_rng(seed).integers(0, 256, (400, 600, 3), np.uint8) for seed in (1, 2))
    assert compare(one, one).verdict is Outcome.PASS
    assert compare(one, other).placement.cannot


def test_sixteen_bits_tell_the_end_from_what_lies_just_below_it(before):
    level = np.linspace(0.985, 0.9985, 720, dtype=np.float32)
    words = np.repeat(np.rint(65535 * level)[None, :, None], 540, 0).repeat(3, 2).astype(np.uint16)
    high = np.asarray((words.astype(np.uint32) * 255 + 32767) // 65535, np.uint8)
    old = (0.8 * words).astype(np.uint16), (0.8 * high).astype(np.uint8)
    bytes_alone = score("clipping", old[1], high)
    fine = score("clipping", old[1], high, words=(old[0], words))
    assert bytes_alone.score > 3
    assert fine.score == 0
    with pytest.raises(ValueError, match="uint16"):
        compare(before, before, words=(before, before))


def test_steps_of_sixteen_bits_are_counted_where_they_lie():
    across = np.linspace(0.3, 0.6, 720, dtype=np.float32)[None, :, None]
    smooth = np.rint(65535 * np.repeat(across, 540, 0).repeat(3, 2)).astype(np.uint16)
    stairs = (smooth // (6 * 257) * (6 * 257)).astype(np.uint16)
    picture_of = {id(w): np.asarray((w.astype(np.uint32) * 255 + 32767) // 65535, np.uint8) for w in (smooth, stairs)}
    assert banding.steps(picture_of[id(smooth)], smooth).share < 0.01
    assert banding.steps(picture_of[id(stairs)], stairs).share > 0.5


def test_a_lens_correction_leaves_no_shift_in_the_corners():
    """A field with even powers of the radius, as PTLens has them, on a picture whose corners are plain."""
    scene = cv2.resize(picture(), (1080, 810), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[:810, :1080].astype(np.float32)
    u, v = (x - 539.5) / 540, (y - 404.5) / 540
    r = np.hypot(u, v)
    bend = 1 + 0.02 * r - 0.05 * r**2 + 0.02 * r**3
    after = cv2.remap(scene, 539.5 + 540 * u * bend, 404.5 + 540 * v * bend, cv2.INTER_CUBIC)
    found = score("warp", scene, after)
    assert found.score is None or found.score < 1


def test_one_picture_is_asked_only_what_it_can_show(before):
    found = checking.inspect(before)
    able = {"banding", "clipping", "fill_repeat", "jpeg", "oversmoothing"}
    told = {f.name: f for f in found.findings}
    assert set(told) == {name for d in plugins.detectors().values() for name in d.finds}
    assert {name for d in plugins.detectors().values() if d.alone for name in d.finds} == able
    assert all(told[name].cannot_tell for name in set(told) - able)
    assert found.alone
    blocks = simplejpeg.decode_jpeg(simplejpeg.encode_jpeg(before, quality=6, colorspace="RGB"))
    told = {f.name: f for f in checking.inspect(blocks).findings}
    assert told["jpeg"].score > next(f for f in found.findings if f.name == "jpeg").score + 1
