"""Whether a row of the ledger can be taken for a verdict: a database keeps what other programs write into it."""

import math
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from safelight.domain import Drawn, Say

SAYS = frozenset(say.value for say in Say)
UNREADABLE = "\ufffd"  # stands for bytes that are no UTF-8
Found = TypeVar("Found")
DRAWN = frozenset(drawn.value for drawn in Drawn)


def trouble(
    *, at: Any, named: Collection[Any], texts: Collection[Any], version: Any, bundled: Any, score: Any, seconds: Any,
    say: Any, drawn: Any, says: Collection[str] = SAYS,
) -> str:  # fmt: skip
    """Why a row is none; empty where it is one. `named` is who said it, and about what; `texts` may be missing."""
    if say not in says:
        return f"its verdict is {say!r}"
    if drawn not in DRAWN:
        return f"it was drawn as {drawn!r}"
    if not all(isinstance(name, str) and name and UNREADABLE not in name for name in named):
        return "it does not say what it is about"
    if not all(text is None or isinstance(text, str) for text in texts):
        return "a text in it is none"
    if not (isinstance(version, int) and isinstance(bundled, int)):
        return f"its version is {version!r} and it is one of {bundled!r}"
    if any(x is not None and not (isinstance(x, int | float) and math.isfinite(x)) for x in (score, seconds)):
        return f"its score is {score!r} and its seconds are {seconds!r}"
    return "" if isinstance(at, str) and at[:4].isdigit() else f"its time is {at!r}"


def fetched(connection: Connection, ask: Callable[[], Found]) -> Found:
    """What a query gives. Where SQLite finds bytes that are no UTF-8 in a text, which ends a query, it is asked again
    with `UNREADABLE` in their place, so that one spoilt row does not hide all others."""
    try:
        return ask()
    except OperationalError as error:
        if connection.dialect.name != "sqlite" or "decode to UTF-8" not in str(error):
            raise
    driver: Any = connection.connection.driver_connection
    driver.text_factory = _readable
    try:
        return ask()
    finally:
        driver.text_factory = str


def _readable(text: bytes) -> str:
    return text.decode("utf-8", "replace")
