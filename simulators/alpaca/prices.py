"""The market data interface: bars, trades, quotes, snapshots and news, past and newest."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from simulators.alpaca.desk import Desk, bar_row
from simulators.alpaca.listeners import jsonable
from simulators.alpaca.paths import Bar
from simulators.alpaca.refusal import RefusedError
from simulators.alpaca.trading import Answer, Asked
from simulators.alpaca.wire import NANOS, nanos, number

Row = dict[str, Any]
DAY = 86_400 * NANOS
UNITS = {"Min": "Min", "T": "Min", "Hour": "Hour", "H": "Hour", "Day": "Day", "D": "Day", "Week": "Week", "W": "Week",
         "Month": "Month", "M": "Month"}  # fmt: skip
USUAL, MOST, MOST_NEWS = 1000, 10_000, 50
_LENGTH = re.compile(r"(\d+)([A-Za-z]+)")


class Prices:
    """One method a request; `kind` is stocks or crypto."""

    def __init__(self, desk: Desk, delayed_feeds: frozenset[str] = frozenset()) -> None:
        """`delayed_feeds`: those of which the account may not see the last fifteen minutes."""
        self._desk = desk
        self._delayed = delayed_feeds

    def bars(self, asked: Asked) -> Answer:
        """GET .../bars."""
        length = _length(asked.query.get("timeframe") or "")
        start, end = self._window(asked.query)

        def of(symbol: str) -> list[Row]:
            return [bar_row(bar) for bar in self._adjusted(symbol, length, start, end, asked.query)]

        return self._paged("bars", asked, of)

    def trades(self, asked: Asked) -> Answer:
        """GET .../trades: made of the minutes' prices."""
        start, end = self._window(asked.query)

        def of(symbol: str) -> list[Row]:
            crypto = self._desk.assets.get(symbol).is_crypto
            return [_trade(at, price, size, crypto) for at, price, size in self._prints(symbol, start, end)]

        return self._paged("trades", asked, of)

    def quotes(self, asked: Asked) -> Answer:
        """GET .../quotes: a spread around the minutes' prices."""
        start, end = self._window(asked.query)

        def of(symbol: str) -> list[Row]:
            asset = self._desk.assets.get(symbol)
            tick = asset.price_increment
            return [
                _quote(at, price - tick, price + tick, asset.is_crypto)
                for at, price, _ in self._prints(symbol, start, end)
            ]

        return self._paged("quotes", asked, of)

    def latest(self, asked: Asked) -> Answer:
        """GET .../{bars,trades,quotes,orderbooks}/latest."""
        what = asked.path["what"]
        read = {"bars": self._bar, "trades": self._trade, "quotes": self._quote, "orderbooks": self._book}[
            what
        ]
        rows = {symbol: read(symbol) for symbol in self._symbols(asked)}
        found = {symbol: row for symbol, row in rows.items() if row is not None}
        if "symbol" in asked.path:
            symbol = asked.path["symbol"]
            if symbol not in found:
                raise RefusedError(404, 40410000, f"no {what[:-1]} found for {symbol}")
            return Answer(jsonable({"symbol": symbol, what[:-1]: found[symbol]}))
        return Answer(jsonable({what: found}))

    def snapshots(self, asked: Asked) -> Answer:
        """GET .../snapshots."""
        rows = {}
        for symbol in self._symbols(asked):
            daily = self._desk.tape.daily(symbol, self._desk.clock.now())
            row = {
                "latestTrade": self._trade(symbol), "latestQuote": self._quote(symbol), "minuteBar": self._bar(symbol),
                "dailyBar": bar_row(daily[-1]) if daily else None,
                "prevDailyBar": bar_row(daily[-2]) if len(daily) > 1 else None,
            }  # fmt: skip
            rows[symbol] = {name: each for name, each in row.items() if each is not None}
        if "symbol" in asked.path:
            return Answer(jsonable({"symbol": asked.path["symbol"], **rows[asked.path["symbol"]]}))
        crypto = asked.path["kind"] == "crypto"
        return Answer(jsonable({"snapshots": rows} if crypto else rows))

    def news(self, asked: Asked) -> Answer:
        """GET /v1beta1/news."""
        wanted = [each for each in (asked.query.get("symbols") or "").split(",") if each]
        start = nanos(asked.query["start"]) if asked.query.get("start") else 0
        end = nanos(asked.query["end"]) if asked.query.get("end") else self._desk.clock.now()
        rows = [
            {**row, "images": []} for row in self._desk.news
            if start <= nanos(row["created_at"]) <= end and (not wanted or set(wanted) & set(row["symbols"]))
        ]  # fmt: skip
        rows.sort(key=lambda row: row["created_at"], reverse=asked.query.get("sort", "desc").lower() != "asc")
        size = int(number("limit", asked.query.get("limit")) or 10)
        if not 1 <= size <= MOST_NEWS:
            raise RefusedError(400, 40010000, f"invalid limit: must be between 1 and {MOST_NEWS}")
        first = _place(asked.query.get("page_token"))
        token = _token(first + size) if len(rows) > first + size else None
        return Answer({"news": jsonable(rows[first : first + size]), "next_page_token": token})

    # -- helpers

    def _symbols(self, asked: Asked) -> list[str]:
        text = asked.path.get("symbol") or asked.query.get("symbols") or ""
        symbols = [each.strip() for each in text.split(",") if each.strip()]
        if not symbols:
            raise RefusedError(400, 40010000, "symbols is required")
        crypto = asked.path["kind"] == "crypto"
        for symbol in symbols:
            found = self._desk.assets.find(symbol)
            bad = found is not None and (found.is_crypto != crypto or (crypto and "/" not in symbol))
            if bad or not re.fullmatch(r"[A-Z0-9./]+", symbol):
                raise RefusedError(400, 40010000, f"invalid symbol: {symbol}")
        return symbols

    def _window(self, query: Mapping[str, str]) -> tuple[int, int]:
        now = self._desk.clock.now()
        start = nanos(query["start"]) if query.get("start") else now - now % DAY
        end = nanos(query["end"]) if query.get("end") else now
        if query.get("end") and len(query["end"]) == len("2013-01-01"):
            end += DAY - 1
        if end < start:
            raise RefusedError(400, 40010000, "end should not be before start")
        if query.get("feed") in self._delayed and end > now - 15 * 60 * NANOS:
            raise RefusedError(403, 42210000, "subscription does not permit querying recent SIP data")
        return start, min(end, now)

    def _paged(self, name: str, asked: Asked, of: Callable[[str], list[Row]]) -> Answer:
        size = int(number("limit", asked.query.get("limit")) or USUAL)
        if not 1 <= size <= MOST:
            raise RefusedError(400, 40010000, f"invalid limit: must be between 1 and {MOST}")
        symbols = sorted(self._symbols(asked))
        known = [each for each in symbols if each in self._desk.tape.symbols]
        down = (asked.query.get("sort") or "asc").lower() == "desc"
        rows = [(symbol, row) for symbol in known for row in (of(symbol)[::-1] if down else of(symbol))]
        first = _place(asked.query.get("page_token"))
        found: dict[str, list[Row]] = {}
        for symbol, row in rows[first : first + size]:
            found.setdefault(symbol, []).append(row)
        token = _token(first + size) if len(rows) > first + size else None
        if "symbol" in asked.path:
            symbol = asked.path["symbol"]
            return Answer(jsonable({"symbol": symbol, name: found.get(symbol, []), "next_page_token": token}))
        return Answer(jsonable({name: found, "next_page_token": token}))

    def _adjusted(
        self, symbol: str, length: tuple[int, str], start: int, end: int, query: Mapping[str, str]
    ) -> list[Bar]:
        bars = self._desk.tape.bars(symbol, length, start, end, self._desk.clock.now())
        wanted = set((query.get("adjustment") or "raw").split(","))
        if not wanted <= {"raw", "split", "dividend", "spin-off", "all"}:
            raise RefusedError(400, 40010000, f"invalid adjustment: {query['adjustment']}")
        return self._desk.tape.adjust(symbol, bars) if wanted & {"split", "all"} else bars

    def _prints(self, symbol: str, start: int, end: int) -> list[Any]:
        return self._desk.tape.prints(symbol, start, end, self._desk.clock.now())

    def _bar(self, symbol: str) -> Row | None:
        now = self._desk.clock.now()
        found = self._desk.tape.bars(symbol, (1, "Min"), now - 5 * DAY, now, now)
        return bar_row(found[-1]) if found else None

    def _trade(self, symbol: str) -> Row | None:
        row = self._desk.trades.get(symbol)
        if row is not None:
            return {name: each for name, each in row.items() if name not in ("T", "S")}
        quote = self._desk.exchange.quotes.get(symbol)
        asset = self._desk.assets.find(symbol)
        if quote is None or asset is None:
            return None
        return _trade(quote.stamp, quote.last, asset.min_order_size, asset.is_crypto)

    def _quote(self, symbol: str) -> Row | None:
        quote = self._desk.exchange.quotes.get(symbol)
        asset = self._desk.assets.find(symbol)
        return (
            None
            if quote is None or asset is None
            else _quote(quote.stamp, quote.bid, quote.ask, asset.is_crypto)
        )

    def _book(self, symbol: str) -> Row | None:
        quote = self._desk.exchange.quotes.get(symbol)
        if quote is None:
            return None
        return {"b": [{"p": quote.bid, "s": 100}], "a": [{"p": quote.ask, "s": 100}], "t": quote.stamp}


def _length(text: str) -> tuple[int, str]:
    found = _LENGTH.fullmatch(text)
    if found is None or found[2] not in UNITS or not int(found[1]):
        raise RefusedError(400, 40010000, f"invalid timeframe: {text}")
    return int(found[1]), UNITS[found[2]]


def _trade(at: int, price: Any, size: Any, crypto: bool) -> Row:  # noqa: FBT001 - one fact of the asset
    row: Row = {"t": at, "p": price, "s": size, "i": at // NANOS}
    return row | ({"tks": "B"} if crypto else {"x": "V", "c": ["@"], "z": "C"})


def _quote(at: int, bid: Any, ask: Any, crypto: bool) -> Row:  # noqa: FBT001 - one fact of the asset
    row: Row = {"t": at, "bp": bid, "bs": 100, "ap": ask, "as": 100}
    return row if crypto else row | {"bx": "V", "ax": "V", "c": ["R"], "z": "C"}


def _token(place: int) -> str:
    return base64.urlsafe_b64encode(f"row|{place}".encode()).decode()


def _place(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()).decode().removeprefix("row|"))
    except ValueError:
        raise RefusedError(400, 40010000, "invalid page_token") from None
