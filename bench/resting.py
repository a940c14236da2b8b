"""The strategy of the breach bench: holds positions, rests limit orders, and takes the time of what happens to them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from nautilus_trader.model import Bar, BarType, InstrumentId, OrderSide, Price, Quantity
from nautilus_trader.trading import Strategy, StrategyConfig

HELD = 300  # shares of each instrument at 100.00: two of them are 60,000 of 100,000
WHOLE, FALLEN = 100.0, 85.0  # 9,000 of 100,000 lost, of which the breach bench allows 5%
RESTING_FROM = 60.0  # limit prices lie between this and 10.00 above it, where nothing fills
TICKS = 1_000


@dataclass(slots=True)
class Watch:
    """When what happened, in nanoseconds of the machine's clock."""

    breached: int = 0
    cancels: list[int] = field(default_factory=list)  # after each call that cancels
    canceled: list[int] = field(default_factory=list)  # at each OrderCanceled
    working: int = 0  # orders that rested at the breach


class RestingConfig(StrategyConfig):
    """Parameters of `Resting`."""

    def __init__(
        self, instrument_ids: list[InstrumentId], bar_types: list[BarType], orders: int, **_: object
    ) -> None:
        """`orders`: limit orders to rest, all instruments together."""
        self.instrument_ids = instrument_ids
        self.bar_types = bar_types
        self.orders = orders


class Resting(Strategy):
    """Buys each instrument, rests limit orders far below, and takes the time of what happens at the breach.

    The gate's handler is wrapped where its class is made, so that the clock starts before any of the gate's own work.
    """

    watch = Watch()

    def __init_subclass__(cls) -> None:
        """Start the clock as the first bar at the fallen price enters the gate."""
        super().__init_subclass__()
        enter: Any = cls.on_bar

        def on_bar(self: Resting, bar: Bar) -> None:
            if not self.watch.breached and float(bar.close) <= FALLEN:
                self.watch.working = len(self.cache.orders_open())
                self.watch.breached = time.perf_counter_ns()
            enter(self, bar)

        cls.on_bar = on_bar  # type: ignore[method-assign]

    def __init__(self, config: RestingConfig) -> None:
        super().__init__(config)
        self._settings = config
        self._seen: set[InstrumentId] = set()

    def on_start(self) -> None:
        """Ask for bars."""
        for bar_type in self._settings.bar_types:
            self.subscribe_bars(bar_type)

    def on_bar(self, bar: Bar) -> None:
        """Take the position and rest the orders, once an instrument."""
        instrument_id = bar.bar_type.instrument_id
        if instrument_id in self._seen:
            return
        self._seen.add(instrument_id)
        self.submit_order(self.order_factory.market(instrument_id, OrderSide.BUY, Quantity(HELD, 0)))
        for number in range(self._settings.orders // len(self._settings.instrument_ids)):
            price = Price(RESTING_FROM + number % TICKS / 100, 2)
            order = self.order_factory.limit(instrument_id, OrderSide.BUY, Quantity(1, 0), price)
            self.submit_order(order)

    def on_order_canceled(self, _event: Any) -> None:
        """Take the time."""
        self.watch.canceled.append(time.perf_counter_ns())
