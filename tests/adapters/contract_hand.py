"""A strategy that does what a case says, and keeps what it is told."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from nautilus_trader.model import ClientOrderId, InstrumentId, OrderSide
from nautilus_trader.trading import Strategy

from adapters.reports import price_of, quantity_of
from tests.adapters.commanding import PlainConfig


class Hand(Strategy):
    """Sends orders of one instrument, and keeps events and data."""

    def __init__(self, config: PlainConfig) -> None:
        super().__init__(config)
        self.began = False
        self.heard: list[Any] = []
        self.quotes: list[Any] = []
        self.trades: list[Any] = []
        self.bars: list[Any] = []
        self.past: list[Any] = []
        self.statuses: list[Any] = []
        self.depths: list[Any] = []

    def prepare(self, instrument: InstrumentId, begin: Callable[[Hand], None] | None, *, quote: bool) -> None:
        """What it trades, and what it asks for when it starts."""
        self.traded, self._begin, self._quote = instrument, begin, quote

    def on_start(self) -> None:
        if self._quote:
            self.subscribe_quotes(self.traded)
        if self._begin is not None:
            self._begin(self)
        self.began = True

    def on_quote(self, quote: Any) -> None:
        self.quotes.append(quote)

    def on_trade(self, trade: Any) -> None:
        self.trades.append(trade)

    def on_bar(self, bar: Any) -> None:
        self.bars.append(bar)

    def on_instrument_status(self, status: Any) -> None:
        self.statuses.append(status)

    def on_book_depth(self, depth: Any) -> None:
        self.depths.append(depth)

    def on_historical_bars(self, bars: Any) -> None:
        self.past.append(list(bars))

    def on_historical_quotes(self, quotes: Any) -> None:
        self.past.append(list(quotes))

    def on_historical_trades(self, trades: Any) -> None:
        self.past.append(list(trades))

    def on_order_event(self, event: Any) -> None:
        self.heard.append(event)

    def size(self, quantity: Any) -> Any:
        """A quantity of the instrument."""
        return quantity_of(Decimal(str(quantity)), self.cache.instrument(self.traded))

    def at(self, price: Any) -> Any:
        """A price of the instrument."""
        return price_of(Decimal(str(price)), self.cache.instrument(self.traded))

    def send(self, order: Any) -> str:
        self.submit_order(order)
        return str(order.client_order_id)

    def market(self, quantity: Any = 10, side: OrderSide = OrderSide.BUY, **more: Any) -> str:
        """A market order; answers its name."""
        return self.send(self.order_factory.market(self.traded, side, self.size(quantity), **more))

    def limit(self, price: Any, quantity: Any = 10, side: OrderSide = OrderSide.BUY, **more: Any) -> str:
        """A limit order; answers its name."""
        order = self.order_factory.limit(self.traded, side, self.size(quantity), self.at(price), **more)
        return self.send(order)

    def bracket(self, target: Any, stop: Any, quantity: Any = 10, **more: Any) -> list[str]:
        """A bracket; answers the names of entry, stop-loss and take-profit."""
        orders = self.order_factory.bracket(
            instrument_id=self.traded, order_side=OrderSide.BUY, quantity=self.size(quantity),
            tp_price=self.at(target), sl_trigger_price=self.at(stop), **more,
        )  # fmt: skip
        self.submit_order_list(orders)
        return [str(each.client_order_id) for each in orders]

    def change(self, name: str, quantity: Any = None, price: Any = None, trigger: Any = None) -> None:
        self.modify_order(
            ClientOrderId(name),
            None if quantity is None else self.size(quantity),
            None if price is None else self.at(price),
            None if trigger is None else self.at(trigger),
        )

    def cancel(self, name: str) -> None:
        self.cancel_order(ClientOrderId(name))

    def of(self, name: str) -> list[str]:
        """The kinds of events of an order."""
        return [
            type(each).__name__.removeprefix("Order")
            for each in self.heard
            if str(each.client_order_id) == name
        ]
