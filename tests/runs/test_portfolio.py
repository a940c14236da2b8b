"""Who earned what, how it moved together and how large it may be: each against a calculation of its own."""

from __future__ import annotations

import io
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from backtests.api import BacktestResult, backtest
from risk import shares
from runs.portfolio import (
    INTEREST,
    capacity,
    contributions,
    participations,
    with_portfolio,
)
from runs.record import RunRecord
from runs.summary import summarise
from runs.table import show
from tests.runs.records import analysis_of, fill, market_of, record_of, stamp


def two_and_two() -> RunRecord:
    """Two strategies in two shares, AAPL shared; one night cost 1.50, interest 0.25."""
    market = market_of(AAPL=[100, 102, 101, 105], MSFT=[50, 49, 51, 52])
    fills = [
        fill(0, "BUY", "2", "100", fee="1", strategy="A-001"),
        fill(0, "SELL", "4", "50", fee="1", symbol="MSFT", strategy="B-002"),
        fill(1, "BUY", "1", "102", fee="1", strategy="B-002"),
        fill(2, "SELL", "2", "101", fee="1", strategy="A-001"),
    ]
    carried = [
        {
            "ts": stamp(1),
            "kind": "BORROW",
            "strategy": "B-002",
            "instrument": "MSFT.XNAS",
            "amount": Decimal("1.50"),
        },
        {"ts": stamp(2), "kind": "INTEREST", "strategy": None, "instrument": None, "amount": Decimal("0.25")},
    ]
    # A: 2 - 2 fees = 0; B: AAPL +3 - 1, MSFT -8 - 1 - 1.50; interest -0.25
    return record_of(market, fills, final="991.25", carried=carried)


def test_contributions_add_up_to_the_cent_by_strategy_and_by_instrument() -> None:
    analysis = analysis_of(two_and_two())
    by_strategy, _ = contributions(analysis, "strategy", ["A-001", "B-002"])
    by_instrument, _ = contributions(analysis, "instrument", ["AAPL.XNAS", "MSFT.XNAS"])
    assert {row.name: row.pnl for row in by_strategy} == {
        "A-001": Decimal("0.00"),
        "B-002": Decimal("-8.50"),
        INTEREST: Decimal("-0.25"),
    }
    assert {row.name: row.pnl for row in by_instrument} == {
        "AAPL.XNAS": Decimal("2.00"),
        "MSFT.XNAS": Decimal("-10.50"),
        INTEREST: Decimal("-0.25"),
    }
    assert by_strategy[1].carried == Decimal("1.50")
    assert by_strategy[1].fees == Decimal("2.00")
    assert [row.trades for row in by_strategy[:2]] == [1, 2]


def test_equity_holds_what_nights_cost_from_the_moment_they_did() -> None:
    analysis = analysis_of(two_and_two())
    assert [str(Decimal(int(unit)).scaleb(-2)) for unit in analysis.equity.units] == [
        "998.00", "1003.50", "991.25", "991.25",
    ]  # fmt: skip


def test_parts_of_a_backtest_are_those_of_an_independent_calculation() -> None:
    """P&L of each day from the fills with pandas; risk from its covariance; both add up to the account's."""
    result = backtest(
        ["experiment=two_strategies", "instruments=[AAPL,MSFT]", "strategy.instruments=[AAPL,MSFT]",
         "run.start=2008-01-01", "run.end=2010-01-01", "costs=alpaca", "strategy.direction=both",
         "risk.allow_short=true"]
    )  # fmt: skip
    summary, analysis = result.summary, result.analysis
    assert summary.contributions is not None
    gained = summary.final_equity - summary.starting_equity
    for parts in summary.contributions.values():
        assert sum(part.pnl for part in parts) == gained
        assert sum(part.fees for part in parts) == summary.fees
        assert sum(part.contribution or 0 for part in parts) == pytest.approx(summary.total_return)
        assert sum(part.risk_share or 0 for part in parts) == pytest.approx(1)
        assert sum(part.risk or 0 for part in parts) == pytest.approx(summary.volatility, rel=0.01)
    returns = own_returns(result, "instrument", ["AAPL.XNAS", "MSFT.XNAS"])
    whole = returns.sum(axis=1)
    risk = returns.apply(lambda column: column.cov(whole)) / whole.std() * 252**0.5
    parts = summary.contributions["instruments"]
    assert [part.risk for part in parts] == pytest.approx(list(risk), rel=1e-4)
    moved = (summary.correlation or {})["instruments"]
    assert moved is not None
    assert moved.correlation is not None
    assert moved.correlation[0][1] == pytest.approx(returns.corr().iloc[0, 1], rel=1e-4)
    assert moved.diversification_ratio == pytest.approx(returns.std().sum() / whole.std(), rel=1e-4)
    assert analysis.days_per_year == 252


