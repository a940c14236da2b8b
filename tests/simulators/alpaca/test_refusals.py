"""What the broker does not do is refused with the status, code and sentence a client can act on."""

from __future__ import annotations

import pytest

from simulators.alpaca.refusal import RefusedError
from tests.simulators.alpaca.desks import Broker, Row

LIMIT: Row = {"type": "limit", "limit_price": "40"}


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 422, "qty or notional is required"),
        ({"qty": "1", "notional": "5"}, 422, "only one of qty or notional"),
        ({"qty": "-1"}, 422, "qty must be > 0"),
        ({"qty": "abc"}, 422, "qty is not a number"),
        ({"qty": "1", "side": "hold"}, 422, "invalid side"),
        ({"qty": "1", "type": None}, 422, "order type is required"),
        ({"qty": "1", "time_in_force": "gtd"}, 422, "invalid time_in_force"),
        ({"qty": "1", "colour": "red"}, 422, "unknown field colour"),
        ({"qty": "1", "type": "limit"}, 422, "require a limit price"),
        ({"qty": "1", "limit_price": "40"}, 422, "must not have a limit price"),
        ({"qty": "1", "type": "stop"}, 422, "require a stop price"),
        ({"qty": "1", "type": "trailing_stop", "trail_price": "1", "trail_percent": "1"}, 422, "exactly one"),
        ({"qty": "1", "type": "limit", "limit_price": "40.001"}, 422, "sub-penny"),
        ({"qty": "0.5", **LIMIT}, 422, "fractional orders must be market orders"),
        ({"qty": "0.5", "time_in_force": "gtc"}, 422, "fractional orders must be DAY"),
        ({"notional": "0.5"}, 403, "minimal amount"),
        ({"qty": "0.5", "symbol": "HARD"}, 403, "not fractionable"),
        ({"qty": "1", "extended_hours": True}, 422, "extended hours order must be"),
        ({"qty": "1", "symbol": "NOPE"}, 422, "not found"),
        ({"qty": "1", "symbol": "GONE"}, 422, "not active"),
        ({"qty": "1", "client_order_id": "x" * 129}, 422, "no more than 128"),
        ({"qty": "1", "symbol": "BTC/USD", "time_in_force": "day"}, 422, "invalid time_in_force for crypto"),
        ({"qty": "0.00001", "symbol": "BTC/USD", "time_in_force": "gtc"}, 403, "minimal qty"),
        (
            {"qty": "1", "symbol": "BTC/USD", "time_in_force": "gtc", "side": "sell"},
            403,
            "insufficient balance",
        ),
        ({"qty": "1", "symbol": "HARD", "side": "sell"}, 422, "cannot be sold short"),
        ({"qty": "0.5", "side": "sell"}, 422, "fractional orders cannot be sold short"),
        ({"qty": "100000"}, 403, "insufficient buying power"),
    ],
)
def test_an_order_that_cannot_be_is_refused_and_leaves_nothing_behind(
    body: Row, status: int, said: str
) -> None:
    broker = Broker(instruments="AAPL,HARD,BTC/USD")
    with pytest.raises(RefusedError, match=said) as refused:
        broker.submit(**body)
    assert refused.value.status == status
    assert set(refused.value.body()) >= {"code", "message"}
    assert broker.desk.exchange.orders == {}
    assert broker.events == []


def test_a_client_order_id_is_taken_once() -> None:
    broker = Broker()
    broker.submit(qty="1", client_order_id="mine")
    with pytest.raises(RefusedError, match="must be unique") as refused:
        broker.submit(qty="1", client_order_id="mine")
    assert (refused.value.status, refused.value.code) == (422, 40010001)
    assert broker.desk.exchange.received["mine"] == 2
    assert broker.position() == "1"


def test_no_order_flips_a_position_and_promised_shares_are_not_there_twice() -> None:
    broker = Broker()
    broker.submit(qty="10")
    with pytest.raises(RefusedError, match=r"requested: 11, available: 10"):
        broker.submit(qty="11", side="sell")
    first = broker.submit(qty="8", side="sell", type="limit", limit_price="60")
    with pytest.raises(RefusedError, match=r"requested: 3, available: 2") as refused:
        broker.submit(qty="3", side="sell", type="limit", limit_price="60")
    assert refused.value.status == 403
    assert refused.value.details["held_for_orders"] == "8"
    assert refused.value.details["related_orders"] == [first["id"]]


@pytest.mark.parametrize(
    ("resting", "new", "washes"),
    [
        ({"limit_price": "60"}, {"type": "limit", "limit_price": "49"}, False),
        ({"limit_price": "60"}, {"type": "limit", "limit_price": "60"}, True),
        ({"limit_price": "60"}, {}, True),
        ({"type": "stop", "stop_price": "45"}, {"type": "limit", "limit_price": "40"}, True),
        ({"type": "trailing_stop", "trail_price": "5"}, {}, False),
        ({"limit_price": "60"}, {"order_class": "oto", "stop_loss": {"stop_price": "40"}}, False),
    ],
)
def test_an_order_that_could_trade_with_the_accounts_own_is_refused(
    resting: Row, new: Row, washes: bool
) -> None:
    broker = Broker()
    broker.submit(qty="10")
    own = broker.submit(**{"qty": "10", "side": "sell", "type": "limit", **resting})
    if not washes:
        broker.submit(qty="1", **new)
        return
    with pytest.raises(RefusedError, match="potential wash trade") as refused:
        broker.submit(qty="1", **new)
    assert (refused.value.status, refused.value.details["existing_order_id"]) == (403, own["id"])


@pytest.mark.parametrize("flag", ["trading_blocked", "account_blocked", "trade_suspended_by_user"])
def test_a_blocked_account_cannot_trade(flag: str) -> None:
    broker = Broker()
    setattr(broker.desk.exchange.flags, flag, True)
    assert broker.account[flag] is True
    with pytest.raises(RefusedError, match="restricted"):
        broker.submit(qty="1")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "not changed"),
        ({"qty": "10", "limit_price": "40"}, "not changed"),
        ({"stop_price": "30"}, "must not have a stop price"),
        ({"qty": "2.5"}, "whole number"),
        ({"limit_price": "-1"}, "must be > 0"),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_changes_nothing(body: Row, said: str) -> None:
    broker = Broker()
    order = broker.submit(qty="10", **LIMIT)
    with pytest.raises(RefusedError, match=said):
        broker.replace(order["id"], **body)
    assert broker.status(order["id"]) == "new"
    assert len(broker.desk.exchange.orders) == 1


def test_a_notional_order_cannot_be_replaced() -> None:
    broker = Broker()
    broker.desk.publish_status("AAPL", "H", "")
    order = broker.submit(notional="100")
    with pytest.raises(RefusedError, match="notional orders cannot be replaced"):
        broker.replace(order["id"], qty="3")
