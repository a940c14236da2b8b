"""On which days, and between which hours, should there be bars?

A calendar is one of three kinds: `24/7`, `weekdays` (Monday to Friday in the source's zone, hours
unknown) or the name of an exchange (`XNYS`), whose real sessions, half days and holidays included, come
from exchange_calendars.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from market.errors import SourceError, did_you_mean

NON_EXCHANGE = ("24/7", "weekdays")
DAY_NANOS = 86_400_000_000_000

type Nanos = NDArray[np.int64]


@dataclass(frozen=True)
class Sessions:
    """Sessions of one exchange, oldest first: `days` since 1970, `opens` and `closes` in UTC nanoseconds."""

    name: str
    days: Nanos
    opens: Nanos
    closes: Nanos

    def close_of(self, days: Nanos) -> Nanos:
        """Close of the session of each day, -1 where the exchange was shut."""
        at = np.searchsorted(self.days, days).clip(max=len(self.days) - 1)
        return np.where(self.days[at] == days, self.closes[at], np.int64(-1))

    def session_at(self, ts: Nanos) -> Nanos:
        """Index of the session with `open <= ts <= close`, -1 where none is on."""
        at = np.searchsorted(self.closes, ts).clip(max=len(self.days) - 1)
        inside = (self.opens[at] <= ts) & (ts <= self.closes[at])
        return np.where(inside, at, -1).astype(np.int64)

    def between(self, first_ns: int, last_ns: int) -> Sessions:
        """Only the sessions that close within these stamps, both included."""
        keep = slice(
            int(np.searchsorted(self.closes, first_ns)),
            int(np.searchsorted(self.closes, last_ns, side="right")),
        )
        return Sessions(self.name, self.days[keep], self.opens[keep], self.closes[keep])


def exchange_sessions(calendar: str, first_ns: int, last_ns: int) -> Sessions | None:
    """Sessions of an exchange around these stamps; None for `24/7` and `weekdays`, which have no hours.

    Raises SourceError for a calendar nobody knows, or one that does not reach back that far.
    """
    if calendar in NON_EXCHANGE:
        return None
    return _sessions(calendar, _year(first_ns - DAY_NANOS), _year(last_ns + DAY_NANOS))


def _year(ts: int) -> int:
    return int(np.datetime64(ts, "ns").astype("datetime64[Y]").astype(int)) + 1970


@lru_cache(maxsize=8)
def _sessions(name: str, first_year: int, last_year: int) -> Sessions:
    import exchange_calendars  # noqa: PLC0415 - 0.2 s with its tables: only where a calendar is really asked

    with warnings.catch_warnings():
        # exchange_calendars 4.13 uses what pandas 3.1 calls deprecated; not ours to change.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        try:
            calendar = exchange_calendars.get_calendar(
                name, start=f"{first_year}-01-01", end=f"{last_year}-12-31"
            )
        except exchange_calendars.errors.InvalidCalendarName:
            known = (*NON_EXCHANGE, *exchange_calendars.get_calendar_names())
            raise SourceError(f"calendar {name!r} is not known: {did_you_mean(name, known)}") from None
        except ValueError as error:
            raise SourceError(
                f"calendar {name} cannot describe {first_year} to {last_year} ({error}); use weekdays"
            ) from None
        days = calendar.sessions.to_numpy().astype("datetime64[D]").astype(np.int64)
        return Sessions(name, days, calendar.opens_nanos, calendar.closes_nanos)
