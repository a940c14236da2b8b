"""What goes on between Alpaca's streams and a node: rows, the time they tell, gaps, and the open and the close."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any

from nautilus_trader.model import TradeTick

from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._bar_desk import BarDesk, Grace
from adapters.alpaca._data_stream import DataLine, Listener
from adapters.alpaca._handover import Handover
from adapters.alpaca._parsing_data import (
    NANOS,
    Candle,
    Row,
    bar_of,
    candle_of,
    nanos_of,
    quote_of,
    status_of,
    trade_of,
)
from adapters.alpaca._statuses import Statuses
from adapters.alpaca._told import Told
from adapters.alpaca._upkeep import Lane, Rhythm, Upkeep
from adapters.alpaca.bars import MINUTE_NANOS
from adapters.alpaca.calendar import DAY_NANOS, Calendar, read_clock
from adapters.alpaca.history import History, is_pair
from adapters.outcomes import RequestError

SETTLE_NANOS = 3 * NANOS
"""After the end of a minute until REST knows it."""
AHEAD_NANOS, REHEARSED_NANOS = 30 * DAY_NANOS, 20 * 366 * DAY_NANOS
"""How far ahead the calendar is asked for: on the clock on the wall, and where days pass in seconds."""
MOST_SKEW_NANOS = 5 * NANOS
UNREADABLE = (KeyError, ValueError, TypeError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class Around:
    """What a feed has of the node around it."""

    wall: Callable[[], int]
    """The clock on the wall, UTC nanoseconds."""
    spawn: Callable[[Coroutine[Any, Any, None], str], Any]
    """Starts a task that is looked after."""
    log: Told


@dataclass(frozen=True, slots=True)
class Options:
    """What may differ from venue to venue."""

    replayed: bool = False
    """Market time is not the wall's but that of the newest stamp."""
    adjustment: str = "split"
    extended_hours: bool = False
    rhythm: Rhythm | None = None
    """None: the venue's `silent_secs`, and what else suits Alpaca."""
    grace: Grace | None = None


