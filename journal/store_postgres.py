"""How are rows written to a PostgreSQL server that may be cut off at any moment, or go silent?

A server that lost this client may keep its transaction, and with it its locks, for hours. So every connection of a
store bears the store's own name, and a new one ends those before it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from secrets import token_hex
from typing import Any, cast

import psycopg
from sqlalchemy import Engine

from journal.database import why
from journal.errors import JournalDownError
from journal.place import Place
from journal.plug import Plug
from journal.shapes import Cell, Shape
from journal.statements import fence, insert_of, moved
from journal.store import Insert, Store

STATEMENT_MS = 2_000
COPY_FROM = 50  # rows of one table from which COPY is worth its extra round trip
TEXT = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


class PostgresStore(Store):
    """Rows go to a PostgreSQL database."""

    mark = "%s"
    lock = " FOR UPDATE"
    expected = (*Store.expected, psycopg.Error)

    def __init__(self, engine: Engine, place: Place, chain: str) -> None:
        """Nothing is opened before `ready`."""
        super().__init__(engine, place, chain)
        logging.getLogger("psycopg").setLevel(
            logging.ERROR
        )  # what it warns of when a connection is lost, we tell
        self._name = f"keel {token_hex(8)}"
        self._driver: psycopg.Connection[Any] | None = None
        self._lost = False  # whether an earlier connection may live on at the server
        self._plug: Plug | None = None

    # -- writing ----------------------------------------------------------------------------------------------------

    def reach(self) -> None:
        """Be connected. Raises psycopg.Error, SQLAlchemyError, JournalError."""
        if self._driver is not None:
            return
        self.connection = self.engine.connect()
        self._driver = driver = cast("psycopg.Connection[Any]", self.connection.connection.driver_connection)
        self._plug = Plug(self.connection)
        settings = f"SET application_name = '{self._name}'; SET statement_timeout = {STATEMENT_MS}"
        driver.execute(settings.encode())
        if self._lost:
            driver.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = %s AND usename = current_user AND pid <> pg_backend_pid()",
                (self._name,),
            )
        self.check_version()
        driver.commit()
        self._lost = True

    def transaction(self, values: tuple[Cell, ...], inserts: Iterable[Insert]) -> None:
        """All or nothing, on the server's disk when it returns."""
        driver = self._driver
        if driver is None:
            raise JournalDownError("it is not connected")
        many: list[Insert] = []
        with driver.pipeline():
            moving = driver.execute(fence("%s").encode(), values)
            for shape, rows in inserts:
                if len(rows) < COPY_FROM or shape.keys:
                    self.insert(shape, rows)
                else:
                    many.append((shape, rows))
        if moving.rowcount != 1:
            raise moved()
        for shape, rows in many:
            _copy(driver, shape, rows)
        driver.commit()

    def insert(self, shape: Shape, rows: Sequence[Sequence[Cell]]) -> None:
        """Add rows of one table."""
        if self._driver is not None:
            self._driver.cursor().executemany(insert_of(shape, "%s").encode(), [_sent(row) for row in rows])

    def begin(self) -> None:
        """The first statement begins."""

    def execute(self, statement: str, values: Sequence[Cell]) -> Any:
        """Run a statement."""
        if self._driver is None:
            raise JournalDownError("it is not connected")
        return self._driver.execute(statement.encode(), values)

    def commit(self) -> None:
        """On the server's disk when it returns."""
        if self._driver is not None:
            self._driver.commit()

    def rollback(self) -> None:
        """Leave it."""
        if self._driver is not None:
            self._driver.rollback()

    def tidy(self, *, idle: bool) -> None:
        """The server looks after that."""

    # -- after an error ---------------------------------------------------------------------------------------------

    def failed(self, error: BaseException) -> str:
        """The next try connects anew."""
        self.close()
        return why(error)

    def close(self) -> None:
        """Let go of the server, without a word to it: it may not answer."""
        connection, self.connection, self._driver = self.connection, None, None
        self._certain = False
        if connection is not None and self._plug is not None:
            self._plug.close(connection)

    def cut(self) -> None:
        """Whoever waits for the server's answer gets an error at once."""
        plug = self._plug
        if plug is not None:
            plug.pull()


def _sent(row: Sequence[Cell]) -> list[str | bool | None]:
    """Whole numbers as text: the server knows its columns, and one statement serves numbers of every size."""
    return [str(cell) if type(cell) is int else cell for cell in row]  # type: ignore[misc] # whole numbers are text now


def _copy(driver: psycopg.Connection[Any], shape: Shape, rows: Iterable[Sequence[Cell]]) -> None:
    names = ", ".join(f'"{name}"' for name in shape.names)
    with driver.cursor() as cursor, cursor.copy(f"COPY {shape.name} ({names}) FROM STDIN".encode()) as copy:
        copy.write("".join([_line(row) for row in rows]))


def _line(row: Sequence[Cell]) -> str:
    return "\t".join(["\\N" if cell is None else str(cell).translate(TEXT) for cell in row]) + "\n"
