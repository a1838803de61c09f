"""What was read of the ledger before, beside the library: a copy in columns, so that only what came since is read.

It may be deleted at any time. It holds up to a row's number, and only as long as that row is the same and no other
program has changed or taken out a row (`schema.TOUCHED`); else everything is read again.
"""

import json
import zipfile
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from safelight.files import json_text, write_atomic
from safelight.learn.rows import ARRAYS, Coded
from safelight.store import schema

FILE_NAME = "ledger.npz"
FORM = 1
WORTH = 1000  # rows that came since, from which on the copy is made anew
Array = NDArray[Any]
COLUMNS = ("by", "asset", "shoot", "task", "build", "group")


def load(folder: Path | None, connection: sa.Connection) -> tuple[int | None, Coded | None]:
    """The number up to which there is a copy, and the copy; two Nones where there is none that holds."""
    if folder is None or not (folder / FILE_NAME).is_file():
        return None, None
    try:
        data = BytesIO((folder / FILE_NAME).read_bytes())
        with np.load(data, allow_pickle=False) as found:
            stored = {name: found[name] for name in found.files}
        head = json.loads(bytes(stored.pop("head")))
        body = {name: stored[name].tobytes() for name in sorted(stored)}
        if head["form"] != FORM or head["sum"] != _sum(body) or head["state"] != _state(connection, head["newest"]):
            return None, None
        return head["newest"], _unpacked(stored)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error):
        return None, None


def save(folder: Path, connection: sa.Connection, newest: int, coded: Coded) -> None:
    """Makes the copy. A folder that cannot be written has none."""
    stored: dict[str, Array] = {f"code.{name}": coded.codes[name].astype(np.int32) for name in COLUMNS}
    stored |= {f"name.{name}": _text(coded.names[name]) for name in COLUMNS}
    stored |= {name: getattr(coded, name) for name in ARRAYS} | {"at": _text(coded.at)}
    body = {name: stored[name].tobytes() for name in sorted(stored)}
    head = {"form": FORM, "newest": newest, "state": _state(connection, newest), "sum": _sum(body)}
    out = BytesIO()
    np.savez(out, allow_pickle=False, head=np.frombuffer(json_text(head).encode(), np.uint8), **stored)
    try:
        write_atomic(folder / FILE_NAME, out.getvalue())
    except OSError:
        return


def _state(connection: sa.Connection, newest: int) -> list[object]:
    """The row of a number, and whether another program has changed any since."""
    row = schema.verdicts.c
    found = connection.execute(sa.select(row.at, row.by, row.asset, row.operator).where(row.seq == newest)).first()
    touched = sa.select(sa.func.max(schema.trust.c.seq)).where(schema.trust.c.name == schema.TOUCHED)
    return [None if found is None else list(found), connection.execute(touched).scalar()]


def _sum(body: dict[str, bytes]) -> int:
    total = 0
    for name, data in body.items():
        total = zlib.crc32(data, zlib.crc32(name.encode(), total))
    return total


def _text(values: list[str]) -> Array:
    return np.frombuffer(json.dumps(values).encode(), np.uint8)


def _unpacked(stored: dict[str, Array]) -> Coded:
    names = {name: json.loads(stored[f"name.{name}"].tobytes()) for name in COLUMNS}
    codes = {name: stored[f"code.{name}"].astype(np.int64) for name in COLUMNS}
    arrays = {name: stored[name] for name in ARRAYS}
    return Coded(names=names, codes=codes, at=json.loads(stored["at"].tobytes()), **arrays)
