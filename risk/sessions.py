"""To which session day does a moment belong, and when does that day end?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

NANOS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class SessionDays:
    """Session days of one zone, each beginning at the same local time whatever daylight saving does."""

    zone: ZoneInfo
    start: time = field(default=time(0, 0))

    @classmethod
    def of(cls, zone: str, start: str) -> SessionDays:
        """From an IANA zone and HH:MM."""
        return cls(ZoneInfo(zone), time.fromisoformat(start))

    def day_of(self, ts: int) -> tuple[str, int]:
        """The session day (named by the date it ends on) of a UTC nanosecond stamp, and the stamp at which it ends."""
        local = datetime.fromtimestamp(ts // NANOS, tz=UTC).astimezone(self.zone)
        begins = local.date() if local.time() >= self.start else local.date() - timedelta(days=1)
        ends = datetime.combine(begins + timedelta(days=1), self.start, tzinfo=self.zone)
        name = begins if self.start == time(0, 0) else begins + timedelta(days=1)
        return name.isoformat(), int(ends.timestamp()) * NANOS
