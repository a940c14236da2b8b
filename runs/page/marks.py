"""Where do refusals, trips and warnings stand on the page's curves?

At the bar they happened, as signs that tell when and why where the mouse rests: refusals below the curves, a row a
limit, warnings and trips on the run's own curve, a trip with a line. A click on their name in the legend hides them.
"""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from risk.scopes import BOOK
from runs.page.series import LIMITS, TRIP, WARNING, stamps_of
from runs.times import short

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runs.page.seen import Seen
    from runs.prices import FloatArray
    from runs.record import Row

_MOST = 300  # signs of one name; of more, this many evenly spread ones are shown
_WIDTH = 70  # characters of a line in the box beside the mouse


@dataclass(frozen=True, slots=True)
class Mark:
    """Signs of one name on a curve. bars: their places in the run's own stamps; said: when and why, each."""

    name: str
    kind: str
    colour: str
    symbol: str
    bars: list[int]
    said: list[str]


def marks_of(seen: Seen) -> list[Mark]:
    """Refusals by limit, the most frequent two by name; warnings; trips by breaker and scope."""
    counts: dict[str, list[Row]] = {}
    for row in seen.refusals:
        counts.setdefault(row["limit"], []).append(row)
    frequent = sorted(counts, key=lambda limit: (-len(counts[limit]), limit))
    named = frequent if len(frequent) <= len(LIMITS) else frequent[: len(LIMITS) - 1]
    others = [row for row in seen.refusals if row["limit"] not in named]
    groups = [(f"refused {limit}", counts[limit]) for limit in named]
    groups += [("refused by other limits", others)] if others else []
    marks = [
        _mark(name, "refusal", colour, "line-ns-open", rows, seen)
        for (name, rows), colour in zip(groups, LIMITS, strict=False)
    ]
    warnings = [row for row in seen.notices if row["kind"] == "WARNING"]
    marks += [_mark("warning", "warning", WARNING, "triangle-down", warnings, seen)] if warnings else []
    trips: dict[str, list[Row]] = {}
    for row in seen.trips:
        scope = "" if row["scope"] == BOOK else f" {row['scope']}"
        trips.setdefault(f"{row['breaker']}{scope} tripped", []).append(row)
    return marks + [_mark(name, "trip", TRIP, "x", rows, seen) for name, rows in trips.items()]


def traces_of(
    marks: Iterable[Mark],
    seen: Seen,
    curve: FloatArray,
    heights: tuple[float, float],
    rows: Sequence[float] = (),
) -> list[dict[str, Any]]:
    """Refusals in these rows, other signs on the curve, and a line over these heights for each trip.

    curve: shape (n,), at the run's own stamps. Only a curve with rows names its marks in the legend, so that each is
    there once.
    """
    traces: list[dict[str, Any]] = []
    foot = iter(rows)
    for mark in marks:
        shared = {"type": "scatter", "name": html.escape(mark.name), "legendgroup": mark.name}
        at = stamps_of(seen.ts[mark.bars], seen.zone)
        if mark.kind == "trip":
            days = sorted(set(at))
            line = {"color": mark.colour, "width": 1, "dash": "dot"}
            traces.append(
                {"x": [x for day in days for x in (day, day, None)], "y": [*heights, None] * len(days),
                 "mode": "lines", "line": line, "hoverinfo": "skip", "showlegend": False, **shared}
            )  # fmt: skip
        on = [next(foot)] * len(at) if mark.kind == "refusal" else curve[mark.bars].tolist()
        edge = {"color": mark.colour, "width": 1.2}
        traces.append(
            {"x": at, "y": on, "mode": "markers", "text": mark.said, "hovertemplate": "%{text}<extra></extra>",
             "marker": {"symbol": mark.symbol, "color": mark.colour, "size": 7, "line": edge},
             "showlegend": bool(rows), **shared}
        )  # fmt: skip
    return traces


def _mark(  # noqa: PLR0913 - what it is called, how it looks, and what it marks
    name: str, kind: str, colour: str, symbol: str, rows: list[Row], seen: Seen
) -> Mark:
    shown = rows
    if len(rows) > _MOST:
        shown = [rows[place] for place in np.linspace(0, len(rows) - 1, _MOST).astype(int)]
    bars = np.searchsorted(seen.ts, [row["ts"] for row in shown]).clip(max=len(seen.ts) - 1)
    count = f"{len(rows):,}" if shown is rows else f"{_MOST} of {len(rows):,}"
    return Mark(
        f"{name} ({count})", kind, colour, symbol, bars.tolist(), [_said(row, seen.zone) for row in shown]
    )


def _said(row: Row, zone: str) -> str:
    lines = textwrap.wrap(row["reason"], _WIDTH)
    return "<br>".join([short(row["ts"], zone), *map(html.escape, lines)])
