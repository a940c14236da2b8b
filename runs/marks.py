"""How do refusals, breaker trips, halts, warnings and exits show in the picture of a run?

Refusals are ticks at the foot of a panel, a row a limit; trips are lines through all panels and a halt is a tint from
its trip to its end; notices stand as small signs, those about an instrument at its price.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import cycle
from typing import TYPE_CHECKING, Literal

import numpy as np

from risk.scopes import BOOK
from runs.explain import halts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from matplotlib.axes import Axes

    from runs.analysis import Analysis
    from runs.prices import FloatArray, IntArray
    from runs.record import Row, RunRecord

type _Line = Literal["-", "--", "-.", ":"]

_DAY_NS = 86_400_000_000_000
_RED, _PALE_RED, _BLUE, _INK = "#c8433d", "#e3a19d", "#1f5fa8", "#30343b"
_LIMITS = ("#e08e0b", "#7b52ab", "#5c636e")  # of the two limits that refused most, and of all others
_BREAKERS: dict[str, _Line] = {"DAILY_LOSS": "--", "DRAWDOWN": "-"}  # breaker -> its line
_OTHER_BREAKERS: tuple[_Line, ...] = (":", "-.")
_FOOT, _ROW = 0.035, 0.055  # where the rows of ticks stand, as shares of the panel's height
_MANY = 150  # above, ticks are thin and signs small
_SOME_TRIPS, _MANY_TRIPS = 10, 40  # above, lines are thin; above, they mark the top of a panel only
_LEAST_HALT = 0.002  # a halt shorter than this share of the run is hidden by the line of its trip
_BOOK_SIGNS = {  # kind of notice -> sign, colour, size, what the legend calls it
    "WARNING": ("v", _PALE_RED, 6.0, "warning"),
    "CASH_FLOW": ("D", _BLUE, 5.0, "cash flow"),
    "ALARM": ("X", _RED, 9.0, "ALARM"),
}
_EXIT_SIGNS = {
    "PROTECTED": ("s", _INK, 7.0, "exit attached"),
    "EXIT": ("x", _INK, 6.0, "time exit"),
    "TIMEOUT": ("+", _INK, 7.0, "order timed out"),
    "UNPROTECTED": ("X", _RED, 9.0, "UNPROTECTED"),
}


def days_of(ts: IntArray) -> FloatArray:
    """UTC ns as matplotlib counts time: days since 1970 (its default epoch)."""
    days: FloatArray = ts / _DAY_NS
    return days


def refusals_by_limit(analysis: Analysis, instrument: str) -> dict[str, IntArray]:
    """What the legend says of each limit -> when it refused orders in this instrument; three entries at most."""
    rows = [row for row in analysis.record.refusals if row["instrument"] == instrument]
    counts = Counter(row["limit"] for row in rows)
    named = [limit for limit, _ in counts.most_common(len(_LIMITS) if len(counts) <= len(_LIMITS) else 2)]
    found = {f"refused {limit}": _stamps(row for row in rows if row["limit"] == limit) for limit in named}
    others = [row for row in rows if row["limit"] not in named]
    return {**found, "refused by other limits": _stamps(others)} if others else found


def refusals_elsewhere(analysis: Analysis, shown: Sequence[str]) -> dict[str, IntArray]:
    """The same for all instruments that have no panel, in one entry."""
    rows = [row for row in analysis.record.refusals if row["instrument"] not in shown]
    return {"refused elsewhere": _stamps(rows)} if rows else {}


def mark_refusals(panel: Axes, refused: Mapping[str, IntArray]) -> None:
    """A tick for each, a row for each entry, in a foot that is kept free of the curve."""
    if refused:
        _make_foot(panel, _FOOT + _ROW * len(refused))
    for place, (label, ts) in enumerate(refused.items()):
        many = len(ts) > _MANY
        panel.plot(
            days_of(ts),
            np.full(len(ts), _FOOT + _ROW * place),
            transform=panel.get_xaxis_transform(),
            linestyle="none",
            marker="|",
            markersize=7,
            markeredgewidth=0.6 if many else 1.1,
            alpha=0.6 if many else 1.0,
            color=_LIMITS[place],
            label=f"{label} ({len(ts):,})",
        )


def mark_halts(panels: Sequence[Axes], analysis: Analysis) -> None:
    """A line for each trip, named in the first panel's legend, and a tint as long as the book was halted."""
    trips = analysis.record.trips
    foot = 0.0 if len(trips) <= _MANY_TRIPS else 0.9
    few = len(trips) <= _SOME_TRIPS
    others = cycle(_OTHER_BREAKERS)
    for name in dict.fromkeys(_name(trip) for trip in trips):
        own = [trip for trip in trips if _name(trip) == name]
        line = _BREAKERS[name] if name in _BREAKERS else next(others)
        for panel in panels:
            panel.vlines(
                days_of(_stamps(own)),
                foot,
                1.0,
                transform=panel.get_xaxis_transform(),
                colors=_RED,
                linewidths=1.1 if few else 0.7,
                alpha=1.0 if few else 0.7,
                linestyles=line,
                label=f"{name} tripped ({len(own):,})" if panel is panels[0] else "",
                zorder=2,
            )
    _tint(panels, analysis)


