"""What does profit and loss look like as a picture?"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING

from live._amounts import money_text
from live._pnl import TIMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    from live._pnl_report import Report

BLUE, GREY, GREEN, RED, INK = "#1f5fa8", "#9aa0a8", "#2a9d6f", "#c8433d", "#30343b"
EPOCH = date(1970, 1, 1)
TAIL = 0.5  # days that a line goes on after its last step
EDGE = 0.9  # points, so that a day among thousands can be seen
FILLED = 0.8  # of its day, week or month is what a bar is wide
MANY = 30  # bars of names; more get too thin to read


def draw(report: Report) -> bytes:
    """Draw a report as a PNG: what closed trades earned a day, week or month, and both sums over time; or by name."""
    buffer = io.BytesIO()
    figure_of(report).savefig(buffer, format="png")
    return buffer.getvalue()


def figure_of(report: Report) -> Figure:
    """The picture before it is written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - 0.4 s that only a picture needs
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    by_time = report.by in TIMES
    height = 7.0 if by_time else 1.8 + 0.36 * min(max(len(report.lines), 3), MANY)
    figure = Figure(figsize=(12, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    title = f"P&L by {report.by}   {report.whose.told}"
    figure.suptitle(title, x=0.01, ha="left", fontsize=14, fontweight="bold", color=INK)
    if not report.lines:
        _say(figure.subplots(), "no trade was closed and equity did not change in this time")
        return figure
    if by_time:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1, 1.2])
        _bars(above, report)
        _sums(below, report)
        _dates(below, report)
        _money(above.yaxis)
        _money(below.yaxis)
        panels = [above, below]
    else:
        panels = [figure.subplots()]
        _names(panels[0], report)
        _money(panels[0].xaxis)
    for panel in panels:
        _dress(panel)
    return figure


def _bars(panel: Axes, report: Report) -> None:
    days = [line.key for line in report.lines]
    amounts = [float(line.result.pnl) for line in report.lines]
    spans = [(_day_number(day), _day_number(_end(day, report.by))) for day in days if isinstance(day, date)]
    middles, widths = (
        [(start + end) / 2 for start, end in spans],
        [(end - start) * FILLED for start, end in spans],
    )
    colours = [GREEN if each >= 0 else RED for each in amounts]
    panel.bar(middles, amounts, width=widths, color=colours, edgecolor=colours, linewidth=EDGE)
    panel.axhline(0, color=GREY, linewidth=0.8)
    total = report.total
    won = "" if total.win_rate is None else f", {total.win_rate:.1%} won"
    earned = money_text(total.pnl, report.currency, signed=True)
    trades = "1 trade" if total.trades == 1 else f"{total.trades:,} trades"
    _title(panel, f"Closed trades, after fees, by {report.by}   {earned} {report.currency} in {trades}{won}")


def _sums(panel: Axes, report: Report) -> None:
    """P&L of closed trades and change of equity so far, each at the end of its session day."""
    last = _day_number(_end(_last_day(report), report.by))
    equity = report.equity.changes
    if equity:
        x, y = _steps(equity, last)
        panel.fill_between(x, y, step="post", color=GREY, alpha=0.35, linewidth=0, label="equity")
    x, y = _steps({key: line.result.pnl for line in report.daily if isinstance(key := line.key, date)}, last)
    panel.step(x, y, where="post", color=BLUE, linewidth=1.6, label="closed trades")
    panel.axhline(0, color=GREY, linewidth=0.8)
    panel.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, frameon=False, fontsize=9)
    change = report.equity.change
    by = (
        ""
        if change is None
        else f"   equity {money_text(change, report.currency, signed=True)} {report.currency}"
    )
    _title(panel, f"So far{by}")


def _last_day(report: Report) -> date:
    return max(line.key for line in report.lines if isinstance(line.key, date))


def _steps(amounts: Mapping[date, Decimal], last: float) -> tuple[list[float], list[float]]:
    """From 0 on the first day one step at the end of each day, and on until `last`."""
    if not amounts:
        return [last], [0.0]
    x = [_day_number(min(amounts)), *(_day_number(_end(day, "day")) for day in amounts)]
    y = [0.0, *map(float, accumulate(amounts.values()))]
    return [*x, max(last, x[-1]) + TAIL], [*y, y[-1]]


def _names(panel: Axes, report: Report) -> None:
    lines = (
        report.lines
        if len(report.lines) <= MANY
        else [*report.lines[: MANY // 2], *report.lines[-MANY // 2 :]]
    )
    shown = list(reversed(lines))
    amounts = [float(line.result.pnl) for line in shown]
    bars = panel.barh(
        [report.name_of(line) for line in shown],
        amounts,
        color=[GREEN if each >= 0 else RED for each in amounts],
    )
    labels = [money_text(line.result.pnl, report.currency, signed=True) for line in shown]
    panel.bar_label(bars, labels=labels, padding=4, fontsize=8.5, color=INK)
    panel.axvline(0, color=GREY, linewidth=0.8)
    panel.margins(x=0.15)
    left_out = len(report.lines) - len(lines)
    rest = f", the best and the worst of {len(report.lines)}" if left_out else ""
    earned = money_text(report.total.pnl, report.currency, signed=True)
    _title(panel, f"Closed trades, after fees   {earned} {report.currency}{rest}")


def _dates(panel: Axes, report: Report) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415 - as above

    locator = AutoDateLocator(minticks=4, maxticks=12)  # type: ignore[no-untyped-call]
    panel.xaxis.set_major_locator(locator)
    panel.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    panel.set_xlabel(report.days.told, fontsize=8.5, color=INK)


def _end(first: date, by: str) -> date:
    """The day after the last one of a day, week or month."""
    if by == "month":
        return date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return first + timedelta(days=7 if by == "week" else 1)


def _day_number(day: date) -> float:
    """A day as matplotlib counts them: from 1970 on."""
    return float((day - EPOCH).days)


def _title(panel: Axes, text: str) -> None:
    panel.set_title(text, loc="left", fontsize=10.5, fontweight="bold", color=INK)


def _say(panel: Axes, text: str) -> None:
    panel.text(0.5, 0.5, text, ha="center", va="center", color=INK)
    panel.set_axis_off()


def _dress(panel: Axes) -> None:
    panel.grid(visible=True, color="#e6e8eb", linewidth=0.7)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(GREY)
    panel.tick_params(colors=INK, labelsize=8.5, labelbottom=True)


def _money(axis: Axis) -> None:
    from matplotlib.ticker import StrMethodFormatter  # noqa: PLC0415 - as above

    axis.set_major_formatter(StrMethodFormatter("{x:+,.10g}"))
