"""Which bars and prices has the market had, and which come next? Recorded days, and a made-up path inside each."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from simulators.alpaca.assets import Asset, Assets
from simulators.alpaca.calendar import EPOCH, Calendar, moment, new_york
from simulators.alpaca.paths import POINTS, Bar, merged, path
from simulators.alpaca.wire import MINUTE, NANOS

OFFSETS = (0, 20, 40, 59)
"""Seconds of a minute at which its trades happen."""

BEFORE_OPEN, AFTER_CLOSE = (5, 1), (1, 5)
"""Minutes at which there are quotes outside of the session."""

CRYPTO_BARS = 48
DAY_MINUTES = 1440
LATE_EVERY = 10
"""Every tenth minute bar is corrected half a minute later."""


@dataclass(frozen=True, slots=True)
class Print:
    """A price of one asset; size 0 is a quote without a trade."""

    symbol: str
    price: Decimal
    size: Decimal


@dataclass(slots=True)
class Step:
    """Everything that happens at one moment."""

    stamp: int
    prints: list[Print] = field(default_factory=list)
    bars: list[tuple[str, Bar]] = field(default_factory=list)
    corrected: list[tuple[str, Bar]] = field(default_factory=list)


class Tape:
    """The whole market, past and to come; what is still to come is not told by `bars`."""

    def __init__(
        self,
        assets: Assets,
        days: Mapping[str, Mapping[date, Bar]],
        calendar: Calendar,
        seed: int,
        per_day: int,
    ) -> None:
        """`days`: symbol -> day -> daily bar; `per_day` minute bars in a stock's session."""
        self._assets = assets
        self._days = days
        self._calendar = calendar
        self._seed = seed
        self._per_day = per_day
        self.recorded: Mapping[str, Mapping[date, list[Bar]]] = {}
        """Symbol -> day -> its minute bars, where they need not be made up."""

        self._own: dict[str, dict[int, Bar]] = {}
        self._splits: dict[str, list[tuple[int, Decimal]]] = {}
        self.minutes = lru_cache(maxsize=4_000)(self._minutes)

    @property
    def symbols(self) -> list[str]:
        """What has prices."""
        return list(self._days)

    def add(self, symbol: str, bar: Bar) -> None:
        """A bar of a test's own; it stands in for what was there."""
        self._own.setdefault(symbol, {})[bar.start] = bar

    def steps(self, now: int, last: date) -> Iterator[Step]:
        """What comes after `now`, in time order, to the end of the day `last`."""
        day = EPOCH + timedelta(days=now // (DAY_MINUTES * MINUTE))
        while day <= last:
            steps: dict[int, Step] = {}
            for symbol in self._days:
                self._lay_out(steps, self._assets.get(symbol), day)
            yield from (steps[stamp] for stamp in sorted(steps) if stamp > now)
            day += timedelta(days=1)

    def bars(self, symbol: str, length: tuple[int, str], start: int, end: int, now: int) -> list[Bar]:
        """Bars that begin from `start` to `end`, both included, as far as they are known at `now`."""
        amount, unit = length
        if unit in ("Min", "Hour"):
            width = amount * (60 if unit == "Hour" else 1) * MINUTE
            found = self._minutes_between(symbol, start - start % width, end + width, now)
            groups: dict[int, list[Bar]] = {}
            for bar in found:
                groups.setdefault(bar.start - bar.start % width, []).append(bar)
        else:
            groups = {}
            for bar in self._dailies(symbol, start - 32 * DAY_MINUTES * MINUTE, end, now):
                groups.setdefault(_period(bar.start, unit, self._is_crypto(symbol)), []).append(bar)
        return [merged(group, at) for at, group in sorted(groups.items()) if start <= at <= end]

    def last_price(self, symbol: str, now: int) -> Decimal | None:
        """The newest price at a moment; of the day's open where nothing is older."""
        for bar in reversed(self._dailies(symbol, now - 15 * DAY_MINUTES * MINUTE, now, now)):
            return bar.close
        first = next(iter(self._days.get(symbol, {}).values()), None)
        return None if first is None else first.open

    def prints(self, symbol: str, start: int, end: int, now: int) -> list[tuple[int, Decimal, Decimal]]:
        """Moment, price and size of the trades in a window that have happened by now."""
        found = []
        for day in _within(self._days.get(symbol, {}), _utc_day(start), _utc_day(end)):
            for bar, prices in self.minutes(symbol, day):
                for offset, price in zip(OFFSETS, prices, strict=True):
                    at = bar.start + offset * NANOS
                    if start <= at <= min(end, now):
                        found.append((at, price, bar.volume // POINTS))
        return found

    def split(self, symbol: str, stamp: int, ratio: Decimal) -> None:
        """From `stamp` on, `ratio` shares are what one was."""
        self._splits.setdefault(symbol, []).append((stamp, ratio))

    def adjust(self, symbol: str, bars: list[Bar]) -> list[Bar]:
        """Bars in the shares of today."""
        adjusted = []
        for bar in bars:
            ratio = Decimal(1)
            for stamp, each in self._splits.get(symbol, []):
                ratio *= each if bar.start < stamp else 1
            opened, high, low, close = (price / ratio for price in (bar.open, bar.high, bar.low, bar.close))
            adjusted.append(Bar(bar.start, opened, high, low, close, bar.volume * ratio, bar.trades))
        return adjusted

    def daily(self, symbol: str, now: int) -> list[Bar]:
        """The daily bars of the last days, the newest, perhaps unfinished, last."""
        return self._dailies(symbol, now - 15 * DAY_MINUTES * MINUTE, now, now)

    # -- helpers

    def _is_crypto(self, symbol: str) -> bool:
        return self._assets.get(symbol).is_crypto

    def _minutes(self, symbol: str, day: date) -> list[tuple[Bar, tuple[Decimal, ...]]]:
        """The minute bars of a day, and the four prices each is made of."""
        recorded = self.recorded.get(symbol, {}).get(day)
        if recorded is not None:
            return [(bar, _four(bar)) for bar in recorded]
        whole = self._days[symbol].get(day)
        span = self._span(symbol, day)
        if whole is None or span is None:
            return []
        first, total = span
        asset = self._assets.get(symbol)
        count = min(CRYPTO_BARS if asset.is_crypto else self._per_day, total)
        places = [round(number * (total - 1) / max(1, count - 1)) for number in range(count)]
        volume = max(Decimal(POINTS), whole.volume // count)
        prices = path(f"{self._seed}/{symbol}/{day}", whole, count, asset.price_increment)
        return [
            (Bar(first + place * MINUTE, four[0], max(four), min(four), four[-1], volume), four)
            for place, four in zip(places, prices, strict=True)
        ]

    def _span(self, symbol: str, day: date) -> tuple[int, int] | None:
        """First moment and minutes of a symbol's trading on a day."""
        if self._is_crypto(symbol):
            return (day - EPOCH).days * DAY_MINUTES * MINUTE, DAY_MINUTES
        session = self._calendar.of(day)
        return None if session is None else (session.open, (session.close - session.open) // MINUTE)

    def _lay_out(self, steps: dict[int, Step], asset: Asset, day: date) -> None:
        def at(stamp: int) -> Step:
            return steps.setdefault(stamp, Step(stamp))

        minutes = self.minutes(asset.symbol, day)
        for number, (bar, prices) in enumerate(minutes):
            size = max(asset.min_order_size, bar.volume // POINTS)
            for offset, price in zip(OFFSETS, prices, strict=True):
                at(bar.start + offset * NANOS).prints.append(Print(asset.symbol, price, size))
            late = number % LATE_EVERY == LATE_EVERY - 1
            early = Bar(bar.start, bar.open, bar.high, bar.low, bar.close, bar.volume - size, POINTS - 1)
            at(bar.start + MINUTE).bars.append((asset.symbol, early if late else bar))
            if late:
                at(bar.start + MINUTE + MINUTE // 2).corrected.append((asset.symbol, bar))
        session = self._calendar.of(day)
        if asset.is_crypto or session is None or not minutes:
            return
        for before in BEFORE_OPEN:
            at(session.open - before * MINUTE).prints.append(
                Print(asset.symbol, minutes[0][1][0], Decimal(0))
            )
        for after in AFTER_CLOSE:
            at(session.close + after * MINUTE).prints.append(
                Print(asset.symbol, minutes[-1][1][-1], Decimal(0))
            )

    def _minutes_between(self, symbol: str, start: int, end: int, now: int) -> list[Bar]:
        days = self._days.get(symbol, {})
        first, last = _utc_day(start), _utc_day(min(end, now))
        found = {
            bar.start: bar for day in _within(days, first, last) for bar, _ in self.minutes(symbol, day)
        } | self._own.get(symbol, {})
        return [bar for at, bar in sorted(found.items()) if start <= at < end and at + MINUTE <= now]

    def _dailies(self, symbol: str, start: int, end: int, now: int) -> list[Bar]:
        days = self._days.get(symbol, {})
        found = []
        for day in _within(days, _utc_day(start), _utc_day(min(end, now))):
            span = self._span(symbol, day)
            if span is None:
                continue
            at = _midnight(day, crypto=self._is_crypto(symbol))
            if span[0] + span[1] * MINUTE <= now and symbol not in {*self._own, *self.recorded}:
                made = self._whole(symbol, day)
                found.append(Bar(at, made.open, made.high, made.low, made.close, made.volume, made.trades))
                continue
            known = self._minutes_between(symbol, span[0], span[0] + span[1] * MINUTE, now)
            if known:
                found.append(merged(known, at))
        return found

    def _whole(self, symbol: str, day: date) -> Bar:
        """The day as its path runs through it: rounded to the market's increment."""
        tick = self._assets.get(symbol).price_increment
        bar = self._days[symbol][day]
        opened, high, low, close = (
            max(1, round(price / tick)) * tick for price in (bar.open, bar.high, bar.low, bar.close)
        )
        return Bar(0, opened, max(opened, high, close), min(opened, low, close), close, bar.volume, POINTS)


def _four(bar: Bar) -> tuple[Decimal, ...]:
    """A recorded minute's four prices in a likely order: a rising one goes to its low first."""
    if bar.close >= bar.open:
        return bar.open, bar.low, bar.high, bar.close
    return bar.open, bar.high, bar.low, bar.close


def _within(days: Mapping[date, Bar], first: date, last: date) -> list[date]:
    names = list(days)
    return names[bisect_left(names, first) : bisect_left(names, last + timedelta(days=1))]


def _utc_day(stamp: int) -> date:
    return EPOCH + timedelta(days=stamp // (DAY_MINUTES * MINUTE))


def _midnight(day: date, *, crypto: bool) -> int:
    return (day - EPOCH).days * DAY_MINUTES * MINUTE if crypto else moment(day, "00:00")


def _period(start: int, unit: str, crypto: bool) -> int:  # noqa: FBT001 - one fact of the asset
    """The first moment of the day, week or month that a daily bar belongs to."""
    from datetime import UTC, datetime  # noqa: PLC0415 - only here

    day = datetime.fromtimestamp(start // NANOS, UTC if crypto else new_york()).date()
    if unit == "Week":
        day -= timedelta(days=day.weekday())
    elif unit == "Month":
        day = day.replace(day=1)
    return _midnight(day, crypto=crypto)
