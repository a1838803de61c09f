"""Joins whose picture is rolled, and cutaways: where they lie, what they move, and what speaks for them."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.cutting import assembly, cutaways, leads, seen
from safelight.cutting.assembly import Cover, Material, Piece
from safelight.cutting.leads import Filmed
from safelight.cutting.speech import Spoken, Word
from safelight.domain import Asset, Kind, Measure
from safelight.interchange.programme import Clip, Gap, placed
from safelight.media.timeline import Cutaway, Split, Timeline
from safelight.operators import Subject, Wishes
from safelight.operators.cutaways import CutawaysParams
from safelight.operators.cutaways import operator as cutaways_operator
from safelight.operators.split import SplitParams
from safelight.operators.split import operator as split_operator

R25 = Fraction(25)
FACTS = SimpleNamespace(picture=True, sounds=(1,), reel=None, timecode=None)


def material(length=1000, rate=R25, name="a.mov", **more):
    return Material(path=Path("/clips") / name, facts=FACTS, rate=rate, length=length, **more)


@pytest.fixture(autouse=True)
def without_files(monkeypatch):
    """Clips here are numbers alone: none has a timecode of its own."""
    monkeypatch.setattr(assembly, "first_frame", lambda facts, rate: 0)


def split(at, by, name="s"):
    return Split(name=f"{name}-{at}", at=Fraction(at), by=Fraction(by))


def assembled(pieces, *, splits=(), covers=(), materials=None, **more):
    materials = materials or [material(splits=tuple(splits), **more)]
    return assembly.assemble(materials, [Piece(clip=c, start=a, end=b) for c, a, b in pieces], name="x", covers=covers)


def frames_seen(made):
    """The clip's path and the moment of it that each frame of the programme shows."""
    rate = made.programme.rate
    return [(run.material.path.name, run.first + k / rate) for run in made.runs for k in range(run.length)]


def frames_of(made, kind, *, of=0):
    """The same of a track of the timeline, in frames of its medium; None where it holds nothing."""
    track = [t for t in made.programme.tracks if t.kind == kind][of]
    shown = [None] * made.programme.length
    for at, item in placed(track):
        if isinstance(item, Clip) and item.enabled:
            shown[at : at + item.length] = [(Path(item.media).name, item.source + k) for k in range(item.length)]
    return shown


def heard(pieces):
    return [("a.mov", n) for _, a, b in pieces for n in range(a, b)]


TWO = ((0, 100, 200), (0, 500, 600))


def test_a_j_cut_holds_the_picture_and_an_l_cut_brings_the_next_one_early():
    made = assembled(TWO, splits=[split("20.2", "8/25")])
    assert made.rolled == {1: 8}
    assert [n for _, n in frames_of(made, "video")] == [*range(100, 208), *range(508, 600)]
    assert frames_of(made, "audio") == heard(TWO)
    made = assembled(TWO, splits=[split("20.2", "-6/25")])
    assert [n for _, n in frames_of(made, "video")] == [*range(100, 194), *range(494, 600)]
    assert frames_of(made, "audio") == heard(TWO)
    assert made.seen_ranges == [(0, 100, 194), (0, 494, 600)]


