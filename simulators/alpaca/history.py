"""Which daily bars does the local Alpaca play? The shipped ones or a user's, and made-up ones where there are none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from configs.errors import ConfigError
from market.catalog import open_market
from market.source import DataSource
from simulators.alpaca.assets import Asset, Assets
from simulators.alpaca.calendar import Calendar, day_at
from simulators.alpaca.paths import Bar, merged, walk
from simulators.alpaca.settings import Settings
from simulators.alpaca.wire import MINUTE

HISTORY_DAYS = 400
"""Days before the first one played that can be asked for."""

LAST_SHIPPED = date(2013, 3, 1)
MADE_UP_FROM = date(2000, 1, 3)
_VOLATILITY = {"crypto": 0.03, "us_equity": 0.012}
type Days = dict[str, dict[date, Bar]]
type Minutes = dict[str, dict[date, list[Bar]]]


def source_of(settings: Settings) -> DataSource:
    """The data that `data=` names, the shipped shares without it. Raises ConfigError."""
    if not settings.overrides:
        from market.us_equities import UsEquities  # noqa: PLC0415 - another source may be asked for

        return UsEquities()
    from configs.load import compose  # noqa: PLC0415 - slow; the shipped data do without

    return compose("live", list(settings.overrides)).config.data


def last_day(settings: Settings) -> date:
    """The last day that may be played, unless the sessions asked for end before."""
    if settings.end is not None:
        return settings.end
    if settings.start is None:
        return LAST_SHIPPED
    enough = settings.start.date() + reach(settings.days)
    return enough if settings.overrides else min(LAST_SHIPPED, enough)


def reach(sessions: int) -> timedelta:
    """A span that has at least so many sessions: a year has 250 of them, or a few more."""
    return timedelta(days=sessions * 3 // 2 + 10)


def days_of(
    settings: Settings, assets: Assets, calendar: Calendar, span: tuple[date, date]
) -> tuple[Days, Minutes]:
    """Symbol -> day -> its bar, and symbol -> day -> its minutes where the data has them. `span`: first and last day.

    Raises ConfigError, DataError.
    """
    source = source_of(settings)
    there = set(source.available())
    begin, end = span[0] - timedelta(days=HISTORY_DAYS), span[1] + timedelta(days=1)
    days: Days = {}
    minutes: Minutes = {}
    for symbol in settings.instruments:
        asset = assets.find(symbol)
        if asset is None:
            known = ", ".join(each.symbol for each in assets.all)
            raise ConfigError(f"instruments: there is no {symbol}; there is {known}")
        if symbol not in there:
            days[symbol] = _made_up(settings.seed, asset, calendar, begin, span[1])
            continue
        bars = open_market(source, (symbol,), settings.bar, begin.isoformat(), end.isoformat()).bars()
        by_day = _by_day(bars)
        days[symbol] = {day: merged(found, 0) for day, found in by_day.items()}
        if settings.bar == "1m":
            minutes[symbol] = by_day
    return days, minutes


def _by_day(bars: Iterable[Any]) -> dict[date, list[Bar]]:
    """Bars of the engine's, which are stamped at their end."""
    made = [
        Bar(
            bar.ts_event - MINUTE,
            Decimal(str(bar.open)),
            Decimal(str(bar.high)),
            Decimal(str(bar.low)),
            Decimal(str(bar.close)),
            Decimal(str(bar.volume)),
        )
        for bar in bars
    ]
    return {day: list(found) for day, found in groupby(made, key=lambda bar: day_at(bar.start))}


def _made_up(seed: int, asset: Asset, calendar: Calendar, begin: date, last: date) -> dict[date, Bar]:
    """The same bars on the same days, whatever is played."""
    if asset.is_crypto:
        days = [MADE_UP_FROM + timedelta(days=each) for each in range((last - MADE_UP_FROM).days + 1)]
    else:
        days = [each.day for each in calendar.between(MADE_UP_FROM, last)]
    volatility = _VOLATILITY[asset.asset_class]
    bars = walk(f"{seed}/{asset.symbol}", len(days), asset.walk_from, asset.price_increment, volatility)
    return {day: replace(bar, start=0) for day, bar in zip(days, bars, strict=True) if begin <= day}
