"""Strategies that use every kind of order on bars, so that parity has something to disagree about."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from nautilus_trader.model import Bar, BarType, InstrumentId, OrderSide, OrderType
from nautilus_trader.trading import Strategy, StrategyConfig


class BusyConfig(StrategyConfig):
    """`every`: bars between two actions; `size`: units an order."""

    def __init__(
        self,
        instrument_ids: list[InstrumentId],
        bar_types: list[BarType],
        every: int = 5,
        size: int = 20,
        **_: object,
    ) -> None:
        self.instrument_ids, self.bar_types, self.every, self.size = instrument_ids, bar_types, every, size


class Busy(Strategy):
    """Rests limits and stops around the market, chains orders from fills, modifies, cancels, closes, brackets."""

    def __init__(self, config: BusyConfig) -> None:
        super().__init__(config)
        self.settings = config
        self.seen: dict[str, int] = {}
        self.denied: list[str] = []
        self.chain = 0

    def on_start(self) -> None:
        for bar_type in self.settings.bar_types:
            self.subscribe_bars(bar_type)

    def on_bar(self, bar: Bar) -> None:
        instrument_id = bar.bar_type.instrument_id
        seen = self.seen[str(instrument_id)] = self.seen.get(str(instrument_id), 0) + 1
        step = seen % (self.settings.every * 7)
        actions = {
            0: self.market, 5: self.rest, 10: self.stop_entry, 15: self.grow, 25: self.protect,
            30: self.leave,
        }  # fmt: skip
        action = actions.get(step)
        if action is not None:
            action(instrument_id, bar)

    def _instrument(self, instrument_id: InstrumentId) -> Any:
        return self.cache.instrument(instrument_id)

    def _price(self, instrument_id: InstrumentId, bar: Bar, factor: str) -> Any:
        price = float(bar.close.as_decimal() * Decimal(factor))
        return self._instrument(instrument_id).make_price(price)

    def _size(self, instrument_id: InstrumentId, times: int = 1) -> Any:
        return self._instrument(instrument_id).make_qty(self.settings.size * times)

    def market(self, instrument_id: InstrumentId, _bar: Bar) -> None:
        self.chain = 2
        self.submit_order(self.order_factory.market(instrument_id, OrderSide.BUY, self._size(instrument_id)))

    def rest(self, instrument_id: InstrumentId, bar: Bar) -> None:
        price = self._price(instrument_id, bar, "0.985")
        size = self._size(instrument_id, 2)
        self.submit_order(self.order_factory.limit(instrument_id, OrderSide.BUY, size, price))

    def stop_entry(self, instrument_id: InstrumentId, bar: Bar) -> None:
        trigger = self._price(instrument_id, bar, "1.01")
        size = self._size(instrument_id)
        self.submit_order(self.order_factory.stop_market(instrument_id, OrderSide.BUY, size, trigger))

    def grow(self, instrument_id: InstrumentId, bar: Bar) -> None:
        for order in self.cache.orders_open(instrument_id=instrument_id, strategy_id=self.strategy_id):
            if order.order_type == OrderType.LIMIT and not order.is_reduce_only:
                self.modify_order(
                    order.client_order_id,
                    self._size(instrument_id, 3),
                    self._price(instrument_id, bar, "0.99"),
                )

    def bracket(self, instrument_id: InstrumentId, bar: Bar) -> None:
        self.submit_order_list(
            self.order_factory.bracket(
                instrument_id,
                OrderSide.BUY,
                self._size(instrument_id),
                entry_order_type=OrderType.LIMIT,
                entry_price=self._price(instrument_id, bar, "0.995"),
                tp_price=self._price(instrument_id, bar, "1.05"),
                sl_trigger_price=self._price(instrument_id, bar, "0.97"),
            )
        )

    def protect(self, instrument_id: InstrumentId, bar: Bar) -> None:
        for position in self.cache.positions_open(instrument_id=instrument_id, strategy_id=self.strategy_id):
            stop = self.order_factory.stop_market(
                instrument_id,
                OrderSide.SELL,
                position.quantity,
                self._price(instrument_id, bar, "0.96"),
                reduce_only=True,
            )
            self.submit_order(stop)

    def leave(self, instrument_id: InstrumentId, _bar: Bar) -> None:
        self.cancel_all_orders(instrument_id)
        self.close_all_positions(instrument_id)

    def on_order_filled(self, event: Any) -> None:
        if self.chain > 0 and event.order_side == OrderSide.BUY:
            self.chain -= 1
            size = self._size(event.instrument_id)
            self.submit_order(self.order_factory.market(event.instrument_id, OrderSide.BUY, size))

    def on_order_denied(self, event: Any) -> None:
        self.denied.append(event.reason)