def mark_warnings(panel: Axes, record: RunRecord) -> None:
    """A sign at the top of the panel for each warning, cash flow and alarm, lighter than a trip."""
    for kind, (sign, colour, size, label) in _BOOK_SIGNS.items():
        rows = [row for row in record.notices if row["kind"] == kind]
        if rows:
            panel.plot(
                days_of(_stamps(rows)),
                np.full(len(rows), 0.965),
                transform=panel.get_xaxis_transform(),
                linestyle="none",
                marker=sign,
                markersize=size if len(rows) <= _MANY else size / 2,
                color=colour,
                label=f"{label} ({len(rows):,})",
            )


def mark_exits(panel: Axes, analysis: Analysis, instrument: str) -> None:
    """A sign at the price for each exit that was attached, ran out of time or was lost in this instrument."""
    prices = analysis.prices[instrument]
    names = re.compile(rf"(?<![\w.]){re.escape(instrument)}(?![\w])")
    for kind, (sign, colour, size, label) in _EXIT_SIGNS.items():
        rows = [row for row in analysis.record.notices if row["kind"] == kind and names.search(row["reason"])]
        if rows:
            ts = _stamps(rows)
            seen = np.maximum(np.searchsorted(prices.ts, ts, side="right") - 1, 0)
            panel.plot(
                days_of(ts),
                prices.close[seen],
                linestyle="none",
                marker=sign,
                markersize=size if len(rows) <= _MANY else size / 2,
                markeredgewidth=0.7 if kind == "PROTECTED" else 1.2,
                markerfacecolor="none" if kind == "PROTECTED" else colour,
                color=colour,
                label=f"{label} ({len(rows):,})",
                zorder=5,
            )


def _tint(panels: Sequence[Axes], analysis: Analysis) -> None:
    first, last = (int(stamp) for stamp in analysis.equity.ts[[0, -1]])
    wide = [
        span for span in _halted(analysis.record, last) if span[1] - span[0] > (last - first) * _LEAST_HALT
    ]
    for panel in panels:
        for span in wide:
            start, end = days_of(np.array(span, np.int64))
            label = "halted" if span is wide[0] and panel is panels[0] else ""
            panel.axvspan(start, end, color=_RED, alpha=0.07, linewidth=0, zorder=0, label=label)


def _halted(record: RunRecord, last: int) -> list[tuple[int, int]]:
    """From when until when the whole book was halted: UTC ns, in order, none touching the next."""
    spans: list[tuple[int, int]] = []
    for halt in halts(record):
        start, end = halt.trip["ts"], last if halt.ended == "END_OF_RUN" else halt.until
        if halt.trip["scope"] != BOOK or end is None:
            continue
        if spans and start <= spans[-1][1]:
            before = spans.pop()
            start, end = before[0], max(before[1], end)
        spans.append((start, end))
    return spans


def _name(trip: Row) -> str:
    """The breaker, and for whom where that is not the whole book."""
    return str(trip["breaker"] if trip["scope"] == BOOK else f"{trip['breaker']} {trip['scope']}")


def _stamps(rows: Iterable[Row]) -> IntArray:
    return np.array([row["ts"] for row in rows], np.int64)


def _make_foot(panel: Axes, share: float) -> None:
    """Lower the panel's bottom until this share of its height is free, on a log scale too; no tick is named there."""
    from matplotlib.ticker import FuncFormatter  # noqa: PLC0415 - matplotlib is loaded only for a plot

    bottom, top = panel.get_ylim()
    if panel.get_yscale() == "log":
        panel.set_ylim(top / (top / bottom) ** (1.0 / (1.0 - share)))
    else:
        panel.set_ylim(top - (top - bottom) / (1.0 - share))
    told = panel.yaxis.get_major_formatter()
    panel.yaxis.set_major_formatter(
        FuncFormatter(lambda value, place: "" if value < bottom else told(value, place))
    )
