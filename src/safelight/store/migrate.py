"""Brings a library to the newest form: Alembic revisions in `migrations/versions`, applied in one transaction each."""

from pathlib import Path

import sqlalchemy as sa

from safelight.errors import LibraryError

HEAD = "0009"  # the newest revision; a test compares it with the files
PLACE = Path(__file__).parent / "migrations"


def upgrade(engine: sa.Engine, metadata: sa.MetaData) -> None:
    """Applies what is missing. Raises LibraryError for a library that a newer program has changed."""
    found = current(engine)
    if found == HEAD:
        return
    # Imported late: alembic costs a tenth of a second and is needed once in a library's life.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(PLACE).replace("%", "%%"))
    with engine.begin() as connection:
        # Two first runs at once: the second waits for the write lock, then finds it done.
        config.attributes["connection"] = connection
        config.attributes["metadata"] = metadata
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise LibraryError(
                f"The library was changed by a newer Safelight: its form is {found}, this program knows {HEAD}.",
                remedy="Update Safelight on this machine.",
            ) from error


def current(engine: sa.Engine) -> str | None:
    """The library's revision; None for a new one."""
    with engine.connect().execution_options(reading=True) as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("select version_num from alembic_version")).scalar()
