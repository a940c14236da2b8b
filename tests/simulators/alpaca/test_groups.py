"""Brackets, OCO and OTO: legs are held, armed, shrunk and ended as the documentation says."""

from __future__ import annotations

from decimal import Decimal

import pytest

from simulators.alpaca.refusal import RefusedError
from simulators.alpaca.trading import Asked
from tests.simulators.alpaca.desks import Broker, Row

EXITS = {"take_profit": {"limit_price": "55"}, "stop_loss": {"stop_price": "45"}}


def bracket(broker: Broker, **more: object) -> Row:
    return broker.submit(qty="10", order_class="bracket", **EXITS, **more)


def legs(broker: Broker, order: Row) -> list[tuple[str, str]]:
    return [(leg["group_role"], leg["status"]) for leg in broker.order(order["id"])["legs"]]


def test_the_legs_of_a_bracket_are_held_until_the_entry_is_filled() -> None:
    broker = Broker()
    order = bracket(broker, type="limit", limit_price="49")
    assert legs(broker, order) == [("take_profit", "held"), ("stop_loss", "held")]
    assert {leg["group_id"] for leg in order["legs"]} == {order["group_id"]}
    broker.price("AAPL", "49")
    assert legs(broker, order) == [("take_profit", "new"), ("stop_loss", "held")]


@pytest.mark.parametrize(("price", "filled"), [("56", 0), ("44", 1)])
def test_one_exit_ends_the_other(price: str, filled: int) -> None:
    broker = Broker("stopped_target=canceled")
    order = bracket(broker)
    broker.price("AAPL", price)
    statuses = [status for _, status in legs(broker, order)]
    assert (statuses[filled], statuses[1 - filled]) == ("filled", "canceled")
    assert broker.position() == "0"


@pytest.mark.parametrize(("stopped", "named"), [("replaced", True), ("orphaned", False)])
def test_a_stop_that_fills_may_take_the_place_of_its_target_as_at_the_real_one(
    stopped: str, named: bool
) -> None:
    broker = Broker(f"stopped_target={stopped}")
    order = bracket(broker)
    broker.price("AAPL", "44")
    target, stop = broker.order(order["id"])["legs"]
    assert (target["status"], stop["status"]) == ("replaced", "filled")
    assert target["replaced_by"] == (stop["id"] if named else None)
    with pytest.raises(RefusedError) as refused:
        broker.cancel(target["id"])
    assert refused.value.status == 422
    assert broker.events[-1] == "replaced"


def test_a_held_leg_is_listed_with_the_closed_orders() -> None:
    broker = Broker()
    target, stop = bracket(broker)["legs"]

    def listed(status: str) -> set[str]:
        return {row["id"] for row in broker.trading.orders(Asked(query={"status": status})).body}

    assert target["id"] in listed("open")
    assert stop["id"] in listed("closed") - listed("open")


def test_an_exit_that_fills_in_part_shrinks_the_other() -> None:
    broker = Broker()
    order = bracket(broker)
    broker.desk.exchange.partial = Decimal("0.5")
    broker.price("AAPL", "55")
    profit, stop = broker.order(order["id"])["legs"]
    assert (profit["status"], profit["filled_qty"], stop["qty"]) == ("partially_filled", "5", "5")


def test_canceling_an_entry_ends_its_legs() -> None:
    broker = Broker()
    order = bracket(broker, type="limit", limit_price="46")
    broker.cancel(order["id"])
    assert legs(broker, order) == [("take_profit", "canceled"), ("stop_loss", "canceled")]
    assert broker.events[-3:] == ["canceled"] * 3


def test_canceling_one_exit_ends_the_other() -> None:
    broker = Broker()
    order = bracket(broker)
    broker.cancel(order["legs"][1]["id"])
    assert [status for _, status in legs(broker, order)] == ["canceled", "canceled"]


def test_a_replaced_leg_stays_one_of_the_legs() -> None:
    broker = Broker()
    order = bracket(broker)
    new = broker.replace(order["legs"][1]["id"], stop_price="47")
    assert broker.order(order["id"])["legs"][1]["id"] == new["id"]
    broker.price("AAPL", "46.50")
    assert broker.position() == "0"
    assert legs(broker, order) == [("take_profit", "replaced"), ("stop_loss", "filled")]


def test_an_oco_is_a_limit_with_a_stop_as_its_leg() -> None:
    broker = Broker()
    broker.submit(qty="10")
    order = broker.submit(qty="10", side="sell", type="limit", order_class="oco", **EXITS)
    assert (order["limit_price"], order["group_role"], legs(broker, order)) == (
        "55", "take_profit", [("stop_loss", "held")],
    )  # fmt: skip
    broker.price("AAPL", "44")
    assert (broker.status(order["id"]), legs(broker, order)) == ("replaced", [("stop_loss", "filled")])


def test_the_only_exit_of_an_oto_works_as_soon_as_the_entry_is_filled() -> None:
    broker = Broker()
    order = broker.submit(qty="10", order_class="oto", stop_loss={"stop_price": "45"})
    assert legs(broker, order) == [("stop_loss", "new")]
    broker.price("AAPL", "44")
    assert legs(broker, order) == [("stop_loss", "filled")]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"order_class": "bracket"}, "require take_profit"),
        ({"order_class": "bracket", "take_profit": {"limit_price": "55"}}, "require stop_loss"),
        ({"order_class": "bracket", **EXITS, "take_profit": {"limit_price": "44"}}, "must be >"),
        ({"order_class": "oto", **EXITS}, "exactly one"),
        ({"order_class": "oco", "type": "limit", **EXITS}, "must be <"),
        ({"take_profit": {"limit_price": "55"}}, "simple orders"),
        ({"order_class": "bracket", "time_in_force": "ioc", **EXITS}, "DAY or GTC"),
        ({"order_class": "bracket", "type": "limit", "limit_price": "44", **EXITS}, "stop_loss.stop_price"),
    ],
)  # fmt: skip
def test_a_group_that_makes_no_sense_is_refused(body: Row, said: str) -> None:
    broker = Broker()
    with pytest.raises(RefusedError, match=said) as refused:
        broker.submit(qty="10", **body)
    assert refused.value.status == 422
    assert broker.desk.exchange.orders == {}
