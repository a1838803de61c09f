"""Coins: which items a person is shown whatever the machine thinks of them. Tossed before anything is shown, logged.

A coin is a number in 0..1 that follows from the seed, the task and the asset alone, so that nobody can steer it and
everybody can check it.
"""

import hashlib
from collections.abc import Iterable

from safelight.domain import Drawn


def coin(seed: str, task: str, asset: str) -> float:
    """The coin of one item, evenly spread over 0..1."""
    digest = hashlib.sha256(f"{seed}/{task}/{asset}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def draw(seed: str, task: str, assets: Iterable[str], *, canary: int, audit: float) -> dict[str, Drawn]:
    """Canaries (the `canary` items with the lowest coins) and audits (coin below `audit`) among the items of a task."""
    coins = sorted((coin(seed, task, asset), asset) for asset in assets)
    out = {asset: Drawn.AUDIT for value, asset in coins if value < audit}
    return out | {asset: Drawn.CANARY for _, asset in coins[:canary]}
