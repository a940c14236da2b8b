"""Can a row be written, and will it read back as the same row?

What passes here is refused by neither database and hashes the same when it is read again, so one bad row never stands
in the way of all that wait behind it: who hands it in is told at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, partial
from json.encoder import encode_basestring as _json_text
from typing import Any

from sqlalchemy import BigInteger, Boolean, Integer, Table

from journal.chain import NOT_HASHED, Link
from journal.tables import CHAINED, Amount, commands, plain

Cell = str | int | bool | None
Values = Mapping[str, Any]
SMALL, BIG = 2**31, 2**63  # what PostgreSQL's INTEGER and BIGINT hold
MAX_DIGITS = 1_000  # of an amount, before the point and behind it
LINKS = ("seq", "prev", "hash")
SAID = ("reason", "text", "why", "ended_why")
"""Columns in somebody's own words: a broker's, a strategy's, a person's."""


class RowError(ValueError):
    """A row that is none of its table: a mistake in the code that made it."""


class Shape:
    """What the rows of one table look like. `names` are the columns that are written, in the order of `cells`."""

    def __init__(self, table: Table) -> None:
        """Of a table of the journal."""
        self.name = table.name
        self.chained = table.name in CHAINED or table is commands
        columns = [column for column in table.columns if column.name != "id"]
        self.names = tuple(column.name for column in columns)
        self.keys = tuple(column.name for column in table.primary_key.columns if column.name != "id")
        self._known = frozenset(self.names)
        later = LINKS if self.chained else ()
        self._checks = tuple(
            _nothing if column.name in later else partial(_check(column.type), f"{self.name}.{column.name}")
            for column in columns
        )
        self._required = tuple(
            place
            for place, column in enumerate(columns)
            if not column.nullable and column.name not in (*later, "at")
        )
        self._said = tuple(place for place, name in enumerate(self.names) if name in SAID)
        self._at = self.names.index("at") if "at" in self._known else None
        if self.chained:
            self._links = tuple(self.names.index(name) for name in LINKS)
        self._hashed = tuple(
            (f'"{name}":', self.names.index(name)) for name in sorted(self._known - NOT_HASHED)
        )

    def cells(self, values: Values, at: int) -> list[Cell]:
        """The values in the order of `names`, amounts as exact text. Raises RowError.

        at: wall clock in UTC nanoseconds, for a row that brings none.
        """
        if not values.keys() <= self._known:
            raise RowError(f"{self.name} has no column {', '.join(sorted(values.keys() - self._known))}")
        given = map(values.get, self.names)
        found: list[Cell] = [
            None if value is None else check(value) for check, value in zip(self._checks, given, strict=True)
        ]
        if self._at is not None and found[self._at] is None:
            found[self._at] = at
        for place in self._required:
            if found[place] is None:
                raise RowError(f"{self.name}.{self.names[place]} is missing")
        return found

    def clean(self, cells: list[Cell], clean: Callable[[str], str]) -> None:
        """Put what `clean` makes of it in the place of what somebody said."""
        for place in self._said:
            if isinstance(said := cells[place], str):
                cells[place] = clean(said)

    def join(self, cells: list[Cell], after: Link) -> Link:
        """Put a row of a chained table behind a link; answers the link that it is."""
        seq, prev, own = self._links
        cells[seq] = number = after.seq + 1
        cells[prev] = after.hash
        cells[own] = mark = self._digest(cells, after.hash)
        return Link(number, mark)

    def _digest(self, cells: list[Cell], prev: str) -> str:
        """What journal.chain.digest answers for the row, at a third of its cost; a test holds them together."""
        written = [
            name + (_json_text(cell) if isinstance(cell, str) else _word(cell))
            for name, place in self._hashed
            if (cell := cells[place]) is not None
        ]
        text = f"{prev}\n{self.name}\n{{{','.join(written)}}}"
        return hashlib.sha256(text.encode()).hexdigest()


@cache
def shape(table: Table) -> Shape:
    """The shape of a table."""
    return Shape(table)


def _check(column: Any) -> Callable[[str, Any], Cell]:
    """What makes a cell of a value that is not None; its first argument is the column's name, for an error."""
    if isinstance(column, Amount):
        return _amount
    if isinstance(column, Boolean):
        return _flag
    if isinstance(column, BigInteger):
        return partial(_whole, BIG)
    return partial(_whole, SMALL) if isinstance(column, Integer) else _text


def _text(name: str, value: object) -> str:
    """Text without what PostgreSQL cannot keep (NUL) and what is no text (half a surrogate pair)."""
    if type(value) is str and value.isascii() and "\x00" not in value:
        return value
    if not isinstance(value, str):
        raise RowError(f"{name}={value!r} is no text")
    whole = str.__str__(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _amount(name: str, value: object) -> str:
    if not isinstance(value, Decimal) or not value.is_finite():
        raise RowError(f"{name}={value!r}: amounts are exact, so a finite Decimal")
    if not value:
        return "0"
    if abs(value.adjusted()) > MAX_DIGITS or len(text := plain(value)) > 2 * MAX_DIGITS:
        raise RowError(f"{name}={value!r} has more than {MAX_DIGITS} digits on one side of the point")
    return text


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise RowError(f"{name}={value!r} is neither True nor False")
    return value


def _whole(bound: int, name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -bound <= value < bound:
        raise RowError(f"{name}={value!r} is no whole number that fits")
    return int(value)


def _nothing(_value: object) -> None:
    """Of the columns that `join` fills."""


def _word(cell: int | bool | None) -> str:  # noqa: FBT001 - a cell of a row
    return str(cell) if type(cell) is int else "true" if cell else "false"
