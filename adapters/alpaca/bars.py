"""How do minutes become longer bars? By their stamps alone, so that stream, history and download build the same.

Bars begin at whole multiples of their length since midnight: New York's for shares, UTC's for crypto. What is left of
a session at its close is a bar too, and ends there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from nautilus_trader.model import BarType

from adapters.alpaca._parsing_data import NANOS, Candle
from adapters.alpaca.calendar import DAY_NANOS, day_of, midnight
from adapters.errors import AdapterError

CHICAGO = "America/Chicago"
MINUTE_NANOS = 60 * NANOS
UNITS = {"MINUTE": MINUTE_NANOS, "HOUR": 60 * MINUTE_NANOS, "DAY": DAY_NANOS}
_KIND = re.compile(r"-(\d+)-([A-Z_]+)-([A-Z_]+)-EXTERNAL$")


@dataclass(frozen=True, slots=True)
class Length:
    """Length of a bar; `nanos` of a day is 24 hours, its end is a matter of calendar."""

    nanos: int

    @property
    def is_daily(self) -> bool:
        """A whole day."""
        return self.nanos == DAY_NANOS

    @property
    def minutes(self) -> int:
        """Minutes in it."""
        return self.nanos // MINUTE_NANOS


def length_of(bar_type: BarType) -> Length:
    """The length of a bar type that Alpaca can give. Raises AdapterError for any other."""
    match = _KIND.search(str(bar_type))
    step, unit, price = (int(match[1]), match[2], match[3]) if match else (0, "", "")
    nanos = step * UNITS.get(unit, 0)
    if price != "LAST" or not nanos or nanos > DAY_NANOS or DAY_NANOS % nanos:
        raise AdapterError(
            f"bars {bar_type}: Alpaca gives bars of trades from 1 minute to 1 day (bar=1m, 15m, 1h, 1d), no others"
        )
    return Length(nanos)


def bucket_of(ts: int, length: Length, *, is_crypto: bool) -> tuple[int, int]:
    """Start and end of the bar that a stamp falls into."""
    if length.nanos <= UNITS["HOUR"]:
        start = ts - ts % length.nanos
        return start, start + length.nanos
    origin = ts - ts % DAY_NANOS if is_crypto else midnight(day_of(ts))
    start = origin + (ts - origin) // length.nanos * length.nanos
    return start, start + length.nanos


def daily_end(start: int) -> int:
    """When a day of crypto ends that begins at this stamp: Alpaca counts its days from midnight in Chicago."""
    zone = ZoneInfo(CHICAGO)
    local = datetime.fromtimestamp(start // NANOS, UTC).astimezone(zone)
    following = (local.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
    return int(following.timestamp()) * NANOS


class Builder:
    """Builds the bars of one instrument and one length from its minutes, which may come late or twice.

    `close_after(ts)` answers where the session ends that a stamp lies in, None where nothing ends.
    """

    def __init__(
        self,
        length: Length,
        *,
        is_crypto: bool,
        close_after: Callable[[int], int | None] = lambda _ts: None,
    ) -> None:
        """Nothing is begun."""
        self._length = length
        self._is_crypto = is_crypto
        self._close_after = close_after
        self._end = 0
        self._start = 0
        self._minutes: dict[int, Candle] = {}  # by start
        self.told = 0
        """The end of the last bar that was handed on."""

    def add(self, minute: Candle) -> list[Candle]:
        """Take a minute; answers the bars that it completes: the one before it, and its own with its last minute."""
        if minute.start < self.told:
            return []
        done = self.flush(minute.start)
        if not self._minutes:
            self._start, self._end = bucket_of(minute.start, self._length, is_crypto=self._is_crypto)
            close = self._close_after(minute.start)
            self._end = self._end if close is None else min(self._end, close)
        if self._start <= minute.start < self._end:
            self._minutes[minute.start] = minute
        return done + self.flush(minute.end)

    def correct(self, minute: Candle) -> None:
        """Take a later version of a minute, if its bar is still being built."""
        if minute.start in self._minutes:
            self._minutes[minute.start] = minute

    def flush(self, now: int) -> list[Candle]:
        """The bar being built, when its time is over at `now`."""
        if not self._minutes or now < self._end:
            return []
        whole = merged(self._minutes.values(), self._start, self._end)
        self._minutes = {}
        self.told = whole.end
        return [whole]


def merged(minutes: Iterable[Candle], start: int, end: int) -> Candle:
    """One bar of several shorter ones, in order of time."""
    ordered = sorted(minutes)
    return Candle(
        start,
        end,
        ordered[0].open,
        max(each.high for each in ordered),
        min(each.low for each in ordered),
        ordered[-1].close,
        sum((each.volume for each in ordered[1:]), ordered[0].volume),
    )
