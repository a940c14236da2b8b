"""How does a Python program or a notebook run a backtest and read what came out of it?

    from backtests.api import backtest

    result = backtest(["strategy.fast=20", "risk.max_leverage=1.5"])
    result.summary.final_equity, result.equity, result.refusals

Amounts in the tables are floats, for statistics and plots; `result.record` holds the exact Decimals.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from backtests._engine import Backtest, run_backtest
from configs.errors import ConfigError
from configs.load import compose
from configs.schema import RunConfig
from runs.analysis import Analysis, analyse
from runs.parquet import EQUITY, FILLS, ORDERS, POSITIONS, REFUSALS, TRIPS, equity_to_parquet
from runs.portfolio import with_portfolio
from runs.prepare import prepare
from runs.record import RunRecord
from runs.summary import Summary, summarise
from runs.trials.holdouts import refuse_held_out
from runs.trials.judging import failures_kept, judged

TRIAL = "api"
"""What the ledger of trials calls it."""

__all__ = ["Backtest", "BacktestResult", "ConfigError", "backtest", "compose", "result_of", "run_backtest"]


@dataclass(frozen=True)
class BacktestResult:
    """A finished backtest: its record, everything derived from it, and both as pandas tables.

    The tables have the columns of the Parquet files in a run folder; times carry the zone of the data.
    """

    record: RunRecord
    analysis: Analysis
    summary: Summary

    @cached_property
    def equity(self) -> pd.DataFrame:
        """Equity after every bar: columns equity, gross_exposure, drawdown (0.05 is 5%), buy_and_hold; index ts."""
        table = pd.read_parquet(io.BytesIO(equity_to_parquet(self.analysis)))
        return _typed(table, EQUITY, self.analysis.zone).set_index("ts")

    @cached_property
    def orders(self) -> pd.DataFrame:
        """Every order that was sent, with its last known status."""
        return self._table(self.record.orders, ORDERS)

    @cached_property
    def fills(self) -> pd.DataFrame:
        """Every fill, with its commission."""
        return self._table(self.record.fills, FILLS)

    @cached_property
    def refusals(self) -> pd.DataFrame:
        """Every order that a limit refused: which limit, and the arithmetic in `reason`."""
        return self._table(self.record.refusals, REFUSALS)

    @cached_property
    def trips(self) -> pd.DataFrame:
        """Every breaker that went off."""
        return self._table(self.record.trips, TRIPS)

    @cached_property
    def trades(self) -> pd.DataFrame:
        """Round trips, from flat to flat, and those the run ended in (`is_open`)."""
        rows = [{name: getattr(trade, name) for name in POSITIONS} for trade in self.analysis.trades]
        return self._table(rows, POSITIONS)

    def _table(self, rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
        table = pd.DataFrame([{name: row[name] for name in columns} for row in rows], columns=list(columns))
        return _typed(table, columns, self.analysis.zone)


def backtest(overrides: Sequence[str] = (), config_dir: Path | str | None = None) -> BacktestResult:
    """Run the backtest that overrides make, written as on the command line.

    Nothing is left on disk but its row in the ledger of trials (`trials.path`). `config_dir` is a folder of your own
    groups. Raises ConfigError for what the command line would refuse, HoldoutError
    for days that are held out, and what `run_backtest` raises.
    """
    config = compose("backtest", overrides, config_dir).config
    ready = prepare(config)
    refuse_held_out(config, ready.market)
    with failures_kept(config, ready.market, TRIAL):
        done = run_backtest(config, prepared=ready)
    return result_of(config, done, trial=TRIAL)


def result_of(config: RunConfig, done: Backtest, *, trial: str | None = None) -> BacktestResult:
    """Work out the result of a run of `run_backtest`. Raises RunError when it cannot be valued.

    trial: what the ledger of trials is to call it; None: it is not counted there.
    """
    data = config.data
    analysis = analyse(done.record, zone=data.zone, days_per_year=data.days_per_year, until_ns=done.until_ns)
    summary = with_portfolio(judged(config, analysis, summarise(analysis, ""), trial), analysis)
    return BacktestResult(done.record, analysis, summary)


def _typed(table: pd.DataFrame, columns: Mapping[str, str], zone: str) -> pd.DataFrame:
    """The table with its times in `zone` and its amounts as floats. columns: name -> kind, as in runs/parquet.py."""
    for name, kind in columns.items():
        if kind == "time":
            table[name] = pd.to_datetime(table[name], utc=True).dt.as_unit("ns").dt.tz_convert(zone)
        elif kind == "amount":
            table[name] = table[name].astype(float)
    return table
