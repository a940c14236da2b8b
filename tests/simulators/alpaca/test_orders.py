"""Orders go through the states, and tell the events, of the real one in their order."""

from __future__ import annotations

import pytest

from simulators.alpaca.refusal import RefusedError
from tests.simulators.alpaca.desks import Broker

CLOSE = "2013-02-01T21:00:00Z"
NEXT_OPEN = "2013-02-04T14:30:00Z"


def test_a_market_order_is_answered_before_it_is_routed_and_filled() -> None:
    broker = Broker()
    answer = broker.submit(qty="10")
    assert (answer["status"], answer["filled_qty"], answer["qty"]) == ("pending_new", "0", "10")
    assert broker.events == ["pending_new", "new", "fill"]
    fill = broker.updates[-1]
    assert (fill["price"], fill["qty"], fill["position_qty"]) == ("50", "10", "10")
    assert broker.status(answer["id"]) == "filled"
    assert broker.account["cash"] == "99500"


def test_a_market_order_fills_at_the_side_of_the_quote_it_takes() -> None:
    broker = Broker()
    broker.price("AAPL", "50", bid="49.98", ask="50.03")
    broker.submit(qty="1")
    broker.submit(qty="1", side="sell")
    assert [row["price"] for row in broker.updates if row["event"] == "fill"] == ["50.03", "49.98"]


def test_a_limit_rests_until_the_quote_reaches_it() -> None:
    broker = Broker()
    order = broker.submit(qty="10", type="limit", limit_price="49")
    broker.price("AAPL", "49.01")
    assert broker.status(order["id"]) == "new"
    broker.price("AAPL", "48.90")
    assert broker.order(order["id"])["filled_avg_price"] == "48.9"


def test_a_stop_waits_for_a_trade_and_a_stop_limit_then_for_its_limit() -> None:
    broker = Broker()
    stop = broker.submit(qty="1", type="stop", stop_price="51")
    both = broker.submit(qty="1", type="stop_limit", stop_price="51", limit_price="51.05")
    broker.price("AAPL", "51.20")
    assert (broker.status(stop["id"]), broker.status(both["id"])) == ("filled", "new")
    broker.price("AAPL", "51.04")
    assert broker.status(both["id"]) == "filled"


def test_a_trailing_stop_follows_the_price_and_never_goes_back() -> None:
    broker = Broker()
    broker.submit(qty="10")
    trail = broker.submit(qty="10", side="sell", type="trailing_stop", trail_percent="2")
    assert (trail["hwm"], trail["stop_price"]) == ("50", "49")
    broker.price("AAPL", "60")
    broker.price("AAPL", "59")
    assert broker.order(trail["id"])["stop_price"] == "58.8"
    broker.price("AAPL", "58.8")
    assert broker.status(trail["id"]) == "filled"


def test_partial_fills_tell_what_is_left() -> None:
    broker = Broker("partial=0.5")
    order = broker.submit(qty="10", type="limit", limit_price="50")
    assert (broker.events[-1], broker.status(order["id"])) == ("partial_fill", "partially_filled")
    for _ in range(5):
        broker.price("AAPL", "50")
    fills = broker.updates[2:]
    assert [row["qty"] for row in fills] == ["5", "2", "1", "1", "1"]
    assert [row["position_qty"] for row in fills] == ["5", "7", "8", "9", "10"]
    assert [row["event"] for row in fills] == [*["partial_fill"] * 4, "fill"]
    assert broker.position() == "10"


def test_an_ioc_takes_what_there_is_and_a_fok_all_or_nothing() -> None:
    broker = Broker("partial=0.5")
    ioc = broker.submit(qty="10", type="limit", limit_price="50", time_in_force="ioc")
    assert (broker.status(ioc["id"]), broker.order(ioc["id"])["filled_qty"]) == ("canceled", "5")
    fok = broker.submit(qty="10", type="limit", limit_price="50", time_in_force="fok")
    assert broker.status(fok["id"]) == "filled"
    far = broker.submit(qty="10", type="limit", limit_price="40", time_in_force="fok")
    assert (broker.status(far["id"]), broker.order(far["id"])["filled_qty"]) == ("canceled", "0")


def test_an_order_of_the_night_waits_as_accepted_for_the_open() -> None:
    broker = Broker()
    broker.clock("2013-02-02T15:00:00Z")
    order = broker.submit(qty="1")
    assert (order["status"], broker.events) == ("accepted", ["accepted"])
    broker.clock(NEXT_OPEN)
    assert broker.events == ["accepted", "new", "fill"]


def test_day_orders_expire_at_the_close_and_gtc_orders_stay() -> None:
    broker = Broker()
    day = broker.submit(qty="1", type="limit", limit_price="40")
    gtc = broker.submit(qty="1", type="limit", limit_price="40", time_in_force="gtc")
    broker.clock(CLOSE)
    assert (broker.status(day["id"]), broker.status(gtc["id"])) == ("expired", "new")
    assert broker.events[-1] == "expired"
    broker.clock("2013-05-03T00:00:00Z")
    assert broker.status(gtc["id"]) == "expired"


