"""How does a run look in the engine's own tear sheet, fed with Keel's returns and measures?

The engine's statistics are right only with its equity curve, which slows a long run down, and a live node has
none. So the sheet is made from the run's session-day returns, the same way in every mode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from risk import measures
from runs.sheet_charts import (
    DRAWDOWN,
    GROWTH,
    MONTHLY_RETURNS,
    REFUSALS,
    ROLLING_SHARPE,
    TRIPS,
    WINDOW_DAYS,
    register_charts,
)
from runs.sheet_marks import marks_of
from runs.sheet_tables import height_of, refusal_lines, trip_lines
from runs.wording import money, percent, ratio

if TYPE_CHECKING:
    import pandas as pd
    from nautilus_trader.analysis import TearsheetConfig, TearsheetCustomChart

    from runs.analysis import Analysis
    from runs.prices import FloatArray
    from runs.summary import Summary

_THEME = "keel"
_COLOURS = {
    "primary": "#1f5fa8",
    "positive": "#2a9d6f",
    "negative": "#c8433d",
    "neutral": "#9aa0a8",
    "background": "#ffffff",
    "grid": "#e6e8eb",
    "table_section": "#e6e8eb",
    "table_row_odd": "#f6f7f8",
    "table_row_even": "#ffffff",
    "table_text": "#30343b",
}
# Heights in pixels; the sheet adds margins of 200 around them.
_TABLES, _CURVES, _LAST, _GAP, _YEAR = 400, 340, 280, 90, 22
_LIFT = 24  # from the curves to their legend, over their titles


def tear_sheet(analysis: Analysis, summary: Summary, title: str) -> str:
    """Return the tear sheet as one HTML page that needs no network: plotly.js is inside. Needs one bar."""
    from nautilus_trader.analysis import create_tearsheet_from_stats, register_theme  # noqa: PLC0415 - loads plotly

    register_charts()
    register_theme(_THEME, "plotly_white", _COLOURS)
    page = create_tearsheet_from_stats(
        run_info=_run_info(summary),
        account_info=_account(summary),
        stats_pnls={},
        stats_returns=_returns_stats(summary),
        stats_general=_trading(summary),
        returns=_daily(analysis.by_day, analysis),
        benchmark_returns=_daily(analysis.benchmark_by_day, analysis),
        benchmark_name="Buy and hold",
        config=_config(analysis, summary),
        title=f"<b>{title}</b>   {summary.first_bar:.10} to {summary.last_bar:.10}",
        output_path=None,
    )
    return str(page)


def _daily(by_day: FloatArray, analysis: Analysis) -> pd.Series[float]:
    """Session-day returns under the date of the session; empty where equity went to zero or below."""
    import pandas as pd  # noqa: PLC0415 - only a report needs it

    returns = measures.returns(by_day)
    if returns is None:
        return pd.Series(dtype=float)
    ends = pd.to_datetime(analysis.equity.ts[analysis.days] - 1, unit="ns", utc=True)
    return pd.Series(returns, index=ends.tz_convert(analysis.zone).tz_localize(None).normalize())


def _config(analysis: Analysis, summary: Summary) -> TearsheetConfig:
    from nautilus_trader import analysis as sheet  # noqa: PLC0415 - loads plotly

    first, last = analysis.equity.ts[[0, -1]].astype("datetime64[ns]").astype("datetime64[Y]").astype(int)
    rows = [_TABLES, _CURVES, max(_LAST, _YEAR * int(last - first + 1)), _LAST]
    marks, told = marks_of(analysis), _told(summary)
    rows += [max(height_of(table.args["lines"]) for table in told)] if told else []
    inside = sum(rows) + _GAP * (len(rows) - 1)
    sharpe = f"Rolling Sharpe Ratio ({WINDOW_DAYS} days of {analysis.days_per_year} a year)"
    return sheet.TearsheetConfig(
        charts=[
            sheet.TearsheetRunInfoChart(title="Run"),
            sheet.TearsheetStatsTableChart(title="Performance"),
            sheet.TearsheetCustomChart(chart=GROWTH, args={"marks": marks, "legend_lift": _LIFT / inside}),
            sheet.TearsheetCustomChart(chart=DRAWDOWN, args={"marks": marks}),
            sheet.TearsheetCustomChart(chart=MONTHLY_RETURNS),
            sheet.TearsheetYearlyReturnsChart(),
            sheet.TearsheetDistributionChart(title="Session-day Returns"),
            sheet.TearsheetCustomChart(
                chart=ROLLING_SHARPE, title=sharpe, args={"days_per_year": analysis.days_per_year}
            ),
            *told,
        ],
        theme=_THEME,
        layout=sheet.GridLayout(
            rows=len(rows), heights=[row / sum(rows) for row in rows], vertical_spacing=_GAP / inside
        ),
        height=inside + 200,
    )


def _told(summary: Summary) -> list[TearsheetCustomChart]:
    """The tables of refusals and trips, where there are any."""
    from nautilus_trader.analysis import TearsheetCustomChart  # noqa: PLC0415 - loads plotly

    if not summary.refusals and not summary.trips:
        return []
    return [
        TearsheetCustomChart(chart=REFUSALS, args={"lines": refusal_lines(summary)}),
        TearsheetCustomChart(chart=TRIPS, args={"lines": trip_lines(summary)}),
    ]


def _run_info(summary: Summary) -> dict[str, str]:
    return {
        "First bar": str(summary.first_bar),
        "Last bar": str(summary.last_bar),
        "Bars": f"{summary.bars:,}",
        "Orders": f"{summary.orders:,}",
        "Fills": f"{summary.fills:,}",
        "Refusals": f"{summary.refusals:,}",
        "Breaker trips": f"{summary.trips:,}",
        "Notices": f"{sum(summary.notices_by_kind.values()):,}",
        "Halted at the end": "yes" if summary.halted else "no",
        "Data version": summary.data_version,
    }


def _account(summary: Summary) -> dict[str, str]:
    return {
        "Starting equity": money(summary.starting_equity, summary.currency),
        "Final equity": money(summary.final_equity, summary.currency),
        "Fees": money(summary.fees, summary.currency),
    }


def _returns_stats(summary: Summary) -> dict[str, str]:
    pairs = {
        "Return": (percent(summary.total_return), percent(summary.buy_and_hold_return)),
        "CAGR": (percent(summary.cagr), percent(summary.buy_and_hold_cagr)),
        "Volatility": (percent(summary.volatility), percent(summary.buy_and_hold_volatility)),
        "Sharpe": (ratio(summary.sharpe), ratio(summary.buy_and_hold_sharpe)),
        "Sortino": (ratio(summary.sortino), ratio(summary.buy_and_hold_sortino)),
        "Max drawdown": (percent(summary.max_drawdown), percent(summary.buy_and_hold_max_drawdown)),
    }
    return {name: f"{own}  (buy and hold {hold})" for name, (own, hold) in pairs.items()}


def _trading(summary: Summary) -> dict[str, str]:
    return {
        "Trades (closed)": f"{summary.trades:,}",
        "Win rate": percent(summary.win_rate),
        "Profit factor": ratio(summary.profit_factor),
        "Turnover a year": ratio(summary.turnover),
        "Average exposure": percent(summary.exposure),
        "Highest exposure": percent(summary.max_exposure),
        "Time in the market": percent(summary.time_in_market),
    }
