"""Whatever a shoot looks like: a partition into scenes, at most one set a photo, the same answer in any order."""

import random
from collections import Counter
from datetime import datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.domain import Asset, Capture, GroupKind, Kind, Measure
from safelight.probes import Member, groups, layout

START = datetime(2026, 5, 2, 14, 0, 0)
LOOKS = np.linalg.qr(np.random.default_rng(1).normal(size=(480, 6)))[0].T.astype(np.float32)
THUMB = {"width": 96, "height": 64, "luma": "AAAA" * 2048}

frames = st.lists(
    st.tuples(
        st.integers(0, len(LOOKS) - 1),
        st.none() | st.floats(0, 4000).map(lambda seconds: round(seconds, 2)),
        st.sampled_from([None, "1", "2"]),
        st.sampled_from([None, -1.0, 0.0, 1.0]),
        st.booleans(),
        st.sampled_from([None, 0.5, 1.0, 2.0]),
    ),
    max_size=24,
)


def members_of(rows, *, later=0.0):
    out = []
    for k, (look, at, body, bias, flag, distance) in enumerate(rows):
        when = None if at is None else (START + timedelta(seconds=at + later)).isoformat(timespec="milliseconds")
        capture = Capture(
            at=when, camera=None if body is None else "Made", serial=body, bias_ev=bias, bracketed=flag,
            distance_m=distance, seconds=None if bias is None else 2.0**bias / 60, iso=100, f_number=4.0,
        )  # fmt: skip
        facts = {
            "embedding": Measure(name="embedding", value=layout.pack(LOOKS[look])),
            "layout.thumb": Measure(name="layout.thumb", value=THUMB),
            "layout.light": Measure(name="layout.light", value=[float(look), 0.0, 0.0]),
        }
        asset = Asset(id=f"{k:02d}", content=None, kind=Kind.PHOTO, format="jpeg", width=3, height=2, capture=capture)
        out.append(Member(asset=asset, path=f"{k:02d}.jpg", facts=facts))
    return out


@settings(max_examples=60)
@given(frames)
def test_every_photo_is_in_one_scene_and_at_most_one_set(rows):
    members = members_of(rows)
    found = groups.survey(members).groups
    in_scenes = Counter(m for g in found if g.kind is GroupKind.SCENE for m in g.members)
    in_sets = Counter(m for g in found if g.kind is not GroupKind.SCENE for m in g.members)
    assert in_scenes == Counter(m.asset.id for m in members)
    assert all(number == 1 for number in in_sets.values())
    assert all(len(g.members) > 1 and g.because for g in found if g.kind is not GroupKind.SCENE)


@settings(max_examples=40)
@given(frames, st.randoms(use_true_random=False))
def test_the_order_in_which_photos_come_does_not_matter(rows, dice: random.Random):
    members = members_of(rows)
    mixed = list(members)
    dice.shuffle(mixed)
    assert groups.survey(members) == groups.survey(mixed)


@settings(max_examples=40)
@given(frames)
def test_the_hour_of_the_day_does_not_matter(rows):
    now, then = (groups.survey(members_of(rows, later=later)) for later in (0.0, 7200.0))
    assert [(g.kind, g.members) for g in now.groups] == [(g.kind, g.members) for g in then.groups]


@settings(max_examples=40)
@given(frames)
def test_one_set_lies_within_one_scene(rows):
    found = groups.survey(members_of(rows)).groups
    scene = {m: g.id for g in found if g.kind is GroupKind.SCENE for m in g.members}
    assert all(len({scene[m] for m in g.members}) == 1 for g in found)
