"""What is done when a stream breaks, falls silent or cannot be had?

Whatever minutes it missed are asked for over REST before anything newer is handed on. While there is no stream, REST
is polled instead. A stream that is up and says nothing is not believed: REST is asked whether there was anything.
Every change is told once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic

from adapters.alpaca._bar_desk import BarDesk
from adapters.alpaca._data_stream import DataLine
from adapters.alpaca._parsing_data import Row, nanos_of, text_of
from adapters.alpaca._told import Told
from adapters.alpaca.bars import MINUTE_NANOS
from adapters.alpaca.history import History
from adapters.outcomes import RequestError

TRIES = 3
"""How often a gap is asked for."""
LATEST = {"quotes": "q", "trades": "t"}
"""Channel -> the kind of row it has on the stream."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How patient we are, in seconds of the wall clock."""

    turn: float = 1.0
    poll: float = 5.0
    """Between two polls without a stream."""
    down: float = 2.0
    """Without a stream before polling begins."""
    silent: float = 90.0
    """Without a row before REST is asked whether there should have been one."""
    again: float = 1.0
    """Between tries to fill a gap."""


@dataclass(slots=True)
class Lane:
    """One class of instruments: shares or crypto."""

    is_crypto: bool
    line: DataLine = field(init=False)
    why: str = ""
    down_since: float = field(default_factory=monotonic)
    polling: bool = False
    whole: bool = False
    """Whether every minute up to now is known: the stream is up and its gap is filled."""
    next_poll: float = 0.0
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while somebody asks for bars."""
    held: list[Row] | None = None
    """Rows that wait until the gap before them is filled."""
    last_row: float = field(default_factory=monotonic)
    newest: dict[str, int] = field(default_factory=dict)
    """`quotes AAPL` -> the newest stamp seen."""
    ticks: dict[str, set[str]] = field(default_factory=lambda: {"quotes": set(), "trades": set()})
    """Channel -> the symbols somebody asked for."""

    @property
    def name(self) -> str:
        """What messages call it."""
        return "crypto" if self.is_crypto else "stock"

    @property
    def is_up(self) -> bool:
        """Whether its stream runs."""
        return self.line.is_up


class Upkeep:
    """Keeps bars complete. `take(lane, row)` gets what polling finds, as if the stream had said it."""

    def __init__(  # noqa: PLR0913 - what it looks after
        self,
        desk: BarDesk,
        history: History,
        log: Told,
        now: Callable[[], Awaitable[int]],
        take: Callable[[Lane, Row], None],
        rhythm: Rhythm,
    ) -> None:
        """`now` answers the market time up to which REST knows everything."""
        self._desk = desk
        self._history = history
        self._log = log
        self._now = now
        self._take = take
        self._rhythm = rhythm

    async def came_up(self, lane: Lane) -> None:
        """Fill the gap since the last row, then go on."""
        if lane.polling:
            self._log.info(f"the {lane.name} stream is back; polling stops")
        lane.polling, lane.why, lane.last_row = False, "", monotonic()
        for attempt in range(TRIES):
            try:
                found = await self._fill(lane)
            except RequestError as error:
                if attempt == TRIES - 1:
                    since = self._desk.since(self._minutes_of(lane))
                    self._log.error(
                        f"the {lane.name} bars since {_when(since)} cannot be asked for and may be missing: {error}"
                    )
                await asyncio.sleep(self._rhythm.again)
            else:
                if found:
                    self._log.info(f"{found} {lane.name} minute bars that the stream missed were filled in")
                break
        lane.whole = True

    def went_down(self, lane: Lane, why: str, *, for_good: bool = False) -> None:
        """Remember since when and why; said once for each reason, and by the polling where it will not come back."""
        if lane.why != why and not for_good:
            self._log.warning(f"the {lane.name} stream is down: {why}; connecting again")
        if lane.whole or not lane.why:
            lane.down_since = monotonic()
        lane.whole, lane.why = False, why

    async def turn(self, lane: Lane, *, is_open: bool) -> None:
        """What is due now: polling without a stream, doubting one that is silent."""
        if not lane.is_up:
            await self._without_stream(lane)
        elif is_open and monotonic() - lane.last_row > self._rhythm.silent and self._needed(lane):
            lane.last_row = monotonic()
            await self._doubt(lane)

    @asynccontextmanager
    async def filled_before(self, lane: Lane) -> AsyncIterator[None]:
        """Bars are asked for inside that may have begun in the past: hand on what is missing of them, then what came.

        From the beginning on rows are held, for a minute that overtook an earlier one would leave a hole.
        """
        async with lane.asking:
            lane.held = []
            try:
                yield
                if lane.whole:
                    await self._fill(lane)
            except RequestError as error:
                self._log.error(f"earlier {lane.name} bars cannot be asked for and may be missing: {error}")
            finally:
                held, lane.held = lane.held, None
                for row in held:
                    self._take(lane, row)

    # -- below

    def _minutes_of(self, lane: Lane) -> list[str]:
        return self._desk.symbols(daily=False, is_crypto=lane.is_crypto)

    def _needed(self, lane: Lane) -> bool:
        return bool(self._minutes_of(lane) or any(lane.ticks.values()))

    async def _without_stream(self, lane: Lane) -> None:
        now, rhythm = monotonic(), self._rhythm
        if now - lane.down_since < rhythm.down or now < lane.next_poll or not self._needed(lane):
            return
        lane.next_poll = now + rhythm.poll
        if not lane.polling:
            lane.polling = True
            self._log.warning(
                f"there is no {lane.name} stream ({lane.why}); polling every {rhythm.poll:g} s instead: bars come "
                "later, quotes and trades are samples"
            )
        try:
            await self._fill(lane)
            await self._sample(lane)
        except RequestError as error:
            self._log.error(f"polling {lane.name} data failed: {error}")

    async def _fill(self, lane: Lane) -> int:
        """Hand on the minutes since the last one known; answers how many were new."""
        symbols, until = self._minutes_of(lane), await self._now()
        since = self._desk.since(symbols)
        if since is None or until - since < MINUTE_NANOS:
            return 0
        found = await self._history.minutes(symbols, since, until, is_crypto=lane.is_crypto)
        rows = [
            (minute.end, at, symbol, minute) for at, symbol in enumerate(symbols) for minute in found[symbol]
        ]
        new = sum(self._desk.minute(symbol, minute) for _, _, symbol, minute in sorted(rows))
        self._desk.flush(until, is_crypto=lane.is_crypto)
        return new

    async def _sample(self, lane: Lane) -> None:
        for channel, symbols in lane.ticks.items():
            if not symbols:
                continue
            latest = self._history.latest_quotes if channel == "quotes" else self._history.latest_trades
            for symbol, row in (await latest(sorted(symbols), is_crypto=lane.is_crypto)).items():
                if nanos_of(row["t"]) > lane.newest.get(f"{channel} {symbol}", 0):
                    self._take(lane, {**row, "T": LATEST[channel], "S": symbol})

    async def _doubt(self, lane: Lane) -> None:
        """Ask REST whether the stream should have said something; if so, connect anew."""
        try:
            missed = await self._missed(lane)
        except RequestError as error:
            self._log.warning(f"the {lane.name} stream is silent, and REST does not answer either: {error}")
            return
        if missed:
            self._log.warning(
                f"the {lane.name} stream is up but silent, although there is {missed}; connecting again"
            )
            await lane.line.restart()

    async def _missed(self, lane: Lane) -> str:
        symbols, until = self._minutes_of(lane), await self._now()
        since = self._desk.since(symbols)
        if since is not None:
            found = await self._history.minutes(symbols, since, until, is_crypto=lane.is_crypto)
            late = sum(len(minutes) for minutes in found.values())
            if late:
                return f"{late} newer minute bars"
        for channel, wanted in lane.ticks.items():
            if not wanted:
                continue
            latest = self._history.latest_quotes if channel == "quotes" else self._history.latest_trades
            rows = await latest(sorted(wanted), is_crypto=lane.is_crypto)
            newer = [
                symbol
                for symbol, row in rows.items()
                if lane.newest.get(f"{channel} {symbol}", 0) < nanos_of(row["t"]) <= until
            ]
            if newer:
                return f"newer {channel} of {', '.join(newer)}"
        return ""


def _when(ts: int | None) -> str:
    return "now" if ts is None else text_of(ts)
