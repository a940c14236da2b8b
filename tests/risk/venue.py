"""A venue in memory for what closes and protects: it accepts, fills in parts, refuses, is late, and shuts.

Requests wait until the venue takes them, its reports wait until the book hears them, so an order may fill while its
cancel is on its way. `rule` is how the venue keeps a reduce-only order from turning a position round:

    own   each strategy's position is its own, orders are cut to it, as NautilusTrader's simulated venues do
    net   one net position of the account, and an order larger than it is refused, as on futures venues
    holds no reduce-only at all, but shares are held for every working order, as some brokers do
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from types import SimpleNamespace
from typing import Any, Literal

from nautilus_trader.model import Money, Price, Quantity

from risk.book import Book, WorkingOrder
from risk.numbers import ZERO
from risk.state import Notice

SECOND = 1_000_000_000
AAPL = "AAPL.XNAS"
MOST_ROUNDS = 60
Rule = Literal["own", "net", "holds"]


def instrument(
    *, lot: str | None = None, step: str = "1", smallest: str | None = None, **more: Any
) -> SimpleNamespace:
    """The fields of an engine's instrument that are looked at; what is not given is None, as it often is."""

    def quantity(text: str | None) -> Quantity | None:
        return None if text is None else Quantity.from_str(text)

    fields: dict[str, Any] = {
        "lot_size": quantity(lot), "size_increment": quantity(step), "min_quantity": quantity(smallest),
        "max_quantity": None, "min_notional": None, "max_notional": None, "is_inverse": False,
        "multiplier": Quantity.from_str("1"), "price_increment": Price.from_str("0.01"),
    }  # fmt: skip
    return SimpleNamespace(**{**fields, **more})


def usd(amount: int) -> Money:
    return Money.from_str(f"{amount} USD")


@dataclass
class Resting:
    """An order as the venue knows it."""

    order: WorkingOrder
    left: Decimal


@dataclass
class FakeHours:
    """A market that is open until told otherwise."""

    shut: str | None = None

    def closed_why(self, _ts: int) -> str | None:
        return self.shut


