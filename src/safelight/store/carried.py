"""The copy of a shoot's record that travels with its folder: `record.jsonl`, one verdict a line, oldest first.

The library is the truth. The copy is written after each change, and read where a folder comes to a library that has
no record of it.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

from safelight.domain import Drawn, Say, Verdict
from safelight.files import json_text, write_atomic
from safelight.store import records, sound
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
ASIDE = "record-set-aside.jsonl"  # in a folder's log: lines of a copy that were no verdicts of its shoot
SENSITIVE = ("skin_tone",)
"""Evidence whose groups are keys of the record, and leave the library only if somebody asks for it."""


def write(library: Library, folder: ShootFolder, shoot: str) -> None:
    """Brings the folder's copy up to date."""
    rows = records.ledger(library, shoot).rows
    if rows:
        write_atomic(folder.state / "record.jsonl", lines(plain(v) for v in rows))


def read(library: Library, folder: ShootFolder, shoot: str) -> list[str]:
    """Takes a folder's copy into a library that knows nothing of this shoot. Lines that say nothing that can be said,
    and those about another shoot, are told with the reason, and kept in the folder's log as they are."""
    path = folder.state / "record.jsonl"
    if not path.is_file() or records.ledger(library, shoot).rows:
        return []
    found: list[Verdict] = []
    aside: list[str] = []
    troubles = []
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.split("\n"), 1):  # a text may hold what else ends a line
        if not line.strip():
            continue
        try:
            found.append(_verdict(line, shoot))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            aside.append(line)
            told = "it is not whole JSON" if isinstance(error, json.JSONDecodeError) else _why(error)
            troubles.append(f"Line {number} of {path.name} is set aside: {told}.")
    records.save_verdicts(library, found)
    if aside:
        write_atomic(folder.state / "log" / ASIDE, "".join(f"{line}\n" for line in aside).encode())
    return troubles


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


def _verdict(line: str, shoot: str) -> Verdict:
    """A line as a verdict. Raises ValueError, TypeError or KeyError for what is none, or is about another shoot."""
    fields = json.loads(line)
    if not isinstance(fields, dict):
        raise TypeError(line)
    if "together" not in fields:  # older copies call what was shown as one the group
        fields |= {"together": fields.pop("group", None)}
    upon = fields.pop("upon", None)
    say, drawn = fields.pop("verdict"), fields.pop("drawn")
    named = [fields[name] for name in ("by", "asset", "shoot", "operator")]
    trouble = sound.trouble(
        at=fields["at"], named=named, texts=[fields.get(n, "") for n in ("weights", "group", "note", "reason")],
        version=fields["version"], bundled=fields.get("bundled", 1), score=fields.get("score"),
        seconds=fields.get("seconds"), say=say, drawn=drawn,
    )  # fmt: skip
    if trouble or fields["shoot"] != shoot:
        raise ValueError(trouble or "it is about another shoot")
    if not all(isinstance(fields.get(name), dict | None) for name in ("params", "shown")):
        raise ValueError("its params are none")
    edits = None if upon is None else records.upon_from(json_text(upon))
    return Verdict(say=Say(say), drawn=Drawn(drawn), upon=edits, **fields)


def _why(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it has no {error.args[0]}"
    return str(error) if isinstance(error, ValueError) else "it has not the form of a verdict"
