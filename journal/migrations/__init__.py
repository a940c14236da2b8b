"""The shapes the journal has had, oldest first, for Alembic."""
