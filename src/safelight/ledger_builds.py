"""Whether one version of an operator suggests the same as another, from what both suggested for the same photos."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from safelight import params, plugins
from safelight.domain import Drawn, Say
from safelight.errors import UsageError
from safelight.learn.rows import POLICY
from safelight.store import records, schema
from safelight.store.library import Library


def same_output(library: Library, task: str, builds: Sequence[str], new: str, assets: Sequence[str]) -> bool:
    """Whether an operator's new build suggests the same as the last of `builds`, within its written threshold, for
    every asset that somebody decided about under any of them: `assets`, which a coin drew, and all others. Where it has
    not looked at one of them again, nobody knows, and the answer is no."""
    known = plugins.operators().get(task)
    if known is None or known.material is None or not assets:
        return False
    versions = [int(each.split("/", 1)[0]) for each in (*builds, new)]
    *_, before, after = versions
    if before == after:  # other weights behind the same version: what they suggested cannot be told apart afterwards
        return False
    twins = _twins(library)
    drawn = {twins.get(asset, asset) for asset in assets}

    def alike(some: set[str]) -> bool:
        for chunk in records.chunks(sorted(some)):
            found = _suggested(library, task, schema.proposals.c.asset.in_(chunk))
            if not all(_alike(known, found.get(asset, {}), before, after) for asset in chunk):
                return False
        return True

    return alike(drawn) and alike(_reviewed(library, task, versions[:-1]) - drawn)  # all verdicts are asked last


def _twins(library: Library) -> dict[str, str]:
    """The photo behind each item that was asked anew of another build."""
    asked = schema.known_bads.c
    return {row["id"]: row["asset"] for row in library.rows(sa.select(asked.id, asked.asset).where(asked.again))}


def _reviewed(library: Library, task: str, versions: Sequence[int]) -> set[str]:
    """Whatever people decided about that no coin had drawn."""
    said = schema.verdicts.c
    chosen = sa.select(said.asset).distinct().where(
        said.operator == task, said.version.in_(versions), said.drawn == Drawn.REVIEW, said.verdict != Say.UNDO,
        ~said.by.startswith(POLICY), ~said.by.startswith(schema.IMPORTED),
    )  # fmt: skip
    return {row["asset"] for row in library.rows(chosen)}


def unlike(library: Library, task: str, old: int, new: int) -> bool:
    """Whether two versions of an operator suggested something materially else for any photo that both looked at."""
    known = plugins.operators().get(task)
    if known is None or known.material is None:
        return False
    found = _suggested(library, task, schema.proposals.c.version.in_((old, new)))
    both = [said for said in found.values() if {old, new} <= set(said)]
    return any(not _alike(known, said, old, new) for said in both)


def _suggested(library: Library, task: str, where: sa.ColumnElement[bool]) -> dict[str, dict[int, tuple[str, bool]]]:
    """By photo and version, the newest suggestion of a task: its params, and whether it made one."""
    table = schema.proposals.c
    chosen = sa.select(table.asset, table.version, table.params, table.cannot_tell).where(table.operator == task, where)
    found: dict[str, dict[int, tuple[str, bool]]] = {}
    for row in library.rows(chosen.where(table.withdrawn.is_(False)).order_by(table.seq)):
        found.setdefault(row["asset"], {})[row["version"]] = (row["params"], row["cannot_tell"] is None)
    return found


def _alike(operator: Any, said: Mapping[int, Any], before: int, after: int) -> bool:
    if before not in said or after not in said or said[before][1] != said[after][1]:
        return False
    try:
        one, other = (params.from_json(operator.params, json.loads(said[v][0])) for v in (before, after))
    except UsageError:  # the old version's params mean nothing to the new one
        return False
    return not operator.material(one, other)
