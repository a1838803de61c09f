"""The verdicts that count, whole in an index of their own; and a note when another program changes what was said."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

COLUMNS = (
    "at", "seq", "by", "asset", "shoot", "operator", "version", "weights", "group", "score", "verdict", "drawn",
    "bundled", "seconds", "reason", "material",
)  # fmt: skip
NOTE = (
    "create trigger verdicts_{event} after {event} on verdicts begin "
    "insert into trust (name, key, body, at) values ('touched', '', '', ''); end"
)


def upgrade() -> None:
    """Makes the index anew. PostgreSQL has a limit to what an entry may hold, and keeps the short one."""
    if op.get_bind().dialect.name != "sqlite":
        return
    counted = sa.text("drawn <> 'review' or reason = 'client_return' or (\"by\" >= 'import:' and \"by\" < 'import;')")
    op.drop_index("verdicts_counted", "verdicts")
    op.create_index("verdicts_whole", "verdicts", list(COLUMNS), sqlite_where=counted)
    op.execute(NOTE.format(event="update"))
    op.execute(NOTE.format(event="delete"))
