"""A journal with one run that writes it, and rows of every table, for tests of the writing side."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import BigInteger, Boolean, Column, Engine, Integer, Table, select

from journal import tables
from journal.chain import Link, digest
from journal.config import JournalConfig
from journal.control import Account
from journal.database import open_journal
from journal.heads import HeadFile
from journal.place import Place
from journal.shapes import LINKS
from journal.tables import CHAINED, Amount, metadata
from journal.writer import Writer

ACCOUNT = Account("paper:test", "paper", "test")
WRITTEN = tuple(
    table
    for table in metadata.sorted_tables
    if table not in (tables.heads, tables.commands, tables.limit_overrides)
)
"""The tables that a node writes."""
Row = dict[str, Any]


@dataclass
class Kept:
    """A run and its journal."""

    config: JournalConfig
    engine: Engine
    run_id: str
    writer: Writer

    @property
    def base(self) -> Row:
        return {"run_id": self.run_id, "scope": ACCOUNT.scope, "mode": ACCOUNT.mode, "venue": ACCOUNT.venue}

    def order(self, name: str, **values: Any) -> tuple[Table, Row]:
        """A row of orders."""
        return tables.orders, {**self.base, **ORDER, "ts": time.time_ns(), "client_order_id": name, **values}

    def decision(self, name: str, **values: Any) -> tuple[Table, Row]:
        """A row of decisions."""
        return tables.decisions, {
            **self.base,
            **DECISION,
            "ts": time.time_ns(),
            "client_order_id": name,
            **values,
        }

    def alert(self, text: str) -> tuple[Table, Row]:
        """A row of a table without a chain."""
        return tables.alerts, {
            **self.base,
            "ts": time.time_ns(),
            "level": "info",
            "kind": "TEST",
            "text": text,
        }

    def add(self, row: tuple[Table, Row]) -> None:
        """Let it wait."""
        self.writer.add(*row)

    def names(self, table: Table = tables.orders) -> list[str]:
        """The orders (or texts of alerts) in the order they stand in the journal."""
        column = table.c.text if table is tables.alerts else table.c.client_order_id
        with self.engine.connect() as connection:
            found = connection.execute(
                select(column).where(table.c.run_id == self.run_id).order_by(table.c.id)
            )
            return list(found.scalars())

    def broken(self) -> list[str]:
        """What is wrong with the chain, with the head in the database and with the head's file; empty: nothing."""
        return broken(self.engine, self.config, self.run_id)


def begun(
    config: JournalConfig, run_id: str = "run-1", *, start: bool = True, max_waiting: int = 100_000
) -> Kept:
    """A run that begins to write."""
    engine = open_journal(config, create=True)
    head = HeadFile.of(config.heads_folder, run_id)
    kept = Kept(config, engine, run_id, Writer(engine, Place(config), run_id, head, max_waiting=max_waiting))
    if start:
        kept.writer.start()
    return kept


def until(done: Callable[[], object], secs: float = 150, *, pause: float = 0.01) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + secs
    while not done():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(pause)


@contextmanager
def running(config: JournalConfig, run_id: str = "run-1", **how: Any) -> Iterator[Kept]:
    """A run that is closed at the end of the block."""
    kept = begun(config, run_id, **how)
    try:
        yield kept
    finally:
        kept.writer.close()
        kept.engine.dispose()


def chain_of(engine: Engine, run_id: str) -> list[tuple[str, Row]]:
    """Table and values of the rows of a chain, in order."""
    names = {**CHAINED, "commands": tables.commands} if run_id == tables.CONTROL else CHAINED
    with engine.connect() as connection:
        found = [
            (name, dict(row))
            for name, table in names.items()
            for row in connection.execute(select(table).where(table.c.run_id == run_id)).mappings()
        ]
    return sorted(found, key=lambda each: int(each[1]["seq"]))


def broken(engine: Engine, config: JournalConfig, run_id: str) -> list[str]:
    """Go along a chain; at most a few sentences."""
    found, link = [], Link()
    for table, row in chain_of(engine, run_id):
        if (row["seq"], row["prev"]) != (link.seq + 1, link.hash):
            found.append(f"{table} {row['seq']} does not follow {link.seq}")
        if digest(table, row) != row["hash"]:
            found.append(f"{table} {row['seq']} has another hash")
        link = Link(row["seq"], row["hash"])
    with engine.connect() as connection:
        head = connection.execute(select(tables.heads).where(tables.heads.c.chain == run_id)).one_or_none()
    if head is None or Link(head.seq, head.hash) != link:
        found.append(f"the head in the database is not {link.seq}")
    if HeadFile.of(config.heads_folder, run_id).read() != link:
        found.append(f"the head in the file is not {link.seq}")
    return found[:5]


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that other users reach; pytest closes those above its own whenever it starts somewhere."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


# -- rows of every table ----------------------------------------------------------------------------------------------

AMOUNTS = (
    "0",
    "-0",
    "-0.00",
    "1E+2",
    "0.1",
    "-1.50",
    "1E-1000",
    "-9.9E+999",
    "1E+1000",
    "123456789.123456789",
)
amounts = st.one_of(
    st.sampled_from([Decimal(text) for text in AMOUNTS]),
    st.decimals(allow_nan=False, allow_infinity=False).filter(lambda number: abs(number.adjusted()) < 500),
    st.decimals(-1_000_000, 1_000_000, places=8),
)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)


def values_of(column: Column[Any]) -> st.SearchStrategy[Any]:
    """Every value that a column can have."""
    if isinstance(column.type, Amount):
        found: st.SearchStrategy[Any] = amounts
    elif isinstance(column.type, Boolean):
        found = st.booleans()
    elif isinstance(column.type, BigInteger):
        found = st.integers(-(2**63), 2**63 - 1)
    elif isinstance(column.type, Integer):
        found = st.integers(-(2**31), 2**31 - 1)
    else:
        found = texts
    return st.none() | found if column.nullable else found


def rows_of(table: Table, run_id: str) -> st.SearchStrategy[Row]:
    """Every row of a table, in the chain of a run."""
    later = LINKS if table.name in CHAINED else ()
    columns = [column for column in table.columns if column.name not in ("id", *later)]
    found = {column.name: values_of(column) for column in columns}
    if "run_id" in found:
        found["run_id"] = st.just(run_id)
    return st.fixed_dictionaries(found)


ORDER: Row = {
    "event": "INTENT",
    "status": "INTENDED",
    "strategy": "EmaCross-001",
    "instrument": "AAPL.XNAS",
    "side": "BUY",
    "type": "MARKET",
    "quantity": Decimal(10),
    "tif": "DAY",
    "reduce_only": False,
    "filled": Decimal(0),
    "limits_version": "limits-1",
    "source": "gate",
}
DECISION: Row = {
    "strategy": "EmaCross-001",
    "instrument": "AAPL.XNAS",
    "side": "BUY",
    "quantity": Decimal(10),
    "verdict": "PASS",
    "reduces": False,
    "price": Decimal("187.25"),
    "limits_version": "limits-1",
    "numbers": '{"equity": "100000.00", "leverage": "0.52"}',
}
