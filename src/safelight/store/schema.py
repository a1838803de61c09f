"""The tables of the studio library. Rows are appended, never changed; the current state is the newest row of a key.

`seq` orders the rows of a table. JSON columns hold canonical JSON. Times are ISO 8601 in UTC.
"""

import os

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.engine import Dialect

metadata = MetaData()
BYTES = "bytes:"


class PathText(TypeDecorator[str]):
    """A path as text. Names that are no UTF-8, which the system hands over with surrogates, are kept as hexadecimal
    bytes behind a prefix; a name that happens to begin with the prefix is kept so too."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Path to text."""
        if value is None or (value.isprintable() and not value.startswith(BYTES)):
            return value
        return BYTES + os.fsencode(value).hex()

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Text to path."""
        if value is None or not value.startswith(BYTES):
            return value
        return os.fsdecode(bytes.fromhex(value.removeprefix(BYTES)))


def _seq() -> "Column[int]":
    # SQLite numbers rows by itself only in a column of plain INTEGER.
    return Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


shoots = Table(
    "shoots",
    metadata,
    _seq(),
    Column("id", String(32), nullable=False, index=True),
    Column("root", PathText, nullable=False),
    Column("name", PathText, nullable=False),
    Column("client", Text),
    Column("stakes", String(16), nullable=False, server_default="normal"),
    Column("at", String(40), nullable=False),
)

assets = Table(
    "assets",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("content", String(64), index=True),
    Column("kind", String(8), nullable=False),
    Column("format", String(16), nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("duration_s", String(40)),
    Column("capture", Text, nullable=False),
    Column("at", String(40), nullable=False),
)

files = Table(  # what lay in a shoot's folder; `asset` is empty where the file could not be read, `error` says why
    "files",
    metadata,
    _seq(),
    Column("shoot", String(32), nullable=False),
    Column("path", PathText, nullable=False),
    Column("asset", String(64)),
    Column("pair_of", PathText),  # path of the raw that this camera JPEG belongs to
    Column("relinked_from", String(64)),  # the asset whose picture data this file still holds
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("error", Text),
    Column("present", Boolean, nullable=False),
    Column("at", String(40), nullable=False),
    Index("files_by_place", "shoot", "path", "seq"),
    Index("files_by_asset", "asset"),
)

evidence = Table(
    "evidence",
    metadata,
    _seq(),
    Column("subject", String(64), nullable=False),
    Column("name", String(64), nullable=False),
    Column("value", Text),
    Column("unit", String(32), nullable=False),
    Column("place", Text),  # box or span as JSON
    Column("cannot_tell", Text),
    Column("by", String(64), nullable=False),
    Column("at", String(40), nullable=False),
    Index("evidence_by_subject", "subject", "name", "seq"),
)

measured = Table(  # which probe has looked at what, under which key (version, weights)
    "measured",
    metadata,
    _seq(),
    Column("subject", String(64), nullable=False),
    Column("key", String(64), nullable=False),
    Index("measured_by_subject", "subject", "key"),
)

groups = Table(
    "groups",
    metadata,
    _seq(),
    Column("shoot", String(32), nullable=False),
    Column("survey", String(64), nullable=False),
    Column("id", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("members", Text, nullable=False),
    Column("because", Text, nullable=False),
    Column("by", String(64), nullable=False),
    Index("groups_by_survey", "shoot", "survey"),
)

surveys = Table(  # one row for each time the shoot was looked at as a whole; the newest counts
    "surveys",
    metadata,
    _seq(),
    Column("shoot", String(32), nullable=False, index=True),
    Column("key", String(64), nullable=False),
    Column("at", String(40), nullable=False),
)

proposals = Table(
    "proposals",
    metadata,
    _seq(),
    Column("id", String(64), nullable=False, index=True),
    Column("shoot", String(32), nullable=False),
    Column("asset", String(64), nullable=False),
    Column("operator", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("params", Text, nullable=False),
    Column("zone", String(24), nullable=False),
    Column("score", Float),
    Column("because", Text, nullable=False),
    Column("alternatives", Text, nullable=False),
    Column("cannot_tell", Text),
    Column("bundle", String(64)),
    Column("withdrawn", Boolean, nullable=False),
    Column("at", String(40), nullable=False),
    Index("proposals_by_asset", "shoot", "asset", "operator", "seq"),
)

verdicts = Table(  # the ledger
    "verdicts",
    metadata,
    _seq(),
    Column("at", String(40), nullable=False),
    Column("by", Text, nullable=False),
    Column("asset", String(64), nullable=False),
    Column("shoot", String(32), nullable=False),
    Column("operator", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("weights", Text, nullable=False),
    Column("proposal", String(64)),
    Column("group", String(64)),
    Column("score", Float),
    Column("verdict", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("params", Text),
    Column("seconds", Float),
    Column("drawn", String(16), nullable=False),
    Column("bundled", Integer, nullable=False),
    Index("verdicts_by_asset", "shoot", "asset", "operator", "seq"),
)

draws = Table(  # coins, tossed before anything about the item is shown
    "draws",
    metadata,
    _seq(),
    Column("shoot", String(32), nullable=False),
    Column("asset", String(64), nullable=False),
    Column("operator", String(64), nullable=False),
    Column("drawn", String(16), nullable=False),
    Column("seed", String(64), nullable=False),
    Column("at", String(40), nullable=False),
    Index("draws_by_asset", "shoot", "operator", "asset"),
)

versions = Table(
    "versions",
    metadata,
    _seq(),
    Column("id", String(64), nullable=False, index=True),
    Column("shoot", String(32), nullable=False),
    Column("asset", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("checkpoint", String(64), nullable=False),
    Column("at", String(40), nullable=False),
    Index("versions_by_asset", "shoot", "asset", "seq"),
)

sidecars = Table(  # what a sidecar said when it was last read or written, so that a change can be told from an export
    "sidecars",
    metadata,
    _seq(),
    Column("shoot", String(32), nullable=False),
    Column("path", PathText, nullable=False),
    Column("asset", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("said", Text, nullable=False),
    Column("at", String(40), nullable=False),
    Index("sidecars_by_place", "shoot", "path", "seq"),
)

deliveries = Table(
    "deliveries",
    metadata,
    _seq(),
    Column("id", String(64), nullable=False),
    Column("shoot", String(32), nullable=False, index=True),
    Column("manifest", Text, nullable=False),
    Column("by", Text),
    Column("draft", Boolean, nullable=False),
    Column("at", String(40), nullable=False),
)

runs = Table(
    "runs",
    metadata,
    _seq(),
    Column("shoot", String(32), nullable=False, index=True),
    Column("key", String(64), nullable=False),  # what the run worked on and with; equal keys mean nothing changed
    Column("summary", Text, nullable=False),
    Column("at", String(40), nullable=False),
)
