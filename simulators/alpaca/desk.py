"""The broker as a whole: its clock, its market, its books, its record; what the REST and stream sides ask."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from simulators.alpaca import auctions
from simulators.alpaca.assets import CENT, Assets
from simulators.alpaca.calendar import Calendar
from simulators.alpaca.exchange import Exchange
from simulators.alpaca.faults import Faults
from simulators.alpaca.ledger import Ledger
from simulators.alpaca.matching import Quote
from simulators.alpaca.orders import Order
from simulators.alpaca.paths import Bar
from simulators.alpaca.tape import Print, Step, Tape
from simulators.alpaca.wire import NANOS, iso
from simulators.broker.record import Record

Row = dict[str, Any]


class Clock:
    """Simulated time in UTC nanoseconds: it runs at `speed` from the last step, but never past the next one."""

    def __init__(self, now: int) -> None:
        self._at = now
        self._limit: int | None = None
        self._speed = 0.0
        self._since = 0.0
        self._last = 0

    def set(self, now: int, limit: int | None = None, speed: float = 0.0) -> None:
        """It is `now`, and runs on at `speed` up to `limit`."""
        self._at, self._limit, self._speed, self._since = now, limit, speed, time.monotonic()

    def now(self) -> int:
        """The moment; never before a stamp that was given."""
        at = self._at
        if self._speed and self._limit is not None:
            ran = at + int((time.monotonic() - self._since) * self._speed * NANOS)
            at = max(at, min(ran, self._limit - 1))
        return max(at, self._last)

    def stamp(self) -> int:
        """The moment, never the same twice."""
        self._last = max(self._last + 1000, self.now())
        return self._last


class Desk:
    """Changes are on disk before anybody hears of them: `flush` writes, then tells."""

    def __init__(  # noqa: PLR0913 - what a broker is made of
        self, assets: Assets, calendar: Calendar, tape: Tape, ledger: Ledger, clock: Clock, record: Record,
        spread: Decimal = CENT,
    ) -> None:  # fmt: skip
        self.assets, self.calendar, self.tape, self.clock = assets, calendar, tape, clock
        self.ledger = ledger
        self.faults = Faults()
        self.exchange = Exchange(assets, calendar, ledger, clock.stamp, self._tell)
        self.trades: dict[str, Row] = {}
        self.spread = spread
        self.news: list[Row] = []
        self.on_update: Callable[[Row], None] = lambda _row: None
        self.on_data: Callable[[str, str, Row], None] = lambda _channel, _symbol, _row: None
        self._record = record
        self._told: list[Row] = []
        self._reached = clock.now()
        self._noted: Counter[str] = Counter()
        self._trade_id = 1

    # -- the market moves

    def play(self, step: Step) -> None:
        """Play one step of the tape."""
        for each in step.prints:
            self._mark(each.symbol, each.price - self._half(each), each.price + self._half(each), each.price)
        self.advance(step.stamp)
        for each in step.prints:
            self._publish_print(each)
        for each in step.prints:
            self.exchange.match(each.symbol)
        for symbol, bar in step.bars:
            self.publish_bar(symbol, bar)
        for symbol, bar in step.corrected:
            self.on_data("updatedBars", symbol, _bar_row("u", symbol, bar))
        self.flush()

    def price(self, symbol: str, price: Decimal, bid: Decimal, ask: Decimal, size: Decimal) -> None:
        """A price of a test's own, at this moment."""
        self._mark(symbol, bid, ask, price)
        self._publish_print(Print(symbol, price, size))
        self.exchange.match(symbol)
        self.flush()

    def advance(self, now: int) -> None:
        """It is `now`: whatever opened, closed or expired since is worked on."""
        for stamp, what, day in self._passed(now):
            self.clock.set(stamp)
            if what == "open":
                auctions.open_market(self.exchange)
            elif what == "close":
                auctions.close_market(self.exchange, stamp, day.isoformat())
            auctions.expire(self.exchange, stamp)
        self.clock.set(max(now, self.clock.now()))
        self._reached = max(now, self._reached)
        auctions.expire(self.exchange, now)

    def publish_bar(self, symbol: str, bar: Bar) -> None:
        """Tell a minute bar, and the day's so far."""
        self.on_data("bars", symbol, _bar_row("b", symbol, bar))
        daily = self.tape.daily(symbol, self.clock.now())
        self.on_data("dailyBars", symbol, _bar_row("d", symbol, daily[-1] if daily else bar))

    def publish_status(self, symbol: str, code: str, reason: str) -> None:
        """Halt or resume trading in a stock: code H or T."""
        if code == "H":
            self.exchange.halted.add(symbol)
        else:
            self.exchange.halted.discard(symbol)
        said = {"H": "Trading Halt", "T": "Trading Resumption", "Q": "Quotation Resumption"}.get(code, code)
        self.on_data("statuses", symbol, {
            "T": "s", "S": symbol, "sc": code, "sm": said, "rc": reason, "rm": "", "t": self.clock.stamp(), "z": "C",
        })  # fmt: skip
        self.exchange.match(symbol)
        self.flush()

    def publish_news(self, row: Mapping[str, Any]) -> Row:
        """Publish an article."""
        stamp = self.clock.stamp()
        article: Row = {
            "id": len(self.news) + 1, "headline": "", "summary": "", "author": "Keel", "created_at": iso(stamp),
            "updated_at": iso(stamp), "content": "", "url": "", "symbols": [], "source": "simulator",
        } | dict(row)  # fmt: skip
        self.news.append(article)
        told = {**article, "T": "n", "created_at": stamp, "updated_at": stamp}
        for symbol in article["symbols"] or ["*"]:
            self.on_data("news", symbol, told)
        return article

    # -- books and record

    def settle(self) -> None:
        """Work on what was accepted, write it, tell it."""
        self.exchange.settle()
        self.flush()

    def flush(self) -> None:
        """Write what changed, then tell it."""
        exchange, ledger = self.exchange, self.ledger
        lines: list[Row] = [{"order": exchange.orders[each].state()} for each in exchange.changed]
        exchange.changed.clear()
        lines += [{"fill": each} for each in exchange.fills[self._noted["fills"] :]]
        activities = ledger.activities[self._noted["activities"] :]
        lines += [{"activity": each} for each in activities]
        if lines:
            lines += [{"ledger": ledger.row()}, {"clock": self.clock.now()}]
        self._noted.update(
            fills=len(exchange.fills) - self._noted["fills"],
            activities=len(ledger.activities) - self._noted["activities"],
        )
        self._record.write(lines)
        told, self._told = self._told, []
        for row in told:
            self.on_update(row)

    def note_received(self, name: str) -> None:
        """Write down that an order came in."""
        self._record.write([{"received": name, "times": self.exchange.received[name]}])

    def restore(self, lines: list[Row]) -> int | None:
        """Go on where an earlier life ended; answers its time, None when there was none."""
        now = None
        for line in lines:
            if "order" in line:
                self.exchange.add(Order.from_state(line["order"]))
            elif "fill" in line:
                self.exchange.fills.append(line["fill"])
            elif "activity" in line:
                self.ledger.activities.append(line["activity"])
            elif "ledger" in line:
                self.ledger.restore(line["ledger"])
            elif "received" in line:
                self.exchange.received[line["received"]] = line["times"]
            elif "clock" in line:
                now = int(line["clock"])
        self.exchange.changed.clear()
        self._noted.update(fills=len(self.exchange.fills), activities=len(self.ledger.activities))
        return now

    def close(self) -> None:
        """Close the record."""
        self._record.close()

    def history(self) -> list[Row]:
        """Everything that `restore` needs."""
        return [
            {"ledger": self.ledger.row()},
            *({"received": name, "times": times} for name, times in self.exchange.received.items()),
            *({"fill": each} for each in self.exchange.fills),
            *({"activity": each} for each in self.ledger.activities),
            *({"order": each.state()} for each in self.exchange.orders.values()),
            {"clock": self.clock.now()},
        ]

    def start_at(self, now: int) -> None:
        """It is `now`, with the prices of that moment, and nothing happened before."""
        self.clock.set(now)
        self._reached = now
        for symbol in self.tape.symbols:
            price = self.tape.last_price(symbol, now)
            if price is not None:
                self._mark(symbol, price - self.spread, price + self.spread, price)
                self.ledger.lastday.setdefault(symbol, price)
        self.ledger.last_equity = self.ledger.last_equity or self.exchange.power().equity

    # -- helpers

    def _passed(self, now: int) -> list[tuple[int, str, date]]:
        """Opens, closes and ends of extended hours since the last time somebody looked."""
        found = []
        session = self.calendar.current(self._reached)
        while session.open <= now:
            events = ((session.open, "open"), (session.close, "close"), (session.last, "end"))
            found += [(stamp, what, session.day) for stamp, what in events if self._reached < stamp <= now]
            session = self.calendar.current(session.last)
        return found

    def _half(self, each: Print) -> Decimal:
        return self.assets.get(each.symbol).price_increment if self.spread else Decimal(0)

    def _mark(self, symbol: str, bid: Decimal, ask: Decimal, last: Decimal) -> None:
        self.exchange.mark(symbol, Quote(bid, ask, last, self.clock.now()))

    def _publish_print(self, each: Print) -> None:
        symbol, quote, stamp = each.symbol, self.exchange.quotes[each.symbol], self.clock.stamp()
        crypto = self.assets.get(symbol).is_crypto
        row: Row = {
            "T": "q", "S": symbol, "bp": quote.bid, "bs": Decimal(100), "ap": quote.ask, "as": Decimal(100), "t": stamp,
        }  # fmt: skip
        self.on_data("quotes", symbol, row if crypto else row | {"bx": "V", "ax": "V", "c": ["R"], "z": "C"})
        if crypto:
            book = {"b": [{"p": quote.bid, "s": Decimal(100)}], "a": [{"p": quote.ask, "s": Decimal(100)}]}
            self.on_data("orderbooks", symbol, {"T": "o", "S": symbol, **book, "t": stamp, "r": True})
        if each.size:
            self._trade_id += 1
            row = {"T": "t", "S": symbol, "i": self._trade_id, "p": each.price, "s": each.size, "t": stamp}
            row |= {"tks": "B"} if crypto else {"x": "V", "c": ["@"], "z": "C"}
            self.trades[symbol] = row
            self.on_data("trades", symbol, row)

    def _tell(self, row: Row) -> None:
        self._told.append(row)


def _bar_row(kind: str, symbol: str, bar: Bar) -> Row:
    return {"T": kind, "S": symbol, **bar_row(bar)}


def bar_row(bar: Bar) -> Row:
    """A bar as on the wire; `t` in nanoseconds still."""
    return {
        "o": bar.open, "h": bar.high, "l": bar.low, "c": bar.close, "v": bar.volume, "t": bar.start,
        "n": bar.trades, "vw": bar.vwap,
    }  # fmt: skip
