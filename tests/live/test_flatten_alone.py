"""Flattening without a node, while the venue goes on filling: nothing is left open, and nothing closed that is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from adapters.account import VenueOrder, VenuePosition, VenueSnapshot
from adapters.errors import AdapterError
from live._flatten_alone import Flattened, Flattening
from live._flatten_plan import Close, Plan, planned
from risk.foreign import EXTERNAL

AAPL = "AAPL.XNAS"
Positions = dict[tuple[str, str], dict[str, Decimal]]


@dataclass
class Venue:
    """An account at a venue that, like Alpaca, refuses a close larger than what is held. An Operator.

    meanwhile: client order id -> how much of that order fills before its cancel arrives. Positions are told `lag`
    snapshots late.
    """

    net: Decimal
    orders: dict[str, VenueOrder]
    meanwhile: dict[str, int] = field(default_factory=dict)
    lag: int = 0
    on_close: Callable[[Venue], None] = lambda _: None
    closes: list[Decimal] = field(default_factory=list)
    told: list[Decimal] = field(default_factory=list)

    async def open(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""

    async def snapshot(self, since_ns: int) -> VenueSnapshot:
        self.told.append(self.net)
        net = self.told[max(0, len(self.told) - 1 - self.lag)]
        held = (VenuePosition(AAPL, net, Decimal(100)),) if net else ()
        orders = tuple(self.orders.values())
        return VenueSnapshot("A", "USD", Decimal(0), None, None, orders, (), held, since_ns)

    async def order(self, client_order_id: str) -> VenueOrder | None:
        return self.orders.get(client_order_id)

    async def cancel(self, venue_order_id: str) -> None:
        name = venue_order_id.removeprefix("V-")
        self.fill(name, self.meanwhile.pop(name, 0))
        if self.orders[name].is_open:
            self.orders[name] = replace(self.orders[name], status="CANCELED")

    def fill(self, name: str, quantity: int) -> None:
        order = self.orders[name]
        self.net += quantity if order.side == "BUY" else -quantity
        filled = order.filled + quantity
        status = "FILLED" if filled == order.quantity else order.status
        self.orders[name] = replace(order, filled=filled, status=status)

    async def close_position(self, instrument: str, quantity: Decimal, client_order_id: str) -> None:
        self.on_close(self)
        if self.net * quantity <= 0 or abs(self.net) < abs(quantity):
            raise AdapterError(f"{instrument} is not closed: {quantity} asked for, {self.net} held")
        self.closes.append(quantity)
        self.net -= quantity
        side = "SELL" if quantity > 0 else "BUY"
        filled = order(client_order_id, side, abs(quantity), "MARKET")
        self.orders[client_order_id] = replace(filled, status="FILLED", filled=abs(quantity))


def order(name: str, side: str, quantity: Decimal | int, kind: str = "STOP_MARKET") -> VenueOrder:
    units = Decimal(quantity)
    return VenueOrder(
        client_order_id=name, venue_order_id=f"V-{name}", instrument=AAPL, side=side, type=kind, quantity=units,
        filled=Decimal(0), average_price=None, price=None, trigger_price=None, tif="GTC", status="ACCEPTED",
        reduce_only=False, ts=1,
    )  # fmt: skip


def venue(net: int, *orders: VenueOrder, lag: int = 0, **meanwhile: int) -> Venue:
    return Venue(Decimal(net), {str(each.client_order_id): each for each in orders}, meanwhile, lag)


def flattened(
    at: Venue, own: dict[str, int], owners: dict[str, str | None], strategy: str | None = None
) -> tuple[Flattened, list[Close]]:
    """Flatten; answers what became of it and the closes that were put on record."""
    positions: Positions = {(name, AAPL): {"quantity": Decimal(units)} for name, units in own.items()}
    intended: list[Close] = []

    async def run() -> Flattened:
        first = await at.snapshot(0)
        plan = planned(first, positions, owners, strategy)
        return await Flattening(at, plan, 0, intended.append).run(first, 8)

    return asyncio.run(run()), intended


STOP = order("stop", "SELL", 100)
ENTRY = order("entry", "BUY", 300, "LIMIT")


@pytest.mark.parametrize("lag", [0, 2])
@pytest.mark.parametrize(("filled", "closes"), [(40, [60]), (100, [])])
def test_a_stop_that_fills_while_it_is_cancelled_leaves_only_the_rest_to_close(
    filled: int, closes: list[int], lag: int
) -> None:
    at = venue(100, STOP, lag=lag, stop=filled)
    done, _ = flattened(at, {"A": 100}, {"stop": "A"})
    assert done.is_done
    assert done.troubles == ()
    assert (int(at.net), [int(each) for each in at.closes]) == (0, closes)


@pytest.mark.parametrize("lag", [0, 2])
def test_an_entry_that_fills_while_it_is_cancelled_is_closed_too_as_its_strategys(lag: int) -> None:
    at = venue(100, ENTRY, lag=lag, entry=300)
    done, intended = flattened(at, {"A": 100}, {"entry": "B"})
    assert done.is_done
    assert at.net == 0
    closed = {name: sum(each.quantity for each in intended if each.strategy == name) for name in "AB"}
    assert closed == {"A": 100, "B": 300}


def test_what_a_person_sold_at_the_venue_meanwhile_is_not_closed_once_more() -> None:
    at = venue(100)

    def sold(venue: Venue) -> None:
        if not venue.closes and venue.net == 100:
            venue.net = Decimal(60)

    at.on_close = sold
    done, _ = flattened(at, {"A": 100}, {})
    assert done.is_done
    assert (int(at.net), [int(each) for each in at.closes]) == (0, [60])


def test_closes_that_share_an_instrument_never_add_up_to_more_than_is_held() -> None:
    at = venue(150)

    def sold(venue: Venue) -> None:
        if venue.net == 150:
            venue.net = Decimal(120)

    at.on_close = sold
    done, intended = flattened(at, {"A": 100, "B": 50}, {})
    assert done.is_done
    assert (int(at.net), int(sum(at.closes))) == (0, 120)
    assert {each.strategy for each in intended} == {"A", "B"}


def test_of_one_strategy_its_stops_fill_is_not_taken_from_another_strategys_shares() -> None:
    at = venue(200, STOP, stop=100)
    done, intended = flattened(at, {"A": 100, "B": 100}, {"stop": "A"}, "A")
    assert done.is_done
    assert intended == []
    assert at.net == 100


def test_a_position_that_nothing_explains_is_not_called_flat() -> None:
    at = venue(100)

    def bought(venue: Venue) -> None:
        venue.net += 30

    at.on_close = bought
    done, _ = flattened(at, {}, {})
    assert not done.is_done
    assert [each.quantity for each in done.rest] == [30]
    assert at.closes == [100]


def test_a_plan_exceeds_another_by_what_that_one_does_not_show() -> None:
    async def plan(at: Venue) -> Plan:
        return planned(await at.snapshot(0), {("A", AAPL): {"quantity": Decimal(100)}}, {}, None)

    seen, less, more, turned, other = (
        asyncio.run(plan(at))
        for at in (venue(100, STOP), venue(60), venue(130, STOP), venue(-5), venue(100, STOP, ENTRY))
    )
    assert [each.exceeds(seen) for each in (seen, less, more, turned, other)] == [
        False, False, True, True, True
    ]  # fmt: skip
    assert more.closes[-1].strategy == EXTERNAL
