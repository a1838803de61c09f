"""What the ledger was found to say, and the indexes by which it answers at once."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Makes the table `trust` and two indexes of the ledger."""
    op.create_table(
        "trust",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
    )
    op.create_index("ix_trust_name", "trust", ["name"])
    op.create_index("verdicts_by_task", "verdicts", ["operator", "verdict", "by"])
    counted = sa.text("drawn <> 'review' or reason = 'client_return' or (\"by\" >= 'import:' and \"by\" < 'import;')")
    op.create_index("verdicts_counted", "verdicts", ["at"], sqlite_where=counted, postgresql_where=counted)
