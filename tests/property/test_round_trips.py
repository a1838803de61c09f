from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.interchange import edl, fcpxml, mlt, otio, xmeml
from safelight.interchange.programme import Clip, Gap, Losses, Marker, Programme, Track, Transition, placed, tidy
from safelight.media import timecode

RATES = [
    Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(50),
    Fraction(60000, 1001), Fraction(60),
]  # fmt: skip
NAMES = st.sampled_from(["A001C003", "Interview äöü", "B-roll <3 & more", "x", "Lange Namen gehen auch (2)"])


@st.composite
def markers(draw, length):
    return tuple(
        Marker(at=draw(st.integers(0, length - 1)), length=draw(st.integers(1, 5)), name=draw(NAMES),
               comment=draw(st.sampled_from(["", "look again"])), colour=draw(st.sampled_from(["RED", "GREEN"])))
        for _ in range(draw(st.integers(0, 2)))
    )  # fmt: skip


@st.composite
def clips(draw):
    length = draw(st.integers(12, 4000))
    start = draw(st.integers(0, 90_000))
    speed = draw(st.sampled_from([Fraction(1)] * 4 + [Fraction(0), Fraction(1, 2), Fraction(2), Fraction(-1)]))
    before = draw(st.integers(4100, 9000)) if speed >= 0 else 9000
    return Clip(
        name=draw(NAMES), length=length, source=start + before, speed=speed, reel=draw(st.sampled_from([None, "A001"])),
        media=draw(st.sampled_from([None, "file:///media/a%20b.mov", "file:///media/c.mov"])), media_start=start,
        media_length=20_000, enabled=draw(st.booleans()), markers=draw(markers(length)),
    )  # fmt: skip


@st.composite
def tracks(draw, kind):
    items = []
    for clip in draw(st.lists(clips(), min_size=1, max_size=5)):
        if draw(st.integers(0, 3)) == 0:
            items.append(Gap(length=draw(st.integers(1, 500))))
        elif items and isinstance(items[-1], Clip) and items[-1].speed == clip.speed == 1 and draw(st.booleans()):
            sides = draw(st.sampled_from([(0, 4), (2, 2), (3, 1), (4, 0)]))
            kinds = draw(st.sampled_from([("dissolve", ""), ("wipe", "001")]))
            items.append(Transition(before=sides[0], after=sides[1], kind=kinds[0], code=kinds[1]))
        items.append(clip)
    return Track(kind=kind, items=tuple(items))


@st.composite
def programmes(draw):
    rate = draw(st.sampled_from(RATES))
    pictures = draw(st.lists(tracks("video"), min_size=1, max_size=2))
    sounds = draw(st.lists(tracks("audio"), max_size=2))
    drop = timecode.can_drop(rate) and draw(st.booleans())
    start = draw(st.sampled_from([0, 3600 * timecode.nominal(rate)]))
    made = Programme(name="Rough cut", rate=rate, tracks=(*pictures, *sounds), start=start, drop=drop)
    return tidy(replace(made, markers=draw(markers(made.length))))


@settings(max_examples=60)
@given(programmes())
def test_otio_carries_everything(programme):
    text = otio.dumps(otio.timeline_of(programme))
    losses = Losses()
    assert otio.programme_of(otio.loads(text)[0], losses) == programme
    assert losses.list() == ()


@settings(max_examples=60)
@given(programmes())
@pytest.mark.parametrize("module", [fcpxml, xmeml, mlt])
def test_what_a_format_carries_comes_back_the_same(module, programme):
    losses, back = Losses(), Losses()
    meant = module.carried(programme, losses)
    assert module.parse(module.text_of(meant).encode(), losses=back) == meant
    assert back.list() == (), "nothing is lost once more"
    assert module.carried(meant, Losses()) == meant, "what is carried is carried again"


@settings(max_examples=60)
@given(programmes())
def test_lists_carry_one_track_each(programme):
    parts = edl.carried(programme, Losses())
    assert len(parts) == len(programme.tracks)
    for part in parts:
        back = Losses()
        assert edl.parse(edl.text_of(part), rate=part.rate, losses=back) == part
        assert set(back.list()) == set()


@settings(max_examples=40)
@given(programmes())
def test_no_format_moves_a_frame(programme):
    """Where each frame of each track comes from is the same in every format, but for the stated rounding of speeds."""
    plain = replace(programme, tracks=tuple(
        replace(t, items=tuple(replace(i, speed=Fraction(1)) if isinstance(i, Clip) else i for i in t.items))
        for t in programme.tracks))  # fmt: skip
    meant = [[(at, i.source, i.length) for at, i in placed(t) if isinstance(i, Clip)] for t in plain.tracks]
    for module in (fcpxml, xmeml):
        got = module.parse(module.text_of(module.carried(plain, Losses())).encode(), losses=Losses())
        assert [[(at, i.source, i.length) for at, i in placed(t) if isinstance(i, Clip)] for t in got.tracks] == meant
        assert got.length == plain.length
