"""Tables for the grouping of people: a switch that is kept, and three tables whose rows can be erased."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Adds the tables."""
    op.create_table(
        "people_switch",
        _seq(),
        sa.Column("say", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
    )
    op.create_table(
        "personal",
        _seq(),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text()),
        sa.Column("cannot_tell", sa.Text()),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
    )
    op.create_index("personal_by_asset", "personal", ["asset", "name", "seq"])
    op.create_table(
        "sightings",
        _seq(),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("faces", sa.Text(), nullable=False),
        sa.Column("highest", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
    )
    op.create_index("sightings_by_asset", "sightings", ["asset", "seq"])
    op.create_table(
        "people_said",
        _seq(),
        sa.Column("say", sa.Text(), nullable=False),
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("other", sa.Integer()),
        sa.Column("name", sa.Text()),
        sa.Column("faces", sa.Text()),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
    )


def _seq() -> "sa.Column[int]":
    return sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True)
