"""Which charts of the engine's tear sheet does Keel draw itself?

Six, through the engine's own registry: its monthly returns print NaN where a year has no such month, its rolling
Sharpe ratio takes every year to have 252 days, and it knows no refusals and no trips (runs/sheet_marks.py and
runs/sheet_tables.py).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from runs.sheet_marks import draw_drawdown, draw_growth
from runs.sheet_tables import draw_refusals, draw_trips

if TYPE_CHECKING:
    import pandas as pd

MONTHLY_RETURNS = "keel_monthly_returns"
ROLLING_SHARPE = "keel_rolling_sharpe"
GROWTH, DRAWDOWN = "keel_growth", "keel_drawdown"
REFUSALS, TRIPS = "keel_refusals", "keel_trips"
WINDOW_DAYS = 60

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def register_charts() -> None:
    """Make these charts known to the engine's tear sheet; doing so again changes nothing."""
    from nautilus_trader.analysis import register_tearsheet_chart  # noqa: PLC0415 - loads plotly

    register_tearsheet_chart(MONTHLY_RETURNS, "heatmap", "Monthly Returns", _draw_monthly_returns)
    register_tearsheet_chart(ROLLING_SHARPE, "scatter", "Rolling Sharpe Ratio", _draw_rolling_sharpe)
    register_tearsheet_chart(GROWTH, "scatter", "Growth of 1", draw_growth)
    register_tearsheet_chart(DRAWDOWN, "scatter", "Drawdown", draw_drawdown)
    register_tearsheet_chart(REFUSALS, "table", "Refused Orders", draw_refusals)
    register_tearsheet_chart(TRIPS, "table", "Breaker Trips", draw_trips)


def _draw_monthly_returns(fig: Any, row: int, col: int, returns: pd.Series[float], **_: object) -> None:
    """One row a year, newest at the bottom; months without a day in the run stay empty."""
    import pandas as pd  # noqa: PLC0415 - only a report needs it
    import plotly.graph_objects as go  # noqa: PLC0415 - as pandas

    if returns.empty:
        return
    dates, grown = pd.DatetimeIndex(returns.index), 1.0 + returns.to_numpy()
    years = range(int(dates.year.min()), int(dates.year.max()) + 1)
    cells: list[list[float | None]] = [[None] * 12 for _ in years]
    for year, month in {*zip(dates.year.tolist(), dates.month.tolist(), strict=True)}:
        own = (dates.year == year) & (dates.month == month)
        cells[year - years[0]][month - 1] = 100.0 * (float(grown[own].prod()) - 1.0)
    text = [["" if cell is None else f"{cell:.1f}%" for cell in line] for line in cells]
    fig.add_trace(
        go.Heatmap(
            z=cells,
            x=list(_MONTHS),
            y=[str(year) for year in years],
            text=text,
            texttemplate="%{text}",
            textfont={"size": 10},
            colorscale="RdYlGn",
            zmid=0,
            showscale=False,
            hovertemplate="%{y} %{x}: %{text}<extra></extra>",
        ),
        row=row,
        col=col,
    )
    fig.update_yaxes(type="category", autorange="reversed", row=row, col=col)


def _draw_rolling_sharpe(fig: Any, row: int, col: int, returns: pd.Series[float], **settings: Any) -> None:
    """Sharpe ratio of the last sixty session days, with the year of the run's own market."""
    import plotly.graph_objects as go  # noqa: PLC0415 - only a report needs it

    rolling = returns.rolling(WINDOW_DAYS)
    deviation = rolling.std()
    sharpe = rolling.mean() / deviation.where(deviation > 0.0, np.nan) * math.sqrt(settings["days_per_year"])
    line = {"color": settings["theme_config"]["colors"]["primary"], "width": 1.5}
    fig.add_trace(
        go.Scatter(x=sharpe.index, y=sharpe, mode="lines", line=line, showlegend=False), row=row, col=col
    )
    fig.update_yaxes(title_text="Sharpe ratio", row=row, col=col)
