"""A strategy that trades on quotes alone."""

from __future__ import annotations

from typing import Any

from nautilus_trader.model import InstrumentId, OrderSide, Price, Quantity
from nautilus_trader.trading import Strategy, StrategyConfig


class QuotingConfig(StrategyConfig):
    """`every`: quotes between two entries."""

    def __init__(self, instrument_ids: list[InstrumentId], every: int = 50, **_: object) -> None:
        self.instrument_ids, self.every = instrument_ids, every


class Quoting(Strategy):
    """Buys, rests a target, closes, over and over."""

    def __init__(self, config: QuotingConfig) -> None:
        super().__init__(config)
        self.settings = config
        self.n = 0

    def on_start(self) -> None:
        for instrument_id in self.settings.instrument_ids:
            self.subscribe_quotes(instrument_id)

    def on_quote(self, quote: Any) -> None:
        self.n += 1
        step, name = self.n % self.settings.every, quote.instrument_id
        if step == 5:
            self.submit_order(self.order_factory.market(name, OrderSide.BUY, Quantity(100, 0)))
        elif step == 8:
            price = Price(float(quote.ask_price) * 1.002, 2)
            target = self.order_factory.limit(name, OrderSide.SELL, Quantity(50, 0), price, reduce_only=True)
            self.submit_order(target)
        elif step == 30:
            self.cancel_all_orders(name)
            self.close_all_positions(name)
