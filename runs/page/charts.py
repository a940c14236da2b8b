"""Which curves does the page of a run draw: equity, drawdown, rolling Sharpe ratio, exposure?"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from risk import measures
from runs.benchmark import at_equal_volatility
from runs.page.marks import marks_of, traces_of
from runs.page.series import BLUE, GREEN, GREY, RED, VIOLET, is_log, line, stamps_of
from runs.wording import held_told, percent

if TYPE_CHECKING:
    from runs.page.seen import Seen
    from runs.page.series import Chart
    from runs.prices import FloatArray

WINDOWS = (63, 126, 252)
"""Session days of a rolling Sharpe ratio."""
_POINTS = 1_500
_ROWS = (0.06, 0.13, 0.20)  # of refusals, below the curves: shares of the curves' height
_TINT = {"fillcolor": RED, "opacity": 0.09, "line": {"width": 0}, "layer": "below"}


def equity_chart(seen: Seen) -> Chart:
    """Equity beside buy-and-hold with every refusal, warning and trip; halts of the book are tinted."""
    own, summary = seen.equity, seen.summary
    share, hold = at_equal_volatility(own, seen.benchmark, seen.starting, seen.days)
    names = (
        f"strategy {percent(summary.total_return, signed=True)}",
        held_told(summary.buy_and_hold_return, share),
    )
    data = [
        line(seen.ts, own, seen.zone, names[0], points=_POINTS, line={"color": BLUE, "width": 2}),
        line(
            seen.ts,
            hold,
            seen.zone,
            names[1],
            points=_POINTS,
            line={"color": GREY, "width": 1.3, "dash": "dash"},
        ),
    ]
    log = is_log(own, hold)
    low, high = (float(end(np.concatenate([own, hold]))) for end in (np.min, np.max))
    rows = [low * (low / high) ** share if log else low - (high - low or 1.0) * share for share in _ROWS]
    data += traces_of(marks_of(seen), seen, own, (low, high), rows)
    y = {"title": {"text": summary.currency + (", log scale" if log else "")}, "tickformat": ",.10~g"}
    if log:
        y |= {"type": "log", "dtick": "D2"}
    return {
        "data": data,
        "layout": {"yaxis": y, "xaxis": across(seen), "shapes": _halts(seen), "height": 400},
    }


def drawdown_chart(seen: Seen) -> Chart:
    """How far below its peak, beside buy-and-hold; warnings and trips stand on it."""
    data: list[Chart] = []
    own, hold = measures.drawdowns(seen.by_bar), measures.drawdowns(seen.benchmark_by_bar)
    if hold is not None:
        style = {"line": {"color": GREY, "width": 1, "dash": "dash"}, "showlegend": False}
        data.append(line(seen.ts, -hold[1:], seen.zone, "buy and hold", points=_POINTS, **style))
    if own is not None:
        area: dict[str, Any] = {
            "fill": "tozeroy",
            "fillcolor": "rgba(208, 80, 74, 0.22)",
            "showlegend": False,
        }
        area["line"] = {"color": RED, "width": 1.2}
        data.append(line(seen.ts, -own[1:], seen.zone, "strategy", points=_POINTS, **area))
        marks = [mark for mark in marks_of(seen) if mark.kind != "refusal"]
        data += traces_of(marks, seen, -own[1:], (-float(own.max()), 0.0))
    return {
        "data": data,
        "layout": {
            "yaxis": {"tickformat": ".0%", "rangemode": "tozero"},
            "xaxis": across(seen),
            "shapes": _halts(seen),
            "height": 240,
        },
    }


def rolling_chart(seen: Seen) -> Chart | None:
    """Sharpe ratio, a year's, of the last so many session days; None where no window is full."""
    returns = seen.returns
    if returns is None or len(returns) < WINDOWS[0]:
        return None
    ends, data = seen.ts[seen.days], []
    for window, colour, width in zip(WINDOWS, (GREEN, VIOLET, BLUE), (0.9, 1.2, 2.0), strict=True):
        if len(returns) >= window:
            curve = rolling_sharpe(returns, window, seen.days_per_year)
            style = {"line": {"color": colour, "width": width}}
            data.append(line(ends[window - 1 :], curve, seen.zone, f"{window} days", points=_POINTS, **style))
    return {"data": data, "layout": {"yaxis": {"zeroline": True}, "xaxis": across(seen), "height": 280}}


def across(seen: Seen) -> Chart:
    """The time axis of every chart: the whole run, with a little room."""
    if len(seen.ts) <= 1:
        return {}
    room = (seen.ts[-1] - seen.ts[0]) // 100
    return {"range": stamps_of(seen.ts[[0, -1]] + np.array([-room, room]), seen.zone)}


def rolling_sharpe(returns: FloatArray, window: int, days_per_year: int) -> FloatArray:
    """The Sharpe ratio of each `window` days in a row, a year's: shape (days - window + 1,); NaN without a deviation.

    returns: shape (days,), fractions. The formula is that of risk.measures.sharpe.
    """
    views = np.lib.stride_tricks.sliding_window_view(returns, window)
    means, deviations = views.mean(axis=1), views.std(axis=1, ddof=1)
    flat = deviations <= np.abs(means) * 1e-12  # the same return every day but for rounding
    found: FloatArray = np.divide(means, deviations, out=np.full(len(means), np.nan), where=~flat)
    return found * sqrt(days_per_year)


def exposure_chart(seen: Seen) -> Chart | None:
    """Gross exposure as a share of equity after each bar; None where equity fell to nothing."""
    shares = measures.exposures(seen.gross, seen.equity)
    if shares is None:
        return None
    style = {"fill": "tozeroy", "line": {"color": BLUE, "width": 1, "shape": "hv"}, "showlegend": False}
    return {
        "data": [line(seen.ts, shares, seen.zone, "gross exposure", points=_POINTS, **style)],
        "layout": {
            "yaxis": {"tickformat": ".0%", "rangemode": "tozero"},
            "xaxis": across(seen),
            "height": 220,
        },
    }


def _halts(seen: Seen) -> list[Chart]:
    """A tint as long as the whole book was halted."""
    last = stamps_of(seen.ts[-1:], seen.zone)[0]
    shapes = []
    for trip in seen.summary.trips_detail:
        if trip.scope == "book" and trip.halt_ended is not None:
            end = last if trip.halt_ended == "END_OF_RUN" else trip.halted_until
            if end is not None:
                start, end = (_local(each) for each in (trip.at, end))
                shapes.append(
                    {
                        "type": "rect",
                        "xref": "x",
                        "yref": "paper",
                        "x0": start,
                        "x1": end,
                        "y0": 0,
                        "y1": 1,
                        **_TINT,
                    }
                )
    return shapes


def _local(stamp: str) -> str:
    """An ISO 8601 time of the run's own zone without its offset."""
    return stamp[:19].replace("T", " ")
