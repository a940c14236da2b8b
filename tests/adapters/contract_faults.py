"""Cases of our own: whatever goes wrong on the way, each order is sent once and every set of books ends up the same."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from nautilus_trader.model import OrderSide

from tests.adapters.contract import Running, case, reason, told

TEN = Decimal(10)
LONG_SECS = 60.0
"""A stream that brings nothing is given up after some seconds."""
FILLED = ["Initialized", "Submitted", "Accepted", "Filled"]


def _down(at: Running) -> None:
    at.site.price("89", "88.99", "89.01")


async def _filled_once(at: Running, name: str) -> Any:
    """An order over ten is told as filled by one or more fills that make ten, and all books have them."""
    await at.until(lambda: at.order(name).status.name == "FILLED", "filled", LONG_SECS)
    await at.settle()
    order = at.order(name)
    fills = [each for each in order.events() if type(each).__name__ == "OrderFilled"]
    assert sum(each.last_qty.as_decimal() for each in fills) == TEN
    assert len({str(each.trade_id) for each in fills}) == len(fills)
    assert at.there(order).filled == TEN
    await at.agree()
    return order


async def _bought(at: Running) -> None:
    """A resting order that is filled."""
    cash = at.site.cash()
    name = at.hand.limit(90)
    await at.until(lambda: at.order(name).status.name == "ACCEPTED", "accepted", LONG_SECS)
    _down(at)
    order = await _filled_once(at, name)
    fills = [each for each in order.events() if type(each).__name__ == "OrderFilled"]
    paid = sum(each.last_qty.as_decimal() * each.last_px.as_decimal() for each in fills)
    assert cash - at.site.cash() == paid
    assert at.held == TEN


@case("KEEL-01")
async def news_that_never_come_are_fetched(at: Running) -> None:
    at.site.news(drop=True)
    await _bought(at)


@case("KEEL-02")
async def news_that_come_late_change_nothing(at: Running) -> None:
    at.site.news(delay_ms=600)
    await _bought(at)


@case("KEEL-03")
async def news_that_come_twice_count_once(at: Running) -> None:
    at.site.news(duplicate=True)
    await _bought(at)


@case("KEEL-04")
async def news_that_come_in_the_wrong_order_end_in_the_right_state(at: Running) -> None:
    at.site.news(reorder=True)
    name = at.hand.limit(90)
    await at.status("ACCEPTED", name)
    for part in ("3", "3", "4"):
        at.site.fill(name, part)
    await _filled_once(at, name)


@case("KEEL-05")
async def a_stream_that_stays_open_and_silent_is_given_up(at: Running) -> None:
    at.site.deafen()
    await _bought(at)


@case("KEEL-06")
async def what_happens_while_the_streams_are_cut_is_told_afterwards(at: Running) -> None:
    name = at.hand.limit(90)
    await at.status("ACCEPTED", name)
    at.site.cut()
    _down(at)
    await _filled_once(at, name)


@case("KEEL-07")
async def a_wrong_clock_of_the_venue_changes_nothing(at: Running) -> None:
    at.site.skew(90)
    await _bought(at)
    at.site.skew(-90)
    name = at.hand.market(10, OrderSide.SELL)
    await at.status("FILLED", name)
    await at.agree()
    assert at.held == 0


@case("KEEL-08")
async def an_order_that_comes_too_soon_after_others_is_sent_once_or_refused(at: Running) -> None:
    """429 says that nothing was done, so the order may be sent again; never is it there twice."""
    at.site.fault("too_many", "submit")
    name = at.hand.limit(90)
    await at.until(lambda: at.order(name).status.name in ("ACCEPTED", "REJECTED"), "an end", LONG_SECS)
    accepted = at.order(name).status.name == "ACCEPTED"
    assert at.site.received().get(name, 0) == int(accepted)
    assert accepted or reason(at.order(name))


@case("KEEL-09")
async def an_error_of_the_venue_before_it_took_the_order_ends_it(at: Running) -> None:
    at.site.fault("fail_before", "submit")
    name = at.hand.limit(90)
    (order,) = await at.status("REJECTED", name)
    assert reason(order).startswith("NEVER_RECEIVED: ")
    assert name not in at.site.received()


@case("KEEL-10")
async def a_timeout_after_the_order_was_taken_is_no_rejection(at: Running) -> None:
    at.site.fault("fail_after", "submit")
    await _bought(at)


@case("KEEL-11")
async def a_lost_answer_is_no_rejection(at: Running) -> None:
    at.site.fault("lose_answer", "submit")
    name = at.hand.market(10)
    order = await _filled_once(at, name)
    assert told(order) == FILLED
    assert at.site.received()[name] == 1


@case("KEEL-12")
async def a_late_answer_after_the_fill_changes_nothing(at: Running) -> None:
    at.site.fault("late", "submit")
    order = await _filled_once(at, at.hand.market(10))
    assert told(order) == FILLED


@case("KEEL-13")
async def a_cancel_that_comes_too_late_loses_to_the_fill(at: Running) -> None:
    name = at.hand.limit(90)
    await at.status("ACCEPTED", name)
    at.site.race("cancel")
    at.hand.cancel(name)
    order = await _filled_once(at, name)
    assert "Canceled" not in told(order)


@case("KEEL-14")
async def a_change_that_comes_too_late_loses_to_the_fill(at: Running) -> None:
    name = at.hand.limit(90)
    await at.status("ACCEPTED", name)
    at.site.race("replace")
    at.hand.change(name, price=91)
    order = await _filled_once(at, name)
    assert "Updated" not in told(order)


@case("KEEL-15")
async def an_order_that_is_refused_after_it_was_taken_ends(at: Running) -> None:
    at.site.race("reject")
    name = at.hand.limit(90)
    order = await at.until(lambda: next((e for e in at.orders() if e.is_closed), None), "an end")
    assert str(order.client_order_id) == name
    assert order.status.name in ("REJECTED", "CANCELED")
    await at.agree()
    assert at.held == 0


@case("KEEL-16")
async def a_node_ends_in_time_though_its_streams_are_silent(at: Running) -> None:
    at.site.deafen()
    await at.stop()
    assert at.task is not None
    assert at.task.done()
    assert at.task.exception() is None


@case("KEEL-17")
async def a_node_ends_in_time_though_nothing_that_is_asked_is_answered(at: Running) -> None:
    for _ in range(10):
        for on in at.site.asks:
            at.site.fault("lose_answer", on)
    at.site.cut()
    await at.settle(0.5)
    await at.stop()
    assert at.task is not None
    assert at.task.done()
    assert at.task.exception() is None


@case("KEEL-18", tester={"enable_limit_buys": True, "order_params": {"keel_test": 1}})
async def parameters_of_an_order_reach_the_venue(at: Running) -> None:
    await at.status("ACCEPTED")
