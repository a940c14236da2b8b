"""Which bars are asked for, how far has each come, and what may be handed on now?

Rows go in as they come, from the stream or from REST; bars come out complete, in order, and each once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from nautilus_trader.model import BarType

from adapters.alpaca._parsing_data import NANOS, Candle, Row
from adapters.alpaca.bars import MINUTE_NANOS, Builder, Length, bucket_of, length_of
from adapters.alpaca.calendar import DAY_NANOS, Calendar, day_of
from adapters.alpaca.history import day_candle, is_pair

FRESH_NANOS = MINUTE_NANOS
"""A running day heard of later than this before the close holds the close."""

MOST_FILLED = 5 * DAY_NANOS
"""History that ends longer ago than this was asked for its own sake: what followed is not filled in."""

type Hand = Callable[[Candle, BarType, Any], None]


@dataclass(frozen=True, slots=True)
class Grace:
    """How long after its end a bar is waited for, in market time: its last minute, or the close of a day."""

    bar: int = 5 * NANOS
    day: int = 60 * NANOS


@dataclass(slots=True)
class Wanted:
    """One bar type that somebody asked for."""

    bar_type: BarType
    instrument: Any
    length: Length
    since: int
    """Bars that end up to here are known."""
    builder: Builder | None = None
    days: dict[date, tuple[Candle, int]] = field(default_factory=dict)
    """Day -> what it was like so far, and when that was heard."""

    @property
    def symbol(self) -> str:
        """The broker's name of the instrument."""
        return str(self.instrument.raw_symbol)

    @property
    def is_crypto(self) -> bool:
        """Whether it trades around the clock."""
        return is_pair(self.instrument)


