"""What does a walk-forward look like: equity out of sample, what was promised and kept, and how the choice moved?"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.search.show import cell
from backtests.windows.result import equity_of
from backtests.windows.settings import ANCHORED, KFOLD
from backtests.windows.work import compounded
from risk import measures
from runs.wording import percent, ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from backtests.windows.result import Walked
    from backtests.windows.settings import WalkSettings
    from runs.prices import FloatArray

_BLUE, _GREY, _PALE, _RED, _INK = "#1f5fa8", "#9aa0a8", "#f1f3f5", "#c8433d", "#30343b"
_MOST_KEYS = 4  # swept keys that are drawn
_LOG_FROM = 10.0  # equity that grows tenfold is drawn on a log scale
_MOST_TICKS = 7
_LABEL_POINTS = 14.0  # between two labels
_FAR_APART = 2.0  # volatilities that differ by more cannot be drawn on one scale


def draw(result: Walked, settings: WalkSettings, title: str, currency: str) -> bytes:
    """Draw it as a PNG."""
    buffer = io.BytesIO()
    figure_of(result, settings, title, currency).savefig(buffer, format="png")
    return buffer.getvalue()


def figure_of(result: Walked, settings: WalkSettings, title: str, currency: str) -> Figure:
    """The picture before it is written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - 0.4 s that only a picture needs
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above
    from matplotlib.layout_engine import ConstrainedLayoutEngine  # noqa: PLC0415 - as above

    keys = _keys(result)
    heights = [2.6, 1.3, *([0.62] * len(keys))]
    figure = Figure(
        figsize=(13, 7.2 + 1.15 * len(keys)), dpi=110, layout=ConstrainedLayoutEngine(h_pad=0.06, hspace=0.03)
    )
    FigureCanvasAgg(figure)
    panels = list(np.atleast_1d(figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)))
    figure.suptitle(headline(result, title), x=0.01, ha="left", fontsize=15, fontweight="bold", color=_INK)
    _equity(panels[0], result, settings, currency)
    _sharpes(panels[1], result)
    for panel, key in zip(panels[2:], keys, strict=True):
        _choices(panel, result, key)
    for panel in panels:
        _windows(panel, result)
        panel.spines[["top", "right"]].set_visible(False)
        panel.spines[["left", "bottom"]].set_color(_GREY)
        panel.tick_params(colors=_INK, labelsize=9)
        panel.margins(x=0.005)
    return figure


def headline(result: Walked, title: str) -> str:
    """`EmaCross AAPL   out of sample: Sharpe 0.61, +43.1% in 10 windows, efficiency 71.0%`."""
    figures = result.figures
    return (
        f"{title}   out of sample: Sharpe {ratio(figures['sharpe'])}, "
        f"{percent(figures['total_return'], signed=True)} in {len(result.windows)} windows, "
        f"efficiency {percent(result.efficiency)}"
    )


def _keys(result: Walked) -> list[str]:
    points = result.points
    return list(points[0])[:_MOST_KEYS] if points else []


def _equity(panel: Axes, result: Walked, settings: WalkSettings, currency: str) -> None:
    chosen, _ = equity_of(result)
    share, held = _at_same_risk(result)
    name = "buy and hold" if share is None else f"buy and hold with {share:.0%} of the money: as volatile"
    days: Any = _dates(np.concatenate([[result.windows[0].legs.test.start_ns], result.days]))
    panel.plot(days, held, color=_GREY, linewidth=1.3, label=name, zorder=2)
    panel.plot(days, chosen, color=_BLUE, linewidth=1.9, label="best point of each window", zorder=3)
    both = np.concatenate([chosen, held])
    if both.min() > 0 and both.max() / both.min() > _LOG_FROM:
        from matplotlib.ticker import NullFormatter  # noqa: PLC0415 - as above

        panel.set_yscale("log")
        panel.yaxis.set_minor_formatter(NullFormatter())
        panel.set_yticks(_round_ticks(float(both.min()), float(both.max())))
    panel.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    _ends_told(panel, days[-1], ((chosen, _BLUE), (held, _GREY)))
    panel.legend(loc="upper left", frameon=False, fontsize=10, labelcolor=_INK)
    how = {KFOLD: "all other days", ANCHORED: "all days before it"}
    told = how.get(settings.kind, f"the {settings.train} session days before it")
    panel.set_title(
        f"equity, {currency}, stitched from the tests: each window's point was chosen on {told}",
        loc="left", fontsize=11, color=_INK,
    )  # fmt: skip


