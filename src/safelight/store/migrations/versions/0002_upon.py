"""What an approval rested on: the edits below it, as they were shown."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds the column; older verdicts do not say."""
    op.add_column("verdicts", sa.Column("upon", sa.Text()))
