"""What would happen to positions, exposure and equity if everything working were filled?

Fed from event fields alone, one update an event: the engine's cache cannot be read in every handler, and an order that
was just submitted is in none of its lists. A holding is one strategy's position in one instrument.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from risk.numbers import ZERO


@dataclass(slots=True)
class WorkingOrder:
    """An order that may still fill. `leaves` is what is left of it, in units of the instrument.

    While a modification is on its way, `leaves` and `price` are the worse of old and new; `settled` is what the venue
    last confirmed. Orders of which only one can fill (OCO, OUO) carry the same `group`.
    """

    client_order_id: str
    strategy: str
    instrument: str
    is_buy: bool
    leaves: Decimal
    price: Decimal | None
    reduce_only: bool
    group: str
    settled: tuple[Decimal, Decimal | None] = (ZERO, None)

    def __post_init__(self) -> None:
        self.settled = (self.leaves, self.price)


@dataclass(slots=True)
class Instrument:
    """An instrument's multiplier and its last trusted price (`mark`), both exact."""

    instrument: str
    multiplier: Decimal
    mark: Decimal | None = None


@dataclass(slots=True)
class Holding:
    """One strategy's signed position in one instrument and the orders that may change it."""

    strategy: str
    instrument: Instrument
    position: Decimal = ZERO
    working: dict[str, WorkingOrder] = field(default_factory=dict)

    def committed(self, *, buys: bool, without: str | None = None) -> Decimal:
        """Units that working orders of one side may still fill; of a group that fills once, the largest."""
        if not self.working:
            return ZERO
        groups: dict[str, Decimal] = {}
        for order in self.working.values():
            if order.is_buy is buys and order.client_order_id != without:
                groups[order.group] = max(groups.get(order.group, ZERO), order.leaves)
        return sum(groups.values(), ZERO)

    def reduces(
        self, *, is_buy: bool, quantity: Decimal, reduce_only: bool, without: str | None = None
    ) -> bool:
        """Whether an order only lowers the absolute position, counting those already working.

        A reduce-only order can never flip a position at the venue, so what else is working does not count against it.
        """
        if self.position == ZERO or is_buy == (self.position > ZERO):
            return False
        taken = ZERO if reduce_only else self.committed(buys=is_buy, without=without)
        return quantity + taken <= abs(self.position)

    def extremes(
        self, extra: WorkingOrder | None = None, without: str | None = None
    ) -> tuple[Decimal, Decimal]:
        """The highest and the lowest position that working orders (and `extra`) can lead to."""
        high = self.position + self.committed(buys=True, without=without)
        low = self.position - self.committed(buys=False, without=without)
        if extra is not None:
            high, low = (high + extra.leaves, low) if extra.is_buy else (high, low - extra.leaves)
        return high, low

    def exposure(self, extra: WorkingOrder | None = None, without: str | None = None) -> Decimal:
        """The largest absolute value the position can reach, at the mark or an order's own price if that is higher.

        Raises LookupError when the instrument has no trusted price yet.
        """
        mark = self.instrument.mark
        if mark is None:
            raise LookupError(f"no trusted price of {self.instrument.instrument} yet")
        high, low = self.extremes(extra, without)
        orders = [order for order in self.working.values() if order.client_order_id != without]
        if extra is not None:
            orders.append(extra)
        premium = sum(
            (order.leaves * (order.price - mark) for order in orders if order.price and order.price > mark),
            ZERO,
        )
        return (max(abs(high), abs(low)) * mark + premium) * self.instrument.multiplier


