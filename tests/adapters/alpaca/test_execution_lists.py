"""A bracket, an OTO and an OCO are one order at Alpaca, which guards the position also while no node runs."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.core import UUID4
from nautilus_trader.model import (
    ContingencyType,
    LimitOrder,
    MarketOrder,
    OrderSide,
    OrderType,
    StopMarketOrder,
    TimeInForce,
    TraderId,
    TriggerType,
)

from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._parsing import nanos
from adapters.alpaca.keys import REHEARSAL
from tests.adapters.alpaca.driving import AAPL, Broker, Node, config_of, drive, node, operator
from tests.adapters.commanding import Notes

pytestmark = pytest.mark.slow

OPENS, CLOSES, TAKES = (False, False), (True, False), (False, True, False)
"""The engine's flags: (post_only,) reduce_only, quote_quantity."""
MOST_REQUESTS = 30
"""That a few questions take; one of a take-profit that its stop had replaced took a hundred."""
DAY_SECS = 86_400


def test_a_bracket_is_one_order_at_the_broker_and_its_target_cancels_its_stop(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        entry, stop, target = node.strategy.bracket(110, 95)
        await node.status(entry, "FILLED")
        for name in (stop, target):
            await node.status(name, "ACCEPTED")
        assert len(broker.received) == 1
        audit = broker.audit()
        assert {row["order_class"] for row in audit["orders"]} == {"bracket"}
        broker.price(110)
        await node.status(target, "FILLED")
        await node.status(stop, "CANCELED")
        assert node.strategy.position == 0
        await node.until(lambda: node.notes.kinds == ["sent"] * 3)
        await node.books_agree()

    drive(tmp_path, work)


@pytest.mark.parametrize("stopped", ["replaced", "orphaned", "canceled"])
def test_the_stop_of_a_bracket_is_moved_and_closes_the_position(tmp_path: Path, stopped: str) -> None:
    """At Alpaca the stop replaces the take-profit: that has ended, and the next position can be closed."""

    async def work(broker: Broker, node: Node) -> None:
        entry, stop, target = node.strategy.bracket(110, 95)
        await node.status(entry, "FILLED")
        await node.status(stop, "ACCEPTED")
        node.strategy.change(stop, trigger=97)
        await node.until(
            lambda: "Updated" in node.strategy.of(stop) or "ModifyRejected" in node.strategy.of(stop)
        )
        assert "Updated" in node.strategy.of(stop), node.strategy.reason(stop)
        broker.price(97)
        await node.status(stop, "FILLED")
        await node.status(target, "CANCELED")
        found = await node.client.find(target, None)
        assert found is not None
        assert (found[0].status, found[0].filled) == ("CANCELED", Decimal(0))
        again = node.strategy.market(10)
        await node.status(again, "FILLED")
        out = node.strategy.market(10, OrderSide.SELL, reduce_only=True)
        await node.status(out, "FILLED")
        await node.books_agree()

    drive(tmp_path, work, f"stopped_target={stopped}")


def _asked(broker: Broker) -> int:
    """All requests so far, without those that come every second."""
    return sum(times for op, times in broker.audit()["requests"].items() if op != "activities")


@pytest.mark.parametrize("stopped", ["replaced", "orphaned"])
def test_a_target_whose_stop_filled_unheard_is_told_in_a_few_requests_and_its_cancel_ends(
    tmp_path: Path, stopped: str
) -> None:
    async def work(broker: Broker, node: Node) -> None:
        entry, stop, target = node.strategy.bracket(110, 95)
        await node.status(entry, "FILLED")
        await node.status(stop, "ACCEPTED")
        broker.fault(drop_events=True)
        broker.price(95)
        before = _asked(broker)
        node.strategy.cancel(target)
        await node.status(target, "CANCELED")
        assert _asked(broker) - before < MOST_REQUESTS

    drive(tmp_path, work, f"stopped_target={stopped}")


def test_a_target_that_was_changed_before_its_stop_filled_has_ended_too(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        entry, stop, target = node.strategy.bracket(110, 95)
        await node.status(entry, "FILLED")
        await node.status(stop, "ACCEPTED")
        node.strategy.change(target, price=112)
        await node.until(lambda: "Updated" in node.strategy.of(target))
        assert node.strategy.status(target) == "ACCEPTED"
        broker.price(95)
        await node.status(stop, "FILLED")
        await node.status(target, "CANCELED")
        async with operator(broker) as alone:
            told = {order.client_order_id: order.status for order in (await alone.snapshot(0)).orders}
            assert told == {entry: "FILLED", stop: "FILLED", target: "CANCELED"}
            closed = next(each for each in (await alone.snapshot(0)).orders if each.client_order_id == target)
            await alone.cancel(closed.venue_order_id)

    drive(tmp_path, work, "stopped_target=replaced")


@pytest.mark.parametrize("changed", [False, True])
def test_a_restart_knows_the_held_stop_of_a_bracket_that_is_older_than_the_look_back(
    tmp_path: Path, changed: bool
) -> None:
    """Alpaca lists a held exit with the closed orders, which are asked for by the time of their submission."""

    async def main(broker: Broker) -> None:
        async with node(broker) as first:
            entry, stop, target = first.strategy.bracket(110, 95)
            await first.status(entry, "FILLED")
            await first.status(stop, "ACCEPTED")
        broker.ask("clock", secs=2 * DAY_SECS)
        async with operator(broker) as alone:
            if changed:
                order = await alone.order(target)
                assert order is not None
                await _changed(broker, order.venue_order_id, f"{target}.r1")
            broker.ask("clock", secs=2 * DAY_SECS)
        async with operator(broker) as alone:
            since = broker.ask("market")["now"]
            snapshot = await alone.snapshot(nanos(since) - DAY_SECS * 10**9)
            assert {each.client_order_id for each in snapshot.orders} == {stop, target}
            assert all(each.is_open and each.reduce_only for each in snapshot.orders)
            again = await alone.snapshot(nanos(since))
            assert {each.client_order_id for each in again.orders} == {stop, target}
        async with node(broker) as second:
            await second.until(lambda: second.strategy.status(stop) == "ACCEPTED")
            assert second.strategy.status(target) == "ACCEPTED"

    broker = Broker(tmp_path)
    broker.start()
    try:
        broker.price(100)
        asyncio.run(main(broker))
    finally:
        broker.kill()


async def _changed(broker: Broker, order_id: str, name: str) -> None:
    api = AlpacaApi(config_of(broker.url), REHEARSAL)
    try:
        body = {"limit_price": "111", "client_order_id": name}
        await api.call(api.trading.patch, f"/orders/{order_id}", body)
    finally:
        api.close()


def test_exits_of_a_resting_entry_end_with_it(tmp_path: Path) -> None:
    async def work(_broker: Broker, node: Node) -> None:
        names = node.strategy.bracket(
            99, 80, entry_order_type=OrderType.LIMIT, entry_price=node.strategy.price(90, AAPL)
        )
        for name in names:
            await node.status(name, "ACCEPTED")
        node.strategy.cancel(names[0])
        for name in names:
            await node.status(name, "CANCELED")
        await node.books_agree()

    drive(tmp_path, work)


def test_two_exits_of_a_position_are_an_oco(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        bought = node.strategy.market(10)
        await node.status(bought, "FILLED")
        stop, target = _exits(node)
        for name in (stop, target):
            await node.status(name, "ACCEPTED")
        assert broker.order(f"{target}.s{_tail(target, stop)}")["order_class"] == "oco"
        broker.price(110)
        await node.status(target, "FILLED")
        await node.status(stop, "CANCELED")
        await node.books_agree()

    drive(tmp_path, work)


def test_an_entry_with_one_exit_is_an_oto(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        entry, stop = _entry_and_stop(node)
        await node.status(entry, "FILLED")
        await node.status(stop, "ACCEPTED")
        assert {row["order_class"] for row in broker.audit()["orders"]} == {"oto"}
        broker.price(95)
        await node.status(stop, "FILLED")
        await node.books_agree()

    drive(tmp_path, work)


def test_what_cannot_be_one_order_is_refused_as_a_whole(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        one = node.strategy
        days = one.bracket(110, 95, time_in_force=TimeInForce.DAY)
        crossed = one.bracket(95, 110)
        for names, why in ((days, "exits at Alpaca live as long as their entry"), (crossed, "wrong side")):
            for name in names:
                await node.status(name, "DENIED")
            assert why in one.reason(names[0])
        assert broker.received == {}
        assert node.notes.intents == []

    drive(tmp_path, work)


class OnlyEntries(Notes):
    """A gatekeeper that denies exits, as one does whose disk fills up in between."""

    def before_send(self, order: Any) -> str | None:
        super().before_send(order)
        return "DENIED: by the test" if order["reduce_only"] else None


def test_an_entry_whose_exit_is_denied_is_not_sent(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        entry, *exits = node.strategy.bracket(110, 95)
        for name in exits:
            await node.status(name, "DENIED")
        await node.status(entry, "REJECTED")
        assert "LIST" in node.strategy.reason(entry)
        assert ("resolved", entry, "NOT_SENT") in node.notes.told
        await node.settle()
        assert broker.received == {}

    drive(tmp_path, work, notes=OnlyEntries())


def test_a_bracket_whose_answer_is_lost_is_found_with_its_exits(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        node.hasten()
        broker.fault("hang", on="submit")
        names = node.strategy.bracket(110, 95)
        await node.status(names[0], "FILLED")
        for name in names[1:]:
            await node.status(name, "ACCEPTED")
        await node.books_agree()

    drive(tmp_path, work)


def test_news_of_exits_wait_until_it_is_known_what_became_of_their_entry(tmp_path: Path) -> None:
    """The answer cannot be read, and the news come first: Alpaca's own names of the exits are nobody's orders."""

    async def work(broker: Broker, node: Node) -> None:
        broker.fault("garbage", on="submit")
        broker.fault(reorder_events=True)
        broker.fault("delay", on="order_by_client_id", secs=0.5)
        entry, stop, target = node.strategy.bracket(110, 90)
        await node.status(entry, "FILLED")
        for name in (stop, target):
            await node.status(name, "ACCEPTED")
        known = {str(each.client_order_id) for each in node.strategy.cache.orders()}
        assert known == {entry, stop, target}
        assert node.notes.orders == []
        await node.books_agree()

    drive(tmp_path, work)


def test_after_a_restart_the_exits_of_a_bracket_have_their_names_again(tmp_path: Path) -> None:
    async def main(broker: Broker) -> None:
        async with node(broker) as first:
            entry, stop, target = first.strategy.bracket(110, 95)
            await first.status(entry, "FILLED")
            await first.status(stop, "ACCEPTED")
            first.strategy.change(stop, trigger=96)
            await first.until(lambda: "Updated" in first.strategy.of(stop))
        async with operator(broker) as alone:
            snapshot = await alone.snapshot(0)
            orders = {order.client_order_id: order for order in snapshot.orders}
            assert set(orders) == {entry, stop, target}
            assert orders[entry].status == "FILLED"
            assert orders[stop].trigger_price == 96
            assert all(orders[name].is_open and orders[name].reduce_only for name in (stop, target))
            for name in (entry, stop, target):
                found = await alone.order(name)
                assert found is not None
                assert found.client_order_id == name

    broker = Broker(tmp_path)
    broker.start()
    try:
        broker.price(100)
        asyncio.run(main(broker))
    finally:
        broker.kill()


def _exits(node: Node) -> tuple[str, str]:
    """A stop and a target that end each other, sent after the position was opened."""
    factory = node.strategy.order_factory
    stop, target = factory.generate_client_order_id(), factory.generate_client_order_id()
    group = factory.generate_order_list_id()
    price, size = node.strategy.price, node.strategy.size(10, AAPL)
    common = (OrderSide.SELL, size)
    ids = (TraderId("KEEL-001"), node.strategy.strategy_id, AAPL)
    tie: dict[str, Any] = {"contingency_type": ContingencyType.OUO, "order_list_id": group}
    orders = [
        StopMarketOrder(
            *ids, stop, *common, price(95, AAPL), TriggerType.DEFAULT, TimeInForce.GTC,
            *CLOSES, UUID4(), 0,
            linked_order_ids=[target], **tie,
        ),
        LimitOrder(
            *ids, target, *common, price(110, AAPL), TimeInForce.GTC, *TAKES, UUID4(), 0,
            linked_order_ids=[stop], **tie,
        ),
    ]  # fmt: skip
    node.strategy.submit_order_list(orders)
    return str(stop), str(target)


def _entry_and_stop(node: Node) -> tuple[str, str]:
    factory = node.strategy.order_factory
    entry, stop = factory.generate_client_order_id(), factory.generate_client_order_id()
    group = factory.generate_order_list_id()
    size = node.strategy.size(10, AAPL)
    ids = (TraderId("KEEL-001"), node.strategy.strategy_id, AAPL)
    orders = [
        MarketOrder(
            *ids, entry, OrderSide.BUY, size, UUID4(), 0, TimeInForce.GTC, *OPENS,
            contingency_type=ContingencyType.OTO, order_list_id=group, linked_order_ids=[stop],
        ),
        StopMarketOrder(
            *ids, stop, OrderSide.SELL, size, node.strategy.price(95, AAPL), TriggerType.DEFAULT, TimeInForce.GTC,
            *CLOSES, UUID4(), 0, order_list_id=group, parent_order_id=entry,
        ),
    ]  # fmt: skip
    node.strategy.submit_order_list(orders)
    return str(entry), str(stop)


def _tail(root: str, name: str) -> str:
    same = next(at for at, (one, other) in enumerate(zip(root, name, strict=False)) if one != other)
    return f"{same}-{name[same:]}"
