"""Is equity rebuilt to the cent, and does a run that disagrees with its engine fail loudly?"""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.equity import equity_of
from runs.errors import RunError
from runs.prices import read_prices
from runs.record import RunRecord
from tests.runs.records import FixedMarket, bars, fill, market_of, pair, record_of, share, stamp


def units_of(record: RunRecord, until_ns: int | None = None) -> list[int]:
    units: list[int] = equity_of(record, read_prices(record.market, until_ns)).units.tolist()
    return units


def test_equity_is_cash_plus_positions_at_the_close() -> None:
    """10 shares at 10.00 with a fee of 1.25: 900 - 1.25 in cash, then 10 times the close; sold at 12.50."""
    market = market_of(AAPL=[10.00, 11.11, 9.99, 12.50, 13.00])
    fills = [fill(0, "BUY", "10", "10.00", fee="1.25"), fill(3, "SELL", "10", "12.50", fee="0.01")]
    assert units_of(record_of(market, fills, final="1023.74")) == [99875, 100985, 99865, 102374, 102374]


def test_a_short_position_loses_when_the_price_rises() -> None:
    market = market_of(AAPL=[10.00, 11.00, 8.00])
    equity = equity_of(
        record := record_of(market, [fill(0, "SELL", "10", "10.00")], final="1020"),
        read_prices(record.market),
    )
    assert equity.units.tolist() == [100000, 99000, 102000]
    assert equity.gross.tolist() == [100.0, 110.0, 80.0]


def test_a_fill_between_two_bars_counts_from_the_later_one() -> None:
    market = market_of(AAPL=[10.00, 11.00])
    assert units_of(record_of(market, [fill(0.5, "BUY", "10", "10.40")], final="1006")) == [100000, 100600]


def test_fills_after_the_last_bar_count_at_that_bar() -> None:
    market = market_of(AAPL=[10.00, 11.00])
    fills = [fill(0, "BUY", "10", "10.00"), fill(1.5, "SELL", "10", "10.90", fee="0.50")]
    assert units_of(record_of(market, fills, final="1008.50")) == [100000, 100850]


def test_a_run_that_ended_early_sees_no_later_bar() -> None:
    record = record_of(market_of(AAPL=[10.00, 11.00, 50.00]), [fill(0, "BUY", "10", "10.00")], final="1010")
    assert units_of(record, until_ns=stamp(1)) == [100000, 101000]


def test_instruments_with_other_stamps_keep_their_last_close() -> None:
    """B begins one bar later and has none at the end."""
    market = FixedMarket(
        {"A": bars([10.0, 11.0, 12.0, 13.0]), "B": bars([20.0, 25.0], first=1)}, (share("A"), share("B"))
    )
    fills = [fill(1, "BUY", "2", "20.00", symbol="B"), fill(0, "BUY", "1", "10.00", symbol="A")]
    assert units_of(record_of(market, fills, final="1013")) == [100000, 100100, 101200, 101300]


def test_a_position_without_a_close_yet_is_worth_what_was_paid() -> None:
    market = FixedMarket(
        {"A": bars([10.0, 11.0, 12.0]), "B": bars([20.0], first=2)}, (share("A"), share("B"))
    )
    fills = [fill(0.5, "BUY", "2", "19.00", symbol="B")]
    assert units_of(record_of(market, fills, final="1002")) == [100000, 100000, 100200]


def test_quotes_value_a_long_position_at_the_bid_and_a_short_one_at_the_ask() -> None:
    frame = pd.DataFrame({"ts": [stamp(0), stamp(1)], "bid": [9.99, 10.99], "ask": [10.01, 11.01]})
    market = FixedMarket({"AAPL": frame}, (share("AAPL"),), kind="quotes")
    assert units_of(record_of(market, [fill(0, "BUY", "10", "10.01")], final="1009.80")) == [99980, 100980]
    assert units_of(record_of(market, [fill(0, "SELL", "10", "9.99")], final="989.80")) == [99980, 98980]


def test_multiplier_and_odd_quantities_are_exact() -> None:
    """0.37 units of 1,000 at 1.23457: the value moves by 0.0037 a tick, and is rounded only at the end."""
    market = FixedMarket({"EURUSD": bars([1.23457, 1.23458, 1.23557])}, (pair("EURUSD", 1000),))
    fills = [fill(0, "BUY", "0.37", "1.23457", symbol="EURUSD")]
    assert units_of(record_of(market, fills, final="1000.37")) == [100000, 100000, 100037]