@st.composite
def cuts(draw):
    edges = sorted(draw(st.sets(st.integers(0, 400), min_size=4, max_size=12)))
    pieces = [(0, a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    at = [Fraction(a, 25) for _, a, _ in pieces]
    marks = [
        split(at[n] + Fraction(draw(st.integers(-10, 10)), 25) if at[n] > 1 else at[n], Fraction(by, 25), name=str(n))
        for n in range(1, len(pieces))
        if (by := draw(st.integers(-20, 20)))
    ]
    return pieces, marks, draw(st.integers(401, 420)), draw(st.sampled_from([(), (30,), (90, 91, 200)]))


@given(cuts())
@settings(max_examples=40)
def test_whatever_is_rolled_sound_and_length_stay_and_every_picture_is_in_step(drawn):
    pieces, marks, length, shots = drawn
    bare, made = (assembled(pieces, splits=s, length=length, shots=shots) for s in ((), marks))
    assert (made.pieces, made.places, made.programme.length) == (bare.pieces, bare.places, bare.programme.length)
    assert frames_of(made, "audio") == heard(pieces)
    edges = {n: made.places[n] + made.rolled.get(n, 0) for n in range(len(pieces))}
    wanted = []
    for at in range(made.programme.length):
        n = max(n for n, edge in edges.items() if edge <= at)
        wanted.append(("a.mov", pieces[n][1] + at - made.places[n]))
    assert frames_of(made, "video") == wanted
    assert [(name, at * 25) for name, at in frames_seen(made)] == wanted
    assert all(0 <= n < length for _, n in wanted)
    assert all(part.length >= seen.LEFT or n not in made.rolled for n, part in enumerate(made.shown))
    joins = sum(one[2] != two[1] for one, two in pairwise(pieces))
    told = [note for note in made.notes if "is not rolled" in note]
    assert len(made.rolled) + len(told) == len(marks)
    assert len(made.rolled) <= joins


def test_a_split_survives_a_trim_and_is_told_where_its_join_is_gone():
    mark = split("20.2", "8/25")
    for start in (490, 500, 515):
        made = assembled(((0, 100, 200), (0, start, 600)), splits=[mark])
        assert made.rolled == {1: 8}, start
    for pieces in (((0, 100, 600),), ((0, 100, 200), (0, 540, 600)), ((0, 100, 500), (0, 500, 600))):
        made = assembled(pieces, splits=[mark])
        assert not made.rolled
        assert any("there is no join near it any more" in note for note in made.notes), pieces
        assert [n for _, n in frames_of(made, "video")] == [n for _, n in heard(pieces)]


@pytest.mark.parametrize(
    ("pieces", "by", "more", "why"),
    [
        (((0, 990, 998), (0, 500, 600)), "8/25", {}, "has no picture so long after it"),
        (((0, 300, 400), (0, 3, 90)), "-8/25", {}, "has no picture so long before it"),
        (((0, 100, 200), (0, 500, 509)), "8/25", {}, "too little of a picture"),
        (((0, 100, 107), (0, 500, 600)), "-6/25", {}, "too little of a picture"),
        (((0, 100, 200), (0, 500, 600)), "8/25", {"shots": (207,)}, "another shot begins"),
        (((0, 100, 200), (0, 500, 600)), "-8/25", {"shots": (500,)}, "another shot ends"),
        (((0, 100, 200), (0, 500, 600)), "1/100", {}, "less than a frame"),
    ],
)
def test_nothing_rolls_where_there_is_not_enough_picture_and_that_is_said(pieces, by, more, why):
    made = assembled(pieces, splits=[split(Fraction(pieces[1][1], 25), by)], **more)
    assert not made.rolled
    assert any(why in note for note in made.notes), made.notes


def test_a_shot_that_begins_just_behind_what_is_held_is_no_hindrance():
    assert assembled(TWO, splits=[split(20, "8/25")], shots=(208,)).rolled == {1: 8}
    assert assembled(TWO, splits=[split(20, "-8/25")], shots=(492,)).rolled == {1: -8}


def test_a_join_of_two_clips_at_other_rates_is_rolled_by_time():
    one = material(rate=R25, name="a.mov")
    two = material(rate=Fraction(50), name="b.mov", splits=(split(10, "8/25"),))
    made = assembled(((0, 100, 200), (1, 500, 700)), materials=[one, two])
    assert made.rolled == {1: 8}
    shown = frames_seen(made)
    assert shown[100:108] == [("a.mov", Fraction(n, 25)) for n in range(200, 208)]
    assert shown[108:110] == [("b.mov", Fraction(516, 50)), ("b.mov", Fraction(518, 50))]
    assert made.seen_ranges == [(0, 100, 208), (1, 516, 700)]


# ---------------------------------------------------------------- cutaways


def laid(pieces, marks, *, other=200, enabled=True, **more):
    made = assembled(pieces, **more)
    covers, notes = cutaways.laid(made, 0, marks, {"o": material(other, name="o.mov")}, enabled=enabled)
    return assembled(pieces, covers=covers, **more), notes


def cutaway(at, *, length=2, start=1, name="c"):
    return Cutaway(name=f"{name}-{at}", at=Fraction(at), length=Fraction(length), source="o", start=Fraction(start))


def test_a_cutaway_lies_over_the_picture_and_the_sound_stays():
    made, notes = laid(TWO, [cutaway("7.48")])
    assert notes == []
    seen_ = [(name, at * 25) for name, at in frames_seen(made)]
    assert seen_ == [*heard(TWO)[:87], *(("o.mov", n) for n in range(25, 75)), *heard(TWO)[137:]]
    assert frames_of(made, "audio") == heard(TWO)
    assert frames_of(made, "video", of=1)[87:137] == seen_[87:137]
    assert "jump_cut" not in {m.name for m in made.programme.markers}, "it is covered"
    between = assembled(TWO, shots=(300,))
    assert assembly.jumps(between) == [], "two shots are no jump"
    assert len(assembly.jumps(assembled(TWO, shots=(50, 900)))) == 1


def test_a_cutaway_that_is_only_offered_is_not_seen():
    made, _ = laid(TWO, [cutaway("7.48")], enabled=False)
    assert [(name, at * 25) for name, at in frames_seen(made)] == heard(TWO)
    assert "jump_cut" in {m.name for m in made.programme.markers}
    above = [i for i in made.programme.tracks[1].items if not isinstance(i, Gap)]
    assert [c.enabled for c in above] == [False]


def test_a_rolled_join_under_a_cutaway_goes_on_behind_it():
    made, _ = laid(TWO, [cutaway("7.92", length="1/5")], splits=[split(20, "8/25")])
    seen_ = [(name, at * 25) for name, at in frames_seen(made)]
    assert seen_[95:110] == [
        *(("a.mov", n) for n in (195, 196, 197)), *(("o.mov", n) for n in range(25, 30)),
        *(("a.mov", n) for n in range(203, 208)), ("a.mov", 508), ("a.mov", 509),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("marks", "more", "why"),
    [
        ([cutaway("12")], {}, "what it lay over does not play"),
        ([cutaway("7.48")], {"other": 60}, "does not last so long"),
        ([cutaway("6"), cutaway("7.48")], {}, "another one lies there"),
    ],
)
def test_what_cannot_be_shown_is_told(marks, more, why):
    made, notes = laid(TWO, marks, **more)
    assert len(made.covers) == len(marks) - 1
    assert why in notes[0]


def test_a_cutaway_whose_beginning_is_cut_begins_with_the_join():
    made, notes = laid(((0, 100, 180), (0, 500, 600)), [cutaway("7.48")])
    assert (notes, [c.at for c in made.covers]) == ([], [80])
    made, _ = laid(TWO, [cutaway("23.48")])
    assert [(c.at, c.length) for c in made.covers] == [(187, 13)], "it ends with the cut"


# ---------------------------------------------------------------- what speaks for a J cut


def word(text, start, end, speaker=None):
    return Word(text=text, start=Fraction(start), end=Fraction(end), speaker=speaker)


WORDS = (
    word("Why?", "6.5", "7.5", "A"), word("Because", "20.2", "20.8", "B"), word("so.", "20.9", "21.5", "B"),
)  # fmt: skip
FILMED = Filmed(rate=R25, length=1000, spoken=Spoken.of(WORDS), shots=(300,))
ONE, OTHER = Piece(clip=0, start=100, end=200), Piece(clip=0, start=500, end=600)


def found(filmed=FILMED, one=ONE, two=OTHER, *, same=True):
    return leads.lead(filmed, one, filmed, two, same=same)


def test_an_answer_in_another_shot_may_be_heard_before_it_is_seen():
    lead = found()
    assert (lead.by, lead.word.text, lead.before.text) == (13, "Because", "Why?")
    assert lead.by / R25 - lead.gap_s == Fraction(8, 25), "eight frames of it are heard first"
    short = found(replace(FILMED, shots=(211, 300)))
    assert short.by / R25 - short.gap_s == Fraction(6, 25), "or six, where eight reach into another shot"


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("one framing: lips would be out of step", {"shots": ()}),
        ("nobody has looked for shots", {"shots": None}),
        ("the same voice", {"spoken": Spoken.of((replace(WORDS[0], speaker="B"), *WORDS[1:]))}),
        ("somebody speaks in what is held", {"spoken": Spoken.of((*WORDS, word("um", "8.2", "8.4", "A")))}),
        ("another shot begins in what is held", {"shots": (205, 300)}),
        ("the clip ends", {"length": 205}),
        (
            "the word begins so late that the picture would lag",
            {"spoken": Spoken.of((WORDS[0], word("Because", "20.8", "21", "B")))},
        ),
    ],
)
def test_nothing_speaks_for_a_j_cut(why, change):
    assert found(replace(FILMED, **change)) is None, why


