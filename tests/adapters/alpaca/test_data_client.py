"""What else Alpaca's data client promises: days, market status, refusals, and no node without data."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model import Bar, ClientId, DataType, InstrumentId, MarketStatusAction

from adapters.alpaca._handover import Handover
from adapters.alpaca._market_feed import Options
from adapters.alpaca.history import History
from adapters.alpaca.keys import Keys
from adapters.alpaca.providers import instruments
from tests.adapters.alpaca.data_driving import (
    AAPL,
    QUICK,
    Broker,
    Hearer,
    Node,
    api_of,
    at,
    bar_type,
    broker,
    drive,
    node,
)

pytestmark = pytest.mark.slow

BTC = InstrumentId.from_str("BTC/USD.ALPACA")


def day_of(bar: Bar) -> str:
    return datetime.fromtimestamp(bar.ts_event // 1_000_000_000, UTC).strftime("%m-%d %H:%M")


def test_days_and_hours_of_a_played_market_are_those_that_rest_tells_afterwards(tmp_path: Path) -> None:
    """Five days from 10:00 on, as fast as the node takes them; every bar heard is the one that REST tells then."""

    def begin(hearer: Hearer) -> None:
        hearer.subscribe_bars(bar_type("1-DAY"))
        hearer.subscribe_bars(bar_type("1-HOUR"))

    async def work(one: Broker, running: Node) -> None:
        one.ask("market", do="resume", speed=0)
        await running.until(lambda: one.ask("market", do="state")["ended"], secs=240)
        last = (
            one.ask("market", do="state")["now_ns"] - 5 * 60 * 10**9
        )  # a market ends so long after its close
        await running.until(lambda: running.client.market_now() >= last)
        running.client.finish()
        await running.until(lambda: len(running.hearer.bars) >= 39)
        await asyncio.sleep(0.2)
        with api_of(one) as api:
            (share,) = await instruments(api, ["AAPL"])
            history, now = History(api, feed="iex"), running.client.market_now()
            for kind, count in (("1-DAY", 5), ("1-HOUR", 34)):
                heard = [bar for bar in running.hearer.bars if f"-{kind}-" in str(bar.bar_type)]
                told = await history.bars(
                    share, bar_type(kind), now_ns=now, start_ns=now - 12 * 86_400 * 10**9
                )
                told = [bar for bar in told if bar.ts_event >= heard[0].ts_event]
                assert len(heard) == count
                assert [_prices(bar) for bar in heard] == [_prices(bar) for bar in told]
        assert running.client.count == 39

    drive(tmp_path, begin, work, "instruments=AAPL", "start=2013-02-04", "days=5", "end=2013-02-08")


def _prices(bar: Bar) -> tuple[str, ...]:
    return (day_of(bar), *(str(each) for each in (bar.open, bar.high, bar.low, bar.close)))


def test_a_day_the_stream_said_too_little_of_comes_from_rest(tmp_path: Path) -> None:
    def begin(hearer: Hearer) -> None:
        hearer.subscribe_bars(bar_type("1-DAY"))

    async def work(one: Broker, running: Node) -> None:
        await running.subscribed("dailyBars", "quotes")
        one.ask("clock", to="2013-02-01T21:02:00Z")
        one.ask("price", symbol="AAPL", price="450")
        await running.until(lambda: bool(running.hearer.bars))
        assert [day_of(bar) for bar in running.hearer.bars] == ["02-01 21:00"]

    drive(tmp_path, begin, work, "instruments=AAPL")


def test_halts_and_the_close_reach_who_asked_for_them(tmp_path: Path) -> None:
    def begin(hearer: Hearer) -> None:
        hearer.subscribe_instrument_status(AAPL)
        hearer.subscribe_bars(bar_type("1-MINUTE"))

    async def work(one: Broker, running: Node) -> None:
        await running.subscribed("statuses", "bars")
        one.ask("status", symbol="AAPL", code="H", reason="news")
        one.ask("status", symbol="AAPL", code="T")
        one.ask("clock", to="2013-02-01T21:01:00Z")
        one.ask("price", symbol="AAPL", price="450")
        await running.until(lambda: len(running.hearer.statuses) == 4)
        assert [each.action for each in running.hearer.statuses] == [
            MarketStatusAction.TRADING, MarketStatusAction.HALT, MarketStatusAction.TRADING, MarketStatusAction.CLOSE,
        ]  # fmt: skip
        assert running.hearer.statuses[-1].ts_event == at("21:00")

    drive(tmp_path, begin, work, "instruments=AAPL")


def test_crypto_has_its_own_stream(tmp_path: Path) -> None:
    def begin(hearer: Hearer) -> None:
        hearer.subscribe_bars(bar_type("1-MINUTE", BTC))
        hearer.subscribe_trades(BTC)

    async def work(one: Broker, running: Node) -> None:
        await running.subscribed("bars", "trades", symbols=("BTC/USD",))
        one.bar("15:00", 21.5, symbol="BTC/USD")
        one.ask("price", symbol="BTC/USD", price="21.55", size="0.25")
        await running.until(lambda: bool(running.hearer.bars and running.hearer.trades))
        assert str(running.hearer.trades[-1].size.as_decimal().normalize()) == "0.25"
        await running.until(lambda: running.client.streaming == {"stock": True, "crypto": True})

    drive(tmp_path, begin, work, "instruments=AAPL,BTC/USD", symbols=("AAPL", "BTC/USD"))


def test_what_alpaca_cannot_give_is_refused_in_one_line_and_every_request_is_answered(tmp_path: Path) -> None:
    def begin(hearer: Hearer) -> None:
        hearer.subscribe_bars(bar_type("30-SECOND"))
        hearer.subscribe_mark_prices(AAPL)
        hearer.request_bars(bar_type("30-SECOND"), limit=3)
        hearer.request_bars(bar_type("1-MINUTE"), limit=3)

    async def work(_one: Broker, running: Node) -> None:
        await running.until(lambda: len(running.hearer.past) == 2)
        assert [len(each) for each in running.hearer.past] == [0, 3]
        await running.until(lambda: running.has_said("Alpaca gives bars of trades from 1 minute to 1 day"))
        await running.until(lambda: running.has_said("MarkPrices: Alpaca has no such data"))

    drive(tmp_path, begin, work, "instruments=AAPL")


def test_wrong_keys_keep_the_node_from_starting_and_say_why(tmp_path: Path) -> None:
    async def main(one: Broker) -> None:
        with api_of(one):
            wrong = Keys("PKWRONG00000000000000", "rehearsal")
            async with node(one, lambda _: None, started=False, lookup=Keys(*KNOWN), keys=wrong) as running:
                await running.until(lambda: running.clients != [] and running.client.error is not None)
                said = str(running.client.error)
                assert "the keys are wrong or for the other environment; paper keys start with PK" in said
                assert "PKWRONG" not in said

    with broker(tmp_path, "instruments=AAPL") as one:
        asyncio.run(main(one))


KNOWN = ("PKREHEARSAL0000000000", "rehearsal")


def test_a_feed_the_account_has_no_subscription_for_names_the_free_one(tmp_path: Path) -> None:
    async def main(one: Broker) -> None:
        async with node(one, lambda _: None, started=False, config={"feed": "sip"}) as running:
            await running.until(lambda: running.clients != [] and running.client.error is not None)
            assert "venue.feed=iex is free" in str(running.client.error)

    with broker(tmp_path, "instruments=AAPL", "feeds=iex") as one:
        asyncio.run(main(one))


TOKEN = Keys(token="rehearsal-token")  # noqa: S106 - of a broker that holds no money


def test_a_token_opens_the_streams_as_keys_do(tmp_path: Path) -> None:
    def begin(hearer: Hearer) -> None:
        hearer.subscribe_quotes(AAPL)
        hearer.subscribe_data(DataType("AlpacaNews"), client_id=ClientId("ALPACA"))

    async def work(one: Broker, running: Node) -> None:
        await running.subscribed("quotes")
        assert running.client.streaming == {"stock": True}
        await running.until(lambda: one.ask("audit")["subscribed"]["news"] == 1)
        one.ask("price", symbol="AAPL", price="455")
        await running.until(lambda: bool(running.hearer.quotes))

    drive(tmp_path, begin, work, "instruments=AAPL", keys=TOKEN)


def test_a_token_that_the_streams_refuse_is_said_and_polled_with(tmp_path: Path) -> None:
    def begin(hearer: Hearer) -> None:
        hearer.subscribe_bars(bar_type("1-MINUTE"))

    async def work(one: Broker, running: Node) -> None:
        one.bar("15:00", 100)
        await running.until(lambda: bool(running.hearer.bars))
        assert running.has_said(
            "there is no stock stream (it refuses the OAuth token: 402 auth failed); polling"
        )
        assert running.client.streaming == {"stock": False}

    drive(tmp_path, begin, work, "instruments=AAPL", "token_streams=false", keys=TOKEN)


def test_more_symbols_than_the_plan_allows_are_told(tmp_path: Path) -> None:
    def begin(hearer: Hearer) -> None:
        for name in ("AAPL", "MSFT", "IBM"):
            hearer.subscribe_quotes(InstrumentId.from_str(f"{name}.ALPACA"))

    async def work(_one: Broker, running: Node) -> None:
        await running.until(lambda: running.has_said("the plan of this account allows fewer symbols"))

    drive(
        tmp_path, begin, work, "instruments=AAPL,MSFT,IBM", "most_symbols=2", symbols=("AAPL", "MSFT", "IBM"),
        options=Options(replayed=False, rhythm=QUICK),
    )  # fmt: skip


def test_the_last_price_is_known_before_anything_trades_so_that_a_position_can_be_closed_at_night(
    tmp_path: Path,
) -> None:
    heard: list[Any] = []

    def begin(hearer: Hearer) -> None:
        hearer.subscribe_trades(AAPL)
        heard.append(hearer.cache.trade(AAPL))

    async def work(one: Broker, running: Node) -> None:
        await running.subscribed("trades")
        with api_of(one) as api:
            found = await History(api, feed="iex").latest_trades(["AAPL"], is_crypto=False)
        assert heard[0].price.as_decimal() == Decimal(str(found["AAPL"]["p"]))
        assert running.hearer.trades == []

    drive(tmp_path, begin, work, "instruments=AAPL", options=Options(replayed=False, rhythm=QUICK))


def test_shadows_come_before_each_bar_and_nothing_follows_the_end() -> None:
    given: list[Any] = []
    handover = Handover(given.append, 1, shadows=True)
    handover.begin()
    kind = bar_type("1-MINUTE")
    bar = Bar.from_dict(
        {
            "bar_type": str(kind), "open": "1.00", "high": "1.00", "low": "1.00", "close": "1.00", "volume": "1",
            "ts_event": 1, "ts_init": 1,
        }
    )  # fmt: skip
    handover.give(bar)
    handover.give(bar)
    assert [str(each.bar_type) for each in given] == ["AAPL.ALPACA-1-SECOND-LAST-EXTERNAL", str(kind)]
    assert handover.ended
