"""Where do refusals, trips and warnings stand on the tear sheet's curves?

On the session day they happened, as signs that tell when and why where the mouse rests: refusals below the curves, a
row a limit, warnings and trips on the run's own curve, a trip with a line. A click on their name in the legend hides
them.
"""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from risk.scopes import BOOK
from runs.times import short

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from runs.analysis import Analysis
    from runs.record import Row

_MOST = 300  # signs of one name; of more, this many evenly spread ones are shown
_LOG_FROM = 10.0  # curves that lie tenfold apart are drawn on a log scale
_WIDTH = 70  # characters of a line in the box beside the mouse
_LIMITS = ("#e08e0b", "#7b52ab", "#5c636e")
_ROWS = (0.06, 0.13, 0.20)  # of their refusals, below the curves: shares of the curves' height
_TRIP, _WARNING = "#c8433d", "#e3a19d"


@dataclass(frozen=True, slots=True)
class Mark:
    """Signs of one name on a curve. days: the session days, as places in the run's own; said: when and why, each."""

    name: str
    kind: str
    colour: str
    symbol: str
    days: list[int]
    said: list[str]


def marks_of(analysis: Analysis) -> list[Mark]:
    """Refusals by limit, the most frequent two by name; warnings; trips by breaker and scope."""
    record = analysis.record
    counts: dict[str, list[Row]] = {}
    for row in record.refusals:
        counts.setdefault(row["limit"], []).append(row)
    frequent = sorted(counts, key=lambda limit: (-len(counts[limit]), limit))
    named = frequent if len(frequent) <= len(_LIMITS) else frequent[: len(_LIMITS) - 1]
    others = [row for row in record.refusals if row["limit"] not in named]
    groups = [(f"refused {limit}", counts[limit]) for limit in named]
    groups += [("refused by other limits", others)] if others else []
    marks = [
        _mark(name, "refusal", colour, "line-ns-open", rows, analysis)
        for (name, rows), colour in zip(groups, _LIMITS, strict=False)
    ]
    warnings = [row for row in record.notices if row["kind"] == "WARNING"]
    marks += [_mark("warning", "warning", _WARNING, "triangle-down", warnings, analysis)] if warnings else []
    trips: dict[str, list[Row]] = {}
    for row in record.trips:
        scope = "" if row["scope"] == BOOK else f" {row['scope']}"
        trips.setdefault(f"{row['breaker']}{scope} tripped", []).append(row)
    return marks + [_mark(name, "trip", _TRIP, "x", rows, analysis) for name, rows in trips.items()]


def draw_growth(fig: Any, row: int, col: int, returns: pd.Series[float], **settings: Any) -> None:
    """What one unit of money became, beside buy-and-hold, with every mark."""
    import plotly.graph_objects as go  # noqa: PLC0415 - only a report needs it

    if returns.empty:
        return
    colours = settings["theme_config"]["colors"]
    own, hold = _grown(returns), _grown(settings["benchmark_returns"])
    for name, curve, colour, dash in (
        ("Strategy", own, colours["primary"], "solid"),
        (settings["benchmark_name"], hold, colours["neutral"], "dash"),
    ):
        line = {"color": colour, "width": 2, "dash": dash}
        fig.add_trace(
            go.Scatter(x=curve.index, y=curve, mode="lines", name=name, line=line), row=row, col=col
        )
    amounts = np.concatenate([own, hold])
    low, high = float(amounts.min()), float(amounts.max())
    is_log = low > 0.0 and high / low > _LOG_FROM
    rows = [low * (low / high) ** share if is_log else low - (high - low) * share for share in _ROWS]
    _draw_marks(fig, (row, col), own, (low, high), settings["marks"], rows)
    if is_log:
        fig.update_yaxes(type="log", dtick="D2", row=row, col=col)
    fig.update_yaxes(title_text="Equity, log scale" if is_log else "Equity", row=row, col=col)
    top = fig.get_subplot(row, col).yaxis.domain[1] + settings["legend_lift"]
    fig.update_layout(legend={"orientation": "h", "x": 0.0, "y": top, "yanchor": "bottom"})


