"""How do bars of the past arrive in a live node as if they came from a venue?

The sandbox fills resting orders on a bar before the strategy sees it only if a shorter bar of the same prices came
first. So each bar follows its own shadow: same prices, same stamps, of a type that nobody subscribes to. With it, live
and backtest agree on every fill (engine.md 7).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from nautilus_trader.live.clients import MarketDataClient
from nautilus_trader.model import Bar, BarType, QuoteTick

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

NANOS = 1_000_000_000
BACKLOG = 64  # updates pushed ahead of the engine at most; its queue has no bound of its own
SHORTER = {"MILLISECOND": None, "SECOND": "MILLISECOND", "MINUTE": "SECOND", "HOUR": "MINUTE", "DAY": "HOUR"}
"""A bar's aggregation -> the next shorter one, of which one unit is shorter than any bar of it."""


def shadow_type(bar_type: BarType) -> BarType:
    """The bar type of a bar's shadow: one unit of the next shorter aggregation. Raises KeyError when there is none."""
    _, _, aggregation, price, source = str(bar_type).rsplit("-", 4)
    shorter = SHORTER[aggregation]
    if shorter is None:
        raise KeyError(aggregation)
    return BarType.from_str(f"{bar_type.instrument_id}-1-{shorter}-{price}-{source}")


class ReplayDataClient(MarketDataClient):
    """Streams catalog data at `speed` times real time, stamps untouched; 0 is as fast as the engine takes it."""

    def __init__(  # noqa: PLR0913 - the engine's own four and what is replayed
        self,
        *,
        name: str,
        config: Any,
        cache: Any,
        clock: Any,
        instruments: Sequence[Any],
        updates: Callable[[], Iterable[Bar | QuoteTick]],
        speed: float,
        expected: int,
        on_end: Callable[[], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        """`updates` reads the data when the replay starts; `expected` subscriptions are awaited before the first."""
        super().__init__(name=name, config=config, cache=cache, clock=clock, venue=None)
        self._instruments = instruments
        self._updates = updates
        self._speed = speed
        self._expected = expected
        self._subscribed = 0
        self._on_end = on_end
        self._on_error = on_error
        self._shadows: dict[BarType, BarType] = {}  # bar type -> its shadow's
        self.handled = 0
        self.paused = False

    async def _connect(self) -> None:
        for instrument in self._instruments:
            self._handle_instrument(instrument)

    async def _disconnect(self) -> None:
        self.paused = True
