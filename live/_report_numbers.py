"""What are the numbers of a report?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import numpy as np

from configs.errors import ConfigError
from configs.load import load
from configs.schema import RunConfig
from live._amounts import money_digits
from live._fees import later_fees
from live._report_benchmark import Benchmark, benchmark_of
from live._report_events import (
    Asked,
    Event,
    Held,
    Refused,
    Tripped,
    alerts_of,
    approvals_of,
    asked_of,
    events_of,
    halted_part,
    held_of,
    refused_of,
    state_of,
    tripped_of,
)
from live._report_fills import Orders, Quality, Timing, by_instrument, orders_of, quality_of, timing_of
from live._report_found import Found, Row
from live._report_health import Health, health_of
from live._report_limits import KEPT_TRADES, Distance, LimitsInForce, distances, plain_limits
from live._report_market import RunMarket
from live._report_period import Period
from live._report_reasons import reasons_of
from live._report_rows import read_rows
from live._report_trades import Trades, by_column
from live._report_value import Value, value_of
from live._whose import Whose
from risk import measures
from runs.market_model import FEWEST

DAYS_PER_YEAR = 252
"""Of a market whose own number is not known."""


@dataclass(frozen=True, slots=True)
class RunTold:
    """A run of the period: when it ran (UTC ns by the clock on the wall), and what with."""

    run_id: str
    started_at: int
    ended_at: int | None
    ended_why: str | None
    config_version: str
    limits_version: str
    code_version: str
    data_version: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a report tells. `reasons`: name of a number -> why it is not known; `notes`: what to know."""

    period: Period
    about: Mapping[str, Any]
    currency: str
    is_empty: bool
    value: Value
    measured: Value
    """What Sharpe, volatility, alpha and beta are of: the period, or the quarter of a year that ends with it."""
    state: str | None
    halted_part: float | None
    sharpe: float | None
    volatility: float | None
    days_per_year: int
    turnover: float | None
    average_exposure: float | None
    trades: Trades
    trades_by_instrument: Mapping[str, Trades]
    trades_by_strategy: Mapping[str, Trades]
    trips: Sequence[Row]
    fills: Quality
    fills_by_instrument: Mapping[str, Quality]
    timing: Timing
    market_timing: Timing
    orders: Orders
    decisions: Mapping[str, int]
    refused: Sequence[Refused]
    tripped: Sequence[Tripped]
    events: Sequence[Event]
    distances: Sequence[Distance]
    approvals: Mapping[str, int]
    asked: Sequence[Asked]
    alert_counts: Mapping[str, int]
    alerts: Sequence[Event]
    held: Sequence[Held]
    benchmark: Benchmark | None
    health: Health
    runs: Sequence[RunTold]
    limits_versions: Sequence[str]
    limits: Mapping[str, Any]
    fees_later: Decimal = Decimal(0)
    """What the broker charged after the trades, above zero: on no fill, in no trade."""
    marks: Sequence[int] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()

    @property
    def open_pnl(self) -> Decimal | None:
        """What is left of the P&L beside trades that ended and fees: the change of what is open, and its costs."""
        return None if self.value.pnl is None else self.value.pnl - self.trades.pnl + self.fees_later


