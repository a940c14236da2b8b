"""What is booked and recorded once a person says what became of an order?"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from journal import tables
from live._resolution import FILLED, Resolution, Row, check_fits, resolved_row
from risk.foreign import fill as booked

if TYPE_CHECKING:
    from journal.witness import JournalWitness
    from risk.desk import RiskDesk
    from risk.doubts import Unknown

ZERO = Decimal(0)


class NodeResolver:
    """Takes a person's word into the book and the journal of a node. A live._order_verbs.Resolver."""

    def __init__(self, desk: RiskDesk, witness: JournalWitness) -> None:
        """For one desk and the journal it writes."""
        self._desk = desk
        self._witness = witness

    def __call__(self, order: Unknown, resolution: Resolution, said: str) -> None:
        """Book it: a fill as one of the venue's, otherwise the order no longer counts.

        Raises ConfigError, before anything is booked, for more than the order had left.
        """
        desk, witness, name = self._desk, self._witness, order.client_order_id
        now, known = desk.market_now(), witness.orders.get(name)
        row = None if known is None else dict(known)
        if row is not None and resolution.outcome == FILLED:
            check_fits(row, resolution)
            self._fill(row, resolution, now)
        witness.orders.pop(name, None)
        if row is not None:
            witness.writer.add(tables.orders, resolved_row(row, resolution, said, now))
        desk.book.closed(name)
        desk.primaries.ended(name)

    def _fill(self, row: Row, resolution: Resolution, now: int) -> None:
        name, quantity, price = row["client_order_id"], resolution.quantity, resolution.price
        if quantity is None or price is None:
            return
        trade = resolution.trade_id or f"OPERATOR-{name}"
        values = {
            **self._witness.base, "ts": now, "trade_id": trade, "client_order_id": name,
            "venue_order_id": row["venue_order_id"], "strategy": row["strategy"], "instrument": row["instrument"],
            "side": row["side"], "quantity": quantity, "price": price, "commission": ZERO,
            "currency": self._desk.book.currency, "liquidity": "UNKNOWN", "source": "operator",
        }  # fmt: skip
        booked(
            self._desk, strategy=row["strategy"], instrument=row["instrument"], client_order_id=name,
            trade_id=trade, signed_quantity=quantity if row["side"] == "BUY" else -quantity, price=price,
            commission=ZERO, currency=self._desk.book.currency, ts=now,
        )  # fmt: skip
        self._witness.fill(values)
