"""Do the numbers of a run follow the rules that scripts rely on?"""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest

from runs.record import RunRecord
from runs.summary import summarise
from tests.runs.records import (
    FixedMarket,
    analysis_of,
    bars,
    fill,
    market_of,
    order,
    record_of,
    refusal,
    share,
    stamp,
    trip,
)

PROMISED = {
    *("orders", "fills", "refusals", "refusals_by_limit", "trips", "halted", "trades"),
    *("refusals_detail", "trips_detail", "notices_by_kind"),
    *("starting_equity", "final_equity", "currency", "fees"),
    *("total_return", "cagr", "sharpe", "sortino", "volatility", "max_drawdown"),
    *("win_rate", "profit_factor", "turnover", "exposure"),
    *("buy_and_hold_return", "buy_and_hold_max_drawdown", "buy_and_hold_sharpe"),
    *("first_bar", "last_bar", "bars", "data_version", "run_dir"),
}
COUNTS = ("orders", "fills", "refusals", "trips", "trades", "open_trades", "bars")
AMOUNTS = ("starting_equity", "final_equity", "fees")


def document(record: RunRecord, until_ns: int | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(summarise(analysis_of(record, until_ns), "outputs/x").to_json())
    return found


@pytest.fixture
def busy() -> dict[str, Any]:
    """1,000 USD; 10 shares 10 -> 12 with 2 in fees, then 10 short 12 -> 13; one more opened at 13."""
    fills = [
        fill(0, "BUY", "10", "10", fee="1"),
        fill(2, "SELL", "20", "12", fee="1"),
        fill(3, "BUY", "11", "13", fee="0.50"),
    ]
    return document(
        record_of(
            market_of(AAPL=[10.0, 11.0, 12.0, 13.0, 14.0]),
            fills,
            final="1008.50",
            halted=True,
            orders=[order(0), order(2), order(3)],
            refusals=[refusal(1), refusal(2, "DRY_RUN"), refusal(3)],
            trips=[trip(3)],
        )
    )


def test_every_promised_key_is_there(busy: dict[str, Any]) -> None:
    assert set(busy) >= PROMISED


def test_counts_are_integers_and_amounts_decimal_strings(busy: dict[str, Any]) -> None:
    assert all(type(busy[name]) is int for name in COUNTS)
    assert all(re.fullmatch(r"-?\d+\.\d\d", busy[name]) for name in AMOUNTS)
    assert type(busy["halted"]) is bool


def test_a_run_is_summed_up(busy: dict[str, Any]) -> None:
    assert (busy["orders"], busy["fills"], busy["refusals"], busy["trips"]) == (3, 3, 3, 1)
    assert busy["refusals_by_limit"] == {"MAX_LEVERAGE": 2, "DRY_RUN": 1}
    assert (busy["final_equity"], busy["fees"], busy["halted"]) == ("1008.50", "2.50", True)
    assert (busy["trades"], busy["open_trades"], busy["win_rate"]) == (2, 1, 0.5)
    assert busy["total_return"] == pytest.approx(0.0085)
    assert busy["time_in_market"] == 1.0
    assert (busy["bars"], busy["data_version"], busy["run_dir"]) == (5, "0123456789ab", "outputs/x")


def test_profit_factor_looks_at_closed_trades_only(busy: dict[str, Any]) -> None:
    """Won 20 less 1.50 of fees; lost 10 and, of the fees, half of 1.00 and ten elevenths of 0.50."""
    assert busy["profit_factor"] == pytest.approx(18.5 / (10.5 + 0.5 * 10 / 11))


def test_turnover_is_value_traded_a_year_over_average_equity(busy: dict[str, Any]) -> None:
    """100 + 240 + 143 traded; equity 999, 1009, 1018, 1007.5, 1008.5; five days of 252."""
    assert busy["turnover"] == pytest.approx(483 / np.mean([999, 1009, 1018, 1007.5, 1008.5]) / (5 / 252))


def test_market_time_is_iso_8601_with_the_offset_of_the_zone(busy: dict[str, Any]) -> None:
    assert (busy["first_bar"], busy["last_bar"]) == ("2024-01-02T16:00:00-05:00", "2024-01-06T16:00:00-05:00")


def test_buy_and_hold_stands_beside_it(busy: dict[str, Any]) -> None:
    assert busy["buy_and_hold_return"] == pytest.approx(0.4)
    assert busy["buy_and_hold_max_drawdown"] == 0.0


def test_nothing_depends_on_where_or_when_it_ran() -> None:
    """A backtest and a live run of the same give the same document but for run_dir."""
    analysis = analysis_of(record_of(market_of(AAPL=[10.0, 11.0]), [fill(0, "BUY", "1", "10")], final="1001"))
    one, two = (json.loads(summarise(analysis, place).to_json()) for place in ("outputs/a", "outputs/b"))
    assert {key for key in one if one[key] != two[key]} == {"run_dir"}


def test_what_is_undefined_is_null() -> None:
    found = document(record_of(market_of(AAPL=[10.0, 11.0, 12.0])))
    undefined = ("sharpe", "sortino", "win_rate", "profit_factor", "buy_and_hold_sortino")
    assert [found[name] for name in undefined] == [None] * len(undefined)
    assert (found["total_return"], found["max_drawdown"], found["exposure"]) == (0.0, 0.0, 0.0)


def test_a_run_without_a_bar_can_be_summed_up() -> None:
    found = document(record_of(market_of(AAPL=[10.0])), until_ns=stamp(-1))
    assert (found["bars"], found["first_bar"], found["total_return"]) == (0, None, None)


def test_an_account_that_went_below_zero_has_no_ratios() -> None:
    """1,000 short 200 shares at 10 that double: equity is -1,000 for a day."""
    fills = [fill(0, "SELL", "200", "10"), fill(2, "BUY", "200", "10")]
    found = document(record_of(market_of(AAPL=[10.0, 20.0, 10.0, 10.0]), fills))
    assert found["max_drawdown"] == pytest.approx(2.0)
    assert [found[name] for name in ("sharpe", "volatility", "exposure")] == [None, None, None]


def test_sharpe_is_measured_on_session_days_not_on_bars() -> None:
    """Two bars a day with the same day ends as one bar a day."""
    daily = market_of(AAPL=[10.0, 11.0, 10.5, 12.0])
    frame = bars([10.0, 99.0, 11.0, 99.0, 10.5, 99.0, 12.0])
    frame["ts"] = [stamp(number / 2) for number in range(7)]
    halves = FixedMarket({"AAPL": frame}, (share("AAPL"),))
    fills = [fill(0, "BUY", "10", "10")]
    one, two = (document(record_of(market, fills, final="1020")) for market in (daily, halves))
    for name in ("sharpe", "sortino", "volatility", "cagr"):
        assert one[name] == pytest.approx(two[name])
    assert two["max_drawdown"] > one["max_drawdown"]
