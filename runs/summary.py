"""How did a run go, in numbers: for the table, for scripts and for the run folder alike?"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from risk import measures
from runs.costs import CostsTaken, costs_of
from runs.explain import BreakerTrip, LimitRefusals, refusals_explained, trips_explained
from runs.times import iso

if TYPE_CHECKING:
    from pathlib import Path

    from runs.analysis import Analysis
    from runs.portfolio import Capacity, Contribution, Together
    from runs.prices import FloatArray
    from runs.record import Row


@dataclass(frozen=True)
class Summary:
    """The result of a run. Counts are integers, amounts Decimals, ratios fractions, undefined is None.

    CAGR, volatility, Sharpe and Sortino are measured on session days; drawdown and exposure on every bar.
    fees: all commissions. trades: closed round trips (win_rate and profit_factor look at these);
    open_trades: those the run ended in. turnover: value bought and sold a year over average equity.
    exposure: average gross exposure over equity; max_exposure: its highest; time_in_market: share of bars
    that ended with a position. buy_and_hold: starting equity split equally over the instruments, each bought
    at its first close and held, no costs. bars: bars (or quotes) of all instruments; first_bar, last_bar:
    ISO 8601 with the offset of the data's zone. Nothing but run_dir and what the ledger of trials says depends on
    where or when the run ran.

    What may be luck, on session days, with formulas and sources in runs/luck: trials_ledger: trials counted of this
    family, this one included (None: it is none); deflated_sharpe: probability that the true Sharpe ratio is above zero
    after choosing among them; probabilistic_sharpe: the same had it been the only one; track_record_days: days of the
    record; min_track_record_days, _years: how many it takes to be 95% sure (None: no length would do, or undefined);
    sharpe_low, _high (a year), max_drawdown_low, _high: between them 90% of resamples of its days.

    costs: what was assumed of costs and what they took (runs/costs.py). contributions, correlation: by `strategies` and
    `instruments`, and capacity: runs/portfolio.py; None where they were not asked for (a trial of many).
    """

    orders: int
    fills: int
    refusals: int
    refusals_by_limit: dict[str, int]
    refusals_detail: list[LimitRefusals]
    trips: int
    trips_detail: list[BreakerTrip]
    notices_by_kind: dict[str, int]
    halted: bool
    currency: str
    starting_equity: Decimal
    final_equity: Decimal
    fees: Decimal
    total_return: float | None
    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    max_drawdown: float | None
    trades: int
    open_trades: int
    win_rate: float | None
    profit_factor: float | None
    turnover: float | None
    exposure: float | None
    max_exposure: float | None
    time_in_market: float | None
    buy_and_hold_return: float | None
    buy_and_hold_cagr: float | None
    buy_and_hold_volatility: float | None
    buy_and_hold_sharpe: float | None
    buy_and_hold_sortino: float | None
    buy_and_hold_max_drawdown: float | None
    first_bar: str | None
    last_bar: str | None
    bars: int
    data_version: str
    run_dir: str
    trials_ledger: int | None = None
    deflated_sharpe: float | None = None
    probabilistic_sharpe: float | None = None
    track_record_days: int | None = None
    min_track_record_days: int | None = None
    min_track_record_years: float | None = None
    sharpe_low: float | None = None
    sharpe_high: float | None = None
    max_drawdown_low: float | None = None
    max_drawdown_high: float | None = None
    costs: CostsTaken | None = None
    contributions: dict[str, list[Contribution]] | None = None
    correlation: dict[str, Together | None] | None = None
    capacity: Capacity | None = None

    def to_json(self) -> str:
        """Return one JSON document: amounts are strings, undefined is null, times ISO 8601."""
        return json.dumps(asdict(self), indent=2, allow_nan=False, default=str)


@dataclass(frozen=True)
class Measured:
    """Risk and return of a series of amounts, as Summary tells them."""

    total_return: float | None
    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    max_drawdown: float | None


def summarise(analysis: Analysis, run_dir: Path | str) -> Summary:
    """Sum up a run. run_dir: the run folder, as it is to be shown."""
    record, equity, trades = analysis.record, analysis.equity, analysis.trades
    own = measured(analysis.by_day, analysis.by_bar, analysis.days_per_year)
    hold = measured(analysis.benchmark_by_day, analysis.benchmark_by_bar, analysis.days_per_year)
    pnls = np.array([float(trade.pnl) for trade in trades if not trade.is_open])
    exposures = measures.exposures(equity.gross, equity.amounts)
    years = len(analysis.days) / analysis.days_per_year
    return Summary(
        orders=len(record.orders),
        fills=len(record.fills),
        refusals=len(record.refusals),
        refusals_by_limit=_counts(record.refusals, "limit"),
        refusals_detail=refusals_explained(analysis),
        trips=len(record.trips),
        trips_detail=trips_explained(analysis),
        notices_by_kind=_counts(record.notices, "kind"),
        halted=record.halted,
        currency=record.currency,
        starting_equity=_money(record.starting_equity, equity.precision),
        final_equity=_money(record.final_equity, equity.precision),
        fees=_money(analysis.fees, equity.precision),
        total_return=float(record.final_equity / record.starting_equity - 1) if len(equity.ts) else None,
        cagr=own.cagr,
        volatility=own.volatility,
        sharpe=own.sharpe,
        sortino=own.sortino,
        max_drawdown=own.max_drawdown,
        trades=len(pnls),
        open_trades=len(trades) - len(pnls),
        win_rate=measures.win_rate(pnls),
        profit_factor=measures.profit_factor(pnls),
        turnover=measures.turnover(analysis.traded, equity.amounts, years),
        exposure=measures.exposure(equity.gross, equity.amounts),
        max_exposure=None if exposures is None else float(exposures.max()),
        time_in_market=float(np.mean(equity.gross > 0)) if len(equity.gross) else None,
        buy_and_hold_return=hold.total_return,
        buy_and_hold_cagr=hold.cagr,
        buy_and_hold_volatility=hold.volatility,
        buy_and_hold_sharpe=hold.sharpe,
        buy_and_hold_sortino=hold.sortino,
        buy_and_hold_max_drawdown=hold.max_drawdown,
        first_bar=iso(int(equity.ts[0]), analysis.zone) if len(equity.ts) else None,
        last_bar=iso(int(equity.ts[-1]), analysis.zone) if len(equity.ts) else None,
        bars=sum(len(prices.ts) for prices in analysis.prices.values()),
        data_version=record.market.version,
        run_dir=str(run_dir),
        costs=costs_of(analysis),
    )


def measured(by_day: FloatArray, by_bar: FloatArray, days_per_year: int) -> Measured:
    """Risk and return of a series of amounts that starts with the starting equity."""
    returns = measures.returns(by_day)
    return Measured(
        total_return=measures.total_return(by_bar),
        cagr=measures.cagr(by_day, days_per_year),
        volatility=None if returns is None else measures.volatility(returns, days_per_year),
        sharpe=None if returns is None else measures.sharpe(returns, days_per_year),
        sortino=None if returns is None else measures.sortino(returns, days_per_year),
        max_drawdown=measures.max_drawdown(by_bar),
    )


def _counts(rows: list[Row], name: str) -> dict[str, int]:
    """Count rows by this key of theirs, the most frequent first; ties by name."""
    counts = Counter(row[name] for row in rows)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _money(amount: Decimal, precision: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-precision))