def test_where_voices_are_not_told_apart_a_far_passage_after_quiet_may_lead():
    unknown = replace(FILMED, spoken=Spoken.of(replace(w, speaker=None) for w in WORDS))
    assert found(unknown) is None, "twelve seconds further"
    far = replace(unknown, spoken=Spoken.of((unknown.spoken.words[0], word("Then", "24.1", "24.8"))), shots=(300,))
    assert found(far, two=Piece(clip=0, start=600, end=700)).before is None
    loud = replace(far, spoken=Spoken.of((*far.spoken.words, word("and", "23.6", "23.9"))))
    assert found(loud, two=Piece(clip=0, start=600, end=700)) is None
    assert found(unknown, same=False) is not None, "another clip is another shot"


# ---------------------------------------------------------------- the operators


def test_params_are_in_order_and_named():
    with pytest.raises(ValueError, match="follow each other"):
        SplitParams(marks=(split(3, "1/5"), split(2, "1/5")))
    with pytest.raises(ValueError, match="name of its own"):
        SplitParams(marks=(replace(split(2, "1/5"), name="a"), replace(split(3, "1/5"), name="a")))
    with pytest.raises(ValueError, match="rolled by up to 2 s"):
        split(3, 0)
    with pytest.raises(ValueError, match="follow each other"):
        CutawaysParams(marks=(cutaway(3), cutaway(2)))
    with pytest.raises(ValueError, match="longer than nothing"):
        cutaway(3, length=0)


