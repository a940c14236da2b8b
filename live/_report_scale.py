"""Where does a value lie in a picture, and which values are worth a line and a label?"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil, floor, log10
from zoneinfo import ZoneInfo

NANOS = 1_000_000_000
PAUSE = 4  # times the usual step
MOST_POINTS = 900  # as many as the width of the picture can show
NICE = (1, 2, 2.5, 5, 10)
HOURS = (1, 2, 3, 4, 6, 12)
DAYS = (1, 2, 3, 5, 7, 14)
MONTHS = (1, 2, 3, 6, 12, 24, 60)
DAY_SECS, MONTH_SECS = 86_400, 2_629_800

type Line = Sequence[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values from `low` to `high` to pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The pixel of a value, to a tenth."""
        span = self.high - self.low
        share = (value - self.low) / span if span else 0.5
        return round(self.start + share * (self.end - self.start), 1)


def ticks(low: float, high: float, most: int) -> list[float]:
    """At most so many round values between two others; one where they are the same."""
    if high <= low:
        return [low]
    rough = (high - low) / most
    unit = 10.0 ** floor(log10(rough))
    step = next(unit * each for each in NICE if unit * each >= rough)
    first = ceil(low / step)
    return [round((first + place) * step, 10) for place in range(floor(high / step) - first + 1)]


def time_ticks(low_ns: int, high_ns: int, zone: str, most: int) -> list[tuple[int, str]]:
    """At most so many round moments between two others (UTC ns), and what they are called in `zone`."""
    secs = (high_ns - low_ns) / NANOS
    low = datetime.fromtimestamp(low_ns / NANOS, UTC).astimezone(ZoneInfo(zone))
    if secs <= 2 * DAY_SECS:
        hours = next((each for each in HOURS if secs / 3_600 / each <= most), HOURS[-1])
        return _called(_hours(low, hours), high_ns, "%H:%M", low_ns)
    if secs <= DAYS[-1] * most * DAY_SECS:
        step = next(each for each in DAYS if secs / DAY_SECS / each <= most)
        return _called(_days(low, step), high_ns, "%b %-d", low_ns)
    step = next((each for each in MONTHS if secs / MONTH_SECS / each <= most), MONTHS[-1])
    return _called(_months(low, step), high_ns, "%b %Y", low_ns)


def _hours(low: datetime, step: int) -> list[datetime]:
    begin = low.replace(minute=0, second=0, microsecond=0)
    begin = begin.replace(hour=begin.hour // step * step)
    return [begin + timedelta(hours=step * each) for each in range(60)]


def _days(low: datetime, step: int) -> list[datetime]:
    begin = low.replace(hour=0, minute=0, second=0, microsecond=0)
    return [begin + timedelta(days=step * each) for each in range(60)]


def _months(low: datetime, step: int) -> list[datetime]:
    begin = low.replace(
        month=(low.month - 1) // min(step, 12) * min(step, 12) + 1,
        day=1,
        hour=0,
        minute=0,
        second=0,
        microsecond=0,
    )
    found = []
    for each in range(60):
        months = begin.month - 1 + step * each
        found.append(begin.replace(year=begin.year + months // 12, month=months % 12 + 1))
    return found


def _called(moments: Sequence[datetime], high_ns: int, name: str, low_ns: int) -> list[tuple[int, str]]:
    found = [(int(each.timestamp()) * NANOS, each.strftime(name)) for each in moments]
    return [each for each in found if low_ns <= each[0] <= high_ns]


def held(line: Line) -> Line:
    """The line with its value kept over long pauses, instead of a slope that nobody saw."""
    steps = sorted(after - before for (before, _), (after, _) in pairwise(line))
    if not steps:
        return line
    usual = steps[len(steps) // 2]
    found = list(line[:1])
    for (before, value), point in pairwise(line):
        if point[0] - before > PAUSE * usual:
            found.append((point[0] - min(usual, 1), value))
        found.append(point)
    return found


def thinned(line: Line) -> Line:
    """The lowest and the highest point of each of many stretches: what a picture of this width can show."""
    if len(line) <= MOST_POINTS:
        return line
    low, high = line[0][0], line[-1][0]
    edges = [low + (high - low) * each // (MOST_POINTS // 2) for each in range(MOST_POINTS // 2 + 1)]
    stamps = [ts for ts, _ in line]
    places = [bisect_left(stamps, edge) for edge in edges]
    kept = {0, len(line) - 1}
    for start, end in pairwise(places):
        stretch = range(start, end)
        if stretch:
            kept |= {min(stretch, key=lambda at: line[at][1]), max(stretch, key=lambda at: line[at][1])}
    return [line[place] for place in sorted(kept)]