@dataclass
class Venue:
    """Requests in, reports out; nothing happens until a test says so. `heard` is called after each report."""

    rule: Rule = "own"
    made: SimpleNamespace = field(default_factory=instrument)
    price: Decimal = Decimal(100)
    ts: int = 0
    prompt: bool = False  # whether requests are taken, filled and reported inside the call

    def __post_init__(self) -> None:
        self.book = Book(Decimal(1_000_000), "USD")
        self.known = self.book.add_instrument(AAPL, self.made.multiplier.as_decimal(), venue="XNAS")
        self.book.mark(self.known, self.price)
        self.hours = FakeHours()
        self.resting: dict[str, Resting] = {}
        self.requests: deque[tuple[str, list[str]]] = deque()
        self.reports: deque[Callable[[], tuple[str, str]]] = deque()
        self.true: dict[str, Decimal] = {}  # strategy -> position, as the venue has filled it
        self.closes: set[str] = set()  # ids of orders that close_out sent
        self.cancelled: list[str] = []  # ids whose cancel was asked for
        self.notices: list[Notice] = []
        self.refuses: Callable[[WorkingOrder], str | None] = lambda _order: None
        self.heard: Callable[[str, str], None] = lambda _strategy, _order_id: None
        self.ended: Callable[[str, str, str], None] = lambda _order_id, _status, _reason: None
        self.sent: Callable[[WorkingOrder], None] = lambda _order: None
        self._ids = 0
        self._trades = 0

    # -- what tests look at -----------------------------------------------------------------------------------------

    def kinds(self) -> list[str]:
        return [notice.kind for notice in self.notices]

    def position(self, strategy: str = "A") -> Decimal:
        return self.book.holding(strategy, AAPL).position

    def positions(self) -> list[int]:
        """Of A and B, in whole units."""
        return [int(self.position(strategy)) for strategy in "AB"]

    def working(self, strategy: str = "A") -> list[WorkingOrder]:
        return list(self.book.holding(strategy, AAPL).working.values())

    def stops(self, strategy: str = "A") -> list[tuple[Decimal, Decimal | None]]:
        return sorted((o.leaves, o.trigger) for o in self.working(strategy) if o.trigger is not None)

    def limits(self, strategy: str = "A") -> list[tuple[Decimal, Decimal | None]]:
        return sorted((o.leaves, o.limit) for o in self.working(strategy) if o.trigger is None and o.limit)

    # -- sending ----------------------------------------------------------------------------------------------------

    def new_id(self) -> str:
        self._ids += 1
        return f"O-{self._ids}"

    def send(self, orders: list[WorkingOrder]) -> None:
        for order in orders:
            self.book.submitted(order)
            self.sent(order)
        self.requests.append(("new", [order.client_order_id for order in orders]))
        self.run_if_prompt()

    def order(  # what a strategy sends
        self,
        strategy: str,
        signed: int | Decimal,
        *,
        limit: Decimal | None = None,
        trigger: Decimal | None = None,
        reduce_only: bool = False,
        group: str | None = None,
    ) -> WorkingOrder:
        name, quantity = self.new_id(), abs(Decimal(signed))
        prices = [price for price in (limit, trigger) if price is not None]
        return WorkingOrder(
            name, strategy, AAPL, signed > 0, quantity, max(prices, default=None), reduce_only,
            group or name, limit=limit, trigger=trigger, sent_at=self.ts,
        )  # fmt: skip

    def cancel(self, names: list[str]) -> None:
        for name in names:
            self.cancelled.append(name)
            self.requests.append(("cancel", [name]))
        self.run_if_prompt()

    def run_if_prompt(self) -> None:
        if self.prompt:
            self.settle()

    # -- what the venue does ----------------------------------------------------------------------------------------

    def take(self) -> None:
        """Take the oldest request."""
        if not self.requests:
            return
        what, names = self.requests.popleft()
        for name in names:
            if what == "cancel":
                self._cancel(name)
            else:
                self._accept(name)

    def _accept(self, name: str) -> None:
        order = self.book.orders.get(name)
        if order is None:
            return
        why = self.refuses(order) or self._not_reducing(order)
        if why is not None:
            self.reports.append(lambda: self._close(name, "REJECTED", why))
            return
        self.resting[name] = Resting(order, order.leaves)

    def _cancel(self, name: str) -> None:
        if name not in self.resting:
            return
        group = self.resting[name].order.group
        for each in [n for n, r in self.resting.items() if r.order.group == group]:
            self._drop(each)

    def _drop(self, name: str) -> None:
        del self.resting[name]
        self.reports.append(lambda: self._close(name, "CANCELED", ""))

    def _room(self, order: WorkingOrder) -> Decimal:
        """How much of a position there is for an order to close."""
        position = (
            self.true.get(order.strategy, ZERO) if self.rule == "own" else sum(self.true.values(), ZERO)
        )
        return max(ZERO, -position if order.is_buy else position)

    def _not_reducing(self, order: WorkingOrder) -> str | None:
        if self.rule != "holds":
            enough = min(order.leaves, Decimal(1)) if self.rule == "own" else order.leaves
            short = order.reduce_only and self._room(order) < enough
            return "reduce-only order would have increased position" if short else None
        held: dict[str, Decimal] = {}
        for resting in self.resting.values():
            if resting.order.is_buy is order.is_buy and resting.order.group != order.group:
                held[resting.order.group] = max(held.get(resting.order.group, ZERO), resting.left)
        if order.reduce_only and order.leaves > self._room(order) - sum(held.values(), ZERO):
            return "insufficient quantity available: held for orders"
        return None

    def fill(self, name: str, quantity: Decimal | None = None, price: Decimal | None = None) -> None:
        """Fill a resting order, or part of it; a reduce-only one never beyond the position there is."""
        resting = self.resting[name]
        order = resting.order
        units = resting.left if quantity is None else min(quantity, resting.left)
        if order.reduce_only:
            units = min(units, self._room(order))
            if not units:
                self._drop(name)
                return
        signed = units if order.is_buy else -units
        self.true[order.strategy] = self.true.get(order.strategy, ZERO) + signed
        resting.left -= units
        self._trades += 1
        trade, at = str(self._trades), price or self.price
        self.reports.append(lambda: self._filled(order, trade, signed, at))
        if not resting.left:
            del self.resting[name]
        self._resize_twins(order, resting.left)
        self._trim(order.strategy)

    def _resize_twins(self, order: WorkingOrder, left: Decimal) -> None:
        for name, twin in list(self.resting.items()):
            if twin.order.group == order.group and twin.order is not order:
                if left:
                    self._resize(name, left)
                else:
                    self._drop(name)

    def _trim(self, strategy: str) -> None:
        """Only the simulated venues of the engine make reduce-only orders follow the position."""
        if self.rule != "own":
            return
        for name, resting in list(self.resting.items()):
            if (
                resting.order.strategy != strategy
                or not resting.order.reduce_only
                or resting.order.price is None
            ):
                continue
            room = self._room(resting.order)
            if not room:
                self._drop(name)
            elif resting.left > room:
                self._resize(name, room)

    def _resize(self, name: str, left: Decimal) -> None:
        self.resting[name].left = left
        self.reports.append(lambda: self._resized(name, left))

    def drop(self, name: str) -> None:
        """Cancel an order nobody asked to cancel."""
        self._drop(name)

    # -- what the book hears ----------------------------------------------------------------------------------------

    def report(self) -> None:
        """Let the book hear the oldest report."""
        if self.reports:
            strategy, name = self.reports.popleft()()
            self.heard(strategy, name)

    def _close(self, name: str, status: str, why: str) -> tuple[str, str]:
        order = self.book.orders[name]
        self.book.closed(name)
        self.ended(name, status, why)
        return order.strategy, name

    def _filled(self, order: WorkingOrder, trade: str, signed: Decimal, price: Decimal) -> tuple[str, str]:
        self.book.filled(
            strategy=order.strategy, instrument=AAPL, client_order_id=order.client_order_id, trade_id=trade,
            signed_quantity=signed, price=price, commission=ZERO, ts=self.ts,
        )  # fmt: skip
        return order.strategy, order.client_order_id

    def _resized(self, name: str, left: Decimal) -> tuple[str, str]:
        order = self.book.orders[name]
        self.book.resized(name, left, order.price)
        return order.strategy, name

    def settle(self) -> None:
        """Take, fill market orders and report until nothing moves any more."""
        for rounds in count():
            assert rounds < MOST_ROUNDS, "it never comes to rest"
            if not (self.requests or self.reports or self._markets()):
                break
            while self.requests:
                self.take()
            for name in self._markets():
                if name in self.resting:
                    self.fill(name)
            while self.reports:
                self.report()

    def _markets(self) -> list[str]:
        return (
            [name for name, r in self.resting.items() if r.order.price is None] if not self.hours.shut else []
        )

    def hold(self, strategy: str, signed: int | str | Decimal, price: Decimal | None = None) -> None:
        """Have a strategy hold a position, filled long ago."""
        prompt, self.prompt = self.prompt, False
        before, self.price = self.price, price or self.price
        order = self.order(strategy, Decimal(signed))
        self.send([order])
        self.take()
        self.fill(order.client_order_id)
        self.report()
        self.prompt, self.price = prompt, before


