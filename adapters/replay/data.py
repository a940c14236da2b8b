"""How do bars and quotes of the past arrive in a live node as if they came from a venue?

The sandbox fills resting orders on an update before the strategy sees it only if a shorter bar of the same prices came
first. So each bar follows its own shadow: same prices, same stamps, of a type that nobody subscribes to; each quote
follows two, flat ones of its bid and of its ask. With them, live and backtest agree on every fill (engine.md 7).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nautilus_trader.live.clients import MarketDataClient
from nautilus_trader.model import (
    Bar,
    BarType,
    InstrumentId,
    InstrumentStatus,
    PriceType,
    Quantity,
    QuoteTick,
    Venue,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

NANOS = 1_000_000_000
AHEAD = 1_000
"""So many quotes may be sent before the engine has taken the last of them."""
MOST_TURNS = 100_000
"""Of the loop, after which the stream goes on all the same: an engine that takes none must not hold it up."""
SHORTER = {"MILLISECOND": None, "SECOND": "MILLISECOND", "MINUTE": "SECOND", "HOUR": "MINUTE", "DAY": "HOUR"}
"""A bar's aggregation -> the next shorter one, of which one unit is shorter than any bar of it."""


@dataclass(frozen=True)
class Replay:
    """What is streamed, how fast, and who is told how it ends."""

    venue: Venue
    instruments: Sequence[Any]
    updates: Callable[[], Iterable[Bar | QuoteTick | InstrumentStatus]]
    speed: float
    on_end: Callable[[], None]
    on_error: Callable[[BaseException], None]


def shadow_type(bar_type: BarType) -> BarType:
    """The bar type of a bar's shadow: one unit of the next shorter aggregation. Raises KeyError when there is none."""
    _, _, aggregation, price, source = str(bar_type).rsplit("-", 4)
    shorter = SHORTER[aggregation]
    if shorter is None:
        raise KeyError(aggregation)
    return BarType.from_str(f"{bar_type.instrument_id}-1-{shorter}-{price}-{source}")


class ReplayDataClient(MarketDataClient):
    """Streams catalog data at `speed` times real time, stamps untouched; 0 is as fast as the engine takes it.

    Nothing is sent before `begin`: the node calls it when every strategy runs. `on_end` is told once when all data
    was sent, `on_error` when reading or sending it failed.
    """

    def __init__(self, *, name: str, config: Any, cache: Any, clock: Any, replay: Replay) -> None:
        """The engine's own four, and what is to be replayed."""
        super().__init__(name=name, config=config, cache=cache, clock=clock, venue=replay.venue)
        self._replay = replay
        self._stopped = False

    def begin(self) -> None:
        """Start streaming."""
        self.create_task(self._play(), "replay")

    def cease(self) -> None:
        """Send nothing more."""
        self._stopped = True

    async def _connect(self) -> None:
        for instrument in self._replay.instruments:
            self._handle_instrument(instrument)

    async def _disconnect(self) -> None:
        self.cease()

    async def _subscribe_bars(self, command: Any) -> None:
        """Everything is streamed anyway: the engine hands it to whom it concerns."""

    _subscribe_quotes = _subscribe_trades = _subscribe_instrument = _subscribe_instruments = _subscribe_bars
    _unsubscribe_bars = _unsubscribe_quotes = _unsubscribe_trades = _subscribe_bars
    _unsubscribe_instrument = _unsubscribe_instruments = _subscribe_bars

    async def _play(self) -> None:
        try:
            await self._stream()
        except Exception as error:  # noqa: BLE001 - the engine only logs what a task raises; the node must know
            self._replay.on_error(error)
        else:
            self._replay.on_end()

    async def _stream(self) -> None:
        pace = Pace(self._replay.speed)
        shadows: dict[BarType | InstrumentId, tuple[BarType, ...]] = {}
        for number, update in enumerate(self._replay.updates(), 1):
            if pace.speed:
                await pace.wait_for(update.ts_event)
            if self._stopped:
                return
            if not isinstance(update, InstrumentStatus):
                key = update.bar_type if isinstance(update, Bar) else update.instrument_id
                kinds = shadows.get(key)
                if kinds is None:
                    kinds = shadows[key] = shadow_types(key)
                for kind in kinds:
                    self._handle_data(shadow_of(update, kind))
            self._handle_data(update)
            await asyncio.sleep(0)  # one turn of the loop an update keeps the engine's queue short
            if number % AHEAD == 0 and isinstance(update, QuoteTick):
                await self._until_seen(update)

    async def _until_seen(self, quote: QuoteTick) -> None:
        """Wait until the engine has taken a quote: with its two shadows the queue, which has no bound, may grow."""
        for _ in range(MOST_TURNS):
            seen = self.cache.quote(quote.instrument_id)
            if self._stopped or (seen is not None and seen.ts_init >= quote.ts_init):
                return
            await asyncio.sleep(0)


class Pace:
    """Waits until a stamp is due, at `speed` seconds of market time a second."""

    def __init__(self, speed: float) -> None:
        """`speed` 0 never waits."""
        self.speed = speed
        self._began: tuple[float, int] | None = None  # (loop time, stamp) of the first update

    async def wait_for(self, stamp: int) -> None:
        """Sleep until `stamp` (UTC nanoseconds) is due."""
        now = asyncio.get_running_loop().time()
        if self._began is None:
            self._began = (now, stamp)
        began, first = self._began
        await asyncio.sleep(max(0.0, began + (stamp - first) / NANOS / self.speed - now))


def shadow_types(key: BarType | InstrumentId) -> tuple[BarType, ...]:
    """The types of the shadows of a bar type, or of an instrument's quotes; the last is the one that comes last."""
    if isinstance(key, BarType):
        return (shadow_type(key),)
    return tuple(BarType.from_str(f"{key}-1-MILLISECOND-{side}-EXTERNAL") for side in ("BID", "ASK"))


def shadow_of(update: Bar | QuoteTick, shadow: BarType) -> Bar:
    """The same prices and stamps under the shadow's type; a quote's size is there at each of the bar's four prices."""
    if isinstance(update, Bar):
        prices, volume = (update.open, update.high, update.low, update.close), update.volume
    else:
        is_bid = shadow.spec.price_type == PriceType.BID
        price, size = (update.bid_price, update.bid_size) if is_bid else (update.ask_price, update.ask_size)
        prices, volume = (price,) * 4, Quantity.from_raw(size.raw * 4, size.precision)
    return Bar(shadow, *prices, volume, update.ts_event, update.ts_init)
