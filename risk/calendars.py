"""Which exchange calendars are there, and when did each exchange trade?"""

from __future__ import annotations

import warnings
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, cached_property
from typing import Any
from zoneinfo import ZoneInfo

NANOS = 1_000_000_000
FIRST, LAST = date(1970, 1, 1), date(2050, 12, 31)  # later years follow from the rules known today


@dataclass(frozen=True)
class Exchange:
    """Sessions of one exchange, oldest first; stamps are UTC nanoseconds.

    `days`, `opens` and `closes` hold one entry a session. `begins` and `ends` bound uninterrupted trading: a lunch
    break parts a session into two such spans, sessions that follow without a pause (24/5, most futures) are one.
    """

    name: str
    zone: ZoneInfo
    days: list[date]
    opens: list[int]
    closes: list[int]
    begins: list[int]
    ends: list[int]
    short_days: frozenset[date]
    week: str
    rules: Any

    def reach(self, ts: int) -> None:
        """Raise ValueError for a stamp before the first or after the last session that is known."""
        if not self.opens[0] <= ts <= self.closes[-1]:
            raise ValueError(
                f"calendar {self.name} is known from {self.days[0]} to {self.days[-1]}, "
                f"not at {datetime.fromtimestamp(ts / NANOS, tz=UTC):%Y-%m-%d %H:%M} UTC; "
                "update exchange_calendars, or switch the calendar off"
            )

    def local(self, ts: int) -> datetime:
        """A stamp on the exchange's own clock, fractions of a second cut off."""
        return datetime.fromtimestamp(ts // NANOS, tz=self.zone)

    def day_of(self, ts: int) -> tuple[str, int]:
        """The session that trades at or next after a stamp, as YYYY-MM-DD, and the stamp that first lies past it.

        Raises ValueError where the calendar does not reach.
        """
        self.reach(ts)
        at = bisect_left(self.closes, ts)
        return self.days[at].isoformat(), self.closes[at] + 1

    def closed_because(self, ts: int) -> str:
        """In a few words why nothing trades at a stamp at which nothing does."""
        day = self.local(ts).date()
        at = bisect_left(self.days, day)
        if at == len(self.days) or self.days[at] != day:
            if self.week[day.weekday()] == "0":
                return "weekend"
            return f"holiday: {self.holidays[day]}" if day in self.holidays else "holiday"
        if ts < self.opens[at]:
            return "before the open"
        if ts < self.closes[at]:
            return "midday break"
        return f"{'short day, ' * (day in self.short_days)}since {self.local(self.closes[at]):%H:%M}"

    @cached_property
    def holidays(self) -> dict[date, str]:
        """Day -> name of the holidays that recur; worked out when a message first needs one (40 ms, Seoul 0.7 s)."""
        if self.rules is None:
            return {}
        with _quiet():
            named = self.rules.holidays(str(FIRST), str(LAST), return_name=True)
        return {stamp.date(): name.split(" (")[0] for stamp, name in named.items()}


def calendar_names() -> list[str]:
    """Every calendar's name and its other names (XNYS, NYSE, NASDAQ ...); builds none of them."""
    import exchange_calendars  # noqa: PLC0415 - 0.4 s with pandas: only where a calendar is really named

    return list(exchange_calendars.get_calendar_names())


@cache
def exchange(name: str) -> Exchange:
    """The sessions of a calendar that `calendar_names` lists, 1970 to 2050 or what of that is known.

    Raises ValueError when the library cannot build it. Building costs the same for one year as for eighty (the
    holiday rules, 5 to 150 ms, Moscow 1 s, Seoul 2 s), so it is done once and whole.
    """
    with _quiet():
        try:
            calendar = _built(name)
        except (ValueError, NotImplementedError) as error:
            # 4.13 with pandas 3.1 fails so on Athens, Belgrade, Bucharest, Cyprus and Tel Aviv
            raise ValueError(
                f"exchange_calendars cannot build {name} ({error!s:.60}); choose another calendar, or off"
            ) from None
        breaks = zip(calendar.break_starts_nanos.tolist(), calendar.break_ends_nanos.tolist(), strict=True)
        opens, closes = calendar.opens_nanos.tolist(), calendar.closes_nanos.tolist()
        begins, ends = _spans(opens, closes, list(breaks))
        return Exchange(
            name=name,
            zone=calendar.tz,
            days=calendar.sessions.to_numpy().astype("datetime64[D]").tolist(),
            opens=opens,
            closes=closes,
            begins=begins,
            ends=ends,
            short_days=frozenset(calendar.early_closes.to_numpy().astype("datetime64[D]").tolist()),
            week=calendar.weekmask,
            rules=calendar.regular_holidays,
        )


def _built(name: str) -> Any:
    import exchange_calendars  # noqa: PLC0415 - see calendar_names

    # some exchanges publish no rules, only lists of holidays, and those begin or end within these years
    start, end = FIRST, LAST
    real = exchange_calendars.resolve_alias(name)
    kind = next((k for k in _kinds(exchange_calendars.ExchangeCalendar) if k.name == real), None)
    if kind is not None:
        known_from, known_to = kind.bound_min(), kind.bound_max()
        start = FIRST if known_from is None else max(FIRST, known_from.date())
        end = LAST if known_to is None else min(LAST, known_to.date())
    return exchange_calendars.get_calendar(name, start=str(start), end=str(end))


def _kinds(parent: Any) -> Iterator[Any]:
    """Every class below this one, nearest first."""
    below = parent.__subclasses__()
    yield from below
    for kind in below:
        yield from _kinds(kind)


def _spans(opens: list[int], closes: list[int], breaks: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    begins: list[int] = []
    ends: list[int] = []
    for opened, closed, (pause, resume) in zip(opens, closes, breaks, strict=True):
        trading = ((opened, pause), (resume, closed)) if pause > 0 else ((opened, closed),)
        for begin, end in trading:
            if ends and begin <= ends[-1]:
                ends[-1] = end
            else:
                begins.append(begin)
                ends.append(end)
    return begins, ends


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        # exchange_calendars 4.13 uses what pandas 3.1 calls deprecated; not ours to change
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        yield
