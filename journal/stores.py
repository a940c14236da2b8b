"""Which store writes to the database of an engine?"""

from __future__ import annotations

from sqlalchemy import Engine

from journal.place import Place
from journal.store import Store


def store_of(engine: Engine, place: Place, chain: str) -> Store:
    """The store for one chain. psycopg takes a while to import, so it is imported where it is used."""
    if engine.dialect.name == "postgresql":
        from journal.store_postgres import PostgresStore  # noqa: PLC0415

        return PostgresStore(engine, place, chain)
    from journal.store_sqlite import SqliteStore  # noqa: PLC0415

    return SqliteStore(engine, place, chain)