class BarDesk:
    """The bars of one run. `hand` gets each complete bar once; `calendar()` answers the sessions known now."""

    def __init__(
        self, hand: Hand, calendar: Callable[[], Calendar], grace: Grace, *, extended_hours: bool
    ) -> None:
        """Nobody asks for anything."""
        self._hand = hand
        self._calendar = calendar
        self._grace = grace
        self._extended_hours = extended_hours
        self._wanted: dict[str, Wanted] = {}
        self._served: dict[str, int] = {}
        self._asked_days: set[tuple[str, int]] = set()

    def add(self, bar_type: BarType, instrument: Any, now: int) -> Wanted:
        """Ask for bars from now on, or from where the history ended that was served before. Raises AdapterError."""
        length = length_of(bar_type)
        known = self._wanted.get(str(bar_type))
        if known is not None:
            return known
        is_crypto = is_pair(instrument)
        served = self._served.get(str(bar_type), 0)
        if served < now - MOST_FILLED:
            served = 0
        since = now if length.is_daily else bucket_of(now, length, is_crypto=is_crypto)[0]
        wanted = Wanted(bar_type, instrument, length, served or since)
        if length.nanos > MINUTE_NANOS and not length.is_daily:
            closes = self._no_close if is_crypto else self._close_after
            wanted.builder = Builder(length, is_crypto=is_crypto, close_after=closes)
            wanted.builder.told = wanted.since
        self._wanted[str(bar_type)] = wanted
        return wanted

    def remove(self, bar_type: BarType) -> None:
        """Ask for them no more."""
        self._wanted.pop(str(bar_type), None)

    def served(self, bar_type: BarType, until: int) -> None:
        """History up to here was handed to who asked for it."""
        self._served[str(bar_type)] = max(until, self._served.get(str(bar_type), 0))

    def symbols(self, *, daily: bool, is_crypto: bool) -> list[str]:
        """The symbols of one class whose minutes, or whose days, are needed."""
        found = (
            each
            for each in self._wanted.values()
            if each.length.is_daily == daily and each.is_crypto == is_crypto
        )
        return list(dict.fromkeys(each.symbol for each in found))

    def since(self, symbols: Iterable[str]) -> int | None:
        """From where on minutes of these symbols may be missing; None when none are needed."""
        wanted = set(symbols)
        stamps = [
            each.since for each in self._wanted.values() if each.symbol in wanted and not each.length.is_daily
        ]
        return min(stamps, default=None)

    def minute(self, symbol: str, minute: Candle) -> bool:
        """Take a minute; answers whether anything did not know it yet."""
        is_new = False
        for each in self._of(symbol):
            if each.length.is_daily or minute.start < each.since or not self._is_in_hours(each, minute):
                continue
            is_new = True
            each.since = minute.end
            if each.builder is None:
                self._hand(minute, each.bar_type, each.instrument)
            else:
                self._hand_all(each, each.builder.add(minute))
        return is_new

    def correct(self, symbol: str, minute: Candle) -> None:
        """Take a later version of a minute, where its bar is still being built."""
        for each in self._of(symbol):
            if each.builder is not None:
                each.builder.correct(minute)

    def day(self, symbol: str, row: Row, now: int) -> None:
        """Take the day as it is so far."""
        for each in self._of(symbol):
            if each.length.is_daily:
                candle = day_candle(row, None if each.is_crypto else self._calendar())
                if candle is not None and candle.end > each.since:
                    each.days[day_of(candle.start)] = (candle, now)

    def whole_day(self, symbol: str, candle: Candle) -> None:
        """Take a day that is over, as the broker keeps it."""
        for each in self._of(symbol):
            if each.length.is_daily:
                self._hand_day(each, candle)

    def flush(self, now: int, *, is_crypto: bool) -> None:
        """Hand on the bars whose time is over by now, all minutes up to now being known."""
        for each in self._wanted.values():
            if each.builder is not None and each.is_crypto == is_crypto:
                self._hand_all(each, each.builder.flush(now - self._grace.bar))

    def end_days(self, now: int, *, is_crypto: bool) -> list[str]:
        """Hand on the days that are over by now; answers the symbols whose day has to be asked for, once each."""
        return [
            each.symbol
            for each in self._wanted.values()
            if each.length.is_daily and each.is_crypto == is_crypto and self._finish_days(each, now)
        ]

    def finish(self) -> None:
        """Hand on what is being built: nothing more comes."""
        for each in self._wanted.values():
            if each.builder is not None:
                self._hand_all(each, each.builder.flush(each.since + each.length.nanos))
            for candle, _ in list(each.days.values()):
                self._hand_day(each, candle)

    def unfinished_day(self, symbol: str) -> Candle | None:
        """The day as last heard of, where the broker has nothing better."""
        days = (day for each in self._of(symbol) for day, _ in each.days.values())
        return min(days, key=lambda day: day.end, default=None)

    # -- below

    def _of(self, symbol: str) -> list[Wanted]:
        return [each for each in self._wanted.values() if each.symbol == symbol]

    def _hand_all(self, wanted: Wanted, candles: Iterable[Candle]) -> None:
        for candle in candles:
            self._hand(candle, wanted.bar_type, wanted.instrument)

    def _hand_day(self, wanted: Wanted, candle: Candle) -> None:
        wanted.days = {day: kept for day, kept in wanted.days.items() if kept[0].end > candle.end}
        if candle.end > wanted.since:
            wanted.since = candle.end
            self._hand(candle, wanted.bar_type, wanted.instrument)

    def _finish_days(self, wanted: Wanted, now: int) -> bool:
        """Hand on days that are over; whether one is over of which too little was heard."""
        over = now - self._grace.day
        for candle, heard in sorted(wanted.days.values()):
            if candle.end < over and heard >= candle.end - FRESH_NANOS:
                self._hand_day(wanted, candle)
        end = self._day_that_ended(wanted, over)
        if end is None or end <= wanted.since or (wanted.symbol, end) in self._asked_days:
            return False
        self._asked_days.add((wanted.symbol, end))
        return True

    def _day_that_ended(self, wanted: Wanted, over: int) -> int | None:
        """The end of the last day that is over, as far as anybody knows one."""
        if wanted.is_crypto:
            ends = [candle.end for candle, _ in wanted.days.values() if candle.end < over]
            return max(ends, default=None)
        session = self._calendar().day_at(over)
        return session.closes if session is not None and session.closes < over else None

    def _is_in_hours(self, wanted: Wanted, minute: Candle) -> bool:
        if self._extended_hours or wanted.is_crypto:
            return True
        calendar = self._calendar()
        return not calendar.covers(minute.start) or calendar.inside(minute.start, minute.end)

    def _close_after(self, ts: int) -> int | None:
        session = self._calendar().session_at(ts)
        return None if session is None else session.closes

    @staticmethod
    def _no_close(_ts: int) -> int | None:
        return None
