"""Alembic's entry: runs the migrations on the connection that journal/database.py hands in."""

from __future__ import annotations

from alembic import context

from journal.database import VERSION_TABLE
from journal.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
