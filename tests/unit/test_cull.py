"""Who stays and who goes, on evidence that is written down here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.domain import Asset, Capture, Cull, Group, GroupKind, Kind, Measure, digest_of
from safelight.operators import Subject, Wishes
from safelight.operators.cull import propose, technical_faults

GOOD = {"sharpness": 0.8, "blur": 0.02, "exposure.over": 0.02, "exposure.under": 0.02}


def subject(name, group=None, scene="s", **facts):
    values = {**GOOD, **{k.replace("_", "."): v for k, v in facts.items()}}
    measures = {
        k: Measure(name=k, cannot_tell="not told") if v is None else Measure(name=k, value=v) for k, v in values.items()
    }
    asset = Asset(
        id=digest_of(name), content=None, kind=Kind.PHOTO, format="jpeg", width=6, height=4, capture=Capture()
    )
    return Subject(asset=asset, path=name, facts=measures, groups=(group,) if group else (), scene=scene)


def burst(*names, kind=GroupKind.BURST):
    return Group(id="b", kind=kind, members=tuple(digest_of(n) for n in names), by="test@1")


def decisions(subjects, **wishes):
    made = propose(subjects, Wishes(**wishes))
    return {s.path: m.params.decision for s, m in zip(subjects, made, strict=True)}


def test_a_photo_that_stands_alone_is_never_rejected_by_the_machine():
    for fault in ("blur", "exposure_over", "exposure_under", "eyes_closed"):
        assert decisions([subject("a", **{fault: 1.0})]) == {"a": Cull.UNDECIDED}
    assert decisions([subject("a")]) == {"a": Cull.KEEP}


def test_the_clearly_worse_of_a_burst_go_with_a_reason_that_names_the_better_frame():
    group = burst("a", "b", "c")
    subjects = [subject("a", group, sharpness=0.9), subject("b", group, sharpness=0.3), subject("c", group, blur=0.99)]
    assert decisions(subjects) == {"a": Cull.KEEP, "b": Cull.REJECT, "c": Cull.REJECT}
    for suggestion in propose(subjects, Wishes())[1:]:
        assert suggestion.because
        assert any("a is proposed instead" in b.text for b in suggestion.because)


def test_equals_are_a_tie_for_a_person():
    group = burst("a", "b")
    made = propose([subject("a", group), subject("b", group)], Wishes())
    assert [m.params.decision for m in made] == [Cull.KEEP, Cull.UNDECIDED]
    assert made[1].params.tie_with == digest_of("a")


def test_a_group_of_bad_frames_waits_for_a_person():
    group = burst("a", "b")
    assert set(decisions([subject("a", group, blur=0.99), subject("b", group, blur=0.95)]).values()) == {Cull.UNDECIDED}


@pytest.mark.parametrize("kind", [GroupKind.BRACKET, GroupKind.FOCUS_STACK, GroupKind.PANORAMA])
def test_sets_are_kept_whole_whatever_their_frames_look_like(kind):
    group = burst("a", "b", kind=kind)
    assert set(decisions([subject("a", group, exposure_over=1.0), subject("b", group, blur=1.0)]).values()) == {
        Cull.KEEP
    }


def test_what_cannot_be_told_of_one_frame_decides_nothing():
    group = burst("a", "b")
    subjects = [subject("a", group, eyes_closed=None), subject("b", group, eyes_closed=0.85)]
    assert decisions(subjects) == {"a": Cull.KEEP, "b": Cull.UNDECIDED}


def test_the_kind_of_blur_is_named_once_and_only_with_blur():
    assert technical_faults(subject("a", blur_motion=0.99).facts) == ()
    (reason,) = technical_faults(subject("a", blur=0.97, blur_motion=0.8).facts)
    assert reason.code == "blur.motion"
    assert "motion" in reason.text


def test_a_target_is_approached_without_losing_a_scene_or_a_reason():
    subjects = [subject(f"p{i}", scene=f"s{i // 5}", sharpness=0.5 + i / 100) for i in range(20)]
    fewer = decisions(subjects, target=8)
    assert sum(d is Cull.KEEP for d in fewer.values()) == 8
    assert {path_scene(s) for s in subjects if fewer[s.path] is Cull.KEEP} == {f"s{i}" for i in range(4)}
    assert Cull.REJECT not in fewer.values()
    assert sum(d is Cull.KEEP for d in decisions(subjects, target=2).values()) == 4, "every scene keeps one"


def path_scene(s):
    return s.scene


def test_a_target_with_room_takes_ties_in():
    group = burst("a", "b", "c")
    subjects = [subject(n, group) for n in "abc"]
    assert sum(d is Cull.KEEP for d in decisions(subjects, target=2).values()) == 2


numbers = st.none() | st.floats(0, 1)


@given(st.lists(st.tuples(st.integers(0, 4), numbers, numbers, numbers, numbers), min_size=1, max_size=24))
def test_whatever_the_evidence_nobody_is_forgotten(rows):
    members = {}
    for i, (group, *_) in enumerate(rows):
        members.setdefault(group, []).append(f"p{i}")
    groups = {
        g: Group(id=f"g{g}", kind=GroupKind.BURST, members=tuple(map(digest_of, m)), by="t") for g, m in members.items()
    }
    subjects = [
        subject(f"p{i}", groups[group], sharpness=s, blur=b, exposure_over=o, eyes_closed=e)
        for i, (group, s, b, o, e) in enumerate(rows)
    ]
    made = propose(subjects, Wishes())
    assert [m.member for m in made] == [s.asset.id for s in subjects]
    assert all(m.because for m in made)
    by_path = {s.path: m.params.decision for s, m in zip(subjects, made, strict=True)}
    for names in members.values():
        left = [by_path[n] for n in names]
        assert Cull.KEEP in left or Cull.UNDECIDED in left
        if len(names) == 1:
            assert left[0] is not Cull.REJECT