def test_a_change_counts_from_where_it_is_another_cut():
    one = SplitParams(marks=(split(3, "8/25"),))
    assert not split_operator.material(one, SplitParams(marks=(split("3.2", "10/25"),)))
    assert split_operator.material(one, SplitParams(marks=(split(3, "-8/25"),)))
    assert split_operator.material(one, SplitParams())
    two = CutawaysParams(marks=(cutaway(3),))
    assert not cutaways_operator.material(two, CutawaysParams(marks=(cutaway("3.4"),)))
    assert cutaways_operator.material(two, CutawaysParams(marks=(replace(cutaway(3), source="p"),)))


def test_what_plays_is_the_same_after_a_render():
    clips = (assembled(TWO), Timeline(clips=()))
    after = split_operator.render(clips[1], SplitParams(marks=(split(3, "1/5"),)), None)
    assert (after.clips, after.splits) == ((), (split(3, "1/5"),))
    again = cutaways_operator.render(after, CutawaysParams(marks=(cutaway(3),)), None)
    assert (again.splits, again.cutaways) == (after.splits, (cutaway(3),))


def subject(**facts):
    asset = Asset(
        id="a" * 64, content=None, kind=Kind.VIDEO, format="mov", width=96, height=64, duration_s=Fraction(40)
    )
    return Subject(asset=asset, path="a.mov", facts={n: Measure(name=n, value=v) for n, v in facts.items()})


def talk(*said, shots, chosen=()):
    rows = [
        {"text": t, "start": a, "end": b, "confidence": 0.9, "timed": "aligned", "suspect": False, "speaker": s}
        for t, a, b, s in said
    ]
    still = {"rows": [], "untold": 0.0, "end": 40.0}
    sentences = [{"frames": list(f), "text": "", "reasons": {}, "taken": False} for f in chosen]
    return {
        "words": {"words": rows, "whole": True}, "quiet": still, "clip.rate": "25/1", "speech": [],
        "shots": [{"frame": f, "at": f"{f}/25", "into": "cut", "score": 1.0} for f in shots],
        "sentences.chosen": {"rate": "25/1", "target_s": "10/1", "clips": 1, "sentences": sentences},
    }  # fmt: skip


SAID = (("Why?", 6.5, 7.5, "A"), ("Hm.", 10.0, 11.0, "A"), ("Because", 20.2, 20.8, "B"), ("so.", 20.9, 21.5, "B"))


def test_splits_are_proposed_between_voices_in_two_shots_alone():
    facts = talk(*SAID, shots=(300,), chosen=[(200, 500)])
    (made,) = split_operator.propose([subject(**facts)], Wishes())
    assert made.params.marks == (Split(name="split-500", at=Fraction("20.2"), by=Fraction(13, 25)),)
    assert "another voice than “Why?”, in another shot (2)" in made.because[1].text
    assert "nobody speaks in the picture that is held" in made.because[1].text
    for other in (talk(*SAID, shots=(), chosen=[(200, 500)]), talk(*SAID, shots=(300,))):
        assert split_operator.propose([subject(**other)], Wishes()) == []


def test_cutaways_are_proposed_as_a_person_asked_for_them():
    row = {
        "name": "cutaway-200", "at": "15/2", "length": "2/1", "source": "b" * 64, "title": "hands.mov", "start": "1/4",
        "over": ["8/1", "20/1"], "steady": ["1/4", "9/2"],
    }  # fmt: skip
    (made,) = cutaways_operator.propose([subject(**{"cutaways.offered": [row]})], Wishes())
    assert made.params.marks[0].source == "b" * 64
    assert made.because[1].text == (
        "From 7.50 s on for 2.0 s, over the jump from 8.00 to 20.00 s: hands.mov from 0.25 s, which keeps still from "
        "0.25 to 4.50 s."
    )
    assert cutaways_operator.propose([subject()], Wishes()) == []


def test_a_cover_lies_apart_from_its_clip():
    cover = Cover(material=material(name="o.mov"), start=3, at=10, length=5, media_length=100, enabled=True)
    assert cover.end == 15
