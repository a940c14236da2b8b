"""From an opinion to a position: how does a strategy enter, leave, protect itself and start?"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

from nautilus_trader.model import (
    Bar,
    BarType,
    Currency,
    CurrencyPair,
    InstrumentId,
    OrderCanceled,
    OrderCancelRejected,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderSide,
    OrderType,
    PositionClosed,
    Price,
    Quantity,
    Venue,
)
from nautilus_trader.trading import Strategy, StrategyConfig

from strategies.holding import Holding, Prices, Purpose, Working
from strategies.signals.opinion import Opinion, Signal
from strategies.sizing import ZERO, Lot, Sizing
from strategies.stops import average_entry, stop_price

Direction = Literal["long", "short", "both"]

# direction -> opinion -> the side to be on
SIDES: dict[Direction, dict[Opinion, Opinion]] = {
    "long": {Opinion.SHORT: Opinion.FLAT, Opinion.FLAT: Opinion.FLAT, Opinion.LONG: Opinion.LONG},
    "short": {Opinion.SHORT: Opinion.SHORT, Opinion.FLAT: Opinion.FLAT, Opinion.LONG: Opinion.FLAT},
    "both": {opinion: opinion for opinion in Opinion},
}
ORDER_SIDES = {Opinion.LONG: OrderSide.BUY, Opinion.SHORT: OrderSide.SELL}


class SignalConfig(StrategyConfig):
    """What every signal strategy needs; a strategy's own config lists its parameters in full and hands these on."""

    def __init__(
        self,
        instrument_ids: list[InstrumentId],
        bar_types: list[BarType],
        direction: Direction,
        sizing: Sizing,
    ) -> None:
        """`bar_types` are those of `instrument_ids`, in the same order. Raises ValueError when they do not pair up."""
        if len(instrument_ids) != len(bar_types):
            raise ValueError(
                f"{len(instrument_ids)} instrument_ids but {len(bar_types)} bar_types: give one for each"
            )
        self.instrument_ids = instrument_ids
        self.bar_types = bar_types
        self.direction = direction
        self.sizing = sizing