def test_amounts_beyond_64_bits_are_exact_too() -> None:
    """Ten trillion units at five decimals leave int64's range on the common scale of nine decimals."""
    market = FixedMarket({"EURUSD": bars([1.00000, 1.00001])}, (pair("EURUSD", 100),))
    fills = [fill(0, "BUY", "99999999999.99", "1.00000", symbol="EURUSD", fee="0.0001")]
    record = record_of(market, fills, starting="10000000000000", final="10000100000000.00")
    assert units_of(record) == [1000000000000000, 1000010000000000]


def test_a_run_without_a_bar_keeps_its_starting_equity() -> None:
    record = record_of(market_of(AAPL=[10.0]))
    equity = equity_of(record, read_prices(record.market, until_ns=stamp(-1)))
    assert (len(equity.ts), equity.final) == (0, Decimal(1000))


def test_half_a_million_bars_take_no_time() -> None:
    closes = np.round(100 + np.sin(np.arange(500_000) / 1000), 2)
    frame = pd.DataFrame({"ts": stamp(0) + np.arange(500_000) * 60_000_000_000, "close": closes})
    market = FixedMarket({"AAPL": frame}, (share("AAPL"),))
    fills = [fill(number / 1440, "BUY", "1", str(closes[number])) for number in range(1000)]
    paid = sum((row["price"] for row in fills), Decimal(0))
    record = record_of(
        market, fills, starting="1000000", final=str(1_000_000 - paid + 1000 * Decimal(str(closes[-1])))
    )
    prices = read_prices(record.market)
    began = time.perf_counter()
    equity_of(record, prices)
    assert time.perf_counter() - began < 15


def test_a_ledger_that_disagrees_is_an_error_with_both_numbers() -> None:
    record = record_of(market_of(AAPL=[10.0, 11.0]), [fill(0, "BUY", "10", "10.00")], final="1010.02")
    with pytest.raises(RunError, match=r"1010\.00 USD.* 1010\.02 USD"):
        units_of(record)


def test_a_rounding_a_fill_is_no_disagreement() -> None:
    record = record_of(market_of(AAPL=[10.0, 11.0]), [fill(0, "BUY", "10", "10.00")], final="1010.01")
    assert units_of(record)[-1] == 101000


@pytest.mark.parametrize(
    ("market", "row", "said"),
    [
        (
            market_of(MSFT=[10.0]),
            fill(0, "BUY", "1", "10"),
            "fills of AAPL.XNAS, but the run has prices only of MSFT.XNAS",
        ),
        (
            replace(market_of(AAPL=[10.0]), instruments=(share("AAPL", pair("X").base_currency),)),
            fill(0, "BUY", "1", "10"),
            "settles in EUR",
        ),
        (market_of(AAPL=[10.0]), fill(0, "BUY", "1", "10", fee="1", currency="BNB"), "commission of 1 BNB"),
    ],
)
def test_what_cannot_be_valued_is_refused_in_one_line(
    market: FixedMarket, row: dict[str, object], said: str
) -> None:
    with pytest.raises(RunError, match=said) as caught:
        units_of(record_of(market, [row]))
    assert "\n" not in str(caught.value)


closes = st.lists(st.integers(1, 100_000), min_size=2, max_size=12)
steps = st.lists(
    st.tuples(st.integers(0, 11), st.sampled_from(["BUY", "SELL"]), st.integers(1, 500), st.integers(0, 300)),
    max_size=10,
)


@given(closes, steps)
def test_equity_equals_a_ledger_kept_by_hand(
    cents: list[int], trades: list[tuple[int, str, int, int]]
) -> None:
    """At every bar: cash after the fills so far, plus shares times close, in whole cents."""
    fills = [
        fill(bar, side, str(quantity), str(Decimal(cents[bar]) / 100), fee=str(Decimal(fee) / 100))
        for bar, side, quantity, fee in trades
        if bar < len(cents)
    ]
    expected = []
    for bar, close in enumerate(cents):
        cash, held = Decimal(1_000_000), Decimal(0)
        for row in fills:
            if row["ts"] <= stamp(bar):
                signed = row["quantity"] if row["side"] == "BUY" else -row["quantity"]
                cash, held = cash - signed * row["price"] - row["commission"], held + signed
        expected.append(int((cash + held * close / 100) * 100))
    market = market_of(AAPL=[close / 100 for close in cents])
    record = record_of(market, fills, starting="1000000", final=str(Decimal(expected[-1]) / 100))
    assert units_of(record) == expected
