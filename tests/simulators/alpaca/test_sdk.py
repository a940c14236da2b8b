"""alpaca-py, unchanged, works against the local Alpaca: every call a client of ours may make, and the streams."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.historical.crypto import CryptoHistoricalDataClient
from alpaca.data.historical.news import NewsClient
from alpaca.data.historical.stock import StockHistoricalDataClient
from alpaca.data.live import CryptoDataStream, NewsDataStream, StockDataStream
from alpaca.data.requests import (
    CryptoBarsRequest,
    CryptoLatestOrderbookRequest,
    NewsRequest,
    StockBarsRequest,
    StockLatestQuoteRequest,
    StockSnapshotRequest,
)
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderClass, OrderSide, OrderStatus, QueryOrderStatus, TimeInForce
from alpaca.trading.requests import (
    ClosePositionRequest,
    GetCalendarRequest,
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLossRequest,
    TakeProfitRequest,
    TrailingStopOrderRequest,
)
from alpaca.trading.stream import TradingStream

from simulators.alpaca.control import AlpacaProcess
from tests.simulators.alpaca.asking import KEY, SECRET

DAY, BUY, SELL = TimeInForce.DAY, OrderSide.BUY, OrderSide.SELL


def trading(broker: AlpacaProcess, secret: str = SECRET) -> Any:
    return TradingClient(KEY, secret, paper=True, url_override=broker.url)


def buy(qty: float, **more: Any) -> MarketOrderRequest:
    return MarketOrderRequest(symbol="AAPL", qty=qty, side=BUY, time_in_force=DAY, **more)


def test_the_trading_client_does_what_a_client_of_ours_needs(start: Any) -> None:
    broker = start()
    client = trading(broker)
    broker.control().price("AAPL", 50)
    assert client.get_account().cash == "100000"
    assert client.get_account_configurations().no_shorting is False
    assert client.get_clock().is_open
    half_day = client.get_calendar(GetCalendarRequest(start=date(2012, 11, 23), end=date(2012, 11, 23)))[0]
    assert (half_day.open.hour, half_day.close.hour) == (9, 13)
    assert {each.symbol for each in client.get_all_assets()} >= {"AAPL", "BTC/USD"}
    order = client.submit_order(buy(10, client_order_id="mine"))
    assert client.get_order_by_client_id("mine").id == order.id
    assert client.get_order_by_id(order.id).status == OrderStatus.FILLED
    assert client.get_open_position("AAPL").qty == "10"
    limit = client.submit_order(
        LimitOrderRequest(symbol="AAPL", qty=4, side=SELL, time_in_force=DAY, limit_price=60)
    )
    new = client.replace_order_by_id(limit.id, ReplaceOrderRequest(limit_price=61))
    assert (new.replaces, client.get_order_by_id(limit.id).status) == (limit.id, OrderStatus.REPLACED)
    trail = client.submit_order(
        TrailingStopOrderRequest(symbol="AAPL", qty=2, side=SELL, time_in_force=DAY, trail_percent=5)
    )
    assert [each.id for each in client.get_orders()] == [trail.id, new.id]
    client.cancel_order_by_id(new.id)
    assert [each.status for each in client.cancel_orders()] == [200]
    client.close_position("AAPL", ClosePositionRequest(qty="4"))
    assert [each.status for each in client.close_all_positions(cancel_orders=True)] == [200]
    everything = client.get_orders(GetOrdersRequest(status=QueryOrderStatus.ALL, nested=True))
    assert len(everything) == 6
    assert client.get_all_positions() == []
    assert {row["activity_type"] for row in client.get("/account/activities")} == {"FILL"}


def test_a_bracket_comes_back_with_its_legs(start: Any) -> None:
    broker = start()
    broker.control().price("AAPL", 50)
    order = trading(broker).submit_order(
        buy(10, order_class=OrderClass.BRACKET, take_profit=TakeProfitRequest(limit_price=55),
            stop_loss=StopLossRequest(stop_price=45))
    )  # fmt: skip
    assert [leg.status for leg in order.legs] == [OrderStatus.HELD, OrderStatus.HELD]
    assert isinstance(order.id, UUID)


def test_a_refusal_has_a_status_a_code_and_a_sentence(broker: AlpacaProcess) -> None:
    with pytest.raises(APIError) as refused:
        trading(broker).submit_order(buy(10_000_000))
    error: Any = refused.value
    assert (error.status_code, error.code, error.message) == (403, 40310000, "insufficient buying power")
    with pytest.raises(APIError) as wrong:
        trading(broker, "wrong").get_account()
    unauthorized: Any = wrong.value
    assert unauthorized.status_code == 401


def test_an_oauth_token_will_do_instead_of_keys(broker: AlpacaProcess) -> None:
    assert TradingClient(oauth_token="rehearsal-token", url_override=broker.url).get_account()  # noqa: S106 - not a secret
    with pytest.raises(APIError):
        TradingClient(oauth_token="another", url_override=broker.url).get_account()  # noqa: S106 - as above


def test_the_historical_clients_find_bars_quotes_snapshots_and_news(broker: AlpacaProcess) -> None:
    stocks: Any = StockHistoricalDataClient(KEY, SECRET, url_override=broker.url)
    crypto: Any = CryptoHistoricalDataClient(KEY, SECRET, url_override=broker.url)
    start, end = datetime(2013, 1, 30, tzinfo=UTC), datetime(2013, 2, 1, 15, tzinfo=UTC)
    minutes = stocks.get_stock_bars(
        StockBarsRequest(symbol_or_symbols=["AAPL", "IBM"], timeframe=TimeFrame.Minute, start=start, end=end)
    )
    assert [len(minutes[symbol]) for symbol in ("AAPL", "IBM")] == [39 * 2 + 3, 39 * 2 + 3]
    days = stocks.get_stock_bars(
        StockBarsRequest(symbol_or_symbols="AAPL", timeframe=TimeFrame.Day, start=start, end=end)
    )["AAPL"]
    assert [bar.timestamp.day for bar in days] == [30, 31, 1]
    assert days[0].high == max(bar.high for bar in minutes["AAPL"][:39])
    assert (
        stocks.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="AAPL"))["AAPL"].ask_price > 0
    )
    assert (
        stocks.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols="AAPL"))["AAPL"].daily_bar.close > 0
    )
    request = CryptoBarsRequest(symbol_or_symbols="BTC/USD", timeframe=TimeFrame.Hour, start=start, end=end)
    assert len(crypto.get_crypto_bars(request)["BTC/USD"]) > 24
    book = crypto.get_crypto_latest_orderbook(CryptoLatestOrderbookRequest(symbol_or_symbols="BTC/USD"))[
        "BTC/USD"
    ]
    assert book.asks[0].price > book.bids[0].price
    broker.control().ask("news", headline="Read this", symbols=["IBM"])
    news: Any = NewsClient(KEY, SECRET, url_override=broker.url).get_news(NewsRequest(symbols="IBM"))
    assert [each.headline for each in news.data["news"]] == ["Read this"]


def test_all_four_streams_bring_what_was_subscribed_to(start: Any) -> None:
    broker = start("instruments=AAPL,BTC/USD")
    seen: list[tuple[str, str]] = []
    kinds = {"update", "Bar", "Trade", "Quote", "TradingStatus", "Orderbook", "News"}
    control = broker.control()

    async def on_update(update: Any) -> None:
        seen.append(("update", str(update.event)))

    async def on_data(row: Any) -> None:
        seen.append((type(row).__name__, getattr(row, "symbol", "")))

    async def run() -> None:
        ws = broker.stream_url
        updates = TradingStream(KEY, SECRET, url_override=f"{ws}/stream")
        updates.subscribe_trade_updates(on_update)
        stocks = StockDataStream(KEY, SECRET, url_override=f"{ws}/v2/iex")
        for subscribe in (stocks.subscribe_bars, stocks.subscribe_trades, stocks.subscribe_quotes):
            subscribe(on_data, "AAPL")
        stocks.subscribe_trading_statuses(on_data, "*")
        crypto = CryptoDataStream(KEY, SECRET, url_override=f"{ws}/v1beta3/crypto/us")
        crypto.subscribe_orderbooks(on_data, "BTC/USD")
        news = NewsDataStream(KEY, SECRET, url_override=f"{ws}/v1beta1/news")
        news.subscribe_news(on_data, "*")
        streams: list[Any] = [updates, stocks, crypto, news]
        tasks = [asyncio.create_task(each._run_forever()) for each in streams]  # noqa: SLF001 - it has no other for a running loop
        while sum((await asyncio.to_thread(control.audit))["subscribed"].values()) < len(streams):  # noqa: ASYNC110 - they are told by nobody
            await asyncio.sleep(0.05)
        await asyncio.to_thread(drive)
        deadline = time.monotonic() + 60
        while ("update", "fill") not in seen or {name for name, _ in seen} < kinds:
            assert time.monotonic() < deadline, seen
            await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        for each in streams:
            await each.close()
        await asyncio.gather(*tasks, return_exceptions=True)

    def drive() -> None:
        control.ask("market", do="step", n=1)
        control.price("AAPL", 50)
        control.price("BTC/USD", 20_000)
        control.ask("status", symbol="AAPL", code="H")
        control.ask("status", symbol="AAPL", code="T")
        control.ask("news", headline="Read this", symbols=["AAPL"])
        trading(broker).submit_order(buy(1))

    asyncio.run(run())
    assert {name for name, _ in seen} == kinds
    assert [event for name, event in seen if name == "update"] == ["pending_new", "new", "fill"]
