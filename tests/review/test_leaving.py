"""Answers that nobody waits for are given up."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from safelight.review.leaving import LEFT, while_there


class Asked:
    """A request whose other side leaves after so many looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    async def is_disconnected(self) -> bool:
        self.looks -= 1
        return self.looks < 0


def run(asked):
    """The answer, from a thread of its own: a browser's driver may hold a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asked).result()


def long(go_on):
    """Work in parts, for ten seconds."""
    for _ in range(1000):
        go_on()
        time.sleep(0.01)
    return "made"


def test_what_is_made_is_given_back():
    assert run(while_there(Asked(1000), lambda go_on: go_on() or "made")) == "made"


def test_work_ends_soon_after_the_other_side_has_left():
    parts = []
    answer = run(while_there(Asked(1), lambda go_on: long(lambda: parts.append(go_on()))))
    assert answer.status_code == LEFT
    assert len(parts) < 500


def test_an_error_is_raised_where_it_was_asked_for():
    def fails(go_on):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run(while_there(Asked(1000), fails))
