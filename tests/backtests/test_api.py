"""A backtest from Python gives what the command gives, as tables."""

from __future__ import annotations

import pytest

from backtests.api import BacktestResult, ConfigError, backtest
from runs.parquet import FILLS, ORDERS, POSITIONS, REFUSALS, TRIPS

ZONE = "America/New_York"


@pytest.fixture(scope="module")
def result() -> BacktestResult:
    return backtest(["run.end=2004-01-01"])


def test_tables_have_a_row_for_everything_that_is_counted(result: BacktestResult) -> None:
    summary = result.summary
    counted = {
        "orders": summary.orders,
        "fills": summary.fills,
        "refusals": summary.refusals,
        "trips": summary.trips,
    }
    assert {name: len(getattr(result, name)) for name in counted} == counted
    assert len(result.trades) == summary.trades + summary.open_trades
    assert all(counted.values()), "the default run shows fills, refusals and a trip"


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("orders", ORDERS),
        ("fills", FILLS),
        ("refusals", REFUSALS),
        ("trips", TRIPS),
        ("trades", POSITIONS),
    ],
)
def test_columns_are_those_of_the_files_even_without_a_row(
    result: BacktestResult, name: str, columns: dict[str, str]
) -> None:
    kinds = {"amount": "float64", "time": f"datetime64[ns, {ZONE}]"}
    for table in (getattr(result, name), getattr(backtest(["run.max_bars=2"]), name)):
        assert list(table.columns) == list(columns)
        for column, kind in columns.items():
            assert kind not in kinds or str(table[column].dtype) == kinds[kind], column


def test_equity_ends_where_the_summary_does(result: BacktestResult) -> None:
    equity = result.equity
    assert str(equity.index.dtype) == f"datetime64[ns, {ZONE}]"
    assert equity["equity"].iloc[-1] == pytest.approx(float(result.summary.final_equity), abs=0.05)
    assert equity["drawdown"].max() == pytest.approx(result.summary.max_drawdown)


def test_bad_input_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"0\.05 is 5%"):
        backtest(["risk.max_position_pct=5"])
