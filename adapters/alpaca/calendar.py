"""When does the US share market trade? As the broker says it: half days, holidays and the clock it goes by."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._parsing_data import NANOS, Row, nanos_of

NEW_YORK = "America/New_York"
DAY_NANOS = 86_400 * NANOS
SLACK = timedelta(days=7)
"""Asked for beyond either end of a window: no weekend and holidays together are longer."""


@dataclass(frozen=True, slots=True)
class MarketClock:
    """What the broker's clock shows; UTC nanoseconds."""

    now_ns: int
    is_open: bool
    next_open_ns: int
    next_close_ns: int


@dataclass(frozen=True, slots=True)
class Session:
    """One day of regular trading; `day` is New York's, the rest UTC nanoseconds."""

    day: date
    opens: int
    closes: int


class Calendar:
    """Sessions in order of time. Knows nothing outside the window that was asked for."""

    def __init__(self, sessions: list[Session]) -> None:
        """`sessions` oldest first."""
        self.sessions = sessions
        self._opens = [each.opens for each in sessions]
        self._closes = [each.closes for each in sessions]
        self._days = {each.day: each for each in sessions}

    def covers(self, ts: int) -> bool:
        """Whether the window reaches this stamp."""
        return bool(self.sessions) and self._opens[0] <= ts <= self._closes[-1]

    def session_at(self, ts: int) -> Session | None:
        """The session with `open <= ts < close`."""
        at = bisect_right(self._opens, ts) - 1
        return self.sessions[at] if at >= 0 and ts < self._closes[at] else None

    def of_day(self, day: date) -> Session | None:
        """The session of a day in New York; None on a day without."""
        return self._days.get(day)

    def day_at(self, ts: int) -> Session | None:
        """The session of the New York day that a stamp falls on, whatever the hour."""
        return self.of_day(day_of(ts))

    def inside(self, start: int, end: int) -> bool:
        """Whether a bar from `start` to `end` lies in one session."""
        session = self.session_at(start)
        return session is not None and end <= session.closes

    def next_after(self, ts: int) -> Session | None:
        """The first session that opens after a stamp."""
        at = bisect_right(self._opens, ts)
        return self.sessions[at] if at < len(self.sessions) else None

    def back(self, ts: int, count: int) -> int:
        """The open of the session that many sessions before a stamp, or of the first one known."""
        at = bisect_left(self._opens, ts) - count
        return self._opens[max(0, at)] if self.sessions else ts


async def read_clock(api: AlpacaApi) -> MarketClock:
    """The broker's clock. Raises adapters.outcomes.RequestError."""
    row: Row = await api.call(api.trading.get, "/clock")
    return MarketClock(
        nanos_of(row["timestamp"]),
        bool(row["is_open"]),
        nanos_of(row["next_open"]),
        nanos_of(row["next_close"]),
    )


async def read_calendar(api: AlpacaApi, first_ns: int, last_ns: int) -> Calendar:
    """The sessions of a window, and of some days around it. Raises adapters.outcomes.RequestError."""
    window = {"start": str(day_of(first_ns) - SLACK), "end": str(day_of(last_ns) + SLACK)}
    rows: list[Row] = await api.call(api.trading.get, "/calendar", window)
    return Calendar(sorted((session_of(row) for row in rows), key=lambda each: each.opens))


def session_of(row: Row) -> Session:
    """One row of the calendar: `{"date": "2026-11-27", "open": "09:30", "close": "13:00", ...}`."""
    day = date.fromisoformat(row["date"])
    return Session(day, _at(day, row["open"]), _at(day, row["close"]))


def day_of(ts: int) -> date:
    """The day in New York of a stamp."""
    return datetime.fromtimestamp(ts // NANOS, UTC).astimezone(ZoneInfo(NEW_YORK)).date()


def midnight(day: date) -> int:
    """When a day begins in New York, UTC nanoseconds."""
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(NEW_YORK)).timestamp()) * NANOS


def _at(day: date, clock: Any) -> int:
    digits = str(clock).replace(":", "")
    moment = datetime(
        day.year, day.month, day.day, int(digits[:2]), int(digits[2:4]), tzinfo=ZoneInfo(NEW_YORK)
    )
    return int(moment.timestamp()) * NANOS
