"""What does a run look like: equity, drawdown and trades in one picture?"""

from __future__ import annotations

import io
from collections import Counter
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from risk import measures
from runs.benchmark import at_equal_volatility
from runs.marks import (
    days_of,
    mark_exits,
    mark_halts,
    mark_refusals,
    mark_warnings,
    refusals_by_limit,
    refusals_elsewhere,
)
from runs.wording import held_told, percent, ratio

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from runs.analysis import Analysis
    from runs.prices import FloatArray, IntArray, Prices
    from runs.summary import Summary
    from runs.trades import Trade

_MAX_PANELS = 4
_MAX_POINTS = 4_000  # twice what the width of the picture can show
_LOG_FROM = 10.0  # a series that grows tenfold is drawn on a log scale
_WHOLE_FROM = 20.0  # an axis this long needs no decimals
_LINE = 170  # characters of a legend that are as wide as a panel
_LEGEND_SIGN, _TITLE_WIDTH = 8, 1.3  # as many of them as the sign of an entry and a letter of a title take
_PAD, _LEGEND_LINE = 6.0, 14.0  # points between a panel and its title, and of a line of a legend
_MANY_TRADES = 300  # above, entries are dots without arrows
_BLUE, _GREY, _GREEN, _RED, _INK = "#1f5fa8", "#9aa0a8", "#2a9d6f", "#c8433d", "#30343b"


def draw(analysis: Analysis, summary: Summary, title: str) -> bytes:
    """Draw a run as a PNG: equity beside buy-and-hold, drawdown, and trades on the price of each instrument.

    Refusals, trips, warnings and exits are marked (runs/marks.py). At most four instruments get a panel, the most
    traded first. Needs at least one bar.
    """
    buffer = io.BytesIO()
    figure_of(analysis, summary, title).savefig(buffer, format="png")
    return buffer.getvalue()


