"""All tables in their first form, spelled out, so that this revision makes the same whatever `schema` says later."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the tables of the first release."""
    op.create_table(
        "shoots",
        _seq(),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("client", sa.Text()),
        sa.Column("stakes", sa.Text(), nullable=False, server_default="normal"),
        sa.Column("at", sa.Text(), nullable=False),
    )
    op.create_index("ix_shoots_id", "shoots", ["id"])
    op.create_table(
        "assets",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("content", sa.Text()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer()),
        sa.Column("height", sa.Integer()),
        sa.Column("duration_s", sa.Text()),
        sa.Column("capture", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
    )
    op.create_index("ix_assets_content", "assets", ["content"])
    op.create_table(
        "files",
        _seq(),
        sa.Column("shoot", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text()),
        sa.Column("relinked_from", sa.Text()),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
    )
    op.create_index("files_by_asset", "files", ["asset"])
    op.create_index("files_by_place", "files", ["shoot", "path", "seq"])
    op.create_table(
        "evidence",
        _seq(),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text()),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("place", sa.Text()),
        sa.Column("cannot_tell", sa.Text()),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
    )
    op.create_index("evidence_by_subject", "evidence", ["subject", "name", "seq"])
    op.create_table(
        "measured",
        _seq(),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
    )
    op.create_index("measured_by_subject", "measured", ["subject", "key"])
    op.create_table(
        "groups",
        _seq(),
        sa.Column("shoot", sa.Text(), nullable=False),
        sa.Column("survey", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("members", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
    )
    op.create_index("groups_by_survey", "groups", ["shoot", "survey"])
    op.create_table(
        "surveys",
        _seq(),
        sa.Column("shoot", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
    )
    op.create_index("ix_surveys_shoot", "surveys", ["shoot"])
    op.create_table(
        "proposals",
        _seq(),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("shoot", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("params", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("score", sa.Float()),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("alternatives", sa.Text(), nullable=False),
        sa.Column("cannot_tell", sa.Text()),
        sa.Column("bundle", sa.Text()),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
    )
    op.create_index("ix_proposals_id", "proposals", ["id"])
    op.create_index("proposals_by_asset", "proposals", ["shoot", "asset", "operator", "seq"])
    op.create_table(
        "verdicts",
        _seq(),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("shoot", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("weights", sa.Text(), nullable=False),
        sa.Column("proposal", sa.Text()),
        sa.Column("group", sa.Text()),
        sa.Column("score", sa.Float()),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("params", sa.Text()),
        sa.Column("seconds", sa.Float()),
        sa.Column("drawn", sa.Text(), nullable=False),
        sa.Column("bundled", sa.Integer(), nullable=False),
    )
    op.create_index("verdicts_by_asset", "verdicts", ["shoot", "asset", "operator", "seq"])
    op.create_table(
        "draws",
        _seq(),
        sa.Column("shoot", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("drawn", sa.Text(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
    )
    op.create_index("draws_by_asset", "draws", ["shoot", "operator", "asset"])
    op.create_table(
        "versions",
        _seq(),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("shoot", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
    )
    op.create_index("ix_versions_id", "versions", ["id"])
    op.create_index("versions_by_asset", "versions", ["shoot", "asset", "seq"])
    op.create_table(
        "sidecars",
        _seq(),
        sa.Column("shoot", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
    )
    op.create_index("sidecars_by_place", "sidecars", ["shoot", "path", "seq"])
    op.create_table(
        "deliveries",
        _seq(),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("shoot", sa.Text(), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("by", sa.Text()),
        sa.Column("draft", sa.Boolean(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
    )
    op.create_index("ix_deliveries_shoot", "deliveries", ["shoot"])
    op.create_table(
        "runs",
        _seq(),
        sa.Column("shoot", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
    )
    op.create_index("ix_runs_shoot", "runs", ["shoot"])


def _seq() -> "sa.Column[int]":
    return sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True)
