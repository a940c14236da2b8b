"""Cases of orders: groups 1 to 3 of the specification (market, limit, stop), 6 to 8 (brackets, flags, refusals)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from nautilus_trader.model import OrderSide, OrderType, Quantity, TimeInForce

from tests.adapters.contract import SIZE, Running, case, reason, told

TEN = Decimal(SIZE)
OPEN = {"open_position_on_start_qty": TEN}
BUYS, SELLS = {"enable_limit_buys": True}, {"enable_limit_sells": True}
FILLED, ACCEPTED = (
    ["Initialized", "Submitted", "Accepted", "Filled"],
    ["Initialized", "Submitted", "Accepted"],
)
CANCELED = [*ACCEPTED, "Canceled"]


async def _opened(at: Running, side: str, tif: str = "GTC") -> Any:
    (order,) = await at.status("FILLED")
    await at.agree()
    assert told(order) == FILLED
    assert at.held == (TEN if side == "BUY" else -TEN)
    (fill,) = [each for each in order.events() if type(each).__name__ == "OrderFilled"]
    assert Decimal("99.99") <= fill.last_px.as_decimal() <= Decimal("100.01")
    there = at.there(order)
    assert (there.side, there.type, there.tif, there.status) == (side, "MARKET", tif, "FILLED")
    await at.until(lambda: at.account().event_count >= 2, "the account is told of the fill")
    return order


@case("TC-E01", "TC-E80", tester=OPEN)
async def a_market_buy_opens_a_long_position_at_the_start(at: Running) -> None:
    await _opened(at, "BUY")


@case("TC-E02", tester={"open_position_on_start_qty": -TEN})
async def a_market_sell_opens_a_short_position(at: Running) -> None:
    await _opened(at, "SELL")


@case("TC-E03", tester={**OPEN, "open_position_time_in_force": TimeInForce.IOC})
async def a_market_order_fills_at_once_or_not_at_all(at: Running) -> None:
    await _opened(at, "BUY", "IOC")


@case("TC-E04", tester={**OPEN, "open_position_time_in_force": TimeInForce.FOK})
async def a_market_order_fills_in_full_or_not_at_all(at: Running) -> None:
    await _opened(at, "BUY", "FOK")


@case("TC-E05", tester={"open_position_on_start_qty": Decimal(1000), "use_quote_quantity": True})
async def an_amount_of_money_buys_what_it_is_worth(at: Running) -> None:
    (order,) = await at.status("FILLED")
    await at.agree()
    assert told(order)[0] == "Initialized"
    assert told(order)[-1] == "Filled"
    assert abs(at.held - TEN) < Decimal("0.01")


@case(
    "TC-E06",
    "TC-E61",
    "TC-E82",
    tester={**OPEN, "close_positions_on_stop": True, "reduce_only_on_stop": True},
)
async def a_position_is_closed_at_the_end_by_an_order_that_only_reduces(at: Running) -> None:
    (entry,) = await at.status("FILLED")
    await at.agree()
    await at.stop()
    exits = [each for each in at.orders() if each.client_order_id != entry.client_order_id]
    assert [told(each) for each in exits] == [FILLED]
    assert exits[0].is_reduce_only
    assert at.held == at.site.held() == 0
    assert not at.cache.orders_open()


async def _resting(at: Running, side: str, price: str, tif: str = "GTC") -> None:
    (order,) = await at.status("ACCEPTED")
    await at.settle(0.1)
    assert told(order) == ACCEPTED
    there = at.there(order)
    assert (there.side, there.type, there.quantity, there.tif) == (side, "LIMIT", TEN, tif)
    assert there.price == order.price.as_decimal() == Decimal(price)
    assert there.status == "ACCEPTED"


@case("TC-E10", tester=BUYS)
async def a_limit_buy_rests_below_the_market(at: Running) -> None:
    await _resting(at, "BUY", "94.99")


@case("TC-E11", tester=SELLS)
async def a_limit_sell_rests_above_the_market(at: Running) -> None:
    await _resting(at, "SELL", "105.01")


@case("TC-E12", tester={**BUYS, **SELLS})
async def a_limit_buy_and_a_limit_sell_rest_at_the_same_time(at: Running) -> None:
    orders = await at.status("ACCEPTED", count=2)
    assert sorted(at.there(each).side for each in orders) == ["BUY", "SELL"]


async def _at_once(at: Running, status: str, events: list[str]) -> None:
    (order,) = await at.status(status)
    await at.agree()
    assert told(order) == events
    assert at.there(order).status == status
    assert at.held == (TEN if status == "FILLED" else 0)


@case("TC-E13", tester={**BUYS, "limit_aggressive": True, "limit_time_in_force": TimeInForce.IOC})
async def a_marketable_limit_order_fills_at_once(at: Running) -> None:
    await _at_once(at, "FILLED", FILLED)


@case("TC-E14", tester={**BUYS, "limit_time_in_force": TimeInForce.IOC})
async def a_limit_order_that_would_rest_but_may_not_is_cancelled(at: Running) -> None:
    await _at_once(at, "CANCELED", CANCELED)


@case("TC-E15", tester={**BUYS, "limit_aggressive": True, "limit_time_in_force": TimeInForce.FOK})
async def an_order_for_all_or_nothing_fills_in_one_piece(at: Running) -> None:
    await _at_once(at, "FILLED", FILLED)


@case("TC-E16", tester={**BUYS, "limit_time_in_force": TimeInForce.FOK})
async def an_order_for_all_or_nothing_that_gets_nothing_is_cancelled(at: Running) -> None:
    await _at_once(at, "CANCELED", CANCELED)


@case("TC-E17", tester={**BUYS, "order_expire_time_delta_mins": 60})
async def a_limit_order_with_an_end_rests(at: Running) -> None:
    await _resting(at, "BUY", "94.99", "GTD")


@case("TC-E18", tester={**BUYS, "order_expire_time_delta_mins": 1})
async def a_limit_order_with_an_end_expires_there(at: Running) -> None:
    (order,) = await at.status("EXPIRED")
    assert told(order) == [*ACCEPTED, "Expired"]


@case("TC-E19", tester={**BUYS, "limit_time_in_force": TimeInForce.DAY})
async def a_limit_order_for_the_day_rests_and_ends_with_the_day(at: Running) -> None:
    await _resting(at, "BUY", "94.99", "DAY")
    at.site.after_close()
    (order,) = await at.status("EXPIRED")
    assert told(order) == [*ACCEPTED, "Expired"]


async def _stop(at: Running, side: str, kind: str, trigger: str, price: str | None = None) -> None:
    (order,) = await at.status("ACCEPTED")
    assert told(order) == ACCEPTED
    there = at.there(order)
    assert (there.side, there.type, there.trigger) == (side, kind, Decimal(trigger))
    assert there.price == (None if price is None else Decimal(price))
    assert order.trigger_price.as_decimal() == there.trigger


def _stops(kind: OrderType, side: str, **more: Any) -> dict[str, Any]:
    return {f"enable_stop_{side}": True, "stop_order_type": kind, **more}


@case("TC-E20", tester=_stops(OrderType.STOP_MARKET, "buys"))
async def a_stop_buy_waits_above_the_market(at: Running) -> None:
    await _stop(at, "BUY", "STOP_MARKET", "101.01")


@case("TC-E21", tester=_stops(OrderType.STOP_MARKET, "sells"))
async def a_stop_sell_waits_below_the_market(at: Running) -> None:
    await _stop(at, "SELL", "STOP_MARKET", "98.99")


@case("TC-E22", tester=_stops(OrderType.STOP_LIMIT, "buys", stop_limit_offset_ticks=50))
async def a_stop_limit_buy_waits_with_both_prices(at: Running) -> None:
    await _stop(at, "BUY", "STOP_LIMIT", "101.01", "101.51")


@case("TC-E23", tester=_stops(OrderType.STOP_LIMIT, "sells", stop_limit_offset_ticks=50))
async def a_stop_limit_sell_waits_with_both_prices(at: Running) -> None:
    await _stop(at, "SELL", "STOP_LIMIT", "98.99", "98.49")


@case("TC-E24", tester=_stops(OrderType.MARKET_IF_TOUCHED, "buys"))
async def a_buy_at_the_market_waits_for_a_lower_price(at: Running) -> None:
    await _stop(at, "BUY", "MARKET_IF_TOUCHED", "98.99")


@case("TC-E25", tester=_stops(OrderType.MARKET_IF_TOUCHED, "sells"))
async def a_sell_at_the_market_waits_for_a_higher_price(at: Running) -> None:
    await _stop(at, "SELL", "MARKET_IF_TOUCHED", "101.01")


@case("TC-E26", tester=_stops(OrderType.LIMIT_IF_TOUCHED, "buys", stop_limit_offset_ticks=50))
async def a_limit_buy_waits_for_a_lower_price(at: Running) -> None:
    await _stop(at, "BUY", "LIMIT_IF_TOUCHED", "98.99", "99.49")


@case("TC-E27", tester=_stops(OrderType.LIMIT_IF_TOUCHED, "sells", stop_limit_offset_ticks=50))
async def a_limit_sell_waits_for_a_higher_price(at: Running) -> None:
    await _stop(at, "SELL", "LIMIT_IF_TOUCHED", "101.01", "100.51")


# -- brackets ---------------------------------------------------------------------------------------------------------

BRACKET = {"enable_brackets": True, "bracket_offset_ticks": 300}


async def _bracket(at: Running, side: str, prices: tuple[str, str, str]) -> list[Any]:
    orders = await at.status("ACCEPTED", count=3)
    by_type = {(each.order_type.name, each.side.name == side): each for each in orders}
    entry, target = by_type["LIMIT", True], by_type["LIMIT", False]
    stop = by_type["STOP_MARKET", False]
    assert [told(each) for each in (entry, target, stop)] == [ACCEPTED] * 3
    found = (entry.price, target.price, stop.trigger_price)
    assert tuple(each.as_decimal() for each in found) == tuple(map(Decimal, prices))
    return [entry, target, stop]


@case("TC-E50", tester={**BUYS, **BRACKET})
async def a_bracket_buys_with_a_target_above_and_a_stop_below(at: Running) -> None:
    await _bracket(at, "BUY", ("94.99", "97.99", "91.99"))


@case("TC-E51", tester={**SELLS, **BRACKET})
async def a_bracket_sells_with_a_target_below_and_a_stop_above(at: Running) -> None:
    await _bracket(at, "SELL", ("105.01", "102.01", "108.01"))


@case("TC-E52", tester={**BUYS, **BRACKET})
async def the_exits_of_a_bracket_work_once_its_entry_is_filled(at: Running) -> None:
    entry, target, stop = await _bracket(at, "BUY", ("94.99", "97.99", "91.99"))
    at.site.price("94.98", "94.97", "94.98")
    await at.status("FILLED", str(entry.client_order_id))
    await at.agree()
    assert at.held == TEN
    at.site.price("98", "97.99", "98.00")
    await at.status("FILLED", str(target.client_order_id))
    await at.status("CANCELED", str(stop.client_order_id))
    await at.agree()
    assert at.held == 0


@case("TC-E53", tester={**BUYS, **BRACKET, "use_post_only": True})
async def a_bracket_whose_entry_may_only_rest_is_accepted(at: Running) -> None:
    await _bracket(at, "BUY", ("94.99", "97.99", "91.99"))


# -- flags and refusals -----------------------------------------------------------------------------------------------


@case("TC-E60", tester={**BUYS, "use_post_only": True})
async def an_order_that_may_only_rest_rests(at: Running) -> None:
    await _resting(at, "BUY", "94.99")


@case("TC-E62", tester={**BUYS, "order_display_qty": Quantity.from_int(2)})
async def an_order_shows_a_part_of_itself(at: Running) -> None:
    await _resting(at, "BUY", "94.99")


@case("TC-E70", tester={**BUYS, "test_reject_post_only": True})
async def an_order_that_may_only_rest_and_would_not_is_rejected(at: Running) -> None:
    (order,) = await at.status("REJECTED")
    assert order.last_event.due_post_only


@case("TC-E71", tester={**OPEN, "test_reject_reduce_only": True})
async def an_order_that_may_only_reduce_and_has_nothing_to_reduce_does_not_fill(at: Running) -> None:
    order = await at.until(lambda: next((e for e in at.orders() if e.is_closed), None))
    assert told(order)[-1] in ("Denied", "Rejected")
    assert "REDUCE_ONLY" in reason(order).upper().replace("-", "_")
    await at.agree()
    assert at.held == 0


@case("TC-E72")
async def a_kind_of_order_that_the_venue_lacks_is_denied_before_it_is_sent(at: Running) -> None:
    make, hand = at.hand.order_factory, at.hand
    hand.send(make.market_to_limit(hand.traded, OrderSide.BUY, hand.size(SIZE)))
    (order,) = await at.status("DENIED")
    assert reason(order).startswith("ORDER_TYPE: ")
    assert str(order.client_order_id) not in at.site.received()


@case("TC-E73")
async def a_time_in_force_that_the_venue_lacks_is_denied_before_it_is_sent(at: Running) -> None:
    far = at.hand.clock.timestamp_ns() + 10**15
    at.hand.limit(90, time_in_force=TimeInForce.GTD, expire_time=far)
    (order,) = await at.status("DENIED")
    assert reason(order).startswith("TIME_IN_FORCE: ")
    assert str(order.client_order_id) not in at.site.received()
