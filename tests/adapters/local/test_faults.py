"""A broker on a bad day: answers lost, late, doubled and out of order, connections cut; nothing lost, nothing twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from nautilus_trader.model import ClientOrderId, OrderSide, Price

from tests.adapters.commanding import QUICK, SLOW_SECS, Notes
from tests.adapters.local.driving import AAPL, Broker, Node, drive

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("fault", ["drop_answer", "cut_after"])
@pytest.mark.parametrize("drop_events", [False, True])
def test_an_order_whose_answer_is_lost_is_found_again_and_never_sent_twice(
    tmp_path: Path, fault: str, drop_events: bool
) -> None:
    async def work(broker: Broker, node: Node) -> None:
        node.hasten()
        broker.fault(**{fault: 1, "drop_events": drop_events})
        name = node.strategy.buy(10)
        await node.until(lambda: node.strategy.status(name) == "FILLED")
        if drop_events:
            await node.until(lambda: node.notes.kinds == ["unknown", "resolved"])
        await node.settle(1)
        assert node.strategy.of(name) == ["Initialized", "Submitted", "Accepted", "Filled"]
        assert node.strategy.trades(name) == ["T-1"]
        assert broker.received == {name: 1}
        assert node.strategy.position == 10
        if drop_events:
            assert node.notes.kinds == ["unknown", "resolved"]
            assert node.notes.told[1] == ("resolved", name, "FILLED")

    drive(tmp_path, work)


@pytest.mark.parametrize("fault", ["lose_request", "cut_before"])
def test_an_order_that_never_arrived_is_dead_only_on_the_brokers_repeated_word(
    tmp_path: Path, fault: str
) -> None:
    async def work(broker: Broker, node: Node) -> None:
        node.hasten()
        broker.fault(**{fault: 1})
        name = node.strategy.buy(10)
        await node.until(lambda: node.notes.kinds == ["unknown"])
        assert node.strategy.status(name) == "SUBMITTED"
        await node.until(lambda: node.strategy.status(name) == "REJECTED")
        assert node.strategy.events[-1].reason.startswith("NEVER_RECEIVED")
        assert node.notes.told[-1] == ("resolved", name, "ABSENT")
        assert broker.received == {}

    drive(tmp_path, work)


def test_an_outcome_stays_unknown_while_the_broker_does_not_tell(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        broker.fault(drop_events=True, refuse_secs=3600, cut_after=1)
        name = node.strategy.buy(10)
        await node.until(lambda: "unknown" in node.notes.kinds)
        await node.settle(1.5)
        assert node.strategy.status(name) == "SUBMITTED"
        assert node.notes.kinds == ["unknown"]
        await node.until(lambda: not node.connected)
        denied = node.strategy.buy(1)
        await node.until(lambda: node.strategy.status(denied) == "DENIED")
        assert node.strategy.events[-1].reason.startswith("NOT_CONNECTED")
        broker.fault(refuse_secs=0)
        await node.until(lambda: node.strategy.status(name) == "FILLED")
        assert broker.received == {name: 1}

    drive(tmp_path, work)


def test_an_order_that_arrives_after_all_is_cancelled_and_its_fills_are_not_hidden(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        node.hasten()
        broker.fault(lose_request=1)
        name = node.strategy.limit(90, 10)
        await node.until(lambda: node.strategy.status(name) == "REJECTED")
        late = {"instrument": str(AAPL), "side": "BUY", "type": "LIMIT", "quantity": "10", "price": "100"}
        broker.ask("submit", client_order_id=name, **late)  # fills at once
        await node.until(lambda: node.strategy.position == 10)
        assert [fill.trade_id for fill in node.notes.fills] == ["T-1"]

    drive(tmp_path, work)


def test_an_order_that_arrives_late_and_rests_is_cancelled(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        node.hasten()
        broker.fault(lose_request=1)
        name = node.strategy.limit(90, 10)
        await node.until(lambda: node.strategy.status(name) == "REJECTED")
        late = {"instrument": str(AAPL), "side": "BUY", "type": "LIMIT", "quantity": "10", "price": "90"}
        broker.ask("submit", client_order_id=name, **late)
        await node.until(lambda: broker.ask("audit")["orders"][0]["status"] == "CANCELED")

    drive(tmp_path, work)


@pytest.mark.parametrize(
    "faults",
    [
        {"duplicate_events": True},
        {"reorder_events": True},
        {"duplicate_events": True, "reorder_events": True},
        {"drop_events": True},
        {"delay_ms": 300, "reorder_events": True},
        {"event_delay_ms": 300},
    ],
    ids=str,
)
def test_events_doubled_disordered_lost_or_late_change_nothing(
    tmp_path: Path, faults: dict[str, int]
) -> None:
    async def work(broker: Broker, node: Node) -> None:
        broker.fault(**faults)
        bought = node.strategy.buy(40)
        rests = node.strategy.limit(95, 100)
        await node.until(lambda: node.strategy.status(rests) in ("ACCEPTED", "PARTIALLY_FILLED"))
        broker.price(95)
        broker.price(95)
        node.strategy.cancel(rests)
        await node.until(lambda: node.strategy.status(rests) == "CANCELED")
        await node.until(lambda: len(node.strategy.trades(bought)) > 0)

        def agree() -> bool:
            audit = broker.ask("audit")
            made = [fill["trade_id"] for fill in audit["fills"] if fill["client_order_id"] == rests]
            held = audit["positions"][0]["quantity"]
            return sorted(node.strategy.trades(rests)) == made and str(node.strategy.position) == held

        await node.until(agree)
        await node.settle(0.8)
        assert agree()
        assert node.strategy.of(rests)[-1] == "Canceled"
        assert node.strategy.of(rests).count("Accepted") == 1
        assert set(broker.received.values()) == {1}

    drive(tmp_path, work, "partial=0.5", patience=replace(QUICK, reconcile_secs=0.5))


def test_fills_missed_while_cut_off_are_told_once_with_their_own_trade_ids(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        first, second = node.strategy.limit(95, 10), node.strategy.limit(94, 5)
        await node.until(lambda: node.strategy.status(second) == "ACCEPTED")
        broker.fault(refuse_secs=0.6)
        broker.ask("disconnect")
        broker.price(94)
        await node.until(lambda: node.strategy.status(first) == node.strategy.status(second) == "FILLED")
        await node.settle()
        assert node.strategy.trades(first) == ["T-1"]
        assert node.strategy.trades(second) == ["T-2"]
        assert node.strategy.position == 15
        assert node.strategy.cache.account_for_venue(AAPL.venue) is not None

    drive(tmp_path, work)


def test_a_slow_answer_holds_no_other_command_up(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        resting = node.strategy.limit(80)
        await node.until(lambda: node.strategy.status(resting) == "ACCEPTED")
        broker.fault(drop_answer=1, drop_events=True)
        other = node.strategy.limit(81)
        await node.until(lambda: other in broker.received)
        broker.fault(drop_events=False)
        node.strategy.cancel(resting)
        await node.until(lambda: node.strategy.status(resting) == "CANCELED", SLOW_SECS / 2)
        assert node.strategy.status(other) == "SUBMITTED"

    drive(tmp_path, work)


def test_a_cancel_of_an_order_whose_outcome_is_unknown_is_sent_once_it_is_known(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        node.hasten()
        broker.fault(drop_answer=1, drop_events=True)
        name = node.strategy.limit(80)
        await node.until(lambda: name in broker.received)
        node.strategy.cancel(name)
        await node.until(lambda: node.strategy.status(name) == "CANCELED")
        assert node.strategy.of(name).count("Canceled") == 1

    drive(tmp_path, work)


@pytest.mark.parametrize("fault", ["drop_answer", "lose_request", "cut_after", "cut_before"])
def test_a_cancel_is_repeated_until_the_order_has_ended(tmp_path: Path, fault: str) -> None:
    async def work(broker: Broker, node: Node) -> None:
        node.hasten()
        name = node.strategy.limit(80)
        await node.until(lambda: node.strategy.status(name) == "ACCEPTED")
        broker.fault(on="cancel", drop_events=True, **{fault: 1})
        node.strategy.cancel(name)
        await node.until(lambda: node.strategy.status(name) == "CANCELED")
        assert broker.ask("audit")["orders"][0]["status"] == "CANCELED"

    drive(tmp_path, work)


@pytest.mark.parametrize(
    ("fault", "told"),
    [("drop_answer", "Updated"), ("cut_after", "Updated"), ("lose_request", "ModifyRejected")],
)
def test_a_change_whose_answer_is_lost_is_told_as_the_broker_shows_it(
    tmp_path: Path, fault: str, told: str
) -> None:
    async def work(broker: Broker, node: Node) -> None:
        node.hasten()
        name = node.strategy.limit(80)
        await node.until(lambda: node.strategy.status(name) == "ACCEPTED")
        broker.fault(on="modify", drop_events=True, **{fault: 1})
        node.strategy.modify_order(ClientOrderId(name), None, Price(81, 4))
        await node.until(lambda: told in node.strategy.of(name))
        await node.until(lambda: node.strategy.status(name) == "ACCEPTED")
        order = node.order(name)
        assert f"{order.price.as_decimal():f}" == broker.ask("audit")["orders"][0]["price"]

    drive(tmp_path, work)


def test_a_kill_of_the_broker_loses_nothing(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        bought, rests = node.strategy.buy(10), node.strategy.limit(95, 5)
        await node.until(lambda: node.strategy.status(rests) == "ACCEPTED")
        broker.kill()
        await node.until(lambda: not node.connected)
        denied = node.strategy.buy(1)
        await node.until(lambda: node.strategy.status(denied) == "DENIED")
        broker.start()
        broker.price(94)
        await node.until(lambda: node.strategy.status(rests) == "FILLED")
        after = node.strategy.buy(3, side=OrderSide.SELL)
        await node.until(lambda: node.strategy.status(after) == "FILLED")
        trades = [node.strategy.trades(name) for name in (bought, rests, after)]
        assert trades == [["T-1"], ["T-2"], ["T-3"]]
        assert broker.received == {bought: 1, rests: 1, after: 1}
        assert node.strategy.position == 12

    drive(tmp_path, work)


def test_a_stop_while_an_answer_is_missing_is_kept_as_unknown(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        broker.fault(drop_answer=1, drop_events=True)
        names.append(node.strategy.limit(80))
        notes.append(node.notes)
        await node.until(lambda: names[0] in broker.received)
        assert node.notes.told == []

    names: list[str] = []
    notes: list[Notes] = []
    drive(tmp_path, work)
    assert notes[0].told == [("unknown", names[0], "the node stopped before the venue answered")]
