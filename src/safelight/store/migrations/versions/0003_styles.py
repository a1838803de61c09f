"""What was learned from a studio's decisions, and what was asked of each shoot."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Makes the tables `asked` and `styles`."""
    op.create_table(
        "asked",
        _seq(),
        sa.Column("shoot", sa.Text(), nullable=False),
        sa.Column("target", sa.Integer()),
        sa.Column("genre", sa.Text()),
        sa.Column("at", sa.Text(), nullable=False),
    )
    op.create_index("ix_asked_shoot", "asked", ["shoot"])
    op.create_table(
        "styles",
        _seq(),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
    )
    op.create_index("ix_styles_id", "styles", ["id"])


def _seq() -> "sa.Column[int]":
    return sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True)
