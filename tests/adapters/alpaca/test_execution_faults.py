"""Whatever is lost, late, double or refused on the way: no order is lost, none is sent twice, the books agree."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model import Currency, OrderSide

from adapters.alpaca import _account_feed
from tests.adapters.alpaca.driving import AAPL, Broker, Node, drive, node, operator

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "hang"}, {"kind": "cut_after"}, {"kind": "status", "status": 504, "after": True},
        {"kind": "garbage"},
    ],
)  # fmt: skip
def test_an_order_whose_answer_is_lost_is_found_and_not_sent_again(
    tmp_path: Path, fault: dict[str, Any]
) -> None:
    async def work(broker: Broker, node: Node) -> None:
        node.hasten()
        broker.fault(on="submit", **fault)
        name = node.strategy.market(10)
        await node.status(name, "FILLED")
        await node.until(lambda: node.notes.kinds[-1:] in (["sent"], ["resolved"]))
        await node.books_agree()

    drive(tmp_path, work)


@pytest.mark.parametrize(
    "fault", [{"kind": "lose"}, {"kind": "cut_before"}, {"kind": "status", "status": 500}]
)
def test_an_order_that_never_arrived_is_told_so_after_the_broker_was_asked(
    tmp_path: Path, fault: dict[str, Any]
) -> None:
    async def work(broker: Broker, node: Node) -> None:
        node.hasten()
        broker.fault(on="submit", **fault)
        name = node.strategy.limit(90)
        await node.status(name, "REJECTED")
        assert "NEVER_RECEIVED" in node.strategy.reason(name)
        assert node.notes.told[-1] == ("resolved", name, "ABSENT")
        assert node.notes.kinds == ["unknown", "resolved"]
        again = node.strategy.market(1)
        await node.status(again, "FILLED")

    drive(tmp_path, work)


def test_a_submit_that_is_too_many_waits_as_long_as_it_is_told_and_is_sent_once(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        broker.fault("status", status=429, on="submit", times=1)
        name = node.strategy.market(10)
        await node.status(name, "FILLED")
        await node.books_agree()

    drive(tmp_path, work)


def test_trade_updates_may_come_twice_out_of_order_and_late(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        broker.fault(duplicate_events=True, reorder_events=True, event_delay_ms=50)
        names = [node.strategy.market(3) for _ in range(5)]
        resting = node.strategy.limit(90)
        for name in names:
            await node.status(name, "FILLED")
        node.strategy.cancel(resting)
        await node.status(resting, "CANCELED")
        assert all(len(node.strategy.fills_of(name)) == 1 for name in names)
        await node.books_agree()

    drive(tmp_path, work)


def test_updates_that_never_come_are_asked_for(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        broker.fault(drop_events=True)
        resting = node.strategy.limit(90)
        await node.status(resting, "ACCEPTED")
        broker.price(89)
        await node.status(resting, "FILLED")
        await node.books_agree()

    drive(tmp_path, work)


def test_what_happened_while_the_line_was_cut_is_asked_for(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        resting = node.strategy.limit(90)
        await node.status(resting, "ACCEPTED")
        broker.fault(refuse_streams=True)
        broker.ask("drop_streams", which="all")
        broker.price(89)
        await node.until(lambda: node.client.polling)
        await node.status(resting, "FILLED")
        more = node.strategy.market(2)
        await node.status(more, "FILLED")
        broker.fault("clear")
        broker.fault(refuse_streams=False)
        await node.until(lambda: not node.client.polling)
        last = node.strategy.market(1)
        await node.status(last, "FILLED")
        await node.books_agree()

    drive(tmp_path, work)


def test_a_stream_that_stays_open_but_says_nothing_is_noticed(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        broker.ask("half_close", which="all")
        name = node.strategy.limit(90)
        await node.status(name, "ACCEPTED")
        await node.settle(_account_feed.OWED_SECS + 1.5)
        broker.price(89)
        await node.status(name, "FILLED")
        await node.books_agree()

    drive(tmp_path, work)


def test_a_cancel_and_a_change_whose_answers_are_lost_are_settled(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        name = node.strategy.limit(90)
        await node.status(name, "ACCEPTED")
        node.hasten()
        broker.fault("hang", on="replace")
        node.strategy.change(name, price=91)
        await node.until(lambda: "Updated" in node.strategy.of(name))
        broker.fault("lose", on="cancel")
        node.strategy.cancel(name)
        await node.status(name, "CANCELED")
        await node.books_agree()

    drive(tmp_path, work)


def test_a_broker_that_died_is_found_again_with_what_it_filled(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        name = node.strategy.limit(90)
        await node.status(name, "ACCEPTED")
        broker.kill()
        other = node.strategy.limit(91)
        await node.until(lambda: node.strategy.status(other) in ("REJECTED", "SUBMITTED", "DENIED"))
        broker.start()
        broker.price(89)
        await node.status(name, "FILLED")
        await node.until(lambda: node.strategy.status(other) in ("REJECTED", "DENIED", "FILLED"))
        await node.books_agree()

    drive(tmp_path, work)


def test_a_node_that_comes_back_knows_its_orders_and_its_fills(tmp_path: Path) -> None:
    async def main(broker: Broker) -> None:
        async with node(broker) as first:
            bought = first.strategy.market(10)
            await first.status(bought, "FILLED")
            resting = first.strategy.limit(90)
            await first.status(resting, "ACCEPTED")
            first.strategy.change(resting, price=91)
            await first.until(lambda: "Updated" in first.strategy.of(resting))
        broker.ask("fill", order=f"{resting}.r1", qty="4")
        async with operator(broker) as alone:
            snapshot = await alone.snapshot(0)
            orders = {order.client_order_id: order for order in snapshot.orders}
            assert (orders[resting].status, orders[resting].filled) == ("PARTIALLY_FILLED", Decimal(4))
            assert orders[resting].price == 91
            assert sorted(fill.quantity for fill in snapshot.fills) == [4, 10]
            assert [(each.instrument, each.quantity) for each in snapshot.positions] == [
                (str(AAPL), Decimal(14))
            ]
            assert await alone.order("never-sent") is None
        async with node(broker) as again:
            assert again.strategy.position == 14
            broker.price(89)
            await again.until(lambda: again.strategy.position == 20)
            await again.books_agree()
        async with operator(broker) as alone:
            await alone.close_position(str(AAPL), Decimal(20), "flatten-1")
            assert (await alone.snapshot(0)).positions == ()

    broker = Broker(tmp_path)
    broker.start()
    try:
        broker.price(100)
        asyncio.run(main(broker))
    finally:
        broker.kill()


def test_money_that_comes_without_an_order_is_told_once(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        broker.ask("activity", type="DIV", net_amount="12.34", symbol="AAPL", qty="10")
        broker.ask("activity", type="CSW", net_amount="-500")
        await node.until(lambda: len(node.notes.flows) == 2)
        await node.settle(1.0)
        assert sorted((each.kind, each.amount) for each in node.notes.flows) == [
            ("dividend", Decimal("12.34")), ("transfer", Decimal(-500)),
        ]  # fmt: skip

    drive(tmp_path, work)


def test_what_a_fill_earned_is_in_the_account_though_no_update_told_it(tmp_path: Path) -> None:
    """Only a cancel that comes too late finds out that the order was filled."""

    async def work(broker: Broker, node: Node) -> None:
        await node.status(node.strategy.market(10), "FILLED")
        name = node.strategy.limit(110, side=OrderSide.SELL)
        await node.status(name, "ACCEPTED")
        await node.settle(1.5)
        broker.fault(drop_next_events=9)
        broker.price(111)
        node.strategy.cancel(name)
        await node.status(name, "FILLED")
        cash = Decimal(broker.audit()["cash"])
        assert cash > 100_000

        def balance() -> Any:
            account: Any = node.strategy.cache.account_for_venue(AAPL.venue)
            return account.balance_total(Currency.from_str("USD")).as_decimal()

        await node.until(lambda: balance() == cash)

    drive(tmp_path, work)
