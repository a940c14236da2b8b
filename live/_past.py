"""What does the journal know of an account from the runs before this one?"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, desc, func, select

from journal import tables
from journal.witness import OVER

MARGIN_NANOS = 600 * 1_000_000_000
FIRST_NANOS = 24 * 3600 * 1_000_000_000
Key = tuple[str, str]


@dataclass(slots=True)
class Past:
    """Orders that may still live, positions by strategy, and what is needed to carry on with them."""

    engine: Engine
    scope: str
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Client order id -> the newest row of an order that had not ended."""
    positions: dict[Key, dict[str, Any]] = field(default_factory=dict)
    """(strategy, instrument) -> the newest row of a position that is not flat."""
    decision_prices: dict[str, Decimal | None] = field(default_factory=dict)
    sending: set[str] = field(default_factory=set)
    """Client order ids of those orders that were about to leave: SENDING, or something after it."""
    newest_at: int = 0
    """Wall clock of the newest row of the account, UTC ns; 0 when there is none."""

    @classmethod
    def read(cls, engine: Engine, scope: str) -> Past:
        """Read it. Raises what the database raises."""
        past = cls(engine, scope)
        with engine.connect() as connection:
            orders, positions = tables.orders, tables.positions
            newest = (
                select(func.max(orders.c.id).label("id"))
                .where(orders.c.scope == scope)
                .group_by(orders.c.client_order_id)
                .subquery()
            )
            rows = connection.execute(select(orders).join(newest, orders.c.id == newest.c.id)).mappings()
            past.orders = {
                row["client_order_id"]: dict(row) for row in rows if row["status"] not in OVER | {"ABSENT"}
            }
            past.newest_at = int(
                connection.execute(select(func.max(orders.c.at)).where(orders.c.scope == scope)).scalar() or 0
            )
            for name in past.orders:
                events = connection.execute(
                    select(orders.c.event).where(orders.c.scope == scope, orders.c.client_order_id == name)
                ).scalars()
                if any(event not in ("INTENT", "EMULATED", "RELEASED") for event in events):
                    past.sending.add(name)
                price = connection.execute(
                    select(tables.decisions.c.price)
                    .where(tables.decisions.c.scope == scope, tables.decisions.c.client_order_id == name)
                    .order_by(desc(tables.decisions.c.id))
                    .limit(1)
                ).scalar()
                past.decision_prices[name] = price
            held = (
                select(func.max(positions.c.id).label("id"))
                .where(positions.c.scope == scope)
                .group_by(positions.c.strategy, positions.c.instrument)
                .subquery()
            )
            for row in connection.execute(
                select(positions).join(held, positions.c.id == held.c.id)
            ).mappings():
                if row["quantity"]:
                    past.positions[row["strategy"], row["instrument"]] = dict(row)
        return past

    def since_ns(self, now_ns: int) -> int:
        """From when on the venue is asked what happened: before anything the journal may have missed."""
        if not self.newest_at:
            return now_ns - FIRST_NANOS
        oldest = min((int(row["at"]) for row in self.orders.values()), default=self.newest_at)
        return min(oldest, self.newest_at) - MARGIN_NANOS

    def owner_of(self, client_order_id: str) -> str | None:
        """The strategy that an order belongs to, by the journal alone; None for one it never saw."""
        table = tables.orders
        found = select(table.c.strategy).where(
            table.c.scope == self.scope, table.c.client_order_id == client_order_id
        )
        with self.engine.connect() as connection:
            owner = connection.execute(found.limit(1)).scalar()
        return None if owner is None else str(owner)

    def newest_row(self, client_order_id: str) -> dict[str, Any] | None:
        """An order as it was after its last change; None for one the journal never saw."""
        table = tables.orders
        found = select(table).where(table.c.scope == self.scope, table.c.client_order_id == client_order_id)
        with self.engine.connect() as connection:
            row = connection.execute(found.order_by(desc(table.c.id)).limit(1)).mappings().first()
        return None if row is None else dict(row)

    def knows_trade(self, client_order_id: str, trade_id: str) -> bool:
        """Whether a fill is in the journal."""
        table = tables.fills
        found = select(table.c.id).where(
            table.c.scope == self.scope,
            table.c.client_order_id == client_order_id,
            table.c.trade_id == trade_id,
        )
        with self.engine.connect() as connection:
            return connection.execute(found.limit(1)).first() is not None
