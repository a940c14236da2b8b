"""Which orders fill, when, and at which price? The local broker's matching; it knows neither clock nor socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from simulators.broker import pricing
from simulators.broker.account import ZERO, Account
from simulators.broker.orders import (
    ACCEPTED,
    CANCELED,
    EXPIRED,
    FILLED,
    LINKS,
    PARTIALLY_FILLED,
    PENDING,
    SIDES,
    TIFS,
    TYPES,
    Fill,
    Order,
    RefusedError,
    amount,
    one_of,
)
from simulators.broker.playback import PlayedBar


@dataclass(frozen=True, slots=True)
class Listed:
    """What an instrument trades in: the smallest step of a quantity and of a price."""

    size_step: Decimal
    price_step: Decimal


@dataclass
class Exchange:
    """Orders, fills and one account. Every change is appended to `changes`, oldest first, for whoever tells it on.

    A market order fills at the newest price at once. On a bar, orders fill at the open where it is past their price,
    else at their price; stops come before limits.
    """

    listed: Mapping[str, Listed]
    account: Account
    commission_rate: Decimal = ZERO
    """A fraction of each fill's notional."""
    partial: Decimal | None = None
    """The share of what is left of an order that one match fills at most."""
    prices: dict[str, Decimal] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    received: dict[str, int] = field(default_factory=dict)
    """Client order id -> how many submits of it arrived."""
    changes: list[Order | Fill] = field(default_factory=list)
    _working: dict[str, Order] = field(default_factory=dict)
    _by_client: dict[str, Order] = field(default_factory=dict)

    # -- requests

    def submit(self, request: Mapping[str, Any], now: int) -> Order:
        """Take an order. Raises RefusedError; a client order id is taken once, whatever became of it."""
        name = request.get("client_order_id")
        if name is not None:
            self.received[name] = self.received.get(name, 0) + 1
            if self.received[name] > 1:
                raise RefusedError(
                    "DUPLICATE", f"client_order_id={name} was received {self.received[name]} times; not taken again"
                )  # fmt: skip
        order = self._order(request, now)
        if order.reduce_only and order.parent is None and not self._room(order):
            raise RefusedError("REDUCE_ONLY", "a reduce-only order would increase the position")
        self._keep(order)
        self._changed(order, now)
        if order.status == ACCEPTED:
            self._try_now(order, now)
        return order

    def modify(self, venue_order_id: str, request: Mapping[str, Any], now: int) -> Order:
        """Change quantity, price or trigger of a working order. Raises RefusedError."""
        order = self.working(venue_order_id)
        wanted = {
            key: amount(key, request[key])
            for key in ("price", "trigger_price")
            if request.get(key) is not None
        }
        for key in wanted:
            if getattr(order, key) is None:
                raise RefusedError("INVALID", f"{key}: a {order.type} order has none")
        if request.get("quantity") is not None:
            wanted["quantity"] = self._size(request["quantity"], order.instrument)
            if wanted["quantity"] <= order.filled:
                raise RefusedError("INVALID", f"quantity: {order.filled} of the order are filled already")
        for key, value in wanted.items():
            setattr(order, key, value)
        self._changed(order, now)
        if order.status != PENDING:
            self._try_now(order, now)
        return order

    def cancel(self, venue_order_id: str, now: int) -> Order:
        """Cancel a working order. Raises RefusedError when it is not working any more."""
        order = self.working(venue_order_id)
        self._end(order, CANCELED, None, now)
        return order

    def find(self, client_order_id: str | None = None, venue_order_id: str | None = None) -> Order | None:
        """An order by either id, None when it was never taken."""
        if venue_order_id is not None:
            return self.orders.get(venue_order_id)
        return self._by_client.get(client_order_id or "")

    def working(self, venue_order_id: str) -> Order:
        """A working order. Raises RefusedError."""
        order = self.orders.get(venue_order_id)
        if order is None:
            raise RefusedError("UNKNOWN", f"there is no order {venue_order_id}")
        if not order.is_open:
            raise RefusedError("CLOSED", f"order {venue_order_id} is {order.status}")
        return order

    # -- the market

    def bar(self, bar: PlayedBar, now: int) -> None:
        """The market moved through a bar."""
        self.prices[bar.instrument] = bar.open
        for order in self._working_in(bar.instrument):
            price = pricing.on_bar(order, bar)
            if order.is_open and price is not None:
                self._fill(order, price, now)
        self.prices[bar.instrument] = bar.close

    def end_day(self, now: int) -> None:
        """The session ended: day orders expire."""
        for order in list(self._working.values()):
            if order.tif == "DAY" and order.is_open:
                self._end(order, EXPIRED, "the day ended", now)

    # -- a broker that was started again

    def restore(self, change: Order | Fill) -> None:
        """Take over an order or a fill of an earlier life, in the order in which they were told."""
        if isinstance(change, Order):
            self._keep(change)
            if not change.is_open:
                self._working.pop(change.venue_order_id, None)
        else:
            self.fills.append(change)
            signed = change.quantity if change.side == "BUY" else -change.quantity
            self.account.trade(change.instrument, signed, change.price, change.commission)

    # -- below

    def _order(self, request: Mapping[str, Any], now: int) -> Order:
        kind = one_of("type", request.get("type"), TYPES)
        instrument = str(request.get("instrument"))
        self._listed(instrument)
        parent = request.get("parent")
        if parent is not None and parent not in self._by_client:
            raise RefusedError("INVALID", f"parent={parent}: there is no such order")
        held = parent is not None and not self._by_client[parent].filled
        link = request.get("contingency")
        return Order(
            venue_order_id=f"L-{len(self.orders) + 1}",
            client_order_id=request.get("client_order_id"),
            instrument=instrument,
            side=one_of("side", request.get("side"), SIDES),
            type=kind,
            quantity=self._size(request.get("quantity"), instrument),
            tif=one_of("tif", request.get("tif", "GTC"), TIFS),
            ts=now,
            price=amount("price", request.get("price")) if kind in ("LIMIT", "STOP_LIMIT") else None,
            trigger_price=amount("trigger_price", request.get("trigger_price")) if kind.startswith("STOP") else None,
            reduce_only=bool(request.get("reduce_only")),
            contingency=link if link in LINKS else None,
            linked=tuple(request.get("linked") or ()),
            parent=parent,
            status=PENDING if held else ACCEPTED,
        )  # fmt: skip

    def _listed(self, instrument: str) -> Listed:
        if instrument not in self.listed:
            raise RefusedError(
                "INVALID", f"instrument={instrument}: not traded here; there is {', '.join(self.listed)}"
            )
        return self.listed[instrument]

    def _size(self, text: object, instrument: str) -> Decimal:
        quantity, step = amount("quantity", text), self._listed(instrument).size_step
        if quantity % step:
            raise RefusedError("INVALID", f"quantity={text}: must be a multiple of {step}")
        return quantity

    def _keep(self, order: Order) -> None:
        self.orders[order.venue_order_id] = self._working[order.venue_order_id] = order
        if order.client_order_id is not None:
            self._by_client[order.client_order_id] = order

    def _working_in(self, instrument: str) -> list[Order]:
        found = [each for each in self._working.values() if each.instrument == instrument]
        return sorted(found, key=lambda each: not each.type.startswith("STOP"))

    def _room(self, order: Order) -> Decimal:
        """How much of the position there is for an order to close."""
        return max(ZERO, -self.account.held(order.instrument) * order.sign)

    def _try_now(self, order: Order, now: int) -> None:
        last = self.prices.get(order.instrument)
        price = None if last is None else pricing.at_once(order, last)
        if price is not None:
            self._fill(order, price, now, taker=True)
        if order.is_open and order.tif == "IOC" and last is not None:
            self._end(order, CANCELED, "immediate or cancel", now)

    def _fill(self, order: Order, price: Decimal, now: int, *, taker: bool = False) -> None:
        units = self._units(order)
        if not units:
            self._end(order, CANCELED, "reduce-only: there is no position to reduce", now)
            return
        fill = Fill(
            trade_id=f"T-{len(self.fills) + 1}",
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id,
            instrument=order.instrument,
            side=order.side,
            quantity=units,
            price=price,
            commission=(units * price * self.commission_rate).quantize(Decimal("0.01")),
            currency=self.account.currency,
            liquidity="TAKER" if taker or order.type != "LIMIT" else "MAKER",
            ts=now,
        )
        self.fills.append(fill)
        self.account.trade(order.instrument, units * order.sign, price, fill.commission)
        before = (order.average_price or ZERO) * order.filled
        order.filled += units
        order.average_price = (before + units * price) / order.filled
        order.status = PARTIALLY_FILLED if order.leaves else FILLED
        self.changes.append(fill)
        self._changed(order, now)
        self._after_fill(order, units, now)

    def _units(self, order: Order) -> Decimal:
        step = self.listed[order.instrument].size_step
        units = order.leaves
        if self.partial is not None:
            units = min(units, max(step, units * self.partial // step * step))
        return min(units, self._room(order)) if order.reduce_only else units

    def _after_fill(self, order: Order, units: Decimal, now: int) -> None:
        for twin in self._twins(order):
            left = twin.leaves - units
            if twin.contingency == "OUO" and order.leaves and left > 0:
                twin.quantity -= units
                self._changed(twin, now)
            else:
                self._end(twin, CANCELED, f"its twin {order.client_order_id} was filled", now, spare=order)
        for child in self._children(order):
            if child.status != PENDING:  # the one before it filled at once, and ended this one
                continue
            child.status = ACCEPTED
            self._changed(child, now)
            self._try_now(child, now)

    def _end(
        self, order: Order, status: str, reason: str | None, now: int, *, spare: Order | None = None
    ) -> None:
        """End an order with what hangs on it, but for `spare`."""
        order.status, order.reason = status, reason
        self._changed(order, now)
        for other in [*self._twins(order), *self._children(order)]:
            if other.is_open and other is not spare:
                self._end(other, CANCELED, f"{order.client_order_id} ended", now)

    def _twins(self, order: Order) -> list[Order]:
        if order.contingency not in LINKS:
            return []
        found = (self._by_client.get(name) for name in order.linked)
        return [each for each in found if each is not None and each.is_open]

    def _children(self, order: Order) -> list[Order]:
        name = order.client_order_id
        return [
            each for each in self._working.values() if name and each.parent == name and each.status == PENDING
        ]

    def _changed(self, order: Order, now: int) -> None:
        order.ts = now
        if not order.is_open:
            self._working.pop(order.venue_order_id, None)
        self.changes.append(Order.from_row(order.row()))