def _ends_told(panel: Axes, day: Any, curves: Sequence[tuple[FloatArray, str]]) -> None:
    """What each curve came to, at its end; beside each other where they end close together."""
    rising = sorted(curves, key=lambda each: float(each[0][-1]))
    heights = [panel.transData.transform((0.0, float(curve[-1])))[1] for curve, _ in rising]
    apart = max(0.0, _LABEL_POINTS - (heights[1] - heights[0])) / 2
    for (curve, colour), shift in zip(rising, (-apart, apart), strict=True):
        panel.annotate(
            percent(float(curve[-1] / curve[0]) - 1, signed=True), (day, float(curve[-1])), xytext=(4, shift),
            textcoords="offset points", va="center", fontsize=9, color=colour, fontweight="bold",
        )  # fmt: skip


def _at_same_risk(result: Walked) -> tuple[float | None, FloatArray]:
    """Buy-and-hold as it is, or where volatilities are far apart the share of it that is as volatile as the strategy.

    The share (None: all) and its equity, shape (days + 1,).
    """
    own, held = float(result.returns.std()), float(result.benchmark.std())
    share = own / held if held > 0 else 1.0
    if share == 0 or 1 / _FAR_APART <= share <= _FAR_APART:
        return None, equity_of(result)[1]
    return share, compounded(result.starting, share * result.benchmark)


def _sharpes(panel: Axes, result: Walked) -> None:
    """In sample beside out of sample, a pair a window."""
    from matplotlib.patches import Patch  # noqa: PLC0415 - as above

    for each in result.windows:
        left, right = _ends(each)
        width = (right - left) * 0.3
        pair = [None if each.best is None else each.best.outcome.returns, each.returns]
        for place, (returns, colour) in enumerate(zip(pair, (_GREY, _BLUE), strict=True)):
            value = None if returns is None else measures.sharpe(returns, result.days_per_year)
            start = left + (right - left) * 0.2 + width * place
            if value is None:
                panel.text(
                    start + width / 2,
                    0,
                    "flat",
                    ha="center",
                    va="bottom",
                    fontsize=8,
                    color=_INK,
                    rotation=90,
                )
                continue
            shown = _RED if place and value < 0 else colour
            panel.bar(start, value, width=width, align="edge", color=shown, zorder=3)
    panel.axhline(0, color=_INK, linewidth=0.8, zorder=4)
    handles = [
        Patch(color=colour, label=name)
        for colour, name in (
            (_GREY, "in sample"),
            (_BLUE, "out of sample"),
            (_RED, "out of sample, below zero"),
        )
    ]
    panel.legend(
        handles=handles,
        loc="lower right",
        bbox_to_anchor=(1.0, 0.99),
        ncols=3,
        frameon=False,
        fontsize=9,
        labelcolor=_INK,
    )
    panel.set_title("Sharpe ratio of the chosen point", loc="left", fontsize=11, color=_INK)


def _choices(panel: Axes, result: Walked, key: str) -> None:
    """Where the best value of one key lay in each window."""
    places = _places(result, key)
    before: float | None = None
    for each in result.windows:
        if each.best is None:
            before = None
            continue
        left, right = _ends(each)
        value = each.best.point[key]
        height = places.index(value)
        panel.hlines(height, left, right, color=_BLUE, linewidth=5, zorder=3)
        if before is not None and before != height:
            panel.vlines(left, before, height, color=_BLUE, linewidth=1.2, linestyle=":", zorder=3)
        before = height
    step = max(1, -(-len(places) // _MOST_TICKS))
    panel.set_yticks(range(0, len(places), step), [cell(value) for value in places[::step]])
    panel.set_ylim(-0.6, len(places) - 0.4)
    panel.set_title(f"best {key}", loc="left", fontsize=11, color=_INK)


def _places(result: Walked, key: str) -> list[Any]:
    """The values that a key could take, numbers rising."""
    found = list(result.grid[key])
    numbers = all(isinstance(value, int | float) for value in found)
    return sorted(found) if numbers else found


def _windows(panel: Axes, result: Walked) -> None:
    """Every second window on a shade, a line at each boundary."""
    for number, each in enumerate(result.windows):
        left, right = _ends(each)
        if number % 2:
            panel.axvspan(left, right, color=_PALE, zorder=0, linewidth=0)
        panel.axvline(left, color="#d5d9de", linewidth=0.8, zorder=1)


def _ends(window: Any) -> tuple[float, float]:
    from matplotlib.dates import date2num  # noqa: PLC0415 - as above

    left, right = date2num([window.legs.test.start, window.legs.test.end])  # type: ignore[no-untyped-call] # matplotlib's
    return float(left), float(right)


def _dates(stamps: Any) -> list[datetime]:
    return [datetime.fromtimestamp(int(stamp) / 1e9, UTC) for stamp in stamps]


def _round_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten between two amounts."""
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    return [
        times * 10.0**power for power in powers for times in (1, 2, 5) if low <= times * 10.0**power <= high
    ]