class MarketFeed:
    """The market data of a run's instruments. Everything it has goes to the handover, in order of time."""

    def __init__(  # noqa: PLR0913 - what a feed is made of
        self,
        config: Any,
        api: AlpacaApi,
        instruments: Sequence[Any],
        handover: Handover,
        around: Around,
        options: Options,
    ) -> None:
        """Connects nothing."""
        self._config, self._api, self._handover = config, api, handover
        self._around, self._options, self._log = around, options, around.log
        self.instruments = {str(one.raw_symbol): one for one in instruments}
        self.statuses = Statuses(self._give, self.market_now)
        """Who is told of halts, and of the open and the close."""
        self._rhythm = options.rhythm or Rhythm(silent=config.silent_secs)
        self._newest = 0
        self.history = History(
            api, feed=config.feed, adjustment=options.adjustment, extended_hours=options.extended_hours
        )
        self._calendar = Calendar([])
        rehearsed = Grace(bar=2 * NANOS, day=45 * NANOS) if options.replayed else Grace()
        self.desk = BarDesk(
            self._hand_bar,
            lambda: self._calendar,
            options.grace or rehearsed,
            extended_hours=options.extended_hours,
        )
        self._upkeep = Upkeep(self.desk, self.history, self._log, self._known_until, self.take, self._rhythm)
        self.lanes = [self._lane(is_crypto=kind) for kind in sorted({is_pair(one) for one in instruments})]

    def market_now(self) -> int:
        """Market time, UTC nanoseconds."""
        return self._newest if self._options.replayed else self._around.wall()

    def lane_of(self, instrument: Any) -> Lane:
        """Where the data of an instrument comes from."""
        return next(lane for lane in self.lanes if lane.is_crypto == is_pair(instrument))

    def finish(self) -> None:
        """Nothing more will come: hand on the bars that are still being built."""
        self.desk.finish()

    async def open(self) -> None:
        """Read the market's clock and calendar, connect the streams. Raises RequestError or AdapterError."""
        clock = await read_clock(self._api)
        now = self._around.wall()
        if self._options.replayed:
            self._newest = now = max(self._newest, clock.now_ns)
        elif abs(clock.now_ns - now) > MOST_SKEW_NANOS:
            off = (now - clock.now_ns) / NANOS
            self._log.warning(f"this machine's clock is {off:+.1f} s off Alpaca's, and so are its stamps")
        await self._read_calendar(now)
        self.statuses.look(self._calendar.session_at(now))
        for lane in self.lanes:
            await lane.line.start()
        self._around.spawn(self._keep_up(), "alpaca upkeep")

    async def last_trades(self) -> list[TradeTick]:
        """The newest trade of each instrument, however old; none in a rehearsal, whose time begins with the run.

        Nobody has subscribed yet. The engine denies a market order, and so every exit, in what it knows no price of: at
        night there is none to hear.
        """
        found: list[TradeTick] = []
        for lane in () if self._options.replayed else self.lanes:
            symbols = sorted(name for name, one in self.instruments.items() if self.lane_of(one) is lane)
            try:
                rows = await self.history.latest_trades(symbols, is_crypto=lane.is_crypto)
                ticks = [self._last(row, self.instruments[name]) for name, row in rows.items()]
            except (RequestError, *UNREADABLE) as error:
                self._log.warning(f"the last {lane.name} trades cannot be asked for: {error}")
                continue
            found += [each for each in ticks if each is not None]
        return found

    def _last(self, row: Row, instrument: Any) -> TradeTick | None:
        """A trade for its price: one of a fraction of a share has it too."""
        now = self.market_now()
        return trade_of(row, instrument, now) or trade_of({**row, "s": 1}, instrument, now)

    async def close(self) -> None:
        """Hang up."""
        await asyncio.gather(*(lane.line.stop() for lane in self.lanes), return_exceptions=True)

    async def want_bars(self, bar_type: Any, instrument: Any) -> None:
        """Ask for bars. Raises AdapterError for a length that Alpaca cannot give."""
        lane = self.lane_of(instrument)
        async with self._upkeep.filled_before(lane):
            wanted = self.desk.add(bar_type, instrument, self.market_now())
            channels = {"dailyBars"} if wanted.length.is_daily else {"bars", "updatedBars"}
            if self._options.replayed:  # whose stamps tell the time, also after the close
                channels |= {"bars", "quotes"}
            await lane.line.add(channels, wanted.symbol)

    async def want_ticks(self, channel: str, instrument: Any, *, wanted: bool) -> None:
        """Ask for quotes or trades, or for no more of them."""
        lane, symbol = self.lane_of(instrument), str(instrument.raw_symbol)
        if wanted:
            lane.ticks[channel].add(symbol)
        else:
            lane.ticks[channel].discard(symbol)
        if wanted:
            await lane.line.add([channel], symbol)
        elif not self._options.replayed:
            await lane.line.remove(channel, symbol)

    async def want_status(self, instrument: Any) -> None:
        """Ask for halts, and for the open and the close; how it is now comes at once."""
        symbol, lane = str(instrument.raw_symbol), self.lane_of(instrument)
        if not lane.is_crypto:
            await lane.line.add(["statuses"], symbol)
        self.statuses.add(instrument)

    # -- below

    async def _read_calendar(self, now: int) -> None:
        ahead = REHEARSED_NANOS if self._options.replayed else AHEAD_NANOS
        self._calendar = await self.history.calendar(now - 14 * DAY_NANOS, now + ahead)

    def _lane(self, *, is_crypto: bool) -> Lane:
        lane = Lane(is_crypto)
        lane.line = DataLine(
            lane.name,
            self._api.endpoints.crypto_stream if is_crypto else self._api.endpoints.stock_stream,
            self._api.keys,
            Listener(
                on_row=partial(self.take, lane),
                on_up=partial(self._upkeep.came_up, lane),
                on_down=partial(self._upkeep.went_down, lane),
                on_refused=lambda why: self._log.error(f"the {lane.name} stream: {why}"),
                on_over=partial(self._upkeep.went_down, lane, for_good=True),
            ),
            answer_secs=self._config.answer_secs,
        )
        return lane

    # -- rows

    def take(self, lane: Lane, row: Row) -> None:
        """One row of a stream, or what polling found in its place."""
        if lane.held is not None:
            lane.held.append(row)
            return
        try:
            self._read(lane, row)
        except UNREADABLE as error:
            self._log.error(
                f"a row of the {lane.name} stream cannot be read: {type(error).__name__}: {error}"
            )

    def _read(self, lane: Lane, row: Row) -> None:
        instrument = self.instruments.get(row.get("S", ""))
        if instrument is None:
            return
        symbol, kind, now = row["S"], row["T"], self._stamp_of(lane, row)
        if kind == "b":
            self.desk.minute(symbol, candle_of(row, MINUTE_NANOS))
        elif kind == "u":
            self.desk.correct(symbol, candle_of(row, MINUTE_NANOS))
        elif kind == "d":
            self.desk.day(symbol, row, self.market_now())
        elif kind == "q" and symbol in lane.ticks["quotes"]:
            self._give(quote_of(row, instrument, now))
        elif kind == "t" and symbol in lane.ticks["trades"]:
            self._give(trade_of(row, instrument, now))
        elif kind == "s" and self.statuses.has(symbol):
            self._give(status_of(row, instrument, now))

    def _stamp_of(self, lane: Lane, row: Row) -> int:
        """Note when a row was known, let that time pass, and answer what to write as the time it arrived."""
        lane.last_row = monotonic()
        kind, stamp = row["T"], nanos_of(row["t"])
        if kind in ("q", "t"):
            key = f"{'quotes' if kind == 'q' else 'trades'} {row['S']}"
            lane.newest[key] = max(stamp, lane.newest.get(key, 0))
        if self._options.replayed and kind in ("q", "t", "b", "s"):
            self._pass_time(stamp + MINUTE_NANOS if kind == "b" else stamp)
        return self.market_now()

    def _give(self, update: Any) -> None:
        if update is not None:
            self._handover.give(update)

    def _hand_bar(self, candle: Candle, bar_type: Any, instrument: Any) -> None:
        self._handover.give(bar_of(candle, bar_type, instrument, max(candle.end, self.market_now())))

    # -- time

    async def _known_until(self) -> int:
        """Market time up to which REST knows everything."""
        if self._options.replayed:
            return max(self._newest, (await read_clock(self._api)).now_ns)
        return self.market_now() - SETTLE_NANOS

    async def _keep_up(self) -> None:
        while True:
            await asyncio.sleep(self._rhythm.turn)
            try:
                now = await self._known_until() if self._is_blind() else self.market_now()
                for lane in self.lanes:
                    await self._upkeep.turn(
                        lane, is_open=lane.is_crypto or self._calendar.session_at(now) is not None
                    )
                self._pass_time(now)
                if not self._options.replayed and not self._calendar.covers(now + AHEAD_NANOS // 2):
                    await self._read_calendar(now)
            except Exception as error:  # noqa: BLE001 - the engine would let this task die, and nothing would be repaired any more
                self._log.error(f"upkeep of the market data failed: {type(error).__name__}: {error}")

    def _is_blind(self) -> bool:
        """Whether nothing tells the time of a rehearsal: no stream is up."""
        return self._options.replayed and not any(lane.is_up for lane in self.lanes)

    def _pass_time(self, now: int) -> None:
        """It is now so late: bars and days that are over go out, and who wants to know hears of open and close."""
        self._newest = max(self._newest, now)
        for lane in self.lanes:
            if lane.whole:
                self.desk.flush(now, is_crypto=lane.is_crypto)
            asked = self.desk.end_days(now, is_crypto=lane.is_crypto)
            if asked:
                self._around.spawn(self._ask_days(lane, asked, now), "alpaca days")
        self.statuses.look(self._calendar.session_at(now))

    async def _ask_days(self, lane: Lane, symbols: list[str], now: int) -> None:
        """The stream said too little of a day that is over: as the broker keeps it, else as last heard of."""
        try:
            found = await self.history.days(symbols, now - 5 * DAY_NANOS, now, is_crypto=lane.is_crypto)
        except RequestError as error:
            self._log.error(f"the day's bars of {', '.join(symbols)} cannot be asked for: {error}")
            found = {}
        for symbol in symbols:
            last = self.desk.unfinished_day(symbol)
            for candle in found.get(symbol) or ([] if last is None else [last]):
                self.desk.whole_day(symbol, candle)
