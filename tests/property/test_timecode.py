from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.media import timecode as tc

KINDS = [(rate, drop) for rate in tc.RATES for drop in ((False, True) if tc.can_drop(rate) else (False,))]
FILM, NTSC, DOUBLE = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)


@given(st.sampled_from(KINDS), st.data())
def test_labels_and_frames_are_a_bijection(kind, data):
    rate, drop = kind
    frame = data.draw(st.integers(0, tc.frames_a_day(rate, drop=drop) - 1))
    label = tc.label_of(frame, rate, drop=drop)
    assert tc.frame_of(label, rate) == frame
    assert tc.label_of(frame + tc.frames_a_day(rate, drop=drop), rate, drop=drop) == label


@given(st.sampled_from(KINDS), st.data())
def test_every_label_is_a_frame_or_does_not_exist(kind, data):
    rate, drop = kind
    h, m, s, f = (data.draw(st.integers(0, top - 1)) for top in (24, 60, 60, tc.nominal(rate)))
    width = len(str(tc.nominal(rate) - 1))
    label = f"{h:02d}:{m:02d}:{s:02d}{';' if drop else ':'}{f:0{width}d}"
    if drop and s == 0 and m % 10 and f < tc.dropped(rate):
        with pytest.raises(ValueError, match="does not exist"):
            tc.frame_of(label, rate)
    else:
        assert tc.label_of(tc.frame_of(label, rate), rate, drop=drop) == label


@pytest.mark.parametrize(("rate", "drop"), [(NTSC, True), (DOUBLE, True), (FILM, False)])
def test_all_frames_of_twenty_minutes_follow_each_other(rate, drop):
    start = 9 * 3600 * tc.nominal(rate)
    labels = [tc.label_of(n, rate, drop=drop) for n in range(start, start + 1200 * tc.nominal(rate))]
    assert labels == sorted(set(labels))
    assert [tc.frame_of(label, rate) for label in labels] == list(range(start, start + len(labels)))


def test_known_labels():
    assert tc.frames_a_day(NTSC, drop=True) == 2_589_408
    assert tc.frames_a_day(DOUBLE, drop=True) == 5_178_816
    assert tc.label_of(1800, NTSC, drop=True) == "00:01:00;02"
    assert tc.label_of(17982, NTSC, drop=True) == "00:10:00;00"
    assert tc.label_of(3600, DOUBLE, drop=True) == "00:01:00;04"
    assert tc.frame_of("01:00:00:00", Fraction(25)) == 90_000
    assert tc.frame_of("01:00:00:00", NTSC) == 108_000, "non-drop: 3.6 s an hour behind the clock"
    assert tc.frame_of("01:00:00;00", NTSC) == 107_892
    assert tc.label_of(119, Fraction(120)) == "00:00:00:119"


@pytest.mark.parametrize("label", ["", "1:2:3", "24:00:00:00", "00:60:00:00", "00:00:60:00", "00:00:00:25", "a:b:c:d"])
def test_what_is_no_label_is_refused(label):
    with pytest.raises(ValueError, match=r"timecode|exist"):
        tc.frame_of(label, Fraction(25))


def test_there_is_no_drop_frame_at_other_rates():
    for rate in (FILM, Fraction(24), Fraction(25), Fraction(30), Fraction(50), Fraction(48000, 1001)):
        assert not tc.can_drop(rate)
        with pytest.raises(ValueError, match="no drop-frame"):
            tc.label_of(0, rate, drop=True)
    assert tc.frame_of("00:00:01;00", FILM) == 24, "a stray semicolon is only a separator there"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (29.97, NTSC), ("29.97", NTSC), (23.976, FILM), (23.98, FILM), (59.94, DOUBLE), (25.0, Fraction(25)),
        ("30000/1001", NTSC), (30, Fraction(30)), (15, Fraction(15)), (29.97002997, NTSC),
    ],
)  # fmt: skip
def test_rates_are_the_exact_ones_that_are_meant(said, meant):
    assert tc.exact_rate(said) == meant


@pytest.mark.parametrize("said", [0, -25, 26.5, float("nan"), float("inf"), "fast", "1/0", None])
def test_what_is_no_rate_is_refused(said):
    with pytest.raises(ValueError, match="no frame rate"):
        tc.exact_rate(said)


@given(st.sampled_from(tc.RATES), st.integers(0, 10**7))
def test_frames_and_seconds_are_exact(rate, frame):
    at = tc.seconds_of(frame, rate)
    assert tc.frame_at(at, rate) == tc.nearest_frame(at, rate) == frame
    assert tc.is_on_frame(at, rate)
    assert tc.frame_at(at - Fraction(1, 10**9), rate) == frame - 1
    assert not tc.is_on_frame(at + Fraction(1, 10**9), rate)
