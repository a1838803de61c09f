"""Spans that are asked again and again say what going through all of them says."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from safelight.cutting import Spoken, Word
from safelight.media.runs import Spans, joined, rest

places = st.integers(0, 40).map(lambda n: Fraction(n, 3))
stretches = st.tuples(places, places).map(sorted).filter(lambda s: s[0] < s[1]).map(tuple)


@given(st.lists(stretches, max_size=12), stretches)
def test_what_of_a_stretch_is_covered(spans, stretch):
    start, end = stretch
    whole = joined(spans)
    asked = Spans(spans)
    assert asked.within(start, end) == [(a, b) for a, b in whole if a < end and b > start]
    assert asked.touch(start, end) == any(a < end and b > start for a, b in spans)
    assert asked.cover(start, end) == sum(max(min(b, end) - max(a, start), 0) for a, b in whole)


frames = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(sorted).filter(lambda s: s[0] < s[1]).map(tuple)


@given(st.lists(frames, max_size=12), st.integers(40, 50))
def test_what_spans_leave_is_all_that_they_do_not_cover(spans, length):
    covered = {frame for start, end in spans for frame in range(start, end)}
    left = rest(spans, length)
    assert [frame for start, end in left for frame in range(start, end)] == sorted({*range(length)} - covered)
    assert all(start < end for start, end in left)


@given(st.lists(stretches, max_size=12), stretches, places)
def test_words_of_a_stretch_and_beside_a_moment(spans, stretch, at):
    words = sorted((Word(text=str(n), start=a, end=b) for n, (a, b) in enumerate(spans)), key=lambda w: w.start)
    spoken = Spoken.of(reversed(words))
    assert set(spoken.within(*stretch)) == {w for w in words if w.start < stretch[1] and w.end > stretch[0]}
    before, after = spoken.beside(at)
    assert (before and before.start) == max((w.start for w in words if w.start < at), default=None)
    assert (after and after.start) == min((w.start for w in words if w.start >= at), default=None)
    numbered, (start, end) = spoken.words, stretch
    assert [numbered[n] for n in spoken.places.whole(start, end)] == [
        w for w in numbered if w.start >= start and w.end <= end
    ]
    assert [numbered[n] for n in spoken.places.beginning(start, end)] == [w for w in numbered if start <= w.start < end]
    assert [numbered[n] for n in spoken.places.touching(at, at)] == [w for w in numbered if w.start < at < w.end]
    ended = spoken.ended(at)
    assert (ended and ended.end) == max((w.end for w in words if w.end <= at), default=None)
