"""What would happen to positions, exposure and equity if everything working were filled?

Fed from event fields alone, in constant time an event: the engine's cache cannot be read in every handler, and an order
that was just submitted is in none of its lists. Totals are kept, never summed anew; tests/risk/test_book.py compares
them with a slow recomputation. Amounts are exact Decimals in the account's base currency unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from risk.coins import netted
from risk.holding import Holding, Instrument, WorkingOrder
from risk.ledger import Ledger
from risk.numbers import ZERO

__all__ = ["Book", "Holding", "Instrument", "Ledger", "WorkingOrder"]

REMEMBERED_TRADES = 100_000
"""Trades whose ids are kept to know a repeated one; the oldest are forgotten first."""


class Book:
    """Cash, positions and working orders of all venue accounts of a run, valued in one base currency.

    Equity is cash plus the value of all positions at their marks, so it holds open P&L at every moment.
    """

    def __init__(self, starting_cash: Decimal, currency: str) -> None:
        """An empty book that starts with `starting_cash` in `currency`, its base currency."""
        self.currency = currency
        self.rates: dict[str, Decimal | None] = {currency: Decimal(1)}  # currency -> base units for one of it
        self.ledger = Ledger(self.rates)  # of everything
        self.ledger.pay(currency, starting_cash)
        self.venues: dict[str, Ledger] = {}  # venue -> its account, where a breaker looks at it alone
        self.strategies: dict[
            str, Ledger
        ] = {}  # strategy id -> its own P&L, where a breaker looks at it alone
        self.instruments: dict[str, Instrument] = {}  # instrument id -> what one unit of it is worth
        self.holdings: dict[tuple[str, str], Holding] = {}  # (strategy id, instrument id) -> holding
        self.orders: dict[str, WorkingOrder] = {}  # client order id -> order that may still fill
        self._held: dict[tuple[str, str], Holding] = {}  # those whose position is not zero
        self._unpriced: set[str] = set()  # instruments held without a mark
        self._changed: dict[str, Instrument] = {}  # those whose worst case has to be worked out anew
        self._gross: dict[str, Decimal] = {}  # currency -> worst-case exposure in it
        self._gross_of: dict[str, dict[str, Decimal]] = {}  # strategy id -> the same of one strategy
        self._open = 0  # instruments that are held or may be opened by a working order
        self._trades: dict[tuple[str, str], None] = {}  # (client order id, trade id): a fill counts once

    # -- what there is ----------------------------------------------------------------------------------------------

    def add_instrument(  # noqa: PLR0913 - what there is to know of an instrument
        self,
        instrument: str,
        multiplier: Decimal,
        *,
        currency: str | None = None,
        inverse: bool = False,
        venue: str = "",
        step: Decimal = ZERO,
    ) -> Instrument:
        """Make an instrument known; what is not known cannot be traded. `currency` is the one it settles in.

        `step` is the smallest step of a quantity, zero where every one is possible.
        """
        known = self.instruments.get(instrument)
        if known is None:
            settled_in = currency or self.currency
            self.rates.setdefault(settled_in, None)
            known = Instrument(instrument, multiplier, settled_in, inverse=inverse, venue=venue, step=step)
            self.instruments[instrument] = known
        return known

    def watch_scope(self, kind: str, name: str, starting_cash: Decimal = ZERO) -> Ledger:
        """Keep a ledger of one venue's account or one strategy's P&L from now on; `kind` is venue or strategy."""
        ledgers = self.venues if kind == "venue" else self.strategies
        ledger = ledgers.get(name)
        if ledger is None:
            ledger = ledgers[name] = Ledger(self.rates)
            ledger.pay(self.currency, starting_cash)
            for holding in self.holdings.values():
                holding.ledgers = self._ledgers_of(holding.strategy, holding.instrument)
        return ledger

    def _ledgers_of(self, strategy: str, instrument: Instrument) -> tuple[Ledger, ...]:
        scoped = (self.venues.get(instrument.venue), self.strategies.get(strategy))
        return (self.ledger, *(ledger for ledger in scoped if ledger is not None))

    def holding(self, strategy: str, instrument: str) -> Holding:
        """The holding of a strategy in an instrument, made when first asked for. Raises KeyError when unknown."""
        key = (strategy, instrument)
        found = self.holdings.get(key)
        if found is None:
            known = self.instruments[instrument]
            found = self.holdings[key] = Holding(strategy, known, self._ledgers_of(strategy, known))
            known.holdings.append(found)
        return found

    @property
    def cash(self) -> Decimal:
        """Cash of the whole book in the base currency. Raises LookupError without the rate of a currency it holds."""
        return self.ledger.cash()

    def held(self) -> Iterator[Holding]:
        """The holdings whose position is not zero."""
        return iter(tuple(self._held.values()))

    def is_flat(self) -> bool:
        """Whether no position is open."""
        return not self._held

    def unpriced(self) -> tuple[str, ...]:
        """Instruments held without a trusted price: equity is unknown while there are any."""
        return tuple(sorted(self._unpriced))

    def equity(self) -> Decimal:
        """Cash plus open positions at their marks. Raises LookupError while a price or a rate is missing."""
        if self._unpriced:
            raise LookupError(f"no trusted price of {min(self._unpriced)} yet")
        return self.ledger.worth()

    # -- exposure ---------------------------------------------------------------------------------------------------

    def gross(self) -> Decimal:
        """The worst-case exposure of all holdings together. Raises LookupError without a price or a rate."""
        self._work_out()
        return self._in_base(self._gross)

    def gross_of(self, strategy: str) -> Decimal:
        """The worst-case exposure of one strategy. Raises LookupError without a price or a rate."""
        self._work_out()
        return self._in_base(self._gross_of.get(strategy, {}))

    def exposure_of(self, instrument: Instrument) -> Decimal:
        """The worst-case exposure in one instrument, strategies added up. Raises LookupError like `gross`."""
        self._work_out()
        return self.in_base(
            sum((holding.worst for holding in instrument.holdings), ZERO), instrument.currency
        )

    def in_base(self, amount: Decimal, currency: str) -> Decimal:
        """The amount in the base currency. Raises LookupError without a rate."""
        if currency == self.currency or not amount:
            return amount
        rate = self.rates.get(currency)
        if rate is None:
            raise LookupError(f"no rate of {currency} in {self.currency} yet")
        return amount * rate

    def open_count(self) -> int:
        """How many instruments are held, or may be opened by a working order."""
        return self._open

    def _in_base(self, amounts: dict[str, Decimal]) -> Decimal:
        return sum((self.in_base(amount, currency) for currency, amount in amounts.items()), ZERO)

    def _work_out(self) -> None:
        while self._changed:
            name, instrument = self._changed.popitem()
            try:
                for holding in instrument.holdings:
                    self._renew(holding, instrument.currency)
            except LookupError:
                self._changed[name] = instrument
                raise

    def _renew(self, holding: Holding, currency: str) -> None:
        worst = holding.exposure() if holding.position or holding.working else ZERO
        step = worst - holding.worst
        if step:
            holding.worst = worst
            self._gross[currency] = self._gross.get(currency, ZERO) + step
            own = self._gross_of.setdefault(holding.strategy, {})
            own[currency] = own.get(currency, ZERO) + step

    # -- prices and rates -------------------------------------------------------------------------------------------

    def mark(self, instrument: Instrument, price: Decimal) -> None:
        """Take a trusted price above zero: every position in the instrument is worth that much from now on."""
        if price == instrument.mark:
            return
        before, after = instrument.unit, instrument.set_mark(price)
        self._unpriced.discard(instrument.instrument)
        for holding in instrument.holdings:
            if holding.position:
                for ledger in holding.ledgers:
                    ledger.revalue(instrument.currency, holding.position * (after - before))
            if holding.position or holding.working:
                self._changed[instrument.instrument] = instrument

    def set_rate(self, currency: str, rate: Decimal | None) -> None:
        """Base units for one unit of a currency; None while it is unknown, which is a doubt about all of equity."""
        if currency != self.currency:
            self.rates[currency] = rate

    def pay(self, amount: Decimal, currency: str, *, venue: str = "", strategy: str = "") -> None:
        """Money that came in (above zero) or went out without a fill: funding, fees, dividends, transfers."""
        ledgers = [self.ledger, self.venues.get(venue), self.strategies.get(strategy)]
        for ledger in ledgers:
            if ledger is not None:
                ledger.pay(currency, amount)

    # -- orders -----------------------------------------------------------------------------------------------------

    def submitted(self, order: WorkingOrder) -> None:
        """Count an order from the moment it is handed on."""
        if order.client_order_id in self.orders:
            self.closed(order.client_order_id)
        holding = self.holding(order.strategy, order.instrument)
        was_open = holding.is_open()
        self.orders[order.client_order_id] = order
        holding.add(order)
        self._touched(holding, was_open=was_open)

    def closed(self, client_order_id: str) -> None:
        """Forget an order that can no longer fill (denied, rejected, cancelled, expired)."""
        order = self.orders.pop(client_order_id, None)
        if order is not None:
            holding = self.holding(order.strategy, order.instrument)
            was_open = holding.is_open()
            holding.remove(order)
            self._touched(holding, was_open=was_open)

    def resizing(self, client_order_id: str, leaves: Decimal, price: Decimal | None) -> None:
        """Count a modification from the moment it is handed on: the worse of old and new until it is answered."""
        order = self.orders[client_order_id]
        order.changing = True
        worse = max((p for p in (order.price, price) if p is not None), default=None)
        self._resize(order, max(order.leaves, leaves), worse)

    def resized(self, client_order_id: str, leaves: Decimal, price: Decimal | None) -> None:
        """Take what the venue confirmed."""
        order = self.orders.get(client_order_id)
        if order is not None:
            order.changing = False
            self._resize(order, leaves, price if price is not None else order.settled[1])
            order.settled = (order.leaves, order.price)

    def resize_refused(self, client_order_id: str) -> None:
        """Go back to what the venue last confirmed."""
        order = self.orders.get(client_order_id)
        if order is not None:
            order.changing = False
            self._resize(order, *order.settled)

    def _resize(self, order: WorkingOrder, leaves: Decimal, price: Decimal | None) -> None:
        holding = self.holding(order.strategy, order.instrument)
        order.price = price
        holding.set_leaves(order, leaves)
        self._changed[order.instrument] = holding.instrument

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
        commission_currency: str | None = None,
        ts: int = 0,
    ) -> Holding | None:
        """Apply one fill; answers its holding, None for a repeated trade. Raises KeyError when unknown.

        signed_quantity: as the venue told it; a commission in the coin that is traded is taken off what is held.
        """
        trade = (client_order_id, trade_id)
        if trade in self._trades:
            return None
        self._trades[trade] = None
        if len(self._trades) > REMEMBERED_TRADES:
            del self._trades[next(iter(self._trades))]
        holding = self.holding(strategy, instrument)
        was_open = holding.is_open()
        of = holding.instrument
        if of.mark is None:
            self.mark(of, price)  # a position that was taken over is worth something from now on
        units, paid, paid_in = netted(
            instrument, signed_quantity, price, commission, commission_currency or of.currency
        )
        flow = -units * of.value_at(price)
        for ledger in holding.ledgers:
            ledger.trade(of.currency, flow, units * of.unit)
            if paid:
                ledger.pay(paid_in, -paid)
        fee = paid if paid_in == of.currency else self._exchanged(paid, paid_in, of.currency)
        holding.trade(units, price, fee, ts)
        if holding.position:
            self._held[strategy, instrument] = holding
        else:
            self._held.pop((strategy, instrument), None)
        order = self.orders.get(client_order_id)
        if order is not None:
            order.settled = (max(ZERO, order.settled[0] - abs(signed_quantity)), order.settled[1])
            holding.set_leaves(order, max(ZERO, order.leaves - abs(signed_quantity)))
            if not order.leaves:
                del self.orders[client_order_id]
                holding.remove(order)
        self._touched(holding, was_open=was_open)
        return holding

    def adopt(  # noqa: PLR0913 - what there is to know of a position
        self,
        strategy: str,
        instrument: str,
        position: Decimal,
        price: Decimal | None,
        ts: int = 0,
        *,
        entry: Decimal | None = None,
    ) -> Holding:
        """Take over a position that no fill of this run made; equity then has its value besides the cash.

        Without a trusted price equity is unknown until `mark` brings one. entry: the average price it was opened at,
        where that is known and is not the price now.
        """
        holding = self.holding(strategy, instrument)
        was_open, of = holding.is_open(), holding.instrument
        if price is not None and of.mark is None:
            of.set_mark(price)
        holding.take_over(position, price if entry is None else entry, ts)
        for ledger in holding.ledgers:
            ledger.revalue(of.currency, position * of.unit)
        self._held[strategy, instrument] = holding
        if of.mark is None:
            self._unpriced.add(instrument)
        self._touched(holding, was_open=was_open)
        return holding

    def known_trade(self, client_order_id: str, trade_id: str) -> None:
        """A fill of a run before this one: told again, it changes nothing."""
        self._trades[client_order_id, trade_id] = None

    def knows_trade(self, client_order_id: str, trade_id: str) -> bool:
        """Whether a fill is booked already, or was before this run."""
        return (client_order_id, trade_id) in self._trades

    def _exchanged(self, amount: Decimal, currency: str, into: str) -> Decimal:
        """A commission in another currency, for the statistics of trades only; zero while a rate is unknown."""
        rate, own = self.rates.get(currency), self.rates.get(into)
        return amount * rate / own if rate and own else ZERO

    def _touched(self, holding: Holding, *, was_open: bool) -> None:
        instrument = holding.instrument
        self._changed[instrument.instrument] = instrument
        is_open = holding.is_open()
        if is_open is not was_open:
            before = instrument.open_holdings
            instrument.open_holdings = before + (1 if is_open else -1)
            if not before or not instrument.open_holdings:
                self._open += 1 if is_open else -1

    def adding(self) -> Iterator[WorkingOrder]:
        """Working orders that could add exposure: all but reductions, which are kept up to the position's size."""
        for holding in tuple(self.holdings.values()):
            if holding.working:
                yield from holding.adding()
