"""Best of a group: whether the frame that the cull operator would keep is an undamaged one, beside simple rules.

Quality models are held out: no photo is judged by a model that was fitted on it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench._measured import Job, Measured, measure_all
from bench.harness import Data, MissingData, Result
from safelight.domain import Asset, Kind
from safelight.operators import Subject
from safelight.operators._ranking import rank


@dataclass(frozen=True, kw_only=True)
class Stack:
    """The frames of one made burst or of near-duplicates, in order of time, and which of them are undamaged."""

    source: str
    kind: str
    frames: Sequence[Subject]
    peers: Sequence[Mapping[str, float]]
    good: Sequence[bool]


def stacks(data: Data, kinds: Sequence[str] = ("burst", "near_duplicate")) -> list[Stack]:
    """Stacks with damaged and undamaged frames. Raises MissingData."""
    folder, table = data.table("groups/truth.csv", recipe="groups")
    rows = [row for row in table if row["kind"] in kinds]
    measured = measure_all([Job(path=folder / row["file"], source=row["source"]) for row in rows])
    found: dict[str, list[tuple[Mapping[str, Any], Measured]]] = defaultdict(list)
    for row, one in zip(rows, measured, strict=True):
        found[row["group"]].append((row, one))
    out = []
    for members in found.values():
        members.sort(key=lambda pair: (pair[0]["time"], pair[0]["file"]))
        good = [not row["faults"] for row, _ in members]
        if any(good) and not all(good):
            first = members[0][0]
            out.append(
                Stack(
                    source=first["source"], kind=first["kind"], good=good, peers=[one.peers for _, one in members],
                    frames=[subject(row["file"], one) for row, one in members],
                )
            )  # fmt: skip
    return out


def subject(file: str, measured: Measured) -> Subject:
    """A frame as operators see it."""
    asset = Asset(id=file, content=None, kind=Kind.PHOTO, format="jpeg", width=None, height=None)
    return Subject(asset=asset, path=file, facts=measured.facts)


def best_results(data: Data) -> Iterator[Result]:
    """Share of the stacks whose first frame is undamaged."""
    try:
        every = stacks(data)
    except MissingData as missing:
        yield Result(name="groups.best.burst", value=None, n=0, bar=0.95, want="at least", note=str(missing))
        return
    for kind, bar in (("burst", 0.95), ("near_duplicate", None)):
        some = [stack for stack in every if stack.kind == kind]
        if not some:
            continue
        first = [rank(stack.frames)[0].subject.path for stack in some]
        ours = [stack.good[_index(stack, path)] for stack, path in zip(some, first, strict=True)]
        sharpest = [stack.good[int(np.argmax([p["variance_of_laplacian"] for p in stack.peers]))] for stack in some]
        yield Result(
            name=f"groups.best.{kind}", value=float(np.mean(ours)), n=len(some), unit="of stacks", bar=bar,
            want="at least" if bar else None,
            beside={
                "variance_of_laplacian": float(np.mean(sharpest)),
                "first": float(np.mean([stack.good[0] for stack in some])),
                "random": float(np.mean([np.mean(stack.good) for stack in some])),
            },
            note="first of the ranking is undamaged; models held out by photo",
        )  # fmt: skip


def _index(stack: Stack, path: str) -> int:
    return next(i for i, frame in enumerate(stack.frames) if frame.path == path)