class FakeGate:
    """The gate of one strategy at a venue."""

    def __init__(self, venue: Venue, strategy: str) -> None:
        self.venue = venue
        self.strategy_id = strategy
        self.running = True

    def is_running(self) -> bool:
        return self.running

    def cancel_working(self, client_order_ids: Sequence[str]) -> None:
        self.venue.cancel([name for name in client_order_ids if name in self.venue.book.orders])

    def close_out(self, instrument: str, position: Decimal, quantity: Decimal | None = None) -> str:
        assert instrument == AAPL
        units = abs(position) if quantity is None else quantity
        order = self.venue.order(self.strategy_id, -units if position > 0 else units, reduce_only=True)
        self.venue.closes.add(order.client_order_id)
        self.venue.send([order])
        return order.client_order_id

    def send_protection(
        self,
        instrument: str,
        *,
        is_buy: bool,
        quantity: Decimal,
        trigger: Decimal | None,
        limit: Decimal | None,
    ) -> str:
        assert instrument == AAPL
        signed = quantity if is_buy else -quantity
        group = self.venue.new_id() if trigger is not None and limit is not None else None
        orders = []
        if trigger is not None:
            orders.append(
                self.venue.order(self.strategy_id, signed, trigger=trigger, reduce_only=True, group=group)
            )
        if limit is not None:
            orders.append(
                self.venue.order(self.strategy_id, signed, limit=limit, reduce_only=True, group=group)
            )
        self.venue.send(orders)
        return orders[0].client_order_id

    def instrument_of(self, instrument: str) -> Any:
        assert instrument == AAPL
        return self.venue.made
