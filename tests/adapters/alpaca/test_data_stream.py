"""What a strategy hears of Alpaca's data streams, and what happens when they break."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from nautilus_trader.model import AggressorSide

from adapters.alpaca._market_feed import Options
from adapters.alpaca._upkeep import Rhythm
from tests.adapters.alpaca.data_driving import (
    AAPL,
    QUICK,
    Broker,
    Hearer,
    Node,
    bar_type,
    clock_of,
    decimals,
    drive,
)

pytestmark = pytest.mark.slow

MINUTES = ("instruments=AAPL,BTC/USD",)


def subscribe_minutes(hearer: Hearer) -> None:
    hearer.subscribe_bars(bar_type("1-MINUTE"))


def test_a_minute_bar_arrives_once_stamped_with_its_end(tmp_path: Path) -> None:
    async def work(one: Broker, node: Node) -> None:
        await node.subscribed("bars")
        one.bar("15:00", 455.25, open="455", high="456.1234", low="454")
        await node.until(lambda: bool(node.hearer.bars))
        (bar,) = node.hearer.bars
        assert clock_of(bar.ts_event) == "15:01"
        assert [str(each) for each in (bar.open, bar.high, bar.low, bar.close)] == [
            "455.0000", "456.1234", "454.0000", "455.2500",
        ]  # fmt: skip

    drive(tmp_path, subscribe_minutes, work, *MINUTES)


def test_quotes_and_trades_arrive_exactly_as_they_were_made(tmp_path: Path) -> None:
    def begin(hearer: Hearer) -> None:
        hearer.subscribe_quotes(AAPL)
        hearer.subscribe_trades(AAPL)

    async def work(one: Broker, node: Node) -> None:
        await node.subscribed("quotes", "trades")
        one.ask("price", symbol="AAPL", price="455.123", bid="455.11", ask="455.13", size="7")
        await node.until(lambda: bool(node.hearer.quotes and node.hearer.trades))
        quote, trade = node.hearer.quotes[-1], node.hearer.trades[-1]
        assert (quote.bid_price.as_decimal(), quote.ask_price.as_decimal()) == (
            Decimal("455.11"),
            Decimal("455.13"),
        )
        assert (trade.price.as_decimal(), trade.size.as_decimal()) == (Decimal("455.123"), 7)
        assert trade.aggressor_side == AggressorSide.NO_AGGRESSOR

    drive(tmp_path, begin, work, *MINUTES)


def test_what_a_broken_stream_missed_comes_before_what_follows(tmp_path: Path) -> None:
    async def work(one: Broker, node: Node) -> None:
        await node.subscribed("bars")
        one.bar("15:00", 100)
        await node.until(lambda: len(node.hearer.bars) == 1)
        one.bar("15:01", 101, told=False)
        one.bar("15:02", 102, told=False)
        one.ask("drop_streams", which="data")
        await node.until(lambda: len(node.hearer.bars) == 3)
        await node.subscribed("bars")
        one.bar("15:03", 103)
        await node.until(lambda: len(node.hearer.bars) == 4)
        assert decimals(node.hearer.bars) == [100, 101, 102, 103]
        await node.until(lambda: node.has_said("minute bars that the stream missed were filled in"))

    patient = Options(replayed=True, rhythm=replace(QUICK, down=60.0))  # no polling meanwhile
    drive(tmp_path, subscribe_minutes, work, *MINUTES, options=patient)


def test_a_stream_that_is_open_but_silent_is_found_out_and_opened_anew(tmp_path: Path) -> None:
    async def work(one: Broker, node: Node) -> None:
        await node.subscribed("bars")
        one.bar("15:00", 100)
        await node.until(lambda: len(node.hearer.bars) == 1)
        one.ask("half_close", which="data")
        one.bar("15:01", 101)
        await node.until(lambda: len(node.hearer.bars) == 2)
        assert node.has_said("up but silent")
        await node.subscribed("bars")
        one.bar("15:02", 102)
        await node.until(lambda: len(node.hearer.bars) == 3)

    impatient = Options(replayed=True, rhythm=Rhythm(turn=0.05, poll=0.1, down=0.2, silent=0.4))
    drive(tmp_path, subscribe_minutes, work, *MINUTES, options=impatient)


def test_a_quiet_market_is_no_reason_to_connect_anew(tmp_path: Path) -> None:
    async def work(_one: Broker, node: Node) -> None:
        await asyncio.sleep(1.0)
        assert not node.has_said("silent")

    impatient = Options(replayed=True, rhythm=Rhythm(turn=0.05, poll=0.1, down=0.2, silent=0.3))
    drive(tmp_path, subscribe_minutes, work, *MINUTES, options=impatient)


def test_polling_takes_over_while_there_is_no_stream_and_says_so(tmp_path: Path) -> None:
    def begin(hearer: Hearer) -> None:
        subscribe_minutes(hearer)
        hearer.subscribe_quotes(AAPL)

    async def work(one: Broker, node: Node) -> None:
        await node.subscribed("bars")
        one.bar("15:00", 100)
        await node.until(lambda: len(node.hearer.bars) == 1)
        one.ask("fault", refuse_streams=True)
        one.ask("drop_streams", which="data")
        await node.until(lambda: node.has_said("there is no stock stream"))
        one.bar("15:01", 101, told=False)
        one.ask("price", symbol="AAPL", price="101.5")
        await node.until(lambda: len(node.hearer.bars) == 2)
        await node.until(lambda: [str(each.bid_price) for each in node.hearer.quotes[-1:]] == ["101.5000"])
        assert node.client.streaming == {"stock": False}
        one.ask("fault", kind="clear")
        await node.subscribed("bars")
        one.bar("15:02", 102)
        await node.until(lambda: len(node.hearer.bars) == 3)
        assert decimals(node.hearer.bars) == [100, 101, 102]
        assert node.has_said("polling stops")

    drive(tmp_path, begin, work, *MINUTES)


def test_duplicated_rows_are_heard_once_and_a_broken_row_stops_nothing(tmp_path: Path) -> None:
    async def work(one: Broker, node: Node) -> None:
        await node.subscribed("bars")
        one.ask("fault", duplicate_data=True)
        for minute in range(3):
            one.bar(f"15:0{minute}", 100 + minute)
        await node.until(lambda: len(node.hearer.bars) >= 3)
        await asyncio.sleep(0.2)
        assert decimals(node.hearer.bars) == [100, 101, 102]
        lane = node.client.feed.lanes[0]
        node.client.feed.take(lane, {"T": "b", "S": "AAPL", "t": "2013-02-01T15:03:00Z", "o": "x"})
        one.bar("15:03", 103)
        await node.until(lambda: len(node.hearer.bars) == 4)
        assert node.has_said("cannot be read")

    drive(tmp_path, subscribe_minutes, work, *MINUTES)


def test_five_minute_bars_are_built_from_minutes_and_take_corrections(tmp_path: Path) -> None:
    def begin(hearer: Hearer) -> None:
        hearer.subscribe_bars(bar_type("5-MINUTE"))

    async def work(one: Broker, node: Node) -> None:
        await node.subscribed("bars")
        for minute, close in enumerate((100, 103, 99, 101)):
            one.bar(f"15:0{minute}", close, volume="10")
        one.bar("15:04", 102, volume="10")
        await node.until(lambda: len(node.hearer.bars) == 1)
        (bar,) = node.hearer.bars
        assert clock_of(bar.ts_event) == "15:05"
        prices = [each.as_decimal() for each in (bar.open, bar.high, bar.low, bar.close, bar.volume)]
        assert prices == [100, 103, 99, 102, 50]
        one.bar("15:06", 105)  # trades are rare: the bar ends when something newer is heard of
        one.bar("15:11", 106)
        await node.until(lambda: len(node.hearer.bars) == 2)
        assert node.hearer.clocks("5-MINUTE") == ["15:05", "15:10"]

    drive(tmp_path, begin, work, *MINUTES)


def test_warming_up_and_listening_leave_no_bar_out_and_none_twice(tmp_path: Path) -> None:
    def begin(hearer: Hearer) -> None:
        hearer.request_bars(bar_type("1-MINUTE"), limit=3)

    async def work(one: Broker, node: Node) -> None:
        await node.until(lambda: bool(node.hearer.past))
        (warm,) = node.hearer.past
        assert len(warm) == 3
        one.bar("15:00", 100, told=False)  # between the answer and the subscription
        node.hearer.subscribe_bars(bar_type("1-MINUTE"))
        await node.subscribed("bars")
        one.bar("15:01", 101)
        await node.until(lambda: len(node.hearer.bars) == 2)
        assert decimals(node.hearer.bars) == [100, 101]

    drive(tmp_path, begin, work, *MINUTES)


def test_bars_of_before_the_run_begins_are_kept_and_the_run_ends_with_as_many_as_it_wanted(
    tmp_path: Path,
) -> None:
    async def work(one: Broker, node: Node) -> None:
        await node.until(lambda: node.hearer.began)
        await node.subscribed("bars")
        one.bar("15:00", 100)
        await asyncio.sleep(0.3)
        assert not node.hearer.bars
        node.client.begin()
        await node.until(lambda: len(node.hearer.bars) == 1)
        assert not node.client.ended
        one.bar("15:01", 101)
        one.bar("15:02", 102)
        await node.until(lambda: node.client.ended and len(node.hearer.bars) >= 2)
        await asyncio.sleep(0.2)
        assert (node.client.count, len(node.hearer.bars)) == (2, 2)

    drive(tmp_path, subscribe_minutes, work, *MINUTES, started=False, most=2)
