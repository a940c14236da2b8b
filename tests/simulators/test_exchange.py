"""The local broker's matching: which orders fill, at which price, and that its books always balance."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.broker.account import Account
from simulators.broker.exchange import Exchange, Listed
from simulators.broker.orders import Fill, Order, RefusedError
from simulators.broker.playback import PlayedBar

A = "AAPL.XNAS"
LISTED = {A: Listed(Decimal(1), Decimal("0.01"))}


def exchange(partial: str | None = None, at: int | None = 100) -> Exchange:
    made = Exchange(LISTED, Account("LOCAL", "USD", Decimal(100_000)), Decimal("0.001"))
    made.partial = None if partial is None else Decimal(partial)
    if at is not None:
        play(made, at, at, at, at)
    return made


def play(one: Exchange, *prices: float) -> None:
    """A bar of open, high, low and close."""
    opened, high, low, close = (Decimal(str(each)) for each in prices)
    one.bar(PlayedBar(A, "", opened, high, low, close, Decimal(1)), 2)


def submit(one: Exchange, **request: Any) -> Order:
    fields: Mapping[str, Any] = {
        "instrument": A,
        "side": "BUY",
        "type": "MARKET",
        "quantity": "10",
        **request,
    }
    return one.submit(fields, 1)


def prices(one: Exchange) -> list[str]:
    return [str(fill.price) for fill in one.fills]


@pytest.mark.parametrize(
    ("request_", "bar", "filled_at"),
    [
        ({"type": "LIMIT", "price": "95"}, (100, 101, 96, 97), []),
        ({"type": "LIMIT", "price": "95"}, (100, 101, 94, 97), ["95"]),
        ({"type": "LIMIT", "price": "95"}, (93, 96, 92, 96), ["93"]),
        ({"type": "LIMIT", "price": "105"}, (100, 100, 100, 100), ["100"]),
        ({"type": "STOP_MARKET", "trigger_price": "105"}, (100, 104, 96, 97), []),
        ({"type": "STOP_MARKET", "trigger_price": "105"}, (100, 106, 96, 97), ["105"]),
        ({"type": "STOP_MARKET", "trigger_price": "105"}, (107, 108, 106, 107), ["107"]),
        ({"type": "STOP_LIMIT", "trigger_price": "105", "price": "106"}, (100, 107, 99, 107), ["105"]),
        ({"type": "STOP_LIMIT", "trigger_price": "105", "price": "104"}, (100, 107, 99, 107), []),
        ({"side": "SELL", "type": "LIMIT", "price": "105"}, (100, 106, 99, 100), ["105"]),
        ({"side": "SELL", "type": "STOP_MARKET", "trigger_price": "95"}, (100, 101, 94, 96), ["95"]),
        ({"side": "SELL", "type": "STOP_MARKET", "trigger_price": "95"}, (90, 91, 89, 90), ["90"]),
    ],
)
def test_an_order_fills_at_its_price_or_at_an_open_beyond_it(
    request_: dict[str, str], bar: tuple[float, ...], filled_at: list[str]
) -> None:
    one = exchange()
    submit(one, **request_)
    play(one, *bar)
    assert prices(one) == filled_at


def test_a_stop_limit_that_triggered_rests_as_a_limit() -> None:
    one = exchange()
    submit(one, type="STOP_LIMIT", trigger_price="105", price="104")
    play(one, 107, 107, 107, 107)
    play(one, 107, 107, 103, 107)
    assert prices(one) == ["104"]


def test_a_market_order_waits_for_the_first_price() -> None:
    one = exchange(at=None)
    order = submit(one)
    assert order.status == "ACCEPTED"
    play(one, 50, 51, 49, 50)
    assert (order.status, prices(one)) == ("FILLED", ["50"])


def test_immediate_or_cancel_takes_what_there_is() -> None:
    one = exchange("0.5")
    order = submit(one, tif="IOC", quantity="10")
    assert (order.status, str(order.filled), order.reason) == ("CANCELED", "5", "immediate or cancel")
    assert submit(one, tif="IOC", type="LIMIT", price="90").status == "CANCELED"


def test_day_orders_expire_and_others_stay() -> None:
    one = exchange()
    day = submit(one, type="LIMIT", price="90", tif="DAY")
    good = submit(one, type="LIMIT", price="90")
    one.end_day(3)
    assert (day.status, good.status) == ("EXPIRED", "ACCEPTED")


def test_reduce_only_orders_never_turn_a_position_round() -> None:
    one = exchange()
    with pytest.raises(RefusedError, match="would increase"):
        submit(one, side="SELL", reduce_only=True)
    submit(one, quantity="10")
    stop = submit(one, side="SELL", type="STOP_MARKET", trigger_price="90", quantity="25", reduce_only=True)
    play(one, 100, 100, 89, 90)
    assert [one.account.held(A), stop.filled] == [0, 10]
    play(one, 89, 89, 89, 89)
    assert stop.status == "CANCELED"
    assert one.account.held(A) == 0


def test_a_client_order_id_is_taken_once_whatever_became_of_it() -> None:
    one = exchange()
    submit(one, client_order_id="X")
    for times in (2, 3):
        with pytest.raises(RefusedError, match=f"received {times} times") as refused:
            submit(one, client_order_id="X")
        assert refused.value.code == "DUPLICATE"
    assert (len(one.orders), one.received) == (1, {"X": 3})


def test_the_legs_of_a_bracket_wait_for_their_parent_and_end_with_each_other() -> None:
    one = exchange()
    submit(one, client_order_id="P", type="LIMIT", price="95")
    exit_ = {"side": "SELL", "parent": "P", "contingency": "OUO", "reduce_only": True}
    stop = submit(one, client_order_id="S", type="STOP_MARKET", trigger_price="90", linked=["T"], **exit_)
    target = submit(one, client_order_id="T", type="LIMIT", price="110", linked=["S"], **exit_)
    assert (stop.status, target.status) == ("PENDING", "PENDING")
    play(one, 95, 95, 95, 95)
    assert (stop.status, target.status) == ("ACCEPTED", "ACCEPTED")
    one.partial = Decimal("0.5")
    play(one, 111, 111, 111, 111)
    assert [target.filled, stop.leaves] == [5, 5]
    assert stop.status == "ACCEPTED"
    one.partial = None
    play(one, 111, 111, 111, 111)
    assert (target.status, stop.status) == ("FILLED", "CANCELED")
    assert one.account.held(A) == 0


def test_the_legs_of_a_parent_that_never_filled_end_with_it() -> None:
    one = exchange()
    parent = submit(one, client_order_id="P", type="LIMIT", price="95")
    leg = submit(
        one, client_order_id="S", side="SELL", type="LIMIT", price="110", parent="P", reduce_only=True
    )
    one.cancel(parent.venue_order_id, 3)
    assert leg.status == "CANCELED"


def test_a_change_is_taken_whole_or_not_at_all() -> None:
    one = exchange()
    order = submit(one, type="LIMIT", price="95")
    with pytest.raises(RefusedError, match="a LIMIT order has none"):
        one.modify(order.venue_order_id, {"price": "96", "trigger_price": "1"}, 2)
    with pytest.raises(RefusedError, match="multiple of 1"):
        one.modify(order.venue_order_id, {"price": "96", "quantity": "1.5"}, 2)
    assert [order.price, order.quantity] == [95, 10]
    one.modify(order.venue_order_id, {"price": "101"}, 2)
    assert prices(one) == ["100"]
    with pytest.raises(RefusedError, match="is FILLED"):
        one.modify(order.venue_order_id, {"price": "102"}, 2)


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"quantity": "0"}, "quantity=0"),
        ({"quantity": "NaN"}, "quantity=NaN"),
        ({"quantity": "1.5"}, "multiple of 1"),
        ({"side": "HOLD"}, "side=HOLD: must be one of BUY, SELL"),
        ({"type": "TRAILING"}, "type=TRAILING"),
        ({"tif": "FOK"}, "tif=FOK"),
        ({"instrument": "X.Y"}, "not traded here"),
        ({"type": "LIMIT"}, "price=None"),
        ({"parent": "NOBODY"}, "parent=NOBODY"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(request_: dict[str, str], told: str) -> None:
    one = exchange()
    with pytest.raises(RefusedError, match=told):
        submit(one, **request_)
    assert one.orders == {}


TRADES = st.lists(
    st.tuples(st.sampled_from(["BUY", "SELL"]), st.integers(1, 50), st.integers(50, 150)), max_size=30
)


@given(TRADES)
def test_equity_is_what_was_paid_in_and_what_prices_and_commissions_made_of_it(
    trades: list[tuple[str, int, int]],
) -> None:
    one = exchange()
    for side, quantity, price in trades:
        play(one, price, price, price, price)
        submit(one, side=side, quantity=str(quantity))
    gained = sum(
        ((one.prices[A] - fill.price) * fill.quantity * (1 if fill.side == "BUY" else -1) - fill.commission)
        for fill in one.fills
    )
    assert abs(one.account.equity(one.prices) - 100_000 - gained) < Decimal("1e-9")
    again = Exchange(LISTED, Account("LOCAL", "USD", Decimal(100_000)))
    for change in one.changes:
        again.restore(change)
    assert again.account == one.account
    assert len({fill.trade_id for fill in one.fills}) == len(one.fills) == len(trades)


@given(TRADES)
def test_rows_read_back_as_they_were(trades: list[tuple[str, int, int]]) -> None:
    one = exchange()
    for side, quantity, price in trades:
        submit(one, side=side, quantity=str(quantity), type="LIMIT", price=str(price), linked=["X"])
    for change in one.changes:
        kind = Order if isinstance(change, Order) else Fill
        assert kind.from_row(change.row()) == change
