"""What was the account worth, day by day, and what did it earn?

Amounts are exact. Ratios come from growth (runs/growth.py): equity with deposits and withdrawals taken out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from live._periods import Days, bucket
from live._report_found import Row, Series
from risk import measures
from runs.growth import FloatArray, Flow, Point, growth
from runs.market_model import FEWEST

SEVEN_DAYS_FROM = 300  # a market with so many days a year trades on weekends
MOST_DAYS = 62
SATURDAY = 5
LONGEST_STEP = 5
"""Days from one session to the next, at most, where markets rest: Easter has one less, a long weekend two."""
FLOW = re.compile(r" of (?P<amount>-?[\d,]+(\.\d+)?); equity ")
"""How risk/breaker.py tells the amount of a cash flow, in the account's currency, to the cent."""


@dataclass(frozen=True, slots=True)
class Day:
    """A session day. start and end: equity before its first snapshot and at its last; flow: what was paid in or out.

    pnl: end - start - flow; part: the same as a fraction, None where equity was not above zero.
    """

    day: date
    start: Decimal
    end: Decimal
    flow: Decimal
    pnl: Decimal
    part: float | None


@dataclass(frozen=True, slots=True)
class Value:
    """Equity over a period. points: what it began with, then every snapshot with a known equity.

    grown: what one unit of money became by each point; None without points or where equity was not above zero.
    days: session days that have a point. unread: cash flows whose amount could not be read.
    """

    points: Sequence[Point]
    flows: Sequence[Flow]
    grown: FloatArray | None
    days: Sequence[Day]
    unread: int = 0
    trading_days: Sequence[date] = ()
    """Those of `days` on which the market is open: without weekends where it has them off."""
    levels: FloatArray | None = None
    """What one unit of money became by the end of each trading day, 1 before them: shape (trading days + 1,)."""
    before: date | None = None
    """The day of the first point, which is what the first trading day is measured from."""
    longest_step: int = 1
    """Days from one trading day to the next, at most: with a weekend and a holiday, where there are any."""

    @property
    def start(self) -> Decimal | None:
        """Equity before the period's first snapshot; of an account's first day what it began with."""
        return self.points[0].equity if self.points else None

    @property
    def end(self) -> Decimal | None:
        """Equity at the newest snapshot."""
        return self.points[-1].equity if self.points else None

    @property
    def deposits(self) -> Decimal:
        """What was paid in."""
        return sum((flow.amount for flow in self.flows if flow.amount > 0), Decimal(0))

    @property
    def withdrawals(self) -> Decimal:
        """What was paid out, a positive amount."""
        return -sum((flow.amount for flow in self.flows if flow.amount < 0), Decimal(0))

    @property
    def pnl(self) -> Decimal | None:
        """What equity changed by, without what was paid in and out: commission is in it. None: not known."""
        if self.start is None or self.end is None or self.unread:
            return None
        return self.end - self.start - self.deposits + self.withdrawals

    @property
    def part(self) -> float | None:
        """The time-weighted return: a fraction."""
        return None if self.grown is None or self.unread else float(self.grown[-1]) - 1.0

    @property
    def max_drawdown(self) -> float | None:
        """The deepest fall of growth from its highest so far, between snapshots of the period: a positive fraction."""
        return None if self.grown is None or self.unread else measures.max_drawdown(self.grown)

    @property
    def is_daily(self) -> NDArray[np.bool_]:
        """Whether each trading day is measured from the one before it: shape (trading days,).

        Not so where a node did not run, or a replay was too fast to be looked at every day.
        """
        days = [self.before or date.min, *self.trading_days]
        steps = [(after - before).days for before, after in pairwise(days)]
        return np.array(steps, dtype=np.int64) <= self.longest_step

    @property
    def stretched(self) -> int:
        """How many trading days have a result that is not theirs alone, since the snapshot before it is older."""
        return int(np.count_nonzero(~self.is_daily))

    @property
    def by_month(self) -> bool:
        """Whether there are so many days that months tell more."""
        return len(self.days) > MOST_DAYS

    @property
    def steps(self) -> Sequence[Day]:
        """The days, or months where there are many; a month is named by its first day that was looked at."""
        if not self.by_month:
            return self.days
        months: dict[date, list[Day]] = {}
        for day in self.days:
            months.setdefault(bucket(day.day, "month"), []).append(day)
        return [_together(days) for days in months.values()]

    @property
    def returns(self) -> FloatArray:
        """Of each trading day that is measured from the one before: fractions; empty where they are not known."""
        found = None if self.levels is None or self.unread else measures.returns(self.levels)
        return np.empty(0) if found is None else found[self.is_daily]

    def sharpe(self, days_per_year: int) -> float | None:
        """Of daily returns, a year, with a risk-free rate of zero; None for too few, or where they do not differ."""
        return None if len(self.returns) < FEWEST else measures.sharpe(self.returns, days_per_year)


