"""Cases of commands on orders that work: groups 4 and 5 (change, cancel), the rest of 7 and 8 (doubtful outcomes)."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from nautilus_trader.model import OrderType

from tests.adapters.contract import Running, case, reason, told

BUYS, SELLS = {"enable_limit_buys": True}, {"enable_limit_sells": True}
MODIFY = {"modify_orders_to_maintain_tob_offset": True}
RENEW = {"cancel_replace_orders_to_maintain_tob_offset": True}
STOP_BUYS = {"enable_stop_buys": True, "stop_order_type": OrderType.STOP_MARKET}
CANCELED = ["Initialized", "Submitted", "Accepted", "Canceled"]


def _move(at: Running, price: int) -> None:
    at.site.price(str(price), f"{price - 0.01:.2f}", f"{price + 0.01:.2f}")


# -- change -----------------------------------------------------------------------------------------------------------


async def _changed(at: Running, moved: int, key: str, price: str) -> None:
    (order,) = await at.status("ACCEPTED")
    _move(at, moved)
    await at.until(lambda: "Updated" in told(at.order()), "updated")
    order = at.order()
    assert getattr(order, key).as_decimal() == Decimal(price)
    assert order.status.name == "ACCEPTED"
    await at.settle(0.1)
    there = at.there(order)
    assert (there.trigger if key == "trigger_price" else there.price) == Decimal(price)
    assert told(order)[:3] == CANCELED[:3]


@case("TC-E30", tester={**BUYS, **MODIFY})
async def the_price_of_a_limit_buy_follows_the_market(at: Running) -> None:
    await _changed(at, 101, "price", "95.99")


@case("TC-E31", tester={**SELLS, **MODIFY})
async def the_price_of_a_limit_sell_follows_the_market(at: Running) -> None:
    await _changed(at, 99, "price", "104.01")


@case("TC-E34", tester={**STOP_BUYS, "modify_stop_orders_to_maintain_offset": True})
async def the_trigger_of_a_stop_follows_the_market(at: Running) -> None:
    await _changed(at, 99, "trigger_price", "100.01")


async def _renewed(at: Running, moved: int, key: str, price: str) -> None:
    await at.status("ACCEPTED")
    _move(at, moved)
    await at.until(lambda: len(at.orders()) == 2, "a second order")
    (old,) = await at.status("CANCELED")
    (new,) = await at.status("ACCEPTED")
    assert told(old) == CANCELED
    assert getattr(new, key).as_decimal() == Decimal(price)
    assert at.there(old).status == "CANCELED"
    assert at.there(new).status == "ACCEPTED"


@case("TC-E32", tester={**BUYS, **RENEW})
async def a_limit_buy_is_cancelled_and_sent_anew(at: Running) -> None:
    await _renewed(at, 101, "price", "95.99")


@case("TC-E33", tester={**SELLS, **RENEW})
async def a_limit_sell_is_cancelled_and_sent_anew(at: Running) -> None:
    await _renewed(at, 99, "price", "104.01")


@case("TC-E35", tester={**STOP_BUYS, "cancel_replace_stop_orders_to_maintain_offset": True})
async def a_stop_is_cancelled_and_sent_anew(at: Running) -> None:
    await _renewed(at, 99, "trigger_price", "100.01")


@case("TC-E36")
async def a_change_that_cannot_be_is_rejected_and_leaves_the_order_as_it_was(at: Running) -> None:
    name = at.hand.limit(90)
    await at.status("ACCEPTED")
    at.site.fill(name, "4")
    (order,) = await at.status("PARTIALLY_FILLED")
    before = at.there(order)
    at.hand.change(name, quantity=3)  # less than is filled already
    await at.until(lambda: "ModifyRejected" in told(at.order()), "modify rejected")
    assert reason(at.order()).startswith("CHANGE: ")
    assert at.order().status.name == "PARTIALLY_FILLED"
    assert at.there(order) == before


# -- cancel -----------------------------------------------------------------------------------------------------------


@case("TC-E40")
async def a_limit_order_is_cancelled(at: Running) -> None:
    name = at.hand.limit(90)
    await at.status("ACCEPTED")
    at.hand.cancel(name)
    (order,) = await at.status("CANCELED")
    assert told(order) == CANCELED
    assert "PendingCancel" in at.hand.of(name)
    assert at.there(order).status == "CANCELED"
    assert not at.cache.orders_open()


async def _all_cancelled(at: Running) -> None:
    await at.status("ACCEPTED", count=2)
    await at.stop()
    assert [told(each) for each in at.orders()] == [CANCELED] * 2
    assert {each.status for each in at.site.orders().values() if each.status == "ACCEPTED"} == set()


END = {**BUYS, **SELLS, "cancel_orders_on_stop": True}


@case("TC-E41", "TC-E81", tester=END)
async def all_orders_are_cancelled_at_the_end(at: Running) -> None:
    await _all_cancelled(at)


@case("TC-E42", tester={**END, "use_individual_cancels_on_stop": True})
async def orders_are_cancelled_one_by_one_at_the_end(at: Running) -> None:
    await _all_cancelled(at)


@case("TC-E43", tester={**END, "use_batch_cancel_on_stop": True})
async def orders_are_cancelled_as_a_batch_at_the_end(at: Running) -> None:
    await _all_cancelled(at)


@case("TC-E44")
async def a_second_cancel_changes_nothing(at: Running) -> None:
    """The engine itself refuses a command on an order that it knows to be closed, so that no event follows."""
    name = at.hand.limit(90)
    await at.status("ACCEPTED")
    at.hand.cancel(name)
    at.hand.cancel(name)
    await at.status("CANCELED")
    at.hand.cancel(name)
    await at.settle(0.2)
    assert at.hand.of(name).count("Canceled") == 1
    assert at.order().status.name == "CANCELED"
    await at.until(
        lambda: any(line.startswith("Cannot cancel order: state is Canceled") for line in at.said()), "said"
    )


# -- what only this venue knows ---------------------------------------------------------------------------------------


@case("TC-E63")
async def a_tag_asks_for_what_only_the_venue_knows(at: Running) -> None:
    name = at.hand.limit(90, tags=at.site.own_tags)
    await at.status("ACCEPTED")
    assert at.site.has_own(name)


# -- doubtful outcomes ------------------------------------------------------------------------------------------------


async def _sent_in_doubt(at: Running, kind: str, *, arrives: bool) -> None:
    at.site.fault(kind, "submit")
    name = at.hand.limit(90)
    (order,) = await at.status("ACCEPTED" if arrives else "REJECTED", name)
    await at.settle(0.1)
    assert at.site.received().get(name, 0) == int(arrives)
    assert told(order) == (CANCELED[:3] if arrives else ["Initialized", "Submitted", "Rejected"])
    if not arrives:
        assert reason(order).startswith("NEVER_RECEIVED: ")


@case("TC-E74")
async def an_order_whose_answer_is_lost_is_asked_for_and_never_sent_again(at: Running) -> None:
    for kind in ("lose_answer", "cut_after", "fail_after", "garbage"):
        await _sent_in_doubt(at, kind, arrives=True)
    for kind in ("lose_request", "cut_before", "fail_before"):
        await _sent_in_doubt(at, kind, arrives=False)
    await at.agree()


@case("TC-E75")
async def a_cancel_whose_answer_is_lost_is_repeated_until_the_order_has_ended(at: Running) -> None:
    for kind in ("lose_answer", "cut_before", "fail_before", "fail_after"):
        name = at.hand.limit(90)
        await at.status("ACCEPTED", name)
        at.site.fault(kind, "cancel")
        at.hand.cancel(name)
        await at.status("CANCELED", name)
        assert "CancelRejected" not in at.hand.of(name)


@case("TC-E76")
async def a_change_whose_answer_is_lost_is_told_as_the_venue_shows_it(at: Running) -> None:
    for kind, arrives in (("lose_answer", True), ("fail_after", True), ("lose_request", False)):
        name = at.hand.limit(90)
        await at.status("ACCEPTED", name)
        at.site.fault(kind, "replace")
        at.hand.change(name, price=91)
        answer = "Updated" if arrives else "ModifyRejected"
        await at.until(lambda name=name, answer=answer: answer in at.hand.of(name), answer)  # type: ignore[misc]
        await at.status("ACCEPTED", name)
        assert (
            at.there(at.order(name)).price
            == at.order(name).price.as_decimal()
            == Decimal(91 if arrives else 90)
        )


@case("TC-E77")
async def orders_sent_together_whose_answer_is_lost_are_all_found(at: Running) -> None:
    at.site.fault("lose_answer", "submit")
    names = at.hand.bracket(110, 80, entry_order_type=OrderType.LIMIT, entry_price=at.hand.at(90))
    for name in names:
        await at.status("ACCEPTED", name)
    assert not {"Rejected", "Denied"} & {each for name in names for each in at.hand.of(name)}


@case("TC-E78", tester={**BUYS, **SELLS, "batch_submit_limit_pair": True})
async def of_orders_sent_together_only_the_one_that_is_refused_is_rejected(at: Running) -> None:
    pair = await at.status("ACCEPTED", count=2)
    assert {each.side.name for each in pair} == {"BUY", "SELL"}
    at.site.refuse_next()
    make, hand = at.hand.order_factory, at.hand
    orders: list[Any] = [
        make.limit(hand.traded, pair[0].side, hand.size(1), hand.at(80 + n)) for n in range(2)
    ]
    hand.submit_order_list(orders)
    names = [str(each.client_order_id) for each in orders]
    await at.until(lambda: all(at.order(name).status.name in ("ACCEPTED", "REJECTED") for name in names))
    await asyncio.sleep(0.2)
    assert sorted(at.order(name).status.name for name in names) == ["ACCEPTED", "REJECTED"]
