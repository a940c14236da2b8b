"""How do bars of the past arrive in a live node as if they came from a venue?

The sandbox fills resting orders on a bar before the strategy sees it only if a shorter bar of the same prices came
first. So each bar follows its own shadow: same prices, same stamps, of a type that nobody subscribes to. With it, live
and backtest agree on every fill (engine.md 7).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nautilus_trader.live.clients import MarketDataClient
from nautilus_trader.model import Bar, BarType, QuoteTick, Venue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

NANOS = 1_000_000_000
SHORTER = {"MILLISECOND": None, "SECOND": "MILLISECOND", "MINUTE": "SECOND", "HOUR": "MINUTE", "DAY": "HOUR"}
"""A bar's aggregation -> the next shorter one, of which one unit is shorter than any bar of it."""


@dataclass(frozen=True)
class Replay:
    """What is streamed, how fast, and who is told how it ends."""

    venue: Venue
    instruments: Sequence[Any]
    updates: Callable[[], Iterable[Bar | QuoteTick]]
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
        shadows: dict[BarType, BarType] = {}
        for update in self._replay.updates():
            if pace.speed:
                await pace.wait_for(update.ts_event)
            if self._stopped:
                return
            if isinstance(update, Bar):
                shadow = shadows.get(update.bar_type)
                if shadow is None:
                    shadow = shadows[update.bar_type] = shadow_type(update.bar_type)
                self._handle_data(shadow_of(update, shadow))
            self._handle_data(update)
            await asyncio.sleep(0)  # one turn of the loop an update keeps the engine's unbounded queue short


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


def shadow_of(bar: Bar, shadow: BarType) -> Bar:
    """The same prices and stamps under the shadow's type."""
    return Bar(shadow, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.ts_event, bar.ts_init)
