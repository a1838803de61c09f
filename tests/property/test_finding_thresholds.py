"""Thresholds move with a studio's answers, upwards and within bounds."""

from hypothesis import given
from hypothesis import strategies as st

from safelight.learn.findings import FEWEST, HIGHEST, thresholds

answers = st.lists(st.tuples(st.floats(0.5, 1.0), st.booleans()), max_size=80)


@given(answers, st.floats(0.05, 0.6), st.floats(0.6, 0.95))
def test_thresholds_only_rise_and_stay_in_order(said, look, fail):
    new_look, new_fail = thresholds(said, look=look, fail=fail)
    assert look <= new_look <= max(new_fail, look)
    assert fail <= new_fail <= HIGHEST


@given(st.lists(st.tuples(st.floats(0.5, 1.0), st.booleans()), max_size=FEWEST - 1))
def test_few_answers_change_nothing(said):
    assert thresholds(said, look=0.5, fail=0.9) == (0.5, 0.9)


def test_false_alarms_raise_what_fails():
    said = [(0.93, False)] * 15 + [(0.98, True)] * 30
    look, fail = thresholds(said, look=0.5, fail=0.9)
    assert (look, fail) == (0.98, 0.98)
    assert thresholds([(0.93, False), (0.93, True)] * 20, look=0.5, fail=0.9)[1] == HIGHEST
    assert thresholds([(0.6, False)] * 10 + [(0.95, True)] * 30, look=0.5, fail=0.9)[1] == 0.9
