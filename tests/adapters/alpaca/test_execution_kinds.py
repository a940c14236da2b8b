"""Every kind of order and time in force that Alpaca has is sent as it is meant, and what it lacks never leaves."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model import OrderSide, TimeInForce, TrailingOffsetType, TriggerType

from tests.adapters.alpaca.driving import AAPL, BTC, Broker, Node, drive

pytestmark = pytest.mark.slow


def _sent(broker: Broker, name: str, *keys: str) -> tuple[Any, ...]:
    row = broker.order(name)
    return tuple(row[key] for key in keys)


def test_every_kind_of_order_is_sent_as_it_is_meant(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        one = node.strategy
        held = one.market(50)
        await node.status(held, "FILLED")
        make, sell, size = one.order_factory, OrderSide.SELL, one.size(5, AAPL)
        stop = one.send(make.stop_market(AAPL, sell, size, one.price(90, AAPL), TriggerType.DEFAULT))
        both = one.send(
            make.stop_limit(
                AAPL, sell, size, one.price(88, AAPL), one.price(89, AAPL), TriggerType.LAST_PRICE
            )
        )
        trail = one.send(
            make.trailing_stop_market(
                AAPL, sell, size, Decimal(2), trailing_offset_type=TrailingOffsetType.PRICE
            )
        )
        share = one.send(
            make.trailing_stop_market(
                AAPL, sell, size, Decimal(150), trailing_offset_type=TrailingOffsetType.BASIS_POINTS
            )
        )
        late = one.limit(120, 5, sell, tags=["extended_hours"], time_in_force=TimeInForce.DAY)
        for name in (stop, both, trail, share, late):
            await node.status(name, "ACCEPTED")
        assert _sent(broker, stop, "type", "stop_price", "time_in_force") == ("stop", "90", "gtc")
        assert _sent(broker, both, "type", "stop_price", "limit_price") == ("stop_limit", "89", "88")
        assert _sent(broker, trail, "type", "trail_price") == ("trailing_stop", "2")
        assert _sent(broker, share, "type", "trail_percent") == ("trailing_stop", "1.5")
        assert _sent(broker, late, "extended_hours", "time_in_force") == (True, "day")
        broker.price(101)
        broker.price(99)
        await node.status(trail, "FILLED")
        await node.status(share, "ACCEPTED", "FILLED")
        broker.price(89)
        for name in (stop, share):
            await node.status(name, "FILLED")
        await node.books_agree()

    drive(tmp_path, work)


def test_orders_that_fill_at_once_or_never_and_orders_for_the_auctions(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        one = node.strategy
        at_once = one.limit(100, 5, time_in_force=TimeInForce.IOC)
        await node.status(at_once, "FILLED")
        nothing = one.limit(90, 5, time_in_force=TimeInForce.IOC)
        await node.status(nothing, "CANCELED")
        whole = one.limit(90, 5, time_in_force=TimeInForce.FOK)
        await node.status(whole, "CANCELED", "REJECTED")
        closing = one.market(5, time_in_force=TimeInForce.AT_THE_CLOSE)
        await node.status(closing, "ACCEPTED")
        assert _sent(broker, closing, "time_in_force") == ("cls",)
        day = one.limit(90, 5, time_in_force=TimeInForce.DAY)
        await node.status(day, "ACCEPTED")
        broker.ask("clock", secs=int(9.5 * 3600))
        await node.status(closing, "FILLED")
        await node.status(day, "EXPIRED", "CANCELED")
        opening = one.market(5, time_in_force=TimeInForce.AT_THE_OPEN)
        await node.status(opening, "ACCEPTED")
        assert _sent(broker, opening, "time_in_force") == ("opg",)
        broker.ask("clock", secs=3 * 86400)
        await node.status(opening, "FILLED")
        await node.books_agree()

    drive(tmp_path, work)


def test_crypto_is_bought_around_the_clock_in_fractions(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        one = node.strategy
        broker.price(50_000, "BTC/USD")
        bought = one.market("0.01", of=BTC)
        await node.status(bought, "FILLED")
        resting = one.limit(40_000, "0.002", of=BTC)
        await node.status(resting, "ACCEPTED")
        one.cancel(resting)
        await node.status(resting, "CANCELED")
        refused = {
            one.market(
                "0.01", of=BTC, time_in_force=TimeInForce.DAY
            ): "TIME_IN_FORCE: Alpaca has no DAY orders in crypto",
        }
        for name, why in refused.items():
            await node.status(name, "DENIED")
            assert why in one.reason(name)

    drive(tmp_path, work, "crypto_fee=0", symbols=("BTC/USD",))


def test_a_fee_that_is_taken_in_coins_is_the_commission_of_its_fill_so_that_all_can_be_sold(
    tmp_path: Path,
) -> None:
    async def work(broker: Broker, node: Node) -> None:
        one = node.strategy
        broker.price(50_000, "BTC/USD")
        for _ in range(2):
            bought = one.market("0.01", of=BTC)
            await node.status(bought, "FILLED")
        (fill,) = one.fills_of(bought)
        assert str(fill.commission) == "0.00002500 BTC"
        (position,) = one.cache.positions_open()
        assert position.quantity.as_decimal() == Decimal("0.01995")
        await node.until(lambda: len(node.notes.flows) == 2)
        assert not any(flow.moves_shares for flow in node.notes.flows)
        sold = one.market(position.quantity, OrderSide.SELL, of=BTC, reduce_only=True)
        await node.status(sold, "FILLED")
        assert broker.audit()["positions"] == {}

    drive(tmp_path, work, symbols=("BTC/USD",))


def test_the_fee_of_a_fill_that_no_update_told_is_its_commission_too(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        one = node.strategy
        broker.price(50_000, "BTC/USD")
        broker.fault(drop_events=True)
        for _ in range(2):
            bought = one.market("0.01", of=BTC)
            await node.status(bought, "FILLED")
            (fill,) = one.fills_of(bought)
            assert str(fill.commission) == "0.00002500 BTC"
        (position,) = one.cache.positions_open()
        assert position.quantity.as_decimal() == Decimal("0.01995")
        sold = one.market(position.quantity, OrderSide.SELL, of=BTC, reduce_only=True)
        await node.status(sold, "FILLED")
        assert broker.audit()["positions"] == {}

    drive(tmp_path, work, symbols=("BTC/USD",))


def test_a_fee_in_coins_that_alpaca_tells_a_day_late_moves_nothing_and_one_that_takes_coins_does(
    tmp_path: Path,
) -> None:
    async def work(broker: Broker, node: Node) -> None:
        broker.price(50_000, "BTC/USD")
        bought = node.strategy.market("0.01", of=BTC)
        await node.status(bought, "FILLED")
        fee = {"type": "CFEE", "symbol": "BTC/USD", "qty": "-0.000025"}
        for number, moves in enumerate((False, True), start=1):
            broker.ask("activity", **fee, moves=moves)
            await node.until(lambda number=number: len(node.notes.flows) == number)  # type: ignore[misc]
            assert node.notes.flows[-1].moves_shares is moves

    drive(tmp_path, work, "crypto_fee=0", symbols=("BTC/USD",))


def test_what_alpaca_lacks_is_refused_in_a_line_before_it_is_sent(tmp_path: Path) -> None:
    async def work(broker: Broker, node: Node) -> None:
        one = node.strategy
        make, buy, size = one.order_factory, OrderSide.BUY, one.size(5, AAPL)
        price = one.price(90, AAPL)
        far = node.client.clock.timestamp_ns() + 10**15
        refused = {
            one.limit(
                90, 5, time_in_force=TimeInForce.GTD, expire_time=far
            ): "TIME_IN_FORCE: Alpaca has no GTD",
            one.limit(90, 5, post_only=True): "POST_ONLY",
            one.limit(90, 5, display_qty=one.size(1, AAPL)): "DISPLAY_QTY",
            one.limit("90.001", 5): "PRICE: 90.001 is between cents",
            one.market(5, tags=["extended_hours"]): "EXTENDED_HOURS: only LIMIT orders",
            one.send(
                make.market_to_limit(AAPL, buy, size)
            ): "ORDER_TYPE: Alpaca has no MARKET_TO_LIMIT orders",
            one.send(
                make.stop_market(AAPL, buy, size, one.price(110, AAPL), TriggerType.BID_ASK)
            ): "TRIGGER_TYPE",
            one.send(
                make.stop_market(
                    AAPL, buy, size, one.price(110, AAPL), TriggerType.DEFAULT, TimeInForce.AT_THE_CLOSE
                )
            ): "TIME_IN_FORCE: only MARKET and LIMIT",
            one.send(
                make.trailing_stop_market(
                    AAPL, buy, size, Decimal(2), trailing_offset_type=TrailingOffsetType.TICKS
                )
            ): "TRAILING_OFFSET",
            one.send(make.limit_if_touched(AAPL, buy, size, price, price)): "ORDER_TYPE",
        }
        for name, why in refused.items():
            await node.status(name, "DENIED")
            assert why in one.reason(name)
        await node.settle()
        assert broker.received == {}
        assert node.notes.intents == []

    drive(tmp_path, work)
