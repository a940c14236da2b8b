"""What did Alpaca's prices do before now: for warming up, for filling a gap, and for a download?

Longer bars are built from minutes by the same rule as on the stream, so that neither a restart nor a backtest sees
other bars. Bars that are not over yet are left out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from nautilus_trader.model import Bar, BarType, CurrencyPair, QuoteTick, TradeTick

from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._parsing_data import (
    NANOS,
    Candle,
    Row,
    bar_of,
    candle_of,
    nanos_of,
    quote_of,
    text_of,
    trade_of,
)
from adapters.alpaca.bars import MINUTE_NANOS, Builder, Length, daily_end, length_of
from adapters.alpaca.calendar import DAY_NANOS, Calendar, day_of, read_calendar

PAGE = 10_000
"""Rows that one answer may hold."""
SESSION_MINUTES = 390
MOST_LOOKS = 4
"""How often a request for the last bars looks twice as far back, where an instrument trades rarely."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is asked for: symbols of one class from a stamp to another, at most so many rows."""

    symbols: Sequence[str]
    start_ns: int
    until_ns: int
    is_crypto: bool
    most: int | None = None


class History:
    """Past data of shares and crypto over REST, page by page under the shared budget.

    `feed` and `adjustment` (raw, split, dividend, all) are of shares. Without `extended_hours` minutes before the open
    and after the close are left out. Methods raise adapters.outcomes.RequestError.
    """

    def __init__(
        self, api: AlpacaApi, *, feed: str, adjustment: str = "split", extended_hours: bool = False
    ) -> None:
        """Nothing is asked yet."""
        self._api = api
        self._feed = feed
        self._adjustment = adjustment
        self.extended_hours = extended_hours
        self._calendar: Calendar | None = None

    async def bars(  # noqa: PLR0913 - a request of the engine's has that many parts
        self,
        instrument: Any,
        bar_type: BarType,
        *,
        now_ns: int,
        start_ns: int | None = None,
        end_ns: int | None = None,
        limit: int | None = None,
    ) -> list[Bar]:
        """Complete bars that end within the window, oldest first; with a limit the last of them.

        Without a start as many as `limit` says; without either those of one session. Raises AdapterError for a length
        that Alpaca cannot give.
        """
        length = length_of(bar_type)
        until = now_ns if end_ns is None else min(end_ns, now_ns)
        found = (
            await self._last(instrument, length, until, limit or SESSION_MINUTES)
            if start_ns is None
            else await self.candles(instrument, length, start_ns, until)
        )
        return [bar_of(each, bar_type, instrument, now_ns) for each in found[-(limit or len(found)) :]]

    async def candles(self, instrument: Any, length: Length, start_ns: int, until_ns: int) -> list[Candle]:
        """Complete bars of one instrument with `start_ns < end <= until_ns`, oldest first."""
        symbol, is_crypto = str(instrument.raw_symbol), is_pair(instrument)
        if length.is_daily:
            found = (await self.days([symbol], start_ns - DAY_NANOS, until_ns, is_crypto=is_crypto))[symbol]
        else:
            first = start_ns - length.nanos
            minutes = (await self.minutes([symbol], first, until_ns, is_crypto=is_crypto))[symbol]
            builder = await self.builder(length, first, until_ns, is_crypto=is_crypto)
            found = [bar for minute in minutes for bar in builder.add(minute)] + builder.flush(until_ns)
        return [each for each in found if start_ns < each.end <= until_ns]

    async def minutes(
        self, symbols: Sequence[str], start_ns: int, until_ns: int, *, is_crypto: bool
    ) -> dict[str, list[Candle]]:
        """Complete minutes of several symbols of one class that begin at `start_ns` or later."""
        found: dict[str, list[Candle]] = {symbol: [] for symbol in symbols}
        calendar = None if is_crypto else await self.calendar(start_ns, until_ns)
        async for symbol, row in self._rows("bars", Window(symbols, start_ns, until_ns, is_crypto), "1Min"):
            minute = candle_of(row, MINUTE_NANOS)
            if minute.end <= until_ns and self.trades_then(minute, calendar):
                found[symbol].append(minute)
        return found

    async def days(
        self, symbols: Sequence[str], start_ns: int, until_ns: int, *, is_crypto: bool
    ) -> dict[str, list[Candle]]:
        """Complete days of several symbols of one class; of a share a day ends at the close of its session."""
        found: dict[str, list[Candle]] = {symbol: [] for symbol in symbols}
        calendar = None if is_crypto else await self.calendar(start_ns, until_ns)
        first = start_ns - DAY_NANOS  # a day is labelled by its midnight
        async for symbol, row in self._rows("bars", Window(symbols, first, until_ns, is_crypto), "1Day"):
            day = day_candle(row, calendar)
            if day is not None and day.end <= until_ns:
                found[symbol].append(day)
        return found

    async def quotes(
        self, instrument: Any, start_ns: int, until_ns: int, limit: int | None
    ) -> list[QuoteTick]:
        """Quotes of one instrument, oldest first; with a limit the first of them."""
        window = Window([str(instrument.raw_symbol)], start_ns, until_ns, is_pair(instrument), limit)
        return await self._ticks("quotes", quote_of, instrument, window)

    async def trades(
        self, instrument: Any, start_ns: int, until_ns: int, limit: int | None
    ) -> list[TradeTick]:
        """Trades of one instrument, oldest first; with a limit the first of them."""
        window = Window([str(instrument.raw_symbol)], start_ns, until_ns, is_pair(instrument), limit)
        return await self._ticks("trades", trade_of, instrument, window)

    async def latest_quotes(self, symbols: Sequence[str], *, is_crypto: bool) -> dict[str, Row]:
        """The newest quote of each symbol that has one."""
        return await self._latest("quotes", symbols, is_crypto=is_crypto)

    async def latest_trades(self, symbols: Sequence[str], *, is_crypto: bool) -> dict[str, Row]:
        """The newest trade of each symbol that has one."""
        return await self._latest("trades", symbols, is_crypto=is_crypto)

    async def builder(self, length: Length, first_ns: int, last_ns: int, *, is_crypto: bool) -> Builder:
        """What builds bars of this length out of the minutes of a window."""
        calendar = None if is_crypto else await self.calendar(first_ns, last_ns)
        return Builder(length, is_crypto=is_crypto, close_after=self.closes(calendar))

    def closes(self, calendar: Calendar | None) -> Any:
        """Answers where the session of a stamp ends; None outside regular hours and for crypto."""

        def close_after(ts: int) -> int | None:
            session = None if calendar is None else calendar.session_at(ts)
            return None if session is None else session.closes

        return close_after

    def trades_then(self, minute: Candle, calendar: Calendar | None) -> bool:
        """Whether a minute belongs to the hours that are wanted."""
        return (
            calendar is None
            or self.extended_hours
            or not calendar.covers(minute.start)
            or calendar.inside(minute.start, minute.end)
        )

    async def calendar(self, first_ns: int, last_ns: int) -> Calendar:
        """The sessions of a window; asked for once, and again for what lies further away."""
        known = self._calendar
        if known is None or not (known.covers(first_ns) and known.covers(last_ns)):
            if known is not None and known.sessions:
                first_ns = min(first_ns, known.sessions[0].opens)
                last_ns = max(last_ns, known.sessions[-1].closes)
            self._calendar = known = await read_calendar(self._api, first_ns, last_ns)
        return known

    # -- below

    async def _last(self, instrument: Any, length: Length, until: int, limit: int) -> list[Candle]:
        days = limit + 2 if length.is_daily else -(-(limit * length.minutes) // SESSION_MINUTES) + 1
        found: list[Candle] = []
        for _ in range(MOST_LOOKS):
            found = await self.candles(
                instrument, length, await self._days_back(instrument, until, days), until
            )
            if len(found) >= limit:
                break
            days *= 2
        return found[-limit:]

    async def _days_back(self, instrument: Any, until: int, days: int) -> int:
        if is_pair(instrument):
            return until - days * DAY_NANOS
        calendar_days = days * 7 // 5 + 14  # weekends, and more than any holidays in a row
        calendar = await self.calendar(until - calendar_days * DAY_NANOS, until)
        return calendar.back(until, days)

    async def _ticks(self, kind: str, read: Any, instrument: Any, window: Window) -> list[Any]:
        found = []
        async for _, row in self._rows(kind, window):
            tick = read(row, instrument, nanos_of(row["t"]))
            if tick is not None:
                found.append(tick)
        return found

    async def _latest(self, kind: str, symbols: Sequence[str], *, is_crypto: bool) -> dict[str, Row]:
        query: dict[str, Any] = {"symbols": ",".join(symbols)} | ({} if is_crypto else {"feed": self._feed})
        if is_crypto:
            answer = await self._api.call(self._api.crypto.get, f"/crypto/us/latest/{kind}", query)
        else:
            answer = await self._api.call(self._api.stocks.get, f"/stocks/{kind}/latest", query)
        rows: dict[str, Row] = answer.get(kind) or {}
        return rows

    async def _rows(
        self, kind: str, window: Window, timeframe: str | None = None
    ) -> AsyncIterator[tuple[str, Row]]:
        """(symbol, row) of every page of a window, in the broker's order: by symbol, then by time."""
        most, is_crypto = window.most, window.is_crypto
        asked: dict[str, Any] = {
            "symbols": ",".join(window.symbols),
            "start": text_of(window.start_ns),
            "end": text_of(window.until_ns),
            "limit": min(PAGE, most or PAGE),
        }
        if timeframe is not None:
            asked["timeframe"] = timeframe
        if not is_crypto:
            asked["feed"] = self._feed
            if timeframe is not None:
                asked["adjustment"] = self._adjustment
        client, path = (
            (self._api.crypto, f"/crypto/us/{kind}") if is_crypto else (self._api.stocks, f"/stocks/{kind}")
        )
        seen = 0
        while True:
            answer = await self._api.call(client.get, path, asked)
            for symbol, rows in (answer.get(kind) or {}).items():
                for row in rows:
                    seen += 1
                    yield symbol, row
            token = answer.get("next_page_token")
            if not token or (most is not None and seen >= most):
                return
            asked["page_token"] = token


def is_pair(instrument: Any) -> bool:
    """Whether an instrument is crypto: it has its own data, and no market hours."""
    return isinstance(instrument, CurrencyPair)


def day_candle(row: Row, calendar: Calendar | None) -> Candle | None:
    """A row of a whole day, from the open to the close of its session; None for a day that has none."""
    day = candle_of(row, DAY_NANOS)
    if calendar is None:
        return day._replace(end=daily_end(day.start))
    session = calendar.of_day(day_of(day.start + NANOS))
    return None if session is None else day._replace(start=session.opens, end=session.closes)
