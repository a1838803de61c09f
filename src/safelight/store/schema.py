"""The tables of the studio library. Rows are appended, never changed; the current state is the newest row of a key.
What tells people apart is the one exception: `erasable` tables lose rows when a person asks for it (`erasing`).

`seq` orders the rows of a table. JSON columns hold canonical JSON. Times are ISO 8601 in UTC. No text has a length:
SQLite would not hold to it, PostgreSQL gains nothing by it, and plug-ins choose names of their own.
"""

import os
import re
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.engine import Dialect

metadata = MetaData()
BYTES = "bytes:"
UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class Words(TypeDecorator[str]):
    """Text as people type it, whatever it holds. What a database cannot take as text, a NUL or half a pair of
    surrogates, is kept as hexadecimal bytes behind a prefix; a text that happens to begin with the prefix is kept so
    too."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Words to what is stored."""
        if value is None or self.is_plain(value):
            return value
        return BYTES + self.to_bytes(value).hex()

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        """What is stored to words. What another program wrote there, and is none, is shown as it can be."""
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        if value is None or not str(value).startswith(BYTES):
            return None if value is None else str(value)
        try:
            return self.from_bytes(bytes.fromhex(value.removeprefix(BYTES)))
        except ValueError:
            return str(value)

    @staticmethod
    def is_plain(value: str) -> bool:
        """Whether every database takes the text as it is."""
        return not value.startswith(BYTES) and UNSTORABLE.search(value) is None

    @staticmethod
    def to_bytes(value: str) -> bytes:
        """UTF-8, with surrogates as if they were characters."""
        return value.encode("utf-8", "surrogatepass")

    @staticmethod
    def from_bytes(data: bytes) -> str:
        """The inverse of `to_bytes`."""
        return data.decode("utf-8", "surrogatepass")


class PathText(Words):
    """A path as text. Names that cannot be printed, and names that are no UTF-8, which the system hands over with
    surrogates, are kept as the bytes that the file system has."""

    cache_ok = True

    @staticmethod
    def is_plain(value: str) -> bool:
        """Whether a person can read the name in the table."""
        return value.isprintable() and not value.startswith(BYTES)

    @staticmethod
    def to_bytes(value: str) -> bytes:
        """The file system's own bytes."""
        return os.fsencode(value)

    @staticmethod
    def from_bytes(data: bytes) -> str:
        """The inverse of `to_bytes`."""
        return os.fsdecode(data)


def _seq() -> "Column[int]":
    # SQLite numbers rows by itself only in a column of plain INTEGER.
    return Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


shoots = Table(
    "shoots",
    metadata,
    _seq(),
    Column("id", Text, nullable=False, index=True),
    Column("root", PathText, nullable=False),
    Column("name", PathText, nullable=False),
    Column("client", Words),
    Column("stakes", Text, nullable=False, server_default="normal"),
    Column("at", Text, nullable=False),
)

