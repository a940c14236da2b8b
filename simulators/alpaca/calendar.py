"""When is the American stock market open? Real sessions, half days included, and the extended hours around them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from market.sessions import DAY_NANOS, exchange_sessions
from simulators.alpaca.wire import NANOS

EPOCH = date(1970, 1, 1)
_PRE, _POST = int(5.5 * 3600) * NANOS, 4 * 3600 * NANOS
THURSDAY = 3
PRE, REGULAR, POST, CLOSED = "pre", "regular", "post", "closed"


@dataclass(frozen=True, slots=True)
class Session:
    """One day of trading; times in UTC nanoseconds. Extended hours are 04:00 to the open, and four hours more."""

    day: date
    open: int
    close: int

    @property
    def first(self) -> int:
        """When the hours before the open begin."""
        return self.open - _PRE

    @property
    def last(self) -> int:
        """When the hours after the close end."""
        return self.close + _POST

    def phase(self, stamp: int) -> str:
        """Which part of this day a moment is in."""
        if self.open <= stamp < self.close:
            return REGULAR
        if self.first <= stamp < self.open:
            return PRE
        return POST if self.close <= stamp < self.last else CLOSED

    def row(self) -> dict[str, str]:
        """As on the wire of /v2/calendar."""
        return {
            "date": self.day.isoformat(),
            "open": _clock(self.open, "%H:%M"),
            "close": _clock(self.close, "%H:%M"),
            "session_open": _clock(self.first, "%H%M"),
            "session_close": _clock(self.last, "%H%M"),
            "settlement_date": (
                self.day + timedelta(days=1 if self.day.weekday() <= THURSDAY else 3)
            ).isoformat(),
        }


class Calendar:
    """The sessions of some years, and which of them a moment belongs to."""

    def __init__(self, first_ns: int, last_ns: int) -> None:
        """Sessions from around `first_ns` to a good year after `last_ns`."""
        found = exchange_sessions("XNYS", first_ns, last_ns + 366 * DAY_NANOS)
        if found is None:
            raise ValueError("XNYS has no sessions")
        self.sessions = [
            Session(EPOCH + timedelta(days=int(day)), int(opened), int(closed))
            for day, opened, closed in zip(found.days, found.opens, found.closes, strict=True)
        ]
        self._lasts = [each.last for each in self.sessions]
        self._closes = [each.close for each in self.sessions]
        self._opens = [each.open for each in self.sessions]
        self._by_day = {each.day: each for each in self.sessions}

    def of(self, day: date) -> Session | None:
        """The session of a day."""
        return self._by_day.get(day)

    def current(self, stamp: int) -> Session:
        """The session that a moment is in, or the next one."""
        return self.sessions[bisect_right(self._lasts, stamp)]

    def phase(self, stamp: int) -> str:
        """pre, regular, post or closed."""
        return self.current(stamp).phase(stamp)

    def next_open(self, stamp: int) -> int:
        """The first open after a moment."""
        return self._opens[bisect_right(self._opens, stamp)]

    def next_close(self, stamp: int) -> int:
        """The first close after a moment."""
        return self._closes[bisect_right(self._closes, stamp)]

    def between(self, first: date, last: date) -> list[Session]:
        """Sessions of the days from `first` to `last`, both included."""
        return [each for each in self.sessions if first <= each.day <= last]


def new_york() -> ZoneInfo:
    """The market's zone; read from disk when it is first needed."""
    return ZoneInfo("America/New_York")


def local(stamp: int) -> str:
    """New York's time, as /v2/clock writes it."""
    secs, rest = divmod(stamp, NANOS)
    text = datetime.fromtimestamp(secs, new_york()).isoformat()
    return f"{text[:19]}.{rest:09d}{text[19:]}" if rest else text


def day_at(stamp: int) -> date:
    """The day in New York."""
    return datetime.fromtimestamp(stamp // NANOS, new_york()).date()


def moment(day: date, clock: str) -> int:
    """A time of day in New York, such as `10:00`."""
    hour, minute = map(int, clock.split(":"))
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=new_york()).timestamp()) * NANOS


def _clock(stamp: int, form: str) -> str:
    return datetime.fromtimestamp(stamp // NANOS, new_york()).strftime(form)