def figure_of(analysis: Analysis, summary: Summary, title: str) -> Figure:
    """The picture before it is written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - 0.4 s that only a report needs
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    shown = _panels(analysis)
    heights = [3.4, 1.6, *[2.4] * len(shown)]
    figure = Figure(figsize=(13, sum(heights) + 1.4), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    headline = f"{title}   {summary.first_bar:.10} to {summary.last_bar:.10}" + "   (halted)" * summary.halted
    figure.suptitle(headline, x=0.01, ha="left", fontsize=15, fontweight="bold", color=_INK)
    _draw_equity(axes[0], analysis, summary)
    _draw_drawdown(axes[1], analysis, summary)
    for panel, name in zip(axes[2:], shown, strict=True):
        _draw_trades(panel, analysis, name)
    mark_refusals(axes[0], refusals_elsewhere(analysis, shown))
    mark_warnings(axes[0], analysis.record)
    mark_halts(axes, analysis)
    for panel in axes:
        _dress(panel)
    _date(axes[-1], analysis)
    return figure


def _panels(analysis: Analysis) -> list[str]:
    """Choose the instruments to show: all in their order, or the most traded where they are too many."""
    names = [name for name, prices in analysis.prices.items() if len(prices.ts)]
    if len(names) <= _MAX_PANELS:
        return names
    fills = Counter(fill["instrument"] for fill in analysis.record.fills)
    return sorted(names, key=lambda name: (-fills[name], names.index(name)))[:_MAX_PANELS]


def _draw_equity(panel: Axes, analysis: Analysis, summary: Summary) -> None:
    ts, own = analysis.equity.ts, analysis.equity.amounts
    starting = float(analysis.record.starting_equity)
    share, hold = at_equal_volatility(own, analysis.benchmark, starting, analysis.days)
    _line(
        panel,
        ts,
        hold,
        color=_GREY,
        linewidth=1.1,
        label=held_told(summary.buy_and_hold_return, share),
    )
    _line(
        panel,
        ts,
        own,
        color=_BLUE,
        linewidth=1.6,
        label=f"strategy {percent(summary.total_return, signed=True)}",
    )
    _scale(panel, np.concatenate([own, hold]))
    _title(
        panel,
        f"Equity in {summary.currency}   "
        f"{percent(summary.cagr, signed=True)} a year, Sharpe {ratio(summary.sharpe)}",
    )


def _draw_drawdown(panel: Axes, analysis: Analysis, summary: Summary) -> None:
    from matplotlib.ticker import PercentFormatter  # noqa: PLC0415 - matplotlib is loaded only for a plot

    ts = analysis.equity.ts
    for values, deepest, label, style in (
        (
            analysis.benchmark_by_bar,
            summary.buy_and_hold_max_drawdown,
            "buy and hold",
            {"color": _GREY, "linewidth": 0.9},
        ),
        (analysis.by_bar, summary.max_drawdown, "strategy", {"color": _RED, "linewidth": 1.1}),
    ):
        depth = measures.drawdowns(values)
        if depth is not None and deepest is not None:
            _line(panel, ts, -depth[1:], label=f"{label}, deepest {percent(deepest)}", **style)
    panel.yaxis.set_major_formatter(PercentFormatter(1.0))
    panel.set_ylim(top=0.0)
    _title(panel, "Drawdown")


def _draw_trades(panel: Axes, analysis: Analysis, name: str) -> None:
    prices = analysis.prices[name]
    trades = [trade for trade in analysis.trades if trade.instrument == name]
    _line(panel, prices.ts, prices.close, color=_GREY, linewidth=0.8)
    _draw_round_trips(panel, trades, prices)
    mark_exits(panel, analysis, name)
    panel.margins(y=0.1)
    _scale(panel, prices.close)
    mark_refusals(panel, refusals_by_limit(analysis, name))
    gain = sum(float(trade.pnl) for trade in trades)
    won = sum(trade.pnl > 0 for trade in trades if not trade.is_open)
    closed = sum(not trade.is_open for trade in trades)
    _title(panel, f"{name}   {closed:,} trades, {won:,} won, P&L {gain:+,.0f} {analysis.record.currency}")


def _draw_round_trips(panel: Axes, trades: list[Trade], prices: Prices) -> None:
    """A line from entry to exit, green where it earned, red where it lost; an arrow tells which way."""
    from matplotlib.collections import LineCollection  # noqa: PLC0415 - matplotlib is loaded only for a plot

    many = len(trades) > _MANY_TRADES
    for colour, label, own in (
        (_GREEN, "won", [trade for trade in trades if trade.pnl > 0]),
        (_RED, "lost", [trade for trade in trades if trade.pnl <= 0]),
    ):
        if own:
            ends = [_ends(trade, prices) for trade in own]
            panel.add_collection(
                LineCollection(
                    ends, colors=colour, linewidths=1.2 if many else 1.6, alpha=0.9, label=label, zorder=3
                ),
                autolim=False,
            )
    for side, marker, label in (("LONG", "^", "bought"), ("SHORT", "v", "sold short")):
        own = [trade for trade in trades if trade.side == side]
        if own and not many:
            x = days_of(np.array([trade.entry_ts for trade in own]))
            y = [float(trade.entry_price) for trade in own]
            panel.scatter(
                x, y, s=20, marker=marker, color=_BLUE, linewidths=0, alpha=0.9, label=label, zorder=4
            )


def _ends(trade: Trade, prices: Prices) -> list[tuple[float, float]]:
    """Entry and exit as (day, price); an open trade ends at the last close."""
    exit_ts = trade.exit_ts if trade.exit_ts is not None else int(prices.ts[-1])
    exit_price = trade.exit_price if trade.exit_price is not None else prices.last(trade.side)
    start, end = days_of(np.array([trade.entry_ts, exit_ts]))
    return [(start, float(trade.entry_price)), (end, float(exit_price or 0))]


def _line(panel: Axes, ts: IntArray, values: FloatArray, **style: Any) -> None:
    kept = _thinned(values)
    panel.plot(days_of(ts[kept]), values[kept], **style)


def _thinned(values: FloatArray) -> npt.NDArray[np.intp]:
    """Keep the lowest and the highest value of each of many stretches: what a line that wide can show."""
    if len(values) <= _MAX_POINTS:
        return np.arange(len(values))
    starts = np.linspace(0, len(values), _MAX_POINTS // 2 + 1).astype(np.intp)
    kept: list[int] = [0, len(values) - 1]
    for start, end in pairwise(starts):
        stretch = values[start:end]
        kept += [int(start + stretch.argmin()), int(start + stretch.argmax())]
    return np.unique(kept)


def _scale(panel: Axes, values: FloatArray) -> None:
    """A log scale where a series grows so much that its beginning would be a flat line."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter  # noqa: PLC0415 - as for the others

    low, high = float(values.min()), float(values.max())
    if low > 0 and high / low > _LOG_FROM:
        panel.set_yscale("log")
        panel.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        panel.yaxis.set_minor_formatter(NullFormatter())
        panel.set_ylabel("log scale", color=_GREY, fontsize=8)
    whole = high - low > _WHOLE_FROM
    panel.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}" if whole else "{x:,.10g}"))


def _title(panel: Axes, text: str, pad: float = _PAD) -> None:
    panel.set_title(text, loc="left", fontsize=10.5, fontweight="bold", color=_INK, pad=pad)


def _dress(panel: Axes) -> None:
    """Grid, frame and, above the panel where it hides nothing, the legend: beside the title or, if long, below it."""
    panel.grid(visible=True, color="#e6e8eb", linewidth=0.7)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(_GREY)
    panel.tick_params(colors=_INK, labelsize=8.5, labelbottom=True)
    handles, labels = panel.get_legend_handles_labels()
    width = sum(len(label) + _LEGEND_SIGN for label in labels)
    title = panel.get_title(loc="left")
    lines = 1
    if width + _TITLE_WIDTH * len(title) > _LINE:
        lines = ceil(width / _LINE)
        _title(panel, title, pad=_PAD + _LEGEND_LINE * lines)
    if handles:
        panel.legend(
            handles,
            labels,
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            ncols=ceil(len(labels) / lines),
            frameon=False,
            fontsize=9,
            borderaxespad=0.3,
            handlelength=1.6,
            columnspacing=1.4,
        )


def _date(panel: Axes, analysis: Analysis) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415 - as for the others

    zone = ZoneInfo(analysis.zone)
    locator = AutoDateLocator(tz=zone, minticks=6, maxticks=14)  # type: ignore[no-untyped-call]
    panel.xaxis.set_major_locator(locator)
    panel.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone))  # type: ignore[no-untyped-call]
    first, last = days_of(analysis.equity.ts[[0, -1]])
    margin = max((last - first) * 0.01, 1 / 24)
    panel.set_xlim(first - margin, last + margin)
    panel.set_xlabel(f"date in {analysis.zone}", fontsize=8.5, color=_INK)
