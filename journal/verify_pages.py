"""How are millions of rows read in order, a page at a time, exactly as the database holds them?

Values are taken as they are stored: a text that only looks like the same number is not the same row.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Connection, Engine, Table, select, tuple_, type_coerce
from sqlalchemy.types import NULLTYPE

from journal.tables import CHAINED, CONTROL, commands, decisions, fills, orders

PAGE = 2_000
LAST = 1 << 63
"""Behind every number that a row can have: where rows go whose number is none."""
Row = dict[str, Any]
Found = tuple[str, Row]
"""A row with the name of its table."""


def chained_tables(chain: str) -> list[Table]:
    """The tables whose rows are in a chain."""
    return [commands, *CHAINED.values()] if chain == CONTROL else list(CHAINED.values())


def stored(table: Table) -> list[ColumnElement[Any]]:
    """The columns of a table, to be read as the database holds them."""
    return [type_coerce(column, NULLTYPE).label(column.name) for column in table.columns]


class Pages:
    """Reads over one connection of its own; between two pages nothing in the database is held."""

    def __init__(self, engine: Engine) -> None:
        """`engine` may write or not: nothing is written here."""
        self._engine = engine
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._connection: Connection | None = None
        self._together = False

    def close(self) -> None:
        """Let go of the database."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def at_once(self) -> None:
        """From here on until `close`, all that is read is of one moment."""
        self.close()
        engine = (
            self._engine
            if self._is_sqlite
            else self._engine.execution_options(isolation_level="REPEATABLE READ")
        )
        self._connection = self._open(engine)
        self._together = True

    def dicts(self, statement: Any) -> list[Row]:
        """The rows of a statement that has few, by column."""
        return [dict(row._mapping) for row in self.all(statement)]  # noqa: SLF001 - SQLAlchemy's own name for it

    def all(self, statement: Any) -> list[Any]:
        """The rows of a statement that has few."""
        if self._connection is None:
            self._together = False
            self._connection = self._open(self._engine)
        found = self._connection.execute(statement).all()
        if not self._together:
            self._connection.rollback()
        return list(found)

    def _open(self, engine: Engine) -> Connection:
        connection = engine.connect()
        if not self._is_sqlite:
            connection.exec_driver_sql("SET statement_timeout = 0")  # no order waits for what is read here
            connection.commit()
        return connection

    # -- chained rows ----------------------------------------------------------------------------------------------

    def chain(self, chain: str, *, after: int | None, upto: int | None) -> Iterator[tuple[int, list[Found]]]:
        """(number, rows with it) in the order of their numbers, of every table that is in the chain."""
        streams = [self._links(table, chain, after, upto) for table in chained_tables(chain)]
        merged = heapq.merge(*streams, key=_number)
        for number, group in groupby(merged, key=_number):
            yield number, [(name, row) for name, row in group]

    def _links(self, table: Table, chain: str, after: int | None, upto: int | None) -> Iterator[Found]:
        where: list[ColumnElement[bool]] = [table.c.run_id == chain]
        if after is not None:
            where.append(table.c.seq > after)
        if upto is not None:
            where.append(table.c.seq <= upto)
        return self._paged(table, where, ("seq", "id"))

    def of_scope(self, chain: str, scope: str) -> Iterator[Found]:
        """The decisions, orders and fills of one account in a chain that several have, in order."""
        streams = [
            self._paged(table, [table.c.run_id == chain, table.c.scope == scope], ("seq", "id"))
            for table in (decisions, orders, fills)
        ]
        return heapq.merge(*streams, key=_number)

    # -- other rows ------------------------------------------------------------------------------------------------

    def by_id(self, table: Table, *where: ColumnElement[bool]) -> Iterator[Row | None]:
        """Rows in the order they were written; None where there are no more, until some were written."""
        last = 0
        while True:
            for _, row in self._paged(table, [*where, table.c.id > last], ("id",)):
                last = row["id"]
                yield row
            yield None

    def names(self, column: ColumnElement[str]) -> list[str]:
        """The different values of a column that has an index, found by skipping from one to the next."""
        found: list[str] = []
        while True:
            more = select(column).order_by(column).limit(1)
            if found:
                more = more.where(column > found[-1])
            rows = self.all(more)
            if not rows:
                return found
            found.append(rows[0][0])

    def _paged(
        self, table: Table, where: Sequence[ColumnElement[bool]], keys: tuple[str, ...]
    ) -> Iterator[Found]:
        names = [column.name for column in table.columns]
        made = self._as_made(table)
        order = [table.c[key] for key in keys]
        whole = select(*stored(table)).where(*where).order_by(*order).limit(PAGE)
        places = [names.index(key) for key in keys]
        page = self.all(whole)
        while page:
            for values in page:
                yield table.name, made(dict(zip(names, values, strict=True)))
            if len(page) < PAGE:
                return
            last = tuple(page[-1][place] for place in places)
            beyond = (
                order[0] >= last[0],
                tuple_(*order) > tuple_(*last),
            )  # an index knows what to do with the first
            page = self.all(whole.where(*beyond))

    def _as_made(self, table: Table) -> Callable[[Row], Row]:
        """SQLite keeps true and false as 1 and 0; what is neither stays as it is, and gives another hash."""
        flags = [column.name for column in table.columns if isinstance(column.type, Boolean)]
        if not self._is_sqlite or not flags:
            return lambda row: row

        def made(row: Row) -> Row:
            for flag in flags:
                if row[flag] in (0, 1):
                    row[flag] = row[flag] == 1
            return row

        return made


def _number(found: tuple[str, Mapping[str, Any]]) -> int:
    seq = found[1]["seq"]
    return seq if isinstance(seq, int) else LAST
