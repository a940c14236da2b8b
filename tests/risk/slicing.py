"""Execution algorithms as a user would write them, and orders that go through them."""

from __future__ import annotations

from typing import Any

from nautilus_trader.model import ClientOrderId, ExecAlgorithmId, OrderSide, Price, Quantity
from nautilus_trader.trading import ExecutionAlgorithm

from tests.driving import Scripted

WORK: dict[str, Any] = {"exec_algorithm_id": ExecAlgorithmId("WORK")}
CLIP = 10
SLICES = 4


def units(quantity: int) -> Quantity:
    """Whole units."""
    return Quantity(quantity, 0)


class Works(ExecutionAlgorithm):
    """An algorithm that knows it is running: it has a cache and a clock."""

    def now(self, client_order_id: ClientOrderId | None) -> Any:
        """The engine's present state of an order; what `on_order` was given is a copy that grows old."""
        cache: Any = self.cache
        return cache.order(client_order_id)


class Iceberg(Works):
    """Shows no more than CLIP units of a limit order: the next clip follows when the one before it has filled."""

    def on_order(self, order: Any) -> None:
        self._show(order)

    def on_order_filled(self, event: Any) -> None:
        child = self.now(event.client_order_id)
        if child.is_closed and child.exec_spawn_id != child.client_order_id:
            self._show(self.now(child.exec_spawn_id))

    def _show(self, order: Any) -> None:
        left = int(order.leaves_qty)
        if left and not order.is_closed:
            self.submit_order(self.spawn_limit(order, units(min(CLIP, left)), order.price))


class Twap(Works):
    """Sends a market order in SLICES equal slices, one at each bar its strategy tells it of; the last is the rest."""

    def on_start(self) -> None:
        self._orders: dict[str, Any] = {}
        self.subscribe_signal("bar")

    def on_order(self, order: Any) -> None:
        self._orders[str(order.client_order_id)] = [order.client_order_id, int(order.quantity) // SLICES]

    def on_signal(self, _signal: Any) -> None:
        for name, (client_order_id, clip) in list(self._orders.items()):
            order = self.now(client_order_id)
            if order.is_closed or not int(order.leaves_qty):
                del self._orders[name]
            elif int(order.leaves_qty) < 2 * clip:
                self.submit_order(order)
                del self._orders[name]
            else:
                self.submit_order(self.spawn_market(order, units(clip)))


class Telling(Scripted):
    """Tells the algorithms of each bar, after its own doings."""

    def on_bar(self, bar: Any) -> None:
        super().on_bar(bar)
        self.publish_signal("bar", float(self.n))

    @property
    def position(self) -> int:
        """Net units held, by the engine's cache."""
        held = self.cache.positions_open(instrument_id=self.iid, strategy_id=self.strategy_id)
        return int(sum(float(position.signed_qty) for position in held))

    def work(self, side: OrderSide, quantity: int, price: float | None = None, **more: Any) -> Any:
        """Hand an order to the algorithm."""
        if price is not None:
            return self.limit(side, quantity, price, **WORK, **more)
        order = self.order_factory.market(self.iid, side, units(quantity), **WORK, **more)
        self.submit_order(order)
        return order


def price(value: float) -> Price:
    """A price in cents."""
    return Price(value, 2)
