"""The market: the same days every time, what was streamed is what history tells, and books that follow events."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.alpaca.paths import Bar, path
from simulators.alpaca.prices import Prices
from simulators.alpaca.refusal import RefusedError
from simulators.alpaca.trading import Asked
from tests.simulators.alpaca.desks import Broker

CENT = Decimal("0.01")
cents = st.integers(1, 100_000).map(lambda number: number * CENT)


@given(st.lists(cents, min_size=4, max_size=4), st.integers(1, 60), st.integers(0, 1000))
def test_a_path_begins_and_ends_as_its_day_and_touches_its_high_and_low(
    prices: list[Decimal], count: int, seed: int
) -> None:
    low, opened, close, high = sorted(prices)
    minutes = path(str(seed), Bar(0, opened, high, low, close, Decimal(100)), count, CENT)
    points = [price for four in minutes for price in four]
    assert (len(minutes), points[0], points[-1], max(points), min(points)) == (
        count,
        opened,
        close,
        high,
        low,
    )
    assert minutes == path(str(seed), Bar(0, opened, high, low, close, Decimal(100)), count, CENT)


def history(broker: Broker, **query: str) -> Any:
    prices = Prices(broker.desk)
    return prices.bars(Asked({"kind": "stocks"}, {"symbols": "AAPL", "limit": "10000", **query})).body


def test_what_is_streamed_is_what_history_tells_after_corrections() -> None:
    broker = Broker()
    told: dict[int, Any] = {}
    broker.desk.on_data = lambda channel, _symbol, row: told.update(
        {row["t"]: row} if channel in ("bars", "updatedBars") else {}
    )
    session = broker.desk.calendar.current(broker.desk.clock.now())
    for step in broker.desk.tape.steps(broker.desk.clock.now(), session.day):
        broker.desk.play(step)
    bars = history(broker, timeframe="1Min", start="2013-02-01T15:01:00Z")["bars"]["AAPL"]
    assert len(bars) == len(told) > 30
    for bar, row in zip(bars, told.values(), strict=True):
        assert [bar[name] for name in "ohlcv"] == [float(row[name]) for name in "ohlcv"]
    day = history(broker, timeframe="1Day", start="2013-02-01")["bars"]["AAPL"][0]
    assert day["c"] == bars[-1]["c"]


def test_nothing_of_the_future_is_told() -> None:
    broker = Broker()
    bars = history(broker, timeframe="1Min", start="2013-02-01", end="2013-02-20")["bars"]["AAPL"]
    assert bars[-1]["t"] < "2013-02-01T15:00:00Z"
    day = history(broker, timeframe="1Day", start="2013-02-01", end="2013-02-20")["bars"]["AAPL"]
    assert len(day) == 1
    assert day[0]["h"] == max(bar["h"] for bar in bars)


@pytest.mark.parametrize(
    ("timeframe", "count"), [("1Min", 78), ("5Min", 78), ("1Hour", 14), ("1Day", 2), ("1Week", 1)]
)
def test_longer_bars_are_made_of_shorter_ones(timeframe: str, count: int) -> None:
    broker = Broker()
    start = "2013-01-28" if timeframe == "1Week" else "2013-01-30"
    bars = history(broker, timeframe=timeframe, start=start, end="2013-01-31")["bars"]["AAPL"]
    assert len(bars) == count


def test_pages_are_followed_by_their_token() -> None:
    broker = Broker()
    seen, token = [], ""
    while True:
        body = history(broker, timeframe="1Min", start="2013-01-31", limit="17", page_token=token)
        seen += body["bars"]["AAPL"]
        token = body["next_page_token"]
        if token is None:
            break
    assert seen == history(broker, timeframe="1Min", start="2013-01-31")["bars"]["AAPL"]
    with pytest.raises(RefusedError, match="page_token"):
        history(broker, timeframe="1Min", page_token="nonsense")  # noqa: S106 - of a page


def test_a_day_that_ends_charges_the_fees_of_its_sells() -> None:
    broker = Broker()
    broker.submit(qty="100")
    broker.submit(qty="100", side="sell")
    assert broker.account["pending_reg_taf_fees"] != "0"
    broker.clock("2013-02-01T21:00:00Z")
    fee = broker.desk.ledger.activities[-1]
    assert (fee["activity_type"], fee["net_amount"]) == ("FEE", "-0.16")
    assert broker.account["cash"] == "99999.84"


def test_a_split_moves_shares_prices_and_history_but_no_money() -> None:
    broker = Broker()
    broker.submit(qty="10")
    before = broker.account["equity"]
    raw = history(broker, timeframe="1Day", start="2013-01-31")["bars"]["AAPL"][0]
    broker.desk.tape.split("AAPL", broker.desk.clock.now(), Decimal(2))
    broker.desk.ledger.book(broker.desk.clock.stamp(), "SPLIT", symbol="AAPL", qty=Decimal(10))
    broker.price("AAPL", "25")
    assert (broker.position(), broker.account["equity"]) == ("20", before)
    split = history(broker, timeframe="1Day", start="2013-01-31", adjustment="split")["bars"]["AAPL"][0]
    assert (split["c"], split["v"]) == (raw["c"] / 2, raw["v"] * 2)


def test_margin_is_twice_the_equity_and_a_cash_account_has_its_cash() -> None:
    for multiplier, power, after in ((2, "200000", "150000"), (1, "100000", "50000")):
        broker = Broker(f"multiplier={multiplier}")
        assert broker.account["buying_power"] == power
        broker.submit(qty="1000", type="limit", limit_price="50")
        assert broker.account["buying_power"] == after
        broker.submit(symbol="AAPL", qty="10", type="limit", limit_price="40")
        assert Decimal(broker.account["buying_power"]) == Decimal(after) - 400


def test_a_short_sale_needs_margin_and_is_a_negative_position() -> None:
    broker = Broker()
    broker.submit(qty="10", side="sell")
    row = broker.trading.positions(Asked()).body[0]
    assert (row["qty"], row["side"], row["market_value"]) == ("-10", "short", "-500")
    assert (broker.account["short_market_value"], broker.account["equity"]) == ("-500", "100000")
