"""What did each month and each year bring?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from runs.page.html import escaped
from runs.wording import percent

if TYPE_CHECKING:
    from runs.page.seen import Seen
    from runs.prices import FloatArray

_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STRONGEST = 0.6  # opacity of the largest moves: one month in twenty
_LEAST = 0.01  # a move no larger than this is never strong


@dataclass(frozen=True)
class Year:
    """Returns as fractions: months by number (1 to 12; None: no session day), the year's, and buy-and-hold's."""

    year: int
    months: dict[int, float]
    total: float
    benchmark: float


def years_of(seen: Seen) -> list[Year]:
    """Every calendar year of the run, oldest first; empty where equity or buy-and-hold fell to nothing."""
    own, hold = seen.by_day(seen.equity), seen.by_day(seen.benchmark)
    if (own <= 0).any() or (hold <= 0).any():
        return []
    clock = ZoneInfo(seen.zone)
    # A bar that ends at midnight belongs to the day before.
    days = [datetime.fromtimestamp((stamp - 1) // 10**9, clock) for stamp in seen.ts[seen.days].tolist()]
    ends = {(day.year, day.month): place for place, day in enumerate(days, start=1)}
    found: dict[int, dict[int, float]] = {}
    starts: dict[int, int] = {}
    before = 0
    for (year, month), place in ends.items():
        starts.setdefault(year, before)
        found.setdefault(year, {})[month] = _grown(own, before, place)
        before = place
    closing = {year: place for (year, _), place in ends.items()}
    return [
        Year(
            year, months, _grown(own, starts[year], closing[year]), _grown(hold, starts[year], closing[year])
        )
        for year, months in found.items()
    ]


def months_table(seen: Seen) -> str:
    """The table as HTML, a row a year; the stronger the colour, the larger the move."""
    years = years_of(seen)
    if not years:
        return "<p>Equity fell to nothing: no month's return is defined.</p>"
    month_full = _large([month for each in years for month in each.months.values()])
    year_full, hold_full = _large([each.total for each in years]), _large([each.benchmark for each in years])
    head = "".join(f"<th>{name}</th>" for name in ("", *_NAMES, "Year", "Buy and hold"))
    rows = "".join(
        f"<tr><th>{each.year}</th>"
        + "".join(_cell(each.months.get(month), month_full) for month in range(1, 13))
        + _cell(each.total, year_full, strong=True)
        + _cell(each.benchmark, hold_full)
        + "</tr>"
        for each in years
    )
    return f'<div class="wide"><table class="months"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _cell(fraction: float | None, full: float, *, strong: bool = False) -> str:
    if fraction is None:
        return "<td></td>"
    depth = round(min(abs(fraction) / full, 1.0) * _STRONGEST, 2)
    colour = "42,157,111" if fraction >= 0 else "208,80,74"
    text = escaped(percent(round(fraction, 3) + 0.0))  # no -0.0%
    return f'<td style="background:rgba({colour},{depth})">{f"<b>{text}</b>" if strong else text}</td>'


def _large(fractions: list[float]) -> float:
    """A move that only one in twenty exceeds."""
    return max(float(np.quantile(np.abs(fractions), 0.95)), _LEAST)


def _grown(amounts: FloatArray, start: int, end: int) -> float:
    return float(amounts[end] / amounts[start] - 1.0)
