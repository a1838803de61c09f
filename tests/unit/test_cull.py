"""Who stays and who goes, on evidence that is written down here."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.domain import Asset, Capture, Cull, Genre, Group, GroupKind, Kind, Measure, digest_of
from safelight.operators import Subject, Taste, Wishes
from safelight.operators._genres import MANNERS, PLAIN, manner
from safelight.operators._ranking import PRIOR, QUANTITIES, rank
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


def test_a_group_without_a_winner_says_whose_equals_they_are():
    group = burst("a", "b", "c")
    best, *others = propose([subject(n, group) for n in "abc"], Wishes())
    assert "b, c" in best.because[0].text
    assert best.score == pytest.approx(1 / 3, abs=1e-4)
    assert all("As good as a" in o.because[0].text for o in others)


def test_reasons_come_largest_first_and_carry_what_they_say():
    group = burst("a", "b")
    subjects = [
        subject("a", group, sharpness=0.9, tilt=0.0, colour_cast=0.0),
        subject("b", group, sharpness=0.4, tilt=1.0, colour_cast=1.0),
    ]
    _, gone = propose(subjects, Wishes())
    assert [b.code for b in gone.because] == ["worse.sharpness", "worse.colour", "worse.level"]
    first, second = rank(subjects)
    over = first.over(second)
    assert list(over.values()) == sorted(over.values(), reverse=True)
    for name, quantity in QUANTITIES.items():
        if name in ("sharpness", "colour", "level"):
            hidden = [replace(s, facts={k: m for k, m in s.facts.items() if k != quantity.evidence}) for s in subjects]
            left = rank(hidden)
            assert first.score - second.score - (left[0].score - left[1].score) == pytest.approx(over[name])


def test_what_one_frame_lacks_still_counts_between_the_others():
    group = burst("a", "b", "c")
    subjects = [
        subject("a", group, eyes_closed=0.0),
        subject("b", group, eyes_closed=0.85),
        subject("c", group, eyes_closed=None),
    ]
    assert decisions(subjects) == {"a": Cull.KEEP, "b": Cull.REJECT, "c": Cull.UNDECIDED}


def test_a_learned_taste_decides_and_is_named():
    group = burst("a", "b")
    subjects = [subject("a", group, sharpness=0.9), subject("b", group, sharpness=0.5, smile=1.0)]
    subjects[0] = replace(subjects[0], facts={**subjects[0].facts, "smile": Measure(name="smile", value=0.0)})
    smiles = Taste(id="smiles", weights={"smile": 9.0})
    assert decisions(subjects) == {"a": Cull.KEEP, "b": Cull.UNDECIDED}
    assert decisions(subjects, taste=smiles) == {"a": Cull.REJECT, "b": Cull.KEEP}
    assert {m.params.taste for m in propose(subjects, Wishes(taste=smiles))} == {"smiles"}
    assert {m.params.taste for m in propose(subjects, Wishes())} == {""}


# ---------------------------------------------------------------- genres


def face(height, *, closed=0.0, sharpness=0.8):
    return {"box": [0, 0, height, height], "closed": closed, "sharpness": sharpness, "eyes": "open"}


def with_faces(name, group, *faces, **facts):
    made = subject(name, group, **facts)
    return replace(made, facts={**made.facts, "faces": Measure(name="faces", value=list(faces))})


def test_motion_may_be_meant_in_sport():
    panned = subject("a", blur=0.99, blur_motion=0.99)
    assert decisions([panned]) == {"a": Cull.UNDECIDED}
    assert decisions([panned], genre=Genre.SPORT) == {"a": Cull.KEEP}
    out_of_focus = subject("a", blur=0.99, blur_defocus=0.99)
    assert decisions([out_of_focus], genre=Genre.SPORT) == {"a": Cull.UNDECIDED}


def test_a_small_blink_counts_at_a_wedding():
    group = burst("a", "b", "c")
    subjects = [
        with_faces("a", group, face(100), face(40, closed=0.95), eyes_closed=0.0),
        with_faces("b", group, face(100), face(40), eyes_closed=0.0),
        with_faces("c", group, face(100, closed=0.85), face(40), eyes_closed=0.85),
    ]
    assert decisions(subjects) == {"a": Cull.KEEP, "b": Cull.UNDECIDED, "c": Cull.REJECT}
    order = [r.subject.path for r in rank(subjects, PRIOR, MANNERS[Genre.WEDDING])]
    assert order == ["b", "a", "c"]


def test_soft_eyes_cost_a_portrait_its_place_and_the_reason_says_so():
    group = burst("a", "b")
    subjects = [
        with_faces("a", group, face(100, sharpness=0.9), exposure_under=0.1),
        with_faces("b", group, face(100, sharpness=0.3)),
    ]
    assert decisions(subjects)["b"] is Cull.UNDECIDED
    gone = propose(subjects, Wishes(genre=Genre.PORTRAIT))[1]
    assert gone.params.decision is Cull.REJECT
    assert gone.because[0].code == "worse.face"
    assert "which counts in a portrait" in gone.because[0].text


def test_a_product_keeps_every_angle_whatever_the_target():
    subjects = [subject(f"p{i}") for i in range(6)]
    assert sum(d is Cull.KEEP for d in decisions(subjects, target=2).values()) == 2
    assert sum(d is Cull.KEEP for d in decisions(subjects, target=2, genre=Genre.PRODUCT).values()) == 6


def test_genres_differ_in_how_sure_they_want_to_be():
    doubtful = subject("a", exposure_over=0.87)
    assert technical_faults(doubtful.facts) == ()
    assert technical_faults(doubtful.facts, manner(Genre.PRODUCT))
    assert manner(None) is PLAIN


numbers = st.none() | st.floats(0, 1)
genres = st.none() | st.sampled_from(list(Genre))


@given(st.lists(st.tuples(st.integers(0, 4), numbers, numbers, numbers, numbers), min_size=1, max_size=24), genres)
def test_whatever_the_evidence_nobody_is_forgotten(rows, genre):
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
    made = propose(subjects, Wishes(genre=genre))
    assert [m.member for m in made] == [s.asset.id for s in subjects]
    assert all(m.because for m in made)
    by_path = {s.path: m.params.decision for s, m in zip(subjects, made, strict=True)}
    for names in members.values():
        left = [by_path[n] for n in names]
        assert Cull.KEEP in left or Cull.UNDECIDED in left
        if len(names) == 1:
            assert left[0] is not Cull.REJECT


# ---------------------------------------------------------------- people, where they are told apart


def with_people(name, *people, **facts):
    """A photo on which these persons are told apart, and one face that is not."""
    made = subject(name, **facts)
    listed = [{"box": [0, 0, 9, 9], "person": None}, *({"box": [9 * p, 0, 9 * p + 9, 9], "person": p} for p in people)]
    return replace(made, facts={**made.facts, "people": Measure(name="people", value=listed)})


def codes(subjects, **wishes):
    made = propose(subjects, Wishes(**wishes))
    return {s.path: [b.code for b in m.because] for s, m in zip(subjects, made, strict=True)}


def test_a_target_leaves_everybody_a_photo_and_says_so():
    subjects = [
        with_people("a", 1, sharpness=0.9), with_people("b", 1, sharpness=0.8), with_people("c", 1, sharpness=0.7),
        with_people("d", 2, sharpness=0.2), with_people("e", 2, sharpness=0.1),
    ]  # fmt: skip
    assert [n for n, d in decisions(subjects, target=1).items() if d is Cull.KEEP] == ["a", "d"]
    assert [n for n, d in decisions([subject(s.path, sharpness=i / 9) for i, s in enumerate(subjects)], target=1)
            .items() if d is Cull.KEEP] == ["e"], "without people the strongest stays"  # fmt: skip
    assert codes(subjects, target=1)["d"] == ["people.only", "only"]
    (told,) = [b for b in propose(subjects, Wishes(target=1))[3].because if b.code == "people.only"]
    assert told.evidence == "people"
    assert told.value == 1, "the place of the face, not the number of the person"
    assert not any(digit in told.text for digit in "0123456789")


def test_somebody_seen_once_or_only_in_faulty_photos_is_owed_nothing():
    subjects = [with_people("a", 1), with_people("b", 1, sharpness=0.7), with_people("c", 2, sharpness=0.1),
                with_people("d", 3, blur=0.99), with_people("e", 3, blur=0.99)]  # fmt: skip
    found = decisions(subjects, target=1)
    assert [n for n, d in found.items() if d is Cull.KEEP] == ["a"]
    assert found["d"] is Cull.UNDECIDED


def test_somebody_who_would_be_on_no_kept_photo_gets_one():
    group = burst("a", "b", "c")
    subjects = [
        replace(with_people("a", 1, sharpness=0.9), groups=(group,)),
        replace(with_people("b", 1, 2, sharpness=0.5), groups=(group,)),
        replace(with_people("c", 1, 2, sharpness=0.3), groups=(group,)),
    ]  # fmt: skip
    assert decisions(subjects) == {"a": Cull.KEEP, "b": Cull.KEEP, "c": Cull.REJECT}
    assert codes(subjects)["b"] == ["people.only"]


people = st.lists(
    st.tuples(st.sets(st.integers(1, 4), max_size=3), st.floats(0, 1), st.booleans(), st.integers(0, 2)), max_size=14
)


@given(people, st.none() | st.integers(1, 8))
def test_people_never_make_a_photo_go_and_everybody_owed_one_is_kept(listed, target):
    shown, plain = [], []
    for i, (persons, sharpness, faulty, scene) in enumerate(listed):
        facts = {"sharpness": sharpness, "blur": 0.95 if faulty else 0.0, "scene": f"s{scene}"}
        name = f"p{i:02d}"
        group = burst(*(f"p{j:02d}" for j, row in enumerate(listed) if row[3] == 2)) if scene == 2 else None
        shown.append(with_people(name, *sorted(persons), group=group, **facts))
        plain.append(subject(name, group=group, **facts))
    with_, without = decisions(shown, target=target), decisions(plain, target=target)
    gone = {n for n, d in with_.items() if d is Cull.REJECT}
    assert gone <= {n for n, d in without.items() if d is Cull.REJECT}
    good = [persons for persons, _, faulty, _ in listed if not faulty]
    for person in range(1, 5):
        if sum(person in persons for persons in good) >= 2:
            assert any(person in row[0] and with_[f"p{i:02d}"] is Cull.KEEP for i, row in enumerate(listed))
