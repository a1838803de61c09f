from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from safelight.domain import Asset, Capture, GroupKind, Kind, Measure, digest_of
from safelight.media.picture import Picture
from safelight.probes import Member, groups, layout

START = datetime(2026, 5, 2, 14, 0, 0, tzinfo=UTC)
REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "near_duplicates"


@cache
def scene(seed, height=240, width=360):
    """A made picture: soft light of several colours with hard-edged things and fine grain in it."""
    rng = np.random.default_rng(seed)
    soft = cv2.resize(rng.random((5, 7, 3)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    rgb = (np.clip(soft, 0, 1) * 180 + 30).astype(np.uint8)
    for _ in range(height * width // 4000):
        centre = int(rng.integers(width)), int(rng.integers(height))
        axes = int(rng.integers(6, 40)), int(rng.integers(6, 40))
        cv2.ellipse(rgb, centre, axes, float(rng.integers(180)), 0, 360, [int(c) for c in rng.integers(0, 255, 3)], -1)
    return np.clip(rgb + rng.normal(0, 12, rgb.shape), 0, 255).astype(np.uint8)


def lit(rgb, ev):
    return (np.clip((rgb / 255.0) ** 2.2 * 2.0**ev, 0, 1) ** (1 / 2.2) * 255).round().astype(np.uint8)


def shot(rgb, name, at=None, **facts):
    """A member taken `at` seconds after the start."""
    when = None if at is None else (START + timedelta(seconds=at)).isoformat(timespec="milliseconds")
    known = {"camera": "Made Body", "serial": "1", "iso": 100, "seconds": 1 / 100, "f_number": 4.0, "focal_mm": 50.0}
    capture = Capture(at=when, **(known | facts))
    asset = Asset(id=name, content=None, kind=Kind.PHOTO, format="jpeg", width=3, height=2, capture=capture)
    measures = {m.name: m for m in layout.measure(Picture(rgb=rgb))}
    return Member(asset=asset, path=name, facts=measures)


def sets(members):
    """Kind and members of every group that is not a scene."""
    return [(g.kind, g.members) for g in groups.survey(members).groups if g.kind is not GroupKind.SCENE]


def scenes(members):
    return {g.members for g in groups.survey(members).groups if g.kind is GroupKind.SCENE}


# ---------------------------------------------------------------- bursts and look-alikes


def test_frames_within_a_second_are_a_burst_in_order_of_time():
    members = [shot(scene(1), "c", 0.0), shot(scene(1), "a", 0.3), shot(scene(1), "b", 0.6), shot(scene(2), "d", 3)]
    assert sets(members) == [(GroupKind.BURST, ("c", "a", "b"))]


def test_another_picture_ends_a_burst():
    members = [shot(scene(1 + k // 2), f"{k}", 0.3 * k) for k in range(4)]
    assert sets(members) == [(GroupKind.BURST, ("0", "1")), (GroupKind.BURST, ("2", "3"))]


def test_the_same_thing_half_a_minute_later_is_a_near_duplicate():
    members = [shot(scene(1), "a", 0), shot(lit(scene(1), 0.6), "b", 30), shot(scene(3), "c", 40)]
    assert sets(members) == [(GroupKind.DUPLICATE, ("a", "b"))]


def test_the_same_thing_ten_minutes_later_is_another_photo():
    assert sets([shot(scene(1), "a", 0), shot(scene(1), "b", 600)]) == []


def test_photos_without_times_are_grouped_by_what_they_show():
    members = [shot(scene(1), "a"), shot(scene(2), "b"), shot(lit(scene(1), -0.7), "c"), shot(scene(2), "d")]
    assert sets(members) == [(GroupKind.DUPLICATE, ("a", "c")), (GroupKind.DUPLICATE, ("b", "d"))]


def test_a_photo_without_a_time_joins_its_look_alike_with_one():
    assert sets([shot(scene(1), "a"), shot(scene(1), "b", 5)]) == [(GroupKind.DUPLICATE, ("b", "a"))]


def test_series_do_not_chain():
    """A and B, B and C are alike, A and C are not: complete linkage keeps one pair."""
    rng = np.random.default_rng(0)
    a, b = np.linalg.qr(rng.normal(size=(480, 2)))[0].T.astype(np.float32)
    turned = [np.cos(angle) * a + np.sin(angle) * b for angle in (0, 0.6, 1.2)]
    assert turned[0] @ turned[1] > 0.8
    assert turned[0] @ turned[2] < 0.4
    members = [shot(scene(1), f"{k}", 10 * k) for k in range(3)]
    looks = [Measure(name="embedding", value=layout.pack(vector)) for vector in turned]
    members = [replace(m, facts=dict(m.facts) | {"embedding": look}) for m, look in zip(members, looks, strict=True)]
    assert [len(found) for _, found in sets(members)] == [2]


def test_photos_that_nobody_could_look_at_stay_alone():
    blind = {name: Measure(name=name, cannot_tell="damaged") for name in groups.probe.needs}
    members = [replace(shot(scene(1), f"{k}", 0.2 * k), facts=blind) for k in range(3)]
    assert sets(members) == []
    assert sorted(m for found in scenes(members) for m in found) == ["0", "1", "2"]


# ---------------------------------------------------------------- one picture in several frames


def bracket(start=0.0, levels=(-2, 0, 2), name="b", **facts):
    return [
        shot(lit(scene(1), ev), f"{name}{k}", start + 0.4 * k, bias_ev=float(ev), seconds=2.0**ev / 100, **facts)
        for k, ev in enumerate(levels)
    ]


@pytest.mark.parametrize("levels", [(-2, 0, 2), (0, -1, 1), (-4 / 3, -2 / 3, 0, 2 / 3, 4 / 3)])
def test_a_bracket_is_protected_and_whole(levels):
    members = bracket(levels=levels, bracketed=True)
    (found,) = (g for g in groups.survey(members).groups if g.kind is not GroupKind.SCENE)
    assert found.kind is GroupKind.BRACKET
    assert found.protected
    assert len(found.members) == len(levels)
    assert "EV apart" in found.because


def test_a_bracket_is_seen_without_the_camera_saying_so():
    members = [replace(m, asset=replace(m.asset, capture=replace(m.asset.capture, bias_ev=None))) for m in bracket()]
    assert [kind for kind, _ in sets(members)] == [GroupKind.BRACKET]


def test_two_brackets_in_a_row_are_two():
    members = bracket(bracketed=True) + bracket(start=1.2, name="c", bracketed=True)
    assert sets(members) == [(GroupKind.BRACKET, ("b0", "b1", "b2")), (GroupKind.BRACKET, ("c0", "c1", "c2"))]


def test_a_bracket_without_times_is_seen_by_its_exposures():
    members = [
        replace(m, asset=replace(m.asset, capture=replace(m.asset.capture, at=None)))
        for m in bracket(levels=(-1, 0, 1))
    ]
    assert [kind for kind, _ in sets(members)] == [GroupKind.BRACKET]


def test_a_burst_whose_exposure_wanders_is_no_bracket():
    levels = (0.0, 0.1, -0.1, 1.7, 0.05)
    members = [shot(lit(scene(1), ev), f"{k}", 0.3 * k, seconds=2.0**ev / 100) for k, ev in enumerate(levels)]
    assert sets(members) == [(GroupKind.BURST, tuple("01234"))]


def focused(count=5):
    """A band of sharpness that moves from left to right."""
    sharp = scene(4)
    soft = cv2.GaussianBlur(sharp, (0, 0), 3)
    width = sharp.shape[1]
    frames = []
    for k in range(count):
        inside = np.abs(np.arange(width) / width - (k + 0.5) / count) < 0.6 / count
        frames.append(np.where(inside[None, :, None], sharp, soft))
    return frames


def test_focus_that_travels_is_a_stack():
    members = [shot(rgb, f"{k}", 0.7 * k, distance_m=0.5 + 0.3 * k) for k, rgb in enumerate(focused())]
    assert sets(members) == [(GroupKind.FOCUS_STACK, tuple("01234"))]


def test_a_stack_is_seen_without_distances():
    members = [shot(rgb, f"{k}", 0.7 * k) for k, rgb in enumerate(focused())]
    assert sets(members) == [(GroupKind.FOCUS_STACK, tuple("01234"))]


def test_autofocus_that_follows_a_subject_is_no_stack():
    frames = [scene(4), cv2.GaussianBlur(scene(4), (0, 0), 2), scene(4), scene(4)]
    members = [shot(rgb, f"{k}", 0.2 * k, distance_m=8 - k) for k, rgb in enumerate(frames)]
    assert sets(members) == [(GroupKind.BURST, tuple("0123"))]


def swept(count, step=0.65):
    whole = scene(7, 240, 360 + int(360 * step) * (count - 1))
    return [whole[:, int(360 * step) * k :][:, :360] for k in range(count)]


@pytest.mark.parametrize("count", [3, 5])
@pytest.mark.parametrize("turn", [lambda rgb: rgb, lambda rgb: np.rot90(rgb).copy(), lambda rgb: rgb[:, ::-1].copy()])
def test_a_sweep_is_one_panorama(count, turn):
    members = [shot(turn(rgb), f"{k}", 2.5 * k) for k, rgb in enumerate(swept(count))]
    assert sets(members) == [(GroupKind.PANORAMA, tuple(f"{k}" for k in range(count)))]


def test_a_sweep_there_and_back_lies_in_sets_without_common_photos():
    there = swept(4)
    members = [shot(rgb, f"{k}", 2.5 * k) for k, rgb in enumerate([*there, *there[-2::-1]])]
    found = sets(members)
    assert (GroupKind.PANORAMA, ("0", "1", "2", "3")) in found
    assert len({name for _, names in found for name in names}) == sum(len(names) for _, names in found)


def test_two_overlapping_frames_are_no_panorama():
    assert sets([shot(rgb, f"{k}", 2.5 * k) for k, rgb in enumerate(swept(2))]) == []


def test_frames_that_do_not_overlap_are_no_panorama():
    assert sets([shot(scene(k), f"{k}", 2.5 * k) for k in range(6)]) == []


def test_a_panorama_among_other_photos_is_cut_out():
    members = [shot(rgb, f"{k}", 2.5 * k) for k, rgb in enumerate(swept(3))]
    members += [shot(scene(20), "before", -3), shot(scene(21), "after", 8)]
    assert sets(members) == [(GroupKind.PANORAMA, ("0", "1", "2"))]


# ---------------------------------------------------------------- clocks


def two_bodies(common, ahead):
    """Body 1 takes twelve photos; body 2, whose clock runs `ahead`, sees the first `common` of these moments too."""
    members = [shot(scene(30 + k), f"a{k}", 97 * k) for k in range(12)]
    seen = [shot(lit(scene(30 + k), 0.3), f"b{k}", 97 * k + ahead + 0.1 * (k % 3), serial="2") for k in range(common)]
    own = [shot(scene(60 + k), f"c{k}", 131 * k + 40 + ahead, serial="2") for k in range(5)]
    return members + seen + own


def offsets(members):
    return {m.value for measures in groups.survey(members).measures.values() for m in measures}


@pytest.mark.parametrize("ahead", [420.0, -3605.0, 0.0])
def test_the_offset_between_two_clocks_is_found_from_common_moments(ahead):
    members = two_bodies(4, ahead)
    (value,) = offsets(members)
    assert value == pytest.approx(ahead, abs=0.5)
    assert set(groups.survey(members).measures) == {m.path for m in members if m.asset.capture.serial == "2"}


def test_moments_that_both_bodies_saw_are_near_duplicates():
    found = sets(two_bodies(4, 420))
    assert [kind for kind, _ in found] == [GroupKind.DUPLICATE] * 4
    assert all(len({name[0] for name in names}) == 2 for _, names in found)


@pytest.mark.parametrize(("common", "reason"), [(0, "no two pictures"), (1, "only 1 agrees")])
def test_too_little_in_common_gives_no_offset(common, reason):
    found = groups.survey(two_bodies(common, 420)).measures
    assert found
    assert all(reason in measures[0].cannot_tell for measures in found.values())


def test_two_cameras_on_one_cake_give_no_offset():
    """Both take the same still thing at their own pace: many differences agree a little, none stands out."""
    rng = np.random.default_rng(2)
    members = [shot(scene(1), f"a{k}", at) for k, at in enumerate(np.sort(rng.uniform(0, 100, 9)))]
    members += [shot(scene(1), f"b{k}", at, serial="2") for k, at in enumerate(np.sort(rng.uniform(0, 100, 8)))]
    assert offsets(members) == {None}


def test_one_body_has_nothing_to_compare():
    assert groups.survey([shot(scene(k), f"{k}", k) for k in range(3)]).measures == {}


def test_clocks_in_two_time_zones_agree():
    east = shot(scene(1), "a", 0)
    wall = (START + timedelta(hours=2, seconds=20)).replace(tzinfo=None).isoformat() + "+02:00"
    west = shot(scene(1), "b", serial="1")
    west = replace(west, asset=replace(west.asset, capture=replace(west.asset.capture, at=wall)))
    assert sets([east, west]) == [(GroupKind.DUPLICATE, ("a", "b"))]


# ---------------------------------------------------------------- scenes and the whole


def test_a_long_pause_begins_a_scene():
    members = [shot(scene(k), f"{k}", 20 * k + (1500 if k > 3 else 0)) for k in range(8)]
    assert scenes(members) == {tuple("0123"), tuple("4567")}


def test_another_light_begins_a_scene():
    """The pictures are equally bright, but in the second half the camera had to let in 32 times the light."""
    members = [shot(scene(k), f"{k}", 20 * k, seconds=0.01 if k < 5 else 0.32) for k in range(10)]
    assert scenes(members) == {tuple("01234"), tuple("56789")}


def test_photos_in_one_light_seconds_apart_share_a_scene():
    assert scenes([shot(scene(k), f"{k}", 5 * k) for k in range(9)]) == {tuple("012345678")}


def test_a_set_is_never_divided_by_a_scene():
    members = bracket(levels=(-4, 0, 4), bracketed=True)
    assert len(scenes(members)) == 1


def test_a_group_is_named_by_its_kind_and_members():
    (found,) = (g for g in groups.survey(bracket(bracketed=True)).groups if g.kind is GroupKind.BRACKET)
    assert found.id == digest_of(["bracket", ["b0", "b1", "b2"]])[:16]


def test_an_empty_shoot_has_no_groups():
    assert groups.survey([]).groups == ()


@pytest.mark.skipif(not REAL.is_dir(), reason="the real pairs of shared/data are not here")
@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("lamp_hdr_no.jpg", "lamp_hdr_yes.jpg", True),
        ("rubberwhale1.png", "rubberwhale2.png", True),
        ("leuvenA.jpg", "leuvenB.jpg", False),
        ("graf1.png", "graf3.png", False),
        ("aero1.jpg", "aero3.jpg", False),
    ],
)
def test_real_pairs_are_told(a, b, same):
    members = [shot(cv2.imread(str(REAL / name))[..., ::-1].copy(), name) for name in (a, b)]
    assert (len(sets(members)) == 1) is same
