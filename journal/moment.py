"""How do many reads see the journal as it was at one moment, while a node goes on writing?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from journal.database import told
from journal.reader import Reader


@contextmanager
def one_moment(reader: Reader) -> Iterator[Connection]:
    """A connection whose reads agree with each other, however long they take; it holds up no writer.

    Raises JournalDownError, JournalBrokenError.
    """
    with told(reader.config), reader.engine.connect() as connection:
        if reader.config.kind == "postgres":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")  # noqa: PLW2901 - the same one
        with connection.begin():
            if reader.config.kind == "postgres":
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            yield connection
