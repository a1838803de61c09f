"""What the benches of grouping and taste count, on cases that can be counted by hand."""

from dataclasses import fields, replace
from itertools import pairwise

import pytest

from bench import _film, groups, taste
from bench._best import Stack, subject
from bench._measured import Measured
from safelight.domain import Cull, Measure
from safelight.operators._genres import MANNERS, PLAIN, Manner


def test_pairs_are_counted_by_what_they_are():
    truth = {"a": "1", "b": "1", "c": "2", "d": "3"}
    found = {"a": "x", "b": "y", "c": "y", "d": "d"}
    kinds = {"a": "burst", "b": "burst", "c": "single", "d": "single"}
    assert groups.pairwise(truth, found, kinds, "burst") == (0, 1, 1)
    assert groups.pairwise(truth, truth, kinds, "burst") == (1, 0, 0)


def test_shots_lie_between_cuts_and_not_in_dissolves():
    assert list(_film._shots({"cuts": [10, 40]}, 50)) == [(0, 10), (10, 40), (40, 50)]
    assert list(_film._shots({"cuts": [40], "dissolves": [{"start": 10, "end": 20}]}, 50)) == [
        (0, 10), (20, 40), (40, 50)
    ]  # fmt: skip


@pytest.mark.parametrize(("start", "end", "rate"), [(0, 200, 25.0), (30, 52, 24.0), (5, 16, 30.0)])
def test_a_burst_keeps_clear_of_the_cuts(start, end, rate):
    frames = _film._burst(start, end, rate)
    assert all(start + 2 <= frame < end - 2 for frame in frames)
    assert 2 <= len(frames) <= _film.LENGTH
    assert {b - a for a, b in pairwise(frames)} == {max(1, round(_film.STEP_S * rate))}


def test_a_shot_that_is_too_short_gives_no_burst():
    assert _film._burst(0, 7, 30.0) == []


def frame(name, **values):
    return subject(name, Measured(facts={k.replace("_", "."): Measure(name=k, value=v) for k, v in values.items()}))


def test_a_knob_that_changes_nothing_is_seen():
    sharp = frame("a", sharpness=0.9, blur=0.0, exposure_over=0.0, exposure_under=0.0)
    dark = frame("b", sharpness=0.9, blur=0.0, exposure_over=0.0, exposure_under=0.45)
    stack = Stack(source="s", kind="burst", frames=[sharp, dark], peers=[{}, {}], good=[True, False])
    assert taste._decisions(stack.frames, PLAIN) == [Cull.KEEP, Cull.UNDECIDED]
    strict = Manner(counts={"exposure": 2.0, "smile": 2.0})
    assert taste._decisions(stack.frames, strict) == [Cull.KEEP, Cull.REJECT]
    without = dict(taste._without(strict))
    assert set(without) == {"counts.exposure", "counts.smile"}
    assert taste._decisions(stack.frames, without["counts.exposure"]) == [Cull.KEEP, Cull.UNDECIDED]
    assert taste._decisions(stack.frames, without["counts.smile"]) == [Cull.KEEP, Cull.REJECT]


@pytest.mark.parametrize("how", MANNERS.values(), ids=[g.value for g in MANNERS])
def test_every_knob_that_a_genre_turns_is_taken_back_alone(how):
    turned = dict(taste._without(how))
    assert turned
    for name, without in turned.items():
        assert without != how
        differing = {f.name for f in fields(Manner) if getattr(without, f.name) != getattr(how, f.name)}
        assert differing == {name.split(".")[0]}
    assert replace(how) == how
