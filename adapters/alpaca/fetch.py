"""How are years of Alpaca's bars downloaded so that a killed download goes on where it was?

Month by month (days: year by year) into a store; what is there is never asked for again. Adjusted prices of the past
change with every split and dividend, so before more is added one bar that is there is compared with what the broker
says now, and all is fetched anew where they differ.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._parsing_data import NANOS, Candle
from adapters.alpaca.bars import MINUTE_NANOS
from adapters.alpaca.calendar import DAY_NANOS
from adapters.alpaca.history import History, is_pair
from adapters.errors import AdapterError
from adapters.outcomes import RefusedError, RequestError
from market._store import Holding, Store, Stretch

MINUTES, DAYS = "1m", "1d"
TRIES = 4
FIRST_WAIT_SECS = 1.0
SAME = 1e-6
"""As a fraction: prices that differ by less are the same, rounded otherwise."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted of every symbol: `bar` is 1m or 1d, the window in UTC nanoseconds."""

    bar: str
    start: int
    until: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was done for one symbol."""

    symbol: str
    new_rows: int
    rows: int
    requests: int
    renewed: bool
    """Whether older rows were dropped, because the broker adjusts them differently now."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Who is told how far it is."""

    total: Callable[[int], None]
    """More stretches are to come."""
    done: Callable[[str], None]
    """One is done; the text says which."""


class Download:
    """Fetches into a store. Raises AdapterError when the broker stops answering: what is there by then is kept."""

    def __init__(self, api: AlpacaApi, history: History, store: Store, *, adjusted: bool) -> None:
        """`history` has to give all hours: which of them are wanted is chosen when the rows are read."""
        self._api, self._history, self._store, self._adjusted = api, history, store, adjusted

    async def symbol(self, instrument: Any, asked: Asked, steps: Steps) -> Fetched:
        """Everything of one symbol that is not there yet."""
        name = str(instrument.raw_symbol)
        holding = self._store.holding(name)
        renewed = holding is not None and await self._adjusted_anew(instrument, holding)
        if holding is None or renewed:
            self._store.forget(name)
            holding = Holding(name, instrument.price_precision, instrument.size_precision)
        missing = [
            part
            for stretch in holding.missing(asked.bar, asked.start, asked.until)
            for part in parts(*stretch, asked.bar)
        ]
        steps.total(len(missing))
        new = 0
        for start, until in missing:
            rows = await self._rows(instrument, asked.bar, start, until)
            self._store.add(holding, asked.bar, start, until, rows)
            new += len(rows)
            steps.done(f"{name} {_day(start)}")
        return Fetched(name, new, holding.rows.get(asked.bar, 0), len(missing), renewed)

    async def _rows(self, instrument: Any, bar: str, start: int, until: int) -> list[tuple[Any, ...]]:
        """(end, open, high, low, close, volume) of the bars that begin from `start` on and end until `until`."""
        name, is_crypto = str(instrument.raw_symbol), is_pair(instrument)
        ask = self._history.minutes if bar == MINUTES else self._history.days
        wait = FIRST_WAIT_SECS
        for attempt in range(TRIES):
            try:
                found: Sequence[Candle] = (await ask([name], start, until, is_crypto=is_crypto))[name]
            except RequestError as error:
                if isinstance(error, RefusedError) or attempt == TRIES - 1:
                    raise AdapterError(
                        f"{name} from {_day(start)} on cannot be downloaded: {error}; what came before is kept, so the "
                        "same command goes on from here"
                    ) from error
                await asyncio.sleep(wait)
                wait *= 2
            else:
                return [(each.end, *each[2:]) for each in found if start <= each.start]
        raise AssertionError  # the last attempt returned or raised

    async def _adjusted_anew(self, instrument: Any, holding: Holding) -> bool:
        """Whether the broker now gives another price for a bar that is there."""
        if not self._adjusted or is_pair(instrument):
            return False
        for bar, stretches in holding.stretches.items():
            last = next((each for each in reversed(stretches) if each.rows), None)
            if last is not None:
                return await self._differs(instrument, bar, last)
        return False

    async def _differs(self, instrument: Any, bar: str, stretch: Stretch) -> bool:
        frame = self._store.frame(str(instrument.raw_symbol), bar)
        kept = frame[(frame["ts"] > stretch.start) & (frame["ts"] <= stretch.until)].iloc[-1]
        end = int(kept["ts"])
        span = MINUTE_NANOS if bar == MINUTES else DAY_NANOS
        now = {row[0]: float(row[4]) for row in await self._rows(instrument, bar, end - span, end)}
        return end not in now or abs(now[end] / float(kept["close"]) - 1) > SAME


def parts(start: int, until: int, bar: str) -> Iterator[tuple[int, int]]:
    """A stretch of time in months, or in years for daily bars: what one step of a download asks for."""
    at = start
    while at < until:
        moment = datetime.fromtimestamp(at // NANOS, UTC)
        year, month = (
            (moment.year + 1, 1) if bar == DAYS else (moment.year + moment.month // 12, moment.month % 12 + 1)
        )
        end = min(until, int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * NANOS)
        yield at, end
        at = end


def _day(ts: int) -> str:
    return datetime.fromtimestamp(ts // NANOS, UTC).strftime("%Y-%m-%d")
