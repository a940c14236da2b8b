"""How do the trades of a run lie on the price of each instrument?"""

from __future__ import annotations

import html
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from runs.page.charts import across
from runs.page.series import AMBER, BLUE, GREEN, GREY, RED, is_log, line, stamps_of
from runs.times import short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runs.page.seen import Closes, Seen
    from runs.page.series import Chart
    from runs.trades import Trade

MOST_PANELS = 8
MOST_TRADES = 150
"""On one panel: of more, those with the largest profit or loss are drawn."""
_POINTS = 1_000


def shown_instruments(seen: Seen) -> list[str]:
    """Instruments with a panel: all in their order, or the most traded where they are too many."""
    names = seen.instruments
    if len(names) <= MOST_PANELS:
        return names
    counts = Counter(trade.instrument for trade in seen.trades)
    return sorted(names, key=lambda name: (-counts[name], names.index(name)))[:MOST_PANELS]


def trades_chart(seen: Seen, name: str) -> Chart:
    """Closes; each trade as a line, green where it earned; arrows at entries; refusals at the foot."""
    own, data = seen.prices.get(name), []
    trades = drawn([trade for trade in seen.trades if trade.instrument == name])
    if own is not None:
        style = {"line": {"color": GREY, "width": 1}, "showlegend": False, "hovertemplate": "%{x}<br>%{y}"}
        data.append(line(own.ts, own.close, seen.zone, "close", points=_POINTS, **style))
    for label, colour, kept in (
        ("won", GREEN, [trade for trade in trades if trade.pnl > 0]),
        ("lost", RED, [trade for trade in trades if trade.pnl <= 0]),
    ):
        if kept:
            data.append(_lines(label, colour, kept, seen, own))
    for side, symbol, label in (("LONG", "triangle-up", "bought"), ("SHORT", "triangle-down", "sold short")):
        entered = [trade for trade in trades if trade.side == side]
        if entered:
            data.append(_arrows(label, symbol, entered, seen))
    data += _refused(seen, name, own)
    y = {"tickformat": ",.10~g"}
    if own is not None and is_log(own.close):
        y |= {"type": "log", "dtick": "D2"}
    return {"data": data, "layout": {"yaxis": y, "xaxis": across(seen), "height": 300}}


def drawn(trades: Sequence[Trade]) -> list[Trade]:
    """All, or those with the largest profit or loss, in the order they were entered."""
    if len(trades) <= MOST_TRADES:
        return list(trades)
    largest = sorted(trades, key=lambda trade: -abs(trade.pnl))[:MOST_TRADES]
    return sorted(largest, key=lambda trade: trade.entry_ts)


def trades_line(seen: Seen, name: str) -> str:
    """`21 trades, 9 won, P&L +33,187.76 USD`, and what is not drawn."""
    trades = [trade for trade in seen.trades if trade.instrument == name]
    closed = [trade for trade in trades if not trade.is_open]
    won = sum(trade.pnl > 0 for trade in closed)
    told = (seen.summary.contributions or {}).get("instruments", [])
    gain = next(
        (part.pnl for part in told if part.name == name), sum((trade.pnl for trade in trades), Decimal(0))
    )
    text = f"{len(closed):,} trades, {won:,} won"
    text += f", {len(trades) - len(closed):,} open" if len(trades) > len(closed) else ""
    text += f", P&L {gain:+,.2f} {seen.summary.currency}" if trades else ""
    rest = f"; drawn are the {MOST_TRADES} with the largest profit or loss, positions.parquet has all"
    return text + (rest if len(trades) > MOST_TRADES else "")


def _lines(label: str, colour: str, trades: Sequence[Trade], seen: Seen, own: Closes | None) -> Chart:
    """One trace for all: entry, exit, gap. An open trade ends at the last close."""
    last_ts, last = int(seen.ts[-1]), None if own is None else float(own.close[-1])
    ends = [last_ts if trade.exit_ts is None else trade.exit_ts for trade in trades]
    starts, closes = (
        stamps_of(np.array(each), seen.zone) for each in ([trade.entry_ts for trade in trades], ends)
    )
    x: list[str | None] = []
    y: list[float | None] = []
    text: list[str | None] = []
    for trade, start, end in zip(trades, starts, closes, strict=True):
        exit_price = float(trade.exit_price) if trade.exit_price is not None else last
        x += [start, end, None]
        y += [float(trade.entry_price), exit_price, None]
        text += [(said := _said(trade, seen)), said, None]
    return {
        "type": "scatter", "mode": "lines", "name": label, "x": x, "y": y, "text": text,
        "hovertemplate": "%{text}<extra></extra>", "line": {"color": colour, "width": 2},
    }  # fmt: skip


def _arrows(label: str, symbol: str, trades: Sequence[Trade], seen: Seen) -> Chart:
    return {
        "type": "scatter", "mode": "markers", "name": label,
        "x": stamps_of(np.array([trade.entry_ts for trade in trades]), seen.zone),
        "y": [float(trade.entry_price) for trade in trades],
        "hoverinfo": "skip", "marker": {"symbol": symbol, "size": 7, "color": BLUE},
    }  # fmt: skip


def _refused(seen: Seen, name: str, own: Closes | None) -> list[Chart]:
    """Where orders in this instrument were refused: ticks below the prices."""
    rows = [row for row in seen.refusals if row["instrument"] == name]
    if not rows or own is None:
        return []
    low, high = float(own.close.min()), float(own.close.max())
    foot = low * (low / high) ** 0.05 if is_log(own.close) else low - (high - low or 1.0) * 0.05
    at = np.array([row["ts"] for row in rows])[
        np.unique(np.linspace(0, len(rows) - 1, MOST_TRADES).astype(int))
    ]
    return [
        {"type": "scatter", "mode": "markers", "name": f"refused ({len(rows):,})",
         "x": stamps_of(at, seen.zone), "y": [foot] * len(at), "hoverinfo": "x",
         "marker": {"symbol": "line-ns-open", "size": 7, "color": AMBER, "line": {"width": 1.2, "color": AMBER}}}
    ]  # fmt: skip


def _said(trade: Trade, seen: Seen) -> str:
    left = (
        "still open"
        if trade.exit_ts is None
        else f"{short(trade.exit_ts, seen.zone)} at {float(trade.exit_price or 0):.6g}"
    )
    return (
        f"{trade.side} {trade.quantity.normalize():f}, {html.escape(trade.strategy)}<br>"
        f"{short(trade.entry_ts, seen.zone)} at {float(trade.entry_price):.6g}<br>{left}<br>"
        f"P&amp;L {trade.pnl:+,.2f} ({trade.pnl_pct:+.1%})"
    )
