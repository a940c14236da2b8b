"""Orders at the local broker: sent once, answered always, and never past the gatekeeper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nautilus_trader.model import ClientOrderId, OrderSide, Price, Quantity, TriggerType

from adapters.gatekeeper import Intent
from tests.adapters.commanding import Notes
from tests.adapters.local.driving import AAPL, Broker, Node, drive


def test_a_market_order_is_accepted_and_filled_and_the_gatekeeper_is_asked_first(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        name = node.strategy.buy(10)
        await node.until(lambda: node.strategy.status(name) == "FILLED")
        await node.until(lambda: node.notes.told == [("sent", name, "L-1")])
        await node.settle()
        assert node.strategy.of(name) == ["Initialized", "Submitted", "Accepted", "Filled"]
        assert node.strategy.trades(name) == ["T-1"]
        assert [each["client_order_id"] for each in node.notes.intents] == [name]
        assert node.notes.told == [("sent", name, "L-1")]
        assert broker.received == {name: 1}
        assert node.strategy.position == 10

    drive(tmp_path, work)


def test_a_resting_order_is_changed_and_cancelled(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        name = node.strategy.limit(90)
        await node.until(lambda: node.strategy.status(name) == "ACCEPTED")
        node.strategy.modify_order(ClientOrderId(name), Quantity(7, 0), Price(91, 4))
        await node.until(lambda: "Updated" in node.strategy.of(name))
        (order,) = broker.ask("audit")["orders"]
        assert (order["quantity"], order["price"]) == ("7", "91.0000")
        node.strategy.cancel(name)
        await node.until(lambda: node.strategy.status(name) == "CANCELED")
        assert node.strategy.of(name)[2:] == [
            "Accepted",
            "PendingUpdate",
            "Updated",
            "PendingCancel",
            "Canceled",
        ]

    drive(tmp_path, work)


def test_what_the_broker_refuses_is_rejected_with_its_reason(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        broker.fault(reject_next=1)
        name = node.strategy.buy()
        await node.until(lambda: node.strategy.status(name) == "REJECTED")
        assert node.strategy.events[-1].reason == "rejected on demand"
        assert node.notes.told == [("resolved", name, "REJECTED")]
        other = node.strategy.limit(90)
        await node.until(lambda: node.strategy.status(other) == "ACCEPTED")
        broker.fault(on="cancel", reject_next=1)
        node.strategy.cancel(other)
        await node.until(lambda: "CancelRejected" in node.strategy.of(other))
        assert node.strategy.status(other) == "ACCEPTED"

    drive(tmp_path, work)


def test_an_order_that_the_gatekeeper_vetoes_never_leaves(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        node.notes.reason = "HALTED: by the test"
        name = node.strategy.buy()
        await node.until(lambda: node.strategy.status(name) == "DENIED")
        assert node.strategy.events[-1].reason == "HALTED: by the test"
        assert broker.received == {}

    drive(tmp_path, work)


class Broken(Notes):
    """A gatekeeper that cannot keep anything."""

    def before_send(self, order: Intent) -> str | None:
        raise OSError(28, "no space left on device", order["client_order_id"])


def test_a_gatekeeper_that_raises_denies(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        name = node.strategy.buy()
        await node.until(lambda: node.strategy.status(name) == "DENIED")
        assert (
            node.strategy.events[-1].reason
            == f"GATEKEEPER: OSError: [Errno 28] no space left on device: '{name}'"
        )
        assert broker.received == {}

    drive(tmp_path, work, notes=Broken())


def test_an_order_that_the_engine_releases_passes_the_gatekeeper_too(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        node.strategy.subscribe_quotes(AAPL)
        await node.until(lambda: _quoted(broker, node))
        more: dict[str, Any] = {"emulation_trigger": TriggerType.BID_ASK}
        order = node.strategy.order_factory.stop_market(
            AAPL, OrderSide.BUY, Quantity(5, 0), Price(110, 4), **more
        )
        node.strategy.submit_order(order)
        name = str(order.client_order_id)
        await node.until(lambda: node.strategy.status(name) == "EMULATED")
        node.notes.reason = "HALTED: by the test"
        broker.price(111)
        await node.until(lambda: node.strategy.status(name) == "DENIED")
        assert "Released" in node.strategy.of(name)
        assert broker.received == {}

    drive(tmp_path, work)


def _quoted(broker: Broker, node: Node) -> bool:
    broker.price(100)
    return node.strategy.cache.quote(AAPL) is not None


def test_a_bracket_is_sent_whole_and_its_legs_end_together(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        legs = node.strategy.order_factory.bracket(
            AAPL, OrderSide.BUY, Quantity(10, 0), sl_trigger_price=Price(90, 4), tp_price=Price(110, 4)
        )
        entry, *exits = [str(init.client_order_id) for init in _orders(legs)]
        node.strategy.submit_order_list(legs)
        await node.until(lambda: [node.strategy.status(name) for name in exits] == ["ACCEPTED"] * 2)
        await node.until(lambda: node.strategy.status(entry) == "FILLED")
        broker.price(111)
        await node.until(lambda: node.strategy.position == 0)
        await node.until(
            lambda: sorted(node.strategy.status(name) for name in exits) == ["CANCELED", "FILLED"]
        )
        assert len(node.notes.intents) == 3
        assert set(broker.received.values()) == {1}

    drive(tmp_path, work)


def _orders(legs: Any) -> list[Any]:
    return list(legs.orders) if hasattr(legs, "orders") else list(legs)


def test_the_children_of_a_vetoed_parent_are_not_sent(tmp_path: Path) -> None:
    class OnlyExits(Notes):
        def before_send(self, order: Intent) -> str | None:
            return None if order["reduce_only"] else "HALTED: by the test"

    async def work(broker: Broker, node: Node) -> None:
        legs = node.strategy.order_factory.bracket(
            AAPL, OrderSide.BUY, Quantity(10, 0), sl_trigger_price=Price(90, 4), tp_price=Price(110, 4)
        )
        node.strategy.submit_order_list(legs)
        names = [str(each.client_order_id) for each in _orders(legs)]
        await node.until(lambda: [node.strategy.status(name) for name in names] == ["DENIED"] * 3)
        assert broker.received == {}

    drive(tmp_path, work, notes=OnlyExits())


def test_fills_in_parts_are_told_one_by_one_and_the_rest_is_cancelled(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        name = node.strategy.limit(95, 100)
        await node.until(lambda: node.strategy.status(name) == "ACCEPTED")
        broker.price(95)
        broker.price(95)
        await node.until(lambda: len(node.strategy.trades(name)) == 2)
        assert node.strategy.position == 75
        node.strategy.cancel(name)
        await node.until(lambda: node.strategy.status(name) == "CANCELED")

    drive(tmp_path, work, "partial=0.5")


def test_five_hundred_orders_at_once_are_all_answered(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        names = [node.strategy.limit(50 + n / 100, 1) for n in range(500)]
        await node.until(lambda: all(node.strategy.status(name) == "ACCEPTED" for name in names), 120)
        node.strategy.cancel_all_orders(AAPL)
        await node.until(lambda: all(node.strategy.status(name) == "CANCELED" for name in names), 120)
        received = broker.received
        assert sorted(received) == sorted(names)
        assert set(received.values()) == {1}

    drive(tmp_path, work)


def test_bars_come_stamped_with_the_wall_clock_and_end_after_as_many_as_wanted(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        before = node.strategy.clock.timestamp_ns()
        await node.until(lambda: _stepped(broker, node) >= 3)
        broker.ask("market", do="step", steps=5)
        await node.settle()
        assert len(node.strategy.bars) == 3
        assert node.venue.ended(None)
        stamps = [bar.ts_event for bar in node.strategy.bars]
        assert before < stamps[0] < stamps[1] < stamps[2] <= node.strategy.clock.timestamp_ns()

    drive(tmp_path, work, most=3, price=None)


def _stepped(broker: Broker, node: Node) -> int:
    """How many bars came, after one more was played: what was before the node listened is heard by nobody."""
    broker.ask("market", do="step")
    return len(node.strategy.bars)
