"""How far a stage is: counted in files or in seconds of footage, jobs that go on among them."""

import time
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from safelight import clock, engine, headway
from safelight.clock import Clock, Progress, Unit
from safelight.media.sound import Block
from safelight.terminal import words


@pytest.fixture
def heard(monkeypatch):
    found = []
    monkeypatch.setattr(headway, "TOLD_S", 0.0)
    monkeypatch.setattr(headway, "_listeners", [found.append])
    return found


def test_a_part_of_a_job_tells_how_far_the_whole_is(heard):
    with headway.within(0.5, 1.0):
        headway.reach(0.5)
        with headway.within(0.0, 0.5):
            headway.reach(1.0)
        headway.reach(2.0)
    headway.reach(0.25)
    assert heard == pytest.approx([0.75, 0.75, 1.0, 0.25])
    blocks = [Block(at=Fraction(at), samples=np.zeros((1, 1), np.float32), rate=1) for at in (1, 2)]
    assert list(headway.along(blocks, 4.0)) == blocks
    assert heard[4:] == [0.25, 0.5]


def test_what_is_told_too_often_is_left_out(heard, monkeypatch):
    monkeypatch.setattr(headway, "TOLD_S", 60.0)
    monkeypatch.setattr(headway, "_spoke", float("-inf"))
    for share in (0.1, 0.2):
        headway.reach(share)
    assert heard == [0.1]


def half(_):
    headway.reach(0.5)
    time.sleep(3)


def test_a_job_that_goes_on_moves_the_clock(monkeypatch):
    monkeypatch.setattr(engine, "LOOKED_S", 0.1)
    told, ticks = [], []
    one = Clock("see", 200.0, told.append, unit=Unit.SECONDS, tick=lambda: ticks.append(time.monotonic()))
    with engine.engine(jobs=1) as (executor, width):
        for _ in engine.stream(executor, width, iter([(half, None)]), clock=one, weigh=lambda _: 200.0):
            one.step(200.0)
    assert 100 in [t.done for t in told]
    assert len(ticks) > 1
    assert told[-1].done == told[-1].total == 200
    assert all(b.done >= a.done for a, b in pairwise(told))


def test_footage_is_told_as_time_and_time_left_only_where_it_can_be_known(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(clock.time, "monotonic", lambda: now[0])
    told = []
    one = Clock("listen", 7200.0, told.append, unit=Unit.SECONDS)
    for at, going in ((5.0, 600.0), (60.0, 1200.0)):
        now[0] = at
        one.beside(going)
    assert [t.seconds_left for t in told] == [None, 300.0]
    assert words(told[0]) == "listen 0:10:00 of 2:00:00"
    assert words(told[1]) == "listen 0:20:00 of 2:00:00, about 5 min left"
    now[0] = 61.0
    one.step(1100.0)
    now[0] = 62.0
    one.beside(50.0)
    assert told[-1].done == 1200
    assert not one.finished
    one.step(6100.0)
    assert one.finished
    assert words(told[-1]) == "listen 2:00:00 of 2:00:00"


def test_a_clock_does_not_go_back_when_one_of_two_jobs_is_done():
    told = []
    one = Clock("see", 200.0, told.append, unit=Unit.SECONDS)
    one.spoke = float("-inf")
    one.beside(170.0)
    one.spoke = float("-inf")
    one.step(100.0)
    assert [t.done for t in told] == [170, 170]


def test_files_are_counted_as_they_are():
    progress = Progress(stage="look", done=412, total=2000, rate=6.1, seconds_left=260.0)
    assert words(progress) == "look 412 of 2,000, 6.1 a second, about 4 min left"
