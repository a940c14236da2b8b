"""Which session days is a report about, and from which stamp to which do they go?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from configs.closest import closest
from configs.errors import ConfigError
from live._periods import FIRST_DAY, LAST_DAY, ONE_DAY, Days, bucket, bucket_name

KINDS = ("day", "week", "month")
LOOK_BACK_DAYS = 91
"""A quarter of a year: what a Sharpe ratio, alpha and beta of a day or a week are measured on."""


@dataclass(frozen=True, slots=True)
class Period:
    """Session days from `first` to `last`, both included: stamps with from_ns <= ts < until_ns (UTC ns).

    kind: day, week, month or range.
    """

    kind: str
    first: date
    last: date
    from_ns: int
    until_ns: int
    days: Days

    @property
    def look_back_ns(self) -> int:
        """From where on daily returns are looked at where the period itself has too few; never after its begin."""
        begin = self.days.begin_of(self.last - timedelta(days=LOOK_BACK_DAYS))
        return min(self.from_ns, begin)

    @property
    def zone(self) -> str:
        """The zone in which times are shown."""
        return self.days.zone

    def holds(self, ts: int) -> bool:
        """Whether a stamp lies in it."""
        return self.from_ns <= ts < self.until_ns

    @property
    def title(self) -> str:
        """Its name, for a headline: `Friday 7 May 2010`."""
        if self.kind == "day":
            return f"{self.first:%A} {self.first.day} {self.first:%B %Y}"
        if self.kind == "month":
            return f"{self.first:%B %Y}"
        span = f"{self.first.day} {self.first:%B %Y} to {self.last.day} {self.last:%B %Y}"
        return f"Week {self.first.isocalendar().week}, {span}" if self.kind == "week" else span

    @property
    def name(self) -> str:
        """Its short name: 2010-05-07, 2010-W18, 2010-05, 2010-05-03_to_2010-06-04."""
        if self.kind == "range":
            return f"{self.first}_to_{self.last}"
        return bucket_name(self.first, self.kind)


def period_of(given: Mapping[str, str], days: Days, newest_ns: int) -> Period:
    """The period that key=value arguments ask for; without a date the one that holds the newest stamp.

    Raises ConfigError.
    """
    if "since" in given or "until" in given:
        return _range(given, days, newest_ns)
    kind = given.get("period", "day")
    if kind not in KINDS:
        near = closest(kind, KINDS)
        hint = f"did you mean {near}?" if near else "day, week or month; or since=2010-05-03 until=2010-06-04"
        raise ConfigError(f"period={kind}: {hint}")
    day = _date("date", given["date"]) if "date" in given else days.day_of(newest_ns)
    first = bucket(day, kind)
    if kind == "week":
        return _period(kind, first, first + timedelta(days=6), days)
    if kind == "month":
        return _period(kind, first, bucket(first + timedelta(days=31), kind) - ONE_DAY, days)
    return _period(kind, day, day, days)


def _range(given: Mapping[str, str], days: Days, newest_ns: int) -> Period:
    other = next((key for key in ("period", "date") if key in given), None)
    if other is not None:
        raise ConfigError(f"{other}={given[other]}: give either period= and date=, or since= and until=")
    if "since" not in given:
        raise ConfigError(f"until={given['until']}: from which day on? give since=2010-05-03 too")
    first = _date("since", given["since"])
    last = _date("until", given["until"]) if "until" in given else days.day_of(newest_ns)
    if last < first:
        raise ConfigError(
            f"since={first} is after until={last}; a report goes from the one to the other, both included"
        )
    return _period("range", first, last, days)


def _date(key: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{key}={text}: not a day; write it as in {key}=2010-05-31") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ConfigError(f"{key}={text}: no session day can be told before {FIRST_DAY} or after {LAST_DAY}")
    return day


def _period(kind: str, first: date, last: date, days: Days) -> Period:
    return Period(kind, first, last, days.begin_of(first), days.begin_of(last + ONE_DAY), days)
