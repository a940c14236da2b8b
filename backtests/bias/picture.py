"""What does a strategy under stress look like: its Sharpe ratio beside each harm, beside chance, and its equity?"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.bias.stresses import BASE, LABELS, RESHUFFLED, sharpes_of
from runs.wording import percent, ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backtests.bias.random_entries import Null
    from backtests.bias.stresses import Row

_BLUE, _GREY, _PALE, _RED, _INK = "#1f5fa8", "#9aa0a8", "#d5d9de", "#c8433d", "#30343b"
_LINES = ("#c8433d", "#d98032", "#2a9d6f", "#7b5ea7", "#a0772c", "#4aa3a2")
_BINS = 40
_DRAWN = 50  # reshuffled markets whose equity is drawn
_LOG_FROM = 10.0  # equity that grows tenfold is drawn on a log scale


def draw(rows: list[Row], dealt: list[Row], null: Null, title: str, currency: str) -> bytes:
    """Draw a stress test as a PNG: Sharpe of each stress, the run among random strategies, equity of each stress."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - 0.4 s that only a picture needs
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    figure = Figure(figsize=(13, 9.2), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 2, height_ratios=(1, 1.15), hspace=0.06, wspace=0.04)
    figure.suptitle(title, x=0.01, ha="left", fontsize=15, fontweight="bold", color=_INK)
    _bars(figure.add_subplot(grid[0, 0]), rows, dealt)
    _chance(figure.add_subplot(grid[0, 1]), null)
    _equity(figure.add_subplot(grid[1, :]), rows, dealt, currency)
    for panel in figure.axes:
        panel.spines[["top", "right"]].set_visible(False)
        panel.spines[["left", "bottom"]].set_color(_GREY)
        panel.tick_params(colors=_INK, labelsize=9)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _bars(panel: Axes, rows: list[Row], dealt: list[Row]) -> None:
    base = rows[0].sharpe
    names = [row.name for row in rows] + [f"{RESHUFFLED} ({len(dealt)})"]
    places = np.arange(len(names))[::-1]
    values = [row.sharpe for row in rows]
    known = [0.0 if value is None else value for value in values]
    colours = [
        _BLUE if row.name == BASE else _RED if value <= 0 else _GREY
        for row, value in zip(rows, known, strict=True)
    ]
    panel.barh(places[: len(rows)], known, color=colours, height=0.62)
    for place, row, value in zip(places, rows, known, strict=False):
        told = "no result" if row.error is not None else ratio(row.sharpe)
        panel.annotate(
            told,
            (max(value, 0.0), place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=_INK,
            zorder=3,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        )
    sharpes = sharpes_of(dealt)
    if len(sharpes):
        panel.plot(
            sharpes,
            np.full(len(sharpes), places[-1]),
            "o",
            color=_GREY,
            alpha=0.55,
            markersize=5,
            markeredgewidth=0,
        )
        panel.plot(
            [float(np.median(sharpes))], [places[-1]], "|", color=_INK, markersize=17, markeredgewidth=2
        )
    if base is not None:
        panel.axvline(base, color=_BLUE, linewidth=1, linestyle=(0, (4, 3)))
    panel.axvline(0, color=_GREY, linewidth=0.8)
    low, high = min([0.0, *known, *sharpes]), max([0.0, *known, *sharpes])
    panel.set_xlim(low - 0.03 * (high - low or 1), high + 0.13 * (high - low or 1))
    panel.set_yticks(places, names)
    _title(panel, "Sharpe ratio a year", "dashed: as configured; stroke: middle of the reshuffled")


def _chance(panel: Axes, null: Null) -> None:
    if null.p_value is None or null.own is None:
        _title(panel, "Random entries", "nothing was held that could be compared")
        panel.set_yticks([])
        return
    panel.hist(null.sharpes, bins=_BINS, color=_PALE, edgecolor="white", linewidth=0.5)
    panel.axvline(null.own, color=_BLUE, linewidth=2)
    right = null.own < float(np.median(null.sharpes))
    panel.annotate(
        f"this strategy {ratio(null.own)}",
        (null.own, 0.97),
        xycoords=("data", "axes fraction"),
        xytext=(6 if right else -6, 0),
        textcoords="offset points",
        ha="left" if right else "right",
        va="top",
        fontsize=10,
        color=_BLUE,
        fontweight="bold",
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5},
    )
    if float(np.ptp(null.sharpes)) == 0:
        panel.set_xlim(null.own - 1, null.own + 1)
    panel.set_yticks([])
    _title(
        panel,
        "Sharpe ratio by chance",
        f"{len(null.sharpes):,} times its {null.trades} trades at other moments; p = {null.p_value:.3f}",
    )


def _equity(panel: Axes, rows: list[Row], dealt: list[Row], currency: str) -> None:
    largest, smallest = 0.0, float("inf")
    for number, row in enumerate([each for each in dealt if each.error is None][:_DRAWN]):
        _line(
            panel,
            row,
            color=_PALE,
            linewidth=0.8,
            label=f"{RESHUFFLED} ({len(dealt)})" if number == 0 else None,
        )
        largest, smallest = max(largest, row.outcome.equity.max()), min(smallest, row.outcome.equity.min())
    base = rows[0]
    if base.error is None:
        _line(
            panel,
            base,
            color=_BLUE,
            linewidth=2.8,
            label=f"{BASE} {percent(base.figure('total_return'), signed=True)}",
            zorder=3,
        )
        largest, smallest = max(largest, base.outcome.equity.max()), min(smallest, base.outcome.equity.min())
    colours = iter(_LINES * 2)
    for row in rows[1:]:
        if row.error is None and row.name != LABELS:
            told = f"{row.name} {percent(row.figure('total_return'), signed=True)}"
            _line(panel, row, color=next(colours), linewidth=1.0, label=told, zorder=4)
    if smallest > 0 and largest > _LOG_FROM * smallest:
        panel.set_yscale("log")
    from matplotlib.ticker import FuncFormatter  # noqa: PLC0415 - see draw

    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    panel.margins(x=0.01)
    panel.legend(loc="upper left", fontsize=9, frameon=False, ncols=2)
    _title(panel, f"Equity in {currency}", "")


def _line(panel: Axes, row: Row, **style: Any) -> None:
    days = row.outcome.days.astype("datetime64[ns]")
    panel.plot(days, row.outcome.equity[1:], **style)


def _title(panel: Axes, text: str, more: str) -> None:
    panel.set_title(text, loc="left", fontsize=11, fontweight="bold", color=_INK)
    if more:
        panel.set_title(more, loc="right", fontsize=9, color=_INK)
