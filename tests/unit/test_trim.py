from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight import params, specimens
from safelight.errors import UsageError
from safelight.media.timeline import Clip, Timeline
from safelight.operators import _lifts, faults
from safelight.operators.tighten import TightenParams
from safelight.operators.trim import SECONDS, Range, TrimParams, check, material, operator, propose, render, spoil

TOOLS = specimens.suite_tools()
NTSC = Fraction(30000, 1001)
FRAME = 1 / NTSC


def clip(source, start, frames):
    return Clip(source=source, start=Fraction(start), end=Fraction(start) + frames * FRAME, rate=NTSC)


TWO = Timeline(clips=(clip("a", 10, 90), clip("b", 0, 60)))  # 3.003 s and 2.002 s


def trimmed(*ranges, timeline=TWO):
    keep = tuple(Range(start=Fraction(start), end=Fraction(end)) for start, end in ranges)
    return render(timeline, TrimParams(keep=keep), TOOLS)


def test_no_ranges_keep_everything():
    assert trimmed() is TWO


def test_range_within_one_clip():
    (kept,) = trimmed((FRAME, 31 * FRAME)).clips
    assert (kept.source, kept.start, kept.duration) == ("a", 10 + FRAME, 30 * FRAME)


def test_range_over_the_cut_touches_both_inputs_exactly():
    one, two = trimmed((80 * FRAME, 100 * FRAME)).clips
    assert (one.source, one.start, one.end) == ("a", 10 + 80 * FRAME, 10 + 90 * FRAME)
    assert (two.source, two.start, two.end) == ("b", 0, 10 * FRAME)


