"""What does the journal say, read with plain SQL and nothing of the code that wrote it?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from journal.config import JournalConfig
from journal.database import connect

Row = dict[str, Any]
AMOUNTS = frozenset(
    {"quantity", "filled", "price", "commission", "pnl", "average_price", "cash", "peak", "equity"}
)


@dataclass(frozen=True, slots=True)
class Said:
    """One moment of a journal: everything of one account that is compared."""

    orders: dict[str, Row]
    """Client order id -> its newest row."""
    sending: frozenset[str]
    """Client order ids with a row SENDING: on disk before the order left."""
    fills: tuple[Row, ...]
    positions: dict[tuple[str, str], Row]
    """(strategy, instrument) -> its newest row, flat ones too."""
    trips: tuple[Row, ...]
    """Round trips."""
    risk_events: tuple[Row, ...]
    state: Row | None
    """What the breakers remember."""
    status: Row | None
    """What the node last said of itself."""
    peaks: tuple[Row, ...]
    """(id, at, run_id, peak) of the account's snapshots."""
    unknowns: int
    """How often an order's outcome was not known."""


class Reading:
    """Reads one account of one journal, over a connection that holds nobody up."""

    def __init__(self, config: JournalConfig, scope: str) -> None:
        """Nothing is opened yet."""
        self._engine: Engine = connect(config)
        self._scope = scope

    def close(self) -> None:
        """Let go of it."""
        self._engine.dispose()

    def said(self) -> Said:
        """All of it, as of one moment."""
        with self.reading() as connection:
            newest = "SELECT MAX(id) FROM {0} WHERE scope = :scope GROUP BY {1}"
            orders = self._rows(connection, "orders", f"id IN ({newest.format('orders', 'client_order_id')})")
            positions = self._rows(
                connection, "positions", f"id IN ({newest.format('positions', 'strategy, instrument')})"
            )
            return Said(
                orders={row["client_order_id"]: row for row in orders},
                sending=frozenset(
                    row["client_order_id"] for row in self._rows(connection, "orders", "event = 'SENDING'")
                ),
                fills=tuple(self._rows(connection, "fills")),
                positions={(row["strategy"], row["instrument"]): row for row in positions},
                trips=tuple(self._rows(connection, "round_trips")),
                risk_events=tuple(self._rows(connection, "risk_events")),
                state=self._document(connection, "risk_states", "state"),
                status=self._document(connection, "node_status", "document"),
                peaks=tuple(self._rows(connection, "account_snapshots", "peak IS NOT NULL")),
                unknowns=len(self._rows(connection, "orders", "event = 'UNKNOWN'")),
            )

    def begun(self) -> bool:
        """Whether there is a journal: a node killed in its first moments leaves none, or one without tables."""
        try:
            with self.reading() as connection:
                self._document(connection, "node_status", "document")
        except SQLAlchemyError:
            return False
        return True

    def status(self) -> Row | None:
        """What the node last said of itself; None while there is none, or no journal."""
        try:
            with self.reading() as connection:
                return self._document(connection, "node_status", "document")
        except SQLAlchemyError:
            return None

    def tripped(self) -> int:
        """How many times a breaker went off, by what is on disk; -1 while there is no journal."""
        try:
            with self.reading() as connection:
                wanted = text("SELECT COUNT(*) FROM risk_events WHERE scope = :scope AND kind = 'TRIP'")
                return int(connection.execute(wanted, {"scope": self._scope}).scalar() or 0)
        except SQLAlchemyError:
            return -1

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection, for as long as it is needed."""
        with self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            yield connection

    def _rows(self, connection: Connection, table: str, where: str = "1 = 1") -> list[Row]:
        wanted = text(f"SELECT * FROM {table} WHERE scope = :scope AND {where} ORDER BY id")  # noqa: S608 - our own names
        found = connection.execute(wanted, {"scope": self._scope}).mappings()
        return [
            {key: _amount(value) if key in AMOUNTS else value for key, value in row.items()} for row in found
        ]

    def _document(self, connection: Connection, table: str, column: str) -> Row | None:
        wanted = text(f"SELECT {column} FROM {table} WHERE scope = :scope")  # noqa: S608 - our own names
        found = connection.execute(wanted, {"scope": self._scope}).scalar()
        return None if found is None else dict(json.loads(found))


def _amount(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))
