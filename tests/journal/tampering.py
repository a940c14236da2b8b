"""Somebody changes a journal behind its back, with SQL, as a person with the file or the server could.

Every way to tamper answers which row it was about, so that a test can say whether that row was named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Integer,
    Table,
    delete,
    insert,
    select,
    text,
    update,
)

from journal import tables
from journal.chain import GENESIS, Link, link
from journal.tables import CHAINED, Amount
from journal.verify_findings import Findings
from journal.verify_pages import chained_tables

ALL = {**CHAINED, "commands": tables.commands}
KEPT = ("id", "seq", "prev", "hash", "command_id")
"""Columns that stay where they are when two rows exchange their values; the last may be there once only."""
Row = dict[str, Any]
Pick = Callable[[int], int]
"""Pick a number from 0 up to, not including, the one given."""


@dataclass(frozen=True)
class Target:
    """A row of a chain as it was before anybody touched it."""

    table: Table
    row: Row

    @property
    def seq(self) -> int:
        return int(self.row["seq"])


def rows_of(connection: Connection, chain: str) -> list[Target]:
    """All rows of a chain in order."""
    found = [
        Target(table, dict(row))
        for table in chained_tables(chain)
        for row in connection.execute(select(table).where(table.c.run_id == chain)).mappings()
    ]
    return sorted(found, key=lambda each: each.seq)


def unguard(engine: Engine) -> None:
    """Take away the rule that a number is there once, as whoever owns a server can."""
    with engine.begin() as connection:
        for name, table in ALL.items():
            connection.execute(text(f"ALTER TABLE {name} DROP CONSTRAINT uq_{table.name}_link"))


# -- one row ----------------------------------------------------------------------------------------------------------


def another(column: Column[Any], value: Any, pick: Pick) -> Any:
    """A value that the column takes and that is not the one it has."""
    if column.nullable and value is not None and pick(4) == 0:
        return None
    if isinstance(column.type, Boolean):
        return not value
    if isinstance(column.type, Amount):
        return Decimal(1) if value is None else value + Decimal(pick(9) + 1) / 8
    if isinstance(column.type, BigInteger | Integer):
        return 7 if value is None else value + 1_000 + pick(1_000)
    if column.name in ("prev", "hash"):
        return value[::-1] if value != value[::-1] else "f" * 64
    return f"{value or ''}x"


def edit(connection: Connection, target: Target, pick: Pick) -> str:
    """Change one value of a row."""
    columns = [column for column in target.table.columns if column.name != "id"]
    column = columns[pick(len(columns))]
    value = another(column, target.row[column.name], pick)
    put(connection, target, {column.name: value})
    return f"{target.table.name}.{column.name}: {target.row[column.name]!r} -> {value!r}"


def put(connection: Connection, target: Target, values: Row) -> None:
    """Write values into a row."""
    connection.execute(update(target.table).where(target.table.c.id == target.row["id"]), values)


def replace(connection: Connection, target: Target, pick: Pick) -> str:
    """Change values of a row and give it the hash that they have."""
    columns = [
        column
        for column in target.table.columns
        if column.name not in ("id", "run_id", "seq", "prev", "hash")
    ]
    column = columns[pick(len(columns))]
    changed = {**target.row, column.name: another(column, target.row[column.name], pick)}
    if pick(3) == 0:
        changed["prev"] = "e" * 64
    after = Link(target.seq - 1, changed["prev"])
    put(connection, target, link(after, target.table.name, changed))
    return f"{target.table.name}.{column.name}"


def erase(connection: Connection, target: Target) -> None:
    """Delete a row."""
    connection.execute(delete(target.table).where(target.table.c.id == target.row["id"]))


def swap(connection: Connection, one: Target, other: Target, pick: Pick) -> str:
    """Let two rows of a table change places: their values, their numbers, or where they stand in the table."""
    how = ("values", "numbers", "places")[pick(3)]
    if how == "values":
        kept = KEPT
        for each, with_ in ((one, other), (other, one)):
            put(connection, each, {key: value for key, value in with_.row.items() if key not in kept})
    elif how == "numbers":
        put(connection, one, {"seq": -1})
        put(connection, other, {"seq": one.seq})
        put(connection, one, {"seq": other.seq})
    else:
        put(connection, one, {"id": -1})
        put(connection, other, {"id": one.row["id"]})
        connection.execute(update(one.table).where(one.table.c.id == -1), {"id": other.row["id"]})
    return how


def forge(connection: Connection, like: Target, after: Link) -> Target:
    """Put in a row like another, with a right hash, behind a link."""
    values = {key: value for key, value in like.row.items() if key != "id"}
    if "command_id" in values:
        values["command_id"] = f"{values['command_id']}x"
    row = link(after, like.table.name, {**values, "at": values["at"] + 1})
    connection.execute(insert(like.table), row)
    found = connection.execute(select(like.table).where(like.table.c.hash == row["hash"])).mappings().one()
    return Target(like.table, dict(found))


# -- the rest of a chain ----------------------------------------------------------------------------------------------


def rewrite(connection: Connection, rows: Sequence[Target], chain: str) -> Link:
    """Give rows, which follow each other, the hashes that they have now, and the chain its head."""
    first = rows[0]
    head = Link(first.seq - 1, first.row["prev"])
    for each in rows:
        found = (
            connection.execute(select(each.table).where(each.table.c.id == each.row["id"])).mappings().one()
        )
        row = link(head, each.table.name, dict(found))
        put(connection, each, {key: row[key] for key in ("seq", "prev", "hash")})
        head = Link(row["seq"], row["hash"])
    set_head(connection, chain, head)
    return head


def set_head(connection: Connection, chain: str, head: Link) -> None:
    """Change the row of a chain's head."""
    values = {"seq": head.seq, "hash": head.hash}
    connection.execute(update(tables.heads).where(tables.heads.c.chain == chain), values)


def link_of(target: Target | None) -> Link:
    """The link that a row is; of none, the one before the first."""
    return Link(0, GENESIS) if target is None else Link(target.seq, target.row["hash"])


def named(findings: Findings, target: Target, chain: str) -> bool:
    """Whether a finding names this row: by its table and id, or by its chain and number."""
    return any(
        (each.table == target.table.name and each.row == target.row["id"])
        or (each.run == chain and each.seq == target.seq)
        for each in findings.kept
    )
