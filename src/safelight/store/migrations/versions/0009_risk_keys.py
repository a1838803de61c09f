"""By what records are split and is about people, apart from all else; PostgreSQL notes changed verdicts too."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


NOTE = (
    (
        "create function verdicts_touched() returns trigger language plpgsql as $$ begin "
        "insert into trust (name, key, body, at) values ('touched', '', '', ''); return null; end $$"
    ),
    "create trigger verdicts_update after update on verdicts for each statement execute function verdicts_touched()",
    "create trigger verdicts_delete after delete on verdicts for each statement execute function verdicts_touched()",
)


def upgrade() -> None:
    """Makes the table `risk_keys`, and on PostgreSQL what notes that another program changes a verdict."""
    if op.get_bind().dialect.name == "postgresql":
        for statement in NOTE:
            op.execute(statement)
    op.create_table(
        "risk_keys",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
    )
    op.create_index("risk_keys_by_asset", "risk_keys", ["asset", "name"])