def draw_drawdown(fig: Any, row: int, col: int, returns: pd.Series[float], **settings: Any) -> None:
    """How far below its peak, in percent; warnings and trips stand on it."""
    import plotly.graph_objects as go  # noqa: PLC0415 - only a report needs it

    if returns.empty:
        return
    grown = _grown(returns)
    depth = 100.0 * (grown / grown.cummax().clip(lower=1.0) - 1.0)
    area = go.Scatter(
        x=depth.index,
        y=depth,
        mode="lines",
        name="Drawdown",
        line={"color": settings["theme_config"]["colors"]["negative"], "width": 1},
        fill="tozeroy",
        fillcolor="rgba(200, 67, 61, 0.25)",
        showlegend=False,
    )
    fig.add_trace(area, row=row, col=col)
    marks = [mark for mark in settings["marks"] if mark.kind != "refusal"]
    _draw_marks(fig, (row, col), depth, (float(depth.min()), 0.0), marks)
    fig.update_yaxes(title_text="Drawdown (%)", row=row, col=col)


def _grown(returns: pd.Series[float]) -> pd.Series[float]:
    """What one unit became by the end of each session day."""
    grown: pd.Series[float] = (1.0 + returns).cumprod()
    return grown


def _draw_marks(  # noqa: PLR0913 - the figure, where in it, and what
    fig: Any,
    place: tuple[int, int],
    curve: pd.Series[float],
    heights: tuple[float, float],
    marks: Iterable[Mark],
    rows: Sequence[float] = (),
) -> None:
    """Refusals in these rows, other signs on the curve, and a line over these heights for each trip.

    Only a curve with rows names its marks in the legend, so that each is there once.
    """
    import plotly.graph_objects as go  # noqa: PLC0415 - only a report needs it

    foot = iter(rows)
    for mark in marks:
        shared = {"name": mark.name, "legendgroup": mark.name}
        edge = {"color": mark.colour, "width": 1.2}
        signs = go.Scatter(
            x=curve.index[mark.days],
            y=[next(foot)] * len(mark.days) if mark.kind == "refusal" else curve.iloc[mark.days],
            mode="markers",
            marker={"symbol": mark.symbol, "color": mark.colour, "size": 7, "line": edge},
            text=mark.said,
            hovertemplate="%{text}<extra></extra>",
            showlegend=bool(rows),
            **shared,
        )
        if mark.kind == "trip":
            days = curve.index[sorted(set(mark.days))]
            lines = go.Scatter(
                x=[at for day in days for at in (day, day, None)],
                y=[*heights, None] * len(days),
                mode="lines",
                line={"color": mark.colour, "width": 1, "dash": "dot"},
                hoverinfo="skip",
                showlegend=False,
                **shared,
            )
            fig.add_trace(lines, row=place[0], col=place[1])
        fig.add_trace(signs, row=place[0], col=place[1])


def _mark(  # noqa: PLR0913 - what it is called, how it looks, and what it marks
    name: str, kind: str, colour: str, symbol: str, rows: list[Row], analysis: Analysis
) -> Mark:
    shown = rows
    if len(rows) > _MOST:
        shown = [rows[place] for place in np.linspace(0, len(rows) - 1, _MOST).astype(int)]
    ends = analysis.equity.ts[analysis.days]
    days = np.searchsorted(ends, [row["ts"] for row in shown]).clip(max=len(ends) - 1)
    count = f"{len(rows):,}" if shown is rows else f"{_MOST} of {len(rows):,}"
    said = [_said(row, analysis.zone) for row in shown]
    return Mark(f"{name} ({count})", kind, colour, symbol, days.tolist(), said)


def _said(row: Row, zone: str) -> str:
    lines = textwrap.wrap(row["reason"], _WIDTH)
    return "<br>".join([short(row["ts"], zone), *map(html.escape, lines)])