def own_returns(result: BacktestResult, key: str, names: list[str]) -> pd.DataFrame:
    """What each name added to the return of each day, worked out with pandas alone."""
    record, analysis = result.record, result.analysis
    days = analysis.equity.ts
    columns = {}
    for name in names:
        pnl = np.zeros(len(days))
        for row in record.carried:
            if row[key] == name:
                pnl[days >= row["ts"]] -= float(row["amount"])
        for one in record.fills:
            if one[key] == name:
                closes = pd.Series(
                    analysis.prices[one["instrument"]].close, index=analysis.prices[one["instrument"]].ts
                ).reindex(days, method="ffill")
                sign = 1 if one["side"] == "BUY" else -1
                gain = sign * float(one["quantity"]) * (closes.to_numpy() - float(one["price"]))
                pnl += np.where(days >= one["ts"], gain - float(one["commission"]), 0)
        columns[name] = np.diff(np.concatenate([[0.0], pnl]))
    return pd.DataFrame(columns).div(analysis.by_day[:-1], axis=0)


def test_shares_of_risk_on_series_whose_answer_is_known() -> None:
    alike = np.array([[0.01, 0.01], [-0.02, -0.02], [0.03, 0.03]])
    assert shares.diversification_ratio(alike) == pytest.approx(1)
    assert shares.correlation(alike) == [[1.0, pytest.approx(1)], [pytest.approx(1), 1.0]]
    apart = np.array([[0.01, 0.01], [0.01, -0.01], [-0.01, 0.01], [-0.01, -0.01]])
    assert shares.diversification_ratio(apart) == pytest.approx(2**0.5)
    assert shares.effective_bets(apart) == pytest.approx(2)
    risks = shares.risk_contributions(apart, 252)
    assert risks is not None
    assert list(risks) == pytest.approx([apart.sum(axis=1).std(ddof=1) * 252**0.5 / 2] * 2)
    still = np.array([[0.01, 0.0], [0.02, 0.0], [-0.01, 0.0]])
    assert shares.correlation(still) == [[1.0, None], [None, None]]
    assert shares.risk_contributions(np.zeros((5, 2)), 252) is None
    assert shares.effective_bets(np.zeros((1, 2))) is None


def test_participation_is_of_the_bar_a_fill_ends_in_and_sizes_are_in_proportion() -> None:
    market = market_of(AAPL=[100, 100, 100, 100])
    market.frames["AAPL"]["volume"] = [1000.0, 0.0, 500.0, 2000.0]
    fills = [
        fill(0, "BUY", "10", "100"),
        fill(1, "SELL", "5", "100"),  # its bar had no volume
        fill(1.5, "BUY", "10", "100"),
        fill(3, "SELL", "15", "100"),
    ]
    analysis = analysis_of(record_of(market, fills, starting="10000"))
    assert list(participations(analysis)) == pytest.approx([0.01, 0.02, 0.0075])
    found = capacity(analysis)
    assert found is not None
    assert found.fills == 3
    assert [found.median, found.largest] == pytest.approx([0.01, 0.02])
    assert found.p95 == pytest.approx(0.019)
    assert [size.median for size in found.sizes] == [Decimal(10_000), Decimal(50_000), Decimal(100_000)]
    assert found.sizes[1].p95 == Decimal(26_316)


def test_a_run_without_a_fill_has_no_parts_and_no_capacity() -> None:
    analysis = analysis_of(record_of(market_of(AAPL=[100, 101])))
    summary = with_portfolio(summarise(analysis, ""), analysis)
    assert summary.contributions == {"strategies": [], "instruments": []}
    assert summary.capacity is None
    assert summary.correlation == {"strategies": None, "instruments": None}


def test_the_terminal_shows_parts_where_there_are_several_and_shouts_when_nothing_cost_anything() -> None:
    alone = shown("instruments=[AAPL]", "costs=none")
    assert "FREE OF COSTS" in alone
    assert "By strategy" not in alone
    several = shown("experiment=two_strategies")
    assert "By strategy" in several
    assert "assumed: 5 bp of each fill; no slippage; orders arrive at once; borrowing free" in several


def shown(*overrides: str) -> str:
    result = backtest([*overrides, "run.end=2002-01-01"])
    console = Console(width=100, record=True, file=io.StringIO())
    show(console, result.analysis, result.summary, "Test")
    return " ".join(console.export_text().split())
