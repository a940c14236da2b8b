"""Cases of a node's life: group 9 (start, stop, what a former node left) and 10 (what the venue does not trade)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model import OrderSide, TriggerType

from adapters.account import VenueFill, VenueOrder
from adapters.errors import AdapterError
from adapters.gatekeeper import OpenGate
from tests.adapters.contract import Running, Site, case, elsewhere, node

WAYS = {"BUY": Decimal(10), "SELL": Decimal(-10)}


@dataclass
class Past(OpenGate):
    """A gatekeeper that keeps what it is told of a former node's orders."""

    orders: dict[str, VenueOrder] = field(default_factory=dict)
    fills: dict[str, VenueFill] = field(default_factory=dict)

    def foreign_order(self, order: VenueOrder) -> None:
        self.orders[order.name] = order

    def foreign_fill(self, fill: VenueFill) -> None:
        self.fills[fill.trade_id] = fill


@case("TC-E83", tester={"can_unsubscribe": True})
async def nothing_is_listened_to_after_the_end(at: Running) -> None:
    await at.until(lambda: at.site.listeners() > 0, "streams are open")
    await at.stop()
    await at.until(lambda: at.site.listeners() == 0, "streams are closed")
    heard = len(at.hand.quotes)
    at.site.price("101")
    await at.settle(0.2)
    assert len(at.hand.quotes) == heard
    assert not [line for line in at.said() if "panicked" in line]


@elsewhere(
    TC_E84="orders that a former node left are known again",
    TC_E85="an order that a former node had filled is told with its fills",
    TC_E86="a long position of a former node is known again",
    TC_E87="a short position of a former node is known again",
)
def restart(site: Site, side: str) -> None:
    """A node leaves a position, a limit order and a stop; the next one has them all."""
    site.clean()
    signed = WAYS[side]
    closing = OrderSide.SELL if side == "BUY" else OrderSide.BUY

    async def work() -> None:
        async with node(site) as first:
            bought = first.hand.market(10, OrderSide.BUY if side == "BUY" else OrderSide.SELL)
            await first.status("FILLED", bought)
            resting = first.hand.limit(120 if side == "BUY" else 80, 4, closing)
            hand = first.hand
            stop = hand.send(
                hand.order_factory.stop_market(
                    hand.traded,
                    closing,
                    hand.size(6),
                    hand.at(80 if side == "BUY" else 120),
                    TriggerType.DEFAULT,
                )
            )
            for name in (resting, stop):
                await first.status("ACCEPTED", name)
            before = {name: _values(first.order(name)) for name in (resting, stop)}
        past = Past()
        async with node(site, gatekeeper=past) as second:
            await second.until(lambda: len(second.orders()) >= 2, "both orders are known again")
            assert {name: _values(second.order(name)) for name in before} == before
            (position,) = second.cache.positions_open()
            assert Decimal(str(position.signed_qty)) == signed == site.held()
            filled = past.orders[bought]
            assert (filled.status, filled.filled) == ("FILLED", Decimal(10))
            (fill,) = [each for each in past.fills.values() if each.client_order_id == bought]
            assert (fill.quantity, fill.commission) == (Decimal(10), Decimal(0))
            assert Decimal(str(position.avg_px_open)) == fill.price
            second.hand.cancel(stop)
            await second.status("CANCELED", stop)
            await second.agree()

    asyncio.run(work())


def _values(order: Any) -> tuple[Any, ...]:
    return (
        order.venue_order_id, order.side, order.order_type, order.quantity.as_decimal(), order.status.name,
        getattr(order, "price", None), getattr(order, "trigger_price", None), order.time_in_force,
    )  # fmt: skip


@elsewhere(
    TC_E90="a limit buy of an option",
    TC_E91="a limit sell of an option",
    TC_E92="a limit order of an option with a price of another kind",
    TC_E94="an order type that options do not have",
    TC_E96="an order of an option that waits for a price",
    TC_E99="an order of an option for all or nothing",
    TC_E100="an order of an option is cancelled",
    TC_E101="the position of an option is known again",
    TC_D63="the chain of options of a share streams",
)
def stranger(site: Site, symbol: str) -> None:
    """What the venue does not trade is refused before there is a node, and nothing was sent."""
    site.clean()
    before = site.received()
    with pytest.raises(AdapterError) as refused:
        site.release(site.clients(symbol))
    assert str(refused.value) == site.strangers[symbol]
    assert site.received() == before
