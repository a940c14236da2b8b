"""What happens to an order: accepted, routed, filled, replaced, canceled, expired, in the order the real one tells it.

A request is answered first and worked on afterwards: `submit`, `replace` and `cancel` take it in, `settle` does it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

from simulators.alpaca import groups, hours, matching, rules, tickets
from simulators.alpaca.assets import Assets
from simulators.alpaca.calendar import Calendar
from simulators.alpaca.ledger import Ledger
from simulators.alpaca.matching import Quote
from simulators.alpaca.orders import WORKING, Order
from simulators.alpaca.refusal import DUPLICATE, RefusedError, not_found, unprocessable
from simulators.alpaca.wire import amount, iso

Update = dict[str, Any]


@dataclass(slots=True)
class Exchange:
    """Orders, prices and the account they are booked in. `tell` gets every trade update, in order."""

    assets: Assets
    calendar: Calendar
    ledger: Ledger
    stamp: Callable[[], int]
    tell: Callable[[Update], None]
    multiplier: int = 2
    partial: Decimal | None = None
    stopped_target: str = "replaced"
    """What becomes of a take-profit whose stop-loss fills: replaced, orphaned (replaced by nothing named), canceled."""

    flags: rules.Flags = field(default_factory=rules.Flags)
    orders: dict[str, Order] = field(default_factory=dict)
    by_client_id: dict[str, str] = field(default_factory=dict)
    received: Counter[str] = field(default_factory=Counter)
    quotes: dict[str, Quote] = field(default_factory=dict)
    races: Counter[str] = field(default_factory=Counter)
    """Scripted losses: "cancel" and "replace" lose to a fill, "reject" rejects what was accepted."""

    fills: list[dict[str, str]] = field(default_factory=list)
    changed: dict[str, None] = field(default_factory=dict)
    """Orders that the record does not know as they are now."""

    halted: set[str] = field(default_factory=set)
    _inbox: deque[Callable[[], None]] = field(default_factory=deque)
    _open: dict[str, Order] = field(default_factory=dict)

    # -- requests

    def submit(self, body: dict[str, Any]) -> Order:
        """Accept an order and its legs. Raises RefusedError."""
        name = str(body.get("client_order_id") or uuid4())
        if body.get("client_order_id"):
            self.received[name] += 1
        asset = self.assets.find(str(body.get("symbol") or ""))
        if asset is None:
            raise unprocessable(
                f'asset "{body["symbol"]}" not found' if body.get("symbol") else "symbol is required"
            )
        ticket = tickets.read(body, asset)
        if name in self.by_client_id:
            raise RefusedError(422, DUPLICATE, "client_order_id must be unique")
        hours.check(ticket, asset, self.calendar, self.stamp())
        rules.check(ticket, asset, self.ledger, self.open_orders(), self.quotes, self.power(), self.flags)
        order, legs = groups.make(
            ticket, asset, name, self.stamp(), self.ledger.held(asset.symbol), self.quotes.get(asset.symbol)
        )
        for each in (order, *legs):
            each.expires_at = hours.expiry(each, self.calendar)
            self.add(each)
        if not self._tradable_now(order):
            order.status = "accepted"
        self._inbox.append(lambda: self._route(order))
        return order

    def replace(self, order: Order, body: dict[str, Any]) -> Order:
        """Accept a change: a new order that takes the place of the old one. Raises RefusedError."""
        changed = groups.changed(order, body, self.assets.get(order.symbol), self.stamp())
        if changed.client_order_id in self.by_client_id:
            raise RefusedError(422, DUPLICATE, "client_order_id must be unique")
        more = rules.hold(changed, self.ledger, self.quotes) - rules.hold(order, self.ledger, self.quotes)
        rules.check_power_for_more(order, more, self.power())
        changed.expires_at = hours.expiry(changed, self.calendar)
        was = order.status
        order.status = "pending_replace"
        self.add(order)
        self.add(changed)
        self._inbox.append(lambda: self._swap(order, changed, was))
        return changed

    def cancel(self, order: Order) -> None:
        """Accept a cancel. Raises RefusedError 422 for what is over, or being canceled already."""
        if not order.is_open or order.status == "pending_cancel":
            raise unprocessable(f'order is already in "{order.status}" state')
        was = order.status
        order.status = "pending_cancel"
        self._inbox.append(lambda: self._cancel(order, was))

    def get(self, order_id: str) -> Order:
        """By id. Raises RefusedError 404."""
        found = self.orders.get(order_id)
        if found is None:
            raise not_found(f"order not found for {order_id}")
        return found

    def get_by_client_id(self, name: str) -> Order:
        """By the client's own id. Raises RefusedError 404."""
        if name not in self.by_client_id:
            raise not_found(f"order not found for {name}")
        return self.orders[self.by_client_id[name]]

    def settle(self) -> None:
        """Work on what was accepted."""
        while self._inbox:
            self._inbox.popleft()()

    # -- the market

    def mark(self, symbol: str, quote: Quote) -> None:
        """Take note of a price; nothing fills yet."""
        self.quotes[symbol] = quote

    def match(self, symbol: str) -> None:
        """Fill what the newest price reaches."""
        for order in [each for each in self._open.values() if each.symbol == symbol]:
            self.try_to_fill(order)

    def power(self) -> rules.Power:
        """What the account is worth and may buy."""
        return rules.power(self.ledger, self.quotes, self._open.values(), self.assets, self.multiplier)

    def open_orders(self) -> list[Order]:
        """Oldest first."""
        return list(self._open.values())

    # -- what happens to an order

    def add(self, order: Order) -> None:
        """Take an order into the books."""
        self.orders[order.id] = order
        self.by_client_id[order.client_order_id] = order.id
        self.changed[order.id] = None
        if order.is_open:
            self._open[order.id] = order
        else:
            self._open.pop(order.id, None)

    def update(self, event: str, order: Order, **details: str) -> None:
        """Tell a trade update."""
        stamp = self.stamp()
        order.updated_at = stamp
        self.changed[order.id] = None
        if not order.is_open:
            self._open.pop(order.id, None)
        execution = details.pop("execution_id", None) or str(uuid4())
        self.tell({
            "event": event, "execution_id": execution, "order": order.row(), "timestamp": iso(stamp), **details,
        })  # fmt: skip

    def end(self, order: Order, status: str) -> None:
        """Cancel, expire or reject; what hangs on it ends with it."""
        order.status = status
        stamp = self.stamp()
        name = {"canceled": "canceled_at", "expired": "expired_at", "rejected": "failed_at"}[status]
        setattr(order, name, stamp)
        self.update(status, order)
        for other in groups.bound_to(order, self.orders):
            if other.is_open:
                self.end(other, "canceled" if status == "rejected" else status)

    def give_way(self, target: Order, stop: Order) -> None:
        """The stop-loss of a pair has filled, and has taken the place of its take-profit."""
        target.status, target.replaced_at = "replaced", self.stamp()
        target.replaced_by = stop.id if self.stopped_target == "replaced" else None
        self.update("replaced", target)

    def try_to_fill(self, order: Order) -> None:
        """Fill it, or a part, if the newest price allows."""
        quote = self.quotes.get(order.symbol)
        if quote is None or not self._matchable(order):
            return
        price = matching.price_for(order, quote)
        if order.type == "trailing_stop":
            self.changed[order.id] = None
        if price is None:
            return
        if order.status == "held":
            order.status = "new"
            self.update("new", order)
        step = self.assets.get(order.symbol).min_trade_increment
        self.fill(order, matching.qty_for(order, price, step, self.partial), price)

    def fill(self, order: Order, qty: Decimal, price: Decimal) -> None:
        """Book a fill and what follows from it."""
        stamp = self.stamp()
        before = order.status
        order.fill(qty, price, stamp)
        if order.status == "partially_filled" and before in ("pending_cancel", "pending_replace"):
            order.status = before
        execution = self.ledger.fill(order, qty, price, stamp)
        self.fills.append({
            "execution_id": execution, "order_id": order.id, "client_order_id": order.client_order_id,
            "symbol": order.symbol, "side": order.side, "qty": amount(qty), "price": amount(price),
        })  # fmt: skip
        details = {
            "price": amount(price),
            "qty": amount(qty),
            "position_qty": amount(self.ledger.held(order.symbol)),
        }
        event = "fill" if order.status == "filled" else "partial_fill"
        self.update(event, order, execution_id=execution, **details)
        groups.after_fill(self, order)

    # -- helpers

    def _route(self, order: Order) -> None:
        if order.status == "accepted":
            self.update("accepted", order)
            return
        if order.status != "pending_new":
            return
        self.update("pending_new", order)
        if self.races["reject"] > 0:
            self.races["reject"] -= 1
            self.end(order, "rejected")
            return
        order.status = "new"
        self.update("new", order)
        self.try_to_fill(order)
        if order.time_in_force in ("ioc", "fok") and order.is_open:
            self.end(order, "canceled")

    def _swap(self, order: Order, changed: Order, was: str) -> None:
        if self.races["replace"] > 0 and order.is_open:
            self.races["replace"] -= 1
            changed.status = "rejected"
            self.fill(order, order.leaves, self._scripted_price(order))
        if order.status != "pending_replace":
            changed.status, changed.failed_at = "rejected", self.stamp()
            self.update("rejected", changed)  # its legs are the old order's too: they go on
            self.update("order_replace_rejected", order)
            return
        order.status, order.replaced_at, order.replaced_by = "replaced", self.stamp(), changed.id
        self.update("replaced", order)
        if was == "held":
            changed.status = "held"
        elif self._tradable_now(changed):
            changed.status = "new"
        groups.take_over(order, changed, self.orders)
        self.update("new" if changed.status == "new" else "accepted", changed)
        self.try_to_fill(changed)

    def _cancel(self, order: Order, was: str) -> None:
        if self.races["cancel"] > 0 and was in WORKING and order.is_open:
            self.races["cancel"] -= 1
            self.fill(order, order.leaves, self._scripted_price(order))
        if order.status == "pending_cancel":
            self.end(order, "canceled")
        elif not order.is_open:
            self.update("order_cancel_rejected", order)

    def _scripted_price(self, order: Order) -> Decimal:
        quote = self.quotes.get(order.symbol)
        return order.limit_price or (quote.last if quote else Decimal(1))

    def _matchable(self, order: Order) -> bool:
        armed = order.status in WORKING or (order.status == "held" and groups.is_armed(order, self.orders))
        in_auction = order.time_in_force in ("opg", "cls")
        return armed and not in_auction and order.symbol not in self.halted and self._tradable_now(order)

    def _tradable_now(self, order: Order) -> bool:
        return hours.is_tradable(order, self.calendar, self.stamp())