assets = Table(
    "assets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("content", Text, index=True),
    Column("kind", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("duration_s", Text),
    Column("capture", Text, nullable=False),
    Column("at", Text, nullable=False),
)

files = Table(  # what lay in a shoot's folder; `asset` is empty where the file could not be read, `error` says why
    "files",
    metadata,
    _seq(),
    Column("shoot", Text, nullable=False),
    Column("path", PathText, nullable=False),
    Column("asset", Text),
    Column("relinked_from", Text),  # the asset whose picture data this file still holds
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("error", Text),
    Column("present", Boolean, nullable=False),
    Column("at", Text, nullable=False),
    Index("files_by_place", "shoot", "path", "seq"),
    Index("files_by_asset", "asset"),
)

evidence = Table(
    "evidence",
    metadata,
    _seq(),
    Column("subject", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("value", Text),
    Column("unit", Text, nullable=False),
    Column("place", Text),  # box or span as JSON
    Column("cannot_tell", Words),
    Column("by", Text, nullable=False),
    Column("at", Text, nullable=False),
    Index("evidence_by_subject", "subject", "name", "seq"),
)

measured = Table(  # which probe has looked at what, under which key (version, weights)
    "measured",
    metadata,
    _seq(),
    Column("subject", Text, nullable=False),
    Column("key", Text, nullable=False),
    Index("measured_by_subject", "subject", "key"),
)

groups = Table(
    "groups",
    metadata,
    _seq(),
    Column("shoot", Text, nullable=False),
    Column("survey", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("members", Text, nullable=False),
    Column("because", Words, nullable=False),
    Column("by", Text, nullable=False),
    Index("groups_by_survey", "shoot", "survey"),
)

surveys = Table(  # one row for each time the shoot was looked at as a whole; the newest counts
    "surveys",
    metadata,
    _seq(),
    Column("shoot", Text, nullable=False, index=True),
    Column("key", Text, nullable=False),
    Column("at", Text, nullable=False),
)

proposals = Table(
    "proposals",
    metadata,
    _seq(),
    Column("id", Text, nullable=False, index=True),
    Column("shoot", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("params", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("score", Float),
    Column("because", Text, nullable=False),
    Column("alternatives", Text, nullable=False),
    Column("cannot_tell", Words),
    Column("bundle", Text),
    Column("group", Text),  # the risk group
    Column("withdrawn", Boolean, nullable=False),
    Column("at", Text, nullable=False),
    Index("proposals_by_asset", "shoot", "asset", "operator", "seq"),
)

verdicts = Table(  # the ledger
    "verdicts",
    metadata,
    _seq(),
    Column("at", Text, nullable=False),
    Column("by", Words, nullable=False),
    Column("asset", Text, nullable=False),
    Column("shoot", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("weights", Text, nullable=False),
    Column("proposal", Text),
    Column("group", Text),
    Column("score", Float),
    Column("verdict", Text, nullable=False),
    Column("reason", Words, nullable=False),
    Column("note", Words, nullable=False),
    Column("params", Text),
    Column("seconds", Float),
    Column("drawn", Text, nullable=False),
    Column("bundled", Integer, nullable=False),
    Column("upon", Text),  # the edits below, as shown: [[operator, version, params], …]
    Column("together", Text),  # scene or group that was shown as one; "group" is the risk group
    Column("shown", Text),  # the evidence beside it
    Column("material", Boolean),  # whether a change counts as a reject
    Index("verdicts_by_asset", "shoot", "asset", "operator", "seq"),
    Index("verdicts_by_task", "operator", "verdict", "by"),
)
RETURNED = "client_return"  # the reason code of what a client sent back
IMPORTED = "import:"  # verdicts taken from a studio's history carry this before the name
COUNTED = f"drawn <> 'review' or reason = '{RETURNED}' or (\"by\" >= '{IMPORTED}' and \"by\" < 'import;')"
"""The verdicts that the record rests on, as the index of them is made: a small part of the ledger."""
ONLY = "only"  # in an index's `info`: the one engine that has it
verdicts_counted = Index(
    "verdicts_counted", verdicts.c.at, postgresql_where=text(COUNTED), info={ONLY: "postgresql"}
)  # fmt: skip
WHOLE = (
    "at", "seq", "by", "asset", "shoot", "operator", "version", "weights", "group", "score", "verdict", "drawn",
    "bundled", "seconds", "reason", "material",
)  # fmt: skip
verdicts_whole = Index(
    "verdicts_whole", *(verdicts.c[name] for name in WHOLE), sqlite_where=text(COUNTED), info={ONLY: "sqlite"}
)  # fmt: skip
"""On SQLite the index holds what the record reads, in its order, and nothing else has to be read. On PostgreSQL an
entry would outgrow what an index may hold."""
TOUCHED = "touched"  # the name of a row in `trust` that says: another program changed or took out a verdict

draws = Table(  # coins, tossed before anything about the item is shown
    "draws",
    metadata,
    _seq(),
    Column("shoot", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("drawn", Text, nullable=False),
    Column("seed", Text, nullable=False),
    Column("share", Float),  # of the items that the coin lets through
    Column("lot", Text),  # the licence under which the item would be done alone; empty where it waits in any case
    Column("at", Text, nullable=False),
    Index("draws_by_asset", "shoot", "operator", "asset"),
)

known_bads = Table(  # suggestions spoilt on purpose: shown as if they were real, and never part of any version
    "known_bads",
    metadata,
    _seq(),
    Column("id", Text, nullable=False, unique=True),
    Column("shoot", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("params", Text, nullable=False),
    Column("upon", Text, nullable=False),
    Column("score", Float),
    Column("at", Text, nullable=False),
    Index("known_bads_by_shoot", "shoot", "operator", "asset"),
)

versions = Table(
    "versions",
    metadata,
    _seq(),
    Column("id", Text, nullable=False, index=True),
    Column("shoot", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("checkpoint", Text, nullable=False),
    Column("at", Text, nullable=False),
    Index("versions_by_asset", "shoot", "asset", "seq"),
)

sidecars = Table(  # what a sidecar said when it was last read or written, so that a change can be told from an export
    "sidecars",
    metadata,
    _seq(),
    Column("shoot", Text, nullable=False),
    Column("path", PathText, nullable=False),
    Column("asset", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("said", Text, nullable=False),
    Column("at", Text, nullable=False),
    Index("sidecars_by_place", "shoot", "path", "seq"),
)

deliveries = Table(
    "deliveries",
    metadata,
    _seq(),
    Column("id", Text, nullable=False),
    Column("shoot", Text, nullable=False, index=True),
    Column("manifest", Text, nullable=False),
    Column("by", Words),
    Column("draft", Boolean, nullable=False),
    Column("at", Text, nullable=False),
)

asked = Table(  # what was asked of a shoot and holds for its later runs; the newest counts
    "asked",
    metadata,
    _seq(),
    Column("shoot", Text, nullable=False, index=True),
    Column("target", Integer),
    Column("genre", Text),
    Column("at", Text, nullable=False),
)

styles = Table(  # what was learned for a task; the newest counts, and is used if it was better than the built-in
    "styles",
    metadata,
    _seq(),
    Column("id", Text, nullable=False, index=True),
    Column("task", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("report", Text, nullable=False),
    Column("used", Boolean, nullable=False),
    Column("by", Words, nullable=False),
    Column("at", Text, nullable=False),
)

trust = Table(  # what the ledger was found to say, for as long as `key` holds; made anew from the ledger at any time
    "trust",
    metadata,
    _seq(),
    Column("name", Text, nullable=False, index=True),
    Column("key", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Text, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    _seq(),
    Column("shoot", Text, nullable=False, index=True),
    Column("key", Text, nullable=False),  # what the run worked on and with; equal keys mean nothing changed
    Column("summary", Text, nullable=False),
    Column("at", Text, nullable=False),
)

reviewers = Table(  # who decides, by name; the newest row of a name counts
    "reviewers",
    metadata,
    _seq(),
    Column("name", Words, nullable=False),
    Column("pin", Text),  # salted digest; empty where none is asked for
    Column("lead", Boolean, nullable=False),
    Column("by", Words, nullable=False),
    Column("at", Text, nullable=False),
)

people_switch = Table(  # whether people are grouped at all; the newest row counts. Also notes that data were erased
    "people_switch",
    metadata,
    _seq(),
    Column("say", Text, nullable=False),  # on, off, erased
    Column("by", Words, nullable=False),
    Column("at", Text, nullable=False),
)

personal = Table(  # what personal probes found; `measured` holds the key that it was found under
    "personal",
    metadata,
    _seq(),
    Column("asset", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("value", Text),
    Column("cannot_tell", Words),
    Column("by", Text, nullable=False),
    Column("at", Text, nullable=False),
    Index("personal_by_asset", "asset", "name", "seq"),
)

sightings = Table(  # who is on a photo, as last decided: its faces, each with a person's number or why it is not told
    "sightings",
    metadata,
    _seq(),
    Column("asset", Text, nullable=False),
    Column("faces", Text, nullable=False),
    Column("highest", Integer, nullable=False),  # of the numbers in it
    Column("at", Text, nullable=False),
    Index("sightings_by_asset", "asset", "seq"),
)

people_said = Table(  # what somebody said about people: names, who is one person, whose faces are somebody else's
    "people_said",
    metadata,
    _seq(),
    Column("say", Text, nullable=False),  # name, join, part
    Column("person", Integer, nullable=False),
    Column("other", Integer),
    Column("name", Words),
    Column("faces", Text),
    Column("by", Words, nullable=False),
    Column("at", Text, nullable=False),
)

risk_keys = Table(  # by what a record is split and is about people; what cannot be told is not here
    "risk_keys",
    metadata,
    _seq(),
    Column("asset", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("at", Text, nullable=False),
    Index("risk_keys_by_asset", "asset", "name"),
)

erasable = (personal, sightings, people_said, risk_keys)
