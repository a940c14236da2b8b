"""To which session day does a moment belong, and when does that day end?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from risk.calendars import exchange
from risk.hours import known_calendar

NANOS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class SessionDays:
    """Session days by the clock of one zone, or with a calendar by the sessions of one exchange.

    By the clock each begins at the same local time whatever daylight saving does. By the exchange a day ends one
    nanosecond after its session's close: a bar stamped at the close belongs to that session, and evenings, weekends
    and holidays belong to the next one.
    """

    zone: ZoneInfo
    start: time = field(default=time(0, 0))
    calendar: str | None = None

    @classmethod
    def of(cls, zone: str, start: str, calendar: str | None = None) -> SessionDays:
        """From an IANA zone and HH:MM, which a calendar (XNYS; None or off for none) overrides.

        Raises ValueError for a calendar that is not known.
        """
        return cls(ZoneInfo(zone), time.fromisoformat(start), known_calendar(calendar))

    def day_of(self, ts: int) -> tuple[str, int]:
        """The session day (named by the date it ends on) of a UTC nanosecond stamp, and the stamp at which it ends.

        Raises ValueError for a stamp that the calendar does not reach (most reach from 1970 to 2050).
        """
        if self.calendar is not None:
            return exchange(self.calendar).day_of(ts)
        return _clock_day(self.zone, self.start, ts // NANOS)


@lru_cache(maxsize=20_000)
def _clock_day(zone: ZoneInfo, start: time, secs: int) -> tuple[str, int]:
    """`day_of` by the clock, of a stamp in seconds; the trials of a sweep ask for the same days over and over."""
    local = datetime.fromtimestamp(secs, tz=UTC).astimezone(zone)
    begins = local.date() if local.time() >= start else local.date() - timedelta(days=1)
    ends = datetime.combine(begins + timedelta(days=1), start, tzinfo=zone)
    name = begins if start == time(0, 0) else begins + timedelta(days=1)
    return name.isoformat(), int(ends.timestamp()) * NANOS