def test_only_an_extended_hours_order_fills_after_the_close_and_it_ends_at_eight() -> None:
    broker = Broker()
    far = {"type": "limit", "limit_price": "49"}
    late = broker.submit(qty="1", extended_hours=True, **far)
    plain = broker.submit(qty="1", time_in_force="gtc", **far)
    broker.clock("2013-02-01T22:00:00Z")
    assert broker.status(late["id"]) == "new"
    broker.price("AAPL", "48")
    assert (broker.status(late["id"]), broker.status(plain["id"])) == ("filled", "new")
    other = broker.submit(qty="1", extended_hours=True, type="limit", limit_price="40")
    broker.clock("2013-02-02T01:00:00Z")
    assert broker.status(other["id"]) == "expired"


def test_the_auctions_fill_at_the_open_and_at_the_close() -> None:
    broker = Broker()
    at_close = broker.submit(qty="1", time_in_force="cls")
    far = broker.submit(qty="1", time_in_force="cls", type="limit", limit_price="40")
    broker.price("AAPL", "52")
    assert broker.status(at_close["id"]) == "new"
    broker.clock(CLOSE)
    assert broker.order(at_close["id"])["filled_avg_price"] == "52"
    assert (broker.status(at_close["id"]), broker.status(far["id"])) == ("filled", "canceled")
    broker.clock("2013-02-02T00:30:00Z")
    at_open = broker.submit(qty="1", time_in_force="opg")
    assert broker.status(at_open["id"]) == "accepted"
    broker.clock(NEXT_OPEN)
    assert broker.status(at_open["id"]) == "filled"
    with pytest.raises(RefusedError, match=r"before 9:28am"):
        broker.submit(qty="1", time_in_force="opg")


def test_a_notional_order_has_no_qty_and_fills_in_billionths() -> None:
    broker = Broker()
    broker.price("AAPL", "70")
    order = broker.submit(notional="100")
    row = broker.order(order["id"])
    assert (row["qty"], row["notional"], row["filled_qty"], row["status"]) == (
        None,
        "100",
        "1.428571428",
        "filled",
    )


def test_a_cancel_is_answered_first_and_told_afterwards() -> None:
    broker = Broker()
    order = broker.submit(qty="1", type="limit", limit_price="40")
    assert broker.cancel(order["id"]).status == 204
    assert broker.events[-1] == "canceled"
    with pytest.raises(RefusedError, match='already in "canceled" state') as refused:
        broker.cancel(order["id"])
    assert refused.value.status == 422


def test_a_cancel_may_lose_to_a_fill() -> None:
    broker = Broker()
    order = broker.submit(qty="1", type="limit", limit_price="40")
    broker.desk.exchange.races["cancel"] = 1
    assert broker.cancel(order["id"]).status == 204
    assert broker.events[-2:] == ["fill", "order_cancel_rejected"]
    assert broker.status(order["id"]) == "filled"


def test_a_replacement_is_a_new_order_in_the_place_of_the_old() -> None:
    broker = Broker()
    order = broker.submit(qty="10", type="limit", limit_price="40", client_order_id="first")
    new = broker.replace(order["id"], limit_price="41", client_order_id="second")
    assert (new["status"], new["replaces"], new["client_order_id"]) == ("accepted", order["id"], "second")
    assert broker.events[-2:] == ["replaced", "new"]
    assert broker.order(order["id"])["replaced_by"] == new["id"]
    assert [row["order"]["id"] for row in broker.updates[-2:]] == [order["id"], new["id"]]
    broker.price("AAPL", "40.50")
    assert (broker.status(order["id"]), broker.status(new["id"])) == ("replaced", "filled")


def test_a_replacement_may_lose_to_a_fill_of_the_old_order() -> None:
    broker = Broker()
    order = broker.submit(qty="10", type="limit", limit_price="40")
    broker.desk.exchange.races["replace"] = 1
    new = broker.replace(order["id"], limit_price="41")
    assert broker.events[-3:] == ["fill", "rejected", "order_replace_rejected"]
    assert (broker.status(order["id"]), broker.status(new["id"])) == ("filled", "rejected")
    assert broker.position() == "10"


def test_what_an_order_has_filled_does_not_count_for_its_replacement() -> None:
    broker = Broker("partial=0.4")
    order = broker.submit(qty="10", type="limit", limit_price="50")
    new = broker.replace(order["id"], qty="8")
    assert broker.order(order["id"])["filled_qty"] == "4"
    assert new["qty"] == "4"
    with pytest.raises(RefusedError, match="cannot replace"):
        broker.replace(order["id"], qty="3")


def test_an_accepted_order_can_be_rejected_by_an_event() -> None:
    broker = Broker()
    broker.desk.exchange.races["reject"] = 1
    order = broker.submit(qty="1")
    assert order["status"] == "pending_new"
    assert broker.events == ["pending_new", "rejected"]


def test_a_halted_stock_does_not_trade() -> None:
    broker = Broker()
    broker.desk.publish_status("AAPL", "H", "T12")
    order = broker.submit(qty="1")
    assert broker.status(order["id"]) == "new"
    broker.desk.publish_status("AAPL", "T", "")
    assert broker.status(order["id"]) == "filled"


def test_crypto_trades_on_a_sunday_and_the_fee_is_taken_in_coins() -> None:
    broker = Broker(instruments="AAPL,BTC/USD")
    broker.clock("2013-02-03T03:00:00Z")
    broker.price("BTC/USD", "20000")
    order = broker.submit(symbol="BTC/USD", qty="0.1", time_in_force="gtc")
    assert (order["order_class"], broker.status(order["id"])) == ("", "filled")
    assert broker.position("BTC/USD") == "0.099750000"
    assert [row["activity_type"] for row in broker.desk.ledger.activities] == ["FILL", "CFEE"]