def test_a_thousand_cuts_lose_no_time():
    frames = 3000
    long = Timeline(clips=(clip("a", 0, frames),))
    ranges = [(i * 3 * FRAME, (i * 3 + 1) * FRAME) for i in range(frames // 3)]
    assert trimmed(*ranges, timeline=long).duration == 1000 * FRAME


@settings(max_examples=60)
@given(st.lists(st.fractions(0, 1, max_denominator=48000), min_size=2, max_size=12, unique=True))
def test_durations_add_up_and_nothing_is_missing_or_negative(shares):
    times = [share * TWO.duration for share in sorted(shares)]
    ranges = list(zip(times[::2], times[1::2], strict=False))
    after = trimmed(*ranges)
    assert after.duration == sum(end - start for start, end in ranges)
    assert all(part.duration > 0 for part in after.clips)
    keep = TrimParams(keep=tuple(Range(start=start, end=end) for start, end in ranges))
    assert set(faults(check(TWO, after, keep)).values()) == {0.0}


def test_range_after_the_end_is_refused():
    with pytest.raises(UsageError, match="timeline at 1001/200 s"):
        trimmed((1, 6))


@pytest.mark.parametrize("ranges", [((1, 1),), ((2, 1),), ((-1, 1),), ((0, 2), (1, 3)), ((2, 3), (0, 1))])
def test_ranges_run_forwards_and_apart(ranges):
    with pytest.raises(ValueError, match="range"):
        trimmed(*ranges)


def test_params_carry_exact_time_through_json():
    keep = TrimParams(keep=(Range(start=FRAME, end=7 * FRAME),))
    plain = params.to_json(keep)
    assert plain == {"keep": [{"start": "1001/30000", "end": "7007/30000"}]}
    assert params.from_json(TrimParams, plain) == keep
    with pytest.raises(UsageError, match="a range runs forwards"):
        params.from_json(TrimParams, {"keep": [{"start": "2/1", "end": "1/1"}]})


def wrong(after, *ranges):
    keep = TrimParams(keep=tuple(Range(start=Fraction(a), end=Fraction(b)) for a, b in ranges))
    return {name for name, value in faults(check(TWO, after, keep)).items() if value}


def test_check_tells_duration_from_content():
    shifted = trimmed((1, 2))
    assert wrong(shifted, (1, 2)) == set()
    assert wrong(shifted, (0, 1)) == {"trim.wrong_content"}
    assert wrong(shifted, (1, 3)) == {"trim.wrong_duration", "trim.wrong_content"}


def test_check_tells_foreign_clips_and_gaps():
    assert wrong(Timeline(clips=(clip("z", 0, 30),)), (0, 30 * FRAME)) == {"trim.wrong_content"}
    hole = Timeline(clips=(clip("a", 10, 10), clip("a", 11, 10)))
    assert wrong(hole, (0, 20 * FRAME)) == {"trim.wrong_content"}


def test_check_knows_a_clip_that_is_used_twice():
    twice = Timeline(clips=(clip("a", 0, 30), clip("a", 0, 30)))
    assert set(faults(check(twice, twice, TrimParams())).values()) == {0.0}
    assert set(faults(check(twice, spoil(twice, TrimParams()), TrimParams())).values()) == {1.0}


def test_nothing_is_proposed_and_examples_fit_two_clips():
    assert propose(specimens.subjects(2, {}), None) == ()
    for example in operator.examples:
        assert render(specimens.timelines()[0], example, TOOLS).duration > 0


# ---------------------------------------------------------------- what counts as another cut


def keep(*ranges):
    return TrimParams(keep=tuple(Range(start=Fraction(a), end=Fraction(b)) for a, b in ranges))


@pytest.mark.parametrize(
    ("before", "after", "is_material"),
    [
        ([(0, 60)], [(0, 60)], False),
        ([(0, 60)], [(FRAME, 60)], False),
        ([(0, 60)], [(1, 60)], False),  # a second is a touch, more is another cut
        ([(0, 60)], [(1 + FRAME, 60)], True),
        ([(0, 60)], [("0.4", "59.4")], False),  # both ends together
        ([(0, 60)], [("0.6", "59.4")], True),
        ([(0, 10), (20, 30)], [(0, 10)], True),  # a range less
        ([(0, 10), (20, 30)], [(0, 10), ("20.5", "30.5")], False),
        ([(0, 10)], [(40, 50)], True),  # as long, and something else
        ([], [(0, 60)], True),  # nobody knows what comes after its end
        ([], [], False),
    ],
)
def test_moves_are_material_by_seconds_of_the_timeline(before, after, is_material):
    one, two = keep(*before), keep(*after)
    assert material(one, two) is material(two, one) is is_material
    assert operator.material(one, two) is is_material
    assert f"{SECONDS} s" in operator.material_when


@st.composite
def kept(draw):
    edges = sorted(draw(st.sets(st.fractions(0, 100, max_denominator=25), min_size=2, max_size=8)))
    return keep(*zip(edges[::2], edges[1::2], strict=False))


@settings(max_examples=60)
@given(kept(), kept(), st.fractions(0, 1, max_denominator=50))
def test_what_is_material_is_the_same_from_both_sides_and_wherever_it_lies(one, two, by):
    moved = [keep(*((r.start + by, r.end + by) for r in each.keep)) for each in (one, two)]
    assert material(one, two) is material(two, one) is material(*moved)
    assert not material(one, one)


@pytest.mark.parametrize(
    ("first", "second", "is_material"),
    [
        ([(2, 4)], [(2, "4.9")], False),  # under a second
        ([(2, 4)], [(2, 5)], False),
        ([(2, 4)], [(2, "5.1")], True),
        ([(0, 40)], [(0, "41.5")], False),  # a second and a half of forty: under a twentieth
        ([(0, 40)], [(0, 43)], True),
        ([(0, 40)], [], True),
        ([("0", "0.8")], [], False),
    ],
)
def test_lifted_stretches_are_material_by_what_goes(first, second, is_material):
    """Of pauses, takes and struck words alike."""

    def lifted(ranges):
        return TightenParams(
            cuts=tuple(_lifts.Lift(name=str(n), start=Fraction(a), end=Fraction(b)) for n, (a, b) in enumerate(ranges))
        )

    one, two = lifted(first), lifted(second)
    assert _lifts.material(one, two) is _lifts.material(two, one) is is_material
