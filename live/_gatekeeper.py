"""What has the last word before an order leaves, and what does the journal learn from the venue's own client?

The second intent, SENDING, is on disk before a byte leaves: after a crash an order without it never left. Orders that
the engine releases by itself pass here too.
"""

from __future__ import annotations

import time
from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from adapters.account import ENDED, OPEN, nameless
from journal import tables
from journal.errors import JournalDownError
from live._order_rows import again, fill_row, take_values
from risk.doubts import Unknown
from risk.foreign import EXTERNAL
from risk.foreign import fill as booked
from risk.state import Notice

if TYPE_CHECKING:
    from adapters.account import VenueFill, VenueFlow, VenueOrder
    from adapters.gatekeeper import Intent
    from journal.witness import JournalWitness
    from live._past import Past
    from risk.desk import RiskDesk

ZERO = Decimal(0)
ENGINE_SECS = 1.0
"""So long the engine may take to hand a fill on before it counts as refused."""
CAPITAL = ("transfer",)
"""Kinds of flows that are the owner's own money, neither earned nor lost."""
THERE = frozenset({*OPEN, *ENDED} - {"REJECTED"})
"""Statuses of an order that the venue has, or had."""


class OrderKeeper:
    """The Gatekeeper of a live node: desk, journal and past in one place."""

    def __init__(
        self, desk: RiskDesk, witness: JournalWitness, past: Past, since_ns: int = 0, *, freezes: bool = True
    ) -> None:
        """`past` knows who owned the orders of the runs before this one.

        since_ns: the venue's stamp of the account as this run began with it; older fills are in it. freezes: whether
        nothing is opened any more in an instrument in which somebody else trades (run.foreign_positions).
        """
        self._freezes = freezes
        self._since = since_ns
        desk.events.left_of = self._left_of
        self._foreign: set[str] = set()  # names of orders that this node did not send
        self._told: deque[tuple[float, VenueFill]] = deque()  # (when to look, fill the engine was told of)
        self._ending: dict[
            str, VenueOrder
        ] = {}  # client order id -> its end, while fills before it are missing
        self._desk = desk
        self._witness = witness
        self._past = past

    def before_send(self, order: Intent) -> str | None:
        """Keep the intent, durably; text is why the order is denied instead."""
        name = order["client_order_id"]
        adds = self._adds(order)
        if adds:
            reason = self._refused(order)
            if reason is not None:
                return reason
        try:
            self._witness.writer.commit((tables.orders, self._sending(order)))
        except JournalDownError as error:
            if adds:
                self._note(name, "DENIED", "NOT_SENT", f"JOURNAL: {error}")
                return f"JOURNAL: {error}; nothing was sent"
        return None

    def sent(self, client_order_id: str, venue_order_id: str | None) -> None:
        """The venue has it; its own event of it follows."""
        row = self._witness.orders.get(client_order_id)
        if row is not None and venue_order_id is not None:
            row["venue_order_id"] = venue_order_id

    def unknown(self, client_order_id: str, why: str) -> None:
        """Nobody knows whether it arrived: nothing is opened in its instrument until that is known."""
        row = self._note(client_order_id, "UNKNOWN", "UNKNOWN", why)
        if row is None:
            return
        now = self._desk.market_now()
        self._desk.doubts.block(Unknown(client_order_id, row["instrument"], why, now))
        text = f"nobody knows what became of {client_order_id} in {row['instrument']}: {why}"
        self._witness.risk_event(now, "UNKNOWN_ORDER", text, f"strategy:{row['strategy']}")
        self._witness.alert(now, "critical", "UNKNOWN_ORDER", text)

    def resolved(self, client_order_id: str, outcome: str) -> None:
        """What became of it is known."""
        asked = self._desk.doubts.resolve(client_order_id)
        if asked is None:
            return
        text = f"{client_order_id} is known now: {outcome}"
        status = "ACCEPTED" if outcome in THERE else "SUBMITTED"  # how it ended is told by its own events
        self._note(client_order_id, "RESOLVED", status, text)
        self._witness.risk_event(self._desk.market_now(), "RESOLVED_ORDER", text)

    def own_fill(self, fill: VenueFill) -> None:
        """The engine was told of it; `turn` looks whether it took it."""
        self._told.append((time.monotonic() + ENGINE_SECS, fill))

    def foreign_order(self, order: VenueOrder) -> None:
        """News of an order that this node did not send: one of its former life, or nobody's."""
        self._foreign |= {order.name, nameless(order.venue_order_id)}
        row = self._witness.orders.get(order.name)
        if row is None:
            if order.is_open and not order.reduce_only and self._past.owner_of(order.name) is None:
                what = f"{order.side} {order.quantity} {order.instrument}"
                self._stranger(
                    "FOREIGN_ORDER", order.instrument, f"order {order.venue_order_id} ({what}) works"
                )
            return
        self.resolved(order.name, order.status)
        if order.status in ENDED:
            self._ending[order.name] = order
            self._end(order.name)
        elif order.status in OPEN:
            self._goes_on(order.name, row, order)

    def foreign_fill(self, fill: VenueFill) -> None:
        """A fill of such an order; the trade id tells whether it is known."""
        self._foreign |= {fill.name, nameless(fill.venue_order_id)}
        if fill.ts < self._since:
            return
        owner = self._past.owner_of(fill.name)
        if self._book(fill, owner or EXTERNAL) and owner is None:
            what = f"{fill.side} {fill.quantity} {fill.instrument} at {fill.price}"
            self._stranger("FOREIGN_FILL", fill.instrument, f"fill {fill.trade_id} ({what}) came")
        self._end(fill.name)

    def flow(self, flow: VenueFlow) -> None:
        """Money or shares moved without an order: capital moves the references along, the rest is profit or loss."""
        desk, text = self._desk, str(flow)
        if flow.ts < self._since:  # the account as the run began with it holds it already
            return
        try:
            if flow.amount and flow.kind in CAPITAL:
                desk.cash_flow(flow.amount, flow.currency, text)
            elif flow.amount:
                desk.carry(flow.amount, flow.currency)
        except LookupError:
            text += f"; there is no rate of {flow.currency}, so it is not counted"
        now = desk.market_now()
        self._witness.risk_event(now, "ACCOUNT_FLOW", text)
        if flow.moves_shares and flow.instrument in desk.book.instruments:
            what = f"{text}: what is held is not what its fills say; start again to take over what the venue holds"
            desk.doubts.freeze(flow.instrument, what)
            self._witness.alert(now, "warning", "ACCOUNT_FLOW", what)

    def _stranger(self, kind: str, instrument: str, what: str) -> None:
        """Somebody else trades on this account: tell it, and open nothing more there unless that is wanted."""
        known = instrument in self._desk.doubts.frozen
        text = f"{what} at the venue and is nobody's here"
        if self._freezes and instrument in self._desk.book.instruments and not known:
            self._desk.doubts.freeze(instrument, text)
        if not known or kind == "FOREIGN_FILL":
            now = self._desk.market_now()
            self._witness.risk_event(now, kind, text)
            self._witness.alert(now, "warning", kind, text)

    # -- from time to time --------------------------------------------------------------------------------------------

    def turn(self) -> None:
        """Book what the engine was told of and did not take. On the node's loop.

        It refuses fills that do not fit its own idea of a position, which is not what the account is.
        """
        while self._told and self._told[0][0] <= time.monotonic():
            _, fill = self._told.popleft()
            if self._desk.book.knows_trade(fill.name, fill.trade_id):
                continue
            owner = self._past.owner_of(fill.name) or EXTERNAL
            ended = self._late(fill.name)
            if self._book(fill, owner):
                what = (
                    f"{fill.side} {fill.quantity} {fill.instrument} at {fill.price} of {fill.name} ({owner})"
                )
                text = f"the engine did not take a fill, which is booked by the venue's word: {what}"
                self._desk.halts.notice(Notice("ALARM", text, self._desk.market_now()))
            if ended is not None and fill.name in self._witness.orders:
                self._note(fill.name, "RECONCILED", ended, None)
                del self._witness.orders[fill.name]

    def _late(self, name: str) -> str | None:
        """Know an order again that had ended; answers how."""
        row = None if name in self._witness.orders else self._past.newest_row(name)
        if row is None:
            return None
        self._witness.orders[name] = again(row, self._witness.base)
        return str(row["status"])

    # -- inside -----------------------------------------------------------------------------------------------------

    def _book(self, fill: VenueFill, owner: str) -> bool:
        """Count a fill and write it; False for one that is known."""
        now = max(self._desk.market_now(), fill.ts)
        new = booked(
            self._desk, strategy=owner, instrument=fill.instrument, client_order_id=fill.name, trade_id=fill.trade_id,
            signed_quantity=fill.quantity if fill.side == "BUY" else -fill.quantity, price=fill.price,
            commission=fill.commission, currency=fill.currency, ts=now,
        )  # fmt: skip
        if not new and (
            fill.instrument in self._desk.book.instruments or self._past.knows_trade(fill.name, fill.trade_id)
        ):
            return False
        self._witness.fill(fill_row(self._witness.base, fill, fill.name, owner, now))
        return True

    def _goes_on(self, name: str, row: dict[str, Any], order: VenueOrder) -> None:
        """It works on; the venue's word counts for what it is like."""
        status = "PARTIALLY_FILLED" if row["filled"] else "ACCEPTED"
        if take_values(row, order):
            self._note(name, "UPDATED", status, order.reason)
            prices = [each for each in (order.price, order.trigger_price) if each is not None]
            self._desk.book.resized(
                name, max(ZERO, order.quantity - row["filled"]), max(prices, default=None)
            )
        elif row["status"] != status:
            self._note(name, "RECONCILED", status, order.reason)

    def _left_of(self, name: str) -> Decimal | None:
        if name not in self._foreign:
            return None
        row = self._witness.orders.get(name)
        return ZERO if row is None else max(ZERO, Decimal(row["quantity"] - row["filled"]))

    def _end(self, name: str) -> None:
        """It has ended, once all of its fills are booked."""
        order, row = self._ending.get(name), self._witness.orders.get(name)
        if order is None or (row is not None and row["filled"] < order.filled):
            return
        del self._ending[name]
        if row is not None:
            take_values(row, order)
            self._note(name, "RECONCILED", order.status, order.reason)
            del self._witness.orders[name]
        self._desk.book.closed(name)
        self._desk.primaries.ended(name)

    def _adds(self, order: Intent) -> bool:
        """Whether it could add exposure; a doubt counts as yes."""
        if order["reduce_only"]:
            return False
        known = self._desk.book.orders.get(order["client_order_id"])
        return known is None or not known.spared

    def _refused(self, order: Intent) -> str | None:
        desk, instrument = self._desk, order["instrument"]
        known = desk.book.instruments.get(instrument)
        halted = desk.breakers.refuses(order["strategy"], known.venue if known is not None else "")
        return halted or desk.doubts.refuses(instrument)

    def _sending(self, order: Intent) -> dict[str, Any]:
        now = self._desk.market_now()
        row = self._witness.noted(now, order["client_order_id"], "SENDING", "SENDING")
        if row is not None:
            return row
        values = {
            **self._witness.base, **order, "ts": now, "venue_order_id": None, "event": "SENDING",
            "status": "SENDING", "filled": ZERO, "reason": None,
            "limits_version": self._witness.newest_version, "source": "client",
        }  # fmt: skip
        self._witness.orders[order["client_order_id"]] = values
        return dict(values)

    def _note(self, name: str, event: str, status: str, reason: str | None) -> dict[str, Any] | None:
        row = self._witness.noted(self._desk.market_now(), name, event, status, reason)
        if row is not None:
            self._witness.writer.add(tables.orders, row)
        return row