def report_of(whose: Whose, period: Period, benchmark: str | None) -> Report:
    """Read and work out a report. Raises ConfigError, JournalError."""
    found = read_rows(whose, period, keep_trips=KEPT_TRADES)
    run = found.runs[-1] if found.runs else whose.run
    config, notes = _config(run)
    days_per_year = DAYS_PER_YEAR if config is None else config.data.days_per_year
    market = RunMarket(config, run["currency"])
    value = value_of(found.series, period.days, days_per_year)
    measured = value
    if len(value.returns) < FEWEST:
        measured = value_of(found.daily, period.days, days_per_year)
    digits = money_digits(run["currency"])
    limits = LimitsInForce(found)
    fills = quality_of(found.fills, market)
    held, unpriced = held_of(found, period)
    counts, alerts = alerts_of(found)
    index = benchmark_of(benchmark, market, whose, found, period, measured, days_per_year)
    own = measured.returns
    made = Report(
        period=period,
        about=run,
        currency=run["currency"],
        is_empty=found.is_empty,
        value=value,
        measured=measured,
        state=state_of(found),
        halted_part=halted_part(found),
        sharpe=measured.sharpe(days_per_year),
        volatility=measures.volatility(own, days_per_year) if len(own) >= FEWEST else None,
        days_per_year=days_per_year,
        turnover=_turnover(fills, value),
        average_exposure=_exposure(found),
        trades=Trades.of(found.trips, digits),
        trades_by_instrument=by_column(found.trips, "instrument", digits),
        trades_by_strategy=by_column(found.trips, "strategy", digits),
        trips=found.trips,
        fills=fills,
        fills_by_instrument=by_instrument(found.fills, market),
        timing=timing_of(found, market_orders_only=False),
        market_timing=timing_of(found, market_orders_only=True),
        orders=orders_of(found.orders),
        decisions=found.decisions,
        refused=refused_of(found),
        tripped=tripped_of(found),
        events=events_of(found),
        distances=distances(found, limits),
        approvals=approvals_of(found),
        asked=asked_of(found),
        alert_counts=counts,
        alerts=alerts,
        held=held,
        benchmark=index,
        health=health_of(whose),
        runs=[_told(row) for row in found.runs],
        limits_versions=limits.versions,
        limits=plain_limits(limits.newest),
        fees_later=later_fees(found.risk_events, run["currency"]),
        notes=[*notes, *_assumed(found, market), *limits.doubts],
    )
    return replace(made, reasons=reasons_of(made, unpriced, has_snapshots=bool(found.snapshots)))


def _config(run: Mapping[str, Any]) -> tuple[RunConfig | None, list[str]]:
    try:
        return load(run["config"]).config, []
    except ConfigError as error:
        return None, [f"The config of run {run['run_id']} cannot be read by this version of Keel: {error}"]


def _turnover(fills: Quality, value: Value) -> float | None:
    """Bought and sold over average equity, in the period itself: not a year's (measures.turnover)."""
    if fills.traded is None or not value.points:
        return None
    return measures.turnover(
        float(fills.traded), np.array([float(point.equity) for point in value.points]), 1.0
    )


def _exposure(found: Found) -> float | None:
    """Average of gross exposure over equity, snapshot by snapshot."""
    known = [float(row["leverage"]) for row in found.snapshots if row["leverage"] is not None]
    return float(np.mean(known)) if known else None


def _told(row: Row) -> RunTold:
    return RunTold(
        run_id=row["run_id"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        ended_why=row["ended_why"],
        config_version=hashlib.sha256(row["config"].encode()).hexdigest()[:12],
        limits_version=row["limits_version"],
        code_version=_code(row["code_version"]),
        data_version=row["data_version"],
    )


def _code(text: str) -> str:
    """Keel's version and commit, of the JSON that the run kept; as it is where it is something else."""
    try:
        known = json.loads(text)
    except ValueError:
        return text
    if not isinstance(known, dict):
        return text
    commit = str(known.get("git_commit") or "")[:8]
    changed = " changed" if known.get("git_changed") else ""
    return " ".join(filter(None, [str(known.get("keel") or ""), f"({commit}{changed})" if commit else ""]))


def _assumed(found: Found, market: RunMarket) -> list[str]:
    """What had to be taken for granted."""
    traded = dict.fromkeys(fill["instrument"] for fill in found.fills)
    unknown = [name for name in traded if not market.knows(name)]
    if not unknown:
        return []
    why = market.why or "they are not in the run's data"
    return [
        f"Turnover and slippage of {', '.join(unknown)} count one unit at its price in the account's currency: {why}"
    ]