class SignalStrategy(Strategy):
    """Holds, in each of its instruments, a position on the side its signal is for. A subclass names the signal.

    Its rules:

    * The position is what the engine's cache says, never what was asked for. A denied order changes nothing.
    * One opinion gets one entry. Denied, rejected or stopped out, it waits for the opinion to change; a refused order
      is not sent again on every bar.
    * Leaving always comes first and is tried on every bar until it is done. To turn round it cancels its stop, closes,
      and enters the other side when the close is filled.
    * An entry's size is set when the opinion forms, from equity and the close of that bar.
    * With `stop_loss_pct` a reduce-only stop follows the entry's fill. If it is refused the position is closed.
    * It asks for the history its signal needs and waits, without trading, until it has learned enough bars.

    It needs one net position an instrument (NETTING), as all of Keel's venues keep it.
    """

    def __init__(self, config: SignalConfig) -> None:
        super().__init__(config)
        self._settings = config
        self._sides = SIDES[config.direction]
        self._holdings: dict[BarType, Holding] = {}
        self._by_instrument: dict[InstrumentId, Holding] = {}

    def make_signal(self) -> Signal:
        """A new signal, for one instrument."""
        raise NotImplementedError

    # Start and data

    def on_start(self) -> None:
        """Ask for history, then for bars. Raises ValueError for an instrument it cannot trade."""
        self._holdings.clear()
        for instrument_id, bar_type in zip(
            self._settings.instrument_ids, self._settings.bar_types, strict=True
        ):
            holding = self._holdings[bar_type] = self._take_up(instrument_id, bar_type)
            needed = max(holding.prices.signal.history_bars, self._settings.sizing.needed_closes)
            self.request_bars(bar_type, limit=needed)
            self.subscribe_bars(bar_type)
        self._by_instrument = {holding.instrument_id: holding for holding in self._holdings.values()}

    def on_historical_bars(self, bars: Sequence[Bar]) -> None:
        """Learn what happened before the start."""
        holding = self._holdings.get(bars[0].bar_type) if bars else None
        if holding is not None:
            holding.prices.history(bars, self.make_signal())

    def on_bar(self, bar: Bar) -> None:
        """Learn a close; act when the opinion is a new one or something is left to do."""
        holding = self._holdings.get(bar.bar_type)
        if holding is None:
            return
        opinion = holding.prices.streamed(bar)
        if opinion is None or (opinion is holding.opinion and holding.settled):
            return
        if opinion is not holding.opinion:
            holding.form(opinion, self._sides[opinion])
        if holding.entry_due:
            holding.entry = self._size(holding, bar)
        self._step(holding)

    # Order events

    def on_order_filled(self, event: OrderFilled) -> None:
        """Go on when an order is filled completely."""
        holding, order = self._find(event)
        if order is None:
            return
        cached = self.cache.order(event.client_order_id)
        if cached is None or cached.is_closed:
            holding.done(order)
            self._step(holding)

    def on_order_denied(self, event: OrderDenied) -> None:
        """A limit of Keel's or the engine's refused the order."""
        self._refused(event, event.reason)

    def on_order_rejected(self, event: OrderRejected) -> None:
        """The venue refused the order."""
        self._refused(event, event.reason)

    def on_order_expired(self, event: OrderExpired) -> None:
        """The order's time ran out."""
        self._refused(event, "expired")

    def on_order_canceled(self, event: OrderCanceled) -> None:
        """Go on when the strategy cancelled the order itself; else wait for the next bar."""
        holding, order = self._find(event)
        if order is None:
            return
        holding.done(order)
        if order.cancelling:
            self._step(holding)

    def on_order_cancel_rejected(self, event: OrderCancelRejected) -> None:
        """Too late, as a rule because the order is filling: then its fill leads on, else the next bar asks again."""
        _, order = self._find(event)
        if order is not None:
            order.cancelling = False

    def on_position_closed(self, event: PositionClosed) -> None:
        """Whoever closed the position, a stop left behind must go."""
        holding = self._by_instrument.get(event.instrument_id)
        if holding is not None and holding.stop is not None:
            holding.settled = False
            self._step(holding)

    # The way to the target

    def _step(self, holding: Holding) -> None:
        """Take the one next step towards the target, if there is one; the event that answers it leads to the next."""
        net = self._net(holding)
        side = Opinion((net > ZERO) - (net < ZERO))
        if holding.order is not None:
            self._withdraw(holding, side)
        elif side is Opinion.FLAT:
            self._enter(holding)
        elif side is not holding.target:
            self._leave(holding, side, abs(net))
        else:
            self._protect(holding, side, abs(net))

    def _withdraw(self, holding: Holding, side: Opinion) -> None:
        """Cancel an entry or exit on its way when the target is another by now."""
        order = holding.order
        if order is None or order.cancelling:
            return
        outdated = (
            side is holding.target if order.purpose is Purpose.EXIT else order.side is not holding.target
        )
        if outdated:
            self._cancel(order)

    def _enter(self, holding: Holding) -> None:
        """Open the position this opinion is due, once nothing of an earlier one is left."""
        if holding.stop is not None:
            self._cancel(holding.stop)
        elif holding.entry:
            self._send(holding, Purpose.ENTRY, holding.target, holding.entry)
        else:
            holding.settled = not holding.entry_due

    def _leave(self, holding: Holding, side: Opinion, quantity: Decimal) -> None:
        """Close the position; its stop goes first, since a venue may hold the shares for it."""
        if holding.stop is not None:
            self._cancel(holding.stop)
        else:
            self._send(holding, Purpose.EXIT, Opinion(-side), quantity)

    def _protect(self, holding: Holding, side: Opinion, quantity: Decimal) -> None:
        """On the right side: there is nothing to enter, and a stop to keep if one is wanted."""
        holding.spend_entry()
        holding.settled = True
        if self._settings.sizing.stop_loss_pct is not None and holding.stop is None:
            self._send(holding, Purpose.STOP, Opinion(-side), quantity)

    def _refused(self, event: OrderDenied | OrderRejected | OrderExpired, reason: str) -> None:
        holding, order = self._find(event)
        if order is None:
            return
        holding.done(order)
        self.log.warning(f"{event.instrument_id}: {order.purpose.value} refused: {reason}")
        if order.purpose is Purpose.STOP:
            holding.target = Opinion.FLAT
            self._step(holding)

    def _send(self, holding: Holding, purpose: Purpose, side: Opinion, quantity: Decimal) -> None:
        """Send one order. It is noted first: a refusal may come back before the call returns."""
        order = self._make(holding, purpose, side, quantity)
        working = Working(order.client_order_id, purpose, side)
        if purpose is Purpose.STOP:
            holding.stop = working
        else:
            holding.order = working
        if purpose is Purpose.ENTRY:
            holding.spend_entry()
        self.submit_order(order)

    def _make(self, holding: Holding, purpose: Purpose, side: Opinion, quantity: Decimal) -> Any:
        instrument = holding.instrument
        size = Quantity.from_decimal_dp(quantity, instrument.size_precision)
        order_side, tags = ORDER_SIDES[side], [purpose.value]
        if purpose is not Purpose.STOP:
            reduce_only = purpose is Purpose.EXIT
            return self.order_factory.market(
                instrument.id, order_side, size, reduce_only=reduce_only, tags=tags
            )
        trigger = Price.from_decimal_dp(self._stop_price(holding), instrument.price_precision)
        return self.order_factory.stop_market(
            instrument.id, order_side, size, trigger, reduce_only=True, tags=tags
        )

    def _cancel(self, order: Working) -> None:
        if not order.cancelling:
            order.cancelling = True
            self.cancel_order(order.client_order_id)

    # What it looks at

    def _take_up(self, instrument_id: InstrumentId, bar_type: BarType) -> Holding:
        instrument = self.cache.instrument(instrument_id)
        if instrument is None:
            raise ValueError(
                f"instrument {instrument_id} is not known to the engine: its venue has not named it"
            )
        if instrument.is_inverse:
            raise ValueError(
                f"instrument {instrument_id} is inverse: its value does not follow its price, so it cannot be sized"
            )
        prices = Prices(self.make_signal(), self._settings.sizing.needed_closes)
        return Holding(
            instrument, bar_type, Lot.of(instrument), prices, stop=self._left_behind(instrument_id)
        )

    def _left_behind(self, instrument_id: InstrumentId) -> Working | None:
        """A stop of an earlier start that still works."""
        for order in self.cache.orders_open(instrument_id=instrument_id, strategy_id=self.strategy_id):
            if order.is_reduce_only and order.order_type == OrderType.STOP_MARKET:
                side = Opinion.LONG if order.side == OrderSide.BUY else Opinion.SHORT
                return Working(order.client_order_id, Purpose.STOP, side)
        return None

    def _find(self, event: Any) -> tuple[Any, Working | None]:
        """The holding and the working order that an order event is about; (holding, None) when it is nobody's."""
        holding = self._by_instrument.get(event.instrument_id)
        return holding, None if holding is None else holding.working(event.client_order_id)

    def _positions(self, holding: Holding) -> list[Any]:
        return self.cache.positions_open(instrument_id=holding.instrument_id, strategy_id=self.strategy_id)

    def _net(self, holding: Holding) -> Decimal:
        """The strategy's own position, signed."""
        net = ZERO
        for position in self._positions(holding):
            quantity = position.quantity.as_decimal()
            net += quantity if position.is_long else -quantity
        return net

    def _stop_price(self, holding: Holding) -> Decimal:
        fills = [fill for position in self._positions(holding) for fill in position.events()]
        is_long = holding.target is Opinion.LONG
        average = average_entry(fills, is_long=is_long)
        increment = holding.instrument.price_increment.as_decimal()
        distance = self._settings.sizing.stop_loss_pct or ZERO
        return stop_price(average, distance, increment, is_long=is_long)

    def _size(self, holding: Holding, bar: Bar) -> Decimal | None:
        """The quantity to enter with; None, said once, when it cannot be told or is too small to trade."""
        notional = bar.close.as_decimal() * holding.instrument.multiplier.as_decimal()
        worth = self._worth(holding, notional)
        if worth is None:
            return None
        equity, unit_value = worth
        wanted = self._settings.sizing.wanted(equity, unit_value, holding.prices.closes)
        if wanted is None:
            self._complain(holding, "no entry: too few closes to judge volatility yet")
            return None
        quantity = holding.lot.cut(wanted, notional)
        if quantity == ZERO:
            self._complain(holding, f"no entry: {wanted:.6f} is below the smallest tradeable quantity")
            holding.spend_entry()
            return None
        return quantity

    def _worth(self, holding: Holding, notional: Decimal) -> tuple[Decimal, Decimal] | None:
        """Equity, and what one unit is worth, in one and the same currency; None when the account cannot tell."""
        instrument = holding.instrument
        equity = self.portfolio.equity(
            instrument.id.venue
        )  # currency -> money; empty while the account is unknown
        if instrument.quote_currency in equity:
            return equity[instrument.quote_currency].as_decimal(), notional
        base = getattr(instrument, "base_currency", None)  # only pairs and perpetuals have one
        if base is not None and base in equity:
            return equity[base].as_decimal(), instrument.multiplier.as_decimal()
        for currency, money in equity.items():
            rate = self._rate(instrument.id.venue, currency, instrument.quote_currency)
            if rate is not None:
                return money.as_decimal() * rate, notional
        currencies = ", ".join(str(currency) for currency in equity) or "unknown"
        self._complain(holding, f"no entry: it trades in {instrument.quote_currency}, equity is {currencies}")
        return None

    def _rate(self, venue: Venue, currency: Currency, wanted: Currency) -> Decimal | None:
        """Units of the wanted currency for one of the other, from a pair that the venue quotes; None without one.

        The engine's own get_xrate logs an error where there is none.
        """
        for pair in self.cache.instruments(venue=venue):
            codes = (pair.base_currency, pair.quote_currency) if isinstance(pair, CurrencyPair) else ()
            quote = self.cache.quote(pair.id) if codes in ((currency, wanted), (wanted, currency)) else None
            if quote is not None:
                middle = (quote.bid_price.as_decimal() + quote.ask_price.as_decimal()) / 2
                return Decimal(middle if pair.base_currency == currency else 1 / middle)
        return None

    def _complain(self, holding: Holding, what: str) -> None:
        """Log once an opinion, not once a bar."""
        if what not in holding.complained:
            holding.complained.add(what)
            self.log.warning(f"{holding.instrument_id}: {what}")
