"""Past data of Alpaca's: complete bars only, the same as the stream builds, page by page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from nautilus_trader.model import Bar, InstrumentId

from adapters.alpaca import history as module
from adapters.alpaca._parsing_data import nanos_of
from adapters.alpaca.history import History
from adapters.alpaca.providers import instruments
from adapters.outcomes import RefusedError
from tests.adapters.alpaca.data_driving import TEN, Broker, api_of, at, bar_type, broker, clock_of

NOW = nanos_of(TEN)
BTC = InstrumentId.from_str("BTC/USD.ALPACA")


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with broker(tmp_path_factory.mktemp("alpaca"), "instruments=AAPL,BTC/USD") as running:
        yield running


def read(one: Broker, work: Callable[[History, Any, Any], Awaitable[Any]], **how: Any) -> Any:
    """What `work` reads, given the history, a share and a coin."""

    async def main() -> Any:
        share, coin = await instruments(api, ["AAPL", "BTC/USD"])
        return await work(History(api, feed="iex", **how), share, coin)

    with api_of(one) as api:
        return asyncio.run(main())


def bars(one: Broker, text: str, *, crypto: bool = False, now: int = NOW, **window: Any) -> list[Bar]:
    async def work(history: History, share: Any, coin: Any) -> list[Bar]:
        kind = bar_type(text, BTC) if crypto else bar_type(text)
        return await history.bars(coin if crypto else share, kind, now_ns=now, **window)

    found: list[Bar] = read(one, work)
    return found


def test_the_last_bars_are_the_last_that_were_complete(one: Broker) -> None:
    found = bars(one, "1-MINUTE", limit=50)
    assert len(found) == 50
    assert found[-1].ts_event <= NOW
    assert all(first.ts_event < second.ts_event for first, second in pairwise(found))


def test_a_window_holds_the_bars_that_end_in_it(one: Broker) -> None:
    found = bars(one, "1-MINUTE", start_ns=at("14:30"), end_ns=at("14:51"))
    assert [clock_of(bar.ts_event) for bar in found] == ["14:31", "14:41", "14:51"]


def test_longer_bars_are_those_of_their_minutes(one: Broker) -> None:
    minutes = bars(one, "1-MINUTE", start_ns=at("14:30"), end_ns=at("15:00"))
    (half,) = bars(one, "30-MINUTE", start_ns=at("14:30"), end_ns=at("15:00"))
    assert clock_of(half.ts_event) == "15:00"
    assert (half.open, half.close) == (minutes[0].open, minutes[-1].close)
    assert half.volume.as_decimal() == sum(bar.volume.as_decimal() for bar in minutes)
    unfinished = bars(one, "30-MINUTE", start_ns=at("14:30"), now=at("14:59"))
    assert unfinished == []


def test_a_day_ends_at_the_close_of_its_session_and_today_is_left_out(one: Broker) -> None:
    found = bars(one, "1-DAY", limit=5)
    assert len(found) == 5
    assert {clock_of(bar.ts_event) for bar in found} == {"21:00"}
    assert found[-1].ts_event < NOW
    christmas = bars(
        one, "1-DAY", start_ns=nanos_of("2012-12-24T05:00:00Z"), end_ns=nanos_of("2012-12-25T05:00:00Z")
    )
    assert [clock_of(bar.ts_event) for bar in christmas] == ["18:00"]


def test_crypto_trades_around_the_clock(one: Broker) -> None:
    hours = bars(one, "1-HOUR", crypto=True, limit=30)
    assert len(hours) == 30
    days = bars(one, "1-DAY", crypto=True, limit=3)
    assert [bar.ts_event % 86_400_000_000_000 for bar in days] == [0, 0, 0]


def test_all_pages_are_read_and_a_rare_instrument_is_looked_for_further_back(
    one: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 7)
    assert len(bars(one, "1-MINUTE", limit=100)) == 100
    assert len(bars(one, "5-MINUTE", limit=200)) == 200


def test_quotes_and_trades_of_a_window(one: Broker) -> None:
    async def work(history: History, share: Any, coin: Any) -> Any:
        window = (at("14:30"), at("14:45"))
        return (
            await history.trades(share, *window, None),
            await history.quotes(share, *window, 5),
            await history.trades(coin, *window, 3),
        )

    trades, quotes, coins = read(one, work)
    assert trades
    assert all(at("14:30") <= trade.ts_event <= at("14:45") for trade in trades)
    assert len(quotes) <= 5
    assert all(quote.bid_price <= quote.ask_price for quote in quotes)
    assert len(coins) <= 3


def test_hours_outside_of_the_session_are_left_out_unless_they_are_wanted(one: Broker) -> None:
    one.ask("bar", symbol="AAPL", start="2013-02-01T14:00:00Z", close="455", told=False)

    async def work(history: History, share: Any, _coin: Any) -> list[Any]:
        return await history.bars(
            share, bar_type("1-MINUTE"), now_ns=NOW, start_ns=at("13:50"), end_ns=at("14:10")
        )

    assert read(one, work) == []
    assert [clock_of(bar.ts_event) for bar in read(one, work, extended_hours=True)] == ["14:01"]


def test_a_refusal_names_the_fix_and_no_key(one: Broker) -> None:
    one.ask("fault", kind="status", status=401, on="bars", times=1)
    with pytest.raises(RefusedError, match="paper keys start with PK") as refused:
        bars(one, "1-MINUTE", limit=1)
    assert "PKREHEARSAL" not in str(refused.value)
