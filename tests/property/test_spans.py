"""Spans that are asked again and again say what going through all of them says."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from safelight.media.runs import Spans, joined

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
