"""What goes on record about an account that was made flat without a node?

Orders, fills and positions as the venue told them, all as `operator`'s, in the chain of the commands. A position that
several strategies net at the venue is theirs no more once the venue holds nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from adapters.account import VenueFill, VenueOrder
from journal import tables
from live._flatten_plan import Close
from live._moved import Moved, Row, Rows
from risk.foreign import EXTERNAL

if TYPE_CHECKING:
    from live._about import About
    from live._flatten_alone import Flattened
    from live._flatten_plan import Plan
    from live._past import Past

ZERO = Decimal(0)


class FlattenRecord:
    """Makes the rows of one flattening. Stamps are the wall clock's: the venue's own time is not always told."""

    def __init__(self, about: About, past: Past) -> None:
        """`past` knows whose orders and positions they were."""
        account = about.account
        self._base = {"scope": account.scope, "mode": account.mode, "venue": account.venue}
        self._past = past
        self._moved = Moved(self._base, about.run["currency"], past.positions)
        self._closes: dict[str, Close] = {}  # client order id -> the close that was sent under it

    def intent(self, close: Close) -> Rows:
        """The row that has to be there before a close leaves."""
        if close.client_order_id in self._closes:
            return []
        self._closes[close.client_order_id] = close
        return [(tables.orders, {**self._close_row(close), "event": "SENDING", "status": "SENDING"})]

    @property
    def sent(self) -> set[str]:
        """Client order ids of the closes that may have been sent."""
        return set(self._closes)

    def result(self, plan: Plan, done: Flattened) -> Rows:
        """The rows of what the venue says afterwards."""
        there = {order.venue_order_id: order for order in done.snapshot.orders}
        by_name = {order.client_order_id: order for order in done.snapshot.orders}
        rows = self._fills(done.snapshot.fills)
        for asked in plan.cancels:
            now = there.get(asked.venue_order_id, asked)
            if not now.is_open:
                rows.append((tables.orders, self._order_row(now)))
        rows += self._known(plan, by_name)
        for name, close in self._closes.items():
            order = by_name.get(name)
            if order is not None:
                values = {"event": order.status, "status": order.status, "filled": order.filled}
                told = {"venue_order_id": order.venue_order_id, "reason": order.reason}
                rows.append((tables.orders, {**self._close_row(close), **values, **told}))
        return rows + self._netted(plan, done)

    # -- inside -----------------------------------------------------------------------------------------------------

    def _known(self, plan: Plan, by_name: Mapping[str | None, VenueOrder]) -> Rows:
        """What became of other orders that had not ended by the journal."""
        cancelled = {order.client_order_id for order in plan.cancels}
        rows: Rows = []
        for name, before in self._past.orders.items():
            now = by_name.get(name)
            if now is None or name in cancelled:
                continue
            if not now.is_open or now.filled != before["filled"]:
                rows.append((tables.orders, self._order_row(now)))
        return rows

    def _close_row(self, close: Close) -> Row:
        return {
            **self._base, "ts": time.time_ns(), "client_order_id": close.client_order_id, "venue_order_id": None,
            "strategy": close.strategy, "instrument": close.instrument,
            "side": "SELL" if close.quantity > 0 else "BUY", "type": "MARKET", "quantity": abs(close.quantity),
            "price": None, "trigger_price": None, "tif": "", "reduce_only": True, "filled": ZERO, "reason": None,
            "limits_version": None, "source": "operator",
        }  # fmt: skip

    def _order_row(self, order: VenueOrder) -> Row:
        name = order.client_order_id or f"venue:{order.venue_order_id}"
        return {
            **self._base, "ts": time.time_ns(), "client_order_id": name, "venue_order_id": order.venue_order_id,
            "event": order.status, "status": order.status, "strategy": self._past.owner_of(name) or EXTERNAL,
            "instrument": order.instrument, "side": order.side, "type": order.type, "quantity": order.quantity,
            "price": order.price, "trigger_price": order.trigger_price, "tif": order.tif,
            "reduce_only": order.reduce_only, "filled": order.filled, "reason": order.reason,
            "limits_version": None, "source": "operator",
        }  # fmt: skip

    def _fills(self, fills: Iterable[VenueFill]) -> Rows:
        """Fills the journal does not have, the positions they make, and the round trips they end."""
        rows: Rows = []
        for fill in sorted(fills, key=lambda each: each.ts):
            name = fill.client_order_id or f"venue:{fill.venue_order_id}"
            close = self._closes.get(name)
            owner = close.strategy if close is not None else self._past.owner_of(name)
            if owner is None or self._past.knows_trade(name, fill.trade_id):
                continue
            row = {
                **self._base, "ts": fill.ts, "trade_id": fill.trade_id, "client_order_id": name,
                "venue_order_id": fill.venue_order_id, "strategy": owner, "instrument": fill.instrument,
                "side": fill.side, "quantity": fill.quantity, "price": fill.price, "commission": fill.commission,
                "currency": fill.currency, "liquidity": fill.liquidity, "decision_price": None, "slippage": None,
                "source": "operator",
            }  # fmt: skip
            rows.append((tables.fills, row))
            rows += self._moved.by(row, fill.currency)
        return rows

    def _netted(self, plan: Plan, done: Flattened) -> Rows:
        """Where the venue holds nothing any more, no strategy does."""
        if not done.is_done:
            return []
        held = {each.instrument for each in done.snapshot.positions if each.quantity}
        closed = {close.instrument for close in self._closes.values()}
        if plan.is_whole:
            closed |= {instrument for _, instrument in self._past.positions}
        return self._moved.flat(closed - held)
