"""Orders at Alpaca: sent once, answered always, and told as the broker says."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from nautilus_trader.model import OrderSide, TimeInForce

from tests.adapters.alpaca.driving import Broker, Node, drive


def test_a_market_order_is_accepted_and_filled(tmp_path: Path) -> None:
    async def work(_broker: Broker, node: Node) -> None:
        name = node.strategy.market(10)
        await node.status(name, "FILLED")
        await node.until(lambda: node.notes.kinds == ["sent"])
        await node.settle()
        assert node.strategy.of(name) == ["Initialized", "Submitted", "Accepted", "Filled"]
        (fill,) = node.strategy.fills_of(name)
        assert (fill.last_qty.as_decimal(), fill.last_px.as_decimal()) == (10, 100)
        assert node.notes.kinds == ["sent"]
        assert node.strategy.position == 10
        await node.books_agree()

    drive(tmp_path, work)


def test_a_resting_order_is_changed_and_cancelled(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        name = node.strategy.limit(90)
        await node.status(name, "ACCEPTED")
        node.strategy.change(name, 7, 91)
        await node.until(lambda: "Updated" in node.strategy.of(name))
        order = node.engine_order(name)
        assert (order.quantity.as_decimal(), order.price.as_decimal()) == (7, 91)
        row = broker.order(f"{name}.r1")
        assert (row["qty"], row["limit_price"], row["status"]) == ("7", "91", "new")
        node.strategy.change(name, price=92)
        await node.until(lambda: node.strategy.of(name).count("Updated") == 2)
        node.strategy.cancel(name)
        await node.status(name, "CANCELED")
        await node.settle()
        assert node.strategy.of(name)[2:] == [
            "Accepted", "PendingUpdate", "Updated", "PendingUpdate", "Updated", "PendingCancel", "Canceled",
        ]  # fmt: skip
        await node.books_agree()

    drive(tmp_path, work)


def test_a_change_of_a_partly_filled_order_keeps_its_fills(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        name = node.strategy.limit(90)
        await node.status(name, "ACCEPTED")
        broker.ask("fill", order=name, qty="4")
        await node.status(name, "PARTIALLY_FILLED")
        node.strategy.change(name, price=91)
        await node.until(lambda: "Updated" in node.strategy.of(name))
        order = node.engine_order(name)
        assert (order.quantity.as_decimal(), order.filled_qty.as_decimal()) == (10, 4)
        broker.price(91)
        await node.status(name, "FILLED")
        assert [each.last_qty.as_decimal() for each in node.strategy.fills_of(name)] == [4, 6]
        await node.books_agree()

    drive(tmp_path, work)


def test_a_change_that_comes_after_the_fill_is_refused(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        name = node.strategy.limit(90)
        await node.status(name, "ACCEPTED")
        broker.ask("race", on="replace")
        node.strategy.change(name, price=91)
        await node.status(name, "FILLED")
        await node.settle()
        assert "Updated" not in node.strategy.of(name)
        assert node.strategy.position == 10
        await node.books_agree()

    drive(tmp_path, work)


def test_a_cancel_that_loses_to_a_fill_leaves_a_filled_order(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        name = node.strategy.limit(90)
        await node.status(name, "ACCEPTED")
        broker.ask("race", on="cancel")
        node.strategy.cancel(name)
        await node.status(name, "FILLED")
        await node.books_agree()

    drive(tmp_path, work)


def test_what_the_broker_refuses_is_rejected_with_its_reason(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        broker.ask("account", trading_blocked=True)
        name = node.strategy.market(1)
        await node.status(name, "REJECTED")
        assert "403" in node.strategy.reason(name)
        assert node.notes.told == [("resolved", name, "REJECTED")]

    drive(tmp_path, work)


def test_an_order_that_the_exchange_rejects_after_it_was_accepted_ends(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        broker.ask("race", on="reject")
        name = node.strategy.limit(90)
        await node.status(name, "REJECTED", "CANCELED")
        await node.books_agree()

    drive(tmp_path, work)


def test_partial_fills_are_told_one_by_one(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        broker.ask("partial", share="0.3")
        name = node.strategy.market(10)
        for _ in range(20):
            broker.price(100)
            if node.strategy.status(name) == "FILLED":
                break
            await node.settle(0.1)
        await node.status(name, "FILLED")
        assert sum(each.last_qty.as_decimal() for each in node.strategy.fills_of(name)) == 10
        assert len(node.strategy.fills_of(name)) > 1
        await node.books_agree()

    drive(tmp_path, work)


def test_dollars_buy_the_fraction_of_a_share_that_they_are_worth(tmp_path: Path) -> None:
    async def work(_broker: Broker, node: Node) -> None:
        name = node.strategy.market(150, time_in_force=TimeInForce.DAY, quote_quantity=True)
        await node.status(name, "FILLED", "REJECTED", "DENIED")
        assert node.strategy.status(name) == "FILLED", node.strategy.reason(name)
        (fill,) = node.strategy.fills_of(name)
        assert fill.last_qty.as_decimal() == Decimal("1.5")
        await node.books_agree()

    drive(tmp_path, work, fractional=True)


def test_a_short_sale_is_covered_and_an_order_cannot_turn_a_position_round(tmp_path: Path) -> None:
    async def work(_broker: Broker, node: Node) -> None:
        short = node.strategy.market(5, OrderSide.SELL)
        await node.status(short, "FILLED")
        assert node.strategy.position == -5
        more = node.strategy.market(6, OrderSide.BUY, reduce_only=True)
        await node.status(more, "DENIED")
        assert "REDUCE_ONLY" in node.strategy.reason(more)
        cover = node.strategy.market(5, OrderSide.BUY, reduce_only=True)
        await node.status(cover, "FILLED")
        assert node.strategy.position == 0
        await node.books_agree()

    drive(tmp_path, work)
