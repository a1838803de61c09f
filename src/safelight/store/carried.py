"""The copy of a shoot's record that travels with its folder: `record.jsonl`, one verdict a line, oldest first.

The library is the truth. The copy is written after each change, and read where a folder comes to a library that has
no record of it.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from safelight.domain import Drawn, Say, Verdict
from safelight.files import json_text, write_atomic
from safelight.store import records
from safelight.store.library import Library
from safelight.store.objects import ShootFolder

COLUMNS = (
    "at", "by", "asset", "shoot", "operator", "version", "weights", "group", "score", "verdict", "reason", "params",
    "seconds", "drawn",
)  # fmt: skip
"""The columns of the ledger that others rely on."""
MORE = ("proposal", "note", "bundled", "upon", "together", "shown", "material")
"""What stands beside them."""
TEXTS = ("params", "upon", "shown")
"""Columns whose values are JSON."""
SENSITIVE = ("skin_tone",)
"""Evidence whose groups are keys of the record, and leave the library only if somebody asks for it."""


def write(library: Library, folder: ShootFolder, shoot: str) -> None:
    """Brings the folder's copy up to date."""
    rows = records.ledger(library, shoot).rows
    if rows:
        write_atomic(folder.state / "record.jsonl", lines(plain(v) for v in rows))


def read(library: Library, folder: ShootFolder, shoot: str) -> int:
    """Takes a folder's copy into a library that knows nothing of this shoot; how many verdicts came along.

    A line that cannot be read ends the copy there: a file cut off in the middle still brings what is whole."""
    path = folder.state / "record.jsonl"
    if not path.is_file() or records.ledger(library, shoot).rows:
        return 0
    found = list(_whole_lines(path))
    records.save_verdicts(library, found)
    return len(found)


def plain(verdict: Verdict) -> Verdict:
    """The verdict without a risk group that is about people; it counts as one of an unknown group then."""
    if verdict.group is None or not any(name in verdict.group for name in SENSITIVE):
        return verdict
    return replace(verdict, group=None)


def lines(rows: Iterable[Verdict]) -> bytes:
    """Verdicts as JSON lines in the ledger's columns."""
    return "".join(json_text(row(v)) + "\n" for v in rows).encode()


def row(verdict: Verdict) -> dict[str, Any]:
    """A verdict in the ledger's columns."""
    fields = asdict(verdict)
    fields["verdict"] = fields.pop("say")
    fields["upon"] = None if verdict.upon is None else records.upon_json(verdict.upon)
    first = {name: fields.pop(name) for name in COLUMNS}
    return first | fields


def _whole_lines(path: Path) -> Iterable[Verdict]:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            fields = json.loads(line)
            say, drawn = Say(fields.pop("verdict")), Drawn(fields.pop("drawn"))
            upon = fields.pop("upon", None)
            if "together" not in fields:  # older copies call what was shown as one the group
                fields |= {"together": fields.pop("group", None)}
            yield Verdict(
                say=say, drawn=drawn, upon=None if upon is None else records.upon_from(json_text(upon)), **fields
            )
        except (ValueError, TypeError, KeyError):
            return
