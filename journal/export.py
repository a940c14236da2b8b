"""How do the journal's rows become files that other programs read?

CSV: amounts as exact text, times in ISO 8601 (UTC, to the nanosecond). Parquet: amounts as decimal128(38, 16), ratios
as float64, times as timestamp[ns, UTC]. Beside every time stands the same in nanoseconds, a column that ends in `_ns`.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import BigInteger, Boolean, ColumnElement, Connection, Integer, Select, Table, select

from journal import tables
from journal.tables import Amount, plain
from journal.target import made, new_file, refuse_existing

FORMATS = ("csv", "parquet")
BATCH = 10_000
NANOS = 1_000_000_000
DIGITS, SCALE = 38, 16
RATIOS = frozenset({"pnl_pct", "leverage", "drawdown"})
TIMES = {
    "ts": ("time", "ts_ns"),
    "at": ("written_at", "at_ns"),
    "opened_ns": ("opened_at", "opened_ns"),
    "closed_ns": ("closed_at", "closed_ns"),
    "until_ns": ("until", "until_ns"),
    "started_at": ("started_at", "started_ns"),
    "ended_at": ("ended_at", "ended_ns"),
}
"""Column of the journal -> what its time, and its nanoseconds, are called in a file."""
Cells = Sequence[Any]
OnRows = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The rows of one table that are to become one file, `<name>.csv` or `<name>.parquet`."""

    name: str
    table: Table
    where: Sequence[ColumnElement[bool]] = ()

    def selected(self) -> Select[Any]:
        """The rows in the order they were written."""
        order = self.table.c.started_at if self.table is tables.runs else self.table.c.id
        return select(self.table).where(*self.where).order_by(order)


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was written. `as_text`: amounts too fine for a decimal of Parquet, which are text in it."""

    name: str
    path: Path
    rows: int
    as_text: tuple[str, ...] = ()


class TooFineError(Exception):
    """An amount does not fit decimal128(38, 16) exactly; its column has to be text."""

    def __init__(self, column: str) -> None:
        """In this column."""
        super().__init__(column)
        self.column = column


def export(
    connection: Connection, wanted: Sequence[Wanted], folder: Path, kind: str, on_rows: OnRows
) -> list[Exported]:
    """Write each table's rows into a new file in `folder`, none or all of a file; a table without rows has its header.

    on_rows is told the rows of each batch. Raises TargetError when a file is there already or the disk refuses.
    """
    paths = [folder / f"{each.name}.{kind}" for each in wanted]
    refuse_existing(paths)
    made(folder)
    write = _csv if kind == "csv" else _parquet
    return [write(connection, each, path, on_rows) for each, path in zip(wanted, paths, strict=True)]


def _batches(connection: Connection, wanted: Wanted) -> Iterator[list[Cells]]:
    """The values of each column of the table, batch by batch."""
    found = connection.execution_options(yield_per=BATCH).execute(wanted.selected())
    for batch in found.partitions():
        yield list(zip(*batch, strict=True))


# -- CSV --------------------------------------------------------------------------------------------------------------


def _csv(connection: Connection, wanted: Wanted, path: Path, on_rows: OnRows) -> Exported:
    count = 0
    names = [name for column in wanted.table.columns for name in TIMES.get(column.name, (column.name,))]
    with new_file(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for columns in _batches(connection, wanted):
            writer.writerows(zip(*_texts(wanted.table, columns), strict=True))
            count += len(columns[0])
            on_rows(len(columns[0]))
    return Exported(wanted.name, path, count)


def _texts(table: Table, columns: Sequence[Cells]) -> Iterator[Cells]:
    for column, values in zip(table.columns, columns, strict=True):
        if column.name in TIMES:
            yield [_iso(value) for value in values]
            yield values
        elif isinstance(column.type, Amount):
            yield [None if value is None else plain(value) for value in values]
        elif isinstance(column.type, Boolean):
            yield [None if value is None else "true" if value else "false" for value in values]
        else:
            yield values


def _iso(stamp: int | None) -> str | None:
    """UTC ns as 2026-11-20T14:30:00.000000000Z."""
    if stamp is None:
        return None
    seconds, rest = divmod(stamp, NANOS)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{rest:09d}Z"


# -- Parquet ----------------------------------------------------------------------------------------------------------


def _parquet(connection: Connection, wanted: Wanted, path: Path, on_rows: OnRows) -> Exported:
    as_text: list[str] = []
    told = 0  # rows that on_rows was told of, so that beginning again tells none twice

    def tell(count: int) -> None:
        nonlocal told
        if count > told:
            on_rows(count - told)
            told = count

    while True:
        try:
            return _parquet_once(connection, wanted, path, as_text, tell)
        except TooFineError as error:
            as_text.append(error.column)


def _parquet_once(
    connection: Connection, wanted: Wanted, path: Path, as_text: Sequence[str], tell: OnRows
) -> Exported:
    schema, count = _schema(wanted.table, as_text), 0
    with new_file(path) as part, pq.ParquetWriter(part, schema, compression="zstd") as writer:
        for columns in _batches(connection, wanted):
            writer.write_table(pa.table(_arrays(wanted.table, columns, as_text), schema=schema))
            count += len(columns[0])
            tell(count)
    return Exported(wanted.name, path, count, tuple(as_text))


def _schema(table: Table, as_text: Sequence[str]) -> pa.Schema:
    fields: list[tuple[str, pa.DataType]] = []
    for column in table.columns:
        if column.name in TIMES:
            time, nanos = TIMES[column.name]
            fields += [(time, pa.timestamp("ns", tz="UTC")), (nanos, pa.int64())]
        elif column.name in RATIOS:
            fields.append((column.name, pa.float64()))
        elif isinstance(column.type, Amount):
            amount = pa.string() if column.name in as_text else pa.decimal128(DIGITS, SCALE)
            fields.append((column.name, amount))
        elif isinstance(column.type, Boolean):
            fields.append((column.name, pa.bool_()))
        elif isinstance(column.type, Integer | BigInteger):
            fields.append((column.name, pa.int64()))
        else:
            fields.append((column.name, pa.string()))
    return pa.schema(fields)


def _arrays(table: Table, columns: Sequence[Cells], as_text: Sequence[str]) -> list[pa.Array]:
    arrays: list[pa.Array] = []
    for column, values in zip(table.columns, columns, strict=True):
        if column.name in TIMES:
            arrays += [pa.array(values, pa.timestamp("ns", tz="UTC")), pa.array(values, pa.int64())]
        elif column.name in RATIOS:
            arrays.append(
                pa.array([None if value is None else float(value) for value in values], pa.float64())
            )
        elif column.name in as_text:
            arrays.append(
                pa.array([None if value is None else plain(value) for value in values], pa.string())
            )
        elif isinstance(column.type, Amount):
            if not all(value is None or _fits(value) for value in values):
                raise TooFineError(column.name)
            arrays.append(pa.array(values, pa.decimal128(DIGITS, SCALE)))
        else:
            arrays.append(pa.array(values))
    return arrays


def _fits(value: Decimal) -> bool:
    """Whether decimal128(38, 16) holds an amount exactly."""
    return -int(value.as_tuple().exponent) <= SCALE and value.adjusted() < DIGITS - SCALE
