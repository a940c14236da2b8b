"""How does an opinion become a position?

`TargetingStrategy` turns +1, 0 and -1 into a long position, none, or a short one, for every instrument it is given.
It looks at the positions it really has, never at what it wanted: a refused order leaves it where it is, and it does
not ask again until the opinion changes. A reversal is two orders, the close first and the entry when that has filled.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Literal, Protocol

from nautilus_trader.model import Bar, BarType, InstrumentId, OrderSide, PositionSide, Price, Quantity
from nautilus_trader.trading import Strategy, StrategyConfig
from pydantic import Field

from strategies import sizing

Direction = Literal["long", "short", "both"]
Fraction = Annotated[Decimal, Field(gt=0, le=1)]
VOLATILITY_BARS = 60
ZERO = Decimal(0)


class Signal(Protocol):
    """Takes closes, answers an opinion."""

    def update(self, close: float) -> int | None: ...


class TargetingConfig(StrategyConfig):
    """What every targeting strategy can be told; each adds its signal's own parameters.

    direction: which positions are allowed. sizing: `fixed` (quantity), `percent_of_equity` (equity_pct),
    `volatility_target` (target_volatility, annual), `fixed_risk` (risk_pct of equity lost at the stop).
    stop_loss_pct: a stop this far from the entry's fill, or none.
    """

    def __init__(  # noqa: PLR0913 - the parameters of a strategy
        self,
        instrument_ids: list[InstrumentId],
        bar_types: list[BarType],
        direction: Direction = "long",
        sizing: sizing.Method = "percent_of_equity",
        quantity: Annotated[Decimal, Field(gt=0)] = Decimal(100),
        equity_pct: Fraction = Decimal("0.095"),
        target_volatility: Fraction = Decimal("0.1"),
        risk_pct: Fraction = Decimal("0.01"),
        stop_loss_pct: Annotated[Decimal, Field(gt=0, lt=1)] | None = None,
        periods_per_year: Annotated[int, Field(gt=0)] = 252,
        **_: object,
    ) -> None:
        """Raises ValueError when the parameters do not fit together."""
        if sizing == "fixed_risk" and stop_loss_pct is None:
            raise ValueError(
                "sizing=fixed_risk measures the risk to a stop: set stop_loss_pct, for example 0.05"
            )
        self.instrument_ids = instrument_ids
        self.bar_types = bar_types
        self.direction = direction
        self.sizing = sizing
        self.quantity = quantity
        self.equity_pct = equity_pct
        self.target_volatility = target_volatility
        self.risk_pct = risk_pct
        self.stop_loss_pct = stop_loss_pct
        self.periods_per_year = periods_per_year


@dataclass(slots=True)
class _Traded:
    """What is known of one instrument: its signal, the opinion that was acted on, its stop order."""

    instrument: Any
    signal: Signal
    opinion: int | None = None
    stop_id: Any = None
    cost: Decimal = ZERO
    units: Decimal = ZERO
    last: Bar | None = None
    closes: deque[float] = field(default_factory=lambda: deque(maxlen=VOLATILITY_BARS + 1))


class TargetingStrategy(Strategy):
    """Holds what the signal says, sized by the config, in each instrument on its own."""

    def __init__(self, config: TargetingConfig) -> None:
        """Nothing is traded before `on_start`."""
        super().__init__(config)
        self._traded: dict[InstrumentId, _Traded] = {}
        self._by_bar: dict[BarType, _Traded] = {}

    def make_signal(self) -> Signal:
        """A fresh signal for one instrument."""
        raise NotImplementedError

    def warm_up_bars(self) -> int:
        """How many bars the signal needs before it has an opinion."""
        raise NotImplementedError

    def on_start(self) -> None:
        """Ask for history, then listen."""
        for instrument_id, bar_type in zip(self.config.instrument_ids, self.config.bar_types, strict=True):
            traded = _Traded(self.cache.instrument(instrument_id), self.make_signal())
            self._traded[instrument_id] = self._by_bar[bar_type] = traded
            self.request_bars(bar_type)
            self.subscribe_bars(bar_type)

    def on_historical_bars(self, bars: Any) -> None:
        """Warm the signals up; nothing is traded on history."""
        for bar in bars:
            traded = self._by_bar.get(bar.bar_type)
            if traded is not None:
                self._learn(traded, bar)

    def on_bar(self, bar: Bar) -> None:
        """Act when the opinion changes."""
        traded = self._by_bar[bar.bar_type]
        opinion = self._learn(traded, bar)
        if opinion is None or opinion == traded.opinion:
            return
        traded.opinion = opinion
        self._pursue(traded)

    def on_order_filled(self, event: Any) -> None:
        """Keep the exact cost of the position that is being entered."""
        traded = self._traded[event.instrument_id]
        if event.order_side == (OrderSide.BUY if traded.opinion == 1 else OrderSide.SELL):
            units = event.last_qty.as_decimal()
            traded.units += units
            traded.cost += units * event.last_px.as_decimal()

    def on_position_opened(self, event: Any) -> None:
        """Protect the position where the config asks for a stop."""
        self._place_stop(self._traded[event.instrument_id])

    def on_position_changed(self, event: Any) -> None:
        """Protect what a partial fill added, too."""
        self._place_stop(self._traded[event.instrument_id])

    def on_position_closed(self, event: Any) -> None:
        """Enter the other way after the close of a reversal; after a stop wait for a new opinion."""
        traded = self._traded[event.instrument_id]
        stop_id, traded.stop_id = traded.stop_id, None
        traded.cost = traded.units = ZERO
        if stop_id is None:
            self._pursue(traded)
            return
        order = self.cache.order(stop_id)
        if order is not None and not order.is_closed:
            self.cancel_order(stop_id)

    def _learn(self, traded: _Traded, bar: Bar) -> int | None:
        close = float(bar.close)
        traded.last = bar
        if self.config.sizing == "volatility_target":
            traded.closes.append(close)
        opinion = traded.signal.update(close)
        if opinion is None or self.config.direction == "both":
            return opinion
        return max(opinion, 0) if self.config.direction == "long" else min(opinion, 0)

    def _pursue(self, traded: _Traded) -> None:
        """Send the one order that leads from the position there is towards the opinion."""
        wanted = traded.opinion or 0
        positions = self.cache.positions_open(
            instrument_id=traded.instrument.id, strategy_id=self.strategy_id
        )
        held = sum((signed(position) for position in positions), ZERO)
        if (held > 0) - (held < 0) == wanted:
            return
        if held:
            self._close(traded, positions)
        else:
            self._enter(traded, wanted)

    def _close(self, traded: _Traded, positions: list[Any]) -> None:
        if traded.stop_id is not None:
            self.cancel_order(traded.stop_id)
            traded.stop_id = None
        for position in positions:
            self.close_position(position)

    def _enter(self, traded: _Traded, wanted: int) -> None:
        quantity = self._quantity(traded, wanted)
        if quantity == ZERO:
            self.log.warning(
                f"no order for {traded.instrument.id}: the size comes to less than the smallest order"
            )
            return
        side = OrderSide.BUY if wanted > 0 else OrderSide.SELL
        self.submit_order(
            self.order_factory.market(traded.instrument.id, side, Quantity.from_str(f"{quantity:f}"))
        )

    def _quantity(self, traded: _Traded, wanted: int) -> Decimal:
        config, instrument = self.config, traded.instrument
        increment = (
            instrument.lot_size.as_decimal()
            if instrument.lot_size
            else instrument.size_increment.as_decimal()
        )
        minimum = instrument.min_quantity.as_decimal() if instrument.min_quantity else None
        return sizing.round_down(self._wish(traded, config.sizing, wanted), increment, minimum)

    def _wish(self, traded: _Traded, method: sizing.Method, wanted: int) -> Decimal:
        config, last = self.config, traded.last
        if method == "fixed" or last is None:
            return Decimal(config.quantity)
        equity, price = self._equity(traded.instrument), last.close.as_decimal()
        multiplier = traded.instrument.multiplier.as_decimal()
        if equity is None:
            self.log.error("the account's equity is unknown, so nothing can be sized")
            return ZERO
        if method == "percent_of_equity":
            return sizing.percent_of_equity(equity, price, config.equity_pct, multiplier)
        if method == "volatility_target":
            volatility = sizing.annual_volatility(list(traded.closes), config.periods_per_year)
            return sizing.volatility_target(equity, price, config.target_volatility, volatility, multiplier)
        stop = price * (1 - config.stop_loss_pct * wanted)
        return sizing.fixed_risk(equity, price, stop, config.risk_pct, multiplier)

    def _equity(self, instrument: Any) -> Decimal | None:
        amounts: dict[Any, Any] = self.portfolio.equity(instrument.id.venue)
        money = amounts.get(instrument.quote_currency)
        return None if money is None else money.as_decimal()

    def _place_stop(self, traded: _Traded) -> None:
        share = self.config.stop_loss_pct
        positions = self.cache.positions_open(
            instrument_id=traded.instrument.id, strategy_id=self.strategy_id
        )
        if share is None or not positions or traded.units == ZERO:
            return
        position = positions[0]
        stop = None if traded.stop_id is None else self.cache.order(traded.stop_id)
        if stop is not None and stop.leaves_qty == position.quantity:
            return
        if stop is not None and not stop.is_closed:
            self.cancel_order(traded.stop_id)
        long = signed(position) > ZERO
        trigger = traded.cost / traded.units * (1 - share if long else 1 + share)
        order = self.order_factory.stop_market(
            traded.instrument.id,
            OrderSide.SELL if long else OrderSide.BUY,
            position.quantity,
            Price.from_str(f"{trigger:.{traded.instrument.price_precision}f}"),
            reduce_only=True,
        )
        traded.stop_id = order.client_order_id
        self.submit_order(order)


def signed(position: Any) -> Decimal:
    """A position's quantity, negative when it is short."""
    quantity: Decimal = position.quantity.as_decimal()
    return quantity if position.side == PositionSide.LONG else -quantity
