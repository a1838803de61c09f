"""All tables in their first form."""

from alembic import op

from safelight.store import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the tables of `schema` as they stand in the first release."""
    schema.metadata.create_all(op.get_bind())
