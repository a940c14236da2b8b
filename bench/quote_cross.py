"""The strategy of the quotes bench: long while a fast average of the middles is above a slow one."""

from __future__ import annotations

from typing import Annotated

from nautilus_trader.model import InstrumentId, OrderSide, Quantity, QuoteTick
from nautilus_trader.trading import Strategy, StrategyConfig
from pydantic import ConfigDict, Field, validate_call

from strategies.signals import EmaCross
from strategies.signals.opinion import Opinion


class QuoteCrossConfig(StrategyConfig):
    """Parameters of `QuoteCross`; the periods count quotes."""

    @validate_call(config=ConfigDict(arbitrary_types_allowed=True))
    def __init__(
        self,
        instrument_ids: list[InstrumentId],
        fast: Annotated[int, Field(ge=1)] = 20,
        slow: Annotated[int, Field(ge=2)] = 50,
        quantity: Annotated[int, Field(ge=1)] = 80,
        **_: object,
    ) -> None:
        """`instrument_ids`: the first is traded."""
        self.instrument_ids = instrument_ids
        self.fast = fast
        self.slow = slow
        self.quantity = quantity


class QuoteCross(Strategy):
    """Buys `quantity` when the averages cross upwards and sells it when they cross back; market orders."""

    def __init__(self, config: QuoteCrossConfig) -> None:
        super().__init__(config)
        self._instrument_id = config.instrument_ids[0]
        self._quantity = Quantity(config.quantity, 0)
        self._signal = EmaCross(config.fast, config.slow)
        self._long = False

    def on_start(self) -> None:
        """Ask for quotes."""
        self.subscribe_quotes(self._instrument_id)

    def on_quote(self, quote: QuoteTick) -> None:
        """Learn a middle; act when the averages have crossed."""
        opinion = self._signal.learn((float(quote.bid_price) + float(quote.ask_price)) / 2)
        if opinion is not None and (opinion is Opinion.LONG) is not self._long:
            self._long = not self._long
            side = OrderSide.BUY if self._long else OrderSide.SELL
            self.submit_order(self.order_factory.market(self._instrument_id, side, self._quantity))