def _together(days: Sequence[Day]) -> Day:
    part = (
        None
        if any(day.part is None for day in days)
        else math.prod(1.0 + (day.part or 0.0) for day in days) - 1.0
    )
    flow, pnl = (sum((getattr(day, name) for day in days), Decimal(0)) for name in ("flow", "pnl"))
    return Day(days[0].day, days[0].start, days[-1].end, flow, pnl, part)


def value_of(series: Series, days: Days, days_per_year: int) -> Value:
    """The value of an account over a series of snapshots; days: its session days."""
    points = _points(series)
    flows, unread = _flows(series, points)
    grown = growth(points, flows)
    ends = _ends(points, days)
    found = _days(points, flows, grown, ends, days)
    trading = [place for place, day in enumerate(found) if _trading_day(day.day, days_per_year) == day.day]
    levels = None if grown is None else np.array([1.0, *(grown[ends[place]] for place in trading)])
    return Value(
        points, flows, grown, found, unread, tuple(found[place].day for place in trading), levels,
        before=_trading_day(days.day_of(points[0].ts), days_per_year) if points else None,
        longest_step=1 if days_per_year >= SEVEN_DAYS_FROM else LONGEST_STEP,
    )  # fmt: skip


def _trading_day(day: date, days_per_year: int) -> date:
    """The day, or the Friday before it where markets rest on weekends."""
    if days_per_year >= SEVEN_DAYS_FROM:
        return day
    return day - timedelta(days=max(0, day.weekday() - SATURDAY + 1))


def _points(series: Series) -> list[Point]:
    """What it begins with, then every snapshot, in the order of their stamps.

    It begins with the snapshot before them; an account without one with what its first run began with.
    """
    inside = {row["ts"]: row["equity"] for row in series.snapshots}
    points = [Point(ts, inside[ts]) for ts in sorted(inside)]
    if not points:
        return []
    if series.before is not None:
        return [Point(series.before["ts"], series.before["equity"]), *points]
    first = points[0]
    return [first if series.starting is None else Point(first.ts - 1, series.starting), *points]


def _flows(series: Series, points: Sequence[Point]) -> tuple[list[Flow], int]:
    """Money that came or left between the first and the last point; and how many rows tell no amount."""
    flows, unread = [], 0
    for row in series.flows:
        if points and points[0].ts < row["ts"] <= points[-1].ts:
            amount = flow_amount(row)
            if amount is None:
                unread += 1
            else:
                flows.append(Flow(row["ts"], amount))
    return sorted(flows, key=lambda flow: flow.ts), unread


def flow_amount(row: Row) -> Decimal | None:
    """What came in (above zero) or left, in the account's currency: as its row says, else as its sentence does."""
    equity, reference = row["equity"], row["reference"]
    if equity is not None and reference is not None:
        return Decimal(equity - reference)
    told = FLOW.search(row["reason"])
    return None if told is None else Decimal(told["amount"].replace(",", ""))


def _ends(points: Sequence[Point], days: Days) -> list[int]:
    """Place of the last point of each session day of the period; the first point is from before it."""
    last: dict[date, int] = {}
    for place, point in enumerate(points[1:], start=1):
        last[days.day_of(point.ts)] = place
    return list(last.values())


def _days(
    points: Sequence[Point], flows: Sequence[Flow], grown: FloatArray | None, ends: Sequence[int], days: Days
) -> list[Day]:
    found, before = [], 0
    for place in ends:
        start, end = points[before], points[place]
        flow = sum((each.amount for each in flows if start.ts < each.ts <= end.ts), Decimal(0))
        part = None if grown is None else float(grown[place] / grown[before]) - 1.0
        pnl = end.equity - start.equity - flow
        found.append(Day(days.day_of(end.ts), start.equity, end.equity, flow, pnl, part))
        before = place
    return found