class Book:
    """Cash, positions and working orders of one account in one currency.

    Equity is cash plus the value of all positions at their marks, so it holds open P&L at every moment.
    """

    def __init__(self, starting_cash: Decimal, currency: str) -> None:
        """An empty book that starts with `starting_cash` in `currency`."""
        self.cash = starting_cash
        self.currency = currency
        self.instruments: dict[str, Instrument] = {}  # instrument id -> its multiplier and mark
        self.holdings: dict[tuple[str, str], Holding] = {}  # (strategy id, instrument id) -> holding
        self.orders: dict[str, WorkingOrder] = {}  # client order id -> order that may still fill
        self._trades: set[tuple[str, str]] = set()  # (client order id, trade id): a fill counts once

    def add_instrument(self, instrument: str, multiplier: Decimal) -> Instrument:
        """Make an instrument known; what is not known cannot be traded."""
        return self.instruments.setdefault(instrument, Instrument(instrument, multiplier))

    def holding(self, strategy: str, instrument: str) -> Holding:
        """The holding of a strategy in an instrument, made when first asked for. Raises KeyError when unknown."""
        key = (strategy, instrument)
        found = self.holdings.get(key)
        if found is None:
            found = self.holdings[key] = Holding(strategy, self.instruments[instrument])
        return found

    def held(self) -> Iterator[Holding]:
        """The holdings whose position is not zero."""
        return (holding for holding in self.holdings.values() if holding.position)

    def is_flat(self) -> bool:
        """Whether no position is open."""
        return not any(True for _ in self.held())

    def unpriced(self) -> tuple[str, ...]:
        """Instruments held without a trusted price: equity is unknown while there are any."""
        return tuple(h.instrument.instrument for h in self.held() if h.instrument.mark is None)

    def equity(self) -> Decimal:
        """Cash plus open positions at their marks. Raises LookupError while a held instrument has no price."""
        total = self.cash
        for holding in self.held():
            mark = holding.instrument.mark
            if mark is None:
                raise LookupError(f"no trusted price of {holding.instrument.instrument} yet")
            total += holding.position * mark * holding.instrument.multiplier
        return total

    def gross(self, skip: Holding | None = None) -> Decimal:
        """The worst-case exposure of all holdings together, `skip` left out. Raises LookupError without a price."""
        return sum(
            (h.exposure() for h in self.holdings.values() if h is not skip and (h.position or h.working)),
            ZERO,
        )

    def open_instruments(self) -> set[str]:
        """Instruments held, or that a working order which is not a reduction may open."""
        return {h.instrument.instrument for h in self.holdings.values() if h.position or h.working}

    def submitted(self, order: WorkingOrder) -> None:
        """Count an order from the moment it is handed on."""
        self.orders[order.client_order_id] = order
        self.holding(order.strategy, order.instrument).working[order.client_order_id] = order

    def closed(self, client_order_id: str) -> None:
        """Forget an order that can no longer fill (denied, rejected, cancelled, expired)."""
        order = self.orders.pop(client_order_id, None)
        if order is not None:
            self.holding(order.strategy, order.instrument).working.pop(client_order_id, None)

    def resizing(self, client_order_id: str, leaves: Decimal, price: Decimal | None) -> None:
        """Count a modification from the moment it is handed on: the worse of old and new until it is answered."""
        order = self.orders[client_order_id]
        order.leaves = max(order.leaves, leaves)
        order.price = max((p for p in (order.price, price) if p is not None), default=None)

    def resized(self, client_order_id: str, leaves: Decimal, price: Decimal | None) -> None:
        """Take what the venue confirmed."""
        order = self.orders.get(client_order_id)
        if order is not None:
            order.leaves, order.price = leaves, price if price is not None else order.settled[1]
            order.settled = (order.leaves, order.price)

    def resize_refused(self, client_order_id: str) -> None:
        """Go back to what the venue last confirmed."""
        order = self.orders.get(client_order_id)
        if order is not None:
            order.leaves, order.price = order.settled

    def filled(  # noqa: PLR0913 - the fields of one fill
        self,
        *,
        strategy: str,
        instrument: str,
        client_order_id: str,
        trade_id: str,
        signed_quantity: Decimal,
        price: Decimal,
        commission: Decimal,
    ) -> bool:
        """Apply one fill; answers False when this trade was applied before. Raises KeyError when unknown."""
        if (client_order_id, trade_id) in self._trades:
            return False
        self._trades.add((client_order_id, trade_id))
        holding = self.holding(strategy, instrument)
        holding.position += signed_quantity
        self.cash -= signed_quantity * price * holding.instrument.multiplier + commission
        if holding.instrument.mark is None:
            holding.instrument.mark = price
        order = self.orders.get(client_order_id)
        if order is not None:
            self._shrink(order, abs(signed_quantity))
        return True

    def _shrink(self, order: WorkingOrder, quantity: Decimal) -> None:
        order.leaves = max(ZERO, order.leaves - quantity)
        order.settled = (max(ZERO, order.settled[0] - quantity), order.settled[1])
        if order.leaves == ZERO:
            self.closed(order.client_order_id)

    def adding(self) -> Iterable[WorkingOrder]:
        """Working orders that could add exposure: all but reductions, which are kept up to the position's size."""
        for holding in self.holdings.values():
            budget = abs(holding.position)
            for order in list(holding.working.values()):
                opposite = holding.position != ZERO and order.is_buy != (holding.position > ZERO)
                if opposite and (order.reduce_only or order.leaves <= budget):
                    budget -= ZERO if order.reduce_only else order.leaves
                    continue
                yield order
