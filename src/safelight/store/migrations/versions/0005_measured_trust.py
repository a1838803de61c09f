"""What a verdict rested on and whether it counts, the lot that a coin is about, and suggestions spoilt on purpose."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Adds columns and a table. What older verdicts call their group is the scene or group that was shown as one."""
    op.add_column("verdicts", sa.Column("together", sa.Text()))
    op.add_column("verdicts", sa.Column("shown", sa.Text()))
    op.add_column("verdicts", sa.Column("material", sa.Boolean()))
    verdicts = sa.table("verdicts", sa.column("group", sa.Text()), sa.column("together", sa.Text()))
    op.execute(sa.update(verdicts).values(together=verdicts.c.group, group=None))
    op.add_column("proposals", sa.Column("group", sa.Text()))
    op.add_column("draws", sa.Column("share", sa.Float()))
    op.add_column("draws", sa.Column("lot", sa.Text()))
    op.create_table(
        "known_bads",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text(), nullable=False, unique=True),
        sa.Column("shoot", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("params", sa.Text(), nullable=False),
        sa.Column("upon", sa.Text(), nullable=False),
        sa.Column("score", sa.Float()),
        sa.Column("at", sa.Text(), nullable=False),
    )
    op.create_index("known_bads_by_shoot", "known_bads", ["shoot", "operator", "asset"])
