"""Which stretch of time does a person ask for, and to which session day, week or month does a moment belong?

Days are the session days of the run, as its limits count them: by the clock of a zone, or by an exchange's calendar.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from configs.errors import ConfigError
from configs.resolve import resolve
from risk.sessions import SessionDays

NANOS = 1_000_000_000
LONGEST_GAP = timedelta(days=30)  # no exchange was ever shut for longer
FIRST_DAY, LAST_DAY = date(1680, 1, 1), date(2260, 12, 31)
"""Days of which every moment, and those some months around them, fit a column of nanoseconds in 64 bits."""
FIRST_NS, LAST_NS = -(2**63), 2**63 - 1
PERIOD = re.compile(r"([1-9]\d{0,4})(h|d|w|mo|y)")
PERIODS = "a number and h, d, w, mo or y, such as 7d or 3mo, or today, or all"
ONE_DAY = timedelta(days=1)
MONTHS = {"mo": 1, "y": 12}


@dataclass(frozen=True, slots=True)
class Days:
    """The session days of a run. `zone` is also the one in which times are shown."""

    zone: str
    sessions: SessionDays
    told: str

    @classmethod
    def of_run(cls, run: Mapping[str, Any]) -> Days:
        """As the config says that the journal keeps with the run; UTC where it does not tell."""
        try:
            config = yaml.safe_load(run["config"])
            data, risk = config["data"], config.get("risk") or {}
            zone = risk.get("session_zone") or data.get("zone") or _own_zone(data["source"])
            start, calendar = risk.get("session_start") or "00:00", risk.get("session_calendar") or None
            days = SessionDays.of(str(zone), str(start), calendar)
            return cls(str(zone), days, _told(str(zone), str(start), calendar))
        except (yaml.YAMLError, ConfigError, ValueError, LookupError, TypeError, AttributeError):
            told = "days of UTC (the config of the run does not tell its own)"
            return cls("UTC", SessionDays.of("UTC", "00:00"), told)

    def day_of(self, ts: int) -> date:
        """The session day of a moment. Raises ConfigError where the calendar does not reach."""
        return date.fromisoformat(self._of(ts)[0])

    def begin_of(self, day: date) -> int:
        """The first nanosecond of a session day; of the next one where that day has no session."""
        midnight = datetime.combine(day, datetime.min.time(), tzinfo=UTC)
        ts = int((midnight - LONGEST_GAP).timestamp()) * NANOS
        name, end = self._of(ts)
        while name < day.isoformat():
            ts = end
            name, end = self._of(ts)
        return ts

    def _of(self, ts: int) -> tuple[str, int]:
        try:
            return self.sessions.day_of(ts)
        except (ValueError, OverflowError) as error:
            raise ConfigError(f"no session day can be told: {error}") from None

    def moment(self, key: str, text: str) -> int | date:
        """A date, or UTC nanoseconds of a moment that `text` names in ISO 8601. Raises ConfigError."""
        try:
            if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
                return date.fromisoformat(text)
            found = datetime.fromisoformat(text)
        except ValueError:
            raise ConfigError(
                f"{key}={text}: must be a day such as 2026-11-20, or a moment such as 2026-11-20T14:30"
            ) from None
        local = found if found.tzinfo is not None else found.replace(tzinfo=ZoneInfo(self.zone))
        return int(local.replace(microsecond=0).timestamp()) * NANOS + local.microsecond * 1_000


@dataclass(frozen=True, slots=True)
class Span:
    """From `since_ns` on and before `until_ns`, UTC nanoseconds; None: without an end on that side.

    Both fit a column of the journal.
    """

    since_ns: int | None = None
    until_ns: int | None = None


def span_of(given: Mapping[str, str], days: Days, now_ns: int, default: str = "all") -> Span:
    """What period=, since= and until= ask for, counted back from `now_ns`. Raises ConfigError."""
    if "period" in given and "since" in given:
        raise ConfigError(f"period={given['period']} and since={given['since']}: give one of them")
    until_ns = _until(given, days)
    if "since" in given:
        span = Span(_since(given["since"], days), until_ns)
    else:
        period = given.get("period", "all" if "until" in given else default)
        span = Span(_back(period, days, now_ns if until_ns is None else until_ns - 1), until_ns)
    if span.since_ns is not None and span.until_ns is not None and span.since_ns >= span.until_ns:
        raise ConfigError(f"until={given['until']}: must come after {_start_key(given)}")
    return span


def _start_key(given: Mapping[str, str]) -> str:
    return f"since={given['since']}" if "since" in given else "the start of the period"


def _since(text: str, days: Days) -> int | None:
    """Where it begins; None for a moment before all that can be."""
    since = days.moment("since", text)
    if isinstance(since, date):
        return None if since < FIRST_DAY else days.begin_of(min(since, LAST_DAY))
    return None if since < FIRST_NS else min(since, LAST_NS)


def _until(given: Mapping[str, str], days: Days) -> int | None:
    """Where it ends; None for a moment after all that can be, such as 9999-12-31."""
    if "until" not in given:
        return None
    until = days.moment("until", given["until"])
    if isinstance(until, date):
        return None if until > LAST_DAY else days.begin_of(max(until, FIRST_DAY) + ONE_DAY)
    return None if until > LAST_NS else max(until, FIRST_NS)


def _back(period: str, days: Days, now_ns: int) -> int | None:
    """Where a period begins that ends now: hours back to the second, days and more with the whole first day."""
    if period == "all":
        return None
    today = days.day_of(now_ns)
    if period == "today":
        return days.begin_of(today)
    match = PERIOD.fullmatch(period)
    if match is None:
        hint = "; mo is a month" if re.fullmatch(r"\d+(m|M)", period) else ""
        raise ConfigError(f"period={period}: must be {PERIODS}{hint}")
    count, unit = int(match[1]), match[2]
    if unit == "h":
        return max(now_ns - count * 3_600 * NANOS, FIRST_NS)
    try:
        if unit in MONTHS:
            first = _months_before(today, count * MONTHS[unit]) + ONE_DAY
        else:
            first = today - timedelta(days=count * (7 if unit == "w" else 1) - 1)
    except (OverflowError, ValueError):
        first = date.min
    if first < FIRST_DAY:
        raise ConfigError(f"period={period}: reaches back too far; period=all is everything")
    return days.begin_of(first)


def _months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or its last one where it has fewer days."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            if last == 28:  # noqa: PLR2004 - every month has that many
                raise
    raise AssertionError("unreachable")


def bucket(day: date, by: str) -> date:
    """The first day of the day, week (from Monday) or month that `day` is in."""
    if by == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if by == "month" else day


def bucket_name(first: date, by: str) -> str:
    """How a day, week or month is called: 2026-11-20, 2026-W47, 2026-11."""
    if by == "week":
        year, week, _ = first.isocalendar()
        return f"{year}-W{week:02d}"
    return f"{first:%Y-%m}" if by == "month" else first.isoformat()


def _own_zone(source: str) -> str:
    """The zone that a data source has where its config does not say."""
    fields: Any = getattr(resolve(source, "data.source"), "model_fields", {})
    return str(fields["zone"].default)


def _told(zone: str, start: str, calendar: str | None) -> str:
    if calendar is not None:
        return f"session days of {calendar}, times of {zone}"
    return f"days of {zone}" if start == "00:00" else f"days of {zone} that begin at {start}"
