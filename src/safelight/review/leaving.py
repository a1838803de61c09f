"""Answers that take long are given up when nobody waits for them any more: the page wants another view, or is gone."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

LOOK_S = 0.03  # between two looks whether the other side is still there
LEFT = 499  # what logs call a request whose client has closed the connection
Made = TypeVar("Made")


class Left(Exception):
    """Who asked has left."""


async def while_there(request: Request, make: Callable[[Callable[[], None]], Made]) -> Made | Response:
    """What `make` makes in a thread. It is given a function to call between its parts, which raises where the other
    side has closed the connection."""
    left = threading.Event()

    def go_on() -> None:
        if left.is_set():
            raise Left

    making = asyncio.ensure_future(run_in_threadpool(make, go_on))
    while not (await asyncio.wait({making}, timeout=LOOK_S))[0]:
        if await request.is_disconnected():
            left.set()
    try:
        return await making
    except Left:
        return Response(status_code=LEFT)
