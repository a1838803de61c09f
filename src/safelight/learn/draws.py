"""Coins: which items a person is shown whatever the machine thinks of them. Tossed before anything is shown, logged.

A coin is a number in 0..1 that follows from the seed, the task and the asset alone, so that nobody can steer it and
everybody can check it.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from safelight.domain import Drawn

EVIDENCE = 5  # verdicts of one shoot that count towards a licence: photos of a shoot fail together


def coin(seed: str, task: str, asset: str) -> float:
    """The coin of one item, evenly spread over 0..1."""
    return coins([(seed, task, asset)])[0]


def coins(items: Iterable[tuple[str, str, str]]) -> list[float]:
    """The coins of many (seed, task, asset)."""
    sha256, number = hashlib.sha256, int.from_bytes
    return [number(sha256(f"{seed}/{task}/{asset}".encode()).digest()[:8]) / 2**64 for seed, task, asset in items]


def draw(
    seed: str,
    task: str,
    assets: Iterable[str] | Mapping[str, float | None],
    *,
    canary: int,
    audit: float,
    evidence: int = 0,
    ladder: Sequence[float | None] = (None,),
) -> dict[str, Drawn]:
    """Canaries (the `canary` items with the lowest coins) and audits (coin below `audit`) among the items of a task.

    `evidence` more items with the next lowest coins are audits too, so that a task that is still looked at whole
    gathers what a licence needs. Where items come with scores, each threshold of the `ladder` gets its own canaries
    and evidence among the items that reach it (an item without a score reaches none but None)."""
    scores = assets if isinstance(assets, Mapping) else dict.fromkeys(assets)
    coins = sorted((coin(seed, task, asset), asset) for asset in scores)
    out = {asset: Drawn.AUDIT for value, asset in coins if value < audit}
    canaries: dict[str, Drawn] = {}
    for threshold in ladder:
        there = [asset for _, asset in coins if reaches(scores[asset], threshold)]
        canaries |= dict.fromkeys(there[:canary], Drawn.CANARY)
        out |= dict.fromkeys(there[canary : canary + evidence], Drawn.AUDIT)
    return out | canaries


def reaches(score: float | None, threshold: float | None) -> bool:
    """Whether an item is among those above a threshold; None as threshold is no threshold."""
    return threshold is None or (score is not None and score >= threshold)
